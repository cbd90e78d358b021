"""What the directives ask of one person on a day, as their spans say it; one statement."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, select

from portal.catalogue.models import Activity
from portal.db import db
from portal.directives.models import Assignment, Directive, DirectiveVersion, Requirement
from portal.people.known import known
from portal.people.models import Post, UnitState
from portal.records.models import Record
from portal.standing.algebra import Status
from portal.standing.models import OPEN_KNOWN, StandingSpan


@dataclass(frozen=True, slots=True)
class Asked:
    """One requirement of one directive, where it stands, and why it is asked."""

    directive: str  # reference
    directive_title: str
    source: str
    wording: str
    designated_role: str
    unit: str
    activity_id: int
    kind: str
    key: str
    status: Status
    due_on: date
    valid_until: date | None
    reference: str | None  # of the record that counts
    achieved_at: datetime | None
    source_of_record: str | None


COLUMNS: tuple[Any, ...] = (
    Directive.reference,
    DirectiveVersion.title,
    DirectiveVersion.source,
    DirectiveVersion.wording,
    Post.designated_role,
    UnitState.name,
    Activity.id,
    Activity.kind,
    Activity.key,
    StandingSpan.status,
    StandingSpan.due_on,
    StandingSpan.valid_until,
    Record.reference,
    Record.achieved_at,
    Record.source,
)


def asked_of(person_id: int, day: date) -> list[Asked]:
    """Every live requirement of a person as known now, by due date, directive and position."""
    span, rule, unit = StandingSpan, Assignment, UnitState
    same = and_(rule.person_id == span.person_id, rule.directive_id == span.directive_id)
    live = and_(rule.from_on <= day, rule.to_on >= day, known(rule))
    named = and_(unit.unit_id == span.unit_id, unit.valid_from <= day, unit.valid_to >= day, known(unit))
    statement = (
        select(*COLUMNS)
        .select_from(span)
        .join(Directive, Directive.id == span.directive_id)
        .join(rule, and_(same, live))
        .join(DirectiveVersion, DirectiveVersion.id == rule.directive_version_id)
        .join(
            Requirement,
            and_(
                Requirement.directive_version_id == DirectiveVersion.id, Requirement.position == span.position
            ),
        )
        .join(Activity, Activity.id == Requirement.activity_id)
        .join(Post, Post.id == span.post_id)
        .join(unit, named)
        .outerjoin(Record, Record.id == span.record_id)
        .where(
            span.person_id == person_id,
            span.position >= 1,
            span.from_on <= day.toordinal(),
            span.to_on >= day.toordinal(),
            span.known_to == OPEN_KNOWN,
        )
        .order_by(span.due_on, Directive.reference, span.position)
    )
    return [_asked(tuple(row)) for row in db.session.execute(statement)]


def _asked(row: tuple[Any, ...]) -> Asked:
    status, due_on, valid_until = row[9:12]
    until = date.fromordinal(valid_until) if valid_until else None
    found: tuple[Any, ...] = (*row[:9], Status(status), date.fromordinal(due_on), until, *row[12:])
    return Asked(*found)
