"""What a user without a checkout gets: everything the demo needs, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return next(folder.glob("casestrat-*.whl"))


def test_the_wheel_holds_the_knowledge_and_the_templates_and_no_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "src"
    needed = {
        path.relative_to(package).as_posix()
        for path in (package / "casestrat").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert needed <= names
    assert not [name for name in names if name.startswith(("data/", "tests/"))]
    assert any(name.endswith("LICENSE") for name in names)


def test_the_demo_runs_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = (
        "import sys, casestrat; assert 'site' in casestrat.__file__;"
        "from casestrat.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--out", "out", "--lang", "fr"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out").glob("*/committee.html"))
