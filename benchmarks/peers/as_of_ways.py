"""One way of computing the same as-of features; called by ``benchmarks/as_of_features.py`` as a process of its own.

``as_of_ways.py data FOLDER ROWS PEOPLE DATES`` writes the data; ``as_of_ways.py WAY FOLDER`` times a way on it, compares
its answers with the engine's (which runs first) and prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

KINDS = ("phq9", "audit_c", "cesd", "katz", "lawton", "aggir", "charlson", "lace")
WINDOWS = (30, 60, 90, 180, 365, 730)
DAY = np.timedelta64(1, "D").astype("m8[us]")
LASTS = [f"last_{kind}" for kind in KINDS]
COUNTS = [f"n_{days}" for days in WINDOWS]
SLOPES = [f"slope_{days}" for days in WINDOWS]


def write_data(folder: Path, rows: int, people: int, dates: int) -> None:
    """Rows of which three in ten are recorded late, and a spine; with several dates, each person has their own."""
    rng = np.random.default_rng(0)
    ids = np.array([f"P{number:08d}" for number in range(people)])
    observed = np.datetime64("2022-01-01", "us") + rng.integers(0, 1700, rows) * DAY
    late = (rng.random(rows) < 0.3) * rng.geometric(1 / 6, rows)
    pd.DataFrame({
        "assessment_id": [f"A{number:09d}" for number in range(rows)],
        "person_id": ids[rng.integers(0, people, rows)],
        "instrument": np.array(KINDS)[rng.integers(0, len(KINDS), rows)],
        "observed_at": observed,
        "recorded_at": observed + late * DAY,
        "total": rng.normal(size=rows),
    }).to_parquet(folder / "rows.parquet")  # fmt: skip
    last = np.repeat(np.datetime64("2026-09-01", "us"), people)
    if dates > 1:
        last = last - rng.integers(0, 30, people) * DAY
    when = last[:, None] - np.arange(dates) * 30 * DAY
    spine = pd.DataFrame({"person_id": np.repeat(ids, dates), "as_of": when.reshape(-1)})
    spine.to_parquet(folder / "spine.parquet")


def engine(folder: Path) -> dict[str, object]:
    """This library, as an analyst calls it; also timed without the slopes, for the peers that have none."""
    from casestrat.features import Count, FeatureBuilder, Last, Slope
    from casestrat.tables import CONTRACTS, TEXT, Extract, Tables

    rows = pd.read_parquet(folder / "rows.parquet").astype(
        dict.fromkeys(("assessment_id", "person_id", "instrument"), TEXT)
    )
    spine = pd.read_parquet(folder / "spine.parquet").astype({"person_id": TEXT})
    people = pd.DataFrame(
        {"person_id": spine["person_id"].drop_duplicates(), "recorded_at": pd.Timestamp("2020-01-01")}
    )
    frames = {name: contract.empty() for name, contract in CONTRACTS.items()}
    # Given as checked: checking is another benchmark's matter. Columns that no feature here reads are left out.
    frames |= {"assessments": rows, "persons": frames["persons"].reindex(people.index).assign(**people)}
    nothing = pd.DataFrame()
    tables = Tables(
        **frames, extract=Extract(), set_aside=nothing, warnings=nothing, illegal_steps=nothing,
        present=frozenset({"assessments", "persons"}),
    )  # fmt: skip
    lasts = [Last("assessments", "total", where={"instrument": kind}, name=f"last_{kind}") for kind in KINDS]
    counts = [Count("assessments", window_days=days, name=f"n_{days}") for days in WINDOWS]
    slopes = [Slope("assessments", "total", window_days=days, name=f"slope_{days}") for days in WINDOWS]
    small = spine.head(10)
    FeatureBuilder([*lasts, *counts, *slopes]).build(
        tables.for_persons(small["person_id"]), small
    )  # imports, for nobody
    told, answer = timed(lambda: FeatureBuilder([*lasts, *counts, *slopes]).build(tables, spine))
    peak = peak_mb()
    without, _ = timed(lambda: FeatureBuilder([*lasts, *counts]).build(tables, spine))
    answer.reset_index(drop=True).to_parquet(folder / "answer.parquet")
    return {**told, "cpu_s_without_slopes": without["cpu_s"], "peak_mb": peak, "features": len(answer.columns)}


def running(rows: pd.DataFrame) -> pd.DataFrame:
    """Running sums a person, from which a window's number and slope are differences."""
    x = (rows["observed_at"] - pd.Timestamp("2022-01-01")) / pd.Timedelta(days=1)
    sums = pd.DataFrame({"n": 1.0, "x": x, "y": rows["total"], "xy": x * rows["total"], "xx": x * x})
    return sums.groupby(rows["person_id"].to_numpy(), sort=False).cumsum()


