"""What would change: the fewest other answers, against trying them all."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from casestrat.errors import UsageError
from casestrat.knowledge import load_program
from casestrat.models import (
    BootstrapEnsemble,
    ChallengerClassifier,
    HorizonRisk,
    PointScorecard,
    RiskClassifier,
    missing_sensitivity,
    what_would_change,
)

ROWS = pd.DataFrame(
    [
        ("falls", ">= 1", 1, True),
        ("falls", ">= 3", 2, True),
        ("gir", "< 5", 2, False),
        ("alone", "= 1", 1, True),
        ("setting", "= hospital", 3, True),
        ("setting", "= residence", 1, True),
        ("pain", "> 4", 2, True),
        ("pain", "is missing", 1, True),
    ],
    columns=["item", "condition", "points", "is_actionable"],
)
TRIED = {
    "falls": [0, 1, 3],
    "gir": [4, 5],
    "alone": [0, 1],
    "setting": ["hospital", "residence", "home"],
    "pain": [4, 5],
}


@pytest.fixture(scope="module")
def card():
    return PointScorecard.from_table(ROWS)


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(0)
    n = 80
    frame = pd.DataFrame(
        {
            "falls": rng.integers(0, 5, n).astype(float),
            "gir": rng.integers(1, 7, n).astype(float),
            "alone": rng.integers(0, 2, n).astype(float),
            "setting": rng.choice(["home", "hospital", "residence"], n),
            "pain": rng.integers(0, 10, n).astype(float),
        },
        index=pd.MultiIndex.from_product(
            [[f"P{i:02}" for i in range(n)], [pd.Timestamp("2026-09-01")]], names=["person_id", "as_of"]
        ),
    )
    frame.loc[rng.random(n) < 0.2, "falls"] = np.nan
    frame.loc[rng.random(n) < 0.2, "pain"] = np.nan
    return frame


def fewest(card, person: pd.DataFrame, reaches, movable) -> int | None:
    """The fewest changes by trying them all."""
    known = [item for item in movable if not person[item].isna().any()]
    for count in range(1, 4):
        for items in combinations(known, count):
            for values in product(*(TRIED[item] for item in items)):
                if reaches(card.points(person.assign(**dict(zip(items, values, strict=True)))).iloc[0]):
                    return count
    return None


@pytest.mark.parametrize("direction", ["down", "up"])
def test_no_smaller_number_of_other_answers_gets_there(direction, card, people):
    told = what_would_change(card, people, 5, direction=direction)
    found = told.drop_duplicates("person_id").set_index("person_id")["n_changes"]
    points = card.points(people)
    for (person, day), now in points.items():
        stands = now >= 5 if direction == "down" else now < 5
        reaches = (lambda p: p < 5) if direction == "down" else (lambda p: p >= 5)
        by_hand = fewest(card, people.loc[[(person, day)]], reaches, ["falls", "alone", "setting", "pain"])
        assert found.get(person) == (by_hand if stands else None)
    assert len(found) > 10


def test_the_points_then_are_those_of_the_card_with_the_other_answers(card, people):
    told = what_would_change(card, people, 4)
    example = {
        "< 1": 0, ">= 1 and < 3": 1, "not 1": 0, "= residence": "residence", "not hospital, residence": "home",
        "<= 4": 4,
    }  # fmt: skip
    assert set(told["instead"]) <= set(example)
    for person, rows in told.groupby("person_id"):
        one = people.loc[[person]].assign(
            **{item: example[words] for item, words in zip(rows["item"], rows["instead"], strict=True)}
        )
        assert card.points(one).iloc[0] == rows["value_then"].iloc[0] < 4
        assert len(rows) == rows["n_changes"].iloc[0]
    assert not set(told["item"]) & {"gir"}
    own = card.explain(people).set_index(["person_id", "item"])["contribution"]
    for row in told.itertuples():
        assert own.get((row.person_id, row.item), 0) == row.contribution


def test_what_is_missing_is_not_changed(card, people):
    told = what_would_change(card, people.assign(falls=np.nan), 4)
    assert "falls" not in set(told["item"])


def test_tiers_of_a_program_and_of_a_mapping_are_read(card, people):
    by_tier = what_would_change(card, people, {"high": 6, "medium": 3})
    assert set(by_tier["tier"]) == {"high", "medium"}
    high = by_tier[by_tier["tier"] == "high"]
    assert (high["value"] >= 6).all()
    assert (high["value_then"] < 6).all()
    geriatric = load_program("geriatric")
    default = PointScorecard.from_table("geriatric_default")
    X = pd.DataFrame({item: [9.0, 1.0] for item in default.feature_names_in_})
    told = what_would_change(default, X, geriatric, only=list(default.feature_names_in_), max_changes=9)
    assert set(told["tier"]) <= {tier.id for tier in geriatric.tiers}
    assert set(told["measure"]) == {"points"}


def test_a_card_with_a_risk_table_may_be_asked_in_risk(people):
    card = PointScorecard.from_table(ROWS, risk_table=pd.DataFrame({"points": [0, 3, 6], "risk": [0.1, 0.2, 0.4]}))
    told = what_would_change(card, people, 0.2, measure="risk")
    assert (told["value"] >= 0.2).all()
    assert (told["value_then"] == 0.1).all()
    assert what_would_change(card, people, 0.9, measure="risk", direction="up").empty


@pytest.fixture(scope="module")
def outcome(people):
    rng = np.random.default_rng(1)
    score = people["falls"].fillna(1) + 2 * (people["setting"] == "hospital") - 2
    return pd.Series(rng.random(len(people)) < 1 / (1 + np.exp(-score)), index=people.index)


@pytest.mark.parametrize(
    "estimator",
    [RiskClassifier(), RiskClassifier(splines=["pain"]), ChallengerClassifier(max_trees=30, n_folds=3, min_rows=8)],
)
def test_a_learned_model_scores_as_told_with_the_other_answers(estimator, people, outcome):
    model = estimator.fit(people, outcome)
    cut = float(np.median(model.predict_proba(people)[:, 1]))
    told = what_would_change(model, people, cut, only=["falls", "setting"])
    assert len(told) > 5
    risk = pd.Series(model.predict_proba(people)[:, 1], index=people.index)
    own = model.explain(people).set_index(["person_id", "item"])["contribution"]
    for person, rows in told.groupby("person_id"):
        other = {row.item: row.instead.split(" ", 1)[1] for row in rows.itertuples()}
        if "falls" in other:
            other["falls"] = float(other["falls"])
        then = model.predict_proba(people.loc[[person]].assign(**other))[0, 1]
        assert then == pytest.approx(rows["value_then"].iloc[0], abs=1e-9)
        assert then < cut
        assert risk.loc[person].iloc[0] == pytest.approx(rows["value"].iloc[0], abs=1e-9)
        for row in rows.itertuples():
            assert own[(person, row.item)] == pytest.approx(row.contribution, abs=1e-9)
    up = what_would_change(model, people, cut, only=["falls", "setting"], direction="up")
    assert (up["value"] < cut).all()
    assert (up["value_then"] >= cut - 1e-9).all()


def test_steps_of_the_calibration_are_turned_back():
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"a": rng.normal(size=1500), "b": rng.normal(size=1500)})
    model = RiskClassifier(calibration="isotonic").fit(X, rng.random(1500) < 1 / (1 + np.exp(-X["a"])))
    told = what_would_change(model, X, 0.5, only=["a"])
    assert len(told) > 100
    assert (told["value_then"] < 0.5).all()
    assert (told["value"] >= 0.5).all()
    assert what_would_change(model, X, 1 - 1e-9, only=["a"], direction="up").empty


def test_an_ensemble_answers_by_its_model(people, outcome):
    ensemble = BootstrapEnsemble(n_draws=2).fit(people, outcome)
    pd.testing.assert_frame_equal(
        what_would_change(ensemble, people, 0.5, only=["falls"]),
        what_would_change(ensemble.model_, people, 0.5, only=["falls"]),
    )


def test_features_say_what_may_change(people, outcome):
    model = RiskClassifier().fit(people, outcome)
    features = [{"name": "falls", "is_actionable": True}, {"name": "setting", "is_actionable": False}]
    told = what_would_change(model, people, 0.5, features)
    assert set(told["item"]) == {"falls"}


def test_what_cannot_be_asked_is_refused(card, people, outcome):
    model = RiskClassifier().fit(people, outcome)
    pairs = ChallengerClassifier(interactions=True, max_trees=30, n_folds=2, min_rows=5, max_bins=4).fit(
        people, outcome
    )
    refused = [
        (card, 5, {"direction": "left"}, "direction"),
        (card, 5, {"max_changes": 0}, "max_changes"),
        (card, 5, {"only": ["nothing"]}, "does not use: nothing"),
        (card, 5, {"measure": "risk"}, "gives no risk"),
        (card, np.nan, {}, "cuts are"),
        (model, 0.5, {}, "no item may change"),
        (model, 1.5, {"only": ["falls"]}, "cuts are"),
        (model, 5, {"measure": "points"}, "gives no points"),
        (pairs, 0.5, {"only": ["falls"]}, "do not add up"),
        (HorizonRisk((30,)).fit(people[["gir"]], np.arange(80) + 1), 0.5, {"only": ["gir"]}, "do not add up"),
    ]
    for asked, cut, how, words in refused:
        with pytest.raises(UsageError, match=words):
            what_would_change(asked, people, cut, **how)


def test_the_range_over_what_is_missing_is_that_of_trying_every_answer(card, people):
    told = missing_sensitivity(card, people)
    for place in range(len(people)):
        person = people.iloc[[place]]
        unknown = [item for item in person.columns if person[item].isna().any()]
        tried = [sorted(people[item].dropna().unique()) for item in unknown]
        points = [
            card.points(person.assign(**dict(zip(unknown, values, strict=True)))).iloc[0] for values in product(*tried)
        ]
        row = told.iloc[place]
        assert (row["lowest"], row["highest"]) == (min(points), max(points))
        assert row["n_missing"] == len(unknown)
        assert pd.isna(row["assess_first"]) == (not unknown)
    assert set(told["measure"]) == {"points"}
    assert told.loc[told["n_missing"] == 2, "assess_first"].eq("falls").all()  # three points against two


@pytest.mark.parametrize("kind", ["logistic", "challenger", "pairs", "card", "hazard", "other"])
def test_the_risk_of_everybody_lies_within_the_range_and_of_a_whole_file_is_the_range(kind, people, outcome):
    models = {
        "logistic": lambda: RiskClassifier().fit(people, outcome),
        "challenger": lambda: ChallengerClassifier(max_trees=20, n_folds=2, min_rows=8).fit(people, outcome),
        "pairs": lambda: ChallengerClassifier(interactions=True, max_trees=9, n_folds=2, min_rows=8).fit(
            people, outcome
        ),
        "card": lambda: PointScorecard.from_table(
            ROWS, risk_table=pd.DataFrame({"points": [0, 3, 6], "risk": [0.1, 0.2, 0.4]})
        ),
        "hazard": lambda: HorizonRisk((30,)).fit(people, np.arange(80) + 1, event=outcome.astype(int)),
        "other": lambda: HorizonRisk((30,), estimator=LogisticRegression()).fit(
            people, np.arange(80) + 1, event=outcome.astype(int)
        ),
    }
    model = models[kind]()
    told = missing_sensitivity(model, people)
    assert set(told["measure"]) == {"risk"}
    assert (told["lowest"] <= told["highest"]).all()
    whole = told["n_missing"] == 0
    np.testing.assert_allclose(told.loc[whole, "lowest"], told.loc[whole, "value"])
    np.testing.assert_allclose(told.loc[whole, "highest"], told.loc[whole, "value"])
    assert (told["highest"] - told["lowest"])[~whole].max() > 0
    assert told.index.equals(people.index)


def test_texts_and_flags_that_are_missing_take_those_of_others(outcome, people):
    X = people.assign(alone=people["alone"].astype("boolean"))
    X.iloc[:9, X.columns.get_loc("setting")] = None
    X.iloc[:5, X.columns.get_loc("alone")] = pd.NA
    model = RiskClassifier().fit(X, outcome)
    told = missing_sensitivity(model, X)
    assert told["assess_first"].iloc[:9].isin(["setting", "falls", "alone"]).all()
    assert told["assess_first"].iloc[5:9].isin(["setting", "falls"]).all()
    by_hand = [
        model.predict_proba(X.iloc[[8]].assign(setting=place))[0, 1] for place in ("home", "hospital", "residence")
    ]
    if told["n_missing"].iloc[8] == 1:
        assert told["highest"].iloc[8] == pytest.approx(max(by_hand))
    nobody = X.assign(setting=None)
    assert (missing_sensitivity(model, nobody, reference=X)["highest"] >= told["value"] - 1).all()
    assert not missing_sensitivity(model, nobody)["assess_first"].eq("setting").any()


def test_a_feature_that_is_not_there_or_a_share_that_is_none_is_refused(card, people):
    with pytest.raises(UsageError, match="lacks features of the model: falls"):
        missing_sensitivity(card, people.drop(columns="falls"))
    with pytest.raises(UsageError, match="shares"):
        missing_sensitivity(card, people, shares=[2])
    with pytest.raises(UsageError, match="text in X"):
        missing_sensitivity(card, people.assign(falls=[None, *["many"] * 79]), reference=people)


def test_an_array_is_taken_with_generated_names(people, outcome):
    numbers = people[["falls", "gir"]].to_numpy()
    model = RiskClassifier().fit(numbers, outcome.to_numpy())
    told = missing_sensitivity(model, numbers)
    assert set(told["assess_first"].dropna()) == {"x0"}
    assert len(what_would_change(model, numbers, 0.5, only=["x0"])) > 0


def test_an_item_that_only_counts_as_missing_has_no_other_answer(people):
    rows = pd.DataFrame({
        "item": ["pain", "falls", "falls"], "condition": ["is missing", ">= 1", "= 1"], "points": [3, 1, 2],
        "is_actionable": True,
    })  # fmt: skip
    told = what_would_change(PointScorecard.from_table(rows), people, 1)
    assert set(told["item"]) == {"falls"}
    assert set(told["instead"]) == {"< 1"}
    up = what_would_change(PointScorecard.from_table(rows), people.assign(pain=1.0), 3, direction="up")
    assert set(up["instead"]) == {"= 1"}
