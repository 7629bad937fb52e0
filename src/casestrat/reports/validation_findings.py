"""What an evaluation says, in words: a question, an answer, the figure behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from casestrat.reports.validation_parts import PageWords, cell

if TYPE_CHECKING:
    from collections.abc import Iterator

Finding = tuple[str, str, str]


def findings(evaluation: Any, words: PageWords) -> list[Finding]:
    """Return the page's summary: order, calibration, what the places find, net benefit, groups.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation.
    words : PageWords
        The words of the page.

    Returns
    -------
    list of tuple of str
        Question, answer, figure.
    """
    summary = evaluation.summary.set_index("metric")
    found = [_order(summary, words)]
    if evaluation.is_probability:
        found += [_level(summary, words), _spread(summary, words), _error(summary, words)]
    else:
        found.append((words("ask_level"), words("points_only"), ""))
    found += list(_places(evaluation, words))
    found += list(_benefit(evaluation, words))
    found += list(_groups(evaluation, words))
    return found


def _row(summary: Any, name: str) -> tuple[float, float, float]:
    row = summary.loc[name]
    return cell(row, "value"), cell(row, "low"), cell(row, "high")


def _order(summary: Any, words: PageWords) -> Finding:
    value, low, high = _row(summary, "auc")
    if np.isnan(value):
        answer = words("order_unknown")
    else:
        answer = words("order_none" if low <= 0.5 else "order", pairs=words.wording.number(100 * value, 0))
    return words("ask_order"), answer, f"{words.measure('auc')} {words.with_interval('auc', value, low, high)}"


def _side(low: float, high: float, right: float = 1.0) -> str:
    """Say on which side of what is right an interval lies; ``unsure`` without one."""
    if np.isnan(low) or np.isnan(high):
        return "unsure"
    return "above" if low > right else "below" if high < right else "about"


def _level(summary: Any, words: PageWords) -> Finding:
    value, low, high = _row(summary, "expected_over_observed")
    side = _side(low, high)
    figure = words.with_interval("expected_over_observed", value, low, high)
    people = words.wording.number(100 * value, 0)
    answer = words(f"level_{side}", n=people)
    return words("ask_level"), answer, f"{words.measure('expected_over_observed')} {figure}"


def _spread(summary: Any, words: PageWords) -> Finding:
    value, low, high = _row(summary, "calibration_slope")
    figure = words.with_interval("calibration_slope", value, low, high)
    answer = words(f"spread_{_side(low, high)}")
    return words("ask_spread"), answer, f"{words.measure('calibration_slope')} {figure}"


def _error(summary: Any, words: PageWords) -> Finding:
    value, low, high = _row(summary, "ici")
    answer = words("error", points=words.wording.number(100 * value, 1))
    return words("ask_error"), answer, f"{words.measure('ici')} {words.with_interval('ici', value, low, high)}"


def _places(evaluation: Any, words: PageWords) -> Iterator[Finding]:
    for row in evaluation.capacity.to_dict("records"):
        taken, share = int(row["n_taken"]), cell(row, "precision_expected")
        hits = share * taken
        answer = words(
            "places_find", places=taken, hits=words.wording.number(hits, 0 if hits == round(hits) else 1),
            share=words.figure("precision", share), recall=words.figure("precision", cell(row, "recall_expected")),
        )  # fmt: skip
        low, high = (row.get(f"precision_{end}", float("nan")) for end in ("low", "high"))
        figure = words.with_interval("precision", share, low, high)
        yield words("ask_places", places=taken), answer, f"{words('precision')} {figure}"


def _benefit(evaluation: Any, words: PageWords) -> Iterator[Finding]:
    curve = evaluation.net_benefit
    if curve.empty or "is_capacity_point" not in curve or not curve["is_capacity_point"].any():
        return
    for row in curve[curve["is_capacity_point"]].to_dict("records"):
        other = max(cell(row, "net_benefit_all"), 0.0)
        gain = cell(row, "net_benefit") - other
        key = "benefit_more" if gain > 0 else "benefit_none"
        answer = words(
            key, n=words.wording.number(100 * abs(gain), 1), threshold=words.figure("precision", row["threshold"])
        )
        figure = words.wording.number(row["net_benefit"], 3)
        places = evaluation.capacity.loc[evaluation.capacity["threshold"] == row["threshold"], "n_taken"]
        yield words("ask_benefit", places=int(places.iloc[0])), answer, f"{words('net_benefit')} {figure}"


def _groups(evaluation: Any, words: PageWords) -> Iterator[Finding]:
    gaps = getattr(evaluation, "gaps", None)
    if gaps is None or gaps.empty:
        return
    apart = int((gaps["finding"] == "apart").sum())
    judged = int(gaps["finding"].isin(("apart", "not_apart", "no_interval")).sum())
    answer = (
        words("groups_apart" if apart else "groups_alike", n=apart, judged=judged) if judged else words("groups_few")
    )
    yield words("ask_groups"), answer, ""


def gap_sentences(evaluation: Any, words: PageWords) -> list[str]:
    """Return what differs between groups by more than chance, naming the harm.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation.
    words : PageWords
        The words of the page.

    Returns
    -------
    list of str
        One sentence per gap that is told apart; none where nothing is.
    """
    sentences = []
    for row in evaluation.gaps[evaluation.gaps["finding"] == "apart"].to_dict("records"):
        worse = row["highest"] if row["measure"] == "false_positive_rate" else row["lowest"]
        better = row["lowest"] if row["measure"] == "false_positive_rate" else row["highest"]
        figure = words.with_interval(row["measure"], row["difference"], row["low"], row["high"])
        place = "" if row["capacity"] is None or row["capacity"] != row["capacity"] else words(
            "at_places", places=int(row["capacity"]))  # fmt: skip
        sentences.append(words(
            f"harm_{row['harm']}", grouping=words.grouping(row["grouping"]), group=worse, other=better,
            measure=words.measure(row["measure"]), figure=figure, place=place,
        ))  # fmt: skip
    return sentences
