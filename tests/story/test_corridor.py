"""One night from tables to pages: whole, repeatable, resumable, and never in the way of another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from casestrat.errors import GateError, LockedError, UsageError
from casestrat.knowledge import list_programs, load_program, load_wording
from casestrat.models import RiskClassifier, save_model
from casestrat.nightly import Gates, NightlyRun, record_decisions, run_nightly
from casestrat.nightly.partition import PEOPLE_A_PART, split_people
from casestrat.nightly.staffing import STAFFING
from casestrat.synthetic import synthesize
from casestrat.tables import OUTPUTS, Tables

pytestmark = pytest.mark.story
AS_OF = "2026-10-01"
ORPHAN = f".work-{AS_OF}-0123456789abcdef"
PARQUET = (
    "waiting_list", "assess_first", "risk", "reasons", "criteria", "allocation", "unassigned", "workload", "caseload",
    "set_aside", *STAFFING,
)  # fmt: skip


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a run but its log."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.log"
    }


@pytest.fixture(scope="module")
def again(example: Tables, tmp_path_factory: pytest.TempPathFactory) -> NightlyRun:
    """The same night once more, where an earlier run had been killed and left its work behind."""
    out = tmp_path_factory.mktemp("again")
    (out / ORPHAN / "results").mkdir(parents=True)
    return run_nightly(example, "geriatric", as_of=AS_OF, out=out)


@pytest.fixture
def copied(run: NightlyRun, tmp_path: Path) -> Path:
    """The folder of a run that a test may change."""
    return shutil.copytree(run.folder, tmp_path / AS_OF)


def read(run: NightlyRun, name: str) -> pd.DataFrame:
    return pd.read_parquet(run.folder / f"{name}.parquet")


@pytest.mark.parametrize("name", PARQUET)
def test_every_output_is_there_and_keeps_its_contract(run: NightlyRun, name: str) -> None:
    frame = read(run, name)
    assert list(frame.columns) == list(OUTPUTS[name].names)
    text = [c.name for c in OUTPUTS[name].columns if isinstance(c.dtype, pd.StringDtype)]
    typed = frame.astype({c.name: c.dtype for c in OUTPUTS[name].columns if c.name in text})
    OUTPUTS[name].schema().validate(typed.astype({c.name: c.dtype for c in OUTPUTS[name].columns}), lazy=True)


def test_the_pages_lists_meetings_and_manifest_are_there(run: NightlyRun) -> None:
    names = set(bytes_of(run.folder))
    assert {"committee.html", "caseload.html", "manifest.json", "waiting_list.csv", "assess_first.csv"} <= names
    meetings = run.manifest["meetings"]
    assert meetings
    assert {f"meetings/{meeting}.json" for meeting in meetings} <= names
    assert (run.folder / "run.log").read_text().startswith("20")


def test_reasons_sum_to_the_points_of_every_person(run: NightlyRun) -> None:
    points = read(run, "risk").set_index("person_id")["points"]
    told = read(run, "reasons").groupby("person_id")["contribution"].sum().reindex(points.index, fill_value=0.0)
    assert (told == points.astype(float)).all()


def test_ranked_and_assess_first_hold_each_waiting_person_once(run: NightlyRun, example: Tables) -> None:
    from casestrat.timeline import status_on

    status = status_on(example, load_program("geriatric"), AS_OF)
    waiting = status.loc[status["status"] == "waiting", "person_id"]
    listed = pd.concat([read(run, "waiting_list")["person_id"], read(run, "assess_first")["person_id"]])
    assert sorted(listed) == sorted(waiting)


def test_nobody_whose_criteria_definitely_fail_is_proposed_for_a_place(run: NightlyRun) -> None:
    ranked = read(run, "waiting_list")
    assert not (ranked["is_proposed"] & ranked["criteria"].eq("fails")).any()
    assert ranked["is_proposed"].sum() == min(run.manifest["counts"]["places"], ranked["criteria"].ne("fails").sum())


def test_no_list_of_case_managers_is_in_order_of_anything_but_their_id(run: NightlyRun) -> None:
    assert read(run, "workload")["cm_id"].is_monotonic_increasing


def test_the_same_input_gives_the_same_bytes(run: NightlyRun, again: NightlyRun) -> None:
    assert bytes_of(again.folder) == bytes_of(run.folder)


def test_orphans_of_an_earlier_run_that_never_ended_are_swept(again: NightlyRun) -> None:
    assert again.swept == [ORPHAN]
    assert not (again.folder.parent / ORPHAN).exists()


def test_a_run_on_the_same_input_says_that_there_is_nothing_to_do(run: NightlyRun, example: Tables) -> None:
    before = bytes_of(run.folder)
    again = run_nightly(example, "geriatric", as_of=AS_OF, out=run.folder.parent)
    assert not again.is_new
    assert again.folder == run.folder
    assert bytes_of(run.folder) == before


def test_changed_data_makes_a_run_beside_the_first_and_tells_the_difference_in_the_sites_language(
    run: NightlyRun, example: Tables, copied: Path, tmp_path: Path
) -> None:
    gone = read(run, "waiting_list")["person_id"].iloc[0]
    fewer = example.for_persons(example.persons.loc[example.persons["person_id"] != gone, "person_id"])
    second = run_nightly(fewer, "geriatric", as_of=AS_OF, out=tmp_path, lang="fr")
    assert second.is_new
    assert second.folder.name == f"{AS_OF}.{second.manifest['run_id']}"
    assert bytes_of(copied) == bytes_of(run.folder)
    told = pd.read_csv(second.folder / "difference.csv", encoding="utf-8-sig", sep=";")
    words = load_wording("fr")
    assert list(told.columns) == [words(f"columns.{name}") for name in OUTPUTS["difference"].names]
    assert [tuple(row) for row in told[told.iloc[:, 0] == gone].iloc[:, [2, 6]].to_numpy()] == [
        ("quitte la liste", "non")
    ]


def _start(source: Path, out: Path) -> subprocess.Popen[bytes]:
    code = (
        "import sys; from casestrat.nightly import partition; partition.PEOPLE_A_PART = 250;"
        "from casestrat.nightly import run_nightly; import casestrat.nightly.run as r;"
        "real = r.split_people; r.split_people = lambda ids, **more: real(ids, 250, **more);"
        f"run_nightly({str(source)!r}, 'geriatric', as_of={AS_OF!r}, out={str(out)!r}, workers=1)"
    )
    return subprocess.Popen([sys.executable, "-c", code])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_run_that_was_killed_goes_on_where_it_stopped(
    run: NightlyRun, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = root / "data" / "synthetic" / "geriatric"
    process = _start(source, tmp_path)
    deadline = time.monotonic() + 400
    while not list(tmp_path.glob(".work-*/results/receipt-*.json")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / AS_OF).exists(), "nothing is published before the whole run is done"
    import casestrat.nightly.run as module

    monkeypatch.setattr(module, "split_people", lambda ids, **more: split_people(ids, 250, **more))
    resumed = run_nightly(str(source), "geriatric", as_of=AS_OF, out=tmp_path)
    assert resumed.resumed_parts >= 1
    same = {name: content for name, content in bytes_of(resumed.folder).items() if name != "manifest.json"}
    assert same == {name: content for name, content in bytes_of(run.folder).items() if name != "manifest.json"}


@pytest.mark.dask
@pytest.mark.filterwarnings("default")
def test_a_cluster_makes_the_same_bytes(run: NightlyRun, example: Tables, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    other = run_nightly(example, "geriatric", as_of=AS_OF, out=tmp_path, engine="dask", workers=2)
    assert bytes_of(other.folder) == bytes_of(run.folder)


def test_a_second_run_while_one_is_running_is_refused_at_once(example: Tables, tmp_path: Path) -> None:
    with FileLock(tmp_path / ".casestrat.lock"), pytest.raises(LockedError, match="another run"):
        run_nightly(example, "geriatric", as_of=AS_OF, out=tmp_path)


def test_recorded_decisions_are_kept_and_importing_twice_changes_nothing(
    run: NightlyRun, example: Tables, copied: Path, tmp_path: Path
) -> None:
    path = copied / "meetings" / f"{run.manifest['meetings'][0]}.json"
    meeting = json.loads(path.read_text())
    ranked = read(run, "waiting_list")
    mine = ranked[
        (ranked["meeting_id"] == meeting["meeting_id"]) & ranked["is_proposed"] & ranked["criteria"].eq("meets")
    ]
    decision = {
        "referral_id": mine["referral_id"].iloc[0], "outcome": "admit", "reason": "criteria_met", "note": "agreed",
        "decided_by": "committee", "decided_at": f"{meeting['held_on'][:10]}T10:00:00",
    }  # fmt: skip
    file = tmp_path / "decisions.json"
    file.write_text(json.dumps({
        "format": "casestrat-decisions/1", "meeting_id": meeting["meeting_id"],
        "list_fingerprint": meeting["list_fingerprint"], "decisions": [decision, {**decision, "referral_id": "nobody"}],
    }))  # fmt: skip
    result = record_decisions(path, file, "geriatric")
    assert (result.n_new, len(result.refused)) == (1, 1)
    once = path.read_bytes()
    record_decisions(path, file, "geriatric")
    assert path.read_bytes() == once
    again = run_nightly(example, "geriatric", as_of=AS_OF, out=tmp_path)
    assert not again.is_new
    assert path.read_bytes() == once, "a re-run never touches a meeting"


def test_decisions_outlive_a_re_run_that_mends_a_damaged_folder(
    run: NightlyRun, example: Tables, copied: Path, tmp_path: Path
) -> None:
    meeting = copied / "meetings" / f"{run.manifest['meetings'][0]}.json"
    meeting.write_text(meeting.read_text() + "\n")
    meeting.with_suffix(".decisions.csv").write_text("kept\n")
    (copied / "caseload.html").unlink()
    mended = run_nightly(example, "geriatric", as_of=AS_OF, out=tmp_path)
    assert mended.is_new
    assert (mended.folder / "caseload.html").is_file()
    assert meeting.with_suffix(".decisions.csv").read_text() == "kept\n"
    assert meeting.read_text().endswith("\n\n")
    assert not list(tmp_path.glob(".previous-*"))


def test_a_folder_moved_aside_by_a_run_that_was_killed_is_put_back(
    run: NightlyRun, example: Tables, copied: Path, tmp_path: Path
) -> None:
    copied.rename(tmp_path / f".previous-{AS_OF}-{run.manifest['run_id']}")
    again = run_nightly(example, "geriatric", as_of=AS_OF, out=tmp_path)
    assert not again.is_new
    assert again.folder == copied


def test_an_extract_of_another_program_is_refused(example: Tables, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="geriatric"):
        run_nightly(example, "medical", as_of=AS_OF, out=tmp_path)


@pytest.fixture(scope="module")
def bare(example: Tables, tmp_path_factory: pytest.TempPathFactory) -> NightlyRun:
    """A night of an agency without a planned meeting and without case managers."""
    meetings = example.committee_meetings
    lacking = replace(
        example,
        committee_meetings=meetings[meetings["held_on"] < AS_OF],
        case_managers=example.case_managers.iloc[:0],
        present=example.present - {"case_managers"},
    )
    return run_nightly(lacking, "geriatric", as_of=AS_OF, out=tmp_path_factory.mktemp("bare"))


def test_a_list_without_a_planned_meeting_has_no_cut_and_says_so(bare: NightlyRun) -> None:
    assert bare.manifest["meetings"] == []
    assert not read(bare, "waiting_list")["is_proposed"].any()
    assert "no meeting" in (bare.folder / "committee.html").read_text().lower()


def test_without_case_managers_the_rest_is_made_and_the_lack_is_named(bare: NightlyRun) -> None:
    assert bare.manifest["left_out"] == ["allocation", "unassigned", "workload", *STAFFING]
    assert (bare.folder / "caseload.html").is_file()


@pytest.mark.parametrize("name", list_programs()["name"])
def test_every_shipped_program_runs_from_tables_to_pages(name: str, tmp_path: Path) -> None:
    agency = synthesize(name, people=80, random_state=3)
    run = run_nightly(agency.tables, name, as_of=AS_OF, out=tmp_path, lang="it")
    assert run.manifest["counts"]["scored"] > 0


def test_a_stored_model_ranks_with_the_features_it_was_learned_on(example: Tables, tmp_path: Path) -> None:
    from casestrat.features import FeatureBuilder
    from casestrat.nightly.training import labelled

    program = load_program("geriatric")
    builder = FeatureBuilder(program)
    X, labels = labelled(example, program, ["2025-10-01", "2026-01-01", "2026-04-01"], builder)
    y = labels["label"].dropna()
    model = RiskClassifier(random_state=0, calibration="none").fit(X.loc[y.index], y)
    path = save_model(model, tmp_path / "model.zip", builder=builder, program=program)
    run = run_nightly(example, program, as_of=AS_OF, out=tmp_path / "runs", model=path)
    scored = read(run, "risk")
    assert scored["risk"].between(0, 1).all()
    assert scored["points"].isna().all()
    assert run.manifest["fingerprints"]["model"] == model.fingerprint
    opt_in = replace(program, privacy=replace(program.privacy, learned_ranking="opt_in"))
    with pytest.raises(UsageError, match="reason"):
        run_nightly(example, opt_in, as_of=AS_OF, out=tmp_path / "asked", model=path)


def test_a_date_before_the_data_names_both_dates(example: Tables, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2020-01-01"):
        run_nightly(example, "geriatric", as_of="2020-01-01", out=tmp_path)


@pytest.mark.parametrize("date", ["01/10/2026 noon", "2026-10-01T08:00", "", "soon"])
def test_a_date_that_cannot_be_read_is_refused(example: Tables, tmp_path: Path, date: str) -> None:
    with pytest.raises(UsageError, match="2026-10-01"):
        run_nightly(example, "geriatric", as_of=date, out=tmp_path)


def test_an_extract_that_is_too_old_stops_the_run_and_keeps_the_last_list(example: Tables, tmp_path: Path) -> None:
    with pytest.raises(GateError, match="the limit is 45"):
        run_nightly(example, "geriatric", as_of="2027-10-01", out=tmp_path)
    assert not (tmp_path / "2027-10-01").exists()


def test_too_many_rows_set_aside_stop_the_run(example: Tables, tmp_path: Path) -> None:
    bad = pd.DataFrame({"table": "events", "source": "events.csv", "line": range(4000), "key": None, "column": "kind",
                        "rule": "code", "expected": "one of"})  # fmt: skip
    with pytest.raises(GateError, match="table events"):
        run_nightly(replace(example, set_aside=bad), "geriatric", as_of=AS_OF, out=tmp_path, gates=Gates(0.2))


def test_people_are_split_by_a_hash_that_no_order_changes() -> None:
    ids = pd.Series([f"P{number}" for number in range(1000)])
    parts = split_people(ids, 300)
    assert [list(part) for part in split_people(ids[::-1], 300)] == [list(part) for part in parts]
    assert sorted(pd.concat(parts)) == sorted(ids)
    assert len(split_people(ids)) == 1 <= PEOPLE_A_PART
