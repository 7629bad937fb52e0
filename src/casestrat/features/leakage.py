"""Does any feature use what was not known on its date? Proofs on altered tables, and figures too good to be true."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.features.altered_tables import tables_about_people, with_future_rows
from casestrat.features.audit_result import CHECKS, CheckRow, LeakageAudit, table_of
from casestrat.features.builder import FeatureBuilder
from casestrat.features.leakage_proofs import (
    Subject,
    as_at_night,
    compute,
    future_rows,
    moved_dates,
    n_changed,
    part_of,
    that_morning,
)
from casestrat.knowledge.program import Outcome
from casestrat.tables import TEXT, Tables
from casestrat.timeline import build_labels, make_spine
from casestrat.timeline.as_of import checked_spine
from casestrat.timeline.matching import choices_like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from casestrat.knowledge.program import Program

    Builder = FeatureBuilder | Callable[[Tables, pd.DataFrame], pd.DataFrame]
    Check = Callable[[], list[CheckRow]]
    Progress = Callable[[str, int, int], None]

_PROOFS = {
    "future_rows": future_rows,
    "that_morning": that_morning,
    "moved_dates": moved_dates,
    "as_at_night": as_at_night,
}
_NO_BUILDER = "ready features were given: only a builder can compute them again"
_GATHERED = "labels and features"
_MOST_PEOPLE = 20_000  # that figures rest on: more would not make them surer
_COMPUTED = (*_PROOFS, "later_date")
_FIGURES = ("later_date", "single_feature", "filled", "all_together", "permuted_labels", "kept_together")


def audit_leakage(
    tables: Tables,
    program: Program,
    *,
    as_of: str | pd.Timestamp | Iterable[str | pd.Timestamp] | None = None,
    spine: pd.DataFrame | None = None,
    outcome: str | Outcome | None = None,
    builder: Builder | None = None,
    features: pd.DataFrame | None = None,
    random_state: int = 0,
    people: int = 500,
    n_folds: int = 5,
    n_permutations: int = 5,
    single_feature_limit: float = 0.9,
    all_together_limit: float = 0.95,
    filled_limit: float = 0.8,
    progress: bool | Progress = False,
) -> LeakageAudit:
    """Look for features that use what was not known on their date, and name them.

    Two kinds of checks. *Proofs* compute the features again from altered tables (rows of the future added; what was
    recorded later, and days still to come, taken away; all dates moved; computed as the night does): a sound feature is
    the same. *Figures* say how well the features foretell the outcome: a leak that no proof can reach, such as a value
    that was overwritten in place, shows as a figure too good to be true.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose outcome is foretold, and whose features are audited if no others are given.
    as_of : str, Timestamp, or several of them, optional
        Past dates to ask for everybody on. Without it and without a spine: the last date whose outcome is known.
    spine : pandas.DataFrame, optional
        Columns ``person_id`` and ``as_of``: whom to ask about, and when.
    outcome : str or Outcome, optional
        What is foretold; the outcome of the program's risk otherwise.
    builder : FeatureBuilder or callable, optional
        A builder, or any callable ``(tables, spine) -> DataFrame`` indexed like the spine, such as an analyst's own
        features. The program's builder otherwise.
    features : pandas.DataFrame, optional
        Ready features, index ``person_id, as_of``, in place of a builder: the proofs cannot be run then.
    random_state : int, default 0
        Seed of every draw. Figures rest on 20,000 people at most.
    people : int, default 500
        On how many people at most the proofs rest; drawn by the seed, up to half of them among those with the outcome.
    n_folds : int, default 5
        Folds of people for figures on people left out.
    n_permutations : int, default 5
        How often labels are dealt at random.
    single_feature_limit : float, default 0.9
        Area under the curve from which one feature alone is a finding.
    all_together_limit : float, default 0.95
        The same for all features together.
    filled_limit : float, default 0.8
        The same for whether a feature is filled.
    progress : bool or callable, default False
        True writes a line a check to the standard error; a callable is told (check, done, of) with 0 or 1 of 1.

    Returns
    -------
    LeakageAudit
        One row per check and feature in its ``table``.

    Raises
    ------
    UsageError
        Both a builder and ready features are given, nothing tells the dates, or the features do not fit the spine.

    Examples
    --------
    Three people; an analyst counts all falls there are, whenever they were recorded.

    >>> from casestrat.knowledge import load_program
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": ["2025-01-01"] * 3}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-05"],
    ...                                "recorded_at": ["2026-01-05"]}),
    ...     "events": pd.DataFrame({"event_id": ["E1", "E2"], "person_id": ["P1", "P2"], "kind": ["fall", "fall"],
    ...                             "observed_at": ["2026-01-10", "2026-02-01"],
    ...                             "recorded_at": ["2026-01-11", "2026-02-01"]}),
    ... })
    >>> def all_falls(tables, spine):
    ...     count = tables.events["person_id"].value_counts()
    ...     return pd.DataFrame({"falls": spine["person_id"].map(count).fillna(0)})
    >>> audit = audit_leakage(tables, load_program("geriatric"), as_of="2026-01-20", builder=all_falls)
    >>> audit.is_clean, audit.leaking
    (False, ('falls',))
    >>> audit.findings.loc[audit.findings["check"] == "that_morning", "meaning"].item()
    'it is not what it was that morning for 1 of 3 people and dates: it takes in rows recorded later in events'
    """
    if builder is not None and features is not None:
        raise UsageError("both a builder and ready features are given", do="give one of them")
    tell = _teller(progress)
    tell(_GATHERED, 0, 1)
    foretold = _outcome_of(program, outcome)
    asked = _asked(tables, program, as_of, spine, features, foretold)
    label = _labels(tables, asked, foretold, program, random_state)
    if features is None:
        builder = FeatureBuilder(program) if builder is None else builder
        X = compute(builder, tables, label.index.to_frame(index=False)) if len(label) else None
        subject = _subject(builder, tables, asked, label, X, people, random_state)
    else:
        subject, X = None, _ready(features, label.index)
    checks = dict.fromkeys(_PROOFS, _skipped(_NO_BUILDER)) if subject is None else _proofs_of(subject)
    told = _Told(X, label, n_folds, n_permutations, single_feature_limit, all_together_limit, filled_limit)
    checks |= _figures_of(told, subject, tables, foretold, random_state)
    tell(_GATHERED, 1, 1)
    return LeakageAudit(
        table=table_of(_run(checks, tell)),
        outcome=foretold.name,
        dates=tuple(pd.Timestamp(day) for day in np.sort(asked["as_of"].unique())),
        n_rows=len(label),
        n_people=int(label.index.get_level_values("person_id").nunique()),
        n_events=int(label.sum()),
        n_proved=0 if subject is None else int(subject.spine["person_id"].nunique()),
        random_state=random_state,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What figures are made of, and from where on they are findings."""

    X: pd.DataFrame | None
    label: pd.Series
    n_folds: int
    n_permutations: int
    single_feature: float
    all_together: float
    filled: float


