import dataclasses
from pathlib import Path

import pytest

from casestrat.errors import KnowledgeError
from casestrat.knowledge import AllocationRules, CapacityStep, CaseMixLimit, Clearance, SkillNeed, load_program

SHIPPED = Path(__file__).parents[2] / "src/casestrat/knowledge/programs/geriatric.toml"


@pytest.fixture
def rules_of(tmp_path):
    """Return the allocation rules of the geriatric program with lines added to its `[allocation]`."""

    def load(lines, after="", **replaced):
        text = SHIPPED.read_text(encoding="utf-8")
        for key, value in replaced.items():
            head, found, tail = text.partition("[allocation]\n")
            line = next(line for line in tail.splitlines() if line.startswith(f"{key} = "))
            text = head + found + tail.replace(line, f"{key} = {value}", 1)
        text = text.replace("[allocation]\n", f"[allocation]\n{lines}\n", 1) + "\n" + after
        path = tmp_path / "own.toml"
        path.write_text(text, encoding="utf-8")
        return load_program(path).allocation

    return load


def test_what_is_not_written_has_the_usual_value(rules_of):
    shipped, usual = load_program("geriatric").allocation, AllocationRules()
    assert rules_of("") == shipped
    for name in ("weights", "ramp_up", "by_experience", "min_experience_months", "skills", "case_mix", "travel"):
        assert getattr(shipped, name) == getattr(usual, name)


def test_every_rule_of_time_is_read(rules_of):
    rules = rules_of(
        "measured_days = 90\nrecorded_share = 0.8\nfull_time_minutes = 2280",
        """
        [allocation.travel]
        north = 0
        "south west" = 25
        [[allocation.ramp_up]]
        under_months = 3
        share = 0.6
        [[allocation.ramp_up]]
        under_months = 1
        share = 0.25
        [[allocation.by_experience]]
        under_months = 12
        share = 0.9
        """,
        weights='"measured"',
    )
    assert (rules.weights, rules.measured_days, rules.recorded_share) == ("measured", 90, 0.8)
    assert dict(rules.travel) == {"north": 0, "south west": 25}
    assert rules.ramp_up == (CapacityStep(1, 0.25), CapacityStep(3, 0.6))
    assert rules.by_experience == (CapacityStep(12, 0.9),)
    assert rules.full_time_minutes == 2280


def test_every_rule_of_who_may_follow_is_read(rules_of):
    rules = rules_of(
        'min_experience_months = 6\nskills = ["dementia"]',
        """
        [allocation.experience]
        high = 12
        [[allocation.skills_when]]
        skill = "mental_health"
        when = "neurodegenerative and tier == 'high'"
        [[allocation.case_mix]]
        tier = "high"
        most = 10
        [[allocation.case_mix]]
        kind = "proposed"
        most = 2
        """,
    )
    assert rules.min_experience_months == 6
    assert dict(rules.experience) == {"high": 12}
    assert rules.skills == ("dementia",)
    assert rules.skills_when == (SkillNeed("mental_health", "neurodegenerative and tier == 'high'"),)
    assert rules.case_mix == (CaseMixLimit(10, "high"), CaseMixLimit(2, None, "proposed"))


def test_contracts_clearances_and_the_guardian_s_language_are_read(rules_of):
    rules = rules_of(
        "",
        """
        [allocation.payer_contracts]
        "Plan A" = "contract_a|contract_all"
        State = ""
        [[allocation.confidential]]
        clearance = "part2"
        when = "protection == 'guardianship'"
        [[allocation.confidential]]
        clearance = "hiv"
        when = "neurodegenerative"
        if_unknown = "not_asked"
        """,
    )
    assert dict(rules.payer_contracts) == {"Plan A": "contract_a|contract_all", "State": ""}
    assert rules.confidential == (
        Clearance("part2", "protection == 'guardianship'"), Clearance("hiv", "neurodegenerative", "not_asked"),
    )  # fmt: skip
    assert rules.certificates == {"contract_a", "contract_all", "part2", "hiv"}
    assert rules.guardian_language == "ignored"


