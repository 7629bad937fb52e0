"""Laws of labels: what cannot have been seen changes nothing, unknown is not no, and what came first counts."""

from dataclasses import replace
from functools import lru_cache

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from casestrat.knowledge import Outcome
from casestrat.tables import Tables
from casestrat.timeline import build_labels, followed_until

ORIGIN = pd.Timestamp("2026-01-01")
LAW = settings(max_examples=12, deadline=None)
HORIZON = 20
PEOPLE = ["P0", "P1", "P2"]
STAY = Outcome(
    "stay",
    HORIZON,
    event="hospital_stay",
    where={"is_planned": False},
    competing=("death", "move"),
    rivals={"move": Outcome("move", HORIZON, event="setting_change", where={"detail": "residential"})},
)
PLANNED, ANY = (
    replace(STAY, name=name, where=where) for name, where in (("planned", {"is_planned": True}), ("any", {}))
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.integers(-3, 40),
        st.sampled_from(["hospital_stay", "hospital_stay", "death", "setting_change"]),
        st.sampled_from([True, False, None]),
        st.sampled_from(["residential", "home", None]),
    ),
    max_size=10,
)
UNTIL = st.lists(st.one_of(st.none(), st.integers(0, 45)), min_size=3, max_size=3)
SPINE = pd.DataFrame({"person_id": PEOPLE * 2, "as_of": [ORIGIN] * 3 + [ORIGIN + pd.Timedelta(days=5)] * 3})


def day(n):
    return ORIGIN + pd.Timedelta(days=n)


def events_of(rows, first=0):
    frame = pd.DataFrame(rows, columns=["person_id", "day", "kind", "is_planned", "detail"])
    when = (ORIGIN + pd.to_timedelta(frame["day"].astype("int64"), unit="D")).astype("datetime64[us]")
    return pd.DataFrame({
        "event_id": [f"E{number:03}" for number in range(first, first + len(frame))],
        "person_id": frame["person_id"].astype(str),
        "kind": frame["kind"].astype(str),
        "is_planned": frame["is_planned"].astype("boolean"),
        "detail": frame["detail"],
        "observed_at": when,
        "recorded_at": when,
    })  # fmt: skip


@lru_cache(maxsize=1)
def checked():
    """Tables of nobody's story, checked once."""
    persons = pd.DataFrame({"person_id": PEOPLE, "recorded_at": day(-99), "observed_until": day(0)})
    referrals = pd.DataFrame({"referral_id": "R0", "person_id": ["P0"], "referred_on": day(0), "recorded_at": day(0)})
    return Tables.from_frames({"persons": persons, "referrals": referrals})


def tables_of(rows, until):
    tables = checked()
    last = pd.to_datetime(pd.Series([None if n is None else day(n) for n in until]))
    persons = tables.persons.assign(observed_until=last.astype("datetime64[us]"))
    return with_events(replace(tables, persons=persons), events_of(rows))


def with_events(tables, more):
    typed = more.reindex(columns=tables.events.columns).astype(tables.events.dtypes)
    return replace(tables, events=pd.concat([tables.events, typed], ignore_index=True))


def by_hand(rows, until, outcome):
    """The label in the plainest words: every way the unknown may have been is tried."""
    labels = []
    for person, as_of in SPINE.itertuples(index=False):
        start = (as_of - ORIGIN).days
        last = until[PEOPLE.index(person)]
        stop = min(start + HORIZON, 10**6 if last is None else max(last + 1, start))
        story = [row for row in rows if row[0] == person and start <= row[1] < stop]
        unsure = [n for n, row in enumerate(story) if could_be(row, outcome) is None]
        answers = set()
        for ways in range(2 ** len(unsure)):
            moments = []
            for n, row in enumerate(story):
                is_it = could_be(row, outcome)
                if is_it is None:
                    is_it = bool(ways >> unsure.index(n) & 1)
                if is_it:
                    moments.append((row[1], row[2] != "hospital_stay"))  # of one moment, the outcome comes first
            if moments:
                answers.add(0 if min(moments)[1] else 1)
            else:
                answers.add(0 if stop == start + HORIZON else None)
        if len(answers) == 1:
            labels.append(answers.pop())
        else:
            labels.append(None)
    return labels


