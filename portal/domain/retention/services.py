"""Sets periods; asks for disposals, grants, refuses and certifies them. Each is audited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from portal.domain.decisions.errors import DecidedAlreadyError, NotYoursError, SecondPersonError
from portal.domain.people.notes import write_notes
from portal.domain.retention import queries
from portal.domain.retention.classes import LONGEST, class_of_key
from portal.domain.retention.errors import LongerPeriodError, NothingDueError, UnderWayError
from portal.domain.retention.holds import take_turn
from portal.domain.retention.models import (
    DisposalCertificate,
    DisposalDecision,
    DisposalRequest,
    RetentionPeriod,
)
from portal.domain.retention.periods import newest_due_day, period_words
from portal.domain.retention.preview import count_due, preview_class
from portal.domain.retention.queries import DisposalRow
from portal.domain.retention.stores import Limit
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, RuleError
from portal.platform.jobs.queries import find_unended_job
from portal.platform.jobs.services import start_job

JOB = "disposal"
MADE_LONGER = "The period was made longer before the disposal ended. What was left by then stays."


def set_period(key: str, months: int, reason: str, *, by: int, at: datetime) -> None:
    """Keep a class for so many months from now on; the same period again changes nothing.

    Raises:
        RuleError: It is too short or too long, or there is no reason.
    """
    row = class_of_key(key)
    if not row.least <= months <= LONGEST:
        raise RuleError(f"Enter a number of months from {row.least} to {LONGEST:,}")
    _require_reason(reason)
    take_turn()
    if months == queries.months_of(key):
        return
    period = RetentionPeriod(class_key=key, months=months, set_by_id=by, set_at=at)
    db.session.add(period)
    db.session.flush()
    write_notes(RetentionPeriod.__tablename__, period.id, {"reason": reason.strip()})
    log("retention.period_set", actor_id=by, kept_class=row.title, period=period_words(months))


def ask_disposal(key: str, reason: str, *, by: int, at: datetime) -> UUID:
    """Ask for the disposal of all that is due of a class today.

    Raises:
        NothingDueError: Nothing is.
        UnderWayError: Another disposal of the class waits or runs.
        RuleError: There is no reason.
    """
    row = class_of_key(key)
    _require_reason(reason)
    take_turn()
    if queries.find_open_disposal(key):
        raise UnderWayError
    months = queries.months_of(key)
    preview = preview_class(key, months, london_day(at))
    if not preview.rows or preview.oldest_on is None:
        raise NothingDueError
    request = DisposalRequest(
        class_key=key,
        months=months,
        through_on=preview.limit.through_on,
        before_at=preview.limit.before_at,
        rows=preview.rows,
        held=preview.held,
        oldest_on=preview.oldest_on,
        asked_by_id=by,
        asked_at=at,
    )
    db.session.add(request)
    db.session.flush()
    write_notes(DisposalRequest.__tablename__, request.id, {"reason": reason.strip()})
    log("retention.disposal_asked", actor_id=by, kept_class=row.title, rows=preview.rows)
    return request.uuid


def grant_disposal(uuid: UUID, *, by: int, at: datetime) -> None:
    """Grant a disposal that somebody else asked for, and start the job that carries it out.

    Raises:
        DecidedAlreadyError: It was answered.
        SecondPersonError: The same person asked for it.
        LongerPeriodError: The class is kept longer since then.
    """
    row = _get_undecided(uuid)
    if row.asked_by_id == by:
        raise SecondPersonError
    refuse_longer_period(row, at)
    job = start_job(JOB, {"disposal": str(uuid)}, by=by, at=at)
    _decide(row, "granted", by, at, job)


def refuse_disposal(uuid: UUID, reason: str, *, by: int, at: datetime) -> None:
    """Refuse a disposal.

    Raises:
        DecidedAlreadyError: It was answered.
        RuleError: There is no reason.
    """
    row = _get_undecided(uuid)
    _require_reason(reason)
    _decide(row, "refused", by, at)
    write_notes(DisposalDecision.__tablename__, row.id, {"reason": reason.strip()})


def withdraw_disposal(uuid: UUID, *, by: int, at: datetime) -> None:
    """Withdraw one's own request.

    Raises:
        DecidedAlreadyError: It was answered.
        NotYoursError: Somebody else asked.
    """
    row = _get_undecided(uuid)
    if row.asked_by_id != by:
        raise NotYoursError
    _decide(row, "withdrawn", by, at)


def resume_disposal(uuid: UUID, *, by: int, at: datetime) -> None:
    """Start another job for a granted disposal whose job failed, was cancelled or is not kept any more.

    Raises:
        ConflictError: It is not under way, or a job of disposals waits or runs.
    """
    take_turn()
    if queries.get_disposal(uuid).state != queries.RUNNING or find_unended_job(JOB):
        raise ConflictError(
            "This disposal is done, or a job of disposals waits or runs. Nothing was started."
        )
    start_job(JOB, {"disposal": str(uuid)}, by=by, at=at)


def certify_disposal(row: DisposalRow, at: datetime) -> list[str]:
    """Write the certificate of a disposal of which no row is left but those that are to stay.

    These are rows under a hold, and all rows if the period is longer by now.

    Returns:
        What was removed and what is left, in sentences.
    """
    counts, began_at = queries.sum_slices(row.id)
    held = count_due(row.class_key, Limit(row.through_on)).held
    about = row.kept_class
    ended_early = MADE_LONGER if is_longer_kept(row, at) else ""
    certificate = DisposalCertificate(
        request_id=row.id,
        began_at=began_at or at,
        ended_at=at,
        rows=sum(counts.values()),
        held=held,
        counts=counts,
        words={
            "title": about.title,
            "goes": about.goes,
            "stays": about.stays,
            "runs_from": about.runs_from,
            "reason": queries.list_periods()[row.class_key].reason,
            **({"ended_early": ended_early} if ended_early else {}),
        },
    )
    db.session.add(certificate)
    log(
        "retention.disposed",
        actor_id=None,
        kept_class=about.title,
        rows=certificate.rows,
        held=held,
        disposal=str(row.uuid),
    )
    sentences = [f"{rows:,} {name} removed." for name, rows in counts.items()]
    return [*sentences, ended_early] if ended_early else sentences


def is_longer_kept(row: DisposalRow, at: datetime) -> bool:
    """Whether rows of a disposal are not due under the period of now, which is longer than the one then."""
    return row.through_on > newest_due_day(queries.months_of(row.class_key), london_day(at))


def refuse_longer_period(row: DisposalRow, at: datetime) -> None:
    """Raise ``LongerPeriodError`` if rows would go that are not due under the period of now."""
    if is_longer_kept(row, at):
        raise LongerPeriodError


def _get_undecided(uuid: UUID) -> DisposalRow:
    take_turn()
    row = queries.get_disposal(uuid)
    if row.outcome is not None and row.decided_at is not None:
        raise DecidedAlreadyError(row.outcome, row.decided_by or "Erased", row.decided_at)
    return row


def _decide(row: DisposalRow, outcome: str, by: int, at: datetime, job: UUID | None = None) -> None:
    decision = DisposalDecision(
        request_id=row.id, outcome=outcome, decided_by_id=by, decided_at=at, job_reference=job
    )
    try:
        with db.session.begin_nested():
            db.session.add(decision)
    except IntegrityError:
        raise ConflictError("This request was answered just now. Nothing was changed.") from None
    log(f"retention.disposal_{outcome}", actor_id=by, kept_class=row.kept_class.title)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise RuleError("Enter a reason")
