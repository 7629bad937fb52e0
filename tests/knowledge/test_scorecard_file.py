from __future__ import annotations

import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge import Condition, card_of_instrument, load_instrument, load_scorecard, parse_condition

RISK_TABLE = """
outcome = "unplanned_stay"
horizon_days = 90
[[risk_table]]
points = 0
risk = 0.05
[[risk_table]]
points = 5
risk = 0.2
[[rows]]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">= 2", Condition(">=", 2.0)),
        ("> -0.5", Condition(">", -0.5)),
        ("<=3", Condition("<=", 3.0)),
        (" < 1e3 ", Condition("<", 1000.0)),
        ("= 1", Condition("=", 1.0)),
        ("= heroin", Condition("=", "heroin")),
        ("= GIR 1", Condition("=", "GIR 1")),
        ("is missing", Condition("is missing")),
    ],
)
def test_a_condition_is_read(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


@pytest.mark.parametrize("text", ["", "2", "== 2", ">= two", "> ", "=", "= ", ">= inf", "is known", "=> 2", "!= 2"])
def test_a_condition_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(KnowledgeError, match=r"not a condition"):
        parse_condition(text)


def test_no_card_has_the_name() -> None:
    with pytest.raises(UsageError, match=r"no scorecard is called 'geriatric'.*geriatric_default"):
        load_scorecard("geriatric")


@pytest.mark.parametrize("name", ["charlson", "aggir"])
def test_an_instrument_that_is_no_sum_of_points_is_no_card(name: str) -> None:
    with pytest.raises(UsageError, match=r"is not a sum of points"):
        load_scorecard(name)


def test_points_that_are_not_whole_make_no_card() -> None:
    with pytest.raises(UsageError, match=r"not whole"):
        card_of_instrument(load_instrument("katz", "half_points"))


def test_a_published_card_has_the_labels_of_its_items() -> None:
    card = load_scorecard("lace")
    assert card.kind == "published"
    assert card.items == ("length_of_stay_days", "acute_admission", "charlson_lace", "ed_visits_6m")
    assert card.item_labels["acute_admission"]["fr"] == "admission en urgence"
    assert sum(row.points for row in card.rows) == 19


def test_a_risk_table_is_read_with_its_outcome(edited) -> None:
    card = load_scorecard(edited("scorecards", "geriatric_default", "[[rows]]\n", RISK_TABLE))
    assert card.risk_table == ((0, 0.05), (5, 0.2))
    assert (card.outcome, card.horizon_days) == ("unplanned_stay", 90)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('condition = ">= 1"', 'condition = "at least 1"', "not a condition"),
        ('kind = "expert"', 'kind = "learned"', "no kind of that kind"),
        ("points = 2", "points = 200", "within ±100"),
        ("points = 2", "points = 2.5", "should be a whole number"),
        ('condition = ">= 2"', 'condition = ">= 1"', "is there twice"),
        ('domain = "use"', 'domain = "usage"', "domain of that kind"),
        ('item = "gir"', 'itm = "gir"', "'item' is missing"),
        ('item = "gir"\n', 'item = "gir"\nlabel = "x"\n', "unknown key 'label'"),
        ("[[rows]]\n", RISK_TABLE.replace('outcome = "unplanned_stay"\n', ""), "needs `outcome`"),
        ("[[rows]]\n", RISK_TABLE.replace("risk = 0.2", "risk = 0.01"), "never fall"),
        ("[[rows]]\n", RISK_TABLE.replace("risk = 0.2", "risk = 1.2"), "never fall"),
        ("[[rows]]\n", RISK_TABLE.replace("points = 5", "points = 0"), "never fall"),
    ],
)
def test_a_fault_is_refused(edited, before: str, after: str, words: str) -> None:
    with pytest.raises(KnowledgeError, match=words):
        load_scorecard(edited("scorecards", "geriatric_default", before, after))


def test_cards_are_told_apart_by_content() -> None:
    assert load_scorecard("lace").fingerprint == load_scorecard("lace").fingerprint
    assert load_scorecard("lace").fingerprint != load_scorecard("geriatric_default").fingerprint
