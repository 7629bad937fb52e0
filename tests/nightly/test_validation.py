"""A model or the program's card on past dates of the made-up agency: figures, card, page."""

from __future__ import annotations

import pandas as pd
import pytest

import casestrat as cs
from casestrat.errors import UsageError
from casestrat.models import RiskClassifier, save_model
from casestrat.nightly import print_scorecard, validate
from casestrat.nightly.validation import _followed, _has_gap, _waited

DATES = ["2025-08-01", "2025-12-01", "2026-04-01"]


@pytest.fixture(scope="module")
def tables():
    return cs.load_example("geriatric")


@pytest.fixture(scope="module")
def program():
    return cs.load_program("geriatric")


@pytest.fixture(scope="module")
def card_told(tables, program):
    said = []
    told = validate(tables, program, DATES, capacity=100, beside=True, n_boot=5, told={"18a": "none"}, lang="it",
                    progress=lambda *one: said.append(one))  # fmt: skip
    return told, said


def test_the_program_card_is_judged_by_its_order_with_groups_and_warnings(card_told, program):
    told, said = card_told
    assert told.evaluation.is_probability is False
    assert set(told.evaluation.by_group["grouping"]) == set(program.audit_groups)
    keys = [one.key for one in told.evaluation.statements]
    assert {"warnings.proxy_use", "warnings.treated_labels"} <= set(keys)
    assert told.evaluation.small_cell == program.privacy.small_cell
    assert said[0] == ("scores", 0, 1)
    assert said[-1] == ("page", 1, 1)


def test_people_who_waited_are_judged_apart_and_the_dates_are_compared(card_told, tables, program):
    told, _ = card_told
    waiting = cs.make_spine(tables, program, as_of=DATES, population="waiting")
    assert 0 < told.ranking.n_used <= len(waiting)
    assert told.ranking.by_group["median_wait"].dropna().gt(0).all()
    assert told.drift.calibration.empty  # points have none
    assert told.drift.n_before + told.drift.n_after == told.evaluation.n_rows


def test_models_are_held_beside_each_other_on_later_dates(card_told):
    told, _ = card_told
    assert told.comparison.models == ("geriatric_default", "RiskClassifier")
    assert set(told.comparison.by_fold["fold"]) == {"all", "2025-12-01", "2026-04-01"}


def test_the_page_opens_in_the_language_and_the_card_says_what_it_knows(card_told):
    told, _ = card_told
    assert '<html lang="it">' in told.page
    assert told.card.lang == "it"
    assert told.card.item("18a").content[0] == "none"
    assert "agosto 2025" in " ".join(told.card.item("5b").content)


def test_a_stored_model_is_said_to_be_flattered_by_its_own_dates(tables, program, tmp_path):
    builder = cs.FeatureBuilder(program)
    spine = cs.make_spine(tables, program, as_of=DATES[:1], population="all")
    y = cs.build_labels(tables, spine, program.outcomes["unplanned_stay"])["label"].dropna().astype(int)
    model = RiskClassifier().fit(builder.build(tables, spine).loc[y.index], y)
    path = save_model(model, tmp_path / "model.skops", builder=builder, program=program)
    told = validate(tables, program, DATES[1:2], model=path, n_boot=3)
    assert told.evaluation.is_probability
    assert "warnings.stored_model" in [one.key for one in told.evaluation.statements]
    assert told.drift is None
    assert told.comparison is None
    assert model.fingerprint in told.page


def test_dates_without_outcomes_are_refused(tables, program):
    with pytest.raises(UsageError, match="no outcome"):
        validate(tables, program, ["2030-01-01"])


def test_followed_is_an_episode_between_the_date_and_the_horizon(tables, program):
    spine = cs.make_spine(tables, program, as_of=DATES, population="followed").head(200)
    index = pd.MultiIndex.from_frame(spine[["person_id", "as_of"]])
    assert _followed(tables, index, 90).all()
    nobody = pd.MultiIndex.from_arrays([["nobody"], [pd.Timestamp(DATES[0])]], names=["person_id", "as_of"])
    assert not _followed(tables, nobody, 90).any()
    assert _waited(tables, nobody).isna().all()


def test_dates_nearer_than_the_horizon_part_people_instead():
    days = pd.to_datetime(["2025-01-01", "2025-02-01"])
    near = pd.DataFrame(
        {"x": [1, 2]}, index=pd.MultiIndex.from_arrays([["A", "B"], days], names=["person_id", "as_of"])
    )
    assert not _has_gap(near, 90)
    assert _has_gap(near, 31)
    assert not _has_gap(near.head(1), 1)


def test_the_printed_card_is_the_program_own_or_a_stored_one(program, tmp_path):
    assert "geriatric default card" in print_scorecard(program).casefold()
    card = cs.PointScorecard.from_table(pd.DataFrame({"item": ["gir"], "condition": ["< 3"], "points": [4]}))
    page = print_scorecard(program, model=save_model(card, tmp_path / "card.json"), lang="fr")
    assert "+4" in page
    assert '<html lang="fr">' in page
