"""An allocation problem: cases, case managers and the rules between them, checked and frozen."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.allocation.problem import frames
from casestrat.allocation.problem.gathering import gather
from casestrat.allocation.problem.workload import available_minutes
from casestrat.errors import UsageError
from casestrat.knowledge.program import AllocationRules, Program
from casestrat.knowledge.program_allocation import GUARDIAN_WAYS

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import ArrayLike, NDArray

    from casestrat.tables import Tables

_MANY = np.iinfo(np.int32).max  # no limit on the number of cases


@dataclass(frozen=True, eq=False)
class AllocationProblem:
    """Cases that need a case manager, the case managers, and what binds one to the other.

    Parameters
    ----------
    cases : pandas.DataFrame
        One row per case: case_id, minutes (whole minutes a week, 0 or more); and where known person_id, kind (open or
        proposed), priority (above 0; 1 where absent), territory, jurisdiction, language, interpreter_needed, skills
        and required (`;`-separated; a requirement is ``kind=value``), tier, payer and clearances (`;`-separated; a
        clearance is a certificate), guardian_language, guardian_interpreter_needed, cm_id (present lead), is_fixed
        (stays with its lead, and only uses minutes).
    case_managers : pandas.DataFrame
        One row per case manager: cm_id, capacity_minutes (whole minutes a week for cases, 0 or more); and where known
        team, profession, max_cases, languages, skills, territories (`;`-separated; no territory: anywhere),
        starts_on, ends_on, minutes_committed and cases_committed (work that is not among the cases).
    licenses, credentials, absences, conflicts, preferences : pandas.DataFrame, optional
        As the tables of the same names.
    pins : pandas.DataFrame, optional
        Columns case_id, cm_id: cases that nobody else may get.
    rules : AllocationRules, optional
        The program's rules; by default territory and language are required where they are known.
    starts_on : date, optional
        First day of the plan. Needed as soon as a licence, a credential, an absence or a case manager has dates.
    pair_cost, pair_minutes : pandas.DataFrame, optional
        Own costs and minutes of each pair, as :meth:`from_costs` makes them.

    Raises
    ------
    UsageError
        If a frame lacks a needed column, an id repeats, a number is out of range, a span ends before it begins, or
        pins contradict one another.

    Examples
    --------
    >>> problem = AllocationProblem(
    ...     cases=pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40]}),
    ...     case_managers=pd.DataFrame({"cm_id": ["CM1", "CM2"], "capacity_minutes": [100, 80]}),
    ... )
    >>> problem
    AllocationProblem(3 cases of 140 minutes, 2 case managers of 180 minutes)
    """

    cases: pd.DataFrame
    case_managers: pd.DataFrame
    licenses: pd.DataFrame = None  # type: ignore[assignment]
    credentials: pd.DataFrame = None  # type: ignore[assignment]
    absences: pd.DataFrame = None  # type: ignore[assignment]
    conflicts: pd.DataFrame = None  # type: ignore[assignment]
    preferences: pd.DataFrame = None  # type: ignore[assignment]
    pins: pd.DataFrame = None  # type: ignore[assignment]
    rules: AllocationRules = field(default_factory=AllocationRules)
    starts_on: date | str | pd.Timestamp | None = None
    pair_cost: pd.DataFrame | None = None
    pair_minutes: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        for name, fields in _FRAMES.items():
            object.__setattr__(self, name, frames.typed_frame(name, getattr(self, name), fields))
        _check(self)
        _sort(self)
        capacity = available_minutes(self.case_managers, self.absences, self.first_day).to_numpy(dtype=np.int64)
        for name, values in (("capacity", capacity), *_before(self, capacity).items()):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    # Read-only arrays, one value per row of `case_managers`.
    capacity: NDArray[np.int64] = field(init=False, repr=False)  # minutes for cases, absences left out
    minutes_before: NDArray[np.int64] = field(init=False, repr=False)
    cases_before: NDArray[np.int64] = field(init=False, repr=False)
    free_minutes: NDArray[np.int64] = field(init=False, repr=False)
    free_slots: NDArray[np.int64] = field(init=False, repr=False)

    kept: dict[str, Any] = field(init=False, repr=False, default_factory=dict)  # what was worked out of it once

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"kept": {}}  # it can be worked out again, and is large

    def __repr__(self) -> str:
        n, m = len(self.cases), len(self.case_managers)
        needed, there = int(self.cases["minutes"].sum()), int(self.capacity.sum())
        return f"AllocationProblem({n} cases of {needed} minutes, {m} case managers of {there} minutes)"

    @property
    def first_day(self) -> pd.Timestamp | None:
        """First day of the plan, or None where nothing has dates."""
        return None if self.starts_on is None else pd.Timestamp(self.starts_on).normalize()

    @property
    def has_own_costs(self) -> bool:
        """Whether costs were brought along: then level 2 is left out, and level 3 is the summed cost."""
        return self.pair_cost is not None

    @classmethod
    def from_tables(
        cls,
        tables: Tables,
        program: Program,
        ranked: pd.DataFrame | None,
        as_of: date | str | pd.Timestamp,
    ) -> AllocationProblem:
        """Return the problem that an agency has on a date.

        Open episodes keep their lead and use up the lead's minutes. Open episodes without a lead come first. People of
        the ranked list within the places, or in the tied zone at the cut, come next, the first ranked first. Open
        episodes of other programs use up minutes and are not listed.

        Parameters
        ----------
        tables : Tables
            The checked tables.
        program : Program
            Its tiers and intensities give case weights, its ``[allocation]`` the rules.
        ranked : pandas.DataFrame or None
            The ranked waiting list (rank, person_id, referral_id, tier, is_proposed, in_tied_zone); None: nobody waits.
        as_of : date
            Only what was recorded before it counts; also the first day of the plan.

        Returns
        -------
        AllocationProblem
            One case per open episode and per proposed person.
        """
        return cls(**gather(tables, program, ranked, as_of))

    @classmethod
    def from_costs(cls, cost: ArrayLike, minutes: ArrayLike, capacity: ArrayLike) -> AllocationProblem:
        """Return the problem of those who bring their own costs: place all cases, at least cost.

        Parameters
        ----------
        cost : array or DataFrame of shape (case managers, cases)
            Cost of each pair; missing or infinite: not allowed. The labels of a DataFrame become the ids.
        minutes : array of shape (case managers, cases) or (cases,)
            Whole minutes a week that the case needs, with this case manager.
        capacity : array of shape (case managers,)
            Whole minutes a week.

        Returns
        -------
        AllocationProblem
            Its levels are ``unassigned`` and ``fit`` (the summed cost).

        Raises
        ------
        UsageError
            If the shapes do not fit, or minutes or capacities are negative or not whole.

        Examples
        --------
        >>> AllocationProblem.from_costs([[3, 1, 2], [1, 2, 9]], minutes=[30, 30, 40], capacity=[60, 60])
        AllocationProblem(3 cases of 100 minutes, 2 case managers of 120 minutes)
        """
        costs = _labelled(cost)
        needed = np.asarray(minutes, dtype=np.float64)
        if costs.ndim != 2 or needed.shape not in {costs.shape, costs.shape[1:]}:
            raise UsageError(
                f"cost has shape {costs.shape} and minutes {needed.shape}",
                do="give (case managers, cases) for cost, and the same or (cases,) for minutes",
            )
        pairs = np.broadcast_to(needed, costs.shape)
        if not np.all(np.isfinite(pairs) & (pairs >= 0) & (pairs % 1 == 0)):
            raise UsageError("minutes must be whole numbers of 0 or more", do="round the minutes first")
        values = costs.astype("float64").where(lambda c: np.isfinite(c))
        least = pairs.min(axis=0) if len(costs) else np.zeros(costs.shape[1])
        return cls(
            cases=pd.DataFrame({"case_id": costs.columns, "minutes": least}),
            case_managers=pd.DataFrame({"cm_id": costs.index, "capacity_minutes": np.asarray(capacity)}),
            pair_cost=values.set_axis(values.index.astype(str)).set_axis(values.columns.astype(str), axis=1),
            pair_minutes=pd.DataFrame(pairs, index=costs.index.astype(str), columns=costs.columns.astype(str)).astype(
                "int64"
            ),
        )


def _labelled(cost: Any) -> pd.DataFrame:
    """Give a cost matrix ids on both axes."""
    if isinstance(cost, pd.DataFrame):
        return cost
    values = np.asarray(cost, dtype=np.float64)
    if values.ndim != 2:
        raise UsageError(f"cost has shape {values.shape}", do="give a matrix (case managers, cases)")
    m, n = values.shape
    managers = [f"CM{row:0{len(str(m))}d}" for row in range(1, m + 1)]
    return pd.DataFrame(values, index=managers, columns=[f"C{row:0{len(str(n))}d}" for row in range(1, n + 1)])


def _check(problem: AllocationProblem) -> None:
    """Refuse what no reading can allocate."""
    rules, staff = problem.rules, problem.case_managers
    _check_rules(rules)
    frames.check_case_managers(staff)
    frames.check_cases(problem.cases, staff["cm_id"])
    for name, start, end in _SPANS:
        frames.check_spans(name, getattr(problem, name), start, end)
    frames.check_pins(problem.pins, problem.cases, staff["cm_id"])
    if problem.starts_on is not None:
        return
    dated = [name for name, start, end in _SPANS if getattr(problem, name)[[start, end]].notna().any(axis=None)]
    if dated or staff[["starts_on", "ends_on"]].notna().any(axis=None):
        raise UsageError(
            f"dates in {', '.join(dated) or 'case_managers'} need a date to be compared with",
            where="argument `starts_on`",
            do="give the first day of the plan",
        )


def _check_rules(rules: AllocationRules) -> None:
    """Refuse rules that no program's file could have written."""
    faults = {
        "delta": not 0 <= rules.delta < 1,
        "horizon_days": rules.horizon_days < 1,
        "min_experience_months": rules.min_experience_months < 0,
        "experience": any(months < 0 for months in rules.experience.values()),
        "case_mix": any(limit.most < 0 for limit in rules.case_mix),
        "costs": any(cost < 0 or cost % 1 for cost in astuple(rules.costs)),
        "guardian_language": rules.guardian_language not in GUARDIAN_WAYS,
    }
    wrong = [name for name, is_wrong in faults.items() if is_wrong]
    if wrong:
        raise UsageError(
            f"rules.{wrong[0]} is {getattr(rules, wrong[0])}",
            where="[allocation] of the program",
            do="give delta in [0, 1), horizon_days of 1 or more, guardian_language ignored, beside or instead, and "
            "numbers of 0 or more elsewhere; costs are whole",
        )


