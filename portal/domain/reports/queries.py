"""The completion report: one object behind the page and every file, so they cannot disagree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from portal.domain.people.queries import Viewer
from portal.domain.reports.as_of import Position
from portal.domain.reports.completion import export_columns
from portal.domain.reports.completion.export_columns import Column, CompletionRow, PersonRow
from portal.domain.reports.completion.export_rows import RowBuilder
from portal.domain.reports.directive_snapshot import Subject, subject
from portal.domain.reports.filters import DUE_DAYS, EVERYONE, LATE_BANDS, Filters, Order
from portal.domain.reports.known_values import refuse_unknown
from portal.domain.reports.statistics import Figures, GroupLine, Outlook, UnitLine, group_lines, unit_lines
from portal.domain.reports.viewer_scope import Reach
from portal.domain.status import paging
from portal.domain.status import queries as standings
from portal.domain.status.counting import CountSource, Question, count_source
from portal.domain.status.paging import ERASED, Sort
from portal.domain.status.queries import AudienceRow, Scope, Whose
from portal.domain.status.rules import Status

BATCH = 500  # people of a file in memory at a time


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with the post their row stands for."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    rank_or_grade: str
    designated_role: str
    unit: str
    unit_path: str
    manager_number: str | None
    manager: str | None  # the line manager's name
    erased: bool

    @property
    def name(self) -> str:
        """The name as tables show it: surname first."""
        return f"{self.surname}, {self.forenames}" if self.forenames else self.surname


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of a report's table."""

    holder: Holder
    status: Status
    due_on: date
    valid_until: date | None
    requirements: dict[int, Status]  # by position

    @property
    def overdue_since(self) -> date:
        """The last day in time: the due date, or the end of what lapsed after it."""
        ended = self.valid_until if self.status is Status.EXPIRED else None
        return max(self.due_on, ended or self.due_on)


