from __future__ import annotations

import pandas as pd
import pytest

from casestrat.errors import TablesError
from casestrat.tables import CONTRACTS, TEXT, Extract, Tables


def test_a_sound_agency_passes_without_a_word(frames, check, geriatric):
    for name in geriatric.referral.criteria_inputs:
        frames["referrals"][name] = ""
    tables = check(frames, geriatric)
    assert tables.set_aside.empty
    assert tables.warnings.empty, tables.warnings.to_string()
    assert tables.illegal_steps.empty
    assert {name: len(getattr(tables, name)) for name in frames} == {name: len(frame) for name, frame in frames.items()}


def test_tables_show_how_many_rows_they_hold_and_no_person(frames, check, geriatric):
    shown = repr(check(frames, geriatric))
    assert shown.startswith(f"Tables(persons={len(frames['persons'])}, ")
    assert "rows set aside=0" in shown
    assert not any(person in shown for person in frames["persons"]["person_id"])


def test_every_table_has_the_contract_s_columns_and_types_be_it_there_or_not(few, check):
    tables = check(few)
    for name, contract in CONTRACTS.items():
        frame = getattr(tables, name)
        assert list(frame.columns) == list(contract.names)
        assert {column.name: column.dtype for column in contract.columns} == frame.dtypes.to_dict()
    assert tables.has("events")
    assert not tables.has("goals")
    assert tables.goals.empty


def test_arguments_are_not_changed(frames, check):
    before = {name: frame.copy() for name, frame in frames.items()}
    check(frames)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_row_is_set_aside_with_every_reason_it_breaks(few, check, reasons):
    events = few["events"]
    events.loc[1, ["kind", "amount", "observed_at", "is_planned"]] = ["no such!", "1e13", "01/06/2025", "perhaps"]
    tables = check(few)
    assert sorted(reasons(tables)) == [
        ("events", 2, "amount", "range"),
        ("events", 2, "is_planned", "blanked"),
        ("events", 2, "kind", "pattern"),
        ("events", 2, "observed_at", "unparsable"),
    ]
    assert tables.events["event_id"].tolist() == ["V1", "V3", "V4"]
    assert (tables.set_aside["key"] == "V2").all()


def test_one_unparsable_cell_hides_no_other_failure_of_its_column(few, check, reasons):
    persons = pd.concat([few["persons"]] * 1, ignore_index=True)
    persons["birth_year"] = ["born", "1700", "2300"]
    found = reasons(check({**few, "persons": persons}))
    assert [row for row in found if row[0] == "persons"] == [
        ("persons", 1, "birth_year", "blanked"),
        ("persons", 2, "birth_year", "range"),
        ("persons", 3, "birth_year", "range"),
    ]


def test_an_unparsable_cell_is_blanked_where_it_may_be_and_sets_the_row_aside_where_it_may_not(few, check):
    few["events"].loc[0, "amount"] = "much"
    few["referrals"].loc[1, "referred_on"] = "tomorrow"
    tables = check(few)
    assert tables.events.loc[0, ["event_id", "amount"]].isna().tolist() == [False, True]
    assert "R2" not in tables.referrals["referral_id"].tolist()


def test_codes_are_those_of_the_program(few, check, geriatric, reasons):
    few["events"].loc[0, "kind"] = "eviction"
    assert not reasons(check(few))
    tables = check(few, geriatric)
    assert ("events", 1, "kind", "code") in reasons(tables)
    expected = tables.set_aside.loc[0, "expected"]
    assert expected.startswith("one of: hospital_stay, ed_visit, fall")


def test_criteria_inputs_of_the_program_are_three_valued_columns_of_referrals(few, check, geriatric):
    few["referrals"]["problem_medical"] = ["true", "no", ""]
    tables = check(few, geriatric)
    assert tables.referrals["problem_medical"].tolist() == [True, False, pd.NA]
    assert tables.referrals["help_insufficient"].isna().all()
    said = tables.warnings.loc[tables.warnings["rule"] == "missing_column", "message"]
    assert any("help_insufficient" in message for message in said)


@pytest.mark.parametrize("name", ["persons", "referrals"])
def test_a_required_table_that_is_missing_or_empty_stops_the_run(few, name):
    rows = few.pop(name)
    with pytest.raises(TablesError, match=f"{name} is missing.*add {name} with the columns"):
        Tables.from_frames(few)
    with pytest.raises(TablesError, match=f"{name} has no rows"):
        Tables.from_frames({**few, name: rows.iloc[:0]})


def test_a_missing_key_column_stops_the_run_and_says_what_to_add(few):
    few["events"] = few["events"].drop(columns=["event_id", "kind"])
    with pytest.raises(TablesError, match="table events lacks the columns event_id, kind"):
        Tables.from_frames(few)


def test_an_unknown_table_stops_the_run(few):
    with pytest.raises(TablesError, match="unknown tables: patients"):
        Tables.from_frames({**few, "patients": few["persons"]})


