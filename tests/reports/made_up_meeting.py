"""Frames of made-up people for the pages: one meeting, one caseload, all from a seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

AS_OF = pd.Timestamp("2026-10-01")
RATES = {"high": 4.0, "medium": 2.0, "low": 1.0}
CRITERIA = ("aged", "unstable", "unsuitable_help", "no_entourage")
MISSING = ["gir, falls_180d", "gir, lives_alone, no_capable_entourage", "gir", "falls_180d, gir"]
LABELS = {  # service → its words
    "S-CLIC": ("Local information centre", "CLIC, centre local d’information", "Centro locale di informazione"),
    "S-HOME": ("Home help service", "Service d’aide à domicile", "Servizio di aiuto a domicilio"),
    "S-MEM": ("Memory clinic", "Consultation mémoire", "Ambulatorio della memoria"),
}


@dataclass
class MadeUp:
    """What one committee page is given."""

    meeting: dict[str, Any]
    ranked: pd.DataFrame
    reasons: pd.DataFrame
    criteria: pd.DataFrame
    assess_first: pd.DataFrame
    allocation: pd.DataFrame
    unassigned: pd.DataFrame
    services: pd.DataFrame
    people: pd.DataFrame
    links: dict[str, str] = field(default_factory=lambda: {"list": "waiting_list.csv", "caseload": "caseload.html"})

    def arguments(self) -> dict[str, Any]:
        """The arguments of `committee_page`, but for program and language."""
        return dict(vars(self))


def make_meeting(
    n: int = 63,
    *,
    places: int | None = 8,
    n_incomplete: int = 4,
    with_risk: bool = False,
    with_ranks: bool = True,
    seed: int = 7,
) -> MadeUp:
    """Make a frozen list of n people and all that stands around it."""
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(np.arange(100, 100 + 3 * (n + n_incomplete)))[: n + n_incomplete]
    ids = np.array([f"P-{number:04d}" for number in numbers])
    facts = _facts(rng, n + n_incomplete)
    criteria = _criteria(rng, ids)
    status = criteria.groupby("person_id", sort=False)["result"].agg(_status)
    ranked = _rank(ids[:n], facts.iloc[:n], status.to_numpy()[:n], rng, places, with_risk, with_ranks)
    late = facts.iloc[n:]
    assess_first = pd.DataFrame(
        {
            "person_id": ids[n:],
            "referral_id": [f"R-{one[2:]}" for one in ids[n:]],
            "territory": "North",
            "completeness": rng.choice([0.33, 0.5, 0.67], n_incomplete),
            "missing_items": (MISSING * (n_incomplete // len(MISSING) + 1))[:n_incomplete],
            "waited_days": late["waited_days"].to_numpy(),
            "referred_on": (AS_OF - pd.to_timedelta(late["waited_days"], unit="D")).to_numpy(),
            "criteria": status.to_numpy()[n:],
            "as_of": AS_OF,
        }
    )
    return MadeUp(
        meeting=_meeting(ranked, places),
        ranked=ranked,
        reasons=_reasons(ids, facts, rng),
        criteria=criteria,
        assess_first=assess_first,
        **_follow_up(ranked, places),
        services=_services(),
        people=pd.DataFrame(
            {
                "person_id": ids,
                "birth_year": (AS_OF.year - facts["age"]).astype(int).to_numpy(),
                "birth_month": pd.array(rng.choice([2, 5, 11, 12], len(ids)), dtype="Int64"),
                "language": rng.choice(["fr", "fr", "fr", "it", "pt", "ar"], len(ids)),
                "interpreter_needed": pd.array(rng.random(len(ids)) < 0.08, dtype="boolean"),
            }
        ),
    )


def _facts(rng: np.random.Generator, n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": np.clip(rng.normal(83, 7, n), 60, 101).astype(int),
            "gir": rng.choice([1, 2, 3, 4, 5], n, p=[0.05, 0.32, 0.27, 0.3, 0.06]),
            "falls_180d": rng.poisson(0.9, n),
            "unplanned_stays_365d": rng.poisson(0.8, n),
            "lives_alone": rng.random(n) < 0.55,
            "no_capable_entourage": rng.random(n) < 0.6,
            "urgency": rng.choice([0, 1, 2, 3], n, p=[0.35, 0.35, 0.2, 0.1]),
            "waited_days": np.clip(rng.lognormal(3.2, 0.75, n), 1, 190).astype(int),
        }
    )


def _points(facts: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "gir": np.select([facts["gir"] <= 2, facts["gir"] <= 4], [4, 2], 0),
            "falls_180d": np.minimum(facts["falls_180d"], 2) * 2,
            "unplanned_stays_365d": np.minimum(facts["unplanned_stays_365d"], 2) * 2,
            "lives_alone": facts["lives_alone"].astype(int),
            "no_capable_entourage": facts["no_capable_entourage"].astype(int),
            "age": (facts["age"] >= 85).astype(int),
        }
    )


def _status(results: pd.Series) -> str:
    return "fails" if (~results.fillna(True)).any() else "ask" if results.isna().any() else "meets"


def _rank(ids, facts, status, rng, places, with_risk, with_ranks) -> pd.DataFrame:
    """Order people by the geriatric policy, and tell each part as days of waiting."""
    n = len(ids)
    points = _points(facts).sum(axis=1).to_numpy()
    risk = 1 / (1 + np.exp(-(points - 9) / 2.4))
    tier = np.select([points >= 9, points >= 5], ["high", "medium"], "low")
    rate = np.array([RATES[one] for one in tier])
    score = risk if with_risk else points / 14
    parts = {
        "risk": 100 * score,
        "need": 60 * (6 - facts["gir"].to_numpy()) / 5,
        "urgency": 90 * facts["urgency"].to_numpy() / 3,
        "waiting": rate * facts["waited_days"].to_numpy(),
    }
    index = np.round(sum(parts.values()), 6)
    frame = pd.DataFrame(
        {
            "person_id": ids,
            "referral_id": [f"R-{one[2:]}" for one in ids],
            "territory": "North",
            "tier": tier,
            "points": pd.array(points, dtype="Int64"),
            "risk": risk if with_risk else np.nan,
            "risk_low": np.clip(risk - 0.09, 0.01, 1) if with_risk else np.nan,
            "risk_high": np.clip(risk + 0.11, 0, 0.99) if with_risk else np.nan,
            "waited_days": facts["waited_days"].to_numpy(),
            "referred_on": (AS_OF - pd.to_timedelta(facts["waited_days"], unit="D")).to_numpy(),
            "need": parts["need"] / 60,
            "urgency": parts["urgency"] / 90,
            "completeness": 1.0,
            "criteria": status,
            "priority": index,
            "key_override": 0,
            "key_deadline": False,
            "key_index": index,
            "key_lottery": [hashlib.blake2b(f"2026-10|{one}".encode(), digest_size=8).hexdigest() for one in ids],
            **{f"days_worth_{part}": worth / rate for part, worth in parts.items()},
            "imputed": "",
            "as_of": AS_OF,
        }
    )
    frame["key_referred_on"] = frame["referred_on"]
    frame.loc[frame.index[n // 2 : n // 2 + 1], "imputed"] = "urgency"
    frame = frame.sort_values(
        ["key_index", "key_referred_on", "key_lottery"], ascending=[False, True, True], ignore_index=True
    )
    frame.insert(0, "rank", pd.array(np.arange(1, n + 1), dtype="Int64"))
    frame["tie_group"] = (
        frame.groupby("key_index", sort=False).ngroup().where(frame.duplicated("key_index", keep=False), -1) + 1
    )
    may_be_proposed = frame["criteria"] != "fails"
    frame["is_proposed"] = may_be_proposed & (may_be_proposed.cumsum() <= (places or 0))
    cut = frame.loc[frame["is_proposed"], "rank"].max() if frame["is_proposed"].any() else -100
    frame["in_tied_zone"] = (frame["rank"] - cut - 0.5).abs() <= 3
    frame["decided_by"] = "index"
    if with_ranks:
        reach = rng.integers(2, 7, n)
        frame["rank_low"], frame["rank_high"] = (
            np.clip(frame["rank"] - reach, 1, n),
            np.clip(frame["rank"] + reach + 1, 1, n),
        )
    return frame


def _reasons(ids: np.ndarray, facts: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    points = _points(facts)
    sources = {
        "age": "persons",
        "gir": "assessments: instrument = aggir",
        "falls_180d": "events: kind = fall",
        "unplanned_stays_365d": "events",
        "lives_alone": "person_facts",
        "no_capable_entourage": "referrals",
    }
    rows = []
    for i, person_id in enumerate(ids):
        for name in points.columns:
            value = facts[name].iloc[i]
            rows.append(
                {
                    "person_id": person_id,
                    "as_of": AS_OF,
                    "reason": name,
                    "domain": "function",
                    "is_actionable": name in {"falls_180d", "no_capable_entourage"},
                    "contribution": float(points[name].iloc[i]),
                    "value": ("yes" if value else "no") if isinstance(value, (bool, np.bool_)) else str(value),
                    "source": sources[name],
                    "observed_on": pd.NaT if name == "age" else AS_OF - pd.Timedelta(days=int(rng.integers(3, 90))),
                }
            )
    return pd.DataFrame(rows)


def _criteria(rng: np.random.Generator, ids: np.ndarray) -> pd.DataFrame:
    rows = []
    for person_id in ids:
        for criterion in CRITERIA:
            draw = rng.random()
            result = pd.NA if draw < 0.06 else draw > 0.08
            rows.append(
                {
                    "person_id": person_id,
                    "referral_id": f"R-{person_id[2:]}",
                    "criteria_set": "cnsa 2015",
                    "criterion": criterion,
                    "result": result,
                    "evidence": ""
                    if result is pd.NA
                    else f"problem_medical: {'yes' if result else 'no'} (referrals 2026-08-30)",
                    "unknown_inputs": "problem_decision" if result is pd.NA else "",
                    "as_of": AS_OF,
                }
            )
    frame = pd.DataFrame(rows)
    frame["result"] = frame["result"].astype("boolean")
    return frame


def _follow_up(ranked: pd.DataFrame, places: int | None) -> dict[str, pd.DataFrame]:
    """Propose case managers for those within the places, and for the next one nobody."""
    chosen = ranked.head((places or 0) + 3)
    allocation = pd.DataFrame(
        {
            "case_id": chosen["referral_id"],
            "person_id": chosen["person_id"],
            "kind": "proposed",
            "cm_id": [f"CM-{1 + i % 5:02d}" for i in range(len(chosen))],
            "minutes": 54,
            "is_new": True,
            "why": "speaks the language, covers North, most hours left",
            "runner_up": "CM-07",
            "as_of": AS_OF,
        }
    ).iloc[1:]
    none = chosen.head(1)
    unassigned = pd.DataFrame(
        {
            "case_id": none["referral_id"],
            "person_id": none["person_id"],
            "kind": "proposed",
            "minutes": 54,
            "rule": "language",
            "reason": "nobody in post speaks the person's language",
            "relaxation": "an interpreter, or a case manager who speaks it",
            "as_of": AS_OF,
        }
    )
    return {"allocation": allocation, "unassigned": unassigned}


def _services() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "service_id": key,
                "domain": "function",
                "territory": "South" if key == "S-CLIC" else "North",
                "waiting_days": 12 + 9 * i,
                "label_en": words[0],
                "label_fr": words[1],
                "label_it": words[2],
            }
            for i, (key, words) in enumerate(LABELS.items())
        ]
    )


def _meeting(ranked: pd.DataFrame, places: int | None) -> dict[str, Any]:
    digest = {
        part: hashlib.blake2b(part.encode(), digest_size=16).hexdigest()
        for part in ("list", "extract", "program", "model", "policy")
    }
    list_fingerprint = digest.pop("list")
    return {
        "format": "casestrat-meeting/1",
        "meeting_id": "M-2026-10-12-N" if places is not None else None,
        "held_on": "2026-10-12" if places is not None else None,
        "territory": "North",
        "places": places,
        "list_fingerprint": list_fingerprint,
        "fingerprints": digest,
        "rows": ranked[["rank", "referral_id"]].to_dict("records"),
    }


def make_caseload(n_managers: int = 9, *, seed: int = 5) -> dict[str, Any]:
    """Make the frames of one caseload page, in no order that means anything."""
    rng = np.random.default_rng(seed)
    ids = [f"CM-{i:02d}" for i in rng.permutation(np.arange(1, n_managers + 1))]
    capacity = rng.choice([1050, 1320, 1680], n_managers)
    before = (capacity * rng.uniform(0.7, 1.04, n_managers)).astype(int)
    gain = rng.choice([0, 54, 108, 162], n_managers)
    tiers = rng.multinomial(30, [0.3, 0.5, 0.2], n_managers)
    workload = pd.DataFrame(
        {
            "cm_id": ids,
            "team": rng.choice(["North", "South"], n_managers),
            "capacity_minutes": capacity,
            "minutes_before": before,
            "minutes_after": before + gain,
            "cases_before": tiers.sum(axis=1),
            "cases_after": tiers.sum(axis=1) + gain // 54,
            "utilisation_before": before / capacity,
            "utilisation_after": (before + gain) / capacity,
            "n_high": tiers[:, 0],
            "n_medium": tiers[:, 1],
            "n_low": tiers[:, 2],
            "as_of": AS_OF,
        }
    )
    made = make_meeting(seed=seed)
    months = pd.date_range("2024-10-01", periods=24, freq="MS")
    inflow, outflow = rng.poisson(11, 24), rng.poisson(10, 24)
    outflow[17] = 24
    flow = pd.DataFrame(
        {
            "period_start": months,
            "period_end": months + pd.offsets.MonthBegin(1),
            "inflow": inflow,
            "outflow": outflow,
            "stock": 250 + np.cumsum(inflow - outflow),
        }
    )
    contacts = pd.DataFrame({"tier": ["high", "medium", "low"], "due": [184, 212, 40], "done": [151, 190, 33]})
    indicators = pd.DataFrame(
        [
            _indicator("wait_to_decision_median_days", "all", "all", 24, np.nan, np.nan),
            _indicator("plan_review_on_time_share", "team", "North", 0.82, 98, 119),
            _indicator("plan_review_on_time_share", "team", "South", np.nan, np.nan, np.nan, is_suppressed=True),
        ]
    )
    return {
        "workload": workload,
        "allocation": made.allocation,
        "unassigned": made.unassigned,
        "indicators": indicators,
        "flow": flow,
        "contacts": contacts,
        "as_of": AS_OF,
        "fingerprints": made.meeting["fingerprints"],
    }


def _indicator(name, kind, group, value, numerator, denominator, *, is_suppressed=False) -> dict[str, Any]:
    return {
        "indicator": name,
        "group_kind": kind,
        "group": group,
        "period_start": pd.Timestamp("2026-07-01"),
        "period_end": AS_OF,
        "value": value,
        "numerator": numerator,
        "denominator": denominator,
        "is_suppressed": is_suppressed,
        "as_of": AS_OF,
    }
