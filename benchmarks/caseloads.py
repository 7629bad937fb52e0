"""Seeded generator of synthetic caseloads: cases, case managers, licences, conflicts, wishes, as plain frames."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casestrat.allocation import AllocationProblem
from casestrat.knowledge.program import AllocationRules

STARTS_ON = "2026-10-01"
MINUTES = np.array([72, 54, 40, 18])
MINUTE_SHARES = np.array([0.1, 0.25, 0.45, 0.2])
LANGUAGES = np.array(["fr", "pt", "ar", "it"])
LANGUAGE_SHARES = np.array([0.85, 0.06, 0.06, 0.03])


def make_problem(n_cases: int, n_managers: int, *, seed: int, load: float = 0.9) -> AllocationProblem:
    """Return a problem with every kind of hard rule, in which the cases need about ``load`` of the minutes.

    Parameters
    ----------
    n_cases, n_managers : int
        Size.
    seed : int
        Same seed, same problem.
    load : float
        Minutes needed over minutes there are.

    Returns
    -------
    AllocationProblem
        Territories, jurisdictions, languages, skills, licences, conflicts, wishes, pins and present leads.
    """
    rng = np.random.default_rng(seed)
    n_territories = max(n_managers // 6, 2)
    territories = np.array([f"T{t:02d}" for t in range(n_territories)])
    managers = _managers(rng, n_managers, territories)
    share = rng.choice([0.5, 0.8, 1.0], n_managers, p=[0.15, 0.25, 0.6])
    cases = _cases(rng, n_cases, managers, share / share.sum())
    needed = cases["minutes"].sum() / load
    managers["capacity_minutes"] = np.round(share / share.sum() * needed).astype(int)
    managers["max_cases"] = np.ceil(managers["capacity_minutes"] / 26).astype(int)
    persons = cases["person_id"].to_numpy(dtype=object)
    conflicts = pd.DataFrame({
        "person_id": rng.choice(persons, n_cases // 40), "cm_id": rng.choice(managers["cm_id"], n_cases // 40),
    }).drop_duplicates()  # fmt: skip
    wishes = pd.DataFrame({
        "person_id": rng.choice(persons, n_cases // 20, replace=False), "kind": "gender",
        "value": rng.choice(["f", "m"], n_cases // 20, p=[0.8, 0.2]), "is_required": rng.random(n_cases // 20) < 0.3,
    })  # fmt: skip
    return AllocationProblem(
        cases, managers, licenses=_licenses(managers), conflicts=conflicts, preferences=wishes,
        rules=AllocationRules(licensed_professions=("nurse",), territory="required", language="required"),
        starts_on=STARTS_ON,
    )  # fmt: skip


def _managers(rng: np.random.Generator, n: int, territories: np.ndarray) -> pd.DataFrame:
    """Case managers who serve their own territory and often its neighbour, and always speak French."""
    home = np.arange(n) % len(territories)
    served = [
        ";".join(sorted({territories[h], territories[(h + 1) % len(territories)]} if near else {territories[h]}))
        for h, near in zip(home, rng.random(n) < 0.6, strict=True)
    ]
    spoken = [";".join(["fr", *(language for language in LANGUAGES[1:] if rng.random() < 0.3)]) for _ in range(n)]
    return pd.DataFrame({
        "cm_id": [f"CM{j:03d}" for j in range(n)],
        "team": [f"team {h % 4}" for h in home],
        "profession": rng.choice(["nurse", "social_worker", "psychologist"], n, p=[0.5, 0.4, 0.1]),
        "languages": spoken,
        "skills": [";".join(s for s in ("dementia", "addiction", "interpreter") if rng.random() < 0.45)
            for _ in range(n)
        ],
        "territories": served,
        "gender": rng.choice(["f", "m"], n, p=[0.8, 0.2]),
        "starts_on": pd.Timestamp("2024-01-01"),
    })  # fmt: skip


def _cases(rng: np.random.Generator, n: int, managers: pd.DataFrame, share: np.ndarray) -> pd.DataFrame:
    """Cases where there are case managers; a fifth of them have someone of their territory to stay with."""
    near = rng.choice(len(managers), n, p=share)
    served = managers["territories"].str.split(";")
    territory = np.array([rng.choice(served.iloc[j]) for j in near], dtype=object)
    number = np.array([int(name[1:]) for name in territory])
    language = rng.choice(LANGUAGES, n, p=LANGUAGE_SHARES)
    lead = np.where(rng.random(n) < 0.2, managers["cm_id"].to_numpy(dtype=object)[near], None)
    return pd.DataFrame({
        "case_id": [f"C{i:05d}" for i in range(n)],
        "person_id": [f"P{i:05d}" for i in range(n)],
        "kind": np.where(rng.random(n) < 0.3, "open", "proposed"),
        "minutes": rng.choice(MINUTES, n, p=MINUTE_SHARES),
        "priority": rng.permutation(n) + n + 1,
        "territory": territory,
        "jurisdiction": np.where(number % 2 == 0, "J1", "J2"),
        "language": language,
        "interpreter_needed": (language != "fr") & (rng.random(n) < 0.5),
        "skills": rng.choice(np.array([None, "dementia", "addiction"], dtype=object), n, p=[0.75, 0.18, 0.07]),
        "cm_id": lead,
    })  # fmt: skip


def _licenses(managers: pd.DataFrame) -> pd.DataFrame:
    """Nurses' licences where their first territory lies: half of them in a compact, every ninth about to end."""
    nurses = managers[managers["profession"] == "nurse"].reset_index(drop=True)
    number = pd.Series(range(len(nurses)))
    first = nurses["territories"].str.slice(1, 3).astype(int)
    return pd.DataFrame(
        {
            "cm_id": nurses["cm_id"],
            "profession": "nurse",
            "jurisdiction": first.map(lambda k: "J1" if k % 2 == 0 else "J2"),
            "compact": number.map(lambda k: "compact" if k % 2 else None),
            "valid_from": pd.Timestamp("2024-01-01"),
            "valid_to": pd.to_datetime(number.map(lambda k: "2026-11-15" if k % 9 == 8 else "2030-01-01")),
        }
    )
