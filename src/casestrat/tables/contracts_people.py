"""Contracts of who people are, how they came, and what was asked, measured and seen."""

from casestrat.tables.columns import (
    LANGUAGE_PATTERN,
    Flag,
    Moment,
    Number,
    Text,
    Whole,
    code,
    day,
    flag,
    key_id,
    listed,
    moment,
    number,
    other_id,
    person_id,
    text,
    whole,
)
from casestrat.tables.contract import AboutPeople, facts

_TODAY = "a snapshot without history: used for allocation and audit today, its history is in person_facts"
_LISTS = "labels and list hygiene only"
_PLACE = "it says where the work is, not how the person is"


class Persons(AboutPeople):
    """Someone who may be helped."""

    person_id: Text = person_id()
    birth_year: Whole = whole("Year of birth.", 1880, 2100, unit="year", role="both")
    birth_month: Whole = whole(
        "Month of birth, where a site may give it.", 1, 12, unit="month", role="both", presence="optional"
    )
    sex: Text = code(
        "Sex as recorded.", ("f", "m", "x", "unknown"), role="audit", why="a group that equity is checked for"
    )
    territory: Text = text("Territory the person lives in today.", role="audit", why=_TODAY)
    jurisdiction: Text = text("Jurisdiction whose licences count for this person.", why=_PLACE)
    language: Text = code("Language spoken at home.", pattern=LANGUAGE_PATTERN, role="audit", why=_TODAY)
    interpreter_needed: Flag = flag("Whether an interpreter is needed.", role="audit", why=_TODAY)
    household_id: Text = other_id("Household, where several people of one are known.", "optional")
    neurodegenerative: Flag = flag("Whether a neurodegenerative disease is known.")
    objects_to_scoring: Flag = flag(
        "Whether the person objects to being scored.", role="neither", why="it decides whether a score is made at all"
    )
    died_on: Moment = day("Date of death.", presence="optional", why=_LISTS)
    observed_from: Moment = day("First day the source would have seen what happens to the person.", presence="optional")
    observed_until: Moment = day("Last day the source would have seen it.", presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("person_id",),
            is_required=True,
            adds="the people themselves; nothing runs without them",
            spans=(("observed_from", "observed_until"),),
        )


class PersonFacts(AboutPeople):
    """A fact about a person with its history."""

    person_id: Text = person_id()
    fact: Text = code("What the fact is about.", presence="key", vocabulary="facts")
    value: Text = text("What was true.", role="feature", presence="needed")
    valid_from: Moment = day("First day it was true.", presence="key")
    valid_to: Moment = day("Last day it was true; blank while it lasts.", presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("person_id", "fact", "valid_from"),
            adds="setting, living alone, caregivers and protection as of a date, for features and fairness audits",
            observed="valid_from",
            references={"person_id": "persons"},
            spans=(("valid_from", "valid_to"),),
        )


class Enrollments(AboutPeople):
    """A time under observation or coverage; counts are 0 only inside it."""

    person_id: Text = person_id()
    from_on: Moment = day("First day of coverage.", presence="key")
    to_on: Moment = day("Last day of coverage; blank while it lasts.", presence="optional")
    payer: Text = text("Who pays.", role="audit", why="a group that equity is checked for", presence="optional")
    line_of_business: Text = text(
        "Line of business.", role="audit", why="a group that equity is checked for", presence="optional"
    )

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("person_id", "from_on"),
            adds="counts that are 0 instead of missing, and ranking of a population without referrals",
            observed="from_on",
            references={"person_id": "persons"},
            spans=(("from_on", "to_on"),),
        )


SOURCES = (
    "hospital", "gp", "nurse", "social_worker", "home_care", "memory_clinic", "community", "self", "family", "court",
    "insurer", "employer", "school", "other",
)  # fmt: skip


