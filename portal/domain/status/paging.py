"""A slice of a table of people, cut by what is counted first: names are sorted for the slice alone.

Whoever sorts a hundred thousand people by status, due date and name only to show twenty-five would wait for
the names of all. The kept sums say which status and due date hold the slice; within one of very many
people, names are walked in the order of their index until the slice is full.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.people.models import Person, PersonName, Post
from portal.domain.status import counting
from portal.domain.status.count_reader import SummedCountSource
from portal.domain.status.counting import Question
from portal.domain.status.filters import LATE, Scope, late_since
from portal.domain.status.models import StatusPeriod
from portal.platform.db import db

ERASED = "Erased"
MANY = 500  # people in a group whose names are not all sorted

_Group = tuple[tuple[Any, ...], int]  # the values of the columns, and people

span: Any = StatusPeriod
name: Any = PersonName
_manager: Any = aliased(PersonName)

HOLDER = (
    span.person_id,
    span.unit_id,
    PersonName.staff_number,
    PersonName.surname,
    PersonName.forenames,
    Post.rank_or_grade,
    Post.designated_role,
    _manager.staff_number.label("manager_number"),
)
_NAMES = (_manager.surname.label("manager_surname"), _manager.forenames.label("manager_forenames"))


class Sort(NamedTuple):
    """A column of the table of people, and whether downwards."""

    column: str  # status, person, due, rank, role or unit
    descending: bool = False
    units: Sequence[int] = ()  # in their order, where they are sorted by


@dataclass(frozen=True, slots=True)
class _By:
    """What the people are sorted by before their names."""

    columns: tuple[Any, ...]
    descending: bool = False
    counted: tuple[str, ...] | None = None  # the same, as the kept sums call it; None: they do not count it
    units: Sequence[int] = ()  # in their order, where the place of a unit is sorted by: in place of columns

    @property
    def asks_posts(self) -> bool:
        """Whether the posts have to be read for it."""
        return self.counted in (("rank_or_grade",), ("designated_role",))

    @property
    def order(self) -> list[Any]:
        """All that is sorted by; it ends with the name, so that slices never overlap."""
        columns = [*self.columns, *by_name()]
        return [column.desc() for column in columns] if self.descending else columns


def people(scope: Scope, sort: Sort, offset: int, limit: int) -> Sequence[Row[Any]]:
    """A slice of the people, each with name, post, line manager and standing under the whole directive."""
    by = {
        "status": _By((span.status, span.due_on), sort.descending, ("status", "due_on")),
        "person": _By((), sort.descending, ()),
        "due": _By((span.due_on,), sort.descending, ("due_on",)),
        "rank": _By((Post.rank_or_grade,), sort.descending, ("rank_or_grade",)),
        "role": _By((Post.designated_role,), sort.descending, ("designated_role",)),
        "unit": _by_units(scope, sort),
    }[sort.column]
    return _detailed(scope, _cut(scope, by, offset, limit))


def _by_units(scope: Scope, sort: Sort) -> _By:
    """By the place of a unit, among those alone that hold anybody: each is compared with every unit named."""
    holding = scope.whose.standing_in
    units = [unit_id for unit_id in sort.units if holding is None or unit_id in holding]
    return _By((), sort.descending, ("unit_id",), units) if units else _By((), sort.descending, ())


def longest_late(scope: Scope, limit: int) -> Sequence[Row[Any]]:
    """Those who have been overdue or expired longest, as ``people`` gives them."""
    late = replace(scope, whose=replace(scope.whose, statuses=LATE))
    return _detailed(scope, _cut(late, _By((late_since(span),), counted=("since_on",)), 0, limit))


def with_names(statement: Any) -> Any:
    """The spans of a statement with the post, the name and the line manager's name."""
    return (
        statement.select_from(span)
        .join(Post, Post.id == span.post_id)
        .outerjoin(PersonName, PersonName.person_id == span.person_id)
        .outerjoin(_manager, _manager.person_id == Post.line_manager_id)
    )


def by_name() -> list[Any]:
    """Surname, staff number and, for those without a name any more, the opaque id: never null."""
    surname, number = PersonName.surname, PersonName.staff_number
    return [func.coalesce(surname, ERASED), func.coalesce(number, ERASED), span.person_id]


def place(units: Sequence[int]) -> Any:
    """The place of a span's unit among ``units``."""
    return case({unit_id: place for place, unit_id in enumerate(units)}, value=span.unit_id, else_=-1)


