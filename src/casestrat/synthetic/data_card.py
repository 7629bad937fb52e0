"""The data card of a made-up agency: what it is, how it was made, and the standing of each number behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casestrat.synthetic.design import Design, design_for

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program
    from casestrat.synthetic.agency import Agency

_ASSUMED = "assumption"
_SOURCED = "sourced"


def data_card(agency: Agency, program: Program, people: int, random_state: int) -> str:
    """Return the data card of a made-up agency as Markdown.

    Parameters
    ----------
    agency : Agency
        The agency that was made.
    program : Program
        The program it works for.
    people, random_state : int
        The arguments it was made with.

    Returns
    -------
    str
        Text that is the same for the same agency.
    """
    design = design_for(program)
    tables = agency.tables
    counts = [(name, len(frame)) for name, frame in tables.frames().items() if tables.has(name)]
    lines = [
        f"# Data card: made-up agency, program `{program.id}`",
        "",
        "No row of these tables is about a real person. They were drawn at random by",
        f'`casestrat.synthesize("{program.id}", people={people}, random_state={random_state})`; the same',
        "call gives the same tables on every machine. They serve to learn and to test, never to make a model for use.",
        "",
        f"- Seen on: {agency.as_of.isoformat()} (file `AS_OF`); nothing recorded later is in the tables.",
        f"- Events are seen for {design.history_years:g} years; referrals are taken for {design.open_years:g} years.",
        f"- Fingerprint of the tables: `{tables.fingerprint}`.",
        "- Licence: as the project.",
        "",
        "## Tables",
        "",
        "| table | rows |",
        "| --- | ---: |",
        *[f"| {name} | {count} |" for name, count in counts],
        "",
        "## Numbers behind them, and their standing",
        "",
        "| number | value | standing |",
        "| --- | --- | --- |",
        *[f"| {what} | {value} | {standing} |" for what, value, standing in _numbers(design)],
        "",
        "## What is true and stands in no table",
        "",
        "Each person has a rate of the foretold event that depends on how heavy the situation is, a factor shared with",
        "falls, living alone, having no caregiver, a neurodegenerative disease, and chance. `truth` of an agency holds",
        "the probability within the horizon, without help; while a person is followed the rate is",
        f"{design.helped:g} times as high (assumption).",
        "",
        "## Limits",
        "",
        "- The lives are simpler than real ones: rates do not change with age inside the three years, causes are few.",
        "- Decisions follow the situation and chance, not one committee's habits; do not learn a policy from them.",
        "- Missing answers depend on isolation and refusal by design, so deleting incomplete rows biases results.",
        "",
    ]
    return "\n".join(lines)


def _numbers(design: Design) -> list[tuple[str, str, str]]:
    """Return each number: what it is, its value, and whether it was read somewhere or assumed."""
    mean, spread, low, high = design.age
    exits = ", ".join(f"{name} {rate:g}" for name, rate in design.exits.items())
    rates = ", ".join(f"{name} {plan.rate:g}" for name, plan in design.events.items())
    paths = ", ".join(f"{name} {share:.0%}" for name, share in design.paths.items())
    same, after, late, days = design.lag
    one, both = design.missing_isolated
    rows = [
        ("age", f"normal, mean {mean:g}, SD {spread:g}, within {low}–{high} years", _ASSUMED),
        ("under 60 with a neurodegenerative disease", f"{design.young_share:.0%}", _ASSUMED),
        ("sources of referrals", _shares(design.sources), _standing_of_sources(design)),
        ("committee", f"every {design.meeting_every} days", _ASSUMED),
        ("what referrals come to", paths, _ASSUMED),
        ("wait to the first decision", "log-normal, median 21 days with the committee's calendar", _ASSUMED),
        (
            "further wait for a place",
            f"mean {design.place_wait:g} days, shorter where the situation is heavy",
            _ASSUMED,
        ),
        ("exits, hazard a year", exits, _ASSUMED),
        ("events a person-year", f"{rates}; stays over-dispersed", _ASSUMED),
        ("most cases a full-time case manager", str(design.cap_per_fte), _cap_standing(design)),
        ("cases a full-time case manager on average", str(design.cases_per_fte), _ASSUMED),
        ("missing on file, at random", f"{design.missing_at_random:.0%} of items", _ASSUMED),
        ("missing on file, living alone or refusing help", f"{one:.0%} more, {both:.0%} where both", _ASSUMED),
        (
            "recorded",
            f"same day {same:.0%}, else after {after:g} days on average, {late:.0%} after {days} days",
            _ASSUMED,
        ),
    ]
    rows.append(("events corrected, and retracted, by a later record", "0.4 %, and 0.2 %", _ASSUMED))
    if design.uses_aggir:
        rows.append(("GIR 1 to 6", "4, 32, 26, 30, 5, 3 %", _ASSUMED))
    return rows


def _shares(shares: object) -> str:
    """Return shares as words."""
    items = dict(shares).items()  # type: ignore[call-overload]
    total = sum(share for _, share in items)
    return ", ".join(f"{name} {share / total:.0%}" for name, share in items)


def _standing_of_sources(design: Design) -> str:
    """Return the standing of the shares of sources."""
    if design.uses_aggir:
        return (
            "grouped shares as designed (hospital 35 %, person or family 17 %, …); the split inside groups is assumed"
        )
    return _ASSUMED


def _cap_standing(design: Design) -> str:
    """Return the standing of the caseload norm."""
    return (
        f"{_SOURCED}: about forty a case manager in MAIA (Journal des acteurs sociaux, May 2015)"
        if design.uses_aggir
        else "the program's norm"
    )
