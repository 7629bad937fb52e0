"""Decisions on the committee page: every rule said in words, nothing preselected, undo, draft, export, names."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.browser

CLOSING = """() => {
  const event = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(event);
  return event.defaultPrevented;
}"""
NOTE = "Discussed; her sister can no longer come."


def open_rank(page, rank):
    page.locator("#ranked tr.entry").nth(rank - 1).click()


def fill(page, outcome, **fields):
    """Choose an outcome and fill in fields of the form."""
    page.locator(f"#form-outcome-{outcome}").check()
    for name, value in fields.items():
        control = page.locator(f"#form-{name}")
        if name in {"reason", "relay"}:
            control.select_option(value)
        else:
            control.fill(value)


def record(page):
    page.locator("#record").click()


def missing(page):
    return page.locator("#complaints li").evaluate_all("items => items.map(item => item.dataset.field)")


def first_plain(made_up, *, within):
    """Rank of the first person within (or beyond) the places who needs no note."""
    made = made_up.make_meeting()
    asked = made.criteria.loc[made.criteria["result"].isna(), "person_id"]
    is_met = made.ranked["criteria"] == "meets"
    plain = made.ranked[is_met & ~made.ranked["in_tied_zone"] & ~made.ranked["person_id"].isin(asked)]
    return int(plain.loc[plain["is_proposed"] == within, "rank"].iloc[0])


def file_of(page):
    with page.expect_download() as download:
        page.locator("#export").click()
    path = download.value.path()
    return json.loads(path.read_text(encoding="utf-8")), download.value.suggested_filename


def test_nothing_is_preselected_and_an_empty_record_says_all_that_is_missing(committee, made_up):
    open_rank(committee, first_plain(made_up, within=True))
    assert committee.locator("input[type=radio]:checked").count() == 0
    record(committee)
    assert missing(committee) == ["outcome", "reason", "decided_by"]
    assert "a reason from the list, whether or not you follow the rank" in committee.locator("#complaints").inner_text()
    assert committee.locator("#decided").inner_text() == "0 of 63 decided"


def test_agreeing_with_the_rank_needs_a_reason_too(committee, made_up):
    open_rank(committee, first_plain(made_up, within=True))
    fill(committee, "admit", decided_by="Chair")
    record(committee)
    assert missing(committee) == ["reason"]
    fill(committee, "admit", reason="criteria_met")
    record(committee)
    assert committee.locator("#decided").inner_text() == "1 of 63 decided"
    assert (
        "admitted · criteria met, place available — by Chair, 12 Oct 2026 14:05"
        in committee.locator("#decision").inner_text()
    )


def test_reasons_are_those_of_the_outcome_only(committee):
    open_rank(committee, 1)
    offered = {}
    for outcome in ("admit", "defer", "refuse"):
        committee.locator(f"#form-outcome-{outcome}").check()
        offered[outcome] = committee.locator("#form-reason option").evaluate_all(
            "all => all.map(one => one.value).filter(Boolean)"
        )
    assert offered["admit"] == ["criteria_met", "situation_worsened"]
    assert "no_place" in offered["defer"]
    assert not set(offered["refuse"]) & {*offered["admit"], *offered["defer"]}


def test_a_reason_that_needs_a_note_asks_for_it(committee, made_up):
    open_rank(committee, first_plain(made_up, within=True))
    fill(committee, "admit", reason="situation_worsened", decided_by="Chair")
    record(committee)
    assert missing(committee) == ["note"]
    assert "a note: this reason asks for one" in committee.locator("#complaints").inner_text()


def test_the_zone_too_close_to_call_asks_for_a_sentence(committee):
    open_rank(committee, 7)
    fill(committee, "admit", reason="criteria_met", decided_by="Chair")
    record(committee)
    assert "too close to call, say what decided" in committee.locator("#complaints").inner_text()


def test_an_unknown_criterion_asks_for_a_sentence(committee, made_up):
    made = made_up.make_meeting()
    asked = made.ranked[(made.ranked["criteria"] == "ask") & ~made.ranked["in_tied_zone"] & made.ranked["is_proposed"]]
    open_rank(committee, int(asked["rank"].iloc[0]))
    fill(committee, "admit", reason="criteria_met", decided_by="Chair")
    record(committee)
    assert "a criterion is unknown, say how it was settled" in committee.locator("#complaints").inner_text()


def test_deferring_needs_a_later_day_and_offers_that_of_the_reason(committee, made_up):
    open_rank(committee, first_plain(made_up, within=False))
    fill(committee, "defer", reason="ask_information", decided_by="Chair")
    record(committee)
    assert missing(committee) == ["defer_until"]
    fill(committee, "defer", defer_until="2026-10-12")
    record(committee)
    assert "a date after today (12 Oct 2026)" in committee.locator("#complaints").inner_text()
    committee.get_by_role("button", name="14 days for this reason: 26 Oct 2026").click()
    assert committee.locator("#form-defer_until").input_value() == "2026-10-26"
    record(committee)
    assert committee.locator("#decided").inner_text() == "1 of 63 decided"


def test_a_refusal_needs_a_relay_and_one_to_find_needs_its_day(committee, made_up):
    open_rank(committee, first_plain(made_up, within=False))
    fill(committee, "refuse", reason="person_declined", decided_by="Chair")
    record(committee)
    assert missing(committee) == ["relay"]
    assert "a refusal never leaves a person with nothing" in committee.locator("#complaints").inner_text()
    fill(committee, "refuse", relay="to_find")
    record(committee)
    assert missing(committee) == ["relay_due_on"]
    fill(committee, "refuse", relay_due_on="2026-10-30")
    record(committee)
    assert committee.locator("#decided").inner_text() == "1 of 63 decided"


@pytest.mark.parametrize(
    ("within", "outcome", "says"),
    [(False, "admit", "is beyond the 8 places"), (True, "refuse", "is within the 8 places")],
)
def test_departing_from_the_rank_needs_a_reason(committee, made_up, within, outcome, says):
    open_rank(committee, first_plain(made_up, within=within))
    more = {"relay": "S-HOME"} if outcome == "refuse" else {}
    fill(
        committee,
        outcome,
        reason={"admit": "criteria_met", "refuse": "person_declined"}[outcome],
        decided_by="Chair",
        **more,
    )
    assert says in committee.locator("#decision").inner_text()
    record(committee)
    assert missing(committee) == ["override_reason"]
    fill(committee, outcome, override_reason="Her home is no longer safe.")
    record(committee)
    data, _ = file_of(committee)
    assert data["decisions"][0]["override_reason"] == "Her home is no longer safe."


def test_failing_a_criterion_keeps_the_rank_and_takes_no_place(visit, page_file, made_up):
    made = made_up.make_meeting(n=12, places=4)
    ranked = made.ranked.assign(criteria=["meets", "fails", *["meets"] * 10], in_tied_zone=False)
    ranked["is_proposed"] = ranked["rank"].isin([1, 3, 4, 5])
    criteria = made.criteria.assign(result=True)
    page = visit(page_file("fails", {"ranked": ranked, "criteria": criteria}, n=12, places=4))
    rows = page.locator("#ranked tbody tr").evaluate_all("rows => rows.map(row => row.className)")
    assert rows.index("cut") == 5
    assert [name == "entry proposed" for name in rows[:5]] == [True, False, True, True, True]
    open_rank(page, 2)
    assert "keeps the rank, takes up no place" in page.locator("#person-body").inner_text()
    fill(page, "admit", reason="criteria_met", decided_by="Chair")
    assert "Why depart from the rank · a criterion is not met" in page.locator("#decision").inner_text()
    record(page)
    assert missing(page) == ["override_reason"]


def test_decide_keys_work_only_on_the_person_who_is_open(committee):
    committee.keyboard.press("ArrowDown")
    committee.keyboard.press("a")
    assert "first (Enter)" in committee.locator("#message").inner_text()
    assert committee.locator("#decision").is_hidden()
    committee.keyboard.press("Enter")
    committee.keyboard.press("ArrowDown")
    committee.keyboard.press("r")
    assert "first (Enter)" in committee.locator("#message").inner_text()
    assert committee.locator("input[type=radio]:checked").count() == 0
    committee.keyboard.press("ArrowUp")
    committee.keyboard.press("d")
    assert committee.locator("#form-outcome-defer").is_checked()
    assert committee.evaluate("document.activeElement.id") == "form-reason"


def test_a_whole_decision_can_be_made_by_keyboard(committee, made_up):
    rank = first_plain(made_up, within=True)
    for _ in range(rank):
        committee.keyboard.press("ArrowDown")
    committee.keyboard.press("Enter")
    committee.keyboard.press("a")
    committee.keyboard.press("c")  # the first reason that begins with it
    committee.keyboard.press("Tab")
    committee.keyboard.press("Tab")
    committee.keyboard.type("Chair")
    committee.keyboard.press("Enter")
    assert committee.locator("#decided").inner_text() == "1 of 63 decided"
    assert committee.evaluate("document.activeElement.classList.contains('person-button')")


def admit(page, rank, by="Chair"):
    open_rank(page, rank)
    fill(page, "admit", reason="criteria_met", note=NOTE, decided_by=by)
    if page.locator("#form-override_reason").count():
        fill(page, "admit", override_reason="A crisis at home.")
    record(page)


def test_undo_takes_back_the_last_change_and_the_one_before(committee):
    admit(committee, 1)
    admit(committee, 2)
    committee.locator("#undo").click()
    assert committee.locator("#decided").inner_text() == "1 of 63 decided"
    committee.keyboard.press("u")
    assert committee.locator("#decided").inner_text() == "0 of 63 decided"
    assert committee.locator("#undo").is_disabled()
    committee.keyboard.press("u")
    assert committee.locator("#message").inner_text() == "Nothing to undo."


def test_a_decision_can_be_changed_kept_and_brought_back(committee):
    admit(committee, 1)
    committee.locator("#change").click()
    assert committee.locator("#form-note").input_value() == NOTE
    committee.get_by_role("button", name="Keep as it was").click()
    committee.locator("#change").click()
    fill(committee, "defer", reason="no_place", defer_until="2026-11-02", override_reason="No bed at home yet.")
    record(committee)
    assert committee.locator("#ranked td.outcome").first.inner_text() == "deferred"
    committee.keyboard.press("u")
    assert committee.locator("#ranked td.outcome").first.inner_text() == "admitted"


def test_more_admissions_than_places_are_pointed_out(visit, page_file):
    page = visit(page_file("few", n=5, places=1))
    admit(page, 1)
    assert "admitted for" not in page.locator("#progress").inner_text()
    admit(page, 2)
    assert "2 admitted for 1 place" in page.locator("#progress").inner_text()


def test_the_file_holds_what_was_decided_in_the_agreed_form(committee, made_up):
    made = made_up.make_meeting()
    admit(committee, 2)
    rank = first_plain(made_up, within=False)
    open_rank(committee, rank)
    fill(committee, "refuse", reason="criteria_not_met", relay="S-HOME", note=NOTE)
    record(committee)
    admit(committee, 1)
    data, name = file_of(committee)
    assert set(data) == {"format", "meeting_id", "list_fingerprint", "decisions"}
    assert data["format"] == "casestrat-decisions/1"
    assert data["meeting_id"] == "M-2026-10-12-N"
    assert data["list_fingerprint"] == made.meeting["list_fingerprint"]
    assert name == f"decisions-M-2026-10-12-N-{made.meeting['list_fingerprint'][:8]}.json"
    referrals = made.ranked["referral_id"]
    assert [one["referral_id"] for one in data["decisions"]] == [referrals[0], referrals[1], referrals[rank - 1]]
    assert data["decisions"][2] == {
        "referral_id": referrals[rank - 1],
        "outcome": "refuse",
        "reason": "criteria_not_met",
        "note": NOTE,
        "override_reason": None,
        "decided_by": "Chair",
        "decided_at": "2026-10-12T14:05:00",
        "relay": "S-HOME",
        "relay_due_on": None,
        "defer_until": None,
    }
    assert "1 not yet exported" not in committee.locator("#progress").inner_text()


def test_the_file_is_recorded_by_the_meeting_it_belongs_to(visit, made_up, program, tmp_path):
    priority = pytest.importorskip("casestrat.priority", reason="the room of meetings")
    from casestrat.reports import committee_page

    made = made_up.make_meeting(n=12, places=4)
    meeting = priority.open_meeting(
        made.ranked, 4, "2026-10-12", program, territory="North", fingerprints=made.meeting["fingerprints"]
    )
    path = tmp_path / "page.html"
    arguments = {**made.arguments(), "meeting": json.loads(meeting.to_json())}
    path.write_text(committee_page(**arguments, program=program), encoding="utf-8")
    page = visit(path)
    admit(page, 1)
    admit(page, 9)
    open_rank(page, 3)
    fill(
        page,
        "refuse",
        reason="criteria_not_met",
        relay="to_find",
        relay_due_on="2026-10-20",
        note=NOTE,
        override_reason="Moved away.",
    )
    record(page)
    data, _ = file_of(page)
    result = meeting.record(data)
    assert result.refused.empty
    assert result.decisions["rank_shown"].tolist() == [1, 3, 9]
    assert result.decisions["is_override"].tolist() == [False, True, True]


def test_exporting_nothing_says_so(committee):
    committee.locator("#export").click()
    assert "Nothing to export" in committee.locator("#message").inner_text()


def test_a_reload_restores_the_draft_and_an_export_ends_it(visit, page_file):
    page = visit(page_file())
    admit(page, 1)
    again = visit(page_file(), context=page.context)
    assert again.locator("#decided").inner_text() == "1 of 63 decided"
    assert "Draft of 1 decisions restored" in again.locator("#message").inner_text()
    assert "1 not yet exported" in again.locator("#progress").inner_text()
    file_of(again)
    assert again.evaluate("Object.keys(localStorage)") == []


def test_a_draft_belongs_to_its_list_only(visit, page_file, made_up):
    page = visit(page_file())
    admit(page, 1)
    made = made_up.make_meeting()
    other = page_file("refrozen", {"meeting": {**made.meeting, "list_fingerprint": "f" * 32}})
    again = visit(other, context=page.context)
    assert again.locator("#decided").inner_text() == "0 of 63 decided"


def test_a_spoiled_draft_is_left_aside(visit, page_file):
    page = visit(page_file())
    admit(page, 1)
    page.evaluate("localStorage.setItem(Object.keys(localStorage)[0], '{not json')")
    again = visit(page_file(), context=page.context)
    assert again.locator("#decided").inner_text() == "0 of 63 decided"


def test_closing_with_unexported_decisions_warns(committee):
    asked = CLOSING
    assert committee.evaluate(asked) is False
    admit(committee, 1)
    assert committee.evaluate(asked) is True
    file_of(committee)
    assert committee.evaluate(asked) is False
    committee.keyboard.press("u")
    assert committee.evaluate(asked) is True


def test_an_exported_file_can_be_taken_up_again_and_no_other(visit, page_file, tmp_path):
    page = visit(page_file())
    admit(page, 3)
    data, _ = file_of(page)
    file = tmp_path / "decisions.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    again = visit(page_file())
    again.locator("#file-decisions").set_input_files(file)
    again.get_by_text("1 decisions taken up").wait_for()
    assert again.locator("#decided").inner_text() == "1 of 63 decided"
    assert "not yet exported" not in again.locator("#progress").inner_text()
    for wrong in ({**data, "list_fingerprint": "0"}, {**data, "format": "x"}, []):
        file.write_text(json.dumps(wrong), encoding="utf-8")
        again.locator("#file-decisions").set_input_files(file)
        again.get_by_text("Nothing was taken up").wait_for()
        again.evaluate("document.getElementById('message').textContent = ''")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_names_are_shown_and_never_stored_embedded_or_exported(committee, made_up, tmp_path, separator):
    first, second = made_up.make_meeting().ranked["person_id"].head(2)
    file = tmp_path / "names.csv"
    rows = [
        ("person_id", "label"),
        (first, "Madeleine Vasseur"),
        (second, '"Roux, ""Nine"""'),
        ("P-none", "Nobody Here"),
    ]
    file.write_text("\ufeff" + "\r\n".join(separator.join(row) for row in rows), encoding="utf-8")
    committee.locator("#file-names").set_input_files(file)
    committee.get_by_text("Names shown for 2 of 67 people").wait_for()
    assert committee.locator(".person-button").first.inner_text().split("\n") == ["Madeleine Vasseur", first]
    assert 'Roux, "Nine"' in committee.locator("#ranked").inner_text()
    committee.locator("#search").fill("vasseur")
    assert committee.locator("#ranked tr.entry").count() == 1
    committee.locator("#search").fill("")
    admit(committee, 1)
    data, _ = file_of(committee)
    assert "Vasseur" not in json.dumps(data)
    assert "Vasseur" not in committee.evaluate("JSON.stringify(localStorage)")
    assert "Vasseur" not in committee.locator("#data").text_content()


