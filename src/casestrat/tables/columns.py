"""What a column may say about itself: kind, codes, range, unit, role and one sentence, all kept in pandera metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.engines.pandas_engine import DateTime

from casestrat.tables.phrases import Phrase, phrase_or

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT = pd.StringDtype(na_value=np.nan)
"""The type of every text, code and id column of checked tables."""

# Annotations of the contract classes: the pandas type a checked column has.
Text = Annotated[pd.StringDtype, "pyarrow", np.nan]
Whole = pd.Int64Dtype
Number = np.float64
Flag = pd.BooleanDtype
Moment = DateTime

Kind = Literal["id", "text", "list", "code", "whole", "number", "flag", "date", "moment"]
Presence = Literal["key", "needed", "expected", "optional"]
Role = Literal["feature", "audit", "both", "neither"]

ID_PATTERN = r"^[A-Za-z0-9._:/-]{1,64}$"
_MANY = 10**7  # a bound from here on is shown as 1e+12
CODE_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
LANGUAGE_PATTERN = r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*|unknown)$"
FIRST_DAY, LAST_DAY = pd.Timestamp("1900-01-01"), pd.Timestamp("2100-12-31")

DTYPES: dict[str, Any] = {
    "id": TEXT,
    "text": TEXT,
    "list": TEXT,
    "code": TEXT,
    "whole": pd.Int64Dtype(),
    "number": np.dtype("float64"),
    "flag": pd.BooleanDtype(),
    "date": np.dtype("datetime64[us]"),
    "moment": np.dtype("datetime64[us]"),
}
_PARSED = ("whole", "number", "flag", "date", "moment")
_PATTERNS = {ID_PATTERN: "id_pattern", CODE_PATTERN: "code_pattern", LANGUAGE_PATTERN: "language_pattern"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract, as its pandera field declares it."""

    name: str
    kind: Kind
    presence: Presence
    role: Role
    why: str
    description: str
    unit: str = ""
    codes: tuple[str, ...] = ()
    low: Any = None
    high: Any = None
    pattern: str = ""
    vocabulary: str = ""  # dotted name of the program's list of codes

    @property
    def dtype(self) -> Any:
        """The pandas type of the checked column."""
        return DTYPES[self.kind]

    @property
    def is_filled(self) -> bool:
        """Whether a row without this value is set aside."""
        return self.presence in ("key", "needed")

    @property
    def is_constrained(self) -> bool:
        """Whether a value that was read can still be wrong."""
        return self.is_filled or bool(self.codes or self.pattern) or self.low is not None

    @property
    def parse_words(self) -> Phrase:
        """What a cell must look like to be read at all."""
        return Phrase(f"expected.{self.kind if self.kind in _PARSED else 'text'}")

    def range_words(self) -> str:
        """Say the allowed range: ``0–600``."""
        if self.low is None:
            return ""
        low, high = self.low, self.high
        if isinstance(low, pd.Timestamp):
            low, high = f"{low:%Y-%m-%d}", f"{high:%Y-%m-%d}"
        else:
            low, high = (f"{bound:g}" if abs(bound) >= _MANY else bound for bound in (low, high))
        if not self.unit:
            return Phrase("expected.range", low=low, high=high)
        unit = phrase_or(self.unit, f"unit.{self.unit.replace(' ', '_').replace('-', '_')}")
        return Phrase("expected.range_of", low=low, high=high, unit=unit)

    def codes_words(self) -> str:
        """Say the allowed codes: ``one of: f, m, x, unknown``."""
        return Phrase("expected.one_of", codes=", ".join(self.codes)) if self.codes else ""

    def pattern_words(self) -> str:
        """Say the allowed form of a text."""
        return phrase_or(self.pattern, f"expected.{_PATTERNS.get(self.pattern)}")

    def in_words(self, lang: str = "en") -> str:
        """Say every constraint of the column in one line."""
        parts = [self.codes_words() or self.pattern_words(), self.range_words()]
        parts = [part for part in parts if part] or [self.parse_words]
        return "; ".join(part.said(lang) if isinstance(part, Phrase) else part for part in parts)


