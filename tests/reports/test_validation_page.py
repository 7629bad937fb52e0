"""The validation page and the printed card: what they say is what the figures are; nothing small is shown."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models import (
    PointScorecard,
    RiskClassifier,
    compare_models,
    drift,
    evaluate,
    model_card,
    optimism_corrected,
    ranking_fairness,
)
from casestrat.reports import scorecard_page, validation_page
from casestrat.reports.validation_findings import findings, gap_sentences
from casestrat.reports.validation_page import _groups_part
from casestrat.reports.validation_parts import PageWords


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(5)
    n = 500
    index = pd.Index([f"P{i:03}" for i in range(n)], name="person_id")
    X = pd.DataFrame({"falls_180d": rng.poisson(1, n).astype(float), "age": rng.normal(82, 6, n)}, index=index)
    site = np.where(np.arange(n) % 2 == 0, "north", np.where(np.arange(n) % 20 == 1, "isles", "south"))
    y = pd.Series((X["falls_180d"] + (site == "south") * 1.2 + rng.normal(size=n) > 1.6).astype(float), index=index)
    model = RiskClassifier().fit(X, y)
    risk = model.predict_proba(X)[:, 1]
    report = evaluate(y, risk, capacity=[100], groups={"territory": site}, n_boot=40, small_cell=5)
    given = {
        "comparison": compare_models({"ridge": model, "weak": RiskClassifier(C=1e-3)}, X, y, n_boot=10),
        "optimism": optimism_corrected(RiskClassifier(calibration="none"), X, y, n_boot=4),
        "drift": drift(X[:250], X[250:].assign(age=70.0), risk_before=risk[:250], risk_after=risk[250:],
                       y_before=y[:250], y_after=y[250:], n_boot=10),
        "ranking": ranking_fairness(risk, {"territory": site}, is_admitted=(risk > 0.4) * 1.0,
                                    waited_days=rng.integers(5, 90, n).astype(float), n_boot=10),
        "horizon": SimpleNamespace(
            summary=pd.DataFrame([("incidence", 0.2, 0.1, 0.3), ("auc", 0.7, 0.6, 0.8)],
                                 columns=["metric", "value", "low", "high"]),
            calibration=pd.DataFrame([(0.1, 0.1, 0.05, 0.2, 60), (0.3, 0.25, 0.2, 0.4, 50)],
                                     columns=["mean_risk", "observed", "low", "high", "n"]),
            horizon_days=365.0, used_days=300.0, n_rows=110, n_outcomes=20, n_competing=5, n_lost=7,
            warnings=("follow-up does not reach day 365: judged at day 300",),
        ),
    }  # fmt: skip
    return SimpleNamespace(X=X, y=y, model=model, risk=risk, report=report, given=given)


@pytest.fixture(scope="module")
def page(made, program):
    card = model_card(made.model, made.report, program, told={"18a": "public <b>funds</b>"})
    return validation_page(
        made.report,
        card,
        program=program,
        as_of="2026-10-01",
        fingerprints={"model": "c" * 32, "extract": ""},
        **made.given,
    )


def view(html: str, lang: str) -> str:
    """The part of a page in one language."""
    return re.search(rf'<div class="view" lang="{lang}".*?(?=<div class="view"|<script>)', html, re.S)[0]


def words(html: str) -> str:
    """The text of a part."""
    text = re.sub(r"<svg.*?</svg>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_page_asks_nothing_of_a_network_and_holds_three_languages(page):
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert page.count('<div class="view"') == 3
    assert page.count(" hidden>") == 2
    assert '<html lang="en">' in page


def test_names_of_parts_are_met_once_and_every_link_leads_somewhere(page):
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_warnings_come_first_and_the_card_at_the_end(page):
    english = view(page, "en")
    order = [
        english.index(f'id="{one}-en"') for one in ("warnings", "findings", "measures", "calibration", "groups", "card")
    ]
    assert order == sorted(order)
    assert "follow-up does not reach day 365" in words(english).casefold()
    assert (
        "age in years: the people differ much" in words(english).casefold()
        or "age: the people differ much" in words(english).casefold()
    )


def test_the_summary_says_the_figures_in_words(made, page):
    auc = made.report.value("auc")
    text = words(view(page, "en"))
    assert f"in {100 * auc:.0f} of 100 pairs" in text
    assert f"AUC {auc:.3f} (" in text
    assert "Of the 100 people of highest score" in text
    assert "500 people and dates" in text
    assert "evaluated on 1 October 2026" in text
    french = words(view(page, "fr"))
    assert f"AUC {auc:.3f}".replace(".", ",") in french
    assert "évalué le 1er octobre 2026" in french


def test_groups_too_small_are_hidden_in_tables_and_charts(made, page):
    hidden = made.report.by_group.set_index("group")["is_suppressed"]
    assert hidden["isles"]
    english = view(page, "en")
    row = re.search(r"<tr><td>territory</td><td>isles</td>.*?</tr>", english, re.S)[0]
    assert row.count(">hidden<") == 4
    assert re.findall(r">(\d[^<]*)<", row) == ["25"]  # the size alone: it is no small count
    assert "hidden: too few people" in english


def test_what_the_site_wrote_is_text_and_never_markup(page):
    assert "public &lt;b&gt;funds&lt;/b&gt;" in page
    assert "<b>funds" not in page


def test_every_part_given_is_there_and_parts_not_given_are_not(made, page):
    for one in ("compared", "optimism", "horizon", "drift", "ranking"):
        assert f'id="{one}-en"' in page
    bare = validation_page(made.report, lang="it")
    for one in ("compared", "optimism", "horizon", "drift", "ranking", "card"):
        assert f'id="{one}-it"' not in bare
    assert '<html lang="it">' in bare


def test_the_same_arguments_give_the_same_bytes(made, page, program):
    card = model_card(made.model, made.report, program, told={"18a": "public <b>funds</b>"})
    settings = {"program": program, "as_of": "2026-10-01", "fingerprints": {"model": "c" * 32, "extract": ""}}
    assert validation_page(made.report, card, **settings, **made.given) == page


def test_every_chart_says_what_it_shows(page):
    charts = re.findall(r"<svg[^>]*>", page)
    assert len(charts) >= 3 * 10
    assert all('role="img"' in one and re.search(r'aria-label="[^"]+"', one) for one in charts)
    assert "<style" not in page[page.index("<body") :]


def test_points_are_judged_by_order_alone_and_no_percentage_is_shown(made):
    points = np.rint(made.risk * 10)
    report = evaluate(made.y, points, capacity=[50], n_boot=10, is_probability=False)
    html = validation_page(report, program=None)
    text = words(view(html, "en"))
    assert "Points and no risk" in text
    assert 'id="calibration-en"' not in html
    assert 'id="benefit-en"' not in html
    assert "No groups were given" in text


def test_without_capacity_the_page_says_what_to_give(made):
    report = evaluate(made.y, made.risk, n_boot=0)
    text = words(view(validation_page(report), "en"))
    assert "No capacity was given" in text
    assert "no intervals were drawn" in text
    assert "without an interval nothing more can be said" in text


def found(y, risk, **settings):
    report = evaluate(y, risk, **settings)
    return report, [answer for _, answer, _ in findings(report, PageWords("en"))]


def test_answers_follow_the_intervals():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000).round(1)
    risk = 1 / (1 + np.exp(-(x - 1)))
    y = (rng.random(2000) < risk).astype(float)
    _, right = found(y, risk, n_boot=40)
    assert right[1].startswith("Yes, as far as can be told")
    assert right[2].startswith("Nothing shows it")
    _, high = found(y, np.minimum(0.99, risk * 1.5), n_boot=40)
    assert high[1].startswith("No, too high")
    extreme = 1 / (1 + np.exp(-3 * (x - 1)))
    assert found(y, extreme, n_boot=40)[1][2].startswith("Yes, the risks are too extreme")
    timid = 1 / (1 + np.exp(-0.3 * (x - 1)))
    timid_answers = found(y, timid, n_boot=40)[1]
    assert timid_answers[2].startswith("No, on the contrary")
    assert found(y, risk * 0.5, n_boot=40)[1][1].startswith("No, too low")


def test_chance_and_one_class_are_said():
    rng = np.random.default_rng(0)
    y = np.tile([0.0, 1.0], 60)
    assert found(y, rng.random(120), n_boot=30)[1][0].startswith("It is not shown to order people better")
    assert found(np.ones(9), rng.random(9), n_boot=3)[1][0].startswith("It cannot be judged")


def test_net_benefit_at_the_places_says_no_where_it_is_no():
    y = np.array([1.0] * 50 + [0.0] * 50)
    risk = np.concatenate([np.linspace(0.2, 0.5, 50), np.linspace(0.4, 0.7, 50)])  # upside down
    answers = found(y, risk, capacity=40, n_boot=0)[1]
    assert any(one.startswith("No: helping from a risk") for one in answers)


def test_gaps_name_the_harm_the_groups_and_the_places(made):
    gaps = made.report.gaps.copy()
    gaps.loc[gaps["measure"] == "false_positive_rate", ["finding", "highest", "lowest"]] = ["apart", "south", "north"]
    gaps.loc[gaps["measure"] == "expected_over_observed", ["finding", "highest", "lowest"]] = [
        "apart",
        "north",
        "south",
    ]
    told = gap_sentences(SimpleNamespace(gaps=gaps), PageWords("en"))
    start = (
        "territory south: risk is told lower, for what then happened, than for north (expected over observed lower by"
    )
    assert any(one.startswith(start) for one in told)
    assert any("south: places go more often" in one and "at 100 places" in one for one in told)


def test_few_people_in_groups_and_no_gap_are_said(made):
    groups = np.repeat(["a", "b"], [480, 20])
    few = evaluate(made.y, made.risk, groups=groups, n_boot=5)
    assert "Too few people in the groups" in findings(few, PageWords("en"))[-1][1]
    alike = evaluate(made.y, made.risk, groups=np.repeat(["a", "b"], 250), n_boot=40)
    assert "None of" in findings(alike, PageWords("en"))[-1][1]


def test_selection_that_is_hidden_whole_is_said_in_a_sentence(made):
    report = evaluate(made.y, made.risk, capacity=[8], groups=np.tile(["a", "b"], 250), n_boot=5)
    part = _groups_part(report, PageWords("en"))
    assert part.tables[1].rows == []
    assert part.tables[1].note == "Too few people of each group are taken to be told."


def test_an_evaluation_of_another_make_is_drawn_with_its_own_warnings(made):
    assert PageWords("fr").said(SimpleNamespace(warnings=("as it was said",))) == ["as it was said"]
    with pytest.raises(UsageError, match="no page speaks"):
        validation_page(made.report, lang="de")


@pytest.fixture(scope="module")
def printed(program):
    return scorecard_page(PointScorecard.from_table("geriatric_default"), "fr", program=program)


def test_every_row_of_the_card_stands_on_the_page_under_its_item(printed):
    card = PointScorecard.from_table("geriatric_default")
    french = view(printed, "fr")
    assert french.count('class="worth">+') == len(card.rows_)
    assert french.count('scope="rowgroup"') == len({row["item"] for row in card.rows_})
    assert "de 0 à 20 points" in words(french)
    assert "oui" in words(french)  # a flag is asked as yes or no
    assert "Rows of one item add up" in words(view(printed, "en"))


def test_a_card_without_risks_says_so_and_tells_its_source(printed):
    text = words(view(printed, "en"))
    assert "an order and no percentage" in text
    assert "expert opinion, not validated" in text
    assert "What each row brings" not in text


def test_a_learned_card_shows_its_path_its_risks_and_what_it_learned_from(made):
    card = PointScorecard.from_table(
        pd.DataFrame({"item": ["a", "a", "b", "c"], "condition": [">= 1", "is missing", "= city", "< 2.5"],
                      "points": [30, 1, -2, 1]}),
        risk_table=pd.DataFrame({"points": range(-2, 33), "risk": np.linspace(0.02, 0.7, 35)}),
    )  # fmt: skip
    card.path_ = [{"n_rows": n, "auc": 0.6 + n / 50} for n in (1, 2, 4)]
    card.n_rows_, card.n_persons_, card.n_events_, card.warnings_, card.step_ = 900, 300, 120, [], 2
    card.card_ = {"id": "own_card", "outcome": "fall", "horizon_days": 90, "label": {"fr": "notre grille"}}
    html = scorecard_page(card, labels={"a": {"en": "falls in a year"}})
    english = view(html, "en")
    assert "falls in a year" in english
    assert "Learned on 900 rows of 300 people, 120 with the outcome" in words(english)
    assert "fall within 90 days" in words(english)
    assert "notre grille" in view(html, "fr")
    assert "−2" in english
    assert "not known" in english
    assert "< 2,5" in view(html, "fr").replace("&lt;", "<")
    shown = re.findall(r"<div><span>(−?\d+)</span><b>", english)
    assert len(shown) <= 14
    assert (shown[0], shown[-1]) == ("−2", "32")
    assert "<svg" in english


def test_a_card_without_a_table_has_no_page():
    with pytest.raises(UsageError, match="no table yet"):
        scorecard_page(PointScorecard())
    bare = PointScorecard.from_table(pd.DataFrame({"item": ["a"], "condition": [">= 1"], "points": [1]}))
    bare.card_ = {"outcome": "fall"}
    text = words(view(scorecard_page(bare), "en"))
    assert "fall" in text
    assert "Rows of one item add up" not in text
