"""The caseload page of a date, without keeping a run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from casestrat.knowledge import PriorityPolicy, load_program, load_wording
from casestrat.models.tiers.guard import check_learned
from casestrat.nightly.engine import run_parts
from casestrat.nightly.manifest import RunFolders, RunInputs
from casestrat.nightly.partition import process
from casestrat.nightly.publishing import team_page
from casestrat.nightly.registry import model_file
from casestrat.nightly.request import load_scorer, parse_as_of, read_source
from casestrat.nightly.results import assemble
from casestrat.nightly.run import prepare_parts

if TYPE_CHECKING:
    import pandas as pd

    from casestrat.knowledge import Program
    from casestrat.tables import Tables


def caseload_report(
    source: str | Path | Tables,
    program: str | Path | Program,
    *,
    as_of: str | pd.Timestamp,
    model: str | Path | None = None,
    lang: str = "en",
    learned_ranking_reason: str = "",
) -> str:
    """Return the caseload page of a date: the one that the nightly run writes, without the run and its link.

    Parameters
    ----------
    source : str, path or Tables
        A folder of tables, a ``site.toml``, a database URL, or tables already read.
    program : str, path or Program
        The program.
    as_of : str or pandas.Timestamp
        The date: only what was recorded before it counts.
    model : str or path, optional
        A stored model, or the folder of a registry; by default the program's scorecard.
    lang : {"en", "fr", "it"}, optional
        The language in which the page opens; all three are inside.
    learned_ranking_reason : str, optional
        Why a learned model may rank in a program that asks for a recorded reason.

    Returns
    -------
    str
        The HTML of the page.

    Raises
    ------
    UsageError
        For a date, program or model that cannot be used.
    """
    rules = load_program(program)
    date = parse_as_of(as_of)
    load_wording(lang)  # an unknown language is refused before anything is read
    path = model_file(model)
    scorer = load_scorer(path, rules)
    check_learned(scorer, rules, learned_ranking_reason)
    tables = read_source(source, rules, date)
    policy = PriorityPolicy.from_program(rules, seed=f"{date:%Y-%m}")
    inputs = RunInputs(
        as_of=f"{date:%Y-%m-%d}", extract=tables.fingerprint, program=rules.fingerprint, policy=policy.fingerprint,
        model=scorer.fingerprint, lang=lang, learned_ranking_reason=learned_ranking_reason,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        folders = RunFolders(Path(folder), inputs.as_of, inputs.run_id)
        tasks = prepare_parts(tables, rules, date, folders, path)
        for _receipt in run_parts(process, tasks, engine="local", workers=1, scheduler=None):
            pass
        results = assemble(tables, rules, policy, scorer, tasks, inputs)
    return team_page(results, lang, {})
