"""One more attempt at a module, opened by staff number to somebody whom the author may not see.

An author has no sight of people. So what is answered never tells whether a number is somebody's, or how
far that person is: one sentence stands for every reason why nothing was opened.
"""

import math
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.domain.assessment import services as assessment
from portal.domain.assessment.errors import AttemptsRemainError, OwnAttemptError
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.people.queries import person_by_staff_number
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
    """Open one more attempt at the version's module, where every attempt that it allows is used.

    What was tried and came to nothing is in the audit trail too, so that trying numbers leaves its trace.

    Args:
        version: The module's current one.
        staff_number: As the author typed it.
        by: The author.
        reason: A key of ``EXTRA_REASONS``.
        at: Now, by the clock.

    Returns:
        Whether one was opened today, now or before; False says nothing about why not.

    Raises:
        OwnAttemptError: The number is the author's own.
        TooManyError: The author entered too many unknown numbers.
    """
    _refuse_guessing(by, at)
    person_id = _find_person(staff_number)
    if person_id == by:
        raise OwnAttemptError
    try:
        held = latest_registration(person_id, version.activity_id) if person_id else None
        assessment.open_extra_attempt(held, by=by, reason=reason, at=at)
    except AttemptsRemainError:
        log(NOT_OPENED, actor_id=by, subject_id=person_id, module=version.activity.key)
        return False
    return True


def _refuse_guessing(by: int, at: datetime) -> None:
    """Refuse after too many unknown staff numbers, counted in the audit trail across all processes."""
    last_but = db.session.scalar(
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
    if last_but is not None:
        wait = last_but + TRIES_PERIOD - at
        raise TooManyError("You have entered too many wrong staff numbers.", math.ceil(wait.total_seconds()))


def _find_person(staff_number: str) -> int | None:
    try:
        return person_by_staff_number(staff_number.replace("\x00", ""))  # PostgreSQL takes no NUL
    except NotFoundError:
        return None
