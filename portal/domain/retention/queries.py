"""Reads of periods and disposals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, literal, select, true
from sqlalchemy.orm import aliased

from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.services import notes_of
from portal.domain.people.visibility import is_valid_on
from portal.domain.retention import stores
from portal.domain.retention.classes import (
    RetentionClass,
    class_of_key,
    kept_until,
    list_feature_classes,
    list_retention_classes,
    newest_due_day,
)
from portal.domain.retention.models import (
    DisposalCertificate,
    DisposalDecision,
    DisposalRequest,
    DisposalSlice,
    RetentionPeriod,
)
from portal.domain.retention.stores import (
    ACCESS,
    AUDIT,
    COPIES,
    IMPORTS,
    LEAVERS,
    MAIL,
    REQUESTS,
    TEXTS,
    Limit,
    People,
    Store,
)
from portal.feature import list_features
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission, roles_with

WAITING, RUNNING, DONE, REFUSED, WITHDRAWN = "waiting", "running", "done", "refused", "withdrawn"
_requests, _decisions, _certificates = DisposalRequest, DisposalDecision, DisposalCertificate


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """The period of a class, and who set it."""

    months: int
    set_by: str | None  # None: it is the portal's default
    set_at: datetime | None
    reason: str  # why the force keeps it so long; of the default, the portal's reason


@dataclass(frozen=True, slots=True)
class DisposalRow:
    """One disposal, as far as it has come."""

    id: int
    uuid: UUID
    class_key: str
    months: int
    through_on: date
    rows: int  # due when it was asked for
    held: int
    oldest_on: date
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    outcome: str | None
    decided_by: str | None
    decided_at: datetime | None
    job_reference: UUID | None
    began_at: datetime | None
    ended_at: datetime | None
    disposed_rows: int | None  # of the certificate
    held_rows: int | None
    counts: dict[str, int] | None
    words: dict[str, Any] | None
    reason: str = ""
    answer: str = ""

    @property
    def state(self) -> str:
        """WAITING, RUNNING, DONE, REFUSED or WITHDRAWN."""
        if self.outcome == "granted":
            return DONE if self.ended_at else RUNNING
        return self.outcome or WAITING

    @property
    def kept_class(self) -> RetentionClass:
        """The class as this release describes it."""
        return class_of_key(self.class_key)

    @property
    def kept_until(self) -> date:
        """The last day on which the newest row that goes was kept."""
        return kept_until(self.through_on, self.months)


def list_periods() -> dict[str, PeriodRow]:
    """The period of every class. Two statements."""
    period = RetentionPeriod
    newest = select(func.max(period.id)).group_by(period.class_key)
    statement = (
        select(period.id, period.class_key, period.months, period.set_at, PersonName.full_name)
        .outerjoin(PersonName, PersonName.person_id == period.set_by_id)
        .where(period.id.in_(newest))
    )
    rows = db.session.execute(statement).all()
    notes = notes_of(period.__tablename__, [row.id for row in rows])
    periods = {row.key: PeriodRow(row.months, None, None, row.reason) for row in list_retention_classes()}
    for period_id, key, months, set_at, set_by in rows:
        reason = notes.get(period_id, {}).get("reason", "")
        periods[key] = PeriodRow(months, set_by or "Erased", set_at, reason)
    return periods


def months_by_class() -> dict[str, int]:
    """How long each class is kept now. Two statements."""
    return {key: period.months for key, period in list_periods().items()}


def months_of(key: str) -> int:
    """How long the class is kept now. One statement."""
    statement = select(RetentionPeriod.months).where(RetentionPeriod.class_key == key)
    months = db.session.scalar(statement.order_by(RetentionPeriod.id.desc()).limit(1))
    return class_of_key(key).months if months is None else months


def _select_disposals() -> Any:
    asker, decider = aliased(PersonName), aliased(PersonName)
    statement = select(
        _requests.id, _requests.uuid, _requests.class_key, _requests.months, _requests.through_on,
        _requests.rows, _requests.held, _requests.oldest_on, _requests.asked_by_id, asker.full_name,
        _requests.asked_at, _decisions.outcome, decider.full_name, _decisions.decided_at,
        _decisions.job_reference, _certificates.began_at, _certificates.ended_at, _certificates.rows,
        _certificates.held, _certificates.counts, _certificates.words,
    ).outerjoin(_decisions, _decisions.request_id == _requests.id)  # fmt: skip
    statement = statement.outerjoin(_certificates, _certificates.request_id == _requests.id)
    statement = statement.outerjoin(asker, asker.person_id == _requests.asked_by_id)
    return statement.outerjoin(decider, decider.person_id == _decisions.decided_by_id)


def count_disposals(*, waiting_for: int | None = None) -> int:
    """How many disposals were asked for; ``waiting_for``: that wait for this person to decide."""
    statement = select(func.count()).select_from(_requests).where(_waits_for(waiting_for))
    return db.session.scalar(statement) or 0


def _waits_for(person_id: int | None) -> ColumnElement[bool]:
    """The condition that somebody else asked, and nobody decided; None: no condition."""
    if person_id is None:
        return true()
    decided = select(_decisions.request_id).where(_decisions.request_id == _requests.id)
    return and_(_requests.asked_by_id != person_id, ~decided.correlate(_requests).exists())


def has_other_approver(person_id: int, day: date) -> bool:
    """Whether somebody else may approve what this person asks for: another administrator of the force."""
    grant = RoleGrant
    roles = sorted(roles_with(Permission.RETENTION_MANAGE))
    statement = select(grant.id).where(grant.role.in_(roles), grant.unit_id.is_(None))
    statement = statement.where(
        grant.person_id != person_id, grant.ended_at.is_(None), is_valid_on(grant, day)
    )
    return bool(db.session.scalar(select(statement.exists())))


def find_open_disposal(key: str) -> UUID | None:
    """The disposal of the class that waits or runs; None if none does."""
    statement = (
        select(_requests.uuid)
        .outerjoin(_decisions, _decisions.request_id == _requests.id)
        .outerjoin(_certificates, _certificates.request_id == _requests.id)
        .where(_requests.class_key == key, _certificates.request_id.is_(None))
        .where(_decisions.outcome.is_(None) | (_decisions.outcome == "granted"))
    )
    return db.session.scalar(statement.limit(1))


def list_latest_certificates() -> dict[str, datetime]:
    """When the latest disposal of each class ended; classes without one are left out. One statement."""
    statement = select(_requests.class_key, func.max(_certificates.ended_at)).join(
        _certificates, _certificates.request_id == _requests.id
    )
    rows = db.session.execute(statement.group_by(_requests.class_key))
    return {key: ended_at for key, ended_at in rows}


def list_disposals(offset: int, limit: int, *, waiting_for: int | None = None) -> list[DisposalRow]:
    """Disposals, the newest first; ``waiting_for`` as in ``count_disposals``. One statement."""
    statement = (
        _select_disposals()
        .where(_waits_for(waiting_for))
        .order_by(_requests.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [_disposal_row(row) for row in db.session.execute(statement)]


def get_disposal(uuid: UUID) -> DisposalRow:
    """One disposal, with the reasons given."""
    row = db.session.execute(_select_disposals().where(_requests.uuid == uuid)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such disposal.")
    reason = notes_of(_requests.__tablename__, [row.id]).get(row.id, {}).get("reason", "")
    answer = notes_of(_decisions.__tablename__, [row.id]).get(row.id, {}).get("reason", "")
    return _disposal_row(row, reason, answer)


def _disposal_row(row: Row[Any], reason: str = "", answer: str = "") -> DisposalRow:
    values: list[Any] = [*row, reason, answer]
    values[9] = values[9] or "Erased"
    return DisposalRow(*values)


def sum_slices(request_id: int) -> tuple[dict[str, int], datetime | None]:
    """What the steps of a disposal removed so far, by name, and when the first of them did."""
    statement = select(DisposalSlice).where(DisposalSlice.request_id == request_id)
    counts: dict[str, int] = {}
    began_at = None
    for step in db.session.scalars(statement.order_by(DisposalSlice.id)):
        began_at = began_at or step.disposed_at
        for name, rows in step.counts.items():
            counts[name] = counts.get(name, 0) + rows
    return counts, began_at


# What is due of a class, counted before anything goes; and the rows of one short step of a disposal.

STORES: dict[str, tuple[Store, ...]] = {  # of the classes of the core
    "leavers": LEAVERS,
    "texts": TEXTS,
    "copies": COPIES,
    "requests": REQUESTS,
    "access": ACCESS,
    "audit": AUDIT,
    "mail": MAIL,
    "imports": IMPORTS,
}


def stores_of(key: str) -> tuple[Store, ...]:
    """The stores of a class, of the core or of a feature."""
    of_features: dict[str, tuple[Store, ...]] = {
        found.row.key: found.stores for found in list_feature_classes()
    }
    more = (each.load(each.more_stores[key]) for each in list_features() if key in each.more_stores)
    return tuple(chain((STORES | of_features)[key], *more))


@dataclass(frozen=True, slots=True)
class StoreCount:
    """What is due of one store."""

    name: str
    rows: int  # that would go
    held: int  # due, but kept by a hold
    oldest_on: date | None  # on which the period of the oldest of both began


@dataclass(frozen=True, slots=True)
class ClassPreview:
    """What is due of a class on a day."""

    limit: Limit
    stores: list[StoreCount] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows would go."""
        return sum(store.rows for store in self.stores)

    @property
    def held(self) -> int:
        """How many rows are due and kept by a hold."""
        return sum(store.held for store in self.stores)

    @property
    def oldest_on(self) -> date | None:
        """The earliest day on which a period began."""
        return min((store.oldest_on for store in self.stores if store.oldest_on), default=None)


