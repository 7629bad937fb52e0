"""What a corrected answer changes: both versions kept, nothing written, and the same as if the source were mended."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from tests.nightly.conftest import AS_OF

from casestrat.errors import UsageError
from casestrat.knowledge import Program, RuleSpec
from casestrat.nightly import Recomputed, read_corrections_file, recompute_with
from casestrat.tables import Tables
from casestrat.timeline import make_spine


@pytest.fixture(scope="module")
def person(small: Tables, program: Program) -> str:
    """Somebody who waits, and whose answers to the Katz index are known."""
    waiting = make_spine(small, program, AS_OF)["person_id"]
    sat = small.assessments[small.assessments["instrument"].eq("katz") & small.assessments["person_id"].isin(waiting)]
    sat = sat[sat["recorded_at"] < AS_OF].merge(small.responses[["assessment_id", "item"]], on="assessment_id")
    return str(sat.sort_values(["observed_at", "assessment_id"])["person_id"].iloc[-1])


@pytest.fixture(scope="module")
def plain(small: Tables, program: Program, person: str) -> Recomputed:
    """The person with a feature that no card asks of: nothing else changes."""
    return recompute_with(small, program, person, {"caregiver": None}, as_of=AS_OF)


def last_sitting(tables: Tables, person: str) -> pd.DataFrame:
    sat = tables.assessments[tables.assessments["person_id"].eq(person) & tables.assessments["instrument"].eq("katz")]
    newest = sat[sat["recorded_at"] < AS_OF].sort_values(["observed_at", "assessment_id"])["assessment_id"].iloc[-1]
    return tables.responses[tables.responses["assessment_id"].eq(newest)]


def test_a_corrected_feature_changes_points_reasons_and_place_and_keeps_both(
    small: Tables, program: Program, person: str
) -> None:
    stood = small.fingerprint
    ruled = dataclasses.replace(program, tier_rules=(RuleSpec("many", "falls_180d >= 9", tier="high"),))
    both = recompute_with(small, ruled, person, {"falls_180d": 9, "gir": 1, "lives_alone": "yes"}, as_of=AS_OF)
    before, after = both.scores.loc["before"], both.scores.loc["after"]
    assert after["points"] > before["points"]
    assert "points" in both.changed
    assert both.features.loc["falls_180d", "after"] == "9"
    assert both.features.loc["gir", "is_changed"]
    changed = both.reasons[both.reasons["is_changed"].astype(bool)]
    gained = changed["after"].astype(float).fillna(0).sum() - changed["before"].astype(float).fillna(0).sum()
    assert gained == after["points"] - before["points"]
    assert both.corrections["table"].tolist() == ["features"] * 3
    if before["stands_on"] == after["stands_on"] == "waiting_list":
        assert after["rank"] <= before["rank"]
        assert after["list_length"] == before["list_length"]
    assert after[["tier", "tier_rule"]].tolist() == ["high", "rule many"]  # rules are answered anew
    assert dataclasses.replace(small).fingerprint == stood  # computed anew: nothing of the tables was changed


def test_a_corrected_answer_is_as_if_the_source_had_been_mended(small: Tables, program: Program, person: str) -> None:
    answers = last_sitting(small, person)
    given = {}
    for row in answers.itertuples():
        given["responses", (row.assessment_id, row.item), "value"] = "0" if str(row.value) == "1" else "1"
    both = recompute_with(small, program, person, given, as_of=AS_OF)
    frames = {name: getattr(small, name) for name in small.present}
    mended = small.responses.copy()
    keys = pd.MultiIndex.from_frame(mended[["assessment_id", "item"]])
    for (_table, key, _column), value in given.items():
        mended.loc[keys == key, "value"] = value
    source = Tables.from_frames(frames | {"responses": mended}, program, small.extract)
    same = recompute_with(source, program, person, {"age": 80.0}, as_of=AS_OF)
    pd.testing.assert_series_equal(both.scores.loc["after"], same.scores.loc["before"], check_names=False)
    assert both.features["after"].tolist() == same.features["before"].tolist()
    assert both.features.loc["katz_total", "is_changed"]
    assert len(both.corrections) == len(given)
    assert (both.corrections["before"] != both.corrections["after"]).all()


def test_an_answer_that_was_not_given_can_be_added(
    small: Tables, program: Program, person: str, plain: Recomputed
) -> None:
    answers = last_sitting(small, person)
    gone = answers.iloc[[0]]
    keys = ["assessment_id", "item"]
    rest = small.responses.merge(gone[keys], on=keys, how="left", indicator=True)
    lacking = small.responses[rest["_merge"].eq("left_only").to_numpy()]
    frames = {name: getattr(small, name) for name in small.present}
    source = Tables.from_frames(frames | {"responses": lacking}, program, small.extract)
    key = "|".join(gone.iloc[0][keys])
    given = pd.DataFrame([{"table": "responses", "key": key, "column": "value", "value": gone["value"].iloc[0]}])
    both = recompute_with(source, program, person, given, as_of=AS_OF)
    assert both.features.loc["katz_total", "after"] == plain.features.loc["katz_total", "before"]
    assert pd.isna(both.corrections["before"].iloc[0])


def test_a_withdrawn_referral_leaves_the_list(small: Tables, program: Program, person: str) -> None:
    mine = small.referrals[small.referrals["person_id"].eq(person)]
    given = {("referrals", referral, "withdrawn_on"): "2026-09-30" for referral in mine["referral_id"]}
    both = recompute_with(small, program, person, given, as_of=AS_OF)
    assert pd.notna(both.scores.loc["before", "stands_on"])
    assert pd.isna(both.scores.loc["after", "stands_on"])
    assert "stands_on" in both.changed


def test_what_changes_nothing_says_so(plain: Recomputed) -> None:
    assert set(plain.changed) <= {"completeness"}
    assert set(plain.features.index[plain.features["is_changed"].astype(bool)]) <= {"caregiver"}
    assert not plain.criteria["is_changed"].any()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "nothing is corrected"),
        ({"shoe_size": 3}, "no feature is called"),
        ({"falls_180d": "many"}, "the value is none"),
        ({("staff", "C1", "fte"): 1}, "no table about people"),
        ({("persons", "x", "shoe"): 1}, "is no column"),
        ({("persons", "x", "person_id"): "y"}, "says which row it is"),
        ({("referrals", "none", "urgency"): 1}, "no such row"),
        ({("responses", "none|a", "value"): 1}, "no such row"),
        ({("referrals", "urgency"): 1}, "a table, a key and a column"),
        (pd.DataFrame({"table": ["persons"]}), "no column key, column, value"),
        (pd.DataFrame({"table": ["features"] * 2, "key": "", "column": ["gir"] * 2, "value": [1, 2]}), "twice"),
        ([1], "found list"),
    ],
)
def test_a_correction_that_cannot_be_used_is_refused(
    small: Tables, program: Program, person: str, given: object, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        recompute_with(small, program, person, given, as_of=AS_OF)


def test_a_value_that_the_contract_forbids_is_refused_without_being_told(
    small: Tables, program: Program, person: str
) -> None:
    referral = small.referrals.loc[small.referrals["person_id"].eq(person), "referral_id"].iloc[0]
    with pytest.raises(UsageError, match="breaks the rule") as fault:
        recompute_with(small, program, person, {("referrals", referral, "urgency"): "777"}, as_of=AS_OF)
    assert "777" not in str(fault.value)
    assert "column urgency" in str(fault.value)


def test_a_person_who_neither_waits_nor_is_followed_is_refused(small: Tables, program: Program) -> None:
    with pytest.raises(UsageError, match="neither waiting nor followed"):
        recompute_with(small, program, "nobody", {"gir": 1}, as_of=AS_OF)


def test_corrections_are_read_from_a_file_of_either_separator(tmp_path) -> None:
    path = tmp_path / "given.csv"
    for separator in ",;":
        path.write_text("table,key,column,value\nfeatures,,gir,1\n".replace(",", separator), encoding="utf-8-sig")
        assert read_corrections_file(path)["value"].tolist() == ["1"]
    with pytest.raises(UsageError, match="no such file"):
        read_corrections_file(tmp_path / "none.csv")
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be read"):
        read_corrections_file(path)
