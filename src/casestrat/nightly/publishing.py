"""Every file of a run, staged in one folder that is then put in place by one rename."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd

from casestrat._version import __version__
from casestrat.nightly.caseload_frames import OTHER_LANGUAGES, admission_frames, new_leads, plan_frames, with_languages
from casestrat.nightly.difference import difference_of
from casestrat.nightly.files import json_bytes, output_error, parquet_bytes, to_contract, write_atomic
from casestrat.nightly.lists import LISTS, list_bytes
from casestrat.nightly.manifest import MANIFEST, SCHEMA, RunFolders, list_files
from casestrat.nightly.staffing import admissible_in
from casestrat.reports import caseload_page, committee_page, meetings_index

if TYPE_CHECKING:
    from pathlib import Path

    from casestrat.nightly.ranking import CommitteeList
    from casestrat.nightly.results import Results

_SENTENCES = {"allocation": ("why",), "unassigned": ("reason", "relaxation")}


def stage(results: Results, folders: RunFolders, lang: str) -> dict[str, Any]:
    """Write every file of a run in its staging folder.

    Parameters
    ----------
    results : Results
        The frames of the run.
    folders : RunFolders
        Where it works.
    lang : str
        Language of the lists, and the language in which the pages open.

    Returns
    -------
    dict
        The manifest.
    """
    folder = folders.staged
    try:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "meetings").mkdir(parents=True)
    except OSError as fault:
        raise output_error(fault, folder) from None
    for name, frame in results.frames.items():
        write_atomic(folder / f"{name}.parquet", parquet_bytes(frame))
        if name in LISTS:
            told = told_frame(results, name, lang)
            write_atomic(folder / f"{name}.csv", list_bytes(name, told, results.program, lang))
    _write_pages(results, folder, lang)
    _write_difference(results, folders, lang)
    manifest = _manifest(results, folders, folder)
    write_atomic(folder / MANIFEST, json_bytes(manifest))
    return manifest


def told_frame(results: Results, name: str, lang: str) -> pd.DataFrame:
    """Return an output with its sentences in a language."""
    frame = results.frames[name]
    if name == "set_aside":
        return to_contract(results.tables.set_aside_in(lang), name)
    if name == "admissible" and results.staffing is not None:
        return admissible_in(results.staffing, lang, pd.Timestamp(results.inputs.as_of))
    if name in _SENTENCES and results.plan is not None:
        plan = results.plan.in_language(lang)
        told = {"allocation": plan.assignments, "unassigned": plan.unassigned}[name]
        return to_contract(told.assign(as_of=pd.Timestamp(results.inputs.as_of)), name)
    return frame


def _spoken(results: Results) -> dict[str, pd.DataFrame]:
    """Return the outputs that hold sentences, as the pages take them."""
    return {name: frame for name in _SENTENCES if (frame := _in_all_languages(results, name)) is not None}


def _in_all_languages(results: Results, name: str) -> pd.DataFrame | None:
    """Return an output with its sentences in each language that a page can switch to: ``why_fr`` beside ``why``."""
    frame = results.frames.get(name)
    if frame is None:
        return None
    told = {lang: told_frame(results, name, lang) for lang in OTHER_LANGUAGES}
    return with_languages({"en": frame, **told}, _SENTENCES[name])


def _write_difference(results: Results, folders: RunFolders, lang: str) -> None:
    """Where another run of this date stands already, tell what this one changes; that run is never touched."""
    standing = folders.first / "waiting_list.parquet"
    if folders.target() == folders.first or not standing.is_file():
        return
    before = pd.read_parquet(standing)
    changed = difference_of(before, results.frames["waiting_list"])
    write_atomic(folders.staged / "difference.csv", list_bytes("difference", changed, results.program, lang))


def _write_pages(results: Results, folder: Path, lang: str) -> None:
    for one in results.lists:
        if one.meeting is not None:
            write_atomic(
                folder / "meetings" / f"{file_name(one.meeting.meeting_id)}.json", one.meeting.to_json().encode()
            )
    spoken = _spoken(results)
    pages = {page_name(one, results.lists): _committee_page(results, one, lang, spoken) for one in results.lists}
    for name, page in pages.items():
        write_atomic(folder / name, page.encode())
    if len(results.lists) > 1:
        write_atomic(folder / "committee.html", _index(results, lang).encode())
    write_atomic(folder / "caseload.html", team_page(results, lang, {"committee": "committee.html"}).encode())


def team_page(results: Results, lang: str, links: dict[str, str]) -> str:
    """Return the caseload page of a night, with what the plan tells beside its lists.

    Parameters
    ----------
    results : Results
        The frames of the run.
    lang : str
        The language in which the page opens.
    links : dict of str to str
        Names of files beside the page.

    Returns
    -------
    str
        The HTML of the page.
    """
    spoken = _spoken(results)
    tables, program, plan = results.tables, results.program, results.plan
    date = pd.Timestamp(results.inputs.as_of)
    told: dict[str, Any] = {}
    if plan is not None and results.staffing is not None:
        told = plan_frames(plan, results.problem, tables, program, date, results.staffing)
        told |= admission_frames(tables, results.staffing.admission)
        told["handover"] = new_leads(plan, tables, program, date)
    return caseload_page(
        workload=results.frames.get("workload"),
        allocation=spoken.get("allocation"),
        unassigned=spoken.get("unassigned"),
        indicators=results.frames["caseload"],
        flow=results.flow,
        contacts=results.contacts,
        tiers=results.frames["risk"],
        program=program,
        as_of=results.inputs.as_of,
        lang=lang,
        fingerprints=results.inputs.fingerprints,
        links=links,
        **told,
    )


def _index(results: Results, lang: str) -> str:
    return meetings_index(
        _links(results),
        program=results.program,
        lang=lang,
        as_of=results.inputs.as_of,
        links={"caseload": "caseload.html"},
    )


def _committee_page(results: Results, one: CommitteeList, lang: str, spoken: dict[str, pd.DataFrame]) -> str:
    ids = pd.concat([one.ranked["person_id"], one.assess_first["person_id"]])
    frames = {name: results.frames[name] for name in ("reasons", "criteria", "risk")} | spoken
    mine = {name: frame[frame["person_id"].isin(ids)] for name, frame in frames.items()}
    meeting = json.loads(one.meeting.to_json()) if one.meeting is not None else _no_meeting(results, one)
    meetings = {"meetings": "committee.html"} if len(results.lists) > 1 else {}
    return committee_page(
        meeting=meeting,
        ranked=one.ranked,
        reasons=mine["reasons"],
        criteria=mine["criteria"],
        assess_first=one.assess_first,
        allocation=mine.get("allocation"),
        unassigned=mine.get("unassigned"),
        services=results.tables.services,
        tiers=mine["risk"],
        people=results.tables.persons[results.tables.persons["person_id"].isin(ids)],
        program=results.program,
        lang=lang,
        links={"list": "waiting_list.csv", "caseload": "caseload.html"} | meetings,
    )


def _no_meeting(results: Results, one: CommitteeList) -> dict[str, Any]:
    """Return the head of a list without a planned meeting: no cut, no decisions to record."""
    return {
        "meeting_id": None, "held_on": None, "territory": one.territory, "places": None, "list_fingerprint": None,
        "as_of": results.inputs.as_of, "fingerprints": results.inputs.fingerprints, "rows": [],
    }  # fmt: skip


def _links(results: Results) -> list[dict[str, Any]]:
    return [
        {
            "href": page_name(one, results.lists),
            "territory": one.territory,
            "held_on": one.held_on,
            "places": one.places,
            "people": len(one.ranked),
            "assess_first": len(one.assess_first),
        }
        for one in results.lists
    ]


def page_name(one: CommitteeList, lists: tuple[CommitteeList, ...]) -> str:
    """Return the file name of a list's page: ``committee.html`` where there is one list only."""
    if len(lists) == 1:
        return "committee.html"
    return f"committee-{file_name(one.meeting.meeting_id) if one.meeting is not None else 'no-meeting'}.html"


