"""How many events a model needs, against the published examples."""

import pytest

from casestrat.errors import UsageError
from casestrat.models.inputs.sample_size import events_needed, small_sample_note


@pytest.mark.parametrize(
    ("parameters", "prevalence", "r2", "people"),
    [
        (24, 0.174, 0.288, 662),  # the example of the R package pmsampsize: optimism decides
        (30, 0.05, 0.05, 5249),  # Riley 2020, pre-eclampsia: shrinkage decides
        (1, 0.5, 0.3, 385),  # the mean risk decides: (1.96 / .05)² / 4
    ],
)
def test_the_published_examples_come_out(parameters, prevalence, r2, people):
    assert events_needed(parameters, prevalence, r2=r2) == -(-people * prevalence // 1)


def test_the_commoner_class_needs_as_many_of_the_rarer():
    assert events_needed(10, 0.8) == events_needed(10, 0.2)


def test_more_parameters_or_less_shrinkage_need_more_events():
    assert events_needed(20, 0.2) > events_needed(10, 0.2)
    assert events_needed(10, 0.2, shrinkage=0.95) > events_needed(10, 0.2)
    assert events_needed(1, 0.3, r2=0.6, shrinkage=0.5) >= 97  # so much is explained that only the mean counts


@pytest.mark.parametrize(
    ("arguments", "given"), [((0, 0.2), {}), ((5, 0), {}), ((5, 1), {}), ((5, 0.2), {"shrinkage": 1})]
)
def test_numbers_outside_their_range_are_refused(arguments, given):
    with pytest.raises(UsageError, match="expected 1 parameter"):
        events_needed(*arguments, **given)


def test_more_than_can_be_explained_is_refused():
    with pytest.raises(UsageError, match=r"r2 lies above 0 and below 0\.750"):
        events_needed(5, 0.5, r2=0.8)


def test_a_note_is_made_only_where_there_are_too_few():
    assert small_sample_note(5, 400, 1000) is None
    assert small_sample_note(5, 0, 1000) is None
    assert small_sample_note(0, 10, 1000) is None
    assert "10 events for 5" in small_sample_note(5, 10, 1000)
    assert "10 rows without the outcome for 5" in small_sample_note(5, 990, 1000)
