"""The caseload page in a browser: moves decided on one by one, hours that change live, a file that can be recorded."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from casestrat.allocation import record_assignments
from casestrat.nightly import Wanted, reallocate_source, reallocation_page
from casestrat.reports import caseload_page

pytestmark = pytest.mark.browser

NOT_CONTRASTING = """() => {
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
  return [...document.querySelectorAll("body *")].filter((element) => {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!says || element.closest(".hidden-words, noscript, script, svg") || !element.offsetParent) return false;
    const [a, b] = [light(parse(getComputedStyle(element).color).slice(0, 3)), light(ground(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  }).map((element) => element.textContent.trim().slice(0, 40));
}"""
UNNAMED = """() => [...document.querySelectorAll("button, select, input, textarea, a")]
  .filter((e) => e.offsetParent)
  .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.title))
  .filter((e) => ![...(e.labels ?? [])].some((label) => label.textContent.trim()))
  .map((e) => e.outerHTML)"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="session")
def tables(made_up_team, program):
    return made_up_team.make_team(program)


@pytest.fixture(scope="session")
def moved(made_up_team, tables, program):
    """A leaves on the day, with three cases; one voluntary move evens out the rest, one person speaks Italian."""
    return reallocate_source(tables, program, on=made_up_team.ON, wanted=Wanted(leaver=("A",), max_moves=2)).plan


@pytest.fixture(scope="session")
def team_file(made_up_team, moved, tables, program, tmp_path_factory):
    path = tmp_path_factory.mktemp("team") / "caseload.html"
    path.write_text(reallocation_page(moved, tables, program, made_up_team.ON), encoding="utf-8")
    return path


@pytest.fixture
def team(visit, team_file):
    return visit(team_file)


def hours_of(page, cm):
    """Hours after, capacity, and hours as decided so far, as the row of a case manager says them."""
    text = page.locator(f'#workload tr[data-cm="{cm}"]').inner_text()
    after, capacity = re.search(r"(\d+) of (\d+) h", text).groups()
    return int(after), int(capacity), int(re.search(r"decided so far: (\d+) h", text).group(1))


def open_case(page, case):
    page.locator(f'button[data-case="{case}"]').click()
    return page.locator("tr.form-row")


def record(page, *, by=None, note=None):
    if note is not None:
        page.locator("#form-note").fill(note)
    if by is not None:
        page.locator("#form-decided_by").fill(by)
    page.locator("#record").click()


def give_to_b(page, case, told_on=None):
    open_case(page, case)
    page.locator("#choose-change").check()
    page.locator("#to-B").check()
    if told_on is not None:
        page.locator("#form-told_on").fill(told_on)
    record(page, note="knows the family")


def exported(page, tmp_path, name="file.json"):
    with page.expect_download() as download:
        page.locator("#export").click()
    assert re.fullmatch(r"assignments-2026-10-05-[0-9a-f]{8}\.json", download.value.suggested_filename)
    download.value.save_as(tmp_path / name)
    return tmp_path / name


def test_the_team_is_told_and_nobody_is_ranked(team, moved):
    assert team.locator("#facts").inner_text().endswith("A leaves")
    rows = team.locator("#workload tr[data-cm]").evaluate_all("rows => rows.map((row) => row.dataset.cm)")
    assert rows == ["A", "B", "C", "D"]
    assert team.locator("th[aria-sort], th button").count() == 0
    capacity = moved.workload.set_index("cm_id")["capacity_minutes"]
    assert hours_of(team, "B")[1] == round(capacity["B"] / 60)
    levels = team.locator("#levels li").all_inner_texts()
    assert levels[0] == "1 without a case manager: by their priority, no plan can leave less."
    assert re.fullmatch(r"Fullest case manager [\d.]+%: no plan can be below it\.", levels[1])
    assert (
        "licence nurse FR: ends 15 Nov 2026 (1 case, 1 that nobody else may follow)"
        in team.locator('tr[data-cm="C"]').inner_text()
        or "ends 15 Nov 2026" in team.locator('tr[data-cm="C"]').inner_text()
    )
    assert "with at most as many voluntary moves" in team.locator("#levels p").inner_text()
    assert "no shared language" in team.locator("#unassigned").inner_text()
    assert "a full-time case manager who speaks Italian" in team.locator("#hiring").inner_text()
    assert team.locator("#frontier svg[role=img]").count() == 2
    assert team.locator("#flow").count() == 0  # of a night, not of a re-allocation
    team.locator("#filter-team").select_option("south")
    assert team.locator("#workload tr[data-cm]").evaluate_all("rows => rows.map((row) => row.dataset.cm)") == ["D"]


