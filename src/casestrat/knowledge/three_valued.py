"""Three-valued expressions: a small safe language whose answer is yes, no or unknown, and never a guess.

``and``, ``or`` and ``not`` are Kleene's: an unknown decides nothing that the known parts do not decide already. A
comparison with something unknown is unknown; a number known only to lie between two ends is compared with both.
"""

from __future__ import annotations

import ast
import operator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casestrat.errors import KnowledgeError
from casestrat.knowledge.expression import expression_names, parse_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers known to lie in ``[low, high]``, one a person; NaN where nothing is known. Flags are 0 and 1."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Words:
    """Codes, one a person. As a flag, yes, true and 1 are yes, no, false and 0 are no, and anything else is unknown."""

    codes: NDArray[Any]
    is_known: Flags


@dataclass(frozen=True, slots=True)
class NotAtHand:
    """An input that was not computed: unknown for everyone, whatever its kind."""


_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
_UNKNOWN = "unknown"  # a code that says that nobody knows
Value = Numbers | Words | NotAtHand


def value_of(column: pd.Series[Any], name: str) -> Value:
    """Return a column as an input of a rule; missing cells and the code ``unknown`` are unknown.

    Parameters
    ----------
    column : pandas.Series
        Numbers, flags or text, one a person.
    name : str
        The name by which rules read it, for messages.

    Returns
    -------
    Numbers or Words
        One value per person.

    Raises
    ------
    KnowledgeError
        The column holds dates.
    """
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype="float64", na_value=np.nan)
        return Numbers(numbers, numbers)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise KnowledgeError(f"a rule reads `{name}`, which is a date", do="use a feature that counts days instead")
    values = column.astype(object).where(column.notna(), _UNKNOWN).astype(str)
    return Words(values.to_numpy(dtype=object), values.ne(_UNKNOWN).to_numpy(dtype=bool))


def is_missing(value: Value, n: int) -> Flags:
    """Tell of whom nothing is known.

    Parameters
    ----------
    value : Numbers, Words or NotAtHand
        One value per person.
    n : int
        Number of people.

    Returns
    -------
    numpy.ndarray of bool
        One flag per person.
    """
    if isinstance(value, NotAtHand):
        return np.ones(n, dtype=bool)
    return np.isnan(value.low) if isinstance(value, Numbers) else ~value.is_known


@dataclass(frozen=True, slots=True)
class Truth:
    """Who is known to be in, and who is known to be out; the others are unknown."""

    yes: Flags
    no: Flags

    def to_boolean(self, n: int) -> pd.arrays.BooleanArray:
        """Return one nullable boolean a person, missing where it is unknown."""
        yes, no = np.broadcast_to(self.yes, (n,)), np.broadcast_to(self.no, (n,))
        return pd.arrays.BooleanArray(yes.copy(), ~(yes | no))


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule's expression, parsed and found safe.

    Parameters
    ----------
    text : str
        As written in the program.
    names : tuple of str
        The inputs it reads, in the order they appear.
    tree : ast.expr
        The parsed expression.
    where : str
        The rule it belongs to, for messages.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr
    where: str

    def evaluate(self, values: Mapping[str, Value], n: int) -> pd.arrays.BooleanArray:
        """Return the answer for everyone.

        Parameters
        ----------
        values : mapping of str to Numbers, Words or NotAtHand
            One entry per name of the expression, each with ``n`` values.
        n : int
            Number of people.

        Returns
        -------
        pandas.arrays.BooleanArray
            One answer per person: True, False, or missing for unknown.

        Raises
        ------
        KnowledgeError
            The expression compares text with a number, or puts texts in order.
        """
        return _Reader(values, self.where).truth(self.tree).to_boolean(n)


def read_expression(text: str, where: str = "") -> Expression:
    """Read an expression of a rule.

    Parameters
    ----------
    text : str
        Names, numbers, quoted codes, ``and``, ``or``, ``not``, comparisons, and ``in`` a list of constants.
    where : str, optional
        The rule it belongs to, for messages.

    Returns
    -------
    Expression
        The parsed expression.

    Raises
    ------
    KnowledgeError
        It uses more than the small language.

    Examples
    --------
    >>> rule = read_expression("age >= 60 or neurodegenerative")
    >>> rule.names
    ('age', 'neurodegenerative')
    >>> nan = float("nan")
    >>> age, flag = np.array([82.0, 55.0, 55.0]), np.array([nan, 0.0, nan])
    >>> rule.evaluate({"age": Numbers(age, age), "neurodegenerative": Numbers(flag, flag)}, 3).tolist()
    [True, False, <NA>]
    """
    return Expression(text, expression_names(text), parse_expression(text), where)


