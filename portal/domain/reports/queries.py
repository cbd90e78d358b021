"""The completion report: one object behind the page and every file, so they cannot disagree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from portal.domain.people.queries import UnitRow, Viewer
from portal.domain.people.rank_order import rank_key, sort_ranks
from portal.domain.reports.completion import export_columns
from portal.domain.reports.completion.export_columns import Column, CompletionRow, PersonRow
from portal.domain.reports.completion.export_rows import RowBuilder
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, read_directive
from portal.domain.reports.known_values import accept_filters
from portal.domain.reports.parameters import EVERYONE, MISSING, Filters, Order, Position
from portal.domain.reports.statistics import (
    Figures,
    GroupLine,
    Outlook,
    Share,
    UnitLine,
    group_lines,
    share_of_group,
    unit_lines,
)
from portal.domain.reports.viewer_scope import ViewerScope, list_seen_managers
from portal.domain.status import counting, paging, report_rows
from portal.domain.status.filters import Scope, Whose
from portal.domain.status.paging import ERASED, Sort
from portal.domain.status.queries import people_in_report
from portal.domain.status.report_rows import AudienceKey, AudienceRow
from portal.domain.status.rules import Status
from portal.platform.replica import read_as_known_on

BATCH = 500  # people of a file in memory at a time


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with the post that counts for their row."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    rank_or_grade: str
    designated_role: str
    unit: str
    unit_path: str
    manager: str | None  # the line manager's name
    erased: bool

    @property
    def name(self) -> str:
        """The name as tables show it: surname first."""
        return f"{self.surname}, {self.forenames}" if self.forenames else self.surname


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person of a report's table."""

    directive_id: int
    holder: Holder
    status: Status
    due_on: date
    valid_until: date | None
    requirement_statuses: dict[int, Status]  # by position

    @property
    def overdue_since(self) -> date:
        """The last day in time: the due date, or the end of a record that expired after it."""
        expired_on = self.valid_until if self.status is Status.EXPIRED else None
        return max(self.due_on, expired_on or self.due_on)

    @property
    def left(self) -> int:
        """How many requirements are still to complete."""
        return sum(status in MISSING for status in self.requirement_statuses.values())


