from __future__ import annotations

import itertools
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.knowledge import load_instrument, load_program
from casestrat.tables import TEXT, Tables
from casestrat.timeline import known, score_assessments, score_instrument

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "instruments.json").read_text(encoding="utf-8"))
DAY = pd.Timestamp("2026-01-05")
LATER = pd.Timestamp("2026-02-01")
NAMES_IN_VECTORS = {"cci": "total"}


def sheet(vector: dict) -> pd.DataFrame:
    """One sitting as the vector tells it."""
    inputs = dict(vector["inputs"])
    if "responses" in inputs:
        inputs |= {f"q{number}": code for number, code in enumerate(inputs.pop("responses"), 1)}
    if "conditions" in inputs:
        conditions = inputs.pop("conditions")
        inputs |= {item: int(item in conditions) for item in load_instrument("charlson").item_ids}
    return pd.DataFrame([inputs])


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_a_published_case_gives_the_published_score(vector: dict) -> None:
    if vector["instrument"] == "aggir_subitem":
        _check_letter(vector)
        return
    if vector["expected"].get("error_or_na"):
        _check_no_score(vector)
        return
    scored = score_instrument(vector["instrument"], sheet(vector)).iloc[0]
    assert bool(scored["is_valid"])
    for name, expected in vector["expected"].items():
        found = scored[NAMES_IN_VECTORS.get(name, name)]
        if isinstance(expected, float):
            assert found == pytest.approx(expected, abs=6e-5)
        else:
            assert found == expected


def _check_letter(vector: dict) -> None:
    item = next(item for item in load_instrument("aggir").items if item.id == vector["inputs"]["variable"])
    assert item.parts is not None
    letters = vector["inputs"]["sub"]
    assert item.parts.letter_of["".join(letters)] == vector["expected"]["letter"]
    others = {one.id: "A" for one in load_instrument("aggir").scored_items if one.id != item.id}
    by_parts = pd.DataFrame([others | dict(zip(item.parts.items, letters, strict=True))])
    by_letter = pd.DataFrame([others | {item.id: vector["expected"]["letter"]}])
    pd.testing.assert_frame_equal(score_instrument("aggir", by_parts), score_instrument("aggir", by_letter))


def _check_no_score(vector: dict) -> None:
    try:
        scored = score_instrument(vector["instrument"], sheet(vector))
    except UsageError:
        return
    assert scored.iloc[:, 0].isna().all()
    assert not scored["is_valid"].any()


def test_the_cases_cover_the_instruments() -> None:
    assert {vector["instrument"] for vector in VECTORS} >= {"aggir", "charlson", "lace", "phq9", "auditc"}


def test_charlson_age_points_begin_at_the_published_ages() -> None:
    text = (Path(__file__).parents[1] / "vectors" / "issue_thread_cases.json").read_text(encoding="utf-8")
    expected = json.loads(text)["charlson_age"][0]["age_points"]
    sittings = pd.DataFrame(0, index=range(len(expected)), columns=list(load_instrument("charlson").item_ids))
    scored = score_instrument("charlson", sittings.assign(age=[int(age) for age in expected]))
    assert scored["age_points"].tolist() == list(expected.values())


def test_gir_follows_the_law_on_every_profile_of_letters() -> None:
    aggir = load_instrument("aggir")
    items = [item.id for item in aggir.scored_items]
    profiles = list(itertools.product("ABC", repeat=8))
    scored = score_instrument(aggir, pd.DataFrame(profiles, columns=items))
    found = list(zip(scored["rank"], scored["group"], scored["group_sum"], strict=True))
    for place in range(0, len(profiles), 7):
        assert found[place] == _rank_by_law(aggir, dict(zip(items, profiles[place], strict=True)))
    gir = dict(zip(profiles, scored["gir"], strict=True))
    lighter = sum(
        gir[(*profile[:at], worse, *profile[at + 1 :])] > gir[profile]
        for profile in profiles
        for at in range(8)
        for worse in {"A": "B", "B": "C"}.get(profile[at], "")
    )
    assert lighter == 30  # the law is not monotone, and it is kept to the letter


def _rank_by_law(aggir, profile):
    """The rank by one loop over the groups, for one profile."""
    for group in aggir.scoring.groups:
        total = sum(group.weights.get(letter, {}).get(item, 0) for item, letter in profile.items())
        for step in sorted(group.ranks, key=lambda step: -step.start):
            if total >= step.start:
                return step.points, group.id, total
    return aggir.scoring.otherwise_rank, group.id, total


