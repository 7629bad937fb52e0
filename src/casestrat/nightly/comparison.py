"""Two runs beside each other: who enters and leaves the first places, from which tiers and groups, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.caseload.disclosure import THRESHOLD, suppress
from casestrat.errors import UsageError
from casestrat.nightly.difference import difference_of
from casestrat.nightly.files import to_contract
from casestrat.nightly.manifest import read_manifest
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from casestrat.nightly.run import NightlyRun

COMPONENTS = ("risk", "need", "urgency")
_EPSILON = 1e-6
_MOVES = ("enters", "leaves", "stays")
_UNKNOWN = "unknown"
_READ = ("waiting_list", "assess_first")


@dataclass(frozen=True, slots=True)
class RunComparison:
    """What one run changes beside another: people, tiers, groups, and the inputs that differ.

    Parameters
    ----------
    inputs : pandas.DataFrame
        One row per input of a run: input (as_of, extract, program, model, policy), before, after, is_changed.
    changes : pandas.DataFrame
        One row per referral that stands otherwise: person_id, referral_id, change (``gains_place``, ``loses_place``,
        ``joins``, ``leaves``, ``moves``), rank_before, rank_after, was_first, is_first, tier_before, tier_after, why
        and moved. ``why`` is the first that holds of ``new``, ``gone``, ``from_assess_first``, ``to_assess_first``,
        ``override``, ``deadline``, ``tier``, then the component that moved most (``risk``, ``need``, ``urgency``,
        ``waiting``), then ``others``: nothing of the person's own changed. ``moved`` tells each component that moved,
        in points of the index.
    counts : pandas.DataFrame
        One row per tier or group: by, group, enters, leaves, stays (of those within the first places of either run) and
        is_suppressed. Groups of people are hidden where few; the whole and the tiers are the list's own.
    first : int or None
        How many of each list count as first; None: the places of its meeting.

    Examples
    --------
    >>> changes = pd.DataFrame({"person_id": ["P1", "P2"], "was_first": [True, False], "is_first": [False, True]})
    >>> RunComparison(pd.DataFrame(), changes, pd.DataFrame()).n_enter
    1
    """

    inputs: pd.DataFrame
    changes: pd.DataFrame
    counts: pd.DataFrame
    first: int | None = None

    @property
    def n_enter(self) -> int:
        """People who come to be among the first."""
        return int((self.changes["is_first"] & ~self.changes["was_first"]).sum())

    @property
    def n_leave(self) -> int:
        """People who are no longer among the first."""
        return int((self.changes["was_first"] & ~self.changes["is_first"]).sum())

    def content(self) -> dict[str, Any]:
        """Return the counts and the inputs that differ, without people, as plain values.

        Returns
        -------
        dict
            What is kept where a model is promoted on the strength of a comparison.
        """
        shown = self.counts.astype(object).where(self.counts.notna(), None)
        changed = self.inputs[self.inputs["is_changed"]]
        changed = changed.astype(object).where(changed.notna(), None)
        return {
            "first": self.first,
            "enters": self.n_enter,
            "leaves": self.n_leave,
            "counts": shown.to_dict("records"),
            "changed_inputs": changed[["input", "before", "after"]].to_dict("records"),
        }


def compare_runs(
    run_a: str | Path | NightlyRun,
    run_b: str | Path | NightlyRun,
    *,
    first: int | None = None,
    groups: pd.DataFrame | None = None,
    small_cell: int = THRESHOLD,
) -> RunComparison:
    """Compare two nightly runs: who enters and leaves the first places, from which tiers and groups, and why.

    Parameters
    ----------
    run_a, run_b : str, path or NightlyRun
        The folder of each run (``OUT/AS_OF``): before and after.
    first : int, optional
        How many of each meeting's list count as first; by default those within its places.
    groups : pandas.DataFrame, optional
        The groups of each person by which effects are counted: index ``person_id``, one column a grouping, such as
        :func:`casestrat.nightly.audit_groups_of` returns.
    small_cell : int, default 11
        Counts of people in groups from 1 to one less are hidden, and others that would give them away.

    Returns
    -------
    RunComparison
        The changes, their counts and the inputs that differ.

    Raises
    ------
    UsageError
        A folder holds no run, the runs are of different programs, or the groups do not fit.

    Examples
    --------
    >>> import json, tempfile
    >>> manifest = {"run_id": "a1", "as_of": "2026-10-01", "program": {"id": "geriatric"}}
    >>> ids = {"person_id": ["P1", "P2", "P3"], "referral_id": ["R1", "R2", "R3"], "rank": [1, 2, 3],
    ...        "tier": ["high", "medium", "low"], "days_worth_risk": [9.0, 8.0, 7.0]}
    >>> before = pd.DataFrame({**ids, "is_proposed": [True, False, False]})
    >>> after = before.assign(rank=[2, 1, 3], is_proposed=[False, True, False], days_worth_risk=[9.0, 12.0, 7.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, model, frame in (("a", "m1", before), ("b", "m2", after)):
    ...         run = Path(folder) / name
    ...         run.mkdir()
    ...         _ = (run / "manifest.json").write_text(json.dumps(manifest | {"fingerprints": {"model": model}}))
    ...         frame.to_parquet(run / "waiting_list.parquet")
    ...     compared = compare_runs(Path(folder) / "a", Path(folder) / "b")
    >>> compared.changes[["person_id", "change", "why", "moved"]].to_numpy().tolist()
    [['P1', 'loses_place', 'others', ''], ['P2', 'gains_place', 'risk', 'risk +4']]
    >>> compared.inputs.loc[compared.inputs["is_changed"], "input"].tolist()
    ['model']
    """
    if first is not None and first < 1:
        raise UsageError(f"the first places are 1 or more; found {first}", where="first")
    before, after = _read_run(run_a), _read_run(run_b)
    programs = [one.manifest.get("program", {}).get("id") for one in (before, after)]
    if programs[0] != programs[1]:
        raise UsageError(
            f"the runs are of two programs, {programs[0]} and {programs[1]}", do="compare runs of one program"
        )
    changes = compare_lists(before.frames, after.frames, first)
    standing = standing_of(before.frames["waiting_list"], after.frames["waiting_list"], first)
    return RunComparison(
        inputs=_inputs(before.manifest, after.manifest),
        changes=changes,
        counts=count_moves(standing, groups, small_cell),
        first=first,
    )


def compare_lists(
    before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame], first: int | None = None
) -> pd.DataFrame:
    """Compare the lists of two rankings.

    Parameters
    ----------
    before, after : mapping of str to pandas.DataFrame
        ``waiting_list`` and, where there is one, ``assess_first``.
    first : int, optional
        How many of each list count as first; by default those proposed.

    Returns
    -------
    pandas.DataFrame
        One row per referral that stands otherwise, as in :class:`RunComparison`.
    """
    lists = [_marked(one["waiting_list"], first) for one in (before, after)]
    found = difference_of(*lists).rename(columns={"was_proposed": "was_first", "is_proposed": "is_first"})
    sides = [one.set_index("referral_id").reindex(found["referral_id"]) for one in lists]
    waits = [set(one["assess_first"]["referral_id"]) if "assess_first" in one else set() for one in (before, after)]
    deltas = _deltas(*sides)
    return found.assign(
        tier_before=_text_of(sides[0], "tier"),
        tier_after=_text_of(sides[1], "tier"),
        why=pd.Series(_why(found, sides, deltas, waits), index=found.index, dtype=TEXT),
        moved=pd.Series([_told(row) for row in deltas.to_dict("records")], index=found.index, dtype=TEXT),
    )


def standing_of(before: pd.DataFrame, after: pd.DataFrame, first: int | None = None) -> pd.DataFrame:
    """Return everyone who is among the first of either list.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Two waiting lists.
    first : int, optional
        How many of each meeting's list count as first; by default those proposed.

    Returns
    -------
    pandas.DataFrame
        One row per referral: person_id, referral_id, tier (the later one that is known), move (enters, leaves, stays).
    """
    kept = ["person_id", "referral_id", "tier", "is_proposed"]
    lists = [_marked(one, first)[kept] for one in (before, after)]
    both = lists[0].merge(lists[1], on="referral_id", how="outer", suffixes=("_before", "_after"))
    was, now = (
        both[f"is_proposed_{side}"].astype("boolean").fillna(False).astype(bool) for side in ("before", "after")
    )
    frame = pd.DataFrame({
        "person_id": both["person_id_after"].fillna(both["person_id_before"]),
        "referral_id": both["referral_id"],
        "tier": both["tier_after"].fillna(both["tier_before"]),
        "move": np.select([now & ~was, was & ~now], _MOVES[:2], _MOVES[2]),
    })  # fmt: skip
    return frame[was | now].reset_index(drop=True)


def count_moves(standing: pd.DataFrame, groups: pd.DataFrame | None, small_cell: int = THRESHOLD) -> pd.DataFrame:
    """Count who enters, leaves and stays among the first: in all, by tier and by group.

    Parameters
    ----------
    standing : pandas.DataFrame
        What :func:`standing_of` returned.
    groups : pandas.DataFrame, optional
        Index ``person_id``, one column a grouping.
    small_cell : int, default 11
        Counts of people in groups from 1 to one less are hidden.

    Returns
    -------
    pandas.DataFrame
        One row per tier or group: by, group, enters, leaves, stays, is_suppressed.
    """
    everyone = standing.assign(group="all", by="all")
    by_tier = standing.assign(group=standing["tier"].astype(object).fillna(_UNKNOWN), by="tier")
    parts = [_counted(everyone, 1), _counted(by_tier, 1)]
    if groups is not None:
        if groups.index.name != "person_id" or not groups.index.is_unique:
            raise UsageError("the groups do not fit", where="groups", do="give the index person_id, each person once")
        mine = groups.reindex(standing["person_id"])
        for name in groups.columns:
            words = mine[name].astype(object).map(str, na_action="ignore").fillna(_UNKNOWN).to_numpy()
            parts.append(_counted(standing.assign(group=words, by=str(name)), small_cell))
    return pd.concat(parts, ignore_index=True)


def _counted(rows: pd.DataFrame, small_cell: int) -> pd.DataFrame:
    """Return one row a group, small counts hidden; a group called like the margin keeps a name of its own."""
    columns = ["by", "group", *_MOVES, "is_suppressed"]
    types: Any = {"by": TEXT, "group": TEXT, **dict.fromkeys(_MOVES, "Int64"), "is_suppressed": "boolean"}
    if rows.empty:
        return pd.DataFrame(columns=columns).astype(types)
    by = str(rows["by"].iloc[0])
    cells = rows.assign(group="(" + rows["group"].astype(str) + ")").groupby(["group", "move"]).size().rename("n")
    shown = suppress(cells.reset_index(), small_cell, by=["group", "move"])
    shown = shown[shown["group"].ne("all") & shown["move"].ne("all")]
    names = sorted(shown["group"].unique())
    frame = pd.DataFrame({"by": by, "group": names})
    for move in _MOVES:
        one = shown[shown["move"] == move].set_index("group")["n"]
        frame[move] = one.reindex(names).array if len(one) else 0  # a move that nobody made
    frame["is_suppressed"] = shown.groupby("group")["is_suppressed"].any().reindex(names).to_numpy()
    frame["group"] = frame["group"].str.slice(1, -1)
    return frame[columns].astype(types)


@dataclass(frozen=True, slots=True)
class _Run:
    """What is read of a run."""

    manifest: dict[str, Any]
    frames: dict[str, pd.DataFrame]


def _read_run(run: str | Path | NightlyRun) -> _Run:
    """Return the manifest and the lists of a run."""
    folder = Path(run) if isinstance(run, str | Path) else run.folder
    manifest = read_manifest(folder)
    if manifest is None or not (folder / "waiting_list.parquet").is_file():
        what = "the folder holds no whole run" if folder.is_dir() else "there is no such folder"
        raise UsageError(what, where=str(folder), do="name the folder of a nightly run, OUT/AS_OF")
    frames = {name: path for name in _READ if (path := folder / f"{name}.parquet").is_file()}
    return _Run(manifest, {name: to_contract(pd.read_parquet(path), name) for name, path in frames.items()})


def _inputs(before: dict[str, Any], after: dict[str, Any]) -> pd.DataFrame:
    """Name each input of the runs, and whether it differs."""
    told = []
    for manifest in (before, after):
        program = manifest.get("program", {})
        prints = dict(manifest.get("fingerprints", {}))
        told.append({"as_of": manifest.get("as_of"), "casestrat": manifest.get("casestrat"),
                     "program_version": program.get("version"), **prints})  # fmt: skip
    names = list(dict.fromkeys([*told[0], *told[1]]))
    frame = pd.DataFrame({
        "input": pd.array(names, dtype=TEXT),
        "before": pd.array([told[0].get(name) for name in names], dtype=TEXT),
        "after": pd.array([told[1].get(name) for name in names], dtype=TEXT),
    })  # fmt: skip
    return frame.assign(is_changed=[told[0].get(name) != told[1].get(name) for name in names])


def _marked(ranked: pd.DataFrame, first: int | None) -> pd.DataFrame:
    """Return a list with those marked that count as first: of each meeting's list, so many."""
    return ranked if first is None else ranked.assign(is_proposed=ranked["rank"].le(first).astype("boolean"))


def _text_of(side: pd.DataFrame, name: str) -> Any:
    """Return a column as text, missing where the list has none."""
    values = side[name] if name in side.columns else pd.Series(pd.NA, index=side.index)
    return values.astype(object).where(values.notna(), None).astype(TEXT).array


def _deltas(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return how far each component moved, in points of the index; 0 for who is on one list only."""
    sides = [_points_of_index(one) for one in (before, after)]
    return (sides[1] - sides[0]).fillna(0.0)


def _points_of_index(side: pd.DataFrame) -> pd.DataFrame:
    """Return what each component adds to the index: the days that it is worth, at the rate of the person's tier."""
    lacking = pd.Series(np.nan, index=side.index)
    days = pd.DataFrame({
        name: side.get(f"days_worth_{name}", lacking).to_numpy(dtype=float, na_value=np.nan)
        for name in (*COMPONENTS, "waiting")
    })  # fmt: skip
    index = side.get("priority", lacking).to_numpy(dtype=float, na_value=np.nan)
    total = days.sum(axis=1).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = index / total
    return days.mul(np.where(np.isfinite(rate), rate, 1.0), axis=0)


def _why(
    found: pd.DataFrame, sides: Sequence[pd.DataFrame], deltas: pd.DataFrame, to_assess: Sequence[set[Any]]
) -> np.ndarray:
    """Name the first reason that holds for each referral."""
    before, after = sides
    waited, waits = to_assess
    referral = found["referral_id"].to_numpy(dtype=object)
    joins, leaves = (found[f"rank_{side}"].isna().to_numpy(dtype=bool) for side in ("before", "after"))
    was_open = np.array([one in waited for one in referral], dtype=bool)
    is_open = np.array([one in waits for one in referral], dtype=bool)
    own = deltas[list(COMPONENTS)].abs()
    names = np.append(np.array(COMPONENTS, dtype=object), "")
    greatest = names[np.where(own.max(axis=1) > _EPSILON, own.to_numpy().argmax(axis=1), len(COMPONENTS))]
    conditions = [
        joins & was_open, joins, leaves & is_open, leaves,
        _differs(before, after, "key_override"), _differs(before, after, "key_deadline"),
        _differs(before, after, "tier"), greatest != "", deltas["waiting"].abs().to_numpy() > _EPSILON,
    ]  # fmt: skip
    moved: Any = ["from_assess_first", "new", "to_assess_first", "gone", "override", "deadline", "tier", greatest]
    return np.select(conditions, [*moved, "waiting"], "others")


def _differs(before: pd.DataFrame, after: pd.DataFrame, name: str) -> np.ndarray:
    """Tell where a column differs; missing on both sides is the same."""
    if name not in before.columns or name not in after.columns:
        return np.zeros(len(before), dtype=bool)
    sides = [one[name].astype(object).where(one[name].notna(), None).to_numpy() for one in (before, after)]
    return np.asarray(sides[0] != sides[1], dtype=bool)


def _told(moved: dict[Any, float]) -> str:
    """Say which components moved and how far."""
    return "; ".join(f"{name} {value:+.3g}" for name, value in moved.items() if abs(value) > _EPSILON)