def test_who_must_be_seen_first_stands_first_on_the_sheets(team):
    sheets = team.locator('.leaver[data-leaver="A"] .sheet-case')
    assert sheets.evaluate_all("all => all.map((one) => one.dataset.case)")[0] == "E1"  # the open crisis
    first = sheets.first.inner_text()
    assert "open crisis" in first
    assert "since 1 Oct 2026" in first
    assert "20 Oct 2026" in first  # the plan review
    second = team.locator('.sheet-case[data-case="E0"]').inner_text()
    assert "20 Sept 2026 · home visit" in second
    assert "7 Oct 2026" in second


def test_moves_are_decided_one_by_one_and_the_hours_follow(team, moved, tables, tmp_path):
    assert team.locator("input:checked").count() == 0
    assert team.locator("#decided").inner_text() == "0 of 4 decided"
    team.keyboard.press("a")  # no move is open: nothing happens
    assert team.locator("#decided").inner_text() == "0 of 4 decided"
    to = moved.moves.set_index("case_id")["to_cm"]
    assert to.to_dict() == {"E0": "B", "E1": "D", "E2": "D", "E4": "D"}

    form = open_case(team, "E1")
    assert form.locator("input:checked").count() == 0  # nothing is chosen beforehand
    assert form.locator("tr[data-choice]").evaluate_all("rows => rows.map((row) => row.dataset.choice)") == ["D", "B"]
    team.keyboard.press("a")
    team.locator("#record").click()
    assert team.locator(".missing-rules li").all_inner_texts() == ["say who decides"]
    before = hours_of(team, "D")[2]
    record(team, by="team lead")
    assert team.locator("#decided").inner_text() == "1 of 4 decided"
    assert hours_of(team, "D")[2] == before + 1  # 54 minutes, rounded
    assert team.evaluate("document.activeElement.dataset.case") == "E0"  # the next that is open

    team.keyboard.press("Enter")
    team.keyboard.press("h")
    record(team)  # who decided last is remembered
    give_to_b(team, "E2", told_on="2026-10-02")
    assert "yes, 2 Oct 2026" in team.locator('.sheet-case[data-case="E2"]').inner_text()
    give_to_b(team, "E1")

    open_case(team, "E0")  # held until now; B would be over capacity with what is decided
    team.locator("#choose-accept").check()
    over = "B would be 0.6 h a week over capacity with what is decided so far: say why."
    assert team.locator("#then").inner_text() == over
    team.locator("#record").click()
    assert team.locator(".missing-rules li").all_inner_texts() == ["say why B may be over capacity"]
    record(team, note="until Christmas")
    assert team.locator(".overload").inner_text() == "Overload as decided: B is 0.6 h a week over capacity."
    assert "over by 0.6 h" in team.locator('tr[data-cm="B"]').inner_text()

    team.locator("#undo").click()
    assert team.locator(".overload").count() == 0
    assert "held" in team.locator('tr.move[data-case="E0"]').inner_text()
    open_case(team, "E0")
    team.locator("#choose-accept").check()
    record(team, note="until Christmas")

    file = exported(team, tmp_path)
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["format"] == "casestrat-assignments/1"
    assert [(one["case_id"], one["decision"], one["to_cm"]) for one in content["decisions"]] == [
        ("E0", "accept", "B"), ("E1", "change", "B"), ("E2", "change", "B"),
    ]  # fmt: skip
    assert content["decisions"][1]["note"] == "knows the family"
    assert content["decisions"][2]["told_on"] == "2026-10-02"

    done = record_assignments(tables, file)
    assert done.refused.empty
    begun = done.rows[done.rows["to_on"].isna()]
    assert begun[["episode_id", "cm_id", "role"]].to_numpy().tolist() == [[f"E{i}", "B", "lead"] for i in range(3)]
    assert begun["from_on"].unique().tolist() == [pd.Timestamp("2026-10-05")]
    ended = done.rows[done.rows["to_on"].notna()]
    assert set(ended["end_reason"]) == {"leaver"}
    again = record_assignments(done.assignments, file)
    assert again.rows.empty  # the same file a second time changes nothing

    # What was exported and is decided otherwise is taken back by name, then decided anew.
    open_case(team, "E0")
    team.locator("#choose-change").check()
    team.locator("#to-D").check()
    record(team, note="on second thoughts")
    second = exported(team, tmp_path, "second.json")
    first_two = json.loads(second.read_text(encoding="utf-8"))["decisions"][:2]
    assert [(one["case_id"], one["decision"]) for one in first_two] == [("E0", "undo"), ("E0", "change")]
    changed = record_assignments(done.assignments, second)
    assert changed.refused.empty
    latest = changed.assignments.sort_values("recorded_at").drop_duplicates("assignment_id", keep="last")
    live = latest[
        latest["episode_id"].eq("E0") & latest["to_on"].isna() & ~latest["is_void"].fillna(False).astype(bool)
    ]
    assert live["cm_id"].tolist() == ["D"]