def phq9(**answers: object) -> pd.DataFrame:
    return pd.DataFrame([{f"q{number}": 1 for number in range(1, 10)} | answers])


@pytest.mark.parametrize("wrong", [4, -1, 1.5, "often", "9", np.inf])
def test_an_answer_the_item_does_not_take_is_missing_and_makes_the_sitting_invalid(wrong: object) -> None:
    scored = score_instrument("phq9", phq9(q3=wrong)).iloc[0]
    assert np.isnan(scored["total"])
    assert scored["n_missing"] == 1
    assert not scored["is_valid"]
    assert pd.isna(scored["band"])


@pytest.mark.parametrize("blank", [None, np.nan, "", "  ", pd.NA])
def test_a_blank_answer_is_missing_and_gives_no_total(blank: object) -> None:
    scored = score_instrument("phq9", phq9(q3=blank).astype(object)).iloc[0]
    assert np.isnan(scored["total"])
    assert scored["n_missing"] == 1
    assert not scored["is_valid"]


@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", TEXT, object, "category"])
def test_codes_are_read_whatever_their_storage(dtype: object) -> None:
    assert score_instrument("phq9", phq9().astype(dtype))["total"].tolist() == [9.0]


def test_flags_of_true_and_false_count_as_one_and_zero() -> None:
    items = pd.DataFrame([dict.fromkeys(load_instrument("lawton").item_ids, True)])
    assert score_instrument("lawton", items)["total"].tolist() == [8.0]


def test_the_index_of_the_sittings_is_kept_and_the_frame_is_not_changed() -> None:
    items = pd.concat([phq9(), phq9(q9=0)]).set_index(pd.Index(["S2", "S1"], name="sitting"))
    before = items.copy()
    scored = score_instrument("phq9", items)
    pd.testing.assert_index_equal(scored.index, items.index)
    assert scored["self_harm_item_positive"].tolist() == [True, False]
    pd.testing.assert_frame_equal(items, before)


def test_no_sitting_gives_an_empty_frame_with_all_columns() -> None:
    scored = score_instrument("aggir", pd.DataFrame(columns=[i.id for i in load_instrument("aggir").scored_items]))
    assert list(scored.columns) == ["gir", "rank", "group", "group_sum", "band", "n_missing", "is_valid"]
    assert len(scored) == 0


def test_an_unknown_column_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="unknown columns: q10, total"):
        score_instrument("phq9", phq9(q10=1, total=3))


def test_a_missing_column_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="missing columns: q1, q7"):
        score_instrument("phq9", phq9().drop(columns=["q7", "q1"]))


def test_an_item_given_by_some_of_its_parts_only_is_a_missing_column() -> None:
    items = pd.DataFrame([{item.id: "A" for item in load_instrument("aggir").scored_items}])
    items = items.drop(columns="coherence").assign(coherence_communication="A")
    with pytest.raises(UsageError, match="missing columns: coherence"):
        score_instrument("aggir", items)


def test_the_letter_given_itself_stands_before_its_parts_and_a_wrong_part_is_told() -> None:
    items = pd.DataFrame([{item.id: "A" for item in load_instrument("aggir").scored_items}] * 3)
    items["toilette"] = ["A", None, None]
    items = items.assign(toilette_haut=["C", "C", "D"], toilette_bas="C")
    scored = score_instrument("aggir", items)
    assert scored["group_sum"].tolist()[:2] == [0.0, 3000.0]
    assert scored["is_valid"].tolist() == [True, True, False]


def test_proration_takes_the_mean_of_the_others_up_to_the_declared_number() -> None:
    prorated = load_instrument("phq9", "prorated")
    items = pd.concat([phq9(q1=None, q2=None), phq9(q1=None, q2=None, q3=None), phq9(q1=9)], ignore_index=True)
    scored = score_instrument(prorated, items)
    assert scored["total"].tolist()[0] == 9.0
    assert np.isnan(scored["total"][1])
    assert scored["total"][2] == 9.0
    assert scored["is_valid"].tolist() == [True, False, False]  # a wrong answer stays told, though the rest is enough


def test_half_points_are_the_variants_alone() -> None:
    items = pd.DataFrame([dict.fromkeys(load_instrument("katz").item_ids, 0.5)])
    assert not score_instrument("katz", items)["is_valid"].any()
    assert score_instrument(load_instrument("katz", "half_points"), items)["total"].tolist() == [3.0]


