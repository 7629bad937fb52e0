"""The point scorecard: from a table to points, reasons, completeness and risk."""

import json

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge import load_scorecard
from casestrat.models import PointScorecard

ROWS = [
    ("falls", ">= 2", 3, "function", True, "falls"),
    ("gir", "< 5", 2, "function", False, "gir_low"),
    ("gir", "< 3", 2, "function", False, "gir_very_low"),
    ("setting", "= hospital", 2, "use", False, "in_hospital"),
    ("entourage", "= 1", 1, "social", True, "no_entourage"),
    ("entourage", "is missing", 1, "social", True, "entourage_not_asked"),
    ("plan", "= true", -1, "use", True, "has_plan"),
]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=["item", "condition", "points", "domain", "is_actionable", "reason"])


@pytest.fixture
def card(table) -> PointScorecard:
    risk = pd.DataFrame({"points": [5, 0, 8], "risk": [0.2, 0.05, 0.4]})
    return PointScorecard.from_table(table, risk)


@pytest.fixture
def people() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([["P1", "P2", "P3"], [pd.Timestamp("2026-10-01")]], names=["person_id", "as_of"])
    return pd.DataFrame(
        {
            "falls": [0.0, 2.0, np.nan],
            "gir": pd.array([6, 4, 1], dtype="Int64"),
            "setting": pd.array(["home", "hospital", None], dtype=pd.StringDtype(na_value=np.nan)),
            "entourage": pd.array([False, True, None], dtype="boolean"),
            "plan": [True, False, None],
            "not_on_the_card": [1, 2, 3],
        },
        index=index,
    )


def test_points_add_up_over_cumulative_thresholds_codes_flags_and_missing(card, people):
    points = card.points(people)
    assert points.tolist() == [-1, 3 + 2 + 2 + 1, 4 + 1]
    assert points.dtype == "Int64"
    assert points.index.equals(people.index)
    assert points.name == "points"


def test_an_unknown_item_lowers_completeness_and_is_named_unless_the_card_has_a_row_for_it(card, people):
    assert card.completeness(people).tolist() == pytest.approx([1, 1, 2 / 5])
    assert card.missing_items(people).tolist() == ["", "", "falls,setting,plan"]


def test_contributions_are_told_by_item_greatest_first_with_the_reason_of_the_narrowest_row(card, people):
    why = card.explain(people)
    assert list(why.columns) == [
        "person_id",
        "as_of",
        "reason",
        "item",
        "domain",
        "is_actionable",
        "value_is_missing",
        "contribution",
    ]
    third = why[why["person_id"] == "P3"]
    assert third[["reason", "item", "contribution", "value_is_missing"]].to_numpy().tolist() == [
        ["gir_very_low", "gir", 4, False],
        ["entourage_not_asked", "entourage", 1, True],
    ]
    assert why.groupby("person_id")["contribution"].sum().tolist() == card.points(people).tolist()
    assert (why["contribution"] != 0).all()
    assert why["as_of"].dtype == people.index.dtypes["as_of"]


def test_top_keeps_the_greatest_reasons_of_each_person(card, people):
    why = card.explain(people, top=1)
    assert why[["person_id", "item"]].to_numpy().tolist() == [["P1", "plan"], ["P2", "falls"], ["P3", "gir"]]
    with pytest.raises(UsageError, match="1 or more"):
        card.explain(people, top=0)


def test_a_person_with_no_points_has_no_reason_and_an_index_without_names_is_called_row(card):
    nobody = pd.DataFrame({name: [np.nan] for name in card.feature_names_in_}).assign(entourage=0.0)
    assert card.explain(nobody).empty
    assert card.explain(nobody).columns[0] == "row"


def test_risk_is_that_of_the_line_at_or_below_the_points(card, people):
    risk = card.predict_proba(people)
    assert risk.shape == (3, 2)
    assert risk[:, 1].tolist() == [0.05, 0.4, 0.2]  # −1 below the table, 8 its last line, 5 a line
    assert risk.sum(axis=1).tolist() == [1, 1, 1]
    assert card.risk_table_["points"].tolist() == [0, 5, 8]


def test_a_card_without_a_risk_table_gives_points_and_refuses_a_risk(table, people):
    card = PointScorecard.from_table(table)
    assert card.points(people).notna().all()
    assert card.risk_table_.empty
    with pytest.raises(UsageError, match="no risk table"):
        card.predict_proba(people)


def test_an_item_without_a_column_is_named(card, people):
    with pytest.raises(UsageError, match="gir"):
        card.points(people.drop(columns="gir"))


def test_bounds_of_the_points_hold_over_all_values(card, people):
    assert (card.min_points, card.max_points) == (-1, 3 + 4 + 2 + 1)
    assert card.points_share(people).tolist() == pytest.approx([0, 9 / 11, 6 / 11])


def test_a_card_that_cannot_vary_has_a_share_of_zero():
    card = PointScorecard.from_table(pd.DataFrame({"item": ["a"], "condition": ["= x"], "points": [0]}))
    assert card.points_share(pd.DataFrame({"a": ["x", "y"]})).tolist() == [0, 0]


