"""Seeded generators of synthetic caseloads: cases, case managers, licences, conflicts, wishes, as plain frames.

`make_problem` draws every property by itself, so that some cases are hopeless and some places short of minutes.
`make_caseload` plants a plan that keeps every rule first: only the cases it says are hopeless need be left over, and
whoever leaves more has stranded them. Its four sizes are `SIZES`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casestrat.allocation import AllocationProblem
from casestrat.knowledge.program import AllocationRules

STARTS_ON = "2026-10-01"
MINUTES = np.array([72, 54, 40, 18])
MINUTE_SHARES = np.array([0.1, 0.25, 0.45, 0.2])
LANGUAGES = np.array(["fr", "pt", "ar", "it"])
LANGUAGE_SHARES = np.array([0.85, 0.06, 0.06, 0.03])
TRAVEL = np.array([0, 4, 10])  # minutes a week that a case needs on top, by territory
MOST_USED = 0.98  # of a case manager's minutes by the planted plan; where minutes are short, 1.2
SHORT = 1.2


@dataclass(frozen=True)
class Size:
    """One of the four sizes: how many, how full, how often minutes are short, and the time a plan may take."""

    cases: int
    managers: int
    load: float
    short: float
    seconds: float


SIZES = (
    Size(200, 10, 0.92, 0.0, 5.0),
    Size(2_000, 50, 0.92, 0.0, 5.0),
    Size(20_000, 300, 0.92, 0.0, 30.0),
    Size(100_000, 1_000, 0.92, 0.25, 90.0),
)


def make_caseload(
    n_cases: int, n_managers: int, *, seed: int, load: float = 0.92, short: float = 0.0, territory: str = "required"
) -> AllocationProblem:
    """Return a problem of which a plan is known to place everyone but the hopeless, where minutes are not short.

    Parameters
    ----------
    n_cases, n_managers : int
        Size.
    seed : int
        Same seed, same problem.
    load : float
        Minutes needed over minutes there are, where minutes are not short.
    short : float
        Share of the territories in which the planted plan needs more minutes than there are.
    territory : {"required", "preferred"}
        Whether a case must have someone of its territory.

    Returns
    -------
    AllocationProblem
        Territories, jurisdictions, languages, skills, licences, conflicts, wishes, varied minutes, and present leads
        of whom some have many more cases than they can keep.
    """
    rng = np.random.default_rng(seed)
    territories = np.array([f"T{t:03d}" for t in range(max(n_managers // 6, 2))])
    managers = _managers(rng, n_managers, territories)
    licenses = _licenses(managers)
    served = _served(managers, licenses, territories)
    cases, near = _planted(rng, n_cases, managers, served)
    used = np.bincount(near, weights=cases["minutes"], minlength=n_managers)
    share = np.clip(rng.normal(load, 0.04, n_managers), load - 0.1, MOST_USED)
    is_short = (rng.random(len(territories)) < short)[np.arange(n_managers) % len(territories)]
    usual = used[used > 0].mean() / load
    managers["capacity_minutes"] = np.ceil(np.where(used > 0, used / np.where(is_short, SHORT, share), usual)).astype(
        int
    )
    managers["max_cases"] = np.ceil(managers["capacity_minutes"] / 26).astype(int)
    return AllocationProblem(
        cases, managers, licenses=licenses, conflicts=_conflicts(rng, cases, managers, near),
        preferences=_wishes(rng, cases, managers, near), starts_on=STARTS_ON,
        rules=AllocationRules(licensed_professions=("nurse",), territory=territory, language="required"),
    )  # fmt: skip


def _served(managers: pd.DataFrame, licenses: pd.DataFrame, territories: np.ndarray) -> list[list[int]]:
    """Territories in which each case manager may work: a nurse where the licence holds to the end of the horizon."""
    held = licenses.set_index("cm_id")
    served = []
    for row in managers.itertuples():
        own = [int(name[1:]) for name in row.territories.split(";")]
        if row.profession == "nurse":
            licence = held.loc[row.cm_id]
            if licence["valid_to"] < pd.Timestamp("2027-01-01"):
                own = []
            elif not isinstance(licence["compact"], str):
                own = [t for t in own if t % 2 == (0 if licence["jurisdiction"] == "J1" else 1)]
        served.append(own)
    return served


def _planted(
    rng: np.random.Generator, n: int, managers: pd.DataFrame, served: list[list[int]]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Cases that one case manager each could follow, but for one in 500; and who that is."""
    m = len(managers)
    size = rng.choice([0.5, 0.8, 1.0], m, p=[0.15, 0.25, 0.6]) * np.array([bool(own) for own in served])
    near = rng.choice(m, n, p=size / size.sum())
    number = np.array([served[j][k % len(served[j])] for j, k in zip(near, rng.integers(0, 12, n), strict=True)])
    spoken = np.array([[language in text.split(";") for language in LANGUAGES] for text in managers["languages"]])
    has = {s: managers["skills"].str.split(";").map(lambda held, s=s: s in held).to_numpy() for s in
           ("dementia", "addiction", "interpreter")}  # fmt: skip
    language = rng.choice(len(LANGUAGES), n, p=LANGUAGE_SHARES)
    helped = has["interpreter"][near] & (rng.random(n) < 0.5)
    language = np.where(spoken[near, language] | helped, language, 0)
    skill = rng.choice(np.array(["", "dementia", "addiction"], dtype=object), n, p=[0.7, 0.2, 0.1])
    kept = np.array([name == "" or has[name][j] for name, j in zip(skill, near, strict=True)])
    skill = np.where(kept & (skill != ""), skill, None)
    skill[rng.random(n) < 0.002] = "rare"
    cases = pd.DataFrame({
        "case_id": [f"C{i:06d}" for i in range(n)], "person_id": [f"P{i:06d}" for i in range(n)],
        "kind": np.where(rng.random(n) < 0.3, "open", "proposed"),
        "minutes": rng.choice(MINUTES, n, p=MINUTE_SHARES) + TRAVEL[number % len(TRAVEL)],
        "priority": rng.permutation(n) + n + 1, "territory": [f"T{t:03d}" for t in number],
        "jurisdiction": np.where(number % 2 == 0, "J1", "J2"), "language": LANGUAGES[language],
        "interpreter_needed": (language > 0) & helped, "skills": skill,
        "cm_id": _leads(rng, number, managers, served),
    })  # fmt: skip
    return cases, near


