"""Who joined and who left between two positions of reports: who began or ceased to have a post."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.change_window import ChangeWindow, WindowPoint
from portal.domain.people.models import Post
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A person began to have a post, or ceased to have one."""

    person_id: int
    point: WindowPoint
    joined: bool
    day: date | None  # the first day of having one, or the last; None: by a correction there never was one


class _DatedPost(NamedTuple):
    id: int
    person_id: int
    unit_id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    valid_from: date
    valid_to: date


def find_people_with_changed_posts(window: ChangeWindow) -> set[int]:
    """The people with a post that was recorded, begins or has ended on the way."""
    recorded = (Post.recorded_at > window.since_at, Post.recorded_at <= window.until_at)
    people = set(db.session.scalars(select(Post.person_id).where(*recorded)))
    if window.since_on < window.until_on:
        begun = (Post.valid_from > window.since_on, Post.valid_from <= window.until_on)
        ended = (Post.valid_to >= window.since_on, Post.valid_to < window.until_on)
        for edge in (begun, ended):
            known = select(Post.person_id).where(*edge, is_known_fact(Post, window.until_at))
            people.update(db.session.scalars(known))
    return people


def list_presence_changes(
    window: ChangeWindow, people: Collection[int], unit_ids: Collection[int] | None = None
) -> list[PresenceChange]:
    """Who of these people began or ceased to have a post on the way; by person, then in the order of time.

    Args:
        window: The way.
        people: Ids; as many as one statement takes.
        unit_ids: Only posts in these units count; None: in any.
    """
    changes: list[PresenceChange] = []
    for person_id, posts in _load_posts(window, people).items():
        days = {edge for post in posts for edge in (post.valid_from, _day_after(post.valid_to))}
        before = _posts_at(posts, window.start, unit_ids)
        for point in window.order_points(days, {post.recorded_at for post in posts}):
            after = _posts_at(posts, point, unit_ids)
            if bool(before) != bool(after):
                changes.append(_describe_change(person_id, point, posts, after, unit_ids))
            before = after
    return changes


def units_of_people(people: Collection[int], point: WindowPoint) -> dict[int, set[int]]:
    """The units of the posts that these people have at a position."""
    live = (Post.valid_from <= point.day, Post.valid_to >= point.day, is_known_fact(Post, point.known_on))
    units: dict[int, set[int]] = {}
    statement = select(Post.person_id, Post.unit_id).where(Post.person_id.in_(sorted(people)), *live)
    for person_id, unit_id in db.session.execute(statement):
        units.setdefault(person_id, set()).add(unit_id)
    return units


def _load_posts(window: ChangeWindow, people: Collection[int]) -> dict[int, list[_DatedPost]]:
    columns = (Post.id, Post.person_id, Post.unit_id, Post.recorded_at, Post.void, Post.replaces_id)
    statement = (
        select(*columns, Post.valid_from, Post.valid_to)
        .where(Post.person_id.in_(sorted(people)), Post.recorded_at <= window.until_at)
        .order_by(Post.person_id, Post.id)
    )
    posts: dict[int, list[_DatedPost]] = {}
    for row in db.session.execute(statement):
        posts.setdefault(row.person_id, []).append(_DatedPost(*row))
    return posts


def _posts_at(
    posts: Collection[_DatedPost], point: WindowPoint, unit_ids: Collection[int] | None
) -> list[_DatedPost]:
    known = _known_posts(posts, point, unit_ids)
    return [post for post in known if post.valid_from <= point.day <= post.valid_to]


def _known_posts(
    posts: Collection[_DatedPost], point: WindowPoint, unit_ids: Collection[int] | None
) -> list[_DatedPost]:
    recorded = [post for post in posts if post.recorded_at <= point.known_on]
    replaced = {post.replaces_id for post in recorded}
    known = [post for post in recorded if post.id not in replaced and not post.void]
    return known if unit_ids is None else [post for post in known if post.unit_id in unit_ids]


def _describe_change(
    person_id: int,
    point: WindowPoint,
    posts: Collection[_DatedPost],
    after: Collection[_DatedPost],
    unit_ids: Collection[int] | None,
) -> PresenceChange:
    if after:
        return PresenceChange(person_id, point, True, min(post.valid_from for post in after))
    known = _known_posts(posts, point, unit_ids)
    last_day = max((post.valid_to for post in known if post.valid_to < point.day), default=None)
    return PresenceChange(person_id, point, False, last_day)


def _day_after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)
