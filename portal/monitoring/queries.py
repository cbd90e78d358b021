"""The completion report: one query object behind the page and every file, so they cannot disagree."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from portal.db import db
from portal.directives.models import Exclusion
from portal.monitoring.completion import CompletionRow
from portal.monitoring.details import Holder, completion_rows, statuses
from portal.monitoring.figures import Figures, UnitLine, unit_lines
from portal.monitoring.filters import EVERYONE, Filters, Order
from portal.monitoring.position import Position
from portal.monitoring.reach import Reach
from portal.monitoring.subject import Subject, subject
from portal.people.models import PersonName, Post
from portal.people.queries import Viewer
from portal.standing.algebra import Status
from portal.standing.models import StandingSpan

ERASED = "Erased"
BATCH = 500  # rows of the file read at a time


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
        return max(self.due_on, self.valid_until or self.due_on)


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
        return self._figures(None)

    @cached_property
    def shown(self) -> Figures:
        """Those whom the filters leave."""
        return self._figures(self.filters) if self.filters else self.figures

    @property
    def units(self) -> list[UnitLine]:
        """The units below the one filtered by, or below the lowest that holds everybody."""
        top = self.reach.unit_of(self.filters.unit) if self.filters.unit else None
        return unit_lines(self.figures, self.reach.units, top)

    def exclusions(self) -> dict[str, int]:
        """People exempt or deferred, by reason."""
        span = StandingSpan
        statement = (
            select(Exclusion.reason, func.count())
            .join(span, span.exclusion_id == Exclusion.id)
            .where(*self.reach.conditions(span, self.subject.id), span.position == 0, _excluded(span))
            .group_by(Exclusion.reason)
            .order_by(Exclusion.reason)
        )
        return {reason: count for reason, count in db.session.execute(statement)}

    def choices(self) -> tuple[list[str], list[str]]:
        """Designated roles and ranks or grades among those the viewer may see."""
        span = StandingSpan
        statement = (
            select(Post.designated_role, Post.rank_or_grade)
            .distinct()
            .join(span, span.post_id == Post.id)
            .where(*self.reach.conditions(span, self.subject.id), span.position == 0)
        )
        pairs = db.session.execute(statement).all()
        return sorted({role for role, _ in pairs}), sorted({rank for _, rank in pairs})

    def due_by(self, last: date) -> int:
        """People not yet complete and not yet overdue whose due date is ``last`` or earlier."""
        span = StandingSpan
        return self._count(
            span.status.in_([Status.NOT_STARTED, Status.IN_PROGRESS]), span.due_on <= last.toordinal()
        )

    def overdue_people(self) -> set[int]:
        """Ids of the people overdue, with those whose completion lapsed."""
        span = StandingSpan
        late = span.status.in_([Status.OVERDUE, Status.EXPIRED])
        conditions = self.reach.conditions(span, self.subject.id)
        return set(db.session.scalars(select(span.person_id).where(*conditions, span.position == 0, late)))

    def due_dates(self) -> list[date]:
        """The two due dates that most people have, in order."""
        span = StandingSpan
        statement = (
            select(span.due_on)
            .where(*self.reach.conditions(span, self.subject.id), span.position == 0)
            .group_by(span.due_on)
            .order_by(func.count().desc(), span.due_on)
            .limit(2)
        )
        return sorted(date.fromordinal(day) for day in db.session.scalars(statement))

    def people(self, order: Order, offset: int, limit: int) -> list[PersonLine]:
        """A slice of the table, each person with the status of every requirement."""
        sorting = _sorting(order, self.reach)
        statement = self._people(self.filters).order_by(*sorting).offset(offset).limit(limit)
        return self._lines(db.session.execute(statement).all())

    def most_overdue(self, limit: int) -> list[PersonLine]:
        """The people who have been overdue or expired longest."""
        columns = self._people(None)
        since = case(
            (func.coalesce(StandingSpan.valid_until, 0) > StandingSpan.due_on, StandingSpan.valid_until),
            else_=StandingSpan.due_on,
        )
        statement = columns.where(StandingSpan.status.in_([Status.OVERDUE, Status.EXPIRED]))
        return self._lines(db.session.execute(statement.order_by(since, *_by_name()).limit(limit)).all())

    def standings(self) -> dict[int, Status]:
        """The status under the whole directive of everybody the viewer may see, by person id."""
        span = StandingSpan
        statement = select(span.person_id, span.status).where(
            *self.reach.conditions(span, self.subject.id), span.position == 0
        )
        return {person_id: Status(status) for person_id, status in db.session.execute(statement)}

    def rows(self) -> Iterator[CompletionRow]:
        """Every row by unit path, surname, staff number, requirement; some at a time."""
        step = max(1, BATCH // max(1, len(self.subject.asked)))
        for unit_ids, offset in self._walk(step):
            statement = (
                self._people(self.filters)
                .where(StandingSpan.unit_id.in_(unit_ids))
                .order_by(self._path_rank(unit_ids), *_by_name())
                .offset(offset)
                .limit(step)
            )
            holders = [self._holder(row) for row in db.session.execute(statement)]
            yield from completion_rows(self.subject, self.reach, holders)

    def _walk(self, step: int) -> Iterator[tuple[list[int], int]]:
        """Units in the order of their paths, in groups of at most ``step`` people or one large unit."""
        counts = self.shown.unit_people
        group: list[int] = []
        held = 0
        for unit_id in sorted(counts, key=self._path):
            if group and held + counts[unit_id] > step:
                yield from ((group, offset) for offset in range(0, held, step))
                group, held = [], 0
            group = [*group, unit_id]
            held += counts[unit_id]
        yield from ((group, offset) for offset in range(0, held, step))

    def _path(self, unit_id: int) -> tuple[str, int]:
        unit = self.reach.units.get(unit_id)
        return (unit.path if unit else "", unit_id)

    def _path_rank(self, unit_ids: list[int]) -> Any:
        return case({unit_id: rank for rank, unit_id in enumerate(unit_ids)}, value=StandingSpan.unit_id)

    def _figures(self, filters: Filters | None) -> Figures:
        span = StandingSpan
        statement = (
            select(span.unit_id, span.position, span.status, func.count())
            .where(*self.reach.conditions(span, self.subject.id, filters))
            .group_by(span.unit_id, span.position, span.status)
        )
        return Figures.of(
            (unit, place, status, n) for unit, place, status, n in db.session.execute(statement)
        )

    def _count(self, *conditions: Any) -> int:
        span = StandingSpan
        statement = select(func.count()).where(
            *self.reach.conditions(span, self.subject.id), span.position == 0, *conditions
        )
        return db.session.scalar(statement) or 0

    def _people(self, filters: Filters | None) -> Any:
        """People of the report, each with the row's post, by position 0."""
        span, manager = StandingSpan, aliased(PersonName)
        return (
            select(
                span.person_id,
                span.status,
                span.due_on,
                span.valid_until,
                span.unit_id,
                PersonName.staff_number,
                PersonName.surname,
                PersonName.forenames,
                Post.rank_or_grade,
                Post.designated_role,
                manager.staff_number.label("manager_number"),
                manager.surname.label("manager_surname"),
                manager.forenames.label("manager_forenames"),
            )
            .select_from(span)
            .join(Post, Post.id == span.post_id)
            .outerjoin(PersonName, PersonName.person_id == span.person_id)
            .outerjoin(manager, manager.person_id == Post.line_manager_id)
            .where(*self.reach.conditions(span, self.subject.id, filters), span.position == 0)
        )

    def _lines(self, rows: Any) -> list[PersonLine]:
        stands = statuses(self.subject, self.reach, [row.person_id for row in rows])
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


