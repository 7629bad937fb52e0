"""Laws of every plan, against a brute force that shares nothing with the solver."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from casestrat.allocation import AllocationProblem, allocate, check_plan
from casestrat.knowledge.program import AllocationRules

pytestmark = pytest.mark.usefixtures("unhurried")

# Examples are small already, and shrinking them further would solve thousands of problems.
SLOW = settings(
    deadline=None, max_examples=5, suppress_health_check=[HealthCheck.too_slow], derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip
LEVELS = ["unassigned", "largest_utilisation", "sum_of_squares", "fit"]


@dataclass(frozen=True)
class Drawn:
    """Frames of a small problem, from which the problem itself is made."""

    cases: pd.DataFrame
    managers: pd.DataFrame
    licenses: pd.DataFrame
    conflicts: pd.DataFrame
    preferences: pd.DataFrame
    pins: pd.DataFrame
    credentials: pd.DataFrame
    rules: AllocationRules

    def problem(self) -> AllocationProblem:
        return AllocationProblem(
            self.cases, self.managers, licenses=self.licenses, conflicts=self.conflicts,
            preferences=self.preferences, pins=self.pins, credentials=self.credentials, rules=self.rules,
            starts_on="2026-10-01",
        )  # fmt: skip


@st.composite
def drawn(draw, most_cases=6, most_managers=3, *, delta=0.0):
    """Draw a small problem with every kind of rule."""
    n, m = draw(st.integers(1, most_cases)), draw(st.integers(1, most_managers))
    pick = lambda values, size: draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))  # noqa: E731
    case_ids, cm_ids = [f"C{i}" for i in range(n)], [f"CM{j}" for j in range(m)]
    cases = pd.DataFrame({
        "case_id": case_ids, "person_id": [f"P{i}" for i in range(n)],
        "minutes": pick([10, 20, 30, 45], n), "priority": pick([1.0, 2.0, 3.0, 5.0], n),
        "territory": pick(["T1", "T2", None], n), "jurisdiction": pick(["J1", "J2"], n),
        "language": pick(["fr", "pt", None, "unknown"], n), "interpreter_needed": pick([True, False, None], n),
        "skills": pick([None, None, "dementia"], n), "cm_id": pick([None, *cm_ids], n),
        "payer": pick([None, "unknown", "plan", "state", "plan;state"], n),
        "clearances": pick([None, None, "part2"], n),
        "guardian_language": pick([None, "unknown", "fr", "pt"], n),
        "guardian_interpreter_needed": pick([True, False, None], n),
    })  # fmt: skip
    managers = pd.DataFrame({
        "cm_id": cm_ids, "profession": pick(["nurse", "social_worker", "other"], m),
        "capacity_minutes": pick([0, 40, 60, 100], m), "max_cases": pick([None, 1, 2, 5], m),
        "languages": pick(["fr", "fr;pt", None], m), "skills": pick([None, "dementia", "dementia;interpreter"], m),
        "territories": pick(["T1", "T2", "T1;T2", None], m), "gender": pick(["f", "m"], m),
        "minutes_committed": pick([0, 0, 15], m),
    })  # fmt: skip
    n_licenses = draw(st.integers(0, 3))
    licenses = pd.DataFrame({
        "cm_id": pick(cm_ids, n_licenses), "profession": "nurse", "jurisdiction": pick(["J1", "J2"], n_licenses),
        "compact": pick([None, "NLC"], n_licenses), "valid_from": pd.Timestamp("2025-01-01"),
        "valid_to": pd.to_datetime(pd.Series(pick(["2026-11-01", "2030-01-01"], n_licenses), dtype=object)),
    })  # fmt: skip
    n_held = draw(st.integers(1, 4))
    credentials = pd.DataFrame({
        "cm_id": pick(cm_ids, n_held), "credential": pick(["plan_1", "plan_2", "part2"], n_held),
        "valid_from": pd.Timestamp("2020-01-01"),
        "valid_to": pd.to_datetime(pd.Series(pick(["2026-11-01", None, None], n_held), dtype=object)),
    })  # fmt: skip
    n_conflicts, n_wishes = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    conflicts = pd.DataFrame({
        "person_id": pick(cases["person_id"].tolist(), n_conflicts), "cm_id": pick(cm_ids, n_conflicts),
    })  # fmt: skip
    preferences = pd.DataFrame({
        "person_id": pick(cases["person_id"].tolist(), n_wishes), "kind": "gender", "value": pick(["f", "m"], n_wishes),
        "is_required": pick([True, False], n_wishes),
    }).drop_duplicates(["person_id", "value"])  # fmt: skip
    pins = pd.DataFrame({"case_id": pick(case_ids, 1), "cm_id": pick(cm_ids, 1)}).head(draw(st.integers(0, 1)))
    rules = AllocationRules(
        professions=("nurse", "social_worker"), licensed_professions=("nurse",), delta=delta,
        territory=draw(st.sampled_from(["required", "preferred", "ignored"])),
        language=draw(st.sampled_from(["required", "preferred", "ignored"])),
        payer_contracts=draw(st.sampled_from([{}, {"plan": "plan_1|plan_2", "state": ""}])),
        guardian_language=draw(st.sampled_from(["ignored", "beside", "instead"])),
    )  # fmt: skip
    return Drawn(cases, managers, licenses, conflicts, preferences, pins, credentials, rules)


def is_allowed(given_: Drawn, case: dict, manager: dict) -> bool:
    """Say in plain words whether a pair keeps every hard rule."""
    rules, parts = given_.rules, lambda text: text.split(";") if isinstance(text, str) else []
    last_day = pd.Timestamp("2026-10-01") + pd.Timedelta(days=rules.horizon_days - 1)
    if manager["profession"] not in rules.professions:
        return False
    if manager["profession"] == "nurse":
        all_ = given_.licenses
        own = all_[(all_["cm_id"] == manager["cm_id"]) & (all_["valid_to"] >= last_day)]
        members = set(all_.loc[all_["compact"] == "NLC", "jurisdiction"])
        reach = set(own["jurisdiction"]) | (members if (own["compact"] == "NLC").any() else set())
        if case["jurisdiction"] not in reach:
            return False
    if isinstance(case["skills"], str) and case["skills"] not in parts(manager["skills"]):
        return False
    if not is_entitled(given_, case, manager, last_day) or not is_understood(given_, case, manager):
        return False
    served = parts(manager["territories"])
    if (
        rules.territory == "required"
        and isinstance(case["territory"], str)
        and served
        and case["territory"] not in served
    ):
        return False
    wishes = given_.preferences[given_.preferences["person_id"] == case["person_id"]]
    if (wishes.loc[wishes["is_required"].astype(bool), "value"] != manager["gender"]).any():
        return False
    barred = given_.conflicts[given_.conflicts["person_id"] == case["person_id"]]["cm_id"].tolist()
    pin = dict(zip(given_.pins["case_id"], given_.pins["cm_id"], strict=True)).get(case["case_id"], manager["cm_id"])
    return manager["cm_id"] not in barred and pin == manager["cm_id"]


def is_entitled(given_: Drawn, case: dict, manager: dict, last_day: pd.Timestamp) -> bool:
    """Say whether contracts and clearances allow a pair."""
    held = given_.credentials[given_.credentials["cm_id"] == manager["cm_id"]]
    held = set(held.loc[held["valid_to"].isna() | (held["valid_to"] >= last_day), "credential"])
    is_member = bool(given_.rules.payer_contracts) and "plan" in str(case["payer"]).split(";")
    is_open = not isinstance(case["clearances"], str) or case["clearances"] in held
    return is_open and not (is_member and held.isdisjoint({"plan_1", "plan_2"}))


def is_understood(given_: Drawn, case: dict, manager: dict) -> bool:
    """Say whether a case manager speaks the languages that must be spoken, or works through an interpreter."""
    spoken = str(manager["languages"]).split(";")
    interprets = "interpreter" in str(manager["skills"]).split(";")
    asked = spoken_with(given_, case) if given_.rules.language == "required" else []
    return all(language in spoken or (needed is True and interprets) for language, needed in asked)


def spoken_with(given_: Drawn, case: dict) -> list[tuple[str, object]]:
    """Return each known language that counts, and whether an interpreter is needed for it."""
    way, real = given_.rules.guardian_language, {"fr", "pt"}
    guardian = [(case["guardian_language"], case["guardian_interpreter_needed"])] if way != "ignored" else []
    guardian = [one for one in guardian if one[0] in real]
    own = [(case["language"], case["interpreter_needed"])] if case["language"] in real else []
    return guardian if way == "instead" and guardian else own + guardian


def cost_of(given_: Drawn, case: dict, manager: dict) -> int:
    """Add up what a pair misses."""
    parts = lambda text: text.split(";") if isinstance(text, str) else []  # noqa: E731
    served = parts(manager["territories"])
    wishes = given_.preferences[given_.preferences["person_id"] == case["person_id"]]
    soft = wishes.loc[~wishes["is_required"].astype(bool), "value"]
    cost = 4 * (isinstance(case["cm_id"], str) and case["cm_id"] != manager["cm_id"])
    if given_.rules.language == "preferred":
        cost += 3 * sum(language not in parts(manager["languages"]) for language, _ in spoken_with(given_, case))
    if given_.rules.territory == "preferred" and isinstance(case["territory"], str) and served:
        cost += 2 * (case["territory"] not in served)
    return int(cost + (soft != manager["gender"]).sum())


def every_plan(given_: Drawn) -> np.ndarray:
    """Return (left, peak, squares, cost) of every plan that keeps every hard rule, one row a plan."""
    cases, managers = given_.cases.to_dict("records"), given_.managers.to_dict("records")
    options = [[-1, *(j for j, b in enumerate(managers) if is_allowed(given_, a, b))] for a in cases]
    capacity = np.array([b["capacity_minutes"] for b in managers], dtype=float)
    before = np.array([b["minutes_committed"] for b in managers], dtype=float)
    most = np.array([99 if pd.isna(b["max_cases"]) else b["max_cases"] for b in managers])
    able, rows = capacity > 0, []
    for plan in itertools.product(*options):
        load, count, left, cost = before.copy(), np.zeros(len(managers)), 0.0, 0
        for case, j in zip(cases, plan, strict=True):
            if j < 0:
                left += case["priority"]
            else:
                load[j] += case["minutes"]
                count[j] += 1
                cost += cost_of(given_, case, managers[j])
        used = count > 0
        if (load[used] <= capacity[used]).all() and (count <= most).all():
            use = load[able] / capacity[able]
            rows.append((left, use.max(initial=0.0), float((capacity[able] * use**2).sum()), cost))
    return np.array(rows)


def best_of(plans: np.ndarray, delta: float) -> tuple[float, float, float, float]:
    """Return the best value of each level, in order."""
    left = plans[:, 0].min()
    plans = plans[plans[:, 0] <= left + 1e-9]
    peak = plans[:, 1].min()
    squares = plans[plans[:, 1] <= peak + 1e-9][:, 2].min()
    inside = (plans[:, 1] <= (1 + delta) * peak + 1e-9) & (plans[:, 2] <= (1 + delta) * squares + 1e-7)
    return left, peak, squares, plans[inside][:, 3].min()


@settings(SLOW, max_examples=15)
@given(drawn())
def test_a_small_plan_is_the_best_of_all_plans_that_keep_every_rule(given_):
    plan = allocate(given_.problem(), time_limit_s=20)
    assert plan.levels["value"].tolist() == pytest.approx(best_of(every_plan(given_), 0.0), abs=1e-6)
    assert plan.levels["bound"].tolist() == pytest.approx(plan.levels["value"].tolist(), abs=1e-4)


@SLOW
@given(drawn(most_cases=5, delta=0.1))
def test_level_3_uses_only_the_share_it_is_given(given_):
    levels = allocate(given_.problem(), time_limit_s=20).levels.set_index("level")
    left, peak, squares, cost = best_of(every_plan(given_), 0.1)
    assert levels.loc["unassigned", "value"] == pytest.approx(left)
    assert peak - 1e-9 <= levels.loc["largest_utilisation", "value"] <= 1.1 * peak + 1e-9
    assert levels.loc["sum_of_squares", "value"] <= 1.1 * squares + 1e-6
    assert levels.loc["fit", "value"] == pytest.approx(cost)


@SLOW
@given(drawn(most_cases=14, most_managers=5, delta=0.005))
def test_no_plan_breaks_a_hard_rule_and_no_bound_exceeds_its_value(given_):
    problem = given_.problem()
    plan = allocate(problem, time_limit_s=2)
    assert check_plan(problem, plan).empty
    cases = {case["case_id"]: case for case in given_.cases.to_dict("records")}
    managers = {manager["cm_id"]: manager for manager in given_.managers.to_dict("records")}
    for row in plan.assignments.itertuples():
        assert is_allowed(given_, cases[row.case_id], managers[row.cm_id])
    for row in given_.pins.itertuples():
        at = plan.assignments.loc[plan.assignments["case_id"] == row.case_id, "cm_id"].tolist()
        assert at in ([], [row.cm_id])
    assert (plan.levels["bound"] <= plan.levels["value"] + 1e-9).all()
    assert (plan.unassigned["reason"] != "").all()
    assert (plan.unassigned["relaxation"] != "").all()


@SLOW
@given(drawn(), st.integers(0, 2), st.integers(10, 80))
def test_more_capacity_never_leaves_more_unassigned(given_, at, extra):
    managers = given_.managers.copy()
    managers.loc[at % len(managers), "capacity_minutes"] += extra
    more = replace(given_, managers=managers)
    before, after = (allocate(g.problem(), time_limit_s=5).levels["value"].iloc[0] for g in (given_, more))
    assert after <= before + 1e-9


@SLOW
@given(drawn(most_cases=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(given_, random):
    def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
        order = list(range(len(frame)))
        random.shuffle(order)
        return frame.iloc[order]

    names = ("cases", "managers", "licenses", "conflicts", "preferences", "pins", "credentials")
    other = replace(given_, **{name: shuffled(getattr(given_, name)) for name in names})
    one, two = allocate(given_.problem(), time_limit_s=3), allocate(other.problem(), time_limit_s=3)
    pd.testing.assert_frame_equal(one.assignments, two.assignments)
    pd.testing.assert_frame_equal(one.unassigned, two.unassigned)
    pd.testing.assert_frame_equal(one.levels, two.levels)
    pd.testing.assert_frame_equal(one.workload, two.workload)


@SLOW
@given(drawn(most_cases=8))
def test_other_names_give_the_same_values(given_):
    def renamed(frame: pd.DataFrame) -> pd.DataFrame:
        ids = [name for name in ("case_id", "cm_id", "person_id") if name in frame]
        flip = {f"{p}{k}": f"{p}x{97 - 7 * k}" for p in ("C", "CM", "P") for k in range(9)}
        return frame.assign(**{name: frame[name].map(lambda v: flip.get(v, v)) for name in ids})

    names = ("cases", "managers", "licenses", "conflicts", "preferences", "pins", "credentials")
    other = replace(given_, **{name: renamed(getattr(given_, name)) for name in names})
    one, two = (allocate(g.problem(), time_limit_s=10).levels for g in (given_, other))
    np.testing.assert_allclose(one["value"], two["value"], rtol=1e-6, atol=1e-9)


def test_the_levels_are_named_in_their_order():
    problem = AllocationProblem(
        pd.DataFrame({"case_id": ["C1"], "minutes": [10]}), pd.DataFrame({"cm_id": ["CM1"], "capacity_minutes": [20]})
    )
    assert allocate(problem).levels["level"].tolist() == LEVELS
