"""Parts of the validation page that hold one thing beside another: models, optimism, horizons, extracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casestrat.reports.change_figures import decision_curves, drift_bars, models_compared
from casestrat.reports.embedding import svg_figure
from casestrat.reports.validation_figures import calibration
from casestrat.reports.validation_parts import Chart, PageWords, Part, Table, as_sentence, cell, figure_heads

if TYPE_CHECKING:
    import pandas as pd

_COMPARED = ("auc", "average_precision", "brier", "calibration_slope", "expected_over_observed", "ici")


def compared_part(comparison: Any, words: PageWords) -> Part:
    """Return several models on the same people: charts, figures with intervals, paired differences.

    Parameters
    ----------
    comparison : ModelComparison
        The comparison.
    words : PageWords
        The words of the page.

    Returns
    -------
    Part
        The part.
    """
    frame = comparison.by_fold
    alt = words("compared_alt")
    svg = svg_figure(lambda ax: models_compared(frame, "auc", ax, lang=words.lang), f"cmp-{words.lang}", alt)
    charts = [Chart(svg, words("compared_see"))]
    if len(comparison.net_benefit):
        svg = svg_figure(
            lambda ax: decision_curves(comparison.net_benefit, ax, lang=words.lang),
            f"dc-{words.lang}",
            words("benefit_alt"),
        )
        charts.append(Chart(svg, words("curves_see")))
    pooled = frame[frame["fold"] == "all"]
    measures = [name for name in _COMPARED if (pooled["metric"] == name).any()]
    rows = []
    for model in comparison.models:
        own = pooled[pooled["model"] == model].set_index("metric")
        rows.append([model, *(_told(own, name, words) for name in measures)])
    heads = [(words("model"), False), *((words.measure(name), True) for name in measures)]
    lead = words("compared_lead", n=words.count(comparison.n_used), events=words.count(comparison.n_events))
    tables = [Table(heads, rows), _difference_table(comparison, measures, words)]
    return Part("compared", words("compared"), lead, [], charts, [table for table in tables if table.rows])


def _told(own: pd.DataFrame, name: str, words: PageWords) -> str:
    """Return one measure of one model, a dash where it has none."""
    if name not in own.index:
        return words.wording("format.missing")
    row = own.loc[name]
    return words.with_interval(name, cell(row, "value"), cell(row, "low"), cell(row, "high"))


def _difference_table(comparison: Any, measures: list[str], words: PageWords) -> Table:
    """Return the paired differences."""
    shown = comparison.differences[comparison.differences["metric"].isin(measures)]
    rows = [
        [words("less", model=row["model"], reference=row["reference"]), words.measure(row["metric"]),
         words.with_interval(row["metric"], row["difference"], row["low"], row["high"])]
        for row in shown.to_dict("records")
    ]  # fmt: skip
    heads = [(words("model"), False), (words("measure"), False), (words("difference"), True)]
    return Table(heads, rows, words("differences"), words("differences_note"))


def optimism_part(optimism: Any, words: PageWords) -> Part:
    """Return what is left once the optimism is taken off.

    Parameters
    ----------
    optimism : Optimism
        The bootstrap's correction.
    words : PageWords
        The words of the page.

    Returns
    -------
    Part
        The part.
    """
    rows = [
        [words.measure(row["metric"]), *(words.figure(row["metric"], row[name]) for name in ("apparent", "optimism")),
         words.with_interval(row["metric"], row["corrected"], row["low"], row["high"])]
        for row in optimism.table.to_dict("records")
    ]  # fmt: skip
    heads = figure_heads(words, "apparent", "optimism_is", "corrected", first=("measure",))
    note = words("optimism_failed", n=words.count(optimism.n_failed)) if optimism.n_failed else ""
    lead = words("optimism_lead", n=words.count(optimism.n_boot))
    return Part("optimism", words("optimism"), lead, tables=[Table(heads, rows, note=note)])


def horizon_part(horizon: Any, words: PageWords) -> Part:
    """Return how a risk by a day did, where other events compete.

    Parameters
    ----------
    horizon : HorizonEvaluation
        The evaluation.
    words : PageWords
        The words of the page.

    Returns
    -------
    Part
        The part.
    """
    rows = [
        [words.measure(row["metric"]), words.with_interval(row["metric"], row["value"], row["low"], row["high"])]
        for row in horizon.summary.to_dict("records")
    ]  # fmt: skip
    bins = horizon.calibration.dropna(subset=["observed"])
    charts = []
    if len(bins):
        svg = svg_figure(
            lambda ax: calibration(bins, ax, lang=words.lang), f"hz-{words.lang}", words("calibration_alt", n=len(bins))
        )
        charts.append(Chart(svg, words("horizon_see")))
    lead = words("horizon_lead", asked=words.count(horizon.horizon_days), used=words.count(horizon.used_days),
                 n=words.count(horizon.n_rows), outcomes=words.count(horizon.n_outcomes),
                 competing=words.count(horizon.n_competing), lost=words.count(horizon.n_lost))  # fmt: skip
    table = Table([(words("measure"), False), (words("value"), True)], rows)
    return Part("horizon", words("horizon"), lead, [], charts, [table])


def drift_part(drift: Any, words: PageWords) -> Part:
    """Return what changed between two extracts.

    Parameters
    ----------
    drift : Drift
        The comparison of two extracts.
    words : PageWords
        The words of the page.

    Returns
    -------
    Part
        The part.
    """
    named = drift.features.assign(feature=[words.feature(name) for name in drift.features["feature"]])
    svg = svg_figure(lambda ax: drift_bars(named, ax, lang=words.lang), f"psi-{words.lang}", words("drift_alt"))
    rows = [
        [words.feature(row["feature"]), words.figure("psi", row["psi"]),
         *(words.figure("precision", row[f"missing_{side}"]) for side in ("before", "after")),
         words.count(row["n_new_levels"]), words(f"drift_{row['finding']}")]
        for row in drift.features.to_dict("records")
    ]  # fmt: skip
    heads = figure_heads(words, "psi", "missing_before", "missing_after", "new_levels", first=("feature",))
    tables = [Table([*heads, (words("finding"), False)], rows)]
    if len(drift.calibration):
        sides = ("before", "after", "difference")
        body = [
            [words.measure(row["metric"]), *(
                words.with_interval(row["metric"], row[side], row[f"{side}_low"], row[f"{side}_high"]) for side in sides
            )]
            for row in drift.calibration.to_dict("records")
        ]  # fmt: skip
        tables.append(Table(figure_heads(words, *sides, first=("measure",)), body, words("drift_calibration")))
    lead = words("drift_lead", before=words.count(drift.n_before), after=words.count(drift.n_after))
    sentences = [as_sentence(one) for one in words.said(drift)] or [words("no_drift")]
    return Part("drift", words("drift"), lead, sentences, [Chart(svg, words("drift_see"))], tables)
