"""Risks of people held out: no person, no date and no site on both sides; cards as they are."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from casestrat.errors import UsageError
from casestrat.models import PersonGroupedSplit, PointScorecard, RiskClassifier, cross_validated_risks
from casestrat.models.evaluation.held_out import is_ready_card, learn, part, persons_of

DAYS = pd.to_datetime(["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"])


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product([[f"P{i:02}" for i in range(40)], DAYS], names=["person_id", "as_of"])
    X = pd.DataFrame(
        {"falls": rng.poisson(1, len(index)).astype(float), "age": rng.normal(80, 5, len(index))}, index=index
    )
    y = pd.Series((X["falls"] + rng.normal(size=len(X)) > 1.2).astype(float), index=index)
    return X, y


class Remembers(LogisticRegression):
    """Learns, and keeps the rows it has seen."""

    seen: list[pd.Index] = []  # noqa: RUF012

    def fit(self, X, y):
        Remembers.seen.append(X.index)
        return super().fit(X, y)


def test_several_dates_are_parted_by_time_with_the_horizon_as_gap(people):
    X, y = people
    Remembers.seen.clear()
    held_out = cross_validated_risks(Remembers(), X, y, gap_days=90)
    assert held_out.index.equals(X.index)
    tested = held_out["test"].dropna()
    assert list(dict.fromkeys(tested)) == ["2025-04-01", "2025-07-01", "2025-10-01"]
    assert held_out.loc[held_out["test"].isna()].index.unique("as_of").tolist() == [DAYS[0]]
    assert held_out["risk"].notna().equals(held_out["test"].notna())
    for seen, begins in zip(Remembers.seen, DAYS[1:], strict=True):
        assert (seen.get_level_values("as_of") <= begins - pd.Timedelta(days=90)).all()


def test_dates_without_a_horizon_are_refused_and_persons_are_the_other_way(people):
    X, y = people
    with pytest.raises(UsageError, match="how long a label takes"):
        cross_validated_risks(RiskClassifier(), X, y)
    Remembers.seen.clear()
    held_out = cross_validated_risks(Remembers(), X, y, split="person")
    for seen, (_, tested) in zip(Remembers.seen, held_out.groupby("test"), strict=True):
        assert not set(seen.get_level_values("person_id")) & set(tested.index.get_level_values("person_id"))
    assert held_out["risk"].notna().all()


def test_one_date_is_parted_by_person(people):
    X, y = people
    first = X.index.get_level_values("as_of") == DAYS[0]
    held_out = cross_validated_risks(RiskClassifier(), X[first], y[first], n_splits=2)
    assert sorted(held_out["test"].unique()) == ["fold 1", "fold 2"]


def test_two_dates_are_one_test(people):
    X, y = people
    two = X.index.get_level_values("as_of") <= DAYS[1]
    held_out = cross_validated_risks(RiskClassifier(), X[two], y[two], gap_days=90)
    assert held_out["test"].dropna().unique().tolist() == ["2025-04-01"]


def test_each_site_is_left_out_once_and_names_its_test(people):
    X, y = people
    sites = np.where(X.index.get_level_values("person_id") < "P20", "north", "south")
    Remembers.seen.clear()
    held_out = cross_validated_risks(Remembers(), X, y, split="site", sites=sites)
    assert held_out["test"].tolist() == sites.tolist()
    for seen, site in zip(Remembers.seen, ("north", "south"), strict=True):
        assert not set(seen.get_level_values("person_id")) & set(X.index[sites == site].get_level_values("person_id"))


def test_a_splitter_of_ones_own_and_a_progress_will_do(people):
    X, y = people
    said = []
    held_out = cross_validated_risks(
        RiskClassifier(), X, y, split=PersonGroupedSplit(2), progress=lambda *told: said.append(told)
    )
    assert said == [("fold 1", 1, 2), ("fold 2", 2, 2)]
    assert held_out["risk"].notna().all()


def test_rows_without_a_label_are_tested_and_not_learned_from(people):
    X, y = people
    unknown = y.copy()
    unknown.iloc[::3] = np.nan
    Remembers.seen.clear()
    held_out = cross_validated_risks(Remembers(), X, unknown, split="person")
    assert held_out["risk"].notna().all()
    assert not any(unknown.loc[seen].isna().any() for seen in Remembers.seen)


def test_a_card_made_of_a_table_is_applied_as_it_is_and_gives_points(people):
    X, y = people
    rows = pd.DataFrame({"item": ["falls"], "condition": [">= 2"], "points": [3]})
    card = PointScorecard.from_table(rows)
    held_out = cross_validated_risks(card, X, y, split="person")
    assert held_out["points"].tolist() == card.points(X).tolist()
    assert held_out["risk"].isna().all()
    with_risk = PointScorecard.from_table(rows, risk_table=pd.DataFrame({"points": [0, 3], "risk": [0.1, 0.4]}))
    assert set(cross_validated_risks(with_risk, X, y, split="person")["risk"]) == {0.1, 0.4}
    assert is_ready_card(card)
    assert not is_ready_card(RiskClassifier())


def test_a_fitted_model_can_be_applied_as_it_is(people):
    X, y = people
    model = RiskClassifier().fit(X, y)
    held_out = cross_validated_risks(model, X, y, split="person", refit=False)
    assert held_out["risk"].to_numpy() == pytest.approx(model.predict_proba(X)[:, 1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"split": "month"}, "no split is called 'month'"),
        ({"groups": ["P1"]}, "expected 160 groups"),
        ({"groups": [None] * 160, "split": "person"}, "160 rows have none"),
        ({"split": "temporal"}, "how long a label"),
    ],
)
def test_rows_that_cannot_be_parted_are_refused(people, changes, words):
    with pytest.raises(UsageError, match=words):
        cross_validated_risks(RiskClassifier(), *people, **changes)


def test_labels_that_are_none_are_refused(people):
    X, y = people
    for wrong, words in (
        (y + 1, "labels must be"),
        (y.iloc[:5].to_numpy(), "expected 160"),
        (y.iloc[::-1], "different"),
    ):
        with pytest.raises(UsageError, match=words):
            cross_validated_risks(RiskClassifier(), X, wrong, split="person")
    with pytest.raises(UsageError, match="labels must be"):
        cross_validated_risks(RiskClassifier(), X, ["yes"] * len(X), split="person")


def test_a_test_with_one_class_to_learn_from_is_named(people):
    X, y = people
    only_later = y.where(y.index.get_level_values("as_of") > DAYS[0], 0.0)
    with pytest.raises(UsageError, match="holds 1 classes") as refusal:
        cross_validated_risks(RiskClassifier(), X, only_later, gap_days=90)
    assert refusal.value.where == "2025-04-01"


def test_arrays_are_rows_each_of_its_own_and_have_no_dates():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.tile([0, 1], 20)
    assert cross_validated_risks(RiskClassifier(calibration="none"), X, y)["risk"].notna().all()
    assert persons_of(X).tolist() == list(range(40))
    with pytest.raises(UsageError, match="index level as_of"):
        part(X, y.astype(float), "temporal", groups=persons_of(X), gap_days=30)
    with pytest.raises(UsageError, match="cannot learn"):
        learn(object(), X, y, persons_of(X))