def _refusal(what: str, where: str) -> KnowledgeError:
    return KnowledgeError(
        f"a rule {what}", where=where, do="use names, numbers, 'codes', and, or, not, comparisons, in [..]"
    )


_ORDER: dict[type[ast.cmpop], tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    ast.Lt: (operator.lt, operator.ge),
    ast.LtE: (operator.le, operator.gt),
    ast.Gt: (operator.gt, operator.le),
    ast.GtE: (operator.ge, operator.lt),
}


class _Reader:
    """Reads one expression over one set of inputs."""

    def __init__(self, values: Mapping[str, Value], where: str) -> None:
        self.values, self.where = values, where

    def truth(self, node: ast.expr) -> Truth:
        """Yes, no or unknown of a node."""
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(part) for part in node.values]  # noqa: PD011
            joined = both if isinstance(node.op, ast.And) else either
            return reduce(joined, parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand)
            return Truth(inner.no, inner.yes)
        if isinstance(node, ast.Compare):
            return self._compared(node)
        return self._flag(self._value(node))

    def _flag(self, value: Value) -> Truth:
        if isinstance(value, Words):
            return Truth(value.is_known & _among(value, _YES), value.is_known & _among(value, _NO))
        if isinstance(value, NotAtHand):
            return _unknown()
        return Truth((value.low > 0) | (value.high < 0), (value.low == 0) & (value.high == 0))

    def _compared(self, node: ast.Compare) -> Truth:
        """Answer a comparison; chained ones are joined by `and`."""
        operands = [node.left, *node.comparators]
        steps = zip(operands, node.ops, operands[1:], strict=False)
        return reduce(both, [self._step(left, op, right) for left, op, right in steps])

    def _step(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Truth:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
                raise _refusal("has `in` without a list of constants", self.where)
            found = reduce(either, [self._step(left, ast.Eq(), item) for item in right.elts])
            return found if isinstance(op, ast.In) else Truth(found.no, found.yes)
        return self._pair(self._value(left), op, self._value(right))

    def _pair(self, a: Value, op: ast.cmpop, b: Value) -> Truth:
        if isinstance(a, NotAtHand) or isinstance(b, NotAtHand):
            return _unknown()
        if isinstance(a, Words) and isinstance(b, Words):
            return self._words(a, op, b)
        if isinstance(a, Words) or isinstance(b, Words):
            raise _refusal("compares a text with a number", self.where)
        if type(op) in _ORDER:
            return _ordered(a, type(op), b)
        same = (a.low == a.high) & (b.low == b.high) & (a.low == b.low)
        apart = (a.high < b.low) | (b.high < a.low)
        return Truth(same, apart) if isinstance(op, ast.Eq) else Truth(apart, same)

    def _words(self, a: Words, op: ast.cmpop, b: Words) -> Truth:
        if not isinstance(op, ast.Eq | ast.NotEq):
            raise _refusal("puts texts in order", self.where)
        is_known = a.is_known & b.is_known
        same = np.asarray(a.codes == b.codes, dtype=bool)
        yes, no = is_known & same, is_known & ~same
        return Truth(yes, no) if isinstance(op, ast.Eq) else Truth(no, yes)

    def _value(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Name):
            return self.values[node.id]
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
            return _constant(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
            number = node.operand.value
            if isinstance(node.op, ast.USub) and isinstance(number, int | float):
                return _constant(-number)
        raise _refusal("compares something that is neither a name nor a constant", self.where)


def _among(words: Words, codes: tuple[str, ...]) -> Flags:
    return np.isin([str(value).lower() for value in words.codes], codes)


def _constant(value: str | float) -> Value:
    if isinstance(value, str):
        return Words(np.array([value], dtype=object), np.array([True]))
    number = np.array([float(value)])
    return Numbers(number, number)


def _ordered(a: Numbers, op: type[ast.cmpop], b: Numbers) -> Truth:
    """Say where `a op b` holds for every pair of the two intervals, and where for none."""
    holds, fails = _ORDER[op]
    is_less = op in (ast.Lt, ast.LtE)
    yes = holds(a.high, b.low) if is_less else holds(a.low, b.high)
    no = fails(a.low, b.high) if is_less else fails(a.high, b.low)
    return Truth(yes, no)


def both(a: Truth, b: Truth) -> Truth:
    """Kleene's `and`."""
    return Truth(a.yes & b.yes, a.no | b.no)


def either(a: Truth, b: Truth) -> Truth:
    """Kleene's `or`."""
    return Truth(a.yes | b.yes, a.no & b.no)


def _unknown() -> Truth:
    nobody = np.array([False])
    return Truth(nobody, nobody)
