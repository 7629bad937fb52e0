"""The house stands as drawn: names of files, their length, what the package says of itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "casestrat"
MODULES = sorted(SOURCE.rglob("*.py"))
ROOMS = sorted(path.parent for path in SOURCE.glob("*/__init__.py"))
NO_PURPOSE = re.compile(r"^_?(utils?|common|helpers?|base|misc)\.py$")
MOST_LINES = 500


def test_no_module_has_a_name_without_a_purpose() -> None:
    assert not [path for path in (*MODULES, *ROOT.glob("tests/**/*.py")) if NO_PURPOSE.match(path.name)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(text)), "a module begins with a docstring"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_holds_no_code_of_its_own(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
    kinds = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign)
    assert all(isinstance(node, kinds) for node in tree.body)
    assigned = [target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    assert assigned == ["__all__"]


def test_importing_the_package_loads_neither_pandas_nor_numpy() -> None:
    code = "import sys, casestrat; sys.exit(bool({'pandas', 'numpy', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_can_be_used_and_is_documented() -> None:
    import casestrat

    for name in casestrat.__all__:
        thing = getattr(casestrat, name)
        assert name == "__version__" or (thing.__doc__ or "").strip(), f"{name} has no docstring"


def test_the_project_speaks_of_itself_alone() -> None:
    """No absolute path of somebody's machine, and no registry's host, stands in a tracked file."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    foreign = re.compile(rb"(?<![\w/.])/(work|home|root|Users)/\w|files\.pythonhosted|pypi\.org/simple|index-url")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".toml", ".md", ".lock", ".html", ".js", ".css", ""}:
            found = foreign.search(path.read_bytes())
            assert found is None or name == "tests/contracts/test_structure.py", f"{name} names {found}"
