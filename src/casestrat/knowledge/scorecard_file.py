"""Reads a scorecard's TOML, or the points of an instrument's TOML, into a :class:`Scorecard`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from casestrat.errors import UsageError
from casestrat.knowledge.feature_kinds import DOMAINS
from casestrat.knowledge.frozen import FrozenMap
from casestrat.knowledge.instrument_file import load_instrument
from casestrat.knowledge.scorecard import Scorecard, ScorecardRow, parse_condition
from casestrat.knowledge.toml_file import Section, is_path, nearest, read_toml, shipped_names

if TYPE_CHECKING:
    from pathlib import Path

    from casestrat.knowledge.instrument import Instrument, Item

MOST_POINTS: Final = 100  # a card of more is a typing error


def load_scorecard(name_or_path: str | Path) -> Scorecard:
    """Load a scorecard: a table of whole-number points.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a shipped card, such as ``"geriatric_default"``; the name of an instrument whose score is a sum of
        points, such as ``"lace"``; or the path of a site's own TOML.

    Returns
    -------
    Scorecard
        The checked, frozen card.

    Raises
    ------
    UsageError
        If nothing has that name, or the instrument's score is not a sum of points.
    KnowledgeError
        If the file breaks a rule.

    Examples
    --------
    >>> card = load_scorecard("lace")
    >>> [(row.condition, row.points) for row in card.rows if row.item == "length_of_stay_days"]
    [('>= 1', 1), ('>= 2', 1), ('>= 3', 1), ('>= 4', 1), ('>= 7', 1), ('>= 14', 2)]
    """
    if not is_path(name_or_path):
        cards, instruments = shipped_names("scorecards"), shipped_names("instruments")
        if name_or_path not in cards and name_or_path in instruments:
            return card_of_instrument(load_instrument(name_or_path))
        if name_or_path not in cards:
            raise UsageError(
                f"no scorecard is called {name_or_path!r}", do=nearest(str(name_or_path), cards + instruments)
            )
    file = read_toml(name_or_path, "scorecards", "scorecard")
    risk_table = _risk_table(file)
    card = Scorecard(
        id=file.text("id"),
        version=file.text("version"),
        label=file.labels(),
        domain=file.text("domain"),
        kind=cast("Any", file.choice("kind", ("published", "expert"))),
        licence=file.text("licence"),
        source=file.text("source"),
        status=file.text("status"),
        rows=tuple(_row(section) for section in file.children("rows")),
        risk_table=risk_table,
        outcome=file.text("outcome", ""),
        horizon_days=file.whole("horizon_days", None, at_least=1),
        program=file.text("program", ""),
    )
    file.finish()
    _check(card, file)
    return card


def card_of_instrument(instrument: Instrument) -> Scorecard:
    """Return the card of an instrument whose total is a sum of whole points, one item at a time.

    Parameters
    ----------
    instrument : Instrument
        An instrument with numeric answers, without hierarchy or age points.

    Returns
    -------
    Scorecard
        Cumulative thresholds, so that the points of the card are the instrument's total.

    Raises
    ------
    UsageError
        If the instrument's total is more than a sum over its items.
    """
    scoring = instrument.scoring
    if scoring.type not in ("sum", "weighted_sum", "lookup_sum") or scoring.hierarchy or scoring.constant:
        raise UsageError(
            f"{instrument.id!r} is not a sum of points", do="use score_instrument, and a feature of its total"
        )
    return Scorecard(
        id=instrument.id,
        version=instrument.version,
        label=instrument.label,
        domain=instrument.domain,
        kind="published",
        licence=instrument.licence,
        source=instrument.source,
        status=instrument.status,
        rows=tuple(row for item in instrument.scored_items for row in _rows_of_item(instrument, item)),
        item_labels=FrozenMap({item.id: item.label for item in instrument.scored_items}),
    )


def _rows_of_item(instrument: Instrument, item: Item) -> list[ScorecardRow]:
    """Return one row for each value at which the item's points change."""
    starts = sorted(map(float, item.allowed)) or sorted({item.minimum or 0.0, *(step.start for step in item.steps)})
    rows, reached = [], 0.0
    for start in starts:
        gain = item.points_of(start) - reached
        reached += gain
        if gain != int(gain):
            raise UsageError(f"{instrument.id!r} has points that are not whole", do="use score_instrument")
        if gain:
            rows.append(ScorecardRow(item.id, f">= {start:g}", int(gain), _domain(instrument.domain), False, item.id))
    return rows


def _domain(domain: str) -> str:
    return domain if domain in DOMAINS else "health"


def _row(section: Section) -> ScorecardRow:
    item = section.text("item")
    row = ScorecardRow(
        item=item,
        condition=section.text("condition"),
        points=section.whole("points"),
        domain=section.choice("domain", DOMAINS, "other"),
        is_actionable=section.flag("is_actionable", False),
        reason_id=section.text("reason_id", item),
    )
    section.finish()
    parse_condition(row.condition)
    if abs(row.points) > MOST_POINTS:
        raise section.fault(f"`points` must lie within ±{MOST_POINTS}", "points")
    return row


def _risk_table(file: Section) -> tuple[tuple[int, float], ...]:
    """Read the pairs points → risk: points rise, risks lie in [0, 1] and never fall."""
    rows = []
    for section in file.children("risk_table", required=False):
        rows.append((section.whole("points"), section.number("risk")))
        section.finish()
    points, risks = [row[0] for row in rows], [row[1] for row in rows]
    if points != sorted(set(points)) or risks != sorted(risks) or any(not 0 <= risk <= 1 for risk in risks):
        raise file.fault(
            "`risk_table` must rise in points, and its risks must lie in [0, 1] and never fall", "risk_table"
        )
    return tuple(rows)


def _check(card: Scorecard, file: Section) -> None:
    seen = [(row.item, row.condition) for row in card.rows]
    twice = next((pair for pair in seen if seen.count(pair) > 1), None)
    if twice is not None:
        raise file.fault(f"the row {twice[0]!r} {twice[1]!r} is there twice", "rows", "keep one of them")
    if card.risk_table and not (card.outcome and card.horizon_days):
        raise file.fault("a risk table needs `outcome` and `horizon_days`", "risk_table")
