"""Steps that the life cycle of a referral or episode does not know: listed and counted, never fatal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casestrat.tables.lookup import is_among, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from casestrat.tables.ledger import TableCheck


def list_illegal_steps(checks: Mapping[str, TableCheck]) -> None:
    """List the rows that stand for an illegal step.

    Parameters
    ----------
    checks : mapping of str to TableCheck
        Tables after every other rule; only rows that were not set aside are looked at.
    """
    for name, listing in _LISTINGS.items():
        if name in checks:
            listing(checks[name], checks)


def _episodes(check: TableCheck, checks: Mapping[str, TableCheck]) -> None:
    frame = check.frame
    referred = values_of(frame["referral_id"], checks["referrals"].live(), "referral_id", "referred_on")
    check.step(frame["admitted_on"] < referred, "admitted_on", "admitted_before_referral", "admission after referral")
    is_closed = frame["closed_on"].notna()
    check.step(is_closed & frame["close_reason"].isna(), "close_reason", "closed_without_reason", "a reason to close")
    check.step(~is_closed & frame["close_reason"].notna(), "closed_on", "reason_without_closing", "a day of closing")
    if "decisions" in checks:
        ids, answers = frame["referral_id"], checks["decisions"].live()
        is_refused = is_among(ids, answers.loc[answers["outcome"] == "refuse", "referral_id"])
        is_admitted = is_among(ids, answers.loc[answers["outcome"] == "admit", "referral_id"])
        words = "a decision to admit before an episode"
        check.step(is_refused & ~is_admitted, "referral_id", "refused_but_followed", words)
        check.step(ids.notna() & ~is_refused & ~is_admitted, "referral_id", "followed_undecided", words)


def _decisions(check: TableCheck, checks: Mapping[str, TableCheck]) -> None:
    frame = check.frame
    is_admission = frame["outcome"] == "admit"
    referred = values_of(frame["referral_id"], checks["referrals"].live(), "referral_id", "referred_on")
    withdrawn = values_of(frame["referral_id"], checks["referrals"].live(), "referral_id", "withdrawn_on")
    consent = values_of(frame["referral_id"], checks["referrals"].live(), "referral_id", "consent")
    day = frame["decided_at"].dt.normalize()
    check.step(day < referred, "decided_at", "decided_before_referral", "a decision after the referral")
    check.step(is_admission & (withdrawn < day), "outcome", "admitted_after_withdrawal", "no admission once withdrawn")
    check.step(is_admission & (consent == "no"), "outcome", "admitted_without_consent", "consent before admission")


def _within_episode(check: TableCheck, checks: Mapping[str, TableCheck], column: str, is_kept: pd.Series) -> None:
    """List rows before the episode opens or after it closes."""
    if "episodes" not in checks:
        return
    frame = check.frame
    day = frame[column].dt.normalize()
    opened = values_of(frame["episode_id"], checks["episodes"].live(), "episode_id", "admitted_on")
    closed = values_of(frame["episode_id"], checks["episodes"].live(), "episode_id", "closed_on")
    check.step(is_kept & (day < opened), column, "before_admission", f"{column} on or after admission")
    check.step(is_kept & (day > closed), column, "after_closing", f"{column} on or before closing")


def _contacts(check: TableCheck, checks: Mapping[str, TableCheck]) -> None:
    # Contact after a transition belongs after closing, and outreach may come before admission.
    _within_episode(check, checks, "occurred_at", ~check.frame["kind"].isin(["post_transition", "outreach", "admin"]))


def _assignments(check: TableCheck, checks: Mapping[str, TableCheck]) -> None:
    _within_episode(check, checks, "from_on", check.frame["role"].notna())


_LISTINGS = {"episodes": _episodes, "decisions": _decisions, "contacts": _contacts, "assignments": _assignments}
