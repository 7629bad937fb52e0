"""``site.toml`` as frozen objects, checked as far as it can be without a site's data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from casestrat.errors import TablesError
from casestrat.tables.contracts import CONTRACTS
from casestrat.tables.extract import Extract, extract_of

if TYPE_CHECKING:
    from pathlib import Path

Link = Literal["id", "hashed_id", "identity"]
_LINKS = ("id", "hashed_id", "identity")
_TAKE = ("year", "month")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Where one of our columns comes from, and what is done to its cells."""

    ours: str
    header: str = ""  # the source's column; empty where `value` is set
    value: str | None = None  # the same for every row
    format: str = ""  # of dates, as strptime has it
    codes: Mapping[str, str] | None = None  # theirs → ours
    take: str = ""  # year or month of a date
    split: str = ""  # what separates several codes in one cell
    prefix: str | None = None  # of an id, in place of the source's
    is_hashed: bool = False


@dataclass(frozen=True, slots=True)
class PersonMap:
    """Where a source says whom a row is about."""

    id: str = ""
    last_name: str = ""
    first_name: str = ""
    birth_date: str = ""
    birth_date_format: str = ""

    @property
    def has_identity(self) -> bool:
        """Whether names and a birth date are there to link by."""
        return bool(self.last_name and self.first_name and self.birth_date)

    @property
    def headers(self) -> tuple[str, ...]:
        """The source's columns that are read and never carried on."""
        return tuple(name for name in (self.id, self.last_name, self.first_name, self.birth_date) if name)


@dataclass(frozen=True, slots=True)
class TableMap:
    """One of our tables, made of the rows of one source."""

    table: str
    columns: tuple[ColumnMap, ...]
    where: Mapping[str, tuple[str, ...]]
    where_filled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WideMap:
    """Sittings that have one column an item: they become `assessments` and `responses`."""

    columns: tuple[ColumnMap, ...]  # of assessments
    items: tuple[tuple[str, str], ...]  # our item, their column
    codes: Mapping[str, str] | None
    missing: Mapping[str, str]  # their mark → our missing_reason


@dataclass(frozen=True, slots=True)
class Source:
    """``[[sources]]``: the files of one kind of one system."""

    name: str
    system: str
    path: str
    url: str
    view: str
    separator: str
    encoding: str
    decimal: str
    prefix: str
    person: PersonMap | None
    tables: tuple[TableMap, ...]
    wide: tuple[WideMap, ...]
    drop: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class People:
    """``[people]``: how the people of several systems are linked, and where the secret key is."""

    link: Link = "id"
    key_file: str = ""
    key_env: str = ""
    crosswalk: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """A site's own files, and how they become our tables."""

    path: Path
    extract: Extract
    people: People
    sources: tuple[Source, ...] = field(default_factory=tuple)


