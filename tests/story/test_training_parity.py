"""What is learned is what is scored: one path of features, to the last bit, and no glimpse of what came after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casestrat.features import FeatureBuilder
from casestrat.knowledge import load_program
from casestrat.models import load_model, save_model
from casestrat.nightly import fit_model, run_nightly
from casestrat.nightly.training import Fitted
from casestrat.tables import CONTRACTS, Tables
from casestrat.timeline import build_labels, make_spine

pytestmark = pytest.mark.story
LEARNED_ON = ["2025-06-01", "2026-01-01"]
SCORED_ON = pd.Timestamp("2026-05-01")  # the example goes on for five months more, so there is a future to look into


@pytest.fixture(scope="module")
def fitted(example: Tables) -> Fitted:
    return fit_model(example, load_program("geriatric"), LEARNED_ON, audit=False)


@pytest.fixture(scope="module")
def stored(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "stay.skops"
    return save_model(fitted.model, path, builder=fitted.builder, program=load_program("geriatric"))


@pytest.fixture(scope="module")
def by_night(example: Tables, stored: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return risks_of(example, stored, tmp_path_factory.mktemp("whole"))


def risks_of(tables: Tables, model: Path, out: Path) -> pd.DataFrame:
    """The risks of a nightly run, by person and date."""
    run = run_nightly(tables, "geriatric", as_of=str(SCORED_ON.date()), out=out, model=model)
    return pd.read_parquet(run.folder / "risk.parquet").set_index(["person_id", "as_of"]).sort_index()


def bits(values: pd.Series) -> list[int]:
    return values.to_numpy(dtype="float64").view("int64").tolist()


def test_the_night_scores_as_the_model_was_learned_to_the_last_bit(
    example: Tables, fitted: Fitted, by_night: pd.DataFrame
) -> None:
    spine = by_night.index.to_frame(index=False)
    X = fitted.builder.build(example, spine)
    trained = pd.Series(fitted.model.predict_proba(X)[:, 1], index=X.index)
    assert len(by_night) > 150
    assert by_night["risk"].nunique() > 100
    assert bits(by_night["risk"]) == bits(trained)


def test_the_builder_made_anew_from_the_stored_definitions_gives_the_same_features_and_risks(
    example: Tables, fitted: Fitted, stored: Path, by_night: pd.DataFrame
) -> None:
    model = load_model(stored)
    rebuilt = FeatureBuilder.from_definitions(model.stored_["definitions"], load_program("geriatric"))
    assert rebuilt.fingerprint == fitted.builder.fingerprint
    spine = by_night.index.to_frame(index=False)
    X = rebuilt.build(example, spine)
    pd.testing.assert_frame_equal(X, fitted.builder.build(example, spine), check_exact=True)
    assert bits(pd.Series(model.predict_proba(X)[:, 1])) == bits(by_night["risk"])


def test_a_spine_of_many_dates_gives_each_row_what_its_own_date_alone_gives(example: Tables, fitted: Fitted) -> None:
    """Learning asks on many dates at once, the night on one: the engine must not tell the difference."""
    program = load_program("geriatric")
    many = make_spine(example, program, [*LEARNED_ON, SCORED_ON], "all")
    one = many[many["as_of"] == SCORED_ON].reset_index(drop=True)
    together, alone = fitted.builder.build(example, many), fitted.builder.build(example, one)
    pd.testing.assert_frame_equal(together.loc[alone.index], alone, check_exact=True)


def test_scoring_needs_no_outcome_and_sees_none(
    example: Tables, stored: Path, by_night: pd.DataFrame, tmp_path: Path
) -> None:
    """All that was recorded or true on the date or later is taken away, outcomes first: no risk changes."""
    labels = build_labels(example, by_night.index.to_frame(index=False), "unplanned_stay")
    assert (labels["label"] == 1).sum() > 10  # there was something to see
    past = {}
    for name, contract in CONTRACTS.items():
        frame = getattr(example, name)
        if contract.is_about_people:
            kept = frame["recorded_at"] < SCORED_ON
            if contract.observed:
                kept &= frame[contract.observed].isna() | (frame[contract.observed] < SCORED_ON)
            past[name] = frame[kept].reset_index(drop=True)
    past["persons"] = example.persons.assign(
        died_on=example.persons["died_on"].where(example.persons["died_on"] < SCORED_ON)
    )
    blind = replace(example, **past)
    assert len(blind.events) < len(example.events)
    risks = risks_of(blind, stored, tmp_path)
    assert risks.index.equals(by_night.index)
    assert bits(risks["risk"]) == bits(by_night["risk"])
    pd.testing.assert_series_equal(risks["tier"], by_night["tier"])


def test_a_model_scores_a_frame_that_holds_its_features_and_nothing_else(example: Tables, fitted: Fitted) -> None:
    outcome = load_program("geriatric").outcomes["unplanned_stay"]
    spine = make_spine(example, load_program("geriatric"), SCORED_ON, "waiting")
    X = fitted.builder.build(example, spine)
    assert list(X.columns) == list(fitted.model.feature_names_in_)
    assert outcome.name not in X.columns
    assert np.isfinite(fitted.model.predict_proba(X)).all()
