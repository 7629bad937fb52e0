"""A priority policy: the rules by which a waiting list is put in order, as data.

The policy knows no people. ``casestrat.priority`` applies it to a list and ``casestrat.caseload`` to a simulated one,
so that both use the same index and the same key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from casestrat.errors import KnowledgeError
from casestrat.knowledge.frozen import FrozenMap
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge.program import Program

Mode = Literal["score", "accumulating", "fcfs"]
MODES: tuple[Mode, ...] = ("score", "accumulating", "fcfs")


@dataclass(frozen=True, slots=True)
class Component:
    """Where a component of the index comes from, and the ends of its scale.

    Parameters
    ----------
    feature : str
        The feature or waiting-list column that is scaled.
    best, worst : float
        The values that count 0 (least need) and 1 (most need); ``best`` may be above ``worst``.
    """

    feature: str
    best: float
    worst: float


@dataclass(frozen=True, slots=True)
class PriorityPolicy:
    """How a waiting list is put in order.

    The key is lexicographic: override tier, deadline breached, minus the rounded index, referral date, lottery. The
    index is ``Σ weights · components + rate(tier) · days waited`` in mode ``accumulating``, ``Σ weights · components``
    in mode ``score``, and 0 in mode ``fcfs``.

    Parameters
    ----------
    mode : {"score", "accumulating", "fcfs"}
        What the index is made of.
    rates : mapping of str to float
        Index points a day of waiting is worth, by tier; needed by ``accumulating``.
    weights : mapping of str to float
        Index points a component is worth at its worst (components are on 0–1 scales).
    components : mapping of str to Component
        How a component is scaled from a feature; a component not named here is taken as it stands in the list.
    decimals : int
        Digits to which the index is rounded before comparing, so that noise in the last place orders nobody.
    min_completeness : float
        Share of the score's inputs that must be known, in [0, 1]; below it a person is to be assessed first.
    seed : str
        The published seed of the lottery that orders those who tie.

    Examples
    --------
    >>> PriorityPolicy(mode="accumulating", rates={"high": 4, "low": 1}, weights={"risk": 100}).rates["high"]
    4.0
    """

    mode: Mode = "score"
    rates: Mapping[str, float] = field(default_factory=FrozenMap)
    weights: Mapping[str, float] = field(default_factory=FrozenMap)
    components: Mapping[str, Component] = field(default_factory=FrozenMap)
    decimals: int = 6
    min_completeness: float = 0.7
    seed: str = ""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise KnowledgeError(f"the policy's mode is {self.mode!r}", do=f"use one of: {', '.join(MODES)}")
        if self.mode == "accumulating" and not self.rates:
            raise KnowledgeError("mode 'accumulating' needs rates", do="give `rates`, index points a day, by tier")
        if not 0 <= self.min_completeness <= 1:
            raise KnowledgeError("min_completeness must lie in [0, 1]", do="give a share such as 0.7")
        if not 0 <= self.decimals <= 12:
            raise KnowledgeError("decimals must lie in 0–12", do="give a small whole number such as 6")
        for name in ("rates", "weights"):
            numbers = {str(key): float(value) for key, value in getattr(self, name).items()}
            if any(not value >= 0 or value == float("inf") for value in numbers.values()):
                raise KnowledgeError(f"`{name}` must be finite and not negative", do=f"mend `{name}`")
            object.__setattr__(self, name, FrozenMap(numbers))
        object.__setattr__(self, "components", FrozenMap(dict(self.components)))

    @property
    def fingerprint(self) -> str:
        """Hash of the policy's content, the seed included."""
        return fingerprint_of(self)

    @classmethod
    def from_program(cls, program: Program, *, seed: str = "") -> PriorityPolicy:
        """Return the policy that a program declares, with the lottery's seed.

        Parameters
        ----------
        program : Program
            The program whose TOML holds ``[priority]``.
        seed : str, optional
            The published seed of the meeting's lottery, such as ``"2026-10"``; without it, the program's own.

        Returns
        -------
        PriorityPolicy
            The declared policy.
        """
        declared = program.priority
        return cls(
            mode=declared.mode,
            rates=declared.rates,
            weights=declared.weights,
            components=declared.components,
            decimals=declared.decimals,
            min_completeness=declared.min_completeness,
            seed=seed or declared.seed,
        )
