"""Reads a slice of a sorted table of people; only the people of the slice are sorted by name.

Sorting a hundred thousand people by status, due date and name to show twenty-five would take as long as for
all. The status counts say which status and due date have the slice; within a large group, names are read in
the order of their index until the slice is full.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from portal.domain.people.models import Person, PersonName, Post
from portal.domain.status import counts
from portal.domain.status.counts import (
    AHEAD,
    LATE,
    PERIOD_COLUMNS,
    POST_COLUMNS,
    Condition,
    CountBy,
    Counted,
    Scope,
    covers_day,
    is_known_on,
)
from portal.domain.status.models import Column, ResultRow, Statement, StatusPeriod
from portal.domain.status.rules import WHOLE
from portal.platform.db import db

ERASED = "Erased"
MANY = 500  # people in a group whose names are not all sorted
MOST_COUNTED = 2_000  # people equally late whose requirements are counted; more are sorted by name alone

Key = tuple[Any, ...]  # values of the columns by which groups are sorted

_manager = aliased(PersonName)

POST_AND_NAME = (
    StatusPeriod.person_id,
    StatusPeriod.unit_id,
    PersonName.staff_number,
    PersonName.surname,
    PersonName.forenames,
    Post.rank_or_grade,
    Post.designated_role,
    _manager.staff_number.label("manager_number"),
)


class Sort(NamedTuple):
    """A column of the table of people, and whether downwards."""

    column: str  # status, person, due, rank, role or unit
    descending: bool = False
    values: Sequence[int | str] = ()  # of units or ranks, in the order in which they are sorted


@dataclass(frozen=True, slots=True)
class _Order:
    """The columns that people are sorted by before their names."""

    columns: Sequence[CountBy]
    descending: bool = False
    values: Sequence[int | str] = ()  # of the one column, in their order; empty: by the columns' own order
    most_left_first: bool = False  # of people who are equally late

    @property
    def by_post(self) -> bool:
        """Whether a column is of the post."""
        return not POST_COLUMNS.isdisjoint(self.columns)

    @property
    def column(self) -> Column:
        """The one column whose values have an order."""
        return PERIOD_COLUMNS[self.columns[0]]

    def list_columns(self, scope: Scope) -> list[Column]:
        """All columns sorted by; the name is last, so that slices never overlap."""
        columns: list[Column] = [PERIOD_COLUMNS[by] for by in self.columns]
        if self.values:
            columns = [place_order(self.column, self.values)]
        if self.most_left_first:
            columns.append(case((StatusPeriod.status.in_(LATE), -_count_left(scope)), else_=0))
        columns += name_order()
        return [column.desc() for column in columns] if self.descending else columns

    def limited_to(self, keys: Sequence[Key]) -> "_Order":
        """The same order for the people of these groups, by no more than tells them apart."""
        if self.values:
            places = sorted(place for (place,) in keys if place >= 0) if len(keys) > 1 else []
            columns = self.columns if places or self.by_post else []
            return replace(self, columns=columns, values=[self.values[place] for place in places])
        by_status = self.columns and self.columns[0] is CountBy.STATUS
        some_late = not by_status or any(status in LATE for status, *_ in keys)
        return replace(self, most_left_first=self.most_left_first and some_late)


_COLUMNS = {
    "status": [CountBy.STATUS, CountBy.DUE_ON],
    "person": [],
    "due": [CountBy.DUE_ON],
    "rank": [CountBy.RANK],
    "role": [CountBy.ROLE],
    "unit": [CountBy.UNIT],
}


def list_people(scope: Scope, sort: Sort, offset: int, limit: int) -> Sequence[ResultRow]:
    """A slice of the people, with name, post, line manager and status under the whole directive."""
    statuses, values = scope.whose.statuses, sort.values
    some_late = statuses is None or not set(LATE).isdisjoint(statuses)
    by_left = sort.column == "status" and some_late
    columns = _COLUMNS[sort.column]
    if sort.column == "unit":
        occupied = scope.whose.unit_hint  # each person is compared with every unit named
        values = [unit_id for unit_id in values if occupied is None or unit_id in occupied]
        columns = columns if values else []
    order = _Order(columns, sort.descending, values, by_left)
    return _load_details(scope, _find_slice(scope, order, offset, limit))


def list_longest_late(scope: Scope, limit: int) -> Sequence[ResultRow]:
    """Those who have been overdue or expired longest, as ``list_people`` gives them; most left to do first.

    Of several directives one after the other, with more people than the first ``limit``.
    """
    late = replace(scope, whose=replace(scope.whose, statuses=LATE))
    order = _Order([CountBy.LAST_DAY_IN_TIME], most_left_first=True)
    return _load_details(late, _find_slice(late, order, 0, limit))


def join_names(statement: Statement) -> Statement:
    """The periods of a statement with the post, the name and the line manager's name."""
    return (
        statement.select_from(StatusPeriod)
        .join(Post, Post.id == StatusPeriod.post_id)
        .outerjoin(PersonName, PersonName.person_id == StatusPeriod.person_id)
        .outerjoin(_manager, _manager.person_id == Post.line_manager_id)
    )


