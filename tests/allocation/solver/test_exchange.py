import numpy as np
import pandas as pd
import pytest

from casestrat.allocation import AllocationProblem
from casestrat.allocation.solver.draft import Draft, hard_limit
from casestrat.allocation.solver.exchange import Exchange, make, offers, roomiest


@pytest.fixture
def draft(instance_of):
    """Two case managers of 100 minutes: the first has 50, 30 and 10, the second 40."""
    cases = pd.DataFrame({"case_id": list("ABCD"), "minutes": [50, 30, 10, 40]})
    managers = pd.DataFrame({"cm_id": ["X", "Y"], "capacity_minutes": 100, "max_cases": 3})
    instance = instance_of(AllocationProblem(cases, managers))
    weights = instance.weight[instance.group, 0]
    return Draft(instance, np.where(weights == 40, 1, 0), hard_limit(instance))


def test_offers_are_the_sums_of_none_one_or_two_cases(draft):
    minutes, number, cases = offers(draft, 0, 1)
    assert sorted(zip(minutes.tolist(), number.tolist(), strict=True)) == [
        (0, 0), (10, 1), (30, 1), (40, 2), (50, 1), (60, 2), (80, 2),
    ]  # fmt: skip
    weights = draft.instance.weight[draft.instance.group, 0]
    assert [weights[list(c)].sum() for c in cases] == minutes.tolist()


def test_cases_that_would_cost_more_or_less_are_not_offered_when_cost_is_kept(draft):
    draft.instance.cost.setflags(write=True)
    draft.instance.cost[draft.instance.group[draft.plan == 0], 1] = 1.0
    draft.keeps_cost = True
    assert offers(draft, 0, 1)[0].tolist() == [0]


def test_the_exchange_that_frees_enough_moves_the_least(draft):
    exchange = roomiest(draft, 0, 1, needed=15, places=0)
    assert make(draft, exchange, 0, 1)
    assert sorted(draft.load.tolist()) == [60, 70]


def test_a_place_is_freed_where_places_are_short(draft):
    exchange = roomiest(draft, 0, 1, needed=0, places=1)
    assert exchange is not None
    assert len(exchange.out) - len(exchange.back) >= 1


def test_nothing_is_exchanged_that_does_not_fit(draft):
    assert roomiest(draft, 0, 1, needed=61, places=0) is None
    assert roomiest(draft, 0, 1, needed=-5, places=3) is None
    assert not make(draft, None, 0, 1)
    assert make(draft, Exchange((), ()), 0, 1)
