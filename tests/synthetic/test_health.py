import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from casestrat.knowledge import load_program
from casestrat.synthetic import synthesize_frames

AS_OF = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="module")
def stays(many):
    events = many[0]["events"]
    return events[(events["kind"] == "hospital_stay") & (events["is_planned"] == False)]  # noqa: E712


def years_seen(persons):
    return ((persons["died_on"].fillna(AS_OF) - persons["observed_from"]).dt.days.sum()) / 365.25


def test_unplanned_stays_are_0_9_a_person_year_and_over_dispersed(many, stays):
    persons = many[0]["persons"]
    assert len(stays) / years_seen(persons) == pytest.approx(0.9, abs=0.05)
    alive = persons[persons["died_on"].isna()]
    counts = stays.groupby("person_id").size().reindex(alive["person_id"], fill_value=0)
    assert counts.var() > 1.3 * counts.mean()


def test_records_lag_behind_events_as_designed(many):
    events = many[0]["events"].drop_duplicates("event_id")
    old = events[events["observed_at"] < AS_OF - pd.Timedelta(days=400)]
    lag = (old["recorded_at"].dt.normalize() - old["observed_at"].dt.normalize()).dt.days
    assert (lag == 0).mean() == pytest.approx(0.70, abs=0.01)
    assert (lag > 60).mean() == pytest.approx(0.02, abs=0.004)
    assert lag[(lag > 0) & (lag <= 60)].mean() == pytest.approx(6, abs=0.2)


def test_nothing_is_recorded_after_the_day_the_agency_is_seen_on(many):
    for name, frame in many[0].items():
        if "recorded_at" in frame:
            assert (frame["recorded_at"] < AS_OF).all(), name


def test_nothing_happens_to_people_after_their_death(many):
    frames, _ = many
    died = frames["persons"].set_index("person_id")["died_on"]
    for name, moment in {"events": "observed_at", "assessments": "observed_at", "diagnoses": "observed_at"}.items():
        day = frames[name][moment].dt.normalize()
        assert not (day > frames[name]["person_id"].map(died)).any(), name


def test_the_true_risk_tells_who_will_have_a_stay(many, stays):
    frames, truth = many
    start, end = AS_OF - pd.Timedelta(days=190), AS_OF - pd.Timedelta(days=100)
    persons = frames["persons"]
    alive = persons.loc[persons["died_on"].isna() | (persons["died_on"] >= end), "person_id"]
    hit = stays.loc[stays["observed_at"].between(start, end), "person_id"]
    risk = truth.set_index("person_id").loc[alive, "risk"]
    assert roc_auc_score(risk.index.isin(hit), risk) > 0.67


def test_a_logistic_model_of_what_is_on_file_recovers_the_true_risk(many, stays):
    frames, truth = many
    start = AS_OF - pd.Timedelta(days=190)
    known = stays[stays["recorded_at"] < start]
    past = known[known["observed_at"] >= start - pd.Timedelta(days=365)].groupby("person_id").size()
    events = frames["events"]
    falls = events[(events["kind"] == "fall") & (events["recorded_at"] < start)].groupby("person_id").size()
    table = truth.set_index("person_id")
    X = pd.DataFrame(
        {
            "stays": past.reindex(table.index, fill_value=0),
            "falls": falls.reindex(table.index, fill_value=0),
            "gir": table["gir"],
            "alone": table["lives_alone"].astype(int),
            "nobody": (table["caregiver"] == "none").astype(int),
        }
    )
    hit = stays.loc[stays["observed_at"].between(start, start + pd.Timedelta(days=90)), "person_id"]
    model = LogisticRegression(max_iter=500).fit(X, X.index.isin(hit))
    foretold = pd.Series(model.predict_proba(X)[:, 1], index=X.index)
    assert foretold.corr(table["risk"], method="spearman") > 0.6
    assert dict(zip(X.columns, model.coef_[0] > 0, strict=True)) == {
        "stays": True, "falls": True, "gir": False, "alone": True, "nobody": True,
    }  # fmt: skip


def test_help_lowers_the_rate_of_stays(many, stays):
    frames, truth = many
    episodes = frames["episodes"]
    end = episodes["closed_on"].fillna(AS_OF)
    years = (end - episodes["admitted_on"]).dt.days / 365.25
    both = stays.merge(episodes.assign(end=end)[["person_id", "admitted_on", "end"]], on="person_id")
    inside = both[(both["observed_at"] >= both["admitted_on"]) & (both["observed_at"] < both["end"])]
    expected = (years * episodes["person_id"].map(truth.set_index("person_id")["outcomes_per_year"])).sum()
    assert len(inside) / expected == pytest.approx(0.8, abs=0.05)


def test_residential_admission_moves_the_setting(example):
    facts = example.person_facts[example.person_facts["fact"] == "setting"]
    moved = facts[facts["value"] == "residential"]
    home = facts[facts["value"] == "home"].set_index("person_id")["valid_to"]
    assert len(moved)
    assert (home.loc[moved["person_id"]].to_numpy() < moved["valid_from"].to_numpy()).all()


def test_a_few_events_are_corrected_or_retracted_by_a_later_record(many):
    events = many[0]["events"]
    later = events[events["event_id"].duplicated()].merge(events.drop_duplicates("event_id"), on="event_id")
    assert 0.003 < len(later) / len(events) < 0.009
    assert (later["recorded_at_x"] > later["recorded_at_y"]).all()
    moved = later["observed_at_y"] - later["observed_at_x"]
    assert set(moved[later["is_void_x"]].dt.days) == {0}
    assert set(moved[~later["is_void_x"]].dt.days) == {1}
    assert not later["is_void_y"].any()


def test_laboratory_values_have_their_units_and_ranges():
    frames, _ = synthesize_frames(load_program("medical"), 300, 2)
    values = frames["measurements"]
    assert set(values["kind"]) == set(load_program("medical").measurement_kinds)
    pressure = values[values["kind"] == "sbp"]
    assert set(pressure["unit"]) == {"mmHg"}
    assert pressure["value"].between(80, 230).all()
    assert set(values.loc[values["kind"] == "smoke", "value"]) <= {0.0, 1.0}
