"""An administrator makes the copy of everything held about a person, by the page and by the command."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.platform.audit import AuditEvent, FilePeople, holds_person
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.imports.rosters import run
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account

PATH = "/people/Q1001/subject-access"


@pytest.fixture
def reader(client: PortalClient) -> int:
    """The person whose copy is made, with a manager; the administrator is signed in."""
    unit = make_unit("Response")
    manager = make_person(unit, staff_number="Q1002", surname="Zzyzx", forenames="Zebedee")
    person = make_person(unit, staff_number="Q1001", surname="Reader", forenames="Rosa", manager=manager)
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    let_in(client, "D9001")
    return person


def exports() -> list[AuditEvent]:
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.action == "subject_access.exported")))


def test_the_account_leads_to_the_copy_which_names_nobody_else_and_is_audited(
    client: PortalClient, reader: int
) -> None:
    page = client.page(
        client.page("/people/Q1001/account").links["A copy of everything held about Constable Rosa Reader"]
    )
    answers = {
        form: client.post(PATH, data={**page.form_with("Make the PDF").fields, "format": form})
        for form in ("pdf", "json")
    }

    copy = json.loads(answers["json"].data)
    rows = {section["heading"]: section["rows"] for section in copy["sections"]}
    assert page.h1 == "Everything held about Constable Rosa Reader"
    assert answers["pdf"].data.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in answers["pdf"].data
    assert rows["Your posts"][0]["line_manager_id"] == "your line manager"
    assert rows["Your name and contact details"][0]["surname"] == "Reader"
    assert "Zzyzx" not in answers["json"].text
    pdf_event, json_event = exports()
    assert (pdf_event.detail["format"], json_event.detail["format"]) == ("pdf", "json")
    assert pdf_event.subject_id == reader
    assert holds_person(db.session.get_one(FilePeople, json_event.id).people, reader)
    told = [row["action"] for row in rows["What was done to or about you"]]
    assert "subject_access.exported" in told  # the PDF, in the later copy


def test_a_copy_is_made_only_after_a_recent_sign_in(client: PortalClient, reader: int) -> None:
    page = client.page(PATH)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15)):
        later = client.press(page, "Make the PDF")

    assert later.h1 == "Sign in again to continue"
    assert exports() == []


def test_a_copy_that_is_too_large_for_a_page_is_left_to_the_command(
    client: PortalClient, reader: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.pages.people.views.MOST_ENTRIES", 1)

    refused = client.press(client.page(PATH), "Make the PDF", status=422)

    assert "flask people subject-access Q1001 --output FILE" in refused.text
    assert exports() == []


def test_the_command_writes_a_file_that_only_its_user_reads(
    app: Flask, database: None, tmp_path: Path
) -> None:
    make_person(make_unit("Response"), staff_number="Q1001")

    made = run(app, "people", "subject-access", "Q1001", "--output", tmp_path / "copy.json")
    wrong = run(app, "people", "subject-access", "Q1001", "--output", tmp_path / "copy.doc")
    nobody = run(app, "people", "subject-access", "Q9", "--output", tmp_path / "other.json")

    assert made.exit_code == 0
    assert json.loads((tmp_path / "copy.json").read_bytes())["staff_number"] == "Q1001"
    assert (tmp_path / "copy.json").stat().st_mode & 0o077 == 0
    assert (wrong.exit_code, nobody.exit_code) == (2, 1)
    assert [event.actor_id for event in exports()] == [None]
    assert not (tmp_path / "other.json").exists()


def test_a_page_refuses_what_it_does_not_make(client: PortalClient, reader: int) -> None:
    fields = client.page(PATH).form_with("Make the PDF").fields

    refused = client.post(PATH, data={**fields, "format": "xls"})

    assert refused.status_code == 422
    assert "Choose the PDF or the JSON file." in refused.text
    assert exports() == []
