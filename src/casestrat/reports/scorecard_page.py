"""A scorecard on one printed page: what to ask, what each answer is worth, what the sum means, where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from casestrat.errors import UsageError
from casestrat.knowledge.scorecard import parse_condition
from casestrat.knowledge.wording import Wording, load_wording
from casestrat.reports.change_figures import card_path
from casestrat.reports.embedding import svg_figure
from casestrat.reports.page_data import LANGUAGES, check_language, in_all_languages
from casestrat.reports.rendering import render

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program

_SIGNS = {">=": "≥", ">": ">", "<=": "≤", "<": "<", "=": "=", "is missing": ""}
_OF_FLAGS = ("= 1", "= 0", "is missing")  # an item of these alone is a question of yes or no
_MOST_LINES = 14  # of a risk table on one page; of more points, those in between are left out


def scorecard_page(
    card: Any,
    lang: str = "en",
    *,
    program: Program | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return a scorecard as one page to be printed, filled in by hand and discussed.

    Parameters
    ----------
    card : PointScorecard
        Made from a table, or learned: then the page also shows what cards of fewer and more rows would give.
    lang : {"en", "fr", "it"}
        The language the page opens in; all three are inside.
    program : Program, optional
        Names items and outcome in its own words.
    labels : mapping of str to label, optional
        Item → what people read; stands before the program's words.

    Returns
    -------
    str
        The HTML of the page; the same bytes for the same card.

    Raises
    ------
    UsageError
        If the card has no table yet, or no page speaks the language.

    Examples
    --------
    >>> from casestrat.models import PointScorecard
    >>> page = scorecard_page(PointScorecard.from_table("geriatric_default"))
    >>> page.count('class="view"')
    3
    """
    check_language(lang)
    if not hasattr(card, "rows_"):
        raise UsageError(
            "this scorecard has no table yet", do="make it with from_table(...), or learn it with fit(X, y)"
        )
    own = {name: dict(label) for name, label in (labels or {}).items()}
    theirs = {} if program is None else {spec.name: dict(spec.label) for spec in program.features}
    views = [_view(one, card, program, {**theirs, **own}) for one in LANGUAGES]
    head = next(view for view in views if view["lang"] == lang)
    return render(
        "scorecard.html.j2", views=views, lang=lang, words={"title": head["title"]}, program_name=head["name"]
    )


def _view(lang: str, card: Any, program: Program | None, labels: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return all that the page says in one language."""
    wording = load_wording(lang)
    about = dict(getattr(card, "card_", {}) or {})
    path = _path(card, wording)
    return {
        "lang": lang,
        "wording": wording,
        "title": wording("scorecard_page.title"),
        "name": _name(about, program, lang),
        "outcome": _outcome(about, program, wording),
        "range": wording("scorecard_page.range", low=card.min_points, high=card.max_points),
        "items": _items(card.rows_, labels, wording),
        "has_sums": len({row["item"] for row in card.rows_}) < len(card.rows_),
        "risk": _risk_lines(card, wording),
        "path": path,
        "facts": _facts(about, card, wording),
    }


def _name(about: Mapping[str, Any], program: Program | None, lang: str) -> str:
    """Return what the card is called."""
    label = about.get("label")
    if isinstance(label, Mapping) and label:
        return in_all_languages(label, str(about.get("id", "")))[lang]
    if about.get("id"):
        return str(about["id"]).replace("_", " ")
    return in_all_languages(program.label, program.id)[lang] if program is not None else ""


def _outcome(about: Mapping[str, Any], program: Program | None, wording: Wording) -> str:
    """Return what the card foretells, where that is told."""
    name = str(about.get("outcome") or "")
    known = None if program is None else program.outcomes.get(name or program.risk.outcome)
    if known is not None:
        return in_all_languages(known.label, known.name)[wording.language]
    if name and about.get("horizon_days"):
        return wording("scorecard_page.outcome", outcome=name.replace("_", " "), days=int(about["horizon_days"]))
    return name.replace("_", " ")


def _items(
    rows: list[dict[str, Any]], labels: Mapping[str, Mapping[str, str]], wording: Wording
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the items with their rows: the answer in words, and its points with their sign."""
    items: dict[str, list[tuple[str, str]]] = {}
    flags = {row["item"] for row in rows} - {row["item"] for row in rows if row["condition"] not in _OF_FLAGS}
    for row in rows:
        label = labels.get(row["item"], {})
        name = label.get(wording.language) or label.get("en") or str(row["item"]).replace("_", " ")
        points = wording.number(abs(row["points"]), 0)
        items.setdefault(name, []).append(
            (
                _answer(row["condition"], wording, is_flag=row["item"] in flags),
                f"{'+' if row['points'] >= 0 else '−'}{points}",
            )
        )
    return list(items.items())


def _answer(condition: str, wording: Wording, *, is_flag: bool) -> str:
    """Return a condition as it is read: its sign, and the number as the language writes it."""
    read = parse_condition(condition)
    if read.operator == "is missing":
        return wording("scorecard_page.missing")
    if is_flag:
        return wording("pages.yes" if read.value == 1 else "pages.no")
    number = read.value
    told = wording.number(number) if isinstance(number, int | float) else str(number).replace("_", " ")
    return f"{_SIGNS[read.operator]} {told}"


def _risk_lines(card: Any, wording: Wording) -> list[tuple[str, str]]:
    """Return points and risk, every so many lines where there are very many; the first and the last always."""
    pairs = list(zip(card.risk_points_.tolist(), card.risk_values_.tolist(), strict=True))
    if len(pairs) > _MOST_LINES:
        step = -(-(len(pairs) - 1) // (_MOST_LINES - 1))
        pairs = [*pairs[:-1:step], pairs[-1]]
    return [(wording.number(points, 0), wording.percent(risk, 1 if risk < 0.1 else 0)) for points, risk in pairs]


def _path(card: Any, wording: Wording) -> Any:
    """Return the chart of cards by their number of rows, where the card was learned."""
    path = getattr(card, "path_", None)
    if not path:
        return None
    alt = wording("scorecard_page.path_alt")
    return svg_figure(
        lambda ax: card_path(path, ax, chosen=len(card.rows_), lang=wording.language), f"path-{wording.language}", alt
    )


def _facts(about: Mapping[str, Any], card: Any, wording: Wording) -> list[tuple[str, str]]:
    """Return where the card comes from, and what it has been shown to do."""
    told = [(wording(f"scorecard_page.{name}"), str(about[name])) for name in ("source", "status", "licence", "version")
            if about.get(name)]  # fmt: skip
    if getattr(card, "path_", None):
        counts = {name: int(getattr(card, f"n_{name}_")) for name in ("rows", "persons", "events")}
        told.insert(0, (wording("scorecard_page.source"), wording("card.learned_on", **counts)))
    return [*told, (wording("scorecard_page.fingerprint"), str(card.fingerprint))]
