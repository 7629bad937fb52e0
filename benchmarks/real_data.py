"""Do the features of this library foretell as well as plain pandas does, on real people and on the same folds?

Three published studies are put into the library's tables. Each is asked the question that others were asked before:
death within five years (NAFLD, program ``medical``), homelessness and depressive symptoms at the next interview (HELP,
``substance_use``), dependency at the next visit (PAQUID). The same features are computed twice: by `FeatureBuilder` as
of each date, and by a plain pandas script that may be read in one go. Both go through the same two scikit-learn models
on the same folds (five, by person, seeded). Labels are computed twice as well. No row of a person is printed or kept.

    python benchmarks/real_data.py [--repeats 5] [--paquid FILE]

PAQUID may not be passed on with this project: it is read from where it lies, and left out where it is not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if __name__ == "__main__":  # small data: threads that wait for one another are slower than one
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from casestrat.features import FeatureBuilder, InstrumentTotal, Last
from casestrat.knowledge import Outcome, load_program
from casestrat.models import PersonGroupedSplit, RiskClassifier
from casestrat.tables import Tables, read_tables
from casestrat.timeline import build_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT / "data" / "real"
OUT = ROOT / "benchmarks" / "results" / "real_data.json"
PAQUID = ROOT.parent / "shared" / "data" / "paquid_visits.csv"
DAY = pd.Timedelta(days=1)
TOLERANCE = 0.02
ANY_LATER = 7305  # days: the next visit, however late it came
REVERSED = (4, 8, 12, 16)  # items of the CES-D that are worded the other way round
HELP_OUTCOMES = ["LINKSTATUS", "DAYSLINK", "ANYSUBSTATUS", "DAYSANYSUB", "DRINKSTATUS", "DAYSDRINK", "PC_REC",
                 "SATREAT", "DEAD"]  # fmt: skip
MODELS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), LogisticRegression(max_iter=3000)
    ),
    "boosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "risk_classifier": RiskClassifier,
}


class Question(NamedTuple):
    """What is foretold, what another script found, and what plain pandas says came of it."""

    outcome: Outcome
    expected: dict[str, float]
    label: pd.Series  # by index (person_id, as_of)


class Study(NamedTuple):
    """A study in the library's tables, and the same features and labels by plain pandas."""

    name: str
    tables: Tables
    builder: FeatureBuilder
    plain: pd.DataFrame  # index (person_id, as_of): the spine
    questions: list[Question]


def nafld() -> Study:
    """Return the NAFLD cohort: one date each, the day after the index day; the program's own features."""
    tables, program = read_tables(REAL / "nafld", load_program("medical")), load_program("medical")
    published = REAL / "nafld" / "published"
    cohort = pd.read_csv(published / "nafld_persons.csv.gz").set_index("id")
    labs = pd.read_csv(published / "nafld_labs.csv.gz").drop_duplicates()
    happened = pd.read_csv(published / "nafld_events.csv.gz")
    builder = FeatureBuilder([one for one in FeatureBuilder(program).features if one.name != "unplanned_stays_365d"])
    bmi = cohort["bmi"].dropna().rename("value").reset_index().assign(days=0, test="bmi")
    known = pd.concat([labs, bmi], ignore_index=True).query("days <= 0").sort_values("days", kind="stable")
    before = happened[happened["days"] <= 0].replace({"event": {"ang/isc": "angina"}})
    before["event"] = before["event"].str.lower().str.replace(" ", "_")
    last = known.pivot_table("value", "id", "test", aggfunc="last").add_prefix("last_")
    counts = before.pivot_table("days", "id", "event", aggfunc="size").add_suffix("_ever")
    plain = pd.DataFrame({"age": cohort["age"] - 0.5}).join(last)  # the library takes the middle of the year of birth
    plain = plain.join(counts.reindex(cohort.index).fillna(0.0))
    plain["labs_365d"] = known[known["days"] > -365].groupby("id").size().reindex(cohort.index).fillna(0.0)
    plain["days_since_last_lab"] = 1.0 - known.groupby("id")["days"].max()
    died = (cohort["status"] == 1) & (cohort["futime"] - 1 < 1826)
    label = pd.Series(np.where(died, 1.0, np.where(cohort["futime"] >= 1826, 0.0, np.nan)), index=cohort.index)
    index = pd.MultiIndex.from_arrays(
        ["NAFLD-" + cohort.index.astype(str).str.zfill(5), [pd.Timestamp("2010-01-05")] * len(cohort)],
        names=["person_id", "as_of"],
    )
    expected = {"logistic": 0.877, "boosting": 0.865}
    question = Question(program.outcomes["death_5y"], expected, label.set_axis(index))
    return Study("NAFLD", tables, builder, plain[list(builder.feature_names)].set_axis(index), [question])


