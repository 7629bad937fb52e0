"""Contracts of what a nightly run writes: each output is a table with declared columns too."""

import pandera.pandas as pa

from casestrat.tables.columns import (
    Flag,
    Moment,
    Number,
    Text,
    Whole,
    day,
    field,
    key_id,
    other_id,
    person_id,
)
from casestrat.tables.contract import Contract, Table, contract_of, facts
from casestrat.tables.contracts_care import CONTACT_KINDS
from casestrat.tables.output_columns import OUTPUT_WHY
from casestrat.tables.output_columns import output_amount as _amount
from casestrat.tables.output_columns import output_as_of as _as_of
from casestrat.tables.output_columns import output_code as _code
from casestrat.tables.output_columns import output_count as _count
from casestrat.tables.output_columns import output_flag as _flag
from casestrat.tables.output_columns import output_listed as _listed
from casestrat.tables.output_columns import output_share as _share
from casestrat.tables.output_columns import output_text as _text
from casestrat.tables.outputs_of_staffing import Admissible, Binding, Expiring, Hiring

_CRITERIA = ("meets", "fails", "ask")
_KIND = ("open", "proposed")
_CHANGES = ("joins", "leaves", "gains_place", "loses_place", "moves")
_SHADOW_CHANGES = (*_CHANGES, "stays")
_MOVE_KINDS = ("forced", "voluntary")
_MOVE_REASONS = ("leaver", "absence", "no_lead", "newcomer", "room", "balance")
_COVERS = ("overload", "backup", "absence")
_SEE_REASONS = ("crisis", "planned_contact", "contact_due", "plan_review", "nothing_due")
_RULES = ("override", "deadline", "index", "referral_date", "lottery")


class WaitingList(Table):
    """A waiting referral with its rank, and what set it there."""

    referral_id: Text = key_id("Referral that waits.")
    meeting_id: Text = _text("Meeting whose list this is; missing where none is planned.")
    rank: Whole = _count("Place on the list of that meeting, 1 first.", "rank", 1, "needed")
    person_id: Text = person_id()
    territory: Text = _text("Territory of the list.")
    tier: Text = _code("Tier of risk.")
    points: Whole = _count("Points of the scorecard.", "points", -(10**6))
    risk: Number = _share("Probability of the outcome within its horizon.")
    risk_low: Number = _share("Lower end of the interval of the risk.")
    risk_high: Number = _share("Upper end of the interval of the risk.")
    waited_days: Whole = _count("Days since the referral.", "days")
    referred_on: Moment = day("Day of the referral.", presence="needed")
    need: Number = _share("Need, 1 greatest.")
    urgency: Number = _share("Urgency given by the sender, 1 greatest.")
    completeness: Number = _share("Share of the needed answers that are known.")
    criteria: Text = _code("Whether the admission criteria hold.", _CRITERIA)
    priority: Number = _amount("Index that orders the list.", "points")
    key_override: Whole = _count("First key: override of the tier, greater sooner.", "level")
    key_deadline: Flag = _flag("Second key: a legal deadline falls before the next meeting.")
    key_index: Number = _amount("Third key: the rounded index.", "points")
    key_referred_on: Moment = day("Fourth key: day of the referral.", presence="needed")
    key_lottery: Text = _text("Last key: 16 hexadecimal digits drawn from the seed.", "needed")
    days_worth_risk: Number = _amount("Days of waiting that the risk is worth.", "days")
    days_worth_need: Number = _amount("Days of waiting that the need is worth.", "days")
    days_worth_urgency: Number = _amount("Days of waiting that the urgency is worth.", "days")
    days_worth_waiting: Number = _amount("Days waited, in the same unit.", "days")
    tie_group: Whole = _count("Group of equal index, 0 where there is no tie.", "group")
    decided_by: Text = _code("Key that set this person below the one above.", _RULES)
    is_proposed: Flag = _flag("Whether the rank is within the places.")
    in_tied_zone: Flag = _flag("Whether the place cannot be told from the last admitted one.")
    imputed: Text = _listed("Components that were unknown and counted as the list's median, separated by ;")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("rank",), adds="the proposed order of the waiting list")


