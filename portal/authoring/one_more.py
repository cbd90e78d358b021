"""One more attempt at a module, opened by staff number to somebody whom the author may not see.

An author has no sight of people. So what is answered never tells whether a number is somebody's, or how
far that person is: one sentence stands for every reason why nothing was opened.
"""

from datetime import datetime

from portal.assessment import services as assessment
from portal.assessment.errors import AttemptsRemainError, OwnAttemptError
from portal.audit.services import log
from portal.catalogue.models import ModuleVersion
from portal.errors import NotFoundError
from portal.people.queries import person_by_staff_number
from portal.records.queries import latest_registration


def open_by_number(version: ModuleVersion, staff_number: str, *, by: int, reason: str, at: datetime) -> bool:
    """Open one more attempt at the version's module, where every attempt that it allows is used.

    What was tried and came to nothing is in the audit trail too, so that trying numbers leaves its trace.

    Args:
        version: The module's current one.
        staff_number: As the author typed it.
        by: The author.
        reason: A key of ``EXTRA_REASONS``.
        at: The transaction's stamp.

    Returns:
        Whether one was opened today, now or before; False says nothing about why not.

    Raises:
        OwnAttemptError: The number is the author's own.
    """
    person_id = _person(staff_number)
    if person_id == by:
        raise OwnAttemptError
    try:
        held = latest_registration(person_id, version.activity_id) if person_id else None
        assessment.open_one_more(held, by=by, reason=reason, at=at)
    except AttemptsRemainError:
        log("attempt.not_opened", actor_id=by, subject_id=person_id, module=version.activity.key)
        return False
    return True


def _person(staff_number: str) -> int | None:
    try:
        return person_by_staff_number(staff_number.replace("\x00", ""))  # PostgreSQL takes no NUL
    except NotFoundError:
        return None
