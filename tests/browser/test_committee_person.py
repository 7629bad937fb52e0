"""One person's panel: why this place, criteria, why not higher, who could follow."""

from __future__ import annotations

import re

import pandas as pd
import pytest

pytestmark = pytest.mark.browser


def part(page, name):
    return page.locator(f"#person-body [data-part={name}]")


def open_rank(page, rank):
    page.locator("#ranked tr.entry").nth(rank - 1).click()


def test_each_part_is_told_in_days_of_waiting_with_what_it_rests_on(committee, made_up):
    row = made_up.make_meeting().ranked.iloc[1]
    open_rank(committee, 2)
    text = part(committee, "why_place").inner_text()
    for name in ("waiting", "need", "risk", "urgency"):
        assert f"{row[f'days_worth_{name}']:+.0f} d".replace("+0 d", "0 d") in text
    assert re.search(r"GIR \(dependency group, 1 heaviest\): \d · AGGIR, \d+ \w+ 2026", text)
    widths = (
        part(committee, "why_place")
        .locator(".bar")
        .evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
    )
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 100


def test_reasons_stand_with_value_source_date_and_sum_to_the_points(committee, made_up):
    made = made_up.make_meeting()
    open_rank(committee, 1)
    section = part(committee, "score_rests_on")
    assert section.locator("tbody tr").count() == 7
    assert section.locator("tr.sum .figure").inner_text() == str(made.ranked["points"].iloc[0])
    assert "falls in 180 days · can be acted on" in section.inner_text()


def test_an_imputed_part_says_so(committee, made_up):
    made = made_up.make_meeting()
    rank = int(made.ranked.loc[made.ranked["imputed"] == "urgency", "rank"].iloc[0])
    open_rank(committee, rank)
    assert "unknown, counted as the middle of the list" in part(committee, "why_place").inner_text()


def test_criteria_stand_with_sign_word_and_evidence(committee, made_up):
    made = made_up.make_meeting()
    asked = made.ranked.loc[made.ranked["criteria"] == "ask", "rank"].iloc[0]
    open_rank(committee, int(asked))
    section = part(committee, "admission_criteria")
    assert section.locator("li").count() == 4
    assert "— unknown: ask · unknown: problem of decision-making" in section.inner_text()
    assert "— met · medical problem: yes (referral, 30 Aug 2026)" in section.inner_text()
    assert "cnsa 2015" in section.inner_text()


def test_the_next_person_above_is_compared_first_and_anyone_on_demand(committee, made_up):
    ranked = made_up.make_meeting().ranked
    open_rank(committee, 5)
    section = part(committee, "why_not_higher")
    above, mine = ranked.iloc[3], ranked.iloc[4]
    assert f"{above['person_id']} stands above: the index is higher" in section.inner_text()
    section.locator("select").select_option(ranked.iloc[9]["referral_id"])
    assert f"{ranked.iloc[9]['person_id']} stands below" in section.inner_text()
    differences = section.locator("tbody td:last-child").all_inner_texts()
    total = sum(float(text.replace("−", "-")) for text in differences)
    assert total == pytest.approx(ranked.iloc[9]["key_index"] - mine["key_index"], abs=0.3)


def test_ties_are_told_by_the_key_that_sets_them_apart(visit, page_file, made_up):
    made = made_up.make_meeting(n=4, places=2)
    ranked = made.ranked.copy()
    ranked["key_index"] = 100.0
    ranked["key_referred_on"] = made.ranked["referred_on"].min()
    ranked.loc[0, "key_override"] = 1
    ranked["key_deadline"] = [False, True, False, False]
    page = visit(page_file("ties", {"ranked": ranked}, n=4, places=2))
    told = []
    for rank in (2, 3, 4):
        open_rank(page, rank)
        told.append(part(page, "why_not_higher").locator("p").inner_text())
    assert "a rule places one first" in told[0]
    assert "passed the promised maximum wait" in told[1]
    assert "published lottery" in told[2]
    open_rank(page, 1)
    assert "Nobody stands above" in part(page, "why_not_higher").inner_text()
    assert "Placed first by rule: override tier 1" in part(page, "why_place").inner_text()


def test_the_same_index_is_settled_by_the_earlier_referral(visit, page_file, made_up):
    ranked = made_up.make_meeting(n=3, places=1).ranked.assign(key_index=7.0)
    page = visit(page_file("dates", {"ranked": ranked}, n=3, places=1))
    open_rank(page, 2)
    assert "same index; referred earlier" in part(page, "why_not_higher").inner_text()


def test_a_case_manager_is_proposed_or_the_reason_why_none(committee):
    open_rank(committee, 1)
    text = part(committee, "case_manager").inner_text()
    assert "No case manager can be proposed: no shared language" in text
    assert "Smallest change that would help" in text
    open_rank(committee, 2)
    assert re.search(r"CM-\d\d · 0\.9 h a week", part(committee, "case_manager").inner_text())
    open_rank(committee, 40)
    assert "proposals are made for people within the places" in part(committee, "case_manager").inner_text()


def test_without_an_allocation_the_part_is_left_out(visit, page_file):
    page = visit(
        page_file("bare", {"allocation": None, "unassigned": None, "people": None, "services": None}, n=4, places=2)
    )
    open_rank(page, 1)
    assert part(page, "case_manager").count() == 0
    page.keyboard.press("r")
    assert "only “to find” can be chosen" in page.locator("#decision").inner_text()


