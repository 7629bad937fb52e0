"""What one more case manager would bring: whom each kind of hire would let a plan place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.admission.wants import language_name
from casestrat.allocation.plan.spare_room import SpareRoom, rows_of_plan
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.listed_text import EITHER, UNKNOWN, tokens
from casestrat.allocation.problem.problem import AllocationProblem
from casestrat.errors import UsageError
from casestrat.knowledge import Sentence, load_wording
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    from casestrat.allocation.plan.plan import Plan
    from casestrat.allocation.problem.instance import Asked

    Flags: TypeAlias = NDArray[np.bool_]
    Wholes: TypeAlias = NDArray[np.int64]

TEAM, LANGUAGE, SKILL, LICENCE, TERRITORY, ANY = "team", "language", "skill", "licence", "territory", "any"
PAYER, CLEARANCE = "payer", "clearance"
_HANDED_ON_UP_TO = 20_000  # cases: beyond, only those are counted whom the newcomer would follow
_LISTS = ("languages", "skills", "territories")
_HELP: dict[Hashable, Any] = {
    "kind": TEXT, "value": TEXT, "capacity_minutes": "Int64", "cases_placed": "Int64", "people_placed": "Int64",
    "minutes_placed": "Int64", "method": TEXT, "what": TEXT,
}  # fmt: skip


def what_would_help(
    problem: AllocationProblem, plan: Plan, *, minutes: int | None = None, lang: str = "en"
) -> pd.DataFrame:
    """Return, for each kind of hire, what one more full-time case manager would let a plan place.

    Each hire is tried alone, beside the plan: cases left over are placed in the order of their priority, with whoever
    has room, or once one other case was handed on to the hire. What is told was found by placing it, so it can be had;
    a new search might place more. A hire has the experience and every certificate that the program asks of everybody,
    and otherwise what at least half of the team has (of all case managers, with any territory, where the hire is for a
    language, a skill, a licence, a payer or a clearance).

    Parameters
    ----------
    problem : AllocationProblem
        The checked problem.
    plan : Plan
        Its plan.
    minutes : int, optional
        Minutes a week for cases of the hire; by default the most that any case manager has.
    lang : {"en", "fr", "it"}, optional
        Language of ``what``.

    Returns
    -------
    pandas.DataFrame
        One row per kind of hire: kind (team, language, skill, licence, payer, clearance, territory; any: who may follow
        everybody), value, capacity_minutes, cases_placed, people_placed, minutes_placed (a week, beyond what the plan
        places), method ("handed_on": others may hand cases on to the hire; "direct": only new cases, for large
        problems), what (the hire in words). Teams are all there; of the rest, what cases left over ask for.

    Raises
    ------
    UsageError
        If the problem was made by :meth:`AllocationProblem.from_costs`.

    Examples
    --------
    >>> from casestrat.allocation import allocate
    >>> problem = AllocationProblem(
    ...     pd.DataFrame({"case_id": ["C1", "C2", "C3"], "minutes": [40, 60, 40], "language": ["fr", "it", "fr"]}),
    ...     pd.DataFrame({"cm_id": ["CM1"], "team": ["a"], "languages": ["fr"], "capacity_minutes": [70]}),
    ... )
    >>> what_would_help(problem, allocate(problem))[["kind", "value", "cases_placed", "minutes_placed"]]
           kind value  cases_placed  minutes_placed
    0      team     a             1              40
    1  language    fr             1              40
    2  language    it             1              60
    3       any                   1              60
    """
    if problem.has_own_costs:
        raise UsageError("a problem of own costs does not say whom a new case manager may follow", do="give its rules")
    left = problem.cases[problem.cases["case_id"].isin(plan.unassigned["case_id"])]
    staff = problem.case_managers
    if minutes is None:
        minutes = int(staff["capacity_minutes"].max()) if len(staff) else problem.rules.full_time_minutes
    hires = _hires(problem, left, int(minutes))
    wider = _with_hires(problem, hires)
    asked = ask(wider)
    before = rows_of_plan(wider, asked.rows, plan)
    is_hire = wider.case_managers["cm_id"].isin(hires["cm_id"]).to_numpy(dtype=bool)
    method = "handed_on" if len(problem.cases) <= _HANDED_ON_UP_TO else "direct"
    order = np.argsort(-wider.cases["priority"].to_numpy(dtype=np.float64)[asked.rows], kind="stable")
    trial = _Trial(wider, asked, before, is_hire, order, method == "handed_on")
    already = trial.placed_with(None)
    wording = load_wording(lang)
    rows = []
    for hire in hires.itertuples(index=False):
        placed = np.setdiff1d(trial.placed_with(str(hire.cm_id)), already) if len(left) else already
        cases = wider.cases.iloc[asked.rows[placed]]
        weights = asked.weight[asked.group[placed]].min(axis=1) if len(placed) else np.zeros(0)
        rows.append((
            hire.kind, hire.value, minutes, len(placed), cases["person_id"].nunique(dropna=False) if len(cases) else 0,
            int(weights.sum()), method, hire_words(str(hire.kind), str(hire.value)).said(wording),
        ))  # fmt: skip
    return pd.DataFrame(rows, columns=list(_HELP)).astype(_HELP)


class _Trial(NamedTuple):
    """Hires tried one by one on the same problem."""

    problem: AllocationProblem
    asked: Asked
    before: Wholes
    is_hire: Flags
    order: Wholes  # cases by priority
    hands_on: bool

    def placed_with(self, hire: str | None) -> Wholes:
        """Return which cases left over can be placed with a hire, or with none."""
        room = SpareRoom(self.problem, self.asked, self.before)
        room.close(self.is_hire & (self.problem.case_managers["cm_id"] != hire).to_numpy(dtype=bool))
        newcomer = np.flatnonzero((self.problem.case_managers["cm_id"] == hire).to_numpy(dtype=bool))
        only_to = int(newcomer[0]) if len(newcomer) else None
        failed: set[int] = set()
        placed = []
        for at in self.order[self.before[self.order] < 0].tolist():
            row = int(self.asked.group[at])
            if row in failed:
                continue
            if room.place(at, hands_on=self.hands_on and only_to is not None, only_to=only_to):
                placed.append(at)
            else:
                failed.add(row)  # room only ever shrinks
        return np.array(placed, dtype=np.int64)


def _hires(problem: AllocationProblem, left: pd.DataFrame, minutes: int) -> pd.DataFrame:
    """Return one case manager per kind of hire, with its kind and value."""
    staff = problem.case_managers
    asked_for = {
        LANGUAGE: sorted({*left["language"].dropna(), *_of_guardians(problem, left)} - {UNKNOWN}),
        SKILL: sorted({skill for text in left["skills"] for skill in tokens(text)}),
        LICENCE: sorted({place for text in left["jurisdiction"] for place in tokens(text)})
        if problem.rules.licensed_professions
        else [],
        PAYER: _contracted(problem, left),
        CLEARANCE: _cleared(left),
        TERRITORY: sorted(set(left["territory"].dropna()) - {UNKNOWN}),
    }
    hires = []
    for team in sorted(staff["team"].dropna().unique()):
        hires.append(_typical(staff[staff["team"] == team], kind=TEAM, value=team))
    for kind, values in asked_for.items():
        for value in values:
            hire = _typical(staff, kind=kind, value=value) | {"territories": None}
            column = {LANGUAGE: "languages", SKILL: "skills", TERRITORY: "territories"}.get(kind)
            if column is not None:
                hire[column] = ";".join([*tokens(hire[column]), value])
            hires.append(hire)
    everything = {
        "languages": ";".join(asked_for[LANGUAGE]), "skills": ";".join(asked_for[SKILL]), "territories": None,
    }  # fmt: skip
    hires.append(_typical(staff, kind=ANY, value="") | everything)
    frame = pd.DataFrame(hires)
    taken = set(staff["cm_id"])
    frame["cm_id"] = [next(name for name in _names(number) if name not in taken) for number in range(len(frame))]
    months = max([problem.rules.min_experience_months, *problem.rules.experience.values()])
    return frame.assign(capacity_minutes=minutes, experience_months=months)


def _of_guardians(problem: AllocationProblem, cases: pd.DataFrame) -> set[str]:
    """Languages of guardians, where they count."""
    counts = "guardian_language" in problem.rules.used_of_cases
    return set(cases["guardian_language"].dropna()) if counts else set()


def _contracted(problem: AllocationProblem, cases: pd.DataFrame) -> list[str]:
    """Payers of cases with whom a contract is asked for, and can be had."""
    payers = {one for text in cases["payer"].dropna().unique() for one in tokens(text)}
    return sorted(one for one in payers if problem.rules.payer_contracts.get(one))


def _cleared(cases: pd.DataFrame) -> list[str]:
    """Clearances that the records of cases ask for."""
    return sorted({names for text in cases["clearances"].dropna().unique() for names in tokens(text)})


def _names(number: int) -> Any:
    """Names for a hire, until one is free."""
    tail = ""
    while True:
        yield f"hire-{number}{tail}"
        tail += "'"


def _typical(staff: pd.DataFrame, *, kind: str, value: str) -> dict[str, Any]:
    """Return what at least half of some case managers have."""
    hire: dict[str, Any] = {"kind": kind, "value": value, "team": value if kind == TEAM else None}
    for column in _LISTS:
        held = pd.Series([part for text in staff[column] for part in set(tokens(text))], dtype=TEXT).value_counts()
        hire[column] = ";".join(sorted(str(name) for name in held.index[held >= len(staff) / 2])) or None
    if staff["territories"].map(tokens).map(len).eq(0).any():  # somebody of them is bound to none
        hire["territories"] = None
    common = staff["profession"].dropna().mode()
    hire["profession"] = None if common.empty else str(common.iloc[0])
    most = staff["max_cases"].max()
    hire["max_cases"] = None if pd.isna(most) or staff["max_cases"].isna().any() else int(most)
    return hire


def _with_hires(problem: AllocationProblem, hires: pd.DataFrame) -> AllocationProblem:
    """Return the problem with all hires among its case managers, licensed and certified."""
    rules, licenses = problem.rules, problem.licenses
    new_rights: list[tuple[str, str, str]] = []
    professions: list[str | None] = []
    for hire in hires.itertuples(index=False):
        cm_id, profession = str(hire.cm_id), str(hire.profession) if isinstance(hire.profession, str) else None
        if hire.kind in {LICENCE, ANY} and rules.licensed_professions and profession not in rules.licensed_professions:
            profession = rules.licensed_professions[0]
        if profession is not None and profession in rules.licensed_professions:
            places = _places(problem, str(hire.kind), str(hire.value))
            new_rights += [(cm_id, profession, place) for place in sorted(places)]
        professions.append(profession)
    newcomers = hires.drop(columns=["kind", "value"]).assign(profession=pd.array(professions, dtype=TEXT))
    rights = pd.DataFrame(new_rights, columns=["cm_id", "profession", "jurisdiction"], dtype=TEXT)
    held = [
        (str(hire.cm_id), name)
        for hire in hires.itertuples(index=False)
        for name in sorted(_certificates(problem, str(hire.kind), str(hire.value)))
    ]
    certificates = pd.DataFrame(held, columns=["cm_id", "credential"], dtype=TEXT)
    return AllocationProblem(
        problem.cases,
        _with_rows(problem.case_managers, newcomers),
        licenses=_with_rows(licenses, rights),
        credentials=_with_rows(problem.credentials, certificates),
        absences=problem.absences, conflicts=problem.conflicts, preferences=problem.preferences, pins=problem.pins,
        rules=rules, starts_on=problem.starts_on,
    )  # fmt: skip


def _with_rows(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with further rows, in its own columns and types."""
    return pd.concat([frame, rows.reindex(columns=frame.columns).astype(frame.dtypes.to_dict())], ignore_index=True)


