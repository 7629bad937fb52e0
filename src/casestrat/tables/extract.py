"""What is known of an extract as a whole: program, first and last day, time zone, where ``recorded_at`` comes from."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from casestrat.errors import TablesError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEYS = ("program", "data_start", "data_end", "timezone", "recorded_at")
_RECORDED = ("column", "extract", "observed_at")


@dataclass(frozen=True, slots=True)
class Extract:
    """The extract that tables came from.

    Parameters
    ----------
    program : str, optional
        Name of the program it was made for.
    data_start, data_end : pandas.Timestamp or None, optional
        First and last day the source covers; a date or its ISO text becomes a Timestamp.
    timezone : str, optional
        Zone of the local times, for the record; moments stay naive.
    recorded_at : {"column", "extract", "observed_at"}
        Where a table without the column ``recorded_at`` takes it from: it must have it, the last day of the extract,
        or the day after the row was true.

    Raises
    ------
    TablesError
        A day is no date, the last is before the first, the zone is not known, or ``recorded_at`` is another word.

    Examples
    --------
    >>> Extract(data_start="2024-01-01").data_start
    Timestamp('2024-01-01 00:00:00')
    """

    program: str | None = None
    data_start: pd.Timestamp | None = None
    data_end: pd.Timestamp | None = None
    timezone: str | None = None
    recorded_at: Literal["column", "extract", "observed_at"] = "column"

    def __post_init__(self) -> None:
        for name in ("data_start", "data_end"):
            object.__setattr__(self, name, _day(name, getattr(self, name)))
        if self.recorded_at not in _RECORDED:
            raise TablesError(
                "recorded_at must be one of: " + ", ".join(_RECORDED), where="extract.toml", do="correct recorded_at"
            )
        if self.data_start is not None and self.data_end is not None and self.data_end < self.data_start:
            raise TablesError("data_end is before data_start", where="extract.toml", do="correct the two dates")
        if self.timezone is not None:
            _check_zone(self.timezone)

    def content(self) -> dict[str, Any]:
        """Return the plain content that is hashed and written.

        Returns
        -------
        dict
            Each setting as text, by its name; None where it is not known.
        """
        plain = asdict(self)
        for name in ("data_start", "data_end"):
            plain[name] = None if plain[name] is None else f"{plain[name]:%Y-%m-%d}"
        return plain

    def to_toml(self) -> str:
        """Return the text of ``extract.toml``.

        Returns
        -------
        str
            One line a setting that is known.
        """
        lines = []
        for name, value in self.content().items():
            if value is not None:
                lines.append(f"{name} = {value}" if name.startswith("data_") else f'{name} = "{value}"')
        return "\n".join(lines) + "\n"


def read_extract(path: Path) -> Extract:
    """Read ``extract.toml``."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TablesError(
            f"extract.toml cannot be read as TOML in UTF-8 ({type(error).__name__})",
            where=str(path),
            do="write program, data_start, data_end, timezone and recorded_at in it",
        ) from None
    return extract_of(content, where=str(path))


def extract_of(content: Mapping[str, Any], where: str) -> Extract:
    """Make an extract of what a TOML file says."""
    unknown = sorted(set(content) - set(_KEYS))
    if unknown:
        raise TablesError(
            f"unknown settings: {', '.join(unknown)}", where=where, do="known settings are " + ", ".join(_KEYS)
        )
    return Extract(**content)


def _day(name: str, value: Any) -> pd.Timestamp | None:
    """Return a day, from a date or its ISO text."""
    if value is None or isinstance(value, pd.Timestamp):
        return value
    try:
        day = value if isinstance(value, date | datetime) else date.fromisoformat(str(value))
    except ValueError:
        raise TablesError(f"{name} must be a date YYYY-MM-DD", where="extract.toml", do=f"correct {name}") from None
    return pd.Timestamp(day).as_unit("us")


def _check_zone(name: str) -> None:
    """Refuse a zone that nobody knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise TablesError(
            "timezone is not a known zone", where="extract.toml", do="write a name such as Europe/Paris"
        ) from None
