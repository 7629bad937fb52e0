"""Guesses about a site's files for a draft: encoding, separator, decimal mark, date formats. A person confirms them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from casestrat.tables.files import read_csv
from casestrat.tables.parsing import missing_text

if TYPE_CHECKING:
    from pathlib import Path

_ENCODINGS = ("utf-8", "cp1252", "latin-1")  # the last fits any bytes
_SEPARATORS = ";\t,|"
_SAMPLE = 1000  # rows
_ENOUGH = 0.9  # share of cells a date format must fit; the odd ones are reported when the site is read
_FORMATS = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d", "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
)  # fmt: skip


@dataclass(frozen=True)
class Sniffed:
    """What a file seems to be, with the text of its first rows."""

    path: Path
    encoding: str
    separator: str
    decimal: str
    sample: pd.DataFrame


def sniff(path: Path) -> Sniffed:
    """Guess how a file is written.

    Parameters
    ----------
    path : pathlib.Path
        A text file with a header line.

    Returns
    -------
    Sniffed
        Encoding, separator, decimal mark, and the first thousand rows.
    """
    encoding = _encoding(path.read_bytes())
    separator = _separator(path.read_text(encoding=encoding).removeprefix("\ufeff"))
    sample = read_csv(path, separator, encoding).frame.head(_SAMPLE).apply(missing_text)
    return Sniffed(path, encoding, separator, _decimal(sample, separator), sample)


def date_formats(cells: pd.Series) -> list[str]:
    """Return the formats that fit nine known cells in ten, those that fit most first.

    Examples
    --------
    >>> date_formats(pd.Series(["03/04/2025", "31/12/2025"])), date_formats(pd.Series(["03/04/2025"]))
    (['%d/%m/%Y'], ['%d/%m/%Y', '%m/%d/%Y'])
    """
    known = cells.dropna().drop_duplicates().astype(object)
    if not len(known):
        return []
    shares = {form: pd.to_datetime(known, format=form, errors="coerce").notna().mean() for form in _FORMATS}
    likely = [form for form in _FORMATS if shares[form] >= _ENOUGH]
    return sorted(likely, key=lambda form: -shares[form])


def _encoding(data: bytes) -> str:
    """Return the first encoding that fits every byte."""
    for name in _ENCODINGS:
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return _ENCODINGS[-1]


def _separator(text: str) -> str:
    """Return the character that cuts the first lines into the same number of fields, the most of them."""
    lines = [line for line in text.splitlines()[:20] if line]
    widths = {mark: {len(record) for record in csv.reader(lines, delimiter=mark)} for mark in _SEPARATORS}
    even = {mark: max(found) for mark, found in widths.items() if len(found) == 1}
    best = max(even, key=lambda mark: even[mark], default=",")
    return best if even.get(best, 1) > 1 else ","


def _decimal(sample: pd.DataFrame, separator: str) -> str:
    """Return the decimal mark that more cells have."""
    if separator == ",":
        return "."
    counts = {
        mark: sum(int(sample[name].str.fullmatch(rf"[+-]?\d+[{mark}]\d+").eq(True).sum()) for name in sample)
        for mark in ",."
    }
    return "," if counts[","] > counts["."] else "."
