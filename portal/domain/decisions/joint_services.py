"""Makes, decides and withdraws the requests about several people that belong together, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from portal.domain.decisions import queries
from portal.domain.decisions.change_requests import ChangeRequest
from portal.domain.decisions.errors import NotYoursError, OwnMatterError
from portal.domain.decisions.joint_requests import waiting_matters
from portal.domain.decisions.models import DecisionRequest
from portal.domain.decisions.queries import RequestRow
from portal.domain.decisions.services import (
    complete_request,
    exclusion_decision,
    record_decision,
    record_request,
    refuse_decided,
    refuse_faulty,
)
from portal.domain.directives import exclusions
from portal.domain.people.notes import write_many_notes
from portal.domain.people.queries import Viewer, visible_people
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, ForbiddenError
from portal.platform.permissions import Permission


class JointOutcome(NamedTuple):
    """How many people's requests were granted and refused, and how many had been decided before."""

    granted: int
    refused: int
    decided_before: int


def submit_joint_request(
    change: ChangeRequest, people: Sequence[int], comment: str, *, by: int, at: datetime
) -> tuple[UUID, int]:
    """Record one request about each person; those for whom the same matter waits are left out.

    Args:
        change: What is requested; its ``person_id`` is not used.
        people: Whom it is for; the caller has checked that the person who asks may see them.
        comment: Kept as a note of each request; may be empty.
        by: The person who asks.
        at: Now, by the clock.

    Returns:
        What the requests have in common, and how many were recorded: 0 if the same person has made exactly
        this request already and it waits.

    Raises:
        FaultyError: It could never be granted.
        ConflictError: The same matter waits for everybody, in more than one request or another's.
    """
    stamp()  # before anything is read
    change = complete_request(change)
    refuse_faulty(change, at)
    waiting = waiting_matters(change, people)
    new = [person_id for person_id in people if person_id not in waiting]
    if not new:
        return _find_same_request(waiting.values(), change, by), 0
    joint_uuid = uuid4()
    rows = [record_request(replace(change, person_id=p), by=by, joint_uuid=joint_uuid) for p in new]
    if comment:
        write_many_notes(DecisionRequest.__tablename__, {row.id: {"comment": comment} for row in rows})
    return joint_uuid, len(rows)


def _find_same_request(waiting: Iterable[RequestRow], change: ChangeRequest, by: int) -> UUID:
    """The joint request of all these rows, if this person made it with the same reason and dates."""
    wish = (change.reason, change.from_on, change.to_on, change.due_on, by)
    same = {
        row.joint_uuid
        for row in waiting
        if (row.reason, row.from_on, row.to_on, row.due_on, row.asked_by_id) == wish
    }
    joint_uuid = same.pop() if len(same) == 1 else None
    if joint_uuid is None:
        raise ConflictError("This has been asked for everybody you chose. It is waiting for a decision.")
    return joint_uuid


def list_decidable(viewer: Viewer, joint_uuid: UUID) -> list[RequestRow]:
    """The waiting requests made together that the viewer may decide, by surname. At most two statements.

    Raises:
        NotFoundError: The viewer may see none of them.
    """
    rows = queries.list_joint_requests(viewer, joint_uuid)
    if Permission.DECISION_MAKE not in viewer.permissions:
        return []
    waiting = [row for row in rows if row.outcome is None and row.person_id != viewer.person_id]
    among = [row.person_id for row in waiting]
    visible = set(db.session.scalars(visible_people(viewer, Permission.DECISION_MAKE, among)))
    return [row for row in waiting if row.person_id in visible]


def get_decidable(viewer: Viewer, joint_uuid: UUID) -> list[RequestRow]:
    """As ``list_decidable``, but never empty.

    Raises:
        NotFoundError: The viewer may see none of them.
        DecidedAlreadyError: All that the viewer may decide have been answered.
        OwnMatterError: What waits is about the viewer, or about people for whom the viewer may not decide.
    """
    if Permission.DECISION_MAKE not in viewer.permissions:
        raise ForbiddenError("You may not decide requests.")
    rows = list_decidable(viewer, joint_uuid)
    if rows:
        return rows
    for row in queries.list_joint_requests(viewer, joint_uuid):
        refuse_decided(row)
    raise OwnMatterError


def decide_joint_request(
    viewer: Viewer,
    joint_uuid: UUID,
    dates: Mapping[str, date | None],
    refusals: Mapping[int, str],
    comment: str,
    *,
    at: datetime,
) -> JointOutcome:
    """Grant the requests made together that wait for the viewer, but refuse some; all in one transaction.

    Args:
        viewer: The person who decides.
        joint_uuid: What the requests have in common.
        dates: The dates decided, for all who are granted.
        refusals: Why, by the id of each person who is refused.
        comment: A note to the person who asked, on every grant; may be empty.
        at: Now, by the clock.

    Raises:
        PortalError: The viewer may not decide, everything is decided, or the dates have faults. Nothing is
            changed.
    """
    stamp()  # before anything is read
    rows = get_decidable(viewer, joint_uuid)
    granted_rows = [row for row in rows if row.person_id not in refusals]
    if granted_rows:
        _grant(granted_rows, dates, comment, viewer.person_id, at)
    for row in rows:
        if row.person_id in refusals:
            record_decision(row, "refused", viewer.person_id, refusals[row.person_id])
    decided_before = len(refusals.keys() - {row.person_id for row in rows})
    return JointOutcome(len(granted_rows), len(rows) - len(granted_rows), decided_before)


def _grant(
    rows: Sequence[RequestRow], dates: Mapping[str, date | None], comment: str, by: int, at: datetime
) -> None:
    change: Any = dates
    changes = [complete_request(replace(row.change_request, **change)) for row in rows]
    refuse_faulty(changes[0], at)  # they differ by the person alone
    decisions = [exclusion_decision(row, granted, by) for row, granted in zip(rows, changes, strict=True)]
    facts = exclusions.decide_exclusions(decisions)
    for row, granted, fact_id in zip(rows, changes, facts, strict=True):
        record_decision(
            row,
            "granted",
            by,
            comment,
            from_on=granted.from_on,
            to_on=granted.to_on,
            due_on=granted.due_on,
            exclusion_id=fact_id,
        )


def withdraw_joint_request(viewer: Viewer, joint_uuid: UUID) -> int:
    """Withdraw those of the viewer's own requests made together that wait; says how many.

    Raises:
        NotYoursError: Someone else asked.
        DecidedAlreadyError: All have been answered.
    """
    stamp()  # before anything is read
    rows = queries.list_joint_requests(viewer, joint_uuid)
    if rows[0].asked_by_id != viewer.person_id:
        raise NotYoursError
    waiting = [row for row in rows if row.outcome is None]
    if not waiting:
        refuse_decided(rows[0])
    for row in waiting:
        record_decision(row, "withdrawn", viewer.person_id, "")
    return len(waiting)
