"""A card in SQL gives the same points and risk in a real database, and reads back."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

from casestrat.errors import UsageError
from casestrat.models import PointScorecard

ROWS = [
    ("falls", ">= 1", 2),
    ("falls", ">= 2.5", 1),
    ("gir", "< 3", 3),
    ("setting", "= l'hôpital", -1),
    ("alone", "= yes", 1),
    ("age", "is missing", 1),
    ("age", "> 80", 2),
]
PEOPLE = pd.DataFrame(
    {
        "person_id": ["P1", "P2", "P3", "P4"],
        "as_of": "2026-01-01",
        "falls": [0, 1, 3, np.nan],
        "gir": [1, 3, np.nan, 2],
        "setting": ["home", "l'hôpital", None, "l'hôpital"],
        "alone": [1.0, 0.0, 1.0, np.nan],
        "age": [79.0, 80.5, np.nan, 91.0],
    }
)


@pytest.fixture
def card():
    table = pd.DataFrame(ROWS, columns=["item", "condition", "points"])
    risk = pd.DataFrame({"points": [-1, 2, 4, 7], "risk": [0.05, 0.1, 0.2, 0.4]})
    return PointScorecard.from_table(table, risk_table=risk)


def run(sql):
    with sqlite3.connect(":memory:") as database:
        PEOPLE.to_sql("features", database, index=False)
        return pd.read_sql_query(sql, database)


def test_a_database_gives_the_same_points_and_risk(card):
    found = run(card.to_sql("features"))
    assert found["points"].tolist() == card.points(PEOPLE).tolist()
    assert found["risk"].tolist() == card.predict_proba(PEOPLE)[:, 1].tolist()
    unknown = card.missing_items(PEOPLE).str.split(",").map(lambda names: len([n for n in names if n]))
    assert found["unknown_items"].tolist() == unknown.tolist()


def test_a_card_without_a_risk_table_gives_points_alone():
    card = PointScorecard.from_table(pd.DataFrame({"item": ["falls"], "condition": ["is missing"], "points": [1]}))
    found = run(card.to_sql("features", keys=["person_id"]))
    assert found.columns.tolist() == ["person_id", "points", "unknown_items"]
    assert found["points"].tolist() == [0, 0, 0, 1]


def test_a_learned_card_reads_back_from_its_query():
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"falls": rng.poisson(1, 300).astype(float), "gir": rng.integers(1, 7, 300).astype(float)})
    label = (rng.random(300) < 0.1 + 0.2 * (people["falls"] > 1)).astype(int)
    card = PointScorecard(max_rows=2, n_folds=2).fit(people, label)
    sql = card.to_sql("features", keys=["person_id"])
    again = PointScorecard.from_sql(sql)
    assert again.fingerprint == card.fingerprint
    assert again.at(1).rows_ == card.at(1).rows_
    assert run(sql)["risk"].tolist() == card.predict_proba(PEOPLE)[:, 1].tolist()


def test_names_that_would_break_the_query_are_refused(card):
    with pytest.raises(UsageError, match="quotation marks"):
        card.to_sql('f"; drop table persons; --')
    with pytest.raises(UsageError, match="key column"):
        card.to_sql("features", keys=[])
    with pytest.raises(UsageError, match="begins with"):
        PointScorecard.from_sql("SELECT 1")
