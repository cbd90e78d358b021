"""Mails about saved reports: a link behind the sign-in, for each day of a schedule once."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, insert, select

from portal.domain.accounts.models import Credential
from portal.domain.people.queries import viewer_of
from portal.domain.people.visibility import Viewer
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.queries import Addressee, list_addressees
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import bank_holidays, line_managers_see, mail_hours, relay_is_set
from portal.domain.reminders.services import lock_outbox
from portal.domain.reports import completion_files
from portal.domain.reports.parameters import PositionError
from portal.features.saved_reports.models import ReportMail, ReportSchedule, SavedPage, SavedReport
from portal.features.saved_reports.queries import list_readers, recurrence_of
from portal.features.saved_reports.rules import Definition, find_refusal, open_report
from portal.features.saved_reports.services import stop_schedule
from portal.features.saved_reports.settings import read_own_settings
from portal.platform import clock
from portal.platform.audit import log, log_file
from portal.platform.clock import london_day
from portal.platform.db import db, transaction
from portal.platform.errors import NotFoundError, UnknownValueError
from portal.platform.jobs.registry import Arguments, ItemFailures, JobProgress, Task
from portal.platform.mail import AttachedFile, Letter
from portal.platform.permissions import Permission
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

LEFT = "Its owner has left."
NO_SIGHT = "Its owner may not open this report any more."
MOST_ROWS = 5_000  # of an attached file
_UNPLANNED = (ReportSchedule.saved_report_id == SavedReport.id, ReportSchedule.ended_at.is_(None))


@dataclass(slots=True)
class ReportMailPlan:
    """How many mails one run queued, and how many schedules it ended."""

    queued: int = 0
    ended: int = 0
    failures: ItemFailures = field(default_factory=lambda: ItemFailures("saved report"))

    @property
    def words(self) -> str:
        """The numbers in a sentence."""
        return f"{plural(self.queued, 'email')} queued, {plural(self.ended, 'schedule')} ended."


def has_unplanned_schedule(day: date) -> bool:
    """Whether the mails of some saved report are not in the outbox up to ``day``."""
    open_schedule = exists().where(ReportSchedule.ended_at.is_(None), ReportSchedule.planned_until < day)
    return bool(db.session.scalar(select(open_schedule)))


def plan_report_mails(
    *, at: datetime, hours: SendWindow, holidays: Collection[date], line_managers: bool = False
) -> ReportMailPlan:
    """Queue the mails of all schedules up to today; a second time on the same day changes nothing.

    Of several days that were missed, the latest alone is mailed. The schedule of an owner who may not open
    the report any more ends, with the reason.

    Args:
        at: This instant.
        hours: When mail may be sent.
        holidays: Days that are no working days.
        line_managers: Whether the roster alone gives line managers sight of their direct reports.
    """
    lock_outbox()
    day, plan = london_day(at), ReportMailPlan()
    statement = select(SavedReport, ReportSchedule).where(*_UNPLANNED, ReportSchedule.planned_until < day)
    for report, schedule in db.session.execute(statement.order_by(SavedReport.id)).all():
        planned_until, schedule.planned_until = schedule.planned_until, day
        db.session.flush()  # one that fails is not tried again before the next day
        with plan.failures.of(report.id), db.session.begin_nested():
            if why := _reason_to_end(report, at, line_managers):
                stop_schedule(report, by=None, at=at, why=why)
                plan.ended += 1
                if why != LEFT:
                    _queue_mails(report, [report.owner_id], day, at=at, hours=hours)
            elif due_on := recurrence_of(schedule).latest_between(planned_until, day, holidays):
                plan.queued += _queue_for_readers(report, due_on, at=at, hours=hours)
    return plan


def _queue_for_readers(report: SavedReport, due_on: date, *, at: datetime, hours: SendWindow) -> int:
    count = _queue_mails(report, [report.owner_id, *list_readers(report.id)], due_on, at=at, hours=hours)
    log(
        "saved_report.mailed",
        actor_id=None,
        report=str(report.reference),
        day=due_on.isoformat(),
        letters=count,
    )
    return count


def _reason_to_end(report: SavedReport, at: datetime, line_managers: bool) -> str:
    """Why a report is to be mailed no longer; empty if its owner may still open it."""
    viewer = _open_account(report.owner_id, line_managers)
    if viewer is None or not viewer.has_post:
        return LEFT
    return NO_SIGHT if find_refusal(Definition.of(report), viewer, at) else ""


def _open_account(person_id: int, line_managers: bool) -> Viewer | None:
    """The person with today's roles; None without a name, or if their account is closed."""
    closed = exists().where(Credential.person_id == person_id, Credential.closed_at.is_not(None))
    return None if db.session.scalar(select(closed)) else viewer_of(person_id, line_managers=line_managers)


def _queue_mails(
    report: SavedReport, readers: Collection[int], due_on: date, *, at: datetime, hours: SendWindow
) -> int:
    """Queue a mail to each reader who has a post, an address and none for that day; return how many."""
    mailed = select(ReportMail.person_id).where(
        ReportMail.saved_report_id == report.id, ReportMail.due_on == due_on
    )
    missing = set(readers) - set(db.session.scalars(mailed))
    columns = {"kind": MessageKind.REPORT, "state": Delivery.WAITING, "created_at": at, "tries": 0}
    count = 0
    for person in list_addressees(missing, london_day(at)).values():
        if person.has_post and person.email:
            row = columns | {"reference": uuid.uuid4(), "person_id": person.person_id}
            row["not_before"] = hours.next_allowed(at)
            message_id = db.session.scalar(insert(Message).values(row).returning(Message.id))
            keys = {"message_id": message_id, "saved_report_id": report.id}
            db.session.execute(
                insert(ReportMail).values(keys | {"person_id": person.person_id, "due_on": due_on})
            )
            count += 1
    return count


