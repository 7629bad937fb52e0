"""Tests of a re-allocation from files to files: written whole or not at all, read back, recorded."""

import json
from dataclasses import replace

import pandas as pd
import pytest

import casestrat as cs
from casestrat.errors import OutputError, UsageError
from casestrat.knowledge import Clearance, load_program
from casestrat.nightly import Wanted, reallocate_source, record_assignments_source
from casestrat.nightly.whole_folder import write_folder
from casestrat.tables import OUTPUTS, Tables, write_tables

ON = "2026-10-05"
LISTS = ("moves", "frontier", "cover", "handover", "step_down", "unassigned", "workload")


@pytest.fixture(scope="module")
def agency(tmp_path_factory):
    """A folder of tables: three case managers, five open episodes, one person in a crisis."""
    at = {"recorded_at": "2026-01-10"}
    people = [f"P{i}" for i in range(5)]
    episodes = [f"E{i}" for i in range(5)]
    tables = Tables.from_frames({
        "persons": pd.DataFrame({"person_id": people, "jurisdiction": "FR", "territory": "north", "language": "fr",
                                 **at}),
        "referrals": pd.DataFrame({"referral_id": ["R1"], "person_id": ["P1"], "referred_on": ["2026-01-02"], **at}),
        "episodes": pd.DataFrame({"episode_id": episodes, "person_id": people, "admitted_on": "2026-01-09",
                                  "intensity": "intensive", **at}),
        "events": pd.DataFrame({"event_id": ["V1"], "person_id": ["P3"], "kind": ["crisis"],
                                "observed_at": ["2026-10-01"], "recorded_at": ["2026-10-02"]}),
        "case_managers": pd.DataFrame({"cm_id": ["A", "B", "C"], "minutes_per_week": [500, 400, 400],
                                       "languages": "fr", "ends_on": ["2026-10-04", None, None],
                                       "starts_on": "2024-01-01", "profession": "social_worker",
                                       "experience_months": 30}),
        "assignments": pd.DataFrame({"assignment_id": episodes, "episode_id": episodes, "person_id": people,
                                     "cm_id": ["A", "A", "A", "B", "B"], "role": "lead",
                                     "from_on": "2026-01-10", **at}),
    })  # fmt: skip
    folder = tmp_path_factory.mktemp("agency")
    write_tables(tables, folder)
    (folder / "extract.toml").write_text('program = "geriatric"\nrecorded_at = "column"\ndata_end = 2026-10-05\n')
    return folder


@pytest.fixture(scope="module")
def written(agency, tmp_path_factory):
    """The re-allocation after A has left, in French, and its folder."""
    out = tmp_path_factory.mktemp("out") / "moves"
    moved = reallocate_source(agency, on=ON, wanted=Wanted(leaver=("A",), max_moves=2), out=out, lang="fr")
    return moved, out


def test_every_list_is_written_with_its_contract_and_the_manifest_names_it(written):
    moved, out = written
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == {f"{name}.{kind}" for name in LISTS for kind in ("csv", "parquet")} | {
        "caseload.html",
        "decisions.json",
    }
    for name in LISTS:
        assert list(pd.read_parquet(out / f"{name}.parquet").columns) == list(OUTPUTS[name].names)
    moves = pd.read_parquet(out / "moves.parquet")
    assert moves["case_id"].tolist()[:3] == ["E0", "E1", "E2"]
    assert moves["why"].str.startswith("A leaves").sum() == 3
    assert "A quitte le service" in (out / "moves.csv").read_text(encoding="utf-8-sig")
    assert moved.plan.moves["why"].iloc[0].startswith("A quitte")


def test_who_is_in_a_crisis_is_not_moved_for_the_sake_of_balance(written):
    assert "E3" not in set(written[0].plan.moves["case_id"])