def help_study() -> Study:
    """Return the HELP trial: every interview but each person's last; what was asked at it, and the CES-D by its items."""
    published = REAL / "help" / "published"
    core = pd.read_csv(published / "help_core.csv.gz").sort_values(["ID", "TIME"], ignore_index=True)
    measures = core.columns.drop(["ID", "TIME", "DAYS_SINCE_BL", "CES_D", *HELP_OUTCOMES])
    person = "HELP-" + core["ID"].astype(str).str.zfill(4)
    day = pd.Timestamp("2010-01-04") + pd.to_timedelta(core["DAYS_SINCE_BL"], unit="D")
    mapped = {
        name: pd.read_parquet(REAL / "help" / f"{name}.parquet")
        for name in ("persons", "referrals", "assessments", "responses")
    }
    tables = Tables.from_frames({**mapped, "measurements": measured(core[measures], person, day)})
    spells = [Last("measurements", "value", where={"kind": name}, window_days=1, name=name) for name in measures]
    builder = FeatureBuilder([*spells, InstrumentTotal("cesd", valid_days=1, name="cesd")])
    plain = core[measures].astype("float64").assign(cesd=cesd_totals(core, published))
    upcoming = plain.groupby(core["ID"]).shift(-1)
    index = pd.MultiIndex.from_arrays([person, day + DAY], names=["person_id", "as_of"])
    rows = (core["ID"] == core["ID"].shift(-1)).to_numpy()
    program = load_program("substance_use").outcomes
    told = {
        "homeless_next": ("HOMELESS", {"logistic": 0.776, "boosting": 0.794}),
        "depressive_symptoms_next": ("cesd", {"logistic": 0.777, "boosting": 0.786}),
    }
    questions = []
    for name, (column, expected) in told.items():
        outcome = replace(program[name], horizon_days=ANY_LATER)
        if outcome.measurement is not None:
            outcome = replace(outcome, measurement=column)  # the kinds here have the study's own names
        came = reached(upcoming[column], float(outcome.at_least or 0)).set_axis(index)
        questions.append(Question(outcome, expected, came[rows]))
    return Study("HELP", tables, builder, plain.set_axis(index)[rows], questions)


def paquid(path: Path) -> Study:
    """Return the PAQUID cohort: every visit without dependency (HIER 0–1) but each person's last."""
    visits = pd.read_csv(path).sort_values(["ID", "age"], ignore_index=True)
    person = "PAQUID-" + visits["ID"].astype(str).str.zfill(4)
    day = pd.Timestamp("1900-01-01") + pd.to_timedelta((visits["age"] * 365.25).round(), unit="D")  # born 1900, all
    measures = ["MMSE", "BVRT", "IST", "HIER", "CESD", "age", "CEP", "male"]
    first = pd.DataFrame({"person_id": person, "recorded_at": day}).drop_duplicates("person_id")
    referrals = first.assign(referral_id="R-" + first["person_id"], referred_on=first["recorded_at"])
    frames = {"persons": first.assign(birth_year=1900), "referrals": referrals}
    tables = Tables.from_frames({**frames, "measurements": measured(visits[measures], person, day)})
    builder = FeatureBuilder(
        [Last("measurements", "value", where={"kind": name}, window_days=1, name=name) for name in measures]
    )
    upcoming = visits.groupby("ID")["HIER"].shift(-1)
    index = pd.MultiIndex.from_arrays([person, day + DAY], names=["person_id", "as_of"])
    rows = ((visits["ID"] == visits["ID"].shift(-1)) & (visits["HIER"] <= 1)).to_numpy()
    outcome = Outcome("dependent_next", ANY_LATER, measurement="HIER", at_least=2, which="next")
    question = Question(outcome, {"logistic": 0.768, "boosting": 0.724}, reached(upcoming, 2).set_axis(index)[rows])
    return Study("PAQUID", tables, builder, visits[measures].astype("float64").set_axis(index)[rows], [question])


def measured(values: pd.DataFrame, person: pd.Series, day: pd.Series) -> pd.DataFrame:
    """Put what was asked on a day into the table of measurements, one row a value; a missing one has none."""
    long = values.assign(person_id=person, observed_at=day).melt(["person_id", "observed_at"], var_name="kind")
    long = long.dropna(subset="value").reset_index(drop=True)
    ids = "M" + long.index.astype(str)
    return long.assign(measurement_id=ids, unit="as asked", recorded_at=long["observed_at"])


