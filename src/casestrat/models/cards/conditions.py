"""For whom the condition of a scorecard's row holds: ``>= 5``, ``< 3``, ``= urgent``, ``is missing``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from casestrat.errors import UsageError
from casestrat.models.inputs.columns import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from casestrat.knowledge.scorecard import Condition

_COMPARE = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}
_FLAGS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
MISSING = "is missing"


def is_threshold(condition: Condition) -> bool:
    """Tell whether a condition compares with a number.

    Parameters
    ----------
    condition : Condition
        The condition of a row.

    Returns
    -------
    bool
        True for ``>=``, ``>``, ``<=`` and ``<``.
    """
    return condition.operator in _COMPARE


def number_of(condition: Condition) -> float | None:
    """Return a condition's threshold or code as a number.

    Parameters
    ----------
    condition : Condition
        The condition of a row.

    Returns
    -------
    float or None
        The number, 1 and 0 for the codes of a flag, None for a code that is no number.
    """
    value = condition.value
    return _FLAGS.get(value.lower()) if isinstance(value, str) else value


def write_condition(condition: Condition) -> str:
    """Write a condition in its one spelling.

    Parameters
    ----------
    condition : Condition
        The condition of a row.

    Returns
    -------
    str
        Words that read back to the same condition.

    Examples
    --------
    >>> from casestrat.knowledge.scorecard import Condition
    >>> write_condition(Condition(">=", 2.0)), write_condition(Condition("=", "heroin"))
    ('>= 2', '= heroin')
    """
    value = condition.value
    if value is None:
        return condition.operator
    is_whole = isinstance(value, float) and value.is_integer()
    return f"{condition.operator} {int(value) if is_whole else value}"


def holds(condition: Condition, column: Column, item: str) -> np.ndarray:
    """Tell for whom a condition holds; a missing value fulfils none but ``is missing``.

    Parameters
    ----------
    condition : Condition
        The condition of a row.
    column : Column
        The item's values.
    item : str
        The item, for the message.

    Returns
    -------
    numpy.ndarray
        One flag per row.

    Raises
    ------
    UsageError
        The column holds text where a number is compared, or numbers where the code is a text.
    """
    if condition.operator == MISSING:
        return column.is_missing
    words = write_condition(condition)
    number = number_of(condition)
    if is_threshold(condition):
        if column.numbers is None:
            raise UsageError(f"'{words}' compares numbers and the column holds text", where=f"column {item}")
        return np.asarray(_COMPARE[condition.operator](column.numbers, float(number or 0.0)))
    if column.codes is not None:
        return np.isin(column.codes, [code for code, level in enumerate(column.levels) if _is_code(level, condition)])
    if number is None:
        raise UsageError(f"'{words}' names a code and the column holds numbers", where=f"column {item}")
    return np.asarray(column.numbers == number)


def strictness_order(conditions: Sequence[Condition]) -> list[int]:
    """Order an item's conditions so that of several that hold together the narrowest comes last.

    Parameters
    ----------
    conditions : sequence of Condition
        The conditions of one item.

    Returns
    -------
    list of int
        Positions: thresholds from below upwards, thresholds from above downwards, then codes.
    """

    def width(position: int) -> tuple[int, float, bool]:
        """Say how wide a condition is, in order: its direction, its threshold, whether that itself is left out."""
        condition = conditions[position]
        if not is_threshold(condition):
            return 2, 0.0, False
        number = number_of(condition) or 0.0
        is_strict = condition.operator in {">", "<"}
        return (0, number, is_strict) if condition.operator[0] == ">" else (1, -number, is_strict)

    return sorted(range(len(conditions)), key=width)


def probe_columns(conditions: Sequence[Condition]) -> list[Column]:
    """Return columns that together hold one value of every kind the conditions can tell apart.

    Parameters
    ----------
    conditions : sequence of Condition
        The conditions of one item.

    Returns
    -------
    list of Column
        Small columns: each threshold, the numbers beside it, each code, another code, and a missing value.
    """
    columns = [Column(np.array([np.nan]), np.array([-1]), (), np.array([True]))]
    told = [condition for condition in conditions if condition.operator != MISSING]
    numbers = [number_of(condition) for condition in told]
    if None not in numbers:
        at = np.array(numbers, dtype=float)
        values = np.concatenate([at, np.nextafter(at, np.inf), np.nextafter(at, -np.inf)])
        columns.append(Column(values, None, (), np.zeros(len(values), dtype=bool)))
    if not any(map(is_threshold, told)):
        levels = (*(str(condition.value) for condition in told), "\x00another")
        columns.append(Column(None, np.arange(len(levels)), levels, np.zeros(len(levels), dtype=bool)))
    return columns


def _is_code(level: str, condition: Condition) -> bool:
    """Whether a text of the column is the code, also where both are numbers written differently."""
    if isinstance(condition.value, str):
        return level == condition.value
    try:
        return float(level) == condition.value
    except ValueError:
        return False
