"""Limits that the command line and the nightly gates share; a module of its own, so that --help loads no pandas."""

from typing import Final

MAX_SET_ASIDE: Final = 0.2  # largest share of a table's rows that may be set aside
MAX_STALE_DAYS: Final = 45  # most days between the newest row and the date of the run