def preview_class(key: str, months: int, today: date) -> ClassPreview:
    """Count what is due of a class today. One statement for each store, and two for holds."""
    return count_due(key, Limit(newest_due_day(months, today)))


def count_due(key: str, limit: Limit) -> ClassPreview:
    """Count what is due of a class: rows whose period began on the limit's day or before."""
    people, is_held = _read_holds(key)
    return ClassPreview(limit, [_count_store(store, limit, people, is_held) for store in stores_of(key)])


def _read_holds(key: str) -> tuple[People | None, bool]:
    """The people under a hold, and whether the whole class is."""
    return stores.held_people(), stores.is_class_held(key)


def _count_store(store: Store, limit: Limit, people: People | None, is_class_held: bool) -> StoreCount:
    due = store.due_rows(limit)
    is_held = true() if is_class_held else due.is_held(people)
    statement = due.source.with_only_columns(
        func.count(literal(1)), func.count(literal(1)).filter(is_held), func.min(due.began)
    )
    rows, held, oldest = db.session.execute(statement).one()
    day = london_day(oldest) if isinstance(oldest, datetime) else oldest
    return StoreCount(store.name, rows - held, held, day)


def list_due_keys(key: str, store: Store, limit: Limit, most: int, *, beyond: Any = None) -> Sequence[Any]:
    """The keys of at most so many due rows of a store that no hold keeps, in order.

    Args:
        key: Of the class.
        store: One of the class's.
        limit: The newest day of what is due.
        most: At most so many.
        beyond: Only keys greater than this one.
    """
    people, is_class_held = _read_holds(key)
    if is_class_held:
        return []
    due = store.due_rows(limit)
    statement = due.source.with_only_columns(due.key).where(~due.is_held(people))
    statement = statement if beyond is None else statement.where(due.key > beyond)
    return db.session.scalars(statement.order_by(due.key).limit(most)).all()
