"""As-of features against pandas merge_asof and groupby.apply, on the same made-up rows in one run.

Each way computes, for every person and date, the last value and the number of rows in 180 days, from rows that were
recorded before the date. The peers are given the rows already sorted where they need it and are not charged for it.
``groupby.apply`` is run on the first people only, and scaled by their number; the answers are compared.

    python benchmarks/as_of_features.py [--rows 1000000] [--people 100000] [--dates 1] [--apply-people 2000]
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from casestrat.tables import TEXT
from casestrat.timeline import Asked, History

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path(__file__).parent / "results" / "as_of_features.json"
WINDOW_DAYS = 180
DAY = np.timedelta64(1, "D").astype("m8[us]")


def made_up(rows: int, people: int, dates: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of which three in ten are recorded late, and a spine of every person on each date."""
    rng = np.random.default_rng(0)
    ids = pd.Series([f"P{number:08d}" for number in range(people)], dtype=TEXT)
    observed = np.datetime64("2024-01-01", "us") + rng.integers(0, 1000, rows) * DAY
    late = (rng.random(rows) < 0.3) * rng.geometric(1 / 6, rows)
    frame = pd.DataFrame({
        "event_id": pd.Series([f"E{number:09d}" for number in range(rows)], dtype=TEXT),
        "person_id": ids.iloc[rng.integers(0, people, rows)].reset_index(drop=True),
        "observed_at": observed,
        "recorded_at": observed + late * DAY,
        "value": rng.normal(size=rows),
    })  # fmt: skip
    when = np.datetime64("2026-09-01", "us") - np.arange(dates) * 30 * DAY
    spine = pd.DataFrame({"person_id": np.repeat(ids, dates).reset_index(drop=True), "as_of": np.tile(when, people)})
    return frame, spine


def by_engine(frame: pd.DataFrame, spine: pd.DataFrame) -> pd.DataFrame:
    """Compute both features by the engine of this library."""
    history = History(frame, Asked.of(spine))
    last = history.windows().last()
    values = np.append(frame["value"].to_numpy(), np.nan)
    return pd.DataFrame({"last": values[last], "count": history.windows(WINDOW_DAYS).count()})


def by_merge_asof(frame: pd.DataFrame, spine: pd.DataFrame) -> pd.DataFrame:
    """Compute both features by pandas: the last row before, and the difference of two running numbers of rows.

    merge_asof cannot tell when a row was recorded, so late rows are left out first; that is right for one date only.
    """
    known = frame[frame["recorded_at"] < spine["as_of"].max()].sort_values("observed_at")
    known = known.assign(number=known.groupby("person_id").cumcount() + 1)[
        ["person_id", "observed_at", "value", "number"]
    ]
    asked = spine.reset_index().sort_values("as_of", kind="stable")
    options = {"by": "person_id", "allow_exact_matches": False}
    last = pd.merge_asof(asked, known, left_on="as_of", right_on="observed_at", **options)
    start = asked.assign(as_of=asked["as_of"] - pd.Timedelta(days=WINDOW_DAYS))
    before = pd.merge_asof(start, known, left_on="as_of", right_on="observed_at", **options)
    count = last["number"].fillna(0) - before["number"].fillna(0)
    out = pd.DataFrame({"index": last["index"], "last": last["value"], "count": count.astype("int64")})
    return out.sort_values("index")[["last", "count"]].reset_index(drop=True)


def by_apply(frame: pd.DataFrame, spine: pd.DataFrame) -> pd.DataFrame:
    """Compute both features by one Python call a person and date."""
    pairs = spine.merge(frame, on="person_id", how="left")

    def answer(rows: pd.DataFrame) -> pd.Series:
        as_of = rows.name[1]
        known = rows[(rows["recorded_at"] < as_of) & (rows["observed_at"] < as_of)]
        known = known.sort_values(["observed_at", "recorded_at", "event_id"])
        count = (known["observed_at"] >= as_of - pd.Timedelta(days=WINDOW_DAYS)).sum()
        return pd.Series({"last": known["value"].iloc[-1] if len(known) else np.nan, "count": count})

    out = pairs.groupby(["person_id", "as_of"], sort=False)[[*list(frame.columns[2:]), "event_id"]].apply(answer)
    return out.loc[pd.MultiIndex.from_frame(spine)].reset_index(drop=True)


def seconds(run: Callable[[], pd.DataFrame]) -> tuple[float, float, pd.DataFrame]:
    """CPU and wall seconds of one call, and what it returned."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = run()
    return time.process_time() - cpu, time.perf_counter() - wall, answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 1_000_000), ("people", 100_000), ("dates", 1), ("apply-people", 2_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    frame, spine = made_up(asked.rows, asked.people, asked.dates)
    by_engine(frame.head(1000), spine.head(100))  # imports and caches, charged to nobody
    engine_cpu, engine_wall, engine = seconds(lambda: by_engine(frame, spine))
    result = {
        "rows": asked.rows, "people": asked.people, "dates_a_person": asked.dates, "features": 2,
        "engine_cpu_s": engine_cpu, "engine_wall_s": engine_wall,
    }  # fmt: skip
    if asked.dates == 1:
        asof_cpu, _, asof = seconds(lambda: by_merge_asof(frame, spine))
        assert (asof["count"] == engine["count"]).all()
        result |= {"merge_asof_cpu_s": asof_cpu, "merge_asof_ratio": asof_cpu / engine_cpu}
    some = spine["person_id"].iloc[: asked.apply_people * asked.dates].unique()
    rows, questions = frame[frame["person_id"].isin(some)], spine[spine["person_id"].isin(some)]
    apply_cpu, _, apply = seconds(lambda: by_apply(rows, questions))
    same = engine.iloc[: len(questions)]
    np.testing.assert_array_equal(apply["count"], same["count"])
    np.testing.assert_allclose(apply["last"], same["last"])
    scaled = apply_cpu * asked.people / len(some)
    result |= {
        "apply_people": len(some), "apply_cpu_s": apply_cpu, "apply_cpu_s_scaled_to_all": scaled,
        "apply_ratio": scaled / engine_cpu,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "python": platform.python_version(), "pandas": pd.__version__, "numpy": np.__version__,
    }  # fmt: skip
    for name, value in result.items():
        print(f"{name:28} {value:,.3f}" if isinstance(value, float) else f"{name:28} {value}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(
        json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in result.items()}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
