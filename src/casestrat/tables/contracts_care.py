"""Contracts of the work done for people: episodes, assignments, plans, contacts, services."""

from casestrat.tables.columns import (
    Flag,
    Moment,
    Number,
    Text,
    Whole,
    code,
    day,
    flag,
    key_id,
    moment,
    number,
    other_id,
    person_id,
    text,
    whole,
)
from casestrat.tables.contract import AboutPeople, Table, facts

CLOSE_REASONS = (
    "death", "residential_admission", "goals_met", "moved", "withdrew", "lost", "relayed", "ineligible", "other",
)  # fmt: skip
CONTACT_KINDS = (
    "home_visit", "phone", "office", "provider_meeting", "collateral", "no_show", "outreach", "post_transition",
    "admin",
)  # fmt: skip
_WORK = "it follows from the help given, so it foretells nothing before it"
_FREE = "free text"
_OWN = "one run serves one program"
_GROUP = "a group that equity is checked for"


class Episodes(AboutPeople):
    """A person in the program, from admission to closing."""

    episode_id: Text = key_id("Id of the episode.")
    person_id: Text = person_id()
    referral_id: Text = other_id("Referral it came from.", "optional")
    admitted_on: Moment = day("Day of admission.", presence="needed")
    closed_on: Moment = day("Last day; blank while it is open.", presence="optional")
    close_reason: Text = code("Why it was closed.", CLOSE_REASONS, role="neither", why=_WORK, presence="optional")
    intensity: Text = code("How closely the person is followed.", role="neither", why=_WORK, presence="optional")
    state: Text = code("State today; its dates are in person_facts.", ("active", "suspended", "watch"),
                       role="neither", why=_WORK)  # fmt: skip
    program: Text = code("Program of the episode.", role="neither", why=_OWN, presence="optional")
    site: Text = text("Site that follows.", role="audit", why=_GROUP, presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="who is followed already, allocation, the caseload page and outcomes",
            observed="admitted_on",
            references={"person_id": "persons", "referral_id": "referrals"},
            spans=(("admitted_on", "closed_on"),),
        )


class Assignments(AboutPeople):
    """Who follows whom, from when to when."""

    assignment_id: Text = key_id("Id of the assignment.")
    episode_id: Text = other_id("Episode that is followed.")
    person_id: Text = person_id()
    cm_id: Text = other_id("Case manager who follows.")
    role: Text = code(
        "Part the case manager has.", ("lead", "backup", "temporary"), role="neither", why=_WORK, presence="needed"
    )
    from_on: Moment = day("First day.", presence="needed")
    to_on: Moment = day("Last day; blank while it lasts.", presence="optional")
    end_reason: Text = code("Why it ended.", role="neither", why=_WORK, presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="today's caseloads, which allocation keeps and counts",
            observed="from_on",
            references={"person_id": "persons", "episode_id": "episodes", "cm_id": "case_managers"},
            spans=(("from_on", "to_on"),),
        )


class Preferences(AboutPeople):
    """What a person asked for."""

    person_id: Text = person_id()
    kind: Text = code("What the wish is about.", role="neither", why="used for allocation alone", presence="key")
    value: Text = text("What is wished.", role="neither", why="used for allocation alone", presence="key")
    is_required: Flag = flag("Whether it must be met.", role="neither", why="used for allocation alone")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("person_id", "kind", "value"),
            adds="wishes about language, sex or profession of the case manager in allocation",
            references={"person_id": "persons"},
        )


class Conflicts(AboutPeople):
    """A case manager who must not follow a person."""

    person_id: Text = person_id()
    cm_id: Text = key_id("Case manager concerned.")
    reason: Text = text("Why.", why="used for allocation alone")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("person_id", "cm_id"),
            adds="pairs that allocation never makes",
            references={"person_id": "persons", "cm_id": "case_managers"},
        )


class Plans(AboutPeople):
    """One version of an individual service plan."""

    plan_id: Text = key_id("Id of the plan.")
    episode_id: Text = other_id("Episode it belongs to.")
    person_id: Text = person_id()
    version: Text = text("Version of the plan.", why=_WORK)
    starts_on: Moment = day("First day.", presence="needed")
    review_due_on: Moment = day("Day it is to be reviewed.")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="plans and reviews that are due, and the planning indicators",
            observed="starts_on",
            references={"person_id": "persons", "episode_id": "episodes"},
            spans=(("starts_on", "review_due_on"),),
        )


class Goals(AboutPeople):
    """One aim of a plan."""

    goal_id: Text = key_id("Id of the goal.")
    plan_id: Text = other_id("Plan it belongs to.")
    person_id: Text = person_id()
    domain: Text = code("Domain of the goal.", role="neither", why=_WORK)
    horizon: Text = code("Short or long term.", ("short", "long"), role="neither", why=_WORK)
    status: Text = code("How far it is reached.", role="neither", why=_WORK)
    status_on: Moment = day("Day of that status.")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="goals met, in the evaluation indicators",
            observed="status_on",
            references={"person_id": "persons", "plan_id": "plans"},
        )


class Contacts(AboutPeople):
    """One contact made or due."""

    contact_id: Text = key_id("Id of the contact.")
    episode_id: Text = other_id("Episode it belongs to.")
    person_id: Text = person_id()
    cm_id: Text = other_id("Case manager who made it.")
    occurred_at: Moment = moment("When it took place or is due.", presence="needed")
    kind: Text = code("What kind of contact.", CONTACT_KINDS, role="neither", why=_WORK, presence="needed")
    outcome: Text = code(
        "What came of it.",
        ("reached", "unable_to_reach", "declined", "opted_out"),
        role="neither",
        why=_WORK,
        presence="optional",
    )
    minutes: Whole = whole("Time spent, travel apart.", 0, 600, unit="minutes", role="neither", why=_WORK)
    travel_minutes: Whole = whole("Time travelled.", 0, 600, unit="minutes", role="neither", why=_WORK)
    is_planned: Flag = flag("Whether it was planned.", role="neither", why=_WORK)

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="contacts that are due, workload measured in minutes, loss of follow-up",
            observed="occurred_at",
            references={"person_id": "persons", "episode_id": "episodes", "cm_id": "case_managers"},
        )


class Services(Table):
    """A service that a relay can lead to."""

    service_id: Text = key_id("Id of the service.")
    domain: Text = code("What it helps with.", role="neither", why="about a service")
    territory: Text = text("Territory it serves; blank where it serves all.", why="about a service")
    capacity: Whole = whole(
        "Places it has.", 0, 1_000_000, unit="places", role="neither", why="about a service", presence="optional"
    )
    waiting_days: Number = number(
        "Usual wait.", 0, 3650, unit="days", role="neither", why="about a service", presence="optional"
    )
    label_en: Text = text("Name in English.", why=_FREE, presence="optional")
    label_fr: Text = text("Name in French.", why=_FREE, presence="optional")
    label_it: Text = text("Name in Italian.", why=_FREE, presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(key=("service_id",), adds="where a refused or leaving person can be directed")
