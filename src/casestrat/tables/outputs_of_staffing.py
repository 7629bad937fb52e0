"""Contracts of what a run tells of staffing: who could be followed now, what binds, what a hire would bring, rights."""

from casestrat.tables.columns import Flag, Moment, Text, Whole, day, key_id, other_id, person_id
from casestrat.tables.contract import Table, facts
from casestrat.tables.output_columns import output_as_of, output_code, output_count, output_flag, output_text

_HIRES = ("team", "language", "skill", "licence", "payer", "clearance", "territory", "any")
_BINDS = ("case_manager", "rule")
_RIGHTS = ("licence", "credential")
_METHODS = ("handed_on", "direct")


class Admissible(Table):
    """A waiting person, and whether somebody could follow them now."""

    referral_id: Text = key_id("Referral that waits.")
    person_id: Text = person_id()
    rank: Whole = output_count("Place on the list, 1 first.", "rank", 1)
    territory: Text = output_text("Territory of the list.")
    is_proposed: Flag = output_flag("Whether the rank is within the places.")
    admissible_now: Flag = output_flag("Whether a case manager could follow now.")
    cm_id: Text = output_text("Who could follow; missing where nobody can.")
    blocked_by: Text = output_code("Rule that stands in the way.")
    reason: Text = output_text("What the person is blocked for want of, in words.")
    relaxation: Text = output_text("The least change that would help.")
    as_of: Moment = output_as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("referral_id",), adds="who could be followed at once, and what the others wait for")


class Hiring(Table):
    """One kind of hire, and what one more full-time case manager of it would let a plan place."""

    kind: Text = output_code("What the hire is for.", _HIRES, "key")
    value: Text = output_text("The team, language, skill, jurisdiction, payer, clearance or territory.")
    capacity_minutes: Whole = output_count("Minutes a week for cases of the hire.", "minutes a week")
    cases_placed: Whole = output_count("Cases placed beyond the plan.", "cases")
    people_placed: Whole = output_count("People placed beyond the plan.", "people")
    minutes_placed: Whole = output_count("Minutes placed beyond the plan.", "minutes a week")
    method: Text = output_code("Whether others may hand cases on to the hire.", _METHODS)
    what: Text = output_text("The hire in words.")
    as_of: Moment = output_as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("kind", "value"), adds="what one more case manager of each kind would bring")


class Binding(Table):
    """A case manager at a limit, or a rule, that holds cases up."""

    kind: Text = output_code("A case manager, or a rule.", _BINDS, "key")
    id: Text = output_text("The case manager; blank for a rule.")
    team: Text = output_text("Team.")
    rule: Text = output_code("Limit or rule.", presence="key")
    used: Whole = output_count("How much of the limit is in use.", "minutes a week, or cases")
    limit: Whole = output_count("The limit.", "minutes a week, or cases")
    n_cases: Whole = output_count("Cases held up.", "cases")
    minutes: Whole = output_count("Minutes a week of these cases.", "minutes a week")
    reason: Text = output_text("The rule in words.")
    as_of: Moment = output_as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(key=("kind", "id", "rule"), adds="what keeps the plan from placing more")


class Expiring(Table):
    """A right of a case manager that ends soon, and whom that leaves without anybody."""

    cm_id: Text = other_id("Case manager.")
    team: Text = output_text("Team.")
    kind: Text = output_code("Licence, or certificate.", _RIGHTS, "key")
    right: Text = output_text("Profession of the licence, or name of the certificate.", "key")
    jurisdiction: Text = output_text("Jurisdiction it is valid in.")
    valid_to: Moment = day("Last day of validity.", presence="needed")
    days_left: Whole = output_count("Days until then; below 0: it has ended.", "days", -(10**6))
    n_cases: Whole = output_count("Open cases that may not be followed from the next day on.", "cases")
    n_stranded: Whole = output_count("Those of them whom nobody else may follow either.", "cases")
    as_of: Moment = output_as_of()

    class Config:
        """Facts about the output."""

        metadata = facts(
            key=("cm_id", "kind", "right", "jurisdiction"),
            adds="licences and certificates to renew, by the day they end",
        )
