"""Frames and program labels → the plain data that a page carries, the same bytes for the same content."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from casestrat.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from casestrat.knowledge.frozen import Labels
    from casestrat.knowledge.program import Program

LANGUAGES = ("en", "fr", "it")
TOLD = {
    name: tuple(f"{column}{end}" for column in columns for end in ("", "_fr", "_it"))
    for name, columns in {"allocation": ("why",), "unassigned": ("reason", "relaxation")}.items()
}
"""Columns that hold sentences: in English, and in the other languages of a page where the frame has them."""

_DIGITS = 6  # of a number on a page; what is read has at most three


def plain(value: Any) -> Any:
    """Return a cell as JSON can hold it: missing is null, a date is its ISO day, numbers are short."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = round(float(value), _DIGITS) + 0.0
        if not math.isfinite(number):
            return None
        return int(number) if number.is_integer() else number
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return str(value)


def rows_of(frame: pd.DataFrame | None, columns: Iterable[str]) -> dict[str, Any]:
    """Return those of the columns that the frame has, as a header and rows; no frame is no row."""
    if frame is None:
        return {"columns": [], "rows": []}
    present = [name for name in columns if name in frame.columns]
    cells = [[plain(value) for value in frame[name].tolist()] for name in present]
    return {"columns": present, "rows": [list(row) for row in zip(*cells, strict=True)]}


def script_json(content: object) -> Markup:
    """Return JSON that is safe inside a script element, whatever text it holds."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def in_all_languages(label: Labels | Mapping[str, str], fallback: str) -> dict[str, str]:
    """Return a label in each language; English, or else the name made readable, stands in for a missing one."""
    labels = dict(label)
    readable = labels.get("en") or fallback.replace("_", " ")
    return {lang: labels.get(lang) or readable for lang in LANGUAGES}


def program_labels(program: Program) -> dict[str, Any]:
    """Return what a page says in the program's own words: tiers, features, criteria, reasons of decisions."""
    return {
        "program": in_all_languages(program.label, program.id),
        "tiers": [{"id": tier.id, "label": in_all_languages(tier.label, tier.id)} for tier in program.tiers],
        "features": {spec.name: in_all_languages(spec.label, spec.name) for spec in program.features},
        "criteria": {
            rule.id: in_all_languages(rule.label, rule.id) for chosen in program.criteria for rule in chosen.rules
        },
        "outcome": _outcome_label(program),
        "decision_reasons": [
            {
                "code": reason.code,
                "outcome": reason.outcome,
                "needs_note": reason.needs_note,
                "days_parked": reason.days_parked,
                "label": in_all_languages(reason.label, reason.code),
            }
            for reason in program.decision_reasons
        ],
    }


def _outcome_label(program: Program) -> dict[str, str]:
    """Return the words of the outcome that the program's risk foretells."""
    outcome = program.outcomes.get(program.risk.outcome)
    return in_all_languages(outcome.label if outcome else {}, program.risk.outcome)


def check_language(lang: str) -> str:
    """Return the language, or refuse one that no page speaks."""
    if lang not in LANGUAGES:
        raise UsageError(f"no page speaks {lang!r}", where="lang", do=f"choose one of: {', '.join(LANGUAGES)}")
    return lang


def need_columns(frame: pd.DataFrame, columns: Iterable[str], name: str) -> None:
    """Refuse a frame that lacks a column the page cannot do without."""
    lacking = [column for column in columns if column not in frame.columns]
    if lacking:
        raise UsageError(
            f"`{name}` lacks the columns {', '.join(lacking)}",
            where=name,
            do="give the frame as the nightly run writes it",
        )
