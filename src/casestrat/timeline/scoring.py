"""Answers → scores: codes checked, missing items never counted as zero, bands with one bound each.

Each different answer is looked up once, so a million sittings are scored as fast as numpy indexes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.knowledge.instrument import Instrument
from casestrat.knowledge.instrument_file import load_instrument
from casestrat.knowledge.toml_file import shipped_names
from casestrat.tables import TEXT, Tables
from casestrat.timeline.answer_sheets import Answers, asked_of_person, sheets_of
from casestrat.timeline.coded_answers import AskedOfPerson, answer_columns, codes_of, score_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from casestrat.knowledge.program import Program

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_SEXES = {"f": "f", "female": "f", "m": "m", "male": "m", "x": "x", "unknown": "unknown"}
_OLDEST = 130


def score_instrument(instrument: str | Instrument, items: pd.DataFrame) -> pd.DataFrame:
    """Score sittings with an instrument.

    Parameters
    ----------
    instrument : str or Instrument
        Its name, or a loaded one (with :func:`casestrat.load_instrument`, also a variant or a site's own).
    items : pandas.DataFrame
        One row a sitting, one column an item, coded as the instrument says; missing where there is no answer. An item
        with parts may be given by its parts. Columns ``age`` (years) and ``sex`` (f, m, x, unknown) count where the
        instrument asks for them, and may be absent. An instrument that takes its total only has the one column
        ``total``.

    Returns
    -------
    pandas.DataFrame
        One row per sitting, with the index of ``items``: the instrument's outputs (numbers as float, missing where no
        score can be given), ``band``, ``n_missing`` (scored items without a usable answer) and ``is_valid`` (every
        answer is one the item takes, and there is a score).

    Raises
    ------
    UsageError
        If a column is not known, or the column of a scored item is missing.

    Examples
    --------
    >>> answers = pd.DataFrame({f"q{n}": [0, 2, None] for n in range(1, 10)}, index=["P1", "P2", "P3"])
    >>> score_instrument("phq9", answers)[["total", "band", "n_missing", "is_valid"]]
        total               band  n_missing  is_valid
    P1    0.0       none-minimal          0      True
    P2   18.0  moderately severe          0      True
    P3    NaN                NaN          9     False
    """
    chosen = instrument if isinstance(instrument, Instrument) else load_instrument(instrument)
    _check_columns(chosen, items)
    columns = answer_columns(chosen)
    codes = np.full((len(items), len(columns)), np.nan, order="F")  # columns are what is read
    for place, (name, item) in enumerate(columns.items()):
        if name in items.columns:
            seen, different = pd.factorize(items[name], use_na_sentinel=True)
            codes[:, place] = np.append(codes_of(item, pd.Series(different)), np.nan)[seen]
    age, is_age_wrong = _age(items, chosen)
    sex, is_sex_wrong = _sex(items, chosen)
    scores = score_codes(chosen, codes, AskedOfPerson(age, age, sex))
    scores["is_valid"] &= ~(is_age_wrong | is_sex_wrong)
    return _as_frame(chosen, scores, items.index)


def _check_columns(instrument: Instrument, items: pd.DataFrame) -> None:
    """Refuse unknown columns, and a scored item that has neither its column nor those of its parts."""
    known = [*answer_columns(instrument), *instrument.context]
    unknown = [str(name) for name in items.columns if name not in known]
    where = f"items of instrument {instrument.id!r}"
    if unknown:
        raise UsageError(f"unknown columns: {', '.join(unknown)}", where=where, do=f"keep only: {', '.join(known)}")
    absent = [
        item.id
        for item in instrument.scored_items
        if item.id not in items.columns and not (item.parts and set(item.parts.items) <= set(items.columns))
    ]
    if absent:
        raise UsageError(f"missing columns: {', '.join(absent)}", where=where, do="give them, blank where not answered")


def _age(items: pd.DataFrame, instrument: Instrument) -> tuple[Floats, Flags]:
    """Return the ages in years, missing where unknown, and where the column holds no age."""
    if "age" not in instrument.context or "age" not in items.columns:
        return np.full(len(items), np.nan), np.zeros(len(items), dtype=bool)
    age = pd.to_numeric(items["age"], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    is_age = (age >= 0) & (age <= _OLDEST)
    return np.where(is_age, age, np.nan), ~is_age & items["age"].notna().to_numpy(dtype=bool)


def _sex(items: pd.DataFrame, instrument: Instrument) -> tuple[NDArray[np.object_], Flags]:
    """Return the sexes as coded in persons, and where the column holds another code."""
    if "sex" not in instrument.context or "sex" not in items.columns:
        return np.full(len(items), "unknown", dtype=object), np.zeros(len(items), dtype=bool)
    coded = items["sex"].astype("string").str.strip().map(_SEXES)
    is_wrong = (coded.isna() & items["sex"].notna()).to_numpy(dtype=bool)
    return coded.fillna("unknown").to_numpy(dtype=object), is_wrong


def _as_frame(instrument: Instrument, scores: dict[str, NDArray[Any]], index: pd.Index) -> pd.DataFrame:
    """Return the outputs in the order declared, then band, n_missing and is_valid."""
    columns: dict[str, Any] = {}
    for name in (*instrument.outputs, "band"):
        is_words = scores[name].dtype == object
        columns[name] = pd.array(scores[name], dtype=TEXT) if is_words else scores[name]
    columns["n_missing"] = pd.array(scores["n_missing"], dtype="Int64")
    columns["is_valid"] = pd.array(scores["is_valid"], dtype="boolean")
    return pd.DataFrame(columns, index=index)


def score_assessments(tables: Tables, program: Program | None = None) -> pd.DataFrame:
    """Score every sitting of an extract, as it was known at each moment something of it was recorded.

    A sitting is scored from its answers where it has any, else its total stands as the site gave it. A ``version``
    that names a declared variant of the instrument is scored as that variant. Answers to items that the instrument
    does not have are left out. An answer recorded after its sitting, corrected or retracted gives a further row, so
    that each date sees the score of the answers known then: ``known(scores, "assessment_id", as_of)`` gives the one
    row of each sitting that counted on a date.

    Parameters
    ----------
    tables : Tables
        The checked tables; of them ``assessments``, ``responses`` and ``persons`` are read.
    program : Program, optional
        The program whose instruments are scored; without it, every shipped instrument is.

    Returns
    -------
    pandas.DataFrame
        One row per assessment, and one more for each later moment at which it changed, sorted by both: assessment_id,
        person_id, instrument, observed_at, recorded_at (since when this score was known), total (the instrument's
        first output), band, the further outputs of all instruments, n_missing (missing where only a total is known),
        is_valid and is_void (whether the sitting was retracted then).

    Examples
    --------
    >>> day = pd.Timestamp("2026-01-05")
    >>> people = [f"P{n}" for n in range(1, 4)]
    >>> sittings = pd.DataFrame({"assessment_id": ["A1", "A2", "A3"], "person_id": people, "instrument": "katz",
    ...                          "observed_at": day, "recorded_at": day, "total": [6, 2, None]})
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": people, "recorded_at": day}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": [day],
    ...                                "recorded_at": [day]}),
    ...     "assessments": sittings,
    ... })
    >>> score_assessments(tables)[["assessment_id", "total", "band", "is_valid"]]
      assessment_id  total         band  is_valid
    0            A1    6.0  independent      True
    1            A2    2.0       severe      True
    2            A3    NaN          NaN     False
    """
    sittings = tables.assessments.sort_values(["assessment_id", "recorded_at"], kind="stable", ignore_index=True)
    answers = Answers.of(tables.responses, sittings)
    known = shipped_names("instruments") if program is None else program.instruments
    parts = []
    for name, rows in sittings.groupby("instrument", sort=True):
        for instrument, mine in _by_variant(str(name), rows, known):
            parts.append(_scores_of(instrument, mine, answers, tables.persons))
    scores = pd.concat(parts, ignore_index=True).astype(_DTYPES) if parts else _no_scores()
    order = [*(name for name in scores.columns if name not in _LAST), *_LAST]
    return scores[order].sort_values(["assessment_id", "recorded_at"], kind="stable", ignore_index=True)


_KEYS = ("assessment_id", "person_id", "instrument", "observed_at", "recorded_at")
_LAST = ("n_missing", "is_valid", "is_void")
_DTYPES: dict[str, Any] = {
    **dict.fromkeys(_KEYS[:3], TEXT), **dict.fromkeys(_KEYS[3:], "datetime64[us]"),
    "total": "float64", "band": TEXT, "n_missing": "Int64", "is_valid": "boolean", "is_void": "boolean",
}  # fmt: skip


def _no_scores() -> pd.DataFrame:
    """Return the frame of no sitting."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _DTYPES.items()})


