"""The page that says who stands differently at two positions of a directive, and through which facts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from portal.monitoring import wording
from portal.monitoring.causes import Cause, Causes
from portal.monitoring.filters import EVERYONE, Filters
from portal.monitoring.openable import numbers_and_names, openable
from portal.monitoring.position import Position
from portal.monitoring.queries import CompletionReport
from portal.monitoring.reach import under
from portal.standing.changes import Cell, Cells, changed, steps
from portal.standing.queries import Scope
from portal.web.filters import date as say_date
from portal.web.filters import plural
from portal.web.paging import Page

NOT_REQUIRED, NOT_LISTED = "Not required", "Not listed"


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell that differs, in words."""

    what: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One person who stands differently, and why."""

    name: str
    staff_number: str
    opens: bool  # the viewer may open their page
    cells: list[CellChange]
    causes: list[Cause]


@dataclass(frozen=True)
class Changes:
    """Two reports of one directive beside each other, as far as their viewer may see each.

    Narrowed to the group of ``filters``: whoever was, or is, among them. Its unit is the one that has the
    path at the later position, whatever its name was before.
    """

    then: CompletionReport
    now: CompletionReport
    filters: Filters = EVERYONE

    @cached_property
    def _scopes(self) -> tuple[Scope, Scope]:
        whose = self.now.reach.whose(self.filters)
        before = self.then.reach.whose(self.filters.without("unit"))
        if self.filters.unit:
            unit_id, units = self.now.reach.unit_of(self.filters.unit), self.then.reach.units
            before = replace(before, within=frozenset(under(units, unit_id) if unit_id else ()))
        return self.then.scope_of(before), self.now.scope_of(whose)

    @cached_property
    def cells(self) -> dict[int, Cells]:
        """The cells that differ, by person."""
        return changed(*self._scopes)

    @cached_property
    def _named(self) -> list[tuple[int, str, str]]:
        named = numbers_and_names(list(self.cells), len(self.cells))
        known = {person_id for person_id, _, _ in named}
        erased = [(one, f"Erased-{one}", "Erased") for one in sorted(set(self.cells) - known)]
        return [*named, *erased]

    @property
    def h1(self) -> str:
        """The answer."""
        if not self.cells:
            return "Nobody stands differently"
        people = plural(len(self.cells), "person", "people")
        return f"{people} {'stands' if len(self.cells) == 1 else 'stand'} differently"

    def slice(self, page: Page) -> list[Change]:
        """The people of one page, by name, each with what changed and why. A fixed number of reads."""
        some = self._named[page.offset : page.offset + page.size]
        ids = [person_id for person_id, _, _ in some]
        ways = steps(*self._scopes, ids)
        causes = Causes(self.now.subject.id, ids, self.now.position.as_known_on)
        opened = openable(self.now.viewer, ids)
        return [
            Change(
                name,
                number,
                person_id in opened and not number.startswith("Erased-"),
                [self._cell(place, pair) for place, pair in sorted(self.cells[person_id].items())],
                _once(
                    cause
                    for step in ways[person_id]
                    if step.position in self.cells[person_id]
                    for cause in causes.of(person_id, step, ways[person_id])
                ),
            )
            for person_id, number, name in some
        ]

    def _cell(self, place: int, pair: tuple[Cell | None, Cell | None]) -> CellChange:
        titles = {one.position: one.short for report in (self.then, self.now) for one in report.subject.asked}
        what = titles.get(place, f"Requirement {place}") if place else "Overall"
        old, new = pair
        with_due = old is not None and new is not None and old.due_on != new.due_on
        return CellChange(what, self._said(old, with_due), self._said(new, with_due))

    def _said(self, cell: Cell | None, with_due: bool) -> str:
        if cell is None:
            return NOT_LISTED if self.filters else NOT_REQUIRED
        return f"{cell.status.label}, due {say_date(cell.due_on)}" if with_due else cell.status.label


def _once(causes: Iterable[Cause]) -> list[Cause]:
    return sorted(set(causes), key=lambda one: (one.on, one.words))


def in_words(at: Position) -> str:
    """A position in a few words."""
    return f"{say_date(at.as_at)}, {wording.knowledge(at)}"
