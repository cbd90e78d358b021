"""Archiving: a module is offered to nobody any more, and what was earned in it stays, byte for byte."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.domain.catalogue.models import ModuleArchiving
from portal.domain.records.models import Record
from portal.domain.status.projector import rebuild_status
from portal.platform.db import db, newest_stamp
from portal.platform.errors import BadInputError
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import make_account
from tests.pages.authoring.desk import signed_in_client
from tests.pages.authoring.reviewing import count_rows
from tests.pages.learning.asking import ask
from tests.pages.learning.working import learner, take

PAGE = "/authoring/protect/archive"
MODULE = "/learning/modules/protect"


@pytest.fixture(autouse=True)
def _today(time_machine):
    time_machine.move_to("2026-11-25T10:00:00+00:00", tick=True)


@pytest.fixture
def publisher(app, database) -> PortalClient:
    """The publisher, signed in; Protect and its successor Guard are published."""
    make_version()
    make_version("guard")
    make_grant(make_account("D3002"), "publisher")
    return signed_in_client(app, "D3002")


def archive(publisher: PortalClient, successor: str = "guard") -> Page:
    return publisher.press(publisher.page(PAGE), "Archive this module", successor=successor)


def test_it_is_offered_no_longer_and_says_what_replaces_it(app, client, publisher):
    learner(client)
    assert MODULE in client.page("/learning").links.values()
    before = publisher.page(PAGE)
    assert "No directive requires it." in before.text
    assert "A pass of Protect does not count for the module that replaces it" in before.text

    page = archive(publisher)

    assert page.h1 == "Protect is archived"
    assert "Replaced by Guard: law & people." in page.text
    for address in ("/learning", "/modules", "/learning/briefings", "/guides?q=text"):
        assert not any(link.startswith(MODULE) for link in client.page(address).links.values()), address
    module = client.page(MODULE)
    assert "archived on 25 November 2026 and is not offered any more" in module.text
    assert "A pass of this module does not count for it" in module.text
    assert module.links["Guard: law & people"] == "/learning/modules/guard"
    assert not [form for form in module.forms() if any("Start" in button for button in form.buttons)]
    lesson = client.page(f"{MODULE}/lessons/lesson-1")
    assert "This module is archived." in lesson.text
    with pytest.raises(BadInputError, match="the module 'protect' is archived"):
        ask("protect", reference="NEW-1")


def test_a_pass_its_certificate_and_reports_stay_byte_for_byte(app, client, publisher):
    ask("protect", due="2027-04-30")
    learner(client)
    take(client, 4)
    record = db.session.scalars(select(Record)).one()
    auditor = make_account("D6001")
    make_grant(auditor, "auditor")
    reader = signed_in_client(app, "D6001")
    known = newest_stamp()
    assert known
    instant = f"{known:%Y-%m-%dT%H:%M:%S.%fZ}"
    report = f"/monitoring/directives/OIC-2026/completions.csv?as_at=2026-11-25&as_known_on={instant}"
    addresses = {report: reader, f"/records/{record.reference}/certificate.pdf": client}
    before = {address: who.get(address).data for address, who in addresses.items()}
    row = db.session.execute(select(Record.__table__)).one()

    archive(publisher)

    assert {address: who.get(address).data for address, who in addresses.items()} == before
    assert db.session.execute(select(Record.__table__)).one() == row
    assert rebuild_status(False) == []
    assert client.page("/learning").h1 == "You have completed everything"


def test_who_began_it_finishes_it_and_of_whom_it_is_required_may_begin(app, client, publisher):
    learner(client)
    client.press(client.page(f"{MODULE}/lessons/lesson-1"), "Mark as complete and continue")
    required = make_account("D1002")
    archive(publisher)
    assert take(client, 4).h1 == "You passed"
    assert "Take this module again" not in client.page(MODULE).html

    other = signed_in_client(app, "D1002")
    assert "The assessment is closed" in other.page(MODULE).text
    publisher.press(publisher.page(PAGE), "Offer it again")
    ask("protect", due="2027-04-30")
    assert "OIC-2026 requires it." in archive(publisher, "").text
    assert required
    page = other.page(MODULE)
    assert "You can still complete it." in page.text
    other.press(page, "Start: Protect, lesson 1 – Lesson called 1About 5 minutes")
    assert take(other, 4).h1 == "You passed"


def test_archiving_twice_is_once_and_the_successor_can_change(app, publisher):
    archive(publisher)
    page = publisher.press(publisher.page(PAGE), "Change the successor", successor="guard")
    assert count_rows(ModuleArchiving) == 1
    page = publisher.press(page, "Change the successor", successor="none")
    assert "No module replaces it." in page.text
    publisher.press(page, "Change the successor", 400, successor="protect")

    page = publisher.press(publisher.page(PAGE), "Offer it again")

    assert page.h1 == "Archive Protect"
    rows = db.session.scalars(select(ModuleArchiving).order_by(ModuleArchiving.id)).all()
    assert [row.void for row in rows] == [False, False, True]
    assert rows[0].recorded_at < datetime.now(UTC)