def test_a_flag_stays_unknown_where_sex_or_the_item_is_not_known() -> None:
    items = pd.DataFrame({"q1": [4] * 5, "q2": [0] * 5, "q3": [0] * 4 + [None], "sex": ["f", "m", "x", None, "f"]})
    scored = score_instrument("auditc", items)
    assert scored["positive"].tolist()[:2] == [True, True]
    assert scored["positive"].isna().tolist() == [False, False, True, True, True]
    assert scored["is_valid"].tolist() == [True, True, True, True, False]
    without = score_instrument("auditc", items.drop(columns="sex"))
    assert without["positive"].isna().all()


def test_a_sex_or_an_age_that_is_none_makes_the_sitting_invalid() -> None:
    items = pd.DataFrame({"q1": [1, 1], "q2": [1, 1], "q3": [1, 1], "sex": ["f", "woman"]})
    assert score_instrument("auditc", items)["is_valid"].tolist() == [True, False]
    conditions = pd.DataFrame(0, index=range(3), columns=list(load_instrument("charlson").item_ids))
    scored = score_instrument("charlson", conditions.assign(age=[70, 700, None]))
    assert scored["is_valid"].tolist() == [True, False, True]
    assert scored["age_adjusted"].isna().tolist() == [False, True, True]
    assert scored["total"].tolist() == [0.0, 0.0, 0.0]


def test_lace_takes_whole_days_and_refuses_parts_of_days() -> None:
    items = pd.DataFrame(
        {"length_of_stay_days": [0, 3.5, -1, 400], "acute_admission": 1, "charlson_lace": 0, "ed_visits_6m": 0}
    )
    scored = score_instrument("lace", items)
    assert scored["is_valid"].tolist() == [True, False, False, True]
    assert scored["total"].tolist()[::3] == [3.0, 10.0]


def test_an_instrument_of_a_total_only_takes_its_total(tmp_path: Path) -> None:
    path = tmp_path / "mmse.toml"
    path.write_text(TOTAL_ONLY, encoding="utf-8")
    scored = score_instrument(load_instrument(path), pd.DataFrame({"total": [30, 23.5, 31, None]}))
    assert scored["band"].tolist()[:2] == ["normal", "low"]
    assert scored["is_valid"].tolist() == [True, True, False, False]


def test_age_points_without_a_survival_estimate_stand_alone(tmp_path: Path) -> None:
    text = files("casestrat.knowledge").joinpath("instruments").joinpath("charlson.toml").read_text("utf-8")
    path = tmp_path / "charlson.toml"
    path.write_text(
        text.replace("survival = [0.983, 0.9]\n", "").replace(", survival_10y = 0.0225", ""), encoding="utf-8"
    )
    instrument = load_instrument(path)
    items = pd.DataFrame([dict.fromkeys(instrument.item_ids, 0) | {"age": 80}])
    assert instrument.outputs == ("total", "age_points", "age_adjusted")
    assert score_instrument(instrument, items)["age_adjusted"].tolist() == [4.0]


TOTAL_ONLY = """
id = "mmse"
name = "MMSE"
version = "1"
domain = "cognition"
range = [0, 30]
higher_is_worse = false
licence = "owned by its publisher: the total is taken, no item is"
source = "Folstein 1975"
confidence = "well known"
label = { en = "memory and thinking" }
[scoring]
type = "total_only"
[[bands]]
id = "low"
from = 0
label = { en = "low" }
[[bands]]
id = "normal"
from = 24
label = { en = "normal" }
[[examples]]
name = "the highest"
answers = { total = 30 }
expect = { total = 30, band = "normal" }
"""


# ---- sittings of an extract


def tables(assessments: pd.DataFrame, responses: pd.DataFrame | None = None, **persons: object) -> Tables:
    frames = {
        "persons": pd.DataFrame({"person_id": ["P1", "P2", "P3"], "recorded_at": DAY - pd.Timedelta(days=9)} | persons),
        "referrals": pd.DataFrame(
            {"referral_id": ["R1"], "person_id": ["P1"], "referred_on": [DAY], "recorded_at": [DAY]}
        ),
        "assessments": assessments,
    }
    return Tables.from_frames(frames | ({} if responses is None else {"responses": responses}))


def sitting(assessment_id: str = "A1", instrument: str = "phq9", person: str = "P1", **columns: object) -> dict:
    row = {"assessment_id": assessment_id, "person_id": person, "instrument": instrument}
    return row | {"observed_at": DAY, "recorded_at": DAY, "is_void": False} | columns


