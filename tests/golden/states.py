"""The states that pages of the recording show, made through the portal's own forms."""

import re
from functools import partial
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import text

from benchmarks.browser import ATTRIBUTE, FORM, INPUT, SELECT, form_fields
from portal.demo import history
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.feature_sweeps import list_sweeps
from tests.golden.visiting import run, signed_in
from tests.hostile.learners import MODULES
from tests.journeys.events_held import PEOPLE, hold_event
from tests.journeys.makings import ROSTER
from tests.journeys.prepared import file_asked
from tests.journeys.returns_made import keep_returns
from tests.journeys.test_plenary import run_opened
from tests.journeys.visiting import ADMINISTRATOR, AUTHOR, LEARNER, MANAGER, OWNER
from tests.journeys.walking import change
from tests.platform.tables.written_workbooks import xlsx

UUID_IN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def make_states(app: Flask, instance: Path) -> dict[str, str]:
    """What the addresses of pages name: attempts, drafts, imports, requests, an event, returns and more."""
    with transaction():
        history.create_drafts(AUTHOR, at=clock.now())
        history.ask_for_deferral(MANAGER, at=clock.now())
    sign_in = partial(signed_in, app, instance)
    event = hold_event(instance)
    made = {"event": event.reference, "signed_off": str(event.bookings[PEOPLE[-1]])}
    made |= make_attempts(sign_in(LEARNER))
    made |= make_drafts(sign_in(AUTHOR))
    made |= make_requests(sign_in(OWNER))
    made |= make_administration(sign_in(ADMINISTRATOR), instance)
    for make in (make for sweeps in list_sweeps() for make in getattr(sweeps, "MAKE_STATES", ())):
        made |= make(app, instance, sign_in)
    made |= make_imports(sign_in(ADMINISTRATOR))
    made |= save_report(sign_in(MANAGER))
    made |= keep_returns(instance)
    made["plenary"] = run_opened(SimpleNamespace(instance=instance))
    made["file"] = file_asked(SimpleNamespace(instance=instance), MANAGER)
    made["link"] = run(app, "accounts", "invite", "D5001").strip().rpartition("/")[2]
    db.session.rollback()
    return made


def id_in(path: str) -> str:
    """The id in an address."""
    found = UUID_IN.search(path)
    assert found, path
    return found[0]


def make_attempts(learner: Any) -> dict[str, str]:
    """One attempt passed, with its record, one failed, one under way."""
    learner.take(LEARNER, "protect")
    ((reference, (_, passed)),) = learner.told.passes.items()
    failed = reach_assessment(learner, "recognise")
    page = learner.page(f"/assessment/{failed}/items/1")
    while "/items/" in page.path:
        page = learner.press(page, "Save and continue")
    learner.press(page, "Submit answers")
    return {
        "passed": passed, "failed": failed, "under_way": reach_assessment(learner, "respond"),
        "reference": reference,
    }  # fmt: skip


def reach_assessment(learner: Any, module: str) -> str:
    """Read a module's lessons, and start its assessment."""
    assert module in MODULES
    for lesson in learner.content.lessons[module]:
        page = learner.page(f"/learning/modules/{module}/lessons/{lesson}")
        if "Mark as complete and continue" in page.text:
            page = learner.press(page, "Mark as complete and continue")
        learner.work_through(page)
    return id_in(learner.press(learner.page(f"/learning/modules/{module}"), "Start assessment").path)


def make_drafts(author: Any) -> dict[str, str]:
    """A module and a guide being written, a module sent for review, and a proposal for an event type."""
    for key in ("protect", "report", "_guides/who-to-call"):
        page = author.page(f"/authoring/{key}")
        if ">Edit<" in re.sub(r"\s", "", page.text):
            author.press(page, "Edit")
    author.press(author.page("/authoring/report/job-aid"), "Save and preview", title="Reporting, on one page")
    author.press(author.page("/authoring/report/review/send"), "Send for review", note="A shorter title.")
    page = author.page("/events/types/oic-hydra/change")
    sent = author.press(page, "Send to a publisher", minutes="270", note="Longer, with a break.")
    return {
        "draft": "protect", "sent": "report", "guide": "who-to-call",
        "type_proposal": sent.path.rpartition("/")[2].partition("?")[0],
    }  # fmt: skip


def make_requests(owner: Any) -> dict[str, str]:
    """The owner's requests of a day to come: one that waits, one granted, one that waits for two people."""
    for person in ("D1001", "D2002"):
        page = owner.page(f"/people/{person}/ask/exemption")
        asked = owner.press(
            page, "Send request", about="OIC-2026", from_on="1 June 2030", reason="secondment"
        )
    owner.press(asked, "Grant")
    waiting, granted = db.session.scalars(
        text(
            "SELECT r.uuid FROM decision_request r LEFT JOIN decision d ON d.request_id = r.id"
            " WHERE r.joint_uuid IS NULL AND r.id > (SELECT max(id) - 2 FROM decision_request) ORDER BY d.id"
        )
    ).all()
    db.session.rollback()
    page = owner.page("/decisions/directives/OIC-2026/exemption")
    people = [
        dict(ATTRIBUTE.findall(box))["value"] for box in INPUT.findall(page.text) if 'name="people"' in box
    ][:2]
    head, inside = next(found for found in FORM.findall(page.text) if "Continue" in found[1])
    fields = form_fields(inside, "Continue") | {"from_on": "1 July 2030", "reason": "secondment"}
    fields.pop("people")
    sent = [*fields.items(), *(("people", person) for person in people)]
    page = owner.follow(owner.post(dict(ATTRIBUTE.findall(head)).get("action") or page.path, sent))
    joint = owner.press(page, "Send request for", send="y")
    return {"asked": str(UUID(waiting)), "granted": str(UUID(granted)), "joint": id_in(joint.path)}


