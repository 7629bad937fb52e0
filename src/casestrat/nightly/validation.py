"""How far a model, or the program's card, can be trusted on past dates: figures, card and page in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.knowledge.sentence import Sentence
from casestrat.models import (
    Drift,
    Evaluation,
    ModelCard,
    ModelComparison,
    PointScorecard,
    RankingFairness,
    RiskClassifier,
    compare_models,
    drift,
    evaluate,
    join_small_groups,
    label_warnings,
    model_card,
    ranking_fairness,
)
from casestrat.nightly.audited_groups import audit_groups_of
from casestrat.nightly.partition import feature_builder, score_people
from casestrat.nightly.request import load_scorer, parse_as_of
from casestrat.nightly.training import labelled
from casestrat.reports import scorecard_page, validation_page
from casestrat.timeline import make_spine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from casestrat.knowledge import Program
    from casestrat.nightly.request import Progress
    from casestrat.tables import Tables

_LEAST = 30  # rows of a group, below which it joins the next smallest


@dataclass(frozen=True, eq=False, slots=True)
class Validation:
    """How a model did on past dates, and what can be told of it.

    Parameters
    ----------
    evaluation : Evaluation
        Its risks, or points, beside what then happened, with the program's audit groups.
    card : ModelCard
        The model card.
    ranking : RankingFairness or None
        Those who waited: exposure, admission at equal score, waiting; None where nobody waited.
    drift : Drift or None
        The earlier half of the dates beside the later; None for one date.
    comparison : ModelComparison or None
        The program's card and the default classifier on the same held-out people; None where not asked for.
    model : estimator
        What was judged.
    page : str
        The validation page, HTML.
    """

    evaluation: Evaluation
    card: ModelCard
    ranking: RankingFairness | None
    drift: Drift | None
    comparison: ModelComparison | None
    model: Any
    page: str


def validate(
    tables: Tables,
    program: Program,
    as_of: Sequence[str | pd.Timestamp],
    *,
    model: str | Path | None = None,
    capacity: int | Sequence[int] | None = None,
    beside: bool = False,
    told: Mapping[str, Any] | None = None,
    lang: str = "en",
    n_boot: int = 200,
    random_state: int = 0,
    progress: Progress | None = None,
) -> Validation:
    """Hold a model or the program's scorecard against what then happened, group by group, and write the page.

    Parameters
    ----------
    tables : Tables
        The checked tables.
    program : Program
        Its outcome, audit groups and least cell are used.
    as_of : sequence of str or pandas.Timestamp
        Past dates; their outcomes must be known by the end of the data.
    model : str or path, optional
        A stored model, or the folder of a registry; by default the program's scorecard.
    capacity : int or sequence of int, optional
        Places: what they find is told. All dates together are one list.
    beside : bool, default False
        Whether the program's card and the default classifier, learned anew, are held beside each other on the same
        held-out people; takes longer.
    told : mapping of str to str or label, optional
        Item of the model card → what the site says.
    lang : {"en", "fr", "it"}
        The language the page opens in.
    n_boot : int, default 200
        Bootstrap draws for the intervals.
    random_state : int, default 0
        Seed of the draws.
    progress : callable, optional
        Told of each step: its name, how much is done, and of how much.

    Returns
    -------
    Validation
        The figures, the card, and the page.

    Raises
    ------
    StoreError
        The stored model cannot be read, or does not fit.
    UsageError
        No outcome of these dates is known yet.
    """
    tell = progress or (lambda _step, _done, _of: None)
    tell("scores", 0, 1)
    scorer = load_scorer(model, program)
    X, labels = labelled(tables, program, as_of, feature_builder(scorer, program))
    y = labels["label"].astype("float64").reindex(X.index)
    scores, _reasons = score_people(scorer, X)
    is_risk = bool(scores["risk"].notna().all())
    score = scores["risk" if is_risk else "points"].astype("float64")
    tell("scores", 1, 1)
    tell("figures", 0, 1)
    outcome = program.outcomes[program.risk.outcome]
    followed = _followed(tables, X.index, outcome.horizon_days)
    notes = [*label_warnings(outcome, y=y, is_followed=followed), *_of_model(scorer)]
    settings = {"n_boot": n_boot, "random_state": random_state, "small_cell": program.privacy.small_cell}
    groups = join_small_groups(_groups(tables, program, X.index), _LEAST)
    report = evaluate(y, score, capacity, groups, is_probability=is_risk, notes=notes, **settings)
    ranking = _ranking(tables, program, score, groups, outcome.horizon_days, settings)
    moved = _drift(X, y, score if is_risk else None, settings)
    compared = _beside(program, X, y, outcome.horizon_days, n_boot, random_state) if beside else None
    data = {
        **{name: getattr(tables.extract, name) for name in ("data_start", "data_end", "recorded_at")},
        "n_people": len(tables.persons),
        "fingerprint": tables.fingerprint,
        "as_of": [str(parse_as_of(date).date()) for date in as_of],
    }
    card = model_card(scorer, report, program, data=data, comparison=compared, drift=moved, told=told, lang=lang)
    tell("figures", 1, 1)
    tell("page", 0, 1)
    page = validation_page(
        report, card, lang, program=program, as_of=max(parse_as_of(date) for date in as_of), comparison=compared,
        drift=moved, ranking=ranking,
        fingerprints={"extract": tables.fingerprint, "program": program.fingerprint, "model": scorer.fingerprint},
    )  # fmt: skip
    tell("page", 1, 1)
    return Validation(report, card, ranking, moved, compared, scorer, page)


def print_scorecard(program: Program, *, model: str | Path | None = None, lang: str = "en") -> str:
    """Return the printable page of a stored card, or of the program's scorecard.

    Parameters
    ----------
    program : Program
        Names items and outcome.
    model : str or path, optional
        A stored card, or the folder of a registry; by default the program's scorecard.
    lang : {"en", "fr", "it"}
        The language the page opens in.

    Returns
    -------
    str
        The HTML of the page.

    Raises
    ------
    StoreError
        The stored model cannot be read.
    UsageError
        It is no scorecard.
    """
    card = load_scorer(model, program)
    return scorecard_page(card, lang, program=program)


def _of_model(model: Any) -> list[Sentence]:
    """Say of a learned model that dates it was learned from would flatter it."""
    return [Sentence.of("warnings.stored_model")] if getattr(model, "n_rows_", None) else []


def _groups(tables: Tables, program: Program, index: pd.Index) -> pd.DataFrame:
    """Return the audit groups of each person and date, as known on that date."""
    parts = []
    for date in index.unique("as_of").sort_values():
        rows = index[index.get_level_values("as_of") == date]
        groups = audit_groups_of(tables, program, date).reindex(rows.get_level_values("person_id"))
        parts.append(groups.set_axis(rows, axis=0))
    return pd.concat(parts).reindex(index)


def _admissions(tables: Tables, index: pd.Index) -> pd.DataFrame:
    """Return each row with the episodes of its person: one row per person, date and episode."""
    rows = index.to_frame(index=False)
    episodes = tables.episodes[["person_id", "admitted_on", "closed_on"]].dropna(subset="admitted_on")
    return rows.merge(episodes, on="person_id", how="inner")


def _flags(rows: pd.DataFrame, index: pd.Index) -> pd.Series:
    """Return which rows of an index occur among these."""
    there = pd.MultiIndex.from_frame(rows[["person_id", "as_of"]])
    return pd.Series(index.isin(there), index=index)


def _followed(tables: Tables, index: pd.Index, horizon_days: int) -> pd.Series:
    """Return who was followed by the program at some time between the date and the horizon."""
    rows = _admissions(tables, index)
    end = rows["as_of"] + pd.Timedelta(days=horizon_days)
    during = (rows["admitted_on"] < end) & (rows["closed_on"].isna() | (rows["closed_on"] >= rows["as_of"]))
    return _flags(rows[during], index)


def _ranking(
    tables: Tables,
    program: Program,
    score: pd.Series,
    groups: pd.DataFrame,
    horizon_days: int,
    settings: Mapping[str, Any],
) -> RankingFairness | None:
    """Return how those who waited were treated: admitted within the horizon, and how long they had waited."""
    dates = list(score.index.unique("as_of"))
    spine = make_spine(tables, program, as_of=dates, population="waiting")
    waiting = score.index[score.index.isin(pd.MultiIndex.from_frame(spine[["person_id", "as_of"]]))]
    if waiting.empty:
        return None
    rows = _admissions(tables, waiting)
    end = rows["as_of"] + pd.Timedelta(days=horizon_days)
    admitted = _flags(rows[(rows["admitted_on"] >= rows["as_of"]) & (rows["admitted_on"] < end)], waiting)
    return ranking_fairness(
        score.loc[waiting], groups.loc[waiting], is_admitted=admitted.astype("float64"),
        waited_days=_waited(tables, waiting), **settings,
    )  # fmt: skip


def _waited(tables: Tables, waiting: pd.Index) -> pd.Series:
    """Return the days since the last referral before the date."""
    rows = waiting.to_frame(index=False).merge(tables.referrals[["person_id", "referred_on"]], on="person_id")
    last = rows[rows["referred_on"] < rows["as_of"]].groupby(["person_id", "as_of"])["referred_on"].max()
    since: Any = waiting.get_level_values("as_of") - pd.DatetimeIndex(last.reindex(waiting))
    return pd.Series(np.asarray(since / pd.Timedelta(days=1), dtype="float64"), index=waiting)


def _drift(X: pd.DataFrame, y: pd.Series, risk: pd.Series | None, settings: Mapping[str, Any]) -> Drift | None:
    """Return the earlier half of the dates beside the later."""
    dates = X.index.unique("as_of").sort_values()
    if len(dates) < 2:
        return None
    late = X.index.get_level_values("as_of") >= dates[len(dates) // 2]
    given = {} if risk is None else {
        "risk_before": risk[~late], "risk_after": risk[late], "y_before": y[~late], "y_after": y[late],
    }  # fmt: skip
    return drift(X[~late], X[late], **given, **settings)


def _beside(
    program: Program, X: pd.DataFrame, y: pd.Series, horizon_days: int, n_boot: int, random_state: int
) -> ModelComparison:
    """Return the program's card and the default classifier on the same people, whom neither had seen."""
    models = {
        str(program.risk.scorecard): PointScorecard.from_table(program.risk.scorecard),
        "RiskClassifier": RiskClassifier(random_state=random_state),
    }
    kind = "temporal" if _has_gap(X, horizon_days) else "person"
    return compare_models(models, X, y, kind, gap_days=horizon_days, n_boot=n_boot, random_state=random_state)


def _has_gap(X: pd.DataFrame, horizon_days: int) -> bool:
    """Whether the second of the dates comes late enough for the labels of the first to be known by then."""
    dates = X.index.unique("as_of").sort_values()
    return len(dates) > 1 and (dates[1] - dates[0]).days >= horizon_days
