"""Whole-number points that a committee can read, and the risk that goes with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from casestrat.errors import UsageError
from casestrat.knowledge.scorecard import Scorecard
from casestrat.knowledge.scorecard_file import load_scorecard
from casestrat.models.card_rows import (
    ROW_FIELDS,
    ItemRows,
    check_items,
    checked_risk,
    checked_rows,
    rows_by_item,
    rows_of_card,
    rows_of_frame,
)
from casestrat.models.explanation import reasons_frame
from casestrat.models.inputs import Column, as_frame, read_column
from casestrat.tables.columns import TEXT
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "casestrat-scorecard/1"
_ABOUT = ("id", "version", "label", "domain", "kind", "licence", "source", "status", "outcome", "horizon_days")


class PointScorecard(BaseEstimator):  # type: ignore[misc]
    """A table of items and whole-number points, applied to people.

    Make one with :meth:`from_table`. The rows of an item add up: with ``gir < 5`` worth 2 and ``gir < 3`` worth 2, a
    GIR of 1 gives 4. **Unknown is not low risk**: a missing item without a row ``is missing`` adds nothing to the
    points, and lowers :meth:`completeness`; never read few points beside a low completeness as little need.

    Attributes
    ----------
    rows_ : list of dict
        The rows: item, condition, points, domain, is_actionable, reason.
    card_ : dict
        What the card says about itself: id, version, kind, licence, source, outcome, horizon_days …
    risk_points_, risk_values_ : numpy.ndarray
        The risk table, by points; empty where the card has none.
    feature_names_in_ : numpy.ndarray of str
        The items, in the order of the table.
    n_features_in_ : int
        How many items.
    classes_ : numpy.ndarray
        0 and 1: without and with the outcome.

    Examples
    --------
    >>> rows = [("falls", ">= 2", 3), ("gir", "< 5", 2), ("gir", "< 3", 2)]
    >>> card = PointScorecard.from_table(pd.DataFrame(rows, columns=["item", "condition", "points"]))
    >>> ids = pd.Index(["P1", "P2", "P3"], name="person_id")
    >>> people = pd.DataFrame({"falls": [0, 2, None], "gir": [6, 4, 1]}, index=ids)
    >>> card.points(people).to_dict(), card.completeness(people).to_dict()
    ({'P1': 0, 'P2': 5, 'P3': 4}, {'P1': 1.0, 'P2': 1.0, 'P3': 0.5})
    >>> card.explain(people)[["person_id", "item", "contribution"]].to_dict("split")["data"]
    [['P2', 'falls', 3], ['P2', 'gir', 2], ['P3', 'gir', 4]]
    """

    @classmethod
    def from_table(
        cls, table: str | Path | Scorecard | pd.DataFrame, risk_table: pd.DataFrame | None = None
    ) -> PointScorecard:
        """Make a scorecard from a published or agreed table.

        Parameters
        ----------
        table : str, path, Scorecard or DataFrame
            A shipped name, a TOML file, a loaded scorecard, or a frame with columns item, condition and points (and,
            where wanted, domain, is_actionable, reason).
        risk_table : pandas.DataFrame, optional
            Columns points and risk (0 to 1), for a table given as a frame.

        Returns
        -------
        PointScorecard
            Ready to score people.

        Raises
        ------
        KnowledgeError
            A condition cannot be read, or nothing has that name.
        UsageError
            Points are not whole, or an item is compared both as number and as text.

        Examples
        --------
        >>> PointScorecard.from_table(pd.DataFrame({"item": ["age"], "condition": [">= 80"], "points": [2]})).max_points
        2
        """
        if isinstance(table, pd.DataFrame):
            pairs = () if risk_table is None else zip(risk_table["points"], risk_table["risk"], strict=True)
            return cls._build(rows_of_frame(table), list(pairs), {})
        card = table if isinstance(table, Scorecard) else load_scorecard(table)
        about = {name: _plain(getattr(card, name)) for name in _ABOUT}
        return cls._build(rows_of_card(card), list(card.risk_table), about)

    @classmethod
    def _build(cls, rows: list[dict[str, Any]], risk: list[Any], about: dict[str, Any]) -> PointScorecard:
        """Make a card of rows, risk table and description, checked: the one way by which a card becomes ready."""
        card = cls()
        card.rows_ = checked_rows(rows)
        card.risk_points_, card.risk_values_ = checked_risk(risk)
        card.card_ = about
        card.feature_names_in_ = np.array(list(dict.fromkeys(row["item"] for row in card.rows_)), dtype=object)
        card.n_features_in_ = len(card.feature_names_in_)
        card.classes_ = np.array([0, 1])
        check_items(rows_by_item(card.rows_))
        return card

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "rows_")

    def _items(self) -> list[ItemRows]:
        """Return the rows of each item."""
        if not hasattr(self, "rows_"):
            raise UsageError("this scorecard has no table yet", do="make it with PointScorecard.from_table(...)")
        return rows_by_item(self.rows_)

    def _columns(self, X: Any) -> Iterator[tuple[Column, ItemRows]]:
        """Each item's values in X, with its rows."""
        frame = as_frame(X, list(getattr(self, "feature_names_in_", [])))
        for rows in self._items():
            yield read_column(frame, rows.item), rows

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
        >>> rows = [("falls", ">= 2", 3), ("gir", "< 5", 2)]
        >>> card = PointScorecard.from_table(pd.DataFrame(rows, columns=["item", "condition", "points"]))
        >>> people = pd.DataFrame({"falls": [0, None, None], "gir": [6, 4, None]}, index=["P1", "P2", "P3"])
        >>> card.missing_items(people).to_dict(), card.points_share(people).to_dict()
        ({'P1': '', 'P2': 'falls', 'P3': 'falls,gir'}, {'P1': 0.0, 'P2': 0.4, 'P3': 0.0})
        """
        unknown = self._unknown(X)
        pattern = np.zeros(len(unknown), dtype=np.int64)
        for flags in unknown.T:  # numbered anew at each item, so that any number of items fits
            pattern = pd.factorize(pattern * 2 + flags)[0]
        firsts = np.unique(pattern, return_index=True)[1]
        words = np.array([",".join(self.feature_names_in_[unknown[row]]) for row in firsts], dtype=object)
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
        >>> falls = pd.DataFrame({"item": ["falls"] * 2, "condition": [">= 1", ">= 2"], "points": [2, 3]})
        >>> card = PointScorecard.from_table(falls, risk_table=pd.DataFrame({"points": [0, 4], "risk": [0.1, 0.3]}))
        >>> card.predict_proba(pd.DataFrame({"falls": [0, 1, 2]}))[:, 1].tolist()
        [0.1, 0.1, 0.3]
        """
        points = self.points(X).to_numpy(dtype="int64")
        if not len(self.risk_points_):
            raise UsageError(
                f"scorecard {self.card_.get('id', '')!r} has no risk table, so it gives points but no risk",
                do="use points(X), or give a risk table that was estimated on people like these",
            )
        line = np.searchsorted(self.risk_points_, points, side="right") - 1
        risk = self.risk_values_[np.clip(line, 0, None)]
        return np.column_stack([1.0 - risk, risk])

    def explain(self, X: Any, top: int | None = None) -> pd.DataFrame:
        """Break each person's points down by item; the contributions of a person sum to the points, exactly.

        Parameters
        ----------
        X : pandas.DataFrame
            As for ``points``.
        top : int, optional
            Keep only this many items of each person, the greatest first; without it all are kept.

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
            which.append(rows.narrowest(column))
            contributions.append(rows.add_up(column))
            missing.append(column.is_missing)
        return reasons_frame(
            _index_of(X),
            np.column_stack(contributions),
            self.table_,
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
    def table_(self) -> pd.DataFrame:
        """One row per row of the card: item, condition, points, domain, is_actionable, reason."""
        frame = pd.DataFrame(self.rows_, columns=list(ROW_FIELDS))
        text = dict.fromkeys(("item", "condition", "domain", "reason"), TEXT)
        return frame.astype({**text, "points": "int64", "is_actionable": "bool"})

    @property
    def risk_table_(self) -> pd.DataFrame:
        """One row per line of the risk table: points, risk; no row where the card has none."""
        return pd.DataFrame({"points": self.risk_points_, "risk": self.risk_values_})

    @property
    def fingerprint(self) -> str:
        """Hash of the rows, the risk table and the description."""
        return fingerprint_of(self._content())

    def _content(self) -> dict[str, Any]:
        """All that makes the card, as plain content."""
        return {
            "format": FORMAT,
            "card": self.card_,
            "rows": self.rows_,
            "risk": [[int(p), float(r)] for p, r in zip(self.risk_points_, self.risk_values_, strict=True)],
        }

    def to_json(self) -> str:
        """Write the card as JSON.

        Returns
        -------
        str
            The same text for the same card.

        Raises
        ------
        UsageError
            The card has no table yet.
        """
        self._items()
        return json.dumps(self._content(), ensure_ascii=False, indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> PointScorecard:
        """Read a card from JSON.

        Parameters
        ----------
        text : str
            What :meth:`to_json` wrote.

        Returns
        -------
        PointScorecard
            The same card.

        Raises
        ------
        UsageError
            The text is not a scorecard of this format.
        """
        try:
            content = json.loads(text)
        except ValueError as error:
            raise UsageError("expected the JSON of a scorecard; found text that is no JSON") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            found = content.get("format") if isinstance(content, dict) else type(content).__name__
            raise UsageError(f"expected the format {FORMAT}; found {found!r}")
        return cls._build(content["rows"], content["risk"], content["card"])


def _index_of(X: Any) -> pd.Index:
    """Return the index of a frame, or the row numbers of an array."""
    return X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(X))


def _plain(value: Any) -> Any:
    """Return a frozen mapping as JSON knows it, anything else as it is."""
    return dict(value) if isinstance(value, Mapping) else value
