"""The audit names what looks ahead, says from where, and finds nothing in sound features."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.features import Age, Count, FeatureBuilder, HouseholdSize, InstrumentTotal, Last, Person, audit_leakage
from casestrat.features.altered_tables import as_they_stood, moved, shuffled, with_future_rows
from casestrat.features.audit_result import CHECKS
from casestrat.knowledge import Outcome, load_program
from casestrat.tables import Extract, Tables

PROGRAM = load_program("geriatric")
FALL = Outcome("fall", horizon_days=60, event="fall")
SOUND = FeatureBuilder(
    [
        Age(name="age"),
        Person("neurodegenerative"),
        Count("events", where={"kind": "fall"}, window_days=180, name="falls"),
        Last("measurements", "value", where={"kind": "weight"}, name="weight"),
        InstrumentTotal("cesd", name="cesd"),
    ],
    PROGRAM,
)


def audited(tables, spine, builder, **options):
    return audit_leakage(tables, PROGRAM, spine=spine, outcome=FALL, builder=builder, **options)


def found(audit, check):
    rows = audit.findings[audit.findings["check"] == check]
    return dict(zip(rows["feature"].fillna(""), rows["meaning"], strict=True))


def columns_of(**features):
    """A callable as an analyst writes one: each feature a function of tables and spine."""
    return lambda tables, spine: pd.DataFrame({name: one(tables, spine) for name, one in features.items()})


def of_person(rows, column, spine):
    return spine["person_id"].map(rows.drop_duplicates("person_id", keep="last").set_index("person_id")[column])


def test_sound_features_are_clean_and_say_what_was_not_run(tables, spine):
    audit = audited(tables, spine, SOUND)
    assert audit.is_clean
    assert audit.leaking == ()
    assert set(audit.table["check"]) == set(CHECKS)
    proofs = audit.table[audit.table["verdict"] == "proved"]
    assert set(proofs["check"]) == {"future_rows", "that_morning", "moved_dates", "as_at_night"}
    assert set(proofs["feature"]) == set(SOUND.feature_names)
    assert (proofs["value"] == 0).all()
    assert audit.not_run["meaning"].str.startswith("fewer than 10 people").all()
    assert str(audit).startswith("Leakage audit: clean; 6 of 10 checks not run")
    assert np.isnan(audit.auc)


def test_each_way_of_looking_ahead_is_named_with_where_it_looked(tables, spine):
    ahead = columns_of(
        all_falls=lambda t, s: s["person_id"].map(t.events["person_id"].value_counts()).fillna(0),
        will_die=lambda t, s: of_person(t.persons, "died_on", s).notna(),
        fact_ended=lambda t, s: s["person_id"].isin(t.person_facts.dropna(subset="valid_to")["person_id"]),
        born=lambda t, s: of_person(t.persons[~t.persons["is_void"].fillna(False)], "birth_year", s),
    )  # fmt: skip
    dead = tables.persons.assign(died_on=pd.to_datetime(["2026-03-01", None, None]).astype("datetime64[us]"))
    facts = tables.person_facts.assign(valid_to=pd.Timestamp("2026-06-01"))
    audit = audited(replace(tables, persons=dead, person_facts=facts), spine, ahead)
    assert set(found(audit, "that_morning")) == {"all_falls", "will_die", "fact_ended"}
    assert "rows recorded later in events" in found(audit, "that_morning")["all_falls"]
    assert "days still to come in persons" in found(audit, "that_morning")["will_die"]
    assert "days still to come in person_facts" in found(audit, "that_morning")["fact_ended"]
    assert set(found(audit, "future_rows")) == {"all_falls", "will_die", "fact_ended", "born"}
    assert "in persons change it" in found(audit, "future_rows")["born"]
    assert audit.leaking == ("all_falls", "will_die", "fact_ended", "born")
    assert "4 features named" in str(audit)


def test_a_fixed_date_is_named_when_all_dates_move(tables, spine):
    fixed = columns_of(
        days=lambda t, s: (pd.Timestamp("2026-01-01") - of_person(t.persons, "observed_from", s)).dt.days,
        age=lambda t, s: s["as_of"].dt.year - of_person(t.persons, "birth_year", s),
    )  # fmt: skip
    assert set(found(audited(tables, spine, fixed), "moved_dates")) == {"days"}


def test_what_a_night_could_not_compute_is_named_with_the_way(tables, spine):
    batch = columns_of(
        size=lambda t, s: pd.Series(s["person_id"].nunique(), index=s.index),
        date_rank=lambda t, s: s["as_of"].rank(method="dense"),
        first_row=lambda t, s: t.persons["birth_year"].fillna(0).iloc[0],
    )  # fmt: skip
    said = found(audited(tables, spine, batch), "as_at_night")
    assert "some of the people at a time" in said["size"]
    assert "one date at a time" in said["date_rank"]
    assert "rows in another order" in said["first_row"]


def test_features_that_stop_on_the_tables_of_a_night_are_a_finding(tables, spine):
    def last_fall(tables, spine):
        latest = tables.events["recorded_at"].max()
        if latest < pd.Timestamp("2026-01-01"):
            raise KeyError("no rows of this year")
        return pd.DataFrame({"one": 1.0}, index=spine.index)

    audit = audited(tables, spine, last_fall)
    stopped = audit.table[audit.table["meaning"].str.contains("could not be computed", regex=False)]
    assert dict(zip(stopped["check"], stopped["verdict"], strict=True))["that_morning"] == "finding"
    assert "KeyError" in stopped["meaning"].iloc[0]


def test_a_builder_that_is_not_what_it_says_of_itself_is_named(tables, spine):
    class Other(FeatureBuilder):
        def definitions(self):
            return [
                {**one, "where": {"kind": "hospital_stay"}} if one["name"] == "falls" else one
                for one in super().definitions()
            ]

    said = found(audited(tables, spine, Other(SOUND.features, PROGRAM)), "as_at_night")
    assert set(said) == {"falls"}
    assert said["falls"].endswith("computed rebuilt from its own definitions")


@pytest.mark.parametrize(
    ("builder", "told"),
    [
        (lambda _t, _s: [1], "must return a DataFrame"),
        (lambda _t, s: pd.DataFrame({"x": 1.0}, index=range(len(s) + 1)), "not indexed like the spine"),
        (lambda _t, s: pd.DataFrame([[1, 2]] * len(s), columns=["x", "x"]), "two columns of one name"),
    ],
)
def test_a_callable_that_cannot_be_used_is_refused(tables, spine, builder, told):
    with pytest.raises(UsageError, match=told):
        audited(tables, spine, builder)


def test_contradicting_or_lacking_arguments_are_refused(tables, spine):
    X = SOUND.build(tables, spine)
    with pytest.raises(UsageError, match="both a builder and ready features"):
        audited(tables, spine, SOUND, features=X)
    with pytest.raises(UsageError, match="both a spine and as_of"):
        audited(tables, spine, SOUND, as_of="2026-01-01")
    with pytest.raises(UsageError, match="which dates"):
        audit_leakage(tables, PROGRAM)
    with pytest.raises(UsageError, match="no outcome 'falls'"):
        audit_leakage(tables, PROGRAM, spine=spine, outcome="falls")
    with pytest.raises(UsageError, match="do not fit the people"):
        audit_leakage(tables, PROGRAM, spine=spine, outcome=FALL, features=X.iloc[:1])


def test_the_audit_is_the_same_for_the_same_seed_and_can_be_kept(tables, spine):
    audit, again = audited(tables, spine, SOUND, people=2), audited(tables, spine, SOUND, people=2)
    pd.testing.assert_frame_equal(audit.table, again.table)
    assert audit.n_proved == 2
    kept = json.loads(json.dumps(audit.content(), allow_nan=False))
    assert kept == audit.content()
    assert kept["verdict"] == "clean"
    assert kept["auc"] is None
    assert kept["checks"]["future_rows"] == "proved"
    assert kept["dates"] == ["2025-11-05", "2026-01-01"]
    assert "<table" in audit._repr_html_()
    assert "clean" in audit._repr_html_()


# Tables of the future, of that morning, of other years


def test_rows_of_the_future_differ_from_all_there_are_and_none_was_known(tables, spine):
    more, n = with_future_rows(tables, spine)
    added = more.events.iloc[len(tables.events) :]
    assert n > len(added) > 0
    assert (added["recorded_at"] >= spine["as_of"].max()).all()
    fresh = added[added["event_id"].str.startswith("future")]
    assert set(fresh["person_id"]) == set(spine["person_id"])
    assert not set(fresh["amount"].dropna()) & set(tables.events["amount"].dropna())
    assert added["is_void"].fillna(False).sum() == len(tables.events)
    assert set(more.measurements["kind"]) == set(tables.measurements["kind"])
    pd.testing.assert_frame_equal(more.events.iloc[: len(tables.events)], tables.events)


def test_that_morning_nothing_later_is_in_the_tables(tables):
    date = pd.Timestamp("2025-12-20")
    facts = tables.person_facts.assign(valid_to=date)
    persons = tables.persons.assign(observed_until=pd.Timestamp("2026-05-01"))
    stood = as_they_stood(replace(tables, person_facts=facts, persons=persons), date)
    assert stood.events["event_id"].tolist() == ["E1", "E4", "E5", "E6"]
    assert stood.person_facts["valid_to"].isna().all()
    assert (stood.persons["observed_until"] == pd.Timestamp("2100-12-31")).all()
    rows_only = as_they_stood(tables, pd.Timestamp("2025-12-15"), "events", days=False)
    assert rows_only.events["event_id"].tolist() == ["E1", "E4", "E5"]
    assert len(rows_only.measurements) == len(tables.measurements)


@pytest.mark.parametrize(("year", "ahead"), [(2026, 28), (2090, -28)])
def test_moved_dates_keep_weekday_month_and_age(tables, spine, year, ahead):
    spine = spine.assign(as_of=spine["as_of"] + pd.DateOffset(years=year - 2026))
    then, later = moved(tables, spine)
    assert (later["as_of"].dt.day_of_week == spine["as_of"].dt.day_of_week).all()
    assert (later["as_of"].dt.day_of_year == spine["as_of"].dt.day_of_year).all()
    assert (then.persons["birth_year"] - tables.persons["birth_year"]).dropna().eq(ahead).all()
    assert (then.events["observed_at"].dt.year - tables.events["observed_at"].dt.year).eq(ahead).all()
    assert then.extract.data_start.year - tables.extract.data_start.year == ahead
    assert then.extract.data_end is None


def test_shuffled_rows_are_the_same_rows(tables):
    mixed = shuffled(tables, 1)
    assert mixed.events["event_id"].tolist() != tables.events["event_id"].tolist()
    assert sorted(mixed.events["event_id"]) == sorted(tables.events["event_id"])


# Figures, on a few hundred people


@pytest.fixture(scope="module")
def cohort():
    """Three hundred people, a third of whom fall within 60 days; their weight tells a little of it."""
    draw = np.random.default_rng(3)
    ids = [f"P{i:03d}" for i in range(300)]
    falls = draw.random(300) < 0.33
    day = pd.Timestamp("2026-01-01")
    fall_on = day + pd.to_timedelta(draw.integers(1, 59, 300), unit="D")
    persons = pd.DataFrame(
        {"person_id": ids, "birth_year": draw.integers(1930, 1960, 300), "recorded_at": "2024-01-01"}
    )
    measured = pd.DataFrame({
        "measurement_id": [f"M{i}" for i in range(300)], "person_id": ids, "kind": "weight", "unit": "kg",
        "value": 70 + draw.normal(0, 8, 300) - 8 * falls, "observed_at": "2025-06-01", "recorded_at": "2025-06-02",
    })  # fmt: skip
    events = pd.DataFrame({"event_id": [f"E{i}" for i in range(300)], "person_id": ids, "kind": "fall",
                           "observed_at": fall_on, "recorded_at": fall_on})[falls]  # fmt: skip
    referrals = pd.DataFrame({"referral_id": ["R1"], "person_id": ["P000"], "referred_on": ["2025-06-01"],
                              "recorded_at": ["2025-06-01"]})  # fmt: skip
    extract = Extract(data_start="2024-01-01", data_end="2026-06-30")
    frames = {"persons": persons, "measurements": measured, "events": events, "referrals": referrals}
    return Tables.from_frames(frames, program=PROGRAM, extract=extract), falls


@pytest.fixture(scope="module")
def features(cohort):
    tables, falls = cohort
    spine = pd.DataFrame({"person_id": tables.persons["person_id"], "as_of": pd.Timestamp("2026-01-01")})
    X = FeatureBuilder([Last("measurements", "value", name="weight"), Age(name="age")]).build(tables, spine)
    return X, falls


def test_figures_inside_their_limits_pass(cohort, features):
    audit = audit_leakage(cohort[0], PROGRAM, outcome=FALL, features=features[0])
    assert audit.is_clean
    assert set(audit.not_run["check"]) == {"future_rows", "that_morning", "moved_dates", "as_at_night", "later_date"}
    assert (audit.n_rows, audit.n_people, audit.n_events) == (300, 300, features[1].sum())
    assert 0.65 < audit.auc < 0.85
    alone = audit.table.set_index(["check", "feature"])["value"]
    assert alone["single_feature", "weight"] > alone["single_feature", "age"]
    dealt = audit.table[audit.table["check"] == "permuted_labels"].iloc[0]
    assert abs(dealt["value"] - 0.5) < dealt["limit"] - 0.5 < 0.1
    assert audit.table.set_index("check").loc["kept_together", "verdict"] == "proved"


def test_figures_of_many_people_rest_on_some_drawn_by_the_seed(cohort, features, monkeypatch):
    monkeypatch.setattr("casestrat.features.leakage._MOST_PEOPLE", 100)
    audit = audit_leakage(cohort[0], PROGRAM, outcome=FALL, features=features[0])
    assert (audit.n_rows, audit.n_people) == (100, 100)


def test_a_copy_of_the_outcome_is_too_good_and_a_gap_gives_it_away(cohort, features):
    X, falls = features
    gift = X.assign(
        copy=np.where(falls, 1.0, np.random.default_rng(0).random(300) / 2),
        filled=np.where(falls, 1.0, np.nan),
        few=np.where(np.cumsum(falls) <= 12, np.where(falls, 1.0, np.nan), np.nan),
        place=np.where(falls, "ward", "home"),
        when=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.where(falls, 9, 1), unit="D"),
    )
    audit = audit_leakage(cohort[0], PROGRAM, outcome=FALL, features=gift)
    assert set(found(audit, "single_feature")) == {"copy", "place", "when"}
    assert set(found(audit, "filled")) == {"filled", "few"}
    assert list(found(audit, "all_together")) == [""]
    assert audit.auc > 0.99
    assert audit.leaking == ("copy", "place", "when", "filled", "few")
    unmeasured = audit.not_run.set_index(["check", "feature"])["meaning"]
    assert unmeasured["single_feature", "filled"] == "it is known on one side of the outcome only, or never"


def test_a_value_written_over_in_place_is_named_by_asking_later(cohort):
    """The row says it was recorded long ago; only the figures can tell that its value is of later."""
    tables, falls = cohort
    fell = tables.measurements["person_id"].map(dict(zip(tables.persons["person_id"], falls, strict=True)))
    extra = tables.measurements.assign(
        measurement_id="X" + tables.measurements["measurement_id"],
        kind="pain",
        value=np.where(fell, 5.0, 2.0) + np.random.default_rng(1).normal(0, 2, 300),
    )
    later = extra.assign(
        measurement_id="Y" + extra["measurement_id"], value=extra["value"] + np.tile([0.1, -0.1], 150),
        observed_at=pd.Timestamp("2026-02-20"), recorded_at=pd.Timestamp("2026-02-20"),
    )  # fmt: skip
    seen = replace(tables, measurements=pd.concat([tables.measurements, extra, later], ignore_index=True))
    builder = FeatureBuilder([
        Last("measurements", "value", where={"kind": "pain"}, name="pain"),
        Count("events", where={"kind": "fall"}, name="falls"),
        Count("events", name="events"),
    ])  # fmt: skip
    audit = audit_leakage(seen, PROGRAM, as_of="2026-01-01", outcome=FALL, builder=builder, people=100)
    assert set(found(audit, "later_date")) == {"pain"}
    assert audit.leaking == ("pain",)


def test_what_needs_people_of_other_parts_is_named(cohort):
    """The members of a household may be in another part of the night than the person."""
    tables, _ = cohort
    facts = pd.DataFrame({
        "person_id": tables.persons["person_id"], "fact": "household", "valid_from": pd.Timestamp("2024-02-01"),
        "value": [f"H{i % 150}" for i in range(300)], "recorded_at": pd.Timestamp("2024-02-02"), "is_void": False,
        "valid_to": pd.NaT,
    })  # fmt: skip
    homes = replace(tables, person_facts=facts.astype(tables.person_facts.dtypes))
    builder = FeatureBuilder([HouseholdSize(name="home"), Age(name="age")])
    audit = audit_leakage(homes, PROGRAM, as_of="2026-01-01", outcome=FALL, builder=builder, people=30)
    assert audit.leaking == ("home",)
    assert found(audit, "as_at_night")["home"].endswith("computed some of the people at a time")


def test_without_dates_the_last_one_whose_outcome_is_known_is_taken(cohort):
    audit = audit_leakage(cohort[0], PROGRAM, outcome=FALL, builder=SOUND, people=20)
    assert audit.dates == (pd.Timestamp("2026-05-01"),)
    assert audit.n_events == 0
    assert audit.n_proved == 20


def test_a_person_of_several_dates_is_in_one_fold_and_pairs_of_ids_are_told(cohort, features):
    X, _ = features
    twice = pd.concat([X, X.set_index(X.index.set_levels([pd.Timestamp("2025-12-20")], level="as_of"))])
    pairs = pd.DataFrame({"id_a": ["a"], "id_b": ["b"]})
    audit = audit_leakage(replace(cohort[0], doubtful_pairs=pairs), PROGRAM, outcome=FALL, features=twice)
    row = audit.table[audit.table["check"] == "kept_together"].iloc[0]
    assert row["verdict"] == "proved"
    assert row["n"] == 300
    assert row["meaning"].startswith("300 people have several rows")
    assert "1 pairs of ids" in row["meaning"]


def test_no_known_outcome_leaves_the_proofs(cohort):
    audit = audit_leakage(cohort[0], PROGRAM, as_of="2026-06-20", outcome=FALL, builder=SOUND, people=20)
    assert audit.n_rows == 0
    assert audit.is_clean
    assert audit.not_run["meaning"].str.startswith("no outcome fall is known yet").all()


def test_progress_tells_each_check_in_lines_or_to_a_callable(tables, spine, capsys):
    told = []
    audited(tables, spine, SOUND, progress=lambda *step: told.append(step))
    assert [step for step, done, _ in told if done] == ["labels and features", *CHECKS]
    audited(tables, spine, SOUND, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 + len(CHECKS)
    assert lines[1].startswith("audit 2 of 11, rows of the future added: done after")