def answers(codes: dict[str, object], assessment_id: str = "A1", at: pd.Timestamp = DAY, **columns: object) -> list:
    return [
        {"assessment_id": assessment_id, "person_id": "P1", "item": item, "value": None if code is None else str(code)}
        | {"recorded_at": at, "is_void": False}
        | columns
        for item, code in codes.items()
    ]


ONES = {f"q{number}": 1 for number in range(1, 10)}


def test_a_sitting_is_scored_from_its_answers_and_not_from_its_total() -> None:
    scored = score_assessments(tables(pd.DataFrame([sitting(total=27)]), pd.DataFrame(answers(ONES))))
    assert scored[["total", "band", "n_missing", "is_valid"]].values.tolist() == [[9.0, "mild", 0, True]]


def test_a_sitting_without_answers_keeps_its_total_if_it_is_one() -> None:
    sittings = [sitting("A1", total=12), sitting("A2", person="P2", total=28), sitting("A3", person="P3")]
    scored = score_assessments(tables(pd.DataFrame(sittings)))
    assert scored["band"].tolist()[0] == "moderate"
    assert scored["total"].isna().tolist() == [False, True, True]
    assert scored["is_valid"].tolist() == [True, False, False]
    assert scored["n_missing"].isna().all()


def test_incomplete_answers_do_not_fall_back_on_the_total() -> None:
    codes = ONES | {"q4": None}
    scored = score_assessments(tables(pd.DataFrame([sitting(total=9)]), pd.DataFrame(answers(codes))))
    assert scored["total"].isna().all()
    assert scored["n_missing"].tolist() == [1]


def test_an_answer_to_no_item_of_the_instrument_is_left_out() -> None:
    scored = score_assessments(tables(pd.DataFrame([sitting()]), pd.DataFrame(answers(ONES | {"remark": "tired"}))))
    assert scored["total"].tolist() == [9.0]


def test_a_late_answer_completes_the_score_from_the_moment_it_was_recorded() -> None:
    first = {item: code for item, code in ONES.items() if item != "q9"}
    rows = answers(first) + answers({"q9": 3}, at=LATER)
    scored = score_assessments(tables(pd.DataFrame([sitting()]), pd.DataFrame(rows)))
    assert scored["recorded_at"].tolist() == [DAY, LATER]
    assert scored["total"].fillna(-1).tolist() == [-1.0, 11.0]
    assert known(scored, "assessment_id", "2026-01-20")["total"].isna().all()
    assert known(scored, "assessment_id", "2026-03-01")["total"].tolist() == [11.0]


def test_a_corrected_answer_counts_from_then_and_a_retracted_one_is_missing() -> None:
    rows = answers(ONES) + answers({"q1": 3}, at=LATER)
    rows += answers({"q2": 1}, at=LATER + pd.Timedelta(days=1), is_void=True)
    scored = score_assessments(tables(pd.DataFrame([sitting()]), pd.DataFrame(rows)))
    assert scored["total"].fillna(-1).tolist() == [9.0, 11.0, -1.0]
    assert scored["n_missing"].tolist() == [0, 0, 1]


def test_an_answer_recorded_before_its_sitting_is_known_with_it() -> None:
    rows = answers(ONES, at=DAY - pd.Timedelta(days=2))
    scored = score_assessments(tables(pd.DataFrame([sitting()]), pd.DataFrame(rows)))
    assert scored[["recorded_at", "total"]].values.tolist() == [[DAY, 9.0]]


def test_a_retracted_sitting_is_marked_from_then_on() -> None:
    sittings = [sitting(total=12), sitting(total=12, recorded_at=LATER, is_void=True)]
    scored = score_assessments(tables(pd.DataFrame(sittings)))
    assert scored["is_void"].tolist() == [False, True]
    assert known(scored, "assessment_id", "2026-03-01").empty


def test_a_version_that_names_a_variant_is_scored_as_it() -> None:
    half = dict.fromkeys(load_instrument("katz").item_ids, 0.5)
    sittings = [sitting("A1", "katz", version="half_points"), sitting("A2", "katz", version="1963")]
    rows = answers(half) + answers(half, "A2")
    scored = score_assessments(tables(pd.DataFrame(sittings), pd.DataFrame(rows)))
    assert scored["total"].fillna(-1).tolist() == [3.0, -1.0]
    assert scored["is_valid"].tolist() == [True, False]


