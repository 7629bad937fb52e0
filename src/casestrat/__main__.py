"""The door of the command line: runs a command and turns every fault into a message and an exit code."""

from __future__ import annotations

import os
import sys

from casestrat.errors import CasestratError, ExitCode


def main() -> int:
    """Run the command line; return its exit code.

    Returns
    -------
    int
        0 done · 1 any other fault · 2 usage · 3 tables refused · 4 too much set aside or too stale · 5 locked ·
        6 partial.
    """
    from casestrat.cli import APP  # pandas and scikit-learn load here, after the interpreter can answer Ctrl-C

    try:
        APP()
    except CasestratError as fault:
        print(f"casestrat: {fault}", file=sys.stderr)  # noqa: T201
        return int(fault.exit_code)
    except KeyboardInterrupt:
        print(f"casestrat: stopped; {_after_stop(sys.argv[1:])}", file=sys.stderr)  # noqa: T201
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone, as with `| head`
        sys.stderr.close()
        return 0
    except Exception as fault:
        if os.environ.get("CASESTRAT_DEBUG"):
            raise
        # The text of an unforeseen fault may quote data, so only its kind is shown.
        print(  # noqa: T201
            f"casestrat: a fault of the program itself ({type(fault).__name__}); nothing was published. "
            "What to do: run again with CASESTRAT_DEBUG=1 and report what it prints, after removing anything personal",
            file=sys.stderr,
        )
        return int(ExitCode.FAILED)
    return int(ExitCode.DONE)


def _after_stop(arguments: list[str]) -> str:
    """Tell what a stop from the keyboard leaves: only a nightly run has parts to take up again."""
    if arguments[:1] in (["nightly"], ["demo"]):
        return "finished parts are kept, and the same command goes on from there"
    return "what was not yet written is not kept; run the same command again"


if __name__ == "__main__":
    sys.exit(main())
