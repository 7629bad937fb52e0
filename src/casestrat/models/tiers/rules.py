"""Ordered rules that give a tier or ask for an override, and say which rule fired; an unknown answer never fires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from casestrat.errors import KnowledgeError, UsageError
from casestrat.knowledge.program_tiers import RuleSpec
from casestrat.knowledge.three_valued import Expression, NotAtHand, Value, is_missing, read_expression, value_of
from casestrat.tables.columns import TEXT
from casestrat.tables.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from casestrat.knowledge.program import Program

HOWS = ("is", "at_least", "at_most")
_KEYS = ("id", "expression", "tier", "how", "override")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Ordered rules; for each person the first that holds gives the tier, and the first that asks the override.

    A rule is a condition in the language of the admission criteria, over the features and the scores known on the date.
    Its answer is yes, no or unknown. An unknown never fires, and never without a word: the inputs that leave an earlier
    rule open are named, so that somebody asks.

    Parameters
    ----------
    rules : sequence of RuleSpec or mapping
        The rules, the first first: ``id``, ``expression``, and ``tier``, ``override`` (1 or more) or both. ``how`` is
        ``"is"`` (the tier, whatever the cut-offs say), ``"at_least"`` or ``"at_most"``.

    Examples
    --------
    >>> rules = RuleSet([{"id": "crisis", "expression": "crises_30d >= 1", "tier": "high"},
    ...                  {"id": "alone", "expression": "lives_alone and age >= 85", "tier": "medium"}])
    >>> people = pd.DataFrame({"crises_30d": [1.0, 0.0, None], "lives_alone": [0.0, 1.0, 1.0], "age": [70, 90, 88]},
    ...                       index=pd.Index(["P1", "P2", "P3"], name="person_id"))
    >>> rules.apply(people)[["tier", "rule", "unknown_inputs"]].to_numpy().tolist()
    [['high', 'crisis', ''], ['medium', 'alone', ''], ['medium', 'alone', 'crises_30d']]
    """

    rules: tuple[RuleSpec, ...]

    def __init__(self, rules: Sequence[RuleSpec | Mapping[str, Any]] = ()) -> None:
        read = tuple(_read(rule, number) for number, rule in enumerate(rules, start=1))
        twice = sorted({rule.id for rule in read if [one.id for one in read].count(rule.id) > 1})
        if twice:
            raise UsageError(f"two rules have the id {twice[0]!r}", where="rules", do="rename one of them")
        object.__setattr__(self, "rules", read)

    @classmethod
    def from_program(cls, program: Program) -> RuleSet:
        """Return the rules of a program's ``[[tier_rules]]``.

        Parameters
        ----------
        program : Program
            The program.

        Returns
        -------
        RuleSet
            Its rules, in the order of the file; none where it has none.
        """
        return cls(program.tier_rules)

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that the rules read, each once."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in read_expression(rule.expression).names))

    @property
    def fingerprint(self) -> str:
        """Hash of the rules and their order."""
        return fingerprint_of(self.rules)

    def apply(self, X: pd.DataFrame) -> pd.DataFrame:
        """Answer the rules for each row, and say which of them fired.

        Parameters
        ----------
        X : pandas.DataFrame
            Features, and scores where rules read them. A column that is not there is unknown for everyone.

        Returns
        -------
        pandas.DataFrame
            One row per row of ``X``, same index: tier (missing where no rule gives one), how (``is``, ``at_least``,
            ``at_most``), rule (the id of the one that gave it), override (0 none, greater asks to be sooner),
            override_rule, and unknown_inputs (``;``-separated: what would have to be known to answer an earlier rule).

        Raises
        ------
        KnowledgeError
            A rule compares a text with a number, puts texts in order, or reads a date.
        """
        n = len(X)
        values: dict[str, Value] = {
            name: value_of(X[name], name) if name in X.columns else NotAtHand() for name in self.names
        }
        tier, override = _Fired(n), _Fired(n)
        open_inputs = np.zeros((n, len(self.names)), dtype=bool)
        for number, rule in enumerate(self.rules):
            expression = read_expression(rule.expression, where=f"rule {rule.id}")
            answer = expression.evaluate(values, n)
            is_unknown = np.asarray(answer.isna())
            undecided = np.zeros(n, dtype=bool)
            for stream, is_asked in ((tier, rule.tier is not None), (override, rule.override > 0)):
                if is_asked:
                    undecided |= stream.by < 0
                    stream.fire(np.asarray(answer.to_numpy(dtype=bool, na_value=False)), number)
            self._note(open_inputs, expression, values, is_unknown & undecided)
        return self._told(X.index, tier.by, override.by, open_inputs)

    def _note(
        self, open_inputs: np.ndarray, expression: Expression, values: Mapping[str, Value], rows: np.ndarray
    ) -> None:
        """Mark the unknown inputs of a rule in the rows where its answer would have counted."""
        for name in expression.names:
            open_inputs[:, self.names.index(name)] |= rows & is_missing(values[name], len(rows))

    def _told(
        self, index: pd.Index, by_tier: np.ndarray, by_override: np.ndarray, open_inputs: np.ndarray
    ) -> pd.DataFrame:
        """Return what fired, in words."""
        ids = [rule.id for rule in self.rules]
        overrides = np.array([*(rule.override for rule in self.rules), 0], dtype="int64")
        columns = {
            "tier": _taken([rule.tier for rule in self.rules], by_tier),
            "how": _taken([rule.how for rule in self.rules], by_tier),
            "rule": _taken(ids, by_tier),
            "override": pd.array(overrides[by_override], dtype="Int64"),
            "override_rule": _taken(ids, by_override),
            "unknown_inputs": _joined(open_inputs, self.names),
        }
        return pd.DataFrame(columns, index=index)


