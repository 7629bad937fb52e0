import numpy as np
import pandas as pd

AS_OF = pd.Timestamp("2026-10-01")


def leads(tables):
    rows = tables.assignments
    return rows[(rows["role"] == "lead") & rows["to_on"].isna()]


def test_nobody_has_more_cases_than_places(example):
    open_cases = leads(example).groupby("cm_id").size()
    places = example.case_managers.set_index("cm_id")["max_cases"]
    assert (open_cases <= places.reindex(open_cases.index)).all()


def test_a_full_time_case_manager_follows_about_34_people(example):
    staff = example.case_managers.set_index("cm_id")
    settled = staff.index[staff["starts_on"] < AS_OF - pd.Timedelta(days=90)]  # a newcomer has few cases yet
    open_cases = leads(example).groupby("cm_id").size().reindex(settled).dropna()
    fte = staff["fte"].reindex(open_cases.index)
    assert 28 <= open_cases.sum() / fte.sum() <= 40


def test_the_example_has_a_team_that_fits_its_people(example):
    assert 8 <= len(example.case_managers) <= 10
    assert 130 <= example.episodes["closed_on"].isna().sum() <= 150


def test_one_leads_an_episode_at_a_time(example):
    rows = example.assignments[example.assignments["role"] == "lead"].sort_values(["episode_id", "from_on"])
    before = rows.groupby("episode_id")["to_on"].shift()
    again = rows["episode_id"].duplicated()
    assert (rows.loc[again, "from_on"] > before[again]).all()
    assert not leads(example)["episode_id"].duplicated().any()


def test_whoever_left_handed_the_cases_over(example):
    staff = example.case_managers
    gone = staff.loc[staff["ends_on"].notna(), ["cm_id", "ends_on"]]
    assert len(gone) == 1
    theirs = example.assignments.merge(gone, on="cm_id")
    assert len(theirs)
    assert (theirs["to_on"] <= theirs["ends_on"]).all()
    assert (theirs["end_reason"] == "staff_left").any()


def test_only_one_case_manager_speaks_italian_and_somebody_needs_it(example):
    speakers = example.case_managers["languages"].str.split(";").map(lambda spoken: "it" in spoken)
    assert speakers.sum() == 1
    assert (example.persons["language"] == "it").sum() > 5


def test_a_licence_expires_soon_and_another_counts_abroad(example):
    soon = example.licenses["valid_to"].between(AS_OF, AS_OF + pd.Timedelta(days=90))
    assert soon.sum() == 1
    assert set(example.licenses["jurisdiction"]) == {"FR", "IT"}


def test_each_case_is_followed_in_its_territory_or_by_who_serves_both(example):
    rows = leads(example).merge(example.persons[["person_id", "territory"]], on="person_id")
    served = rows["cm_id"].map(example.case_managers.set_index("cm_id")["territories"])
    assert all(where in names.split(";") for where, names in zip(rows["territory"], served, strict=True))


def test_absences_lie_inside_employment(example):
    rows = example.absences.merge(example.case_managers[["cm_id", "starts_on", "ends_on"]], on="cm_id")
    assert (rows["from_on"] >= rows["starts_on"]).all()
    assert (rows["to_on"] <= rows["ends_on"].fillna(pd.Timestamp("2100-01-01"))).all()
    assert (rows["from_on"] >= AS_OF).any()


def test_a_large_agency_has_teams_small_enough_to_be_dealt_fairly(many):
    frames, _ = many
    rows = frames["assignments"]
    open_cases = rows[(rows["role"] == "lead") & rows["to_on"].isna()].groupby("cm_id").size()
    staff = frames["case_managers"].set_index("cm_id")
    assert (open_cases <= staff["max_cases"].reindex(open_cases.index)).all()
    ratio = open_cases / staff["fte"].reindex(open_cases.index)
    assert np.percentile(ratio, 5) > 20
