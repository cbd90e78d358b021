"""Opens one more attempt at a module for a staff number, without revealing anything about the person.

Authors may not see people's records. The answer therefore never reveals whether a staff number exists or how
far the person has got: every reason for not opening an attempt gives the same answer.
"""

import math
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.domain.assessment import services as assessment
from portal.domain.assessment.errors import AttemptsRemainError, OwnAttemptError
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.people.queries import NOBODY, person_by_staff_number
from portal.domain.records.queries import latest_registration
from portal.platform.audit.models import AuditEvent
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import NotFoundError, TooManyError

NOT_OPENED = "attempt.not_opened"
# Enough for staff who answer learners, too few to find valid staff numbers by guessing.
MAX_TRIES, TRIES_PERIOD = 30, timedelta(hours=1)


def open_extra_attempt(
    version: ModuleVersion, staff_number: str, *, by: int, reason: str, at: datetime
) -> bool:
    """Open one more attempt at the version's module for a person who has used every permitted attempt.

    Failed tries are recorded in the audit trail too, so that guessing staff numbers leaves a trace.

    Args:
        version: The module's current one.
        staff_number: As the author typed it.
        by: The author.
        reason: A key of ``EXTRA_REASONS``.
        at: The current instant.

    Returns:
        Whether an attempt was opened today, now or earlier; False does not say why not.

    Raises:
        OwnAttemptError: The number is the author's own.
        TooManyError: The author has entered too many unknown numbers.
    """
    _refuse_guessing(by, at)
    person_id = _find_person(staff_number)
    if person_id == by:
        raise OwnAttemptError
    try:
        registration = latest_registration(person_id or NOBODY, version.activity_id)
        assessment.open_extra_attempt(registration, by=by, reason=reason, at=at)
    except AttemptsRemainError:
        log(NOT_OPENED, actor_id=by, subject_id=person_id, module=version.activity.key)
        return False
    return True


def _refuse_guessing(by: int, at: datetime) -> None:
    """Refuse after too many unknown staff numbers, counted in the audit trail across all processes."""
    oldest_counted = db.session.scalar(
        select(AuditEvent.happened_at)
        .where(
            AuditEvent.actor_id == by,
            AuditEvent.action == NOT_OPENED,
            AuditEvent.happened_at > at - TRIES_PERIOD,
        )
        .order_by(AuditEvent.happened_at.desc())
        .offset(MAX_TRIES - 1)
        .limit(1)
    )
    if oldest_counted is not None:
        wait = oldest_counted + TRIES_PERIOD - at
        raise TooManyError("You have entered too many wrong staff numbers.", math.ceil(wait.total_seconds()))


def _find_person(staff_number: str) -> int | None:
    try:
        return person_by_staff_number(staff_number.replace("\x00", ""))  # PostgreSQL takes no NUL
    except NotFoundError:
        return None
