"""Laws of checking: what is reported is what is wrong, row by row, and no message holds a value."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.tables import Extract, Tables, fingerprint_of_frame

N = 12
MARK = "zzq7"  # in every planted cell that can hold text, and nowhere else

# column → what is planted → the rules that this cell breaks
BAD = {
    "event_id": {f"{MARK} {MARK}": {"pattern"}},
    "person_id": {f"{MARK} {MARK}": {"pattern", "unresolved"}, f"{MARK}": {"unresolved"}, "": {"missing"}},
    "kind": {f"{MARK}!": {"pattern"}, "": {"missing"}},
    "observed_at": {
        f"{MARK}": {"unparsable"},
        "31/12/2024": {"unparsable"},
        "": {"missing"},
        "1899-01-01": {"range", "negative_age"},
    },
    "ended_at": {f"{MARK}": {"blanked"}, "2023-12-31": {"end_before_start"}},
    "is_planned": {f"{MARK}": {"blanked"}},
    "amount": {f"{MARK}": {"blanked"}, "1e13": {"range"}, "inf": {"blanked"}},
    "recorded_at": {f"{MARK}": {"unparsable"}, "": {"missing"}},
}  # fmt: skip
CELLS = [(column, value) for column, values in BAD.items() for value in values]
PEOPLE = pd.DataFrame({"person_id": [f"P{n}" for n in range(4)], "birth_year": "1940", "recorded_at": "2024-01-01"})
REFERRALS = pd.DataFrame(
    {"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2024-01-01"], "recorded_at": ["2024-01-01"]}
)
EXTRACT = Extract(data_start="2024-01-01", data_end="2024-12-31")


def sound() -> pd.DataFrame:
    """Rows of events without a fault."""
    return pd.DataFrame(
        {
            "event_id": [f"V{n:02d}" for n in range(N)],
            "person_id": [f"P{n % 4}" for n in range(N)],
            "kind": "fall",
            "observed_at": [f"2024-03-{n + 1:02d}" for n in range(N)],
            "ended_at": "",
            "is_planned": "false",
            "amount": "1.5",
            "recorded_at": "2024-04-01",
        }
    )


planted_cells = st.dictionaries(
    st.tuples(st.integers(0, N - 1), st.sampled_from(sorted(BAD))), st.integers(0, 9), max_size=20
)


@settings(max_examples=max(5, settings().max_examples // 2))
@given(planted_cells)
def test_what_is_reported_is_what_was_planted_row_by_row(cells):
    events = sound()
    expected: set[tuple[int, str, str]] = set()
    values: dict[tuple[int, str], str] = {}
    for (row, column), choice in cells.items():
        options = sorted(BAD[column])
        value = options[choice % len(options)]
        events.loc[row, column] = value
        values[row, column] = value
        expected |= {(row + 1, column, rule) for rule in BAD[column][value]}
    for row in range(N):  # some rules need a second cell that can be read
        observed, ended = values.get((row, "observed_at"), "2024-03-01"), values.get((row, "ended_at"), "")
        if observed in ("", MARK, "31/12/2024", "1899-01-01") and ended == "2023-12-31":
            expected.discard((row + 1, "ended_at", "end_before_start"))
        if (row, "person_id") in values:
            expected.discard((row + 1, "observed_at", "negative_age"))
    tables = Tables.from_frames({"persons": PEOPLE, "referrals": REFERRALS, "events": events}, extract=EXTRACT)

    found = tables.set_aside[["line", "column", "rule"]]
    assert sorted(map(tuple, found.values.tolist())) == sorted(expected)
    gone = {line for line, _, rule in expected if rule != "blanked"}
    assert tables.events["event_id"].tolist() == [f"V{n:02d}" for n in range(N) if n + 1 not in gone]
    told = tables.set_aside.drop(columns="key").to_csv() + tables.warnings.to_csv()
    assert MARK not in told
    shown = set(tables.set_aside["key"].dropna())
    assert shown <= {f"V{n:02d}" for n in range(N)}


@settings(max_examples=max(5, settings().max_examples // 3))  # each example checks twice
@given(st.permutations(range(N)), planted_cells)
def test_the_order_of_rows_changes_nothing_but_line_numbers(order, cells):
    events = sound()
    for (row, column), choice in cells.items():
        events.loc[row, column] = sorted(BAD[column])[choice % len(BAD[column])]
    shuffled = events.iloc[list(order)]
    first = Tables.from_frames({"persons": PEOPLE, "referrals": REFERRALS, "events": events}, extract=EXTRACT)
    second = Tables.from_frames({"persons": PEOPLE, "referrals": REFERRALS, "events": shuffled}, extract=EXTRACT)
    assert fingerprint_of_frame(first.events) == fingerprint_of_frame(second.events)
    columns = ["column", "rule", "expected"]
    assert sorted(first.set_aside[columns].values.tolist()) == sorted(second.set_aside[columns].values.tolist())


@settings(max_examples=max(10, settings().max_examples // 3))
@given(st.lists(st.text(max_size=12), min_size=1, max_size=8))
def test_any_text_at_all_survives_a_check_or_is_set_aside(texts):
    facts = pd.DataFrame(
        {
            "person_id": "P1",
            "fact": "housing",
            "value": texts,
            "valid_from": [f"2024-01-{n + 1:02d}" for n in range(len(texts))],
            "recorded_at": "2024-02-01",
        }
    )
    tables = Tables.from_frames({"persons": PEOPLE, "referrals": REFERRALS, "person_facts": facts}, extract=EXTRACT)
    kept = [text.strip() for text in texts if text.strip()]
    assert tables.person_facts["value"].tolist() == kept
    assert len(tables.set_aside) == len(texts) - len(kept)