def _sort(problem: AllocationProblem) -> None:
    """Put cases and case managers in the order of their ids, so that the order of rows changes nothing."""
    for name, key in (("cases", "case_id"), ("case_managers", "cm_id")):
        frame = getattr(problem, name)
        if not frame[key].is_monotonic_increasing:
            object.__setattr__(problem, name, frame.sort_values(key, ignore_index=True))
    for name in ("pair_cost", "pair_minutes"):
        table = getattr(problem, name)
        if table is not None:
            axes = (problem.case_managers["cm_id"].tolist(), problem.cases["case_id"].tolist())
            object.__setattr__(problem, name, table.loc[axes])


def _before(problem: AllocationProblem, capacity: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Minutes and cases in use before anyone is placed, and what is left."""
    staff, fixed = problem.case_managers, problem.cases[problem.cases["is_fixed"].to_numpy(dtype=bool)]
    row_of = {cm_id: row for row, cm_id in enumerate(staff["cm_id"])}
    rows = np.array([row_of[cm_id] for cm_id in fixed["cm_id"]], dtype=np.int64)
    minutes = staff["minutes_committed"].to_numpy(dtype=np.int64, copy=True)
    cases = staff["cases_committed"].to_numpy(dtype=np.int64, copy=True)
    np.add.at(minutes, rows, fixed["minutes"].to_numpy(dtype=np.int64))
    np.add.at(cases, rows, 1)
    most = staff["max_cases"].to_numpy(dtype=np.int64, na_value=_MANY)
    return {
        "minutes_before": minutes,
        "cases_before": cases,
        "free_minutes": np.maximum(capacity - minutes, 0),
        "free_slots": np.maximum(most - cases, 0),
    }


_FRAMES = {
    "cases": frames.CASES,
    "case_managers": frames.CASE_MANAGERS,
    "licenses": frames.LICENSES,
    "credentials": frames.CREDENTIALS,
    "absences": frames.ABSENCES,
    "conflicts": frames.CONFLICTS,
    "preferences": frames.PREFERENCES,
    "pins": frames.PINS,
}
_SPANS = (
    ("licenses", "valid_from", "valid_to"),
    ("credentials", "valid_from", "valid_to"),
    ("absences", "from_on", "to_on"),
)