def cesd_totals(core: pd.DataFrame, published: Path) -> np.ndarray:
    """Return the CES-D of each interview: the sum of twenty answers, four of them reversed; missing without all."""
    items = pd.read_csv(published / "help_items_long.csv.gz").query("instrument == 'CESD'")
    wide = items.pivot_table("value", ["person_id", "wave_months"], "item", aggfunc="first")
    wide = wide.reindex(pd.MultiIndex.from_frame(core[["ID", "TIME"]]))[[f"F1{x}" for x in "ABCDEFGHIJKLMNOPQRST"]]
    for number in REVERSED:
        wide.iloc[:, number - 1] = 3 - wide.iloc[:, number - 1]
    return wide.sum(axis=1, skipna=False).to_numpy()


def reached(values: pd.Series, bound: float) -> pd.Series:
    """Return 1 where a value reaches the bound, 0 where not, missing where it is."""
    return (values >= bound).astype("float64").where(values.notna())


def measure(study: Study, models: Sequence[str] = tuple(MODELS), repeats: int = 5) -> list[dict[str, Any]]:
    """Ask each question of a study; one result a question, without any person's row."""
    spine = study.plain.index.to_frame(index=False)
    ours = study.builder.build(study.tables, spine).astype("float64")
    n_different = int((~(ours.eq(study.plain) | (ours.isna() & study.plain.isna()))).to_numpy().sum())
    results = []
    for question in study.questions:
        label = build_labels(study.tables, spine, question.outcome)["label"]
        # Our tables hold no row for an answer that is missing, so the library would go on to the interview after next.
        is_told = question.label.notna()
        n_further = int((label.notna() & ~is_told).sum())
        label = label[is_told]
        y = label.dropna().astype(int)
        auc = {
            side: {name: mean_auc(X.loc[y.index], y, MODELS[name], repeats) for name in models}
            for side, X in (("ours", ours), ("pandas", study.plain))
        }
        results.append({
            "study": study.name, "outcome": question.outcome.name, "rows": len(y), "events": int(y.sum()),
            "people": int(y.index.get_level_values("person_id").nunique()), "features": ours.shape[1],
            "values_that_differ": n_different, "labels_that_differ": int((~label.eq(question.label[is_told])).sum()),
            "left_out_next_answer_missing": n_further, **auc,
            "expected": question.expected,
            "is_met": {
                name: abs(auc["ours"][name] - expected) <= TOLERANCE
                for name, expected in question.expected.items() if name in models
            },
        })  # fmt: skip
    return results


def mean_auc(X: pd.DataFrame, y: pd.Series, model: Callable[[], Any], repeats: int) -> float:
    """Return the mean AUC of the folds: five by person, the seed of each repeat its number."""
    persons = X.index.get_level_values("person_id")
    found = []
    for seed in range(repeats):
        for learn, test in PersonGroupedSplit(5, random_state=seed).split(X, y, groups=persons):
            fitted = model().fit(X.iloc[learn], y.iloc[learn])
            found.append(roc_auc_score(y.iloc[test], fitted.predict_proba(X.iloc[test])[:, 1]))
    return float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--paquid", type=Path, default=PAQUID)
    asked = parser.parse_args()
    makers: list[Callable[[], Study]] = [nafld, help_study]
    if asked.paquid.is_file():
        makers.append(lambda: paquid(asked.paquid))
    else:
        print("PAQUID is left out: its file is not here, and it may not be passed on with this project")
    results = []
    for maker in makers:
        for result in measure(maker(), repeats=asked.repeats):
            results.append(result)
            print(f"{result['study']} {result['outcome']}: {result['rows']:,} rows, {result['events']:,} with it; "
                  f"{result['values_that_differ']} values and {result['labels_that_differ']} labels differ")  # fmt: skip
            for name in MODELS:
                expected = result["expected"].get(name)
                print(f"  {name:16} ours {result['ours'][name]:.3f}  pandas {result['pandas'][name]:.3f}"
                      + (f"  expected {expected:.3f}" if expected else ""), flush=True)  # fmt: skip
    told = {"repeats": asked.repeats, "folds": 5, "tolerance": TOLERANCE, "results": rounded(results),
            "python": platform.python_version(), "pandas": pd.__version__, "scikit-learn": sklearn.__version__}  # fmt: skip
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def rounded(content: Any) -> Any:
    """Return content with numbers of four decimals."""
    if isinstance(content, dict):
        return {name: rounded(value) for name, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    return round(content, 4) if isinstance(content, float) else content


if __name__ == "__main__":
    main()
