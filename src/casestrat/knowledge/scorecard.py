"""A scorecard: whole-number points that a committee can read, as data.

``casestrat.models`` gives the points of people; a published, an expert and a learned card are the same object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from casestrat.errors import KnowledgeError
from casestrat.knowledge.frozen import FrozenMap
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.frozen import Labels

OPERATORS: Final = (">=", "<=", ">", "<", "=")
Operator = Literal[">=", "<=", ">", "<", "=", "is missing"]


@dataclass(frozen=True, slots=True)
class Condition:
    """When a row of a card counts: a comparison with a number or a code, or that the item is missing.

    Parameters
    ----------
    operator : {">=", "<=", ">", "<", "=", "is missing"}
        How the item is compared.
    value : float or str, optional
        What it is compared with; a text only with ``=``, nothing with ``is missing``.
    """

    operator: Operator
    value: float | str | None = None


def parse_condition(text: str) -> Condition:
    """Return a row's condition from its words.

    Parameters
    ----------
    text : str
        ``">= x"``, ``"> x"``, ``"<= x"``, ``"< x"`` with a number, ``"= code"``, or ``"is missing"``.

    Returns
    -------
    Condition
        The operator and the number or code it compares with.

    Raises
    ------
    KnowledgeError
        If the text has none of these forms.

    Examples
    --------
    >>> parse_condition(">= 2"), parse_condition("= heroin").value
    (Condition(operator='>=', value=2.0), 'heroin')
    """
    words = text.strip()
    if words == "is missing":
        return Condition("is missing")
    operator = next((sign for sign in OPERATORS if words.startswith(sign)), None)
    if operator is not None:
        value = words.removeprefix(operator).strip()
        number = _number(value)
        if number is not None or (operator == "=" and value[:1].isalnum()):
            return Condition(operator, value if number is None else number)  # type: ignore[arg-type]
    raise KnowledgeError(
        f"{text!r} is not a condition", do="write '>= 2', '> 2', '<= 2', '< 2', '= code' or 'is missing'"
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


@dataclass(frozen=True, slots=True)
class ScorecardRow:
    """One row of a card: points that an item earns where its condition holds.

    Parameters
    ----------
    item : str
        The feature, or the instrument's item, that is looked at.
    condition : str
        As :func:`parse_condition` reads it; numeric thresholds of one item add up.
    points : int
        Whole points.
    domain : str
        What kind of reason it is, such as ``"function"`` or ``"social"``.
    is_actionable : bool
        Whether help can change it.
    reason_id : str
        The stable name of the reason, the same for all rows that tell one reason.
    """

    item: str
    condition: str
    points: int
    domain: str = "other"
    is_actionable: bool = False
    reason_id: str = ""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A card of whole-number points, with where it comes from and what it may be used for.

    Load one with :func:`casestrat.knowledge.load_scorecard`. Without a ``risk_table`` it gives points and never a
    percentage.

    Parameters
    ----------
    id, version : str
        Its name, and which version of it this is.
    label : mapping of str to str
        What people read, by language.
    domain : str
        What it is about.
    kind : {"published", "expert"}
        Whether it was published, or set by experts.
    licence, source, status : str
        On which terms it may be used, where it comes from, and how far it was validated.
    rows : tuple of ScorecardRow
        Its rows; those of one item that hold add up.
    risk_table : tuple of (int, float)
        Points and the risk, 0 to 1, from there on; rising. Empty where no risk was estimated.
    outcome : str
        The outcome that the risk table speaks of.
    horizon_days : int, optional
        Days that it looks ahead.
    program : str
        The program whose features it reads; empty where it belongs to none.
    item_labels : mapping of str to mapping, optional
        Item → label by language, for items that are not features of a program.
    """

    id: str
    version: str
    label: Labels
    domain: str
    kind: Literal["published", "expert"]
    licence: str
    source: str
    status: str
    rows: tuple[ScorecardRow, ...]
    risk_table: tuple[tuple[int, float], ...] = ()
    outcome: str = ""
    horizon_days: int | None = None
    program: str = ""
    item_labels: Mapping[str, Labels] = field(default_factory=FrozenMap)

    @property
    def items(self) -> tuple[str, ...]:
        """The items that the card looks at, each once, in the order of the rows."""
        return tuple(dict.fromkeys(row.item for row in self.rows))

    @property
    def fingerprint(self) -> str:
        """Hash of everything the card says."""
        return fingerprint_of(self)
