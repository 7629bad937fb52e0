"""Agencies that several tests look at, each made once."""

import pytest

from casestrat.knowledge import load_program
from casestrat.synthetic import load_example, synthesize, synthesize_frames


@pytest.fixture(scope="session")
def geriatric():
    return load_program("geriatric")


@pytest.fixture(scope="session")
def example():
    return load_example("geriatric")


@pytest.fixture(scope="session")
def many(geriatric):
    """Frames and truth of 20,000 people, not checked."""
    return synthesize_frames(geriatric, 20_000, 3)


@pytest.fixture(scope="session")
def small(geriatric):
    return synthesize(geriatric, people=200, random_state=5)