def _by_variant(
    name: str, rows: pd.DataFrame, known: Sequence[str]
) -> Iterator[tuple[Instrument | None, pd.DataFrame]]:
    """Split the sittings of an instrument by the variant that their version names; none where it is not scored."""
    if name not in known:
        yield None, rows
        return
    usual = load_instrument(name)
    variant = rows["version"].where(rows["version"].isin(usual.variants)).fillna("")
    for one in sorted(variant.unique()):
        yield load_instrument(name, one), rows[(variant == one).to_numpy(dtype=bool)]


def _scores_of(
    instrument: Instrument | None, sittings: pd.DataFrame, answers: Answers, persons: pd.DataFrame
) -> pd.DataFrame:
    """Return the scores of one instrument's sittings, one row per sitting and moment."""
    if instrument is None:
        totals = sittings["total"].to_numpy(dtype="float64", na_value=np.nan)
        out = sittings[list(_KEYS)].assign(total=totals, band=pd.array([None] * len(sittings), dtype=TEXT))
        is_valid = pd.array(~np.isnan(totals), dtype="boolean")
        return out.assign(
            n_missing=pd.array([pd.NA] * len(out), dtype="Int64"), is_valid=is_valid, is_void=_void(sittings)
        )
    sheets = sheets_of(instrument, sittings, answers, persons)
    rows = sittings.iloc[sheets.row].reset_index(drop=True)
    totals = rows["total"].to_numpy(dtype="float64", na_value=np.nan)
    asked = asked_of_person(instrument, sittings, sheets, persons)
    scores = score_codes(instrument, sheets.codes, asked, np.where(sheets.has_answers, np.nan, totals))
    out = _as_frame(instrument, scores, rows.index)
    out["n_missing"] = out["n_missing"].mask(~sheets.has_answers)
    keys = rows[list(_KEYS)].assign(recorded_at=sheets.recorded.astype("datetime64[us]"))
    if instrument.outputs[0] != "total":
        keys = keys.assign(total=out[instrument.outputs[0]])
    return pd.concat([keys, out], axis=1).assign(is_void=_void(rows))


def _void(rows: pd.DataFrame) -> pd.Series:
    """Tell which rows retract their sitting."""
    return rows["is_void"].fillna(False).astype("boolean")
