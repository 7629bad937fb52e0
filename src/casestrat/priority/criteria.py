"""Three-valued admission criteria, each with its evidence: yes and no decide, unknown asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge.three_valued import Expression, read_expression
from casestrat.priority.dates import DateLike, moment_of
from casestrat.priority.inputs import Inputs
from casestrat.tables import TEXT
from casestrat.timeline import status_on

if TYPE_CHECKING:
    from casestrat.knowledge import Program
    from casestrat.knowledge.program import CriteriaSet
    from casestrat.tables import Tables

_COLUMNS: dict[str, Any] = {
    "person_id": TEXT, "referral_id": TEXT, "criteria_set": TEXT, "criterion": TEXT, "result": "boolean",
    "evidence": TEXT, "unknown_inputs": TEXT, "group": TEXT,
}  # fmt: skip


def check_criteria(
    tables: Tables, program: Program, as_of: DateLike, features: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Answer every admission rule for everyone who waits: yes, no or unknown, and on what evidence.

    Parameters
    ----------
    tables : Tables
        The checked tables of one extract.
    program : Program
        The program; its criteria sets in force on the date are answered (the last day of validity counts).
    as_of : str or date
        The date; only what was recorded before it counts.
    features : pandas.DataFrame, optional
        Features with index (person_id, as_of), for the rules that read one. A feature that is not given is unknown.

    Returns
    -------
    pandas.DataFrame
        One row per waiting referral and rule: person_id, referral_id, criteria_set (its id and version), criterion,
        result (missing is unknown), evidence (each input with its table and date), unknown_inputs (``;``-separated:
        what to ask for), group (``all_of``, ``any_of``, or ``told`` for a rule that does not count).

    Raises
    ------
    KnowledgeError
        A rule reads a name that is no column, fact or feature, or compares what cannot be compared.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> program = load_program("geriatric")
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "birth_year": [1940, 1980, 1966],
    ...         "neurodegenerative": [None, False, False], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1", "R2", "R3"], "person_id": ["P1", "P2", "P3"],
    ...         "referred_on": "2026-09-01", "recorded_at": "2026-09-01"}),
    ... }, program)
    >>> rules = check_criteria(tables, program, "2026-10-01")
    >>> aged = rules[rules["criterion"] == "aged"]
    >>> aged[["person_id", "result"]].reset_index(drop=True)
      person_id  result
    0        P1    True
    1        P2   False
    2        P3    <NA>
    >>> aged["unknown_inputs"].tolist()
    ['neurodegenerative', '', 'age']
    """
    on = moment_of(as_of, "as_of")
    status = status_on(tables, program, on)
    waiting = status.loc[status["status"].eq("waiting").to_numpy(dtype=bool), ["person_id", "referral_id"]]
    waiting = waiting.astype(TEXT).sort_values("referral_id", ignore_index=True)
    inputs = Inputs(tables, program, waiting, on, features)
    rows = [
        _answered(waiting, inputs, criteria_set, rule.id, rule.expression)
        for criteria_set in criteria_in_force(program, on)
        for rule in criteria_set.rules
    ]
    if not rows:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _COLUMNS.items()})
    answered = pd.concat(rows).sort_index(kind="stable").reset_index(drop=True)
    return answered.astype(_COLUMNS)


def criteria_in_force(program: Program, as_of: DateLike) -> tuple[CriteriaSet, ...]:
    """Return the criteria sets of a program that are in force on a date, its first and last day included.

    Parameters
    ----------
    program : Program
        The program.
    as_of : str or date
        The date.

    Returns
    -------
    tuple of CriteriaSet
        In the order of the program's file.
    """
    day = moment_of(as_of, "as_of").date()
    return tuple(one for one in program.criteria if one.valid_from <= day and (one.valid_to or day) >= day)


def _answered(waiting: pd.DataFrame, inputs: Inputs, criteria_set: CriteriaSet, rule: str, text: str) -> pd.DataFrame:
    """One rule for everyone."""
    expression = read_expression(text, where=f"criteria {criteria_set.id}, rule {rule}")
    read = {name: inputs[name] for name in expression.names}
    result = expression.evaluate({name: one.value for name, one in read.items()}, len(waiting))
    group = "all_of" if rule in criteria_set.all_of else "any_of" if rule in criteria_set.any_of else "told"
    return waiting.assign(
        criteria_set=f"{criteria_set.id} {criteria_set.version}",
        criterion=rule,
        result=result,
        evidence=_evidence(expression, inputs, len(waiting)),
        unknown_inputs=_to_ask(expression, inputs, np.asarray(result.isna())),
        group=group,
    )


