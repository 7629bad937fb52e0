"""Every public name says in full what it takes, gives and raises; found by discovery."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import textwrap
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import missing

import casestrat

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(casestrat.__file__).parent
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
NOT_ASKED = {
    "ES01",  # a summary that says it all needs no second paragraph
    "EX01",  # an example stands where it teaches something; that those of the package itself are there is asked below
    "SA01",  # the reference pages list the neighbours of a name
    "GL01",  # older releases of numpydoc want the summary below the quotes; ours stands beside them, as ruff asks
}
WITHOUT_EXAMPLE = {
    "casestrat.nightly.run.run_nightly",  # takes seconds; `casestrat demo` and the notebooks show it
}
Public = type | FunctionType | property | cached_property


def names_of(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Each name of ``__all__`` with what it stands for; a module among them, such as ``figures``, gives its own."""
    for name in module.__all__:
        thing = getattr(module, name)
        if not isinstance(thing, ModuleType):
            yield f"{module.__name__}.{name}", thing
        elif thing.__name__ not in {f"casestrat.{room}" for room in ROOMS}:
            yield from names_of(thing)


def members_of(owner: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that are written here, also those inherited from another class of ours."""
    for ours in [one for one in owner.__mro__ if one.__module__.startswith("casestrat.")]:
        for name, raw in vars(ours).items():
            member = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
            is_written = isinstance(member, property | cached_property) or (
                isinstance(member, FunctionType) and member.__module__ == ours.__module__
            )
            if is_written and not name.startswith("_"):
                yield f"{ours.__module__}.{ours.__qualname__}.{name}", member


def discovered() -> dict[str, Public]:
    """Where it is written → class, function, method or property; a thing with two public names counts once."""
    found: dict[str, Public] = {}
    for module in [casestrat, *(getattr(casestrat, room) for room in ROOMS)]:
        for name, thing in names_of(module):
            if inspect.isclass(thing) or isinstance(thing, FunctionType):
                found[f"{thing.__module__}.{thing.__qualname__}"] = thing
                found |= dict(members_of(thing)) if inspect.isclass(thing) else {}
            else:
                assert name.rpartition(".")[2].strip("_").isupper() or name == "casestrat.__version__", (
                    f"{name} is neither class, function, module nor a constant in capitals"
                )
    return found


PUBLIC = discovered()
GIVES_ROWS = re.compile(r"\b(one|each) row\b|\bper (spine row|row|table)\b|\bas :func:|\bsame rows\b", re.IGNORECASE)


def code_of(thing: Public) -> FunctionType | None:
    """The function behind a name; a class has none."""
    code = getattr(thing, "fget", None) or getattr(thing, "func", None) or thing
    return code if isinstance(code, FunctionType) else None


def sections(thing: Public) -> dict[str, str]:
    """The docstring's sections by title; what stands before the first is its summary."""
    parts = re.split(r"^(\w[\w ]*)\n-+\n", inspect.getdoc(thing) or "", flags=re.MULTILINE)
    return {"Summary": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def test_what_is_public_is_found() -> None:
    assert {
        "casestrat.caseload.flow.flow",
        "casestrat.models.classifiers.classifier.RiskClassifier.fit",
        "casestrat.models.cards.scorecard.PointScorecard.from_table",
        "casestrat.priority.committee.Meeting.decisions",
        "casestrat.reports.figures.ranked_list",
        "casestrat.tables.tables.Tables",
    } <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_docstring_is_whole(name: str) -> None:
    if importlib.util.find_spec("numpydoc") is None:
        missing("numpydoc")
    from numpydoc.docscrape import get_doc_object
    from numpydoc.validate import validate

    # the thing itself, not its dotted name: numpydoc would take `casestrat.caseload.flow` for the module, and of a
    # class method the bound form, whose Returns it does not check
    found = validate(get_doc_object(PUBLIC[name]))["errors"]
    not_asked = NOT_ASKED | ({"PR01"} if getattr(PUBLIC[name], "_is_protocol", False) else set())  # nobody makes one
    assert not [f"{code} {told}" for code, told in found if code not in not_asked]


FRAMES = [
    name
    for name, thing in PUBLIC.items()
    if (code := code_of(thing)) is not None
    and str(code.__annotations__.get("return")).endswith(("DataFrame", "Series"))
]


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_is_returned_says_what_one_row_is(name: str) -> None:
    told = sections(PUBLIC[name])
    assert GIVES_ROWS.search(told["Summary"] if isinstance(PUBLIC[name], property) else told["Returns"])


@pytest.mark.parametrize("name", [name for name, thing in PUBLIC.items() if code_of(thing) is not None])
def test_every_error_raised_in_a_public_function_is_told(name: str) -> None:
    code = code_of(PUBLIC[name])
    assert code is not None
    tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    raised = {call.func.id for call in calls if isinstance(call.func, ast.Name) and call.func.id.endswith("Error")}
    told = sections(PUBLIC[name]).get("Raises", "")
    assert not [error for error in raised if not re.search(rf"^{error}\b", told, re.MULTILINE)]


def test_every_name_of_the_package_itself_has_an_example() -> None:
    things = {getattr(casestrat, name) for name in casestrat.__all__ if name not in {"__version__", *ROOMS}}
    without = {f"{thing.__module__}.{thing.__qualname__}" for thing in things if "Examples" not in sections(thing)}
    assert without == WITHOUT_EXAMPLE
