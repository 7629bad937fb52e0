import itertools

import pandas as pd
import pytest

from casestrat.caseload import flow
from casestrat.caseload.flow import MEASURES, periods
from casestrat.errors import UsageError
from casestrat.timeline import status_on

AS_OF = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="module")
def months(example, geriatric):
    return flow(example, geriatric, AS_OF)


def value(frame, measure, group="all", kind="all", reason="", start=None):
    rows = frame[(frame["measure"] == measure) & (frame["group_kind"] == kind) & (frame["group"] == group)]
    rows = rows[rows["close_reason"] == reason]
    return rows["value"].tolist() if start is None else rows.set_index("period_start").loc[start, "value"]


def test_a_hand_counted_agency_flows_as_counted(hand, geriatric):
    found = flow(hand, geriatric, AS_OF, months=9)
    assert value(found, "inflow") == [0, 2, 1, 0, 0, 0, 0, 0, 1]
    assert value(found, "outflow") == [0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert value(found, "stock") == [0, 2, 3, 3, 3, 3, 3, 3, 3]
    assert value(found, "outflow", reason="moved") == [1]
    assert value(found, "waiting") == [0, 0, 0, 0, 0, 0, 0, 1, 2]
    assert value(found, "waiting", "north", "territory")[-1] == 1
    assert value(found, "waiting", "unknown", "territory")[-1] == 1
    assert value(found, "turnover")[-1] == pytest.approx(1 / 3)
    assert value(found, "stock", "unassigned", "team")[-1] == 1


def test_stock_follows_from_what_came_and_what_left_in_every_group(months):
    wide = months[months["close_reason"] == ""].pivot_table(
        index=["group_kind", "group", "period_start"], columns="measure", values="value"
    )
    for _, group in wide.groupby(level=["group_kind", "group"]):
        group = group.dropna(subset="stock")
        moves = group["inflow"] - group["outflow"]
        assert (group["stock"].diff().dropna() == moves.iloc[1:]).all()


@pytest.mark.parametrize("measure", ["stock", "inflow", "outflow"])
@pytest.mark.parametrize("kind", ["team", "territory"])
def test_groups_add_up_to_all(months, measure, kind):
    rows = months[(months["measure"] == measure) & (months["close_reason"] == "")]
    total = rows[rows["group_kind"] == "all"].set_index("period_start")["value"]
    parts = rows[rows["group_kind"] == kind].groupby("period_start")["value"].sum()
    pd.testing.assert_series_equal(total, parts, check_names=False)


def test_reasons_to_close_add_up_to_the_outflow(months):
    rows = months[(months["measure"] == "outflow") & (months["group_kind"] == "all")]
    total = rows[rows["close_reason"] == ""].set_index("period_start")["value"]
    parts = rows[rows["close_reason"] != ""].groupby("period_start")["value"].sum()
    pd.testing.assert_series_equal(total[total > 0], parts, check_names=False)


def test_the_waiting_at_the_end_are_those_on_the_list(months, example, geriatric):
    for end in (AS_OF, pd.Timestamp("2026-03-01")):
        waits = status_on(example, geriatric, end).query("status == 'waiting'")["person_id"].nunique()
        rows = months[(months["measure"] == "waiting") & (months["group_kind"] == "all")]
        assert rows.loc[rows["period_end"] == end, "value"].tolist() == [waits]


def test_a_frame_has_one_row_a_month_group_measure_and_reason(months):
    key = ["period_start", "group_kind", "group", "measure", "close_reason"]
    assert not months.duplicated(key).any()
    assert months["period_start"].nunique() == 24
    assert set(months["measure"]) == set(MEASURES)
    assert months["is_whole"].all()
    assert months["period_start"].is_monotonic_increasing


def test_the_month_that_is_not_over_is_told(hand, geriatric):
    found = flow(hand, geriatric, "2026-09-17", months=2)
    assert found.groupby("period_start")["is_whole"].first().tolist() == [True, False]
    assert value(found, "inflow") == [0, 1]


def test_months_before_anybody_came_are_empty(hand, geriatric):
    found = flow(hand, geriatric, "2025-06-01", months=1)
    assert value(found, "stock") == [0]
    assert value(found, "waiting") == [0]
    assert pd.isna(value(found, "turnover")[0])


def test_periods_meet_and_the_last_ends_on_the_date():
    found = periods(pd.Timestamp("2026-03-10"), 14)
    assert found[0][0] == pd.Timestamp("2025-02-01")
    assert found[-1] == (pd.Timestamp("2026-03-01"), pd.Timestamp("2026-03-10"))
    assert all(one[1] == two[0] for one, two in itertools.pairwise(found))


@pytest.mark.parametrize("months", [0, 601])
def test_months_out_of_range_are_refused(hand, geriatric, months):
    with pytest.raises(UsageError, match="months"):
        flow(hand, geriatric, AS_OF, months=months)
