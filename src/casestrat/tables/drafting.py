"""A first ``site.toml`` from the headers of a site's files, and empty templates, for a person to finish."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casestrat.errors import UsageError
from casestrat.tables.contracts import contracts_for, describe_tables
from casestrat.tables.identifiers import looks_like_identifier, plain_header
from casestrat.tables.phrases import Phrase
from casestrat.tables.sniffing import Sniffed, date_formats, sniff

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from casestrat.tables.columns import Column
    from casestrat.tables.contract import Contract
    from casestrat.tables.vocabulary import Vocabulary

_SUFFIXES = (".csv", ".txt", ".tsv")
_TEMPLATES = "templates"
_NO_BOUND = 10**9
_MOST_CODES = 30  # more different cells than this are no codes


def draft_site(folder: str | Path, program: Vocabulary, lang: str = "en") -> Path:
    """Draft a ``site.toml`` from the files of a folder, and write empty templates with their code lists.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder of exports (CSV, TXT, TSV; folders in it too); an empty one gets templates and an empty draft.
    program : Vocabulary
        The program, whose codes the templates list.
    lang : {"en", "fr", "it"}
        Language of the comments.

    Returns
    -------
    pathlib.Path
        The draft: it is TOML already; ``casestrat check`` then says what is still to be filled in.

    Raises
    ------
    UsageError
        There is a ``site.toml`` already: it is never overwritten; the folder is not there; or the language is none
        of the three.
    """
    target = Path(folder)
    path = target / "site.toml"
    if path.exists():
        raise UsageError("there is a site.toml already", where=str(path), do="rename it to have a new draft")
    texts = _synonyms()["texts"]
    if lang not in texts:
        raise UsageError(f"no drafts in that language; there are {', '.join(texts)}", do="choose one of them")
    if not target.is_dir():
        raise UsageError(
            "there is no such folder", where=str(target), do="name a folder of exports, or make an empty one"
        )
    draft = _Draft(target, contracts_for(program), texts[lang], lang)
    sources = [draft.source(sniff(one)) for one in _files(target)]
    lines = [*draft.head(program.id), *(line for found in sources for line in found)]
    path.write_bytes(("\n".join(lines) + "\n").encode("utf-8"))
    _write_templates(target / _TEMPLATES, program)
    return path


@cache
def _synonyms() -> dict[str, Any]:
    """Return the headers and codes that are recognised."""
    text = resources.files("casestrat.tables").joinpath("synonyms.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _files(folder: Path) -> list[Path]:
    """Return the exports in a folder and in the folders in it."""
    found = [path for path in (*folder.glob("*"), *folder.glob("*/*")) if path.parent.name != _TEMPLATES]
    return sorted(path for path in found if path.suffix.lower() in _SUFFIXES and path.is_file() and path.stat().st_size)


def _write_templates(folder: Path, program: Vocabulary) -> None:
    """Write an empty CSV for each table, and the list of columns and codes."""
    folder.mkdir(exist_ok=True)
    for name, contract in contracts_for(program).items():
        (folder / f"{name}.csv").write_text(",".join(contract.names) + "\n", "utf-8")
    columns = describe_tables(program)[["table", "column", "type", "presence", "codes", "unit", "description"]]
    (folder / "CODES.csv").write_bytes(columns.to_csv(index=False, lineterminator="\n").encode("utf-8"))


def _quoted(text: str) -> str:
    """Return text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _matching(headers: Mapping[str, str], names: list[str]) -> str:
    """Return the header whose plain form is one of the names; nothing where there is none."""
    return next((headers[name] for name in names if name in headers), "")


