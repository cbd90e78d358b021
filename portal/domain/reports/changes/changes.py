"""The page that says whose status changed between two positions of a directive, and through which facts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from portal.domain.reports import sentences
from portal.domain.reports.as_of import Position
from portal.domain.reports.changes.absence import Absences
from portal.domain.reports.changes.cause_facts import Cause, FactSight
from portal.domain.reports.changes.explanations import Causes
from portal.domain.reports.filters import EVERYONE, Filters
from portal.domain.reports.linkable_people import numbers_and_names, openable
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.trend.trend import units_seen_between
from portal.domain.reports.viewer_scope import under
from portal.domain.status.paging import ERASED
from portal.domain.status.queries import Scope, Whose
from portal.domain.status.report_diff import WHOLE, Cell, Cells, changed, steps
from portal.platform.wording import date as say_date
from portal.platform.wording import plural


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell that differs, in words."""

    what: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One person whose status changed, or who came into sight or left it, and why."""

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
        """The cells that differ, by person; for people out of sight at one position only the whole."""
        changed_cells = changed(*self._scopes)
        return {
            person_id: {WHOLE: cells[WHOLE]} if None in cells.get(WHOLE, ()) else cells
            for person_id, cells in changed_cells.items()
        }

    @cached_property
    def _absences(self) -> tuple[Absences, Absences]:
        """Why people with a row at only one of the positions have none at the other."""
        wholes = {person_id: cells[WHOLE] for person_id, cells in self.cells.items() if WHOLE in cells}
        sides = enumerate((self.then, self.now))
        before, after = (
            Absences.of(report, self.filters, [one for one, pair in wholes.items() if pair[side] is None])
            for side, report in sides
        )
        return before, after

    @cached_property
    def uncounted(self) -> int:
        """How many people are out of sight at one of the two positions: listed, and not counted."""
        before, after = self._absences
        return len(before.out_of_sight | after.out_of_sight)

    @property
    def uncounted_words(self) -> str:
        """The same as a sentence; empty where there are none."""
        if not self.uncounted:
            return ""
        people, one = plural(self.uncounted, "more person", "more people"), self.uncounted == 1
        place = self.now.reach.place.replace("one of your direct reports", "among your direct reports")
        listed = "is listed and not counted" if one else "are listed and not counted"
        return f"{people} {listed}: they were {place} in only one of the two reports."

    @property
    def h1(self) -> str:
        """The answer."""
        count = len(self.cells) - self.uncounted
        if not count:
            return "No status changed"
        return f"{plural(count, 'person’s', 'people’s')} status changed"

    @cached_property
    def _named(self) -> list[tuple[int, str, str, bool]]:
        """Id, staff number, name, and whether these are erased."""
        named = numbers_and_names(list(self.cells), len(self.cells))
        known = {person_id for person_id, _, _ in named}
        erased = [(one, f"{ERASED}-{one}", ERASED, True) for one in sorted(set(self.cells) - known)]
        return [*((*person, False) for person in named), *erased]

    def list_changes(self, offset: int, limit: int) -> list[Change]:
        """A slice of the people, by name, each with what changed and why. A fixed number of reads."""
        some = self._named[offset : offset + limit]
        ids = [person_id for person_id, *_ in some]
        sight, between = self._sight_between()
        known = (self.then.position.as_known_on, self.now.position.as_known_on)
        ways = steps(*self._scopes, ids, between)
        causes = Causes(self.now.subject.id, ids, known[1], sight, max(known))
        opened = openable(self.now.viewer, ids)
        return [
            Change(
                name,
                number,
                person_id in opened and not erased,
                [self._cell_change(person_id, *cell) for cell in sorted(self.cells[person_id].items())],
                _once(
                    cause
                    for step in ways[person_id]
                    if step.position in self.cells[person_id]
                    for cause in causes.of(person_id, step, ways[person_id])
                ),
            )
            for person_id, number, name, erased in some
        ]

    def _sight_between(self) -> tuple[FactSight | None, Whose | None]:
        """What the viewer may know between the positions, and whose rows count there if units moved."""
        before, after = self.then.reach, self.now.reach
        if after.everyone:
            return None, None
        seen = before.unit_ids | after.unit_ids
        sight = FactSight(seen, after.manager_id, (before.units, after.units), before.position.as_at)
        throughout = units_seen_between(before, after)
        if throughout == before.unit_ids == after.unit_ids:
            return sight, None
        return sight, replace(self._scopes[1].whose, unit_ids=throughout)

    def _cell_change(self, person_id: int, place: int, pair: tuple[Cell | None, Cell | None]) -> CellChange:
        titles = {one.position: one.short for report in (self.then, self.now) for one in report.subject.asked}
        what = titles.get(place, f"Requirement {place}") if place else "Overall"
        old, new = pair
        with_due = old is not None and new is not None and old.due_on != new.due_on
        before, after = (absences.reason_in_words(person_id) for absences in self._absences)
        return CellChange(what, _cell_words(old, before, with_due), _cell_words(new, after, with_due))


def _cell_words(cell: Cell | None, absent: str, with_due: bool) -> str:
    if cell is None:
        return absent
    return f"{cell.status.label}, due {say_date(cell.due_on)}" if with_due else cell.status.label


def _once(causes: Iterable[Cause]) -> list[Cause]:
    return sorted(set(causes), key=lambda one: (one.on, one.words))


def in_words(at: Position) -> str:
    """A position in a few words."""
    return f"{say_date(at.as_at)}, {sentences.knowledge(at)}"