def _detailed(scope: Scope, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What the table says of these people, in their order: joined for these few alone."""
    standing = (span.status, span.due_on, span.valid_until)
    whose = replace(scope.whose, standing_in=None, named=None)  # nobody is looked for twice
    here = (*replace(scope, whose=whose).wholes(), span.person_id.in_(ids))
    statement = with_names(select(*standing, *HOLDER, *_NAMES)).where(*here)
    found = {row.person_id: row for row in db.session.execute(statement)}
    return [found[person_id] for person_id in ids]


def _anywhere(scope: Scope) -> Scope:
    """The same people, found by who they are instead of by their units."""
    return replace(scope, whose=replace(scope.whose, standing_in=None))


def _cut(scope: Scope, by: _By, offset: int, limit: int) -> list[int]:
    """The ids of the people of a slice, in their order."""
    question = Question.PEOPLE if by.counted == ("unit_id",) else Question.ORDER
    if by.counted is None or not counting.is_summed(scope.whose, question):
        by = replace(by, columns=(place(by.units),)) if by.units else by
        return _sorted(scope, by, (), offset, limit)
    groups = SummedCountSource(scope).count_by(by.counted)
    if by.units:
        groups = _placed(groups, by.units)
    found: list[int] = []
    before, everyone = 0, sum(people for _, people in groups)
    for keys, held in _runs(sorted(groups, reverse=by.descending)):
        skipped = max(offset - before, 0)
        taken = min(held - skipped, limit - len(found))
        if taken > 0:
            cut = _Slice(skipped, taken, held)
            read = _walked if len(keys) == 1 and held > MANY and _is_near(cut, everyone) else _sorted_of
            found += read(scope, _narrowed(by, keys), _among(by, keys), cut)
        before += held
    return found


def _placed(groups: Sequence[_Group], units: Sequence[int]) -> list[_Group]:
    """Groups by unit as groups by the place of the unit; one that has none comes first."""
    places = {unit_id: place for place, unit_id in enumerate(units)}
    found: Counter[int] = Counter()
    for (unit_id,), people in groups:
        found[places.get(unit_id, -1)] += people
    return [((place,), people) for place, people in found.items()]


class _Slice(NamedTuple):
    offset: int
    limit: int
    of: int  # people


def _is_near(cut: _Slice, everyone: int) -> bool:
    """Whether fewer names are passed on the way to a slice than there are people to sort.

    Of all who are listed, as many have to be passed as the group is a small part of them.
    """
    passed = cut.limit + min(cut.offset, cut.of - cut.offset - cut.limit)
    return passed * everyone < cut.of**2


def _runs(groups: Sequence[_Group]) -> Iterator[tuple[list[tuple[Any, ...]], int]]:
    """Groups in their order: one of very many people alone, the others together as far as they are few."""
    keys: list[tuple[Any, ...]] = []
    held = 0
    for key, count in groups:
        if keys and held + count > MANY:
            yield keys, held
            keys, held = [], 0
        keys.append(key)
        held += count
    if keys:
        yield keys, held


def _narrowed(by: _By, keys: Sequence[tuple[Any, ...]]) -> _By:
    """The same order where only these groups are sorted: the places of their units alone."""
    if not by.units:
        return by
    units = [by.units[at] for at in sorted(at for (at,) in keys if at >= 0)]
    return replace(by, columns=(place(units),) if len(keys) > 1 else ())


def _among(by: _By, keys: Sequence[tuple[Any, ...]]) -> Any:
    """That somebody is in one of these groups, which are in order: those that start alike are together."""
    if by.units:
        here = span.unit_id.in_([by.units[at] for (at,) in keys if at >= 0])
        return or_(here, span.unit_id.not_in(by.units)) if (-1,) in keys else here
    if not by.columns:
        return and_(True)
    *firsts, last = by.columns
    ways = []
    for start, some in groupby(keys, key=lambda key: key[:-1]):
        same = [column == value for column, value in zip(firsts, start, strict=True)]
        ways.append(and_(*same, last.in_([key[-1] for key in some])))
    return or_(*ways)


def _sorted_of(scope: Scope, by: _By, among: Any, cut: _Slice) -> list[int]:
    return _sorted(scope, by, [among], cut.offset, cut.limit)


def _sorted(scope: Scope, by: _By, among: Sequence[Any], offset: int, limit: int) -> list[int]:
    if scope.whose.named is not None:
        scope = _anywhere(scope)
    named = select(span.person_id).outerjoin(PersonName, PersonName.person_id == span.person_id)
    statement = named.where(*scope.wholes(), *among)
    if by.asks_posts:
        statement = statement.join(Post, Post.id == span.post_id)
    return list(db.session.scalars(statement.order_by(*by.order).offset(offset).limit(limit)))


def _walked(scope: Scope, by: _By, among: Any, cut: _Slice) -> list[int]:
    """The same from the index of names, from the end that is nearer; nobody erased may be passed by."""
    back = 2 * cut.offset + cut.limit > cut.of
    skipped = cut.of - cut.offset - cut.limit if back else cut.offset
    downwards = by.descending != back
    order = [name.surname, name.staff_number, name.person_id]
    stands = exists().where(span.person_id == name.person_id, among)
    if by.asks_posts:
        stands = stands.where(Post.id == span.post_id)
    statement = (
        select(*order)
        .where(stands.where(*_anywhere(scope).wholes()))
        .order_by(*([column.desc() for column in order] if downwards else order))
        .offset(skipped)
        .limit(cut.limit)
    )
    rows = db.session.execute(statement).all()
    if not _all_named(rows, downwards) or len(rows) < cut.limit:
        return _sorted(scope, by, [among], cut.offset, cut.limit)
    return [row.person_id for row in (rows[::-1] if back else rows)]


def _all_named(rows: Sequence[Row[Any]], downwards: bool) -> bool:
    """Whether nobody without a name stands before the last of these, or nobody is without one."""
    if not rows:
        return False
    last = tuple(rows[-1])[:2]
    if last > (ERASED, ERASED) if downwards else last < (ERASED, ERASED):
        return True
    nameless = select(Person.id).where(~exists().where(PersonName.person_id == Person.id))
    return db.session.scalar(nameless.limit(1)) is None
