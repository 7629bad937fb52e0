"""From an extract to a re-allocation and its handover sheets; from what people accepted to the table `assignments`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.allocation import (
    Acceptance,
    AllocationProblem,
    Reallocation,
    backups_of,
    handover,
    reallocate,
    record_assignments,
    sensitive_cases,
    step_down_candidates,
)
from casestrat.allocation.acceptance.assignment_file import FORMAT, read_assignment_decisions
from casestrat.allocation.acceptance.takers_rights import takers_without_rights
from casestrat.errors import UsageError
from casestrat.knowledge import Program, load_program
from casestrat.nightly.caseload_frames import reallocation_page
from casestrat.nightly.files import json_bytes, parquet_bytes, to_contract
from casestrat.nightly.lists import list_bytes
from casestrat.nightly.request import check_date, check_program, check_staff, parse_as_of
from casestrat.nightly.whole_folder import check_target, write_folder
from casestrat.tables import CONTRACTS, TEXT, Tables, read_tables, write_tables
from casestrat.tables.reading import read_extract_of

if TYPE_CHECKING:
    from collections.abc import Callable

MOVES_SCHEMA = "casestrat-reallocation/1"
ASSIGNMENTS_SCHEMA = "casestrat-assignments-recorded/1"
DECISION_FILE = "decisions.json"
PAGE = "caseload.html"
_SECONDS = 10.0
_ROUNDS = 3  # of taking out decisions that the rules of the tables set aside


@dataclass(frozen=True, eq=False)
class Moved:
    """A re-allocation of an extract, made by :func:`reallocate_source`.

    Parameters
    ----------
    plan : Reallocation
        Moves, frontier, cover, assignments, workload.
    handover : pandas.DataFrame
        One row per moved case, who must be seen first at the top.
    step_down : pandas.DataFrame
        People of the lowest tier whose plan review is due.
    """

    plan: Reallocation
    handover: pd.DataFrame
    step_down: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to change.

    Parameters
    ----------
    leaver, absent : tuple of str
        Ids of those who leave, and of those on leave.
    until : str, optional
        Last day of the leave; none: until further notice.
    newcomer : path or DataFrame, optional
        Rows of the table ``case_managers`` for those who come.
    overloads : path or DataFrame, optional
        Agreed overloads: cm_id, limit_minutes, ends_on, approver, reason; limit_cases where more cases were agreed too.
    max_moves : int, optional
        Most voluntary moves.
    """

    leaver: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    until: str | None = None
    newcomer: str | Path | pd.DataFrame | None = None
    overloads: str | Path | pd.DataFrame | None = None
    max_moves: int = 30


def reallocate_source(
    source: str | Path | Tables,
    program: str | Path | Program | None = None,
    *,
    on: str | pd.Timestamp,
    wanted: Wanted,
    out: str | Path | None = None,
    lang: str = "en",
    progress: Callable[[str, int, int], None] | None = None,
) -> Moved:
    """Propose who takes over the cases of those who leave or are away, and write the proposal.

    Nobody is moved by it: a move becomes an assignment when a person accepts it (:func:`record_assignments_source`).
    People in a crisis or in transition are moved only if they must be.

    Parameters
    ----------
    source : str, path or Tables
        A folder of tables, a ``site.toml``, a database URL, or tables already read; it is never changed.
    program : str, path or Program, optional
        The program; by default the one that the extract names.
    on : str or pandas.Timestamp
        First day without them; only what was recorded before it counts.
    wanted : Wanted
        What is to change.
    out : str or path, optional
        The folder for the lists, as Parquet and as CSV, with ``caseload.html``, the page on which people decide, and
        ``decisions.json``, to fill in without it; written whole or not at all.
    lang : {"en", "fr", "it"}, optional
        Language of the CSV lists and of the sentences.
    progress : callable, optional
        Called with a step, how much of it is done, and of how much.

    Returns
    -------
    Moved
        The plan, in the language, with its handover sheets.

    Raises
    ------
    UsageError
        Where nobody has an id, the extract has no case managers, or a file cannot be read.
    """
    tell = progress or (lambda _step, _done, _of: None)
    date = parse_as_of(on)
    if out is not None:
        check_target(Path(out), MOVES_SCHEMA)
    tables, rules = read_with_program(source, program)
    tell("read", 1, 1)
    check_date(tables, date)
    check_staff(tables, source, "take a case over")
    tables, newcomers = _with_staff(tables, rules, wanted, date)
    problem = AllocationProblem.from_tables(tables, rules, None, date)
    plan = _plan(problem, tables, rules, wanted, newcomers, date).in_language(lang)
    tell("moves", 1, 1)
    moved = Moved(plan, handover(tables, rules, plan, date), step_down_candidates(problem, tables, rules, date))
    if out is not None:
        about = {"as_of": f"{date:%Y-%m-%d}", "lang": lang, "extract": tables.fingerprint,
                 "leaver": list(wanted.leaver), "absent": list(wanted.absent), "max_moves": wanted.max_moves,
                 "program": {"id": rules.id, "version": rules.version}}  # fmt: skip
        page = reallocation_page(
            plan, tables, rules, date, sheets=moved.handover, lang=lang,
            fingerprints={"extract": tables.fingerprint, "program": rules.fingerprint},
        )  # fmt: skip
        files = _files(moved, rules, date, lang) | {PAGE: page.encode()}
        write_folder(Path(out), files, MOVES_SCHEMA, about)
        tell("written", 1, 1)
    return moved


