"""Makes, grants, refuses and withdraws requests. Granting writes the facts in the same transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.domain.decisions import queries
from portal.domain.decisions.models import (
    DecidedAlreadyError,
    Decision,
    DecisionRequest,
    FaultyError,
    NotYoursError,
    OwnMatterError,
    SecondPersonError,
    WaitingAlreadyError,
)
from portal.domain.decisions.preview import CompletionShare, add_exclusion, completion_share, visible_to
from portal.domain.decisions.queries import RequestRow, list_waiting
from portal.domain.decisions.requests import EXCLUSIONS, TWO_PERSONS, ChangeRequest, list_faults
from portal.domain.directives import services
from portal.domain.directives.applies import split_into_batches
from portal.domain.directives.services import due_day_after_deferral
from portal.domain.people.services import notes_of, write_many_notes, write_notes
from portal.domain.people.visibility import Viewer, may_see, visible_people
from portal.domain.records import services as records
from portal.domain.records.queries import holder_name
from portal.domain.status.counts import Scope
from portal.domain.status.recording import StatusWithDueDay, project_what_ifs, statuses_on_day
from portal.domain.status.rules import WHOLE
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, clock_at, db, stamp
from portal.platform.errors import ConflictError, ForbiddenError
from portal.platform.permissions import Permission
from portal.platform.wording import instant

_MATTER = ("kind", "person_id", "directive_id", "activity_id", "record_id", "exclusion_id", "revocation_id")
_DATES = ("from_on", "to_on", "due_on")


def complete_request(change: ChangeRequest) -> ChangeRequest:
    """The change with its defaults: no end, and the usual due date after a deferral."""
    if change.kind not in EXCLUSIONS:
        return change
    change = replace(change, to_on=change.to_on or OPEN_END)
    if change.kind == "deferral" and change.due_on is None and change.to_on and change.directive_id:
        return replace(change, due_on=due_day_after_deferral(change.directive_id, change.to_on))
    return change


def submit_request(change: ChangeRequest, texts: Mapping[str, str], *, by: int, at: datetime) -> UUID:
    """Record a request; the same person making it again while it waits changes nothing.

    Args:
        change: What is requested; the caller has checked that the person who asks may see its person.
        texts: Comment and evidence, kept as notes.
        by: The person who asks.
        at: Now, by the clock.

    Raises:
        FaultyError: It could never be granted.
        WaitingAlreadyError: The same matter is already waiting for a decision.
    """
    stamp()  # before anything is read
    change = complete_request(change)
    refuse_faulty(change, at)
    r, d = DecisionRequest, Decision
    same_matter = [getattr(r, name) == getattr(change, name) for name in _MATTER]
    waiting = select(r, clock_at(r.recorded_at)).outerjoin(d, d.request_id == r.id)
    waiting = waiting.where(*same_matter, d.id.is_(None)).order_by(r.id).limit(1)
    for existing, asked_at in db.session.execute(waiting):
        details = ("reason", *_DATES)
        if existing.asked_by_id == by and all(getattr(existing, n) == getattr(change, n) for n in details):
            return existing.uuid
        raise WaitingAlreadyError(holder_name(existing.asked_by_id), asked_at)
    row = record_request(change, by=by)
    write_notes(r.__tablename__, row.id, {kind: text for kind, text in texts.items() if text})
    return row.uuid


def record_request(change: ChangeRequest, *, by: int, joint_uuid: UUID | None = None) -> DecisionRequest:
    """Write a checked request, and its audit event."""
    columns = {name: getattr(change, name) for name in (*_MATTER, "reason", *_DATES)}
    row = DecisionRequest(recorded_at=stamp(), asked_by_id=by, joint_uuid=joint_uuid, **columns)
    db.session.add(row)
    db.session.flush()
    log(
        "decision.asked",
        actor_id=by,
        subject_id=change.person_id,
        kind=change.kind,
        reason=change.reason,
        request=str(row.uuid),
    )
    return row


def grant_request(viewer: Viewer, uuid: UUID, granted: ChangeRequest, sentence: str, *, at: datetime) -> None:
    """Grant a request, with the dates of ``granted``, and write the facts that follow from it.

    Args:
        viewer: The person who decides.
        uuid: Of the request.
        granted: The requested change, with the dates decided.
        sentence: A note to the person who asked; may be empty.
        at: Now, by the clock.

    Raises:
        PortalError: As in ``_get_decidable_request``, or the change has faults. Nothing is changed.
    """
    stamp()  # before anything is read
    row = _get_decidable_request(viewer, uuid)
    granted = complete_request(granted)
    refuse_faulty(granted, at)
    written = _WRITERS[row.kind](row, granted, viewer.person_id)
    dates = {name: getattr(granted, name) for name in _DATES}
    record_decision(row, "granted", viewer.person_id, sentence, **dates, **written)


def refuse_request(viewer: Viewer, uuid: UUID, sentence: str) -> None:
    """Refuse a request; ``sentence`` says why.

    Raises:
        PortalError: As in ``_get_decidable_request``.
    """
    stamp()  # before anything is read
    record_decision(_get_decidable_request(viewer, uuid), "refused", viewer.person_id, sentence)


def withdraw_request(viewer: Viewer, uuid: UUID) -> None:
    """Withdraw the viewer's own request while it waits.

    Raises:
        NotYoursError: Someone else asked.
        DecidedAlreadyError: It has been answered.
    """
    stamp()  # before anything is read
    row = queries.get_request(viewer, uuid)
    if row.asked_by_id != viewer.person_id:
        raise NotYoursError
    refuse_decided(row)
    record_decision(row, "withdrawn", viewer.person_id, "")


def _get_decidable_request(viewer: Viewer, uuid: UUID) -> RequestRow:
    """The request, if the viewer may decide it.

    Raises:
        DecidedAlreadyError: It has been answered.
        OwnMatterError: It is about the viewer.
        SecondPersonError: The viewer asked for what a second person must decide.
    """
    if Permission.DECISION_MAKE not in viewer.permissions:
        raise ForbiddenError("You may not decide requests.")
    row = queries.get_request(viewer, uuid)
    if not may_see(viewer, row.person_id, Permission.DECISION_MAKE):
        raise ForbiddenError("You may not decide requests about this person.")
    refuse_decided(row)
    if row.person_id == viewer.person_id:
        raise OwnMatterError
    if row.kind in TWO_PERSONS and row.asked_by_id == viewer.person_id:
        raise SecondPersonError
    return row


def refuse_decided(row: RequestRow) -> None:
    """Raise ``DecidedAlreadyError`` if the request has been answered."""
    if row.outcome is not None and row.decided_at is not None:
        raise DecidedAlreadyError(row.outcome, row.decided_by, row.decided_at)


def refuse_faulty(change: ChangeRequest, at: datetime) -> None:
    """Raise ``FaultyError`` if the change can never be granted."""
    faults = list_faults(change, london_day(at))
    if faults:
        raise FaultyError(f"Nothing was changed. {'. '.join(fault.sentence for fault in faults)}.")


def record_decision(
    row: RequestRow, outcome: str, by: int, sentence: str, **values: date | int | None
) -> None:
    """Write the answer to a request with what it decided, its note and its audit event."""
    decision = Decision(recorded_at=stamp(), request_id=row.id, outcome=outcome, decided_by_id=by, **values)
    db.session.add(decision)
    db.session.flush()
    if sentence:
        write_notes(Decision.__tablename__, decision.id, {"comment": sentence})
    log(
        f"decision.{outcome}",
        actor_id=by,
        subject_id=row.person_id,
        kind=row.kind,
        request=str(row.uuid),
        asked_by=row.asked_by_id,
    )


def exclusion_decision(row: RequestRow, granted: ChangeRequest, by: int) -> services.ExclusionDecision:
    """The exemption or deferral that granting a request records."""
    exempt = row.kind == "exemption"
    due = None if exempt else granted.due_on
    directive_id: Any = row.directive_id
    from_on: Any = granted.from_on
    to_on = granted.to_on or OPEN_END
    return services.ExclusionDecision(
        row.person_id, directive_id, exempt, row.reason, from_on, to_on, due, by
    )


def _record_exclusion(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    return {"exclusion_id": services.decide_exclusions([exclusion_decision(row, granted, by)])[0]}


def _record_waiver(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    evidence = notes_of(DecisionRequest.__tablename__, [row.id]).get(row.id, {}).get("evidence", "")
    prior_learning: Any = (row.person_id, row.activity_id, granted.from_on)
    record = records.recognise_prior_learning(
        *prior_learning, reason=row.reason, evidence=evidence, decided_by=by
    )
    return {"record_id": record.id}


def _revoke_record(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    revoked: Any = (row.record_id, granted.from_on)
    return {"revocation_id": records.revoke_record(*revoked, reason=row.reason, decided_by=by).id}


def _restore_record(row: RequestRow, _granted: ChangeRequest, by: int) -> dict[str, int]:
    revocation_id: Any = row.revocation_id
    return {"revocation_id": records.restore_record(revocation_id, reason=row.reason, decided_by=by).id}


def _lift_exclusion(row: RequestRow, granted: ChangeRequest, by: int) -> dict[str, int]:
    exclusion_id: Any = row.exclusion_id
    return {"exclusion_id": services.end_exclusion(exclusion_id, granted.to_on, by=by)}


_WRITERS = {
    "exemption": _record_exclusion,
    "deferral": _record_exclusion,
    "waiver": _record_waiver,
    "revocation": _revoke_record,
    "restore": _restore_record,
    "lift": _lift_exclusion,
}


# Plans an exemption or deferral for several people: whom it is for, what it would change, who is left
# out.
#
# Each of them has a request and a decision of their own, as if it had been asked for alone. Requests with
# the same ``joint_uuid`` are shown as one, with one reason and the same dates.

MOST = 500  # people of one request


class RequestPerson(NamedTuple):
    """A person whom a request may be about."""

    person_id: int
    staff_number: str
    name: str  # as lists show it: surname first


@dataclass(frozen=True, slots=True)
class PersonEffect:
    """One person's status under the whole directive, before and after; None where it does not apply."""

    person: RequestPerson
    before: StatusWithDueDay | None
    after: StatusWithDueDay | None

    @property
    def changes(self) -> bool:
        """Whether the status or the due date changes."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class JointEffects:
    """What a change would do to several people on its first day, or today if that is past."""

    day: date
    people: list[PersonEffect]
    share_before: CompletionShare
    share_after: CompletionShare


@dataclass(frozen=True, slots=True)
class JointPlan:
    """Whom a joint request would be about, and who is left out, with the reason."""

    people: list[RequestPerson]
    left_out: list[tuple[RequestPerson, str]]


def select_candidates(viewer: Viewer, people: Sequence[RequestPerson]) -> list[RequestPerson]:
    """Those about whom the viewer may make requests, in the same order. One statement for each 500."""
    allowed: set[int] = set()
    for batch in split_into_batches(sorted({person.person_id for person in people})):
        allowed |= set(db.session.scalars(visible_people(viewer, Permission.DECISION_ASK, batch)))
    return [person for person in people if person.person_id in allowed]


def plan_joint_request(change: ChangeRequest, people: Sequence[RequestPerson]) -> JointPlan:
    """Leave out the people for whom the same matter waits for a decision already. One statement."""
    waiting = waiting_matters(change, [person.person_id for person in people])
    left_out = [(p, _say_waiting(waiting[p.person_id])) for p in people if p.person_id in waiting]
    return JointPlan([p for p in people if p.person_id not in waiting], left_out)


def waiting_matters(change: ChangeRequest, people: Collection[int]) -> dict[int, RequestRow]:
    """By person, the waiting request for the same exemption or deferral. One statement."""
    return {row.person_id: row for row in list_waiting(change, people)}


def _say_waiting(row: RequestRow) -> str:
    return f"{row.asked_by} asked for this at {instant(row.asked_at)}. It is waiting for a decision."


def decision_notes(rows: Sequence[RequestRow]) -> dict[int, str]:
    """By person, what the person who decided wrote to the one who asked. At most one statement."""
    decided = {row.decision_id: row.person_id for row in rows if row.decision_id is not None}
    notes = notes_of(Decision.__tablename__, list(decided)) if decided else {}
    return {decided[fact_id]: texts.get("comment", "") for fact_id, texts in notes.items()}


def preview_joint_effects(
    change: ChangeRequest, people: Sequence[RequestPerson], viewer: Viewer, *, now: datetime, today: date
) -> JointEffects:
    """How each person's status changes, and the directive's percentage among the people the viewer may see.

    A fixed number of statements, however many the people are.
    """
    day = max(today, change.from_on or today)
    what_ifs = project_what_ifs([p.person_id for p in people], partial(add_exclusion, change), now=now)
    place = (change.directive_id or 0, WHOLE)
    effects = []
    for person in people:
        what_if = what_ifs[person.person_id]
        before, after = (statuses_on_day(side, day).get(place) for side in (what_if.before, what_if.after))
        effects.append(PersonEffect(person, before, after))
    known_on = max((what_if.known_on for what_if in what_ifs.values()), default=now)
    share = completion_share(Scope((place[0],), day, known_on, visible_to(viewer)))
    return JointEffects(day, effects, share, _share_after(share, effects))


def _share_after(share: CompletionShare, effects: Iterable[PersonEffect]) -> CompletionShare:
    for effect in effects:
        if effect.before and effect.after:
            share = share.with_change(effect.before[0], effect.after[0])
    return share


# Makes, decides and withdraws the requests about several people that belong together, in one transaction.


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
    """The waiting requests made together that the viewer may decide, by surname. At most two statements."""
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
    facts = services.decide_exclusions(decisions)
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
