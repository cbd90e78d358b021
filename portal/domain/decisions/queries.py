"""Reads requests with their decisions, about people whom the viewer may see."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.accounts.models import Credential
from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.version_cache import newest_title
from portal.domain.decisions import requests
from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.decisions.requests import TWO_PERSONS, ChangeRequest
from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import PersonName
from portal.domain.people.queries import describe_deciders, find_seen_person
from portal.domain.people.services import notes_of
from portal.domain.people.sight import overseers_of
from portal.domain.people.visibility import Viewer, may_see, visible_people
from portal.domain.records.models import Record
from portal.domain.records.queries import holder_name
from portal.platform.db import clock_at, db
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

_person: Any = aliased(PersonName)
_asker: Any = aliased(PersonName)
_decider: Any = aliased(PersonName)
_new_record: Any = aliased(Record)  # by a waiver
r, d = DecisionRequest, Decision


@dataclass(frozen=True, slots=True)
class RequestSubject:
    """The person a request is about."""

    person_id: int
    staff_number: str
    name: str


def request_subject(viewer: Viewer, staff_number: str) -> RequestSubject:
    """The person with this staff number."""
    person_id = find_seen_person(viewer, staff_number, Permission.DECISION_ASK)
    return RequestSubject(person_id, staff_number, holder_name(person_id))


def activity_titles(activity_ids: Collection[int]) -> dict[int, str]:
    """Titles by activity id. At most one statement."""
    if not activity_ids:
        return {}
    rows = db.session.execute(select(Activity.id, newest_title()).where(Activity.id.in_(activity_ids)))
    return {activity_id: title for activity_id, title in rows}


def _full_name(person: Any) -> ColumnElement[str]:
    return func.coalesce(person.full_name, "Erased")


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request with its decision."""

    id: int
    uuid: UUID
    asked_at: datetime
    kind: str
    person_id: int
    asked_by_id: int
    reason: str
    directive_id: int | None
    activity_id: int | None
    record_id: int | None
    exclusion_id: int | None
    revocation_id: int | None
    from_on: date | None
    to_on: date | None
    due_on: date | None
    staff_number: str
    name: str
    asked_by: str
    directive: str
    title: str
    reference: str | None  # of the record
    exempt: bool | None  # of the exclusion to be lifted
    excluded_from: date | None
    excluded_to: date | None
    outcome: str | None
    decision_id: int | None
    decided_by_id: int | None
    decided_by: str
    decided_at: datetime | None
    granted_from: date | None
    granted_to: date | None
    granted_due: date | None
    new_reference: str | None  # of the record that a waiver made
    joint_uuid: UUID | None  # of the requests made together with it

    @property
    def state(self) -> str:
        """``waiting``, or the outcome."""
        return self.outcome or "waiting"

    @property
    def state_words(self) -> str:
        """The label of the state."""
        return requests.STATE_WORDS[self.state]

    @property
    def request_title(self) -> str:
        """What is requested."""
        return requests.request_title(self.kind, self.directive, self.title, exempt=self.exempt is not False)

    @property
    def reason_words(self) -> str:
        """The label of the reason."""
        return requests.reason_label(self.kind, self.reason)

    @property
    def change_request(self) -> ChangeRequest:
        """The requested change."""
        return ChangeRequest(
            self.kind,
            self.person_id,
            self.reason,
            self.directive_id,
            self.activity_id,
            self.record_id,
            self.exclusion_id,
            self.revocation_id,
            self.from_on,
            self.to_on,
            self.due_on,
        )


@dataclass(frozen=True, slots=True)
class RequestFilters:
    """Which requests a list shows; an empty field does not filter."""

    whose: str = ""  # "decide": those that the viewer may decide; "asked": those that the viewer made
    state: str = ""
    kind: str = ""


_COLUMNS: tuple[Any, ...] = (
    r.id,
    r.uuid,
    clock_at(r.recorded_at),
    r.kind,
    r.person_id,
    r.asked_by_id,
    r.reason,
    r.directive_id,
    r.activity_id,
    r.record_id,
    r.exclusion_id,
    r.revocation_id,
    r.from_on,
    r.to_on,
    r.due_on,
    func.coalesce(_person.staff_number, ""),
    _full_name(_person),
    _full_name(_asker),
    func.coalesce(Directive.reference, ""),
    func.coalesce(newest_title(), ""),
    Record.reference,
    Exclusion.exempt,
    Exclusion.from_on,
    Exclusion.to_on,
    d.outcome,
    d.id,
    d.decided_by_id,
    _full_name(_decider),
    clock_at(d.recorded_at),
    d.from_on,
    d.to_on,
    d.due_on,
    _new_record.reference,
    r.joint_uuid,
)
_together: Any = func.coalesce(r.joint_uuid, r.uuid)  # a list shows requests made together as one


