"""Columns of outputs: what a run writes is never read as an input again."""

from typing import Any

from casestrat.tables.columns import Presence, code, day, field

OUTPUT_WHY = "an output, never an input"


def output_count(description: str, unit: str, low: int = 0, presence: Presence = "expected") -> Any:
    """Return a column of whole numbers."""
    return field(
        "whole", description, role="neither", why=OUTPUT_WHY, presence=presence, unit=unit, low=low, high=10**9
    )


def output_amount(description: str, unit: str, low: float = -1e12, presence: Presence = "expected") -> Any:
    """Return a column of numbers."""
    return field(
        "number", description, role="neither", why=OUTPUT_WHY, presence=presence, unit=unit, low=low, high=1e12
    )


def output_share(description: str) -> Any:
    """Return a column of shares between 0 and 1."""
    return field("number", description, role="neither", why=OUTPUT_WHY, unit="share", low=0, high=1)


def output_flag(description: str) -> Any:
    """Return a column that is yes or no on each row."""
    return field("flag", description, role="neither", why=OUTPUT_WHY, presence="needed")


def output_code(description: str, codes: tuple[str, ...] = (), presence: Presence = "expected") -> Any:
    """Return a column of codes."""
    return code(description, codes, role="neither", why=OUTPUT_WHY, presence=presence)


def output_text(description: str, presence: Presence = "expected") -> Any:
    """Return a column of words."""
    return field("text", description, role="neither", why=OUTPUT_WHY, presence=presence)


def output_listed(description: str) -> Any:
    """Return a column of lists, separated by ;."""
    return field("list", description, role="neither", why=OUTPUT_WHY)


def output_as_of() -> Any:
    """Return the column of the date that an output is for."""
    return day("Date the output is for.", presence="needed")