def test_arrays_are_read_in_the_order_of_the_items():
    card = PointScorecard.from_table(
        pd.DataFrame({"item": ["a", "b"], "condition": [">= 1", ">= 1"], "points": [1, 5]})
    )
    assert card.points(np.array([[1, 0], [0, 1]])).tolist() == [1, 5]
    with pytest.raises(UsageError, match="array of 2 columns"):
        card.points(np.zeros((3, 3)))


def test_a_shipped_card_scores_as_its_table_says():
    shipped = load_scorecard("geriatric_default")
    card = PointScorecard.from_table("geriatric_default")
    assert card.fingerprint == PointScorecard.from_table(shipped).fingerprint
    assert len(card.table_) == len(shipped.rows)
    assert card.table_["points"].sum() == sum(row.points for row in shipped.rows)
    assert card.card_["id"] == shipped.id
    assert card.card_["label"]["en"] == shipped.label["en"]
    nobody_known = pd.DataFrame({item: [np.nan] for item in shipped.items})
    assert card.points(nobody_known).item() == 0
    declared = {row.item for row in shipped.rows if row.condition == "is missing"}
    assert card.completeness(nobody_known).item() == pytest.approx(len(declared) / len(shipped.items))


def test_a_published_instrument_gives_the_same_totals_as_its_points_say():
    card = PointScorecard.from_table("lace")
    stays = [0, 1, 2, 3, 4, 6, 7, 13, 14, 30]
    others = {item: 0 for item in card.feature_names_in_ if item != "length_of_stay_days"}
    people = pd.DataFrame({"length_of_stay_days": stays}).assign(**others)
    assert card.points(people).tolist() == [0, 1, 2, 3, 4, 4, 5, 5, 7, 7]


def test_json_keeps_the_whole_card(card, people):
    again = PointScorecard.from_json(card.to_json())
    assert again.to_json() == card.to_json()
    assert again.fingerprint == card.fingerprint
    assert again.explain(people).equals(card.explain(people))
    shipped = PointScorecard.from_table("geriatric_default")
    assert PointScorecard.from_json(shipped.to_json()).card_ == shipped.card_


@pytest.mark.parametrize("text", ["no json", "[]", '{"format": "casestrat-scorecard/99"}'])
def test_other_json_is_refused(text):
    with pytest.raises(UsageError, match="expected"):
        PointScorecard.from_json(text)


def test_the_fingerprint_tells_cards_apart_by_content(card, table):
    table.loc[0, "points"] = 4
    assert PointScorecard.from_table(table).fingerprint != PointScorecard.from_table(card.table_).fingerprint
    assert PointScorecard.from_table(card.table_, card.risk_table_).fingerprint == card.fingerprint


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"condition": "about 3"}, KnowledgeError, "condition"),
        ({"condition": ">= many"}, KnowledgeError, "condition"),
        ({"points": 1.5}, UsageError, "whole"),
        ({"points": True}, UsageError, "whole"),
    ],
)
def test_a_faulty_row_is_refused(change, error, words):
    row = {"item": "a", "condition": ">= 1", "points": 1, **change}
    with pytest.raises(error, match=words):
        PointScorecard.from_table(pd.DataFrame([row]))


def test_a_faulty_table_is_refused():
    with pytest.raises(UsageError, match="missing: points"):
        PointScorecard.from_table(pd.DataFrame({"item": ["a"], "condition": [">= 1"]}))
    with pytest.raises(UsageError, match="at least one row"):
        PointScorecard.from_table(pd.DataFrame({"item": [], "condition": [], "points": []}))
    both = pd.DataFrame({"item": ["a", "a"], "condition": [">= 1", "= high"], "points": [1, 1]})
    with pytest.raises(UsageError, match="number in one row"):
        PointScorecard.from_table(both)


@pytest.mark.parametrize("risk", [{"points": [1, 1], "risk": [0.1, 0.2]}, {"points": [1], "risk": [1.2]}])
def test_a_faulty_risk_table_is_refused(table, risk):
    with pytest.raises(UsageError, match="risk table"):
        PointScorecard.from_table(table, pd.DataFrame(risk))


def test_a_card_without_a_table_says_how_to_make_one(people):
    assert not PointScorecard().__sklearn_is_fitted__()
    with pytest.raises(UsageError, match="from_table"):
        PointScorecard().points(people)
    with pytest.raises(UsageError, match="from_table"):
        PointScorecard().to_json()


def test_text_where_numbers_are_compared_is_refused_and_the_reverse(card, people):
    with pytest.raises(UsageError, match="column falls"):
        card.points(people.assign(falls="many"))
    with pytest.raises(UsageError, match="column setting"):
        card.points(people.assign(setting=1.0))


def test_scoring_does_not_change_its_arguments(card, people):
    before = people.copy()
    card.explain(people)
    pd.testing.assert_frame_equal(people, before)
    assert json.loads(card.to_json())["rows"][0]["points"] == 3
