"""Run every notebook from its source, so that none is ever out of date: python notebooks/run.py [--keep DIR]."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Execute each source; with --keep also write the executed notebooks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder for the executed notebooks")
    keep = parser.parse_args().keep
    for source in sorted(HERE.glob("[0-9]*.py")):
        began = time.perf_counter()
        notebook = jupytext.read(source)
        client = NotebookClient(
            notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}
        )
        try:
            client.execute()
        except CellExecutionError as fault:
            sys.stderr.write(f"{source.name}: {fault}\n")
            return 1
        print(f"{source.name}: {time.perf_counter() - began:.1f} s")
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, keep / f"{source.stem}.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
