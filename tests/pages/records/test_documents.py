"""The certificate of a pass that stands, and the record of learning by year."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from pypdf import PdfReader
from sqlalchemy import select

from portal.domain.catalogue.models import ModuleVersion
from portal.domain.records.models import Record, Revocation
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.domain.status.facts import add, make_record
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_unit
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.learning.working import learner, take

LAST_MINUTE = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)


def text_of(content: bytes) -> str:
    assert content.startswith(b"%PDF-")
    assert b"pdfuaid" in content
    assert b"/StructTreeRoot" in content
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def the_pass() -> Record:
    return db.session.scalars(select(Record)).one()


def revoke(record: Record, from_on: date) -> None:
    add(Revocation(record_id=record.id, from_on=from_on, reason="other", decided_by_id=record.person_id))


@pytest.mark.slow
def test_a_pass_that_stands_has_a_certificate_for_whoever_may_see_it(app, client):
    unit, elsewhere = make_unit("Coldmere"), make_unit("Elsewhere")
    make_version()
    make_account("D1001", unit=unit)
    let_in(client)
    take(client, 4)
    record = the_pass()
    page = client.page(f"/records/{record.reference}")
    address = page.links["Download the certificate (PDF)"]

    response = client.get(address)

    text = text_of(response.data)
    assert f"certificate-{record.reference}.pdf" in response.headers["Content-Disposition"]
    for words in (
        "Priya Shah",
        "Protect: law & people",
        record.reference,
        "75%",
        f"/records/{record.reference}",
    ):
        assert words in text
    for number, where, status in (("D2001", unit, 200), ("D2002", elsewhere, 404)):
        viewer = make_account(number, unit=where)
        make_grant(viewer, "manager", where)
        browser = another(app)
        let_in(browser, number)
        assert browser.get(address).status_code == status
        looks = select(AuditEvent.subject_id).where(
            AuditEvent.actor_id == viewer, AuditEvent.action == "person.viewed"
        )
        assert db.session.scalars(looks).all() == [record.person_id] * (status == 200)


def test_none_once_it_does_not_count_and_still_one_until_then(client):
    make_version()
    learner(client)
    take(client, 4)
    record, today = the_pass(), clock.today()
    address = f"/records/{record.reference}/certificate.pdf"

    revoke(record, today + timedelta(days=1))
    assert client.get(address).status_code == 200
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        let_in(client)
        assert client.get(address).status_code == 404
        assert "certificate" not in client.page(f"/records/{record.reference}").text


def test_what_was_not_passed_here_has_none(client):
    version = db.session.get_one(ModuleVersion, make_version())
    person = learner(client)
    make_record(person, version.activity_id, date(2026, 3, 1), source="imported", reference="OIC-0000-0001-1")

    reference = the_pass().reference

    assert client.page(f"/records/{reference}").h1
    assert client.get(f"/records/{reference}/certificate.pdf").status_code == 404


@pytest.fixture
def two_years(client) -> list[Record]:
    """A pass in the last minute of 2025, one of another module in 2026, and one imported in 2026."""
    with time_machine.travel(LAST_MINUTE, tick=False):
        make_version("protect", minutes=32)
        make_version("report", minutes=75, title="=Report")
        learner(client)
        take(client, 4)
    with time_machine.travel(LAST_MINUTE + timedelta(minutes=1), tick=False):
        take(client, 4, "report")
    return list(db.session.scalars(select(Record).order_by(Record.id)))


def test_learning_is_listed_by_london_year_with_the_stated_time(client, two_years):
    first, second = two_years
    with time_machine.travel(LAST_MINUTE + timedelta(days=90), tick=False):
        let_in(client)
        page = client.page("/records/hours")
        content = client.get("/records/hours.csv")
        pdf = text_of(client.get("/records/hours.pdf").data)

    assert [heading.text for heading in page.all("h2") if ":" in (heading.text or "")] == [
        "2026: 1 hour 15 minutes",
        "2025: 32 minutes",
    ]
    assert "nobody measured yours" in page.text
    assert content.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert content.data.decode().split("\r\n") == [
        "year,completed_on,learning,version,how,stated_minutes,reference",
        f"2026,2026-01-01,'=Report,1,Passed in this portal,75,{second.reference}",
        f"2025,2025-12-31,Protect: law & people,1,Passed in this portal,32,{first.reference}",
        "",
    ]
    for words in ("2026: 1 hour 15 minutes", "2025: 32 minutes", "Priya Shah", second.reference):
        assert words in pdf


def test_what_does_not_count_is_left_out_and_what_states_no_time_adds_none(client, two_years):
    first, second = two_years
    revoke(first, first.achieved_on)
    make_record(second.person_id, second.activity_id, date(2026, 2, 1), source="imported")
    with time_machine.travel(LAST_MINUTE + timedelta(days=90), tick=False):
        let_in(client)
        page = client.page("/records/hours")

    assert first.reference not in page.text
    assert "2026: 1 hour 15 minutes" in page.text
    assert "Imported from another system not stated" in page.text
