"""From risk or points to a tier, and the intensity it starts with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.tiers.changes import Held, hold_previous, read_previous, tier_probabilities
from casestrat.models.tiers.cut_offs import cut_off_by_cost
from casestrat.models.tiers.guard import check_learned
from casestrat.models.tiers.rules import RuleSet
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from casestrat.knowledge.program import Program
    from casestrat.knowledge.program_tiers import Intensity, TierRule

_MEASURES = (("risk", "from_risk"), ("points", "from_points"))
UNKNOWN = "risk and points not known"
_NO_GROUP = ""


def assign_tiers(
    risk_frame: pd.DataFrame,
    program: Program,
    capacity: int | Mapping[str, int] | None = None,
    *,
    per: str | None = None,
    from_risk: Mapping[str, float] | None = None,
    false_negative_cost: float | None = None,
    false_positive_cost: float | None = None,
    rules: RuleSet | None = None,
    X: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    draws: ArrayLike | None = None,
    model: Any = None,
    learned_ranking_reason: str = "",
) -> pd.DataFrame:
    """Give each person a tier by the program's cut-offs and rules, and at most ``capacity`` people the highest one.

    A person's risk decides where it is known and the program has cut-offs for risk; else the points decide. Where
    neither is known the tier is missing: unknown is never low. A rule comes before the cut-offs. With a capacity, the
    people above the highest cut-off who come first by that measure keep the highest tier, on each date and, with
    ``per``, in each team or territory; the others go one tier down. People tied at the cut all go one tier down unless
    all of them fit: no hidden rule picks among equals. Those whom a rule put there, or who were there before, take up
    places first and are never sent down by others.

    With ``previous``, a person rises by the cut-offs (the ways in), and stays until the value falls below
    ``leave_risk`` or ``leave_points`` (the way out) and the least stay is over. Even then nobody is moved: the tier
    stays, and the row is marked for people to review.

    Parameters
    ----------
    risk_frame : pandas.DataFrame
        One row per person and date, index ``person_id`` and ``as_of`` (or person alone); columns ``risk`` (0 to 1),
        ``points`` (whole), or both; missing where not known.
    program : Program
        Its ``tiers``, highest first, their intensities, and its ``tier_rules``.
    capacity : int or mapping of str to int, optional
        The most people in the highest tier on one date; 0 or more. With ``per``, one number for all groups, or one for
        each by its name; ``""`` is the group of those whose group is not known.
    per : str, optional
        Column of ``risk_frame`` that names each person's team or territory. The cut-off of the highest tier is then an
        absolute floor: who is below it takes no place, however many are free.
    from_risk : mapping of str to float, optional
        Tier → the risk from which it begins, in place of the program's, such as what
        :func:`casestrat.models.cut_off_by_net_benefit` returns. A way out above it is lowered to it.
    false_negative_cost, false_positive_cost : float, optional
        Costs of not acting in time and of acting in vain, in one unit: the highest tier then begins where they balance.
    rules : RuleSet, optional
        Rules in place of the program's; ``RuleSet()`` for none.
    X : pandas.DataFrame, optional
        Features that the rules read, with the index of ``risk_frame``; they may also read its columns.
    previous : pandas.DataFrame, optional
        The tier of each person until now: one row per person, ``person_id`` (index or column), ``tier``, and
        ``tier_since`` (date) where a tier has a least stay.
    draws : array-like of shape (n_draws, n_people), optional
        Draws of each row's risk, as ``risk_draws`` of a model gives them.
    model : PointScorecard, RiskClassifier or another model, optional
        What scored. A program may refuse tiers by a learned model unless a reason is recorded.
    learned_ranking_reason : str, optional
        That reason.

    Returns
    -------
    pandas.DataFrame
        One row per row of ``risk_frame``, with tier, tier_rule (why), intensity, in_tie (tied at the cut of the
        capacity), minutes_per_week (the case weight of the intensity) and contact_standard (its contacts); where there
        are rules, proposed_override (0 none; people decide), override_rule and unknown_inputs (what would have to be
        known to answer a rule); with ``previous``, previous_tier, review_step_down and step_down_to; with ``draws``,
        ``p_tier_<id>`` for each tier, by the cut-offs alone.

    Raises
    ------
    UsageError
        There is neither column, a risk lies outside 0 to 1, a capacity is below 0 or lacks a group, there is no tier
        below the highest, people above the highest cut-off have no measure in common to be ordered by, cut-offs do not
        fall from tier to tier, a rule or ``previous`` names a tier that the program has not, or the program asks for a
        reason that is not given.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> program = load_program("geriatric")
    >>> ids = pd.Index(["P1", "P2", "P3"], name="person_id")
    >>> people = pd.DataFrame({"points": [10, 6, None]}, index=ids, dtype="Int64")
    >>> assign_tiers(people, program)["tier_rule"].tolist()
    ['cut-off points ≥ 9', 'cut-off points ≥ 5', 'risk and points not known']
    >>> rules = RuleSet([{"id": "safety", "expression": "crises_30d >= 1", "tier": "high"}])
    >>> X = pd.DataFrame({"crises_30d": [0, 1, None]}, index=ids)
    >>> assign_tiers(people, program, rules=rules, X=X)[["tier_rule", "unknown_inputs"]].to_numpy().tolist()
    [['cut-off points ≥ 9', ''], ['rule safety', ''], ['risk and points not known', 'crises_30d']]
    """
    measures = _read_measures(risk_frame)
    check_learned(model, program, learned_ranking_reason, "risk" in measures and not np.isnan(measures["risk"]).all())
    tiers = _with_cut_offs(program, from_risk, false_negative_cost, false_positive_cost)
    placed = _by_measures(measures, tiers, len(risk_frame))
    answers = _answer(rules if rules is not None else RuleSet.from_program(program), risk_frame, X)
    is_ruled = np.zeros(len(risk_frame), dtype=bool)
    if answers is not None:
        is_ruled = _by_rules(placed, answers, tiers)
    held = None if previous is None else _held(placed, previous, risk_frame.index, tiers, measures, is_ruled)
    in_tie = np.zeros(len(risk_frame), dtype=bool)
    if capacity is not None:
        keeps = is_ruled if held is None else is_ruled | held.stays
        in_tie = _within(placed, keeps, _groups(risk_frame, per), capacity, measures, tiers)
    elif per is not None:
        raise UsageError("`per` names the groups of a capacity, and there is none", where="per", do="give `capacity`")
    columns = _columns(placed, tiers, program, in_tie)
    if answers is not None:
        columns |= {
            "proposed_override": answers["override"].array,
            "override_rule": answers["override_rule"].array,
            "unknown_inputs": answers["unknown_inputs"].array,
        }
    if held is not None:
        columns |= _columns_of_stay(held, tiers)
    told = risk_frame.assign(**{name: pd.Series(column, index=risk_frame.index) for name, column in columns.items()})
    if draws is None:
        return told
    return pd.concat([told, tier_probabilities(draws, replace(program, tiers=tiers), risk_frame.index)], axis=1)


@dataclass(slots=True)
class _Placed:
    """Place of each row's tier (0 highest, −1 unknown), why, and which measure decided (−1 none)."""

    place: np.ndarray
    rule: np.ndarray
    by: np.ndarray


