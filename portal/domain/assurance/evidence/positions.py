"""Pieces of evidence with the positions at which they are read, and the people whom they count."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.evidence.shares import Population
from portal.domain.people.as_of import choose_known_rows
from portal.domain.people.models import Post
from portal.domain.people.queries import live_units_at
from portal.domain.people.units.former_names import read_former_units
from portal.domain.reports.parameters import Position
from portal.domain.reports.viewer_scope import ViewerScope, units_under
from portal.domain.status.filters import Whose
from portal.platform.db import db

_LaterPost = aliased(Post)


@dataclass(frozen=True, slots=True)
class PieceAtPosition:
    """A piece of evidence and the position at which it is read."""

    piece: EvidenceSnapshot
    position: Position


class WholeForce:
    """Everybody at several positions; units and posts are read once, and only if some evidence needs them."""

    def __init__(self, positions: Iterable[Position]) -> None:
        self._positions = set(positions)
        self._in_post: dict[tuple[Population, Position], Set[int]] = {}

    @cached_property
    def _scopes(self) -> dict[Position, ViewerScope]:
        units = live_units_at((each.as_at, each.as_known_on) for each in self._positions)
        former = cache(read_former_units)
        return {
            each: ViewerScope(
                each, units[each.as_at, each.as_known_on], True, frozenset(), None, (), former=former
            )
            for each in self._positions
        }

    def units_within(self, path: str, position: Position) -> frozenset[int] | None:
        """The unit with a path and all units under it at a position; None: any unit, as no path is given."""
        if not path:
            return None
        scope = self._scopes[position]
        top = scope.unit_of(path)
        return frozenset() if top is None else frozenset(units_under(scope.units, top))

    def select_people(self, population: Population, position: Position) -> Whose:
        """The people of a population, as the reports select them at a position."""
        filters = population.filters
        within = self.units_within(filters.unit, position)
        return Whose(everyone=True, within=within, role=filters.role, ranks=filters.ranks)

    def list_in_post(self, population: Population, position: Position) -> Set[int]:
        """The ids of the people of a population who are in post at a position. Posts are read once."""
        if (population, position) not in self._in_post:
            self._in_post[population, position] = self._find_in_post(population, position)
        return self._in_post[population, position]

    def _find_in_post(self, population: Population, position: Position) -> Set[int]:
        day, at = position.as_at, position.as_known_on
        within, ranks = self.units_within(population.unit, position), population.filters.ranks
        return {
            person_id
            for person_id, unit_id, role, rank, valid_from, valid_to, *_ in choose_known_rows(self._posts, at)
            if valid_from <= day <= valid_to
            and (within is None or unit_id in within)
            and population.role in ("", role)
            and (not population.rank or rank in ranks)
        }

    @cached_property
    def _posts(self) -> Sequence[tuple[Any, ...]]:
        """Posts on any of the days, in rows as ``choose_known_rows`` takes them."""
        days = [position.as_at for position in self._positions]
        columns: tuple[Any, ...] = (
            Post.person_id,
            Post.unit_id,
            Post.designated_role,
            Post.rank_or_grade,
            Post.valid_from,
            Post.valid_to,
            Post.recorded_at,
            _LaterPost.recorded_at,
        )
        statement = (
            select(*columns)
            .outerjoin(_LaterPost, _LaterPost.replaces_id == Post.id)
            .where(Post.void.is_(False), Post.valid_from <= max(days), Post.valid_to >= min(days))
        )
        return [tuple(row) for row in db.session.execute(statement)]  # quicker to take apart than rows
