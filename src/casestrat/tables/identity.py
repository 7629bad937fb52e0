"""Whom a row is about: ids of several systems, linked by a crosswalk or by a keyed hash of normalised identity."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from casestrat.errors import TablesError
from casestrat.tables.columns import TEXT
from casestrat.tables.files import read_csv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from casestrat.tables.site_file import Site

_LEAST_KEY = 16  # bytes
_DIGITS = 20  # hexadecimal: 80 bits, no two of a billion people alike
_NAMES_ALIKE = 0.75  # how like two first names must be for a pair to be shown
PAIR_COLUMNS = ("system_a", "id_a", "system_b", "id_b", "agree", "differ")


def keyed_hash(values: pd.Series, key: bytes) -> pd.Series:
    """Return a keyed hash of each text: the same text has the same hash, and nobody without the key can undo it.

    Parameters
    ----------
    values : pandas.Series
        Text.
    key : bytes
        The site's secret.

    Returns
    -------
    pandas.Series
        20 hexadecimal digits a value, missing where it is missing.

    Examples
    --------
    >>> hashed = keyed_hash(pd.Series(["dupont", "durand", "dupont"]), b"a secret of sixteen bytes")
    >>> bool(hashed[0] == hashed[2]), bool(hashed[0] == hashed[1])
    (True, False)
    """
    unique = pd.Series(values.dropna().unique(), dtype=TEXT)
    digests = [hmac.new(key, str(value).encode("utf-8"), hashlib.sha256).hexdigest()[:_DIGITS] for value in unique]
    return values.map(dict(zip(unique, digests, strict=True))).astype(TEXT)


def normalised(values: pd.Series) -> pd.Series:
    """Return names in lower-case letters alone: accents, case, hyphens and blanks do not tell people apart.

    Examples
    --------
    >>> normalised(pd.Series(["Éléonore", "D'Arc-Martin "])).tolist()
    ['eleonore', 'darcmartin']
    """
    unique = pd.Series(values.dropna().unique(), dtype=TEXT)
    folded = {name: _fold(str(name)) for name in unique}
    names = values.map(folded).astype(TEXT)
    return names.mask((names == "").fillna(False).astype(bool))


def _fold(name: str) -> str:
    """Return one name without accents, case and anything but letters."""
    spelled = name.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae").replace("Æ", "AE").replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", spelled)
    return "".join(letter for letter in plain if letter.isalpha() and not unicodedata.combining(letter)).casefold()


def load_key(site: Site, data_folders: Iterable[Path]) -> bytes:
    """Return the site's secret key, from the environment or from a file that is not among the data."""
    people = site.people
    if people.key_env:
        key = os.environ.get(people.key_env, "").encode("utf-8")
        where = f"environment variable {people.key_env}"
    elif people.key_file:
        path = (site.path.parent / Path(people.key_file)).resolve()
        where = str(path)
        if any(path.is_relative_to(folder.resolve()) for folder in data_folders):
            raise TablesError(
                "the key file is among the data it protects", where=where, do="keep it in a folder of its own"
            )
        key = path.read_bytes().strip() if path.is_file() else b""
    else:
        raise TablesError(
            "hashing needs a secret key",
            where=f"{site.path}, [people]",
            do="write key_env = the name of an environment variable, or key_file = a path outside the data",
        )
    if len(key) < _LEAST_KEY:
        raise TablesError(
            f"the secret key is missing or shorter than {_LEAST_KEY} bytes",
            where=where,
            do="keep a long random text there, and the same one for every run",
        )
    return key


def read_crosswalk(path: Path) -> pd.Series:
    """Return person ids by (system, id), as a person decided them."""
    frame = read_csv(path).frame
    lacking = {"system", "id", "person_id"} - set(frame.columns)
    if lacking:
        raise TablesError(
            f"the crosswalk lacks the columns {', '.join(sorted(lacking))}", where=str(path), do="add them"
        )
    if frame.duplicated(["system", "id"]).any():
        raise TablesError(
            "the crosswalk names one id of one system twice", where=str(path), do="leave one line for each"
        )
    return pd.Series(frame["person_id"].to_numpy(), index=pd.MultiIndex.from_frame(frame[["system", "id"]]), dtype=TEXT)


def doubtful_pairs(people: pd.DataFrame) -> pd.DataFrame:
    """Return pairs that might be one person, for a person to decide.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per id of a system: system, id, last, first, born (ISO text), person_id.

    Returns
    -------
    pandas.DataFrame
        One row per pair: system_a, id_a, system_b, id_b, agree, differ. Ids and the names of what agrees and differs;
        never a name or a birth date.
    """
    known = people.dropna(subset=["last", "first", "born"]).reset_index(drop=True)
    swapped = known.rename(columns={"last": "first", "first": "last"})
    pairs = [
        _pairs(known, known, ["last", "born"], "last name, birth date", "first name", _first_names_alike),
        _pairs(known, known, ["first", "born"], "first name, birth date", "last name", None),
        _pairs(known, known, ["last", "first"], "last name, first name", "birth date", _birth_dates_alike),
        _pairs(known, swapped, ["last", "first", "born"], "names in the other order, birth date", "", None),
    ]
    found = pd.concat(pairs, ignore_index=True)
    return found.drop_duplicates(list(PAIR_COLUMNS[:4])).sort_values(list(PAIR_COLUMNS[:4])).reset_index(drop=True)


def _pairs(
    left: pd.DataFrame, right: pd.DataFrame, keys: list[str], agree: str, differ: str, alike: object
) -> pd.DataFrame:
    """Return the pairs of different people that agree on some parts and are alike in the other."""
    both = left.reset_index(names="row").merge(right.reset_index(names="row"), on=keys, suffixes=("_a", "_b"))
    both = both.loc[(both["row_a"] < both["row_b"]) & (both["person_id_a"] != both["person_id_b"])]
    if callable(alike) and len(both):
        both = both.loc[[alike(row) for row in both.to_dict("records")]]
    words = both.assign(agree=agree, differ=differ)
    return words[list(PAIR_COLUMNS)].astype(dict.fromkeys(PAIR_COLUMNS, TEXT))


def _first_names_alike(row: dict[str, str]) -> bool:
    """Tell whether two first names might be one: one begins the other, or they differ in few letters."""
    a, b = row["first_a"], row["first_b"]
    return a.startswith(b) or b.startswith(a) or difflib.SequenceMatcher(None, a, b).ratio() >= _NAMES_ALIKE


def _birth_dates_alike(row: dict[str, str]) -> bool:
    """Tell whether two birth dates might be one: day and month exchanged, or one digit off."""
    a, b = row["born_a"], row["born_b"]
    exchanged = f"{a[:4]}-{a[8:10]}-{a[5:7]}"
    return exchanged == b or sum(x != y for x, y in zip(a, b, strict=True)) == 1