def file_name(identifier: str) -> str:
    """Return an id as a file name: the id itself where it can be one, else with the odd characters spelled out."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"~{ord(c):x}" for c in identifier)


def _manifest(results: Results, folders: RunFolders, folder: Path) -> dict[str, Any]:
    extract = results.tables.extract
    return {
        "schema": SCHEMA,
        "run_id": folders.run_id,
        "as_of": results.inputs.as_of,
        "casestrat": __version__,
        "program": {"id": results.program.id, "version": results.program.version},
        "fingerprints": results.inputs.fingerprints,
        "lang": results.inputs.lang,
        "learned_ranking_reason": results.inputs.learned_ranking_reason,
        **({} if results.shadow is None else {"shadow": results.shadow}),
        **({"previous_run": results.inputs.previous} if results.inputs.previous else {}),
        "extract": {
            "data_start": None if extract.data_start is None else f"{extract.data_start:%Y-%m-%d}",
            "data_end": None if extract.data_end is None else f"{extract.data_end:%Y-%m-%d}",
            "timezone": extract.timezone,
            "recorded_at": extract.recorded_at,
        },
        "counts": results.counts,
        "left_out": list(results.left_out),
        "partitions": results.parts,
        "meetings": [one.meeting.meeting_id for one in results.lists if one.meeting is not None],
        "files": list_files(folder),
    }
