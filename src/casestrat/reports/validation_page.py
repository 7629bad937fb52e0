"""The validation page: how far a risk can be trusted, for analysts, auditors and the committee that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casestrat.reports.embedding import svg_figure
from casestrat.reports.group_figures import group_forest
from casestrat.reports.page_data import LANGUAGES, check_language, in_all_languages
from casestrat.reports.rendering import render
from casestrat.reports.validation_changes import compared_part, drift_part, horizon_part, optimism_part
from casestrat.reports.validation_figures import calibration, net_benefit
from casestrat.reports.validation_findings import findings, gap_sentences
from casestrat.reports.validation_parts import Chart, PageWords, Part, Table, as_sentence, cell, figure_heads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pandas as pd

    from casestrat.knowledge.program import Program

_OF_GROUPS = (
    ("auc", "auc"),
    ("expected_over_observed", "eo"),
    ("calibration_slope", "slope"),
    ("exposure", "exposure"),
)
_DRAWN = ("auc", "expected_over_observed")  # the others stand in the table
_OF_SELECTION = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


def validation_page(
    evaluation: Any,
    card: Any = None,
    lang: str = "en",
    *,
    title: str | Mapping[str, str] = "",
    program: Program | None = None,
    as_of: date | str | pd.Timestamp | None = None,
    comparison: Any = None,
    optimism: Any = None,
    drift: Any = None,
    ranking: Any = None,
    horizon: Any = None,
    fingerprints: Mapping[str, str] | None = None,
) -> str:
    """Return the page that says how far a risk, or a card's points, can be trusted.

    Warnings stand first, then the findings in words with their intervals, then charts and tables, and the model card at
    the end. Parts that were not given are left out; groups too small to be told are named as hidden.

    Parameters
    ----------
    evaluation : Evaluation
        What :func:`casestrat.evaluate` returned.
    card : ModelCard, optional
        What ``models.model_card`` returned.
    lang : {"en", "fr", "it"}
        The language the page opens in; all three are inside.
    title : str or label, optional
        What is judged; by default the first line of the card.
    program : Program, optional
        Named at the head.
    as_of : date, optional
        The day of the evaluation, told at the head.
    comparison : ModelComparison, optional
        Several models on the same people.
    optimism : Optimism, optional
        The bootstrap's correction.
    drift : Drift, optional
        What changed between two extracts.
    ranking : RankingFairness, optional
        Exposure, admission at equal score and waiting, by group.
    horizon : HorizonEvaluation, optional
        The risk by a day, with competing events.
    fingerprints : mapping of str to str, optional
        Of extract, program, model.

    Returns
    -------
    str
        The HTML of the page; the same bytes for the same arguments.

    Raises
    ------
    UsageError
        If no page speaks the language.

    Examples
    --------
    >>> import casestrat as cs
    >>> report = cs.evaluate([0, 0, 1, 1] * 30, [0.1, 0.3, 0.2, 0.6] * 30, capacity=20, n_boot=0)
    >>> page = validation_page(report)
    >>> "http" in page.replace("http://www.w3.org", "").replace("Content-Security-Policy", "").replace("http-equiv", "")
    False
    """
    check_language(lang)
    parts_given = {
        "comparison": comparison,
        "optimism": optimism,
        "drift": drift,
        "ranking": ranking,
        "horizon": horizon,
    }
    views = [_view(one, evaluation, card, title, program, as_of, parts_given, fingerprints) for one in LANGUAGES]
    return render("validation.html.j2", views=views, lang=lang, words={"title": _of(views, lang)["title"]},
                  program_name=_of(views, lang)["program"])  # fmt: skip


def _of(views: list[dict[str, Any]], lang: str) -> dict[str, Any]:
    """Return the view of a language."""
    return next(view for view in views if view["lang"] == lang)


def _view(
    lang: str,
    evaluation: Any,
    card: Any,
    title: str | Mapping[str, str],
    program: Program | None,
    as_of: Any,
    given: Mapping[str, Any],
    fingerprints: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return all that the page says in one language."""
    labels = {} if program is None else {spec.name: dict(spec.label) for spec in program.features}
    words = PageWords(lang, labels)
    card = None if card is None else card.in_language(lang)
    name = in_all_languages(program.label, program.id)[lang] if program is not None else ""
    subject = title if isinstance(title, str) else in_all_languages(title, "")[lang]
    subject = subject or (card.title if card is not None else "")
    rows = {"n": words.count(evaluation.n_used), "events": words.count(evaluation.n_events)}
    return {
        "lang": lang,
        "title": words("title"),
        "subject": subject,
        "program": name,
        "as_of": "" if as_of is None else words("as_of", date=words.wording.date(as_of)),
        "people": words("judged_on", **rows),
        "boot": words("intervals", n=words.count(evaluation.n_boot)) if evaluation.n_boot else words("no_intervals"),
        "fingerprints": [
            (words.wording(f"pages.{part}"), value) for part, value in (fingerprints or {}).items() if value
        ],
        "words": words,
        "warnings": _warnings(evaluation, given, words),
        "findings": findings(evaluation, words),
        "parts": _parts(evaluation, given, words),
        "card": None if card is None else _card(card, words),
    }


