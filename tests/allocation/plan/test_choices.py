import pytest

from casestrat.allocation import allocate


@pytest.fixture
def plan(sized):
    """A plan of 60 cases."""
    return allocate(sized(60, 5, seed=2, load=0.85), time_limit_s=1)


def test_the_choices_of_some_cases_are_those_of_all(plan):
    some = plan.assignments["case_id"].iloc[[3, 30, 7]].tolist()
    every = plan.choices
    rows = every[every["case_id"].isin(some)].reset_index(drop=True)
    assert plan.beside.of(some).equals(rows)


def test_a_case_that_is_unknown_has_no_choices(plan):
    assert plan.beside.of(["nobody"]).empty


def test_each_runner_up_is_the_best_other_one_with_room(plan):
    others = plan.choices[~plan.choices["is_chosen"] & plan.choices["has_room"]]
    best = others.sort_values(["case_id", "cost", "utilisation_after", "cm_id"]).drop_duplicates("case_id")
    expected = plan.assignments["case_id"].map(best.set_index("case_id")["cm_id"]).fillna("")
    assert plan.assignments["runner_up"].tolist() == expected.tolist()
    assert (plan.assignments["runner_up"] != "").any()


def test_each_reason_tells_of_the_chosen_one(plan):
    chosen = plan.choices[plan.choices["is_chosen"]].set_index("case_id")
    sizes = plan.choices.groupby("case_id").size()
    for row in plan.assignments.itertuples():
        assert f"one of {sizes[row.case_id]} allowed" in row.why or sizes[row.case_id] == 1
        assert chosen.loc[row.case_id, "missed"] in row.why
