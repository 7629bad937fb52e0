from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge import load_program, minutes_of_weight

FIRST_FEATURE = 'name = "age"\nkind = "age"\n'


def test_a_site_copies_a_program_and_edits_it(edited) -> None:
    path = edited("programs", "geriatric", "window_days = 180", "window_days = 365")
    own, shipped = load_program(path), load_program("geriatric")
    assert own.feature("falls_180d").options["window_days"] == 365
    assert own.fingerprint != shipped.fingerprint
    assert load_program(str(path)) == own


def test_no_program_has_the_name() -> None:
    with pytest.raises(UsageError, match=r"no program is called 'geriatrics'.*choose one of:.*geriatric"):
        load_program("geriatrics")


def test_a_feature_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_program("geriatric").feature("shoe_size")


def test_the_scorecard_beside_a_sites_program_is_found(edited, tmp_path: Path) -> None:
    card = files("casestrat.knowledge").joinpath("scorecards").joinpath("geriatric_default.toml").read_text("utf-8")
    (tmp_path / "our_card.toml").write_text(card.replace("points = 2", "points = 3", 1), encoding="utf-8")
    path = edited("programs", "geriatric", 'scorecard = "geriatric_default"', 'scorecard = "our_card.toml"')
    program = load_program(path)
    assert Path(program.risk.scorecard) == (tmp_path / "our_card.toml").resolve()
    elsewhere = tmp_path / "moved"
    elsewhere.mkdir()
    for name in ("our_card.toml", "geriatric.toml"):
        (elsewhere / name).write_bytes((tmp_path / name).read_bytes())
    assert load_program(elsewhere / "geriatric.toml").fingerprint == program.fingerprint


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        # unknown keys, with their place and the nearest name
        (
            "horizon_days = 90\ncompeting",
            "horizn_days = 90\ncompeting",
            "'horizon_days' is missing.*outcomes.unplanned_stay",
        ),
        (FIRST_FEATURE, FIRST_FEATURE + "windw_days = 3\n", r"'windw_days'.*features\[age\]"),
        ("[privacy]", "[privcy]", "unknown key 'privcy'.*did you mean 'privacy'"),
        (FIRST_FEATURE, FIRST_FEATURE + "window_days = 3\n", "window_days"),
        # references that lead nowhere
        ('intensity = "watch"', 'intensity = "wach"', "no intensity is called 'wach'.*did you mean 'watch'"),
        ('outcome = "unplanned_stay"', 'outcome = "unplaned_stay"', "risk.outcome.*'unplanned_stay'"),
        ('"no_entourage"]', '"no_entourag"]', "no rule is called 'no_entourag'"),
        ('instrument = "aggir"', 'instrument = "aggr"', "no instrument of the program is called 'aggr'"),
        ('output = "gir"', 'output = "girr"', "no output of the instrument is called 'girr'"),
        (
            'where = { kind = "fall" }',
            'where = { kind = "falls" }',
            "no kind of event of the program is called 'falls'",
        ),
        ('where = { kind = "fall" }', 'where = { kind = ["fall", "slip"] }', "is called 'slip'"),
        ('event = "hospital_stay"', 'event = "stay"', "outcomes.unplanned_stay"),
        ('competing = ["death"]', 'competing = ["deth"]', "'death'"),
        ('competing = ["death"]', 'competing = ["residential_admission"]', "cannot compete with itself"),
        ('closed = "lost"', 'closed = "loss"', "no reason of closing is called 'loss'.*did you mean 'lost'"),
        ('closed = "lost"', 'instrument = "cesd"\nclosed = "lost"', "outcomes.lost_to_follow_up.*`closed`"),
        ('closed = "lost"', "", "an outcome is an event or the closing of an episode"),
        ('feature = "gir"', 'feature = "girr"', "priority.components.need"),
        ("weights = { risk =", "weights = { risks =", "priority.weights"),
        ("rates = { high = 4", "rates = { hihg = 4", "no tier is called 'hihg'"),
        ("rates = { high = 4, ", "rates = { ", "no rate is given for tier 'high'"),
        ('scorecard = "geriatric_default"', 'scorecard = "phq9"', "no feature .item of scorecard 'phq9'. is called"),
        ('instruments = ["aggir"', 'instruments = ["agir", "aggir"', "no instrument is called 'agir'"),
        ('fact = "caregiver"', 'fact = "carer"', "no fact of the program is called 'carer'"),
        ('column = "no_capable_entourage"', 'column = "alone"', "no column of referrals"),
        ('audit_groups = ["sex"', 'audit_groups = ["gender"', "audit_groups"),
        ('neurodegenerative"', 'neurodegeneratif"', "criteria.cnsa..rules.aged"),
        # values out of bounds, and shapes
        ('expression = "age >= 60 or', 'expression = "age + 1 >= 60 or', "BinOp, which is not allowed"),
        ("from_points = 9", "from_points = 4", "`from_points` does not fall"),
        ("from_points = 9\n", "", "given for some tiers only"),
        ("from_risk = 0.3", "from_risk = 1.3", r"must lie in \[0, 1\]"),
        ('id = "low"\nintensity', 'id = "low"\nfrom_points = 1\nintensity', "the lowest tier, and it alone"),
        ('id = "low"\n', 'id = "high"\n', "has 'high' twice"),
        ("best = 6, worst = 1", "best = 6, worst = 6", "are the same"),
        ('mode = "accumulating"', 'mode = "best"', "no mode of that kind"),
        ('kind = "home_visit", every_days = 7', 'kind = "visit", every_days = 7', "no kind of contact"),
        ('kind = "home_visit", every_days = 7', 'kind = "home_visit", every_days = 0', "must be 1 or more"),
        ("valid_from = 2015-01-01", "valid_from = 2015-01-01\nvalid_to = 2014-01-01", "must come after"),
        ("non_case_share = 0.25", "non_case_share = 1.0", r"must lie in \[0, 1\)"),
        ("delta = 0.005", "delta = -1.0", "must not be negative"),
        ("minutes_per_week = 72", "minutes_per_week = 72\nweight = 1.0", "either minutes a week or a weight"),
        ("minutes_per_week = 72", "weight = 0.0", "must be above 0"),
        (
            'event = "hospital_stay"\n',
            'event = "hospital_stay"\ninstrument = "cesd"\n',
            "an outcome is an event or the closing",
        ),
        ('kind = "age"\n', 'kind = "aeg"\n', "no kind of feature is called 'aeg'.*did you mean 'age'"),
        ('kind = "count"\ntable = "events"\n', 'kind = "count"\n', "needs `table`"),
        ('table = "events"', 'table = "event"', "no table of dated rows"),
        ('worse = "higher"', 'worse = "more"', "worse"),
        ('code = "no_place"', 'code = "criteria_met"', "has 'criteria_met' twice"),
        ('kind = "age"\n', 'kind = "person"\ncolumn = "sex"\n', "not a feature by its role"),
        ('kind = "age"\n', 'kind = "person"\ncolumn = "gender"\n', "no column of persons"),
    ],
)
def test_a_fault_is_refused_with_its_place_and_a_way_out(edited, before: str, after: str, words: str) -> None:
    with pytest.raises(KnowledgeError, match=words) as told:
        load_program(edited("programs", "geriatric", before, after))
    assert told.value.do


