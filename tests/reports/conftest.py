"""What the tests of pages and figures share: the geriatric program and frames of made-up people."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from casestrat.knowledge import load_program
from casestrat.reports import caseload_page, committee_page


def load_made_up() -> Any:
    """Load the seeded generator that stands beside this file; tests are no package, so it is loaded by its path."""
    name = "made_up_meeting"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("made_up_meeting.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def made_up() -> Any:
    return load_made_up()


@pytest.fixture(scope="session")
def program():
    return load_program("geriatric")


@pytest.fixture(scope="session")
def page_of(made_up, program):
    """Return the committee page of a made-up meeting; keywords of the generator, then changes to the arguments."""

    def make(changes: dict[str, Any] | None = None, *, lang: str = "en", **kind: Any) -> str:
        arguments = made_up.make_meeting(**kind).arguments()
        return committee_page(**{**arguments, **(changes or {})}, program=program, lang=lang)

    return make


@pytest.fixture(scope="session")
def caseload_of(made_up, program):
    def make(changes: dict[str, Any] | None = None, *, lang: str = "en") -> str:
        return caseload_page(**{**made_up.make_caseload(), **(changes or {})}, program=program, lang=lang)

    return make


@pytest.fixture(scope="session")
def data_of():
    """Return the data that a page carries."""

    def read(html: str) -> dict[str, Any]:
        return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)[1])

    return read