def test_a_draft_is_kept_until_export_and_closing_warns(visit, team_file, browser, tmp_path):
    context = browser.new_context(accept_downloads=True, locale="en-GB", timezone_id="Europe/Paris")
    try:
        page = visit(team_file, context=context)
        open_case(page, "E1")
        page.keyboard.press("a")
        record(page, by="team lead")
        again = visit(team_file, context=context)
        assert again.locator("#message").inner_text() == "Draft of 1 decisions restored from this browser."
        assert "accepted" in again.locator('tr.move[data-case="E1"]').inner_text()
        asked = []
        again.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        open_case(again, "E1")  # a gesture: without one a browser does not ask
        again.close(run_before_unload=True)
        page.wait_for_timeout(100)
        assert asked == ["beforeunload"]
        exported(page, tmp_path)
        third = visit(team_file, context=context)
        assert third.locator("#decided").inner_text() == "0 of 4 decided"
        third.locator("#file-decisions").set_input_files(tmp_path / "file.json")
        third.get_by_text("1 decisions taken up from the file.").wait_for()
        assert "accepted" in third.locator('tr.move[data-case="E1"]').inner_text()
        (tmp_path / "other.json").write_text('{"format": "casestrat-assignments/1", "decisions": []}')
        third.locator("#file-decisions").set_input_files(tmp_path / "other.json")
        third.get_by_text("not a decision file of this plan").wait_for()
    finally:
        context.close()


