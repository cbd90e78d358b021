"""Rows of every class at an instant, and disposals from the request to the certificate."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import select

from portal.commands.jobs import make_worker_setup
from portal.domain.accounts.models import Credential, Invitation, KnownBrowser, LastSignIn, ProviderIdentity
from portal.domain.assessment.models import Attempt, Response
from portal.domain.cases import CaseCopy, CaseRubric, CaseRun, CaseStep
from portal.domain.catalogue.models import Activity, EventTypeVersion, Item, Lesson, ModuleVersion
from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.imports.models import ImportRun
from portal.domain.people.models import FactNote
from portal.domain.records.models import Registration
from portal.domain.reminders.models import Message, NoticeLine
from portal.domain.retention import queries, services
from portal.features.clarity.models import ClarityAnswer, ClarityReply, ClarityWords
from portal.features.events.models import (
    Booking,
    BookingChange,
    Event,
    EventRoom,
    EventVersion,
    RegisterEntry,
)
from portal.features.recall.models import RecallReview
from portal.features.saved_reports.models import ReportMail, SavedReport
from portal.features.watched_folder.models import FolderFile
from portal.platform import clock
from portal.platform.audit import AuditEvent, FilePeople, pack_people
from portal.platform.db import db, transaction
from portal.platform.jobs.models import Job
from portal.platform.jobs.worker import JobRunner
from tests.factories.people import make_person, make_unit
from tests.jobs import run_job

SECRET = "Zbigniew at the harbour"


def keep(row: Any) -> Any:
    """The row, with its id."""
    db.session.add(row)
    db.session.flush()
    return row


def note(fact: Any, kind: str = "reason") -> None:
    """A text beside a fact."""
    keep(FactNote(fact_table=fact.__tablename__, fact_id=fact.id, kind=kind, text=SECRET))


def write_texts(person: int, manager: int, at: datetime) -> None:
    """A text of an answer, of a case, of a copy of it; ticks of both; words on clarity, answered."""
    version = db.session.scalars(select(ModuleVersion).limit(1)).one()
    of_version = {"module_version_id": version.id, "position": db.session.query(Item).count() + 1}
    registration = keep(
        Registration(
            recorded_at=at,
            person_id=person,
            activity_id=version.activity_id,
            module_version_id=version.id,
            started_at=at,
            started_on=clock.london_day(at),
        )
    )
    words = dict.fromkeys(("key", "outcome", "prompt_html", "explanation_html"), f"x{of_version['position']}")
    item = keep(Item(**of_version, **words, kind="scenario", content={}, source=[], duties=[]))
    lesson = {"title": "x", "minutes": 1, "outcomes": [], "html": "", "words": 1, "key": words["key"]}
    lesson_id = keep(Lesson(**of_version, **lesson)).id
    attempt = {"registration_id": registration.id, "number": 1, "mastery_score": Decimal(1), "drawn": []}
    attempt_id = keep(Attempt(id=uuid4(), **attempt, started_at=at, recorded_at=at)).id
    of_attempt = {"attempt_id": attempt_id, "item_id": item.id, "choices": ["c.1"]}
    note(keep(Response(**of_attempt, saved_at=at, recorded_at=at)))
    run = {"recorded_at": at, "registration_id": registration.id, "lesson_id": lesson_id, "number": 1}
    run_id = keep(CaseRun(**run)).id
    note(keep(CaseStep(recorded_at=at, run_id=run_id, choices=[], ends=True)))
    note(keep(CaseRubric(recorded_at=at, run_id=run_id)), "ticks")
    copy = keep(CaseCopy(recorded_at=at, run_id=run_id, manager_id=manager))
    note(copy, "answer-1")
    note(keep(CaseRubric(recorded_at=at, run_id=run_id, copy_id=copy.id)), "ticks")
    place = {"activity_id": version.activity_id, "module_version_id": version.id, "place": "item:x"}
    number = db.session.query(ClarityAnswer).count() + 1
    answer = keep(ClarityAnswer(person_id=person, **place, number=number, clear=False, answered_at=at))
    keep(ClarityWords(answer_id=answer.id, text=SECRET))
    keep(ClarityReply(answer_id=answer.id, text=SECRET, replied_by_id=manager, replied_at=at))


def write_request(person: int, by: int, at: datetime) -> None:
    """A refused request with a comment from each of two people, and evidence."""
    columns = {"kind": "exemption", "person_id": person, "asked_by_id": by, "reason": "other"}
    request = keep(DecisionRequest(recorded_at=at, uuid=uuid4(), **columns))
    decision = keep(Decision(recorded_at=at, request_id=request.id, outcome="refused", decided_by_id=by))
    note(request, "comment")
    note(decision, "comment")
    note(request, "evidence")


def write_event(actor: int, subject: int, at: datetime, action: str = "pass.recorded") -> AuditEvent:
    """An entry of the audit trail."""
    event: AuditEvent = keep(
        AuditEvent(happened_at=at, actor_id=actor, subject_id=subject, action=action, detail={})
    )
    return event


def write_traces(person: int, by: int, at: datetime) -> None:
    """A look, an act and a file in the audit trail; an email with an invitation and a report; an import
    of the watched folder."""
    write_event(by, person, at, "person.viewed")
    write_event(by, person, at)
    event = write_event(by, person, at, "completions.exported")
    keep(FilePeople(event_id=event.id, people=pack_people([person])))
    times = {"created_at": at, "not_before": at, "sent_at": at}
    message = keep(Message(reference=uuid4(), person_id=person, kind="invitation", state="sent", **times))
    invitation = {"person_id": person, "batch": uuid4(), "invited_at": at, "invited_by_id": by}
    keep(Invitation(message_id=message.id, **invitation))
    report = {"owner_id": by, "name": "Mine", "kind": "overview", "arguments": {}, "saved_at": at}
    saved = keep(SavedReport(reference=uuid4(), day_rule="today", known_rule="now", **report))
    keep(ReportMail(message_id=message.id, saved_report_id=saved.id, person_id=person, due_on=at.date()))
    ended = {"ended_at": at, "ended_as": "applied", "ended_by_id": by, "began_by_id": by, "began_at": at}
    file = {"file_name": f"{SECRET}.csv", "sha256": "0" * 64, "size": 1, "rows": 1}
    run_id = keep(ImportRun(id=uuid4(), kind="roster", shape="post", **file, **ended)).id
    place = {"name": f"{SECRET}.csv", "place": f"done/2015-01-01/roster/default/{SECRET}.csv", "moved": True}
    taken = {"size": 1, "state": "imported", "reasons": [], "asks_values": False, "taken_at": at}
    keep(FolderFile(kind="roster", profile="default", **place, **taken, ended_at=at, run_id=run_id))


def write_place(person: int, by: int, at: datetime) -> None:
    """A booking of an event of that day, with its trail, and an entry of the register."""
    kind = db.session.scalar(select(EventTypeVersion))
    if kind is None:
        activity = keep(Activity(recorded_at=at, kind="event", key="aged"))
        words = dict.fromkeys(("digest", "title", "aim", "audience", "owner"), "x")
        sizes = {"minutes": 60, "syndicate_least": 1, "syndicate_most": 7, "places_least": 1}
        times = {"recorded_at": at, "published_at": at, "review_on": at.date()}
        more = {"content": b"", "facilitators": 1, "approval": False, "preparation": [], "places_most": 9}
        kind = keep(EventTypeVersion(activity_id=activity.id, number=1, **words, **sizes, **times, **more))
    number = db.session.query(Event).count() + 1
    event = keep(Event(recorded_at=at, reference=f"EV-{number:04}", activity_id=kind.activity_id))
    room = keep(EventRoom(name=f"Room {number}", capacity=9, directions=""))
    when = {"starts_at": at, "ends_at": at + timedelta(hours=1), "held_on": clock.london_day(at)}
    size = {"syndicates": 1, "places": 9, "notes": "", "reason": "", "number": 0}
    version = {"type_version_id": kind.id, "room_id": room.id, "changed_by_id": by}
    keep(EventVersion(recorded_at=at, event_id=event.id, **when, **size, **version))
    of_event = {"event_id": event.id, "activity_id": kind.activity_id, "person_id": person}
    times = {"asked_at": at, "state_at": at}
    booked = {"state": "booked", "way": "self", "booked_by_id": by, "sitting": event.id}
    booking = keep(Booking(**of_event, **times, **booked))
    keep(BookingChange(recorded_at=at, booking_id=booking.id, state="booked", reason="", by_id=by))
    noted = {"kind": "present", "noted_at": at, "means": "register", "noted_by_id": by}
    keep(RegisterEntry(key=uuid4(), recorded_at=at, event_id=event.id, person_id=person, **noted))


def report_by_mail(event: AuditEvent) -> None:
    """A notice that reports an entry of the audit trail."""
    at = event.happened_at
    times = {"created_at": at, "not_before": at}
    message = keep(
        Message(reference=uuid4(), person_id=event.subject_id, kind="notice", state="sent", **times)
    )
    keep(NoticeLine(message_id=message.id, event_id=event.id))


def make_leaver(left_on: date, staff_number: str, *, closed: bool = False) -> int:
    """A person whose post ended, with an account in every way, a sign-in of 2024 and a recall answer."""
    person = make_person(make_unit(f"Unit of {staff_number}"), staff_number=staff_number, until=left_on)
    at = datetime(2024, 1, 2, 9, tzinfo=UTC)
    with transaction():
        keep(Credential(person_id=person, password_hash="x", set_at=at, closed_at=at if closed else None))
        keep(KnownBrowser(browser_hash=staff_number, person_id=person, used_at=at))
        keep(LastSignIn(person_id=person, signed_in_at=at, method="password", browser="x", address="x"))
        identity = {"issuer": "i", "subject": staff_number, "claim_value": staff_number}
        keep(ProviderIdentity(person_id=person, **identity, bound_at=at, last_used_at=at))
        version = db.session.scalars(select(ModuleVersion).limit(1)).one()
        of_module = {"activity_id": version.activity_id, "module_version_id": version.id, "number": 1}
        keep(RecallReview(person_id=person, **of_module, item_key="x", correct=True, answered_at=at))
    return person


def request_disposal(key: str, by: int) -> UUID:
    """Ask for the disposal of a class."""
    with transaction():
        return services.ask_disposal(key, "Yearly disposal", by=by, at=clock.now())


def approve(uuid: UUID, by: int) -> None:
    """Approve a disposal."""
    with transaction():
        services.grant_disposal(uuid, by=by, at=clock.now())


def run_jobs(app: Flask) -> None:
    """Do, as a worker, what waits."""
    runner = JobRunner(make_worker_setup(app), threading.Event())
    for reference in db.session.scalars(select(Job.reference).where(Job.state == "waiting")).all():
        run_job(runner, reference)
    db.session.expire_all()


def dispose(app: Flask, key: str, asker: int, approver: int) -> queries.DisposalRow:
    """Ask, approve and carry out a disposal."""
    uuid = request_disposal(key, asker)
    approve(uuid, approver)
    run_jobs(app)
    return queries.get_disposal(uuid)


def dump_database() -> str:
    """Every value of every table."""
    tables = db.metadata.sorted_tables
    return " ".join(str(row) for table in tables for row in db.session.execute(select(table)))
