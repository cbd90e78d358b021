"""A force whose supervisors have to attend Hydra and to pass a module; one attended, one did elsewhere."""

from datetime import UTC, date, datetime

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.directives.services import issue_toml
from portal.domain.records.models import AttendanceRecord, Record
from portal.domain.records.services import new_reference
from portal.platform.clock import noon
from portal.platform.db import db, stamp, touch, transaction
from tests.factories.catalogue import make_version
from tests.factories.events import make_event_type
from tests.factories.people import make_grant, make_unit
from tests.kept import made_once
from tests.pages.account.browsing import make_account

TODAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
ATTENDED_ON = date(2026, 5, 20)
REPORT = "/monitoring/directives/HYDRA-1"
DIRECTIVE = b"""
reference = "HYDRA-1"
title = "Supervisors attend Hydra"
source = "Recommendation 3"
wording = "Every supervisor attends the Hydra package."
owner = "D4001"
effective_on = 2026-01-01
notice_days = [30]
expiring_days = 60
[due]
on = 2026-06-30
[[audience]]
designated_role = ["response"]
[[requirement]]
kind = "event"
key = "oic-hydra"
[[requirement]]
kind = "module"
key = "protect"
"""


@made_once
def make_force() -> dict[str, int]:
    """The people by staff number: D1001 attended, D2001 manages, D5001 facilitates."""
    unit = make_unit("Westshire Police")
    make_version("protect", title="Protect: law")
    version = make_event_type(title="OIC Hydra: supervisors’ decisions", preparation=["module:protect"])
    numbers = ("D1001", "D1002", "D1003", "D2001", "D4001", "D5001", "D6001", "D9001")
    people = {number: make_account(number, unit=unit) for number in numbers}
    for number, role in (
        ("D2001", "manager"),
        ("D4001", "directive-owner"),
        ("D5001", "facilitator"),
        ("D6001", "auditor"),
        ("D9001", "administrator"),
    ):
        make_grant(people[number], role, unit if role == "manager" else None)
    with transaction():
        issue_toml(DIRECTIVE, at=stamp())
    attend(people["D1001"], version, people["D5001"])
    return people


def attend(person: int, type_version: int, facilitator: int) -> None:
    """The record of an attendance that was signed off, as the register writes it."""
    with transaction():
        record = Record(
            recorded_at=stamp(),
            person_id=person,
            activity_id=db.session.get_one(EventTypeVersion, type_version).activity_id,
            achieved_at=noon(ATTENDED_ON),
            achieved_on=ATTENDED_ON,
            source="attended",
            reference=new_reference(),
        )
        db.session.add(record)
        db.session.flush()
        db.session.add(
            AttendanceRecord(
                record_id=record.id,
                event_type_version_id=type_version,
                event_reference="EV-0007",
                signed_off_by_id=facilitator,
            )
        )
        touch(people=[person], learners=[person])