def _select_requests() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .select_from(r)
        .outerjoin(d, d.request_id == r.id)
        .outerjoin(_person, _person.person_id == r.person_id)
        .outerjoin(_asker, _asker.person_id == r.asked_by_id)
        .outerjoin(_decider, _decider.person_id == d.decided_by_id)
        .outerjoin(Directive, Directive.id == r.directive_id)
        .outerjoin(Activity, Activity.id == r.activity_id)
        .outerjoin(Record, Record.id == r.record_id)
        .outerjoin(Exclusion, Exclusion.id == r.exclusion_id)
        .outerjoin(_new_record, _new_record.id == d.record_id)
    )


def _visible_requests(viewer: Viewer) -> ColumnElement[bool]:
    """Requests about people the viewer decides for, and the viewer's own about people they see.

    Requests that others make about the viewer are not among them: the comment is not for the viewer.
    """
    own = and_(r.asked_by_id == viewer.person_id, r.person_id.in_(visible_people(viewer)))
    if Permission.DECISION_MAKE not in viewer.permissions:
        return own
    return or_(own, _decided_about(viewer))


def _decided_about(viewer: Viewer) -> ColumnElement[bool]:
    """Requests about someone else whom the viewer sees through a role that decides."""
    visible = r.person_id.in_(visible_people(viewer, Permission.DECISION_MAKE))
    return and_(r.person_id != viewer.person_id, visible)


def _waits_for(viewer: Viewer) -> ColumnElement[bool]:
    """Requests without an answer that the viewer may decide."""
    is_allowed = or_(r.kind.not_in(TWO_PERSONS), r.asked_by_id != viewer.person_id)
    return and_(d.id.is_(None), is_allowed, _decided_about(viewer))


def _filter_conditions(viewer: Viewer, filters: RequestFilters) -> list[ColumnElement[bool]]:
    conditions = [_visible_requests(viewer)]
    if filters.whose == "decide":
        conditions.append(_waits_for(viewer))
    elif filters.whose == "asked":
        conditions.append(r.asked_by_id == viewer.person_id)
    if filters.state:
        conditions.append(d.id.is_(None) if filters.state == "waiting" else d.outcome == filters.state)
    if filters.kind:
        conditions.append(r.kind == filters.kind)
    return conditions


def count_requests(viewer: Viewer, filters: RequestFilters) -> int:
    """How many requests the list has; those made together are one. One statement."""
    return _count_together(_filter_conditions(viewer, filters))


def _count_together(conditions: Sequence[ColumnElement[bool]]) -> int:
    statement = select(func.count(_together.distinct())).select_from(r).outerjoin(d, d.request_id == r.id)
    return db.session.scalar(statement.where(*conditions)) or 0


def list_requests(viewer: Viewer, filters: RequestFilters, offset: int, limit: int) -> list[RequestRow]:
    """A page of the list, newest first; of requests made together the last one. One statement."""
    last = select(func.max(r.id)).select_from(r).outerjoin(d, d.request_id == r.id)
    last = last.where(*_filter_conditions(viewer, filters)).group_by(_together).correlate(None)
    statement = _select_requests().where(r.id.in_(last)).order_by(r.id.desc())
    return _request_rows(statement.offset(offset).limit(limit))


def count_waiting_requests(viewer: Viewer) -> int:
    """How many requests wait for the viewer to decide; those made together are one. At most one statement."""
    if Permission.DECISION_MAKE not in viewer.permissions:
        return 0  # who may decide also sees what waits for them, so the list's other conditions add nothing
    return _count_together([_waits_for(viewer)])