def make_administration(administrator: Any, instance: Path) -> dict[str, str]:
    """A job, a disposal, two requests of the learner and a hold."""
    page = administrator.page("/jobs")
    form = next(found for found in FORM.findall(page.text) if "Check of all assignments" in found[1])
    action = dict(ATTRIBUTE.findall(form[0])).get("action") or page.path
    job = administrator.follow(administrator.post(action, form_fields(form[1], "Start").items()))
    page = administrator.page("/retention/requests")
    made = {"job": id_in(job.path)}
    for kind in ("correction", "erasure"):
        page = administrator.press(
            administrator.page("/retention/requests"), "Note the request",
            staff_number=LEARNER, kind=kind, received="today", reason="By letter",
        )  # fmt: skip
        made[kind] = page.path.rpartition("/")[2].partition("?")[0]
    made["disposal"] = ask_disposal(administrator, instance)
    page = administrator.press(
        administrator.page("/retention/holds"), "Place the hold",
        scope="person", staff_number=MANAGER, reason="Case 7",
    )  # fmt: skip
    hold = re.search(r"/retention/holds/([^/\"]+)/lift", page.text)
    assert hold
    return made | {"hold": hold[1]}


def ask_disposal(administrator: Any, instance: Path) -> str:
    """A disposal of one old email, which waits."""
    change(
        instance,
        "INSERT INTO message (reference, person_id, kind, state, created_at, not_before, tries, reason)"
        " SELECT ?, person_id, 'notice', 'sent', ?, ?, 1, '' FROM person_name WHERE staff_number = ?",
        uuid4().hex,
        *["2015-01-01 09:00:00.000000"] * 2,
        MANAGER,
    )
    page = administrator.page("/retention/classes/mail")
    return id_in(administrator.press(page, "Ask for the disposal", reason="Yearly disposal").path)


def make_imports(administrator: Any) -> dict[str, str]:
    """Rosters: every row good, none good, a day in doubt, and a workbook with two sheets."""
    made = {}
    days = {"good": ("2026-01-05", ""), "bad": ("2026-01-05", "someday"), "unsure": ("5/1/2026", "")}
    for name, first_and_last in days.items():
        content = ROSTER.format(*first_and_last).encode()
        page = administrator.send_file("/imports/roster/new", f"{name}.csv", content)
        page = administrator.press(page, "Check the file", **chosen_values(page.text))
        made[name] = id_in(page.path)
        while name != "unsure" and page.path.endswith("/values"):
            page = administrator.press(page, "Check the file", **new_values(page.text))
    lists = {name: [["staff_number", "surname"], ["N1", "Hale"]] for name in ("April", "May")}
    made["several"] = id_in(administrator.send_file("/imports/roster/new", "several.xlsx", xlsx(lists)).path)
    return made | {"kept": keep_row(administrator)}


def chosen_values(page: str) -> dict[str, str]:
    """What each list of a page has chosen already."""
    return {
        dict(ATTRIBUTE.findall(head))["name"]: unescape(found[1])
        for head, options in SELECT.findall(page)
        if (found := re.search(r'<option[^>]*value="([^"]*)"[^>]*selected', options))
    }


def new_values(page: str) -> dict[str, str]:
    """For each list of values the choice that says that one is new."""
    return {
        dict(ATTRIBUTE.findall(head))["name"]: unescape(found[1])
        for head, options in SELECT.findall(page)
        if (found := re.search(r'<option[^>]*value="([^"]*)"[^>]*>\s*New:', options))
    }


def choose_option(head: str, options: str, words: str) -> tuple[str, str]:
    """The name of a list, and the value of its choice of these words, or no choice."""
    pairs = re.findall(r'<option[^>]*value="([^"]*)"[^>]*>\s*(.*?)\s*</option>', options, re.DOTALL)
    found = [value for value, text in pairs if text.startswith(words)] or [""]
    return dict(ATTRIBUTE.findall(head))["name"], unescape(found[0])


def keep_row(administrator: Any) -> str:
    """A kept completion of somebody who is not on the roster."""
    content = b"Staff number,Course,Completed on\nN404,recognise,2026-01-05\n"
    page = administrator.send_file("/imports/completions/new", "export.csv", content, kind="completion")
    columns = {"person": "Staff number", "requirement": "Course", "achieved_at": "Completed on"}
    chosen = dict(
        choose_option(
            head,
            options,
            columns.get(dict(ATTRIBUTE.findall(head))["name"].partition("_")[2], "Not in the file"),
        )
        for head, options in SELECT.findall(page.text)
    )
    chosen["person_by"] = "staff_number"
    page = administrator.press(
        page, "Check the file", **chosen, fixed_source_system="Old system",
        fixed_evidence="A list", keeps_unknown="y",
        save_as="Old system, nightly",
    )  # fmt: skip
    administrator.press(page, "Apply the import")
    found = re.search(r"/imports/kept/(\d+)/", administrator.page("/imports/kept").text)
    assert found
    return found[1]


def save_report(manager: Any) -> dict[str, str]:
    """A report that a manager saved and scheduled."""
    page = manager.page("/saved-reports/new?directive=OIC-2026&status=late")
    page = manager.press(page, "Save the report", name="Overdue in my unit")
    page = manager.press(page, "Email the report", every="week")
    return {"saved": id_in(page.path)}