@dataclass(frozen=True)
class CompletionReport:
    """The status of everyone to whom a directive applies, as far as ``viewer`` may see them.

    The page shows a slice and the file all of it, so the two cannot disagree. Made by ``completion_report``.
    """

    viewer: Viewer
    directive: DirectiveSnapshot
    position: Position
    viewer_scope: ViewerScope
    filters: Filters = EVERYONE

    @cached_property
    def figures(self) -> Figures:
        """Counts of everyone the viewer may see, without filters."""
        return self._count_requirements(self.viewer_scope.select_people())

    @cached_property
    def shown(self) -> Figures:
        """Counts of the people who match the filters."""
        if not self.filters:
            return self.figures
        people = self.viewer_scope.select_people(self.filters)
        if people.selects_by_status and (rows_of_each := self.group.rows_of_each):
            in_units = replace(people, unit_hint=frozenset(self.group.people))
            counts = counting.count_units(self.scope_of(in_units))
            return Figures.from_unit_counts(counts, rows_of_each)
        return self._count_requirements(people)

    @property
    def lists_some(self) -> bool:
        """Whether the filters list only some people of the group, by name, status, lateness or due date."""
        return self.filters != self.filters.group

    @cached_property
    def group(self) -> Figures:
        """Counts of the people who match the unit, role and rank, whatever their status."""
        if not self.lists_some:
            return self.shown
        if not self.filters.group:
            return self.figures
        return self._count_requirements(self.viewer_scope.select_people(self.filters.group))

    def _count_requirements(self, whose: Whose) -> Figures:
        counts = counting.count_requirements(self.scope_of(whose))
        return Figures.by_directive(counts).get(self.directive.id, Figures())

    @property
    def units(self) -> list[UnitLine]:
        """The group by unit: below the unit of the filter, or below the lowest unit that has everyone.

        Of each unit, the share that is complete or, where only some people are listed, that is listed.
        """
        top = self.viewer_scope.unit_of(self.filters.unit) if self.filters.unit else None
        shares = self.group.unit_shares
        if self.lists_some:
            listed = self.shown.unit_people
            shares = {unit: Share(listed.get(unit, 0), n) for unit, n in self.group.unit_people.items()}
        return unit_lines(shares, self.viewer_scope.units, top, most_first=self.lists_some)

    @property
    def ranks(self) -> list[GroupLine]:
        """The group by rank or grade, in the order of ranks."""
        lines = group_lines((rank, share) for _, rank, share in self._post_shares)
        return sorted(lines, key=lambda line: rank_key(line.name))

    @property
    def roles(self) -> list[GroupLine]:
        """The group by designated role."""
        return group_lines(
            ((role, share) for role, _, share in self._post_shares), most_first=self.lists_some
        )

    @cached_property
    def _post_shares(self) -> list[tuple[str, str, Share]]:
        """Designated role, rank or grade, and the share that is complete or listed."""
        if not self.lists_some:
            return [(role, rank, share_of_group({status: n})) for role, rank, status, n in self.group_posts]
        listed = counting.count_posts(self._filtered_scope)
        shares = [(role, rank, Share(0, people)) for role, rank, _, people in self.group_posts]
        return shares + [(role, rank, Share(people, 0)) for role, rank, _, people in listed]

    def scope_of(self, whose: Whose) -> Scope:
        """The scope of a query about some people, under this directive at this position."""
        return replace(self._everyone, whose=whose)

    @cached_property
    def _everyone(self) -> Scope:
        return self.viewer_scope.scope_of(self.directive.id)

    @cached_property
    def _visible_scope(self) -> Scope:
        """Everyone the viewer may see."""
        return self._scope_in_units(EVERYONE, self.figures)

    @cached_property
    def _filtered_scope(self) -> Scope:
        """The people who match the filters."""
        return self._scope_in_units(self.filters, self.shown)

    @cached_property
    def _group_scope(self) -> Scope:
        """The group."""
        return self._scope_in_units(self.filters.group, self.group)

    def _scope_in_units(self, filters: Filters, figures: Figures) -> Scope:
        """The people of these figures; it names the units with people, so that an index is used."""
        people = self.viewer_scope.select_people(filters)
        return self.scope_of(replace(people, unit_hint=frozenset(figures.people)))

    def count_exclusions(self) -> dict[str, int]:
        """People of the group who are exempt or deferred, by reason."""
        return counting.count_reasons(self._group_scope)

    @cached_property
    def posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """People by designated role, rank or grade, and status."""
        return counting.count_posts(self._visible_scope)

    def count_groups(self) -> Sequence[tuple[int, str, str, Status, int]]:
        """People by unit, designated role, rank or grade, and status."""
        return counting.count_groups(self._visible_scope)

    def post_choices(self) -> tuple[list[str], list[str]]:
        """The designated roles, and the ranks or grades, of the people the viewer may see."""
        return sorted({role for role, *_ in self.posts}), sort_ranks(rank for _, rank, *_ in self.posts)

    @cached_property
    def group_posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """The same for the group."""
        return counting.count_posts(self._group_scope) if self.filters.group else self.posts

    @cached_property
    def outlook(self) -> Outlook:
        """How long people of the group have been overdue, and how many are due soon."""
        directive_id = self.directive.id
        left = counting.count_days_left(self._group_scope)
        return Outlook.by_directive(left, [directive_id])[directive_id]

    def list_person_ids(self) -> set[int]:
        """Ids of everybody with a row in a file of this report."""
        return people_in_report(self._filtered_scope)

    def due_dates(self) -> list[date]:
        """The two due dates that most people have, in order."""
        return counting.list_commonest_due_dates(self._visible_scope, 2)

    def list_people(self, order: Order, offset: int, limit: int) -> list[PersonLine]:
        """A slice of the table, each person with the status of every requirement."""
        scope, units = self._filtered_scope, self.viewer_scope.units
        if order.column == "status":
            statuses, offset = self._statuses_of_slice(order, offset, limit)
            scope = replace(scope, whose=replace(scope.whose, statuses=statuses))
        sort = Sort(order.column, order.descending)
        if order.column == "unit":
            by_path: list[int] = sorted(units, key=self._path_and_id)
            sort = sort._replace(values=by_path)
        elif order.column == "rank":
            sort = sort._replace(values=self.post_choices()[1])
        return read_person_lines(self._visible_scope, units, paging.list_people(scope, sort, offset, limit))

    def rows(self) -> Iterator[CompletionRow]:
        """Every row by unit path, surname, staff number, requirement; ``BATCH`` people at a time."""
        builder = self._row_builder()
        for people in self._read_audience():
            yield from builder.build_rows(people)

    def list_rows(
        self, after: AudienceKey | None, people: int
    ) -> tuple[list[CompletionRow], AudienceKey | None]:
        """The rows of the next ``people`` people after a key, in the order of ``rows``.

        Returns:
            The rows, and the key to read on from; None after the last.
        """
        units = self._units_from(after, people + 1)
        if not units:
            return [], None
        whose = replace(self._filtered_scope.whose, unit_hint=frozenset(units))
        audience = report_rows.list_audience(self.scope_of(whose), units, after, people + 1)
        shown = audience[:people]
        last = AudienceKey.of_row(shown[-1]) if len(audience) > people else None
        return self._row_builder().build_rows(shown), last

    def _units_from(self, after: AudienceKey | None, people: int) -> list[int]:
        """Units by path from the key's on, with at least ``people`` after the key if there are so many."""
        counts = self.shown.unit_people
        start = self._path_and_id(after.unit_id) if after else ("", 0)
        units, further = [], 0
        for unit_id in sorted(counts, key=self._path_and_id):
            if self._path_and_id(unit_id) < start or further >= people:
                continue
            units.append(unit_id)
            if after is None or unit_id != after.unit_id:
                further += counts[unit_id]
        return units

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a file of ``rows``."""
        return export_columns.COLUMNS

    def person_rows(self) -> Iterator[PersonRow]:
        """One row a person, in the same order."""
        builder = self._row_builder()
        for people in self._read_audience():
            yield from builder.build_person_rows(people)

    @property
    def person_columns(self) -> tuple[Column, ...]:
        """The columns of a file of ``person_rows``."""
        return export_columns.person_columns(
            (requirement.position, requirement.kind, requirement.key, requirement.title)
            for requirement in self.directive.requirements
        )

    def _row_builder(self) -> RowBuilder:
        managers = None if self.viewer_scope.everyone else list_seen_managers(self.viewer)
        units = self.viewer_scope.units
        return RowBuilder(self.directive, self._visible_scope, units, self.position, managers)

    def _read_audience(self) -> Iterator[Sequence[AudienceRow]]:
        for unit_ids in self._unit_batches():
            people = replace(self._filtered_scope.whose, unit_hint=frozenset(unit_ids))
            yield from report_rows.stream_people(self.scope_of(people), BATCH, unit_ids)

    def _statuses_of_slice(self, order: Order, offset: int, limit: int) -> tuple[tuple[Status, ...], int]:
        """The statuses in a slice of the list sorted by status, and the offset of the slice among them.

        The figures say how many people come before the slice, so people of other statuses need no sorting.
        """
        first, skipped = 0, 0
        statuses: list[Status] = []
        for status in sorted(Status, reverse=order.descending):
            end = first + self.shown.by_status[status]
            if end <= offset:
                skipped = end
            elif first < min(end, offset + limit):
                statuses.append(status)
            first = end
        return tuple(statuses), offset - skipped

    def _unit_batches(self) -> Iterator[list[int]]:
        """Unit ids by path, in batches of at most ``BATCH`` people, or of one large unit."""
        counts = self.shown.unit_people
        batch: list[int] = []
        people = 0
        for unit_id in sorted(counts, key=self._path_and_id):
            if batch and people + counts[unit_id] > BATCH:
                yield batch
                batch, people = [], 0
            batch = [*batch, unit_id]
            people += counts[unit_id]
        if batch:
            yield batch

    def _path_and_id(self, unit_id: int) -> tuple[str, int]:
        unit = self.viewer_scope.units.get(unit_id)
        return (unit.path if unit else "", unit_id)


def read_person_lines(scope: Scope, units: dict[int, UnitRow], rows: Sequence[Any]) -> list[PersonLine]:
    """The lines of people whom ``paging`` has listed, with the status of every requirement in the scope."""
    statuses = report_rows.load_statuses(scope, {row.person_id for row in rows})
    return [
        PersonLine(
            row.directive_id,
            _read_holder(row, units.get(row.unit_id)),
            Status(row.status),
            date.fromordinal(row.due_on),
            None if row.valid_until is None else date.fromordinal(row.valid_until),
            statuses.get((row.directive_id, row.person_id), {}),
        )
        for row in rows
    ]


def _read_holder(row: Any, unit: UnitRow | None) -> Holder:
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
        unit=unit.label if unit else "",
        unit_path=unit.path if unit else "",
        manager=manager,
        erased=erased,
    )


def completion_report(
    viewer: Viewer, reference: str, position: Position, filters: Filters | None = None
) -> CompletionReport:
    """The report on the directive with this reference.

    Raises:
        NotFoundError: No such directive was known then.
        UnknownValueError: A filter has a value that the viewer cannot know.
    """
    directive, viewer_scope = read_directive(reference, position), ViewerScope.of_viewer(viewer, position)
    filters = accept_filters(filters or EVERYONE, viewer_scope)
    read_as_known_on(position.as_known_on)
    return CompletionReport(viewer, directive, position, viewer_scope, viewer_scope.label_unit(filters))