def test_the_same_input_gives_the_same_bytes_and_another_folder_is_not_touched(agency, written, tmp_path):
    reallocate_source(agency, on=ON, wanted=Wanted(leaver=("A",), max_moves=2), out=tmp_path / "again", lang="fr")
    for path in sorted(written[1].iterdir()):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        reallocate_source(agency, on=ON, wanted=Wanted(leaver=("A",)), out=tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_what_people_accepted_becomes_the_table_and_the_source_stays(agency, written, tmp_path):
    before = {path.name: path.read_bytes() for path in agency.iterdir()}
    file = json.loads((written[1] / "decisions.json").read_text(encoding="utf-8"))
    assert {row["decision"] for row in file["decisions"]} == {"hold"}
    for row in file["decisions"][:2]:
        row |= {"decision": "accept", "decided_by": "team lead", "decided_at": "2026-10-05T09:00:00"}
    file["decisions"].append({"case_id": "E4", "decision": "accept", "to_cm": "C", "from_cm": "Z", "reason": "x",
                              "decided_by": "team lead", "decided_at": "2026-10-05"})  # fmt: skip
    path = tmp_path / "decided.json"
    path.write_text(json.dumps(file), encoding="utf-8")
    result = record_assignments_source(agency, path, out=tmp_path / "recorded")
    assert result.refused["rule"].tolist() == ["stale"]
    assert result.refused["row"].tolist() == [len(file["decisions"])]
    table = pd.read_csv(tmp_path / "recorded" / "assignments.csv")
    assert len(table) == 5 + 4
    assert table["end_reason"].dropna().tolist() == ["leaver", "leaver"]
    again = tmp_path / "next"
    again.mkdir()
    for name, content in before.items():
        (again / name).write_bytes(content)
    (again / "assignments.csv").write_bytes((tmp_path / "recorded" / "assignments.csv").read_bytes())
    read = cs.read_tables(again, load_program("geriatric"))
    assert len(read.assignments) == 9
    assert read.set_aside.empty
    assert record_assignments_source(again, path, out=tmp_path / "twice").rows.empty
    assert {path.name: path.read_bytes() for path in agency.iterdir()} == before


def test_a_row_that_the_tables_would_set_aside_is_refused_with_its_rule(agency, tmp_path):
    tables = cs.read_tables(agency, load_program("geriatric"))
    decided = {"decision": "accept", "from_cm": "A", "to_cm": "B", "reason": "x", "decided_by": "me"}
    rows = [
        {"case_id": "E0", "decided_at": "2025-12-01", **decided},
        {"case_id": "E1", "decided_at": "2026-10-05", **decided},
    ]
    path = tmp_path / "decided.json"
    path.write_text(json.dumps({"format": "casestrat-assignments/1", "decisions": rows}))
    result = record_assignments_source(tables, path, out=tmp_path / "out")
    assert set(result.standing["case_id"]) | set(result.refused["case_id"]) == {"E0", "E1"}
    frames = {"persons": tables.persons, "referrals": tables.referrals, "episodes": tables.episodes,
              "case_managers": tables.case_managers, "assignments": result.assignments}  # fmt: skip
    assert Tables.from_frames(frames, load_program("geriatric"), tables.extract).set_aside.empty


def test_who_is_not_cleared_for_the_records_is_refused_whatever_a_file_says(agency, tmp_path):
    program = load_program("geriatric")
    rules = replace(program.allocation, confidential=(Clearance("part2", "territory == 'north'"),))
    program = replace(program, allocation=rules)
    cleared = pd.DataFrame({"cm_id": ["B", "C"], "credential": "part2", "valid_from": pd.Timestamp("2020-01-01"),
                            "valid_to": pd.to_datetime([None, "2026-11-01"])})  # fmt: skip
    tables = cs.read_tables(agency, program)
    held = cleared.reindex(columns=tables.credentials.columns).astype(tables.credentials.dtypes.to_dict())
    tables = replace(tables, credentials=held, present=tables.present | {"credentials"})
    decided = {"decision": "change", "from_cm": "A", "reason": "x", "decided_by": "me", "decided_at": "2026-10-05"}
    rows = [
        {"case_id": "E0", "to_cm": "B"}, {"case_id": "E1", "to_cm": "C"},
        {"case_id": "E2", "to_cm": "C", "role": "temporary", "until": "2026-11-01"},
    ]  # fmt: skip
    path = tmp_path / "decided.json"
    file = {"format": "casestrat-assignments/1", "decisions": [row | decided for row in rows]}
    path.write_text(json.dumps(file), encoding="utf-8")
    result = record_assignments_source(tables, path, program, out=tmp_path / "out")
    assert result.refused[["row", "case_id", "column", "rule"]].to_numpy().tolist() == [
        [2, "E1", "cm_id", "confidentiality"]
    ]
    assert result.standing["case_id"].tolist() == ["E0", "E2"]


def test_newcomers_leave_and_overloads_come_from_files(agency, tmp_path):
    (tmp_path / "new.csv").write_text("cm_id,minutes_per_week,languages,profession\nD,400,fr,social_worker\n")
    (tmp_path / "over.csv").write_text("cm_id,limit_minutes,ends_on,approver,reason\nC,60,2026-12-01,head,leave\n")
    wanted = Wanted(
        absent=("B",), until="2026-12-04", newcomer=tmp_path / "new.csv", overloads=tmp_path / "over.csv", max_moves=1
    )
    moved = reallocate_source(agency, "geriatric", on=ON, wanted=wanted)
    assert "D" in set(moved.plan.workload["cm_id"])
    assert moved.plan.moves.set_index("case_id").loc["E4", "until"] == pd.Timestamp("2026-12-04")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leaver": ("Z",)}, "no case manager is called 'Z'.*B, C"),
        ({"newcomer": "none.csv"}, "there is no file of newcomer"),
        ({"newcomer": pd.DataFrame({"name": ["x"]})}, "no column cm_id"),
        ({"newcomer": pd.DataFrame({"cm_id": ["A"]})}, "1 of 1 newcomers are in case_managers already"),
        ({"newcomer": pd.DataFrame({"cm_id": ["D", "D"]})}, "a newcomer's row breaks a rule"),
        ({"overloads": pd.DataFrame({"cm_id": ["B"]})}, "no column limit_minutes"),
    ],
)  # fmt: skip
def test_wrong_wishes_are_refused_in_words(agency, change, message):
    with pytest.raises(UsageError, match=message):
        reallocate_source(agency, on=ON, wanted=Wanted(**change))