def _plan(
    problem: AllocationProblem, tables: Tables, rules: Program, wanted: Wanted, newcomers: list[str], date: pd.Timestamp
) -> Reallocation:
    """Return the re-allocation."""
    sensitive = sensitive_cases(tables, rules, date)
    backups = backups_of(tables, date)
    absent = pd.DataFrame({"cm_id": list(wanted.absent), "from_on": date, "to_on": wanted.until})
    return reallocate(
        problem, None, wanted.leaver, wanted.max_moves,
        newcomer=newcomers or None, absent=absent if wanted.absent else None,
        overloads=_frame(wanted.overloads, "overloads"),
        backups=backups[backups["case_id"].isin(problem.cases["case_id"])],
        protected=sensitive[sensitive["case_id"].isin(problem.cases["case_id"])],
        time_limit_s=_SECONDS,
    )  # fmt: skip


def read_with_program(source: str | Path | Tables, program: str | Path | Program | None) -> tuple[Tables, Program]:
    """Return the checked tables and the program, which the extract names where nobody else does.

    Parameters
    ----------
    source : str, path or Tables
        Where the tables are.
    program : str, path, Program or None
        The program.

    Returns
    -------
    tuple of Tables and Program
        Both.

    Raises
    ------
    UsageError
        Where neither says which program it is, or they say different ones.
    """
    named: str | Path | Program | None = program
    if named is None:
        named = (source.extract if isinstance(source, Tables) else read_extract_of(source)).program
    if named is None:
        raise UsageError("the extract names no program", where="extract.toml", do="give --program")
    rules = load_program(named)
    tables = source if isinstance(source, Tables) else read_tables(source, rules)
    check_program(tables, rules)
    return tables, rules


def _with_staff(tables: Tables, rules: Program, wanted: Wanted, date: pd.Timestamp) -> tuple[Tables, list[str]]:
    """Add newcomers to the staff; who leaves on the day is still there to be left."""
    staff = tables.case_managers
    leaving = staff["cm_id"].isin([*wanted.leaver, *wanted.absent])
    staff = staff.assign(ends_on=staff["ends_on"].mask(leaving, pd.NaT))
    rows = _frame(wanted.newcomer, "newcomer")
    if rows is None:
        return replace(tables, case_managers=staff), []
    if "cm_id" not in rows:
        raise UsageError("the newcomers have no column cm_id", where="newcomer", do="give rows of case_managers")
    known = rows["cm_id"].astype(TEXT).isin(staff["cm_id"])
    if known.any():
        raise UsageError(
            f"{int(known.sum())} of {len(rows)} newcomers are in case_managers already",
            where="newcomer", do="give ids of their own; who is there already takes cases without being named",
        )  # fmt: skip
    added = rows.assign(starts_on=rows.get("starts_on", f"{date:%Y-%m-%d}"))
    people = {name: getattr(tables, name).iloc[:1] for name in ("persons", "referrals")}
    checked = Tables.from_frames(people | {"case_managers": added.astype(TEXT)}, rules, tables.extract)
    if len(checked.case_managers) < len(rows):
        first = checked.set_aside[["column", "expected"]].astype(str).agg(": ".join, axis=1).unique().tolist()
        raise UsageError("a newcomer's row breaks a rule", where="newcomer", do=f"mend it ({'; '.join(first)})")
    both = pd.concat([staff, checked.case_managers[staff.columns]], ignore_index=True)
    return replace(tables, case_managers=both), checked.case_managers["cm_id"].tolist()


