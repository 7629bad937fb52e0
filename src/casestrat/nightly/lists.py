"""Lists that people open in a spreadsheet: what each column holds, and how a cell is said in the site's language.

Parquet files keep columns and codes in English; only these lists are translated. Ids, and what a site named itself
(territories, teams, case managers), stay as they are everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from casestrat.allocation.admission.hiring import hire_words
from casestrat.knowledge import Wording, load_wording
from casestrat.nightly.files import csv_bytes
from casestrat.tables import TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from casestrat.knowledge import Program

LISTS = ("waiting_list", "assess_first", "allocation", "unassigned", "workload", "caseload", "set_aside", "admissible",
         "hiring", "binding", "expiring")  # fmt: skip
"""The outputs that are also written as CSV; a run beside another one writes ``difference`` too."""

_WINDOW = re.compile(r"_\d+d$")  # of an indicator: its period has columns of its own


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a language and of a program."""

    wording: Wording
    program: Program

    def of(self, key: str, otherwise: str) -> str:
        """Return the words of a key, or the code itself where no language has any."""
        return self.wording(key) if key in self.wording else otherwise

    def label(self, labels: Mapping[str, str], otherwise: str) -> str:
        """Return a label of the program, in English where it has none in the language."""
        return labels.get(self.wording.language) or labels.get("en") or otherwise.replace("_", " ")

    def tier(self, code: str) -> str:
        """Return the name of a tier."""
        found = next((tier.label for tier in self.program.tiers if tier.id == code), None)
        return self.of(f"tier.{code}", code) if found is None else self.label(found, code)

    def feature(self, name: str) -> str:
        """Return the label of a feature; or of an answer of the referral form."""
        found = next((spec.label for spec in self.program.features if spec.name == name), None)
        return self.of(f"pages.input_{name}", name.replace("_", " ")) if found is None else self.label(found, name)

    def indicator(self, name: str) -> str:
        """Return the name of an indicator, with the intensity it is about."""
        bare = _WINDOW.sub("", name)
        intensity = next((one for one in self.program.intensities if bare.endswith(f"_{one}")), None)
        stem = bare if intensity is None else bare.removesuffix(f"_{intensity}")
        words = self.of(f"caseload_page.indicator_{stem}", stem.replace("_", " "))
        if intensity is None:
            return words
        return f"{words} · {self.label(self.program.intensities[intensity].label, intensity)}"


Say: TypeAlias = Callable[[pd.Series, pd.DataFrame, Words], pd.Series]


def _each(column: pd.Series, say: Callable[[str], str]) -> pd.Series:
    """Say each different cell once; missing cells stay missing."""
    return column.map({value: say(value) for value in column.dropna().unique()}).astype(TEXT)


def code(prefix: str) -> Say:
    """Return how codes of one kind are said: their words are kept under the prefix."""
    return lambda column, _frame, words: _each(column, lambda one: words.of(f"{prefix}{one}", one))


