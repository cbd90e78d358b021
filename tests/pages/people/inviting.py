"""What the tests of invitations share: a force of two units with people in every state, and what is sent."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from threading import Event
from typing import Any

from flask import Flask
from sqlalchemy import MetaData, select, update

from portal.commands.jobs import make_worker_setup
from portal.domain.accounts import services
from portal.domain.people.models import PersonName
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.worker import JobRunner
from tests.domain.reminders.post_office import Office
from tests.factories.people import make_grant, make_person, make_unit
from tests.jobs import run_job
from tests.kept import made_once
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import let_in, make_account

PAGE = "/people/invitations"
NOON = datetime(2026, 5, 20, 11, tzinfo=UTC)
LINK = re.compile(r"https?://\S+/set-password/([\w-]{43})")


@dataclass
class Force:
    """Units and people by a short name."""

    units: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)

    def add(self, number: str, unit: str = "north", **more: Any) -> int:
        """A person without an account."""
        self.people[number] = make_person(self.units[unit], staff_number=number, **more)
        return self.people[number]


@made_once
def make_force() -> Force:
    """An administrator of the force, D9001, one of the north, D9002, and one person in each state."""
    force = Force()
    force.units["force"] = top = make_unit("Force")
    force.units["north"], force.units["south"] = make_unit("North", top), make_unit("South", top)
    force.people["D9001"] = make_account("D9001", unit=top)
    make_grant(force.people["D9001"], "administrator")
    force.people["D9002"] = make_account("D9002", unit=force.units["north"])
    make_grant(force.people["D9002"], "administrator", force.units["north"])
    for number, unit, role in (
        ("N1", "north", "response"),
        ("N2", "north", "custody"),
        ("S1", "south", "response"),
    ):
        force.add(number, unit, surname=f"New {number}", role=role)
    force.people["HAS"] = make_account("HAS", unit=force.units["north"])
    for number in ("CLOSED", "NOMAIL"):
        force.add(number)
    with transaction():
        services.close_account(force.people["CLOSED"], by=None, at=clock.now())
        db.session.info.pop("acts")  # of which nothing is to be told here
    set_email(force.people["NOMAIL"], None)
    return force


def set_email(person: int, email: str | None) -> None:
    """Another address in the roster."""
    with transaction():
        db.session.execute(update(PersonName).where(PersonName.person_id == person).values(email=email))


def enter(app: Flask, number: str = "D9001") -> PortalClient:
    """This administrator's browser."""
    client = PortalClient(app)
    let_in(client, number)
    return client


def run_jobs(app: Flask) -> list[str]:
    """Do as a worker what waits, and what that starts; the kinds of the jobs."""
    runner, kinds = JobRunner(make_worker_setup(app), Event()), []
    while True:
        waiting = select(Job).where(Job.state == JobState.WAITING).order_by(Job.id)
        job = db.session.scalar(waiting.limit(1).execution_options(populate_existing=True))
        if job is None:
            return kinds
        reference = job.reference
        kinds.append(job.kind)
        db.session.commit()
        run_job(runner, reference)
        db.session.expire_all()


def invite(app: Flask, admin: PortalClient, query: str = "", *, run: bool = True) -> Page:
    """Press the button of the page, and let a worker do what it started."""
    page = admin.page(PAGE + query)
    answer = admin.press(page, invite_button(page))
    if run:
        run_jobs(app)
    return answer


def invite_button(page: Page) -> str:
    """The words of the button that invites everyone of the preview; empty where there is none."""
    buttons = (text for form in page.forms() for text in form.buttons)
    return next((text for text in buttons if text.startswith("Invite ")), "")


def token_of(mail: EmailMessage) -> str:
    """The token of the link in a mail, which its text and its page both have."""
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    found = LINK.findall(text.get_content())
    assert len(found) == 1
    assert found[0] in page.get_content()
    return str(found[0])


def text_of(mail: EmailMessage) -> str:
    """The text of a mail, with plain line ends."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def sent_to(office: Office, number: str) -> list[EmailMessage]:
    """The mails to the person with this number."""
    return office.to(f"{number.lower()}@westshire.example")


def everything_stored() -> str:
    """Every value of every table, as text."""
    tables = MetaData()
    tables.reflect(db.session.connection())
    rows = [str(tuple(row)) for table in tables.tables.values() for row in db.session.execute(select(table))]
    return "\n".join(rows)


def events(action: str) -> list[AuditEvent]:
    """The audit events of this action."""
    return list(
        db.session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
    )
