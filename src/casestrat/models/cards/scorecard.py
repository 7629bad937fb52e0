"""Whole-number points that a committee can read, and the risk that goes with them: published, agreed or learned."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.validation import validate_data

from casestrat.errors import UsageError
from casestrat.knowledge.scorecard import Scorecard
from casestrat.knowledge.scorecard_file import load_scorecard
from casestrat.models.cards.certificate import CardCertificate, certify_card
from casestrat.models.cards.learning import learn_cards
from casestrat.models.cards.rows import (
    check_items,
    checked_risk,
    checked_rows,
    rows_by_item,
    rows_of_card,
    rows_of_frame,
    without_nan,
)
from casestrat.models.cards.scoring import CardRows
from casestrat.models.cards.settings import check_settings, read_settings
from casestrat.models.cards.sql import card_to_sql, json_in_sql
from casestrat.models.explanation import describe_items
from casestrat.models.inputs.columns import as_frame
from casestrat.models.inputs.features import names_of
from casestrat.models.inputs.rows import read_training
from casestrat.models.measures.own_folds import warn_no_signal
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "casestrat-scorecard/1"
_ABOUT = ("id", "version", "label", "domain", "kind", "licence", "source", "status", "outcome", "horizon_days")
_DIGITS = 6  # of a risk in the table
# What a card keeps of the people it was learned on, beside its rows and its risk table.
_LEARNED = ("path_", "n_rows_", "n_persons_", "n_events_", "warnings_", "step_")


class PointScorecard(CardRows, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A table of items and whole-number points: published, agreed on, or learned from what happened to people.

    Make one with :meth:`from_table`, or learn one with :meth:`fit`; both are the same object, so that they can be
    applied, explained and evaluated side by side. The rows of an item add up: with ``gir < 5`` worth 2 and ``gir < 3``
    worth 2, a GIR of 1 gives 4. **Unknown is not low risk**: a missing item without a row ``is missing`` adds nothing
    to the points, and lowers :meth:`completeness`; never read few points beside a low completeness as little need.

    A learned card takes the few conditions whose logistic regression fits best (a beam search with exchanges), turns
    their weights into whole points, and tells for every number of rows up to ``max_rows`` how such a card did on
    people left out (:attr:`path_`), so that a committee can choose: ``card.at(5)`` is the card of five rows. Thresholds
    of an item point one way unless ``monotone=False``, so that a worse answer never lowers the points. Its risk table
    is shrunk by the slope found on people left out.

    Parameters
    ----------
    max_rows : int, default 10
        The most rows, 1 or more.
    max_row_points : int, default 5
        The most points of a row, in size.
    monotone : bool, default True
        Whether the thresholds of an item must point one way.
    directions : mapping of str to {"higher", "lower", "either"}, optional
        Item → which values are worse. Without it the ``worse`` of ``features`` counts; else the data tell.
    levels : mapping of str to sequence of str, optional
        Item of text → its levels, from best to worst: a worse one then never has fewer points.
    forced, excluded : sequence of str
        Items that must have a row, and items that may have none.
    missing : {"row", "unknown"}, default "row"
        Whether a missing value may have a row of its own; else it adds nothing and lowers the completeness.
    max_rows_per_item : int, optional
        The most rows of one item.
    max_thresholds : int, default 20
        Into how many cuts a number is offered: round values near its quantiles.
    least_people : int, default 10
        A condition must hold, and not hold, for as many people (in small files for a tenth of them).
    features : sequence, optional
        The program's features, or their definitions: they give domain, is_actionable and the direction.
    beam_width : int, default 5
        How many sets of rows the search follows; more is slower and seldom better.
    reference_share : float, default 0.8
        How much a card follows the risks of a regression on all features (1) or the labels (0), which are noisier.
    n_folds : int, default 5
        Person-grouped folds on which every size of card is measured; 0 measures none and shrinks nothing.
    random_state : int, default 0
        Seed of the folds.

    Attributes
    ----------
    rows_ : list of dict
        The rows: item, condition, points, domain, is_actionable, reason.
    card_ : dict
        What the card says about itself: id, version, kind, licence, source, outcome, horizon_days …
    risk_points_, risk_values_ : numpy.ndarray
        The risk table, by points; empty where the card has none.
    feature_names_in_ : numpy.ndarray of str
        Of a learned card the features it chose from; else the items, in the order of the table.
    n_features_in_ : int
        How many they are.
    classes_ : numpy.ndarray
        Without and with the outcome; 0 and 1 for a card that was not learned.
    path_ : list of dict
        Of a learned card, one entry per number of rows: n_rows, rows, and auc, average_precision, brier and
        calibration_slope on people left out.
    step_ : int
        Which entry of the path this card is.
    n_rows_, n_persons_, n_events_ : int
        What a learned card was learned on.
    warnings_ : list of str
        What a reader of a learned card must know.

    References
    ----------
    Liu J, Zhong C, Li B, Seltzer M, Rudin C (2022). FasterRisk: fast and accurate interpretable risk scores. NeurIPS.
    Ustun B, Rudin C (2019). Learning optimized risk scores. Journal of Machine Learning Research 20, 1–75.

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

    def __init__(
        self,
        max_rows: int = 10,
        *,
        max_row_points: int = 5,
        monotone: bool = True,
        directions: Mapping[str, str] | None = None,
        levels: Mapping[str, Sequence[str]] | None = None,
        forced: Sequence[str] = (),
        excluded: Sequence[str] = (),
        missing: str = "row",
        max_rows_per_item: int | None = None,
        max_thresholds: int = 20,
        least_people: int = 10,
        features: Sequence[Any] | None = None,
        beam_width: int = 5,
        reference_share: float = 0.8,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.max_rows = max_rows
        self.max_row_points = max_row_points
        self.monotone = monotone
        self.directions = directions
        self.levels = levels
        self.forced = forced
        self.excluded = excluded
        self.missing = missing
        self.max_rows_per_item = max_rows_per_item
        self.max_thresholds = max_thresholds
        self.least_people = least_people
        self.features = features
        self.beam_width = beam_width
        self.reference_share = reference_share
        self.n_folds = n_folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

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
        """Make a card of rows, risk table and description, checked."""
        card = cls()
        card._set_table(rows, risk, about)
        card.feature_names_in_ = card.items_
        card.n_features_in_ = len(card.items_)
        card.classes_ = np.array([0, 1])
        return card

    def _set_table(self, rows: list[dict[str, Any]], risk: list[Any], about: dict[str, Any]) -> None:
        """Take rows, risk table and description, checked: the one way by which a card becomes ready."""
        self.rows_ = checked_rows(rows)
        self.risk_points_, self.risk_values_ = checked_risk(risk)
        self.card_ = about
        check_items(rows_by_item(self.rows_))

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> PointScorecard:
        """Learn a card from people whose outcome is known.

        Parameters
        ----------
        X : pandas.DataFrame or array of shape (n, features)
            One row per person and date.
        y : array of shape (n,)
            Two classes, no label missing; as a Series it has the index of X.
        groups : array of shape (n,), optional
            The person of each row. Without it the index level ``person_id`` tells; without that, each row is a person.
        sample_weight : array of shape (n,), optional
            How often each row counts, 0 or more: 2 is the same as the row twice, for the same person.

        Returns
        -------
        PointScorecard
            Itself, with the largest card of the path; :meth:`at` gives the others.

        Raises
        ------
        UsageError
            A label is missing, there is only one class, no condition tells people apart, a setting cannot be used, or
            the calibrator came out inverted.

        Examples
        --------
        >>> people = pd.DataFrame({"falls": [0, 1, 3] * 20, "alone": [0.0, 1.0, None] * 20})
        >>> card = PointScorecard(max_rows=1).fit(people, [0, 0, 1] * 20)
        >>> card.table_[["item", "condition", "points"]].to_numpy().tolist()
        [['falls', '>= 3', 1]]
        """
        check_settings(self.get_params(deep=False))
        rows, self.classes_ = read_training(self, X, y, groups, sample_weight)
        names = names_of(self)
        learned = learn_cards(rows, names, *read_settings(self.get_params(deep=False), names))
        self.path_ = [{**step, "rows": self._described(step["rows"])} for step in learned.path]
        self.card_, self.warnings_ = {"kind": "learned"}, learned.warnings
        self.n_rows_, self.n_events_ = len(rows.event), int(rows.event.sum())
        self.n_persons_ = len(np.unique(rows.persons))
        self._take_step(len(self.path_) - 1)
        self.warnings_ += warn_no_signal(self.path_[self.step_]["calibrator"])
        return self

    def at(self, n_rows: int) -> PointScorecard:
        """Return the learned card with another number of rows.

        Parameters
        ----------
        n_rows : int
            A number of rows on the path.

        Returns
        -------
        PointScorecard
            A card of its own, with the same path.

        Raises
        ------
        UsageError
            The card was not learned, or the path has no card of so many rows.
        """
        sizes = [step["n_rows"] for step in getattr(self, "path_", [])]
        if n_rows not in sizes:
            found = f"cards of {', '.join(map(str, sizes))} rows" if sizes else "no path: it was not learned"
            raise UsageError(f"expected a number of rows on the path; the card has {found}", where="n_rows")
        other = copy.copy(self)
        PointScorecard._take_step(other, sizes.index(n_rows))
        return other

    def _take_step(self, place: int) -> None:
        """Become one card of the path: its rows, and its risk for every number of points they can give."""
        step = self.path_[place]
        self.step_ = place
        self._set_table(step["rows"], [], self.card_)
        points = np.arange(self.min_points, self.max_points + 1)
        risk = np.round(expit(step["intercept"] + step["slope"] * points), _DIGITS)
        self.risk_points_, self.risk_values_ = checked_risk(zip(points.tolist(), risk.tolist(), strict=True))

    def _described(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add to learned rows what the features say of their items."""
        items = list(dict.fromkeys(row["item"] for row in rows))
        told = describe_items(items, self.features).set_index("item")
        return [
            {
                **row,
                "domain": str(told.loc[row["item"], "domain"]),
                "is_actionable": bool(told.loc[row["item"], "is_actionable"]),
                "reason": row["item"],
            }
            for row in rows
        ]

    def _frame(self, X: Any) -> pd.DataFrame:
        """Return X as a frame; an array has the columns that the card was learned on, or its items in their order."""
        names = names_of(self)
        is_named = hasattr(self, "feature_names_in_")
        if isinstance(X, pd.DataFrame):
            by_place = not is_named and len(X.columns) == len(names) and not set(names) <= set(X.columns)
            return X.set_axis(names, axis=1) if by_place else X
        if is_named:
            return as_frame(X, names)
        array = validate_data(self, X, reset=False, dtype="numeric", ensure_all_finite="allow-nan")
        return as_frame(array, names)

    @property
    def schema_(self) -> list[dict[str, str]]:
        """The items it takes: name and kind (``any``: a condition tells)."""
        return [{"name": str(item), "kind": "any"} for item in self.items_]

    @property
    def fingerprint(self) -> str:
        """Hash of the rows, the risk table, the description and all that was learned."""
        return fingerprint_of(self._content())

    def _content(self) -> dict[str, Any]:
        """All that makes the card, as plain content."""
        self._items()
        content = {
            "format": FORMAT,
            "card": self.card_,
            "rows": self.rows_,
            "risk": [[int(p), float(r)] for p, r in zip(self.risk_points_, self.risk_values_, strict=True)],
        }
        if hasattr(self, "path_"):
            learned = {name: getattr(self, name) for name in _LEARNED}
            learned |= {"features": names_of(self), "classes": self.classes_.tolist()}
            content["learned"] = without_nan(learned)
        return content

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
        card = cls._build(content["rows"], content["risk"], content["card"])
        learned = content.get("learned")
        if learned is not None:
            for name in _LEARNED:
                setattr(card, name, learned[name])
            card.feature_names_in_ = np.array(learned["features"], dtype=object)
            card.n_features_in_ = len(learned["features"])
            card.classes_ = np.array(learned["classes"])
        return card

    def to_sql(self, table: str, keys: Sequence[str] = ("person_id", "as_of")) -> str:
        """Write the card as one SQL query, which gives the points, and the risk where the card has one.

        Parameters
        ----------
        table : str
            The table of features: a column for each item, missing as NULL.
        keys : sequence of str, default ("person_id", "as_of")
            Columns that are handed on.

        Returns
        -------
        str
            A SELECT in standard SQL; its first comment holds the card itself, so that :meth:`from_sql` reads it back.

        Raises
        ------
        UsageError
            The card has no table yet, or a name holds a quotation mark.

        Examples
        --------
        >>> falls = pd.DataFrame({"item": ["falls"], "condition": [">= 2"], "points": [3]})
        >>> print(PointScorecard.from_table(falls).to_sql("features", keys=["person_id"]).splitlines()[-3].strip())
        CASE WHEN "falls" >= 2 THEN 3 ELSE 0 END AS points
        """
        return card_to_sql(self, table, keys)

    @classmethod
    def from_sql(cls, text: str) -> PointScorecard:
        """Read a card back from the query that :meth:`to_sql` wrote.

        Parameters
        ----------
        text : str
            The query, with its first comment.

        Returns
        -------
        PointScorecard
            The same card.

        Raises
        ------
        UsageError
            The text holds no card.
        """
        return cls.from_json(json_in_sql(text))

    def certify(self, X: Any, y: Any, sample_weight: Any = None, *, time_limit_s: float = 60.0) -> CardCertificate:
        """Prove how far the card is from the best card of as many rows and the same scale, on the people given.

        Parameters
        ----------
        X : pandas.DataFrame or array of shape (n, features)
            The people that the card was learned on.
        y : array of shape (n,)
            Their labels.
        sample_weight : array of shape (n,), optional
            How often each row counts.
        time_limit_s : float, default 60
            Seconds for the solver, above 0. Where it runs out, the gap that is proven by then is told.

        Returns
        -------
        CardCertificate
            The loss of the card, a bound that no card of the same rows and scale can go below, and the gap.

        Raises
        ------
        UsageError
            The card was not learned, or the time limit is not above 0.
        """
        if not hasattr(self, "path_"):
            raise UsageError("only a learned card can be certified; this one was made from a table", where="certify")
        other = clone(self)
        rows, _classes = read_training(other, X, y, None, sample_weight)
        limits, _how = read_settings(self.get_params(deep=False), names_of(other))
        return certify_card(self, rows, names_of(other), limits, time_limit_s)


def _plain(value: Any) -> Any:
    """Return a frozen mapping as JSON knows it, anything else as it is."""
    return dict(value) if isinstance(value, Mapping) else value