def load_site(path: Path) -> Site:
    """Read and check a ``site.toml``.

    Parameters
    ----------
    path : pathlib.Path
        The file; other paths in it are relative to its folder.

    Returns
    -------
    Site
        What it says.

    Raises
    ------
    TablesError
        It is no TOML, has unknown or empty settings, or names an unknown table.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        detail = f": {error}" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise TablesError(f"site.toml cannot be read as TOML in UTF-8{detail}", where=str(path)) from None
    return _Reader(path).site(content)


class _Reader:
    """Turns plain TOML into objects; remembers where it stands, so that an error can say so."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def site(self, content: Mapping[str, Any]) -> Site:
        self.known(content, "the file", {"program", "extract", "people", "sources"})
        empty = _empty_settings(content, "")
        if empty:
            words = f"settings are still to be filled in: {'; '.join(empty)}"
            raise TablesError(words, where=str(self.path), do="fill them in, or remove what the site does not have")
        extract = extract_of({"program": content.get("program"), **content.get("extract", {})}, str(self.path))
        people = self.people(content.get("people", {}))
        sources = tuple(self.source(one, f"sources {n + 1}") for n, one in enumerate(content.get("sources", [])))
        if not sources:
            raise self.error("no [[sources]] is given", "add one for each kind of file")
        names = [source.name for source in sources]
        if len(set(names)) < len(names):
            raise self.error("two sources have the same name", "give each its own name")
        return Site(self.path, extract, people, sources)

    def people(self, content: Mapping[str, Any]) -> People:
        self.known(content, "[people]", set(People.__slots__))
        people = People(**content)
        if people.link not in _LINKS:
            raise self.error(f"link in [people] must be one of: {', '.join(_LINKS)}", "correct link")
        return people

    def source(self, content: Mapping[str, Any], where: str) -> Source:
        self.known(content, where, set(Source.__slots__))
        name = str(content.get("name", where))
        where = f"source {name}"
        if bool(content.get("path")) == bool(content.get("url")):
            raise self.error(f"{where} needs a path, or a url with a view", "give one of the two")
        if content.get("url") and not content.get("view"):
            raise self.error(f"{where} has a url and no view", "name the table or view to read")
        decimal = content.get("decimal", ".")
        if decimal not in (".", ","):
            raise self.error(f"decimal of {where} must be . or ,", "correct decimal")
        person = content.get("person")
        if person is not None:
            self.known(person, f"person of {where}", set(PersonMap.__slots__))
            self.date_format(person.get("birth_date_format", ""), where, "person.birth_date")
        return Source(
            name=name,
            system=str(content.get("system", name)),
            path=content.get("path", ""),
            url=content.get("url", ""),
            view=content.get("view", ""),
            separator=content.get("separator", ","),
            encoding=content.get("encoding", "utf-8"),
            decimal=decimal,
            prefix=content.get("prefix", ""),
            person=PersonMap(**person) if person is not None else None,
            tables=tuple(self.table(one, where) for one in content.get("tables", [])),
            wide=tuple(self.wide(one, where) for one in content.get("wide", [])),
            drop=tuple(content.get("drop", [])),
        )

    def table(self, content: Mapping[str, Any], where: str) -> TableMap:
        self.known(content, f"tables of {where}", set(TableMap.__slots__))
        name = content.get("table", "")
        if name not in CONTRACTS:
            raise self.error(f"{where} names a table that is not known", f"known tables are {', '.join(CONTRACTS)}")
        conditions = {
            header: tuple(map(str, wanted if isinstance(wanted, list) else [wanted]))
            for header, wanted in content.get("where", {}).items()
        }
        columns = self.columns(content.get("columns", {}), name, where)
        return TableMap(name, columns, conditions, tuple(content.get("where_filled", [])))

    def wide(self, content: Mapping[str, Any], where: str) -> WideMap:
        self.known(content, f"wide of {where}", set(WideMap.__slots__))
        columns = self.columns(content.get("columns", {}), "assessments", where)
        lacking = {"assessment_id", "instrument", "observed_at"} - {column.ours for column in columns}
        if lacking or not content.get("items"):
            words = ", ".join(sorted(lacking)) or "items"
            raise self.error(f"wide of {where} lacks {words}", "map the sitting's columns, and one column an item")
        codes = content.get("codes")
        return WideMap(
            columns=columns,
            items=tuple((str(item), str(header)) for item, header in content["items"].items()),
            codes=_as_text(codes) if codes is not None else None,
            missing=_as_text(content.get("missing", {})),
        )

    def columns(self, content: Mapping[str, Any], table: str, where: str) -> tuple[ColumnMap, ...]:
        return tuple(self.column(ours, said, table, where) for ours, said in content.items())

    def column(self, ours: str, said: Any, table: str, where: str) -> ColumnMap:
        """Read one line of ``columns``: a header, or a header and what is done to its cells."""
        settings: dict[str, Any] = {"from": said} if isinstance(said, str) else dict(said)
        place = f"{table}.{ours} of {where}"
        self.known(settings, place, {"from", "value", "format", "codes", "take", "split", "prefix", "hash"})
        if ("from" in settings) == ("value" in settings):
            raise self.error(f"{place} needs either from or value", "name the source's column, or a constant")
        if settings.get("take", "year") not in _TAKE:
            raise self.error(f"take of {place} must be one of: {', '.join(_TAKE)}", "correct take")
        mapped = ColumnMap(
            ours=ours,
            header=settings.get("from", ""),
            value=_text(settings["value"]) if "value" in settings else None,
            format=settings.get("format", ""),
            codes=_as_text(settings["codes"]) if "codes" in settings else None,
            take=settings.get("take", ""),
            split=settings.get("split", ""),
            prefix=settings.get("prefix"),
            is_hashed=bool(settings.get("hash", False)),
        )
        self.check_dates(mapped, table, place)
        return mapped

    def check_dates(self, mapped: ColumnMap, table: str, place: str) -> None:
        """Ask for the format of every date: it is never guessed."""
        column = CONTRACTS[table].by_name.get(mapped.ours)
        is_date = bool(mapped.take) or (column is not None and column.kind in ("date", "moment"))
        if is_date and mapped.header and not mapped.format:
            raise self.error(f"{place} is a date and has no format", 'write its format, such as format = "%d/%m/%Y"')
        self.date_format(mapped.format, place, mapped.ours)

    def date_format(self, form: str, where: str, name: str) -> None:
        if "%y" in form:
            words = f"the format of {name} in {where} has a year of two digits, whose century would be a guess"
            raise self.error(words, "export the dates with four-digit years")

    def known(self, content: Mapping[str, Any], where: str, names: set[str]) -> None:
        """Refuse settings that nobody reads: a slip of the pen must not be ignored."""
        if not isinstance(content, Mapping):
            raise self.error(f"{where} must be a table of settings", "write name = value lines")
        unknown = sorted(set(content) - names)
        if unknown:
            words = f"unknown settings in {where}: {', '.join(unknown)}"
            raise self.error(words, f"known settings are {', '.join(sorted(names))}")

    def error(self, what: str, do: str) -> TablesError:
        return TablesError(what, where=str(self.path), do=do)


def _as_text(codes: Mapping[str, Any]) -> dict[str, str]:
    """Return codes as the text they stand for; a code still empty maps nothing."""
    return {str(theirs).strip(): _text(ours) for theirs, ours in codes.items() if ours != ""}


def _text(value: Any) -> str:
    """Return a constant as it would stand in a CSV file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _empty_settings(content: Any, where: str) -> list[str]:
    """Return the names of settings left empty by a draft; codes may stay empty, and are then blanked."""
    if isinstance(content, Mapping):
        parts = [
            _empty_settings(value, f"{where}.{name}" if where else str(name))
            for name, value in content.items()
            if name not in ("codes", "missing", "prefix")
        ]
        return [name for part in parts for name in part]
    if isinstance(content, list):
        parts = [_empty_settings(value, f"{where} {number + 1}") for number, value in enumerate(content)]
        return [name for part in parts for name in part]
    return [where] if content == "" else []
