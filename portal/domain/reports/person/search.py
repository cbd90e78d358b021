"""The search for people whom the viewer may see, by name or number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.name_search import name_conditions
from portal.domain.people.queries import UnitRow, Viewer
from portal.domain.people.visibility.rules import is_valid_on, is_visible
from portal.platform import clock
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One line of the search; the fields of the post are empty without a post today."""

    staff_number: str
    name: str
    rank_or_grade: str
    designated_role: str
    unit: str


def count_people(viewer: Viewer, text: str) -> int:
    """How many people the viewer may see match ``text``."""
    statement = select(func.count()).select_from(PersonName).where(*_search_conditions(viewer, text))
    return db.session.scalar(statement) or 0


def search_people(
    viewer: Viewer, text: str, units: dict[int, UnitRow], offset: int, limit: int
) -> Sequence[FoundPerson]:
    """A slice of these people by surname and staff number, with their post of today. One statement."""
    order = (PersonName.surname, PersonName.forenames, PersonName.staff_number)
    page = select(PersonName.person_id).where(*_search_conditions(viewer, text)).order_by(*order)
    statement = (
        select(*order, Post.rank_or_grade, Post.designated_role, Post.unit_id)
        .select_from(PersonName)
        .outerjoin(Post, Post.id == _main_post(clock.today()))
        .where(PersonName.person_id.in_(page.offset(offset).limit(limit)))
        .order_by(*order)
    )
    return [
        FoundPerson(
            staff_number=row.staff_number,
            name=f"{row.surname}, {row.forenames}",
            rank_or_grade=row.rank_or_grade or "",
            designated_role=row.designated_role or "",
            unit=units[row.unit_id].label if row.unit_id in units else "",
        )
        for row in db.session.execute(statement)
    ]


def _search_conditions(viewer: Viewer, text: str) -> list[ColumnElement[bool]]:
    return [is_visible(PersonName.person_id, viewer), *name_conditions(text)]


def _main_post(today: date) -> Any:
    post: Any = aliased(Post)
    return (
        select(post.id)
        .where(post.person_id == PersonName.person_id, is_known_fact(post), is_valid_on(post, today))
        .order_by(post.post_key)  # the main post, "", comes first
        .limit(1)
        .correlate(PersonName)
        .scalar_subquery()
    )
