"""Rules, earlier tiers and a candidate in the shadow, on whole nights of a small agency."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest
from tests.nightly.conftest import AS_OF

from casestrat.errors import UsageError
from casestrat.knowledge import Program, RuleSpec
from casestrat.models import PointScorecard, save_model
from casestrat.nightly import NightlyRun, compare_runs, promote, run_nightly
from casestrat.tables import Tables

SAME = ("waiting_list.parquet", "assess_first.parquet", "allocation.parquet", "risk.parquet", "waiting_list.csv")


@pytest.fixture(scope="module")
def plain(small: Tables, program: Program, tmp_path_factory: pytest.TempPathFactory) -> NightlyRun:
    return run_nightly(small, program, as_of=AS_OF, out=tmp_path_factory.mktemp("plain"), workers=1)


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card by which the youngest come first."""
    rows = [("age", f"< {age}", 3, "demographic") for age in (95, 88, 84, 80, 76, 70)]
    table = pd.DataFrame(rows, columns=["item", "condition", "points", "domain"])
    return save_model(PointScorecard.from_table(table), tmp_path_factory.mktemp("model") / "young.json")


@pytest.fixture(scope="module")
def shadowed(small: Tables, program: Program, candidate: Path, tmp_path_factory: pytest.TempPathFactory) -> NightlyRun:
    return run_nightly(
        small, program, as_of=AS_OF, out=tmp_path_factory.mktemp("shadowed"), workers=1, shadow=candidate
    )


def test_a_candidate_in_the_shadow_changes_nothing_but_what_is_told_of_it(
    plain: NightlyRun, shadowed: NightlyRun
) -> None:
    for name in SAME:
        assert (plain.folder / name).read_bytes() == (shadowed.folder / name).read_bytes(), name
    assert "shadow" not in plain.manifest
    assert not (plain.folder / "shadow.parquet").exists()
    assert shadowed.manifest["run_id"] != plain.manifest["run_id"]


def test_the_shadow_tells_who_would_enter_and_leave(shadowed: NightlyRun, candidate: Path) -> None:
    told, frame = shadowed.manifest["shadow"], pd.read_parquet(shadowed.folder / "shadow.parquet")
    listed = pd.read_parquet(shadowed.folder / "waiting_list.parquet")
    before = frame[frame["rank_before"].notna()]
    assert sorted(before["referral_id"]) == sorted(listed["referral_id"])
    assert (frame["is_proposed"] & ~frame["was_proposed"]).sum() == told["enters"]
    assert (frame["was_proposed"] & ~frame["is_proposed"]).sum() == told["leaves"]
    assert set(frame["change"]) - {"stays"}
    assert frame["points_after"].dropna().mod(3).eq(0).all()
    by_tier = pd.DataFrame(told["counts"])
    assert by_tier.loc[by_tier["by"] == "tier", "enters"].sum() == told["enters"]
    assert json.loads((shadowed.folder / "manifest.json").read_text("utf-8"))["shadow"] == told


def test_what_the_shadow_told_is_what_the_model_does_once_promoted(
    small: Tables, program: Program, candidate: Path, plain: NightlyRun, shadowed: NightlyRun, tmp_path: Path
) -> None:
    shadow = shadowed.manifest["shadow"]
    promote(candidate, tmp_path / "models", approver="A. Lead", reason="a test", comparison=shadow)
    after = run_nightly(small, program, as_of=AS_OF, out=tmp_path / "out", workers=1, model=tmp_path / "models")
    compared = compare_runs(plain, after)
    assert (compared.n_enter, compared.n_leave) == (shadow["enters"], shadow["leaves"])
    frame = pd.read_parquet(shadowed.folder / "shadow.parquet").set_index("referral_id")
    ranks = pd.read_parquet(after.folder / "waiting_list.parquet").set_index("referral_id")["rank"]
    assert frame["rank_after"].dropna().astype(int).to_dict() == ranks.astype(int).to_dict()


def test_the_night_gives_tiers_by_rules_and_keeps_those_of_the_run_before(
    small: Tables, program: Program, plain: NightlyRun, tmp_path: Path
) -> None:
    rules = (
        RuleSpec("old", "age >= 90", tier="high", override=1),
        RuleSpec("frail", "cesd_total >= 40", tier="medium", how="at_least"),
    )
    ruled = dataclasses.replace(program, tier_rules=rules)
    run = run_nightly(small, ruled, as_of=AS_OF, out=tmp_path, workers=1, previous=plain.folder)
    risk = pd.read_parquet(run.folder / "risk.parquet").set_index("person_id")
    before = pd.read_parquet(plain.folder / "risk.parquet").set_index("person_id")
    old = risk["tier_rule"] == "rule old"
    assert old.any()
    assert (risk.loc[old, "tier"] == "high").all()
    assert (risk.loc[old, "proposed_override"] == 1).all()
    assert "cesd_total" in set(risk["unknown_inputs"])
    assert (risk["previous_tier"].fillna("") == before["tier"].fillna("")).all()
    assert not risk["review_step_down"].any()  # the same scores: nobody would step down
    listed = pd.read_parquet(run.folder / "waiting_list.parquet")
    assert (listed["key_override"] == 0).all()  # a rule proposes; people decide
    assert run.manifest["previous_run"] == plain.manifest["run_id"]
    assert run.summary["tiers_by_rule"] >= old.sum()
    assert run.summary["rules_left_open"] == risk["unknown_inputs"].ne("").sum()
    assert plain.summary["tiers_by_rule"] == plain.summary["rules_left_open"] == 0
    assert (risk["tier_since"] == pd.Timestamp(AS_OF)).all()


@pytest.mark.parametrize("how", ["none", "later"])
def test_tiers_of_no_run_or_of_a_later_one_are_refused(
    small: Tables, program: Program, plain: NightlyRun, tmp_path: Path, how: str
) -> None:
    previous = tmp_path / "nowhere" if how == "none" else plain.folder
    with pytest.raises(UsageError, match="no whole run" if how == "none" else "comes after"):
        run_nightly(small, program, as_of="2026-09-01", out=tmp_path / "out", previous=previous)


def test_a_program_that_asks_for_a_reason_does_not_even_look_at_a_learned_candidate_without_one(
    small: Tables, program: Program, tmp_path: Path
) -> None:
    strict = dataclasses.replace(program, privacy=dataclasses.replace(program.privacy, learned_ranking="opt_in"))
    card = PointScorecard.from_table(pd.DataFrame({"item": ["age"], "condition": [">= 80"], "points": [1]}))
    card.card_ = {**card.card_, "kind": "learned"}
    path = save_model(card, tmp_path / "learned.json")
    with pytest.raises(UsageError, match="unless a reason"):
        run_nightly(small, strict, as_of=AS_OF, out=tmp_path / "out", shadow=path)
    with pytest.raises(UsageError, match="unless a reason"):
        run_nightly(small, strict, as_of=AS_OF, out=tmp_path / "out", model=path)
