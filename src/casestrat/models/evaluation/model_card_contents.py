"""What can be told of a model without asking anybody: from itself, its evaluation, its program and its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.knowledge.sentence import Figure, Sentence
from casestrat.models.cards.scorecard import PointScorecard
from casestrat.models.inputs.sample_size import events_needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from casestrat.models.evaluation.evaluation import Evaluation
    from casestrat.models.evaluation.model_comparison import ModelComparison

_TOLD = {
    "auc": 3, "average_precision": 3, "brier": 3, "scaled_brier": 3, "calibration_slope": 2, "calibration_intercept": 2,
    "expected_over_observed": 2, "ici": 3,
}  # fmt: skip
_TYPES = ("PointScorecard", "RiskClassifier", "HorizonRisk", "RuleSet")
_MOST_NAMES = 40  # features named one by one; of more, how many there are


@dataclass(frozen=True, slots=True)
class Known:
    """All that a card is made of; what is not known is None or empty."""

    model: Any
    evaluation: Evaluation | None
    program: Any
    outcome: Any
    data: Mapping[str, Any]
    optimism: Any
    comparison: ModelComparison | None
    drift: Any
    audit: Mapping[str, Any] | None
    stored: Mapping[str, Any]

    @property
    def is_card(self) -> bool:
        """Whether the model is a table of points."""
        return isinstance(self.model, PointScorecard)

    @property
    def about(self) -> Mapping[str, Any]:
        """What a scorecard says of itself."""
        return dict(getattr(self.model, "card_", {}) or {})

    @property
    def is_published(self) -> bool:
        """Whether the card was made elsewhere, by others."""
        return self.about.get("kind") in {"published", "expert"}


def contents(known: Known) -> dict[str, list[Any]]:
    """Return what can be told by item of TRIPOD+AI.

    Parameters
    ----------
    known : Known
        What is known.

    Returns
    -------
    dict of list
        Item → statements; items of which nothing is known are absent or empty.
    """
    parts = (_about, _data_and_people, _outcome, _predictors, _methods, _output, _results, _limits)
    found: dict[str, list[Any]] = {}
    for part in parts:
        for item, statement in part(known):
            found.setdefault(item, []).append(statement)
    return found


def _say(key: str, **values: Any) -> Sentence:
    """Return a sentence of the section ``card``."""
    return Sentence.of(f"card.{key}", **values)


def _kind(known: Known) -> Sentence:
    """Return what kind of model it is, in words."""
    name = type(known.model).__name__
    return _say(f"kind_{name}") if name in _TYPES else _say("kind_other", name=name)


def _outcome_label(outcome: Any) -> Mapping[str, str]:
    """Return the outcome's words, or its name made readable."""
    return dict(outcome.label) or {"en": outcome.name.replace("_", " ")}


def _about(known: Known) -> Iterator[tuple[str, Any]]:
    """Say what it is, for whom, and what for."""
    named = known.about.get("label") or known.about.get("id") or ""
    name = dict(named) if hasattr(named, "keys") else str(named)
    label = _outcome_label(known.outcome) if known.outcome is not None else known.about.get("outcome")
    who = {"kind": _kind(known), "outcome": label}
    if label and name:
        yield "1", _say("what_named", name=name, **who)
    elif label:
        yield "1", _say("what", **who)
    else:
        yield "1", _say("what_only", kind=_kind(known))
    if known.evaluation is not None:
        report = known.evaluation
        auc = report.summary[report.summary["metric"] == "auc"].iloc[0]
        interval = {end: Figure(float(auc[end])) for end in ("value", "low", "high")}
        yield "2", _say("in_short", n=report.n_used, events=report.n_events, **interval)
    if known.program is not None:
        yield "3b", _say("for_program", program=dict(known.program.label) or known.program.id)
        yield "6b", _say(f"population_{known.program.population}")
    yield "3b", _say("purpose")
    yield "4", _say("goal_evaluate" if known.is_published else "goal_develop")


def _data_and_people(known: Known) -> Iterator[tuple[str, Any]]:
    """Say where the data come from, of when they are, and who is in them."""
    data = known.data
    if data.get("source"):
        yield "5a", str(data["source"])
    if data.get("fingerprint"):
        yield "5a", _say("extract", fingerprint=str(data["fingerprint"])[:16])
    if _is_known(data.get("data_start")) or _is_known(data.get("data_end")):
        yield "5b", _say("data_span", start=_day(data.get("data_start")), end=_day(data.get("data_end")))
    if data.get("as_of"):
        dates = sorted(str(pd.Timestamp(str(one)).date()) for one in np.atleast_1d(data["as_of"]))
        yield "5b", _say("dates", n=len(dates), first=_day(dates[0]), last=_day(dates[-1]))
    if data.get("recorded_at") == "observed_at":
        yield "26", _say("recorded_unknown")
    if data.get("setting"):
        yield "6a", str(data["setting"])
    if data.get("n_people"):
        yield "20a", _say("people_in_extract", n=int(data["n_people"]))
    if known.program is not None or known.stored.get("definitions"):
        yield "7", _say("as_of_features")


