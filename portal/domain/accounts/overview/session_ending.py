"""Ends many sessions at once, in slices of people."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, not_, update

from portal.domain.accounts.models import HeldForm, SignInSession
from portal.domain.accounts.overview.session_list import SessionCounts, SessionList
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import ForbiddenError

SLICE = 200  # people whose sessions one transaction ends: other writers wait for no more than that
REASON = "ended_elsewhere"


def end_slice(
    sessions: SessionList, conditions: Sequence[ColumnElement[bool]], by: int, at: datetime
) -> SessionCounts:
    """End these sessions of the next people, as far as the viewer may; forms held for them are deleted.

    Call it, each time in a transaction of its own, until it ends none. Safe to repeat.

    Args:
        sessions: The list that the viewer saw.
        conditions: Which of them.
        by: Who ends them.
        at: This instant.

    Returns:
        How many sessions ended, and of how many people; each person has one audit entry.
    """
    which = [*conditions, sessions.may_end()]
    chosen = sessions.select_open(SignInSession.person_id).where(*which).distinct()
    people = db.session.scalars(chosen.order_by(SignInSession.person_id).limit(SLICE)).all()
    if not people:
        return SessionCounts(0, 0)
    references = sessions.select_open(SignInSession.reference).where(
        *which, SignInSession.person_id.in_(people)
    )
    ended = Counter(
        db.session.scalars(
            update(SignInSession)
            .where(SignInSession.reference.in_(references), SignInSession.ended_at.is_(None))
            .values(ended_at=at, end_reason=REASON)
            .returning(SignInSession.person_id),
            execution_options={"synchronize_session": False},
        )
    )
    db.session.execute(
        delete(HeldForm).where(HeldForm.person_id.in_(list(ended))),
        execution_options={"synchronize_session": False},
    )
    for person_id in sorted(ended):
        log("account.session_ended", actor_id=by, subject_id=person_id, sessions=ended[person_id])
    return SessionCounts(ended.total(), len(ended))


def refuse_unadministered(sessions: SessionList, conditions: Sequence[ColumnElement[bool]]) -> None:
    """Refuse to end sessions of people whom the viewer sees, but whose accounts they do not administer.

    Raises:
        ForbiddenError: One of these is among them. Nothing is changed.
    """
    if sessions.count_matching([*conditions, not_(sessions.may_end())]).sessions:
        raise ForbiddenError("One of these accounts is outside the units that you administer.")