def test_a_program_without_tiers_is_refused(edited) -> None:
    text = files("casestrat.knowledge").joinpath("programs").joinpath("geriatric.toml").read_text("utf-8")
    start, end = text.index("[[tiers]]"), text.index("[intensities.onboarding]")
    path = edited("programs", "geriatric", text[start:end], "")
    with pytest.raises(KnowledgeError, match=r"'tiers' is missing"):
        load_program(path)
    path.write_text("tiers = []\n" + path.read_text("utf-8"), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"at least one tier"):
        load_program(path)


def test_an_outcome_may_be_an_instruments_score() -> None:
    outcome = load_program("substance_use").outcomes["depressive_symptoms"]
    assert (outcome.event, outcome.instrument, outcome.output, outcome.at_least) == (None, "cesd", "total", 16.0)


def test_an_outcome_may_be_the_closing_of_an_episode_an_event_or_either() -> None:
    outcomes = load_program("geriatric").outcomes
    lost, moved_in = outcomes["lost_to_follow_up"], outcomes["residential_admission"]
    assert (lost.event, lost.closed, lost.happens) == (None, ("lost",), True)
    assert (moved_in.event, moved_in.closed) == ("setting_change", ("residential_admission",))
    assert lost.rivals["death"] == outcomes["death"]
    assert lost.rivals["residential_admission"].closed == moved_in.closed


def test_an_outcome_may_be_the_next_measurement() -> None:
    outcome = load_program("substance_use").outcomes["homeless_next"]
    assert (outcome.measurement, outcome.at_least, outcome.which, outcome.happens) == ("homeless", 1.0, "next", False)
    assert load_program("substance_use").outcomes["depressive_symptoms"].which == "any"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('measurement = "homeless"', 'measurement = "homless"', "no kind of measurement of the program is called"),
        ('which = "next"', 'which = "last"', "no which of that kind is called 'last'"),
        ("at_least = 1\n", "", "'at_least' is missing"),
        (
            'competing = ["death"]\nlabel.en = "homeless at',
            'competing = ["depressive_symptoms"]\nlabel.en = "homeless at',
            "no kind of event or outcome that happens is called 'depressive_symptoms'",
        ),
    ],
)
def test_an_outcome_that_is_looked_at_is_checked(edited, before: str, after: str, words: str) -> None:
    with pytest.raises(KnowledgeError, match=words):
        load_program(edited("programs", "substance_use", before, after))


def test_several_reasons_of_closing_may_be_one_outcome(edited) -> None:
    path = edited("programs", "geriatric", 'closed = "lost"', 'closed = ["lost", "withdrew"]')
    assert load_program(path).outcomes["lost_to_follow_up"].closed == ("lost", "withdrew")