def _is_known(value: Any) -> bool:
    """Whether a date is there."""
    return value is not None and not pd.isna(value)


def _day(value: Any) -> Any:
    """Return a date, or what is said where it is not known."""
    return pd.Timestamp(value).date() if _is_known(value) else _say("not_known")


def _outcome(known: Known) -> Iterator[tuple[str, Any]]:
    """Say what is foretold, and what ends the chance to see it."""
    outcome = known.outcome
    if outcome is None:
        if known.about.get("outcome"):
            yield (
                "8a",
                _say(
                    "outcome_of_card",
                    outcome=str(known.about["outcome"]),
                    days=_or_unknown(known.about.get("horizon_days")),
                ),
            )
        return
    yield "8a", _say("outcome", outcome=_outcome_label(outcome), days=outcome.horizon_days)
    if outcome.competing:
        yield "8a", _say("competing", names=tuple(name.replace("_", " ") for name in outcome.competing))


def _or_unknown(value: Any) -> Any:
    """Return a value, or the words for one that is not known."""
    return _say("not_known") if value is None else value


def _predictors(known: Known) -> Iterator[tuple[str, Any]]:
    """Say what the risk is made of, and whether any of it looks ahead."""
    if known.about.get("source"):
        yield "9a", str(known.about["source"])
    names = _feature_names(known.model)
    labels = {} if known.program is None else {spec.name: dict(spec.label) for spec in known.program.features}
    if names and len(names) <= _MOST_NAMES:
        told = tuple(labels.get(name) or name.replace("_", " ") for name in names)
        yield "9b", _say("predictors", n=len(names), names=told)
    elif names:
        yield "9b", _say("predictors_many", n=len(names))
    if known.audit is not None:
        leaking = tuple(dict.fromkeys(row["feature"] for row in known.audit.get("findings", ()) if row.get("feature")))
        yield "9b", _say("audit_found", names=leaking) if leaking else _say("audit_clean")
        if leaking:
            yield "26", _say("audit_found", names=leaking)


def _feature_names(model: Any) -> list[str]:
    """Return the names of what a model takes."""
    names = getattr(model, "feature_names_in_", None)
    return [] if names is None else [str(name) for name in names]


def _methods(known: Known) -> Iterator[tuple[str, Any]]:
    """Say how the model was made and judged."""
    model, report = known.model, known.evaluation
    yield from _sample_size(known)
    if known.is_card:
        yield "11", _say("missing_card")
    elif type(model).__name__ == "RiskClassifier":
        yield "11", _say("missing_model")
        yield "13", _say("not_weighted")
    if known.data.get("split"):
        kind = str(known.data["split"])
        yield "12a", _say(f"split_{kind}") if kind in {"temporal", "person", "site"} else kind
    yield "12c", _kind(known)
    line = getattr(model, "calibrator_", None)
    if isinstance(line, dict) and line.get("kind") == "sigmoid":
        yield "12c", _say("calibrated", slope=Figure(float(line["slope"])), folds=int(line["n_folds"]))
    if known.optimism is not None:
        yield "12c", _say("bootstrapped", n=known.optimism.n_boot)
    if report is not None:
        yield "12e", _say("judged_by", n_boot=report.n_boot)
        yield "13", _say("prevalence", share=Figure(report.n_events / report.n_used, 1, is_share=True))
        groupings = tuple(dict.fromkeys(report.by_group["grouping"])) if len(report.by_group) else ()
        if groupings:
            least = {"least": report.least_n, "cell": report.small_cell}
            yield "14", _say("audited", groups=tuple(name.replace("_", " ") for name in groupings), **least)
    if hasattr(model, "fingerprint") and _is_ready(model):
        yield "12g", _say("same_object", fingerprint=str(model.fingerprint)[:16])


def _sample_size(known: Known) -> Iterator[tuple[str, Any]]:
    """Say how many events there were, and how many a model of so many parameters needs."""
    events, rows = getattr(known.model, "n_events_", None), getattr(known.model, "n_rows_", None)
    if events is None or not rows or not 0 < events < rows:
        return
    n_parameters = _n_parameters(known.model)
    yield "10", _say("sample", events=int(events), rows=int(rows), parameters=n_parameters)
    needed = events_needed(n_parameters, float(events) / float(rows))
    few = min(int(events), int(rows) - int(events))
    yield "10", _say("sample_short" if few < needed else "sample_enough", needed=needed)


def _n_parameters(model: Any) -> int:
    """Return how many parameters were candidates: columns of the design, or features where there is none."""
    design = getattr(model, "design_", None)
    return max(1, len(design) if design is not None else len(_feature_names(model)))


def _is_ready(model: Any) -> bool:
    """Whether a model was learned, or made from a table."""
    return hasattr(model, "rows_") if isinstance(model, PointScorecard) else hasattr(model, "n_features_in_")


