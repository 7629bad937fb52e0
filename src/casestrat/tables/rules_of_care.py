"""Episodes that overlap, leads that compete, licences that do not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.tables.columns import LAST_DAY
from casestrat.tables.lookup import values_of
from casestrat.tables.phrases import Phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.tables.extract import Extract
    from casestrat.tables.ledger import TableCheck
    from casestrat.tables.vocabulary import Vocabulary

_DAY = pd.Timedelta(days=1)


def check_episodes(check: TableCheck) -> None:
    """Set aside an episode that begins while an earlier one of the same person and program is open."""
    live = check.live().assign(_program=lambda f: f["program"].fillna(""))
    live = live.sort_values(["person_id", "_program", "admitted_on", "episode_id"], kind="stable")
    ends = live["closed_on"].fillna(LAST_DAY + _DAY)
    groups = [live["person_id"], live["_program"]]
    open_until = ends.groupby(groups).cummax().groupby(groups).shift()
    index = live.index[(live["admitted_on"] < open_until).to_numpy()]
    words = Phrase("expected.no_overlap")
    check.fail(check.all_versions(index), "admitted_on", "overlapping_episodes", words)


def check_assignments(
    check: TableCheck, checks: Mapping[str, TableCheck], extract: Extract, program: Vocabulary | None
) -> None:
    """Set aside a second open lead of an episode, and assignments on days without the licence they need."""
    live = check.live()
    leads = live.loc[(live["role"] == "lead") & live["to_on"].isna()]
    leads = leads.sort_values(["from_on", "assignment_id"], kind="stable")
    index = leads.index[leads.duplicated("episode_id")]
    check.fail(check.all_versions(index), "role", "second_lead", Phrase("expected.one_lead"))
    professions = _licensed_professions(program)
    if professions and "licenses" in checks and "case_managers" in checks:
        index = _without_licence(live, checks, extract, professions)
        words = Phrase("expected.licence")
        check.fail(check.all_versions(index), "cm_id", "licence_not_valid", words)


def _licensed_professions(program: Vocabulary | None) -> tuple[str, ...]:
    """Return the professions that need a licence, where the program names any."""
    rules = getattr(program, "allocation", None)
    return tuple(getattr(rules, "licensed_professions", ()))


def _without_licence(
    live: pd.DataFrame, checks: Mapping[str, TableCheck], extract: Extract, professions: tuple[str, ...]
) -> pd.Index:
    """Return the assignments with a day that no licence covers."""
    staff, people = checks["case_managers"].live(), checks["persons"].live()
    last = live["to_on"].fillna(extract.data_end if extract.data_end is not None else live["from_on"])
    needed = pd.DataFrame(
        {
            "cm_id": live["cm_id"],
            "profession": values_of(live["cm_id"], staff, "cm_id", "profession"),
            "where": values_of(live["person_id"], people, "person_id", "jurisdiction"),
            "first": live["from_on"],
            "last": last.where(last > live["from_on"], live["from_on"]),
        }
    )
    needed = needed.loc[needed["profession"].isin(professions)]
    licences = checks["licenses"].live()
    pairs = needed.reset_index(names="row").merge(licences, on=["cm_id", "profession"], how="left")
    holds = pairs["where"].isna() | (pairs["where"] == pairs["jurisdiction"]) | pairs["compact"].notna()
    pairs = pairs.loc[holds & pairs["valid_from"].notna()]
    covered = _covered_rows(pairs)
    return needed.index[~np.isin(needed.index.to_numpy(), covered)]


def _covered_rows(pairs: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the rows whose days, first to last, are covered by the union of their licences."""
    pairs = pairs.sort_values(["row", "valid_from"], kind="stable")
    until = pairs["valid_to"].fillna(LAST_DAY + _DAY)
    pairs = pairs.assign(until=until)
    # Licences that begin after the first day count only where they continue an unbroken cover.
    reached: dict[int, pd.Timestamp] = {}
    for row, first, start, end in zip(pairs["row"], pairs["first"], pairs["valid_from"], pairs["until"], strict=True):
        so_far = reached.get(row, first - _DAY)
        if start <= so_far + _DAY and end > so_far:
            so_far = end
        reached[row] = so_far
    last = dict(zip(pairs["row"], pairs["last"], strict=True))
    return np.array([row for row, end in reached.items() if end >= last[row]], dtype=np.int64)
