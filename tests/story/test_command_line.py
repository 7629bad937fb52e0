"""The command line as a new user meets it: every fault gets a message and an exit code, and nothing is lost."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from casestrat.__main__ import _after_stop, main
from casestrat.errors import ExitCode
from casestrat.limits import MAX_SET_ASIDE, MAX_STALE_DAYS
from casestrat.models import PointScorecard, save_model
from casestrat.nightly import Gates, NightlyRun

pytestmark = pytest.mark.story
AS_OF = "2026-10-01"
_CALL = "import sys; from casestrat.__main__ import main; sys.exit(main())"


def call_alone(*arguments: object, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, as a person does."""
    done = subprocess.run(
        [sys.executable, "-c", _CALL, *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", cwd=cwd, check=False,
        env={**os.environ, "COLUMNS": "200", **env},
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done


def call(*arguments: object, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, which has loaded already what every start must load."""
    out, err = io.StringIO(), io.StringIO()
    words = list(map(str, arguments))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["casestrat", *words])
        for name, value in {"COLUMNS": "200", **env}.items():
            patch.setenv(name, value)
        if cwd is not None:
            patch.chdir(cwd)
        try:
            code = main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
    done = subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.fixture
def folder(few: Path, tmp_path: Path) -> Path:
    """A folder of few people that a test may change."""
    return shutil.copytree(few, tmp_path / "geriatric")


@pytest.fixture(scope="session")
def whole(root: Path) -> Path:
    """The folder of the whole example, to look at."""
    return root / "data" / "synthetic" / "geriatric"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_demo_says_what_it_did_and_where_the_pages_are_and_then_that_nothing_is_left(tmp_path: Path) -> None:
    first = call("demo", "--out", tmp_path)
    assert first.returncode == 0
    for word in (
        "people read",
        "rows set aside",
        "ranked",
        "proposed",
        "minutes balanced",
        "seconds",
        "committee.html",
    ):
        assert word in first.stdout
    assert "made up" in first.stdout
    assert "Nothing to do" in call("demo", "--out", tmp_path).stdout


def test_every_command_has_help() -> None:
    commands = (
        "demo", "nightly", "compare", "recompute", "check", "init", "fit", "evaluate", "readiness", "promote",
        "rollback", "models", "allocate", "synthesize", "list", "report",
    )  # fmt: skip
    for command in commands:
        done = call(command, "--help")
        assert done.returncode == 0
        assert "--help" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nightly"], "Missing argument"),
        (["night"], "No such command"),
        (["nightly", "x", "--program", "geriatric", "--as-of", AS_OF, "--out", "o", "--engine", "spark"], "spark"),
        (["list", "people"], "people"),
    ],
)
def test_wrong_arguments_are_a_usage_error(arguments: list[str], said: str) -> None:
    done = call_alone(*arguments)
    assert done.returncode == ExitCode.USAGE
    assert said in done.stderr


def test_an_unknown_program_offers_the_known_ones(folder: Path) -> None:
    done = call("check", folder, "--program", "geriatrics")
    assert done.returncode == ExitCode.USAGE
    assert "geriatric" in done.stderr
    assert "medical" in done.stderr


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("check", ()), ("nightly", ("--as-of", AS_OF, "--out")), ("allocate", ("--as-of", AS_OF, "--out")),
        ("fit", ("--as-of", AS_OF, "--out")), ("evaluate", ("--as-of", AS_OF)), ("init", ()), ("readiness", ()),
    ],
)  # fmt: skip
def test_a_source_that_does_not_exist_is_a_usage_error_of_every_command(
    tmp_path: Path, command: str, more: tuple[str, ...]
) -> None:
    options = [*more, tmp_path / "out"] if more and more[-1] == "--out" else more
    done = call(command, tmp_path / "nowhere", "--program", "geriatric", *options)
    assert done.returncode == ExitCode.USAGE
    assert str(tmp_path / "nowhere") in done.stderr


def test_what_is_neither_folder_nor_site_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    done = call("check", tmp_path / "notes.txt", "--program", "geriatric")
    assert done.returncode == ExitCode.USAGE
    assert "neither" in done.stderr


def test_a_stop_from_the_keyboard_says_what_is_kept_of_that_command() -> None:
    assert "goes on from there" in _after_stop(["nightly", "x"])
    assert "goes on from there" in _after_stop(["demo"])
    assert "run the same command again" in _after_stop(["fit", "x"])
    assert "run the same command again" in _after_stop([])


def test_the_limits_of_the_gates_are_those_that_help_tells_and_help_loads_no_pandas() -> None:
    told = call("nightly", "--help").stdout
    assert f"[default: {MAX_SET_ASIDE}]" in told
    assert f"[default: {MAX_STALE_DAYS}]" in told
    assert (Gates().max_set_aside, Gates().max_stale_days) == (MAX_SET_ASIDE, MAX_STALE_DAYS)
    code = "import casestrat.cli, sys; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        (("check",), ("referrals", "set aside")),
        (
            ("evaluate", "--as-of", "2026-05-01", "--capacity", "20"),
            ("average_precision", "precision_expected", "points, not a risk"),
        ),
        (("readiness",), ("unplanned_stay", "card of up to", "stands in for need")),
        (("allocate", "--as-of", AS_OF, "--lang", "it", "--out", "plan"), ("CM01", "capacity", "plan/workload.csv")),
    ],
)
def test_what_a_command_prints_fits_80_columns_and_cuts_nothing(
    whole: Path, tmp_path: Path, command: tuple[str, ...], holds: tuple[str, ...]
) -> None:
    done = call(command[0], whole, "--program", "geriatric", *command[1:], cwd=tmp_path, COLUMNS="80")
    assert done.returncode == 0
    assert all(word in done.stdout for word in holds)
    assert "…" not in done.stdout
    assert max(len(line.rstrip()) for line in done.stdout.splitlines()) <= 80
    if command[0] == "allocate":
        lines = (tmp_path / "plan" / "allocation.csv").read_text(encoding="utf-8-sig").splitlines()
        assert (tmp_path / "plan" / "workload.parquet").is_file()
        assert lines[0].startswith("caso;persona;tipo;case manager")
        assert "mantiene il case manager attuale" in "".join(lines)
        kept = pd.read_parquet(tmp_path / "plan" / "allocation.parquet")
        assert set(kept["kind"]) == {"open"}
        assert "keeps the present case manager" in set(kept["why"])


@pytest.mark.parametrize("kind", ["programs", "instruments", "scorecards"])
def test_what_is_listed_fits_80_columns_with_names_uncut(kind: str) -> None:
    names = [one["name"] for one in json.loads(call("list", kind, "--json").stdout)]
    told = call("list", kind, COLUMNS="80").stdout
    assert all(f" {name} " in told for name in names)
    assert max(len(line.rstrip()) for line in told.splitlines()) <= 80


def test_a_draft_is_in_one_language_and_says_how_to_check_it(root: Path, tmp_path: Path) -> None:
    for name in ("orientia", "medisoc"):
        shutil.copytree(root / "tests" / "data_made_up" / name, tmp_path / "exports" / name)
    done = call("init", tmp_path / "exports", "--program", "geriatric", "--lang", "fr")
    path = tmp_path / "exports" / "site.toml"
    assert f"casestrat check {path} --program geriatric" in done.stdout
    draft = path.read_text(encoding="utf-8")
    assert "casestrat check site.toml --program geriatric" in draft
    assert "une date AAAA-MM-JJ" in draft
    for english in ("a date", "one of:", "letters, digits", "true, false or", "Day of", "to fill in", "YYYY", "number"):
        assert english not in draft


@pytest.mark.parametrize("name", ["persons", "referrals"])
def test_a_missing_table_is_named_with_what_to_add(folder: Path, name: str) -> None:
    (folder / f"{name}.csv").unlink()
    done = call("nightly", folder, "--program", "geriatric", "--as-of", AS_OF, "--out", folder.parent / "out")
    assert done.returncode == ExitCode.TABLES_REFUSED
    assert name in done.stderr
    assert not (folder.parent / "out" / AS_OF).exists()


def test_a_missing_key_column_is_named(folder: Path) -> None:
    edit(folder / "persons.csv", "person_id", "pid")
    done = call("check", folder, "--program", "geriatric")
    assert done.returncode == ExitCode.TABLES_REFUSED
    assert "person_id" in done.stderr


def test_an_empty_required_table_is_refused(folder: Path) -> None:
    path = folder / "referrals.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    done = call("check", folder, "--program", "geriatric")
    assert done.returncode == ExitCode.TABLES_REFUSED
    assert "referrals" in done.stderr


def test_a_file_without_a_single_byte_is_refused(folder: Path) -> None:
    (folder / "persons.csv").write_bytes(b"")
    done = call("check", folder, "--program", "geriatric")
    assert done.returncode == ExitCode.TABLES_REFUSED
    assert "persons" in done.stderr


def test_a_column_named_like_an_identifier_is_refused_and_the_mapping_is_offered(folder: Path) -> None:
    edit(folder / "persons.csv", "birth_month", "last_name")
    done = call("check", folder, "--program", "geriatric")
    assert done.returncode == ExitCode.TABLES_REFUSED
    assert "last_name" in done.stderr
    assert "site.toml" in done.stderr


def test_bad_cells_are_set_aside_with_their_line_and_never_their_value(folder: Path) -> None:
    events = (folder / "events.csv").read_text(encoding="utf-8").splitlines()
    header = events[0].split(",")
    kind, seen, person = header.index("kind"), header.index("observed_at"), header.index("person_id")
    rows = [line.split(",") for line in events[1:4]]
    rows[0][kind], rows[1][seen], rows[2][person] = "zzsecretkind", "31/12/2025", "zznobody"
    events[1:4] = [",".join(row) for row in rows]
    (folder / "events.csv").write_text("\n".join(events) + "\n", encoding="utf-8")
    out = folder.parent / "aside.csv"
    done = call("check", folder, "--program", "geriatric", "--out", out)
    assert done.returncode == 0
    aside = out.read_text(encoding="utf-8")
    for line in ("2", "3", "4"):
        assert f"events.csv,{line}," in aside
    assert "zzsecret" not in done.stdout + done.stderr + aside
    assert "31/12/2025" not in done.stdout + done.stderr + aside


def test_a_date_before_the_data_start_names_both_dates(folder: Path) -> None:
    done = call("nightly", folder, "--program", "geriatric", "--as-of", "2019-01-01", "--out", folder.parent / "out")
    assert done.returncode == ExitCode.USAGE
    assert "2019-01-01" in done.stderr
    assert "data_start" in done.stderr


def test_an_old_extract_is_stopped_by_its_gate(folder: Path) -> None:
    done = call("nightly", folder, "--program", "geriatric", "--as-of", "2027-10-01", "--out", folder.parent / "out")
    assert done.returncode == ExitCode.TOO_MUCH_SET_ASIDE
    assert "--max-stale-days" in done.stderr


def test_a_second_run_while_one_is_running_is_told_so(folder: Path) -> None:
    out = folder.parent / "out"
    out.mkdir()
    with FileLock(out / ".casestrat.lock"):
        done = call("nightly", folder, "--program", "geriatric", "--as-of", AS_OF, "--out", out)
    assert done.returncode == ExitCode.LOCKED
    assert "another run" in done.stderr


def test_no_places_and_no_licensed_case_manager_give_a_list_and_a_ledger_and_a_quiet_night_prints_nothing(
    whole: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(whole, tmp_path / "geriatric")
    meetings = (folder / "committee_meetings.csv").read_text(encoding="utf-8").splitlines()
    at = meetings[0].split(",").index("places")
    zero = [meetings[0], *(",".join([*row[:at], "0", *row[at + 1 :]]) for row in (x.split(",") for x in meetings[1:]))]
    (folder / "committee_meetings.csv").write_text("\n".join(zero) + "\n", encoding="utf-8")
    (folder / "licenses.csv").unlink()
    managers = folder / "case_managers.csv"
    lines = managers.read_text(encoding="utf-8").splitlines()
    profession = lines[0].split(",").index("profession")
    nurses = [lines[0]]
    for row in (x.split(",") for x in lines[1:]):
        nurses.append(",".join([*row[:profession], "nurse", *row[profession + 1 :]]))
    managers.write_text("\n".join(nurses) + "\n", encoding="utf-8")
    out = folder.parent / "out"
    done = call("nightly", folder, "--program", "geriatric", "--as-of", AS_OF, "--out", out, "--quiet")
    assert (done.returncode, done.stdout) == (0, "")
    counts = json.loads((out / AS_OF / "manifest.json").read_text())["counts"]
    assert counts["places"] == counts["proposed"] == 0
    assert "licence" in (out / AS_OF / "unassigned.csv").read_text(encoding="utf-8-sig")


@pytest.mark.skipif(sys.platform == "win32", reason="a file size limit needs a POSIX system")
def test_a_full_disk_publishes_nothing_and_says_so(folder: Path) -> None:
    out = folder.parent / "out"
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        "from casestrat.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "nightly", folder, "--program", "geriatric", "--as-of", AS_OF, "--out", out],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.FAILED
    assert "disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (out / AS_OF).exists()
    assert list(out.glob(f".work-{AS_OF}-*/results/receipt-*.json")), "the next run goes on from what was done"


def test_a_model_that_is_no_model_is_refused(folder: Path) -> None:
    fake = folder.parent / "model.zip"
    fake.write_bytes(b"not a model")
    done = call(
        "nightly", folder, "--program", "geriatric", "--as-of", AS_OF, "--out", folder.parent / "out", "--model", fake
    )
    assert done.returncode == ExitCode.USAGE


def test_a_decision_file_that_cannot_be_read_is_refused(run: NightlyRun, tmp_path: Path) -> None:
    folder = shutil.copytree(run.folder, tmp_path / AS_OF)
    meeting = next((folder / "meetings").glob("*.json"))
    broken = tmp_path / "decisions.json"
    broken.write_text("{", encoding="utf-8")
    done = call("decisions", "record", meeting, broken, "--program", "geriatric")
    assert done.returncode == ExitCode.USAGE
    assert f"{broken}, line 1" in done.stderr
    absent = call("decisions", "record", meeting, folder / "absent.json", "--program", "geriatric")
    assert absent.returncode == ExitCode.USAGE
    assert str(folder / "absent.json") in absent.stderr
    refused_decisions_name_their_referral(meeting, broken)
    assert (
        call("decisions", "record", folder / "none.json", broken, "--program", "geriatric").returncode == ExitCode.USAGE
    )


def refused_decisions_name_their_referral(meeting: Path, file: Path) -> None:
    frozen = json.loads(meeting.read_text(encoding="utf-8"))
    referral = frozen["list"][0]["referral_id"]
    row = {"referral_id": referral, "outcome": "admit", "decided_at": "soon"}
    head = {"format": "casestrat-decisions/1", "decisions": [row]}
    head |= {name: frozen[name] for name in ("meeting_id", "list_fingerprint")}
    file.write_text(json.dumps(head), encoding="utf-8")
    done = call("decisions", "record", meeting, file, "--program", "geriatric", COLUMNS="80")
    assert done.returncode == ExitCode.PARTIAL
    assert "decided_at" in done.stdout
    assert referral in done.stdout
    assert "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS" in " ".join(done.stdout.split())


def test_synthesize_never_replaces_a_folder_that_holds_something(folder: Path) -> None:
    done = call("synthesize", "--out", folder, "--people", "50")
    assert done.returncode == ExitCode.USAGE
    assert "--force" in done.stderr


def test_the_example_is_remade_bit_for_bit_by_one_command(root: Path, tmp_path: Path) -> None:
    assert call("synthesize", "--example", "--out", tmp_path / "again").returncode == 0
    kept = root / "data" / "synthetic" / "geriatric"
    names = sorted(path.name for path in kept.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in names:
        assert (kept / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_learn_and_evaluate_from_the_command_line(whole: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.zip"
    dates = ["--as-of", "2025-10-01", "--as-of", "2026-04-01"]
    learned = call("fit", whole, "--program", "geriatric", *dates, "--out", model)
    assert learned.returncode == 0
    assert "Leakage audit: clean" in learned.stdout
    assert "audit: future_rows: 1 of 1 done" in learned.stderr
    told = call(
        "evaluate", whole, "--program", "geriatric", "--as-of", "2026-05-01", "--model", model, "--capacity", "20"
    )
    assert told.returncode == 0
    assert "auc" in told.stdout
    assert "audited for leakage: clean" in told.stdout


def test_a_model_goes_from_the_shadow_into_service_and_back(folder: Path, tmp_path: Path) -> None:
    cards = []
    for age in (70, 90):
        table = pd.DataFrame({"item": ["age"], "condition": [f"< {age}"], "points": [9]})
        cards.append(save_model(PointScorecard.from_table(table), tmp_path / f"under_{age}.json"))
    night = ("nightly", folder, "--program", "geriatric", "--as-of", AS_OF, "--out")
    shadow = call(*night, tmp_path / "out", "--shadow", cards[1])
    assert "would enter the places" in shadow.stdout
    run = tmp_path / "out" / AS_OF
    who = ("--approver", "A. Lead", "--reason", "a test")
    registry = tmp_path / "models"
    assert call("promote", cards[0], registry, *who, "--run", run).returncode == ExitCode.USAGE  # another candidate
    assert call("promote", cards[0], registry, *who).returncode == 0
    assert "promote 2: PointScorecard" in call("promote", cards[1], registry, *who, "--run", run).stdout
    after = call(*night, tmp_path / "after", "--model", registry)
    told = json.loads((run / "manifest.json").read_text("utf-8"))["shadow"]
    compared = call("compare", run, tmp_path / "after" / AS_OF, "--source", folder, "--program", "geriatric",
                    "--out", tmp_path / "changes.csv", COLUMNS="80")  # fmt: skip
    assert after.returncode == compared.returncode == 0
    assert f"{told['enters']} enter, {told['leaves']} leave" in compared.stdout
    assert "Changed: model" in compared.stdout
    assert max(len(line.rstrip()) for line in compared.stdout.splitlines()) <= 80 + len(str(tmp_path))
    assert "why" in (tmp_path / "changes.csv").read_text("utf-8").splitlines()[0]
    assert call("rollback", registry, *who).returncode == 0
    history = call("models", registry, COLUMNS="80").stdout
    assert history.count("promote") == 2
    assert "rollback *" in history
    assert call("rollback", registry, *who).returncode == ExitCode.USAGE
    assert call("models", tmp_path / "nowhere").returncode == ExitCode.USAGE
    assert call("compare", run, tmp_path / "nowhere").returncode == ExitCode.USAGE
    assert call("compare", run, run, "--source", folder).returncode == ExitCode.USAGE


def test_a_corrected_answer_is_told_before_and_after(folder: Path, tmp_path: Path) -> None:
    waiting = pd.read_csv(folder / "referrals.csv", dtype=str)
    person = waiting[waiting["referred_on"] > "2026-08-01"]["person_id"].iloc[-1]
    given = tmp_path / "given.csv"
    given.write_text("table,key,column,value\nfeatures,,gir,1\nfeatures,,falls_180d,9\n", encoding="utf-8")
    ask = ("recompute", folder, "--program", "geriatric", "--as-of", AS_OF, "--corrections", given)
    done = call(*ask, "--person", person, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert "Before and after" in done.stdout
    assert "falls_180d" in done.stdout
    assert max(len(line.rstrip()) for line in done.stdout.splitlines()) <= 80
    assert call(*ask, "--person", "nobody").returncode == ExitCode.USAGE
    given.write_text("table,key\n", encoding="utf-8")
    assert call(*ask, "--person", person).returncode == ExitCode.USAGE


@pytest.mark.parametrize("kind", ["programs", "instruments", "scorecards"])
def test_what_is_shipped_can_be_listed(kind: str) -> None:
    assert len(json.loads(call("list", kind, "--json").stdout)) >= 3


def test_pages_that_are_asked_for_are_written(few: Path, tmp_path: Path) -> None:
    page = tmp_path / "validation.html"
    done = call(
        "report", "validation", few, "--program", "geriatric", "--as-of", "2026-05-01", "--capacity", "20",
        "--lang", "fr", "--out", page,
    )  # fmt: skip
    assert done.returncode == 0
    assert "average_precision" in done.stdout
    assert "items of the model card are reported" in done.stdout
    assert '<html lang="fr">' in page.read_text(encoding="utf-8")
    card = tmp_path / "card.html"
    assert call("report", "scorecard", "--program", "geriatric", "--out", card).returncode == 0
    assert "Geriatric default card" in card.read_text(encoding="utf-8")
    both = tmp_path / "both.html"
    done = call("evaluate", few, "--program", "geriatric", "--as-of", "2026-05-01", "--page", both)
    assert done.returncode == 0
    assert "both.html" in done.stdout
    assert '<html lang="en">' in both.read_text(encoding="utf-8")