def name_order() -> list[Column]:
    """Surname, staff number and, for those whose name was erased, the id: never null."""
    surname, number = PersonName.surname, PersonName.staff_number
    return [func.coalesce(surname, ERASED), func.coalesce(number, ERASED), StatusPeriod.person_id]


def place_order(column: Column, values: Sequence[int | str]) -> Column:
    """The place of a column's value among ``values``; -1 for any other."""
    places = {value: place for place, value in enumerate(values)}
    return case(places, value=column, else_=-1)


def _count_left(scope: Scope) -> Column:
    """How many requirements the person of a period has still to complete under its directive."""
    other = aliased(StatusPeriod)
    same = (other.person_id == StatusPeriod.person_id, other.directive_id == StatusPeriod.directive_id)
    statement = select(func.count()).where(
        *same,
        other.position != WHOLE,
        other.status.in_((*LATE, *AHEAD)),
        covers_day(other, scope.as_at),
        is_known_on(other, scope.as_known_on),
    )
    return statement.scalar_subquery()


def _load_details(scope: Scope, people: Sequence[int]) -> Sequence[ResultRow]:
    """The rows of these people by directive, in their order: names and posts are joined for them alone."""
    period = StatusPeriod
    by_id = replace(scope, whose=replace(scope.whose, unit_hint=None, named=None))
    columns = (period.directive_id, period.status, period.due_on, period.valid_until, *POST_AND_NAME)
    managers = (_manager.surname.label("manager_surname"), _manager.forenames.label("manager_forenames"))
    conditions = (*by_id.whole_directive(), period.person_id.in_(people))
    statement = join_names(select(*columns, *managers)).where(*conditions)
    places = {person_id: place for place, person_id in enumerate(people)}
    rows = db.session.execute(statement).all()
    return sorted(rows, key=lambda row: (row.directive_id, places[row.person_id]))


def _find_by_person(scope: Scope) -> Scope:
    """The same scope without the units that lead an index: its people are found by who they are."""
    return replace(scope, whose=replace(scope.whose, unit_hint=None))


def _find_slice(scope: Scope, order: _Order, offset: int, limit: int) -> list[int]:
    """The ids of the people of a slice, in their order."""
    if not counts.is_summed(scope, order.columns):
        return _sort_people(scope, order, _Part(true(), offset, limit))
    groups = counts.count_by(scope, order.columns)
    if order.values:
        groups = _group_by_place(groups, order.values)
    slice_ids: list[int] = []
    before, everyone = 0, sum(people for *_, people in groups)
    for keys, size in _join_small_groups(sorted(groups, reverse=order.descending)):
        skipped = max(offset - before, 0)
        taken = min(size - skipped, limit - len(slice_ids))
        if taken > 0:
            part = _Part(_select_groups(order, keys), skipped, taken, size)
            in_order = order.limited_to(keys)
            if size > MOST_COUNTED:
                in_order = replace(in_order, most_left_first=False)
            walk = len(keys) == 1 and size > MANY and _is_walk_shorter(part, everyone)
            read_part = _walk_names if walk and not in_order.most_left_first else _sort_people
            slice_ids += read_part(scope, in_order, part)
        before += size
    return slice_ids