def _read_measures(risk_frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Risk and points as floats, NaN where not known."""
    found = {
        name: risk_frame[name].to_numpy(dtype="float64", na_value=np.nan) for name, _ in _MEASURES if name in risk_frame
    }
    if not found:
        raise UsageError("expected a column risk or points; found neither", where="risk_frame")
    risk = found.get("risk", np.array([]))
    n_outside = int(((risk < 0) | (risk > 1)).sum())
    if n_outside:
        raise UsageError(f"risks lie from 0 to 1; {n_outside} rows lie outside", where="risk_frame, column risk")
    return found


def _with_cut_offs(
    program: Program, from_risk: Mapping[str, float] | None, missed: float | None, in_vain: float | None
) -> tuple[TierRule, ...]:
    """Return the program's tiers, beginning where they are told to."""
    chosen = dict(from_risk or {})
    names = [tier.id for tier in program.tiers]
    strange = sorted(set(chosen) - set(names[:-1]))
    if strange:
        what = f"{strange[0]!r} is no tier that begins at a risk"
        raise UsageError(what, where="from_risk", do=f"use {', '.join(names[:-1])}")
    if (missed is None) != (in_vain is None):
        raise UsageError("one cost is given without the other", do="give false_negative_cost and false_positive_cost")
    if missed is not None and in_vain is not None:
        if names[0] in chosen:
            raise UsageError(f"{names[0]!r} begins at a cost and at a risk", where="from_risk", do="give one of them")
        chosen[names[0]] = cut_off_by_cost(missed, in_vain)
    if not chosen:
        return program.tiers
    tiers = tuple(_beginning(tier, chosen.get(tier.id)) for tier in program.tiers)
    cuts = [tier.from_risk for tier in tiers[:-1]]
    if any(cut is None or not 0 <= cut <= 1 for cut in cuts):
        raise UsageError("each tier but the lowest needs a risk from 0 to 1 at which it begins", where="from_risk")
    if any(after >= before for before, after in itertools.pairwise(cuts)):  # type: ignore[operator]
        told = ", ".join(f"{tier.id} {tier.from_risk:g}" for tier in tiers[:-1])
        raise UsageError(
            f"the cut-offs do not fall from tier to tier: {told}", where="from_risk", do="give those of the lower tiers"
        )
    return tiers


def _beginning(tier: TierRule, cut: float | None) -> TierRule:
    """Return a tier that begins at another risk."""
    if cut is None:
        return tier
    leave = None if tier.leave_risk is None else min(tier.leave_risk, cut)
    return replace(tier, from_risk=float(cut), leave_risk=leave)


def _by_measures(measures: dict[str, np.ndarray], tiers: Sequence[TierRule], n: int) -> _Placed:
    """Place by cut-offs: risk where it is known and has cut-offs, else points."""
    placed = _Placed(np.full(n, -1), np.full(n, UNKNOWN, dtype=object), np.full(n, -1))
    for number, (name, bound) in enumerate(_MEASURES):
        cuts = [getattr(tier, bound) for tier in tiers]
        if name in measures and any(cut is not None for cut in cuts):
            todo = (placed.place < 0) & ~np.isnan(measures[name])
            placed.place[todo], placed.rule[todo] = _by_cut_offs(measures[name][todo], tiers, cuts, name)
            placed.by[todo] = number
    return placed


def _by_cut_offs(
    values: np.ndarray, tiers: Sequence[TierRule], cuts: list[Any], name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each value's tier, and the cut-off that gave it."""
    place = np.full(len(values), len(tiers) - 1)
    lowest = min(cut for cut in cuts if cut is not None)
    rule = np.full(len(values), f"cut-off {name} < {lowest:g}", dtype=object)
    undecided = np.ones(len(values), dtype=bool)
    for i, cut in enumerate(cuts):
        if cut is not None:
            reached = undecided & (values >= cut)
            place[reached], rule[reached] = i, f"cut-off {name} ≥ {cut:g}"
            undecided &= ~reached
    return place, rule


def _answer(rules: RuleSet, risk_frame: pd.DataFrame, X: pd.DataFrame | None) -> pd.DataFrame | None:
    """Answer the rules for each row; features come before columns of the same name."""
    if not rules.rules:
        return None
    inputs = {name: risk_frame[name] for name in rules.names if name in risk_frame.columns}
    if X is not None:
        if not X.index.is_unique:
            raise UsageError("the features hold a row twice", where="X", do="give one row a person and date")
        features = X[[name for name in rules.names if name in X.columns]].reindex(risk_frame.index)
        inputs |= {str(name): features[name] for name in features.columns}
    return rules.apply(pd.DataFrame(inputs, index=risk_frame.index))


def _by_rules(placed: _Placed, answers: pd.DataFrame, tiers: Sequence[TierRule]) -> np.ndarray:
    """Let the rules decide; return in which rows one did."""
    names = [tier.id for tier in tiers]
    strange = sorted(set(answers["tier"].dropna()) - set(names))
    if strange:
        what = f"a rule gives the tier {strange[0]!r}, which the program has not"
        raise UsageError(what, where="rules", do=f"use {', '.join(names)}")
    wanted = pd.Categorical(answers["tier"].astype(object), categories=names).codes.astype("int64")
    how = answers["how"].to_numpy(dtype=object)
    is_known = placed.place >= 0
    binds = (how == "is") | ((how == "at_least") & (~is_known | (placed.place > wanted)))
    # of somebody who is not scored, "at most" says nothing: unknown is never low
    binds = (wanted >= 0) & (binds | ((how == "at_most") & is_known & (placed.place < wanted)))
    placed.place[binds] = wanted[binds]
    placed.rule[binds] = ("rule " + answers["rule"].astype(object)[binds]).to_numpy()
    return np.asarray(binds)


def _held(
    placed: _Placed,
    previous: pd.DataFrame,
    index: pd.Index,
    tiers: Sequence[TierRule],
    measures: dict[str, np.ndarray],
    is_ruled: np.ndarray,
) -> Held:
    """Keep those who were in a tier until they are out by its way out; the places of the rows change."""
    before = read_previous(previous, index, tiers)
    retained = np.maximum(before.place, 0)
    for number, (name, bound) in enumerate(_MEASURES):
        if name in measures:
            mine = ~is_ruled & (placed.by == number)
            retained[mine] = _retained(measures[name][mine], retained[mine], tiers, bound)
    retained = np.where(is_ruled, placed.place, retained)
    held = hold_previous(placed.place, placed.rule, retained, before, tiers)
    placed.place, placed.rule = held.place, held.rule
    return held


def _retained(values: np.ndarray, had: np.ndarray, tiers: Sequence[TierRule], bound: str) -> np.ndarray:
    """Return the highest tier, from the one they had downwards, whose way out each value has not reached."""
    found = np.full(len(values), len(tiers) - 1)
    for number in reversed(range(len(tiers) - 1)):
        begins = getattr(tiers[number], bound)
        leave = getattr(tiers[number], bound.replace("from_", "leave_"))
        found[(number >= had) & (values >= (begins if leave is None else leave))] = number
    return found


def _groups(risk_frame: pd.DataFrame, per: str | None) -> list[tuple[str | None, np.ndarray]]:
    """Return the rows that share one capacity, as flags, with the name of their group."""
    n = len(risk_frame)
    dates = risk_frame.index.get_level_values("as_of") if "as_of" in risk_frame.index.names else np.zeros(n)
    date_codes, days = pd.factorize(dates)
    if per is None:
        return [(None, date_codes == day) for day in range(len(days))]
    if per not in risk_frame.columns:
        raise UsageError(f"there is no column {per!r}", where="risk_frame", do="add the team or territory of each row")
    codes, names = pd.factorize(risk_frame[per].astype(object).where(risk_frame[per].notna(), _NO_GROUP).astype(str))
    each = itertools.product(range(len(days)), enumerate(names))
    return [(str(name), (date_codes == day) & (codes == code)) for day, (code, name) in each]


def _within(
    placed: _Placed,
    keeps: np.ndarray,
    groups: list[tuple[str | None, np.ndarray]],
    capacity: int | Mapping[str, int],
    measures: dict[str, np.ndarray],
    tiers: Sequence[TierRule],
) -> np.ndarray:
    """Send those beyond the capacity one tier down; return who was tied at its cut."""
    in_tie = np.zeros(len(placed.place), dtype=bool)
    if len(tiers) < 2:
        raise UsageError("a capacity needs a tier below the highest; the program has one tier", where="[[tiers]]")
    for name, rows in groups:
        places = _capacity_of(capacity, name)
        taken = rows & keeps & (placed.place == 0)
        seeks = rows & ~keeps & (placed.place == 0)
        moved, tied, order = _beyond(measures, seeks, max(0, places - int(taken.sum())))
        told = f"capacity {places}" if not name else f"capacity {places} of {name}"
        placed.place[moved] = 1
        placed.rule[moved] = f"{told}, by {order}"
        placed.rule[moved & tied] = f"{told}, tied at the cut"
        in_tie |= moved & tied
    return in_tie


def _capacity_of(capacity: int | Mapping[str, int], group: str | None) -> int:
    """Return the capacity of a group; refuse one that cannot be kept."""
    places: Any = capacity
    if isinstance(capacity, Mapping):
        if group is None:
            raise UsageError("capacities by group need the column that names the groups", do="give `per`")
        if group not in capacity:
            named = "people whose group is not known" if group == _NO_GROUP else f"the group {group!r}"
            raise UsageError(f"no capacity is given for {named}", where="capacity", do=f"add {group!r} to it")
        places = capacity[group]
    is_whole = isinstance(places, int | float | np.number) and not isinstance(places, bool) and places == int(places)
    if not is_whole or places < 0:
        raise UsageError(f"capacity is a number of people, 0 or more; found {places}")
    return int(places)


def _beyond(measures: dict[str, np.ndarray], rows: np.ndarray, capacity: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Of these rows, those beyond the capacity, those with the value at the cut, and the measure that orders them."""
    nobody = np.zeros(len(rows), dtype=bool)
    if rows.sum() <= capacity:
        return nobody, nobody, ""
    name = next((name for name, values in measures.items() if not np.isnan(values[rows]).any()), None)
    if name is None:
        raise UsageError(
            "of the people above the highest cut-off some have a risk only and some have points only",
            where="risk_frame",
            do="give points for all of them, so that a capacity can be filled in one order",
        )
    values = measures[name]
    # the first value that finds no place: all who have it are tied, and at least one of them does not fit
    cut = np.sort(values[rows])[::-1][capacity]
    tied = rows & (values == cut)
    return rows & (values <= cut), tied if capacity and tied.sum() > 1 else nobody, name


def _columns(placed: _Placed, tiers: Sequence[TierRule], program: Program, in_tie: np.ndarray) -> dict[str, Any]:
    """Return what every row is told."""
    starts = [program.intensities[tier.intensity] for tier in tiers]
    minutes = pd.array([*(start.minutes_per_week for start in starts), None], dtype="Int64")
    return {
        "tier": _words([tier.id for tier in tiers], placed.place),
        "tier_rule": pd.array(placed.rule, dtype=TEXT),
        "intensity": _words([tier.intensity for tier in tiers], placed.place),
        "in_tie": pd.array(in_tie, dtype="boolean"),
        "minutes_per_week": minutes.take(placed.place),
        "contact_standard": _words([_contacts(start) for start in starts], placed.place),
    }


def _columns_of_stay(held: Held, tiers: Sequence[TierRule]) -> dict[str, Any]:
    """Return what rows are told whose person had a tier before."""
    names = [tier.id for tier in tiers]
    return {
        "previous_tier": _words(names, held.had),
        "review_step_down": pd.array(held.is_review, dtype="boolean"),
        "step_down_to": _words(names, held.step_down_to),
    }


def _contacts(intensity: Intensity) -> str:
    """Say the contact standard of an intensity: ``home_visit every 14 days``."""
    return "; ".join(f"{contact.kind} every {contact.every_days} days" for contact in intensity.contacts)


def _words(words: Sequence[str], place: np.ndarray) -> Any:
    """Return one word per row, missing at the place −1."""
    return pd.array([*words, None], dtype=TEXT).take(place)
