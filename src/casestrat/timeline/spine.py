"""Whom to ask about, and when: the spine of features, risks and ranks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.tables import TEXT, Tables
from casestrat.timeline.as_of import Asked
from casestrat.timeline.landmarks import single_date
from casestrat.timeline.matching import choices_like
from casestrat.timeline.observation import history_of
from casestrat.timeline.status import FOLLOWED, ReferralScope, deaths_known, status_on, status_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from casestrat.knowledge.program import Program

Population = Literal["waiting", "followed", "enrolled_not_followed", "all"]
POPULATIONS: tuple[Population, ...] = ("waiting", "followed", "enrolled_not_followed", "all")
_STATUSES: dict[str, tuple[str, ...]] = {"waiting": ("waiting",), "followed": tuple(FOLLOWED)}


def make_spine(
    tables: Tables,
    program: Program,
    as_of: str | pd.Timestamp | Iterable[str | pd.Timestamp],
    population: Population = "waiting",
) -> pd.DataFrame:
    """List the people of a population on one date or on many.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Whose referrals and episodes count.
    as_of : str, Timestamp, or several of them
        The date or dates, such as those of :func:`landmarks`; naive, local to the agency.
    population : {"waiting", "followed", "enrolled_not_followed", "all"}
        Who is asked about: people with a referral that waits (in a program that ranks a population rather than
        referrals, those enrolled and not followed), people with an open episode, people enrolled on the date without
        one, or everybody known. People known dead are in none.

    Returns
    -------
    pandas.DataFrame
        One row per person and date, by date and then person: ``person_id``, ``as_of``.

    Raises
    ------
    UsageError
        The population or a date cannot be used.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": "2026-01-01"}),
    ...     "referrals": pd.DataFrame({
    ...         "referral_id": ["R1", "R2"], "person_id": ["P1", "P2"], "referred_on": ["2026-02-01", "2026-03-01"],
    ...         "recorded_at": ["2026-02-01", "2026-03-01"], "is_complete": ["true", "true"]}),
    ... })
    >>> spine = make_spine(tables, load_program("geriatric"), ["2026-02-15", "2026-03-15"])
    >>> spine["person_id"].tolist()
    ['P1', 'P1', 'P2']
    >>> from casestrat.timeline import landmarks
    >>> monthly = landmarks("2026-02-15", "2026-05-01")
    >>> make_spine(tables, load_program("geriatric"), monthly)["person_id"].tolist()
    ['P1', 'P1', 'P2', 'P1', 'P2']
    """
    if population not in POPULATIONS:
        raise UsageError(f"there is no population {population!r}", do=choices_like(str(population), POPULATIONS))
    dates = _dates(as_of)
    if population == "waiting" and program.population == "enrolled":
        population = "enrolled_not_followed"
    if len(dates) == 1 and population in _STATUSES:  # what a night has looked up already
        told = status_on(tables, program, dates[0])
        people = told.loc[told["status"].isin(_STATUSES[population]), "person_id"].drop_duplicates().sort_values()
        return pd.DataFrame({"person_id": people.array, "as_of": dates.repeat(len(people))})
    sources = {
        "waiting": (tables.referrals,),
        "followed": (tables.episodes,),
        "enrolled_not_followed": (tables.enrollments,),
        "all": (tables.persons,),
    }
    ids = pd.concat([frame["person_id"] for frame in sources[population]]).drop_duplicates().sort_values()
    everyone = pd.DataFrame({
        "person_id": pd.Series(np.tile(ids.to_numpy(), len(dates)), dtype=TEXT),
        "as_of": np.repeat(dates.to_numpy(), len(ids)),
    })  # fmt: skip
    return everyone.loc[_belongs(tables, program, everyone, population)].reset_index(drop=True)


def _dates(as_of: str | pd.Timestamp | Iterable[str | pd.Timestamp]) -> pd.DatetimeIndex:
    """Return the dates asked for, each once, rising."""
    several = [as_of] if isinstance(as_of, str) or not isinstance(as_of, Iterable) else list(as_of)
    if not several:
        raise UsageError("as_of holds no date", do="give a date such as 2026-10-01, or a list of dates")
    dates = pd.DatetimeIndex([single_date(one, "as_of") for one in several])
    return dates.unique().sort_values().as_unit("us")


def _belongs(tables: Tables, program: Program, spine: pd.DataFrame, population: Population) -> NDArray[np.bool_]:
    """Which rows of a spine are in the population."""
    asked = Asked.of(spine)
    stands = status_rows(tables, ReferralScope.of(program), asked)

    def are(*statuses: str) -> NDArray[np.bool_]:
        out = np.zeros(len(spine), dtype=bool)
        out[stands.loc[stands["status"].isin(statuses), "row"]] = True
        return out

    if population in _STATUSES:
        return are(*_STATUSES[population])
    is_alive = deaths_known(tables, asked).isna().to_numpy() & ~are("dead")
    if population == "all":
        return is_alive & (history_of(tables, "persons", asked).windows().count() > 0)
    return is_alive & _is_enrolled(tables, asked) & ~are(*FOLLOWED)


def _is_enrolled(tables: Tables, asked: Asked) -> NDArray[np.bool_]:
    """Which questions fall into a time enrolled that was known; the last day counts."""
    return np.asarray(history_of(tables, "enrollments", asked, until="to_on").windows().count() > 0)