@pytest.mark.parametrize(
    "header", ["Nom", "date_naissance", "codice fiscale", "E-mail", "NIR", "telephone", "first name"]
)
def test_a_column_that_looks_like_a_direct_identifier_is_refused(few, header):
    few["persons"][header] = "DUPONT"
    with pytest.raises(TablesError) as caught:
        Tables.from_frames(few)
    assert header in str(caught.value)
    assert "site.toml" in str(caught.value)
    assert "DUPONT" not in str(caught.value)


def test_a_column_nobody_knows_is_kept_as_text_and_reported(few, check):
    few["events"]["ward"] = [1, 2, 3, None]
    tables = check(few)
    assert tables.events["ward"].dtype == TEXT
    assert tables.events["ward"].tolist()[:3] == ["1", "2", "3"]
    assert (tables.warnings["rule"] == "extra_column").sum() == 1


def test_a_column_that_is_expected_and_not_there_counts_as_unknown_and_is_a_warning(few, check):
    few["persons"] = few["persons"].drop(columns="sex")
    tables = check(few)
    assert tables.persons["sex"].isna().all()
    assert tables.warnings[["table", "rule"]].values.tolist() == [["persons", "missing_column"]]


def test_recorded_at_must_be_there_or_declared(few):
    few["events"] = few["events"].drop(columns="recorded_at")
    with pytest.raises(TablesError, match=r'events lacks the column recorded_at.*recorded_at = "extract"'):
        Tables.from_frames(few)
    with pytest.raises(TablesError, match="needs data_end"):
        Tables.from_frames(few, extract=Extract(recorded_at="extract"))


def test_recorded_at_of_an_extract_is_its_last_day(few, check):
    few["events"] = few["events"].drop(columns="recorded_at")
    tables = check(few, recorded_at="extract")
    assert (tables.events["recorded_at"] == pd.Timestamp("2025-12-31")).all()
    assert tables.warnings[["table", "rule", "n"]].values.tolist() == [["events", "recorded_at_assumed", 4]]


def test_recorded_at_from_what_was_observed_is_the_next_day(frames, check):
    stripped = {name: frame.drop(columns="recorded_at", errors="ignore") for name, frame in frames.items()}
    tables = check(stripped, recorded_at="observed_at")
    assert tables.set_aside.empty
    assert tables.events["recorded_at"].tolist()[:2] == [pd.Timestamp("2025-05-02"), pd.Timestamp("2025-06-02")]
    assert (tables.persons["recorded_at"] == pd.Timestamp("2020-01-01")).all()
    assert (tables.responses["recorded_at"] == pd.Timestamp("2025-04-11")).all(), "as their sitting"


def test_a_blank_column_recorded_at_counts_as_no_column(few, check):
    few["events"]["recorded_at"] = ""
    tables = check(few, recorded_at="extract")
    assert tables.set_aside.empty


def test_people_observed_from_a_day_are_known_from_that_day(few, check):
    persons = few["persons"].drop(columns="recorded_at").assign(observed_from=["2024-05-01", "", ""])
    tables = check({**few, "persons": persons}, recorded_at="observed_at")
    assert tables.persons["recorded_at"].tolist() == [pd.Timestamp("2024-05-01")] + [pd.Timestamp("2020-01-01")] * 2


def test_what_has_no_day_of_its_own_needs_a_first_day(few):
    few["persons"] = few["persons"].drop(columns="recorded_at")
    with pytest.raises(TablesError, match="needs data_start"):
        Tables.from_frames(few, extract=Extract(recorded_at="observed_at"))


def test_an_assumed_moment_adds_no_reason_to_a_bad_date(few, check, reasons):
    few["events"] = few["events"].drop(columns="recorded_at")
    few["events"].loc[0, "observed_at"] = "01/05/2025"
    assert reasons(check(few, recorded_at="observed_at")) == [("events", 1, "observed_at", "unparsable")]


def test_an_extract_without_a_first_day_is_a_warning(few):
    tables = Tables.from_frames(few)
    assert tables.warnings[["table", "rule"]].values.tolist() == [["extract", "no_data_start"]]


def test_a_key_that_cannot_be_trusted_is_not_shown(few, check):
    few["events"].loc[0, "event_id"] = "Marie Dupont, 1940"
    tables = check(few)
    assert tables.set_aside["rule"].tolist() == ["pattern"]
    assert tables.set_aside["key"].isna().all()
    assert "Marie" not in tables.set_aside.to_csv() + tables.warnings.to_csv()


def test_moments_with_a_zone_need_the_zone_of_the_agency():
    persons = pd.DataFrame({"person_id": ["P1"], "recorded_at": pd.to_datetime(["2026-01-01"]).tz_localize("UTC")})
    referrals = pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-02-01"],
                              "recorded_at": ["2026-02-01"]})  # fmt: skip
    with pytest.raises(TablesError, match="moments with a time zone: recorded_at"):
        Tables.from_frames({"persons": persons, "referrals": referrals})
