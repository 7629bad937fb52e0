"""Rows with the same key: a later version corrects an earlier one; two versions of one moment do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.tables.ledger import TableCheck

_SAME_VALUE = ["person_id", "kind", "value", "unit", "observed_at"]


def check_versions(check: TableCheck) -> None:
    """Set aside repeated rows, and rows that contradict each other at one moment.

    Of identical rows the first stays. Rows of one key and one moment that differ are all set aside, for none can be
    told right. A key that moves to another person is legal, and counted.
    """
    frame = check.frame.loc[check.standing]
    version = [*check.contract.key, *(["recorded_at"] if check.contract.is_about_people else [])]
    repeated = frame.duplicated(version, keep=False)
    if repeated.any():
        among = frame.loc[repeated]
        again = among.duplicated(keep="first")
        check.fail(check.rows(among.index[again]), version[0], "duplicate_row", "each row once")
        rest = among.loc[~again]
        differ = rest.duplicated(version, keep=False)
        words = f"one row for each {', '.join(version)}"
        check.fail(check.rows(rest.index[differ]), version[0], "conflicting_rows", words)
    _count_moved_keys(check)
    if check.name == "measurements":
        _set_repeated_measurements_aside(check)


def _count_moved_keys(check: TableCheck) -> None:
    """Count keys whose versions are about several people: a correction, or two systems with the same ids."""
    if "person_id" not in check.contract.by_name or "person_id" in check.contract.key:
        return
    key = list(check.contract.key)
    frame = check.frame.loc[check.standing, [*key, "person_id"]]
    several = frame.loc[frame.duplicated(key, keep=False)].drop_duplicates()
    n = int(several.duplicated(key).sum())
    check.warn("key_changes_person", n, "a later version of the same key names another person; if these come from "
               "two systems, give each a prefix")  # fmt: skip


def _set_repeated_measurements_aside(check: TableCheck) -> None:
    """Set aside the later of measurements that differ in their id alone."""
    live = check.live().sort_values(["recorded_at", "measurement_id"], kind="stable")
    again: pd.Series = live.duplicated(_SAME_VALUE, keep="first")
    index = live.index[again]
    n = len(index)
    words = "one row for each person, kind, value, unit and moment"
    check.fail(check.all_versions(index), "measurement_id", "duplicate_rows", words)
    check.warn("duplicate_rows", n, "measurements equal in all but their id; the later ones are set aside")
