"""Reads a TOML file key by key, and says in one sentence which key of which file is wrong, and how to mend it."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge.frozen import FrozenMap, freeze

if TYPE_CHECKING:
    from collections.abc import Iterable

LANGUAGES: Final = ("en", "fr", "it")
_SHIPPED: Final = files("casestrat.knowledge")
_REQUIRED: Final[Any] = object()
_FEW = 40  # names that a message can list
_OFFERED = 3
T = TypeVar("T")


def shipped_names(folder: str) -> tuple[str, ...]:
    """Return the names of the files that casestrat ships in one of its knowledge folders."""
    entries = (entry.name for entry in _SHIPPED.joinpath(folder).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in entries if name.endswith(".toml")))


def is_path(name_or_path: str | Path) -> bool:
    """Tell a path from the name of something shipped: a path has a slash, or ends in ``.toml``."""
    return isinstance(name_or_path, Path) or name_or_path.endswith(".toml") or Path(name_or_path).name != name_or_path


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the offer that ends a message: the nearest known name, and all of them where they are few."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=_OFFERED, cutoff=0.6)
    offer = f"did you mean {close[0]!r}? " if close else ""
    shown = names if len(names) <= _FEW else close or names[:_OFFERED]
    more = "" if len(shown) == len(names) else f" … ({len(names)} in all)"
    return f"{offer}choose one of: {', '.join(shown) or '(none)'}{more}"


def read_toml(name_or_path: str | Path, folder: str, noun: str) -> Section:
    """Read a shipped file by its name, or any file by its path, into its outermost section."""
    if is_path(name_or_path):
        path = Path(name_or_path)
        if not path.is_file():
            raise UsageError(f"no file is at {path.as_posix()!r}", do=f"give the path of a {noun}'s TOML, or its name")
        raw, name = path.read_bytes(), path.name
    else:
        known = shipped_names(folder)
        if name_or_path not in known:
            raise UsageError(f"no {noun} is called {name_or_path!r}", do=nearest(str(name_or_path), known))
        name = f"{name_or_path}.toml"
        raw = _SHIPPED.joinpath(folder).joinpath(name).read_bytes()
    try:
        return Section(tomllib.loads(raw.decode("utf-8-sig")), name)
    except UnicodeDecodeError as error:
        raise KnowledgeError("the file is not UTF-8 text", where=name, do="save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"the file is not TOML: {error}", where=name, do="mend that line") from error


@dataclass
class Section:
    """One table of a TOML file; a key that nobody asked for is an unknown key.

    Parameters
    ----------
    content : dict
        The table as read.
    file : str
        The file's name, for messages.
    path : str
        Where the table stands in the file, such as ``outcomes.unplanned_stay``.
    """

    content: dict[str, Any]
    file: str
    path: str = ""
    asked: set[str] = field(default_factory=set)

    def where(self, key: str = "") -> str:
        """Return the file and the path of a key."""
        return ", ".join(part for part in (self.file, ".".join(part for part in (self.path, key) if part)) if part)

    def fault(self, what: str, key: str = "", do: str = "") -> KnowledgeError:
        """Return the error to raise about a key."""
        return KnowledgeError(what, where=self.where(key), do=do or "mend the file")

    def refer(self, name: str, known: Iterable[str], what: str, key: str = "") -> str:
        """Return the name if it is known; refuse it with the nearest known name."""
        names = list(known)
        if name not in names:
            raise self.fault(f"no {what} is called {name!r}", key, nearest(name, names))
        return name

    def has(self, key: str) -> bool:
        """Tell whether the file gives the key."""
        return key in self.content

    def text(self, key: str, default: str = _REQUIRED) -> str:
        """Return words."""
        return self._take(key, str, "text", default)

    def choice(self, key: str, known: Iterable[str], default: str = _REQUIRED) -> str:
        """Return one of the known words."""
        value = self.text(key, default)
        return self.refer(value, known, f"{key} of that kind", key)

    def flag(self, key: str, default: bool = _REQUIRED) -> bool:
        """Return true or false."""
        return self._take(key, bool, "true or false", default)

    def whole(self, key: str, default: int | None = _REQUIRED, at_least: int | None = None) -> Any:
        """Return a whole number."""
        value = self._take(key, int, "a whole number", default)
        if value is not None and at_least is not None and value < at_least:
            raise self.fault(f"`{key}` must be {at_least} or more", key)
        return value

    def number(self, key: str, default: float | None = _REQUIRED) -> Any:
        """Return a number."""
        value: Any = self._take(key, (int, float), "a number", default)
        return None if value is None else float(value)

    def day(self, key: str, default: date | None = _REQUIRED) -> Any:
        """Return a date."""
        value = self._take(key, date, "a date such as 2015-01-01", default)
        if isinstance(value, datetime):
            raise self.fault(f"`{key}` should be a date without a time", key)
        return value

    def words(self, key: str, default: tuple[str, ...] = _REQUIRED) -> tuple[str, ...]:
        """Return a list of words, each once."""
        return cast("tuple[str, ...]", self._list(key, str, "words", default))

    def numbers(self, key: str, default: tuple[float, ...] = _REQUIRED) -> tuple[float, ...]:
        """Return a list of numbers, each once."""
        return cast("tuple[float, ...]", self._list(key, (int, float), "numbers", default))

    def values(self, key: str, default: tuple[Any, ...] = _REQUIRED) -> tuple[Any, ...]:
        """Return a list of words or numbers, each once."""
        return cast("tuple[Any, ...]", self._list(key, (str, int, float), "words or numbers", default))

    def mapping(self, key: str) -> FrozenMap[str, Any]:
        """Return a table of plain values, empty where absent."""
        content: FrozenMap[str, Any] = freeze(self._take(key, dict, "a table", {}))
        return content

    def labels(self, key: str = "label", default: str = _REQUIRED) -> FrozenMap[str, str]:
        """Return words by language; ``en`` is always there and none is empty."""
        if default is not _REQUIRED and not self.has(key):
            return FrozenMap({"en": default})
        found = self.child(key)
        words = {language: found.text(language) for language in found.content}
        found.asked.update(words)
        if "en" not in words:
            raise self.fault(f"`{key}` has no English words", key, f"give {key}.en")
        empty = sorted(language for language, word in words.items() if not word.strip())
        if empty:
            raise self.fault(f"`{key}` is empty in {', '.join(empty)}", key)
        return FrozenMap(words)

    def child(self, key: str, required: bool = True) -> Section:
        """Return a table inside this one; where it may be absent, an empty one."""
        content = self._take(key, dict, "a table", _REQUIRED if required else {})
        return Section(content, self.file, self._inside(key))

    def children(self, key: str, required: bool = True) -> list[Section]:
        """Return an array of tables, numbered from 1 and named by id, name or code."""
        found = self._take(key, list, "an array of tables", _REQUIRED if required else [])
        if not all(isinstance(item, dict) for item in found):
            raise self.fault(f"`{key}` should be an array of tables", key, f"write [[{self._inside(key)}]]")
        return [
            Section(item, self.file, self._inside(f"{key}[{_name_of(item, n)}]")) for n, item in enumerate(found, 1)
        ]

    def named(self, key: str, required: bool = True) -> dict[str, Section]:
        """Return the tables of a table, by name."""
        inside = self.child(key, required)
        return {name: inside.child(name) for name in inside.content}

    def finish(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self.content:
            if key not in self.asked:
                raise self.fault(f"unknown key {key!r}", key, nearest(key, self.asked))

    def _inside(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _take(self, key: str, kind: type[T] | tuple[type, ...], what: str, default: Any) -> T:
        self.asked.add(key)
        if key not in self.content:
            if default is _REQUIRED:
                hint = difflib.get_close_matches(key, self.content, n=1)
                raise self.fault(f"the key {key!r} is missing", key, f"rename {hint[0]!r}" if hint else f"give `{key}`")
            return default  # type: ignore[no-any-return]
        value = self.content[key]
        if not _is_a(value, kind):
            raise self.fault(f"`{key}` should be {what}, not {type(value).__name__}", key)
        return value  # type: ignore[no-any-return]

    def _list(self, key: str, kind: type | tuple[type, ...], what: str, default: Any) -> Any:
        found = self._take(key, list, f"a list of {what}", default)
        if not all(_is_a(item, kind) for item in found):
            raise self.fault(f"`{key}` should be a list of {what}", key)
        if len(set(found)) < len(found):
            raise self.fault(f"`{key}` names something twice", key, "keep one of them")
        return tuple(found)


def _is_a(value: object, kind: type | tuple[type, ...]) -> bool:
    """Tell the kind of a value; true and false are not numbers, and numbers must be finite."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, float) and not abs(value) < float("inf"):
        return False
    return isinstance(value, kinds)


def _name_of(item: dict[str, Any], number: int) -> object:
    """Return what tells one table of an array from the others, for messages."""
    return next((item[key] for key in ("id", "name", "code") if isinstance(item.get(key), str)), number)
