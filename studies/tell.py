"""Write the table of `docs/models_study.md` from the results of `models.py`.

python studies/tell.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results" / "models.json"
PAGE = ROOT / "docs" / "models_study.md"
BEGIN, END = "<!-- results: written by studies/tell.py -->", "<!-- end of results -->"
HEADS = ["model", "AUC", "sd", "AP", "Brier", "slope", "ICI", "E/O", "C", "CPU s", "MB"]
KEYS = ["auc", "auc_sd", "average_precision", "brier", "calibration_slope", "ici", "expected_over_observed",
        "concordance", "seconds", "megabytes"]  # fmt: skip
DIGITS = [3, 3, 3, 3, 2, 3, 2, 3, 2, 0]


def main() -> int:
    """Write the page, or tell whether it is stale."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    fresh = (
        before
        + BEGIN
        + "\n\n"
        + tables(json.loads(RESULTS.read_text(encoding="utf-8")))
        + "\n"
        + END
        + rest.split(END)[1]
    )
    if "--check" in sys.argv:
        return int(fresh != page)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


def tables(told: dict[str, Any]) -> str:
    """Return one table a cohort."""
    parts = []
    for cohort in told["cohorts"]:
        rows = [
            row for row in told["results"] if (row["cohort"], row["question"]) == (cohort["cohort"], cohort["question"])
        ]
        parts.append(f"### {cohort['cohort']}: {cohort['question']}\n")
        parts.append(f"{cohort['rows']:,} rows of {cohort['people']:,} people, {cohort['events']:,} with it; "
                     f"{cohort['features']} features.\n")  # fmt: skip
        parts.append("| " + " | ".join(HEADS) + " |\n|" + " --- |" * len(HEADS))
        parts += [line(row, told["repeats"]) for row in rows if "absent" not in row]
        absent = [f"{row['model']} ({row['absent']})" for row in rows if "absent" in row]
        parts.append("\nNot run: " + "; ".join(absent) + ".\n" if absent else "")
    return "\n".join(parts)


def line(row: dict[str, Any], repeats: int) -> str:
    """Return one model's row."""
    few = "" if row["repeats"] == repeats else f" ({row['repeats']} repeat{'s' if row['repeats'] > 1 else ''})"
    cells = ["" if row.get(key) is None or row[key] != row[key] else f"{row[key]:.{digits}f}"
             for key, digits in zip(KEYS, DIGITS, strict=True)]  # fmt: skip
    return f"| {row['model']}{few} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())
