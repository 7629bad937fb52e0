"""What labels stand in for: use and cost are not need, and what was seen was seen of some people only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

USE_KINDS = frozenset({"hospital_stay", "ed_visit", "claim", "service_use", "prescription"})
"""Kinds of events that are the use of services, or what they cost."""

_MUCH_LESS = 0.5  # labels known this much less often among people not followed are said to be selective


def label_warnings(outcome: Any = None, *, y: Any = None, is_followed: Any = None) -> tuple[Sentence, ...]:
    """Say what the labels of an outcome stand in for, and whom they are known of.

    Parameters
    ----------
    outcome : Outcome, optional
        The outcome, as ``program.outcomes`` holds it.
    y : pandas.Series or array, optional
        Labels, missing where not known; one per person and date.
    is_followed : pandas.Series or array, optional
        Whether each row's person was followed by the program after the date, beside ``y``.

    Returns
    -------
    tuple of Sentence
        Nothing where nothing is known against the labels. A proxy is an outcome that is the use of services or a cost,
        or that says so of itself (``is_proxy``); labels are selective where they can only be known of people who were
        followed or seen again, and shaped by treatment where people were followed meanwhile.

    Raises
    ------
    UsageError
        ``is_followed`` is given without labels, or of another length.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> outcome = load_program("geriatric").outcomes["unplanned_stay"]
    >>> [one.key for one in label_warnings(outcome)]
    ['warnings.proxy_use']
    >>> [one.key for one in label_warnings(y=[1, 0, None, None], is_followed=[True, True, False, False])]
    ['warnings.selective_labels', 'warnings.treated_labels']
    """
    found = [] if outcome is None else list(_of_outcome(outcome))
    if is_followed is not None:
        found += _of_followed(y, is_followed)
    return tuple(found)


def _of_outcome(outcome: Any) -> Iterator[Sentence]:
    """Say what the outcome's own definition tells."""
    label = dict(outcome.label) or {"en": outcome.name.replace("_", " ")}
    if getattr(outcome, "is_proxy", False) or outcome.event in USE_KINDS:
        yield Sentence.of("warnings.proxy_use", outcome=label)
    if outcome.closed and outcome.event is None:
        yield Sentence.of("warnings.followed_only", outcome=label)
    if outcome.instrument or outcome.measurement:
        yield Sentence.of("warnings.seen_again_only", outcome=label)


def _of_followed(y: Any, is_followed: Any) -> Iterator[Sentence]:
    """Say whether labels are known of people followed more often than of others, and how many were followed."""
    if y is None or len(y) != len(is_followed):
        raise UsageError("expected labels beside is_followed, one per row", where="is_followed", do="give y= as well")
    known = pd.notna(np.asarray(y, dtype=object))
    flags = pd.Series(np.asarray(is_followed, dtype=object)).eq(True).to_numpy(dtype=bool)  # unknown is not yes
    inside, outside = int(flags.sum()), int((~flags).sum())
    told_in, told_out = int((known & flags).sum()), int((known & ~flags).sum())
    if inside and outside and told_out / outside <= _MUCH_LESS * told_in / inside:
        counts = {"known": told_in, "followed": inside, "known_others": told_out, "others": outside}
        yield Sentence.of("warnings.selective_labels", **counts)
    if told_in:
        yield Sentence.of("warnings.treated_labels", n=told_in, of=int(known.sum()))