class AssessFirst(Table):
    """A waiting referral that too little is known of to be ranked."""

    person_id: Text = person_id()
    referral_id: Text = key_id("Referral that waits.")
    territory: Text = _text("Territory of the list.")
    completeness: Number = _share("Share of the needed answers that are known.")
    missing_items: Text = _text("Features that are unknown, separated by commas.")
    waited_days: Whole = _count("Days since the referral.", "days")
    referred_on: Moment = day("Day of the referral.", presence="needed")
    criteria: Text = _code("Whether the admission criteria hold.", _CRITERIA)
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("person_id", "referral_id"), adds="whom to assess before ranking")


class Risk(Table):
    """The points, risk and tier of a person on a date."""

    person_id: Text = person_id()
    as_of: Moment = _as_of()
    points: Whole = _count("Points of the scorecard.", "points", -(10**6))
    points_share: Number = _share("Points as a share of the most that can be had.")
    risk: Number = _share("Probability of the outcome within its horizon.")
    risk_low: Number = _share("Lower end of its interval.")
    risk_high: Number = _share("Upper end of its interval.")
    tier: Text = _code("Tier.")
    tier_rule: Text = _text("Rule that set the tier.")
    intensity: Text = _code("Starting intensity of that tier.")
    completeness: Number = _share("Share of the needed answers that are known.")
    model: Text = _text("Model or scorecard that was used.")
    tier_since: Moment = day("First run, without a break, that gave this tier.")
    previous_tier: Text = _code("Tier in the run before, where it was given.")
    review_step_down: Flag = field("flag", "Whether people are to review a step down.", role="neither", why=OUTPUT_WHY)
    step_down_to: Text = _code("Tier that the score alone would give, where a step down is to be reviewed.")
    proposed_override: Whole = _count("Override that a rule proposes; 0 none.", "level")
    unknown_inputs: Text = _listed("Answers that leave a rule of the tiers open, separated by ;")

    class Config:
        """Facts about the output."""

        metadata = facts(key=("person_id", "as_of"), adds="points, risk and tier of everyone waiting or followed")


class Reasons(Table):
    """One reason for a person's points or risk."""

    person_id: Text = person_id()
    as_of: Moment = _as_of()
    reason: Text = _text("Name of the reason.", "key")
    domain: Text = _code("Domain of the reason.")
    is_actionable: Flag = _flag("Whether help can change it.")
    contribution: Number = _amount("What it adds.", "points or log odds")
    value: Text = _text("The answer as the committee sees it.")
    source: Text = _text("Table the answer came from.")
    observed_on: Moment = day("Day it was observed.")

    class Config:
        """Facts about the output."""

        metadata = facts(key=("person_id", "as_of", "reason"), adds="why each person has the risk they have")


class Criteria(Table):
    """One admission rule of one person, true, false or unknown."""

    person_id: Text = person_id()
    referral_id: Text = key_id("Referral that waits.")
    criteria_set: Text = _text("Set of criteria, with its version.", "key")
    criterion: Text = _text("Rule.", "key")
    result: Flag = field("flag", "Whether it holds; missing is unknown.", role="neither", why=OUTPUT_WHY)
    evidence: Text = _text("What it rests on.")
    unknown_inputs: Text = _listed("Answers that are unknown, separated by ;")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(
            key=("person_id", "referral_id", "criteria_set", "criterion"),
            adds="which admission criteria hold, fail or are to be asked",
        )


class Allocation(Table):
    """A case and the case manager who follows, or is proposed for, it."""

    case_id: Text = key_id("Episode or referral.")
    person_id: Text = person_id()
    kind: Text = _code("Open, or proposed.", _KIND, "needed")
    cm_id: Text = other_id("Case manager.")
    minutes: Whole = _count("Minutes a week the case takes.", "minutes a week")
    is_new: Flag = _flag("Whether the case manager is new for this case.")
    why: Text = _text("Why this case manager.")
    runner_up: Text = _text("Who came next, and why not.")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("case_id",), adds="who follows whom, and proposals")


class Unassigned(Table):
    """A case that no case manager can take, and the rule that stands in the way."""

    case_id: Text = key_id("Episode or referral.")
    person_id: Text = person_id()
    kind: Text = _code("Open, or proposed.", _KIND, "needed")
    minutes: Whole = _count("Minutes a week the case takes.", "minutes a week")
    rule: Text = _code("Rule that stands in the way.")
    reason: Text = _text("That rule in words.")
    relaxation: Text = _text("The least change that would make room.")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("case_id",), adds="cases without a case manager, and why")


