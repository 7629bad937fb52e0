import dataclasses

import numpy as np
import pandas as pd
import pytest

from casestrat.knowledge import load_instrument, load_program
from casestrat.synthetic import synthesize_frames
from casestrat.synthetic.answers import AGGIR_PROFILES
from casestrat.timeline import score_instrument


def test_each_aggir_profile_gives_its_gir():
    instrument = load_instrument("aggir")
    names = [item.id for item in instrument.items if item.is_scored or item.parts is None]
    rows, expected = [], []
    for gir, profiles in AGGIR_PROFILES.items():
        for profile in profiles:
            rows.append([*profile, *["A"] * (len(names) - len(profile))])
            expected.append(gir)
    scored = score_instrument("aggir", pd.DataFrame(rows, columns=names))
    assert scored["gir"].tolist() == expected


def test_gir_on_file_is_near_the_true_one(many):
    frames, truth = many
    first = frames["assessments"].query("instrument == 'aggir'").drop_duplicates("person_id", keep="last")
    answers = frames["responses"][frames["responses"]["assessment_id"].isin(first["assessment_id"].head(500))]
    wide = answers.pivot_table(index="assessment_id", columns="item", values="value", aggfunc="first")
    gir = score_instrument("aggir", wide)["gir"]
    true = first.set_index("assessment_id")["person_id"].map(truth.set_index("person_id")["gir"])
    both = pd.DataFrame({"scored": gir, "true": true}).dropna().astype(float)
    assert len(both) > 400
    assert (both["scored"] - both["true"]).abs().mean() < 0.3


@pytest.mark.parametrize("name", ["katz", "lawton", "cesd"])
def test_totals_are_worse_where_the_situation_is_heavier(many, name):
    frames, truth = many
    instrument = load_instrument(name)
    sittings = frames["assessments"].query("instrument == @name").drop_duplicates("person_id").head(800)
    answers = frames["responses"][frames["responses"]["assessment_id"].isin(sittings["assessment_id"])]
    wide = answers.pivot_table(index="assessment_id", columns="item", values="value", aggfunc="first")
    total = score_instrument(name, wide)["total"]
    severity = sittings.set_index("assessment_id")["person_id"].map(truth.set_index("person_id")["severity"])
    relation = np.corrcoef(*pd.DataFrame({"a": total, "b": severity}).dropna().astype(float).to_numpy().T)[0, 1]
    assert relation * (1 if instrument.higher_is_worse else -1) > 0.5


def test_missing_answers_have_a_reason_and_come_more_from_those_who_refuse(many):
    frames, truth = many
    answers = frames["responses"]
    assert (answers["value"].isna() == answers["missing_reason"].notna()).all()
    refuses = answers["person_id"].map(truth.set_index("person_id")["refuses_help"])
    blank = answers["value"].isna()
    assert blank[refuses.astype(bool)].mean() > 2 * blank[~refuses.astype(bool)].mean()


def test_items_are_answered_with_the_codes_of_the_instrument(many, geriatric):
    frames, _ = many
    sample = frames["responses"].iloc[::50].merge(frames["assessments"][["assessment_id", "instrument"]])
    for name in geriatric.instruments:
        allowed = {
            item.id: {str(code).removesuffix(".0") for code in item.allowed} for item in load_instrument(name).items
        }
        mine = sample[(sample["instrument"] == name) & sample["value"].notna()]
        assert len(mine)
        assert all(value in allowed[item] for item, value in zip(mine["item"], mine["value"], strict=True))


def test_a_covered_population_is_assessed_without_referrals():
    program = dataclasses.replace(load_program("substance_use"), population="enrolled")
    frames, _ = synthesize_frames(program, 100, 1)
    assert len(frames["enrollments"]) == 100
    assert frames["enrollments"]["from_on"].notna().all()
    assert frames["assessments"].groupby("person_id").size().max() > 3


def test_an_instrument_whose_items_are_not_shipped_gets_totals(monkeypatch):
    program = dataclasses.replace(load_program("substance_use"), instruments=("auditc",))
    known = load_instrument("auditc")
    bare = dataclasses.replace(known, scoring=dataclasses.replace(known.scoring, type="total_only"), items=())
    monkeypatch.setattr("casestrat.synthetic.agency.load_instrument", lambda _: bare)
    frames, _ = synthesize_frames(program, 60, 1)
    assert "responses" not in frames
    assert frames["assessments"]["total"].between(*known.score_range).all()


def test_a_program_without_instruments_has_no_sittings():
    program = dataclasses.replace(load_program("substance_use"), instruments=())
    frames, _ = synthesize_frames(program, 60, 1)
    assert len(frames["assessments"]) == 0