def could_be(row, outcome):
    _, _, kind, is_planned, detail = row
    if kind == "death":
        return True
    if kind == "setting_change":
        return None if detail is None else detail == "residential"
    if not outcome.where:
        return True
    return None if is_planned is None else is_planned == outcome.where["is_planned"]


@LAW
@given(EVENTS, UNTIL, st.sampled_from([STAY, PLANNED, ANY]))
def test_a_label_is_known_where_every_way_the_unknown_may_have_been_gives_the_same(rows, until, outcome):
    labels = build_labels(tables_of(rows, until), SPINE, outcome)
    found = [None if pd.isna(label) else int(label) for label in labels["label"]]
    assert found == by_hand(rows, until, outcome)
    assert ((labels["why_missing"] == "") == labels["label"].notna()).all()
    assert labels["days"].between(0, HORIZON).all()
    assert ((labels["event"] == 1) == (labels["label"] == 1)).all()


@LAW
@given(EVENTS, UNTIL, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_questions_changes_no_label(rows, until, random):
    tables = tables_of(rows, until)
    labels = build_labels(tables, SPINE, STAY)
    mixed = replace(tables, events=tables.events.sample(frac=1, random_state=random.randint(0, 99)),
                    persons=tables.persons.iloc[::-1])  # fmt: skip
    again = build_labels(mixed, SPINE.sample(frac=1, random_state=random.randint(0, 99)), STAY)
    pd.testing.assert_frame_equal(again.reindex(labels.index), labels)


@LAW
@given(EVENTS, EVENTS, UNTIL)
def test_rows_beyond_the_horizon_or_the_follow_up_change_nothing(rows, more, until):
    tables = tables_of(rows, until)
    labels = build_labels(tables, SPINE, STAY)
    added = events_of(more, first=500)
    latest = followed_until(tables, SPINE.drop_duplicates("person_id", keep="last"))
    beyond = pd.Series(latest, index=PEOPLE).clip(upper=(day(5 + HORIZON).value // 1000))
    late = added["observed_at"].to_numpy().astype("datetime64[us]").astype("int64")
    added = added.loc[late >= added["person_id"].map(beyond).to_numpy(dtype="int64")]
    pd.testing.assert_frame_equal(build_labels(with_events(tables, added), SPINE, STAY), labels)


@LAW
@given(EVENTS, UNTIL)
def test_a_stay_is_planned_or_unplanned_or_unknown_and_never_two_of_them_first(rows, until):
    tables = tables_of(rows, until)
    stay, planned, either = (build_labels(tables, SPINE, one) for one in (STAY, PLANNED, ANY))
    any_of_two = (stay["label"] == 1) | (planned["label"] == 1)
    assert (either["label"][any_of_two] == 1).all()
    for one in (stay, planned):  # no stay at all: neither
        assert (one["label"][either["label"] == 0] == 0).all()
    known = stay["label"].notna() & planned["label"].notna() & either["label"].notna()
    assert (either["label"][known] == any_of_two[known]).all()


@LAW
@given(EVENTS, UNTIL)
def test_what_competes_and_came_first_leaves_no_outcome(rows, until):
    tables = tables_of(rows, until)
    labels = build_labels(tables, SPINE, STAY)
    deaths = build_labels(tables, SPINE, Outcome("death", HORIZON, event="death"))
    beaten = (deaths["label"] == 1) & (labels["event"] == 1)
    assert (labels["days"][beaten] <= deaths["days"][beaten]).all()
    dead_first = labels["event"] == 2
    assert (labels["label"][dead_first] == 0).all()
    assert (labels["days"][dead_first] == deaths["days"][dead_first]).all()
