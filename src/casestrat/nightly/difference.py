"""What changed between two runs of one date: who joined or left the list, who gained or lost a proposed place."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casestrat.nightly.files import to_contract


def difference_of(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare two waiting lists.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Ranked lists as in ``waiting_list``.

    Returns
    -------
    pandas.DataFrame
        One row per referral that stands otherwise, as in the output ``difference``; changed places first, then by
        referral.

    Examples
    --------
    >>> before = pd.DataFrame({"person_id": ["P1", "P2"], "referral_id": ["R1", "R2"], "rank": [1, 2],
    ...                        "is_proposed": [True, False]})
    >>> after = before.assign(person_id=["P2", "P3"], referral_id=["R2", "R3"])
    >>> difference_of(before, after)[["person_id", "change"]].to_numpy().tolist()
    [['P2', 'gains_place'], ['P1', 'leaves'], ['P3', 'joins']]
    """
    kept = ["person_id", "referral_id", "rank", "is_proposed"]
    both = before[kept].merge(after[kept], on="referral_id", how="outer", suffixes=("_before", "_after"))
    was = both["is_proposed_before"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    now = both["is_proposed_after"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    left, joined = both["rank_after"].isna().to_numpy(), both["rank_before"].isna().to_numpy()
    moved = (both["rank_before"] != both["rank_after"]).fillna(False).to_numpy(dtype=bool)
    change = np.select(
        [left, joined, now & ~was, was & ~now, moved], ["leaves", "joins", "gains_place", "loses_place", "moves"], ""
    )
    both = both.assign(
        person_id=both["person_id_after"].fillna(both["person_id_before"]), change=change, was_proposed=was,
        is_proposed=now,
    )  # fmt: skip
    frame = to_contract(both, "difference")
    order = {"gains_place": 0, "loses_place": 0, "leaves": 1, "joins": 2, "moves": 3}
    changed = frame.loc[change != ""]
    by = changed["change"].map(order)
    order_of_rows = np.lexsort((changed["referral_id"].to_numpy(dtype=object), by.to_numpy()))
    return pd.DataFrame(changed.take(order_of_rows)).reset_index(drop=True)
