"""Remake the README's pictures: the committee's page, and the caseload page (needs playwright and Chromium).

Run: python docs/picture.py. The people on the pages are the made-up ones of the shipped example.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

import casestrat as cs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).resolve().parent / "images"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Run the example and take both pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        as_of = str(cs.synthetic.example_as_of())
        run = cs.run_nightly(cs.load_example("geriatric"), "geriatric", as_of=as_of, out=folder)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        page = opened(browser, next(run.folder.glob("committee-*.html")))
        page.locator("tr.entry").nth(2).click()
        page.wait_for_timeout(300)
        page.screenshot(path=IMAGES / "committee.png")
        opened(browser, run.folder / "caseload.html").screenshot(path=IMAGES / "caseload.png")
        browser.close()


def opened(browser: Browser, path: Path) -> Page:
    """Open a page at the size of a laptop."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1.5)
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    return page


if __name__ == "__main__":
    main()
