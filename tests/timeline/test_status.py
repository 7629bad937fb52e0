import pandas as pd
import pytest

from casestrat.knowledge import load_program
from casestrat.synthetic import synthesize
from casestrat.timeline import status_at, status_on

DATE = "2026-03-01"


def _referral(number=1, person="P1", referred_on="2026-02-01", **columns):
    row = {"referral_id": f"R{number}", "person_id": person, "referred_on": referred_on, "recorded_at": referred_on,
           "consent": "yes", "is_complete": True, "is_professional": True}  # fmt: skip
    return row | columns


def _decision(outcome, number=1, referral=1, decided_at="2026-02-10", **columns):
    row = {"decision_id": f"D{number}", "referral_id": f"R{referral}", "person_id": "P1", "outcome": outcome,
           "reason": "stated", "decided_at": decided_at, "recorded_at": decided_at, "defer_until": None,
           "relay": "to_find" if outcome == "refuse" else None,
           "relay_due_on": "2026-04-01" if outcome == "refuse" else None, "supersedes": None}  # fmt: skip
    return row | columns


def _episode(admitted_on="2026-02-15", number=1, **columns):
    row = {"episode_id": f"C{number}", "person_id": "P1", "referral_id": None, "admitted_on": admitted_on,
           "recorded_at": admitted_on, "closed_on": None, "close_reason": None}  # fmt: skip
    return row | columns


def _status(tables, program, date=DATE):
    found = status_on(tables, program, date)
    return found[["referral_id", "status", "reason"]].fillna("").to_numpy().tolist()


@pytest.mark.parametrize(
    ("columns", "status", "reason"),
    [
        ({}, "waiting", ""),
        ({"consent": None}, "waiting", ""),
        ({"consent": "not_collected"}, "waiting", ""),
        ({"is_complete": None}, "waiting", ""),
        ({"is_professional": None}, "waiting", ""),
        ({"consent": "no"}, "no_consent", "consent_refused"),
        ({"is_complete": False}, "invalid_form", "form_incomplete"),
        ({"is_professional": False}, "invalid_form", "not_professional"),
        ({"withdrawn_on": "2026-02-05"}, "withdrawn", ""),
        ({"withdrawn_on": "2026-03-01"}, "waiting", ""),
        ({"program": "geriatric"}, "waiting", ""),
        ({"program": "legal"}, "out_of_scope", "other_program"),
    ],
)
def test_a_referral_waits_unless_something_known_is_against_it(made, geriatric, columns, status, reason):
    assert _status(made(referrals=[_referral(**columns)]), geriatric) == [["R1", status, reason]]


def test_a_referral_of_the_day_or_recorded_on_it_is_not_known(made, geriatric):
    tables = made(referrals=[_referral(referred_on=DATE), _referral(2, "P2", recorded_at=DATE)])
    assert _status(tables, geriatric) == []
    assert len(_status(tables, geriatric, "2026-03-02")) == 2


@pytest.mark.parametrize(
    ("decisions", "status", "reason"),
    [
        ([_decision("admit")], "admitted", "stated"),
        ([_decision("admit", response="declined")], "admitted", "offer_declined"),
        ([_decision("refuse")], "refused", "stated"),
        ([_decision("refuse", reason="out_of_scope")], "out_of_scope", "out_of_scope"),
        ([_decision("defer", defer_until="2026-03-02")], "parked", "stated"),
        ([_decision("defer", defer_until="2026-03-01")], "waiting", ""),
        ([_decision("admit", recorded_at=DATE)], "waiting", ""),
        ([_decision("defer", defer_until="2026-06-01"),
          _decision("defer", 2, decided_at="2026-02-20", defer_until="2026-02-25")], "waiting", ""),
        ([_decision("refuse"), _decision("defer", 2, decided_at="2026-02-20", defer_until="2026-02-25",
                                         supersedes="D1")], "waiting", ""),
        ([_decision("refuse"), _decision("admit", 2, decided_at="2026-02-20", supersedes="D1")], "admitted", "stated"),
        ([_decision("refuse"), _decision("admit", 2, decided_at="2026-02-20", recorded_at=DATE, supersedes="D1")],
         "refused", "stated"),
    ],
)  # fmt: skip
def test_what_the_committee_decided_counts_once_it_is_known(made, geriatric, decisions, status, reason):
    tables = made(referrals=[_referral()], decisions=decisions)
    assert _status(tables, geriatric) == [["R1", status, reason]]