def test_an_outcome_names_an_output_of_its_instrument(edited) -> None:
    path = edited("programs", "substance_use", "at_least = 16", 'at_least = 16\noutput = "points"')
    with pytest.raises(KnowledgeError, match=r"no output of the instrument is called 'points'"):
        load_program(path)


def test_measurements_are_chosen_by_kinds_of_the_program(edited) -> None:
    path = edited("programs", "medical", 'where = { kind = "hdl" }', 'where = { kind = "ldl" }')
    with pytest.raises(KnowledgeError, match=r"no kind of measurement of the program is called 'ldl'"):
        load_program(path)


@pytest.mark.parametrize(
    ("weight", "norm", "share", "minutes"),
    [(1.0, 40, 0.25, 39), (1.6, 40, 0.25, 63), (0.001, 40, 0.25, 1), (1.0, 20, 0.0, 105)],
)
def test_a_case_weight_is_turned_into_minutes_a_week(weight: float, norm: int, share: float, minutes: int) -> None:
    assert minutes_of_weight(weight, norm, share) == minutes


def test_a_caseload_at_its_norm_fills_a_full_time_week() -> None:
    program = load_program("medical")
    standard = minutes_of_weight(1.0, program.allocation.caseload_norm, program.allocation.non_case_share)
    week = 35 * 60 * (1 - program.allocation.non_case_share)
    assert standard * program.allocation.caseload_norm == pytest.approx(week, rel=0.02)


def test_what_follows_from_a_refusal_is_as_practice_asks() -> None:
    vectors = Path(__file__).parents[1] / "vectors" / "issue_thread_cases.json"
    asked = json.loads(vectors.read_text(encoding="utf-8"))["refusal_consequence"][0]
    days = {reason.code: reason.days_parked for reason in load_program("geriatric").decision_reasons}
    assert asked["client_refused"] == f"park {days['person_declined']} days"
    assert asked["not_located"] == f"park {days['not_located']} days"
    assert days["criteria_not_met"] is None  # unavailable until referred anew


HIGH = 'id = "high"\nfrom_points = 9\nfrom_risk = 0.3\n'
RULE = '\n[[tier_rules]]\nid = "crisis"\nexpression = "falls_180d >= 3 or risk > 0.8"\ntier = "high"\noverride = 1\n'


def test_ways_out_least_stays_and_rules_are_read(edited) -> None:
    ways = "leave_points = 7\nleave_risk = 0.25\nleast_stay_days = 60\n"
    path = edited("programs", "geriatric", HIGH, HIGH + ways)
    path.write_text(path.read_text("utf-8") + RULE, encoding="utf-8")
    program = load_program(path)
    high = program.tiers[0]
    assert (high.leave_points, high.leave_risk, high.least_stay_days) == (7, 0.25, 60)
    assert program.tiers[1].leave_points is None
    rule = program.tier_rules[0]
    assert (rule.id, rule.tier, rule.how, rule.override) == ("crisis", "high", "is", 1)
    assert program.fingerprint != load_program("geriatric").fingerprint


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (HIGH, HIGH + "leave_points = 10\n", "does not lie above"),
        (HIGH, HIGH + "leave_risk = -0.1\n", "must lie in"),
        (HIGH, HIGH + "leave_points = 5\n", "does not fall"),
        (HIGH, HIGH + "least_stay_days = 0\n", "1 or more"),
        ('id = "low"\n', 'id = "low"\nleast_stay_days = 30\n', "lowest tier"),
        ('id = "low"\n', 'id = "low"\nleave_points = 1\n', "needs `from_points`"),
        ("\n[privacy]", RULE.replace('tier = "high"', 'tier = "top"') + "\n[privacy]", "no tier is called 'top'"),
        ("\n[privacy]", RULE.replace("falls_180d", "falls") + "\n[privacy]", "no feature or score"),
        ("\n[privacy]", RULE.replace("override = 1", 'how = "perhaps"') + "\n[privacy]", "perhaps"),
        ("\n[privacy]", RULE.replace('tier = "high"\noverride = 1\n', "") + "\n[privacy]", "an override or both"),
        ("\n[privacy]", RULE + RULE + "\n[privacy]", "twice"),
        ('domain = "geriatric"\nlicence', 'domain = "juvenile"\nlicence', "opt_in"),
    ],
)
def test_tiers_and_rules_that_cannot_be_meant_are_refused(edited, old: str, new: str, words: str) -> None:
    path = edited("programs", "geriatric", old, new)
    with pytest.raises(KnowledgeError, match=words):
        load_program(path)


def test_a_juvenile_program_asks_for_a_reason_without_being_told(edited) -> None:
    path = edited("programs", "geriatric", 'learned_ranking = "allowed"\n', "")
    text = path.read_text("utf-8").replace('domain = "geriatric"\nlicence', 'domain = "juvenile"\nlicence')
    path.write_text(text, encoding="utf-8")
    assert load_program(path).privacy.learned_ranking == "opt_in"
