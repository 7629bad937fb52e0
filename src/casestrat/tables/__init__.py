"""The contract of every table, and the checked tables of one extract."""

from casestrat.tables.columns import TEXT
from casestrat.tables.contracts import CONTRACTS, describe_tables
from casestrat.tables.drafting import draft_site
from casestrat.tables.extract import Extract
from casestrat.tables.fingerprint import fingerprint_of, fingerprint_of_frame
from casestrat.tables.outputs import OUTPUTS
from casestrat.tables.reading import read_tables
from casestrat.tables.splitting import ObservationRecorded, observation_recorded, split_tables, split_with_codes
from casestrat.tables.tables import Tables
from casestrat.tables.vocabulary import Vocabulary
from casestrat.tables.writing import write_tables

__all__ = [
    "CONTRACTS",
    "OUTPUTS",
    "TEXT",
    "Extract",
    "ObservationRecorded",
    "Tables",
    "Vocabulary",
    "describe_tables",
    "draft_site",
    "fingerprint_of",
    "fingerprint_of_frame",
    "observation_recorded",
    "read_tables",
    "split_tables",
    "split_with_codes",
    "write_tables",
]
