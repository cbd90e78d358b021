"""The condition that a fact is known at an instant, part of every query over facts."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, inspect, select
from sqlalchemy.orm import aliased

from portal.domain.people.models import Post
from portal.platform import clock
from portal.platform.db import Fact, db

SomeFact = TypeVar("SomeFact", bound=Fact)


@cache
def _replacement_alias(fact: type[Fact]) -> Any:
    """An alias of the same table, cached because building it is most of a statement's cost."""
    return aliased(fact)


def is_known_fact(fact: type[Fact], at: datetime | None = None) -> ColumnElement[bool]:
    """WHERE clause: a row of ``fact`` is known: recorded, not void, and not replaced by another row.

    Args:
        fact: A fact's class, or an alias of one.
        at: The instant whose knowledge counts; None for all that has been recorded so far.
    """
    later = _replacement_alias(inspect(fact).mapper.class_)
    # The second condition is redundant; it keeps the many rows that replace nothing out of an index scan.
    replacement = select(later.id).where(later.replaces_id == fact.id, later.replaces_id.is_not(None))
    if at is not None:
        replacement = replacement.where(later.recorded_at <= at)
    conditions = [fact.void.is_(False), ~replacement.correlate(fact).exists()]
    if at is not None:
        conditions.append(fact.recorded_at <= at)
    return and_(*conditions)


def choose_known(rows: Iterable[SomeFact], at: datetime) -> list[SomeFact]:
    """The rows that are known at an instant, as ``is_known_fact`` says, of facts that have been read.

    Args:
        rows: Facts of one class, with those that replace them.
        at: The instant whose knowledge counts.
    """
    recorded = [row for row in rows if row.recorded_at <= at]
    replaced = {row.replaces_id for row in recorded if row.replaces_id is not None}
    return [row for row in recorded if not row.void and row.id not in replaced]


def choose_known_rows(rows: Iterable[tuple[Any, ...]], at: datetime) -> list[tuple[Any, ...]]:
    """The rows that are known at an instant, of columns that were read of facts which are not void.

    Args:
        rows: The last two columns are when a fact was recorded and when another replaced it (None: never).
        at: The instant whose knowledge counts.
    """
    return [row for row in rows if row[-2] <= at and (row[-1] is None or row[-1] > at)]


# What lies between two positions of reports, a day and an instant of knowledge each, in the order of
# time.
#
# Whoever reads changes again and again keeps a position and goes on from there. The way to the later
# position leads over each stamp and each midnight in turn, so the changes on it do not depend on where it
# is cut.


class WindowPoint(NamedTuple):
    """A position on the way, and how it was reached: at a stamp or, without one, at midnight."""

    day: date
    known_on: datetime
    stamp: datetime | None = None

    @property
    def reached_at(self) -> datetime:
        """The instant of the stamp, or of the beginning of the day in London."""
        return self.stamp or clock.end_of_day(self.day - timedelta(days=1)) + timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """From one position, whose changes were read already, to a later one or the same."""

    since_on: date
    since_at: datetime
    until_on: date
    until_at: datetime

    @property
    def empty(self) -> bool:
        """Whether nothing can have changed."""
        return self.since_on == self.until_on and self.since_at == self.until_at

    @property
    def start(self) -> WindowPoint:
        """The position whose changes were read already."""
        return WindowPoint(self.since_on, self.since_at)

    def order_points(self, days: Collection[date], stamps: Collection[datetime]) -> Iterator[WindowPoint]:
        """The points of the way at which something may change, in the order of time.

        Args:
            days: On which something begins, or the day after it ended.
            stamps: Of facts. One that lies ahead of the clock counts on the last day of the window.
        """
        midnights = [(day, False, self.since_at) for day in days if self.since_on < day <= self.until_on]
        recorded = [
            (min(max(clock.london_day(stamp), self.since_on), self.until_on), True, stamp)
            for stamp in stamps
            if self.since_at < stamp <= self.until_at
        ]
        known_on = self.since_at
        for day, is_stamp, stamp in sorted(midnights + recorded):
            known_on = stamp if is_stamp else known_on
            yield WindowPoint(day, known_on, stamp if is_stamp else None)


# Who joined and who left between two positions of reports: who began or ceased to have a post.


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