def _output(known: Known) -> Iterator[tuple[str, Any]]:
    """Say what comes out, and how the inputs are handled when it is used."""
    if known.is_card and _is_ready(known.model):
        points = {"low": known.model.min_points, "high": known.model.max_points}
        has_risk = len(known.model.risk_points_) > 0
        yield "15", _say("gives_points_and_risk" if has_risk else "gives_points", **points)
        yield "22", _say("table_rows", n=len(known.model.rows_))
    elif not known.is_card:
        yield "15", _say("gives_risk")
    if hasattr(known.model, "fingerprint") and _is_ready(known.model):
        yield "22", _say("fingerprint", fingerprint=str(known.model.fingerprint))
    if known.is_published:
        yield "16", _say("made_elsewhere")
    if known.about.get("licence"):
        yield "18e", _say("licence", licence=str(known.about["licence"]))
    version = dict(known.stored.get("versions") or {}).get("casestrat")
    if version:
        yield "18f", _say("software", version=str(version))
    yield "27a", _say("poor_inputs")
    yield "27b", _say("people_decide")


def _results(known: Known) -> Iterator[tuple[str, Any]]:
    """Say who was judged, and how well it went."""
    model, report = known.model, known.evaluation
    if getattr(model, "n_rows_", None):
        counts = {name: int(getattr(model, f"n_{name}_", 0)) for name in ("rows", "persons", "events")}
        yield "21", _say("learned_on", **counts)
    if report is not None:
        yield "20a", _say("flow", rows=report.n_rows, no_label=report.n_missing_label, no_risk=report.n_missing_risk,
                          used=report.n_used, events=report.n_events)  # fmt: skip
        yield "21", _say("judged_on", n=report.n_used, events=report.n_events)
        yield from _groups(report)
        for row in report.summary[report.summary["metric"].isin(_TOLD)].to_dict("records"):
            digits = _TOLD[row["metric"]]
            yield "23a", _say("measure", name=Sentence.of(f"measures.{row['metric']}"),
                              **{end: Figure(row[end], digits) for end in ("value", "low", "high")})  # fmt: skip
    if known.optimism is not None:
        both = {name: Figure(known.optimism.value("auc", name), 3) for name in ("apparent", "corrected")}
        slope = Figure(known.optimism.value("calibration_slope"))
        yield "23a", _say("optimism", slope=slope, **both)
    if known.comparison is not None:
        yield from _compared(known.comparison)
    if known.drift is not None:
        moved = known.drift.features["finding"].isin(("some", "much"))
        yield "20c", _say("drifted", n=int(moved.sum()), of=len(moved))


def _groups(report: Evaluation) -> Iterator[tuple[str, Any]]:
    """Say how many there are in each group, and how well those are ordered who are told."""
    for grouping, rows in report.by_group.groupby("grouping", sort=False):
        told = rows[rows["n"].notna()]
        counts = tuple(f"{row['group']} {int(row['n'])}" for row in told.to_dict("records"))
        if counts:
            yield "20b", _say("group_sizes", grouping=str(grouping).replace("_", " "), counts=counts)
        shown = rows[~rows["is_suppressed"] & rows["auc"].notna()]
        for row in shown.to_dict("records"):
            figures = {name: Figure(row[name]) for name in ("auc", "auc_low", "auc_high")}
            yield "23a", _say("group_auc", grouping=str(grouping).replace("_", " "), group=row["group"], **figures)


def _compared(comparison: ModelComparison) -> Iterator[tuple[str, Any]]:
    """Say how much the measure varies between tests, and how the models differ."""
    auc = comparison.by_fold[(comparison.by_fold["metric"] == "auc") & (comparison.by_fold["fold"] != "all")]
    for name in comparison.models:
        folds = auc.loc[auc["model"] == name, "value"].dropna()
        if len(folds) > 1:
            span = {"low": Figure(float(folds.min())), "high": Figure(float(folds.max()))}
            yield "23b", _say("between_tests", model=name, n=len(folds), **span)
    for row in comparison.differences[comparison.differences["metric"] == "auc"].to_dict("records"):
        if row["reference"] == comparison.models[0]:
            figures = {name: Figure(row[name], 3) for name in ("difference", "low", "high")}
            yield "23a", _say("beside", model=row["model"], reference=row["reference"], **figures)


def _limits(known: Known) -> Iterator[tuple[str, Any]]:
    """Say what a reader must know before trusting it."""
    yield from _warned(known)
    for warning in getattr(known.model, "warnings_", ()):
        yield "26", str(warning)
    for statement in () if known.drift is None else known.drift.statements:
        yield "26", statement
    if known.is_card and _is_ready(known.model) and not len(known.model.risk_points_):
        yield "26", _say("no_percentage")
    if known.about.get("status"):
        yield "26", _say("status", status=str(known.about["status"]))


def _warned(known: Known) -> Iterator[tuple[str, Any]]:
    """Say what the evaluation warns of, or that there was none."""
    if known.evaluation is None:
        yield "26", _say("not_judged")
        return
    for statement in known.evaluation.statements:
        yield "26", statement
        if statement.key == "warnings.treated_labels":
            yield "6c", statement
        if statement.key == "warnings.no_signal":
            yield "25", statement