def test_the_earliest_of_several_referrals_waits_and_the_others_are_listed(made, geriatric):
    tables = made(referrals=[_referral(2, referred_on="2026-01-15"), _referral(1), _referral(3, consent="no")])
    assert _status(tables, geriatric) == [["R2", "waiting", ""], ["R1", "other_referral_waiting", ""]]


def test_many_dates_at_once_tell_what_each_date_alone_tells(made, geriatric):
    tables = made(
        referrals=[_referral(1, referred_on="2026-01-05"), _referral(2, referred_on="2026-01-20"), _referral(3)],
        decisions=[_decision("refuse", decided_at="2026-02-10")],
        episodes=[_episode("2026-03-10", closed_on="2026-04-10", close_reason="goals_met")],
    )
    dates = pd.date_range("2026-01-01", "2026-05-01", freq="10D").as_unit("us")
    spine = pd.DataFrame({"person_id": "P1", "as_of": dates})
    together = status_at(tables, geriatric, spine)
    assert together["status"].nunique() == 4
    for date in dates:
        alone = status_on(tables, geriatric, date)
        rows = together[together["as_of"] == date].drop(columns="as_of").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, alone)


def test_two_referrals_of_one_day_are_ordered_by_their_ids(made, geriatric):
    tables = made(referrals=[_referral(2), _referral(1)])
    assert [row[0] for row in _status(tables, geriatric)] == ["R1", "R2"]


def test_a_new_referral_waits_after_an_earlier_one_was_refused(made, geriatric):
    tables = made(
        referrals=[_referral(1, referred_on="2026-01-01"), _referral(2)],
        decisions=[_decision("refuse", decided_at="2026-01-10")],
    )
    assert _status(tables, geriatric) == [["R2", "waiting", ""]]


def test_of_referrals_that_ended_the_latest_speaks(made, geriatric):
    tables = made(
        referrals=[_referral(1, referred_on="2026-01-01", withdrawn_on="2026-01-02"), _referral(2)],
        decisions=[_decision("refuse", referral=2)],
    )
    assert _status(tables, geriatric) == [["R2", "refused", "stated"]]


def test_an_open_episode_is_followed_and_nobody_else_waits(made, geriatric):
    tables = made(referrals=[_referral(), _referral(2, referred_on="2026-02-20")], episodes=[_episode()])
    found = status_on(tables, geriatric, DATE)
    assert found[["status", "referral_id", "episode_id"]].to_numpy().tolist() == [["active", "R2", "C1"]]
    assert found["since"].tolist() == [pd.Timestamp("2026-02-15")]


def test_an_open_episode_names_the_referral_it_came_from(made, geriatric):
    tables = made(referrals=[_referral()], episodes=[_episode(referral_id="R1")])
    assert _status(tables, geriatric) == [["R1", "active", ""]]


def test_an_episode_of_another_program_leaves_a_referral_waiting(made, geriatric):
    tables = made(referrals=[_referral()], episodes=[_episode(program="legal")])
    assert _status(tables, geriatric) == [["R1", "waiting", ""]]


@pytest.mark.parametrize(
    ("facts", "state", "since"),
    [
        ([("2026-02-16", None, "suspended")], "suspended", "2026-02-16"),
        ([("2026-02-16", "2026-02-20", "suspended")], "active", "2026-02-15"),
        ([("2026-02-16", "2026-03-01", "watch")], "watch", "2026-02-16"),
        ([("2026-02-01", None, "watch")], "active", "2026-02-15"),
        ([("2026-02-16", "2026-02-20", "suspended"), ("2026-02-21", None, "watch")], "watch", "2026-02-21"),
    ],
)
def test_the_state_of_an_episode_is_the_dated_fact(made, geriatric, facts, state, since):
    rows = [
        {"person_id": "P1", "fact": "state", "value": value, "valid_from": begin, "valid_to": end, "recorded_at": begin}
        for begin, end, value in facts
    ]
    found = status_on(made(referrals=[_referral()], episodes=[_episode()], person_facts=rows), geriatric, DATE)
    assert found[["status", "since"]].to_numpy().tolist() == [[state, pd.Timestamp(since)]]


