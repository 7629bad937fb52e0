"""How pages stand on a screen, at 200 %, on a narrow one, in print; contrast, names of controls; the other pages."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const light = (rgb) => {
    const [r, g, b] = rgb.map((x) => x / 255).map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const found = parse(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!says || element.closest(".hidden-words, noscript, script, svg") || !element.offsetParent) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color).slice(0, 3)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push([element.textContent.trim().slice(0, 30), ratio]);
  }
  return low;
}"""
UNNAMED = """() => [...document.querySelectorAll("button, select, input, textarea, a")]
  .filter((e) => e.offsetParent)
  .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.title))
  .filter((e) => ![...(e.labels ?? [])].some((label) => label.textContent.trim()))
  .map((e) => e.outerHTML)"""
TOO_WIDE = """() => [...document.querySelectorAll(".list, .person-body, .decision")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className)"""


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def with_form(page, row=6):
    page.locator("tr.entry").nth(row).click()
    page.keyboard.press("r")
    page.locator("#form-relay").select_option("to_find")
    page.locator("#record").click()
    return page


def test_text_stands_out_and_every_control_has_a_name(committee):
    for lang in ("EN", "FR", "IT"):
        committee.get_by_role("button", name=lang, exact=True).click()
        assert committee.evaluate(CONTRAST) == []
        with_form(committee)
        assert committee.evaluate(CONTRAST) == []
        assert committee.evaluate(UNNAMED) == []
        committee.keyboard.press("Escape")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (640, 400), (390, 844), (320, 640)])
def test_nothing_runs_over_the_edge(visit, page_file, width, height):
    page = visit(page_file(), width=width, height=height)  # 640 × 400 is 1280 × 800 at 200 %
    for lang in ("EN", "FR", "IT"):
        page.get_by_role("button", name=lang, exact=True).click()
        assert overflow(page) <= 0
        with_form(page)
        assert overflow(page) <= 0
        assert page.evaluate(TOO_WIDE) == []
        page.keyboard.press("Escape")


def test_long_names_do_not_push_the_list_under_the_person(committee, made_up, tmp_path):
    file = tmp_path / "names.csv"
    ids = made_up.make_meeting().ranked["person_id"]
    names = [f"{one},Marie-Bernadette de la Tour-Vasseur" for one in ids]
    file.write_text("\n".join(["person_id,label", *names]), encoding="utf-8")
    committee.locator("#file-names").set_input_files(file)
    committee.get_by_text("Names shown for 63").wait_for()
    committee.get_by_role("button", name="FR", exact=True).click()
    assert committee.evaluate(TOO_WIDE) == []


def test_list_and_person_stand_side_by_side_and_the_form_is_in_sight(committee):
    with_form(committee)
    boxes = {name: committee.locator(f"#{name}").bounding_box() for name in ("list", "person", "record")}
    assert boxes["list"]["x"] + boxes["list"]["width"] <= boxes["person"]["x"] + 1
    assert boxes["record"]["y"] + boxes["record"]["height"] <= 800


def test_on_a_narrow_screen_the_person_takes_the_place_of_the_list(visit, page_file):
    page = visit(page_file(), width=390, height=844)
    page.locator("tr.entry").nth(2).click()
    assert page.locator("#list").is_hidden()
    assert page.evaluate("document.activeElement.classList.contains('person-name')")
    page.get_by_role("button", name="Back to the list").click()
    assert page.locator("#list").is_visible()


def test_focus_can_be_seen(committee):
    committee.keyboard.press("Tab")
    assert committee.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    committee.keyboard.press("ArrowDown")
    assert committee.evaluate("getComputedStyle(document.activeElement.closest('tr')).outlineStyle") == "solid"


def test_print_holds_the_list_then_the_people_the_meeting_speaks_of(committee):
    committee.locator("tr.entry").nth(0).click()
    committee.emulate_media(media="print")
    committee.locator("#print-details .block").first.wait_for()
    assert committee.locator("#print-details .block").count() == 11  # eight places and three more too close to call
    assert committee.locator("#ranked").is_visible()
    for name in (".tools", "#message", "#person", "#head-tools"):
        assert committee.locator(name).is_hidden()
    assert len(committee.locator("#marks .print-only").first.inner_text()) == 32
    assert "Signatures" in committee.locator("#print-details").inner_text()
    assert committee.pdf(format="A4").startswith(b"%PDF")


