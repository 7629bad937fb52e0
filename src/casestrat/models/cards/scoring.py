"""What the rows of a card give: points, how complete they are, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.exceptions import NotFittedError

from casestrat.errors import UsageError
from casestrat.models.cards.rows import ROW_FIELDS, ItemRows, rows_by_item
from casestrat.models.explanation import describe_items, reasons_frame
from casestrat.models.inputs.columns import Column, as_frame, read_column
from casestrat.models.measures.own_folds import line_draws
from casestrat.tables.columns import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class NoTableError(UsageError, NotFittedError):  # type: ignore[misc]
    """The card has no table yet: it was neither learned nor made from one."""


class CardRows:
    """A table of items and whole-number points, applied to people: all of a card that needs no outcome.

    Attributes
    ----------
    rows_ : list of dict
        The rows: item, condition, points, domain, is_actionable, reason.
    """

    rows_: list[dict[str, Any]]
    card_: dict[str, Any]
    risk_points_: np.ndarray
    risk_values_: np.ndarray
    classes_: np.ndarray
    path_: list[dict[str, Any]]
    step_: int

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "rows_")

    def _items(self) -> list[ItemRows]:
        """Return the rows of each item."""
        if not hasattr(self, "rows_"):
            raise NoTableError(
                "this scorecard has no table yet: it is not fitted",
                do="make it with PointScorecard.from_table(...), or learn it with fit(X, y)",
            )
        return rows_by_item(self.rows_)

    def _columns(self, X: Any) -> Iterator[tuple[Column, ItemRows]]:
        """Each item's values in X, with its rows."""
        items = self._items()
        frame = self._frame(X)
        for rows in items:
            yield read_column(frame, rows.item), rows

    def _frame(self, X: Any) -> pd.DataFrame:
        """Return X as a frame; an array has the items in the order of the card."""
        return as_frame(X, list(self.items_))

    @property
    def items_(self) -> np.ndarray:
        """The items that the card looks at, in the order of the table."""
        return np.array([rows.item for rows in self._items()], dtype=object)

    def points(self, X: Any) -> pd.Series:
        """Add up the points of each person.

        Parameters
        ----------
        X : pandas.DataFrame
            One row per person and date, a column for each item; further columns are ignored. An array needs the items
            in the order of ``feature_names_in_``.

        Returns
        -------
        pandas.Series
            One Int64 per row of X. A missing item without a row ``is missing`` adds nothing: see ``completeness``.

        Raises
        ------
        UsageError
            X lacks the column of an item, or holds it as text where numbers are compared.
        """
        total: np.ndarray | int = 0
        for column, rows in self._columns(X):
            total = total + rows.add_up(column)
        return pd.Series(np.asarray(total), index=_index_of(X), name="points").astype("Int64")

    def points_share(self, X: Any) -> pd.Series:
        """Place each person's points between the least and the most that the card can give.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.

        Returns
        -------
        pandas.Series
            One number from 0 to 1 per row of X; 0 where the card can give one number of points only.

        Raises
        ------
        UsageError
            X lacks the column of an item, or holds it as text where numbers are compared.
        """
        span = self.max_points - self.min_points
        share = (self.points(X).astype("float64") - self.min_points) / (span or 1)
        return share.rename("points_share")

    def completeness(self, X: Any) -> pd.Series:
        """Tell which share of the items is known of each person.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.

        Returns
        -------
        pandas.Series
            One number from 0 to 1 per row of X. An item with a row ``is missing`` always counts as known.

        Raises
        ------
        UsageError
            X lacks the column of an item.
        """
        unknown = self._unknown(X)
        return pd.Series(1.0 - unknown.mean(axis=1), index=_index_of(X), name="completeness")

    def missing_items(self, X: Any) -> pd.Series:
        """Name the items that are not known of each person and that the card has no row for.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.

        Returns
        -------
        pandas.Series
            One text per row of X: items in the order of the table, parted by commas; empty where all are known.

        Raises
        ------
        UsageError
            X lacks the column of an item.

        Examples
        --------
        >>> from casestrat.models import PointScorecard
        >>> rows = [("falls", ">= 2", 3), ("gir", "< 5", 2)]
        >>> card = PointScorecard.from_table(pd.DataFrame(rows, columns=["item", "condition", "points"]))
        >>> people = pd.DataFrame({"falls": [0, None, None], "gir": [6, 4, None]}, index=["P1", "P2", "P3"])
        >>> card.missing_items(people).to_dict(), card.points_share(people).to_dict()
        ({'P1': '', 'P2': 'falls', 'P3': 'falls,gir'}, {'P1': 0.0, 'P2': 0.4, 'P3': 0.0})
        """
        unknown, items = self._unknown(X), self.items_
        pattern = np.zeros(len(unknown), dtype=np.int64)
        for flags in unknown.T:  # numbered anew at each item, so that any number of items fits
            pattern = pd.factorize(pattern * 2 + flags)[0]
        firsts = np.unique(pattern, return_index=True)[1]
        words = np.array([",".join(items[unknown[row]]) for row in firsts], dtype=object)
        return pd.Series(words[pattern], index=_index_of(X), name="missing_items", dtype=TEXT)

    def _unknown(self, X: Any) -> np.ndarray:
        """Where an item is missing and the card does not say what that is worth: rows by items."""
        flags = [
            np.zeros_like(column.is_missing) if rows.declares_missing else column.is_missing
            for column, rows in self._columns(X)
        ]
        return np.column_stack(flags)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Look up the risk of each person's points in the card's risk table.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.

        Returns
        -------
        numpy.ndarray of shape (n, 2)
            One row per row of X: probability without and with the outcome. Points between two lines of the table take
            the lower line; points outside it take its first or last line.

        Raises
        ------
        UsageError
            The card has no risk table (it gives points and tiers, no percentage), or X lacks the column of an item.

        Examples
        --------
        >>> from casestrat.models import PointScorecard
        >>> falls = pd.DataFrame({"item": ["falls"] * 2, "condition": [">= 1", ">= 2"], "points": [2, 3]})
        >>> card = PointScorecard.from_table(falls, risk_table=pd.DataFrame({"points": [0, 4], "risk": [0.1, 0.3]}))
        >>> card.predict_proba(pd.DataFrame({"falls": [0, 1, 2]}))[:, 1].tolist()
        [0.1, 0.1, 0.3]
        """
        lines = self._lines(X)
        risk = self.risk_values_[lines]
        return np.column_stack([1.0 - risk, risk])

    def predict(self, X: Any) -> np.ndarray:
        """Return the likelier class; for case management use the risk and tiers instead.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.

        Returns
        -------
        numpy.ndarray
            One label per row of X.

        Raises
        ------
        UsageError
            The card has no risk table, or X lacks the column of an item.
        """
        likelier = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[likelier.astype(int)])

    def risk_draws(self, X: Any, n_draws: int = 200, random_state: int = 0) -> np.ndarray:
        """Draw each person's risk from what the people left out leave open: level and slope of the risk table.

        Which rows a card took is not drawn anew: a :class:`~casestrat.models.BootstrapEnsemble` of cards does that.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.
        n_draws : int, default 200
            How many draws.
        random_state : int, default 0
            Seed.

        Returns
        -------
        numpy.ndarray of shape (n_draws, n)
            One row per draw, one risk per row of X.

        Raises
        ------
        UsageError
            The card was not learned here, so that nobody knows how sure its risk table is.
        """
        if not hasattr(self, "path_"):
            raise UsageError(
                "the card was not learned from people known here: how sure its risks are is not known",
                do="learn a card with fit(X, y), or show points and tiers only",
            )
        step = self.path_[self.step_]
        noise = np.random.default_rng(random_state).standard_normal((n_draws, 2))
        lines = line_draws(step["calibrator"], noise)
        shown = step["line"][0] + step["line"][1] * self.risk_points_
        risk = expit(lines[:, :1] + lines[:, 1:] * shown)
        return np.asarray(risk[:, self._lines(X)])

    def _lines(self, X: Any) -> np.ndarray:
        """Return the line of the risk table that holds for each row."""
        points = self.points(X).to_numpy(dtype="int64")
        if not len(self.risk_points_):
            raise UsageError(
                f"scorecard {self.card_.get('id', '')!r} has no risk table, so it gives points but no risk",
                do="use points(X), or give a risk table that was estimated on people like these",
            )
        line = np.searchsorted(self.risk_points_, points, side="right") - 1
        return np.asarray(np.clip(line, 0, None))

    def explain(self, X: Any, top: int | None = None, features: Iterable[Any] | None = None) -> pd.DataFrame:
        """Break each person's points down by item; the contributions of a person sum to the points, exactly.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.
        top : int, optional
            Keep only this many items of each person, the greatest first; without it all are kept.
        features : iterable, optional
            The program's features, or their definitions: their domain and is_actionable stand in for those of the rows.

        Returns
        -------
        pandas.DataFrame
            One row per person, date and item that adds or takes points: the levels of the index of X, reason, item,
            domain, is_actionable, value_is_missing, contribution (whole). Reason, domain and is_actionable are those
            of the narrowest row that holds.

        Raises
        ------
        UsageError
            X lacks the column of an item, holds it as text where numbers are compared, or ``top`` is below 1.
        """
        contributions, which, missing = [], [], []
        for column, rows in self._columns(X):
            which.append(rows.narrowest(column).astype(np.int32))
            contributions.append(rows.add_up(column).astype(np.int32))  # half the memory, for millions of people
            missing.append(column.is_missing)
        catalogue = self.table_
        if features is not None:
            told = describe_items(catalogue["item"], features)
            catalogue = catalogue.assign(domain=told["domain"], is_actionable=told["is_actionable"])
        return reasons_frame(
            _index_of(X),
            np.column_stack(contributions),
            catalogue,
            which=np.column_stack(which),
            is_missing=np.column_stack(missing),
            keep_zeros=False,
            top=top,
        )

    @property
    def max_points(self) -> int:
        """The most points that the card can give."""
        return sum(rows.point_range()[1] for rows in self._items())

    @property
    def min_points(self) -> int:
        """The fewest points that the card can give; a missing item counts with what it adds."""
        return sum(rows.point_range()[0] for rows in self._items())

    @property
    def risk_table_(self) -> pd.DataFrame:
        """One row per line of the risk table: points, risk; no row where the card has none."""
        return pd.DataFrame({"points": self.risk_points_, "risk": self.risk_values_})

    @property
    def choices_(self) -> pd.DataFrame:
        """One row per card on the path of a learned one: n_rows, and auc, average_precision, brier, calibration_slope.

        All are of people left out. The card of so many rows is ``card.at(n_rows)``.
        """
        names = ["n_rows", "auc", "average_precision", "brier", "calibration_slope"]
        frame = pd.DataFrame(getattr(self, "path_", []), columns=names)
        return frame.astype({"n_rows": "int64", **dict.fromkeys(names[1:], "float64")})

    @property
    def table_(self) -> pd.DataFrame:
        """One row per row of the card: item, condition, points, domain, is_actionable, reason."""
        frame = pd.DataFrame(self.rows_, columns=list(ROW_FIELDS))
        text = dict.fromkeys(("item", "condition", "domain", "reason"), TEXT)
        return frame.astype({**text, "points": "int64", "is_actionable": "bool"})


def _index_of(X: Any) -> pd.Index:
    """Return the index of a frame, or the row numbers of an array."""
    return X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(np.asarray(X)))
