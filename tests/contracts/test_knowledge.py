"""Every file that is dropped in a knowledge folder keeps its contract: found by discovery, no list to maintain."""

from __future__ import annotations

import pickle
import re
import string
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from casestrat.knowledge import (
    card_of_instrument,
    expression_names,
    list_instruments,
    list_programs,
    list_scorecards,
    load_instrument,
    load_program,
    load_scorecard,
    load_wording,
    parse_condition,
)
from casestrat.knowledge.toml_file import LANGUAGES, shipped_names
from casestrat.tables import OUTPUTS
from casestrat.timeline import score_instrument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDERS = ("instruments", "programs", "scorecards", "wordings")
INSTRUMENTS = [
    (name, variant) for name in shipped_names("instruments") for variant in ("", *load_instrument(name).variants)
]
EXAMPLES = [(*known, example) for known in INSTRUMENTS for example in load_instrument(*known).examples]
SHIPPED = [(folder, name) for folder in FOLDERS for name in shipped_names(folder)]
MOST_POINTS = 5


def content(folder: str, name: str) -> dict:
    return tomllib.loads(files("casestrat.knowledge").joinpath(folder).joinpath(f"{name}.toml").read_text("utf-8"))


def labels(table: object, path: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
    """Every `label` of a file, with its path."""
    if isinstance(table, dict):
        for key, value in table.items():
            if key == "label":
                yield path, value
            else:
                yield from labels(value, f"{path}.{key}")
    if isinstance(table, list):
        for place, value in enumerate(table):
            yield from labels(value, f"{path}[{place}]")


def test_every_folder_holds_something() -> None:
    assert {folder for folder, _ in SHIPPED} == set(FOLDERS)


@pytest.mark.parametrize(("folder", "name"), [one for one in SHIPPED if one[0] != "wordings"])
def test_the_file_is_named_by_its_id_and_gives_licence_source_and_status(folder: str, name: str) -> None:
    told = content(folder, name)
    assert told["id"] == name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    for key in ("version", "domain", "licence", "source", "status"):
        assert told[key].strip(), key


@pytest.mark.parametrize(("folder", "name"), [one for one in SHIPPED if one[0] != "wordings"])
def test_every_label_is_there_in_three_languages(folder: str, name: str) -> None:
    found = list(labels(content(folder, name)))
    assert found
    for path, label in found:
        assert set(label) >= set(LANGUAGES), path
        assert all(label[language].strip() for language in LANGUAGES), path
        assert_french(label["fr"], path)


def assert_french(text: str, path: str) -> None:
    """French puts a no-break space before tall punctuation and inside guillemets, and a curved apostrophe."""
    assert not re.search(r"[^\s\u00a0\u202f][:;?!](\s|$)", text), path
    assert not re.search(r" [:;?!»]|« ", text), path
    assert not re.search(r"\w'\w", text), path


# ---- instruments


@pytest.mark.parametrize(("name", "variant"), INSTRUMENTS)
def test_an_instrument_is_whole(name: str, variant: str) -> None:
    instrument = load_instrument(name, variant)
    assert instrument.confidence
    assert instrument.examples
    assert instrument.outputs
    assert len(set(instrument.item_ids)) == len(instrument.items)
    assert pickle.loads(pickle.dumps(instrument)) == instrument
    assert hash(instrument) == hash(load_instrument(name, variant))


@pytest.mark.parametrize(("name", "variant"), INSTRUMENTS)
def test_bands_rise_cover_the_range_and_have_an_example_each(name: str, variant: str) -> None:
    instrument = load_instrument(name, variant)
    if not instrument.bands:
        assert "band" in instrument.notes or instrument.flags  # what takes their place is said
        return
    starts = [band.start for band in instrument.bands]
    assert starts == sorted(starts)
    assert starts[0] <= instrument.score_range[0]
    if not variant:
        shown = {example.expect.get("band") for example in instrument.examples}
        assert {band.id for band in instrument.bands} <= shown


@pytest.mark.parametrize(("name", "variant"), [one for one in INSTRUMENTS if not one[1]])
def test_every_cut_is_shown_by_the_lowest_score_of_its_band(name: str, variant: str) -> None:
    instrument = load_instrument(name, variant)
    first = instrument.outputs[0]
    shown = {example.expect[first] for example in instrument.examples if "band" in example.expect}
    for band in instrument.bands[1:]:
        if band.is_open:
            assert any(score > band.start for score in shown)
            assert any(score <= band.start for score in shown)
        else:
            assert band.start in shown


@pytest.mark.parametrize(
    ("name", "variant", "example"), EXAMPLES, ids=[f"{name} {variant} {e.name}" for name, variant, e in EXAMPLES]
)
def test_a_worked_example_gives_what_it_says(name: str, variant: str, example) -> None:
    instrument = load_instrument(name, variant)
    answers = {item.id: None for item in instrument.scored_items} | dict(example.answers)
    scored = score_instrument(instrument, pd.DataFrame([answers])).iloc[0]
    for output, expected in example.expect.items():
        if isinstance(expected, float):
            assert scored[output] == pytest.approx(expected, abs=6e-5)
        else:
            assert scored[output] == expected
    if instrument.outputs[0] not in example.expect:
        assert np.isnan(scored[instrument.outputs[0]])


@pytest.mark.parametrize(("name", "variant"), INSTRUMENTS)
def test_the_worst_and_the_best_answers_reach_the_ends_of_the_range(name: str, variant: str) -> None:
    instrument = load_instrument(name, variant)
    low, high = instrument.score_range
    codes = {item.id: list(item.allowed) or [item.minimum, 50] for item in instrument.scored_items}
    points = {item.id: item.points_of if not item.is_text else lambda code: code for item in instrument.scored_items}
    ends = pd.DataFrame(
        [
            {one: min(codes[one], key=points[one]) for one in codes},
            {one: max(codes[one], key=points[one]) for one in codes},
        ]
    )
    scored = score_instrument(instrument, ends)[instrument.outputs[0]]
    assert {scored[0], scored[1]} == {low, high}


# ---- programs


@pytest.mark.parametrize("name", shipped_names("programs"))
def test_a_program_loads_and_travels_to_workers(name: str) -> None:
    program = load_program(name)
    assert pickle.loads(pickle.dumps(program)) == program
    assert hash(program) == hash(load_program(name))
    assert program.fingerprint == load_program(name).fingerprint


@pytest.mark.parametrize("name", shipped_names("programs"))
def test_a_program_can_be_worked_with(name: str) -> None:
    program = load_program(name)
    outcomes = {reason.outcome for reason in program.decision_reasons}
    assert outcomes == {"admit", "defer", "refuse"}
    assert "onboarding" in program.intensities
    assert [tier.id for tier in program.tiers] == ["high", "medium", "low"]
    for chosen in program.criteria:
        assert set(chosen.all_of) | set(chosen.any_of) == {rule.id for rule in chosen.rules}
        assert all(expression_names(rule.expression) for rule in chosen.rules)


@pytest.mark.parametrize("name", shipped_names("programs"))
def test_the_tiers_of_a_program_can_all_be_reached_with_its_card(name: str) -> None:
    program = load_program(name)
    highest = sum(max(0, most) for most in most_points(load_scorecard(program.risk.scorecard)).values())
    bounds = [tier.from_points for tier in program.tiers[:-1]]
    assert bounds[0] <= 0.6 * highest
    assert bounds[-1] >= 1


def most_points(card) -> dict[str, int]:
    """The most points each item can give: thresholds add up, codes do not."""
    most: dict[str, int] = {}
    for item in card.items:
        rows = [(parse_condition(row.condition), row.points) for row in card.rows if row.item == item]
        sums = [
            sum(points for condition, points in rows if condition.operator in signs)
            for signs in ((">=", ">"), ("<=", "<"))
        ]
        codes = [points for condition, points in rows if condition.operator in ("=", "is missing")]
        most[item] = max([*sums, *codes])
    return most


# ---- scorecards


@pytest.mark.parametrize("name", shipped_names("scorecards"))
def test_an_expert_card_says_what_it_is_and_promises_no_risk(name: str) -> None:
    card = load_scorecard(name)
    assert card.kind == "expert"
    assert card.status == "expert opinion, not validated"
    assert not card.risk_table
    assert "not validated" in card.label["en"]
    assert "non validée" in card.label["fr"]
    assert "non validata" in card.label["it"]


@pytest.mark.parametrize("name", shipped_names("scorecards"))
def test_a_card_refers_to_features_of_its_program(name: str) -> None:
    card = load_scorecard(name)
    program = load_program(card.program)
    assert set(card.items) <= set(program.feature_names)
    assert all(row.domain == program.feature(row.item).domain for row in card.rows)
    assert all(row.is_actionable == program.feature(row.item).is_actionable for row in card.rows)


@pytest.mark.parametrize("name", shipped_names("scorecards"))
def test_a_worse_value_never_lowers_the_points(name: str) -> None:
    card = load_scorecard(name)
    program = load_program(card.program)
    for row in card.rows:
        assert abs(row.points) <= MOST_POINTS
        operator = parse_condition(row.condition).operator
        worse = program.feature(row.item).worse
        if operator in (">=", ">"):
            assert row.points * (-1 if worse == "lower" else 1) > 0, row
        if operator in ("<=", "<") and worse == "higher":
            assert row.item.startswith("days_since") or row.points < 0, row
        if operator in ("<=", "<") and worse == "lower":
            assert row.points > 0, row


@pytest.mark.parametrize("name", ["lace", "phq9", "cesd", "lawton", "auditc"])
def test_the_card_of_an_instrument_gives_its_total(name: str) -> None:
    instrument = load_instrument(name)
    random = np.random.default_rng(7)
    answers = pd.DataFrame(
        {item.id: random.choice(list(item.allowed) or np.arange(20.0), 200) for item in instrument.scored_items}
    )
    points = pd.Series(0.0, index=answers.index)
    for row in card_of_instrument(instrument).rows:
        assert row.condition.startswith(">= ")
        points += row.points * (answers[row.item] >= parse_condition(row.condition).value)
    assert points.tolist() == score_instrument(instrument, answers)["total"].tolist()


# ---- wordings


def test_every_language_has_the_same_keys() -> None:
    english = set(load_wording("en").words)
    for language in LANGUAGES[1:]:
        words = set(load_wording(language).words)
        assert words - english == set(), language
        assert english - words == set(), language


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_words_are_empty_and_every_placeholder_is_the_same(language: str) -> None:
    english = load_wording("en").words
    for key, text in load_wording(language).words.items():
        assert text.strip() or key.startswith("format."), key
        assert placeholders(text) == placeholders(english[key]), key


def test_french_words_keep_french_typography() -> None:
    for key, text in load_wording("fr").words.items():
        if not key.startswith(("csv.", "format.")):
            assert_french(re.sub(r"\{[^}]*\}", "x", text), key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_of_every_output_has_a_header_of_its_own(language: str) -> None:
    wording = load_wording(language)
    for name, output in OUTPUTS.items():
        headers = [wording(f"columns.{column.name}") for column in output.columns]
        assert len(set(headers)) == len(headers), name


# ---- catalogues


@pytest.mark.parametrize(
    ("catalogue", "folder"),
    [(list_programs, "programs"), (list_instruments, "instruments"), (list_scorecards, "scorecards")],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_one_row_a_file(catalogue, folder: str, language: str) -> None:
    frame = catalogue(language)
    assert tuple(frame["name"]) == shipped_names(folder)
    for column in ("label", "domain", "version", "licence", "status", "source"):
        assert frame[column].str.len().gt(0).all(), column
