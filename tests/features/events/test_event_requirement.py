"""A directive asks for an event type as for a module: every page, file and mail names it and what counts."""

import csv
import io
import json
from datetime import date, timedelta

import pytest
import time_machine
from pypdf import PdfReader
from sqlalchemy import select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.upkeep import list_due_reviews
from portal.domain.records.documents import list_learning_years
from portal.domain.records.models import Record
from portal.domain.reminders.message_texts import PortalDetails, compose_reminder
from portal.domain.reminders.queries import ReminderLine, directives_in_force
from portal.domain.reminders.rules import ReminderReason
from portal.platform import clock
from portal.platform.db import db
from tests.domain.imports.rosters import run, write_csv
from tests.factories.events import make_event_type
from tests.features.events.required import REPORT, TODAY, make_force
from tests.page_reading import PortalClient, words
from tests.pages.account.browsing import another, let_in
from tests.pages.api.calling import system

HYDRA = "OIC Hydra: supervisors’ decisions"
IMPORTED = {
    "staff_number": "D1002",
    "requirement_kind": "event",
    "requirement": "oic-hydra",
    "achieved_at": "2026-03-03",
    "score_scaled": "",
    "source_system": "Attendance list",
    "evidence": "Sheet 4",
}


@pytest.fixture
def people(database):
    with time_machine.travel(TODAY, tick=False):
        yield make_force()


@pytest.fixture
def browse(app, people):
    def signed_in(number: str) -> PortalClient:
        browser = another(app)
        let_in(browser, number)
        return browser

    return signed_in


def the_attendance() -> Record:
    return db.session.scalars(select(Record).where(Record.source == "attended")).one()


def statuses(browser: PortalClient) -> dict[tuple[str, str], str]:
    text = browser.get(f"{REPORT}/completions.csv").get_data(as_text=True)
    return {
        (row["staff_number"], row["requirement"]): row["status"]
        for row in csv.DictReader(io.StringIO(text, newline=""))
    }


def test_my_learning_says_what_to_attend_and_what_was_attended(browse):
    page = browse("D1003").page("/learning")
    assert page.h1 == "You have 2 requirements to complete by 30 June 2026"
    assert page.links[HYDRA] == "/events/places?type=oic-hydra"
    assert "An event to attend: see the next dates and places" in page.text

    page = browse("D1001").page("/learning")
    assert page.h1 == "You have 1 module to complete by 30 June 2026"
    assert "Attended on 20 May 2026" in page.text


def test_attendance_and_pass_never_stand_for_each_other(app, browse, tmp_path):
    auditor = browse("D6001")
    assert statuses(auditor)["D1001", "oic-hydra"] == "satisfied"
    assert statuses(auditor)["D1001", "protect"] == "not_started"
    passed = {**IMPORTED, "requirement_kind": "module", "requirement": "protect"}
    assert (
        run(app, "records", "import", write_csv(tmp_path / "r.csv", [passed], tuple(passed))).exit_code == 0
    )
    found = statuses(auditor)
    assert (found["D1002", "protect"], found["D1002", "oic-hydra"]) == ("satisfied", "not_started")


def test_the_completion_file_names_the_version_attended(browse, people):
    make_event_type(title="OIC Hydra, second edition")  # the version attended stays the first
    text = browse("D6001").get(f"{REPORT}/completions.csv").get_data(as_text=True)
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["requirement_kind"] == "event"]
    seen = {
        row["staff_number"]: (row["requirement_title"], row["version"], row["status"], row["source"])
        for row in rows
    }
    assert seen["D1001"] == (HYDRA, "1", "satisfied", "attended")
    assert seen["D1003"] == ("OIC Hydra, second edition", "2", "not_started", "")
    attended = next(row for row in rows if row["staff_number"] == "D1001")
    assert (attended["satisfied_at"][:10], attended["mastery_score"], attended["attempts"]) == (
        "2026-05-20", "", "0",
    )  # fmt: skip
    assert attended["record_reference"] == the_attendance().reference


def test_hydra_has_a_column_beside_the_module_in_the_report_and_its_files(browse):
    auditor = browse("D6001")
    heads = [words(head) for head in auditor.page(REPORT).all("th")]
    assert [head for head in heads if head in ("OIC Hydra", "Protect")] == ["OIC Hydra", "Protect"]
    text = auditor.get(f"{REPORT}/people.csv").get_data(as_text=True)
    assert "oic-hydra" in text.splitlines()[0]
    content = json.loads(auditor.get(f"{REPORT}/completions.json").data)
    assert HYDRA in {row["requirement_title"] for row in content["rows"]}