def count_joint_states(viewer: Viewer, joint_uuids: Collection[UUID]) -> dict[UUID, Counter[str]]:
    """How many requests of each joint request are in which state, of those visible. At most one statement."""
    states: dict[UUID, Counter[str]] = {}
    if not joint_uuids:
        return states
    state = func.coalesce(d.outcome, "waiting")
    rows: Any = db.session.execute(
        select(r.joint_uuid, state, func.count())
        .select_from(r)
        .outerjoin(d, d.request_id == r.id)
        .where(r.joint_uuid.in_(joint_uuids), _visible_requests(viewer))
        .group_by(r.joint_uuid, state)
    )
    for joint_uuid, name, people in rows:
        states.setdefault(joint_uuid, Counter())[name] = people
    return states


def list_joint_requests(viewer: Viewer, joint_uuid: UUID) -> list[RequestRow]:
    """The requests made together that the viewer may see, by surname. One statement."""
    statement = _select_requests().where(r.joint_uuid == joint_uuid, _visible_requests(viewer))
    rows = _request_rows(statement.order_by(_person.surname, _person.staff_number, r.id))
    if not rows:
        raise NotFoundError("There is no such request.")
    return rows


def list_waiting(change: ChangeRequest, people: Collection[int]) -> list[RequestRow]:
    """The requests for the same exemption or deferral of these people that still wait. One statement."""
    same_matter = (r.kind == change.kind, r.directive_id == change.directive_id, r.person_id.in_(people))
    return _request_rows(_select_requests().where(*same_matter, d.id.is_(None)).order_by(r.id))


def get_request(viewer: Viewer, uuid: UUID) -> RequestRow:
    """One request."""
    rows = _request_rows(_select_requests().where(r.uuid == uuid, _visible_requests(viewer)))
    if not rows:
        raise NotFoundError("There is no such request.")
    return rows[0]


def texts_of(row: RequestRow) -> tuple[dict[str, str], str]:
    """The notes of a request by kind, and the comment on its decision."""
    request_texts = notes_of(r.__tablename__, [row.id]).get(row.id, {})
    if row.decision_id is None:
        return request_texts, ""
    return request_texts, notes_of(d.__tablename__, [row.decision_id]).get(row.decision_id, {}).get(
        "comment", ""
    )


def list_requests_about(person_id: int) -> list[RequestRow]:
    """Every request about a person, newest first; the caller decides what may be shown."""
    return _request_rows(_select_requests().where(r.person_id == person_id).order_by(r.id.desc()))


def list_own_decisions(person_id: int) -> list[tuple[RequestRow, str]]:
    """The requests about a person that this person may see, with the role of who decided.

    A correction of a pass is among them once it is granted: before, nothing has happened to the record.
    """
    rows = list_requests_about(person_id)
    visible = [row for row in rows if row.kind not in TWO_PERSONS or row.outcome == "granted"]
    decisions = {row.id: (row.decided_by_id or 0, row.decided_at) for row in visible if row.decided_at}
    roles = describe_deciders(set(decisions.values()))
    return [(row, roles[decisions[row.id]] if row.id in decisions else "") for row in visible]


def may_decide(viewer: Viewer, row: RequestRow) -> bool:
    """Whether the viewer may decide the request now."""
    me = viewer.person_id
    return (
        Permission.DECISION_MAKE in viewer.permissions
        and row.outcome is None
        and row.person_id != me
        and (row.kind not in TWO_PERSONS or row.asked_by_id != me)
        and may_see(viewer, row.person_id, Permission.DECISION_MAKE)
    )


def may_open(viewer: Viewer, row: RequestRow) -> bool:
    """Whether the viewer, who may see the person it is about, may open the request."""
    decides = Permission.DECISION_MAKE in viewer.permissions
    if viewer.person_id in {row.asked_by_id, row.person_id}:
        return row.asked_by_id == viewer.person_id
    return decides and may_see(viewer, row.person_id, Permission.DECISION_MAKE)


def has_decider(row: RequestRow) -> bool:
    """Whether anyone with an open account may decide the request. Four statements.

    The person it is about may not; nor may the person who asked, where a second person must decide.
    """
    deciders = overseers_of(row.person_id, Permission.DECISION_MAKE) - {row.person_id}
    if row.kind in TWO_PERSONS:
        deciders -= {row.asked_by_id}
    closed = select(Credential.person_id).where(
        Credential.person_id.in_(sorted(deciders)), Credential.closed_at.is_not(None)
    )
    return bool(deciders.difference(db.session.scalars(closed)))


def _request_rows(statement: Select[Any]) -> list[RequestRow]:
    rows: Sequence[Any] = db.session.execute(statement).all()
    return [RequestRow(*row) for row in rows]
