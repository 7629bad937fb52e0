"""What is shipped: a frame of programs, of instruments and of scorecards, with their licence, status and source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from casestrat.knowledge.instrument_file import load_instrument
from casestrat.knowledge.program_file import load_program
from casestrat.knowledge.scorecard_file import load_scorecard
from casestrat.knowledge.toml_file import shipped_names

if TYPE_CHECKING:
    from casestrat.knowledge.instrument import Instrument
    from casestrat.knowledge.program import Program
    from casestrat.knowledge.scorecard import Scorecard


def list_programs(lang: str = "en") -> pd.DataFrame:
    """Return the programs that are shipped.

    Parameters
    ----------
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    pandas.DataFrame
        One row per program: name, label, domain, version, licence, status, source, outcome, scorecard, instruments.

    Examples
    --------
    >>> "geriatric" in set(list_programs()["name"])
    True
    """
    rows = []
    for name in shipped_names("programs"):
        program = load_program(name)
        rows.append(
            {
                **_told(name, program, lang),
                "outcome": program.risk.outcome,
                "scorecard": program.risk.scorecard,
                "instruments": ", ".join(program.instruments),
            }
        )
    return pd.DataFrame(rows)


def list_instruments(lang: str = "en") -> pd.DataFrame:
    """Return the instruments that are shipped.

    Parameters
    ----------
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    pandas.DataFrame
        One row per instrument: name, label, domain, version, licence, status, source, confidence, items, variants.

    Examples
    --------
    >>> list_instruments().set_index("name").loc["phq9", "domain"]
    'mood'
    """
    rows = []
    for name in shipped_names("instruments"):
        instrument = load_instrument(name)
        rows.append(
            {
                **_told(name, instrument, lang),
                "confidence": instrument.confidence,
                "items": len(instrument.scored_items),
                "variants": ", ".join(instrument.variants),
            }
        )
    return pd.DataFrame(rows)


def list_scorecards(lang: str = "en") -> pd.DataFrame:
    """Return the scorecards that are shipped.

    Parameters
    ----------
    lang : {"en", "fr", "it"}
        Language of the labels.

    Returns
    -------
    pandas.DataFrame
        One row per card: name, label, domain, version, licence, status, source, kind, program, items. Instruments
        whose total is a sum of points can be read as cards too; they are in :func:`list_instruments`.

    Examples
    --------
    >>> set(list_scorecards()["kind"])
    {'expert'}
    """
    rows = []
    for name in shipped_names("scorecards"):
        card = load_scorecard(name)
        rows.append(
            {
                **_told(name, card, lang),
                "kind": card.kind,
                "program": card.program,
                "items": len(card.items),
            }
        )
    return pd.DataFrame(rows)


def _told(name: str, shipped: Program | Instrument | Scorecard, lang: str) -> dict[str, str]:
    """Return what every list tells first."""
    return {
        "name": name,
        "label": shipped.label.get(lang) or shipped.label["en"],
        "domain": shipped.domain,
        "version": shipped.version,
        "licence": shipped.licence,
        "status": shipped.status,
        "source": shipped.source,
    }