def _group_by_place(groups: Sequence[Counted], values: Sequence[int | str]) -> list[Counted]:
    """Groups by one column as groups by the place of its value among ``values``; -1 for any other."""
    places = {value: place for place, value in enumerate(values)}
    by_place: Counter[int] = Counter()
    for value, people in groups:
        by_place[places.get(value, -1)] += people
    return list(by_place.items())


class _Part(NamedTuple):
    """The part of a slice that is in some groups."""

    condition: Condition  # that a person is in one of the groups
    offset: int
    limit: int
    size: int = 0  # people in the groups


def _is_walk_shorter(part: _Part, everyone: int) -> bool:
    """Whether fewer names are passed on the way to a part than there are people to sort.

    Names of everybody are passed: as many for each person of the group as it is a small part of them.
    """
    passed = part.limit + min(part.offset, part.size - part.offset - part.limit)
    return passed * everyone < part.size**2


def _join_small_groups(groups: Sequence[Counted]) -> Iterator[tuple[list[Key], int]]:
    """Groups in their order: those of more than ``MANY`` people alone, others joined up to so many."""
    keys: list[Key] = []
    size = 0
    for *key, people in groups:
        if keys and size + people > MANY:
            yield keys, size
            keys, size = [], 0
        keys.append(tuple(key))
        size += people
    if keys:
        yield keys, size


def _select_groups(order: _Order, keys: Sequence[Key]) -> Condition:
    """That a person is in one of these groups, which are in order: equal first columns are together."""
    if order.values:
        among = order.column.in_([order.values[place] for (place,) in keys if place >= 0])
        return or_(among, order.column.not_in(order.values)) if (-1,) in keys else among
    if not order.columns:
        return true()
    *firsts, last = (PERIOD_COLUMNS[by] for by in order.columns)
    ways = []
    for start, some in groupby(keys, key=lambda key: key[:-1]):
        same = [column == value for column, value in zip(firsts, start, strict=True)]
        ways.append(and_(*same, last.in_([key[-1] for key in some])))
    return or_(*ways)


def _sort_people(scope: Scope, order: _Order, part: _Part) -> list[int]:
    if scope.whose.named is not None:
        scope = _find_by_person(scope)
    period = StatusPeriod
    statement = select(period.person_id).outerjoin(PersonName, PersonName.person_id == period.person_id)
    if order.by_post:
        statement = statement.join(Post, Post.id == period.post_id)
    statement = statement.where(*scope.whole_directive(), part.condition).order_by(*order.list_columns(scope))
    return list(db.session.scalars(statement.offset(part.offset).limit(part.limit)))


def _walk_names(scope: Scope, order: _Order, part: _Part) -> list[int]:
    """The same from the index of names, from its nearer end; people without a name may not be passed by."""
    back = 2 * part.offset + part.limit > part.size
    skipped = part.size - part.offset - part.limit if back else part.offset
    downwards = order.descending != back
    columns = [PersonName.surname, PersonName.staff_number, PersonName.person_id]
    period = exists().where(StatusPeriod.person_id == PersonName.person_id, part.condition)
    if order.by_post:
        period = period.where(Post.id == StatusPeriod.post_id)
    statement = (
        select(*columns)
        .where(period.where(*_find_by_person(scope).whole_directive()))
        .order_by(*([column.desc() for column in columns] if downwards else columns))
        .offset(skipped)
        .limit(part.limit)
    )
    rows = db.session.execute(statement).all()
    if not _are_all_named(rows, downwards) or len(rows) < part.limit:
        return _sort_people(scope, order, part)
    return [row.person_id for row in (rows[::-1] if back else rows)]


def _are_all_named(rows: Sequence[ResultRow], downwards: bool) -> bool:
    """Whether nobody without a name comes before the last of these rows, or everybody has one."""
    if not rows:
        return False
    last = (rows[-1].surname, rows[-1].staff_number)
    if last > (ERASED, ERASED) if downwards else last < (ERASED, ERASED):
        return True
    nameless = select(Person.id).where(~exists().where(PersonName.person_id == Person.id))
    return db.session.scalar(nameless.limit(1)) is None
