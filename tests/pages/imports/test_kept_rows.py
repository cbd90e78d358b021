"""Rows of people who are not on the roster: kept if a profile says so, proposed when they come, erased."""

from datetime import UTC, date, datetime, timedelta
from threading import Event

import pytest
import time_machine
from sqlalchemy import select

from portal.commands.jobs import make_worker_setup
from portal.domain.imports import services
from portal.domain.imports.models import ImportContent, KeptRow
from portal.domain.people.queries import person_by_staff_number
from portal.domain.records.models import Record
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.registry import task_of_kind
from portal.platform.jobs.worker import JobRunner
from tests.domain.imports.desk import (
    administrator,
    csv_of,
    row,
    sections,
    selected_values,
    upload,
    upload_and_check,
)
from tests.domain.imports.rosters import run, write_csv
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.jobs import run_job
from tests.pages.account.browsing import another, let_in

EXPORT = ("Staff number", "Course", "Completed on")
DAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today(database):
    with time_machine.travel(DAY, tick=True) as traveller:
        yield traveller


@pytest.fixture
def force(client):
    place = make_unit("Westshire Police")
    make_version("respond", title="Respond: at the scene")
    make_person(place, staff_number="W1")
    administrator(client)
    return place


def export(*numbers):
    return csv_of(
        [dict(zip(EXPORT, (number, "Respond", "14/03/2026"), strict=True)) for number in numbers], EXPORT
    )


def check(client, content, **fields):
    page = upload(client, content, "completions", "export.csv", shape="completion")
    return client.press(page, "Check the file", **selected_values(page), fixed_source_system="LMS", **fields)


def keep(client, *numbers):
    """Apply a file under a profile that keeps rows."""
    page = check(client, export(*numbers), keeps_unknown="y", save_as="LMS")
    return client.press(page, "Apply the import")


def records(number):
    """When the person's records were recorded, and when they were achieved."""
    rows = select(Record.recorded_at, Record.achieved_on).where(
        Record.person_id == person_by_staff_number(number)
    )
    return [(clock.london_day(at), on) for at, on in db.session.execute(rows)]


def actions():
    every = db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.happened_at, AuditEvent.id))
    return [action for action in every if action.startswith("import.rows")]


@pytest.fixture
def later(today, client):
    """Let time pass; the administrator signs in again."""

    def pass_time(**span):
        today.shift(timedelta(**span))
        let_in(client, "ADMIN")

    return pass_time


def test_a_kept_row_is_recorded_by_the_next_import_after_the_person_came(client, app, force, later, tmp_path):
    page = check(client, export("W1", "W9"))
    assert page.h1 == "1 row is bad"
    assert "“Staff number” 'W9' belongs to nobody in the portal." in page.text
    page = client.page(page.links["Match the columns again"])
    page = client.press(page, "Check the file", **selected_values(page), keeps_unknown="y")
    assert "Enter a name: rows are kept only under a profile" in page.text
    page = client.press(page, "Check the file", **selected_values(page), keeps_unknown="y", save_as="LMS")
    assert page.h1 == "Every row is good", page.text
    assert sections(page)["Rows that are kept"] == [["3", "W9", "respond", "14 March 2026"]]
    client.press(page, "Apply the import")
    assert db.session.scalars(select(KeptRow.identifier)).all() == ["W9"]

    later(days=10)
    page = upload_and_check(client, csv_of([row("W9")]))
    assert sections(page)["Kept rows of people who join"] == [["Shah, Priya", "W9", "1"]]
    page = client.press(page, "Apply the import")
    assert "Completions of 1 person who is on the roster now were kept from earlier files" in page.text
    assert "see the kept rows" in page.text
    assert records("W9") == [], "a roster records no completions"

    later(days=1)
    path = tmp_path / "nightly.csv"
    path.write_bytes(export("W1"))
    result = run(app, "records", "import", path, "--profile", "LMS")
    assert result.exit_code == 0, result.stderr
    assert "W9" not in result.stdout, "a log of a nightly job names nobody"
    assert records("W9") == [(date(2026, 6, 12), date(2026, 3, 14))]
    assert db.session.scalars(select(KeptRow.ended_as)).all() == ["recorded"]
    assert run(app, "records", "import", path, "--profile", "LMS").stdout.endswith("Nothing to do.\n")
    assert actions() == ["import.rows_kept", "import.rows_recorded"]


