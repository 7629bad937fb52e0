"""Leaving a site out, to see whether what was learned elsewhere holds there."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.models.splits import TemporalSplit, level_or_groups

if TYPE_CHECKING:
    from collections.abc import Iterator

JOINED = "other sites"
"""What the block of the joined small sites is called."""


class JoinedSitesWarning(UserWarning):
    """Sites with too few people stand together in one test."""


class LeaveSiteOut:
    """Learn on all sites but one, test on that one; each site is left out once.

    A person of the tested site is never learned from, not even by rows at another site. Sites with few people can be
    joined in one test, and the dates can be kept apart as well: the test then holds the later half of the dates of the
    site, and what is learned from had its label known before them.

    Parameters
    ----------
    level : str, default "site"
        Index level of X that tells the site, where ``groups`` is not given.
    min_people : int, default 1
        Sites with fewer people in the test stand together in one test, with a `JoinedSitesWarning`.
    gap_days : int, optional
        Keep the dates apart too: days until a label is known, as in `TemporalSplit`. Without it, dates do not count.
    person_level, date_level : str
        Index levels of X that tell the person and the date. Without persons, each row counts as one.

    Examples
    --------
    >>> index = pd.MultiIndex.from_arrays([list("ABCDE"), list("NNSSW")], names=["person_id", "site"])
    >>> people = pd.DataFrame({"x": range(5)}, index=index)
    >>> [(a.tolist(), b.tolist()) for a, b in LeaveSiteOut().split(people)]
    [([2, 3, 4], [0, 1]), ([0, 1, 4], [2, 3]), ([0, 1, 2, 3], [4])]
    >>> LeaveSiteOut().blocks(people)["n_people"].tolist()
    [2, 2, 1]
    """

    def __init__(
        self,
        level: str = "site",
        *,
        min_people: int = 1,
        gap_days: int | None = None,
        person_level: str = "person_id",
        date_level: str = "as_of",
    ) -> None:
        self.level, self.min_people, self.gap_days = level, min_people, gap_days
        self.person_level, self.date_level = person_level, date_level

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of tests.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date.
        y : array, optional
            Not used.
        groups : array, optional
            The site of each row; without it the index level is used.

        Returns
        -------
        int
            Sites that are tested on their own, and one more where some are joined.
        """
        return len(self.blocks(X, groups))

    def blocks(self, X: Any, groups: Any = None) -> pd.DataFrame:
        """Say which sites are tested together, and on how many.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date.
        groups : array, optional
            The site of each row; without it the index level is used.

        Returns
        -------
        pandas.DataFrame
            One row per test, in its order: ``block`` (the site, or ``other sites``), ``n_sites``, ``n_people``,
            ``n_rows``, ``is_joined``. A site without a row in the later half of the dates is not tested.

        Raises
        ------
        UsageError
            A row has no site, or an argument is out of its range.
        """
        names, sites, persons, (_, later) = self._read(X, groups)
        rows = []
        for block in self._blocks(sites[later], persons[later]):
            here = later[np.isin(sites[later], block)]
            name = JOINED if len(block) > 1 else str(names[block[0]])
            rows.append((name, len(block), len(np.unique(persons[here])), len(here), len(block) > 1))
        return pd.DataFrame(rows, columns=["block", "n_sites", "n_people", "n_rows", "is_joined"])

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give the rows to learn from and the rows to test on, site by site, the joined ones last.

        Parameters
        ----------
        X : pandas.DataFrame or array
            One row per person and date.
        y : array, optional
            Not used.
        groups : array, optional
            The site of each row; without it the index level is used.

        Yields
        ------
        tuple of numpy.ndarray
            Row positions to learn from, row positions to test on.

        Raises
        ------
        UsageError
            A row has no site, there are fewer than two tests, or nobody is left to learn from.
        """
        _, sites, persons, (earlier, later) = self._read(X, groups)
        blocks = self._blocks(sites[later], persons[later])
        if len(blocks) < 2:
            raise UsageError(
                f"expected two sites or more to leave out; found {len(blocks)}",
                where=self.level,
                do="ask for fewer people by `min_people`, or take another split",
            )
        for block in blocks:
            is_here = np.isin(sites, block)
            test = later[is_here[later]]
            learn = earlier[~np.isin(persons[earlier], np.unique(persons[is_here]))]
            if not len(learn):
                raise UsageError(
                    "a test leaves nobody to learn from", where=self.level, do="see that not everybody is at that site"
                )
            if len(block) > 1:
                warnings.warn(
                    f"{len(block)} sites with fewer than {self.min_people} people each stand together in one test of "
                    f"{len(np.unique(persons[test]))} people",
                    JoinedSitesWarning,
                    stacklevel=2,
                )
            yield learn, test

    def _blocks(self, sites: np.ndarray, persons: np.ndarray) -> list[np.ndarray]:
        """Return the codes of the sites that are tested together, the joined ones last."""
        pairs = pd.DataFrame({"site": sites, "person": persons}).drop_duplicates()
        people = pairs.groupby("site").size()
        is_small = (people < self.min_people).to_numpy()
        codes = people.index.to_numpy()
        if is_small.sum() < 2:  # one small site has none to join
            return [codes[[place]] for place in range(len(codes))]
        return [codes[[place]] for place in np.flatnonzero(~is_small)] + [codes[is_small]]

    def _read(self, X: Any, groups: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Return the sites, the site and person of each row as codes, and the rows to learn from and to test on."""
        if self.min_people < 1 or (self.gap_days is not None and self.gap_days < 0):
            raise UsageError(
                f"expected 1 person or more and a gap of 0 days or more; found {self.min_people}, {self.gap_days}"
            )
        told = pd.Index(level_or_groups(X, groups, self.level))
        n_missing = int(told.isna().sum())
        if n_missing:
            raise UsageError(f"each row needs a site; {n_missing} rows have none", where=self.level)
        sites, names = pd.factorize(told, sort=True)
        persons = every = np.arange(len(sites))
        if isinstance(X, pd.DataFrame | pd.Series) and self.person_level in X.index.names:
            persons = pd.factorize(X.index.get_level_values(self.person_level))[0]
        rows = (every, every)
        if self.gap_days is not None:
            halves = TemporalSplit(n_splits=1, gap_days=self.gap_days, level=self.date_level)
            rows = next(halves.split(X, groups=level_or_groups(X, None, self.date_level)))
        return np.asarray(names, dtype=object), sites, persons, rows
