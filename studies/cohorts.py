"""The cohorts of the study of models: published people, one question each, as one frame of features and what came.

What is known before and what is foretold are those of `benchmarks/real_data.py`, which shows that the library computes
the same features as plain pandas. Rossi's and GBSG2 come with the package lifelines.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import real_data  # noqa: E402

REAL = ROOT / "data" / "real"
USE = [
    "visits",
    "nvisits",
    "ovisits",
    "novisits",
    "emergency",
    "hospital",
    "person_id",
]  # what is foretold, or is told by it


class Cohort(NamedTuple):
    """Who is asked about, and what came."""

    name: str
    question: str
    X: pd.DataFrame
    days: np.ndarray | None  # to the event or the end of follow-up; None where a label alone is known
    event: np.ndarray  # 1 with the outcome, 0 without, or lost sight of
    persons: np.ndarray
    horizon_days: float

    @property
    def is_timed(self) -> bool:
        """Whether days are known."""
        return self.days is not None


def nmes() -> Cohort:
    """Return NMES 1988: 4,406 people over 65, any hospital stay in the year (use and need of the same year)."""
    people = pd.read_csv(REAL / "nmes" / "published" / "nmes1988.csv.gz")
    stay = (people["hospital"] > 0).to_numpy(dtype=int)
    return Cohort(
        "NMES", "any hospital stay in the year", people.drop(columns=USE), None, stay, people.index.to_numpy(), 365
    )


def help_waves() -> list[Cohort]:
    """Return HELP: every interview but the last; homelessness, and depressive symptoms, at the next one."""
    study = real_data.help_study()
    told = []
    for question, words in zip(study.questions, ("homeless at the next interview", "CES-D 16 or more at the next interview"),
                               strict=True):  # fmt: skip
        label = question.label.dropna()
        X = study.plain.loc[label.index]
        persons = label.index.get_level_values("person_id").to_numpy()
        told.append(Cohort("HELP", words, X.reset_index(drop=True), None, label.to_numpy(dtype=int), persons, 183))
    return told


def help_linkage() -> Cohort:
    """Return HELP: linkage to primary care within twelve months, from the first interview."""
    published = REAL / "help" / "published"
    core = pd.read_csv(published / "help_core.csv.gz").sort_values(["ID", "TIME"])
    first = core[(core["TIME"] == 0) & core["DAYSLINK"].notna() & core["LINKSTATUS"].notna()]
    measures = first.columns.drop(["ID", "TIME", "DAYS_SINCE_BL", *real_data.HELP_OUTCOMES])
    X = first[measures].dropna(axis="columns", how="all").reset_index(drop=True)
    return Cohort("HELP", "linked to primary care within a year", X, first["DAYSLINK"].to_numpy(float),
                  first["LINKSTATUS"].to_numpy(int), first["ID"].to_numpy(), 365)  # fmt: skip


def nafld() -> list[Cohort]:
    """Return NAFLD: death within five years of the index day, by label and by time."""
    study = real_data.nafld()
    label = study.questions[0].label
    known = label.dropna()
    persons = label.index.get_level_values("person_id").to_numpy()
    by_label = Cohort("NAFLD", "death within five years", study.plain.loc[known.index].reset_index(drop=True), None,
                      known.to_numpy(dtype=int), known.index.get_level_values("person_id").to_numpy(), 1826)  # fmt: skip
    people = pd.read_csv(REAL / "nafld" / "published" / "nafld_persons.csv.gz").set_index("id")
    by_time = Cohort("NAFLD", "time to death", study.plain.reset_index(drop=True), people["futime"].to_numpy(float),
                     people["status"].to_numpy(int), persons, 1826)  # fmt: skip
    return [by_label, by_time]


def rossi() -> Cohort:
    """Return Rossi's 432 people after release: arrested again within a year."""
    from lifelines.datasets import load_rossi  # a peer, installed for the study alone

    people = load_rossi()
    X = people.drop(columns=["week", "arrest"])
    return Cohort("Rossi", "re-arrest within a year", X, people["week"].to_numpy(float) * 7, people["arrest"].to_numpy(int),
                  people.index.to_numpy(), 364)  # fmt: skip


def gbsg2() -> Cohort:
    """Return GBSG2: 686 women, recurrence or death within three years."""
    from lifelines.datasets import load_gbsg2  # a peer, installed for the study alone

    people = load_gbsg2()
    X = people.drop(columns=["time", "cens"])
    return Cohort("GBSG2", "recurrence within three years", X, people["time"].to_numpy(float), people["cens"].to_numpy(int),
                  people.index.to_numpy(), 1095)  # fmt: skip


def all_cohorts() -> list[Cohort]:
    """Return every cohort, small ones first."""
    makers: list[Callable[[], Cohort | list[Cohort]]] = [rossi, gbsg2, help_linkage, help_waves, nmes, nafld]
    found: list[Cohort] = []
    for maker in makers:
        made = maker()
        found += made if isinstance(made, list) else [made]
    return found
