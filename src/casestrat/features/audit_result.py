"""What an audit for leakage found: one row per check and feature, and one word for all of it."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

Verdict = Literal["proved", "passed", "finding", "not run"]
CHECKS: dict[str, str] = {
    "future_rows": "rows of the future added",
    "that_morning": "tables as they stood that morning",
    "moved_dates": "all dates moved by 28 years",
    "as_at_night": "computed as the night computes it",
    "later_date": "asked again after the horizon",
    "single_feature": "each feature alone",
    "filled": "whether each feature is filled",
    "all_together": "all features together",
    "permuted_labels": "labels dealt at random",
    "kept_together": "people kept together",
}
"""Each check's name and what it does."""

_DIGITS = 4  # of the figures that are kept: more would differ between machines
_DTYPES: dict[str, Any] = {
    "check": TEXT, "feature": TEXT, "table": TEXT, "verdict": TEXT, "value": "float64", "limit": "float64",
    "n": "Int64", "meaning": TEXT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckRow:
    """What one check says of one feature, or of all where none is named."""

    check: str
    verdict: Verdict
    meaning: str
    feature: str | None = None
    table: str | None = None
    value: float = math.nan
    limit: float = math.nan
    n: int | None = None


def table_of(rows: Iterable[CheckRow]) -> pd.DataFrame:
    """Return check rows as a frame, in the order of the checks."""
    frame = pd.DataFrame([[getattr(row, name) for name in _DTYPES] for row in rows], columns=list(_DTYPES))
    frame = frame.astype(_DTYPES).round({"value": _DIGITS, "limit": _DIGITS})
    places = frame["check"].map({name: place for place, name in enumerate(CHECKS)})
    return frame.iloc[places.argsort(kind="stable")].reset_index(drop=True)


@dataclass(frozen=True, eq=False, slots=True)
class LeakageAudit:
    """Whether features use anything that was not known on their date; made by :func:`casestrat.audit_leakage`.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per check and feature: check, feature (missing where the check is of all), table (where a change came
        from), verdict, value, limit, n (values or rows it rests on), meaning (in words). The verdict is ``proved``
        (nothing changed that must not), ``passed`` (a figure inside its limit: it proves nothing), ``finding`` or
        ``not run``.
    outcome : str
        Name of the outcome that features foretell.
    dates : tuple of pandas.Timestamp
        The dates asked for.
    n_rows, n_people, n_events : int
        Rows with a known outcome that figures rest on, the people they are about, and the rows with the outcome.
    n_proved : int
        People, drawn by the seed, on whom the proofs rest.
    random_state : int
        Seed of every draw.
    """

    table: pd.DataFrame
    outcome: str
    dates: tuple[pd.Timestamp, ...]
    n_rows: int
    n_people: int
    n_events: int
    n_proved: int
    random_state: int

    @property
    def findings(self) -> pd.DataFrame:
        """One row per finding, with the columns of ``table``."""
        return self.table.loc[self.table["verdict"] == "finding"].reset_index(drop=True)

    @property
    def not_run(self) -> pd.DataFrame:
        """One row per check and feature not run, with the columns of ``table``; the meaning says why."""
        return self.table.loc[self.table["verdict"] == "not run"].reset_index(drop=True)

    @property
    def is_clean(self) -> bool:
        """Whether no check found anything; those that were not run say nothing."""
        return self.findings.empty

    @property
    def leaking(self) -> tuple[str, ...]:
        """Names of the features with a finding, in order of the table."""
        return tuple(self.findings["feature"].dropna().unique())

    @property
    def auc(self) -> float:
        """Area under the curve of all features together on people left out; NaN where it was not measured."""
        values = self.table.loc[self.table["check"] == "all_together", "value"]
        return float(values.iloc[0]) if len(values) else math.nan

    @property
    def summary(self) -> pd.DataFrame:
        """One row per check: its worst verdict, n_features, n_findings; feature, value and meaning of the worst row."""
        rank = self.table["verdict"].map({word: place for place, word in enumerate(_WORST)})
        worst_first = self.table.assign(rank=rank).sort_values(
            ["rank", "value"], ascending=[True, False], kind="stable"
        )
        by_check = worst_first.groupby("check", sort=False)
        out = by_check.first()[["verdict"]].join(
            pd.DataFrame({
                "n_features": by_check["feature"].count(),
                "n_findings": worst_first["verdict"].eq("finding").groupby(worst_first["check"]).sum(),
            })
        )  # fmt: skip
        told = worst_first.drop_duplicates("check").set_index("check")[["feature", "value", "meaning"]]
        out = out.join(told).reindex([check for check in CHECKS if check in out.index])
        return out.rename_axis("check").reset_index().astype({"check": TEXT})

    def content(self) -> dict[str, Any]:
        """Return the audit as plain values that JSON can hold, small enough to keep with a model.

        Returns
        -------
        dict
            ``verdict`` (``clean`` or ``findings``), ``outcome``, ``dates``, counts, ``random_state``, ``auc``,
            ``checks`` (check → verdict), and ``findings``: check, feature, table, value, limit and meaning of each.
        """
        told = ["check", "feature", "table", "value", "limit", "meaning"]
        return {
            "verdict": "clean" if self.is_clean else "findings",
            "outcome": self.outcome,
            "dates": [f"{date:%Y-%m-%d}" for date in self.dates],
            "n_rows": self.n_rows,
            "n_people": self.n_people,
            "n_events": self.n_events,
            "n_proved": self.n_proved,
            "random_state": self.random_state,
            "auc": None if math.isnan(self.auc) else self.auc,
            "checks": dict(zip(self.summary["check"], self.summary["verdict"], strict=True)),
            "findings": [
                {name: None if pd.isna(value) else value for name, value in row.items()}
                for row in self.findings[told].to_dict("records")
            ],
        }

    def __str__(self) -> str:
        """Say the verdict, what it rests on, and each finding."""
        return "\n".join([*self._heading(), *self._lines()])

    __repr__ = __str__

    def _heading(self) -> list[str]:
        leaking = f", {len(self.leaking)} features named" if self.leaking else ""
        word = "clean" if self.is_clean else f"{len(self.findings)} findings{leaking}"
        skipped = int((self.summary["verdict"] == "not run").sum())
        unsaid = f"; {skipped} of {self.table['check'].nunique()} checks not run" if skipped else ""
        days = ", ".join(f"{date:%Y-%m-%d}" for date in self.dates[:3]) + (" …" if len(self.dates) > 3 else "")
        return [
            f"Leakage audit: {word}{unsaid}",
            f"{self.n_rows:,} people and dates ({days}), {self.n_events:,} with the outcome {self.outcome}; "
            f"proofs on {self.n_proved:,} people",
        ]

    def _lines(self) -> list[str]:
        out = []
        for row in self.summary.to_dict("records"):
            several = f"{row['n_findings']} of {row['n_features']} features; " if row["n_findings"] > 1 else ""
            whose = f"{row['feature']}: " if row["verdict"] != "proved" and isinstance(row["feature"], str) else ""
            out.append(f"  {row['verdict']:<8} {CHECKS[row['check']]}: {several}{whose}{row['meaning']}")
        return out

    def _repr_html_(self) -> str:
        """Show the verdict and one row per check, in a notebook."""
        heading = "<br>".join(html.escape(line) for line in self._heading())
        return f"<p>{heading}</p>{self.summary.to_html(index=False)}"


_WORST: list[str] = ["finding", "passed", "proved", "not run"]