def test_the_persons_page_and_the_record_say_attended(browse):
    manager = browse("D2001")
    page = manager.page("/people/D1001")
    assert "OIC Hydra" in page.text
    assert "Attended on 20 May 2026" in page.text
    assert "Attended OIC Hydra, version 1" in page.text

    record = manager.page(f"/records/{the_attendance().reference}")
    assert record.h1 == f"Priya Shah: {HYDRA}"
    for said in ("Attended on 20 May 2026.", "Attended and signed off", "EV-0007", "by a facilitator"):
        assert said in record.text


@pytest.mark.slow
def test_an_attendance_that_stands_has_a_certificate(browse):
    learner = browse("D1001")
    record = learner.page(f"/records/{the_attendance().reference}")
    content = learner.get(record.links["Download the certificate (PDF)"]).data
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())
    for said in ("attended the taught event", HYDRA, "EV-0007", "20 May 2026", "The attendance stands on"):
        assert said in text
    assert "Pass mark" not in text


def test_own_records_and_the_years_of_learning_state_its_length(browse, people):
    assert HYDRA in browse("D1001").page("/records").text
    year = list_learning_years(people["D1001"], date(2026, 6, 1))[0]
    assert [(row.title, row.version, row.minutes) for row in year.rows] == [(HYDRA, 1, 240)]


@pytest.mark.slow
def test_prior_attendances_are_imported_once_and_count(app, browse, people, tmp_path):
    path = write_csv(tmp_path / "attended.csv", [IMPORTED], tuple(IMPORTED))

    assert run(app, "records", "import", path).exit_code == 0
    run(app, "records", "import", path)

    auditor = browse("D6001")
    assert statuses(auditor)["D1002", "oic-hydra"] == "satisfied"
    record = db.session.scalars(select(Record).where(Record.person_id == people["D1002"])).one()
    page = auditor.page(f"/records/{record.reference}")
    assert "Attended on 3 March 2026." in page.text
    assert "Attendance list" in page.text
    assert "Download the certificate (PDF)" not in page.links
    wide = {"staff_number": "D1003", "source_system": "Old list", "OIC Hydra": "2026-02-01"}
    path = write_csv(tmp_path / "wide.csv", [wide], tuple(wide))
    assert run(app, "records", "import", path, "--profile", "wide").exit_code == 0
    assert statuses(auditor)["D1003", "oic-hydra"] == "satisfied"


def test_the_directive_offers_and_shows_the_event_type(browse):
    owner = browse("D4001")
    shown = owner.page("/directives/HYDRA-1")
    assert f"{HYDRA} (event)" in shown.text
    form = owner.page("/directives/new")
    assert f"{HYDRA} (event)" in form.text
    text = owner.get("/directives/HYDRA-1/versions/1?as=toml").get_data(as_text=True)
    assert 'kind = "event"\nkey = "oic-hydra"' in text


def test_the_reminder_and_the_calendar_name_it(browse, people):
    person, now = people["D1003"], clock.now()
    directives = directives_in_force(clock.today())
    line = ReminderLine(next(iter(directives)), person, ReminderReason.NUDGE)
    portal = PortalDetails("https://learning.westshire.example", "Westshire Police")
    letter = compose_reminder(person, [line], directives, now=now, portal=portal)
    assert HYDRA in letter.text
    calendar = browse("D1003").get("/learning/due-dates.ics").get_data(as_text=True)
    assert "Last day to attend: OIC Hydra" in calendar.replace("\r\n ", "")


def test_other_systems_read_kind_key_and_version(app, people):
    reader = system(app)
    records = reader.read_all("/records")
    assert [(row["requirement_kind"], row["requirement"], row["version"]) for row in records] == [
        ("event", "oic-hydra", 1)
    ]


def test_authors_are_told_when_a_type_is_to_be_reviewed(people):
    review_on = db.session.scalars(select(EventTypeVersion.review_on)).one()
    due = list_due_reviews(review_on - timedelta(days=3))
    assert ("event", "oic-hydra", HYDRA) in [(each.kind, each.key, each.title) for each in due]
