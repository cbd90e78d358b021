"""Reads of saved reports: one's own, those that others shared, and with whom one is shared."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select

from portal.domain.people.models import PersonName
from portal.domain.people.visibility import Viewer, visible_people
from portal.features.saved_reports.models import ReportSchedule, ReportShare, SavedReport
from portal.features.saved_reports.rules import WEEKDAYS, Definition, Every, Recurrence
from portal.platform.db import db
from portal.platform.errors import NotFoundError, require
from portal.platform.wording import date as date_words

MOST_LISTED = 8  # on the overview
NOT_THERE = "There is no such saved report, or it is not shared with you any more."


@dataclass(frozen=True, slots=True)
class SavedRow:
    """A saved report as lists show it."""

    report: SavedReport
    schedule: ReportSchedule | None
    share_count: int
    owner_name: str
    mailed: bool  # whether its reader gets the mails

    @property
    def definition(self) -> Definition:
        """What it shows."""
        return Definition.of(self.report)

    @property
    def is_mailed(self) -> bool:
        """Whether it is mailed at present."""
        return self.schedule is not None and self.schedule.ended_at is None

    def mail_words(self, today: date, holidays: Collection[date]) -> str:
        """When it is mailed, next first; or why it is mailed no longer."""
        return schedule_words(self.schedule, today, holidays)


def recurrence_of(schedule: ReportSchedule) -> Recurrence:
    """The days of a schedule."""
    return Recurrence(Every(schedule.every), schedule.weekday)


def schedule_words(schedule: ReportSchedule | None, today: date, holidays: Collection[date]) -> str:
    """When a report is mailed, or why it is mailed no longer."""
    if schedule is None:
        return "Not emailed"
    if schedule.ended_at is not None:
        stopped = f"Emails stopped on {date_words(schedule.ended_at)}"
        return f"{stopped}. {schedule.ended_why}" if schedule.ended_why else stopped
    weekly = f"Every {WEEKDAYS[schedule.weekday]}"
    often = weekly if schedule.every == Every.WEEK else "On the first working day of each month"
    following = recurrence_of(schedule).next_after(max(today, schedule.planned_until), holidays)
    if schedule.planned_until < today:  # today's are not in the outbox yet
        following = recurrence_of(schedule).next_after(schedule.planned_until, holidays)
    return f"{often}, next on {date_words(following)}"


def list_names(person_id: int) -> list[tuple[UUID, str]]:
    """The reference and name of each saved report that a person can open, by name. One statement."""
    shared = select(ReportShare.saved_report_id).where(ReportShare.person_id == person_id)
    statement = select(SavedReport.reference, SavedReport.name).where(
        or_(SavedReport.owner_id == person_id, SavedReport.id.in_(shared))
    )
    rows = db.session.execute(statement.order_by(func.lower(SavedReport.name), SavedReport.id))
    return [(reference, name) for reference, name in rows]


def list_own(person_id: int) -> list[SavedRow]:
    """The saved reports of a person, by name. One statement."""
    shares = select(func.count()).where(ReportShare.saved_report_id == SavedReport.id).scalar_subquery()
    statement = (
        select(SavedReport, ReportSchedule, shares)
        .outerjoin(ReportSchedule, ReportSchedule.saved_report_id == SavedReport.id)
        .where(SavedReport.owner_id == person_id)
        .order_by(func.lower(SavedReport.name), SavedReport.id)
    )
    return [
        SavedRow(report, schedule, count, owner_name="", mailed=True)
        for report, schedule, count in db.session.execute(statement)
    ]


def list_shared(person_id: int) -> list[SavedRow]:
    """The saved reports that others shared with a person, by name. One statement."""
    statement = (
        select(SavedReport, ReportSchedule, PersonName, ReportShare.mailed)
        .join(ReportShare, ReportShare.saved_report_id == SavedReport.id)
        .join(PersonName, PersonName.person_id == SavedReport.owner_id)
        .outerjoin(ReportSchedule, ReportSchedule.saved_report_id == SavedReport.id)
        .where(ReportShare.person_id == person_id)
        .order_by(func.lower(SavedReport.name), SavedReport.id)
    )
    return [
        SavedRow(report, schedule, 0, owner.full_name, mailed)
        for report, schedule, owner, mailed in db.session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class ShareRow:
    """Somebody with whom a report is shared."""

    staff_number: str
    name: str  # empty if the viewer may not see this person
    mailed: bool


def list_shares(report: SavedReport, viewer: Viewer) -> list[ShareRow]:
    """With whom a report is shared, by staff number; names only of people whom the viewer may see."""
    statement = (
        select(PersonName, ReportShare.mailed, PersonName.person_id.in_(visible_people(viewer)))
        .join(ReportShare, ReportShare.person_id == PersonName.person_id)
        .where(ReportShare.saved_report_id == report.id)
        .order_by(PersonName.staff_number)
    )
    return [
        ShareRow(person.staff_number, f"{person.surname}, {person.forenames}" if visible else "", mailed)
        for person, mailed, visible in db.session.execute(statement)
    ]


def list_readers(report_id: int) -> list[int]:
    """The people with whom a report is shared and who get its mails."""
    statement = select(ReportShare.person_id).where(
        ReportShare.saved_report_id == report_id, ReportShare.mailed
    )
    return list(db.session.scalars(statement.order_by(ReportShare.person_id)))


def get_own(reference: UUID, person_id: int) -> SavedReport:
    """A saved report of this person."""
    statement = select(SavedReport).where(
        SavedReport.reference == reference, SavedReport.owner_id == person_id
    )
    return require(db.session.scalar(statement), NOT_THERE)


def get_readable(reference: UUID, person_id: int) -> tuple[SavedReport, ReportShare | None]:
    """A saved report that a person owns, or that is shared with them, with that share."""
    statement = (
        select(SavedReport, ReportShare)
        .outerjoin(
            ReportShare,
            (ReportShare.saved_report_id == SavedReport.id) & (ReportShare.person_id == person_id),
        )
        .where(SavedReport.reference == reference)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None or (row[0].owner_id != person_id and row[1] is None):
        raise NotFoundError(NOT_THERE)
    return row[0], row[1]


def schedule_of(report_id: int) -> ReportSchedule | None:
    """When a report is mailed; None if it never was."""
    return db.session.get(ReportSchedule, report_id)