def merge_asof(folder: Path) -> dict[str, object]:
    """Pandas merge_asof: a join for each last value, and two for the windows; slopes from differences of running sums."""
    rows, spine = pd.read_parquet(folder / "rows.parquet"), pd.read_parquet(folder / "spine.parquet")
    rows = rows[rows["recorded_at"] < spine["as_of"].max()].sort_values("observed_at")  # right for one date only
    spine = spine.sort_values("as_of", kind="stable")
    options = {"left_on": "as_of", "right_on": "observed_at", "by": "person_id", "allow_exact_matches": False}

    def answer() -> pd.DataFrame:
        out = {}
        for kind in KINDS:
            some = rows.loc[rows["instrument"] == kind, ["person_id", "observed_at", "total"]]
            out[f"last_{kind}"] = pd.merge_asof(spine, some, **options)["total"]
        sums = running(rows)
        known = pd.concat([rows[["person_id", "observed_at"]], sums], axis=1)
        after = pd.merge_asof(spine, known, **options)[list(sums)].fillna(0)
        for days in WINDOWS:
            start = spine.assign(as_of=spine["as_of"] - pd.Timedelta(days=days))
            d = after - pd.merge_asof(start, known, **options)[list(sums)].fillna(0)
            out[f"n_{days}"] = d["n"]
            spread = d["n"] * d["xx"] - d["x"] ** 2
            out[f"slope_{days}"] = ((d["n"] * d["xy"] - d["x"] * d["y"]) / spread).where(spread > 1e-6)
        return pd.DataFrame(out)

    told, found = timed(answer)
    check(folder, found, [*LASTS, *COUNTS])
    return {**told, "peak_mb": peak_mb(), "against": "cpu_s"}


def duckdb(folder: Path) -> dict[str, object]:
    """DuckDB: an ASOF join for each last value, and for each window one for the running number at its start."""
    import duckdb as db

    con = db.connect()
    con.execute("SET threads = 1")
    con.execute(f"CREATE TABLE spine AS SELECT * FROM '{folder / 'spine.parquet'}'")
    con.execute(
        f"CREATE TABLE known AS SELECT * FROM '{folder / 'rows.parquet'}' "
        "WHERE recorded_at < (SELECT max(as_of) FROM spine)"
    )
    joins, columns = [], []
    for kind in KINDS:
        joins.append(
            f"ASOF LEFT JOIN (SELECT * FROM known WHERE instrument = '{kind}') {kind} "
            f"ON s.person_id = {kind}.person_id AND s.as_of > {kind}.observed_at"
        )
        columns.append(f"{kind}.total AS last_{kind}")
    joins.append("ASOF LEFT JOIN ran ON s.person_id = ran.person_id AND s.as_of > ran.observed_at")
    for days in WINDOWS:
        joins.append(
            f"ASOF LEFT JOIN ran r{days} ON s.person_id = r{days}.person_id "
            f"AND s.as_of - INTERVAL {days} DAY > r{days}.observed_at"
        )
        columns.append(f"coalesce(ran.n, 0) - coalesce(r{days}.n, 0) AS n_{days}")
    query = (
        "WITH ran AS (SELECT person_id, observed_at, row_number() OVER (PARTITION BY person_id ORDER BY observed_at) AS n "
        f"FROM known) SELECT {', '.join(columns)} FROM spine s {' '.join(joins)} ORDER BY s.person_id, s.as_of"
    )
    told, found = timed(lambda: con.execute(query).df())
    check(folder, found, COUNTS)
    return {**told, "peak_mb": peak_mb(), "against": "cpu_s_without_slopes"}


def polars(folder: Path) -> dict[str, object]:
    """Polars join_asof, in the same way as DuckDB."""
    import polars as pl

    spine = pl.read_parquet(folder / "spine.parquet").sort("as_of", maintain_order=True)
    rows = pl.read_parquet(folder / "rows.parquet").filter(pl.col("recorded_at") < spine["as_of"].max())
    rows = rows.sort("observed_at")
    options = {"by": "person_id", "strategy": "backward", "allow_exact_matches": False, "check_sortedness": False}

    def answer() -> pl.DataFrame:
        out = spine
        for kind in KINDS:
            some = rows.filter(pl.col("instrument") == kind).select("person_id", "observed_at", total=pl.col("total"))
            joined = spine.join_asof(some, left_on="as_of", right_on="observed_at", **options)
            out = out.with_columns(joined["total"].alias(f"last_{kind}"))
        ran = rows.select("person_id", "observed_at", n=pl.int_range(1, pl.len() + 1).over("person_id"))
        after = spine.join_asof(ran, left_on="as_of", right_on="observed_at", **options)["n"].fill_null(0)
        for days in WINDOWS:
            start = spine.with_columns(pl.col("as_of") - pl.duration(days=days))
            before = start.join_asof(ran, left_on="as_of", right_on="observed_at", **options)["n"].fill_null(0)
            out = out.with_columns((after - before).alias(f"n_{days}"))
        return out

    told, found = timed(answer)
    check(folder, found.sort("person_id", "as_of").to_pandas(), COUNTS)
    return {**told, "peak_mb": peak_mb(), "against": "cpu_s_without_slopes"}