def test_print_shows_names_that_were_loaded(committee, made_up, tmp_path):
    file = tmp_path / "names.csv"
    file.write_text(
        f"person_id,label\n{made_up.make_meeting().ranked['person_id'].iloc[0]},Madeleine Vasseur\n", encoding="utf-8"
    )
    committee.locator("#file-names").set_input_files(file)
    committee.get_by_text("Names shown for 1").wait_for()
    committee.emulate_media(media="print")
    committee.locator("#print-details .block").first.wait_for()
    assert "Madeleine Vasseur" in committee.locator("#print-details").inner_text()


def test_five_hundred_people_open_quickly(visit, page_file):
    page = visit(page_file("five_hundred", n=500, places=40), is_clock_set=False)
    spent = page.evaluate("() => performance.getEntriesByType('navigation')[0].domComplete")
    assert page.locator("#ranked tr.entry").count() == 500
    assert spent < 5_000  # milliseconds; a quarter of a second on a machine that does nothing else


def test_the_caseload_page_stands_in_three_languages(visit, caseload_file):
    page = visit(caseload_file())
    assert page.locator("#workload tbody tr").count() == 9
    assert page.locator("#workload svg[role=img]").count() == 9
    assert "before" in page.locator("#workload").inner_text()
    assert page.locator("#flow figure").count() == 3
    assert page.locator("#flow svg").nth(1).get_attribute("aria-label").count("outside the limits") == 1
    assert "82% (151 of 184)" in page.locator("#contacts").inner_text()
    review = page.locator("#indicators tbody tr").nth(1).inner_text().split("\t")
    assert review == [
        "plan review on time share",
        "1 Jul 2026 – 1 Oct 2026",
        "",
        "North 82% (98 of 119) South < 11\nfewer than 11: hidden to protect people",
    ]
    assert "no shared language" in page.locator("#unassigned").inner_text()
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(UNNAMED) == []
    page.get_by_role("button", name="FR", exact=True).click()
    assert page.locator("#title").inner_text().startswith("File active")
    assert "82 % (151 sur 184)".replace(" %", "\xa0%") in page.locator("#contacts").inner_text()
    assert "pas de langue commune" in page.locator("#unassigned").inner_text()
    page.get_by_role("button", name="IT", exact=True).click()
    assert "Carico di lavoro" in page.title()
    page.emulate_media(media="print")
    assert page.locator("#head-tools").is_hidden()


def test_the_caseload_page_runs_over_no_edge(visit, caseload_file):
    page = visit(caseload_file())
    for width in (1280, 640, 360):
        page.set_viewport_size({"width": width, "height": 700})
        assert overflow(page) <= 0


def test_the_caseload_page_without_tables_says_what_to_add(visit, caseload_file):
    nothing = dict.fromkeys(("workload", "allocation", "unassigned", "indicators", "flow", "contacts"))
    page = visit(caseload_file(nothing))
    text = page.locator("#main").inner_text()
    for words in ("add the tables case_managers", "add the table episodes", "add the table contacts", "No indicators"):
        assert words in text


def test_hours_stand_on_the_page_and_minutes_in_its_data(visit, caseload_file, made_up):
    page = visit(caseload_file())
    data = json.loads(page.locator("#data").text_content())
    row = dict(zip(data["workload"]["columns"], data["workload"]["rows"][0], strict=True))
    made = made_up.make_caseload()["workload"].set_index("cm_id").loc[row["cm_id"]]
    assert row["minutes_after"] == made["minutes_after"]
    assert (
        f"{made['minutes_after'] / 60:.0f} of {made['capacity_minutes'] / 60:.0f} h"
        in page.locator("#workload tbody tr").first.inner_text()
    )


def test_the_index_leads_to_each_meeting(visit, meetings_file):
    rows = [
        {
            "href": "committee-M1.html",
            "territory": "North",
            "held_on": "2026-10-12",
            "places": 8,
            "people": 63,
            "assess_first": 4,
        },
        {
            "href": "committee-no-meeting.html",
            "territory": "",
            "held_on": None,
            "places": None,
            "people": 3,
            "assess_first": 0,
        },
    ]
    page = visit(meetings_file(rows))
    assert page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))") == [
        row["href"] for row in rows
    ]
    assert page.locator("tbody tr").nth(1).inner_text().split("\t") == [
        "all territories",
        "no meeting set",
        "–",
        "3",
        "0",
    ]
    page.get_by_role("button", name="FR", exact=True).click()
    assert "12 octobre 2026" in page.locator("tbody").inner_text()
    assert page.evaluate(CONTRAST) == []


def test_the_index_of_no_meeting_says_what_to_do(visit, meetings_file):
    assert "add a row to committee_meetings" in visit(meetings_file([])).locator("#main").inner_text()
