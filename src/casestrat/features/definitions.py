"""What a feature is, as data: a kind's name and its options, as the program's TOML and a stored model write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from casestrat.errors import UsageError
from casestrat.features import of_people, of_rows
from casestrat.features.feature import COMMON, Feature
from casestrat.features.told_options import tell_inherited
from casestrat.timeline.matching import choices_like

if TYPE_CHECKING:
    from casestrat.knowledge.program import FeatureSpec

KINDS: dict[str, type[Feature]] = {
    kind.kind: kind
    for module in (of_people, of_rows)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Feature) and kind.kind
}
for _kind in KINDS.values():
    tell_inherited(_kind)


def feature_of(kind: str, name: str = "", **options: Any) -> Feature:
    """Make a feature of a kind's name and its options, as the program's TOML writes them.

    Parameters
    ----------
    kind : str
        Such as ``count`` or ``instrument_total``.
    name : str, optional
        Column of the feature.
    **options
        The kind's options and what every feature may say of itself.

    Returns
    -------
    Feature
        The feature.

    Raises
    ------
    UsageError
        The kind or an option is not known, an option is missing, or a value cannot be used.

    Examples
    --------
    >>> feature_of("count", table="events", where={"kind": "fall"}, window_days=180).name
    'count_events_fall_180d'
    """
    if kind not in KINDS:
        raise UsageError(f"there is no feature kind {kind!r}", where=name or None, do=choices_like(str(kind), KINDS))
    cls = KINDS[kind]
    known = [one.name for one in fields(cls)]
    for option in options:
        if option not in known:
            do = choices_like(option, sorted(set(known) - COMMON) or ["no option"])
            raise UsageError(f"a feature of kind {kind!r} has no option {option!r}", where=name or None, do=do)
    needed = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    absent = [option for option in needed if option not in options]
    if absent:
        raise UsageError(
            f"a feature of kind {kind!r} needs {', '.join(absent)}", where=name or None, do=f"give {absent[0]}"
        )
    if isinstance(options.get("feature"), Mapping):
        options["feature"] = feature_of(**options["feature"])
    return cls(name=name, **options)


def feature_from_spec(spec: FeatureSpec) -> Feature:
    """Make a feature of one line of a program's feature list."""
    return feature_of(
        spec.kind,
        name=spec.name,
        domain=spec.domain,
        is_actionable=spec.is_actionable,
        worse=spec.worse,
        label=dict(spec.label),
        unit=spec.unit,
        **spec.options,
    )


def definition_of(feature: Feature) -> dict[str, Any]:
    """Return a feature as plain values that JSON can hold, and :func:`feature_of` can read."""
    common = {one.name: getattr(feature, one.name) for one in fields(Feature) if one.name != "name"}
    defaults = {"domain": "other", "is_actionable": False, "worse": None, "label": {}, "unit": ""}
    told = {key: value for key, value in common.items() if value != defaults[key]}
    options = {key: definition_of(v) if isinstance(v, Feature) else v for key, v in feature.options().items()}
    return {"kind": feature.kind, "name": feature.name, **options, **told}