def test_without_any_dated_state_the_episode_itself_says_it(made, geriatric):
    tables = made(referrals=[_referral()], episodes=[_episode(state="watch")])
    assert _status(tables, geriatric) == [["R1", "watch", ""]]


def test_a_closed_episode_uses_up_its_referral_and_a_new_one_waits(made, geriatric):
    closed = _episode(closed_on="2026-02-20", close_reason="goals_met")
    assert _status(made(referrals=[_referral()], episodes=[closed]), geriatric) == [["R1", "closed", "goals_met"]]
    assert _status(made(referrals=[_referral()], episodes=[closed]), geriatric, "2026-02-20") == [["R1", "active", ""]]
    again = made(referrals=[_referral(), _referral(2, referred_on="2026-02-25")], episodes=[closed])
    assert _status(again, geriatric) == [["R2", "waiting", ""]]


def test_an_episode_without_a_referral_is_told_too(made, geriatric):
    tables = made(episodes=[_episode()])
    assert status_on(tables, geriatric, DATE)["status"].tolist()[-1] == "active"


def test_a_death_that_is_known_takes_a_person_off_every_list(made, geriatric):
    person = {"person_id": "P1", "recorded_at": "2026-01-01"}
    late = {**person, "recorded_at": "2026-02-20", "died_on": "2026-02-18"}
    by_person = made(persons=[person, late], referrals=[_referral()])
    assert _status(by_person, geriatric, "2026-02-20") == [["R1", "waiting", ""]]
    found = status_on(by_person, geriatric, DATE)
    assert found[["status", "since"]].to_numpy().tolist() == [["dead", pd.Timestamp("2026-02-18")]]
    snapshot = made(persons=[person | {"died_on": "2026-03-01"}], referrals=[_referral()])
    assert _status(snapshot, geriatric) == [["R1", "waiting", ""]]  # the register knew more than the date
    event = {"event_id": "E1", "person_id": "P1", "kind": "death", "observed_at": "2026-02-18",
             "recorded_at": "2026-02-19"}  # fmt: skip
    assert _status(made(referrals=[_referral()], events=[event]), geriatric) == [["R1", "dead", ""]]
    closed = _episode(closed_on="2026-02-20", close_reason="death")
    assert _status(made(referrals=[_referral()], episodes=[closed]), geriatric) == [["R1", "dead", ""]]


def test_objecting_to_scoring_is_a_flag_and_changes_no_status(made, geriatric):
    person = {"person_id": "P1", "recorded_at": "2026-01-01", "objects_to_scoring": True}
    found = status_on(made(persons=[person], referrals=[_referral()]), geriatric, DATE)
    assert found["status"].tolist() == ["waiting"]
    assert found["objects_to_scoring"].tolist() == [True]


def test_a_corrected_referral_counts_in_the_version_known(made, geriatric):
    rows = [_referral(is_complete=False), _referral(recorded_at="2026-02-20")]
    tables = made(referrals=rows)
    assert _status(tables, geriatric, "2026-02-20")[0][1] == "invalid_form"
    assert _status(tables, geriatric)[0][1] == "waiting"


def test_an_answer_that_is_kept_can_be_changed_by_nobody_and_belongs_to_its_date_and_program() -> None:
    tables, program = synthesize("geriatric", people=40, random_state=1).tables, load_program("geriatric")
    first = status_on(tables, program, "2026-06-01")
    first["status"] = "changed"
    again = status_on(tables, program, "2026-06-01")
    assert not (again["status"] == "changed").any()
    assert not again.equals(status_on(tables, program, "2026-02-01"))
    pd.testing.assert_frame_equal(status_on(tables, program, "2026-06-01"), again)
    assert (status_on(tables, load_program("medical"), "2026-06-01")["status"] == "out_of_scope").any()