def _leads(rng: np.random.Generator, number: np.ndarray, managers: pd.DataFrame, served: list[list[int]]) -> np.ndarray:
    """Present leads of two cases in five, of the same territory: a few have most of them."""
    pull = rng.lognormal(0.0, 0.7, len(managers))
    leads = np.full(len(number), None, dtype=object)
    ids = managers["cm_id"].to_numpy(dtype=object)
    for territory in range(int(number.max()) + 1):
        able = np.array([j for j, own in enumerate(served) if territory in own], dtype=int)
        here = np.flatnonzero((number == territory) & (rng.random(len(number)) < 0.4))
        if len(able) and len(here):
            leads[here] = ids[rng.choice(able, len(here), p=pull[able] / pull[able].sum())]
    return leads


def _conflicts(rng: np.random.Generator, cases: pd.DataFrame, managers: pd.DataFrame, near: np.ndarray) -> pd.DataFrame:
    """One case in forty has someone, not the planted one, who must not follow it."""
    rows = rng.choice(len(cases), len(cases) // 40, replace=False)
    barred = (near[rows] + rng.integers(1, 4, len(rows)) * max(len(managers) // 6, 2)) % len(managers)
    rows, barred = rows[barred != near[rows]], barred[barred != near[rows]]
    return pd.DataFrame({"person_id": cases["person_id"].iloc[rows].to_numpy(),
                         "cm_id": managers["cm_id"].iloc[barred].to_numpy()})  # fmt: skip


def _wishes(rng: np.random.Generator, cases: pd.DataFrame, managers: pd.DataFrame, near: np.ndarray) -> pd.DataFrame:
    """One case in ten has a wish; three in ten of these must be met, and the planted plan meets them."""
    rows = rng.choice(len(cases), len(cases) // 10, replace=False)
    must = rng.random(len(rows)) < 0.3
    wished = np.where(must, managers["gender"].to_numpy(dtype=object)[near[rows]], rng.choice(["f", "m"], len(rows)))
    return pd.DataFrame({"person_id": cases["person_id"].iloc[rows].to_numpy(), "kind": "gender", "value": wished,
                         "is_required": must})  # fmt: skip


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
    first = nurses["territories"].str.extract(r"^T(\d+)", expand=False).astype(int)
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
