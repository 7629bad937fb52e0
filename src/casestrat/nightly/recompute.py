"""What a corrected or newly given answer would change for one person; both are kept, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge import PriorityPolicy
from casestrat.models.tiers.guard import check_learned
from casestrat.nightly.corrections import FEATURES, correct_features, corrected_tables, read_corrections
from casestrat.nightly.partition import feature_builder, score_people, scored_spine, with_sources
from casestrat.nightly.ranking import Ranking, rank_scored
from casestrat.nightly.request import check_date, check_program, load_scorer, parse_as_of
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from casestrat.knowledge import Program
    from casestrat.tables import Tables

_SCORES = ("points", "points_share", "risk", "completeness", "tier", "tier_rule", "intensity", "minutes_per_week")
_PLACE = ("rank", "priority", "waited_days", "criteria", "is_proposed")
_VERSIONS = pd.Index(["before", "after"], name="version", dtype=TEXT)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One person as the tables have them, and as they would be with the corrected answers.

    Parameters
    ----------
    person_id : str
        Who.
    as_of : pandas.Timestamp
        The date.
    corrections : pandas.DataFrame
        One row per corrected answer: table (``features`` for a feature), key, column, before, after.
    scores : pandas.DataFrame
        Two rows, ``before`` and ``after``: points, points_share, risk, completeness, tier, tier_rule, intensity,
        minutes_per_week, stands_on (``waiting_list``, ``assess_first``, or missing: on none), rank, list_length,
        priority, waited_days, criteria (meets, fails, ask), is_proposed.
    features, reasons, criteria : pandas.DataFrame
        One row per feature, reason or criterion: before, after (a feature's value, a contribution, a result),
        is_changed.

    Examples
    --------
    >>> sides = pd.DataFrame({"points": [9, 4], "tier": ["high", "low"]}, index=["before", "after"])
    >>> nothing = pd.DataFrame()
    >>> Recomputed("P1", pd.Timestamp("2026-10-01"), nothing, sides, nothing, nothing, nothing).changed
    ('points', 'tier')
    """

    person_id: str
    as_of: pd.Timestamp
    corrections: pd.DataFrame
    scores: pd.DataFrame
    features: pd.DataFrame
    reasons: pd.DataFrame
    criteria: pd.DataFrame

    @property
    def changed(self) -> tuple[str, ...]:
        """Which of the scores are not what they were."""
        before, after = (self.scores.loc[version] for version in ("before", "after"))
        return tuple(name for name in self.scores.columns if not _is_same(before[name], after[name]))


def recompute_with(
    tables: Tables,
    program: Program,
    person_id: str,
    corrections: pd.DataFrame | Mapping[Any, Any],
    *,
    as_of: str | pd.Timestamp,
    model: str | Path | None = None,
    previous: pd.DataFrame | None = None,
    seed: str = "",
    learned_ranking_reason: str = "",
) -> Recomputed:
    """Say what corrected or newly given answers of one person would change; both are kept, and nothing is written.

    The corrected tables are held against the same contracts, and go the same way as in the night: features, points or
    risk, reasons, tier, criteria, place on the list of the person's meeting. Everyone else stays as they are, so that
    the place is that of tonight's list.

    Parameters
    ----------
    tables : Tables
        The checked tables; they are not changed.
    program : Program
        The program.
    person_id : str
        Whose answers; somebody who is waiting or followed on the date.
    corrections : pandas.DataFrame or mapping
        A frame with columns table, key (its parts joined by ``|``), column and value; or a mapping of
        ``(table, key, column)`` to value. An answer that an assessment lacks may be added:
        ``("responses", "A1|toilet", "value")``. What is not in the tables is given as a feature: ``{"falls_180d": 2}``,
        or the table ``features`` with its name as column; None is unknown.
    as_of : str or pandas.Timestamp
        The date: the version of a row known then is corrected.
    model : str or path, optional
        A stored model, or the folder of a registry; by default the program's scorecard.
    previous : pandas.DataFrame, optional
        The tier of each person until now, as :func:`casestrat.assign_tiers` takes it.
    seed : str, optional
        Seed of the lottery; by default the year and month of ``as_of``.
    learned_ranking_reason : str, optional
        Why a learned model may be used, where the program asks for a reason.

    Returns
    -------
    Recomputed
        Both versions side by side.

    Raises
    ------
    UsageError
        The person is neither waiting nor followed on the date, no such row or feature is known, or a corrected answer
        breaks a rule of its table.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> from casestrat.tables import Tables
    >>> when = {"recorded_at": "2026-08-25"}
    >>> persons = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "birth_year": [1932, 1940, 1928], **when})
    >>> referrals = pd.DataFrame({"referral_id": ["R1", "R2", "R3"], "person_id": ["P1", "P2", "P3"],
    ...                           "referred_on": "2026-08-03", "no_capable_entourage": ["no", "no", "yes"], **when})
    >>> program = load_program("geriatric")
    >>> tables = Tables.from_frames({"persons": persons, "referrals": referrals}, program)
    >>> given = {("referrals", "R1", "no_capable_entourage"): "yes"}
    >>> both = recompute_with(tables, program, "P1", given, as_of="2026-10-01")
    >>> both.corrections[["column", "before", "after"]].to_numpy().tolist()
    [['no_capable_entourage', 'false', 'true']]
    >>> both.changed, both.criteria.loc["no_entourage", ["before", "after"]].tolist()
    (('points', 'points_share', 'criteria'), ['no', 'yes'])
    """
    date = parse_as_of(as_of)
    check_program(tables, program)
    check_date(tables, date)
    scorer = load_scorer(model, program)
    check_learned(scorer, program, learned_ranking_reason)
    wanted = read_corrections(corrections, program)
    policy = PriorityPolicy.from_program(program, seed=seed or f"{date:%Y-%m}")

    def picture(source: Tables, features: Mapping[str, Any]) -> _Picture:
        """Rank everybody anew and keep what is told of this person."""
        builder = feature_builder(scorer, program)
        X, sources = builder.build_with_sources(source, scored_spine(source, program, date))
        X = correct_features(X, person_id, features)
        scores, reasons = score_people(scorer, X)
        ranking = rank_scored(
            source, program, policy, scorer, X, scores, {}, as_of=date, previous=previous,
            learned_ranking_reason=learned_ranking_reason,
        )  # fmt: skip
        mine = reasons[reasons["person_id"].eq(person_id)]
        return _Picture(ranking, with_sources(mine, sources), person_id)

    corrected, told = corrected_tables(tables, program, person_id, wanted, date)
    before = picture(tables, {})
    if not before.is_scored:
        raise UsageError(
            f"this person is neither waiting nor followed, or objects to a score, on {date:%Y-%m-%d}",
            where="person_id",
            do="casestrat.explain_absence says why",
        )
    after = picture(corrected, wanted.features)
    return Recomputed(
        person_id=person_id,
        as_of=date,
        corrections=_with_features(told, wanted.features, before),
        scores=pd.concat([before.scores(), after.scores()], ignore_index=True).set_index(_VERSIONS),
        features=_side_by_side(before.features(), after.features(), "feature"),
        reasons=_side_by_side(before.reasons(), after.reasons(), "reason"),
        criteria=_side_by_side(before.criteria(), after.criteria(), "criterion"),
    )


