"""What the tables need to know of a program: its codes. ``casestrat.knowledge.Program`` satisfies it."""

from __future__ import annotations

from typing import Protocol


class ReferralVocabulary(Protocol):
    """The codes of a program's referral form."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Who may send a referral."""

    @property
    def criteria_inputs(self) -> tuple[str, ...]:
        """Three-valued columns of `referrals` that the program's criteria read."""


class Vocabulary(Protocol):
    """The codes that a program adds to the contracts; an empty tuple allows any code."""

    @property
    def id(self) -> str:
        """Name of the program."""

    @property
    def event_kinds(self) -> tuple[str, ...]:
        """Kinds of events."""

    @property
    def measurement_kinds(self) -> tuple[str, ...]:
        """Kinds of measurements."""

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts that `person_facts` may hold."""

    @property
    def instruments(self) -> tuple[str, ...]:
        """Instruments that `assessments` may name."""

    @property
    def referral(self) -> ReferralVocabulary:
        """The codes of the referral form."""


def codes_of(program: Vocabulary | None, name: str) -> tuple[str, ...]:
    """Return a program's codes of one vocabulary, dotted where nested; empty without a program."""
    if program is None:
        return ()
    found: object = program
    for part in name.split("."):
        found = getattr(found, part)
    return tuple(found)  # type: ignore[arg-type]