def field(
    kind: Kind,
    description: str,
    *,
    role: Role,
    why: str = "",
    presence: Presence = "expected",
    unit: str = "",
    codes: Sequence[str] = (),
    low: Any = None,
    high: Any = None,
    pattern: str = "",
    vocabulary: str = "",
) -> Any:
    """Declare a column; everything a reader may ask about it goes to the metadata of the pandera field."""
    checks: dict[str, Any] = {}
    if codes:
        checks["isin"] = list(codes)
    if low is not None:
        checks["in_range"] = {"min_value": low, "max_value": high}
    if pattern:
        checks["str_matches"] = pattern
    metadata = {
        "kind": kind,
        "presence": presence,
        "role": role,
        "why": why,
        "unit": unit,
        "codes": tuple(codes),
        "low": low,
        "high": high,
        "pattern": pattern,
        "vocabulary": vocabulary,
    }
    is_filled = presence in ("key", "needed")
    return pa.Field(nullable=not is_filled, description=description, metadata=metadata, **checks)


def key_id(description: str) -> Any:
    """Declare an id that is part of the table's key, or the person a row is about."""
    return field("id", description, role="neither", why="an identifier", presence="key", pattern=ID_PATTERN)


def other_id(description: str, presence: Presence = "needed") -> Any:
    """Declare an id that points to a row of another table."""
    return field("id", description, role="neither", why="an identifier", presence=presence, pattern=ID_PATTERN)


def person_id() -> Any:
    """Declare the pseudonym of the person a row is about."""
    return key_id("Pseudonym of the person.")


def text(description: str, *, role: Role = "neither", why: str = "", presence: Presence = "expected") -> Any:
    """Declare free or short text."""
    return field("text", description, role=role, why=why, presence=presence)


def listed(description: str, *, role: Role = "neither", why: str = "", presence: Presence = "expected") -> Any:
    """Declare several codes in one cell, separated by ``;``."""
    return field("list", description, role=role, why=why, presence=presence)


def code(
    description: str,
    codes: Sequence[str] = (),
    *,
    role: Role = "feature",
    why: str = "",
    presence: Presence = "expected",
    pattern: str = "",
    vocabulary: str = "",
) -> Any:
    """Declare a code: one of a list, one of the program's list, or of a given form."""
    form = pattern or ("" if codes else CODE_PATTERN)
    return field(
        "code",
        description,
        role=role,
        why=why,
        presence=presence,
        codes=codes,
        pattern=form,
        vocabulary=vocabulary,
    )


def whole(
    description: str,
    low: int,
    high: int,
    *,
    unit: str,
    role: Role = "feature",
    why: str = "",
    presence: Presence = "expected",
) -> Any:
    """Declare a whole number in a range."""
    return field("whole", description, role=role, why=why, presence=presence, unit=unit, low=low, high=high)


def number(
    description: str,
    low: float,
    high: float,
    *,
    unit: str,
    role: Role = "feature",
    why: str = "",
    presence: Presence = "expected",
) -> Any:
    """Declare a number in a range."""
    return field("number", description, role=role, why=why, presence=presence, unit=unit, low=low, high=high)


def flag(description: str, *, role: Role = "feature", why: str = "", presence: Presence = "expected") -> Any:
    """Declare true, false or unknown."""
    return field("flag", description, role=role, why=why, presence=presence)


_WHEN = "it says when, not what"


def day(description: str, *, presence: Presence = "expected", role: Role = "neither", why: str = _WHEN) -> Any:
    """Declare a date."""
    return field("date", description, role=role, why=why, presence=presence, low=FIRST_DAY, high=LAST_DAY)


def moment(description: str, *, presence: Presence = "expected", role: Role = "neither", why: str = _WHEN) -> Any:
    """Declare a moment, local to the agency."""
    return field("moment", description, role=role, why=why, presence=presence, low=FIRST_DAY, high=LAST_DAY)