def compose_report_mail(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    """Write the mail with a link to the report, or say why there is none; rights are those of this moment."""
    person_id = row.person_id
    statement = select(SavedReport, ReportSchedule, ReportMail.due_on).where(
        ReportMail.message_id == row.id,
        SavedReport.id == ReportMail.saved_report_id,
        ReportSchedule.saved_report_id == SavedReport.id,
    )
    known = db.session.execute(statement).one_or_none()
    if known is None:
        return NothingToSend("The saved report was deleted.")
    report, schedule, due_on = known
    people = list_addressees([person_id, report.owner_id], london_day(now))
    reader, owner = people.get(person_id), people.get(report.owner_id)
    if reader is None or owner is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    if schedule.ended_at is not None:
        return _letter_about_end(report, schedule, reader, portal)
    if person_id != report.owner_id and person_id not in list_readers(report.id):
        return NothingToSend(
            "This reader turned the emails off, or the report is not shared with them any more."
        )
    viewer = _open_account(person_id, portal.line_managers)
    if viewer is None or find_refusal(Definition.of(report), viewer, now):
        return NothingToSend("This person may not open the report.")
    letter = _letter_with_link(report, reader, owner, due_on, portal)
    if read_own_settings().mails_files and schedule.attached:
        letter = replace(letter, file=_make_file(Definition.of(report), viewer, due_on, now))
    return letter


def _letter_with_link(
    report: SavedReport, reader: Addressee, owner: Addressee, due_on: date, portal: PortalDetails
) -> Letter:
    page = f"{portal.address}/saved-reports/{report.reference}"
    is_own = reader.person_id == owner.person_id
    definition = Definition.of(report)
    shared = "" if is_own else f" {owner.full_name} shares it with you."
    paragraphs = [
        Paragraph(f"The report “{report.name}” of {date_words(due_on)} can be opened.{shared}"),
        Paragraph(f"{definition.page_words}. {definition.time_words_for(due_on)}."),
        Paragraph("Sign in to see it:", link=f"{page}?day={due_on.isoformat()}"),
        Paragraph("Stop these emails:", link=f"{page}/emails"),
    ]
    why = "you scheduled it" if is_own else "it is shared with you"
    foot = (
        f"{portal.force} sent this from its learning portal because {why}. You see there what your own role "
        "lets you see. Replies are not read."
    )
    return compose_letter(reader, f"Report: {report.name}", paragraphs, foot=foot)


def _letter_about_end(
    report: SavedReport, schedule: ReportSchedule, reader: Addressee, portal: PortalDetails
) -> Letter | NothingToSend:
    """The mail to an owner whose schedule a job ended."""
    if not schedule.ended_why or reader.person_id != report.owner_id:
        return NothingToSend("The emails of this report were stopped.")
    paragraphs = [
        Paragraph(f"The report “{report.name}” is no longer emailed to you or to anybody else."),
        Paragraph("You may not open this report any more: your role, or what it lets you see, has changed."),
        Paragraph("See your saved reports:", link=f"{portal.address}/saved-reports"),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal because you scheduled it. Replies are not read."
    )
    return compose_letter(reader, f"Emails stopped: {report.name}", paragraphs, foot=foot)


def _make_file(definition: Definition, viewer: Viewer, due_on: date, now: datetime) -> AttachedFile | None:
    """The rows that the reader may see, as CSV, recorded as a download of theirs; None if there is none."""
    if definition.kind is not SavedPage.DIRECTIVE or Permission.COMPLETION_EXPORT not in viewer.permissions:
        return None
    try:
        report = open_report(definition, viewer, due_on, now)
    except (NotFoundError, PositionError, UnknownValueError):
        return None  # the page says why
    if report.shown.rows > MOST_ROWS:
        return None
    text = "".join(completion_files.csv_pieces(report.rows(), report.columns))
    people, detail = report.list_person_ids(), completion_files.audit_detail(report, "csv")
    with transaction():
        log_file("completions.exported", people, actor_id=viewer.person_id, mailed=True, **detail)
    return AttachedFile(completion_files.file_name(report, "csv"), text)


# The job that queues them.


def has_report_mails(now: datetime) -> bool:
    """Whether the mails of saved reports are not planned up to today."""
    if not relay_is_set() or not mail_hours().allows_sending(now):
        return False
    return has_unplanned_schedule(clock.london_day(now))


def plan_mails(job: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Put the mails of saved reports up to today into the outbox; a second time changes nothing."""
    with transaction():
        plan = plan_report_mails(
            at=clock.now(), hours=mail_hours(), holidays=bank_holidays(), line_managers=line_managers_see()
        )
    return plan.failures.end_job([plan.words])


TASKS = (
    Task(
        "report-mails",
        "Mail about saved reports",
        plan_mails,
        due=lambda: has_report_mails(clock.now()),
    ),
)