@dataclass(frozen=True, slots=True)
class _Picture:
    """One person in one version of the tables."""

    ranking: Ranking
    reason_rows: pd.DataFrame
    person_id: str

    @property
    def is_scored(self) -> bool:
        return bool((self.ranking.tiers.index.get_level_values("person_id") == self.person_id).any())

    def _mine(self, frame: pd.DataFrame) -> pd.DataFrame:
        flat = frame.reset_index() if "person_id" in frame.index.names else frame
        return flat[flat["person_id"].eq(self.person_id)].reset_index(drop=True)

    def scores(self) -> pd.DataFrame:
        """Points, tier and place: one row."""
        row = self._mine(self.ranking.tiers).reindex(columns=list(_SCORES)).reindex([0])
        place = self._place()
        columns = {name: place[name].array if name in place else pd.array([None], dtype=object) for name in _PLACE}
        types: Any = {"rank": "Int64", "priority": "float64", "waited_days": "Int64", "criteria": TEXT,
                 "is_proposed": "boolean"}  # fmt: skip
        placed = pd.DataFrame(columns).astype(types)
        about = pd.DataFrame({
            "stands_on": pd.array([place["stands_on"].iloc[0]] if len(place) else [None], dtype=TEXT),
            "list_length": pd.array([place["list_length"].iloc[0]] if len(place) else [None], dtype="Int64"),
        })  # fmt: skip
        return pd.concat([row.reset_index(drop=True), about, placed], axis=1)

    def _place(self) -> pd.DataFrame:
        """Return the person's row of a list, and which list it is; empty where they stand on none."""
        for one in self.ranking.lists:
            for name, frame in (("waiting_list", one.ranked), ("assess_first", one.assess_first)):
                mine = self._mine(frame)
                if len(mine):
                    return mine.head(1).assign(stands_on=name, list_length=len(frame))
        return pd.DataFrame()

    def features(self) -> pd.Series:
        row = self._mine(self.ranking.X).drop(columns=["person_id", "as_of"])
        return row.iloc[0].map(_told) if len(row) else pd.Series(dtype=object)

    def reasons(self) -> pd.Series:
        rows = self.reason_rows.set_index("reason")["contribution"].astype("float64")
        return rows.groupby(level=0).sum().map(_told)

    def criteria(self) -> pd.Series:
        rows = self._mine(self.ranking.criteria).set_index("criterion")["result"]
        return rows.map({True: "yes", False: "no"}).astype(object).fillna("unknown")


def _with_features(told: pd.DataFrame, features: Mapping[str, Any], before: _Picture) -> pd.DataFrame:
    """Add the corrected features to the corrected cells."""
    had = before.features()
    rows = [{"table": FEATURES, "key": None, "column": name, "before": had[name], "after": _told(value)}
            for name, value in features.items()]  # fmt: skip
    return pd.concat([told, pd.DataFrame(rows, columns=told.columns).astype(told.dtypes)], ignore_index=True)


def _side_by_side(before: pd.Series, after: pd.Series, name: str) -> pd.DataFrame:
    """Return both versions of each entry, as words."""
    names = pd.Index([*before.index, *(one for one in after.index if one not in set(before.index))], name=name)
    sides = [one.reindex(names).astype(TEXT) for one in (before, after)]
    frame = pd.DataFrame(dict(zip(("before", "after"), sides, strict=True)), index=names)
    is_changed = [not _is_same(*pair) for pair in zip(*sides, strict=True)]
    return frame.assign(is_changed=pd.array(is_changed, dtype="boolean"))


def _told(value: Any) -> Any:
    """Return a value as words; unknown stays missing."""
    if value is None or pd.isna(value):
        return None
    return f"{value:.6g}" if isinstance(value, int | float | np.number) else str(value)


def _is_same(before: Any, after: Any) -> bool:
    if pd.isna(before) or pd.isna(after):
        return bool(pd.isna(before) and pd.isna(after))
    return bool(before == after)
