"""A made-up agency whose true risks are known."""

from casestrat.synthetic.agency import AS_OF, Agency, synthesize, synthesize_frames
from casestrat.synthetic.data_card import data_card
from casestrat.synthetic.example import (
    EXAMPLE_PEOPLE,
    EXAMPLE_SEED,
    checksums_of,
    example_as_of,
    load_example,
    write_example,
)
from casestrat.synthetic.writing import write_agency

__all__ = [
    "AS_OF",
    "EXAMPLE_PEOPLE",
    "EXAMPLE_SEED",
    "Agency",
    "checksums_of",
    "data_card",
    "example_as_of",
    "load_example",
    "synthesize",
    "synthesize_frames",
    "write_agency",
    "write_example",
]
