"""What a committee lets a learned card look at, and how hard the learner looks: read from the settings, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from casestrat.errors import UsageError
from casestrat.models.explanation import read_field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIRECTIONS: Final = ("higher", "lower", "either")
_COUNTS: Final = ("max_rows", "max_row_points", "max_thresholds", "least_people", "beam_width")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a committee lets a card look at.

    Parameters
    ----------
    directions : mapping of str to str
        Item → which values are worse: ``higher``, ``lower`` or ``either``; items not named are ``either``.
    levels : mapping of str to sequence of str
        Item of text → its levels from best to worst; a worse one then never has fewer points.
    forced, excluded : tuple of str
        Items that must have a row, and items that may have none.
    missing_rows : bool
        Whether a missing value may have a row of its own.
    max_thresholds : int
        The most cuts of a number.
    least_people : int
        A condition holds for this many people, and does not hold for as many.
    is_monotone : bool
        Whether the thresholds of an item point one way.
    max_rows_per_item : int or None
        The most rows of one item.
    """

    directions: Mapping[str, str]
    levels: Mapping[str, Sequence[str]]
    forced: tuple[str, ...]
    excluded: tuple[str, ...]
    missing_rows: bool
    max_thresholds: int
    least_people: int
    is_monotone: bool
    max_rows_per_item: int | None


@dataclass(frozen=True, slots=True)
class Search:
    """How hard to look.

    Parameters
    ----------
    max_rows, max_row_points : int
        The most rows, and the most points of a row.
    beam_width : int
        How many sets of rows are followed.
    reference_share : float
        How much the risks of a regression on all features count beside the labels, 0 to 1.
    n_folds : int
        Folds that measure each size of card; under 2 none is measured.
    random_state : int
        Seed of the folds.
    """

    max_rows: int
    max_row_points: int
    beam_width: int
    reference_share: float
    n_folds: int
    random_state: int


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings outside their range.

    Parameters
    ----------
    settings : mapping
        The parameters of a :class:`~casestrat.models.PointScorecard`.

    Raises
    ------
    UsageError
        A count is not a whole number of 1 or more, or a word is none of those known.
    """
    counts = {name: settings[name] for name in _COUNTS}
    if settings["max_rows_per_item"] is not None:
        counts["max_rows_per_item"] = settings["max_rows_per_item"]
    for name, value in counts.items():
        if isinstance(value, bool | str) or int(value) != value or value < 1:
            raise UsageError(f"{name} is a whole number, 1 or more; found {value!r}")
    if settings["missing"] not in {"row", "unknown"}:
        raise UsageError(f"missing is 'row' or 'unknown'; found {settings['missing']!r}")
    share = settings["reference_share"]
    if isinstance(share, bool | str) or not 0 <= share <= 1:
        raise UsageError(f"reference_share is a number from 0 to 1; found {share!r}")
    for name in ("forced", "excluded"):
        if isinstance(settings[name], str):
            raise UsageError(f"{name} is a list of items; found one text", do=f"write {name}=({settings[name]!r},)")


def read_settings(settings: Mapping[str, Any], names: Sequence[str]) -> tuple[Limits, Search]:
    """Return the limits and the search that the settings ask for.

    Parameters
    ----------
    settings : mapping
        The parameters of a :class:`~casestrat.models.PointScorecard`.
    names : sequence of str
        The features there are.

    Returns
    -------
    tuple of (Limits, Search)
        A direction that was declared counts more than that of the feature.

    Raises
    ------
    UsageError
        A limit names an item that is not there, or a direction that is none.
    """
    worse = {read_field(one, "name"): read_field(one, "worse") for one in settings["features"] or ()}
    of_features = {name: worse[name] for name in names if worse.get(name)}
    limits = Limits(
        directions=of_features | dict(settings["directions"] or {}),
        levels=dict(settings["levels"] or {}),
        forced=tuple(settings["forced"]),
        excluded=tuple(settings["excluded"]),
        missing_rows=settings["missing"] == "row",
        max_thresholds=int(settings["max_thresholds"]),
        least_people=int(settings["least_people"]),
        is_monotone=bool(settings["monotone"]),
        max_rows_per_item=settings["max_rows_per_item"],
    )
    _check_names(limits, names)
    counts = {name: int(settings[name]) for name in ("max_rows", "max_row_points", "beam_width", "n_folds")}
    share = float(settings["reference_share"])
    return limits, Search(**counts, reference_share=share, random_state=settings["random_state"])


def _check_names(limits: Limits, names: Sequence[str]) -> None:
    """Refuse limits about items that are not there, and directions that are none."""
    told = {*limits.directions, *limits.levels, *limits.forced, *limits.excluded}
    strangers = sorted(told - set(names))
    if strangers:
        raise UsageError(
            f"the limits of the card name items that X does not have: {', '.join(strangers)}",
            where="directions, levels, forced or excluded",
        )
    wrong = sorted(item for item, way in limits.directions.items() if way not in DIRECTIONS)
    if wrong:
        raise UsageError(f"a direction is one of {', '.join(DIRECTIONS)}; found another", where=", ".join(wrong))
    both = sorted(set(limits.forced) & set(limits.excluded))
    if both:
        raise UsageError(f"an item cannot be forced and excluded: {', '.join(both)}", where="forced, excluded")
