"""Tiers: where each begins and ends, the rules that come before, and how closely their people are followed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from casestrat.knowledge.frozen import FrozenMap, FrozenParts, Labels


@dataclass(frozen=True, slots=True)
class TierRule(FrozenParts):
    """``[[tiers]]``, highest first: where the tier begins, in points and in risk, and its starting intensity.

    Parameters
    ----------
    id : str
        Its name, such as ``"high"``.
    intensity : str
        Name of the intensity that its people begin with.
    from_points : int, optional
        The fewest points of the tier; the lowest tier has neither bound.
    from_risk : float, optional
        The least risk of the tier, 0 to 1.
    label : mapping of str to str, optional
        What people read, by language.
    leave_points : int, optional
        The way out: somebody in the tier stays in it from so many points on; at most ``from_points``, which it is by
        default.
    leave_risk : float, optional
        The same for risk.
    least_stay_days : int, optional
        Days that somebody stays in the tier whatever the score; 1 or more.
    """

    id: str
    intensity: str
    from_points: int | None = None
    from_risk: float | None = None
    label: Labels = field(default_factory=FrozenMap)
    leave_points: int | None = None
    leave_risk: float | None = None
    least_stay_days: int | None = None


@dataclass(frozen=True, slots=True)
class RuleSpec(FrozenParts):
    """``[[tier_rules]]``, the first first: a condition that gives a tier, or asks people for an override.

    Parameters
    ----------
    id : str
        Its name.
    expression : str
        As :func:`casestrat.knowledge.parse_expression` reads it, over features, ``points``, ``points_share``, ``risk``
        and ``completeness``.
    tier : str, optional
        The tier that it gives.
    how : {"is", "at_least", "at_most"}
        Whether it gives that tier whatever the cut-offs say, or raises to it, or lowers to it.
    override : int
        The override tier of the waiting list that it proposes, greater sooner; 0: none.
    label : mapping of str to str, optional
        What people read, by language.
    """

    id: str
    expression: str
    tier: str | None = None
    how: Literal["is", "at_least", "at_most"] = "is"
    override: int = 0
    label: Labels = field(default_factory=FrozenMap)


@dataclass(frozen=True, slots=True)
class ContactStandard:
    """One contact that an intensity asks for: its kind, and the most days between two of them.

    Parameters
    ----------
    kind : str
        Such as ``"home_visit"`` or ``"phone"``.
    every_days : int
        Days from one to the next; 1 or more.
    """

    kind: str
    every_days: int


@dataclass(frozen=True, slots=True)
class Intensity(FrozenParts):
    """``[intensities.<name>]``: how closely a person is followed; owns the contact standard and the case weight.

    Parameters
    ----------
    id : str
        Its name, such as ``"intensive"``.
    minutes_per_week : int
        Working minutes that one such case takes; 1 or more.
    contacts : tuple of ContactStandard
        The contacts that it asks for.
    label : mapping of str to str, optional
        What people read, by language.
    """

    id: str
    minutes_per_week: int
    contacts: tuple[ContactStandard, ...]
    label: Labels = field(default_factory=FrozenMap)
