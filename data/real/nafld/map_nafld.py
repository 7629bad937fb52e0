"""Map the NAFLD cohort, as published, into casestrat's tables. Run: python data/real/nafld/map_nafld.py.

Every person's index day is put on one declared base date. Each person is given one made-up referral on that day, so
that the list of the day after holds everybody and may use nothing that came later.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
BASE = pd.Timestamp("2010-01-04")  # declared, not real
AS_OF = BASE + pd.Timedelta(days=1)
UNITS = {"hdl": "mg/dL", "chol": "mg/dL", "sbp": "mmHg", "dbp": "mmHg", "smoke": "flag", "fib4": "score",
         "bmi": "kg/m2"}  # fmt: skip
KINDS = {"ang/isc": "angina", "heart failure": "heart_failure", "MI": "mi", "cardiac arrest": "cardiac_arrest"}


def day(days: pd.Series) -> pd.Series:
    """Turn days since the index day into dates."""
    return (BASE + pd.to_timedelta(days, unit="D")).astype("datetime64[us]")


def person(ids: pd.Series) -> pd.Series:
    """Prefix the published ids."""
    return "NAFLD-" + ids.astype(str).str.zfill(5)


def persons(cohort: pd.DataFrame) -> pd.DataFrame:
    """One row a person; age is known in whole years only, so the birth year may be off by one."""
    end = day(cohort["futime"])
    return pd.DataFrame({
        "person_id": person(cohort["id"]),
        "birth_year": BASE.year - cohort["age"],
        "sex": cohort["male"].map({1: "m", 0: "f"}),
        "territory": "olmsted",
        "jurisdiction": "mn",
        "language": "en",
        "died_on": end.where(cohort["status"] == 1),
        "observed_until": end,
        "recorded_at": BASE,
    })  # fmt: skip


def referrals(cohort: pd.DataFrame) -> pd.DataFrame:
    """One made-up referral a person, on the index day."""
    return pd.DataFrame({
        "referral_id": "R-" + person(cohort["id"]),
        "person_id": person(cohort["id"]),
        "referred_on": BASE,
        "source": "gp",
        "is_professional": True,
        "consent": "yes",
        "is_complete": True,
        "recorded_at": BASE,
    })  # fmt: skip


def events(cohort: pd.DataFrame, happened: pd.DataFrame) -> pd.DataFrame:
    """Diagnoses as events, as dated, those after the end of follow-up too; and deaths."""
    deaths = cohort.loc[cohort["status"] == 1, ["id", "futime"]].rename(columns={"futime": "days"})
    rows = pd.concat([happened, deaths.assign(event="death")], ignore_index=True)
    rows = rows.sort_values(["id", "days", "event"], ignore_index=True)
    moments = day(rows["days"])
    return pd.DataFrame({
        "event_id": [f"EV-{number:06d}" for number in range(1, len(rows) + 1)],
        "person_id": person(rows["id"]),
        "kind": rows["event"].replace(KINDS),
        "observed_at": moments,
        "recorded_at": moments,
    })  # fmt: skip


def measurements(cohort: pd.DataFrame, labs: pd.DataFrame) -> pd.DataFrame:
    """Every laboratory row as published, the exact duplicates too; and the body mass index of the index day."""
    bmi = cohort.loc[cohort["bmi"].notna(), ["id", "bmi"]].rename(columns={"bmi": "value"})
    rows = pd.concat([labs, bmi.assign(days=0, test="bmi")], ignore_index=True)
    moments = day(rows["days"])
    return pd.DataFrame({
        "measurement_id": [f"M-{number:06d}" for number in range(1, len(rows) + 1)],
        "person_id": person(rows["id"]),
        "kind": rows["test"],
        "value": rows["value"],
        "unit": rows["test"].map(UNITS),
        "observed_at": moments,
        "recorded_at": moments,
    })  # fmt: skip


def staff() -> dict[str, pd.DataFrame]:
    """Make up a small team, so that the list can be allocated and the pages are whole."""
    managers = pd.DataFrame({
        "cm_id": [f"CM-{number:02d}" for number in range(1, 7)], "team": ["east"] * 3 + ["west"] * 3,
        "profession": "nurse", "fte": 1.0, "minutes_per_week": 2400, "languages": "en", "skills": "",
        "territories": "olmsted", "starts_on": BASE - pd.Timedelta(days=365),
    })  # fmt: skip
    licenses = pd.DataFrame({
        "cm_id": managers["cm_id"], "profession": "nurse", "jurisdiction": "mn",
        "valid_from": BASE - pd.Timedelta(days=365), "valid_to": BASE + pd.Timedelta(days=730),
    })  # fmt: skip
    meetings = pd.DataFrame({
        "meeting_id": ["2010-01"], "held_on": [BASE + pd.Timedelta(days=14)], "territory": ["olmsted"], "places": [40],
    })  # fmt: skip
    services = pd.DataFrame({
        "service_id": ["gp", "liver-clinic"], "domain": ["health", "health"], "territory": "olmsted",
        "label_en": ["General practitioner", "Liver clinic"],
        "label_fr": ["Médecin traitant", "Consultation d'hépatologie"],
        "label_it": ["Medico di base", "Ambulatorio di epatologia"],
    })  # fmt: skip
    return {"case_managers": managers, "licenses": licenses, "committee_meetings": meetings, "services": services}


def frames() -> dict[str, pd.DataFrame]:
    """All tables of the mapped cohort."""
    published = HERE / "published"
    cohort = pd.read_csv(published / "nafld_persons.csv.gz")
    happened = pd.read_csv(published / "nafld_events.csv.gz")
    labs = pd.read_csv(published / "nafld_labs.csv.gz")
    return {
        "persons": persons(cohort), "referrals": referrals(cohort), "events": events(cohort, happened),
        "measurements": measurements(cohort, labs), **staff(),
    }  # fmt: skip


def write(folder: Path = HERE) -> None:
    """Write the tables as Parquet, with the extract's description and the date of the example run."""
    for name, frame in frames().items():
        frame.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    (folder / "extract.toml").write_text(
        'program = "medical"\ndata_end = 2029-12-31\ntimezone = "America/Chicago"\nrecorded_at = "column"\n',
        encoding="utf-8",
    )
    (folder / "AS_OF").write_text(f"{AS_OF:%Y-%m-%d}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
