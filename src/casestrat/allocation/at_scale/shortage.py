"""Large problems in which minutes lack: level 1 is searched among plans that cost little.

Once nobody has minutes to spare, hardly any case can change hands. So a plan that leaves a few more over is made cheap
first, while there is room to exchange, and then filled by exchanges that cost little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from casestrat.allocation.at_scale.bargains import cheapen
from casestrat.allocation.at_scale.filling import filled, gather
from casestrat.allocation.at_scale.squeeze import crowd
from casestrat.allocation.at_scale.tally import Tally
from casestrat.allocation.at_scale.trades import bundles_of, open_market, relieve
from casestrat.allocation.at_scale.wide import fitted, levelled
from casestrat.allocation.solver.bounds import forced_left
from casestrat.allocation.solver.draft import NOBODY
from casestrat.allocation.solver.exact import is_inside
from casestrat.allocation.solver.relaxation import Limits, least_of_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.allocation.at_scale.trades import Market
    from casestrat.allocation.problem.instance import Instance
    from casestrat.allocation.solver.clock import Clock
    from casestrat.allocation.solver.relaxation import Prices

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

_ROUNDS, _TRIES, _SHAKES = 4, 2, 16
_DEAR = 0.003  # shares of the mean priority that a unit of cost counts when cases are exchanged
_WORTH_A_PLACE = 0.5  # minutes lack nowhere for a case where they are worth at most this share of its priority
_MARGINAL = 1.5  # a case may be left over whose priority is at most so many times what its minutes are worth


def filled_cheaply(
    instance: Instance,
    plan: Wholes,
    load: Wholes,
    prices: Prices,
    seconds: float,
    clock: Clock,
    rng: np.random.Generator,
) -> Wholes:
    """Return a plan that leaves less priority over than the one given, and costs little.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody: the relaxation of level 1, rounded.
    load : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.
    prices : Prices
        Of the relaxation of level 1.
    seconds : float
        For each relaxation of level 3.
    clock : Clock
        Notes whether the seconds were used up.
    rng : numpy.random.Generator
        Settles which exchanges are tried.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan within the limits.
    """
    left = instance.unassigned_value(plan) - forced_left(instance)
    costs = instance.fit_value(plan)
    for other in fitted(instance, plan, Limits(load, left), seconds, _TRIES, clock):
        value = instance.unassigned_value(other) - forced_left(instance)
        if value <= left and instance.fit_value(other) < costs:
            plan, costs = other, instance.fit_value(other)
    market = open_market(Tally(instance, plan, load))
    if market is None or not len(market.gives):
        return plan
    among, dear = prices.minutes > 0, _DEAR * float(instance.priority.mean())
    plan = seated(instance, plan, load, market, minutes_worth(instance, prices))
    for _ in range(_ROUNDS):
        even = levelled(instance, plan, load, keeps_cost=True)
        plan = filled(instance, plan if even is None else even, load, among, rng, dear)
        tally = Tally(instance, plan, load)
        if cheapen(tally, market, Limits(load, 0.0)):
            plan = tally.dealt()
    return plan


def cheapened(instance: Instance, plan: Wholes, limits: Limits, rng: np.random.Generator) -> Wholes:
    """Return a cheap plan evened out at no cost, then made cheaper still within the limits of level 3.

    Where no exchange of two makes it cheaper, minutes change hands at random, as cheaply as may be, and it is tried
    again.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    limits : Limits
        What earlier levels have settled.
    rng : numpy.random.Generator
        Settles what changes hands at random.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan that places the same cases; it may be outside the limits on squares where the first is.
    """
    even = levelled(instance, plan, limits.load, keeps_cost=True)
    plan = plan if even is None else even
    tally = Tally(instance, plan, limits.load)
    market = open_market(tally)
    bundles = bundles_of(market) if market is not None and len(market.gives) else None
    if market is None or bundles is None:
        return plan
    everyone = np.ones(instance.m, dtype=bool)
    for shake in range(_SHAKES):
        if shake:
            tally = Tally(instance, plan, limits.load)
            gather(tally, market, bundles, everyone, rng)
        cheapen(tally, market, limits)
        other = tally.dealt()
        if instance.fit_value(other) <= instance.fit_value(plan) and is_inside(instance, limits, other):
            plan = other
    return plan


def minutes_worth(instance: Instance, prices: Prices) -> NDArray[np.float64]:
    """Return what the minutes of each case are worth at least by the prices of level 1, shape (n,).

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    prices : Prices
        Of the relaxation of level 1.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        In units of priority; infinite for cases that nobody may follow.
    """
    groups, managers = np.nonzero(instance.allowed)
    asked = prices.minutes[managers] * instance.weight[groups, managers] + prices.slots[managers]
    return least_of_classes(groups, asked, len(instance.allowed))[instance.group]


def may_be_left(instance: Instance, plan: Wholes, prices: Prices) -> Flags:
    """Return the cases that a good plan may leave over: those left by this one, and those hardly worth their minutes.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    prices : Prices
        Of the relaxation of level 1.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True for such cases.
    """
    return np.asarray((plan == NOBODY) | (instance.priority <= _MARGINAL * minutes_worth(instance, prices)), dtype=bool)


def seated(
    instance: Instance, plan: Wholes, load: Wholes, market: Market, worth: NDArray[np.float64]
) -> Wholes:  # fmt: skip
    """Return the plan with those placed for whom minutes do not lack: others near by make room for them.

    Parameters
    ----------
    instance : Instance
        The arrays of the problem.
    plan : numpy.ndarray of int, shape (n,)
        Case manager of each case, -1 for nobody.
    load : numpy.ndarray of int, shape (m,)
        Most minutes of each case manager.
    market : Market
        What may change hands.
    worth : numpy.ndarray of float, shape (n,)
        What the minutes of each case are worth.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        A plan that leaves no one over whom the other places.
    """
    left = np.flatnonzero((plan == NOBODY) & ~instance.hopeless & (worth <= _WORTH_A_PLACE * instance.priority))
    for case in left[np.argsort(-instance.priority[left], kind="stable")].tolist():
        tally = Tally(instance, plan, load)
        crowd(tally, np.array([case]))
        if relieve(tally, market):
            plan = tally.dealt()
    return plan
