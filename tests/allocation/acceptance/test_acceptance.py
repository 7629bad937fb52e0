"""Tests of acceptance: a proposal counts when a person accepts it, by name, and can be taken back."""

import pandas as pd
import pytest

from casestrat.allocation import accept_moves, lead_faults, record_assignments
from casestrat.errors import UsageError
from casestrat.tables import Tables
from casestrat.timeline import known

DAY = "2026-10-05"


@pytest.fixture(scope="module")
def agency():
    """Two people who are followed by A, one whom nobody leads, one whose episode is closed."""
    at = {"recorded_at": "2026-01-10"}
    people = ["P1", "P2", "P3", "P4"]
    return Tables.from_frames({
        "persons": pd.DataFrame({"person_id": people, **at}),
        "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"], **at}),
        "episodes": pd.DataFrame({"episode_id": ["E1", "E2", "E3", "E4"], "person_id": people,
                                  "admitted_on": "2026-01-09", "closed_on": [None, None, None, "2026-02-01"], **at}),
        "case_managers": pd.DataFrame({"cm_id": ["A", "B", "C"], "minutes_per_week": 500}),
        "conflicts": pd.DataFrame({"person_id": ["P2"], "cm_id": ["C"], "reason": "family", **at}),
        "assignments": pd.DataFrame({"assignment_id": ["1", "2"], "episode_id": ["E1", "E2"], "person_id": ["P1", "P2"],
                                     "cm_id": "A", "role": "lead", "from_on": "2026-01-10", **at}),
    })  # fmt: skip


def moves(**changes: object) -> pd.DataFrame:
    """Return proposed moves of all four, with something changed."""
    frame = pd.DataFrame({
        "case_id": ["E1", "E2", "E3", "E4"], "person_id": ["P1", "P2", "P3", "P4"], "from_cm": ["A", "A", None, None],
        "to_cm": "B", "reason": ["leaver", "leaver", "no_lead", "no_lead"], "until": pd.NaT,
    })  # fmt: skip
    return frame.assign(**changes)


def leads(frame: pd.DataFrame, day: str) -> dict[str, str]:
    """Return who leads each episode on a day, by what is known then."""
    rows = known(frame, "assignment_id", pd.Timestamp(day))
    on = (rows["role"] == "lead") & (rows["from_on"] <= day) & ~(rows["to_on"] < day)
    assert not rows[on]["episode_id"].duplicated().any()  # exactly one active lead
    return dict(zip(rows[on]["episode_id"], rows[on]["cm_id"], strict=True))


def test_an_accepted_move_ends_the_old_lead_with_a_reason_and_begins_the_new_one(agency):
    done = accept_moves(agency, moves(), ["E1"], by="team lead", decided_on=DAY)
    assert done.rows[["assignment_id", "cm_id", "end_reason"]].iloc[0].tolist() == ["1", "A", "leaver"]
    assert done.rows["to_on"].iloc[0] == pd.Timestamp("2026-10-04")
    assert leads(done.assignments, "2026-10-08") == {"E1": "B", "E2": "A"}
    assert leads(done.assignments, "2026-10-05") == {"E1": "A", "E2": "A"}  # not known on the day itself
    assert list(done.rows.columns) == list(agency.assignments.columns)
    assert leads(agency.assignments, "2026-10-08") == {"E1": "A", "E2": "A"}  # the tables are not changed


def test_a_proposal_that_nobody_accepts_changes_nothing(agency):
    done = accept_moves(agency, moves(), [], by="team lead", decided_on=DAY)
    assert done.rows.empty
    pd.testing.assert_frame_equal(done.assignments, agency.assignments)


def test_a_case_that_nobody_led_gets_its_lead(agency):
    done = accept_moves(agency, moves(), ["E3"], by="team lead", decided_on=DAY, from_on="2026-10-12")
    assert done.rows[["person_id", "cm_id", "role"]].to_numpy().tolist() == [["P3", "B", "lead"]]
    assert leads(done.assignments, "2026-10-13")["E3"] == "B"


def test_accepting_twice_changes_nothing(agency):
    first = accept_moves(agency, moves(), ["E1", "E2"], by="team lead", decided_on=DAY)
    again = accept_moves(first.assignments, moves(), ["E1", "E2"], by="team lead", decided_on=DAY)
    assert again.rows.empty
    assert not again.standing["is_new"].any()
    assert again.refused.empty


def test_what_was_accepted_can_be_taken_back_and_accepted_anew(agency):
    first = accept_moves(agency, moves(), ["E1"], by="team lead", decided_on=DAY)
    back = first.undo(by="team lead", decided_on="2026-10-06", reason="the person asked to stay")
    assert leads(back.assignments, "2026-10-08") == {"E1": "A", "E2": "A"}
    last = known(back.assignments, "assignment_id", pd.Timestamp("2026-10-08")).set_index("assignment_id")
    assert pd.isna(last.loc["1", "end_reason"])
    assert len(back.assignments) == len(agency.assignments) + 4  # nothing is deleted
    anew = accept_moves(back.assignments, moves(), ["E1"], by="team lead", decided_on=DAY)
    assert leads(anew.assignments, "2026-10-08")["E1"] == "B"


