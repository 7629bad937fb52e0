"""The people of a site's sources: one pseudonym a person, whatever system they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from casestrat.errors import TablesError
from casestrat.tables.columns import TEXT
from casestrat.tables.identity import PAIR_COLUMNS, doubtful_pairs, keyed_hash, normalised, read_crosswalk
from casestrat.tables.parsing import missing_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from casestrat.tables.checking import Notice
    from casestrat.tables.site_file import PersonMap, Site, Source
    from casestrat.tables.site_rows import SourceRows

_PSEUDONYM = "P-"
_SEPARATOR = "\x1f"  # in no name and no id


@dataclass(frozen=True)
class PersonIds:
    """The pseudonym of each row of one source, missing where nobody can tell; and the column that tells."""

    ids: pd.Series
    header: str


@dataclass(frozen=True)
class LinkedPeople:
    """Pseudonyms by source, warnings, and pairs that a person must decide."""

    of: dict[str, PersonIds | None]
    noticed: tuple[Notice, ...]
    doubtful: pd.DataFrame


def link_people(site: Site, rows: Mapping[str, SourceRows], key: Callable[[], bytes]) -> LinkedPeople:
    """Give every row about a person their pseudonym.

    A crosswalk, where there is one, comes first. Then, by ``link``: ``id``, the source's id with its prefix;
    ``hashed_id``, a keyed hash of system and id; ``identity``, a keyed hash of names and birth date, else of system
    and id where part of the identity is missing.

    Parameters
    ----------
    site : Site
        What ``site.toml`` says.
    rows : mapping of str to SourceRows
        Source name → rows.
    key : callable
        Gives the secret key.

    Returns
    -------
    LinkedPeople
        Pseudonyms by source.
    """
    known = {source.name: _known(source, source.person, rows[source.name]) for source in site.sources if source.person}
    if not known:
        return LinkedPeople({source.name: None for source in site.sources}, (), _no_pairs())
    everyone = pd.concat(known, names=["source", "row"])
    if site.people.link == "identity":
        everyone = _complete(everyone)
    everyone["person_id"] = _pseudonyms(everyone, site, key)
    noticed: list[Notice] = []
    doubtful = _no_pairs()
    if site.people.link == "identity":
        noticed = _notices(everyone)
        doubtful = doubtful_pairs(everyone.drop_duplicates(["system", "id", "person_id"]))
    if len(doubtful):
        message = "pairs of ids that might be one person; decide each in the crosswalk"
        noticed.append(("persons", "doubtful_pairs", len(doubtful), message))
    of = {
        source.name: PersonIds(everyone["person_id"].loc[[source.name]].reset_index(drop=True), _header(source.person))
        if source.person is not None
        else None
        for source in site.sources
    }
    return LinkedPeople(of, tuple(noticed), doubtful)


def _no_pairs() -> pd.DataFrame:
    """Return the list of doubtful pairs when there are none."""
    return pd.DataFrame({name: pd.Series(dtype=TEXT) for name in PAIR_COLUMNS})


def _header(person: PersonMap) -> str:
    """Return the column that says whom a row is about."""
    return person.id or person.last_name


def _known(source: Source, person: PersonMap, rows: SourceRows) -> pd.DataFrame:
    """Return what each row of one source says of its person, names normalised."""
    blank = pd.Series(pd.NA, index=rows.frame.index, dtype=TEXT)
    frame = rows.frame
    lacking = [header for header in person.headers if header not in frame.columns]
    if lacking:
        raise TablesError(
            f"source {source.name} lacks the columns {', '.join(lacking)}",
            where=f"person of source {source.name}",
            do="correct the names in site.toml, or the export",
        )
    found = pd.DataFrame(
        {
            "system": pd.Series(source.system, index=frame.index, dtype=TEXT),
            "prefix": pd.Series(source.prefix, index=frame.index, dtype=TEXT),
            "id": missing_text(frame[person.id]) if person.id else blank,
            "last": blank,
            "first": blank,
            "born": blank,
        }
    )
    if person.has_identity:
        born = pd.to_datetime(
            missing_text(frame[person.birth_date]).astype(object), format=person.birth_date_format, errors="coerce"
        )
        found["last"], found["first"] = normalised(frame[person.last_name]), normalised(frame[person.first_name])
        found["born"] = born.dt.strftime("%Y-%m-%d").astype(TEXT)
    return found


def _complete(everyone: pd.DataFrame) -> pd.DataFrame:
    """Give each id of a system the first whole identity that any row of it has."""
    whole = everyone.dropna(subset=["id", "last", "first", "born"]).drop_duplicates(["system", "id"])
    parts = whole.set_index(["system", "id"])[["last", "first", "born"]]
    wanted = pd.MultiIndex.from_frame(everyone[["system", "id"]])
    filled = parts.reindex(wanted).set_axis(everyone.index)
    return everyone.assign(**{name: filled[name].fillna(everyone[name]).astype(TEXT) for name in parts.columns})


def _pseudonyms(everyone: pd.DataFrame, site: Site, key: Callable[[], bytes]) -> pd.Series:
    """Return the pseudonym of each row."""
    if site.people.link == "id":
        ids = everyone["prefix"] + everyone["id"]
    else:
        of_system = everyone["system"] + _SEPARATOR + everyone["id"]
        identity = everyone["last"] + _SEPARATOR + everyone["first"] + _SEPARATOR + everyone["born"]
        said = identity.fillna(of_system) if site.people.link == "identity" else of_system
        ids = _PSEUDONYM + keyed_hash(said, key())
    if site.people.crosswalk:
        decided = read_crosswalk(site.path.parent / site.people.crosswalk)
        found = decided.reindex(pd.MultiIndex.from_frame(everyone[["system", "id"]])).set_axis(everyone.index)
        ids = found.fillna(ids)
    return ids.astype(TEXT)


def _notices(everyone: pd.DataFrame) -> list[Notice]:
    """Count the people whose identity is not whole."""
    people = everyone.dropna(subset=["person_id"]).drop_duplicates("person_id")
    n = int(people[["last", "first", "born"]].isna().any(axis=1).sum())
    message = "people without a whole identity; they are known by the id of one system alone"
    return [("persons", "identity_incomplete", n, message)] if n else []