def test_outputs_of_several_instruments_stand_side_by_side() -> None:
    letters = {item.id: "C" for item in load_instrument("aggir").scored_items}
    sittings = [sitting("A1", "aggir"), sitting("A2", total=3), sitting("A3", "own_scale", total=7)]
    scored = score_assessments(tables(pd.DataFrame(sittings), pd.DataFrame(answers(letters))))
    assert scored["total"].tolist() == [1.0, 3.0, 7.0]
    assert scored["gir"].fillna(0).tolist() == [1.0, 0.0, 0.0]
    assert scored["group"].tolist()[0] == "A"
    assert scored["is_valid"].tolist() == [True, True, True]
    assert list(scored.columns)[-3:] == ["n_missing", "is_valid", "is_void"]


def test_a_program_scores_its_own_instruments_only() -> None:
    sittings = pd.DataFrame([sitting("A1", "phq9", total=12), sitting("A2", "katz", total=6)])
    scored = score_assessments(tables(sittings), load_program("geriatric"))
    assert scored["band"].isna().tolist() == [True, False]


def test_no_sitting_gives_no_row() -> None:
    scored = score_assessments(tables(pd.DataFrame([sitting()]).head(0)))
    assert scored.empty
    assert scored["total"].dtype == "float64"


def test_age_points_wait_for_an_age_that_the_year_of_birth_leaves_open() -> None:
    conditions = dict.fromkeys(load_instrument("charlson").item_ids, 0)
    sittings = [sitting(f"A{n}", "charlson", f"P{n}", observed_at=pd.Timestamp("2026-06-15")) for n in (1, 2, 3)]
    rows = [row | {"person_id": f"P{n}"} for n in (1, 2, 3) for row in answers(conditions, f"A{n}")]
    people = {"birth_year": [1956, 1956, 1950], "birth_month": [None, 3, None]}
    scored = score_assessments(tables(pd.DataFrame(sittings), pd.DataFrame(rows), **people))
    assert scored["age_points"].fillna(-1).tolist() == [-1.0, 3.0, 3.0]  # 69 or 70; 70; 75 or 76
    assert scored["total"].tolist() == [0.0, 0.0, 0.0]


def test_what_is_asked_of_the_person_counts_as_it_was_known_then() -> None:
    people = pd.DataFrame(
        {"person_id": ["P1", "P1", "P2", "P3"], "sex": ["m", "f", "f", "f"]}
        | {"recorded_at": [DAY - pd.Timedelta(days=9), LATER, LATER, DAY], "is_void": False}
    )
    sittings = [sitting(f"A{n}", "auditc", f"P{n}", total=None) for n in (1, 2)]
    rows = [row | {"person_id": f"P{n}"} for n in (1, 2) for row in answers({"q1": 3, "q2": 0, "q3": 0}, f"A{n}")]
    frames = {
        "persons": people,
        "referrals": pd.DataFrame(
            {"referral_id": ["R1"], "person_id": ["P1"], "referred_on": [DAY], "recorded_at": [DAY]}
        ),
        "assessments": pd.DataFrame(sittings),
        "responses": pd.DataFrame(rows),
    }
    scored = score_assessments(Tables.from_frames(frames))
    assert scored["assessment_id"].tolist() == ["A1", "A1", "A2", "A2"]
    assert scored["positive"].tolist()[:2] == [False, True]
    assert scored["positive"].isna().tolist() == [False, False, True, False]


# ---- a real study


def test_the_published_totals_of_a_real_study_are_met_where_every_answer_is_there() -> None:
    folder = Path(__file__).parents[2] / "data" / "real" / "help" / "published"
    if not folder.is_dir():
        pytest.skip("the data of the HELP study are not in this checkout")
    long = pd.read_csv(folder / "help_items_long.csv.gz")
    wide = long[long["instrument"] == "CESD"].pivot_table(
        index=["person_id", "wave_months"], columns="item", values="value"
    )
    names = {f"F1{letter}": f"item_{number:02d}" for number, letter in enumerate("ABCDEFGHIJKLMNOPQRST", 1)}
    core = pd.read_csv(folder / "help_core.csv.gz").set_index(["ID", "TIME"])["CES_D"]
    scored = score_instrument("cesd", wide.rename(columns=names)[list(names.values())])
    published = core.reindex(scored.index)
    whole = scored["n_missing"] == 0
    assert whole.sum() == 1439
    assert (scored.loc[whole, "total"] == published[whole]).all()
    # The study counted a missing answer as 0 in 24 sittings; here there is no total, and a prorated one is not lower.
    short = ~whole & published.notna()
    assert short.sum() == 24
    assert scored.loc[short, "total"].isna().all()
    prorated = score_instrument(load_instrument("cesd", "prorated"), wide.rename(columns=names)[list(names.values())])
    assert (prorated.loc[short, "total"] >= published[short]).all()
