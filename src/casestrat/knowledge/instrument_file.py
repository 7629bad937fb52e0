"""Reads an instrument's TOML into an :class:`Instrument`, strictly."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from casestrat.knowledge.frozen import FrozenMap, freeze
from casestrat.knowledge.instrument import (
    CONTEXTS,
    SCORING_TYPES,
    Band,
    Example,
    Flag,
    Group,
    Instrument,
    Item,
    MissingRule,
    Parts,
    Scoring,
    Step,
)
from casestrat.knowledge.toml_file import Section, is_path, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def load_instrument(name_or_path: str | Path, variant: str = "") -> Instrument:
    """Load an instrument: its items, missing rule, bands, licence and source.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a shipped instrument, such as ``"phq9"``, or the path of a site's own TOML.
    variant : str, optional
        A variant that the file declares, such as ``"half_points"`` of ``katz``; without it, the usual form.

    Returns
    -------
    Instrument
        The checked, frozen instrument.

    Raises
    ------
    UsageError
        If no instrument has that name, or no file is at that path.
    KnowledgeError
        If the file breaks a rule, or declares no such variant.

    Examples
    --------
    >>> phq9 = load_instrument("phq9")
    >>> len(phq9.items), [band.id for band in phq9.bands][-1]
    (9, 'severe')
    """
    return _read(name_or_path, variant) if is_path(name_or_path) else _shipped(str(name_or_path), variant)


@cache
def _shipped(name: str, variant: str) -> Instrument:
    return _read(name, variant)


def _read(name_or_path: str | Path, variant: str) -> Instrument:
    file = read_toml(name_or_path, "instruments", "instrument")
    variants = file.named("variants", required=False)
    if variant:
        file.refer(variant, variants, "variant", "variants")
    changed = variants.get(variant, Section({}, file.file))
    scoring = _scoring(file.child("scoring"))
    score_range = _range(file)
    items = tuple(_item(section, changed) for section in file.children("items", scoring.type != "total_only"))
    if scoring.type == "total_only":
        items = (Item("total", file.labels(), minimum=score_range[0], maximum=score_range[1]), *items)
    flags = tuple(_flag(section) for section in file.children("flags", required=False))
    instrument = Instrument(
        id=file.text("id"),
        name=file.text("name"),
        version=file.text("version"),
        label=file.labels(),
        domain=file.text("domain"),
        items=items,
        scoring=scoring,
        outputs=_outputs(file, scoring, flags),
        score_range=score_range,
        bands=_bands(file),
        flags=flags,
        missing=_missing(changed if changed.has("missing") else file),
        context=file.words("context", ()),
        higher_is_worse=file.flag("higher_is_worse"),
        licence=file.text("licence"),
        source=file.text("source"),
        confidence=file.text("confidence"),
        status=file.text("status", "published"),
        notes=file.text("notes", ""),
        examples=tuple(_example(section, items) for section in file.children("examples") if _is_of(section, variant)),
        variant=variant,
        variants=tuple(variants),
    )
    file.asked.update(("missing", "variants"))
    file.finish()
    _check(instrument, file)
    return instrument


def _item(section: Section, changed: Section) -> Item:
    allowed = changed.values("allowed", ()) or section.values("allowed", ())
    codes = tuple(code if isinstance(code, str) else float(code) for code in allowed)
    if len({isinstance(code, str) for code in codes}) > 1:
        raise section.fault("`allowed` mixes words and numbers", "allowed")
    parts = section.child("parts", required=False)
    item = Item(
        id=section.text("id"),
        label=section.labels(),
        allowed=codes,
        minimum=section.number("minimum", None),
        maximum=section.number("maximum", None),
        is_reversed=section.flag("reversed", False),
        weight=section.number("weight", 1.0),
        steps=_steps(section, "steps", "points"),
        is_scored=section.flag("scored", True),
        parts=_parts(parts, tuple(str(code) for code in codes)) if parts.content else None,
    )
    section.asked.add("allowed")
    section.finish()
    if bool(codes) == (item.minimum is not None):
        raise section.fault("an item has either codes or a whole-number range", do="give `allowed` or `minimum`")
    return item


def _parts(section: Section, letters: tuple[str, ...]) -> Parts:
    """Read which combinations of letters give which letter, and fill in all the others."""
    names = section.words("items")
    listed = {letter: section.words(letter, ()) for letter in letters}
    otherwise = section.choice("otherwise", letters)
    section.finish()
    combinations = ["".join(letters_of) for letters_of in product(letters, repeat=len(names))]
    letter_of = dict.fromkeys(combinations, otherwise)
    for letter, found in listed.items():
        for combination in found:
            letter_of[section.refer(combination, combinations, "combination of letters", letter)] = letter
    return Parts(names, FrozenMap(letter_of))


def _steps(section: Section, key: str, value: str) -> tuple[Step, ...]:
    steps = []
    for part in section.children(key, required=False):
        steps.append(Step(part.number("from"), part.number(value)))
        part.finish()
    starts = [step.start for step in steps]
    if len(set(starts)) < len(starts):
        raise section.fault(f"two steps of `{key}` begin at the same value", key)
    return tuple(sorted(steps, key=lambda step: step.start))


def _scoring(section: Section) -> Scoring:
    survival = section.numbers("survival", ())
    scoring = Scoring(
        type=cast("Any", section.refer(section.text("type"), SCORING_TYPES, "type of scoring", "type")),
        constant=section.number("constant", 0.0),
        decimals=section.whole("decimals", 6, at_least=0),
        hierarchy=tuple((graver, lesser) for graver, lesser in _pairs(section, "hierarchy")),
        age_points=_steps(section, "age_points", "points"),
        survival=(survival[0], survival[1]) if survival else None,
        groups=tuple(_group(part) for part in section.children("groups", required=False)),
        otherwise_rank=section.whole("otherwise_rank", 0),
        output_of_rank=section.mapping("output_of_rank"),
    )
    section.finish()
    return scoring


def _pairs(section: Section, key: str) -> list[list[str]]:
    """Read a list of pairs of names."""
    section.asked.add(key)
    found = section.content.get(key, [])
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in found):
        raise section.fault(f"`{key}` should be a list of pairs", key)
    return cast("list[list[str]]", found)


def _group(section: Section) -> Group:
    group = Group(section.text("id"), section.mapping("weights"), _steps(section, "ranks", "rank"))
    section.finish()
    return group


def _outputs(file: Section, scoring: Scoring, flags: tuple[Flag, ...]) -> tuple[str, ...]:
    outputs = ["gir", "rank", "group", "group_sum"] if scoring.groups else ["total"]
    if scoring.groups:
        outputs[0] = file.text("output", "gir")
    if scoring.age_points:
        outputs += ["age_points", "age_adjusted"]
    if scoring.survival:
        outputs.append("survival_10y")
    return tuple(dict.fromkeys([*outputs, *(flag.id for flag in flags)]))


def _range(file: Section) -> tuple[float, float]:
    ends = file.numbers("range")
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise file.fault("`range` should be the lowest and the highest score", "range", "write [lowest, highest]")
    return float(ends[0]), float(ends[1])


def _bands(file: Section) -> tuple[Band, ...]:
    bands = []
    for section in file.children("bands", required=False):
        if section.has("from") == section.has("above"):
            raise section.fault("a band has exactly one bound", do="give `from` or `above`")
        is_open = section.has("above")
        bands.append(
            Band(section.text("id"), section.labels(), section.number("above" if is_open else "from"), is_open)
        )
        section.finish()
    starts = [(band.start, band.is_open) for band in bands]
    if starts != sorted(set(starts)):
        raise file.fault("the bands do not rise", "bands", "write them lowest first, each bound once")
    return tuple(bands)


def _flag(section: Section) -> Flag:
    flag = Flag(
        id=section.text("id"),
        label=section.labels(),
        at_least=section.number("at_least"),
        item=section.text("item", "") or None,
        when=section.mapping("when"),
    )
    section.finish()
    return flag


def _missing(parent: Section) -> MissingRule:
    section = parent.child("missing", required=False)
    rule = MissingRule(
        cast("Any", section.choice("rule", ("complete", "prorate"), "complete")),
        section.whole("max_missing", 0, at_least=0),
    )
    section.finish()
    return rule


def _is_of(section: Section, variant: str) -> bool:
    """Tell whether an example speaks of the variant that is read."""
    return section.text("variant", "") == variant


def _example(section: Section, items: tuple[Item, ...]) -> Example:
    """Read a worked case; ``fill`` answers the scored items that ``answers`` does not name."""
    answers = dict(section.mapping("answers"))
    if section.has("fill"):
        filled = section.content["fill"]
        answers = {item.id: filled for item in items if item.is_scored} | answers
    section.asked.update(("fill", "variant"))
    example = Example(section.text("name"), freeze(answers), section.mapping("expect"))
    section.finish()
    return example


def _check(instrument: Instrument, file: Section) -> None:
    """Refuse names that the instrument does not define."""
    ids = instrument.item_ids
    if len(set(ids)) < len(ids):
        raise file.fault("`items` has a name twice", "items")
    for name in instrument.context:
        file.refer(name, CONTEXTS, "column that may be asked of the person", "context")
    for key, known, names in _references(instrument):
        for name in names:
            file.refer(name, known, "item or column of `context`", key)
    low, high = instrument.score_range
    if instrument.bands and (instrument.bands[0].start > low or instrument.bands[-1].start > high):
        raise file.fault("the bands do not cover the range", "bands", "let the first begin at the lowest score")


def _references(instrument: Instrument) -> Iterator[tuple[str, tuple[str, ...], Iterable[str]]]:
    """Yield the place of each reference, the names it may use, and those it uses."""
    ids, scoring = instrument.item_ids, instrument.scoring
    yield "scoring.hierarchy", ids, [name for pair in scoring.hierarchy for name in pair]
    for group in scoring.groups:
        for letter, weights in group.weights.items():
            yield f"scoring.groups[{group.id}].weights.{letter}", ids, weights
    for flag in instrument.flags:
        yield f"flags[{flag.id}]", ids, [flag.item] if flag.item else []
        yield f"flags[{flag.id}].when", instrument.context, flag.when
    for example in instrument.examples:
        parts = tuple(part for item in instrument.items if item.parts for part in item.parts.items)
        yield f"examples[{example.name}]", ids + instrument.context + parts, example.answers