def _labels(tables: Tables, asked: pd.DataFrame, outcome: Outcome, program: Program, random_state: int) -> pd.Series:
    """Return the known outcomes, of as many people as figures need."""
    label = build_labels(tables, asked, outcome, program)["label"].dropna()
    person_id = label.index.get_level_values("person_id")
    everyone = np.sort(person_id.unique())
    if len(everyone) <= _MOST_PEOPLE:
        return label
    return label.loc[person_id.isin(np.random.default_rng(random_state).permutation(everyone)[:_MOST_PEOPLE])]


def _outcome_of(program: Program, outcome: str | Outcome | None) -> Outcome:
    name = program.risk.outcome if outcome is None else outcome
    if isinstance(name, Outcome):
        return name
    if name not in program.outcomes:
        raise UsageError(f"program {program.id!r} has no outcome {name!r}", do=choices_like(name, program.outcomes))
    return program.outcomes[name]


def _asked(
    tables: Tables,
    program: Program,
    as_of: str | pd.Timestamp | Iterable[str | pd.Timestamp] | None,
    spine: pd.DataFrame | None,
    features: pd.DataFrame | None,
    outcome: Outcome,
) -> pd.DataFrame:
    """Return whom to ask about, and when."""
    if spine is not None and as_of is not None:
        raise UsageError("both a spine and as_of are given", do="give one of them")
    if spine is None and features is not None and as_of is None:
        spine = features
    if spine is not None:
        return checked_spine(spine).astype({"person_id": TEXT}).drop_duplicates(ignore_index=True)
    if as_of is None:
        end = tables.extract.data_end
        if end is None:
            raise UsageError("nothing tells which dates to ask for", do="give as_of, or a spine")
        as_of = end - pd.Timedelta(days=outcome.horizon_days)
    return make_spine(tables, program, as_of, population="all")


def _ready(features: pd.DataFrame, index: pd.Index) -> pd.DataFrame | None:
    """Return ready features of the rows whose outcome is known."""
    known = features.index
    if list(known.names) != ["person_id", "as_of"] or not known.is_unique or not index.isin(known).all():
        raise UsageError(
            "the ready features do not fit the people and dates asked for",
            do="give one row per person and date, with the index (person_id, as_of)",
        )
    return features.loc[index] if len(index) else None


