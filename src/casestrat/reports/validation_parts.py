"""What the validation page is laid out of: findings in words, parts with charts and tables, in one language."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from casestrat.knowledge.wording import Wording, load_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from markupsafe import Markup

DIGITS = {
    "auc": 3, "average_precision": 3, "brier": 3, "scaled_brier": 3, "ici": 3, "e50": 3, "e90": 3,
    "median_wait": 0, "points": 0,
}  # fmt: skip
SHARES = (
    "prevalence",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "admission_rate",
    "incidence",
)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the sentence that says what to see in it."""

    svg: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: heads (text, whether figures stand below), rows of texts, and a note."""

    heads: list[tuple[str, bool]]
    rows: list[list[str]]
    caption: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page."""

    id: str
    heading: str
    lead: str = ""
    sentences: list[str] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    empty: str = ""
    is_beside: bool = False  # whether the table stands beside the chart


class PageWords:
    """The words of the validation page in a language, and its way to write numbers."""

    def __init__(self, lang: str, labels: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.lang = lang
        self.wording: Wording = load_wording(lang)
        self.labels = dict(labels or {})

    def __call__(self, key: str, **values: Any) -> str:
        """Return the words of a key of the section ``validation_page``."""
        return self.wording(f"validation_page.{key}", **values)

    def measure(self, name: str) -> str:
        """Return what a measure is called."""
        return self.wording(f"measures.{name}")

    def figure(self, name: str, value: float) -> str:
        """Return a measure's value as it is told."""
        if name in SHARES:
            return self.wording.percent(value, 1 if 0 < abs(value) < 0.1 else 0)
        return self.wording.number(value, DIGITS.get(name, 2))

    def with_interval(self, name: str, value: float, low: float, high: float) -> str:
        """Return a measure's value with its interval, where it has one."""
        if any(math.isnan(end) for end in (float(low), float(high))):
            return self.figure(name, value)
        ends = {"low": self.figure(name, low), "high": self.figure(name, high)}
        return self("interval", value=self.figure(name, value), **ends)

    def count(self, value: Any) -> str:
        """Return a whole number; what is hidden or missing as a dash."""
        return self.wording.number(float("nan") if value is None or value != value else float(value), 0)

    def feature(self, name: Any) -> str:
        """Return what the program calls a feature, or its name."""
        labels = self.labels.get(str(name), {})
        return labels.get(self.lang) or labels.get("en") or str(name)

    def grouping(self, name: Any) -> str:
        """Return what a grouping is called, or its name made readable."""
        key = f"validation_page.grouping_{name}"
        return self.wording(key) if key in self.wording else readable(name)

    def said(self, holder: Any) -> list[str]:
        """Return the warnings that something holds, in the language where it can say them."""
        statements = getattr(holder, "statements", ())
        if statements:
            return [self._say(one) for one in statements]
        return [str(one) for one in getattr(holder, "warnings", ())]

    def _say(self, statement: Any) -> str:
        """Say a warning, with features and groupings as they are called."""
        values = dict(statement.values)
        for name, tell in (("feature", self.feature), ("grouping", self.grouping)):
            if name in values:
                values[name] = tell(values[name])
        return str(type(statement).of(statement.key, **values).said(self.wording))


def as_sentence(text: str) -> str:
    """Return a warning with a capital, unless it begins with the name of a column."""
    return text if "_" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def readable(name: Any) -> str:
    """Return a code as words."""
    return str(name).replace("_", " ")


def figure_heads(words: PageWords, *keys: str, first: Iterable[str] = ()) -> list[tuple[str, bool]]:
    """Return heads of a table: those of text first, then those of figures."""
    return [(words(key), False) for key in first] + [(words(key), True) for key in keys]


def cell(row: Any, name: str) -> float:
    """Return a cell as a number, NaN where it is missing."""
    value = row[name]
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