class Workload(Table):
    """The cases and minutes of one case manager before and after the plan."""

    cm_id: Text = key_id("Case manager.")
    team: Text = _text("Team.")
    capacity_minutes: Whole = _count("Minutes a week for cases.", "minutes a week")
    minutes_before: Whole = _count("Minutes taken before.", "minutes a week")
    minutes_after: Whole = _count("Minutes taken after.", "minutes a week")
    cases_before: Whole = _count("Open cases before.", "cases")
    cases_after: Whole = _count("Open cases after.", "cases")
    utilisation_before: Number = _amount("Minutes before as a share of capacity.", "share", 0)
    utilisation_after: Number = _amount("Minutes after as a share of capacity.", "share", 0)
    n_high: Whole = _count("Cases of the high tier after.", "cases")
    n_medium: Whole = _count("Cases of the medium tier after.", "cases")
    n_low: Whole = _count("Cases of the low tier after.", "cases")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("cm_id",), adds="the load of each case manager")


class Caseload(Table):
    """One indicator of one group in one period."""

    indicator: Text = _text("Name of the indicator.", "key")
    group_kind: Text = _code("What the group is.", ("all", "team", "territory", "tier"), "key")
    group: Text = _text("The group.")
    period_start: Moment = day("First day of the period.", presence="needed")
    period_end: Moment = day("Last day of the period.", presence="needed")
    value: Number = _amount("Value; missing where it is suppressed or has no cases.", "see indicator")
    numerator: Number = _amount("What was counted.", "count")
    denominator: Number = _amount("Of how many.", "count")
    is_suppressed: Flag = _flag("Whether the group is too small to be shown.")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(
            key=("indicator", "group_kind", "group", "period_start"),
            adds="how the service flows, by group and period",
        )


class SetAside(Table):
    """A cell or row of the source that broke a rule; never its value."""

    table: Text = _text("Table.", "needed")
    source: Text = _text("File or table it was read from.")
    line: Whole = _count("Line of the file, the header being line 1.", "line", 1)
    key: Text = _text("Key of the row, where it could be read.")
    column: Text = _text("Column as the source names it.")
    rule: Text = _text("Rule that was broken; blanked: the cell was emptied and the row kept.", "needed")
    expected: Text = _text("What was expected.", "needed")

    class Config:
        """Facts about the output."""

        metadata = facts(
            key=("table", "source", "line", "column", "rule"),
            adds="every row that was left out, with every reason",
        )


class Difference(Table):
    """A referral that stands otherwise than in the run of the same date that stood first."""

    person_id: Text = person_id()
    referral_id: Text = key_id("Referral that waits, or waited.")
    change: Text = _code("What changed.", _CHANGES, "needed")
    rank_before: Whole = _count("Rank in the first run.", "rank", 1)
    rank_after: Whole = _count("Rank in this run.", "rank", 1)
    was_proposed: Flag = _flag("Whether the rank was within the places.")
    is_proposed: Flag = _flag("Whether the rank is within the places.")

    class Config:
        """Facts about the output."""

        metadata = facts(key=("referral_id",), adds="what a run on changed inputs changes in the list (CSV alone)")


class Shadow(Table):
    """A referral on the list and on that of a candidate model, which ranks nobody."""

    person_id: Text = person_id()
    referral_id: Text = key_id("Referral that waits.")
    change: Text = _code("What the candidate would change.", _SHADOW_CHANGES, "needed")
    rank_before: Whole = _count("Rank on the list.", "rank", 1)
    rank_after: Whole = _count("Rank by the candidate.", "rank", 1)
    was_proposed: Flag = _flag("Whether the rank is within the places.")
    is_proposed: Flag = _flag("Whether it would be by the candidate.")
    tier_before: Text = _code("Tier.")
    tier_after: Text = _code("Tier by the candidate.")
    risk_before: Number = _share("Risk by the model in service.")
    risk_after: Number = _share("Risk by the candidate.")
    points_before: Whole = _count("Points of the scorecard in service.", "points", -(10**6))
    points_after: Whole = _count("Points of the candidate.", "points", -(10**6))
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("referral_id",), adds="what a candidate model would change (with --shadow alone)")


