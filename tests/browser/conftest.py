"""Pages in a real headless Chromium: any console error and any request to a network fails the test."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from casestrat.knowledge import load_program
from casestrat.reports import caseload_page, committee_page, meetings_index

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NOW = "2026-10-12T14:05:00+02:00"  # the day of the made-up meeting


def _made_up(name: str = "made_up_meeting") -> Any:
    """Load a generator of made-up frames; tests are no package, so it is loaded by its path."""
    if name not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "reports" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def browser(chromium):
    """Start one Chromium for all tests; without playwright they are skipped, or fail where everything is asked for."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if os.environ.get("CASESTRAT_REQUIRE_ALL") == "1":
            pytest.fail("playwright is missing, and CASESTRAT_REQUIRE_ALL=1 asks for everything")
        pytest.skip("playwright is missing on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def made_up() -> Any:
    return _made_up()


@pytest.fixture(scope="session")
def made_up_team() -> Any:
    return _made_up("made_up_team")


@pytest.fixture(scope="session")
def program():
    return load_program("geriatric")


@pytest.fixture(scope="session")
def page_file(made_up, program, tmp_path_factory):
    """Write a committee page once for each kind and return its path."""
    folder = tmp_path_factory.mktemp("pages")
    written: dict[str, Path] = {}

    def write(name: str = "plain", changes: dict[str, Any] | None = None, *, lang: str = "en", **kind: Any) -> Path:
        if name not in written:
            arguments = made_up.make_meeting(**kind).arguments()
            html = committee_page(**{**arguments, **(changes or {})}, program=program, lang=lang)
            written[name] = folder / f"{name}.html"
            written[name].write_text(html, encoding="utf-8")
        return written[name]

    return write


@pytest.fixture(scope="session")
def caseload_file(made_up, program, tmp_path_factory):
    def write(changes: dict[str, Any] | None = None) -> Path:
        path = tmp_path_factory.mktemp("caseload") / "caseload.html"
        html = caseload_page(**{**made_up.make_caseload(), **(changes or {})}, program=program)
        path.write_text(html, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def meetings_file(program, tmp_path_factory):
    def write(rows: list[dict[str, Any]]) -> Path:
        path = tmp_path_factory.mktemp("meetings") / "committee.html"
        path.write_text(meetings_index(rows, program=program, as_of="2026-10-01"), encoding="utf-8")
        return path

    return write


@pytest.fixture
def visit(browser):
    """Open a file in a fresh window; at the end nothing may have been asked of a network or gone wrong."""
    contexts, wrong, asked = [], [], []

    def go(path: Path, *, width: int = 1280, height: int = 800, context: Any = None, is_clock_set: bool = True) -> Any:
        if context is None:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                timezone_id="Europe/Paris",
                locale="en-GB",
                accept_downloads=True,
            )
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        if is_clock_set:
            page.clock.set_fixed_time(NOW)
        page.goto(path.as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert wrong == []
    assert [address for address in asked if not address.startswith(("file://", "blob:", "data:"))] == []


@pytest.fixture
def committee(visit, page_file):
    """The plain page: 63 people, 8 places, 4 to assess first."""
    return visit(page_file())
