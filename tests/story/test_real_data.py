"""The main job on real people's data, against what was published and measured before."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from casestrat.features import Count, DaysSince, FeatureBuilder, Last, audit_leakage
from casestrat.knowledge import load_program
from casestrat.nightly import fit_model, run_nightly
from casestrat.nightly.training import labelled
from casestrat.tables import Tables, read_tables
from casestrat.timeline import score_assessments, status_on

pytestmark = pytest.mark.story
OUTCOMES = {"linkage", "relapse"}  # what the HELP trial measured afterwards


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def help_folder(root: Path) -> Path:
    return root / "data" / "real" / "help"


@pytest.fixture(scope="module")
def nafld_folder(root: Path) -> Path:
    return root / "data" / "real" / "nafld"


@pytest.fixture(scope="module")
def help_tables(help_folder: Path) -> Tables:
    return read_tables(help_folder, load_program("substance_use"))


@pytest.fixture(scope="module")
def nafld(nafld_folder: Path) -> Tables:
    return read_tables(nafld_folder, load_program("medical"))


@pytest.mark.parametrize("name", ["help", "nafld"])
def test_the_mapped_tables_are_what_the_script_makes(root: Path, name: str) -> None:
    folder = root / "data" / "real" / name
    for table, frame in module_at(folder / f"map_{name}.py").frames().items():
        kept = pd.read_parquet(folder / f"{table}.parquet")
        pd.testing.assert_frame_equal(frame.reset_index(drop=True), kept, check_dtype=False)


def test_the_depression_score_equals_the_published_one_on_every_complete_record(
    help_tables: Tables, help_folder: Path
) -> None:
    scores = score_assessments(help_tables, load_program("substance_use"))
    wave = scores["assessment_id"].str[-2:].astype(int)
    ours = pd.DataFrame({"ID": scores["person_id"].str[-4:].astype(int), "TIME": wave, "total": scores["total"],
                         "n_missing": scores["n_missing"]})  # fmt: skip
    published = pd.read_csv(help_folder / "published" / "help_core.csv.gz", usecols=["ID", "TIME", "CES_D"])
    both = ours.merge(published, on=["ID", "TIME"])
    complete = both[(both["n_missing"] == 0) & both["CES_D"].notna()]
    assert len(complete) == 1439
    assert (complete["total"] == complete["CES_D"]).all()


def test_no_outcome_of_the_trial_is_a_feature() -> None:
    for spec in load_program("substance_use").features:
        kinds = spec.options.get("where", {}).get("kind", ())
        assert not OUTCOMES & ({kinds} if isinstance(kinds, str) else set(kinds)), spec.name


def test_the_control_arm_waits_and_the_clinic_arm_is_followed(help_tables: Tables, help_folder: Path) -> None:
    as_of = (help_folder / "AS_OF").read_text().strip()
    status = status_on(help_tables, load_program("substance_use"), as_of)["status"].value_counts()
    core = pd.read_csv(help_folder / "published" / "help_core.csv.gz")
    arms = core.loc[core["TIME"] == 0, "GROUP"].value_counts()
    assert (status["waiting"], status["active"]) == (arms[0], arms[1])


def test_the_main_job_runs_on_help_from_files_to_pages(help_folder: Path, tmp_path: Path) -> None:
    as_of = (help_folder / "AS_OF").read_text().strip()
    run = run_nightly(help_folder, "substance_use", as_of=as_of, out=tmp_path)
    counts = run.manifest["counts"]
    assert counts["people_read"] == 470
    assert counts["ranked"] + counts["assess_first"] == 235
    assert counts["proposed"] == counts["places"] == 20
    assert (run.folder / "committee.html").is_file()


def test_the_dirt_of_nafld_is_set_aside_or_reported_and_counted(nafld: Tables) -> None:
    aside = nafld.set_aside.groupby(["table", "rule"]).size().to_dict()
    assert aside == {("measurements", "duplicate_rows"): 3817}
    warned = nafld.warnings.set_index("rule")["n"]
    assert warned["after_follow_up"] == 13
    assert len(nafld.persons) == 17549
    assert len(nafld.measurements) + 3817 == 400123 + 12588  # and the body mass index of the index day


def test_nobody_is_taken_off_the_list_by_a_death_that_came_later(nafld: Tables) -> None:
    status = status_on(nafld, load_program("medical"), "2010-01-05")
    assert (status["status"] == "waiting").sum() == 17549


def test_five_year_death_is_foretold_as_well_as_day_0_knowledge_allows_and_no_better(nafld: Tables) -> None:
    program = load_program("medical")
    fitted = fit_model(nafld, program, ["2010-01-05"])
    assert fitted.evaluation.value("auc") == pytest.approx(0.877, abs=0.02)
    audit = fitted.audit
    assert audit is not None
    assert audit.is_clean, str(audit)
    assert audit.auc == pytest.approx(0.877, abs=0.02)
    proved = audit.table.loc[audit.table["verdict"] == "proved"].groupby("check")["feature"].nunique()
    for check in ("future_rows", "that_morning", "moved_dates", "as_at_night"):
        assert proved[check] == len(fitted.builder.feature_names)
    assert audit.not_run.empty


def all_there_is(tables: Tables, spine: pd.DataFrame) -> pd.DataFrame:
    """Count, last, mean and days since last of each kind of row, whenever it was recorded; and age, as it should be."""
    parts = []
    for name, values in {"measurements": ("last", "mean"), "events": ()}.items():
        rows = getattr(tables, name)
        rows = rows.loc[rows["kind"] != "death"].sort_values("observed_at", kind="stable")
        asked = {"n": ("observed_at", "count"), "since": ("observed_at", "max")}
        asked |= {how: ("value", how) for how in values}
        for word, (column, how) in asked.items():
            wide = rows.pivot_table(index="person_id", columns="kind", values=column, aggfunc=how)
            parts.append(wide.add_prefix(f"{word}_"))
    out = pd.concat(parts, axis=1).reindex(spine["person_id"]).set_axis(spine.index)
    for column in out.columns[out.columns.str.startswith("since_")]:
        out[column] = (spine["as_of"] - out[column]).dt.days
    born = tables.persons.drop_duplicates("person_id").set_index("person_id")["birth_year"].astype("float64")
    return out.assign(age=spine["as_of"].dt.year - spine["person_id"].map(born))


def test_an_analysts_aggregates_over_all_rows_score_too_well_and_each_is_named(nafld: Tables) -> None:
    audit = audit_leakage(
        nafld, load_program("medical"), as_of="2010-01-05", builder=all_there_is, people=300, n_permutations=1
    )
    assert audit.auc == pytest.approx(0.96, abs=0.01)
    by_check = audit.findings.groupby("check")["feature"].apply(set)
    features = set(audit.table["feature"].dropna())
    assert by_check["future_rows"] == features - {"age"}
    assert {"n_chol", "since_chol", "last_hdl", "mean_sbp", "n_afib", "since_stroke"} <= by_check["that_morning"]
    assert by_check["single_feature"] == {"since_chol", "since_hdl"}
    assert "all_together" in by_check.index
    where = audit.findings.drop_duplicates("feature").set_index("feature")["table"]
    assert (where["since_chol"], where["n_stroke"]) == ("measurements", "events")


def test_a_builder_that_looks_ahead_is_given_away_by_its_score(nafld: Tables) -> None:
    """The same features asked for after the outcome: what a leak would look like, and why .87 is right."""
    program = load_program("medical")
    X, labels = labelled(nafld, program, ["2010-01-05"], FeatureBuilder(program))
    X, y = X[labels["label"].notna()], labels["label"].dropna().astype(int)
    late = FeatureBuilder([
        Count("measurements", name="labs"), DaysSince("measurements", name="since"),
        Last("measurements", "value", where={"kind": "hdl"}, name="hdl"),
    ])  # fmt: skip
    spine = X.index.to_frame(index=False).assign(as_of=pd.Timestamp("2015-01-06"))
    leaky = late.build(nafld, spine)
    from casestrat.models import PersonGroupedSplit, RiskClassifier, evaluate

    both = pd.concat([X.reset_index(drop=True), leaky.reset_index(drop=True)], axis=1)
    both.index = X.index
    train, test = next(PersonGroupedSplit(n_splits=2, random_state=0).split(both, y))
    risk = RiskClassifier(calibration="none").fit(both.iloc[train], y.iloc[train]).predict_proba(both.iloc[test])[:, 1]
    assert evaluate(y.iloc[test], risk, n_boot=0).value("auc") > 0.91
    assert np.isfinite(risk).all()


def test_the_main_job_runs_on_nafld_from_files_to_pages(nafld: Tables, tmp_path: Path) -> None:
    run = run_nightly(nafld, "medical", as_of="2010-01-05", out=tmp_path)
    counts = run.manifest["counts"]
    assert counts["people_read"] == counts["scored"] == 17549
    assert counts["ranked"] + counts["assess_first"] == 17549
    assert counts["proposed"] == 40


@pytest.fixture(scope="module")
def benchmark(root: Path) -> ModuleType:
    return module_at(root / "benchmarks" / "real_data.py")


@pytest.mark.parametrize(("study", "rows"), [("nafld", [10679]), ("help_study", [995, 977]), ("paquid", [1105])])
def test_our_features_and_labels_are_those_of_plain_pandas_and_foretell_as_well(
    benchmark: ModuleType, study: str, rows: list[int]
) -> None:
    """The same people, folds and models; `benchmarks/real_data.py` repeats it five times, with boosting too."""
    if study == "paquid" and not benchmark.PAQUID.is_file():
        pytest.skip("PAQUID is not beside this checkout, and may not be passed on with it")
    made = benchmark.paquid(benchmark.PAQUID) if study == "paquid" else getattr(benchmark, study)()
    results = benchmark.measure(made, ("logistic",), repeats=1)
    assert [result["rows"] for result in results] == rows
    for result in results:
        assert (result["values_that_differ"], result["labels_that_differ"]) == (0, 0)
        assert result["ours"]["logistic"] == pytest.approx(result["pandas"]["logistic"], abs=1e-9)
        assert result["ours"]["logistic"] == pytest.approx(result["expected"]["logistic"], abs=0.02)


def test_no_outcome_of_the_trial_is_a_feature_of_the_benchmark(benchmark: ModuleType) -> None:
    features = set(benchmark.help_study().builder.feature_names)
    outcomes = {"LINKSTATUS", "DAYSLINK", "ANYSUBSTATUS", "DAYSANYSUB", "DRINKSTATUS", "DAYSDRINK", "PC_REC", "SATREAT"}
    assert "MCS" in features
    assert not features & outcomes
