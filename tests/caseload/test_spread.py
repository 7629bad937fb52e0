import pandas as pd

from casestrat.caseload import workload_now
from casestrat.caseload.spread import staff_in_post

AS_OF = pd.Timestamp("2026-10-01")


def test_minutes_are_those_of_the_intensities_of_open_cases(hand, geriatric):
    work = workload_now(hand, geriatric, AS_OF).set_index("cm_id")
    levels = geriatric.intensities
    assert work.loc["CM1", ["cases", "minutes"]].tolist() == [1, levels["intensive"].minutes_per_week]
    assert work.loc["CM2", ["cases", "minutes"]].tolist() == [1, levels["watch"].minutes_per_week]
    assert work.loc["CM1", "capacity_minutes"] == 1500
    assert work.loc["CM1", "utilisation"] == levels["intensive"].minutes_per_week / 1500


def test_staff_are_in_order_of_id_whatever_their_load(hand, geriatric, example):
    assert workload_now(hand, geriatric, AS_OF)["cm_id"].tolist() == ["CM1", "CM2"]
    assert workload_now(example, geriatric, AS_OF)["cm_id"].is_monotonic_increasing


def test_whoever_left_or_has_not_begun_does_not_count(hand, geriatric, example):
    assert staff_in_post(hand, geriatric, AS_OF)["cm_id"].tolist() == ["CM1", "CM2"]
    assert staff_in_post(hand, geriatric, pd.Timestamp("2026-05-01"))["cm_id"].tolist() == ["CM1", "CM2", "CM3"]
    staff = example.case_managers
    in_post = staff.loc[~(staff["ends_on"] < AS_OF) & (staff["starts_on"] <= AS_OF), "cm_id"]
    assert staff_in_post(example, geriatric, AS_OF)["cm_id"].tolist() == in_post.tolist()
    assert len(in_post) == len(staff) - 1


def test_places_not_given_follow_from_the_norm(hand, geriatric):
    places = staff_in_post(hand, geriatric, AS_OF).set_index("cm_id")["places"]
    assert places.to_dict() == {"CM1": 30, "CM2": 20}