def _warnings(evaluation: Any, given: Mapping[str, Any], words: PageWords) -> list[str]:
    """Return all warnings, each once."""
    said = [
        one for holder in (evaluation, given["drift"], given["ranking"], given["horizon"]) for one in words.said(holder)
    ]
    if not evaluation.is_probability:
        said.insert(0, words("points_only"))
    return [as_sentence(one) for one in dict.fromkeys(said)]


def _parts(evaluation: Any, given: Mapping[str, Any], words: PageWords) -> list[Part]:
    """Return the parts of the page, those of which nothing was given left out."""
    parts = [_measures_part(evaluation, words)]
    if evaluation.is_probability:
        parts += [_calibration_part(evaluation, words), _benefit_part(evaluation, words)]
    parts.append(_capacity_part(evaluation, words))
    parts.append(_groups_part(evaluation, words))
    if given["ranking"] is not None:
        parts.append(_ranking_part(given["ranking"], words))
    makers = {"comparison": compared_part, "optimism": optimism_part, "horizon": horizon_part, "drift": drift_part}
    parts += [make(given[name], words) for name, make in makers.items() if given[name] is not None]
    return parts


def _measures_part(evaluation: Any, words: PageWords) -> Part:
    """Return every measure with its interval and how to read it."""
    rows = []
    for row in evaluation.summary.to_dict("records"):
        name = str(row["metric"])
        interval = words.with_interval(name, row["value"], row["low"], row["high"])
        rows.append([words.measure(name), interval, words(f"read_{name}")])
    heads = [(words("measure"), False), (words("value"), True), (words("how_to_read"), False)]
    return Part("measures", words("measures"), tables=[Table(heads, rows)])


def _calibration_part(evaluation: Any, words: PageWords) -> Part:
    """Return whether risks come true: chart, and the bins as a table."""
    bins = evaluation.calibration
    chart = svg_figure(
        lambda ax: calibration(bins, ax, lang=words.lang), f"cal-{words.lang}", words("calibration_alt", n=len(bins))
    )
    rows = [
        [*(words.count(row[name]) for name in ("bin", "n", "events")), words.figure("precision", row["mean_risk"]),
         words.with_interval("precision", row["observed"], row["low"], row["high"])]
        for row in bins.to_dict("records")
    ]  # fmt: skip
    table = Table(figure_heads(words, "bin", "n", "events", "foretold", "came_true"), rows, words("bins"))
    charts = [Chart(chart, words("calibration_see"))]
    return Part("calibration", words("calibration"), words("calibration_lead"), [], charts, [table], is_beside=True)


def _benefit_part(evaluation: Any, words: PageWords) -> Part:
    """Return what help by risk is worth."""
    chart = svg_figure(
        lambda ax: net_benefit(evaluation.net_benefit, ax, lang=words.lang), f"nb-{words.lang}", words("benefit_alt")
    )
    return Part("benefit", words("benefit"), words("benefit_lead"), [], [Chart(chart, words("benefit_see"))])


def _capacity_part(evaluation: Any, words: PageWords) -> Part:
    """Return what the places give, whichever way ties at the cut fall."""
    rows = []
    for row in evaluation.capacity.to_dict("records"):
        cut = (
            words.figure("precision", row["threshold"])
            if evaluation.is_probability
            else words.figure("points", row["threshold"])
        )
        ends = [cell(row, f"precision_{end}") if f"precision_{end}" in row else float("nan") for end in ("low", "high")]
        rows.append([
            words.count(row["n_taken"]), cut, words.with_interval("precision", row["precision_expected"], *ends),
            words.figure("precision", row["precision_worst"]), words.figure("precision", row["precision_best"]),
            words.figure("precision", row["recall_expected"]), *(words.count(row[n]) for n in ("n_tied", "n_tied_in")),
        ])  # fmt: skip
    heads = figure_heads(words, "places", "cut", "precision", "worst", "best", "recall", "tied", "tied_in")
    tables = [Table(heads, rows, note=words("capacity_note"))] if rows else []
    return Part(
        "capacity", words("capacity"), words("capacity_lead"), tables=tables, empty="" if rows else words("no_capacity")
    )


