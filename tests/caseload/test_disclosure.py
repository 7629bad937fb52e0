import numpy as np
import pandas as pd
import pytest

from casestrat.caseload import hidden_cells, recoverable_cells, suppress
from casestrat.errors import UsageError


def table(rows, columns):
    names = [f"r{i}" for i in range(len(rows))]
    return pd.DataFrame(
        [
            (name, column, n)
            for name, row in zip(names, rows, strict=True)
            for column, n in zip(columns, row, strict=True)
        ],
        columns=["row", "column", "n"],
    )


def hidden(frame):
    cells = frame.loc[frame["is_suppressed"], ["row", "column"]]
    return set(map(tuple, cells.to_numpy()))


def test_one_small_cell_takes_another_three_with_it():
    shown = suppress(table([[30, 4, 25], [40, 20, 15], [22, 33, 44]], "abc"), by=["row", "column"])
    assert ("r0", "b") in hidden(shown)
    assert len(hidden(shown)) == 4
    assert not shown.loc[shown["row"] == "all", "is_suppressed"].any()


def test_margins_are_the_sums_of_all_cells_hidden_or_not():
    shown = suppress(table([[30, 4], [40, 20]], "ab"), by=["row", "column"]).set_index(["row", "column"])["n"]
    assert shown[("all", "all")] == 94
    assert shown[("r0", "all")] == 34
    assert shown[("all", "a")] == 70


def test_zero_is_shown_and_nothing_small_means_nothing_hidden():
    assert hidden(suppress(table([[30, 0], [40, 20]], "ab"), by=["row", "column"])) == set()


def test_a_threshold_of_one_hides_nothing():
    assert hidden(suppress(table([[1, 2], [3, 4]], "ab"), 1, by=["row", "column"])) == set()


def test_a_small_table_is_hidden_with_its_total():
    shown = suppress(pd.DataFrame({"team": ["a", "b"], "n": [2, 3]}), by="team")
    assert shown["is_suppressed"].all()
    assert shown["n"].isna().all()


def test_a_table_of_one_small_group_is_hidden_with_its_total():
    assert suppress(pd.DataFrame({"team": ["a"], "n": [2]}), by=["team"])["is_suppressed"].all()


def test_few_people_in_two_hidden_cells_take_a_third():
    shown = suppress(pd.DataFrame({"team": ["a", "b", "c", "d"], "n": [1, 1, 20, 90]}), by="team").set_index("team")
    assert shown["is_suppressed"].to_dict() == {"a": True, "b": True, "c": True, "d": False, "all": False}


def test_a_combination_without_a_row_counts_zero():
    cells = pd.DataFrame({"row": ["x", "y"], "column": ["a", "b"], "n": [20, 30]})
    shown = suppress(cells, by=["row", "column"]).set_index(["row", "column"])["n"]
    assert shown[("x", "b")] == 0


def test_public_cells_are_never_hidden():
    counts = np.array([7, 4, 3])
    total = np.array([[-1.0, 1.0, 1.0]])
    assert hidden_cells(counts, total, is_public=np.array([True, False, False])).tolist() == [False, True, True]


def test_where_everything_else_is_public_the_search_ends():
    counts = np.array([7, 7])
    total = np.array([[-1.0, 1.0]])
    assert hidden_cells(counts, total, is_public=np.array([True, False])).tolist() == [False, True]


def test_a_cell_in_no_equation_is_hidden_alone():
    assert hidden_cells(np.array([4, 50]), np.zeros((0, 2))).tolist() == [True, False]


def test_two_equations_together_may_give_a_cell_away():
    # a + b = 20 and a + b + c = 23 tell c, though no equation alone does.
    equations = np.array([[1.0, 1.0, 0.0, -1.0, 0.0], [1.0, 1.0, 1.0, 0.0, -1.0]])
    found = recoverable_cells(equations, np.array([True, True, True, False, False]))
    assert found.tolist() == [False, False, True, False, False]


def test_nothing_hidden_gives_nothing_away():
    assert not recoverable_cells(np.ones((1, 3)), np.zeros(3, dtype=bool)).any()


@pytest.mark.parametrize(
    ("frame", "by", "threshold"),
    [
        (pd.DataFrame({"team": ["a"], "n": [1.5]}), "team", 11),
        (pd.DataFrame({"team": ["a"], "n": [-1]}), "team", 11),
        (pd.DataFrame({"team": ["a", "a"], "n": [1, 2]}), "team", 11),
        (pd.DataFrame({"team": ["all"], "n": [1]}), "team", 11),
        (pd.DataFrame({"team": [None], "n": [1]}), "team", 11),
        (pd.DataFrame({"team": ["a"]}), "team", 11),
        (pd.DataFrame({"n": [1]}), [], 11),
        (pd.DataFrame({"team": ["a"], "n": [1]}), "team", 0),
    ],
    ids=["part", "negative", "twice", "total", "unnamed", "no count", "no group", "threshold"],
)
def test_what_is_no_table_of_counts_is_refused(frame, by, threshold):
    with pytest.raises(UsageError):
        suppress(frame, threshold, by=by)


def test_a_table_too_large_to_prove_is_refused():
    wide = pd.DataFrame({"a": [f"a{i}" for i in range(80)], "b": [f"b{i}" for i in range(80)], "n": 30})
    with pytest.raises(UsageError, match="proved"):
        suppress(wide, by=["a", "b"])
