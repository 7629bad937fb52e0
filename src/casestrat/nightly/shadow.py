"""A candidate in the shadow of the model in service: scored on the same night, told beside it, ranking nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat.nightly.comparison import compare_lists, count_moves, standing_of
from casestrat.nightly.files import to_contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.nightly.ranking import Ranking

_TOLD = ("tier", "risk", "points")


def shadow_frame(ranking: Mapping[str, pd.DataFrame], candidate: Ranking, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return where everyone who waits would stand by the candidate.

    Parameters
    ----------
    ranking : mapping of str to pandas.DataFrame
        ``waiting_list`` and ``assess_first`` of the run.
    candidate : Ranking
        The same people, ranked by the candidate.
    as_of : pandas.Timestamp
        The date.

    Returns
    -------
    pandas.DataFrame
        One row per referral on either list, as in the output ``shadow``; changed ones first.
    """
    lists = (ranking["waiting_list"], candidate.ranked)
    changes = compare_lists(ranking, {"waiting_list": candidate.ranked, "assess_first": candidate.assess_first})
    kept = [one.set_index("referral_id")[["person_id", "rank", "is_proposed", *_TOLD]] for one in lists]
    referrals = pd.Index(pd.concat([one.index.to_series() for one in kept]).drop_duplicates().sort_values())
    before, after = (one.reindex(referrals) for one in kept)
    change = changes.set_index("referral_id")["change"].reindex(referrals).fillna("stays")
    frame = pd.DataFrame({
        "person_id": before["person_id"].fillna(after["person_id"]).to_numpy(),
        "referral_id": referrals.to_numpy(),
        "change": change.to_numpy(),
        "rank_before": before["rank"].array,
        "rank_after": after["rank"].array,
        "was_proposed": before["is_proposed"].astype("boolean").fillna(False).array,
        "is_proposed": after["is_proposed"].astype("boolean").fillna(False).array,
        **{f"{name}_{when}": one[name].array for name in _TOLD for when, one in (("before", before), ("after", after))},
        "as_of": as_of,
    })  # fmt: skip
    order = {"gains_place": 0, "loses_place": 0, "leaves": 1, "joins": 2, "moves": 3, "stays": 4}
    frame = frame.assign(_by=frame["change"].map(order)).sort_values(["_by", "referral_id"], ignore_index=True)
    return to_contract(frame, "shadow")


def shadow_summary(ranking: Mapping[str, pd.DataFrame], candidate: Ranking, model: Any) -> dict[str, Any]:
    """Return what the manifest says of a candidate: how many would enter and leave the first places, by tier.

    Parameters
    ----------
    ranking : mapping of str to pandas.DataFrame
        ``waiting_list`` of the run.
    candidate : Ranking
        The same people, ranked by the candidate.
    model : PointScorecard, RiskClassifier or another model
        The candidate.

    Returns
    -------
    dict
        Names model (fingerprint), kind, enters, leaves, and counts by tier.
    """
    standing = standing_of(ranking["waiting_list"], candidate.ranked)
    counts = count_moves(standing, None).drop(columns="is_suppressed")
    return {
        "model": model.fingerprint,
        "kind": type(model).__name__,
        "enters": int((standing["move"] == "enters").sum()),
        "leaves": int((standing["move"] == "leaves").sum()),
        "counts": [
            {str(name): value if isinstance(value, str) else int(value) for name, value in row.items()}
            for row in counts.to_dict("records")
        ],
    }
