"""The moves of a plan as the caseload page offers them: what is proposed, who else may take it, who waits for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.knowledge import load_wording
from casestrat.reports.page_data import LANGUAGES, TOLD, need_columns, plain, rows_of
from casestrat.tables import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ITEMS = 1_000  # moves on the page; the rest are in the list beside it
_MOST_CHOICES = 8  # case managers beside a move
_ITEMS = (
    "case_id", "person_id", "kind", "from_cm", "to_cm", "minutes", "reason", "until", "is_decidable", "n_able", "tier",
    *TOLD["allocation"],
)  # fmt: skip
_CHOICES = ("case_id", "cm_id", "has_room", "minutes", "missed")
_BLOCKED = ("reason", "reason_fr", "reason_it", "relaxation", "relaxation_fr", "relaxation_it", "n")
_PREFIXES = {"move": "move_", "cover": "cover_", "because": "because_", "contact": "contact_"}
_KEPT = ("missed_", "hire_")


def move_words(lang: str) -> dict[str, str]:
    """Return the words of moves, covers, contacts and hires, by the names under which the page asks for them."""
    wording = load_wording(lang)
    own = {name: text for name, text in wording.section("allocation").items() if name.startswith(_KEPT)}
    for section, prefix in _PREFIXES.items():
        own |= {f"{prefix}{name}": text for name, text in wording.section(section).items()}
    return own


def move_items(
    allocation: pd.DataFrame | None, moves: pd.DataFrame | None, tiers: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Return what is proposed, one row per case: those on which a decision can be made first.

    Parameters
    ----------
    allocation : pandas.DataFrame or None
        One row per case with its case manager; used where there are no moves: the new leads.
    moves : pandas.DataFrame or None
        One row per case that changes hands, as a re-allocation lists them.
    tiers : mapping of str to str, optional
        Tier of each person.

    Returns
    -------
    pandas.DataFrame
        One row per case, by giver and case: case_id, person_id, kind, from_cm, to_cm, minutes, reason, until,
        is_decidable (an episode is open), why.
    """
    if moves is not None:
        need_columns(moves, ("case_id", "person_id", "to_cm"), "moves")
        items = moves.assign(is_decidable=True)
    elif allocation is not None:
        chosen = allocation
        if "is_new" in allocation.columns:
            chosen = allocation[allocation["is_new"].fillna(False).astype(bool)]
        is_open = chosen["kind"].eq("open").fillna(False) if "kind" in chosen.columns else pd.Series(True, chosen.index)
        reason = pd.Series("no_lead", index=chosen.index, dtype=object).where(is_open.astype(bool), None)
        items = chosen.rename(columns={"cm_id": "to_cm"}).assign(
            from_cm=None, reason=reason, until=None, is_decidable=is_open.astype(bool)
        )
    else:
        items = pd.DataFrame(columns=list(_ITEMS))
    if tiers is not None and len(items):
        items = items.assign(tier=items["person_id"].map(dict(tiers)))
    order = pd.DataFrame({
        "later": ~items["is_decidable"].astype(bool), "giver": items["from_cm"].fillna("").astype(str),
        "person": items["person_id"].astype(str), "case": items["case_id"].astype(str),
    })  # fmt: skip
    return items.loc[order.sort_values(list(order.columns), kind="stable").index].reset_index(drop=True)


def choice_rows(choices: pd.DataFrame | None, items: pd.DataFrame) -> pd.DataFrame | None:
    """Return who may take each case on which a decision can be made: the best few, the proposed one first.

    Parameters
    ----------
    choices : pandas.DataFrame or None
        One row per case and case manager whom the rules allow: case_id, cm_id, is_chosen, has_room, cost, missed (codes
        of what the pair misses, separated by ``;``), minutes, utilisation_after.
    items : pandas.DataFrame
        The moves.

    Returns
    -------
    pandas.DataFrame or None
        The rows that the page holds, with ``n_able``: how many may take the case.
    """
    if choices is None:
        return None
    need_columns(choices, ("case_id", "cm_id", "is_chosen", "has_room", "cost"), "choices")
    rows = choices[choices["case_id"].isin(items.loc[items["is_decidable"].astype(bool), "case_id"])]
    rows = rows.assign(n_able=rows.groupby("case_id")["cm_id"].transform("size"))
    order = ["case_id", "is_chosen", "has_room", "cost", "utilisation_after", "cm_id"]
    order = [name for name in order if name in rows.columns]
    rows = rows.sort_values(order, ascending=[name not in ("is_chosen", "has_room") for name in order], kind="stable")
    return rows.groupby("case_id", sort=False).head(_MOST_CHOICES)


def moves_data(
    allocation: pd.DataFrame | None,
    moves: pd.DataFrame | None,
    choices: pd.DataFrame | None,
    tiers: Mapping[str, str] | None,
    as_of: str | None,
) -> dict[str, Any]:
    """Return the part of the page's data that its decisions are about; the fingerprint tells one plan from another."""
    items = move_items(allocation, moves, tiers)
    shown = items.head(MOST_ITEMS)
    able = choice_rows(choices, shown)
    if able is not None:
        shown = shown.assign(n_able=shown["case_id"].map(able.groupby("case_id")["n_able"].first()))
    pairs = [[plain(value) for value in items.get(name, [])] for name in ("case_id", "from_cm", "to_cm", "until")]
    return {
        "is_reallocation": moves is not None,
        "items": rows_of(shown, _ITEMS),
        "items_left_out": len(items) - len(shown),
        "items_file": "allocation.csv" if moves is None else "moves.csv",
        "choices": rows_of(able, _CHOICES),
        "plan_fingerprint": fingerprint_of(["caseload page", as_of, *pairs]),
    }


def blocked_rows(admission: pd.DataFrame | None) -> dict[str, Any]:
    """Return what those who wait are blocked for: one row per reason, the most frequent first."""
    if admission is None:
        return rows_of(None, _BLOCKED)
    need_columns(admission, ("admissible_now", "reason"), "admission")
    left = admission[~admission["admissible_now"].fillna(True).astype(bool)]
    said = [name for name in _BLOCKED if name in left.columns]
    counted = left[said].fillna("").groupby(said, sort=True, as_index=False).size().rename(columns={"size": "n"})
    order = counted.sort_values(["n", "reason"], ascending=[False, True], kind="stable")
    return rows_of(order, _BLOCKED)


def waiting_counts(admission: pd.DataFrame | None) -> dict[str, Any] | None:
    """Return how many wait, and how many of them somebody could follow now."""
    if admission is None:
        return None
    return {"waiting": len(admission), "admissible": int(admission["admissible_now"].fillna(False).sum())}


def words_of_page(words: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the words of a page in each language, with those of moves beside them."""
    return {lang: {**move_words(lang), **words[lang]} for lang in LANGUAGES}
