"""Saving, sharing and scheduling reports, in the caller's transaction. Every change is audited."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from portal.domain.people.models import PersonName
from portal.domain.people.queries import find_seen_person, viewer_of
from portal.domain.people.visibility import Viewer
from portal.features.saved_reports.models import ReportSchedule, ReportShare, SavedPage, SavedReport
from portal.features.saved_reports.queries import schedule_of
from portal.features.saved_reports.rules import NO_RIGHT, START, Definition, Every, Recurrence, find_refusal
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import NotFoundError, RuleError

MOST_REPORTS = 100  # of one person
MOST_READERS = 50  # of one report


def save_report(name: str, definition: Definition, *, by: Viewer, at: datetime) -> SavedReport:
    """Save a report for its owner, who must be able to open it now."""
    if find_refusal(definition, by, at):
        raise RuleError("You cannot open this report any more, so it cannot be saved.")
    own = select(SavedReport.name).where(SavedReport.owner_id == by.person_id)
    names = {saved_name.casefold() for saved_name in db.session.scalars(own)}
    if name.casefold() in names:
        raise RuleError(f"You have a saved report called “{name}” already. Enter another name.")
    if len(names) >= MOST_REPORTS:
        raise RuleError(f"You have {MOST_REPORTS} saved reports. Delete one first.")
    as_of = definition.as_of
    report = SavedReport(
        reference=uuid.uuid4(),
        owner_id=by.person_id,
        name=name,
        kind=definition.kind,
        directive=definition.directive,
        arguments=dict(definition.arguments),
        day_rule=as_of.day_rule,
        fixed_on=as_of.fixed_on,
        known_rule=as_of.known_rule,
        span=definition.span if definition.kind is SavedPage.CHANGES else "",
        saved_at=at,
    )
    db.session.add(report)
    db.session.flush()
    filters = sorted(definition.arguments.keys() - {*START})
    _log(
        "saved_report.saved",
        report,
        by.person_id,
        kind=report.kind,
        directive=report.directive,
        filters=filters,
    )
    return report


def share_report(
    report: SavedReport, staff_number: str, *, by: Viewer, at: datetime, line_managers: bool = False
) -> None:
    """Share a report with somebody whom its owner sees and who may open it. Again, it changes nothing."""
    nobody = RuleError(f"You can see nobody with the staff number {staff_number} who may see reports.")
    try:
        person_id = find_seen_person(by, staff_number)
    except NotFoundError:
        raise nobody from None
    if person_id == by.person_id:
        raise RuleError("This report is yours already.")
    viewer = viewer_of(person_id, line_managers=line_managers)
    refusal = find_refusal(Definition.of(report), viewer, at)
    if refusal == NO_RIGHT:  # as if there were nobody, so that a number says nothing of a person
        raise nobody
    if refusal:
        raise RuleError(f"{staff_number} cannot open this report. {refusal}")
    readers = set(
        db.session.scalars(select(ReportShare.person_id).where(ReportShare.saved_report_id == report.id))
    )
    if person_id in readers:
        return
    if len(readers) >= MOST_READERS:
        raise RuleError(f"This report is shared with {MOST_READERS} people. End one share first.")
    db.session.add(ReportShare(saved_report_id=report.id, person_id=person_id, shared_at=at, mailed=True))
    _log("saved_report.shared", report, report.owner_id, subject_id=person_id)


def end_share(report: SavedReport, staff_number: str) -> None:
    """Share a report with somebody no longer; a number with which it is not shared changes nothing."""
    number = staff_number.replace("\x00", "").strip()  # PostgreSQL takes no NUL
    having = select(PersonName.person_id).where(PersonName.staff_number == number)
    share = db.session.scalar(
        select(ReportShare).where(ReportShare.saved_report_id == report.id, ReportShare.person_id.in_(having))
    )
    if share is not None:
        db.session.delete(share)
        _log("saved_report.unshared", report, report.owner_id, subject_id=share.person_id)


def choose_mail(report: SavedReport, share: ReportShare, *, mailed: bool) -> None:
    """Turn the mails of a shared report off, or on again, for the reader who asks."""
    if share.mailed == mailed:
        return
    share.mailed = mailed
    if mailed:
        _log("saved_report.mail_turned_on", report, share.person_id)
    else:
        _log("saved_report.mail_turned_off", report, share.person_id)


def set_schedule(report: SavedReport, recurrence: Recurrence, *, attached: bool, at: datetime) -> None:
    """Mail a report from tomorrow on; this replaces its schedule, and starts one again that ended."""
    schedule = schedule_of(report.id) or ReportSchedule(saved_report_id=report.id)
    schedule.every, schedule.weekday = recurrence.every, recurrence.weekday
    schedule.attached, schedule.planned_until, schedule.set_at = attached, london_day(at), at
    schedule.ended_at, schedule.ended_why = None, ""
    db.session.add(schedule)
    weekly = {"weekday": recurrence.weekday} if recurrence.every is Every.WEEK else {}
    _log(
        "saved_report.scheduled",
        report,
        report.owner_id,
        every=str(recurrence.every),
        attached=attached,
        **weekly,
    )


def stop_schedule(report: SavedReport, *, by: int | None, at: datetime, why: str = "") -> None:
    """Mail a report no longer. Doing it again changes nothing.

    Args:
        report: The report.
        by: Its owner; None: a job, which says why.
        at: This instant.
        why: A sentence for its owner and its readers.
    """
    schedule = schedule_of(report.id)
    if schedule is not None and schedule.ended_at is None:
        schedule.ended_at, schedule.ended_why = at, why
        reason: dict[str, Any] = {"reason": why} if why else {}
        _log("saved_report.schedule_stopped", report, by, **reason)


def delete_report(report: SavedReport) -> None:
    """Delete a saved report, with its shares and its schedule; mails that wait are dropped."""
    _log("saved_report.deleted", report, report.owner_id)
    db.session.execute(delete(SavedReport).where(SavedReport.id == report.id))


def _log(
    action: str, report: SavedReport, actor_id: int | None, *, subject_id: int | None = None, **detail: Any
) -> None:
    log(
        action,
        actor_id=actor_id,
        subject_id=subject_id,
        report=str(report.reference),
        **detail,
    )
