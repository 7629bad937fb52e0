"""A feature in words: what it means, where it comes from, and when it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casestrat.features.of_people import OfInstrument
from casestrat.features.of_rows import Windowed
from casestrat.knowledge import Wording, load_wording

if TYPE_CHECKING:
    from casestrat.features.feature import Feature

# Which rule says when a kind is missing; the others are missing where nothing was known.
MISSING_RULES = {
    **dict.fromkeys(("count", "sum", "distinct", "decayed_count", "streak", "longest_streak", "spell_days"), "zero"),
    **dict.fromkeys(("longest_gap", "in_spell"), "observed"),
    **dict.fromkeys(("change", "change_since_first", "slope", "deviation"), "two"),
    **dict.fromkeys(
        ("instrument_total", "instrument_band", "instrument_output", "instrument_item", "instrument_days"), "valid"
    ),
    "instrument_valid": "sitting",
    "waited_days": "waits",
    **dict.fromkeys(("status", "status_days"), "status"),
    **dict.fromkeys(("caregiver", "household", "household_size"), "others"),
}
_UNITS = {
    **dict.fromkeys(("count", "decayed_count", "streak", "longest_streak"), "rows"),
    **dict.fromkeys(
        (
            "days_since",
            "days_since_first",
            "longest_gap",
            "spell_days",
            "waited_days",
            "status_days",
            "instrument_days",
        ),
        "days",
    ),
    "age": "years",
    "share": "share",
    "household_size": "people",
}
_TABLES = {
    **dict.fromkeys(("fact", "caregiver", "household", "household_size"), "person_facts"),
    **dict.fromkeys(("referral", "waited_days", "status", "status_days"), "referrals"),
    "instrument_item": "responses",
}


def table_of(feature: Feature) -> str:
    """Return the table a feature is read from."""
    if isinstance(feature, Windowed):
        return feature.table
    if feature.kind in _TABLES:
        return _TABLES[feature.kind]
    return "assessments" if isinstance(feature, OfInstrument) else "persons"


def condition_of(feature: Feature) -> str:
    """Return a feature's condition in short: ``kind = fall, is_planned = false``."""
    if isinstance(feature, OfInstrument):
        item = getattr(feature, "item", "")
        return f"instrument = {feature.instrument}" + (f", item = {item}" if item else "")
    fact = getattr(feature, "fact", "")
    if fact:
        return f"fact = {fact}"
    return _condition(getattr(feature, "where", {}))


def _condition(where: Any) -> str:
    return ", ".join(f"{column} = {_words(value)}" for column, value in where.items())


def _words(value: Any) -> str:
    if isinstance(value, list):
        return " / ".join(map(_words, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def meaning_of(feature: Feature, words: Wording) -> str:
    """Return what a feature means: its label in the language or in English, or words made of its options."""
    label = feature.label.get(words.language) or feature.label.get("en")
    return label or words(f"feature_meaning.{feature.kind}", **_parts(feature, words))


def _parts(feature: Feature, words: Wording) -> dict[str, Any]:
    """Return what the words of a kind may name, by placeholder."""
    parts = {key: str(value) for key, value in feature.options().items() if isinstance(value, str)}
    rows, condition, days = table_of(feature), condition_of(feature), getattr(feature, "window_days", None)
    inner = getattr(feature, "feature", None)
    return parts | {
        "rows": words("feature_meaning.with", table=rows, condition=condition) if condition else rows,
        "days": words("feature_meaning.within", n=str(days)) if days else "",
        "of": _condition(getattr(feature, "of", {})),
        "n": str(getattr(feature, "n", "")),
        "half_life": str(getattr(feature, "half_life_days", "")),
        "how": getattr(feature, "how", ""),
        "output": getattr(feature, "output", ""),
        "feature": "" if inner is None else meaning_of(inner, words),
    }


def row_of(feature: Feature, lang: str) -> dict[str, Any]:
    """Return a feature's line of the dictionary."""
    words = load_wording(lang)
    unit = _UNITS.get(feature.kind)
    return {
        "name": feature.name,
        "meaning": meaning_of(feature, words),
        "kind": feature.kind,
        "table": table_of(feature),
        "condition": condition_of(feature),
        "window_days": getattr(feature, "window_days", None) or getattr(feature, "valid_days", None),
        "unit": feature.unit or (words(f"feature_units.{unit}") if unit else ""),
        "missing": words(f"feature_missing.{MISSING_RULES.get(feature.kind, 'none')}"),
        "domain": feature.domain,
        "is_actionable": feature.is_actionable,
        "worse": feature.worse or "",
    }
