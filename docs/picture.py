"""Remake the README's picture of the committee's page (needs playwright and Chromium).

Run: python docs/picture.py. The people on the page are the made-up ones of the shipped example.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import casestrat as cs

TARGET = Path(__file__).resolve().parent / "images" / "committee.png"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    """Run the example, open the first list, one person and a decision, and take the picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        as_of = str(cs.synthetic.example_as_of())
        run = cs.run_nightly(cs.load_example("geriatric"), "geriatric", as_of=as_of, out=folder)
        page_file = next(run.folder.glob("committee-*.html"))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1.5)
        page.goto(page_file.as_uri())
        page.locator("tr.entry").nth(2).click()
        page.wait_for_timeout(300)
        TARGET.parent.mkdir(exist_ok=True)
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main()
