"""The completion report: one object behind the page and every file, so they cannot disagree."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from portal.domain.people import units
from portal.domain.people.models import PersonName, Post
from portal.domain.people.names import name_conditions
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.staff_numbers import rank_key, sort_ranks
from portal.domain.people.units import FormerUnits, UnitTree, read_former_units, read_tree
from portal.domain.people.visibility import Viewer, is_visible, visibility_of, visible_people
from portal.domain.reports import completion_rows
from portal.domain.reports.completion_rows import Column, CompletionRow, PersonRow, RowBuilder
from portal.domain.reports.parameters import (
    DUE_DAYS,
    EVERYONE,
    FIELD_WORDS,
    LATE_BANDS,
    MISSING,
    STATUS_WORDS,
    Filters,
    Order,
    Position,
)
from portal.domain.reports.statistics import (
    DirectiveSnapshot,
    Figures,
    GroupLine,
    Outlook,
    Share,
    UnitLine,
    group_lines,
    read_directive,
    share_of_group,
    unit_lines,
)
from portal.domain.status import counts as status_counts
from portal.domain.status import paging, queries
from portal.domain.status.counts import Later, Scope, Whose, measure_later
from portal.domain.status.paging import ERASED, Sort
from portal.domain.status.queries import AudienceKey, AudienceRow, people_in_report
from portal.domain.status.rules import Status
from portal.platform.db import db
from portal.platform.errors import RuleError, UnknownValueError, reason_of_refusal
from portal.platform.replica import read_as_known_on

# Which people a report includes: those whom its viewer may see at its position, narrowed by filters.
#
# Every number, page and file of a report goes through ``ViewerScope.select_people``, so visibility is
# decided once, and a filter can only narrow it.

DaysByUnit = dict[int, list[tuple[date, date]]]  # runs of days, the first and the last of each
PEOPLE = 10_000  # in one statement: below the databases' limits of bound values


@dataclass(frozen=True)
class ViewerScope:
    """What a viewer may see at a position: everyone, the posts in some units, or direct reports."""

    position: Position
    units: dict[int, UnitRow]  # at the position
    everyone: bool
    unit_ids: frozenset[int]  # in and under the granted units, by the tree of the position
    manager_id: int | None
    names: tuple[str, ...]  # labels of the granted units today
    granted: frozenset[int] = frozenset()  # ids of units
    tops: tuple[int, ...] = ()  # the granted units that are below no other granted unit today
    today_ids: frozenset[int] = frozenset()  # in and under the granted units, by the tree of today
    former: Callable[[], FormerUnits] = field(default=read_former_units, compare=False)

    @classmethod
    def of_viewer(cls, viewer: Viewer, position: Position) -> "ViewerScope":
        """Apply the role grants that the viewer has now to the units of the position."""
        visibility = visibility_of(viewer)
        units = live_units(position.as_at, position.as_known_on)
        unit_ids: set[int] = set()
        names: list[str] = []
        tops: list[int] = []
        if visibility.unit_ids:
            today = live_units(position.today)
            visible_ids = visibility.unit_ids
            tops = [u for u in visible_ids if u not in today or today[u].parent_id not in visible_ids]
            unit_ids = units_under(units, *visibility.granted_unit_ids)
            names = sorted(today[unit_id].label for unit_id in tops if unit_id in today)
        return cls(
            position,
            units,
            visibility.everyone,
            frozenset(unit_ids),
            visibility.direct_reports_of,
            tuple(names),
            granted=visibility.granted_unit_ids,
            tops=tuple(tops),
            today_ids=visibility.unit_ids,
        )

    @property
    def place_words(self) -> str:
        """Who is visible, in words: those "in a unit you can see", or "one of your direct reports"."""
        reports_only = self.manager_id is not None and not self.granted
        return "one of your direct reports" if reports_only else "in a unit you can see"

    def sees_post(self, post: Any) -> ColumnElement[bool]:
        """SQL condition: the viewer may see the post, by the units of the position."""
        return self._posts_of(post, self.unit_ids)

    def may_have_seen(self, post: Any) -> ColumnElement[bool]:
        """SQL condition for posts that the viewer could see on some day; ``saw_post`` decides for each."""
        return self._posts_of(post, self.unit_ids | self._days_in_sight.keys())

    def saw_post(self, post: Any) -> bool:
        """Whether the viewer may see a post on one of its days, by the units then or as known now."""
        if self.everyone or (self.manager_id is not None and post.line_manager_id == self.manager_id):
            return True
        if post.unit_id in self.unit_ids and post.valid_from <= self.position.as_at <= post.valid_to:
            return True
        return is_held_within(post, self._days_in_sight)

    @cached_property
    def _days_in_sight(self) -> DaysByUnit:
        """For each unit, the runs of days on which it was in or under a granted unit, as known now."""
        return {} if self.everyone or not self.granted else days_under(read_tree(), self.granted)

    def _posts_of(self, post: Any, unit_ids: Collection[int]) -> ColumnElement[bool]:
        if self.everyone:
            return true()
        conditions: list[ColumnElement[bool]] = [post.unit_id.in_(sorted(unit_ids))] if unit_ids else []
        if self.manager_id is not None:
            conditions.append(post.line_manager_id == self.manager_id)
        return or_(*conditions) if conditions else false()

    def select_people(self, filters: Filters = EVERYONE) -> Whose:
        """Select the people whom the viewer may see and who match the filters."""
        within = None
        if filters.unit:
            unit_id = self.unit_of(filters.unit)
            within = frozenset() if unit_id is None else frozenset(units_under(self.units, unit_id))
        return Whose(
            everyone=self.everyone,
            unit_ids=self.unit_ids,
            manager_id=self.manager_id,
            within=within,
            role=filters.role,
            ranks=filters.ranks,
            named=select(PersonName.person_id).where(*name_conditions(filters.q)) if filters.q else None,
            statuses=filters.statuses or None,
            late=LATE_BANDS.get(filters.late),
            due_within=DUE_DAYS.get(filters.due),
        )

    def scope_of(self, *directive_ids: int) -> Scope:
        """Everyone whom the viewer may see, under some directives at this position."""
        at = self.position
        known = at.as_known_on
        later = Later.NOTHING if at.latest else measure_later(directive_ids, [known])[known]
        return Scope(directive_ids, at.as_at, known, self.select_people(), later)

    def unit_of(self, path: str) -> int | None:
        """The unit with this path at the position, else one that ever had it.

        None if there is none, or if it is neither visible nor above a visible unit.
        """
        unit_id = self._paths.get(path)
        if unit_id is not None and (
            self.everyone or unit_id in self.unit_ids or unit_id in self._known_units
        ):
            return unit_id
        return self._former_unit(path)

    @cached_property
    def _paths(self) -> dict[str, int]:
        return {unit.path: unit_id for unit_id, unit in self.units.items()}

    @cached_property
    def _former_units(self) -> FormerUnits:
        return self.former()

    @cached_property
    def _known_units(self) -> set[int]:
        """Units visible at the position or today, and all units that were ever above them."""
        reports: set[int] = set()
        if self.manager_id is not None:
            statement = select(Post.unit_id).where(Post.line_manager_id == self.manager_id).distinct()
            reports = set(db.session.scalars(statement))
        return self._former_units.units_above(self.unit_ids | self.today_ids | reports)

    def _former_unit(self, path: str) -> int | None:
        try:
            names = units.split(path)
        except RuleError:
            return None
        return self._former_units.find_unit(names, None if self.everyone else self._known_units)

    def label_unit(self, filters: Filters) -> Filters:
        """The same filters, which say the label of their unit at the position instead of its names."""
        unit_id = self.unit_of(filters.unit) if filters.unit else None
        unit = self.units.get(unit_id) if unit_id is not None else None
        return replace(filters, unit_label=unit.label) if unit else filters

    def sees_all_of(self, path: str) -> bool:
        """Whether the viewer may see everybody in this unit and below it."""
        return self.everyone or self.unit_of(path) in self.unit_ids


def units_under(units: dict[int, UnitRow], *tops: int) -> set[int]:
    """The units ``tops`` themselves and all units below them in the tree ``units``."""
    children: dict[int | None, list[int]] = {}
    for unit_id, unit in units.items():
        children.setdefault(unit.parent_id, []).append(unit_id)
    unit_ids, unread = set(tops), list(tops)
    while unread:
        below = [child for child in children.get(unread.pop(), []) if child not in unit_ids]
        unit_ids.update(below)
        unread.extend(below)
    return unit_ids


def days_under(tree: UnitTree, tops: Collection[int]) -> DaysByUnit:
    """For each unit, the runs of days on which it is one of ``tops`` or below one."""
    runs: DaysByUnit = defaultdict(list)
    edges = [date.min, *tree.edges_after(date.min), date.max]
    for first, after in pairwise(edges):
        for unit_id in units_under(tree_on(tree, first), *tops):
            runs[unit_id].append((first, after - timedelta(days=1)))
    return runs


def is_held_within(post: Any, days: DaysByUnit) -> bool:
    """Whether a post is held on one of these days of its unit."""
    return any(
        first <= post.valid_to and post.valid_from <= last for first, last in days.get(post.unit_id, ())
    )


def tree_on(tree: UnitTree, day: date) -> dict[int, UnitRow]:
    """The units of a day with their parents, without paths."""
    states = ((unit_id, tree.state_on(unit_id, day)) for unit_id in tree.unit_ids())
    return {unit_id: UnitRow(state.name, state.parent_id, "") for unit_id, state in states if state}


def linkable_people(viewer: Viewer, people: Sequence[int]) -> set[int]:
    """The people among ``people`` whose page the viewer may open. One statement."""
    return set(db.session.scalars(visible_people(viewer, among=people)))


def list_seen_managers(viewer: Viewer) -> frozenset[str]:
    """The staff numbers of line managers whose page the viewer may open. One statement."""
    named = select(Post.line_manager_id).where(Post.line_manager_id.is_not(None))
    statement = select(PersonName.staff_number).where(PersonName.person_id.in_(named))
    return frozenset(db.session.scalars(statement.where(is_visible(PersonName.person_id, viewer))))


def numbers_and_names(people: Sequence[int], most: int) -> list[tuple[int, str, str]]:
    """Id, staff number and name of the first ``most`` people by surname; erased people are left out."""
    names: list[tuple[str, str, str, int]] = []
    columns = (PersonName.surname, PersonName.staff_number, PersonName.forenames, PersonName.person_id)
    for first in range(0, len(people), PEOPLE):
        batch = PersonName.person_id.in_(people[first : first + PEOPLE])
        statement = select(*columns).where(batch).order_by(*columns[:2]).limit(most)
        rows = db.session.execute(statement)
        names += [(surname, number, forenames, person_id) for surname, number, forenames, person_id in rows]
    return [
        (person_id, number, f"{surname}, {forenames}")
        for surname, number, forenames, person_id in sorted(names)[:most]
    ]


# Refuses values of a report's filters that its viewer cannot know, with a sentence.
#
# A value is known if it was ever recorded and the viewer may see it: a rank that nobody has today, or a
# unit's path before it was renamed, is known. A value that the viewer may not see is answered like one
# that never was.

FIXED: dict[str, Collection[str]] = {"status": STATUS_WORDS, "late": LATE_BANDS, "due": DUE_DAYS}


def accept_filters(filters: Filters, viewer_scope: ViewerScope) -> Filters:
    """The filters with the path that their unit has at the position: a former path follows to its unit.

    Raises:
        UnknownValueError: The viewer cannot know a value.
    """
    refuse_unknown(filters, viewer_scope)
    unit_id = viewer_scope.unit_of(filters.unit) if filters.unit else None
    unit = viewer_scope.units.get(unit_id) if unit_id is not None else None
    return replace(filters, unit=unit.path) if unit else filters


def refuse_unknown(filters: Filters, viewer_scope: ViewerScope) -> None:
    """Refuse filters with a value that the viewer cannot know. One statement for unit, role and each rank.

    Raises:
        UnknownValueError: Names each refused value and the known ones.
    """
    faults = [
        *_fixed_value_faults(filters),
        *_unit_faults(filters, viewer_scope),
        *_role_faults(filters, viewer_scope),
        *_rank_faults(filters, viewer_scope),
    ]
    if faults:
        raise UnknownValueError(faults)


def _fixed_value_faults(filters: Filters) -> Iterable[tuple[str, str]]:
    for name, values in FIXED.items():
        value = filters.address.get(name)
        if value is not None and value not in values:
            yield reason_of_refusal(FIELD_WORDS[name].lower(), value, list(values)), name


def _unit_faults(filters: Filters, viewer_scope: ViewerScope) -> Iterable[tuple[str, str]]:
    if filters.unit and viewer_scope.unit_of(filters.unit) is None:
        sentence = reason_of_refusal("unit", filters.unit, [])
        yield (
            f"{sentence} Enter the full path of a unit that you can see, or choose one from the list.",
            "unit",
        )


def _role_faults(filters: Filters, viewer_scope: ViewerScope) -> Iterable[tuple[str, str]]:
    if filters.role:
        yield from _post_faults("role", [filters.role], Post.designated_role, viewer_scope)


def _rank_faults(filters: Filters, viewer_scope: ViewerScope) -> Iterable[tuple[str, str]]:
    yield from _post_faults("rank", filters.ranks, Post.rank_or_grade, viewer_scope)


def _post_faults(
    name: str, values: Iterable[str], column: Any, viewer_scope: ViewerScope
) -> Iterable[tuple[str, str]]:
    """Faults of values that are in no post which the viewer may see on one of its days."""
    for value in values:
        if not any(viewer_scope.saw_post(post) for post in _posts_maybe_seen(column == value, viewer_scope)):
            known = {
                getattr(post, column.key)
                for post in _posts_maybe_seen(true(), viewer_scope)
                if viewer_scope.saw_post(post)
            }
            yield reason_of_refusal(FIELD_WORDS[name].lower(), value, sort_ranks(known)), name


def _posts_maybe_seen(condition: ColumnElement[bool], viewer_scope: ViewerScope) -> Iterable[Any]:
    """The posts that the viewer may have seen, distinct by what ``saw_post`` reads of them."""
    words = (Post.rank_or_grade, Post.designated_role)
    days = (Post.unit_id, Post.valid_from, Post.valid_to, Post.line_manager_id)
    columns = words if viewer_scope.everyone else (*words, *days)
    statement = select(*columns).where(condition, viewer_scope.may_have_seen(Post)).distinct()
    return db.session.execute(statement).all()


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
            counts = status_counts.count_units(self.scope_of(in_units))
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
        counts = status_counts.count_requirements(self.scope_of(whose))
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
        listed = status_counts.count_posts(self._filtered_scope)
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
        return status_counts.count_reasons(self._group_scope)

    @cached_property
    def posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """People by designated role, rank or grade, and status."""
        return status_counts.count_posts(self._visible_scope)

    def count_groups(self) -> Sequence[tuple[int, str, str, Status, int]]:
        """People by unit, designated role, rank or grade, and status."""
        return status_counts.count_groups(self._visible_scope)

    def post_choices(self) -> tuple[list[str], list[str]]:
        """The designated roles, and the ranks or grades, of the people the viewer may see."""
        return sorted({role for role, *_ in self.posts}), sort_ranks(rank for _, rank, *_ in self.posts)

    @cached_property
    def group_posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """The same for the group."""
        return status_counts.count_posts(self._group_scope) if self.filters.group else self.posts

    @cached_property
    def outlook(self) -> Outlook:
        """How long people of the group have been overdue, and how many are due soon."""
        directive_id = self.directive.id
        left = status_counts.count_days_left(self._group_scope)
        return Outlook.by_directive(left, [directive_id])[directive_id]

    def list_person_ids(self) -> set[int]:
        """Ids of everybody with a row in a file of this report."""
        return people_in_report(self._filtered_scope)

    def due_dates(self) -> list[date]:
        """The two due dates that most people have, in order."""
        return status_counts.list_commonest_due_dates(self._visible_scope, 2)

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
        audience = queries.list_audience(self.scope_of(whose), units, after, people + 1)
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
        return completion_rows.COLUMNS

    def person_rows(self) -> Iterator[PersonRow]:
        """One row a person, in the same order."""
        builder = self._row_builder()
        for people in self._read_audience():
            yield from builder.build_person_rows(people)

    @property
    def person_columns(self) -> tuple[Column, ...]:
        """The columns of a file of ``person_rows``."""
        return completion_rows.person_columns(
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
            yield from queries.stream_people(self.scope_of(people), BATCH, unit_ids)

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
    statuses = queries.load_statuses(scope, {row.person_id for row in rows})
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
        UnknownValueError: A filter has a value that the viewer cannot know.
    """
    directive, viewer_scope = read_directive(reference, position), ViewerScope.of_viewer(viewer, position)
    filters = accept_filters(filters or EVERYONE, viewer_scope)
    read_as_known_on(position.as_known_on)
    return CompletionReport(viewer, directive, position, viewer_scope, viewer_scope.label_unit(filters))
