"""How long `import casestrat` takes, beside what it does not load. Run: python benchmarks/start_up.py"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 7


def seconds(code: str) -> float:
    """Median wall seconds of a fresh interpreter."""
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Print and keep the times, less that of an empty interpreter."""
    bare = seconds("pass")
    result = {
        name: round(seconds(code) - bare, 3)
        for name, code in (
            ("import casestrat", "import casestrat"),
            ("import pandas", "import pandas"),
            (
                "casestrat --help",
                "import sys; sys.argv[1:] = ['--version']; from casestrat.__main__ import main; main()",
            ),
        )
    }
    result["share of import pandas"] = round(result["import casestrat"] / result["import pandas"], 3)
    print(json.dumps(result, indent=1))
    path = Path(__file__).resolve().parent / "results" / "start_up.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