@dataclass(frozen=True)
class CompletionReport:
    """Standing of one directive's audience, as far as ``viewer`` may see it.

    The page takes a slice and the file takes all of it, so the two cannot disagree. Make one with
    ``completion_report``.
    """

    viewer: Viewer
    subject: Subject
    position: Position
    reach: Reach
    filters: Filters = EVERYONE

    @cached_property
    def figures(self) -> Figures:
        """Everybody the viewer may see, whatever the filters."""
        return self._count_requirements(self.reach.whose())

    @cached_property
    def shown(self) -> Figures:
        """Those whom the filters leave."""
        if not self.filters:
            return self.figures
        whose = self.reach.whose(self.filters)
        if whose.by_standing and (each := self.group.rows_of_each):
            here = replace(whose, standing_in=frozenset(self.group.people))
            return Figures.of_units(_people(self.scope_of(here)).count_units(), each)
        return self._count_requirements(whose)

    @cached_property
    def group(self) -> Figures:
        """Those of the unit, role and rank filtered by, wherever they stand: whom bars and line are about."""
        if self.filters == self.filters.group:
            return self.shown
        if not self.filters.group:
            return self.figures
        return self._count_requirements(self.reach.whose(self.filters.group))

    def _count_requirements(self, whose: Whose) -> Figures:
        scope = self.scope_of(whose)
        return Figures.of(count_source(scope, Question.REQUIREMENTS).count_requirements())

    @property
    def units(self) -> list[UnitLine]:
        """The group by the units below the one filtered by, or below the lowest that holds all of it."""
        top = self.reach.unit_of(self.filters.unit) if self.filters.unit else None
        return unit_lines(self.group, self.reach.units, top)

    @property
    def ranks(self) -> list[GroupLine]:
        """The group by rank or grade."""
        return group_lines((rank, status, people) for _, rank, status, people in self.group_posts)

    @property
    def roles(self) -> list[GroupLine]:
        """The group by designated role."""
        return group_lines((role, status, people) for role, _, status, people in self.group_posts)

    def scope_of(self, whose: Whose) -> Scope:
        """This directive at this position, for some people."""
        at = self.position
        return Scope(self.subject.id, at.as_at, at.as_known_on, whose, at.latest)

    @cached_property
    def _all(self) -> Scope:
        """Everybody the viewer may see; names the units that hold anybody, so that an index leads there."""
        return self.scope_of(replace(self.reach.whose(), standing_in=frozenset(self.figures.people)))

    @cached_property
    def _listed(self) -> Scope:
        """Those whom the filters leave, in the same way."""
        return self.scope_of(
            replace(self.reach.whose(self.filters), standing_in=frozenset(self.shown.people))
        )

    def exclusions(self) -> dict[str, int]:
        """People exempt or deferred, by reason."""
        return _people(self._all).count_reasons()

    @cached_property
    def _grouped(self) -> Scope:
        """The group filtered by, in the same way."""
        whose = self.reach.whose(self.filters.group)
        return self.scope_of(replace(whose, standing_in=frozenset(self.group.people)))

    @cached_property
    def posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """People by designated role, rank or grade, and status."""
        return _people(self._all).count_posts()

    def choices(self) -> tuple[list[str], list[str]]:
        """Designated roles and ranks or grades among those the viewer may see."""
        return sorted({role for role, *_ in self.posts}), sorted({rank for _, rank, *_ in self.posts})

    @cached_property
    def group_posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """The same, of the group filtered by."""
        return _people(self._grouped).count_posts() if self.filters.group else self.posts

    @cached_property
    def outlook(self) -> Outlook:
        """Of the group: how long people have been overdue, and how many are due soon."""
        return Outlook.of(_people(self._grouped).count_days_left(), LATE_BANDS, DUE_DAYS["30"])

    def overdue_people(self) -> set[int]:
        """Ids of the people of the group overdue, with those whose completion lapsed."""
        return standings.overdue_people(self._grouped)

    def due_dates(self) -> list[date]:
        """The two due dates that most people have, in order."""
        return _people(self._all).commonest_due_dates(2)

    def people(self, order: Order, offset: int, limit: int) -> list[PersonLine]:
        """A slice of the table, each person with the status of every requirement."""
        scope, units = self._listed, self.reach.units
        by_path = sorted(units, key=lambda unit_id: units[unit_id].path) if order.column == "unit" else []
        if order.column == "status":
            wanted, offset = self._holding(order, offset, limit)
            scope = replace(scope, whose=replace(scope.whose, statuses=wanted))
        sort = Sort(order.column, order.descending, by_path)
        return self._lines(paging.people(scope, sort, offset, limit))

    def most_overdue(self, limit: int) -> list[PersonLine]:
        """The people of the group who have been overdue or expired longest."""
        return self._lines(paging.longest_late(self._grouped, limit))

    def rows(self) -> Iterator[CompletionRow]:
        """Every row by unit path, surname, staff number, requirement; ``BATCH`` people at a time."""
        builder = self._row_builder()
        for people in self._audience():
            yield from builder.build_rows(people)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a file of ``rows``."""
        return export_columns.COLUMNS

    def person_rows(self) -> Iterator[PersonRow]:
        """One row a person, in the same order."""
        builder = self._row_builder()
        for people in self._audience():
            yield from builder.build_person_rows(people)

    @property
    def person_columns(self) -> tuple[Column, ...]:
        """The columns of a file of ``person_rows``."""
        return export_columns.person_columns(
            (asked.position, asked.kind, asked.key, asked.title) for asked in self.subject.asked
        )

    def _row_builder(self) -> RowBuilder:
        return RowBuilder(self.subject, self._all, self.reach.units, self.position)

    def _audience(self) -> Iterator[Sequence[AudienceRow]]:
        for unit_ids in self._groups():
            here = self.scope_of(replace(self._listed.whose, standing_in=frozenset(unit_ids)))
            yield from standings.audience(here, BATCH, unit_ids)

    def _holding(self, order: Order, offset: int, limit: int) -> tuple[tuple[Status, ...], int]:
        """The statuses that hold a slice of the list sorted by status, and its place among them.

        The figures have counted how many people come before, so the others need not be sorted.
        """
        first, skipped = 0, 0
        wanted: list[Status] = []
        for status in sorted(Status, reverse=order.descending):
            last = first + self.shown.by_status[status]
            if last <= offset:
                skipped = last
            elif first < min(last, offset + limit):
                wanted.append(status)
            first = last
        return tuple(wanted), offset - skipped

    def _groups(self) -> Iterator[list[int]]:
        """Units in the order of their paths, in groups of at most ``BATCH`` people, or one large unit."""
        counts = self.shown.unit_people
        group: list[int] = []
        held = 0
        for unit_id in sorted(counts, key=self._path):
            if group and held + counts[unit_id] > BATCH:
                yield group
                group, held = [], 0
            group = [*group, unit_id]
            held += counts[unit_id]
        if group:
            yield group

    def _path(self, unit_id: int) -> tuple[str, int]:
        unit = self.reach.units.get(unit_id)
        return (unit.path if unit else "", unit_id)

    def _lines(self, rows: Sequence[Any]) -> list[PersonLine]:
        stands = standings.statuses(self._all, [row.person_id for row in rows])
        return [
            PersonLine(
                self._holder(row),
                Status(row.status),
                date.fromordinal(row.due_on),
                None if row.valid_until is None else date.fromordinal(row.valid_until),
                stands.get(row.person_id, {}),
            )
            for row in rows
        ]

    def _holder(self, row: Any) -> Holder:
        unit = self.reach.units.get(row.unit_id)
        erased = row.staff_number is None
        manager = None
        if row.manager_number is not None:
            manager = f"{row.manager_forenames} {row.manager_surname}"
        return Holder(
            person_id=row.person_id,
            staff_number=f"{ERASED}-{row.person_id}" if erased else row.staff_number,
            surname=ERASED if erased else row.surname,
            forenames="" if erased else row.forenames,
            rank_or_grade=row.rank_or_grade,
            designated_role=row.designated_role,
            unit=unit.name if unit else "",
            unit_path=unit.path if unit else "",
            manager_number=row.manager_number,
            manager=manager,
            erased=erased,
        )


def _people(scope: Scope) -> CountSource:
    return count_source(scope, Question.PEOPLE)


def completion_report(
    viewer: Viewer, reference: str, position: Position, filters: Filters | None = None
) -> CompletionReport:
    """The report of the directive with this reference.

    Raises:
        NotFoundError: No such directive was known then.
        UnknownValueError: A filter has a value that the viewer cannot know.
    """
    about, reach = subject(reference, position), Reach.of(viewer, position)
    if filters:
        refuse_unknown(filters, reach)
    return CompletionReport(viewer, about, position, reach, filters or EVERYONE)
