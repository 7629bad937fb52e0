"""The page that stands before several committee pages: one line a meeting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from casestrat.errors import UsageError
from casestrat.reports.page_data import check_language, in_all_languages, plain, program_labels, script_json
from casestrat.reports.page_words import page_words
from casestrat.reports.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import pandas as pd

    from casestrat.knowledge.program import Program

_FIELDS = ("href", "territory", "held_on", "places", "people", "assess_first")


def meetings_index(
    meetings: Iterable[Mapping[str, Any]],
    *,
    program: Program,
    lang: str = "en",
    as_of: date | str | pd.Timestamp | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """Return the page that leads to the committee page of each meeting.

    Parameters
    ----------
    meetings : iterable of mapping
        One mapping a meeting: ``href`` (file name of its page), ``territory``, ``held_on`` (None: no meeting is set),
        ``places`` (None: no cut), ``people`` (ranked) and ``assess_first`` (counts).
    program : Program
        The program, for its name.
    lang : {"en", "fr", "it"}
        The language the page opens in.
    as_of : date, optional
        The day the lists speak of.
    links : mapping of str to str, optional
        ``caseload``: file name of the caseload page.

    Returns
    -------
    str
        The HTML of the page; the same bytes for the same arguments.

    Raises
    ------
    UsageError
        If the language is unknown or a meeting has no page.

    Examples
    --------
    >>> from casestrat.knowledge import load_program
    >>> page = meetings_index([{"href": "committee-M1.html", "territory": "North", "held_on": "2026-10-12",
    ...                         "places": 8, "people": 63, "assess_first": 4}], program=load_program("geriatric"))
    >>> "committee-M1.html" in page
    True
    """
    check_language(lang)
    rows = [{name: plain(one.get(name)) for name in _FIELDS} for one in meetings]
    if any(not row["href"] for row in rows):
        raise UsageError(
            "a meeting has no page to lead to", where="meetings", do="give `href`, the file name of its page"
        )
    data = {
        "lang": lang,
        "words": page_words("pages", "committee_page"),
        "labels": program_labels(program),
        "program": {"id": program.id, "version": program.version},
        "as_of": plain(as_of),
        "meetings": rows,
        "links": {name: href for name, href in dict(links or {}).items() if name == "caseload"},
    }
    name = in_all_languages(program.label, program.id)[lang]
    return render("meetings.html.j2", data=script_json(data), lang=lang, words=data["words"][lang], program_name=name)
