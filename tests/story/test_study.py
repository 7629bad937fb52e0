"""A small version of the study of models: its cohorts, folds and contenders, and the results that are committed."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from casestrat.models import PointScorecard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.story
LINKAGE = "linked to primary care within a year"
CARDS = ["card, 10 rows", "card, 5 rows", "card, rows by its folds"]


@pytest.fixture(scope="module")
def studies(root: Path) -> Iterator[Path]:
    """The folder of the studies, from which their scripts may be imported."""
    folders = [str(root / "studies"), str(root / "benchmarks")]
    sys.path[:0] = folders
    yield root / "studies"
    for folder in folders:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def committed(studies: Path) -> list[dict[str, Any]]:
    """The committed results, one model and cohort each."""
    results: list[dict[str, Any]] = json.loads((studies / "results" / "models.json").read_text(encoding="utf-8"))[
        "results"
    ]
    return results


@pytest.fixture(scope="module")
def linkage(studies: Path) -> Any:
    """The smallest cohort that needs no package beside the project's own."""
    return import_module("cohorts").help_linkage()


def run(cohort: Any, name: str, repeats: int, n_folds: int | None = None) -> list[dict[str, Any]]:
    """Learn and tell one contender as the study does, on its first folds."""
    study = import_module("models")
    folds = study.folds_of(cohort, repeats)[:n_folds]
    return study.summarize(cohort, name, folds, study.run_here(name, cohort, folds))


def told(results: list[dict[str, Any]], model: str) -> dict[str, Any]:
    (found,) = [one for one in results if one["question"] == LINKAGE and one["model"] == model]
    return found


def test_the_committed_results_come_out_again(linkage, committed):
    (again,) = run(linkage, "logistic", repeats=2)
    before = told(committed, "logistic")
    assert before["repeats"] == 5
    assert again["auc"] == pytest.approx(before["auc"], abs=0.01)
    assert again["brier"] == pytest.approx(before["brier"], abs=0.003)
    assert again["concordance"] == pytest.approx(before["concordance"], abs=0.01)


@pytest.mark.parametrize("name", ["card", "horizon"])
def test_a_fold_gives_every_measure_that_the_page_tells(linkage, committed, name):
    results = run(linkage, name, repeats=1, n_folds=1)
    assert [one["model"] for one in results] == (CARDS if name == "card" else [name])
    for one in results:
        before = told(committed, one["model"])
        assert one.keys() == before.keys()
        assert one["auc"] == pytest.approx(before["auc"], abs=0.12)  # one test of ninety people
        assert 0 < one["brier"] < 0.25


def test_nobody_is_in_the_learning_and_the_test_of_a_fold(linkage):
    study = import_module("models")
    folds = study.folds_of(linkage, 1)
    for _seed, learn, test in folds:
        assert not set(linkage.persons[learn]) & set(linkage.persons[test])
    assert sorted(np.concatenate([test for _seed, _learn, test in folds])) == list(range(len(linkage.event)))


def test_no_outcome_of_the_trial_is_among_the_features(linkage):
    real_data = import_module("real_data")
    assert not set(linkage.X.columns) & set(real_data.HELP_OUTCOMES)


def test_what_is_run_anew_replaces_its_own_rows_alone(linkage, tmp_path):
    study = import_module("models")
    other = linkage._replace(name="Other", question="another question")
    out = tmp_path / "models.json"

    def row(cohort: Any, model: str, auc: float) -> dict[str, Any]:
        return {"cohort": cohort.name, "question": cohort.question, "model": model, "auc": auc}

    first = [row(linkage, "card, 10 rows", 0.6), row(linkage, "card, 5 rows", 0.6), row(linkage, "logistic", 0.7)]
    study.write(out, [linkage, other], [*first, row(other, "card, 10 rows", 0.5)], 5)
    study.write(out, [linkage], [row(linkage, "card, 10 rows", 0.65)], 2, ["card"])
    told = json.loads(out.read_text(encoding="utf-8"))
    assert told["repeats"] == 5
    assert [one["cohort"] for one in told["cohorts"]] == ["HELP", "Other"]
    assert [(one["cohort"], one["model"], one["auc"]) for one in told["results"]] == [
        ("HELP", "card, 10 rows", 0.65), ("HELP", "logistic", 0.7), ("Other", "card, 10 rows", 0.5)
    ]  # fmt: skip
    study.write(out, [linkage], [row(linkage, "horizon", 0.72)], 5)
    left = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert [(one["cohort"], one["model"]) for one in left] == [("HELP", "horizon"), ("Other", "card, 10 rows")]


def test_every_contender_is_told_with_its_figures_or_its_reason(studies, committed):
    names = {one["model"].split(", ")[0] for one in committed}
    assert names >= set(import_module("contenders").CONTENDERS) | {"peer: FasterRisk"}
    for one in committed:
        assert one.get("absent") or (0.4 < one["auc"] < 1 and one["seconds"] > 0)


def test_the_page_tells_the_committed_results(studies, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["tell.py", "--check"])
    assert import_module("tell").main() == 0


def test_the_share_of_the_regression_is_what_other_people_spoke_for(studies):
    asked = json.loads((studies / "results" / "shares.json").read_text(encoding="utf-8"))
    script, default = import_module("shares"), str(PointScorecard().reference_share)
    means = {str(share): np.mean([one[str(share)] for one in asked]) for share in script.SHARES}
    assert len(asked) == 6
    assert means[default] > max(means.values()) - 0.004
    assert min(one[default] - max(one["0.0"], one["0.5"]) for one in asked) > -0.0025, "nowhere worse than labels"


def test_of_those_lost_sight_of_before_the_horizon_nobody_is_asked(studies):
    X = pd.DataFrame({"age": [50, 60, 70, 80]})
    known, outcome = import_module("shares").by_then(X, [400, 100, 100, 900], [True, True, False, True], 365)
    assert known["age"].tolist() == [50, 60, 80]
    assert outcome.tolist() == [False, True, False]
