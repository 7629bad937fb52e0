"""Re-allocation: somebody leaves, is away or comes, or work is to be evened out, with a budget of voluntary moves."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.moves.cover import (
    ABSENCE_COVER,
    BACKUP,
    COVER_COLUMNS,
    OVERLOAD,
    cover_frame,
    lawful_backups,
)
from casestrat.allocation.moves.days import days_of
from casestrat.allocation.moves.moving import State, Value, fit_by_swaps, search_frontier
from casestrat.allocation.moves.moving_arrays import Arrays, proven, raised, with_more_placed
from casestrat.allocation.moves.moving_model import MIDDLE_PAIRS, SMALL_PAIRS, Allowance, bound_of, model_of
from casestrat.allocation.moves.standing import BALANCE, NEWCOMER, ROOM, Change, Standing, take_stock
from casestrat.allocation.plan.checker import require_sound
from casestrat.allocation.plan.plan import Plan, make_plan
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.objective import LARGEST, SQUARES, UNASSIGNED
from casestrat.allocation.solve import LevelResult, allocate
from casestrat.allocation.solver.clock import Clock
from casestrat.allocation.solver.draft import NOBODY
from casestrat.errors import UsageError
from casestrat.knowledge import Sentence, load_wording, say_each
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from casestrat.allocation.problem.problem import AllocationProblem

    Wholes: TypeAlias = NDArray[np.int64]

MOVE_COLUMNS = ("case_id", "person_id", "from_cm", "to_cm", "minutes", "kind", "reason", "why", "until")
FRONTIER_COLUMNS = ("max_moves", "n_moves", "unassigned", "largest_utilisation", "sum_of_squares", "price")
FORCED, VOLUNTARY = "forced", "voluntary"
_LEVELS = (UNASSIGNED, LARGEST, SQUARES)
_PINNED_GONE = Sentence.of("allocation.reason_pinned_gone")
_PLACED_PAIRS_A_SECOND = 100  # of kind and case manager, up to which a large level 1 is given to the solver
_BOUND_SHARE = 0.2  # of the time limit, for each bound at most


@dataclass(frozen=True, eq=False, repr=False)
class Reallocation(Plan):
    """A plan that says what it moves; made by :func:`casestrat.reallocate`.

    Parameters
    ----------
    assignments, unassigned : pandas.DataFrame
        As those of a plan.
    workload : pandas.DataFrame
        As that of a plan; before is as things stood, with what those who leave had.
    levels : pandas.DataFrame
        As those of a plan, under the greatest budget and without the fit.
    beside, sentences, is_cut : see Plan
        As those of a plan.
    moves : pandas.DataFrame
        One row per case that changes hands, by case_id: case_id, person_id, from_cm (missing: it had nobody), to_cm,
        minutes, kind (forced or voluntary), reason (leaver, absence, no_lead, newcomer, room, balance), why (in
        words), until (last day, where it is only for a time).
    frontier : pandas.DataFrame
        One row per budget from 0 to the greatest: max_moves, n_moves (voluntary moves made), unassigned (cases without
        anybody, before cover), largest_utilisation, sum_of_squares, price (by how many minutes one more move lowers
        the sum of squares; missing where it places somebody instead).
    cover : pandas.DataFrame
        One row per case that somebody covers for a time: case_id, person_id, cm_id (who covers), for_cm (whose case it
        is or was), how (overload, backup, absence), minutes, until, approver, reason.
    problem : AllocationProblem
        What the plan was checked against: cases that stay are fixed, agreed overloads are in the capacities.
    """

    moves: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(MOVE_COLUMNS)))
    frontier: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(FRONTIER_COLUMNS)))
    cover: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COVER_COLUMNS)))
    problem: AllocationProblem | None = field(default=None)

    def __repr__(self) -> str:
        n_forced = int((self.moves["kind"] == FORCED).sum())
        left, covered = len(self.unassigned), len(self.uncovered)
        return (
            f"Reallocation({n_forced} forced and {len(self.moves) - n_forced} voluntary moves; "
            f"{left} cases without a lead, {covered} of them without cover)"
        )

    @property
    def uncovered(self) -> pd.DataFrame:
        """One row per case of ``unassigned`` whom no backup lead covers."""
        return self.unassigned[~self.unassigned["case_id"].isin(self.cover["case_id"])].reset_index(drop=True)

    def in_language(self, lang: str) -> Reallocation:
        """Return the same plan with its reasons in another language.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            The language of ``why``, ``reason`` and ``relaxation``; codes stay.

        Returns
        -------
        Reallocation
            The same moves.
        """
        said = say_each(self.sentences.get("moves", {}), load_wording(lang))
        plan: Reallocation = super().in_language(lang)  # type: ignore[assignment]
        why = pd.array([said[case] for case in self.moves["case_id"]], dtype=TEXT)
        return replace(plan, moves=self.moves.assign(why=why))


def reallocate(
    problem: AllocationProblem,
    plan: Plan | None = None,
    leaver: str | Iterable[str] | None = None,
    max_moves: int = 30,
    *,
    newcomer: pd.DataFrame | Sequence[str] | None = None,
    absent: pd.DataFrame | None = None,
    overloads: pd.DataFrame | None = None,
    backups: pd.DataFrame | None = None,
    protected: Any = None,
    time_limit_s: float = 10.0,
    random_state: int = 0,
) -> Reallocation:
    """Return who should take over what, so that as few as possible change hands and nobody is simply left.

    Cases of those who leave or are away, and cases without anybody, must change hands and count for nothing. Any other
    case moves only within the budget, first to make room for somebody who would be left, then to even out the work. A
    case that is pinned where it is, or protected, never moves unless its case manager goes. Where minutes lack, agreed
    overloads and then backup leads cover; who is still left is in ``unassigned`` with the reason.

    Parameters
    ----------
    problem : AllocationProblem
        Cases, case managers and rules; ``is_fixed`` does not hold a case here, a pin does.
    plan : Plan, optional
        The plan that stands; None: the leads (``cm_id``) that the problem's cases have.
    leaver : str or iterable of str, optional
        Those who leave.
    max_moves : int, optional
        Most voluntary moves, 0 or more.
    newcomer : pandas.DataFrame or list of str, optional
        One row per case manager who comes, as ``problem.case_managers``; or the ids of those who are among them already
        and are to be called new.
    absent : pandas.DataFrame, optional
        One row per leave of absence: cm_id, from_on, to_on (missing: until further notice). The cases are covered for
        that time: their moves have an ``until``.
    overloads : pandas.DataFrame, optional
        Agreed temporary overloads: cm_id, limit_minutes (a week, beyond the capacity), ends_on, approver, reason; and
        limit_cases (beyond ``max_cases``, 0 where absent).
    backups : pandas.DataFrame, optional
        Backup leads: case_id, cm_id, until (by default four weeks).
    protected : iterable of str, or DataFrame with case_id, optional
        Cases that may not be moved voluntarily, as :func:`casestrat.allocation.sensitive_cases` lists them.
    time_limit_s : float, optional
        Seconds of computing, 0 or more: they buy steps, and the clock only ends what takes far longer (``is_cut``).
    random_state : int, optional
        Seed of the search.

    Returns
    -------
    Reallocation
        A plan with ``moves``, ``frontier`` and ``cover``.

    Raises
    ------
    UsageError
        If an id is unknown, the plan is another problem's, an overload lacks its end or approver, or a number is out
        of range.

    Examples
    --------
    >>> from casestrat.allocation import AllocationProblem
    >>> problem = AllocationProblem(
    ...     cases=pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40],
    ...                         "cm_id": ["CM1", "CM1", "CM2"]}),
    ...     case_managers=pd.DataFrame({"cm_id": ["CM1", "CM2", "CM3"], "capacity_minutes": [120, 120, 60]}),
    ... )
    >>> moved = reallocate(problem, leaver="CM1")
    >>> moved.moves[["case_id", "from_cm", "to_cm", "kind", "reason"]]
      case_id from_cm to_cm    kind  reason
    0      C1     CM1   CM3  forced  leaver
    1      C2     CM1   CM2  forced  leaver
    """
    if isinstance(max_moves, bool) or int(max_moves) != max_moves or max_moves < 0:
        raise UsageError(f"max_moves is {max_moves}", do="give a whole number of moves, 0 or more")
    limit = float(time_limit_s)
    if not 0 <= limit < np.inf:
        raise UsageError(f"time_limit_s is {time_limit_s}", do="give a number of seconds, 0 or more")
    change = Change(leaver, newcomer, absent, overloads, backups, protected)
    work = _Work(take_stock(problem, plan, change), int(max_moves), limit, int(random_state))
    return work.result()


class _Work:
    """One re-allocation under way.

    Parameters
    ----------
    standing : Standing
        How things stand.
    max_moves : int
        Budget.
    limit : float
        Seconds.
    seed : int
        Of the search.
    """

    def __init__(self, standing: Standing, max_moves: int, limit: float, seed: int) -> None:
        self.standing, self.max_moves, self.limit, self.seed = standing, max_moves, limit, seed
        self.clock, self.is_cut = Clock(), False
        self.arrays = Arrays(standing, standing.problem)
        self.bounds: list[Value] = []  # by budget, where values were proven

    def result(self) -> Reallocation:
        """Return the re-allocation."""
        plans, values = self.frontier_plans()
        arrays = self.arrays
        chosen = fit_by_swaps(arrays.moving, plans[self.max_moves])
        holder = arrays.holders(chosen)
        problem, holder, by_overload = self.with_overloads(holder)
        final = self.checked(problem, holder)
        cover = self.cover(final, by_overload)
        sentences = self.moves_said(final, holder, plans[0])
        moves = self.moves(final, sentences, cover)
        told = dict(final.sentences) | {"moves": {case: sentence for case, (_, sentence) in sentences.items()}}
        named = {one.name: getattr(final, one.name) for one in fields(Plan)} | {"sentences": told}
        named["is_cut"] = self.is_cut or self.clock.has_cut
        made = Reallocation(
            **named, moves=moves, frontier=self.frontier(plans, values), cover=cover, problem=problem_of(final)
        )
        return made.in_language("en")

    def frontier_plans(self) -> tuple[list[Wholes], list[Value]]:
        """Return the best plan under each budget up to one more than asked, and its value."""
        moving = self.arrays.moving
        deadline = self.clock.after(0.8 * self.limit)
        plans = search_frontier(moving, self.at_no_cost(), self.max_moves + 1, deadline)
        model = model_of(moving)
        values = [State(moving, plan).value() for plan in plans]
        if model.n_pairs <= MIDDLE_PAIRS and moving.instance.m:
            plans, values, self.bounds = proven(model, plans, values, Allowance.of(self.limit, deadline))
        elif moving.instance.m and model.n_pairs <= _PLACED_PAIRS_A_SECOND * self.limit:
            few = tuple(dict.fromkeys((self.max_moves, self.max_moves // 2, self.max_moves // 4)))
            plans, values = with_more_placed(model, plans, values, few, deadline)
        return plans, values

    def at_no_cost(self) -> Wholes:
        """Return the plan without a voluntary move: only those who must change hands are dealt out."""
        cases = self.standing.cases
        stays = cases["why_forced"].isna()
        free = self.standing.problem
        fixed = replace(free, cases=free.cases.assign(is_fixed=stays.to_numpy()))
        return self.arrays.plan_of(self.holders_of(self.allocated(fixed)))

    def allocated(self, problem: AllocationProblem) -> Plan:
        """Return the plan of a problem of which most cases are fixed."""
        plan = allocate(problem, 0.3 * self.limit, self.seed)
        self.is_cut |= plan.is_cut
        return plan

    def holders_of(self, plan: Plan) -> pd.Series:
        """Who has each case in a plan, in the order of the cases."""
        placed = plan.assignments.set_index("case_id")["cm_id"]
        return self.standing.cases["case_id"].map(placed).astype(TEXT)

    def with_overloads(self, holder: pd.Series) -> tuple[AllocationProblem, pd.Series, dict[str, str]]:
        """Place those who are left within the agreed overloads; return what is then in force, and who was placed so."""
        free, agreed = self.standing.problem, self.standing.overloads
        if agreed.empty or holder.notna().all():
            return free, holder, {}
        roomier = raised(free, agreed, set(agreed["cm_id"]))
        fixed = roomier.cases.assign(is_fixed=holder.notna().to_numpy(), cm_id=holder.fillna(free.cases["cm_id"]))
        after = self.holders_of(self.allocated(replace(roomier, cases=fixed)))
        new = after.notna() & holder.isna()
        placed = dict(zip(self.standing.cases.loc[new, "case_id"], after[new], strict=True))
        return raised(free, agreed, set(placed.values())), after, placed

    def checked(self, problem: AllocationProblem, holder: pd.Series) -> Plan:
        """Return the plan with its frames, after the checker has found nothing wrong with it."""
        cases = self.standing.cases
        stays = (holder == cases["holder"]).fillna(value=False) & cases["why_forced"].isna()
        settled = replace(problem, cases=problem.cases.assign(is_fixed=stays.to_numpy(dtype=bool)))
        asked = ask(settled)
        row_of = pd.Series(np.arange(len(settled.case_managers)), index=settled.case_managers["cm_id"])
        rows = holder.map(row_of).fillna(NOBODY).to_numpy(dtype=np.int64)[asked.rows]
        levels = self.levels(problem, holder)
        plan = self.with_pins_told(make_plan(settled, asked, rows, levels))
        now = self.standing.workload.loc[plan.workload["cm_id"].tolist()].reset_index(drop=True)
        plan = replace(plan, workload=plan.workload.assign(**{name: now[name] for name in now.columns}))
        return _Settled.of(require_sound(settled, plan), settled)

    def levels(self, problem: AllocationProblem, holder: pd.Series) -> tuple[LevelResult, ...]:
        """Return value and bound of each level under the greatest budget."""
        arrays = self.arrays if problem is self.standing.problem else Arrays(self.standing, problem)
        plan = arrays.plan_of(holder)
        value = State(arrays.moving, plan).value()
        model = model_of(arrays.moving)
        seconds = 0.5 + _BOUND_SHARE * self.limit
        if not arrays.moving.instance.m:
            bound = value
        else:
            proved = self.bounds[self.max_moves] if self.bounds and arrays is self.arrays else Value(0.0, 0.0, 0.0)
            is_known = model.n_pairs <= SMALL_PAIRS and arrays is self.arrays
            by_fractions = proved if is_known else bound_of(model, plan, self.max_moves, seconds, self.clock)
            bound = Value(*(max(pair) for pair in zip(proved, by_fractions, strict=True)))
        return tuple(
            LevelResult(level, float(reached), min(float(least), float(reached)), float(reached))
            for level, reached, least in zip(_LEVELS, value, bound, strict=True)
        )

    def with_pins_told(self, plan: Plan) -> Plan:
        """Say of a case that is pinned to somebody who goes that the pin is in the way."""
        pins = self.standing.problem.pins
        held = set(pins.loc[pins["cm_id"].isin(self.standing.gone), "case_id"]) & set(plan.unassigned["case_id"])
        if not held:
            return plan
        reasons = dict(plan.sentences["reason"]) | dict.fromkeys(held, _PINNED_GONE)
        helps = dict(plan.sentences["relaxation"]) | dict.fromkeys(held, Sentence.of("allocation.relaxation_pins"))
        rule = plan.unassigned["rule"].mask(plan.unassigned["case_id"].isin(held), "pins")
        told = dict(plan.sentences) | {"reason": reasons, "relaxation": helps}
        return replace(plan, unassigned=plan.unassigned.assign(rule=rule), sentences=told).in_language("en")

    def cover(self, plan: Plan, by_overload: dict[str, str]) -> pd.DataFrame:
        """Return who covers whom until when."""
        cases = self.standing.cases.merge(
            self.standing.problem.cases[["case_id", "person_id", "minutes"]], on="case_id"
        )
        cases = cases.set_index("case_id")
        agreed = self.standing.overloads.set_index("cm_id")
        rows: list[dict[str, object]] = []
        for case, cm_id in by_overload.items():
            deal = agreed.loc[cm_id]
            until = min(day for day in (deal["ends_on"], cases.loc[case, "until"]) if pd.notna(day))
            rows.append(
                _covered(cases, case, cm_id, OVERLOAD)
                | {"until": until, "approver": deal["approver"], "reason": deal["reason"]}
            )
        away = plan.assignments[plan.assignments["case_id"].isin(cases.index[cases["why_forced"] == "absence"])]
        for case, cm_id in zip(away["case_id"], away["cm_id"], strict=True):
            if case not in by_overload:
                rows.append(_covered(cases, case, cm_id, ABSENCE_COVER) | {"until": cases.loc[case, "until"]})
        left = self.standing.backups[self.standing.backups["case_id"].isin(plan.unassigned["case_id"])]
        for case, cm_id, until in lawful_backups(left, self.arrays.asked)[["case_id", "cm_id", "until"]].itertuples(
            index=False
        ):
            rows.append(_covered(cases, str(case), str(cm_id), BACKUP) | {"until": until})
        return cover_frame(rows)

    def moves_said(self, plan: Plan, holder: pd.Series, at_no_cost: Wholes) -> dict[str, tuple[str, Sentence]]:
        """Return of each case that moves the code of its reason, and the reason in no language yet."""
        cases = self.standing.cases.assign(to_cm=holder)
        moved = cases[holder.notna() & ((cases["holder"] != holder).fillna(value=True) | cases["why_forced"].notna())]
        without = self.arrays.holders(at_no_cost)
        helped = set(holder[without.isna() & holder.notna()].dropna())
        use = plan.workload.set_index("cm_id")[["utilisation_before", "utilisation_after"]].astype("float64")
        said = {}
        row: Any
        for row in moved.itertuples(index=False):
            if isinstance(row.why_forced, str):
                of_pair = plan.sentences["why"][row.case_id]
                said[row.case_id] = (row.why_forced, _forced_sentence(row, of_pair))
            else:
                code = ROOM if row.holder in helped else NEWCOMER if row.to_cm in self.standing.newcomers else BALANCE
                said[row.case_id] = (code, _voluntary_sentence(code, row.holder, row.to_cm, use))
        return said

    def moves(self, plan: Plan, said: dict[str, tuple[str, Sentence]], cover: pd.DataFrame) -> pd.DataFrame:
        """Return the list of moves."""
        rows = plan.assignments[plan.assignments["case_id"].isin(said)].reset_index(drop=True)
        cases = self.standing.cases.set_index("case_id").loc[rows["case_id"].tolist()]
        codes = [said[case][0] for case in rows["case_id"]]
        lasting = cases["until"].set_axis(rows.index)
        until = days_of(rows["case_id"], dict(zip(cover["case_id"], cover["until"], strict=True))).fillna(lasting)
        return pd.DataFrame({
            "case_id": rows["case_id"], "person_id": rows["person_id"],
            "from_cm": pd.Series(cases["holder"].to_numpy(), dtype=TEXT), "to_cm": rows["cm_id"],
            "minutes": rows["minutes"],
            "kind": pd.Series(np.where(cases["why_forced"].notna(), FORCED, VOLUNTARY), dtype=TEXT),
            "reason": pd.Series(codes, dtype=TEXT), "why": pd.Series("", index=rows.index, dtype=TEXT),
            "until": until.astype("datetime64[us]"),
        })[list(MOVE_COLUMNS)]  # fmt: skip

    def frontier(self, plans: list[Wholes], values: list[Value]) -> pd.DataFrame:
        """Return moves against balance; the price of a row is what the next move brings."""
        moving = self.arrays.moving
        rows = range(self.max_moves + 1)
        price = [
            values[row].squares - values[row + 1].squares if values[row].left == values[row + 1].left else np.nan
            for row in rows
        ]
        return pd.DataFrame({
            "max_moves": pd.array(list(rows), dtype="Int64"),
            "n_moves": pd.array([len(State(moving, plans[row]).away) for row in rows], dtype="Int64"),
            "unassigned": pd.array([int((plans[row] < 0).sum()) for row in rows], dtype="Int64"),
            "largest_utilisation": [values[row].peak for row in rows],
            "sum_of_squares": [values[row].squares for row in rows],
            "price": np.array(price, dtype=np.float64),
        })  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class _Settled(Plan):
    """A plan and the problem that it was checked against."""

    against: AllocationProblem | None = None

    @classmethod
    def of(cls, plan: Plan, problem: AllocationProblem) -> _Settled:
        """Keep both together."""
        return cls(**{one.name: getattr(plan, one.name) for one in fields(Plan)}, against=problem)


def problem_of(plan: Plan) -> AllocationProblem | None:
    """Return the problem that a plan was checked against."""
    return plan.against if isinstance(plan, _Settled) else None


def _covered(cases: pd.DataFrame, case: str, cm_id: str, how: str) -> dict[str, object]:
    """Return the start of a row of cover."""
    row = cases.loc[case]
    return {
        "case_id": case, "person_id": row["person_id"], "cm_id": cm_id, "for_cm": row["holder"], "how": how,
        "minutes": row["minutes"], "until": pd.NaT, "approver": None, "reason": None,
    }  # fmt: skip


def _forced_sentence(row: Any, of_pair: Sentence) -> Sentence:
    """Say why a case must change hands, and why it goes where it goes."""
    named = {"from_cm": row.holder} if isinstance(row.holder, str) else {}
    return Sentence.of(f"allocation.move_{row.why_forced}", **named, why=of_pair)


def _voluntary_sentence(code: str, giver: str, taker: str, use: pd.DataFrame) -> Sentence:
    """Say what a voluntary move does to the two."""
    shares = (use * 100).round().fillna(0).astype("int64")
    before, after = shares["utilisation_before"].to_dict(), shares["utilisation_after"].to_dict()
    return Sentence.of(
        f"allocation.move_{code}", from_cm=giver, to_cm=taker,
        a=before[giver], b=after[giver], c=before[taker], d=after[taker],
    )  # fmt: skip