def test_age_is_exact_where_the_month_is_known_and_a_span_where_it_is_not(visit, page_file, made_up):
    made = made_up.make_meeting(n=3, places=1)
    people = made.people.assign(birth_year=1940)
    ids = made.ranked["person_id"].tolist()
    months = {ids[0]: 5, ids[1]: 11}
    people["birth_month"] = people["person_id"].map(months).astype("Int64")
    page = visit(page_file("ages", {"people": people}, n=3, places=1))
    found = []
    for rank in (1, 2, 3):
        open_rank(page, rank)
        found.append(re.search(r"([\d–]+) y\b", page.locator(".person-facts").inner_text())[1])
    assert found == ["86", "85", "85–86"]


def test_someone_added_later_stands_apart_with_the_reason(visit, page_file, made_up):
    made = made_up.make_meeting(n=4, places=2)
    addenda = [
        {
            "person_id": "P-9001",
            "referral_id": "R-9001",
            "reason": "found alone on Friday",
            "by": "Chair",
            "added_at": "2026-10-11",
        },
        {
            "person_id": "P-9002",
            "referral_id": None,
            "reason": "order of a judge",
            "by": "Chair",
            "added_at": "2026-10-11",
        },
    ]
    page = visit(page_file("added", {"meeting": {**made.meeting, "addenda": addenda}}, n=4, places=2))
    assert "Added: found alone on Friday (Chair)" in page.locator("#added").inner_text()
    assert page.locator("#decided").inner_text() == "0 of 5 decided"
    page.locator("#added tr.entry").first.click()
    assert page.locator("#record").is_visible()
    page.locator("#added tr.entry").nth(1).click()
    assert page.locator("#record").count() == 0


def test_an_earlier_decision_of_the_meeting_is_shown(visit, page_file, made_up):
    made = made_up.make_meeting(n=3, places=1)
    earlier = {
        "referral_id": made.ranked["referral_id"][0],
        "outcome": "defer",
        "reason": "no_place",
        "decided_by": "Chair",
        "decided_at": "2026-09-28",
    }
    page = visit(page_file("earlier", {"meeting": {**made.meeting, "decisions": [earlier]}}, n=3, places=1))
    open_rank(page, 1)
    assert "deferred · no place at this meeting · Chair · 28 Sept 2026" in part(page, "earlier_decisions").inner_text()


def test_text_from_tables_is_shown_as_text_and_does_nothing(visit, page_file, made_up):
    nasty = "</script><img src=x onerror='window.hurt=1'><script>window.hurt=1</script>"
    made = made_up.make_meeting(n=3, places=1)
    changes = {
        "meeting": {
            **made.meeting,
            "territory": nasty,
            "addenda": [{"person_id": nasty, "referral_id": nasty, "reason": nasty, "by": nasty}],
        },
        "ranked": made.ranked.assign(territory=nasty, tier=nasty),
        "reasons": made.reasons.assign(value=nasty, source=nasty, reason=nasty),
        "criteria": made.criteria.assign(evidence=nasty, criterion=nasty, unknown_inputs=nasty),
        "allocation": made.allocation.assign(why=nasty, runner_up=nasty),
        "unassigned": made.unassigned.assign(rule=nasty, reason=nasty, relaxation=nasty),
        "services": made.services.assign(label_en=nasty),
        "assess_first": made.assess_first.assign(missing_items=nasty),
        "people": made.people.assign(language=nasty),
    }
    page = visit(page_file("nasty", changes, n=3, places=1))
    for i in range(page.locator("tr.entry").count()):
        page.locator("tr.entry").nth(i).click()
    open_rank(page, 1)
    page.keyboard.press("r")
    page.emulate_media(media="print")
    assert page.evaluate("window.hurt") is None
    assert page.locator("img").count() == 0
    assert nasty in page.locator("#title").inner_text()


@pytest.mark.parametrize(
    ("mode", "says"), [("score", "index points of each part"), ("fcfs", "The order is by referral date alone")]
)
def test_a_policy_without_rates_speaks_of_points(visit, made_up, program, tmp_path, mode, says):
    import dataclasses

    from casestrat.knowledge import PriorityPolicy
    from casestrat.reports import committee_page

    other = dataclasses.replace(program, priority=PriorityPolicy(mode=mode, weights={"risk": 100}))
    path = tmp_path / "page.html"
    path.write_text(committee_page(**made_up.make_meeting(n=3, places=1).arguments(), program=other), encoding="utf-8")
    page = visit(path)
    open_rank(page, 2)
    assert says in part(page, "why_place").inner_text()
    assert "d\n" not in part(page, "why_place").locator(".worth").first.inner_text()


def test_a_tier_to_look_at_is_told_beside_the_person(visit, page_file, made_up):
    people = made_up.make_meeting().ranked["person_id"].head(3)
    tiers = pd.DataFrame(
        {
            "person_id": people,
            "proposed_override": pd.array([2, 0, 0], dtype="Int64"),
            "unknown_inputs": ["gir", "", ""],
            "review_step_down": pd.array([None, True, None], dtype="boolean"),
            "step_down_to": [None, "low", None],
        }
    )
    page = visit(page_file("tiers", {"tiers": tiers}))
    page.locator("tr.entry").nth(0).click()
    first = page.locator('section[data-part="tier_notes"]').inner_text()
    assert "A rule proposes override level 2." in first
    assert "A rule of the tiers is left open until this is known:" in first
    page.locator("tr.entry").nth(1).click()
    assert "The score alone would now give low: review a step down." in page.locator("#person-body").inner_text()
    page.locator("tr.entry").nth(2).click()
    assert page.locator('section[data-part="tier_notes"]').count() == 0
