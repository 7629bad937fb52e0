"""Map the HELP study, as published, into casestrat's tables. Run: python data/real/help/map_help.py.

Every person's day 0 is put on one declared base date, so that waits and windows can be told in days. The clinic arm of
the trial is the admitted group; the control arm is the waiting list. The outcome columns of the study (linkage to
primary care, first use of a substance) become events of kinds that no feature of the program counts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
BASE = pd.Timestamp("2010-01-04")  # declared, not real: the published days are counted from each person's baseline
AS_OF = pd.Timestamp("2010-07-23")  # day 200: after the first follow-up wave of most people
INSTRUMENTS = {"CESD": "cesd"}
CESD_ITEMS = {f"F1{letter}": f"item_{number:02d}" for number, letter in enumerate("ABCDEFGHIJKLMNOPQRST", 1)}
SUBSTANCES = {0: "none", 1: "alcohol", 2: "cocaine", 3: "heroin", 4: "barbiturates", 5: "benzodiazepines",
              6: "marijuana", 7: "methadone", 8: "opiates"}  # fmt: skip
MEASURES = {"CHR_SUM": ("chronic_conditions", "count"), "PCS": ("pcs", "score"), "MCS": ("mcs", "score"),
            "HOMELESS": ("homeless", "flag")}  # fmt: skip


def day(days: pd.Series) -> pd.Series:
    """Turn days since baseline into dates."""
    return (BASE + pd.to_timedelta(days, unit="D")).astype("datetime64[us]")


def person(ids: pd.Series) -> pd.Series:
    """Prefix the published ids."""
    return "HELP-" + ids.astype(int).astype(str).str.zfill(4)


def persons(core: pd.DataFrame) -> pd.DataFrame:
    """One row a person; age is known in whole years only, so the birth year may be off by one."""
    first = core[core["TIME"] == 0]
    last = core.groupby("ID")["DAYS_SINCE_BL"].max().reindex(first["ID"]).to_numpy()
    return pd.DataFrame({
        "person_id": person(first["ID"]),
        "birth_year": (BASE.year - first["AGE"]).astype(int),
        "sex": first["A1"].map({1: "m", 2: "f"}),
        "territory": "boston",
        "jurisdiction": "ma",
        "language": "en",
        "observed_from": BASE - pd.Timedelta(days=183),  # the baseline interview asks about the six months before
        "observed_until": day(pd.Series(last)).to_numpy(),
        "recorded_at": BASE,
    })  # fmt: skip


def referrals(core: pd.DataFrame) -> pd.DataFrame:
    """One referral a person, on day 0, from the detoxification unit."""
    first = core[core["TIME"] == 0]
    return pd.DataFrame({
        "referral_id": "R-" + person(first["ID"]),
        "person_id": person(first["ID"]),
        "referred_on": BASE,
        "source": "hospital",
        "is_professional": True,
        "consent": "yes",
        "is_complete": True,
        "recorded_at": BASE,
    })  # fmt: skip


def episodes(core: pd.DataFrame) -> pd.DataFrame:
    """Return the clinic arm, admitted on day 0."""
    clinic = core[(core["TIME"] == 0) & (core["GROUP"] == 1)]
    return pd.DataFrame({
        "episode_id": "E-" + person(clinic["ID"]),
        "person_id": person(clinic["ID"]),
        "referral_id": "R-" + person(clinic["ID"]),
        "admitted_on": BASE,
        "intensity": "standard",
        "state": "active",
        "recorded_at": BASE,
    })  # fmt: skip


def assessments(core: pd.DataFrame, items: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One sitting a person, wave and instrument, with its answers; totals are left to be computed."""
    kept = items[items["instrument"].isin(INSTRUMENTS) & items["value"].notna()].copy()
    kept["instrument"] = kept["instrument"].map(INSTRUMENTS)
    kept["person_id"] = person(kept["person_id"])
    kept["assessment_id"] = (
        kept["instrument"] + "-" + kept["person_id"] + "-" + kept["wave_months"].astype(str).str.zfill(2)
    )
    kept["recorded_at"] = day(kept["day"])
    sittings = kept.drop_duplicates("assessment_id")[["assessment_id", "person_id", "instrument", "recorded_at"]]
    sittings = sittings.assign(
        version="1977", observed_at=sittings["recorded_at"], assessor_role="interviewer", mode="face"
    )
    answers = kept[["assessment_id", "person_id", "item", "value", "recorded_at"]].copy()
    answers["value"] = answers["value"].astype(int).astype(str)
    answers["item"] = answers["item"].map(CESD_ITEMS)
    return sittings, answers