@dataclass
class _Draft:
    """Writes the lines of a draft; remembers whether people can be linked by identity."""

    folder: Path
    contracts: Mapping[str, Contract]
    texts: Mapping[str, str]
    lang: str
    has_identity: bool = False

    def head(self, program: str) -> list[str]:
        """Return the lines before the sources; asked for last, for it says how people are linked."""
        link = ['link = "identity"', 'key_env = "CASESTRAT_KEY"'] if self.has_identity else ['link = "id"']
        return [
            f"# {self.texts['head']} casestrat check site.toml --program {program}",
            f"# {self.texts['columns']}",
            f"program = {_quoted(program)}",
            "",
            f"# {self.texts['extract']}",
            "[extract]",
            f'data_start = "" # {self.texts["fill"]}{self.texts["colon"]}{self.texts["day"]}',
            f'data_end = "" # {self.texts["fill"]}{self.texts["colon"]}{self.texts["day"]}',
            'recorded_at = "observed_at"',
            "",
            f"# {self.texts['people']}",
            "[people]",
            *link,
        ]

    def source(self, file: Sniffed) -> list[str]:
        """Return the lines of one file."""
        headers = {plain_header(header): header for header in file.sample.columns}
        person = {role: _matching(headers, names) for role, names in _synonyms()["person"].items()}
        used = {header for header in person.values() if header}
        lines = [
            "",
            "[[sources]]",
            f"name = {_quoted(file.path.stem)}",
            f"system = {_quoted(file.path.parent.name if file.path.parent != self.folder else file.path.stem)}",
            f"path = {_quoted(file.path.relative_to(self.folder).as_posix())}",
            f"separator = {_quoted(file.separator)} # {self.texts['confirm']}",
            f"encoding = {_quoted(file.encoding)} # {self.texts['confirm']}",
            f"decimal = {_quoted(file.decimal)} # {self.texts['confirm']}",
            f'prefix = ""  # {self.texts["optional"]}',
        ]
        tables = self.tables(file, headers, person, used)
        tables += self.wide(file, headers, used)
        unread = [header for header in file.sample.columns if header not in used]
        drop = [header for header in unread if looks_like_identifier(header)]
        lines.append(f"drop = [{', '.join(map(_quoted, drop))}]")
        rest = [header for header in unread if header not in drop]
        if rest:
            lines.append(
                f"# {self.texts['unread']}{self.texts['colon']}{', '.join(_quoted(header) for header in rest)}"
            )
        return [*lines, *self.person(file, person), *tables]

    def person(self, file: Sniffed, person: Mapping[str, str]) -> list[str]:
        """Return the lines that say whom a row is about."""
        if not any(person.values()):
            return []
        whole = all(person[role] for role in ("last_name", "first_name", "birth_date"))
        self.has_identity |= whole
        lines = ["", "[sources.person]"]
        if person["id"]:
            lines.append(f"id = {_quoted(person['id'])} # {self.texts['confirm']}")
        if whole:
            lines += [f"{role} = {_quoted(person[role])}" for role in ("last_name", "first_name", "birth_date")]
            lines.append("birth_date_format = " + self.format(file.sample[person["birth_date"]]))
        elif not person["id"]:
            lines.append(f'id = "" # {self.texts["fill"]}')
        return lines

    def tables(self, file: Sniffed, headers: Mapping[str, str], person: Mapping[str, str], used: set[str]) -> list[str]:
        """Return the lines of every table that the file seems to feed."""
        lines: list[str] = []
        for name, names in _synonyms()["tables"].items():
            found = {ours: _matching(headers, theirs) for ours, theirs in names.items() if ours != "anchor"}
            found = {ours: header for ours, header in found.items() if header}
            if name == "persons":
                feeds = any(person.values()) and bool(found or person["birth_date"])
            else:
                feeds = names["anchor"] in found and len(found) > 1
            if feeds:
                used |= set(found.values())
                lines += self.table(file, self.contracts[name], found, person["birth_date"])
        return lines

    def table(self, file: Sniffed, contract: Contract, found: Mapping[str, str], birth_date: str) -> list[str]:
        """Return the lines of one table."""
        lines = ["", "[[sources.tables]]", f'table = "{contract.name}"', "[sources.tables.columns]"]
        is_person = contract.name == "persons"
        for column in contract.columns:
            if column.name in found:
                lines.append(self.column(file, column, found[column.name]))
            elif is_person and birth_date and column.name in ("birth_year", "birth_month"):
                take = column.name.removeprefix("birth_")
                form = self.format(file.sample[birth_date], f', take = "{take}" }}')
                lines.append(f"{column.name} = {{ from = {_quoted(birth_date)}, format = {form}")
            elif column.name not in ("person_id", "recorded_at", "is_void", "program", "site"):
                mark = "" if column.is_filled else "# "
                does = self.texts["fill" if column.is_filled else "optional"]
                lines.append(f'{mark}{column.name} = "" # {does}{self.texts["colon"]}{self.about(column)}')
        return lines

    def about(self, column: Column) -> str:
        """Return what a column holds: its description, which is kept in English alone, and its constraints."""
        words = self.constraint(column)
        return f"{column.description} ({words})" if self.lang == "en" else words

    def constraint(self, column: Column) -> str:
        """Return what a cell must look like; the bounds of days and of amounts are no help there."""
        if column.kind in ("date", "moment"):
            return column.parse_words.said(self.lang)
        is_amount = column.kind == "number" and column.high is not None and column.high >= _NO_BOUND
        return self.texts["number"] if is_amount else column.in_words(self.lang)

    def column(self, file: Sniffed, column: Column, header: str) -> str:
        """Return the line of one column."""
        cells = file.sample[header]
        start = f"{column.name} = {{ from = {_quoted(header)}"
        if column.kind in ("date", "moment"):
            return f"{start}, format = " + self.format(cells, " }")
        values = sorted(cells.dropna().unique())
        if (column.codes or column.kind == "flag") and len(values) <= _MOST_CODES:
            codes = ", ".join(f"{_quoted(value)} = {_quoted(self.ours(column, value))}" for value in values)
            codes_words = column.codes_words()
            said = codes_words.said(self.lang) if isinstance(codes_words, Phrase) else ""
            choices = f"{self.texts['semicolon']}{said}" if said else ""
            return f"{start}, codes = {{ {codes} }} }} # {self.texts['codes']}{choices}"
        return (
            f"{column.name} = {_quoted(header)} # {self.texts['confirm']}{self.texts['colon']}{self.constraint(column)}"
        )

    def ours(self, column: Column, value: str) -> str:
        """Return our code of one of theirs, empty where it is not recognised."""
        plain = plain_header(value)
        if plain in column.codes:
            return plain
        table = _synonyms()["codes"].get("flag" if column.kind == "flag" else column.name, {})
        found = next((ours for ours, theirs in table.items() if plain in theirs), "")
        return found if column.kind == "flag" or found in column.codes else ""

    def format(self, cells: pd.Series, end: str = "") -> str:
        """Return the likeliest date format of a column, and what is to be confirmed."""
        found = date_formats(cells)
        if not found:
            return f'""{end} # {self.texts["fill"]}{self.texts["colon"]}%d/%m/%Y'
        both = {"%d/%m/%Y", "%m/%d/%Y"} <= set(found)
        return f"{_quoted(found[0])}{end} # {self.texts['day_or_month' if both else 'confirm']}"

    def wide(self, file: Sniffed, headers: Mapping[str, str], used: set[str]) -> list[str]:
        """Return the lines of sittings that have one column an item."""
        lines: list[str] = []
        for instrument, items in _synonyms()["wide"].items():
            free = {plain: header for plain, header in headers.items() if header not in used}
            found = {item: self.item(free, endings) for item, endings in items.items()}
            if not all(found.values()):
                continue
            used |= set(found.values())
            values = sorted({value for header in found.values() for value in file.sample[header].dropna().unique()})
            sitting = {ours: _matching(headers, names) for ours, names in _synonyms()["sitting"].items()}
            used |= {header for header in sitting.values() if header}
            when = sitting["observed_at"]
            form = self.format(file.sample[when], " }") if when else '"" } # ' + self.texts["fill"]
            key = _quoted(sitting["assessment_id"])
            lines += [
                "",
                "[[sources.wide]]",
                "items = { " + ", ".join(f"{item} = {_quoted(header)}" for item, header in found.items()) + " }",
                "codes = { " + ", ".join(f"{_quoted(v)} = {_quoted(v if len(v) == 1 else '')}" for v in values) + " }"
                f" # {self.texts['codes']}",
                "[sources.wide.columns]",
                f"assessment_id = {key} # {self.texts['confirm' if sitting['assessment_id'] else 'fill']}",
                f'instrument = {{ value = "{instrument}" }}',
                f"observed_at = {{ from = {_quoted(when)}, format = {form}",
            ]
        return lines

    def item(self, headers: Mapping[str, str], endings: list[str]) -> str:
        """Return the header of one item: its name, alone or after the instrument's."""
        return next(
            (
                header
                for plain, header in headers.items()
                for ending in endings
                if plain == ending or plain.endswith(f"_{ending}")
            ),
            "",
        )
