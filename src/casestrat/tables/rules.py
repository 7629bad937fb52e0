"""Rules between rows and tables: what points where, what ends before it starts, what was recorded too soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casestrat.tables.life_cycle import list_illegal_steps
from casestrat.tables.lookup import is_among, values_of
from casestrat.tables.phrases import Phrase
from casestrat.tables.rules_of_care import check_assignments, check_episodes
from casestrat.tables.rules_of_decisions import check_decisions

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from casestrat.tables.extract import Extract
    from casestrat.tables.ledger import TableCheck
    from casestrat.tables.vocabulary import Vocabulary

_FOLLOW_UP = ("events", "assessments", "measurements", "diagnoses", "contacts")


def check_rules(checks: Mapping[str, TableCheck], extract: Extract, program: Vocabulary | None) -> None:
    """Apply every rule that needs more than one cell, tables in order, so that what a row points to comes first.

    Parameters
    ----------
    checks : mapping of str to TableCheck
        Tables that were validated each on its own; rows are set aside in them.
    extract : Extract
        Its last day is the one up to which a licence must hold.
    program : Vocabulary or None
        The program.
    """
    for check in checks.values():
        _check_spans(check)
        for column, target in check.contract.references:
            _check_reference(check, column, target, checks.get(target))
        _check_ages(check, checks["persons"])
        _count_recorded_before(check)
        if check.name == "decisions":
            check_decisions(check, checks.get("services"))
        elif check.name == "episodes":
            check_episodes(check)
        elif check.name == "assignments":
            check_assignments(check, checks, extract, program)
    for name in _FOLLOW_UP:
        if name in checks:
            _count_after_follow_up(checks[name], checks["persons"])
    list_illegal_steps(checks)


def _check_spans(check: TableCheck) -> None:
    """Set aside what ends before it starts."""
    for start, end in check.contract.spans:
        words = Phrase("expected.not_before", end=end, start=start)
        check.fail(check.frame[end] < check.frame[start].dt.normalize(), end, "end_before_start", words)


def _check_reference(check: TableCheck, column: str, table: str, target: TableCheck | None) -> None:
    """Ask that an id is found in the table it points to, and that both rows are about the same person."""
    ids = check.frame[column]
    if target is None:
        check.warn("unchecked_reference", int(ids.notna().sum()), f"{column} cannot be looked up: there is no {table}")
        return
    key = target.contract.key[0]
    words = Phrase("expected.found", column=column, table=table)
    standing = target.frame.loc[target.standing]
    is_good = is_among(ids, standing[key])
    is_known = is_good if target.standing.all() else is_among(ids, target.frame[key])
    is_lost = ids.notna().to_numpy() & ~is_known
    is_left_out = is_known & ~is_good
    if check.contract.by_name[column].presence == "optional":
        check.blank(is_lost | is_left_out, column, "blanked_unresolved", words)
    else:
        check.fail(is_lost, column, "unresolved", words)
        words = Phrase("expected.found_standing", column=column, table=table)
        check.fail(is_left_out, column, "parent_set_aside", words)
    if table != "persons" and target.contract.is_about_people:
        _check_same_person(check, column, standing, key)


def _check_same_person(check: TableCheck, column: str, standing: pd.DataFrame, key: str) -> None:
    """Set aside rows that point to a row about somebody else."""
    is_found = is_among(check.frame[column], standing[key]) & check.frame["person_id"].notna().to_numpy()
    theirs = standing[key] + "\x1f" + standing["person_id"]
    is_same = is_among(check.frame[column] + "\x1f" + check.frame["person_id"], theirs)
    words = Phrase("expected.same_person", column=column)
    check.fail(is_found & ~is_same, "person_id", "person_mismatch", words)


def _check_ages(check: TableCheck, persons: TableCheck) -> None:
    """Set aside what happened before the person was born."""
    column = "died_on" if check.name == "persons" else check.contract.observed
    if column is None or "person_id" not in check.frame:
        return
    born = values_of(check.frame["person_id"], persons.frame.loc[persons.standing], "person_id", "birth_year")
    is_before = check.frame[column].dt.year < born.astype("Float64")
    check.fail(is_before, column, "negative_age", Phrase("expected.after_birth", column=column))


def _count_recorded_before(check: TableCheck) -> None:
    """Count rows that were known before they were true: planned things exist."""
    observed = check.contract.observed
    if observed is None or not check.contract.is_about_people:
        return
    frame = check.frame.loc[check.standing]
    n = int((frame["recorded_at"] < frame[observed]).sum())
    check.warn("recorded_before_observed", n, f"recorded_at before {observed}; right for what is planned alone")


def _count_after_follow_up(check: TableCheck, persons: TableCheck) -> None:
    """Count rows after the person died or left observation."""
    people = persons.live()
    people = people.assign(_last=people[["died_on", "observed_until"]].min(axis=1))
    frame = check.frame.loc[check.standing]
    last = values_of(frame["person_id"], people, "person_id", "_last")
    n = int((frame[str(check.contract.observed)].dt.normalize() > last).sum())
    check.warn("after_follow_up", n, "rows after the person's observed_until or died_on")