class Referrals(AboutPeople):
    """One request for case management."""

    referral_id: Text = key_id("Id of the referral.")
    person_id: Text = person_id()
    referred_on: Moment = day("Day the request was sent.", presence="needed")
    source: Text = code("Who sent it.", SOURCES, vocabulary="referral.sources")
    is_professional: Flag = flag("Whether the sender is a professional.")
    consent: Text = code(
        "Whether the person, or who represents them, agreed.",
        ("yes", "no", "represented", "not_collected"),
        role="neither",
        why="it decides whether the person may be ranked, not how soon",
    )
    urgency: Whole = whole("How urgent the sender says it is, 3 most.", 0, 3, unit="level")
    reasons: Text = listed("Reasons given, separated by ;", role="feature")
    is_complete: Flag = flag("Whether the form is complete.", role="neither", why="it decides whether the form counts")
    withdrawn_on: Moment = day("Day the request was withdrawn.", presence="optional")
    program: Text = code(
        "Program the request is for.", role="neither", why="one run serves one program", presence="optional"
    )
    site: Text = text("Site that received it.", role="audit", why="a group that equity is checked for",
                      presence="optional")  # fmt: skip

    class Config:
        """Facts about the table."""

        metadata = facts(
            is_required=True,
            adds="who asks for help and since when; nothing is ranked without them",
            observed="referred_on",
            references={"person_id": "persons"},
            spans=(("referred_on", "withdrawn_on"),),
        )


class Assessments(AboutPeople):
    """One sitting with one instrument."""

    assessment_id: Text = key_id("Id of the sitting.")
    person_id: Text = person_id()
    instrument: Text = code("Instrument used.", presence="needed", vocabulary="instruments")
    version: Text = text("Version of the instrument.", why="it is about the instrument", presence="optional")
    observed_at: Moment = moment("When the sitting took place.", presence="needed")
    assessor_role: Text = code("Profession of the assessor.", role="neither", why="it is about the assessor")
    mode: Text = code(
        "How it was done.", ("face", "phone", "proxy", "record"), role="audit", why="answers differ by mode"
    )
    total: Number = number(
        "Total as the site gives it; used where there are no responses.", -1e6, 1e6, unit="points", presence="optional"
    )

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="instrument totals and bands as features, needs and reasons",
            observed="observed_at",
            references={"person_id": "persons"},
        )


class Responses(AboutPeople):
    """One answer to one item of a sitting."""

    assessment_id: Text = key_id("Sitting the answer belongs to.")
    person_id: Text = person_id()
    item: Text = code("Item of the instrument.", presence="key")
    value: Text = text("Answer, as the instrument codes it; blank where it is missing.", role="feature")
    missing_reason: Text = code(
        "Why there is no answer.", role="audit", why="missing answers are not at random", presence="optional"
    )

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("assessment_id", "item"),
            adds="totals that are scored here, with the missing-item rule of the instrument",
            references={"person_id": "persons", "assessment_id": "assessments"},
        )


class Measurements(AboutPeople):
    """One laboratory or vital value."""

    measurement_id: Text = key_id("Id of the measurement.")
    person_id: Text = person_id()
    kind: Text = code("What was measured.", presence="needed", vocabulary="measurement_kinds")
    value: Number = number("Value measured.", -1e9, 1e9, unit="see unit", presence="needed")
    unit: Text = text("Unit of the value.", why="it says how to read the value")
    observed_at: Moment = moment("When it was measured.", presence="needed")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="laboratory and vital values as features",
            observed="observed_at",
            references={"person_id": "persons"},
        )


class Diagnoses(AboutPeople):
    """One coded condition."""

    person_id: Text = person_id()
    system: Text = code("Coding system.", ("icd10", "icd10cm", "cim10fr"), presence="key")
    code: Text = code("Code of the condition.", presence="key")
    observed_at: Moment = moment("When it was stated.", presence="key")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("person_id", "system", "code", "observed_at"),
            adds="conditions and comorbidity indices as features",
            observed="observed_at",
            references={"person_id": "persons"},
        )


class Events(AboutPeople):
    """Something that happened to a person."""

    event_id: Text = key_id("Id of the event.")
    person_id: Text = person_id()
    kind: Text = code("What happened.", presence="needed", vocabulary="event_kinds")
    observed_at: Moment = moment("When it happened or began.", presence="needed")
    ended_at: Moment = moment("When it ended.", presence="optional")
    is_planned: Flag = flag("Whether it was planned.", presence="optional")
    amount: Number = number("Amount of money, where the event has one.", -1e12, 1e12, unit="currency",
                            presence="optional")  # fmt: skip
    detail: Text = text("A code or short note on the event.", role="neither", why="free text", presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            adds="hospital stays, falls, crises: features, and the outcomes that models foretell",
            observed="observed_at",
            references={"person_id": "persons"},
            spans=(("observed_at", "ended_at"),),
        )
