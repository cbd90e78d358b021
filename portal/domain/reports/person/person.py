"""One person's page: where they stand under each directive, their posts and grants, and what happened."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.decisions.queries import RequestRow, may_open, requests_about
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.queries import UnitRow, Viewer, live_units, may_see, person_by_staff_number
from portal.domain.reports import sentences
from portal.domain.reports.as_of import Position
from portal.domain.reports.completion.export_columns import CompletionRow
from portal.domain.reports.completion.export_rows import RowBuilder
from portal.domain.reports.directive_snapshot import Subject, subject
from portal.domain.reports.linkable_people import openable
from portal.domain.reports.person.timeline import Event, events_of, last_active
from portal.domain.status import queries as standings
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.db import OPEN_END, db
from portal.platform.errors import NotFoundError
from portal.platform.wording import date as say_date


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post of the day, with its line manager."""

    rank_or_grade: str
    designated_role: str
    unit: str
    unit_path: str
    since: date
    until: date | None
    manager: str | None
    manager_number: str | None  # None: no manager, or one whose page the viewer may not open


@dataclass(frozen=True, slots=True)
class Grant:
    """What the person may do in the portal."""

    role: str
    unit: str  # empty: without a unit
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class PersonRequirement:
    """One requirement and where it stands, in words."""

    title: str
    status: Status
    stands: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class Directed:
    """The person under one directive."""

    subject: Subject
    status: Status
    due_on: date
    requirements: list[PersonRequirement]

    @property
    def missing(self) -> int:
        """Requirements still to complete."""
        return sum(not one.status.held for one in self.requirements)


@dataclass(frozen=True)
class PersonPage:
    """All that the page of one person says."""

    person_id: int
    staff_number: str
    name: str
    position: Position
    posts: list[HeldPost]
    grants: list[Grant]
    directed: list[Directed]
    events: list[Event]
    replaced: list[Event]  # what was recorded and holds no longer
    requests: list[RequestRow]  # those the viewer may open, that wait
    exhausted: list[str]  # modules in which every attempt is used, today

    @property
    def caption(self) -> str:
        """Number, rank and unit."""
        words = [self.staff_number]
        if self.posts:
            words += [self.posts[0].rank_or_grade, self.posts[0].unit]
        return " · ".join(word for word in words if word)

    @property
    def h1(self) -> str:
        """Name and position in one sentence, by the directive where they stand worst."""
        if not self.directed:
            return f"{self.name} is not asked to complete anything"
        worst = min(self.directed, key=lambda one: (one.status, one.due_on))
        modules = all(asked.kind == "module" for asked in worst.subject.asked)
        noun = "module" if modules else "requirement"
        return sentences.where(
            self.name, worst.status, worst.missing, len(worst.requirements), worst.due_on, noun
        )

    def tells(self, what: str) -> bool:
        """Whether something is told of that may be undone: an "exclusion" or a "revocation"."""
        return any(event.tells == what for event in self.events)

    @property
    def lead(self) -> str:
        """When the person was last seen learning."""
        active = last_active(self.events)
        said = f"Last active on {say_date(active)}." if active else "Has not begun anything here yet."
        return f"{sentences.times(self.position)}. {said}"


def person_page(viewer: Viewer, staff_number: str, position: Position) -> PersonPage:
    """The page of the person with this staff number.

    Raises:
        NotFoundError: Nobody has it, or the viewer may not see who has.
    """
    person_id = person_by_staff_number(staff_number)
    if not may_see(viewer, person_id):
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    named = db.session.get_one(PersonName, person_id)
    units = live_units(position.as_at, position.as_known_on)
    begun = (
        {}
        if position.past
        else {key: each for key, each in module_progress_by_activity(person_id).items() if each.progress}
    )
    name = f"{named.forenames} {named.surname}"
    asked = requests_about(person_id)
    events = events_of(person_id, asked)
    return PersonPage(
        person_id,
        named.staff_number,
        name,
        position,
        _posts(viewer, person_id, position, units),
        _grants(person_id, live_units(position.today)),
        _directed(person_id, position, units, begun),
        [event for event in events if not event.ended],
        [event for event in events if event.ended],
        [row for row in asked if row.outcome is None and may_open(viewer, row)],
        [course.short_title for course in begun.values() if course.attempts_exhausted],
    )


def _posts(viewer: Viewer, person_id: int, position: Position, units: dict[int, UnitRow]) -> list[HeldPost]:
    manager = aliased(PersonName)
    rows = db.session.execute(
        select(Post, manager.person_id, manager.staff_number, manager.forenames, manager.surname)
        .outerjoin(manager, manager.person_id == Post.line_manager_id)
        .where(
            Post.person_id == person_id,
            is_known_fact(Post, position.as_known_on),
            Post.valid_from <= position.as_at,
            Post.valid_to >= position.as_at,
        )
        .order_by(Post.post_key)  # the main post, "", comes first
    ).all()
    opened = openable(viewer, [row[1] for row in rows if row[1] is not None])
    return [
        HeldPost(
            post.rank_or_grade,
            post.designated_role,
            units[post.unit_id].name if post.unit_id in units else "",
            units[post.unit_id].path if post.unit_id in units else "",
            post.valid_from,
            None if post.valid_to == OPEN_END else post.valid_to,
            f"{forenames} {surname}" if number else None,
            number if manager_id in opened else None,
        )
        for post, manager_id, number, forenames, surname in rows
    ]


def _grants(person_id: int, units: dict[int, UnitRow]) -> list[Grant]:
    today = clock.today()
    held = db.session.scalars(
        select(RoleGrant)
        .where(
            RoleGrant.person_id == person_id,
            RoleGrant.ended_at.is_(None),
            RoleGrant.valid_from <= today,
            RoleGrant.valid_to >= today,
        )
        .order_by(RoleGrant.role, RoleGrant.id)
    )
    return [
        Grant(
            grant.role.replace("-", " ").capitalize(),
            units[grant.unit_id].path if grant.unit_id in units else "",
            grant.valid_from,
            None if grant.valid_to == OPEN_END else grant.valid_to,
        )
        for grant in held
    ]


def _directed(
    person_id: int, position: Position, units: dict[int, UnitRow], begun: dict[int, ModuleProgress]
) -> list[Directed]:
    """Every directive that reaches the person at the position, the worst standing first."""
    found = []
    whose = standings.Whose(everyone=True, people=frozenset([person_id]))
    for reference, status, due_on in standings.wholes_of(person_id, position.as_at, position.as_known_on):
        about = subject(reference, position)
        scope = standings.Scope(about.id, position.as_at, position.as_known_on, whose)
        builder = RowBuilder(about, scope, units, position)
        rows = [row for people in standings.audience(scope, 1) for row in builder.build_rows(people)]
        requirements = [_requirement(row, about, position, begun) for row in rows]
        found.append(Directed(about, status, due_on, requirements))
    return found


def _requirement(
    row: CompletionRow, about: Subject, position: Position, begun: dict[int, ModuleProgress]
) -> PersonRequirement:
    """One requirement in words; visits to lessons bear no stamp: only today's position tells of them."""
    named = (row.requirement_kind, row.requirement)
    asked = next(one for one in about.asked if (one.kind, one.key) == named)
    current = about.versions.current.get(asked.activity_id)
    course = begun.get(asked.activity_id)
    minutes = course.minutes_left if course else current.minutes if current else 0
    lesson = sentences.lesson_of(course) if course else ""
    title = row.requirement_title.partition(":")[0]
    stands = sentences.stands(row, minutes, position, lesson)
    return PersonRequirement(title, row.status, stands, row.record_reference)
