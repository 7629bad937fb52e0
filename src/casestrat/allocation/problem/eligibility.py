"""Who may follow whom: each hard rule is one function that says which pairs it allows, and why it refuses the others.

Cases that no rule and no term of the objective can tell apart form one *class*. A rule reads a few columns of the
classes, and is asked once for each distinct value of these: its answer is that small table, and the row of it that each
class has. To add a rule, write one function, list it in ``RULES`` with the columns it reads, and give the wordings its
``allocation.reason_<id>``, ``allocation.relaxation_<id>``, ``allocation.wants_<id>`` and ``pages.rule_<id>``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.allocation.problem.case_mix import mix_of
from casestrat.allocation.problem.distinct import firsts, numbered
from casestrat.allocation.problem.listed_text import has_no_wish, holds, tokens
from casestrat.allocation.problem.rights import judge_confidentiality, judge_credentials, judge_licence, judge_payer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from casestrat.allocation.problem.problem import AllocationProblem

    Flags: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.float64]
    Wholes: TypeAlias = NDArray[np.int64]

INTERPRETER = "interpreter"  # skill of a case manager who works through an interpreter


@dataclass(frozen=True, slots=True)
class Question:
    """What rules are asked about: the classes of cases (rows), the case managers (columns), and the whole problem."""

    classes: pd.DataFrame
    case_managers: pd.DataFrame
    problem: AllocationProblem

    @property
    def shape(self) -> tuple[int, int]:
        """Number of classes, number of case managers."""
        return len(self.classes), len(self.case_managers)

    @property
    def everyone(self) -> Flags:
        """All pairs allowed."""
        return np.ones(self.shape, dtype=bool)

    @property
    def last_day(self) -> pd.Timestamp | None:
        """Last day of the planned follow-up, or None where the problem has no date."""
        start = self.problem.first_day
        return None if start is None else start + pd.Timedelta(days=max(self.problem.rules.horizon_days, 1) - 1)


@dataclass(frozen=True, slots=True)
class Rule:
    """A hard rule: its name, which pairs it allows, how hard it is to waive, and the columns of classes it reads."""

    id: str
    judge: Callable[[Question], Flags]
    waiver: int  # smaller: easier
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was answered for each distinct value of the columns read, and which of them each class has.

    An answer is indexed as the whole (classes × case managers) array would be.
    """

    table: NDArray[Any]  # (values, m)
    row_of: Wholes  # (K,)

    def __getitem__(self, at: Any) -> NDArray[Any]:
        if isinstance(at, tuple):
            return np.asarray(self.table[(self.row_of[at[0]], *at[1:])])
        return np.asarray(self.table[self.row_of[at]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.table[self.row_of], dtype=dtype)


def asked_once(question: Question, reads: tuple[str, ...], answer: Callable[[Question], NDArray[Any]]) -> Answer:
    """Ask about each distinct value of some columns of the classes once.

    Parameters
    ----------
    question : Question
        Classes and case managers.
    reads : tuple of str
        The columns that the answer depends on.
    answer : callable
        From a question to an array of shape (classes, case managers).

    Returns
    -------
    Answer
        One row per distinct value.
    """
    row_of = numbered(question.classes, reads)
    first = firsts(row_of)
    told = {name: question.classes[name].array.take(first) for name in reads}
    classes = pd.DataFrame(told, index=pd.RangeIndex(len(first)))
    return Answer(answer(Question(classes, question.case_managers, question.problem)), row_of)


def judge_active(question: Question) -> Flags:
    """Ask for work from the first to the last day of the planned follow-up."""
    staff, allowed = question.case_managers, question.everyone
    if question.last_day is not None:
        started = ~(staff["starts_on"] > question.problem.first_day)
        stays = ~(staff["ends_on"] < question.last_day)
        allowed &= (started & stays).to_numpy(dtype=bool)
    return allowed


def judge_profession(question: Question) -> Flags:
    """Ask for one of the program's professions."""
    professions, allowed = question.problem.rules.professions, question.everyone
    if professions:
        allowed &= question.case_managers["profession"].isin(professions).to_numpy(dtype=bool)
    return allowed


def judge_experience(question: Question) -> Flags:
    """Ask for the months of experience of the program and of the case's tier; not known proves none."""
    rules, allowed = question.problem.rules, question.everyone
    months = question.case_managers["experience_months"].fillna(0).to_numpy(dtype=np.int64)
    asked = question.classes["tier"].map(dict(rules.experience)).fillna(0).to_numpy(dtype=np.float64)
    allowed &= months[None, :] >= np.maximum(asked, rules.min_experience_months)[:, None]
    return allowed


def judge_skills(question: Question) -> Flags:
    """Ask for every skill that the case needs."""
    lists, allowed = question.case_managers["skills"], question.everyone
    needed = [tokens(text) for text in question.classes["skills"]]
    for skill in sorted({skill for skills in needed for skill in skills}):
        asks = np.array([skill in skills for skills in needed], dtype=bool)[:, None]
        has = np.array([skill in tokens(text) for text in lists], dtype=bool)[None, :]
        allowed &= ~asks | has
    return allowed


def judge_language(question: Question) -> Flags:
    """Ask for the person's language, or an interpreter where one is needed and the case manager works with one."""
    allowed = question.everyone
    if question.problem.rules.language == "required":
        allowed &= speaks_to_person(question) | _works_through(question, "interpreter_needed")
    return allowed


def judge_guardian(question: Question) -> Flags:
    """Ask for the guardian's language where it counts, or an interpreter, as for the person's own."""
    allowed = question.everyone
    if question.problem.rules.language == "required":
        allowed &= speaks_to_guardian(question) | _works_through(question, "guardian_interpreter_needed")
    return allowed


def speaks_to_person(question: Question) -> Flags:
    """Return who speaks each person's own language; one not known, or not counted, asks for nobody.

    Parameters
    ----------
    question : Question
        Classes and case managers.

    Returns
    -------
    numpy.ndarray of bool, shape (classes, case managers)
        True where no interpreter would be needed.
    """
    language = question.classes["language"]
    spoken: Flags = has_no_wish(language) | holds(question.case_managers["languages"], language)
    if question.problem.rules.guardian_language == "instead":
        spoken |= ~has_no_wish(question.classes["guardian_language"])
    return spoken


def speaks_to_guardian(question: Question) -> Flags:
    """Return who speaks the language of each person's guardian; one not known, or not counted, asks for nobody.

    Parameters
    ----------
    question : Question
        Classes and case managers.

    Returns
    -------
    numpy.ndarray of bool, shape (classes, case managers)
        True where no interpreter would be needed.
    """
    if question.problem.rules.guardian_language == "ignored":
        return question.everyone
    language = question.classes["guardian_language"]
    spoken: Flags = has_no_wish(language) | holds(question.case_managers["languages"], language)
    return spoken


def _works_through(question: Question, needed: str) -> Flags:
    """Return who works through an interpreter where one is needed, by the column that says so."""
    asked = question.classes[needed].astype("boolean").fillna(value=False).to_numpy(dtype=bool)[:, None]
    works_so = np.array([INTERPRETER in tokens(text) for text in question.case_managers["skills"]], dtype=bool)
    return np.asarray(asked & works_so[None, :], dtype=bool)


def judge_territory(question: Question) -> Flags:
    """Ask for the person's territory, where the program binds case managers to territories."""
    allowed = question.everyone
    if question.problem.rules.territory == "required":
        allowed &= serves_territory(question)
    return allowed


def serves_territory(question: Question) -> Flags:
    """Return who serves each class's territory; no territory named, on either side, binds nobody.

    Parameters
    ----------
    question : Question
        Classes and case managers.

    Returns
    -------
    numpy.ndarray of bool, shape (classes, case managers)
        True where the case manager serves the territory.
    """
    territory, served = question.classes["territory"], question.case_managers["territories"]
    anywhere = np.array([not tokens(text) for text in served], dtype=bool)[None, :]
    serves: Flags = has_no_wish(territory) | anywhere | holds(served, territory)
    return serves


def judge_preferences(question: Question) -> Flags:
    """Ask for what the person requires, where it must be met."""
    unmet = wishes_unmet(question.case_managers, question.classes["wishes_required"])
    return np.asarray(unmet == 0, dtype=bool)


def wishes_unmet(case_managers: pd.DataFrame, wishes: pd.Series) -> Numbers:
    """Count the wishes of each class that each case manager does not meet.

    Parameters
    ----------
    case_managers : pandas.DataFrame
        One row per case manager.
    wishes : pandas.Series
        `;`-separated wishes, ``kind=value``, one text per class; missing: none.

    Returns
    -------
    numpy.ndarray of float, shape (classes, case managers)
        0 where every wish is met.
    """
    asked = [tokens(text) for text in wishes]
    distinct = sorted({wish for all_of in asked for wish in all_of})
    row_of = {wish: row for row, wish in enumerate(distinct)}
    by_kind: dict[str, list[str]] = {}
    for wish in distinct:
        by_kind.setdefault(wish.partition("=")[0], []).append(wish)
    unmet = np.zeros((len(distinct), len(case_managers)))
    for kind, of_kind in by_kind.items():
        values = pd.Series([wish.partition("=")[2] for wish in of_kind], dtype=object)
        lists = _told_of(case_managers, kind)
        if lists is None:
            unmet[[row_of[wish] for wish in of_kind]] = 1.0
        else:
            unmet[[row_of[wish] for wish in of_kind]] = ~holds(lists, values)
    counted = np.zeros((len(asked), len(case_managers)))
    for row, all_of in enumerate(asked):
        for wish in all_of:
            counted[row] += unmet[row_of[wish]]
    return counted


def meets_wish(case_managers: pd.DataFrame, wish: str) -> Flags:
    """Return which case managers meet a wish, written ``kind=value``.

    The kind names a column of the case managers, or the list of its plural (``language`` is looked up in
    ``languages``). A kind that is no column is met by nobody, since it cannot be shown to be met.

    Parameters
    ----------
    case_managers : pandas.DataFrame
        One row per case manager.
    wish : str
        Kind and value.

    Returns
    -------
    numpy.ndarray of bool
        One value per case manager.

    Examples
    --------
    >>> staff = pd.DataFrame({"cm_id": ["CM1", "CM2", "CM3"], "languages": ["fr;it", "fr", None]})
    >>> meets_wish(staff, "language=it").tolist()
    [True, False, False]
    """
    kind, _, value = wish.partition("=")
    lists = _told_of(case_managers, kind)
    if lists is None:
        return np.zeros(len(case_managers), dtype=bool)
    return np.array([value in tokens(text) for text in lists], dtype=bool)


def _told_of(case_managers: pd.DataFrame, kind: str) -> list[str] | None:
    """Return what is known of each case manager of a kind of wish; None where that is no column."""
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    aliases = {"sex": ("gender",), "gender": ("sex",), "case_manager": ("cm_id",)}.get(kind, ())
    column = next((name for name in (kind, plural, *aliases) if name in case_managers), None)
    return None if column is None else [str(text) for text in case_managers[column]]


def judge_conflicts(question: Question) -> Flags:
    """Bar those who must not follow the person."""
    allowed = question.everyone
    row_of = {cm_id: row for row, cm_id in enumerate(question.case_managers["cm_id"])}
    for row, conflicts in enumerate(question.classes["conflicts"]):
        allowed[row, [row_of[cm_id] for cm_id in tokens(conflicts)]] = False
    return allowed


def judge_pins(question: Question) -> Flags:
    """Keep a pinned case only at its case manager."""
    allowed, pin = question.everyone, question.classes["pin"]
    pinned = pin.notna().to_numpy(dtype=bool)
    allowed[pinned] = holds(question.case_managers["cm_id"], pin)[pinned]
    return allowed


def judge_headcount(question: Question) -> Flags:
    """Bar those already at the greatest number of cases."""
    free = question.problem.free_slots > 0
    return np.asarray(question.everyone & free)


def judge_case_mix(question: Question) -> Flags:
    """Bar those already at the greatest number of cases of one sort."""
    mix, allowed = mix_of(question.problem, question.classes), question.everyone
    if mix is not None:
        full = (mix.room <= 0).astype(np.int64)
        allowed &= mix.counted.T.astype(np.int64) @ full == 0
    return allowed


def judge_minutes(question: Question) -> Flags:
    """Ask for at least the case's minutes, free before any case is placed; who has too much gets none, even of 0."""
    problem = question.problem
    needed = question.classes["minutes"].to_numpy(dtype=np.int64)[:, None]
    is_over = problem.minutes_before > problem.capacity
    return np.asarray((needed <= problem.free_minutes[None, :]) & ~is_over[None, :])


RULES: tuple[Rule, ...] = (
    Rule("active", judge_active, 10),
    Rule("profession", judge_profession, 11),
    Rule("licence", judge_licence, 13, ("jurisdiction",)),
    Rule("credentials", judge_credentials, 9),
    Rule("payer", judge_payer, 12, ("payer",)),
    Rule("confidentiality", judge_confidentiality, 14, ("clearances",)),
    Rule("experience", judge_experience, 8, ("tier",)),
    Rule("skills", judge_skills, 7, ("skills",)),
    Rule("language", judge_language, 4, ("language", "interpreter_needed", "guardian_language")),
    Rule("guardian", judge_guardian, 5, ("guardian_language", "guardian_interpreter_needed")),
    Rule("territory", judge_territory, 0, ("territory",)),
    Rule("preferences", judge_preferences, 6, ("wishes_required",)),
    Rule("conflicts", judge_conflicts, 15, ("conflicts",)),
    Rule("pins", judge_pins, 16, ("pin",)),
    Rule("max_cases", judge_headcount, 2),
    Rule("case_mix", judge_case_mix, 3, ("tier", "kind")),
    Rule("capacity", judge_minutes, 1, ("minutes",)),
)
"""Every hard rule, in the order in which they are asked; the first that leaves nobody is the reason given."""


def verdicts(question: Question) -> dict[str, Answer]:
    """Return each rule's answer.

    Parameters
    ----------
    question : Question
        Classes and case managers.

    Returns
    -------
    dict of str to Answer
        Which pairs each rule of ``RULES`` allows, in its order, as of shape (classes, case managers).
    """
    return {rule.id: asked_once(question, rule.reads, rule.judge) for rule in RULES}
