"""Pieces of evidence with the positions at which they are read, and everybody whom they may count then."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from portal.domain.assurance.desk import EvidenceSnapshot
from portal.domain.assurance.evidence.shares import Population
from portal.domain.people.queries import live_units_at
from portal.domain.people.units.former_names import read_former_units
from portal.domain.reports.parameters import Position
from portal.domain.reports.viewer_scope import ViewerScope, units_under
from portal.domain.status.filters import Whose


@dataclass(frozen=True, slots=True)
class PieceAtPosition:
    """A piece of evidence and the position at which it is read."""

    piece: EvidenceSnapshot
    position: Position


class WholeForce:
    """Everybody at several positions; units are read once, and only if some evidence is about a unit."""

    def __init__(self, positions: Iterable[Position]) -> None:
        self._positions = set(positions)

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
