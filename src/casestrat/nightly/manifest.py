"""What ran, on what, with which model: run ids, folders, the lock, and the record that makes a run repeatable.

A run's id is the hash of its inputs. Its parts and pages are made in a hidden work folder of that id and put in place
by one rename, so that the folder of a date is either whole or absent; a run that was killed finds its finished parts
again by the same id.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from casestrat._version import __version__
from casestrat.errors import LockedError, OutputError
from casestrat.nightly.files import output_error, put_in_place
from casestrat.tables import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST = "manifest.json"
RUN_LOG = "run.log"
SCHEMA = "casestrat-run/1"


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Everything a run depends on; the hash of all but the language, which only pages and lists speak, is its id."""

    as_of: str
    extract: str
    program: str
    policy: str
    model: str
    lang: str
    learned_ranking_reason: str = ""
    shadow: str = ""  # fingerprint of a candidate that was scored beside the model
    previous: str = ""  # run whose tiers count as those that people had

    @property
    def fingerprints(self) -> dict[str, str]:
        """What was ranked by what, as it is kept with each meeting."""
        return {"extract": self.extract, "program": self.program, "model": self.model, "policy": self.policy}

    @property
    def run_id(self) -> str:
        """Hash of the inputs but their language, of the version of the outputs and of the software."""
        return fingerprint_of((SCHEMA, __version__, replace(self, lang="")))[:16]


@dataclass(frozen=True, slots=True)
class RunFolders:
    """Where a run works and where it publishes."""

    out: Path
    as_of: str
    run_id: str

    @property
    def work(self) -> Path:
        """The hidden folder of a run that is under way."""
        return self.out / f".work-{self.as_of}-{self.run_id}"

    @property
    def staged(self) -> Path:
        """The folder that will be put in place by one rename."""
        return self.work / "publish"

    @property
    def previous(self) -> Path:
        """Where a folder of this run that is to be replaced waits while the new one takes its place."""
        return self.out / f".previous-{self.as_of}-{self.run_id}"

    @property
    def first(self) -> Path:
        """The folder of the date."""
        return self.out / self.as_of

    @property
    def beside(self) -> Path:
        """The folder of a later run of the same date on changed inputs."""
        return self.out / f"{self.as_of}.{self.run_id}"

    def published(self, lang: str) -> Path | None:
        """Return the folder where this very run already stands, whole and in the same language, or None."""
        for folder in (self.first, self.beside):
            manifest = read_manifest(folder) or {}
            is_same = (manifest.get("run_id"), manifest.get("lang")) == (self.run_id, lang)
            if is_same and files_stand(folder, manifest):
                return folder
        return None

    def target(self) -> Path:
        """Return where to publish: the folder of the date, or one beside it where another run stands there."""
        standing = read_manifest(self.first) or {}
        if not self.first.exists() or standing.get("run_id") == self.run_id:
            return self.first
        return self.beside

    def sweep_orphans(self) -> list[str]:
        """Remove the work folders of other runs of the same date that were never finished; return their names."""
        orphans = [path for path in self.out.glob(f".work-{self.as_of}-*") if path != self.work]
        for path in orphans:
            shutil.rmtree(path, ignore_errors=True)
        return sorted(path.name for path in orphans)

    def publish(self) -> Path:
        """Put the staged folder in place and remove the work folder."""
        target = self.target()
        try:
            if target.exists():  # the same run, damaged or in another language: what people recorded is kept
                _keep(target, self.staged)
                put_in_place(target, self.previous)
            put_in_place(self.staged, target)
        except OSError as fault:
            self.restore()
            raise output_error(fault, target) from None
        shutil.rmtree(self.previous, ignore_errors=True)
        shutil.rmtree(self.work, ignore_errors=True)
        return target

    def restore(self) -> None:
        """Put back a folder that was moved aside by a run which ended before its own stood in its place."""
        if self.previous.exists() and not self.target().exists():
            put_in_place(self.previous, self.target())


def _keep(standing: Path, staged: Path) -> None:
    """Carry over the meetings and the log of a folder that is replaced: decisions are never lost to a re-run."""
    for path in sorted((standing / "meetings").iterdir() if (standing / "meetings").is_dir() else ()):
        shutil.copy2(path, staged / "meetings" / path.name)
    if (standing / RUN_LOG).is_file():
        shutil.copy2(standing / RUN_LOG, staged / RUN_LOG)


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder, or None where there is none that can be read."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def files_stand(folder: Path, manifest: dict[str, Any]) -> bool:
    """Tell whether every file the manifest lists is there, as long as it was.

    Meetings grow when decisions are recorded and are only looked for.
    """
    for name, noted in manifest.get("files", {}).items():
        path = folder / name
        if not path.is_file() or (not name.startswith("meetings/") and path.stat().st_size != noted["bytes"]):
            return False
    return True


def list_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the size and hash of each file of a folder, by its name relative to the folder."""
    return {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "blake2b": blake2b(path.read_bytes(), digest_size=16).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, RUN_LOG)
    }


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the lock of an output folder; refuse at once where another run holds it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            "the output folder cannot be made", where=str(out), do="name a folder that you may write in"
        ) from fault
    lock = FileLock(out / ".casestrat.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            "another run is under way in this output folder",
            where=str(out),
            do="wait until it has ended, or give another folder with --out",
        ) from None
    except OSError as fault:
        raise output_error(fault, out) from None
    try:
        yield
    finally:
        lock.release()
