"""The list of the committee page: order, filters, keys, languages."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def ranks(page):
    return page.locator("#ranked tr.entry td.rank").all_inner_texts()


def people(page):
    return page.locator("#ranked tr.entry .person-button").all_inner_texts()


def message(page):
    return page.locator("#message").inner_text()


def test_the_head_says_what_the_list_is(committee):
    assert committee.locator("#title").inner_text() == "Admission committee · North · 12 October 2026"
    facts = committee.locator("#facts").inner_text()
    for words in ("8 places", "63 people", "4 to assess first", "as of 1 October 2026", "Geriatric case management"):
        assert words in facts
    assert "This list proposes; the committee decides." in committee.locator("#marks").inner_text()
    mark = committee.locator("#marks abbr").first
    assert len(mark.inner_text()) == 8
    assert mark.inner_text() in mark.get_attribute("title")


def test_the_cut_stands_after_the_last_place_and_the_hatched_zone_is_named(committee):
    kinds = [
        name.split()[0]
        for name in committee.locator("#ranked tbody tr").evaluate_all("rows => rows.map(row => row.className)")
    ]
    assert kinds.index("cut") == 8 + 1  # after eight people and the line that names the zone
    assert kinds.index("zone") == 5
    assert committee.locator("tr.cut").inner_text() == "8 places end here"
    assert committee.locator("tr.zone").inner_text() == "≈ too close to call: discuss"
    assert committee.locator("tr.tied").count() == 6
    assert committee.locator("tr.proposed").count() == 8


def test_tiers_are_told_by_word_and_shape(committee):
    cell = committee.locator("td.tier").first
    assert cell.inner_text().strip() == "high"
    assert cell.locator("svg").count() == 1


def test_without_risk_no_percentage_is_shown(committee):
    committee.locator("tr.entry").nth(0).click()
    assert "%" not in committee.locator("#ranked").inner_text()
    assert "%" not in committee.locator("#person-body").inner_text()
    assert "Points" in committee.locator("#ranked thead").inner_text()


def test_with_risk_it_stands_with_its_interval_and_outcome(visit, page_file):
    page = visit(page_file("risk", with_risk=True, with_ranks=False))
    page.locator("tr.entry").nth(0).click()
    part = page.locator("[data-part=why_place]").inner_text()
    assert "% (" in part
    assert "unplanned hospital stay within 90 days" in part
    assert "Risk interval" in page.locator("#ranked thead").inner_text()


def test_columns_sort_both_ways_and_the_cut_shows_only_in_the_order_of_rank(committee):
    committee.locator("[data-sort=waited]").click()
    days = [int(text) for text in committee.locator("#ranked tr.entry td:nth-child(5)").all_inner_texts()]
    assert days == sorted(days)
    assert committee.locator("th[aria-sort=ascending]").inner_text().startswith("Days")
    assert committee.locator("tr.cut, tr.zone").count() == 0
    committee.locator("[data-sort=waited]").click()
    assert committee.locator("th[aria-sort=descending]").count() == 1
    assert committee.evaluate("document.activeElement.dataset.sort") == "waited"
    committee.locator("[data-sort=rank]").click()
    assert committee.locator("tr.cut").count() == 1


def test_every_column_sorts_all_people(committee):
    for column in ("person", "tier", "score", "interval", "criteria", "decision"):
        committee.locator(f"[data-sort={column}]").click()
        assert len(people(committee)) == 63


def test_search_and_filters_narrow_the_list_and_can_be_cleared(committee):
    someone = people(committee)[20]
    committee.locator("#search").fill(someone.lower())
    assert people(committee) == [someone]
    assert committee.locator("#shown").inner_text() == "1 of 67 shown"
    committee.locator("#search").fill("nobody of this name")
    assert "Nobody matches" in committee.locator("#list").inner_text()
    committee.get_by_role("button", name="Show all").click()
    assert len(people(committee)) == 63
    committee.locator("#filter-tier").select_option("low")
    assert set(committee.locator("#ranked .tier-word").all_inner_texts()) == {"low"}
    committee.locator("#filter-tier").select_option("")
    committee.locator("#filter-criteria").select_option("tied")
    assert len(people(committee)) == 6
    committee.locator("#filter-criteria").select_option("ask")
    assert set(committee.locator("#ranked .mark").evaluate_all("marks => marks.map(mark => mark.className)")) == {
        "mark ask"
    }
    committee.locator("#filter-criteria").select_option("")
    committee.locator("#filter-decision").select_option("decided")
    assert people(committee) == []


def test_arrows_move_enter_opens_escape_closes(committee):
    committee.keyboard.press("ArrowDown")
    committee.keyboard.press("ArrowDown")
    focused = committee.evaluate("document.activeElement.textContent")
    assert focused == people(committee)[1]
    committee.keyboard.press("Enter")
    assert committee.locator("#person h2").inner_text() == focused
    assert committee.evaluate("document.activeElement.textContent") == focused
    committee.keyboard.press("ArrowUp")
    assert committee.evaluate("document.activeElement.textContent") == people(committee)[0]
    committee.keyboard.press("Escape")
    assert "No one is open" in committee.locator("#person").inner_text()


def test_the_focus_goes_from_head_to_tools_to_list_to_person(committee):
    committee.locator("tr.entry").nth(1).click()
    committee.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    committee.locator("body").click(position={"x": 1, "y": 1})
    order = []
    for _ in range(60):
        committee.keyboard.press("Tab")
        order.append(
            committee.evaluate(
                "document.activeElement.closest('header, .tools, .list, .person')?.classList[0] ?? 'end'"
            )
        )
    seen = list(dict.fromkeys(where for where in order if where != "end"))
    assert seen == ["head", "tools", "list", "person"]


def test_the_keys_are_shown_on_demand_and_closed_by_escape(committee):
    committee.keyboard.press("?")
    assert committee.locator("dialog#keys[open]").is_visible()
    assert "admit, defer, refuse" in committee.locator("#keys").inner_text()
    committee.keyboard.press("Escape")
    assert committee.locator("dialog#keys[open]").count() == 0
    committee.keyboard.press("/")
    assert committee.evaluate("document.activeElement.id") == "search"


@pytest.mark.parametrize(
    ("lang", "title", "date", "tier", "criterion"),
    [
        ("FR", "Commission d’admission", "12 octobre 2026", "élevé", "60 ans ou plus"),
        ("IT", "Commissione di ammissione", "12 ottobre 2026", "alto", "60 anni o più"),
    ],
)
def test_the_language_switches_everything_without_loading_anew(committee, lang, title, date, tier, criterion):
    committee.locator("tr.entry").nth(0).click()
    committee.keyboard.press("d")
    committee.locator("#form-note").fill("typed before the switch")
    committee.evaluate("window.stays = true")
    committee.get_by_role("button", name=lang, exact=True).click()
    assert committee.evaluate("window.stays")
    assert committee.evaluate("document.documentElement.lang") == lang.lower()
    assert title in committee.locator("#title").inner_text()
    assert date in committee.locator("#title").inner_text()
    assert title in committee.title()
    assert committee.locator(".tier-word").first.inner_text() == tier
    assert criterion in committee.locator("#person-body").inner_text()
    assert committee.locator("#form-note").input_value() == "typed before the switch"
    left = committee.locator("body").inner_text()
    for english in (
        "Why this place",
        "Decided by",
        "too close to call",
        "places end here",
        "of 63 decided",
        "Assess first",
    ):
        assert english not in left


def test_people_to_assess_first_stand_beside_the_list_with_what_is_missing(committee):
    section = committee.locator("#assess-first")
    assert section.locator("tr.entry").count() == 4
    assert "GIR (dependency group, 1 heaviest), falls in 180 days" in section.inner_text()
    section.locator("tr.entry").first.click()
    assert "not on the frozen list" in committee.locator("#decision").inner_text()
    committee.keyboard.press("a")
    assert "not on the frozen list" in message(committee)


def test_without_a_meeting_the_list_has_no_cut_and_says_so(visit, page_file):
    page = visit(page_file("nocut", places=None, with_ranks=False))
    assert "number of places not set: the list has no cut" in page.locator("#facts").inner_text()
    assert page.locator("tr.cut, tr.proposed").count() == 0
    assert "Rank interval" not in page.locator("#ranked thead").inner_text()
    page.locator("tr.entry").nth(0).click()
    assert "No meeting is set" in page.locator("#decision").inner_text()


def test_a_long_list_names_the_file_with_the_rest(visit, page_file):
    page = visit(page_file("long", n=620, with_ranks=False))
    assert page.locator("#rest").inner_text() == "The list goes on: 120 more people are in waiting_list.csv."
    assert len(people(page)) == 500


def test_an_empty_list_says_what_to_do(visit, page_file, made_up):
    made = made_up.make_meeting(n=1, n_incomplete=1)
    page = visit(
        page_file(
            "empty", {"ranked": made.ranked.head(0), "assess_first": made.assess_first.head(0)}, n=1, n_incomplete=1
        )
    )
    assert "Nobody is on this list" in page.locator("#list").inner_text()
    assert "every file is complete enough" in page.locator("#list").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    assert page.locator("tr.entry").count() == 0
