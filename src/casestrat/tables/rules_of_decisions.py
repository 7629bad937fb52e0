"""What a decision must say, and that one referral has one standing answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casestrat.tables.lookup import is_among
from casestrat.tables.phrases import Phrase

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.tables.ledger import TableCheck

TO_FIND = "to_find"


def check_decisions(check: TableCheck, services: TableCheck | None) -> None:
    """Set aside decisions that lack what their outcome asks for, and second answers to one referral.

    Parameters
    ----------
    check : TableCheck
        The decisions.
    services : TableCheck or None
        Where a relay can lead; without it relays are not looked up.
    """
    frame = check.frame
    is_refusal, is_deferral = frame["outcome"] == "refuse", frame["outcome"] == "defer"
    words = Phrase("expected.refusal_reason")
    check.fail(is_refusal & frame["reason"].isna(), "reason", "refuse_without_reason", words)
    words = Phrase("expected.refusal_relay")
    check.fail(is_refusal & frame["relay"].isna(), "relay", "refuse_without_relay", words)
    without_due = (frame["relay"] == TO_FIND) & frame["relay_due_on"].isna()
    check.fail(without_due, "relay_due_on", "to_find_without_due", Phrase("expected.relay_due"))
    is_later = frame["defer_until"] > frame["decided_at"].dt.normalize()
    words = Phrase("expected.deferral_end")
    check.fail(is_deferral & ~is_later & frame["decided_at"].notna(), "defer_until", "defer_not_after", words)
    is_override = frame["is_override"].fillna(False).astype(bool)
    without = is_override & frame["override_reason"].isna()
    check.fail(without, "override_reason", "override_without_reason", Phrase("expected.override_reason"))
    if services is not None:
        known = services.frame.loc[services.standing, "service_id"]
        is_lost = frame["relay"].notna() & (frame["relay"] != TO_FIND) & ~is_among(frame["relay"], known)
        check.fail(is_lost, "relay", "unresolved", Phrase("expected.relay_found"))
    _check_one_answer(check)


def _check_one_answer(check: TableCheck) -> None:
    """Keep the first of several standing admissions or refusals of one referral: the others supersede nothing."""
    live = check.live()
    stands = live["outcome"].isin(["admit", "refuse"]) & ~is_among(live["decision_id"], live["supersedes"])
    answers = live.loc[stands].sort_values(["decided_at", "decision_id"], kind="stable")
    again: pd.Index = answers.index[answers.duplicated("referral_id")]
    words = Phrase("expected.one_answer")
    check.fail(check.all_versions(again), "outcome", "second_answer", words)