class Moves(Table):
    """A case that changes hands in a re-allocation, or gets a case manager where it had none."""

    case_id: Text = key_id("Episode or referral.")
    person_id: Text = person_id()
    from_cm: Text = _text("Case manager now; missing: nobody.")
    to_cm: Text = other_id("Case manager proposed.")
    minutes: Whole = _count("Minutes a week the case takes.", "minutes a week")
    kind: Text = _code("Whether it must move; only voluntary moves count in the budget.", _MOVE_KINDS, "needed")
    reason: Text = _code("What it moves for.", _MOVE_REASONS, "needed")
    why: Text = _text("Why, in words.")
    until: Moment = day("Last day, where it is only for a time.")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("case_id",), adds="the transfer list of a re-allocation")


class Frontier(Table):
    """One budget of voluntary moves, and how even the work can be within it."""

    max_moves: Whole = _count("Budget.", "moves", presence="key")
    n_moves: Whole = _count("Voluntary moves made.", "moves")
    unassigned: Whole = _count("Cases without anybody, before cover.", "cases")
    largest_utilisation: Number = _amount("Largest share of minutes in use of any case manager.", "share", 0)
    sum_of_squares: Number = _amount("Sum of capacity times utilisation squared.", "minutes a week", 0)
    price: Number = _amount("By how much one more move lowers the sum of squares.", "minutes a week")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("max_moves",), adds="moves against balance")


class Cover(Table):
    """A case that somebody covers for a time."""

    case_id: Text = key_id("Episode or referral.")
    person_id: Text = person_id()
    cm_id: Text = other_id("Who covers.")
    for_cm: Text = _text("Whose case it is, or was.")
    how: Text = _code("By an agreed overload, as backup lead, or during a leave.", _COVERS, "needed")
    minutes: Whole = _count("Minutes a week the case takes.", "minutes a week")
    until: Moment = day("Last day.")
    approver: Text = _text("Who approved the overload.")
    reason: Text = _text("Why it was approved.")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("case_id",), adds="who covers whom until when")


class Handover(Table):
    """What the next case manager of a case must know first."""

    case_id: Text = key_id("Episode or referral.")
    person_id: Text = person_id()
    from_cm: Text = _text("Case manager now.")
    to_cm: Text = other_id("Case manager next.")
    kind: Text = _code("Whether it must move.", _MOVE_KINDS, "needed")
    until: Moment = day("Last day, where it is only for a time.")
    see_by: Moment = day("Day by which the person must be seen.")
    because: Text = _code("What asks for it.", _SEE_REASONS, "needed")
    open_crisis: Flag = _flag("Whether a crisis is open; missing where the extract has no events.")
    crisis_on: Moment = day("Day on which it began.")
    last_contact_on: Moment = day("Last contact that reached the person.")
    last_contact_kind: Text = _code("What kind it was.", CONTACT_KINDS)
    next_contact_on: Moment = day("Next contact planned.")
    contact_due_on: Moment = day("Day on which the standard of the intensity asks for one.")
    review_due_on: Moment = day("Day on which the plan is to be reviewed.")
    was_told: Flag = _flag("Whether the person was told of the change.")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("case_id",), adds="one handover sheet a case, who must be seen first at the top")


class StepDown(Table):
    """A person of the lowest tier whose plan review is due; reviewing them first may free minutes."""

    case_id: Text = key_id("Episode.")
    person_id: Text = person_id()
    cm_id: Text = _text("Case manager.")
    tier: Text = _code("Tier.")
    minutes: Whole = _count("Minutes a week the case takes.", "minutes a week")
    review_due_on: Moment = day("Day on which the plan was to be reviewed.")
    days_overdue: Whole = _count("Days since.", "days")
    as_of: Moment = _as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("case_id",), adds="reviews that may free minutes")


_MODELS: dict[str, type[pa.DataFrameModel]] = {
    "waiting_list": WaitingList,
    "assess_first": AssessFirst,
    "risk": Risk,
    "reasons": Reasons,
    "criteria": Criteria,
    "allocation": Allocation,
    "unassigned": Unassigned,
    "workload": Workload,
    "caseload": Caseload,
    "set_aside": SetAside,
    "difference": Difference,
    "shadow": Shadow,
    "moves": Moves,
    "frontier": Frontier,
    "cover": Cover,
    "handover": Handover,
    "step_down": StepDown,
    "admissible": Admissible,
    "hiring": Hiring,
    "binding": Binding,
    "expiring": Expiring,
}

OUTPUTS: dict[str, Contract] = {name: contract_of(name, model) for name, model in _MODELS.items()}
"""Name of an output → its contract."""