def _frame(given: str | Path | pd.DataFrame | None, what: str) -> pd.DataFrame | None:
    """Return a frame, or that of a CSV file."""
    if given is None or isinstance(given, pd.DataFrame):
        return given
    try:
        return pd.read_csv(given, dtype=TEXT)
    except FileNotFoundError:
        raise UsageError(f"there is no file of {what}", where=str(given), do="check its path") from None
    except (OSError, ValueError):
        raise UsageError(f"the file of {what} is not CSV in UTF-8", where=str(given), do="mend the file") from None


def _files(moved: Moved, rules: Program, date: pd.Timestamp, lang: str) -> dict[str, bytes]:
    """Return every file of a re-allocation."""
    plan = moved.plan
    english = plan.in_language("en")
    frames = {
        "moves": (plan.moves, english.moves), "frontier": (plan.frontier, plan.frontier),
        "cover": (plan.cover, plan.cover),
        "handover": (moved.handover, moved.handover), "step_down": (moved.step_down, moved.step_down),
        "unassigned": (plan.unassigned, english.unassigned), "workload": (plan.workload, plan.workload),
    }  # fmt: skip
    files: dict[str, bytes] = {}
    for name, (said, plain) in frames.items():
        files[f"{name}.csv"] = list_bytes(name, to_contract(said.assign(as_of=date), name), rules, lang)
        files[f"{name}.parquet"] = parquet_bytes(to_contract(plain.assign(as_of=date), name))
    files[DECISION_FILE] = json_bytes(decision_file(english.moves, date))
    return files


def decision_file(moves: pd.DataFrame, on: pd.Timestamp) -> dict[str, Any]:
    """Return a decision file in which every move is held, for people to fill in.

    Parameters
    ----------
    moves : pandas.DataFrame
        Moves of a re-allocation.
    on : Timestamp
        First day with the new case managers.

    Returns
    -------
    dict
        Content of a file of format ``casestrat-assignments/1``: who decides sets ``decision`` to accept or change,
        and ``decided_by`` and ``decided_at``.
    """

    def text(value: Any) -> str | None:
        """Write a day or a code; None where it is missing."""
        return None if pd.isna(value) else f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)

    decisions = [
        {"case_id": row["case_id"], "from_cm": text(row["from_cm"]), "to_cm": row["to_cm"], "decision": "hold",
         "role": "temporary" if row["reason"] == "absence" else "lead", "reason": row["reason"], "note": None,
         "decided_by": None, "decided_at": None, "from_on": text(on), "until": text(row["until"]), "told_on": None}
        for row in moves.to_dict("records")
    ]  # fmt: skip
    return {"format": FORMAT.name, "as_of": text(on), "decisions": decisions}


