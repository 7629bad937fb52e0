"""The model card: what a reader must be told, by the items of TRIPOD+AI; what is not known is said to be so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from casestrat.errors import UsageError
from casestrat.knowledge.frozen import FrozenMap
from casestrat.knowledge.sentence import Sentence
from casestrat.knowledge.wording import load_wording
from casestrat.models.evaluation.model_card_contents import Known, contents

if TYPE_CHECKING:
    from casestrat.models.evaluation.drift import Drift
    from casestrat.models.evaluation.evaluation import Evaluation
    from casestrat.models.evaluation.model_comparison import ModelComparison
    from casestrat.models.evaluation.optimism import Optimism

SECTIONS = {
    "summary": ("1", "2"),
    "introduction": ("3a", "3b", "3c", "4"),
    "methods": (
        "5a", "5b", "6a", "6b", "6c", "7", "8a", "8b", "8c", "9a", "9b", "9c", "10", "11", "12a", "12b", "12c", "12d",
        "12e", "12f", "12g", "13", "14", "15", "16", "17",
    ),
    "open_science": ("18a", "18b", "18c", "18d", "18e", "18f"),
    "involvement": ("19",),
    "results": ("20a", "20b", "20c", "21", "22", "23a", "23b", "24"),
    "discussion": ("25", "26", "27a", "27b", "27c"),
}  # fmt: skip
"""The items of TRIPOD+AI (Collins et al. 2024), by section; their headings are in our own words."""

_OF_DATA = ("source", "setting", "data_start", "data_end", "as_of", "recorded_at", "split", "fingerprint", "n_people")
FORMAT = "casestrat-model-card/1"


@dataclass(frozen=True, slots=True)
class CardItem:
    """One item of the card.

    Parameters
    ----------
    id : str
        Its number in TRIPOD+AI, such as ``"8a"``.
    section : str
        Where it stands: summary, introduction, methods, open_science, involvement, results or discussion.
    heading : str
        What it is about, in the card's language.
    content : tuple of str
        What is told, one sentence each; "not reported" alone where nothing is known.
    is_reported : bool
        Whether anything is told.
    """

    id: str
    section: str
    heading: str
    content: tuple[str, ...]
    is_reported: bool


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is told of a model, item by item; made by :func:`casestrat.models.model_card`.

    Parameters
    ----------
    told : mapping of str to tuple of Sentence or label
        Item → what is told; items that are absent are not reported.
    lang : {"en", "fr", "it"}
        The language it is read in.
    """

    told: Mapping[str, tuple[Any, ...]] = field(default_factory=FrozenMap)
    lang: str = "en"

    @property
    def items(self) -> tuple[CardItem, ...]:
        """Every item of TRIPOD+AI in its order, in the card's language."""
        wording = load_wording(self.lang)
        items = []
        for section, ids in SECTIONS.items():
            for one in ids:
                sentences = tuple(_said(part, self.lang) for part in self.told.get(one, ()))
                content = sentences or (wording("card.not_reported"),)
                items.append(CardItem(one, section, wording(f"card.item_{one}"), content, bool(sentences)))
        return tuple(items)

    @property
    def n_reported(self) -> int:
        """How many items are reported."""
        return sum(item.is_reported for item in self.items)

    @property
    def title(self) -> str:
        """What the model is, in a line."""
        return self.item("1").content[0]

    def item(self, item_id: str) -> CardItem:
        """Return one item.

        Parameters
        ----------
        item_id : str
            Its number, such as ``"8a"``.

        Returns
        -------
        CardItem
            The item.

        Raises
        ------
        UsageError
            TRIPOD+AI has no such item.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise UsageError(f"no item is called '{item_id}'", do=f"choose one of: {', '.join(_ids())}")

    def in_language(self, lang: str) -> ModelCard:
        """Return the same card in another language; what a site wrote itself stays as it is.

        Parameters
        ----------
        lang : {"en", "fr", "it"}
            The language.

        Returns
        -------
        ModelCard
            The card.
        """
        load_wording(lang)
        return replace(self, lang=lang)

    def to_markdown(self) -> str:
        """Write the card as Markdown.

        Returns
        -------
        str
            A heading per section, and per item its number, heading and sentences.
        """
        wording = load_wording(self.lang)
        lines = [f"# {wording('card.title')}", "", self.title, ""]
        section = ""
        for item in self.items:
            if item.section != section:
                section = item.section
                lines += [f"## {wording(f'card.section_{section}')}", ""]
            lines.append(f"- **{item.id} {item.heading}.** " + " ".join(_ended(one) for one in item.content))
            if item.id == SECTIONS[section][-1]:
                lines.append("")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain content, to be kept beside a model.

        Returns
        -------
        dict
            The format, the language, and the items: id, section, heading, content, is_reported.
        """
        items = [
            {"id": one.id, "section": one.section, "heading": one.heading, "content": list(one.content),
             "is_reported": one.is_reported}
            for one in self.items
        ]  # fmt: skip
        return {"format": FORMAT, "lang": self.lang, "items": items}

    def to_json(self) -> str:
        """Write the card as JSON.

        Returns
        -------
        str
            The same text for the same card.
        """
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1, sort_keys=True)