def _subject(
    builder: Builder,
    tables: Tables,
    asked: pd.DataFrame,
    label: pd.Series,
    X: pd.DataFrame | None,
    people: int,
    random_state: int,
) -> Subject:
    """Draw the people the proofs rest on, up to half of them among those with the outcome: leaks show there first."""
    everyone = np.sort(asked["person_id"].unique())
    with_outcome = np.intersect1d(everyone, label.index[label == 1].get_level_values("person_id").unique())
    draw = np.random.default_rng(random_state)
    first = draw.permutation(with_outcome)[: people // 2]
    rest = draw.permutation(np.setdiff1d(everyone, first))[: people - len(first)]
    spine = asked.loc[asked["person_id"].isin(np.concatenate([first, rest]))].reset_index(drop=True)
    part = part_of(tables, spine["person_id"])
    return Subject(builder, part, spine, compute(builder, part, spine), random_state, X)


def _proofs_of(subject: Subject) -> dict[str, Check]:
    return {name: partial(proof, subject) for name, proof in _PROOFS.items()}


def _figures_of(
    told: _Told, subject: Subject | None, tables: Tables, outcome: Outcome, random_state: int
) -> dict[str, Check]:
    """Return the checks by figures, those that cannot be made with the reason why."""
    if told.X is None:
        return dict.fromkeys(_FIGURES, _skipped(f"no outcome {outcome.name} is known yet for these people and dates"))
    # Imported here because scikit-learn is slow to import, and a nightly run needs none of it.
    from casestrat.features import prediction_checks as figures

    foretold = figures.Foretold(told.X, told.label, told.n_folds, random_state)
    if foretold.lacks:
        return dict.fromkeys(_FIGURES, _skipped(foretold.lacks))
    later = _skipped(_NO_BUILDER)
    if subject is not None:
        later = partial(figures.later_date, foretold, subject, tables, outcome.horizon_days)
    return {
        "later_date": later,
        "single_feature": partial(figures.single_features, foretold, told.single_feature),
        "filled": partial(figures.filled, foretold, told.filled),
        "all_together": partial(figures.all_together, foretold, told.all_together),
        "permuted_labels": partial(figures.permuted_labels, foretold, told.n_permutations),
        "kept_together": partial(figures.kept_together, foretold, tables),
    }


def _skipped(reason: str) -> Check:
    """Return a check that says why it was not run; its name is put in when it is."""
    return lambda: [CheckRow("", "not run", reason)]


def _run(checks: dict[str, Check], tell: Progress) -> list[CheckRow]:
    rows: list[CheckRow] = []
    for name, check in checks.items():
        tell(name, 0, 1)
        rows += [replace(row, check=name) for row in (_recomputed(name, check) if name in _COMPUTED else check())]
        tell(name, 1, 1)
    return rows


def _recomputed(name: str, check: Check) -> list[CheckRow]:
    """Run a check that computes features from altered tables, which an analyst's own code may not bear."""
    try:
        return check()
    except Exception as error:
        # Tables as a night has them must be borne; rows that were made up, or other dates, need not.
        is_needed = name in ("that_morning", "as_at_night")
        said = f"the features could not be computed ({type(error).__name__})"
        return [CheckRow(name, "finding" if is_needed else "not run", said)]


def _teller(progress: bool | Progress) -> Progress:
    """Return what is told of each step: nothing, a line on the standard error, or what the caller does with it."""
    if callable(progress):
        return progress
    if not progress:
        return lambda _step, _done, _of: None
    began, steps = time.perf_counter(), [_GATHERED, *CHECKS]

    def write(step: str, done: int, of: int) -> None:
        if done == of:
            words = CHECKS.get(step, step)
            place = f"{steps.index(step) + 1} of {len(steps)}"
            sys.stderr.write(f"audit {place}, {words}: done after {time.perf_counter() - began:.1f} s\n")

    return write


def future_rows_change_nothing(tables: Tables, spine: pd.DataFrame, builder: Builder) -> pd.DataFrame:
    """Add rows recorded on or after the last date to every table, and count the features they change.

    Of each row about the people asked for: a new row true before the dates but recorded on the last, with other values;
    a correction of the row itself, and its retraction. And for everybody a new row of each kind there is, true on the
    last date.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    spine : pandas.DataFrame
        Columns ``person_id`` and ``as_of``.
    builder : FeatureBuilder or callable
        The features: a builder, or any callable ``(tables, spine) -> DataFrame`` indexed like the spine.

    Returns
    -------
    pandas.DataFrame
        One row per table and feature: table, rows_added, feature, n_values, n_changed. A sound builder has
        ``n_changed`` 0 everywhere.
    """
    asked = checked_spine(spine).astype({"person_id": TEXT})
    before = compute(builder, tables, asked)
    rows = []
    for name in tables_about_people(tables):
        more, n_added = with_future_rows(tables, asked, [name])
        changed = n_changed(before, compute(builder, more, asked), exact=isinstance(builder, FeatureBuilder))
        rows += [(name, n_added, feature, len(before), int(n)) for feature, n in changed.items()]
    out = pd.DataFrame(rows, columns=["table", "rows_added", "feature", "n_values", "n_changed"])
    return out.astype({"table": TEXT, "feature": TEXT})
