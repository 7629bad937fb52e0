import numpy as np
import pandas as pd
import pytest

from casestrat.synthetic.agency import AS_OF
from casestrat.synthetic.calendar_days import NEVER, day_number
from casestrat.synthetic.careers import make_careers, next_meeting
from casestrat.synthetic.design import design_for
from casestrat.synthetic.draws import Draws
from casestrat.synthetic.people import make_people


@pytest.fixture(scope="module")
def life(geriatric):
    people = make_people(design_for(geriatric), 20_000, Draws(8), day_number(AS_OF))
    return people, *make_careers(people, Draws(8))


def test_the_committee_meets_every_14_days_in_each_territory(life):
    people = life[0]
    days = np.arange(people.as_of - 60, people.as_of + 30)
    for name in people.design.territories:
        held = np.unique(next_meeting(people, np.full(len(days), name, dtype=object), days))
        assert set(np.diff(held)) == {14}


def test_the_next_meeting_is_never_before_the_day(life):
    people = life[0]
    days = np.arange(people.as_of - 100, people.as_of)
    held = next_meeting(people, np.full(100, "north", dtype=object), days)
    assert ((held >= days) & (held < days + 14)).all()


def test_the_first_decision_comes_after_21_days_in_the_median(life):
    people, careers, _ = life
    old = (careers.referred < people.as_of - 400) & (careers.heard < NEVER)
    assert np.median((careers.heard - careers.referred)[old]) == pytest.approx(21, abs=2)


def test_what_referrals_come_to_has_its_shares(life):
    people, careers, _lives = life
    old = careers.referred < people.as_of - 600
    ended = careers.take(old & (careers.round < 3))
    decided = ended.decided < people.as_of
    admitted = (decided & (ended.path == "admit")).mean()
    refused = (decided & (ended.path == "refuse")).mean()
    relayed = (decided & (ended.path == "relay")).mean()
    assert admitted == pytest.approx(0.45, abs=0.03)
    assert refused == pytest.approx(0.25, abs=0.03)
    assert relayed == pytest.approx(0.20, abs=0.03)
    assert 1 - admitted - refused - relayed == pytest.approx(0.10, abs=0.03)


def test_people_leave_at_the_hazards_of_the_design(life):
    people, careers, _ = life
    inside = careers.take(careers.admitted < people.as_of)
    years = (np.minimum(inside.closed, people.as_of) - inside.admitted).sum() / 365.25
    left = pd.Series(inside.close_reason[inside.closed < people.as_of]).replace({"withdrew": "moved", "lost": "moved"})
    rates = left.value_counts() / years
    assert rates["death"] == pytest.approx(0.16, abs=0.02)
    assert rates["residential_admission"] == pytest.approx(0.22, abs=0.03)
    assert rates["goals_met"] == pytest.approx(0.15, abs=0.02)
    assert rates["moved"] == pytest.approx(0.07, abs=0.015)


def test_no_step_comes_before_the_one_it_follows(life):
    _, careers, lives = life
    assert (careers.recorded >= careers.referred).all()
    assert (careers.decided >= careers.heard)[careers.heard < NEVER].all()
    assert (careers.admitted > careers.decided)[careers.admitted < NEVER].all()
    assert (careers.closed > careers.admitted)[careers.admitted < NEVER].all()
    assert (careers.decided < lives.death[careers.person])[careers.decided < NEVER].all()
    assert (careers.withdrawn >= NEVER)[careers.decided < NEVER].all()


def test_some_are_referred_anew_and_some_twice_at_once(life):
    careers = life[1]
    assert {1, 2, 3} == set(np.unique(careers.round).tolist())
    again = careers.take(careers.round == 2)
    first = careers.take(careers.round == 1)
    ended = pd.Series(first.ended, index=first.person)
    assert (again.referred > ended.reindex(again.person).to_numpy()).all()
