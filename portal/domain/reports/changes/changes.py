"""Compares two reports of one directive: whose status changed between their positions, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from portal.domain.reports import sentences
from portal.domain.reports.changes.absence import Absence, Absences
from portal.domain.reports.changes.cause_facts import Cause, FactSight
from portal.domain.reports.changes.explanations import Causes
from portal.domain.reports.parameters import EVERYONE, Filters, Position
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.trend.trend import units_visible_throughout
from portal.domain.reports.viewer_scope import linkable_people, numbers_and_names, units_under
from portal.domain.status.changes import Cell, Cells, find_changed_cells, list_steps
from portal.domain.status.filters import Scope, Whose
from portal.domain.status.paging import ERASED
from portal.domain.status.rules import WHOLE
from portal.platform.wording import date as say_date
from portal.platform.wording import plural

SAME, OTHER_DUE_DATE = "same", "due"
KINDS = {SAME: "Overall the same", OTHER_DUE_DATE: "Another due date"}


@dataclass(frozen=True, slots=True)
class CellChange:
    """One status that changed, in words."""

    what: str  # the requirement, or the whole directive
    change: str


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """People whose overall status changed alike."""

    key: str  # as the address names it, such as "in_progress-overdue"
    words: str  # such as "In progress, then Overdue"
    people: int


@dataclass(frozen=True, slots=True)
class Change:
    """One person whose status changed, or whom the viewer may see in only one of the reports, and why."""

    name: str
    staff_number: str
    is_linked: bool  # the viewer may open their page
    cells: list[CellChange]  # the overall status first, if it changed
    causes: list[Cause]


@dataclass(frozen=True)
class Changes:
    """The differences between two reports of one directive, as far as their viewer may see each.

    ``filters`` narrow them to people who match in one of the two reports. The unit is the one that has the
    path at the later position, even if it had another name before.
    """

    earlier: CompletionReport
    later: CompletionReport
    filters: Filters = EVERYONE

    @cached_property
    def _scopes(self) -> tuple[Scope, Scope]:
        people_after = self.later.viewer_scope.select_people(self.filters)
        people_before = self.earlier.viewer_scope.select_people(self.filters.without("unit"))
        if self.filters.unit:
            unit_id, units = (
                self.later.viewer_scope.unit_of(self.filters.unit),
                self.earlier.viewer_scope.units,
            )
            within = frozenset(units_under(units, unit_id) if unit_id else ())
            people_before = replace(people_before, within=within)
        return self.earlier.scope_of(people_before), self.later.scope_of(people_after)

    @cached_property
    def cells(self) -> dict[int, Cells]:
        """The cells that differ, by person; of people with a row in one report alone, the overall status."""
        changed_cells = find_changed_cells(*self._scopes)
        return {
            person_id: {WHOLE: cells[WHOLE]} if None in cells.get(WHOLE, ()) else cells
            for person_id, cells in changed_cells.items()
        }

    @cached_property
    def _absences(self) -> tuple[Absences, Absences]:
        """Why people with a row in only one of the reports have none in the other."""
        overall = {person_id: cells[WHOLE] for person_id, cells in self.cells.items() if WHOLE in cells}
        before, after = (
            Absences.look_up(
                report, self.filters, [person_id for person_id, pair in overall.items() if pair[side] is None]
            )
            for side, report in enumerate((self.earlier, self.later))
        )
        return before, after

    @cached_property
    def uncounted(self) -> int:
        """How many people the viewer may see in only one of the two reports: listed, but not counted."""
        before, after = self._absences
        return len(before.out_of_sight | after.out_of_sight)

    @property
    def uncounted_words(self) -> str:
        """The same as a sentence; empty if there are none."""
        if not self.uncounted:
            return ""
        people = plural(self.uncounted, "more person", "more people")
        verb = "is" if self.uncounted == 1 else "are"
        place = self.later.viewer_scope.place_words.replace("one of your", "among your")
        return f"{people} {verb} listed but not counted: they were {place} in only one of the two reports."

    @property
    def h1(self) -> str:
        """The heading: how many people's status changed."""
        count = len(self.cells) - self.uncounted
        if not count:
            return "No status changed"
        return f"{plural(count, 'person’s', 'people’s')} status changed"

    @cached_property
    def _people_by_kind(self) -> dict[str, list[int]]:
        """The people of each kind of change, by its key."""
        people: dict[str, list[int]] = {}
        for person_id, cells in self.cells.items():
            people.setdefault(self._kind_of(person_id, cells.get(WHOLE)), []).append(person_id)
        return people

    def _kind_of(self, person_id: int, pair: tuple[Cell | None, Cell | None] | None) -> str:
        if pair is None:
            return SAME
        old, new = pair
        if old and new and old.status is new.status:
            return OTHER_DUE_DATE
        return "-".join(
            cell.status.key if cell else absences.reason_of(person_id).name.lower()
            for cell, absences in zip(pair, self._absences, strict=True)
        )

    @cached_property
    def kinds(self) -> list[ChangeKind]:
        """Every kind of change with its number of people, the largest first."""
        kinds = [
            ChangeKind(key, self._kind_words(key, people[0]), len(people))
            for key, people in self._people_by_kind.items()
        ]
        return sorted(kinds, key=lambda kind: (-kind.people, kind.words))

    def _kind_words(self, key: str, person_id: int) -> str:
        """A kind of change in words, which are the same for each of its people."""
        return KINDS.get(key) or self._change_words(person_id, *self.cells[person_id][WHOLE])

    def people_of_kind(self, kind: str) -> list[int]:
        """The ids of the people whose status changed so; of everyone whose status changed if it is empty."""
        return self._people_by_kind.get(kind, []) if kind else list(self.cells)

    def list_changes(self, kind: str, offset: int, limit: int) -> list[Change]:
        """List a slice of ``people_of_kind`` by name, each with what changed and why.

        A fixed number of queries for so many people.
        """
        people = _list_names(self.people_of_kind(kind))[offset : offset + limit]
        ids = [person_id for person_id, *_ in people]
        sight, people_between = self._sight_between()
        known = (self.earlier.position.as_known_on, self.later.position.as_known_on)
        steps_by_person = list_steps(*self._scopes, ids, people_between)
        causes = Causes(self.later.directive.id, ids, known[1], sight, max(known))
        linkable = linkable_people(self.later.viewer, ids)
        return [
            Change(
                name,
                number,
                person_id in linkable and not erased,
                [self._cell_change(person_id, *cell) for cell in sorted(self.cells[person_id].items())],
                _unique_causes(
                    cause
                    for step in steps_by_person[person_id]
                    if step.position in self.cells[person_id]
                    for cause in causes.causes_of(person_id, step, steps_by_person[person_id])
                ),
            )
            for person_id, number, name, erased in people
        ]

    def _sight_between(self) -> tuple[FactSight | None, Whose | None]:
        """What the viewer may know between the positions, and whose rows count there if units moved."""
        before, after = self.earlier.viewer_scope, self.later.viewer_scope
        if after.everyone:
            return None, None
        sight = FactSight(before, after)
        throughout = units_visible_throughout(before, after)
        if throughout == before.unit_ids == after.unit_ids:
            return sight, None
        return sight, replace(self._scopes[1].whose, unit_ids=throughout)

    def _cell_change(
        self, person_id: int, position: int, pair: tuple[Cell | None, Cell | None]
    ) -> CellChange:
        titles = {
            requirement.position: requirement.short_title
            for report in (self.earlier, self.later)
            for requirement in report.directive.requirements
        }
        what = titles.get(position, f"Requirement {position}") if position else "Overall"
        old, new = pair
        with_due = old is not None and new is not None and old.due_on != new.due_on
        return CellChange(what, self._change_words(person_id, old, new, with_due=with_due))

    def _change_words(
        self, person_id: int, old: Cell | None, new: Cell | None, *, with_due: bool = False
    ) -> str:
        before, after = (absences.reason_in_words(person_id) for absences in self._absences)
        old_words, new_words = _cell_words(old, before, with_due), _cell_words(new, after, with_due)
        if old is None and before == Absence.NOT_REQUIRED.value:
            return f"Newly required (was not required), {new_words}"
        if new is None and after == Absence.NOT_REQUIRED.value:
            return f"No longer required (was {old_words})"
        return f"{old_words}, then {new_words}"


def _cell_words(cell: Cell | None, absent: str, with_due: bool) -> str:
    if cell is None:
        return absent
    return f"{cell.status.label}, due {say_date(cell.due_on)}" if with_due else cell.status.label


def _list_names(people: Sequence[int]) -> list[tuple[int, str, str, bool]]:
    """Id, staff number and name of each of these people by name, and whether they are erased."""
    named = numbers_and_names(people, len(people))
    known = {person_id for person_id, _, _ in named}
    erased = [(person_id, f"{ERASED}-{person_id}", ERASED, True) for person_id in sorted(set(people) - known)]
    return [*((*person, False) for person in named), *erased]


def _unique_causes(causes: Iterable[Cause]) -> list[Cause]:
    return sorted(set(causes), key=lambda cause: (cause.on, cause.words))


def position_words(position: Position) -> str:
    """A position in a few words."""
    return f"{say_date(position.as_at)}, {sentences.known_on_words(position)}"