def record_assignments_source(
    source: str | Path | Tables,
    file: str | Path,
    program: str | Path | Program | None = None,
    *,
    out: str | Path,
) -> Acceptance:
    """Check what people decided about moves, and write the table ``assignments`` that it makes.

    Parameters
    ----------
    source : str, path or Tables
        The extract that the decisions are about; it is never changed.
    file : str or path
        The file of format ``casestrat-assignments/1`` with what people decided.
    program : str, path or Program, optional
        The program; by default the one that the extract names.
    out : str or path
        The folder for ``assignments.csv`` (the whole table), ``new_rows.csv`` and ``refused.csv``, written whole or not
        at all.

    Returns
    -------
    Acceptance
        The new rows, and the decisions that do not stand, with every reason; among them those whose row would break a
        rule of the tables, such as a licence that is not valid, or of the program: a contract with the person's payer
        or a clearance for confidential records that is missing.

    Raises
    ------
    UsageError
        Where the file cannot be read, or the folder holds something else.
    """
    check_target(Path(out), ASSIGNMENTS_SCHEMA)
    decisions = pd.DataFrame(
        [dict(row) if isinstance(row, dict) else {} for row in read_assignment_decisions(Path(file))]
    )
    tables, rules = read_with_program(source, program)
    result = _by_the_rules(tables, rules, decisions)
    files = {
        "assignments.csv": _table_bytes(tables, result.assignments), "new_rows.csv": _table_bytes(tables, result.rows),
        "refused.csv": result.refused.to_csv(index=False, lineterminator="\n").encode(),
    }  # fmt: skip
    about = {
        "extract": tables.fingerprint,
        "n_new": len(result.rows),
        "n_refused": int(result.refused["row"].nunique()),
    }
    write_folder(Path(out), files, ASSIGNMENTS_SCHEMA, about)
    return result


def _by_the_rules(tables: Tables, rules: Program, decisions: pd.DataFrame) -> Acceptance:
    """Record decisions, without those whose rows the rules of the tables, or of the program, would not let stand."""
    numbers = pd.Series(range(1, len(decisions) + 1), index=decisions.index)
    lost: list[pd.DataFrame] = []
    kept = decisions
    result = record_assignments(tables, kept)
    for _ in range(_ROUNDS):
        faults = pd.concat([_set_aside(tables, rules, result), _without_rights(tables, rules, result)])
        if faults.empty:
            break
        at = result.standing.merge(faults, on="assignment_id")
        lost.append(pd.DataFrame({
            "row": numbers.loc[kept.index].iloc[at["row"].astype(int) - 1].to_numpy(), "case_id": at["case_id"],
            "column": at["column"], "rule": at["rule"], "expected": at["expected"],
        }))  # fmt: skip
        kept = kept.drop(kept.index[at["row"].astype(int).unique() - 1])
        result = record_assignments(tables, kept)
    of_kept = dict(enumerate(numbers.loc[kept.index], start=1))
    refused = pd.concat([result.refused.assign(row=result.refused["row"].map(of_kept)), *lost], ignore_index=True)
    refused = refused.astype(result.refused.dtypes.to_dict()).sort_values("row", ignore_index=True)
    standing = result.standing.assign(row=result.standing["row"].map(of_kept).astype("Int64"))
    return replace(result, refused=refused, standing=standing)


def _set_aside(tables: Tables, rules: Program, result: Acceptance) -> pd.DataFrame:
    """Return of the new assignments those that the rules of the tables set aside, each with the rule."""
    frames = {name: getattr(tables, name) for name in CONTRACTS if tables.has(name)}
    checked = Tables.from_frames(frames | {"assignments": result.assignments}, rules, tables.extract)
    rows = checked.set_aside[checked.set_aside["table"] == "assignments"]
    made = result.standing.loc[result.standing["is_new"].astype(bool), "assignment_id"].dropna().unique()
    named = [next((str(one) for one in made if str(one) in str(key)), None) for key in rows["key"]]
    rows = rows.assign(assignment_id=pd.Series(named, index=rows.index, dtype=TEXT))
    return rows.dropna(subset="assignment_id")[["assignment_id", "column", "rule", "expected"]].drop_duplicates()


def _without_rights(tables: Tables, rules: Program, result: Acceptance) -> pd.DataFrame:
    """Return of the new assignments those to somebody without a contract or a clearance, each with the rule."""
    standing = result.standing
    made = standing.loc[standing["is_new"].astype(bool) & standing["decision"].isin(["accept", "change"])]
    rows = result.rows[result.rows["assignment_id"].isin(made["assignment_id"])]
    return takers_without_rights(tables, rules, rows)


def _table_bytes(tables: Tables, rows: pd.DataFrame) -> bytes:
    """Return rows of the table `assignments` as a folder of tables holds them."""
    import tempfile  # only here

    alone = replace(tables, assignments=rows, present=frozenset({"assignments"}))
    with tempfile.TemporaryDirectory() as folder:
        return (write_tables(alone, folder) / "assignments.csv").read_bytes()
