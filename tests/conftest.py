"""What every test may use: Hypothesis profiles, and how a missing tool is met."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# The quick profile asks the same each time, so that a change is judged by what it changes; the large one explores.
settings.register_profile(
    "quick", max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("large", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

ROOT = Path(__file__).resolve().parents[1]
REQUIRE_ALL = os.environ.get("CASESTRAT_REQUIRE_ALL") == "1"


# Folders whose tests take longest, first: no worker is then left alone with one of them at the end.
LONGEST = ("tests/story", "tests/nightly", "tests/laws", "tests/browser", "tests/contracts", "tests/reports")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest folders first, in the order that they had otherwise."""
    items.sort(key=lambda item: next((n for n, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)), 99))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported and collected: it lives to the end, and is much."""
    gc.collect()
    gc.freeze()


def missing(what: str) -> None:
    """Skip with a reason on a user's machine; fail where everything must be there."""
    if REQUIRE_ALL:
        pytest.fail(f"{what} is missing, and CASESTRAT_REQUIRE_ALL=1 asks for everything")
    pytest.skip(f"{what} is missing on this machine")


@pytest.fixture(scope="module")
def unhurried() -> Iterator[None]:
    """Let searches end where their steps end: the last resort, seconds, hangs on what traces or slows the code."""
    from casestrat.allocation.solver.clock import Clock  # here, so that coverage sees the package being imported

    with pytest.MonkeyPatch.context() as patch:
        counted = Clock.used.fget
        patch.setattr(Clock, "used", property(lambda clock: counted(clock) / 50))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, best the one that never had windows, which takes half the time; or a skip."""
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    missing("Chromium")
    raise AssertionError
