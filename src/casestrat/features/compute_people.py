"""How the features of the person are computed: one short function a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.features.computed import Computed, taken, without_unknown
from casestrat.knowledge import load_instrument
from casestrat.tables import TEXT
from casestrat.timeline import ReferralScope
from casestrat.timeline.matching import choices_like, known_column
from casestrat.timeline.sorted_rows import DAY, microseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from casestrat.features.reading import Reading

_FLAGS = {
    "t": 1.0, "true": 1.0, "yes": 1.0, "1": 1.0, "f": 0.0, "false": 0.0, "no": 0.0, "0": 0.0,
    "u": np.nan, "unknown": np.nan, "": np.nan,
}  # fmt: skip


def _instrument(feature: Any, reading: Reading) -> Computed:
    column = {"instrument_total": "total", "instrument_band": "band"}.get(feature.kind) or feature.output
    scores = reading.frame("scores")
    if column not in scores.columns:  # nobody was assessed with it, or there is no such output
        outputs = (*load_instrument(feature.instrument).outputs, "band")
        if column not in outputs:
            what = f"instrument {feature.instrument!r} has no output {column!r}"
            raise UsageError(what, where=f"feature {feature.name!r}", do=choices_like(column, outputs))
        nowhere = np.full(len(reading.spine), -1, dtype="int64")
        nothing = pd.Series(np.nan, scores.index, dtype=TEXT if column == "band" else "float64")
        return taken(nothing, nowhere, "scores", feature.name)
    windows = reading.windows("scores", column, _valid(feature), feature.valid_days)
    return taken(scores[column], windows.last(), "scores", feature.name)


def _valid(feature: Any) -> dict[str, Any]:
    """Return the condition on sittings that could be scored."""
    return {"instrument": feature.instrument, "is_valid": True}


def _instrument_days(feature: Any, reading: Reading) -> Computed:
    windows = reading.windows("scores", None, _valid(feature), feature.valid_days)
    return Computed(windows.days_since_last(), "scores", windows.last())


def _instrument_valid(feature: Any, reading: Reading) -> Computed:
    """Say whether the last sitting could be scored and is no older than it may be."""
    sittings = reading.windows("scores", None, {"instrument": feature.instrument})
    places = sittings.last()
    is_valid = np.append(reading.frame("scores")["is_valid"].to_numpy(dtype=bool, na_value=False), False)[places]
    is_fresh = np.full(len(places), True)
    if feature.valid_days is not None:
        is_fresh = sittings.days_since_last() <= feature.valid_days
    return Computed(np.where(places < 0, np.nan, is_valid & is_fresh), "scores", places, is_flag=True)


def _instrument_item(feature: Any, reading: Reading) -> Computed:
    where = {"instrument": feature.instrument, "item": feature.item}
    windows = reading.windows("responses", "number", where, feature.valid_days)
    return taken(reading.frame("responses")["number"], windows.last(), "responses", feature.name)


def _person(feature: Any, reading: Reading) -> Computed:
    places = reading.windows("persons").last()
    return taken(known_column(reading.tables.persons, feature.column, "persons"), places, "persons", feature.name)


def _age(feature: Any, reading: Reading) -> Computed:
    places = reading.windows("persons").last()
    year = taken(reading.tables.persons["birth_year"], places, "persons", feature.name).column
    month = taken(reading.tables.persons["birth_month"], places, "persons", feature.name).column
    dates = pd.DatetimeIndex(reading.as_of.astype("datetime64[us]"))
    years = dates.year.to_numpy() - year
    by_month = years + (dates.month.to_numpy() - month) / 12
    return Computed(np.where(np.isnan(month), years - 0.5, by_month), "persons", places)


def _fact(feature: Any, reading: Reading) -> Computed:
    places = reading.windows("person_facts", where={"fact": feature.fact}).last()
    text = pd.Series(reading.tables.person_facts["value"].array.take(places, allow_fill=True), dtype=TEXT)
    if feature.is_read_as == "text":
        return Computed(without_unknown(text), "person_facts", places)
    words = text.str.strip().str.lower()
    flags = words.map(_FLAGS).astype("float64").to_numpy(dtype="float64", na_value=np.nan)
    if feature.is_read_as == "flag":
        return Computed(flags, "person_facts", places, is_flag=True)
    levels = pd.to_numeric(words, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return Computed(np.where(np.isnan(flags), levels, flags), "person_facts", places)


def _scope(feature: Any) -> ReferralScope:
    return ReferralScope(feature.program, feature.professional_only)


def _referral(feature: Any, reading: Reading) -> Computed:
    column = known_column(reading.tables.referrals, feature.column, "referrals")
    return taken(column, reading.referral_places(_scope(feature)), "referrals", feature.name)


def _status(feature: Any, reading: Reading) -> Computed:
    stands = reading.stands(_scope(feature))
    return Computed(stands["status"].array, "referrals", reading.referral_places(_scope(feature)))


def _status_days(feature: Any, reading: Reading) -> Computed:
    since = microseconds(reading.stands(_scope(feature))["since"])
    return _days_from(since, reading, reading.referral_places(_scope(feature)))


def _waited_days(feature: Any, reading: Reading) -> Computed:
    waits = reading.stands(_scope(feature))["status"].isin(["waiting", "parked"]).to_numpy(dtype=bool)
    places = np.where(waits, reading.referral_places(_scope(feature)), -1)
    referred = np.append(microseconds(reading.tables.referrals["referred_on"]), np.iinfo(np.int64).min)[places]
    return _days_from(referred, reading, places)


def _days_from(moment: NDArray[np.int64], reading: Reading, places: NDArray[np.int64]) -> Computed:
    """Return the days from a moment to the date, missing where there is no moment."""
    days = np.where(moment == np.iinfo(np.int64).min, np.nan, (reading.as_of - moment) / DAY)
    return Computed(days, "referrals", places)


OF_PEOPLE: dict[str, Callable[[Any, Reading], Computed]] = {
    "instrument_total": _instrument,
    "instrument_band": _instrument,
    "instrument_output": _instrument,
    "instrument_item": _instrument_item,
    "instrument_days": _instrument_days,
    "instrument_valid": _instrument_valid,
    "person": _person,
    "age": _age,
    "fact": _fact,
    "referral": _referral,
    "waited_days": _waited_days,
    "status": _status,
    "status_days": _status_days,
}
