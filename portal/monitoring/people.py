"""Finding people: those whom the viewer may see, by name or number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal import clock
from portal.db import db
from portal.people.known import known
from portal.people.models import PersonName, Post
from portal.people.named import named
from portal.people.queries import UnitRow, Viewer, visible_people


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One line of a search; a person without a post today has no words of one."""

    staff_number: str
    name: str
    rank_or_grade: str
    designated_role: str
    unit: str


def count_people(viewer: Viewer, text: str) -> int:
    """How many people the viewer may see match ``text``."""
    statement = _people(viewer, text, clock.today()).with_only_columns(func.count())
    return db.session.scalar(statement) or 0


def found_people(
    viewer: Viewer, text: str, units: dict[int, UnitRow], offset: int, limit: int
) -> Sequence[FoundPerson]:
    """A slice of them by surname and staff number, with their post of today. One statement."""
    statement = (
        _people(viewer, text, clock.today())
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
        .offset(offset)
        .limit(limit)
    )
    return [
        FoundPerson(
            staff_number=row.staff_number,
            name=f"{row.surname}, {row.forenames}",
            rank_or_grade=row.rank_or_grade or "",
            designated_role=row.designated_role or "",
            unit=units[row.unit_id].name if row.unit_id in units else "",
        )
        for row in db.session.execute(statement)
    ]


def _people(viewer: Viewer, text: str, today: date) -> Any:
    held: Any = aliased(Post)
    main = (
        select(held.id)
        .where(
            held.person_id == PersonName.person_id,
            known(held),
            held.valid_from <= today,
            held.valid_to >= today,
        )
        .order_by(held.post_key)  # the main post, "", comes first
        .limit(1)
        .correlate(PersonName)
        .scalar_subquery()
    )
    return (
        select(
            PersonName.staff_number,
            PersonName.surname,
            PersonName.forenames,
            Post.rank_or_grade,
            Post.designated_role,
            Post.unit_id,
        )
        .select_from(PersonName)
        .outerjoin(Post, Post.id == main)
        .where(PersonName.person_id.in_(visible_people(viewer)), *named(text))
    )