def events(core: pd.DataFrame) -> pd.DataFrame:
    """Homelessness and detoxification told at an interview; linkage and first use, which are outcomes only."""
    told = []
    for column, kind in (("HOMELESS", "homeless"), ("E2A", "detox")):
        rows = core[core[column] == 1]
        amount = rows["E2B"] if kind == "detox" else pd.Series(np.nan, index=rows.index)
        told.append(pd.DataFrame({"ID": rows["ID"], "kind": kind, "days": rows["DAYS_SINCE_BL"], "amount": amount}))
    first = core[core["TIME"] == 0]
    for status, days, kind in (
        ("LINKSTATUS", "DAYSLINK", "linkage"), ("ANYSUBSTATUS", "DAYSANYSUB", "relapse"),
    ):  # fmt: skip
        rows = first[first[status] == 1]
        told.append(pd.DataFrame({"ID": rows["ID"], "kind": kind, "days": rows[days], "amount": np.nan}))
    frame = pd.concat(told, ignore_index=True).dropna(subset="days").sort_values(["ID", "days", "kind"])
    moments = day(frame["days"])
    return pd.DataFrame({
        "event_id": [f"EV-{number:05d}" for number in range(1, len(frame) + 1)],
        "person_id": person(frame["ID"]),
        "kind": frame["kind"],
        "observed_at": moments,
        "amount": frame["amount"],
        "recorded_at": moments,
    })  # fmt: skip


def person_facts(core: pd.DataFrame) -> pd.DataFrame:
    """Return what may change between waves (living alone, insurance) and the substance named at baseline."""
    rows = []
    for column, fact in (("ALONE6M", "lives_alone"), ("ANY_INS", "insured"), ("PRIM_SUB", "primary_substance")):
        known = core[core[column].notna()]
        value = known[column].map(SUBSTANCES) if fact == "primary_substance" else known[column].map({0: "no", 1: "yes"})
        rows.append(pd.DataFrame({
            "person_id": person(known["ID"]), "fact": fact, "value": value,
            "valid_from": day(known["DAYS_SINCE_BL"]), "recorded_at": day(known["DAYS_SINCE_BL"]),
        }))  # fmt: skip
    return pd.concat(rows, ignore_index=True).sort_values(["person_id", "fact", "valid_from"], ignore_index=True)


def measurements(core: pd.DataFrame) -> pd.DataFrame:
    """Return what was computed or asked at every interview: conditions, SF-36 summaries, homelessness (1, 0)."""
    long = core.melt(["ID", "TIME", "DAYS_SINCE_BL"], list(MEASURES), "column", "value").dropna(subset="value")
    long = long.sort_values(["ID", "TIME", "column"], ignore_index=True)
    return pd.DataFrame({
        "measurement_id": [f"M-{number:05d}" for number in range(1, len(long) + 1)],
        "person_id": person(long["ID"]),
        "kind": long["column"].map({name: kind for name, (kind, _) in MEASURES.items()}),
        "value": long["value"],
        "unit": long["column"].map({name: unit for name, (_, unit) in MEASURES.items()}),
        "observed_at": day(long["DAYS_SINCE_BL"]),
        "recorded_at": day(long["DAYS_SINCE_BL"]),
    })  # fmt: skip


def staff() -> dict[str, pd.DataFrame]:
    """Make up a small team, so that the list can be allocated and the pages are whole."""
    ids = [f"CM-{number:02d}" for number in range(1, 9)]
    managers = pd.DataFrame({
        "cm_id": ids, "team": ["north"] * 4 + ["south"] * 4, "profession": "social_worker", "fte": 1.0,
        "minutes_per_week": 2100, "languages": "en", "skills": "", "territories": "boston",
        "starts_on": BASE - pd.Timedelta(days=365),
    })  # fmt: skip
    meetings = pd.DataFrame({
        "meeting_id": ["2010-07"], "held_on": [AS_OF + pd.Timedelta(days=7)], "territory": ["boston"], "places": [20],
    })  # fmt: skip
    services = pd.DataFrame({
        "service_id": ["primary-care", "day-centre"], "domain": ["health", "social"], "territory": "boston",
        "label_en": ["Primary care clinic", "Day centre"], "label_fr": ["Centre de santé", "Accueil de jour"],
        "label_it": ["Ambulatorio di base", "Centro diurno"],
    })  # fmt: skip
    return {"case_managers": managers, "committee_meetings": meetings, "services": services}


def frames() -> dict[str, pd.DataFrame]:
    """All tables of the mapped study."""
    core = pd.read_csv(HERE / "published" / "help_core.csv.gz")
    items = pd.read_csv(HERE / "published" / "help_items_long.csv.gz")
    sittings, answers = assessments(core, items)
    return {
        "persons": persons(core), "referrals": referrals(core), "episodes": episodes(core),
        "assessments": sittings, "responses": answers, "events": events(core), "person_facts": person_facts(core),
        "measurements": measurements(core), **staff(),
    }  # fmt: skip


def write(folder: Path = HERE) -> None:
    """Write the tables as Parquet, with the extract's description and the date of the example run."""
    for name, frame in frames().items():
        frame.reset_index(drop=True).to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    (folder / "extract.toml").write_text(
        'program = "substance_use"\ndata_start = 2009-07-01\ndata_end = 2012-12-31\ntimezone = "America/New_York"\n'
        'recorded_at = "column"\n',
        encoding="utf-8",
    )
    (folder / "AS_OF").write_text(f"{AS_OF:%Y-%m-%d}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