def _groups_part(evaluation: Any, words: PageWords) -> Part:
    """Return how well each group is served, what is hidden, and the harms that gaps name."""
    groups = evaluation.by_group
    if groups.empty:
        return Part("groups", words("groups"), empty=words("no_groups"))
    least = {"least": evaluation.least_n, "cell": evaluation.small_cell}
    measures = [pair for pair in _OF_GROUPS if evaluation.is_probability or pair[0] in ("auc", "exposure")]
    overall = float(evaluation.summary.set_index("metric").loc["auc", "value"])
    charts = [
        Chart(
            _forest(groups, name, f"{name}-{words.lang}", words, overall if name == "auc" else None),
            words(f"see_{name}"),
        )
        for name, _ in measures
        if name in _DRAWN and groups[name].notna().any()
    ]
    tables = [_group_table(groups, measures, words)]
    for capacity, rows in evaluation.selection.groupby("capacity", sort=False):
        at = words("at_places", places=int(capacity))
        charts += [
            Chart(_forest(rows, name, f"{name}{capacity}-{words.lang}", words), f"{words(f'see_{name}')} {at}")
            for name in ("true_positive_rate",)
            if rows[name].notna().any()
        ]
        tables.append(_selection_table(rows, at, words))
    told = gap_sentences(evaluation, words)
    return Part("groups", words("groups"), words("groups_lead", **least), told or [words("no_gaps")], charts, tables)


def _forest(rows: pd.DataFrame, name: str, salt: str, words: PageWords, overall: float | None = None) -> Any:
    """Return the chart of one measure by group."""
    alt = words("forest_alt", measure=words.measure(name))
    shown = rows.reset_index(drop=True).assign(grouping=[words.grouping(one) for one in rows["grouping"]])
    return svg_figure(lambda ax: group_forest(shown, name, ax, overall=overall, lang=words.lang), salt, alt)


def _group_table(groups: pd.DataFrame, measures: list[tuple[str, str]], words: PageWords) -> Table:
    """Return the measures of each group; hidden ones say so."""
    rows = []
    for row in groups.to_dict("records"):
        cells = [words("hidden")] * len(measures) if row["is_suppressed"] else [
            words.with_interval(name, cell(row, name), cell(row, f"{short}_low"), cell(row, f"{short}_high"))
            for name, short in measures
        ]  # fmt: skip
        counts = [words.count(cell(row, name)) for name in ("n", "events")]
        rows.append([words.grouping(row["grouping"]), str(row["group"]), *counts, *cells])
    heads = [(words("grouping"), False), (words("group"), False), (words("n"), True), (words("events"), True)]
    return Table(heads + [(words.measure(name), True) for name, _ in measures], rows, words("by_group"))


def _selection_table(rows: pd.DataFrame, at: str, words: PageWords) -> Table:
    """Return who is taken in each group at one capacity."""
    if rows["is_suppressed"].all():
        return Table([(words("grouping"), False)], [], words("selection", at=at), words("all_hidden"))
    body = []
    for row in rows.to_dict("records"):
        cells = [words("hidden")] * len(_OF_SELECTION) if row["is_suppressed"] else [
            words.with_interval(name, cell(row, name), cell(row, f"{name}_low"), cell(row, f"{name}_high"))
            for name in _OF_SELECTION
        ]  # fmt: skip
        body.append([words.grouping(row["grouping"]), str(row["group"]), words.count(cell(row, "n_selected")), *cells])
    heads = [(words("grouping"), False), (words("group"), False), (words("taken"), True)]
    heads += [(words.measure(name), True) for name in _OF_SELECTION]
    return Table(heads, body, words("selection", at=at))


def _ranking_part(ranking: Any, words: PageWords) -> Part:
    """Return what the list, and the decisions on it, gave each group."""
    groups = ranking.by_group
    charts = [
        Chart(_forest(groups, name, f"rank{name}-{words.lang}", words), words(f"see_{name}"))
        for name in ("admission_odds", "median_wait")
        if groups[name].notna().any()
    ]
    measures = [
        ("exposure", "exposure"),
        ("admission_rate", "admission_rate"),
        ("admission_odds", "odds"),
        ("median_wait", "wait"),
    ]
    told = [pair for pair in measures if groups[pair[0]].notna().any()]
    table = _group_table(groups.assign(events=groups["n_admitted"]), told, words)
    heads = [(words("admitted"), True) if head == (words("events"), True) else head for head in table.heads]
    said = [as_sentence(one) for one in words.said(ranking)] or [words("no_gaps")]
    return Part(
        "ranking", words("ranking"), words("ranking_lead"), said, charts, [Table(heads, table.rows, table.caption)]
    )


def _card(card: Any, words: PageWords) -> list[tuple[str, list[Any]]]:
    """Return the items of the model card by section."""
    sections: dict[str, list[Any]] = {}
    for item in card.items:
        sections.setdefault(words.wording(f"card.section_{item.section}"), []).append(item)
    return list(sections.items())
