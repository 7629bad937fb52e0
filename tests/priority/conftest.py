"""Small waiting lists and agencies that the tests of this room share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from casestrat.knowledge import PriorityPolicy, Program, load_program
from casestrat.priority import rank_waiting_list
from casestrat.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = "2026-10-01"


@pytest.fixture(scope="session")
def geriatric() -> Program:
    return load_program("geriatric")


@pytest.fixture
def policy() -> PriorityPolicy:
    return PriorityPolicy(
        mode="accumulating",
        rates={"high": 4, "medium": 2, "low": 1},
        weights={"risk": 100, "need": 60, "urgency": 90},
        seed="2026-10",
    )


@pytest.fixture
def waiting() -> pd.DataFrame:
    """Six people; P5 is too little known of, P6 has no known urgency."""
    return pd.DataFrame({
        "person_id": ["P1", "P2", "P3", "P4", "P5", "P6"],
        "referral_id": ["R1", "R2", "R3", "R4", "R5", "R6"],
        "territory": ["north", "north", "south", "south", "north", "south"],
        "tier": ["low", "high", "medium", "low", "low", "medium"],
        "risk": [0.1, 0.4, 0.2, 0.1, 0.3, 0.2],
        "points": pd.array([3, 12, 6, 3, 8, 6], dtype="Int64"),
        "points_share": [0.1, 0.5, 0.3, 0.1, 0.4, 0.3],
        "need": [0.2, 0.8, 0.4, 0.2, 0.5, 0.4],
        "urgency": [0.0, 1.0, 1 / 3, 0.0, 0.0, None],
        "referred_on": pd.to_datetime(
            ["2026-08-02", "2026-09-21", "2026-09-11", "2026-08-02", "2026-05-01", "2026-09-11"]
        ),
        "completeness": [1.0, 0.9, 1.0, 1.0, 0.3, 0.8],
        "criteria": ["meets", "meets", "ask", "meets", "ask", "meets"],
        "override_tier": pd.array([0] * 6, dtype="Int64"),
        "deadline_on": pd.to_datetime([None] * 6),
    })  # fmt: skip


@pytest.fixture
def ranked(waiting: pd.DataFrame, policy: PriorityPolicy) -> pd.DataFrame:
    return rank_waiting_list(waiting, policy, AS_OF)


@pytest.fixture(scope="session")
def agency(geriatric: Program) -> Callable[..., Tables]:
    """Checked tables from lists of rows; what a row leaves out takes a plain value."""

    @cache
    def plain() -> Tables:
        return build([{"person_id": "P1"}])

    def build(
        persons: list[dict[str, Any]] | None = None, referrals: list[dict[str, Any]] | None = None, **others: Any
    ) -> Tables:
        if persons is None and referrals is None and not others:
            return plain()
        flags = dict.fromkeys(geriatric.referral.criteria_inputs)
        plain_person = {"birth_year": 1940, "neurodegenerative": False, "recorded_at": "2026-01-01"}
        plain_referral = {
            "referred_on": "2026-09-01", "recorded_at": "2026-09-01", "consent": "yes", "is_complete": True,
            "is_professional": True, "withdrawn_on": None, **flags,
        }  # fmt: skip
        frames = {
            "persons": pd.DataFrame([plain_person | row for row in persons or [{"person_id": "P1"}]]),
            "referrals": pd.DataFrame(
                [plain_referral | row for row in referrals or [{"referral_id": "R1", "person_id": "P1"}]]
            ),
            **{name: pd.DataFrame(rows) for name, rows in others.items()},
        }
        tables = Tables.from_frames(frames, geriatric)
        assert tables.set_aside.empty, tables.set_aside.to_string()
        return tables

    return build