class _Fired:
    """Number of the first rule that fired for each row, −1 for none."""

    def __init__(self, n: int) -> None:
        self.by = np.full(n, -1)

    def fire(self, holds: np.ndarray, number: int) -> None:
        self.by[(self.by < 0) & holds] = number


def _read(rule: RuleSpec | Mapping[str, Any], number: int) -> RuleSpec:
    """Return a rule, checked."""
    where = f"rules, number {number}"
    if isinstance(rule, Mapping):
        strange = sorted(set(rule) - set(_KEYS))
        lacking = [key for key in ("id", "expression") if key not in rule]
        if strange or lacking:
            what = f"lacks {lacking[0]!r}" if lacking else f"has the unknown key {strange[0]!r}"
            raise UsageError(f"a rule {what}", where=where, do=f"give {', '.join(_KEYS)}")
        rule = RuleSpec(**rule)
    if not isinstance(rule, RuleSpec):
        raise UsageError(f"expected rules; found {type(rule).__name__}", where=where, do="give mappings or RuleSpec")
    where = f"rule {rule.id}"
    if rule.tier is None and not rule.override:
        raise UsageError("a rule gives a tier, an override or both", where=where, do="give `tier` or `override`")
    if rule.how not in HOWS:
        raise UsageError(f"`how` is one of {', '.join(HOWS)}; found {rule.how!r}", where=where)
    if isinstance(rule.override, bool) or not isinstance(rule.override, int) or rule.override < 0:
        raise UsageError("an override is a whole number, 1 or more", where=where)
    try:
        read_expression(rule.expression, where=where)
    except KnowledgeError as fault:
        raise KnowledgeError(fault.what, where=where, do=fault.do) from fault
    return rule


def _taken(words: Sequence[str | None], which: np.ndarray) -> Any:
    """Return one word per row, missing where none was chosen (−1)."""
    return pd.array([*words, None], dtype=TEXT).take(which)


def _joined(flags: np.ndarray, names: Sequence[str]) -> Any:
    """Return the names marked in each row, ``;``-separated; each pattern is written once."""
    if not names or not flags.any():
        return pd.array([""], dtype=TEXT).take(np.zeros(len(flags), dtype=int))
    patterns, which = np.unique(flags, axis=0, return_inverse=True)
    words = [";".join(np.array(names, dtype=object)[row]) for row in patterns]
    return pd.array(words, dtype=TEXT).take(which.reshape(-1))