def test_a_program_that_asks_for_the_guardian_s_language_declares_the_fact(rules_of):
    with pytest.raises(KnowledgeError, match="guardian_language"):
        rules_of('guardian_language = "beside"')


def test_records_of_substance_use_ask_for_a_clearance_where_they_are_under_part_2():
    assert load_program("substance_use").allocation.confidential == (Clearance("part2", "part2", "not_asked"),)


@pytest.mark.parametrize(
    ("lines", "after", "words"),
    [
        ('guardian_language = "often"', "", "guardian_language"),
        ("", "[allocation.payer_contracts]\nState = 3", "State"),
        ("", "[[allocation.confidential]]\nclearance = ' '\nwhen = 'neurodegenerative'", "clearance"),
        ("", "[[allocation.confidential]]\nclearance = 'part2'\nwhen = 'nothing_known'", "nothing_known"),
        ("", "[[allocation.confidential]]\nclearance = 'x'\nwhen = 'language'\nif_unknown = 'maybe'", "if_unknown"),
        ("recorded_share = 0", "", "recorded_share"),
        ("recorded_share = 1.5", "", "recorded_share"),
        ("measured_days = 3", "", "measured_days"),
        ("min_experience_months = -1", "", "min_experience_months"),
        ("", "[allocation.travel]\nnorth = -5", "north"),
        ("", "[allocation.travel]\nnorth = 2.5", "north"),
        ("", "[[allocation.ramp_up]]\nunder_months = 1\nshare = 1.5", "share"),
        ("", "[[allocation.ramp_up]]\nunder_months = 0\nshare = 0.5", "under_months"),
        ("", "[[allocation.ramp_up]]\nunder_months = 1\nshare = 1\n[[allocation.ramp_up]]\nunder_months = 1\n"
             "share = 0.5", "same months"),
        ("", "[allocation.experience]\nhighest = 12", "tier"),
        ("", "[[allocation.case_mix]]\nmost = 3", "tier"),
        ("", "[[allocation.case_mix]]\nmost = 3\ntier = 'highest'", "tier"),
        ("", "[[allocation.case_mix]]\nmost = -3\ntier = 'high'", "most"),
        ("", "[[allocation.case_mix]]\nmost = 3\nkind = 'closed'", "kind"),
        ("", "[[allocation.skills_when]]\nskill = 'x'\nwhen = 'nothing_known'", "nothing_known"),
        ("", "[[allocation.skills_when]]\nskill = 'x'\nwhen = 'language ='", "expression"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(rules_of, lines, after, words):
    with pytest.raises(KnowledgeError, match=words):
        rules_of(lines, after)


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"weights": '"guessed"'}, "weights"), ({"continuity": "1.5"}, "continuity"), ({"travel": "-1"}, "travel"),
        ({"wishes": "1\ndistance = 3"}, "distance"),
    ],
)  # fmt: skip
def test_weights_and_costs_that_make_no_sense_are_refused(rules_of, replaced, words):
    with pytest.raises(KnowledgeError, match=words):
        rules_of("", **replaced)


def test_shares_of_time_stay_in_their_range(rules_of):
    with pytest.raises(KnowledgeError, match="non_case_share"):
        rules_of("", non_case_share="1.0")
    with pytest.raises(KnowledgeError, match="delta"):
        rules_of("", delta="-0.1")


def test_costs_are_the_site_s_own(rules_of):
    costs = rules_of("", continuity="10", travel="0").costs
    assert dataclasses.astuple(costs) == (10, 3, 0, 1)


def test_rules_can_be_hashed_and_told_apart():
    assert hash(AllocationRules(travel={"north": 5}, skills=["a"])) == hash(
        AllocationRules(travel={"north": 5}, skills=("a",))
    )
    assert AllocationRules(travel={"north": 5}) != AllocationRules()
