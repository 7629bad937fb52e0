"""Who can be admitted and who can be followed, as one question: each waiting person beside the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from casestrat.allocation.admission.wants import rules_in_the_way, wanted
from casestrat.allocation.plan.ledger import tell_of_class
from casestrat.allocation.plan.spare_room import SpareRoom, rows_of_plan
from casestrat.allocation.problem.gathering import gather
from casestrat.allocation.problem.instance import ask
from casestrat.allocation.problem.problem import AllocationProblem
from casestrat.allocation.solve import allocate
from casestrat.knowledge import FrozenMap, Sentence, load_wording, say_each
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from casestrat.allocation.plan.plan import Plan
    from casestrat.allocation.problem.instance import Asked
    from casestrat.knowledge.program import Program
    from casestrat.tables import Tables

_OF_THE_LIST = ("rank", "person_id", "referral_id", "territory", "is_proposed")
_HANDED_ON_UP_TO = 2_000_000  # pairs of class and case manager
_CUT = ("is_proposed", "in_tied_zone")


@dataclass(frozen=True, eq=False)
class Admission:
    """Waiting people with who could follow them, or what that waits for; the reasons in no language yet.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per waiting person, in the order of the list, without words.
    reasons, relaxations : mapping of str to Sentence
        Referral → what the person is blocked for want of, and the smallest change that would help.
    """

    rows: pd.DataFrame
    reasons: Mapping[str, Sentence]
    relaxations: Mapping[str, Sentence]

    def in_language(self, lang: str) -> pd.DataFrame:
        """Return the rows with what is said of each person, as :func:`admissible_now` returns them.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            Language of ``reason`` and ``relaxation``.

        Returns
        -------
        pandas.DataFrame
            One row per waiting person.
        """
        wording = load_wording(lang)
        ids = self.rows["referral_id"]
        said = {
            "reason": say_each(self.reasons, wording),
            "relaxation": say_each(self.relaxations, wording),
        }
        return self.rows.assign(
            **{name: pd.array([words.get(one, "") for one in ids], dtype=TEXT) for name, words in said.items()}
        )


def admissible_now(
    tables: Tables,
    program: Program,
    ranked: pd.DataFrame,
    as_of: date | str | pd.Timestamp,
    plan: Plan | None = None,
    *,
    lang: str = "en",
) -> pd.DataFrame:
    """Return for each waiting person whether somebody could follow them now, and otherwise what that waits for.

    People within the places, or tied at the cut, are answered for by the plan, all together. Everyone beyond is asked
    about alone, as one more person beside the plan: whether a case manager whom the rules allow has room, or has it
    once one other person who is not followed yet goes to somebody else (which is left out in the largest services, of
    some 2,000,000 pairs of case managers and kinds of cases).

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its ``[allocation]`` holds the rules.
    ranked : pandas.DataFrame
        The ranked waiting list: rank, person_id, referral_id; and where known tier, territory, is_proposed,
        in_tied_zone.
    as_of : date
        Only what was recorded before it counts.
    plan : Plan, optional
        The plan of ``AllocationProblem.from_tables(tables, program, ranked, as_of)``; made where it is not given.
    lang : {"en", "fr", "it"}, optional
        Language of the words.

    Returns
    -------
    pandas.DataFrame
        One row per waiting person, in the order of ``ranked``: rank, person_id, referral_id, territory, is_proposed,
        admissible_now, cm_id (who would follow; missing where nobody can), blocked_by (the rule in the way, missing
        where nothing is), reason ("blocked for want of a nurse who speaks Italian"), relaxation, as_of.
    """
    return judge_admission(tables, program, ranked, as_of, plan).in_language(lang)


def judge_admission(
    tables: Tables,
    program: Program,
    ranked: pd.DataFrame,
    as_of: date | str | pd.Timestamp,
    plan: Plan | None = None,
) -> Admission:
    """Return what :func:`admissible_now` does, to be said in any language.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its ``[allocation]`` holds the rules.
    ranked : pandas.DataFrame
        The ranked waiting list.
    as_of : date
        Only what was recorded before it counts.
    plan : Plan, optional
        The plan of these; made where it is not given.

    Returns
    -------
    Admission
        Rows and reasons.
    """
    day = pd.Timestamp(as_of).normalize()
    if plan is None:
        plan = allocate(AllocationProblem.from_tables(tables, program, ranked, day))
    everyone = ranked.drop(columns=[name for name in _CUT if name in ranked])
    problem = AllocationProblem(**gather(tables, program, everyone, day))
    asked = ask(problem)
    room = SpareRoom(problem, asked, rows_of_plan(problem, asked.rows, plan))
    answers = _answers(problem, asked, room, set(plan.unassigned["case_id"]))
    told = [answers.get(one) for one in ranked["referral_id"]]
    rows = pd.DataFrame({name: ranked.get(name) for name in _OF_THE_LIST}, index=ranked.index).reset_index(drop=True)
    rows = rows.astype({"rank": "Int64", "is_proposed": "boolean", "territory": TEXT}).assign(
        admissible_now=pd.array([None if one is None else one.rule == "" for one in told], dtype="boolean"),
        cm_id=pd.array([None if one is None else one.cm_id for one in told], dtype=TEXT),
        blocked_by=pd.array([None if one is None else one.rule or None for one in told], dtype=TEXT),
        reason=pd.array([""] * len(told), dtype=TEXT),
        relaxation=pd.array([""] * len(told), dtype=TEXT),
        as_of=pd.Series([day] * len(told), dtype="datetime64[us]"),
    )
    by_id = dict(zip(ranked["referral_id"], told, strict=True))
    reasons = {str(one): answer.reason for one, answer in by_id.items() if answer is not None and answer.reason}
    helps = {str(one): answer.relaxation for one, answer in by_id.items() if answer is not None and answer.relaxation}
    return Admission(rows, FrozenMap(reasons), FrozenMap(helps))


class _Answer(NamedTuple):
    """Who could follow a person, or what is in the way."""

    cm_id: str | None
    rule: str = ""
    reason: Sentence | None = None
    relaxation: Sentence | None = None


def _answers(problem: AllocationProblem, asked: Asked, room: SpareRoom, left_over: set[str]) -> dict[str, _Answer]:
    """Answer for every case to place; those alike, asked about alone, have one answer."""
    cm_ids = problem.case_managers["cm_id"].tolist()
    alone: dict[int, _Answer] = {}
    found: dict[str, _Answer] = {}
    for at, case_id in enumerate(problem.cases["case_id"].iloc[asked.rows]):
        row = int(asked.group[at])
        if room.plan[at] >= 0:
            found[case_id] = _Answer(cm_ids[room.plan[at]])
        elif case_id in left_over:  # the plan has answered for all of them together
            found[case_id] = _blocked(problem, asked, room, row)
        else:
            if row not in alone:
                who = room.who_could(row, hands_on=asked.allowed.size <= _HANDED_ON_UP_TO)
                alone[row] = _Answer(cm_ids[who]) if who >= 0 else _blocked(problem, asked, room, row)
            found[case_id] = alone[row]
    return found


def _blocked(problem: AllocationProblem, asked: Asked, room: SpareRoom, row: int) -> _Answer:
    """Tell what a class is blocked for want of."""
    told = tell_of_class(problem, asked, room, row)
    rules = rules_in_the_way(asked, room, row)
    reason = wanted(problem, asked, row, rules) if rules else told.reason
    return _Answer(None, told.rule, reason, told.relaxation)
