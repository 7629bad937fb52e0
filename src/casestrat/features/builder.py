"""A feature list in, one row a person and date out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from casestrat.errors import UsageError
from casestrat.features.compute_others import OF_OTHERS
from casestrat.features.computing import computed
from casestrat.features.definitions import definition_of, feature_from_spec, feature_of
from casestrat.features.describing import condition_of, row_of
from casestrat.features.feature import Feature
from casestrat.features.of_people import Age, OfProgram, Person
from casestrat.features.reading import Reading, spine_index
from casestrat.knowledge.program import Program
from casestrat.tables import CONTRACTS, TEXT, Tables, fingerprint_of, split_with_codes
from casestrat.timeline import ReferralScope
from casestrat.timeline.as_of import checked_spine
from casestrat.timeline.matching import choices_like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from casestrat.features.computed import Computed
    from casestrat.features.transformer import SpineFeatures

Progress: TypeAlias = "Callable[[str, int, int], None]"  # step, done, of
PEOPLE_AT_ONCE = 100_000  # about 1 GB of memory for ten rows a person

# What changes about a person and has no history in `persons`.
_SNAPSHOTS = ("territory", "jurisdiction", "language", "interpreter_needed", "household_id")


class FeatureBuilder:
    """Compute a list of features for any people and dates, from what was known before each date.

    The same object is used to learn and to score. Nothing recorded on or after a date changes a feature of that date.

    Parameters
    ----------
    features : Program or iterable of Feature
        A program, whose feature list is taken, or features of one's own.
    program : Program, optional
        With features of one's own: whose instruments are scored and whose column roles count.

    Examples
    --------
    >>> from casestrat.features import Count
    >>> tables = Tables.from_frames({
    ...     "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": ["2025-01-01"] * 3,
    ...                              "observed_from": ["2025-01-01", "2025-01-01", "2026-01-20"]}),
    ...     "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-05"],
    ...                                "recorded_at": ["2026-01-05"]}),
    ...     "events": pd.DataFrame({"event_id": ["E1", "E2"], "person_id": ["P1", "P1"], "kind": ["fall", "fall"],
    ...                             "observed_at": ["2026-01-10", "2026-02-01"],
    ...                             "recorded_at": ["2026-01-11", "2026-02-01"]}),
    ... })
    >>> spine = pd.DataFrame({"person_id": ["P1", "P2", "P3"], "as_of": pd.Timestamp("2026-02-01")})
    >>> builder = FeatureBuilder([Count("events", where={"kind": "fall"}, window_days=90, name="falls_90d")])
    >>> builder.build(tables, spine)["falls_90d"].tolist()
    [1.0, 0.0, nan]
    """

    def __init__(self, features: Program | Iterable[Feature], program: Program | None = None) -> None:
        if isinstance(features, Program):
            program = features
            features = [_scoped(feature_from_spec(spec), program) for spec in program.features]
        self.features: tuple[Feature, ...] = tuple(features)
        self.program = program
        _check_names(self.features)
        for feature in self.features:
            _check_roles(feature, dict(program.privacy.column_roles) if program is not None else {})

    def __repr__(self) -> str:
        return f"FeatureBuilder({list(self.feature_names)})"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def facts_of_others(self) -> tuple[str, ...]:
        """Facts that name a caregiver or a household: whom they join must be read together."""
        return tuple(sorted({str(one.fact) for one in self.features if one.kind in OF_OTHERS}))  # type: ignore[attr-defined]

    @property
    def fingerprint(self) -> str:
        """Hash of the definitions."""
        return fingerprint_of(self.definitions())

    def definitions(self) -> list[dict[str, Any]]:
        """Return the features as plain values that JSON can hold.

        Returns
        -------
        list of dict
            One entry per feature: kind, name, the kind's options, and what it says of itself.
        """
        return [definition_of(feature) for feature in self.features]

    @classmethod
    def from_definitions(
        cls, definitions: Iterable[Mapping[str, Any]], program: Program | None = None
    ) -> FeatureBuilder:
        """Return the builder that :meth:`definitions` was called on.

        Parameters
        ----------
        definitions : iterable of mapping
            One entry per feature.
        program : Program, optional
            Whose instruments are scored and whose column roles count.

        Returns
        -------
        FeatureBuilder
            The same features.
        """
        return cls([feature_of(**dict(one)) for one in definitions], program)

    def build(
        self,
        tables: Tables,
        spine: pd.DataFrame,
        *,
        people_at_once: int = PEOPLE_AT_ONCE,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Compute the features.

        Parameters
        ----------
        tables : Tables
            The checked tables.
        spine : pandas.DataFrame
            Columns ``person_id`` and ``as_of``; any number of dates a person, each pair once.
        people_at_once : int, optional
            The most people whose rows are sorted at once; it bounds memory and changes no value.
        progress : callable, optional
            Called as ``progress("features", done, of)`` after each chunk of people, for a bar.

        Returns
        -------
        pandas.DataFrame
            One row per spine row, index ``person_id, as_of``, one column per feature: numbers as float64, flags as 1
            and 0, both missing where not known; bands, codes and other text as text.

        Raises
        ------
        UsageError
            A column is not known or of the wrong type, a window begins before the data, or the spine cannot be used.
        """
        asked = checked_spine(spine)
        at_once = max(people_at_once, 1)
        if len(asked) <= at_once:  # no more people than rows
            return self._built(Reading(tables, asked, self.program))
        codes, people = pd.factorize(asked["person_id"])
        if len(people) <= at_once:
            return self._built(Reading(tables, asked, self.program))
        parts = [pd.Series(people[start : start + at_once]) for start in range(0, len(people), at_once)]
        X = self._built_in_chunks(tables, asked, codes // at_once, parts, progress)
        return X.set_axis(spine_index(people, codes, asked["as_of"]))

    def _built(self, reading: Reading) -> pd.DataFrame:
        return _as_features({feature: computed(feature, reading) for feature in self.features}, reading)

    def _built_in_chunks(
        self,
        tables: Tables,
        asked: pd.DataFrame,
        part: np.ndarray,
        parts: list[pd.Series],
        progress: Progress | None,
    ) -> pd.DataFrame:
        """Compute the features of some people after the other; those of caregivers and households need all tables."""
        places = [np.flatnonzero(part == number) for number in range(len(parts))]
        own = FeatureBuilder([one for one in self.features if one.kind not in OF_OTHERS], self.program)
        others = FeatureBuilder([one for one in self.features if one.kind in OF_OTHERS], self.program)
        built = []
        for place, (some, codes) in zip(places, split_with_codes(tables, parts), strict=True):
            chunk = asked.iloc[place].reset_index(drop=True)
            reading = Reading(some, chunk, self.program)
            reading.asked.coded.update(
                (id(getattr(some, name)), (getattr(some, name), of)) for name, of in codes.items()
            )
            done = own._built(reading)
            if others.features:
                more = others._built(Reading(tables, chunk, self.program))
                done = done.assign(**{str(name): more[name] for name in more})[list(self.feature_names)]
            built.append(done.reset_index(drop=True))
            if progress is not None:
                progress("features", len(built), len(parts))
        order = np.argsort(np.concatenate(places), kind="stable")
        return pd.concat(built, ignore_index=True).iloc[order]

    def describe(self, lang: str = "en") -> pd.DataFrame:
        """Return the dictionary of the features.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            Language of the meaning and of the missing rule.

        Returns
        -------
        pandas.DataFrame
            One row per feature: name, meaning, kind, table, condition, window_days, unit, missing (when it is), domain,
            is_actionable, worse.
        """
        names = list(row_of(Age(), lang))
        frame = pd.DataFrame([row_of(feature, lang) for feature in self.features], columns=names)
        dtypes: dict[str, Any] = {**dict.fromkeys(names, TEXT), "window_days": "Int64", "is_actionable": bool}
        return frame.astype(dtypes)

    def sources(self, tables: Tables, spine: pd.DataFrame) -> pd.DataFrame:
        """Say for each feature of each spine row what is shown to people, where it came from, and of which day it is.

        Parameters
        ----------
        tables : Tables
            The checked tables.
        spine : pandas.DataFrame
            Columns ``person_id`` and ``as_of``.

        Returns
        -------
        pandas.DataFrame
            One row per spine row and feature: person_id, as_of, feature, value (as text; missing where not known),
            source (the table and the condition), observed_on (day of the row shown, of the last row counted; missing
            where there is none).
        """
        return self.build_with_sources(tables, spine)[1]

    def build_with_sources(self, tables: Tables, spine: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Compute the features and say where each came from, in one pass over the tables.

        Parameters
        ----------
        tables : Tables
            The checked tables.
        spine : pandas.DataFrame
            Columns ``person_id`` and ``as_of``.

        Returns
        -------
        features : pandas.DataFrame
            As :meth:`build`.
        sources : pandas.DataFrame
            As :meth:`sources`.
        """
        reading = Reading(tables, spine, self.program)
        found = {feature: computed(feature, reading) for feature in self.features}
        return _as_features(found, reading), _as_sources(found, reading)

    def bind(self, tables: Tables) -> SpineFeatures:
        """Return a scikit-learn transformer that turns spines into features of these tables.

        Parameters
        ----------
        tables : Tables
            The checked tables.

        Returns
        -------
        SpineFeatures
            A transformer for a ``Pipeline``.
        """
        # Imported here because scikit-learn is slow to import, and a nightly run may need none of it.
        from casestrat.features.transformer import SpineFeatures

        return SpineFeatures(self, tables)


def _as_features(found: dict[Feature, Computed], reading: Reading) -> pd.DataFrame:
    columns = {feature.name: one.column for feature, one in found.items()}
    return pd.DataFrame(columns, index=reading.index)


def _as_sources(found: dict[Feature, Computed], reading: Reading) -> pd.DataFrame:
    parts = [_shown(feature, one, reading) for feature, one in found.items()]
    nothing: dict[str, Any] = {"feature": TEXT, "value": TEXT, "source": TEXT, "observed_on": "datetime64[us]"}
    long = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(nothing)).astype(nothing)
    repeated = pd.concat([reading.spine] * len(parts), ignore_index=True) if parts else reading.spine.iloc[:0]
    order = np.argsort(np.tile(np.arange(len(reading.spine)), len(parts)), kind="stable")
    return pd.concat([repeated, long], axis=1).iloc[order].reset_index(drop=True)


def _scoped(feature: Feature, program: Program) -> Feature:
    """Tell a feature of the referral whose referrals count, so that it needs no program later."""
    inner = getattr(feature, "feature", None)
    if inner is not None:
        return replace(feature, feature=_scoped(inner, program))  # type: ignore[call-arg]
    if not isinstance(feature, OfProgram):
        return feature
    scope = ReferralScope.of(program)
    return replace(feature, program=scope.program, professional_only=scope.professional_only)


def _check_names(features: tuple[Feature, ...]) -> None:
    seen: set[str] = set()
    for feature in features:
        if not isinstance(feature, Feature):
            raise UsageError("a feature list holds something that is no feature", do="use casestrat.features.Count …")
        if feature.name in seen:
            raise UsageError(f"two features are called {feature.name!r}", do="give one of them another `name`")
        seen.add(feature.name)


def _check_roles(feature: Feature, roles: Mapping[str, str]) -> None:
    """Refuse columns that may be audited but not learned from, and snapshots without history."""
    inner = getattr(feature, "feature", None)
    if inner is not None:
        _check_roles(inner, roles)
    if isinstance(feature, Person):
        _check_person_column(feature, roles)
    columns = [getattr(feature, option, None) for option in ("column", "fact", "ends")]
    used = [*columns, *getattr(feature, "where", {}), *getattr(feature, "of", {})]
    for column in filter(None, used):
        role = roles.get(column) or _role(feature, column)
        if role == "audit":
            raise UsageError(
                f"{column!r} is an audit column and never a feature",
                where=f"feature {feature.name!r}",
                do=f"leave it out, or set privacy.column_roles.{column} = 'both' in the program, with a reason",
            )


def _role(feature: Feature, column: str) -> str:
    contract = CONTRACTS.get({"referral": "referrals", "person": "persons"}.get(feature.kind, _table(feature)))
    known = contract.by_name.get(column) if contract else None
    return known.role if known else ""


def _table(feature: Feature) -> str:
    return getattr(feature, "table", "")


def _check_person_column(feature: Person, roles: Mapping[str, str]) -> None:
    columns = CONTRACTS["persons"].by_name
    if feature.column in _SNAPSHOTS:
        raise UsageError(
            f"persons.{feature.column} is today's value without history, not what it was on an earlier date",
            where=f"feature {feature.name!r}",
            do="use the kind 'fact', from person_facts",
        )
    known = columns.get(feature.column)
    role = roles.get(feature.column) or (known.role if known else "")
    if role not in ("feature", "both"):
        allowed = [name for name, column in columns.items() if column.role in ("feature", "both")]
        is_audit = role == "audit"
        raise UsageError(
            f"persons.{feature.column} is {'an audit column' if is_audit else 'not a column'} that may be a feature",
            where=f"feature {feature.name!r}",
            do=f"{choices_like(feature.column, allowed)}; what changes about a person is a fact, in person_facts",
        )


def _shown(feature: Feature, found: Computed, reading: Reading) -> pd.DataFrame:
    """Return what is shown of one feature, one row per spine row."""
    n = len(reading.spine)
    condition = condition_of(feature)
    days = np.full(n, np.datetime64("NaT"), dtype="datetime64[us]")
    if found.table != "persons":
        days = reading.when(found.table, found.places).astype("datetime64[D]").astype("datetime64[us]")
    table = "assessments" if found.table == "scores" else found.table
    return pd.DataFrame({
        "feature": pd.array([feature.name] * n, dtype=TEXT),
        "value": _words(found),
        "source": pd.array([f"{table}: {condition}" if condition else table] * n, dtype=TEXT),
        "observed_on": days,
    })  # fmt: skip


def _words(found: Computed) -> pd.Series:
    """Return values as people read them: whole numbers without decimals, flags as true and false."""
    values = pd.Series(found.column)
    if values.dtype != "float64":
        return values.astype(TEXT)
    if found.is_flag:
        return values.map({1.0: "true", 0.0: "false"}).astype(TEXT)
    distinct = pd.Series(values.dropna().unique(), dtype="float64")
    words = [f"{x:.0f}" if x == round(x) else f"{x:.2f}" for x in distinct]
    return values.map(dict(zip(distinct, words, strict=True))).astype(TEXT)
