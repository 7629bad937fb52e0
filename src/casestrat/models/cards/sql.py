"""A card as one SQL query, so that a database gives the same points, and the way back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from casestrat.errors import UsageError
from casestrat.knowledge.scorecard import parse_condition
from casestrat.models.cards.conditions import MISSING, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.knowledge.scorecard import Condition

_MARK: Final = "-- casestrat-scorecard: "


def card_to_sql(card: Any, table: str, keys: Sequence[str]) -> str:
    """Write a card as a SELECT.

    Parameters
    ----------
    card : PointScorecard
        The card.
    table : str
        The table of features.
    keys : sequence of str
        Columns that are handed on.

    Returns
    -------
    str
        Standard SQL: the keys, points, unknown_items (items not known that the card has no row for) and, where the card
        has a risk table, risk.

    Raises
    ------
    UsageError
        A name holds a quotation mark, or no key is told.
    """
    if not keys:
        raise UsageError("a query hands on at least one key column, such as person_id", where="keys")
    names = ", ".join(map(_name, keys))
    conditions = [(row["item"], parse_condition(row["condition"]), row["points"]) for row in card.rows_]
    parts = [f"CASE WHEN {_when(item, how)} THEN {points} ELSE 0 END" for item, how, points in conditions]
    declared = {item for item, how, _points in conditions if how.operator == MISSING}
    unknown = [f"CASE WHEN {_name(item)} IS NULL THEN 1 ELSE 0 END" for item in card.items_ if item not in declared]
    lines = [
        _MARK + json.dumps(json.loads(card.to_json()), ensure_ascii=True, sort_keys=True),
        f"SELECT {names}, points, unknown_items" + _risk(card),
        "FROM (",
        f"  SELECT {names},",
        "    " + "\n    + ".join(unknown or ["0"]) + " AS unknown_items,",
        "    " + "\n    + ".join(parts) + " AS points",
        f"  FROM {_name(table)}",
        ") AS scored",
    ]
    return "\n".join(lines) + "\n"


def json_in_sql(text: str) -> str:
    """Return the JSON of the card that a query holds.

    Parameters
    ----------
    text : str
        What :func:`card_to_sql` wrote.

    Returns
    -------
    str
        The JSON.

    Raises
    ------
    UsageError
        No comment holds a card.
    """
    for line in text.splitlines():
        if line.startswith(_MARK):
            return line.removeprefix(_MARK)
    raise UsageError(f"expected a query whose comment begins with '{_MARK.strip()}'; found none")


def _risk(card: Any) -> str:
    """Return the column of the risk: the line of the table that the points reach."""
    if not len(card.risk_points_):
        return ""
    lines = list(zip(card.risk_points_.tolist(), card.risk_values_.tolist(), strict=True))
    steps = " ".join(f"WHEN points >= {points} THEN {risk!r}" for points, risk in reversed(lines[1:]))
    lowest = repr(lines[0][1])
    return f",\n  CASE {steps} ELSE {lowest} END AS risk" if steps else f",\n  {lowest} AS risk"


def _when(item: str, condition: Condition) -> str:
    """Return a condition on a column; NULL fulfils none but the one for missing values."""
    column, value = _name(item), condition.value
    if condition.operator == MISSING:
        return f"{column} IS NULL"
    if isinstance(value, str) and number_of(condition) is None:
        return f"{column} = '{value.replace(chr(39), 2 * chr(39))}'"
    number = float(number_of(condition) or 0.0)
    return f"{column} {condition.operator} {int(number) if number.is_integer() else repr(number)}"


def _name(name: str) -> str:
    """Return a name in quotation marks."""
    if '"' in name:
        raise UsageError("names of columns and tables may not hold quotation marks", where=name)
    return f'"{name}"'
