"""The rows of a scorecard in plain types: read, checked, and what those of one item add up to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from casestrat.errors import UsageError
from casestrat.knowledge.scorecard import parse_condition
from casestrat.models.cards.conditions import (
    MISSING,
    holds,
    is_threshold,
    number_of,
    probe_columns,
    strictness_order,
    write_condition,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from casestrat.knowledge.scorecard import Condition, Scorecard
    from casestrat.models.inputs.columns import Column

ROW_FIELDS: Final = ("item", "condition", "points", "domain", "is_actionable", "reason")


@dataclass(frozen=True, slots=True)
class ItemRows:
    """The rows of one item, the narrowest condition last.

    Parameters
    ----------
    item : str
        The item.
    positions : list of int
        Where its rows stand in the card.
    conditions : list of Condition
        When each of them counts.
    points : list of int
        What each of them adds.
    """

    item: str
    positions: list[int]
    conditions: list[Condition]
    points: list[int]

    @property
    def declares_missing(self) -> bool:
        """Whether the card says what a missing item is worth."""
        return any(condition.operator == MISSING for condition in self.conditions)

    def add_up(self, column: Column) -> np.ndarray:
        """Return what the item adds for each value: the points of every row that holds."""
        total = np.zeros(len(column.is_missing), dtype="int64")
        for condition, points in zip(self.conditions, self.points, strict=True):
            total += holds(condition, column, self.item) * np.int64(points)
        return total

    def narrowest(self, column: Column) -> np.ndarray:
        """Return the position of the narrowest row with points that holds for each value; the first where none does."""
        chosen = np.full(len(column.is_missing), self.positions[0])
        for position, condition, points in zip(self.positions, self.conditions, self.points, strict=True):
            if points:
                chosen[holds(condition, column, self.item)] = position
        return chosen

    def point_range(self) -> tuple[int, int]:
        """Return the least and the most points the item can give, a missing value included."""
        reached = np.concatenate([self.add_up(probe) for probe in probe_columns(self.conditions)])
        return int(reached.min()), int(reached.max())


def rows_by_item(rows: list[dict[str, Any]]) -> list[ItemRows]:
    """Gather the rows of each item, the items in the order of the card."""
    found = []
    for item in dict.fromkeys(row["item"] for row in rows):
        positions = [i for i, row in enumerate(rows) if row["item"] == item]
        conditions = [parse_condition(rows[i]["condition"]) for i in positions]
        order = strictness_order(conditions)
        chosen = [positions[i] for i in order]
        found.append(ItemRows(item, chosen, [conditions[i] for i in order], [rows[i]["points"] for i in chosen]))
    return found


def rows_of_frame(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table given as a frame, what may be left out filled in."""
    lacking = [name for name in ("item", "condition", "points") if name not in table.columns]
    if lacking:
        raise UsageError(f"a scorecard table needs columns item, condition and points; missing: {', '.join(lacking)}")
    filled = table.assign(
        domain=table.get("domain", "other"),
        is_actionable=table.get("is_actionable", False),
        reason=table.get("reason", table["item"]),
    )
    names = list(ROW_FIELDS)
    return [dict(zip(names, row, strict=True)) for row in filled[names].itertuples(index=False, name=None)]


def rows_of_card(card: Scorecard) -> list[dict[str, Any]]:
    """Return the rows of a loaded card."""
    return [
        {
            "item": row.item,
            "condition": str(row.condition),
            "points": row.points,
            "domain": row.domain,
            "is_actionable": row.is_actionable,
            "reason": row.reason_id or row.item,
        }
        for row in card.rows
    ]


def checked_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in plain types, each condition in its one spelling."""
    if not rows:
        raise UsageError("a scorecard needs at least one row; found none")
    return [_checked_row(row) for row in rows]


def check_items(items: list[ItemRows]) -> None:
    """Refuse a card that compares an item both as a number and as a text."""
    for one in items:
        if any(map(is_threshold, one.conditions)) and any(map(_is_word, one.conditions)):
            raise UsageError("an item is compared with a number in one row and with a text in another", where=one.item)


def checked_risk(pairs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the risk table by points: whole points once each, risks from 0 to 1."""
    ordered = sorted((int(points), float(risk)) for points, risk in pairs)
    points = np.array([p for p, _ in ordered], dtype="int64")
    risks = np.array([r for _, r in ordered], dtype="float64")
    if len(np.unique(points)) < len(points) or not ((risks >= 0) & (risks <= 1)).all():
        raise UsageError("a risk table gives each number of points once, with a risk from 0 to 1", where="risk table")
    return points, risks


def without_nan(value: Any) -> Any:
    """Return plain content with None for numbers that cannot be told: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _checked_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row in plain types, its condition in its one spelling."""
    item, points = str(row["item"]), row["points"]
    if isinstance(points, bool) or int(points) != points:
        raise UsageError(f"points are whole numbers; found {points!r}", where=f"scorecard row of item {item}")
    return {
        "item": item,
        "condition": write_condition(parse_condition(str(row["condition"]))),
        "points": int(points),
        "domain": str(row["domain"]),
        "is_actionable": bool(row["is_actionable"]),
        "reason": str(row["reason"]),
    }


def _is_word(condition: Condition) -> bool:
    """Whether a condition names a code that is no number."""
    return condition.operator == "=" and number_of(condition) is None
