"""The words of a page in every language, so that it can switch without a network."""

from __future__ import annotations

from casestrat.knowledge.wording import load_wording
from casestrat.reports.page_data import LANGUAGES


def page_words(*sections: str) -> dict[str, dict[str, str]]:
    """Return the words of these sections by language and name; a later section's word replaces an earlier one's."""
    return {lang: _merged(lang, sections) for lang in LANGUAGES}


def _merged(lang: str, sections: tuple[str, ...]) -> dict[str, str]:
    wording = load_wording(lang)
    return {name: text for section in sections for name, text in wording.section(section).items()}