def flag(column: pd.Series, _frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say yes, no or unknown."""
    said = {True: words.wording("pages.yes"), False: words.wording("pages.no")}
    return column.astype("boolean").map(said).astype(TEXT).fillna(words.wording("pages.unknown"))


def tier(column: pd.Series, _frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say the name that the program gives a tier."""
    return _each(column, words.tier)


def features(column: pd.Series, _frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say the labels of several features."""
    return _each(column, lambda one: _listed(one, words.feature))


def parts(column: pd.Series, _frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say the names of several parts of the index."""
    return _each(column, lambda one: _listed(one, lambda part: words.of(f"committee_page.part_{part}", part)))


def indicator(column: pd.Series, _frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say the name of an indicator."""
    return _each(column, words.indicator)


def group(column: pd.Series, frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say which tier, or that it is everyone or nobody's; teams and territories are the site's own."""
    of_tier = _each(column.where(frame["group_kind"] == "tier"), words.tier)
    everyone = _each(column.where(frame["group_kind"] == "all"), lambda one: words.of(f"group_kind.{one}", one))
    nobody = {"unassigned": words.wording("caseload_page.without_lead"), "unknown": words.wording("pages.unknown")}
    return of_tier.fillna(everyone).fillna(column.replace(nobody))


def hired(column: pd.Series, frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say the language that a hire is for; teams, skills and places are the site's own."""
    spoken = _each(column.where(frame["kind"] == "language"), lambda one: words.of(f"allocation.language_{one}", one))
    return spoken.fillna(column)


def hire(_column: pd.Series, frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say what hire it is."""
    pairs = zip(frame["kind"], frame["value"].fillna(""), strict=True)
    return pd.Series([hire_words(kind, value).said(words.wording) for kind, value in pairs], frame.index, dtype=TEXT)


def broken_rule(_column: pd.Series, frame: pd.DataFrame, words: Words) -> pd.Series:
    """Say the rule that holds cases up."""
    return code("pages.rule_")(frame["rule"], frame, words)


def sentence(column: pd.Series, _frame: pd.DataFrame, _words: Words) -> pd.Series:
    """Keep a sentence: it was made in the language of the list."""
    return column


def _listed(names: str, say: Callable[[str], str]) -> str:
    """Say several names; a label may hold a comma, so semicolons part them."""
    return "; ".join(say(name.strip()) for name in re.split("[,;]", names) if name.strip())


CELLS: dict[str, dict[str, Say]] = {
    "waiting_list": {
        "tier": tier, "criteria": code("criteria."), "key_deadline": flag, "decided_by": code("rule."),
        "is_proposed": flag, "in_tied_zone": flag, "imputed": parts,
    },
    "assess_first": {"missing_items": features, "criteria": code("criteria.")},
    "allocation": {"kind": code("kind."), "is_new": flag, "why": sentence},
    "unassigned": {
        "kind": code("kind."), "rule": code("pages.rule_"), "reason": sentence, "relaxation": sentence,
    },
    "workload": {},
    "caseload": {"indicator": indicator, "group_kind": code("group_kind."), "group": group, "is_suppressed": flag},
    "set_aside": {"rule": sentence, "expected": sentence},
    "moves": {"kind": code("kind."), "reason": code("move."), "why": sentence},
    "frontier": {},
    "cover": {"how": code("cover."), "reason": sentence},
    "handover": {
        "kind": code("kind."), "because": code("because."), "open_crisis": flag,
        "last_contact_kind": code("contact."), "was_told": flag,
    },
    "step_down": {"tier": tier},
    "admissible": {
        "is_proposed": flag, "admissible_now": flag, "blocked_by": code("pages.rule_"), "reason": sentence,
        "relaxation": sentence,
    },
    "hiring": {"kind": code("kind."), "value": hired, "method": code("method."), "what": hire},
    "binding": {"kind": code("kind."), "rule": code("pages.rule_"), "reason": broken_rule},
    "expiring": {"kind": code("kind.")},
    "difference": {"change": code("change."), "was_proposed": flag, "is_proposed": flag},
}  # fmt: skip
"""Output → column → how its cells are said; numbers, days, ids and the site's own codes are not named."""


def list_bytes(name: str, frame: pd.DataFrame, program: Program, lang: str) -> bytes:
    """Return a list as the spreadsheet of a language opens it.

    Parameters
    ----------
    name : str
        Name of the output.
    frame : pandas.DataFrame
        Its rows; sentences are in the language already.
    program : Program
        The program, for the names of its tiers, features and intensities.
    lang : {"en", "fr", "it"}
        The language.

    Returns
    -------
    bytes
        CSV: headers and cells in words, and the separator and decimal mark of the language.
    """
    words = Words(load_wording(lang), program)
    said = {column: say(frame[column], frame, words) for column, say in CELLS[name].items()}
    return csv_bytes(frame.assign(**said), words.wording)
