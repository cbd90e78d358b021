"""What the API writes: the commands' files, all of it or nothing, twice as once."""

from datetime import date

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.access_tokens import TokenScope
from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Exclusion
from portal.domain.imports import services
from portal.domain.people.models import PersonName
from portal.domain.records.models import Record
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.domain.imports.rosters import COLUMNS as ROSTER_COLUMNS
from tests.domain.imports.rosters import row as roster_row
from tests.pages.api.calling import system
from tests.pages.monitoring.preparing import run_jobs
from tests.pages.monitoring.world import TODAY, make_world

HEAD = "staff_number,requirement_kind,requirement,achieved_at,score_scaled,source_system,evidence"
DECISION = "staff_number,directive,kind,reason,valid_from,valid_to,due_on,decided_by,comment"


@pytest.fixture
def world(database):
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


@pytest.fixture
def writer(app, world):
    return system(app, TokenScope.WRITE)


def counted(table):
    return db.session.scalar(select(func.count()).select_from(table))


def record_file(*people):
    key = db.session.scalar(select(Activity.key).order_by(Activity.id).limit(1))
    return "\n".join([HEAD, *(f"{person},module,{key},2026-05-30,0.9,HR,seen" for person in people)])


def roster_file(*numbers):
    rows = [roster_row(number) for number in numbers]
    return "\n".join([",".join(ROSTER_COLUMNS), *(",".join(row[c] for c in ROSTER_COLUMNS) for row in rows)])


def exclusion_file(*people, by="D2003"):
    rows = (f"{person},OIC-2026,exemption,secondment,2026-05-01,,,{by},quiet" for person in people)
    return "\n".join([DECISION, *rows])


def test_records_are_written_once_and_a_second_time_changes_nothing(writer):
    before = counted(Record)
    first, again = (writer.send("/records", record_file("N2", "S1")).get_json() for _ in range(2))

    assert (first["state"], first["numbers"]) == ("applied", {"Recorded": 2})
    assert (again["state"], again["numbers"]) == ("unchanged", {"Recorded": 0})
    assert counted(Record) == before + 2


def test_a_dry_run_writes_nothing(writer):
    before = counted(Record)

    answer = writer.send("/records?dry_run=true", record_file("N2")).get_json()

    assert (answer["state"], answer["numbers"]) == ("checked", {"Recorded": 1})
    assert counted(Record) == before


def test_one_bad_row_refuses_all_with_its_line(writer):
    before = counted(Record)

    response = writer.send("/records", record_file("N2", "NOBODY"))

    assert response.status_code == 400
    (fault,) = response.get_json()["errors"]
    assert fault == {"line": 3, "detail": "staff_number 'NOBODY' belongs to nobody in the portal."}
    assert counted(Record) == before


def test_a_roster_is_written(writer):
    answer = writer.send("/roster", roster_file("R1")).get_json()

    assert answer["state"] == "applied"
    assert db.session.scalar(select(PersonName.surname).where(PersonName.staff_number == "R1")) == "Shah"


def test_a_large_file_is_a_job_that_one_asks_for(app, writer, monkeypatch):
    monkeypatch.setattr(services, "MOST_ROWS_AT_ONCE", 1)
    response = writer.send("/records", record_file("N2", "S1"))
    address = response.headers["Location"]

    assert (response.status_code, response.get_json()["state"]) == (202, "waiting")
    assert writer.read(address)["state"] == "waiting"
    run_jobs(app)
    ended = writer.read(address)
    assert (ended["state"], ended["numbers"], ended["rows"]) == ("applied", {"Recorded": 2}, 2)


def test_a_large_file_with_a_bad_row_is_refused_with_its_line(app, writer, monkeypatch):
    monkeypatch.setattr(services, "MOST_ROWS_AT_ONCE", 1)
    before = counted(Record)
    address = writer.send("/records", record_file("N2", "NOBODY")).headers["Location"]
    run_jobs(app)

    ended = writer.read(address)

    assert ended["state"] == "refused"
    assert [fault["line"] for fault in ended["faults"]] == [3]
    assert counted(Record) == before


def test_exemptions_are_recorded_once(writer):
    first, again = (writer.send("/exclusions", exclusion_file("N2")).get_json() for _ in range(2))

    assert first == {"state": "applied", "added": 1, "corrected": 0, "unchanged": 0}
    assert again == {"state": "unchanged", "added": 0, "corrected": 0, "unchanged": 1}
    fact = db.session.scalars(select(Exclusion).order_by(Exclusion.id.desc())).first()
    assert fact.from_on == date(2026, 5, 1)


def test_a_dry_run_of_exemptions_writes_nothing(writer):
    before = counted(Exclusion)

    answer = writer.send("/exclusions?dry_run=true", exclusion_file("N2")).get_json()

    assert (answer["state"], answer["added"]) == ("checked", 1)
    assert counted(Exclusion) == before


def test_a_unit_token_decides_about_its_people_and_knows_no_others(app, world):
    writer = system(app, TokenScope.WRITE, unit=world.units["local"])

    assert writer.send("/exclusions", exclusion_file("N2")).status_code == 200
    refused = writer.send("/exclusions", exclusion_file("C1")).get_json()
    unknown = writer.send("/exclusions", exclusion_file("XX")).get_json()
    assert refused["detail"].replace("C1", "XX") == unknown["detail"]
    assert writer.send("/exclusions", exclusion_file("N1", by="D2002")).status_code == 400


@pytest.mark.parametrize("path", ["/records", "/roster"])
def test_a_unit_token_imports_no_file_of_the_whole_force(app, world, path):
    writer = system(app, TokenScope.WRITE, unit=world.units["local"])

    response = writer.send(path, record_file("N2"))

    assert response.status_code == 403
    assert "this token is for one unit" in response.get_json()["detail"]


@pytest.mark.parametrize("path", ["/records", "/roster", "/exclusions"])
def test_a_directives_token_writes_nothing(app, world, path):
    writer = system(app, TokenScope.WRITE, directive="OIC-2026")

    assert writer.send(path, exclusion_file("N2")).status_code == 403


def test_an_import_of_a_person_is_none_of_its_business(app, writer):
    writer.read("/imports/00000000-0000-0000-0000-000000000000", 404)


@pytest.mark.parametrize(
    ("path", "text", "media_type", "status", "sentence"),
    [
        ("/records", "x", "application/json", 415, "media type"),
        ("/records", "", "text/csv", 400, ""),
        ("/records", "a,b\n1,2", "text/csv", 400, "is unknown"),
        ("/records", "PK\x03\x04", "text/csv", 400, ""),
        ("/records?profile=none", HEAD, "text/csv", 400, "'none' is not one of: default, wide."),
        ("/records?dry_run=1", HEAD, "text/csv", 400, "dry_run: write true or false."),
        ("/records?dry_run=", HEAD, "text/csv", 400, "dry_run: write true or false."),
        ("/roster?new_values=all", HEAD, "text/csv", 400, "new_values: write accept."),
        ("/exclusions", "\x00", "text/csv", 400, ""),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence(writer, path, text, media_type, status, sentence):
    before = counted(Record)

    response = writer.send(path, text, media_type)

    assert response.status_code == status
    assert sentence in response.get_json()["detail"]
    assert counted(Record) == before


def test_what_a_token_wrote_is_audited_with_its_name(writer):
    writer.send("/records", record_file("N2"))
    writer.send("/exclusions", exclusion_file("N2"))

    events = {event.action: event for event in db.session.scalars(select(AuditEvent))}
    for action in ("import.sent", "exclusions.sent"):
        assert events[action].actor_id is None
        assert events[action].detail["token"] == "token-0-write"
