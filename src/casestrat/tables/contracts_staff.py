"""Contracts of case managers: their time, skills, rights to practise and absences."""

from casestrat.tables.columns import Moment, Number, Text, Whole, code, day, key_id, listed, number, text, whole
from casestrat.tables.contract import Table, facts

_STAFF = "about staff, not people"


class CaseManagers(Table):
    """One member of staff."""

    cm_id: Text = key_id("Id of the case manager.")
    team: Text = text("Team.", why=_STAFF)
    profession: Text = code("Profession.", role="neither", why=_STAFF)
    fte: Number = number("Share of full time.", 0, 1.2, unit="full-time equivalents", role="neither", why=_STAFF)
    minutes_per_week: Whole = whole("Working time.", 0, 4200, unit="minutes a week", role="neither", why=_STAFF)
    max_cases: Whole = whole(
        "Most open cases at once.", 0, 1000, unit="cases", role="neither", why=_STAFF, presence="optional"
    )
    languages: Text = listed("Languages spoken, separated by ;", why=_STAFF)
    skills: Text = listed("Skills, separated by ;", why=_STAFF)
    territories: Text = listed("Territories served, separated by ;", why=_STAFF)
    starts_on: Moment = day("First day of work.")
    ends_on: Moment = day("Last day of work.", presence="optional")
    experience_months: Whole = whole(
        "Experience in case management before the first day of work.", 0, 720, unit="months", role="neither",
        why=_STAFF, presence="optional",
    )  # fmt: skip
    program: Text = code("Program worked for.", role="neither", why=_STAFF, presence="optional")
    site: Text = text("Site.", why=_STAFF, presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("cm_id",),
            adds="allocation, capacity and workload",
            spans=(("starts_on", "ends_on"),),
        )


class Licenses(Table):
    """A right to practise."""

    cm_id: Text = key_id("Case manager who holds it.")
    profession: Text = code("Profession it allows.", role="neither", why=_STAFF, presence="key")
    jurisdiction: Text = text("Jurisdiction it is valid in.", why=_STAFF, presence="key")
    compact: Text = code("Compact that extends it to other jurisdictions.", role="neither", why=_STAFF,
                         presence="optional")  # fmt: skip
    valid_from: Moment = day("First day of validity.", presence="key")
    valid_to: Moment = day("Last day of validity; blank where it has no end.", presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("cm_id", "profession", "jurisdiction", "valid_from"),
            adds="proof that who is allocated may practise where the person lives",
            references={"cm_id": "case_managers"},
            spans=(("valid_from", "valid_to"),),
        )


class Credentials(Table):
    """A certificate."""

    cm_id: Text = key_id("Case manager who holds it.")
    credential: Text = code("Certificate.", role="neither", why=_STAFF, presence="key")
    jurisdiction: Text = text("Jurisdiction it counts in.", why=_STAFF)
    valid_from: Moment = day("First day of validity.", presence="key")
    valid_to: Moment = day("Last day of validity; blank where it has no end.", presence="optional")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("cm_id", "credential", "valid_from"),
            adds="certificates that a program asks of its case managers",
            references={"cm_id": "case_managers"},
            spans=(("valid_from", "valid_to"),),
        )


class Absences(Table):
    """A time away."""

    cm_id: Text = key_id("Case manager who is away.")
    from_on: Moment = day("First day away.", presence="key")
    to_on: Moment = day("Last day away.", presence="needed")

    class Config:
        """Facts about the table."""

        metadata = facts(
            key=("cm_id", "from_on"),
            adds="capacity that leaves out time away",
            references={"cm_id": "case_managers"},
            spans=(("from_on", "to_on"),),
        )
