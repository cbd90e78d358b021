"""The posts and units of one day, for proposals, reviews and counts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.db import db


class LivePost(NamedTuple):
    """A known post that is valid on the day."""

    person_id: int
    unit_id: int
    manager_id: int | None


class Workforce:
    """The posts of a day, and the tree of units."""

    def __init__(self, day: date, posts: Iterable[LivePost], units: Mapping[int, UnitRow]) -> None:
        self.day, self.units = day, units
        self._chains: dict[int, tuple[int, ...]] = {}
        self._posts: dict[int, list[LivePost]] = defaultdict(list)
        self._reports: dict[int, list[LivePost]] = defaultdict(list)
        self._under: dict[int, set[int]] = defaultdict(set)
        for post in posts:
            self._posts[post.person_id].append(post)
            if post.manager_id is not None and post.manager_id != post.person_id:
                self._reports[post.manager_id].append(post)
            for unit_id in self.unit_and_above(post.unit_id):
                self._under[unit_id].add(post.person_id)

    @property
    def manager_ids(self) -> Iterable[int]:
        """The people whom posts of others name as line manager."""
        return self._reports

    def unit_and_above(self, unit_id: int) -> tuple[int, ...]:
        """The unit and those above it, from below; empty if it does not exist on the day."""
        if unit_id not in self._chains:
            chain: dict[int, None] = {}
            above: int | None = unit_id
            while above is not None and above in self.units and above not in chain:
                chain[above] = None
                above = self.units[above].parent_id
            self._chains[unit_id] = tuple(chain)
        return self._chains[unit_id]

    def posts_of(self, person_id: int) -> list[LivePost]:
        """The person's posts."""
        return self._posts.get(person_id, [])

    def reports_to(self, person_id: int) -> list[LivePost]:
        """The posts of others that name the person as line manager."""
        return self._reports.get(person_id, [])

    def people_under(self, unit_id: int) -> Set[int]:
        """Everyone with a post in the unit or in one below it."""
        return self._under.get(unit_id, frozenset())

    def smallest_common_unit(self, unit_ids: Iterable[int]) -> int | None:
        """The lowest unit that is, or is above, all of these; None if there is none."""
        chains = [self.unit_and_above(unit_id) for unit_id in set(unit_ids)]
        if not chains:
            return None
        shared = set(chains[0]).intersection(*chains[1:])
        return next((unit_id for unit_id in chains[0] if unit_id in shared), None)


def read_workforce(day: date) -> Workforce:
    """The posts and the tree of ``day`` as known now. Two statements."""
    rows = db.session.execute(
        select(Post.person_id, Post.unit_id, Post.line_manager_id)
        .where(is_known_fact(Post), is_valid_on(Post, day))
        .order_by(Post.person_id, Post.post_key)
    )
    return Workforce(day, (LivePost(*row) for row in rows), live_units(day))
