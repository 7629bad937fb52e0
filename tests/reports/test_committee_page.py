"""The committee page as a file: what it holds, what it never holds, and the same bytes each time."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.reports import committee_page

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028'\"&"


def records(table):
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_the_page_asks_nothing_of_a_network(page_of):
    html = page_of()
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"']?(?:https?:)?//", html)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|sendBeacon", html)
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of SVG's namespace, never asked for
    assert "default-src 'none'" in html


def test_the_same_arguments_give_the_same_bytes(page_of):
    assert page_of() == page_of()


def test_row_order_of_the_frames_does_not_change_who_is_shown_first(page_of, data_of, made_up):
    ranked = made_up.make_meeting().ranked
    shuffled = data_of(page_of({"ranked": ranked.sample(frac=1, random_state=3)}))
    assert [row["rank"] for row in records(shuffled["ranked"])] == list(range(1, 64))


def test_five_hundred_people_weigh_less_than_a_megabyte_and_a_half(page_of):
    assert len(page_of(n=500, places=40).encode()) < 1_500_000


@pytest.mark.parametrize(("n", "places", "shown"), [(63, 8, 63), (520, 8, 500), (700, 120, 600), (520, None, 500)])
def test_the_page_holds_five_people_a_place_and_at_least_five_hundred(page_of, data_of, n, places, shown):
    data = data_of(page_of(n=n, places=places))
    assert len(data["ranked"]["rows"]) == shown
    assert data["n_ranked"] == n
    assert data["list_file"] == "waiting_list.csv"


def test_only_people_on_the_page_are_inside_it(page_of, data_of, made_up):
    data = data_of(page_of(n=520))
    shown = {row["person_id"] for name in ("ranked", "assess_first") for row in records(data[name])}
    for name in ("reasons", "criteria", "people", "allocation", "unassigned"):
        assert {row["person_id"] for row in records(data[name])} <= shown


def test_text_from_tables_can_never_become_markup(page_of, made_up):
    made = made_up.make_meeting(n=5)
    changes = {
        "meeting": {
            **made.meeting,
            "territory": NASTY,
            "addenda": [{"person_id": NASTY, "referral_id": NASTY, "reason": NASTY, "by": NASTY}],
        },
        "ranked": made.ranked.assign(territory=NASTY),
        "reasons": made.reasons.assign(value=NASTY, source=NASTY, reason=NASTY),
        "criteria": made.criteria.assign(evidence=NASTY),
        "allocation": made.allocation.assign(why=NASTY, runner_up=NASTY),
        "services": made.services.assign(label_en=NASTY),
    }
    html = page_of(changes, n=5)
    assert html.count("</script>") == 2
    assert "<img" not in html
    assert "\u2028" not in html


def test_the_program_says_itself_in_every_language(page_of, data_of):
    data = data_of(page_of())
    assert data["labels"]["criteria"]["aged"]["fr"].startswith("60 ans ou plus")
    assert {tier["label"]["it"] for tier in data["labels"]["tiers"]} == {"alto", "medio", "basso"}
    assert set(data["words"]) == {"en", "fr", "it"}


@pytest.mark.parametrize(
    ("lang", "title"), [("en", "Admission committee"), ("fr", "Commission d’admission"), ("it", "Commissione")]
)
def test_the_page_opens_in_the_language_asked_for(page_of, lang, title):
    html = page_of(lang=lang)
    assert f'<html lang="{lang}">' in html
    assert f'<h1 id="title">{title}' in html


def test_a_language_no_page_speaks_is_refused(page_of):
    with pytest.raises(UsageError, match="no page speaks 'de'"):
        page_of(lang="de")


def test_a_frame_that_lacks_a_column_is_refused_by_name(page_of, made_up):
    with pytest.raises(UsageError, match="`ranked` lacks the columns tier"):
        page_of({"ranked": made_up.make_meeting().ranked.drop(columns="tier")})


def test_without_a_validated_risk_no_risk_is_inside(page_of, data_of):
    rows = records(data_of(page_of())["ranked"])
    assert {row["risk"] for row in rows} == {None}
    assert {row["risk_low"] for row in rows} == {None}


def test_without_a_meeting_there_is_no_cut(page_of, data_of):
    data = data_of(page_of(places=None))
    assert data["meeting"]["places"] is None
    assert data["meeting"]["meeting_id"] is None


def test_only_proposals_count_as_proposed_case_managers(page_of, data_of, made_up):
    allocation = made_up.make_meeting().allocation
    allocation = pd.concat([allocation, allocation.head(1).assign(kind="open", cm_id="CM-OPEN")])
    rows = records(data_of(page_of({"allocation": allocation}))["allocation"])
    assert "CM-OPEN" not in {row["cm_id"] for row in rows}


def test_the_page_works_without_any_optional_frame(page_of, data_of, made_up, program):
    made = made_up.make_meeting(n=3, n_incomplete=1)
    html = committee_page(
        meeting=made.meeting,
        ranked=made.ranked,
        reasons=made.reasons.head(0),
        criteria=made.criteria.head(0),
        assess_first=made.assess_first,
        program=program,
    )
    data = data_of(html)
    assert data["services"]["rows"] == []
    assert data["people"]["rows"] == []
    assert data["meeting"]["as_of"] == "2026-10-01"


def test_arguments_are_left_as_they_were(made_up, program):
    made = made_up.make_meeting(n=5)
    before = {name: frame.copy() for name, frame in vars(made).items() if isinstance(frame, pd.DataFrame)}
    committee_page(**made.arguments(), program=program)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, getattr(made, name))


def test_an_earlier_decision_of_the_meeting_travels_with_the_page(page_of, data_of, made_up):
    made = made_up.make_meeting(n=3)
    earlier = {
        "referral_id": made.ranked["referral_id"][0],
        "outcome": "defer",
        "reason": "no_place",
        "decided_at": pd.Timestamp("2026-09-28 10:00"),
    }
    data = data_of(page_of({"meeting": {**made.meeting, "decisions": [earlier]}}, n=3))
    assert data["meeting"]["decisions"][0]["decided_at"] == "2026-09-28"


def test_the_day_of_an_empty_list_is_not_known(page_of, data_of, made_up):
    made = made_up.make_meeting(n=1, n_incomplete=1)
    data = data_of(
        page_of({"ranked": made.ranked.head(0), "assess_first": made.assess_first.head(0)}, n=1, n_incomplete=1)
    )
    assert data["meeting"]["as_of"] is None
    assert data["ranked"]["rows"] == []


def test_only_tiers_that_somebody_should_look_at_stand_on_the_page(page_of, data_of, made_up):
    ids = made_up.make_meeting().ranked["person_id"].head(4).tolist()
    tiers = pd.DataFrame(
        {
            "person_id": ids,
            "proposed_override": pd.array([0, 2, None, 0], dtype="Int64"),
            "unknown_inputs": ["", "", "gir", ""],
            "review_step_down": pd.array([None, None, None, True], dtype="boolean"),
            "step_down_to": [None, None, None, "low"],
        }
    )
    data = data_of(page_of({"tiers": tiers}))
    assert [row[0] for row in data["tiers"]["rows"]] == ids[1:]
