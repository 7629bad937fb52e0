"""The validation page and the printed card in a real browser: languages, edges, contrast, print."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casestrat.models import PointScorecard, RiskClassifier, evaluate, model_card
from casestrat.reports import scorecard_page, validation_page

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const light = (rgb) => {
    const [r, g, b] = rgb.map((x) => x / 255).map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number).slice(0, 3);
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!says || element.closest("svg, script") || !element.offsetParent) continue;
    let ground = "rgb(255, 255, 255)";
    for (let e = element; e; e = e.parentElement) {
      const found = getComputedStyle(e).backgroundColor;
      if (!found.endsWith(", 0)")) { ground = found; break; }
    }
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(parse(ground))];
    if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) low.push(element.textContent.trim().slice(0, 30));
  }
  return low;
}"""


@pytest.fixture(scope="module")
def written(tmp_path_factory, program):
    rng = np.random.default_rng(2)
    index = pd.Index([f"P{i:03}" for i in range(300)], name="person_id")
    X = pd.DataFrame({"falls_180d": rng.poisson(1, 300).astype(float)}, index=index)
    y = (X["falls_180d"] + rng.normal(size=300) > 1.4).astype(float)
    model = RiskClassifier().fit(X, y)
    groups = {"language": rng.choice(["fr", "en", "ar"], 300)}
    report = evaluate(y, model.predict_proba(X)[:, 1], capacity=[60], groups=groups, n_boot=10)
    card = model_card(model, report, program)
    folder = tmp_path_factory.mktemp("validation")
    pages = {
        "validation": validation_page(report, card, program=program, fingerprints={"model": model.fingerprint}),
        "scorecard": scorecard_page(PointScorecard.from_table("geriatric_default"), program=program),
    }
    for name, html in pages.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["validation", "scorecard"])
def test_a_page_speaks_three_languages_runs_over_no_edge_and_can_be_read(visit, written, name):
    page = visit(written / f"{name}.html")
    for lang, title in (("FR", ("Validation", "Grille de points")), ("IT", ("Validazione", "Scheda a punti"))):
        page.locator(".view:not([hidden])").get_by_role("button", name=lang, exact=True).click()
        assert page.locator(".view:not([hidden])").count() == 1
        assert page.locator(".view:not([hidden]) h1").inner_text() in title
        assert page.evaluate("document.documentElement.lang") == lang.lower()
        assert page.title().startswith(title)
        assert page.evaluate("document.activeElement.lang") == lang.lower()
        assert page.evaluate(CONTRAST) == []
        for width in (1280, 640, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_charts_are_drawn_and_their_words_are_text(visit, written):
    page = visit(written / "validation.html")
    charts = page.locator(".view:not([hidden]) svg[role=img]")
    assert charts.count() >= 4
    boxes = [charts.nth(i).bounding_box() for i in range(charts.count())]
    assert all(box["width"] > 200 and box["height"] > 60 for box in boxes)
    assert "predicted risk" in charts.first.text_content()


def test_contents_lead_to_the_parts_and_print_leaves_the_tools_out(visit, written):
    page = visit(written / "validation.html")
    page.locator(".view:not([hidden]) .contents a", has_text="Groups").click()
    assert page.locator("#groups-en").bounding_box()["y"] < 60
    page.emulate_media(media="print")
    assert page.locator(".view:not([hidden]) .head-tools").is_hidden()
    assert page.locator(".view:not([hidden]) .contents").is_hidden()
    assert len(page.locator(".view:not([hidden]) .print-only").first.inner_text()) == 32


def test_the_card_is_one_printed_page(visit, written):
    page = visit(written / "scorecard.html")
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1