def test_an_extract_without_staff_or_without_a_program_is_refused(agency):
    tables = cs.read_tables(agency, load_program("geriatric"))
    bare = Tables.from_frames({"persons": tables.persons, "referrals": tables.referrals})
    with pytest.raises(UsageError, match="the extract names no program"):
        reallocate_source(bare, on=ON, wanted=Wanted())
    with pytest.raises(UsageError, match="no table case_managers"):
        reallocate_source(bare, "geriatric", on=ON, wanted=Wanted())


def test_a_folder_is_put_back_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_folder(out, {"a.txt": b"old"}, "kind/1", {})
    import casestrat.nightly.whole_folder as module

    right = module.put_in_place

    def failing(source, target):
        if source.name == "new":
            raise OSError(28, "no space")
        right(source, target)

    monkeypatch.setattr(module, "put_in_place", failing)
    with pytest.raises(OutputError, match="disk is full"):
        write_folder(out, {"a.txt": b"new"}, "kind/1", {})
    assert (out / "a.txt").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # nothing is left lying about
    monkeypatch.undo()
    write_folder(out, {"a.txt": b"new"}, "kind/1", {})
    assert (out / "a.txt").read_bytes() == b"new"
    with pytest.raises(UsageError, match="the output is a file"):
        write_folder(out / "a.txt", {}, "kind/1", {})