def apply(folder: Path) -> dict[str, object]:
    """groupby.apply, one Python call a person, on the first people only and scaled by their number."""
    rows, spine = pd.read_parquet(folder / "rows.parquet"), pd.read_parquet(folder / "spine.parquet")
    some = spine["person_id"].drop_duplicates().head(2_000)
    part, date = rows[rows["person_id"].isin(some)], spine["as_of"].iloc[0]
    part = part[part["recorded_at"] < date]

    def one(of: pd.DataFrame) -> pd.Series:
        of = of.sort_values(["observed_at", "recorded_at", "assessment_id"])
        out = {}
        for kind in KINDS:
            totals = of.loc[of["instrument"] == kind, "total"]
            out[f"last_{kind}"] = totals.iloc[-1] if len(totals) else np.nan
        for days in WINDOWS:
            inside = of[of["observed_at"] >= date - pd.Timedelta(days=days)]
            x = (inside["observed_at"] - date) / pd.Timedelta(days=1)
            out[f"n_{days}"] = len(inside)
            out[f"slope_{days}"] = np.polyfit(x, inside["total"], 1)[0] if len(x) and x.min() < x.max() else np.nan
        return pd.Series(out)

    told, found = timed(lambda: part.groupby("person_id").apply(one).reindex(some).reset_index(drop=True))
    check(folder, found.fillna(dict.fromkeys(COUNTS, 0)), [*LASTS, *COUNTS, *SLOPES], first=len(some))
    scale = spine["person_id"].nunique() / len(some)
    return {**told, "cpu_s": told["cpu_s"] * scale, "people": len(some), "peak_mb": peak_mb(), "against": "cpu_s"}


def featuretools(folder: Path) -> dict[str, object]:
    """Deep feature synthesis with cutoff times: one call without a window for the last values, one a window for counts."""
    import featuretools as ft

    rows, spine = pd.read_parquet(folder / "rows.parquet"), pd.read_parquet(folder / "spine.parquet")
    entities = ft.EntitySet("agency")
    entities.add_dataframe(rows[["assessment_id", "person_id", "instrument", "recorded_at", "total"]], "sittings",
                           index="assessment_id", time_index="recorded_at",
                           logical_types={"instrument": "Categorical"})  # fmt: skip
    entities.normalize_dataframe("sittings", "people", "person_id", make_time_index=False)
    entities.add_interesting_values(dataframe_name="sittings", values={"instrument": list(KINDS)})
    cutoff = spine.rename(columns={"as_of": "time"})[["person_id", "time"]]

    def answer() -> list[pd.DataFrame]:
        options = {"entityset": entities, "target_dataframe_name": "people", "cutoff_time": cutoff,
                   "trans_primitives": [], "max_depth": 1, "include_cutoff_time": False}  # fmt: skip
        lasts = ft.dfs(agg_primitives=["last"], where_primitives=["last"], **options)[0]
        counts = [ft.dfs(agg_primitives=["count"], training_window=f"{days} days", **options)[0] for days in WINDOWS]
        return [lasts, *counts]

    told, _ = timed(
        answer
    )  # it windows by one clock only, recorded_at, so that its values may differ from the engine's
    return {**told, "peak_mb": peak_mb(), "against": "cpu_s_without_slopes"}


def timed(run: object) -> tuple[dict[str, float], object]:
    """CPU and wall seconds of one call, and what it returned."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = run()  # type: ignore[operator]
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}, answer


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def check(folder: Path, found: pd.DataFrame, columns: list[str], first: int | None = None) -> None:
    """Stop where a peer's answers are not the engine's: last values may differ where two rows are of one day."""
    expected = pd.read_parquet(folder / "answer.parquet").head(first or len(found))
    for name in columns:
        left = found[name].to_numpy(dtype="float64")
        right = expected[name].to_numpy(dtype="float64")
        same = np.isclose(left, right, equal_nan=True, atol=1e-8) | (np.isnan(right) & (left == 0))
        if same.mean() < (0.98 if name.startswith("last") else 1.0):
            raise SystemExit(f"{name}: only {same.mean():.4f} of the answers agree")


def main() -> None:
    way, folder = sys.argv[1], Path(sys.argv[2])
    if way == "data":
        write_data(folder, *map(int, sys.argv[3:6]))
        return
    ways = (engine, merge_asof, duckdb, polars, apply, featuretools)
    try:
        told = {one.__name__: one for one in ways}[way](folder)
    except ImportError as error:
        print(error, file=sys.stderr)
        raise SystemExit(3) from None
    print(json.dumps(told))


if __name__ == "__main__":
    main()