def test_kept_rows_are_recorded_from_their_own_page(client, force, later):
    keep(client, "W9", "W8")
    page = client.page("/imports")
    assert "Kept rows (2 people)" in page.text
    assert "Check these rows" not in client.page("/imports/kept").text
    later(days=3)
    make_person(force, staff_number="W9", surname="Okoro")

    page = client.page("/imports/kept")
    assert "1 row is about people who are on the roster now" in page.text
    page = client.press(page, "Check these rows")
    assert [cells[1] for cells in sections(page)["People who are on the roster now"]] == ["W9"]
    client.press(page, "Apply the import")

    assert records("W9") == [(date(2026, 6, 4), date(2026, 3, 14))]
    page = client.page("/imports/kept")
    assert "W8" in page.text
    assert "W9" not in page.text


def test_a_check_that_proposed_a_row_is_void_once_it_is_erased(client, force, later):
    keep(client, "W9")
    make_person(force, staff_number="W9")
    page = client.press(client.page("/imports/kept"), "Check these rows")
    with transaction():
        db.session.execute(
            KeptRow.__table__.update().values(
                ended_at=clock.now(), ended_as="erased", identifier=None, scheme=None, content=None
            )
        )

    page = client.press(page, "Apply the import")

    assert "The portal has changed since this file was checked" in page.text
    assert records("W9") == []


def test_rows_are_erased_by_hand_by_whoever_has_a_role_for_the_whole_force(client, app, force, tmp_path):
    keep(client, "W9", "W8")
    address = client.page("/imports/kept").links["W9"]
    local = another(app)
    administrator(local, number="LOCAL", unit=True)
    assert {local.get(path).status_code for path in ("/imports/kept", address)} == {404}

    page = client.page(address)
    assert page.h1 == "Kept rows of W9"
    page = client.press(page, "Erase these rows")

    assert "1 row erased. The same rows are not kept again." in page.text
    assert db.session.scalars(select(KeptRow.identifier).where(KeptRow.ended_at.is_(None))).all() == ["W8"]
    path = tmp_path / "again.csv"
    path.write_bytes(export("W8", "W9"))
    result = run(app, "records", "import", path, "--profile", "LMS")
    assert "Kept already: 1\nNot kept again: 1" in result.stdout, "the same rows are not kept again"
    assert actions() == ["import.rows_kept", "import.rows_erased"]


def test_a_worker_erases_rows_after_90_days(client, app, force, later):
    keep(client, "W9")
    task = task_of_kind(services.ERASE_KEPT)
    later(days=89)
    client.page("/imports")  # deletes the imported file, which the job deletes too
    assert not task.due()
    later(days=1, seconds=1)
    assert "No rows are kept." in client.page("/imports/kept").text, "not even before the job"
    assert task.due()
    with transaction():
        reference = jobs.start_job(services.ERASE_KEPT, {}, by=None, at=clock.now())

    run_job(JobRunner(make_worker_setup(app), Event()), reference)

    db.session.expire_all()
    assert db.session.execute(select(KeptRow.identifier, KeptRow.ended_as)).all() == [(None, "lapsed")]
    assert not task.due()


def test_a_worker_deletes_an_applied_file_after_a_week_though_nobody_opens_a_page(client, app, force, later):
    keep(client, "W1")
    task = task_of_kind(services.ERASE_KEPT)
    later(days=6)
    assert not task.due()
    later(days=2)
    assert task.due()
    with transaction():
        reference = jobs.start_job(services.ERASE_KEPT, {}, by=None, at=clock.now())

    run_job(JobRunner(make_worker_setup(app), Event()), reference)

    assert db.session.scalars(select(ImportContent.run_id)).all() == []
    assert not task.due()


def test_the_portals_own_format_stays_all_or_nothing(app, force, tmp_path):
    columns = ("staff_number", "requirement_kind", "requirement", "achieved_at", "score_scaled")
    columns += ("source_system", "evidence")
    rows = [
        dict(zip(columns, (number, "module", "respond", "2026-03-14", "", "LMS", ""), strict=True))
        for number in ("W1", "W9")
    ]
    path = write_csv(tmp_path / "own.csv", rows, columns)

    result = run(app, "records", "import", path)

    assert result.exit_code == 1
    assert "staff_number 'W9' belongs to nobody in the portal." in result.stderr
    assert db.session.scalars(select(KeptRow)).all() == []
    assert records("W1") == []