def test_a_note_with_a_loaded_name_is_neither_recorded_nor_exported(committee, made_up, tmp_path):
    someone = made_up.make_meeting().ranked["person_id"].iloc[0]
    file = tmp_path / "names.csv"
    file.write_text(f"person_id,label\n{someone},Madeleine Vasseur\n", encoding="utf-8")
    open_rank(committee, 2)
    fill(committee, "admit", reason="criteria_met", note="As madeleine vasseur said.", decided_by="Chair")
    record(committee)
    committee.locator("#file-names").set_input_files(file)
    committee.get_by_text("Names shown for 1").wait_for()
    committee.locator("#export").click()
    assert "words without the names you loaded" in committee.locator("#message").inner_text()
    committee.locator("#change").click()
    record(committee)
    assert missing(committee) == ["note"]


def test_a_file_without_names_is_refused_in_words(committee, tmp_path):
    file = tmp_path / "names.csv"
    file.write_text("id,name\n1,x\n", encoding="utf-8")
    committee.locator("#file-names").set_input_files(file)
    committee.get_by_text("No names were loaded").wait_for()


def test_letters_typed_in_a_field_decide_nothing(committee):
    open_rank(committee, 1)
    fill(committee, "defer", note="")
    committee.locator("#form-note").press_sequentially("a dry road / up?")
    assert committee.locator("#form-note").input_value() == "a dry road / up?"
    assert committee.locator("#form-outcome-defer").is_checked()
