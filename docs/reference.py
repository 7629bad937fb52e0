"""Remake the reference pages from the code: python docs/reference.py, or --check to see whether they are stale."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from casestrat.errors import ExitCode
from casestrat.features import FeatureBuilder
from casestrat.features.definitions import KINDS
from casestrat.features.describing import MISSING_RULES as _MISSING
from casestrat.knowledge import (
    FEATURE_KINDS,
    list_instruments,
    list_programs,
    list_scorecards,
    load_program,
    load_scorecard,
    load_wording,
)
from casestrat.tables import CONTRACTS, OUTPUTS, describe_tables

HERE = Path(__file__).resolve().parent / "reference"
MADE = "<!-- Made from the code by `make docs`; do not edit. -->\n\n"
CODES = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "a fault: the output could not be written, or a fault of the program itself",
    ExitCode.USAGE: "an argument, option, source, program or model that is not there or cannot be used",
    ExitCode.TABLES_REFUSED: "tables refused: a table or key column is missing, or a column looks like an identifier",
    ExitCode.TOO_MUCH_SET_ASIDE: "too many rows set aside, or the extract is too old",
    ExitCode.LOCKED: "another run is under way in the output folder",
    ExitCode.PARTIAL: "partial: a re-run goes on from there, or some decisions could not be recorded",
}


def markdown(frame: pd.DataFrame) -> str:
    """Return a frame as a Markdown table."""
    text = frame.astype(object).where(frame.notna(), "").astype(str).replace(r"\|", r"\\|", regex=True)
    lines = ["| " + " | ".join(map(str, text.columns)) + " |", "|" + " --- |" * text.shape[1]]
    lines += ["| " + " | ".join(value.replace("\n", " ") for value in row) + " |" for row in text.to_numpy()]
    return "\n".join(lines) + "\n"


def contract_page(title: str, intro: str, contracts: dict) -> str:
    """One section a contract: what a row is, and its columns."""
    parts = [f"# {title}\n\n{MADE}{intro}\n"]
    described = describe_tables(contracts=contracts)
    for name, contract in contracts.items():
        columns = described[described["table"] == name].drop(columns="table")
        adds = f" It adds {contract.adds}." if contract.adds else ""
        required = " **Required.**" if contract.is_required else ""
        parts.append(f"## `{name}`\n\n{contract.description}{required}{adds}\n\n{markdown(columns)}")
    return "\n".join(parts)


def knowledge_page() -> str:
    """Programs with their features, instruments, scorecards with their rows."""
    parts = [f"# Programs, instruments, scorecards\n\n{MADE}"]
    for title, frame in (
        ("Programs", list_programs()), ("Instruments", list_instruments()), ("Scorecards", list_scorecards()),
    ):  # fmt: skip
        parts.append(f"## {title}\n\n{markdown(frame)}")
    for name in list_programs()["name"]:
        program = load_program(name)
        parts.append(f"## Features of `{name}`\n\n{markdown(FeatureBuilder(program).describe())}")
    for name in list_scorecards()["name"]:
        card = load_scorecard(name)
        rows = pd.DataFrame(
            [(row.item, row.condition, row.points, row.domain) for row in card.rows],
            columns=["item", "condition", "points", "domain"],
        )
        parts.append(f"## Scorecard `{name}`\n\n{card.status}\n\n{markdown(rows)}")
    return "\n".join(parts)


def features_page() -> str:
    """Every kind of feature: what it is, its options, when it is missing."""
    rows = []
    for name, kind in FEATURE_KINDS.items():
        words = load_wording("en")(f"feature_missing.{_MISSING.get(name, 'none')}")
        options = [f"**{one}**" for one in kind.needs] + list(kind.may)
        what = (KINDS[name].__doc__ or "").split("\n\n")[0].replace("\n", " ").strip()
        rows.append({"kind": f"`{name}`", "class": f"`{KINDS[name].__name__}`", "what it is": what,
                     "options": ", ".join(options), "missing": words})  # fmt: skip
    intro = (
        "A feature of a program's TOML has a `kind` and its options (**bold** ones must be given), and may say its "
        "`domain`, whether it `is_actionable`, which direction is `worse`, its `unit` and its `label` by language. The "
        "classes of `casestrat.features` take the same options. [What holds for all of them](../features.md).\n"
    )
    return f"# Kinds of features\n\n{MADE}{intro}\n{markdown(pd.DataFrame(rows))}"


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    exit_codes = pd.DataFrame([(int(code), meaning) for code, meaning in CODES.items()], columns=["code", "meaning"])
    return {
        "tables.md": contract_page(
            "Tables", "What a site brings. `casestrat check` holds an extract against it.", CONTRACTS
        ),
        "outputs.md": contract_page("Outputs", "What a nightly run writes, as Parquet and in part as CSV.", OUTPUTS),
        "features.md": features_page(),
        "knowledge.md": knowledge_page(),
        "exit_codes.md": f"# Exit codes\n\n{MADE}{markdown(exit_codes)}\n130: stopped from the keyboard.\n",
    }


def main() -> int:
    """Write the pages, or tell which are stale."""
    made = pages()
    if "--check" not in sys.argv:
        HERE.mkdir(exist_ok=True)
        for name, text in made.items():
            (HERE / name).write_text(text, encoding="utf-8")
        return 0
    stale = [n for n, text in made.items() if not (HERE / n).is_file() or (HERE / n).read_text("utf-8") != text]
    if stale:
        sys.stderr.write(f"stale reference pages: {', '.join(stale)}; run: make docs\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