def model_card(
    model: Any,
    evaluation: Evaluation | None = None,
    program: Any = None,
    *,
    data: Any = None,
    outcome: Any = None,
    optimism: Optimism | None = None,
    comparison: ModelComparison | None = None,
    drift: Drift | None = None,
    audit: Any = None,
    told: Mapping[str, Any] | None = None,
    lang: str = "en",
) -> ModelCard:
    """Gather what is known of a model into a card by the items of TRIPOD+AI.

    Nothing is invented: an item of which nothing is known says "not reported". What the library cannot know (ethics,
    funding, who took part, why the model was made) is told by the site in ``told``.

    Parameters
    ----------
    model : estimator
        The model or the scorecard; what was stored beside it (``stored_``) is used.
    evaluation : Evaluation, optional
        How it did on people it had not seen; its warnings become limitations.
    program : Program, optional
        Whom it is for, the outcome, the words of the features.
    data : Tables or mapping, optional
        What it was judged on: tables, or a mapping with source, setting, data_start, data_end, as_of, recorded_at,
        split (temporal, person, site or own), fingerprint, n_people.
    outcome : Outcome, optional
        The outcome; by default the one that the program's risk foretells.
    optimism : Optimism, optional
        Its optimism, corrected by the bootstrap.
    comparison : ModelComparison, optional
        How it stands beside other models on the same people.
    drift : Drift, optional
        How those it is used on differ from those it was made on.
    audit : LeakageAudit, optional
        Whether its features look ahead; by default what was stored with the model.
    told : mapping of str to str or label, optional
        Item → what the site says, in one language or as ``{"en": …, "fr": …}``; it stands before what is known.
    lang : {"en", "fr", "it"}
        The language of the card.

    Returns
    -------
    ModelCard
        Frozen; ``items``, ``to_markdown()``, ``to_dict()``, ``in_language(lang)``.

    Raises
    ------
    UsageError
        ``told`` names an item that TRIPOD+AI does not have, or ``data`` something that no item holds.

    References
    ----------
    Collins GS, Moons KGM, Dhiman P, et al. (2024). TRIPOD+AI statement: updated guidance for reporting clinical
    prediction models that use regression or machine learning methods. BMJ 385, e078378.

    Examples
    --------
    >>> from casestrat.models import PointScorecard
    >>> card = model_card(PointScorecard.from_table("geriatric_default"), told={"18a": "no outside funding"})
    >>> card.item("18a").content, card.item("17").content, card.item("17").is_reported
    (('no outside funding',), ('not reported',), False)
    """
    load_wording(lang)
    unknown = sorted(set(told or {}) - set(_ids()))
    if unknown:
        raise UsageError(
            f"TRIPOD+AI has no item {', '.join(unknown)}", where="told", do=f"name one of: {', '.join(_ids())}"
        )
    if outcome is None and program is not None:
        outcome = program.outcomes.get(program.risk.outcome)
    stored = getattr(model, "stored_", None) or {}
    known = Known(
        model, evaluation, program, outcome, FrozenMap(_data(data)), optimism, comparison, drift,
        audit.content() if audit is not None else stored.get("audit"), FrozenMap(stored),
    )  # fmt: skip
    found = {item: tuple(sentences) for item, sentences in contents(known).items() if sentences}
    for item, text in (told or {}).items():
        label = FrozenMap(dict(text)) if isinstance(text, Mapping) else str(text)
        found[item] = (label, *found.get(item, ()))
    return ModelCard(FrozenMap(found), lang)


def _ids() -> list[str]:
    """Return the numbers of all items."""
    return [one for ids in SECTIONS.values() for one in ids]


def _data(data: Any) -> dict[str, Any]:
    """Return what is known of the data, from tables or as it was told."""
    if data is None:
        return {}
    if hasattr(data, "extract") and hasattr(data, "persons"):
        extract = data.extract
        found = {name: getattr(extract, name, None) for name in ("data_start", "data_end", "recorded_at")}
        return {**found, "n_people": len(data.persons), "fingerprint": data.fingerprint}
    unknown = sorted(set(data) - set(_OF_DATA))
    if unknown:
        raise UsageError(
            f"nothing on the card holds {', '.join(unknown)}", where="data", do=f"choose among: {', '.join(_OF_DATA)}"
        )
    return dict(data)


def _said(part: Any, lang: str) -> str:
    """Return a sentence of the card: a statement, a label, or what a site wrote."""
    if isinstance(part, Sentence):
        return part.said(load_wording(lang))
    if isinstance(part, Mapping):
        return str(part.get(lang) or part.get("en") or next(iter(part.values()), ""))
    return str(part)


def _ended(sentence: str) -> str:
    """Return a sentence with its full stop."""
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