def _certificates(problem: AllocationProblem, kind: str, value: str) -> set[str]:
    """Certificates of a hire: asked of everybody, held by at least half of the colleagues, and what the hire is for."""
    rules, staff = problem.rules, problem.case_managers
    colleagues = staff.loc[staff["team"] == value, "cm_id"] if kind == TEAM else staff["cm_id"]
    rows = problem.credentials[problem.credentials["cm_id"].isin(colleagues)]
    held = rows.groupby("credential")["cm_id"].nunique()
    names = {str(name) for name in held.index[held >= max(len(colleagues), 1) / 2]}
    asked = list(rules.credentials)
    if kind in {PAYER, ANY}:
        payers = [value] if kind == PAYER else _contracted(problem, problem.cases)
        asked += [rules.payer_contracts[payer] for payer in payers]
    if kind in {CLEARANCE, ANY}:
        asked += [value] if kind == CLEARANCE else _cleared(problem.cases)
    return names | {either.split(EITHER)[0] for either in asked}


def _places(problem: AllocationProblem, kind: str, value: str) -> set[str]:
    """Jurisdictions in which a hire is licensed: those where at least half of the licensed colleagues are, and more."""
    staff, licenses = problem.case_managers, problem.licenses
    colleagues = staff[staff["team"] == value] if kind == TEAM else staff
    licensed = colleagues.loc[colleagues["profession"].isin(problem.rules.licensed_professions), "cm_id"]
    held = licenses[licenses["cm_id"].isin(licensed)].groupby("jurisdiction")["cm_id"].nunique()
    places = {str(place) for place in held.index[held >= max(len(licensed), 1) / 2]}
    if kind == LICENCE:
        places.add(value)
    if kind == ANY:
        places |= {place for text in problem.cases["jurisdiction"] for place in tokens(text)}
    return places


def hire_words(kind: str, value: str) -> Sentence:
    """Say what hire it is.

    Parameters
    ----------
    kind, value : str
        As :func:`what_would_help` tells them.

    Returns
    -------
    Sentence
        Such as "a full-time case manager who speaks Italian".
    """
    name = language_name(value) if kind == LANGUAGE else value
    return Sentence.of(f"allocation.hire_{kind}", **({} if kind == ANY else {"value": name}))