def test_names_are_shown_and_never_leave_the_window(team, tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("person_id,label\nP1,Madeleine Vasseur\nP6,Gino Rossi\n", encoding="utf-8")
    team.locator("#file-names").set_input_files(names)
    team.get_by_text("Names shown for 2 of").wait_for()
    assert "Madeleine Vasseur" in team.locator("#proposals").inner_text()
    assert "Gino Rossi" in team.locator("#unassigned").inner_text()
    open_case(team, "E1")
    team.keyboard.press("c")
    assert team.evaluate("document.activeElement.name") == "to_cm"
    team.locator("#to-B").check()
    record(team, by="team lead", note="Madeleine Vasseur asked for it")
    assert "the reason holds a name that was loaded" in team.locator(".missing-rules").inner_text()
    record(team, note="asked for it")
    assert "Vasseur" not in exported(team, tmp_path).read_text(encoding="utf-8")
    assert "Vasseur" not in team.evaluate("JSON.stringify(localStorage)")


def test_the_keys_move_open_and_close(team):
    team.locator('button[data-case="E0"]').focus()
    team.keyboard.press("ArrowDown")
    assert team.evaluate("document.activeElement.dataset.case") == "E1"
    assert team.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    team.keyboard.press("Enter")
    assert team.locator("tr.form-row").count() == 1
    team.keyboard.press("Escape")
    assert team.locator("tr.form-row").count() == 0
    team.keyboard.press("?")
    assert "accept, somebody else, hold" in team.locator("#keys").inner_text()
    team.keyboard.press("Escape")


def test_it_stands_in_three_languages_at_every_width_and_in_print(team):
    for lang, words in (
        ("FR", "Changements et nouveaux suivis"),
        ("IT", "Cambiamenti e nuove prese in carico"),
        ("EN", "Moves"),
    ):
        team.get_by_role("button", name=lang, exact=True).click()
        assert words in team.locator("#proposals").inner_text()
        open_case(team, "E1")
        team.locator("#choose-accept").check()
        assert team.evaluate(NOT_CONTRASTING) == []
        assert team.evaluate(UNNAMED) == []
        for width in (1280, 640, 360):  # 640 is 1280 at 200 %
            team.set_viewport_size({"width": width, "height": 700})
            assert team.evaluate(OVERFLOW) <= 0
        team.set_viewport_size({"width": 1280, "height": 800})
        team.keyboard.press("Escape")
    team.emulate_media(media="print")
    for name in (".tools", "#head-tools", "#message"):
        assert team.locator(name).is_hidden()
    assert team.locator(".sheet-case .sign").first.is_visible()
    assert team.locator(".leaver").nth(1).evaluate("one => getComputedStyle(one).breakBefore") == "page"
    assert team.locator(".team").nth(1).evaluate("one => getComputedStyle(one).breakBefore") == "page"


def test_people_who_wait_are_shown_and_the_committee_decides_first(visit, made_up, program, tmp_path):
    made = made_up.make_caseload()
    left = made["unassigned"].iloc[0]
    cover = {
        "case_id": left["case_id"], "person_id": left["person_id"], "cm_id": "CM-02", "for_cm": "CM-03",
        "how": "backup", "minutes": 54, "until": pd.Timestamp("2026-10-28"), "approver": None, "reason": None,
    }  # fmt: skip
    admission = pd.DataFrame(
        {"admissible_now": [True, False, False], "reason": ["", "Italian", "Italian"], "relaxation": ["", "a", "a"]}
    )
    teams = pd.DataFrame({"team": ["North", "South"], "waiting": [3, 2], "admissible": [1, 0]})
    none = pd.DataFrame(columns=["kind", "value", "people_placed", "minutes_placed"])
    path = tmp_path / "caseload.html"
    arguments = {**made, "cover": pd.DataFrame([cover]), "admission": admission, "teams": teams, "hiring": none}
    path.write_text(caseload_page(**arguments, program=program), encoding="utf-8")
    page = visit(path)
    assert page.locator("button.person-button").count() == 0
    assert page.locator("#export").count() == 0
    assert page.locator("#proposals tbody tr").count() == len(made["allocation"])
    assert set(page.locator("#proposals td.outcome").all_inner_texts()) == {"committee first"}
    assert page.locator("#cover tbody tr").inner_text().split("\t")[1:4] == ["CM-02", "CM-03", "backup lead"]
    assert "covered by CM-02 until 28 Oct 2026" in page.locator("#unassigned").inner_text()
    assert page.locator("#blocked tbody tr").inner_text().split("\t") == ["Italian", "2", "a"]
    tallies = page.locator(".tallies").first.inner_text()
    assert "1 of 3" in tallies
    assert "1 of 3" in page.locator('.team[data-team="North"]').inner_text()
    assert "0 of 2" in page.locator('.team[data-team="South"]').inner_text()
    assert "No single hire would give" in page.locator("#hiring").inner_text()
