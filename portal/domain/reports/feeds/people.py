"""People whom a viewer may see, by staff number, with their posts at a position."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Person, PersonName, Post
from portal.domain.people.queries import UnitRow, Viewer, find_seen_person, live_units, visible_people
from portal.domain.people.visibility.rules import is_valid_on, is_visible
from portal.domain.reports.parameters import Position
from portal.platform.db import OPEN_END, db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class FeedPost:
    """A post of a person on the day as_at."""

    post_key: str
    rank_or_grade: str
    designated_role: str
    unit: str
    unit_path: str
    line_manager_staff_number: str | None  # None: no manager, or one whom the viewer may not see
    valid_from: date
    valid_to: date | None  # None: no last day


@dataclass(frozen=True, slots=True)
class FeedPerson:
    """A person with their name as it is now."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    posts: tuple[FeedPost, ...]


def list_feed_people(viewer: Viewer, position: Position, after: str, limit: int) -> list[FeedPerson]:
    """The next ``limit`` people after a staff number; a fixed number of statements.

    Whom the viewer may see is decided by today's posts, as on the page of a person. People who came into the
    portal after as_known_on are left out.
    """
    n = PersonName
    rows = db.session.execute(
        select(n.person_id, n.staff_number, n.surname, n.forenames)
        .join(Person, Person.id == n.person_id)
        .where(
            is_visible(n.person_id, viewer),
            n.staff_number > after,
            Person.recorded_at <= position.as_known_on,
        )
        .order_by(n.staff_number)
        .limit(limit)
    ).all()
    return _with_posts(viewer, position, rows)


def get_feed_person(viewer: Viewer, position: Position, staff_number: str) -> FeedPerson:
    """The person with this staff number.

    Raises:
        NotFoundError: Nobody has it, the viewer may not see that person, or they were not known then.
    """
    n = PersonName
    rows = db.session.execute(
        select(n.person_id, n.staff_number, n.surname, n.forenames)
        .join(Person, Person.id == n.person_id)
        .where(
            n.person_id == find_seen_person(viewer, staff_number),
            Person.recorded_at <= position.as_known_on,
        )
    ).all()
    if not rows:
        raise NotFoundError("Nobody has this staff number.")
    return _with_posts(viewer, position, rows)[0]


def _with_posts(viewer: Viewer, position: Position, rows: Sequence[Any]) -> list[FeedPerson]:
    posts = _read_posts(viewer, position, [row.person_id for row in rows])
    people = [(*row, tuple(posts.get(row.person_id, ()))) for row in rows]
    return [FeedPerson(*values) for values in people]


def _read_posts(viewer: Viewer, position: Position, people: Collection[int]) -> dict[int, list[FeedPost]]:
    manager = aliased(PersonName)
    rows = db.session.execute(
        select(Post, manager.person_id, manager.staff_number)
        .outerjoin(manager, manager.person_id == Post.line_manager_id)
        .where(
            Post.person_id.in_(people),
            is_known_fact(Post, position.as_known_on),
            is_valid_on(Post, position.as_at),
        )
        .order_by(Post.person_id, Post.post_key)  # the main post, "", comes first
    ).all()
    managers = {manager_id for _, manager_id, _ in rows if manager_id is not None}
    visible = set(db.session.scalars(visible_people(viewer, among=managers)))
    units = live_units(position.as_at, position.as_known_on)
    posts: dict[int, list[FeedPost]] = {}
    for post, manager_id, number in rows:
        shown = number if manager_id in visible else None
        posts.setdefault(post.person_id, []).append(_build_post(post, shown, units.get(post.unit_id)))
    return posts


def _build_post(post: Post, manager_number: str | None, unit: UnitRow | None) -> FeedPost:
    return FeedPost(
        post_key=post.post_key,
        rank_or_grade=post.rank_or_grade,
        designated_role=post.designated_role,
        unit=unit.name if unit else "",
        unit_path=unit.path if unit else "",
        line_manager_staff_number=manager_number,
        valid_from=post.valid_from,
        valid_to=None if post.valid_to == OPEN_END else post.valid_to,
    )