def test_a_proposal_is_stale_once_the_lead_has_changed(agency):
    first = accept_moves(agency, moves(), ["E1"], by="team lead", decided_on=DAY)
    other = accept_moves(first.assignments, moves(to_cm="C"), ["E1"], by="team lead", decided_on="2026-10-07")
    assert other.rows.empty
    assert other.refused[["row", "case_id", "column", "rule"]].to_numpy().tolist() == [[1, "E1", "from_cm", "stale"]]
    onward = moves(from_cm="B", to_cm="C")
    moved_on = accept_moves(first.assignments, onward, ["E1"], by="x", decided_on="2026-10-07")
    taken_back = decided(case_id="E1", decision="undo", decided_at="2026-10-09", reason="error")
    undone = record_assignments(moved_on.assignments, pd.DataFrame([taken_back]))
    assert leads(undone.assignments, "2026-10-10")["E1"] == "B"  # the last acceptance is taken back, not the first


def test_nobody_is_named_is_an_error_and_cases_without_a_move_are_refused(agency):
    for nobody in ("", "  ", None):
        with pytest.raises(UsageError, match="nobody is named"):
            accept_moves(agency, moves(), ["E1"], by=nobody, decided_on=DAY)
    done = accept_moves(agency, moves(), ["E4", "E9"], by="team lead", decided_on=DAY)
    assert done.rows.empty
    assert set(zip(done.refused["case_id"], done.refused["rule"], strict=True)) == {
        ("E4", "no_open_episode"), ("E9", "no_case_manager"), ("E9", "no_reason"),
    }  # fmt: skip


def test_cover_during_a_leave_leaves_the_lead_the_lead(agency):
    away = moves(reason="absence", until=pd.Timestamp("2026-12-04"))
    done = accept_moves(agency, away, ["E1"], by="team lead", decided_on=DAY)
    assert done.rows[["cm_id", "role"]].to_numpy().tolist() == [["B", "temporary"]]
    assert done.rows["to_on"].iloc[0] == pd.Timestamp("2026-12-04")
    assert leads(done.assignments, "2026-10-08")["E1"] == "A"
    back = done.undo("team lead", "2026-10-06", "came back")
    assert known(back.assignments, "assignment_id", pd.Timestamp("2026-10-08"))["role"].tolist() == ["lead", "lead"]


def decided(**changes: object) -> dict[str, object]:
    """One decision of a file."""
    plain = {"case_id": "E2", "from_cm": "A", "to_cm": "B", "decision": "accept", "reason": "leaver"}
    return plain | {"decided_by": "lead", "decided_at": "2026-10-05T15:00:00"} | changes


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"decided_by": None}, "no_decider"),
        ({"decided_at": None}, "no_moment"),
        ({"decided_at": "soon"}, "type"),
        ({"decision": "perhaps"}, "decision"),
        ({"case_id": None}, "no_case"),
        ({"role": "boss"}, "role"),
        ({"reason": " "}, "no_reason"),
        ({"to_cm": None}, "no_case_manager"),
        ({"to_cm": "Z"}, "unknown_case_manager"),
        ({"decision": "change", "to_cm": "C"}, "conflict"),
        ({"to_cm": "A"}, "same_lead"),
        ({"from_cm": "C"}, "stale"),
        ({"until": "2026-10-01"}, "ends_before_it_begins"),
        ({"decision": "undo"}, "nothing_to_undo"),
        ({"case_id": 7}, "type"),
    ],
)
def test_a_decision_that_cannot_stand_says_why_and_the_others_do(agency, changes, rule):
    rows = [decided(**changes), decided(case_id="E1")]
    done = record_assignments(agency, {"format": "casestrat-assignments/1", "decisions": rows})
    assert rule in set(done.refused["rule"])
    assert done.refused["row"].eq(1).all()
    assert done.standing["row"].tolist() == [2]
    assert done.rows["episode_id"].tolist() == ["E1", "E1"]


def test_holding_does_nothing_and_changing_takes_the_other_case_manager(agency):
    rows = [decided(decision="hold", reason=None, to_cm=None), decided(case_id="E1", decision="change", to_cm="C")]
    done = record_assignments(agency, {"format": "casestrat-assignments/1", "decisions": rows})
    assert done.standing["decision"].tolist() == ["hold", "change"]
    assert leads(done.assignments, "2026-10-08") == {"E1": "C", "E2": "A"}
    assert repr(done) == "Acceptance(2 decisions stand, 1 of them new; 0 do not)"


def test_the_table_alone_is_enough_and_knows_its_own_episodes(agency):
    done = accept_moves(agency.assignments, moves(), ["E1", "E3"], by="x", decided_on=DAY)
    assert done.refused[["case_id", "rule"]].to_numpy().tolist() == [["E3", "unknown_episode"]]
    assert leads(done.assignments, "2026-10-08")["E1"] == "B"


def test_a_lead_of_the_same_day_still_ends_after_it_began(agency):
    first = accept_moves(agency, moves(), ["E1"], by="x", decided_on=DAY)
    second = accept_moves(first.assignments, moves(from_cm="B", to_cm="C"), ["E1"], by="y", decided_on=DAY)
    spans = second.assignments.dropna(subset="to_on")
    assert (spans["to_on"] >= spans["from_on"]).all()
    assert leads(second.assignments, "2026-10-09")["E1"] == "C"


def test_open_episodes_without_exactly_one_lead_are_listed(agency):
    faults = lead_faults(agency, DAY)
    assert faults[["case_id", "person_id", "n_leads"]].to_numpy().tolist() == [["E3", "P3", 0]]
