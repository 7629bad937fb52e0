"""The page before several committee pages."""

from __future__ import annotations

import pytest

from casestrat.errors import UsageError
from casestrat.reports import meetings_index

NORTH = {
    "href": "committee-M1.html",
    "territory": "North",
    "held_on": "2026-10-12",
    "places": 8,
    "people": 63,
    "assess_first": 4,
}


def test_each_meeting_leads_to_its_page(program, data_of):
    later = {
        "href": "committee-no-meeting.html",
        "territory": "",
        "held_on": None,
        "places": None,
        "people": 3,
        "assess_first": 0,
    }
    data = data_of(meetings_index([NORTH, later], program=program, as_of="2026-10-01", lang="fr"))
    assert data["meetings"] == [NORTH, later]
    assert data["as_of"] == "2026-10-01"


def test_a_meeting_without_a_page_is_refused(program):
    with pytest.raises(UsageError, match="no page to lead to"):
        meetings_index([{**NORTH, "href": None}], program=program)


def test_only_the_caseload_page_is_linked_besides(program, data_of):
    data = data_of(meetings_index([], program=program, links={"caseload": "caseload.html", "other": "x.html"}))
    assert data["links"] == {"caseload": "caseload.html"}
