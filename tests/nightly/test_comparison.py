"""Two runs beside each other: who enters and leaves, why, and that small groups stay hidden."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.nightly import RunComparison, compare_runs
from casestrat.nightly.comparison import count_moves, standing_of
from casestrat.nightly.files import to_contract

PLACES = 3


def a_list(order: str, worth: dict[str, float] | None = None, **columns: object) -> pd.DataFrame:
    """A ranked list of people named by letters; what the risk of each is worth, in days at a rate of 2."""
    n = len(order)
    days = [(worth or {}).get(name, 10.0) for name in order]
    frame = pd.DataFrame({
        "person_id": [f"P{name}" for name in order], "referral_id": [f"R{name}" for name in order],
        "rank": range(1, n + 1), "is_proposed": [place < PLACES for place in range(n)], "tier": "high",
        "days_worth_risk": days, "days_worth_need": 0.0, "days_worth_urgency": 0.0, "days_worth_waiting": 5.0,
        "priority": [2 * (one + 5.0) for one in days], "key_override": 0, "key_deadline": False, "meeting_id": "M1",
    })  # fmt: skip
    return frame.assign(**columns)


def write_run(folder: Path, ranked: pd.DataFrame, aside: str = "", **prints: str) -> Path:
    folder.mkdir(parents=True)
    told = {"extract": "e1", "program": "p1", "model": "m1", "policy": "s1"} | prints
    manifest = {"run_id": "r", "as_of": "2026-10-01", "casestrat": "1", "fingerprints": told,
                "program": {"id": "geriatric", "version": "1"}}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    to_contract(ranked, "waiting_list").to_parquet(folder / "waiting_list.parquet")
    waiting = pd.DataFrame({"person_id": [f"P{one}" for one in aside], "referral_id": [f"R{one}" for one in aside]})
    to_contract(waiting, "assess_first").to_parquet(folder / "assess_first.parquet")
    return folder


@pytest.fixture
def compare(tmp_path: Path):
    def run(before: pd.DataFrame, after: pd.DataFrame, aside: tuple[str, str] = ("", ""), **options: object):
        a = write_run(tmp_path / "a", before, aside[0])
        return compare_runs(a, write_run(tmp_path / "b", after, aside[1], model="m2"), **options)

    return run


def test_who_enters_and_leaves_is_told_with_the_component_that_moved(compare) -> None:
    told = compare(a_list("abcde"), a_list("abdce", {"d": 14.0}))
    rows = told.changes.set_index("person_id")
    assert rows.loc["Pd", ["change", "why", "moved"]].tolist() == ["gains_place", "risk", "risk +8"]
    assert rows.loc["Pc", ["change", "why", "moved"]].tolist() == ["loses_place", "others", ""]
    assert (told.n_enter, told.n_leave) == (1, 1)
    assert set(rows.index) == {"Pc", "Pd"}


def test_other_reasons_come_before_components(compare) -> None:
    after = a_list("xcaed", {"e": 14.0}, tier=["high", "high", "medium", "high", "high"])
    after = after.assign(key_override=[0, 1, 0, 0, 0], key_deadline=[False, False, False, False, True])
    told = compare(a_list("abcde"), after, ("x", "b")).changes.set_index("person_id")
    assert told["why"].to_dict() == {
        "Px": "from_assess_first", "Pb": "to_assess_first", "Pc": "override", "Pa": "tier", "Pe": "risk",
        "Pd": "deadline",
    }  # fmt: skip
    assert told.loc["Pa", ["tier_before", "tier_after"]].tolist() == ["high", "medium"]


def test_people_who_are_new_or_gone_and_days_that_passed(compare) -> None:
    after = a_list("ybcd").assign(days_worth_waiting=6.0, priority=32.0)
    told = compare(a_list("abcd"), after.assign(rank=[1, 3, 2, 4])).changes.set_index("person_id")
    assert told.loc["Py", "why"] == "new"
    assert told.loc["Pa", "why"] == "gone"
    assert told.loc["Pb", "why"] == "waiting"


def test_the_first_can_be_counted_otherwise_than_by_places(compare) -> None:
    told = compare(a_list("abcde"), a_list("abced"), first=4)
    assert (told.n_enter, told.n_leave) == (1, 1)
    assert told.changes.set_index("person_id")["is_first"].to_dict() == {"Pe": True, "Pd": False}
    assert told.first == 4


def test_equal_lists_differ_in_nothing_but_the_model(compare) -> None:
    told = compare(a_list("abcd"), a_list("abcd"))
    assert told.changes.empty
    assert told.inputs.loc[told.inputs["is_changed"], "input"].tolist() == ["model"]
    assert told.inputs.set_index("input").loc["model", ["before", "after"]].tolist() == ["m1", "m2"]
    whole = told.counts.set_index("by").loc["all"]
    assert whole[["enters", "leaves", "stays"]].tolist() == [0, 0, 3]


def test_the_content_is_kept_without_people(compare) -> None:
    groups = pd.DataFrame({"sex": ["f", "m", "f", "m"]}, index=pd.Index(["Pa", "Pb", "Pc", "Pd"], name="person_id"))
    content = compare(a_list("abcd"), a_list("abdc"), groups=groups).content()
    text = json.dumps(content)
    assert content["enters"] == content["leaves"] == 1
    assert content["changed_inputs"] == [{"input": "model", "before": "m1", "after": "m2"}]
    assert "Pd" not in text
    assert "Rd" not in text


def test_groups_of_few_people_stay_hidden_and_tiers_do_not() -> None:
    people = [f"{number:03d}" for number in range(120)]
    before = pd.DataFrame({"person_id": people, "referral_id": people, "tier": "high", "rank": range(1, 121),
                           "is_proposed": [number < 60 for number in range(120)]})  # fmt: skip
    after = before.assign(is_proposed=[number >= 30 and number < 90 for number in range(120)])
    standing = standing_of(before, after)
    groups = pd.DataFrame(
        {"sex": ["f" if number % 2 else "m" for number in range(120)],
         "language": ["ar" if number in (3, 70) else "fr" for number in range(120)]},
        index=pd.Index(people, name="person_id"),
    )  # fmt: skip
    counts = count_moves(standing, groups, small_cell=11)
    by_sex = counts[counts["by"] == "sex"]
    assert by_sex[["enters", "leaves", "stays"]].to_numpy().tolist() == [[15, 15, 15], [15, 15, 15]]
    assert not by_sex["is_suppressed"].any()
    language = counts[counts["by"] == "language"].set_index("group")
    assert pd.isna(language.loc["ar", "enters"])  # one person
    assert pd.isna(language.loc["fr", "enters"])  # thirty less one would tell
    assert counts.loc[counts["by"] == "tier", ["enters", "leaves", "stays"]].to_numpy().tolist() == [[30, 30, 30]]
    plain = count_moves(standing, groups, small_cell=1).set_index(["by", "group"])
    assert plain.loc[("language", "ar"), ["enters", "leaves", "stays"]].tolist() == [1, 1, 0]


def test_a_group_of_the_name_of_the_margin_and_people_without_a_group_are_counted() -> None:
    before = a_list("abcd").assign(is_proposed=[True, True, False, False])
    after = a_list("abcd").assign(is_proposed=[True, False, True, False])
    groups = pd.DataFrame({"site": ["all", None]}, index=pd.Index(["Pa", "Pb"], name="person_id"))
    counts = count_moves(standing_of(before, after), groups, small_cell=1)
    site = counts[counts["by"] == "site"].set_index("group")
    assert site.loc["all", ["enters", "leaves", "stays"]].tolist() == [0, 0, 1]
    assert site.loc["unknown", ["enters", "leaves", "stays"]].tolist() == [1, 1, 0]


def test_nobody_within_the_places_gives_empty_counts(compare) -> None:
    nobody = a_list("ab").assign(is_proposed=False)
    told = compare(nobody, nobody)
    assert told.counts.empty
    assert isinstance(told, RunComparison)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", a_list("ab"))
    with pytest.raises(UsageError, match="no such folder"):
        compare_runs(run, tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no whole run"):
        compare_runs(tmp_path / "empty", run)
    with pytest.raises(UsageError, match="1 or more"):
        compare_runs(run, run, first=0)
    other = write_run(tmp_path / "b", a_list("ab"))
    path = other / "manifest.json"
    path.write_text(path.read_text("utf-8").replace("geriatric", "medical"), encoding="utf-8")
    with pytest.raises(UsageError, match="two programs"):
        compare_runs(run, other)
    groups = pd.DataFrame({"sex": ["f", "m"]}, index=pd.Index(["Pa", "Pa"], name="person_id"))
    with pytest.raises(UsageError, match="groups do not fit"):
        compare_runs(run, run, groups=groups)
