"""An instrument: a published scale, its items and how answers become a score, read from one TOML file.

The objects here are frozen and hold what the file says; ``casestrat.timeline`` scores answers with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from casestrat.knowledge.frozen import FrozenMap
from casestrat.tables.fingerprint import fingerprint_of

Labels = Mapping[str, str]
Code = str | float
ScoringType = Literal["sum", "weighted_sum", "lookup_sum", "sequential_groups", "total_only"]
SCORING_TYPES: Final[tuple[ScoringType, ...]] = (
    "sum", "weighted_sum", "lookup_sum", "sequential_groups", "total_only",
)  # fmt: skip
CONTEXTS: Final = ("age", "sex")  # what an instrument may ask of the person beside its items


@dataclass(frozen=True, slots=True)
class Step:
    """Points from a value upwards, until the next step."""

    start: float
    points: float


@dataclass(frozen=True, slots=True)
class Parts:
    """How the letters of an item's parts, side by side, become the item's own letter."""

    items: tuple[str, ...]
    letter_of: Mapping[str, str]  # "AB" → "B", for every combination


@dataclass(frozen=True, slots=True)
class Item:
    """``[[items]]``: one question, and the answers it takes.

    Parameters
    ----------
    id : str
        Its name in ``responses.item``.
    label : mapping of str to str
        A short label of our own, by language.
    allowed : tuple of str or float
        The codes it takes; empty where any whole number between ``minimum`` and ``maximum`` does.
    minimum, maximum : float, optional
        The ends of a whole-number answer; no maximum is no upper end.
    is_reversed : bool
        Whether the code counts as its distance from the highest code.
    weight : float
        What the code is multiplied by.
    steps : tuple of Step
        Points by value, where the points are not the code itself.
    is_scored : bool
        Whether the score needs it; an item that is only recorded may be absent.
    parts : Parts, optional
        The parts from which the item's letter follows where it is not given itself.
    """

    id: str
    label: Labels
    allowed: tuple[Code, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_reversed: bool = False
    weight: float = 1.0
    steps: tuple[Step, ...] = ()
    is_scored: bool = True
    parts: Parts | None = None

    @property
    def is_text(self) -> bool:
        """Whether its codes are letters or words."""
        return bool(self.allowed) and isinstance(self.allowed[0], str)

    def points_of(self, code: float) -> float:
        """Return what one numeric code adds to a sum.

        Parameters
        ----------
        code : float
            A code that the item takes.

        Returns
        -------
        float
            The points of the highest step that the code reaches (0 below all), or without steps the code, reversed
            where the item is, times the weight.
        """
        if self.steps:
            return max((step for step in self.steps if step.start <= code), key=lambda s: s.start, default=_NONE).points
        lowest, highest = (min(map(float, self.allowed)), max(map(float, self.allowed))) if self.allowed else (0.0, 0.0)
        return self.weight * (lowest + highest - code if self.is_reversed else code)


_NONE = Step(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Group:
    """One step of a sequential grouping: the weights of the letters, and the ranks its sum reaches."""

    id: str
    weights: Mapping[str, Mapping[str, int]]  # letter → item → weight
    ranks: tuple[Step, ...]  # from a sum upwards, the rank


@dataclass(frozen=True, slots=True)
class Scoring:
    """``[scoring]``: how answers become outputs.

    ``hierarchy`` holds pairs (the graver, the lesser): the lesser counts nothing beside the graver. ``age_points`` adds
    the outputs ``age_points`` and ``age_adjusted``; ``survival`` (base, factor) the output ``survival_10y``.
    """

    type: ScoringType
    constant: float = 0.0
    decimals: int = 6
    hierarchy: tuple[tuple[str, str], ...] = ()
    age_points: tuple[Step, ...] = ()
    survival: tuple[float, float] | None = None
    groups: tuple[Group, ...] = ()
    otherwise_rank: int = 0
    output_of_rank: Mapping[str, int] = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class Band:
    """``[[bands]]``: a named stretch of the score, lowest first, with exactly one lower bound.

    Parameters
    ----------
    id : str
        Its name, such as ``"severe"``.
    label : mapping of str to str
        What people read, by language.
    start : float
        Its lower bound; it ends where the next band begins.
    is_open : bool
        True for ``above``: the bound itself still belongs to the band below.
    """

    id: str
    label: Labels
    start: float
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """``[[flags]]``: something to be told whatever the total; an output of its own."""

    id: str
    label: Labels
    at_least: float
    item: str | None = None  # an item's code; without it, the total
    when: Mapping[str, str] = field(default_factory=FrozenMap)  # column asked of the person → code


@dataclass(frozen=True, slots=True)
class MissingRule:
    """``[missing]``: what is done when answers are missing: no score, or the mean of the others up to a number."""

    rule: Literal["complete", "prorate"] = "complete"
    max_missing: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """``[[examples]]``: a worked case that the contract test runs."""

    name: str
    answers: Mapping[str, Any]
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Instrument:
    """A published scale, and all that is needed to score it.

    Load one with :func:`casestrat.load_instrument`.

    Parameters
    ----------
    id, name, version : str
        Its short name, its full name, and which version of it this is.
    label : mapping of str to str
        What people read, by language.
    domain : str
        What it looks at, such as ``"mood"``.
    items : tuple of Item
        Its questions, in the order of the file; an instrument that takes its total only has the one item ``total``.
    scoring : Scoring
        How answers become outputs.
    outputs : tuple of str
        What it gives; the first is the one that bands, features and ``total`` speak of.
    score_range : tuple of float
        The lowest and the highest score.
    bands : tuple of Band
        Named stretches of the score, lowest first.
    flags : tuple of Flag
        What is to be told whatever the total.
    missing : MissingRule
        What is done when answers are missing.
    context : tuple of str
        What it asks of the person beside its items: ``age``, ``sex``.
    higher_is_worse : bool
        Whether a higher score means more need.
    licence, source, confidence, status : str
        On which terms it may be used, where it comes from, how its scoring was checked, and how far it is recognised.
    notes : str
        What else whoever uses it should know.
    examples : tuple of Example
        Worked cases.
    variant : str
        The variant that was loaded, such as half points; empty: the usual form.
    variants : tuple of str
        The variants that the file declares.
    """

    id: str
    name: str
    version: str
    label: Labels
    domain: str
    items: tuple[Item, ...]
    scoring: Scoring
    outputs: tuple[str, ...]
    score_range: tuple[float, float]
    bands: tuple[Band, ...]
    flags: tuple[Flag, ...]
    missing: MissingRule
    context: tuple[str, ...]
    higher_is_worse: bool
    licence: str
    source: str
    confidence: str
    status: str
    notes: str
    examples: tuple[Example, ...]
    variant: str = ""
    variants: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Hash of everything the instrument says."""
        return fingerprint_of(self)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The names of the items, in the order of the file."""
        return tuple(item.id for item in self.items)

    @property
    def scored_items(self) -> tuple[Item, ...]:
        """The items that the score needs."""
        return tuple(item for item in self.items if item.is_scored)
