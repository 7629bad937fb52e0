"""Those whom a fact joins are scored in one partition, so that a night by parts equals a night as a whole."""

import pandas as pd

from casestrat.features import Age, Caregiver, FeatureBuilder, HouseholdSize
from casestrat.nightly.households import joined_people
from casestrat.nightly.partition import split_people
from casestrat.tables import Tables, split_tables


def _tables():
    day = {"recorded_at": "2025-01-01"}
    people = [f"P{number:03d}" for number in range(200)]
    facts = [(person, "household", f"H{number // 3}") for number, person in enumerate(people)]
    facts += [(person, "caregiver_id", people[(number * 7 + 50) % 100]) for number, person in enumerate(people[:5])]
    return Tables.from_frames({
        "persons": pd.DataFrame({"person_id": people, "birth_year": range(1900, 2100), **day}).assign(
            birth_year=lambda frame: 1920 + frame.index % 60),
        "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P001"], "referred_on": ["2025-02-01"],
                                   "recorded_at": ["2025-02-01"]}),
        "person_facts": pd.DataFrame(facts, columns=["person_id", "fact", "value"]).assign(
            valid_from="2025-01-01", **day),
    })  # fmt: skip


def test_parts_hold_whole_households_and_caregivers_and_score_as_the_whole_does():
    tables = _tables()
    builder = FeatureBuilder([HouseholdSize(), Caregiver(Age())])
    assert builder.facts_of_others == ("caregiver_id", "household")
    joined = joined_people(tables, builder.facts_of_others)
    parts = split_people(tables.persons["person_id"], 20, joined)
    assert sum(map(len, parts)) == 200
    assert len(parts) == 10
    spine = pd.DataFrame({"person_id": tables.persons["person_id"], "as_of": pd.Timestamp("2026-01-01")})
    whole = builder.build(tables, spine)
    for ids, part in zip(parts, split_tables(tables, parts), strict=True):
        mine = spine[spine["person_id"].isin(ids)]
        pd.testing.assert_frame_equal(builder.build(part, mine), whole.loc[whole.index.isin(ids, level="person_id")])


def test_a_caregiver_who_is_nobody_here_joins_nobody():
    facts = pd.DataFrame({"person_id": ["P001"], "fact": "caregiver_id", "value": "X9", "valid_from": "2025-01-01",
                          "recorded_at": "2025-01-01"})  # fmt: skip
    from dataclasses import replace

    tables = _tables()
    facts = facts.astype({name: dtype for name, dtype in tables.person_facts.dtypes.items() if name in facts})
    assert joined_people(replace(tables, person_facts=facts), ["caregiver_id"]).to_dict() == {"P001": "P001"}
