import pandas as pd

from casestrat.caseload.following import Standing, leads_known, stock_at, within
from casestrat.tables import Tables

AS_OF = pd.Timestamp("2026-10-01")


def test_episodes_come_with_their_lead_team_and_territory(hand, geriatric):
    found = Standing(hand, geriatric, AS_OF).episodes.set_index("episode_id")
    assert found["cm_id"].fillna("-").to_dict() == {"E1": "CM1", "E2": "-", "E3": "CM2", "E4": "-"}
    assert found["team"].to_dict() == {"E1": "north", "E2": "north", "E3": "south", "E4": "unassigned"}
    assert found["territory"].to_dict() == {"E1": "north", "E2": "north", "E3": "south", "E4": "south"}


def test_a_closing_that_lies_ahead_is_not_known(hand, geriatric):
    found = Standing(hand, geriatric, pd.Timestamp("2026-09-10")).episodes.set_index("episode_id")
    assert found["closed_on"].isna().all()
    assert found["close_reason"].isna().all()
    assert "E4" not in found.index
    assert found.loc["E2", "cm_id"] == "CM1"


def test_the_last_lead_is_the_one_known_on_the_date(hand):
    assert leads_known(hand, pd.Timestamp("2026-05-01")).set_index("episode_id").loc["E3", "cm_id"] == "CM3"
    assert leads_known(hand, AS_OF).set_index("episode_id").loc["E3", "cm_id"] == "CM2"


def test_a_day_of_admission_counts_from_the_next_and_a_day_of_closing_still_counts():
    episodes = pd.DataFrame(
        {"admitted_on": pd.to_datetime(["2026-05-01"]), "closed_on": pd.to_datetime(["2026-05-03"])}
    )
    open_on = [bool(stock_at(episodes, pd.Timestamp(f"2026-05-0{day}"))[0]) for day in range(1, 6)]
    assert open_on == [False, True, True, False, False]


def test_periods_are_half_open_and_missing_days_lie_in_none():
    days = pd.Series(pd.to_datetime(["2026-05-01", "2026-05-31", "2026-06-01", None]))
    assert within(days, pd.Timestamp("2026-05-01"), pd.Timestamp("2026-06-01")).tolist() == [True, True, False, False]


def test_a_dated_territory_goes_before_the_snapshot(geriatric):
    tables = Tables.from_frames(
        {
            "persons": pd.DataFrame(
                {"person_id": ["P1", "P2"], "territory": ["north", None], "recorded_at": "2026-01-01"}
            ),
            "referrals": pd.DataFrame(
                {"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"],
                 "recorded_at": ["2026-01-02"]}
            ),
            "person_facts": pd.DataFrame(
                {"person_id": ["P1", "P1"], "fact": "territory", "value": ["west", "east"],
                 "valid_from": ["2026-02-01", "2026-06-01"], "valid_to": ["2026-05-31", None],
                 "recorded_at": ["2026-02-01", "2026-06-01"]}
            ),
        }
    )  # fmt: skip
    ids = pd.Series(["P1", "P2"])
    assert Standing(tables, geriatric, pd.Timestamp("2026-03-01")).territory_of(ids).tolist() == ["west", "unknown"]
    assert Standing(tables, geriatric, AS_OF).territory_of(ids).tolist() == ["east", "unknown"]
