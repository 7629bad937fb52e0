"""Rows with the same key: a later version corrects an earlier one; two versions of one moment do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casestrat.tables.phrases import Phrase

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.tables.ledger import TableCheck

_SAME_VALUE = ["person_id", "kind", "value", "unit", "observed_at"]


def check_versions(check: TableCheck) -> None:
    """Set aside repeated rows, and rows that contradict each other at one moment.

    Of identical rows the first stays. Rows of one key and one moment that differ are all set aside, for none can be
    told right. A key that moves to another person is legal, and counted.
    """
    key = list(check.contract.key)
    frame = check.frame if check.standing.all() else check.frame.loc[check.standing]
    again = frame.duplicated(key, keep=False)
    if again.any():
        several = frame.loc[again]
        _set_repeated_rows_aside(check, several)
        _count_moved_keys(check, several)
    if check.name == "measurements":
        _set_repeated_measurements_aside(check)


def _set_repeated_rows_aside(check: TableCheck, several: pd.DataFrame) -> None:
    """Set aside rows of one key and one moment: the repeated ones, or all where they differ."""
    version = [*check.contract.key, *(["recorded_at"] if check.contract.is_about_people else [])]
    among = several.loc[several.duplicated(version, keep=False)]
    again = among.duplicated(keep="first")
    check.fail(check.rows(among.index[again]), version[0], "duplicate_row", Phrase("expected.once"))
    rest = among.loc[~again]
    differ = rest.duplicated(version, keep=False)
    words = Phrase("expected.one_row", columns=", ".join(version))
    check.fail(check.rows(rest.index[differ]), version[0], "conflicting_rows", words)


def _count_moved_keys(check: TableCheck, several: pd.DataFrame) -> None:
    """Count keys whose versions are about several people: a correction, or two systems with the same ids."""
    if "person_id" not in check.contract.by_name or "person_id" in check.contract.key:
        return
    key = list(check.contract.key)
    several = several[[*key, "person_id"]].drop_duplicates()
    n = int(several.duplicated(key).sum())
    check.warn("key_changes_person", n, "a later version of the same key names another person; if these come from "
               "two systems, give each a prefix")  # fmt: skip


def _set_repeated_measurements_aside(check: TableCheck) -> None:
    """Set aside the later of measurements that differ in their id alone."""
    live = check.live().sort_values(["recorded_at", "measurement_id"], kind="stable")
    again: pd.Series = live.duplicated(_SAME_VALUE, keep="first")
    index = live.index[again]
    n = len(index)
    words = Phrase("expected.one_measurement")
    check.fail(check.all_versions(index), "measurement_id", "duplicate_rows", words)
    check.warn("duplicate_rows", n, "measurements equal in all but their id; the later ones are set aside")