def _evidence(expression: Expression, inputs: Inputs, n: int) -> list[str]:
    told = [
        [f"{name}: {word} ({source})" for word, source in zip(inputs[name].told, inputs[name].source, strict=True)]
        for name in expression.names
    ]
    return ["; ".join(parts) for parts in zip(*told, strict=True)] if told else [""] * n


def _to_ask(
    expression: Expression, inputs: Inputs, is_unknown: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> list[str]:
    """Names of the unknown inputs; one known between two ends counts where it leaves the answer open."""
    columns = [np.where(inputs[n].is_missing | (inputs[n].is_open & is_unknown), n, "") for n in expression.names]
    return [";".join(filter(None, row)) for row in zip(*columns, strict=True)] if columns else [""] * len(is_unknown)


def criteria_status(criteria: pd.DataFrame) -> pd.DataFrame:
    """Say for each waiting referral whether it meets the criteria, fails them, or must be asked about.

    A referral fails only with a definite no: a rule of ``all_of`` that is no, or a group ``any_of`` whose rules are all
    no. It meets them when each ``all_of`` rule is yes and, where the set has ``any_of``, one of these is yes. An
    unknown never refuses: everything else asks. Of several sets in force, all must be met.

    Parameters
    ----------
    criteria : pandas.DataFrame
        What :func:`check_criteria` returned; without its column ``group`` every rule counts as ``all_of``.

    Returns
    -------
    pandas.DataFrame
        One row per person and referral: person_id, referral_id, status (meets, fails, ask).

    Raises
    ------
    UsageError
        A column is missing.

    Examples
    --------
    >>> criteria = pd.DataFrame({
    ...     "person_id": ["P1", "P1", "P2", "P2", "P3", "P3"],
    ...     "referral_id": ["R1", "R1", "R2", "R2", "R3", "R3"],
    ...     "criteria_set": "cnsa 2015", "criterion": ["aged", "unstable"] * 3,
    ...     "result": pd.array([True, True, True, None, False, None], dtype="boolean"),
    ... })
    >>> criteria_status(criteria)["status"].tolist()
    ['meets', 'ask', 'fails']
    """
    absent = [name for name in ("person_id", "referral_id", "criteria_set", "result") if name not in criteria.columns]
    if absent:
        raise UsageError(f"the criteria have no column {', '.join(absent)}", do="give what check_criteria returned")
    group = criteria["group"] if "group" in criteria.columns else pd.Series("all_of", index=criteria.index)
    is_any, is_all = group.eq("any_of").to_numpy(dtype=bool), group.eq("all_of").to_numpy(dtype=bool)
    result = criteria["result"].astype("boolean")
    yes, no = result.fillna(False).to_numpy(dtype=bool), (~result).fillna(False).to_numpy(dtype=bool)
    marks = pd.DataFrame({
        "person_id": criteria["person_id"].astype(TEXT).to_numpy(),
        "referral_id": criteria["referral_id"].astype(TEXT).to_numpy(),
        "criteria_set": criteria["criteria_set"].astype(TEXT).to_numpy(),
        "all_yes": yes | ~is_all, "all_no": no & is_all,
        "any_there": is_any, "any_yes": yes & is_any, "any_open": ~no & is_any,
    })  # fmt: skip
    how = {"all_yes": "all", "all_no": "any", "any_there": "any", "any_yes": "any", "any_open": "any"}
    sets = marks.groupby(["referral_id", "person_id", "criteria_set"], sort=True).agg(how).astype(bool)
    sets["meets"] = sets["all_yes"] & (sets["any_yes"] | ~sets["any_there"])
    sets["fails"] = sets["all_no"] | (sets["any_there"] & ~sets["any_open"])
    people = sets.groupby(["referral_id", "person_id"], sort=True).agg({"meets": "all", "fails": "any"}).astype(bool)
    status = np.where(people["fails"], "fails", np.where(people["meets"], "meets", "ask"))
    told = people.index.to_frame(index=False)[["person_id", "referral_id"]].astype(TEXT)
    return told.assign(status=pd.array(status, dtype=TEXT))
