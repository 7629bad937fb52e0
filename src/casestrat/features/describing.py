"""A feature in words: what it means, where it comes from, and when it is missing."""

from __future__ import annotations

from typing import Any

from casestrat.features.definitions import Feature, Windowed, _OfInstrument

# What is missing, by kind; the rest of the words are the program's own labels.
_MISSING = {
    "zero": {
        "en": "0 only where the person was observed over the window, else missing",
        "fr": "0 seulement si la personne était observée sur toute la période, sinon manquant",
        "it": "0 solo se la persona era osservata per tutto il periodo, altrimenti mancante",
    },
    "none": {
        "en": "missing where nothing was known",
        "fr": "manquant si rien n'était connu",
        "it": "mancante se nulla era noto",
    },
    "two": {
        "en": "missing under two values",
        "fr": "manquant s'il y a moins de deux valeurs",
        "it": "mancante se ci sono meno di due valori",
    },
    "valid": {
        "en": "missing without a valid score, or once it has expired",
        "fr": "manquant sans score valide, ou une fois celui-ci expiré",
        "it": "mancante senza un punteggio valido, o quando è scaduto",
    },
}
_MISSING_OF = {
    "count": "zero", "sum": "zero", "change": "two", "slope": "two", "instrument_total": "valid",
    "instrument_band": "valid", "instrument_output": "valid",
}  # fmt: skip
_VERBS = {
    "count": "number of rows", "sum": "sum of {column}", "mean": "mean {column}", "min": "least {column}",
    "max": "greatest {column}", "range": "greatest less least {column}", "last": "last {column}",
    "first": "first {column}", "days_since": "days since the last row", "change": "change of {column} since the last",
    "slope": "change of {column} a day, by least squares",
}  # fmt: skip
_UNITS = {"count": "rows", "days_since": "days", "age": "years"}
_SCORES = "assessments"


def table_of(feature: Feature) -> str:
    """Return the table a feature is read from."""
    if isinstance(feature, Windowed):
        return feature.table
    if isinstance(feature, _OfInstrument):
        return _SCORES
    return {"fact": "person_facts", "referral": "referrals"}.get(feature.kind, "persons")


def condition_of(feature: Feature) -> str:
    """Return a feature's condition in short: ``kind = fall, is_planned = false``."""
    if isinstance(feature, _OfInstrument):
        return f"instrument = {feature.instrument}"
    if feature.kind == "fact":
        return f"fact = {feature.fact}"  # type: ignore[attr-defined]
    where = getattr(feature, "where", {})
    return ", ".join(f"{column} = {_words(value)}" for column, value in where.items())


def _words(value: Any) -> str:
    if isinstance(value, list):
        return " or ".join(map(_words, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def meaning_of(feature: Feature, lang: str) -> str:
    """Return what a feature means: its label in the language, in English, or words made of its options."""
    label = feature.label.get(lang) or feature.label.get("en")
    if label:
        return label
    if isinstance(feature, Windowed):
        words = _VERBS[feature.kind].format(column=feature.column)
        days = f" in {feature.window_days} days" if feature.window_days else ""
        condition = condition_of(feature)
        return f"{words} of {feature.table}{f' with {condition}' if condition else ''}{days}"
    return feature.name.replace("_", " ")


def row_of(feature: Feature, lang: str) -> dict[str, Any]:
    """Return a feature's line of the dictionary."""
    missing = _MISSING[_MISSING_OF.get(feature.kind, "none")]
    return {
        "name": feature.name,
        "meaning": meaning_of(feature, lang),
        "kind": feature.kind,
        "table": table_of(feature),
        "condition": condition_of(feature),
        "window_days": getattr(feature, "window_days", None) or getattr(feature, "valid_days", None),
        "unit": feature.unit or _UNITS.get(feature.kind, ""),
        "missing": missing.get(lang, missing["en"]),
        "domain": feature.domain,
        "is_actionable": feature.is_actionable,
        "worse": feature.worse or "",
    }