def completion_report(
    viewer: Viewer, reference: str, position: Position, filters: Filters | None = None
) -> CompletionReport:
    """The report of the directive with this reference.

    Raises:
        NotFoundError: No such directive was known then.
    """
    about = subject(reference, position)
    return CompletionReport(viewer, about, position, Reach.of(viewer, position), filters or EVERYONE)


def week_before(position: Position) -> Position:
    """The same knowledge, seven days earlier."""
    return Position(position.as_at - timedelta(days=7), position.as_known_on, position.today, position.latest)


def then_as_known_now(position: Position, newest: datetime) -> Position:
    """The same day, as it is known now."""
    return Position(position.as_at, newest, position.today, latest=True)


def _excluded(span: Any) -> Any:
    return span.status.in_([status for status in Status if status.excluded])


def _by_name() -> list[Any]:
    """Surname, staff number and, for those without a name any more, the opaque id: never null."""
    return [
        func.coalesce(PersonName.surname, ERASED),
        func.coalesce(PersonName.staff_number, ERASED),
        StandingSpan.person_id,
    ]


def _sorting(order: Order, reach: Reach) -> list[Any]:
    """The columns of an order; every one ends with the name, so that pages never overlap."""
    span = StandingSpan
    paths = sorted(reach.units, key=lambda unit_id: reach.units[unit_id].path)
    rank = {unit_id: place for place, unit_id in enumerate(paths)} if order.column == "unit" else {0: 0}
    first: dict[str, list[Any]] = {
        "status": [span.status, span.due_on],
        "person": [],
        "due": [span.due_on],
        "rank": [Post.rank_or_grade],
        "role": [Post.designated_role],
        "unit": [case(rank, value=span.unit_id, else_=-1)],
    }
    columns = [*first[order.column], *_by_name()]
    return [column.desc() for column in columns] if order.descending else columns
