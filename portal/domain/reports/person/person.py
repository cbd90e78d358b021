"""One person's page: status under each directive, posts, role grants, and what happened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.decisions.queries import RequestRow, list_requests_about, may_open
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.queries import UnitRow, Viewer, find_seen_person, live_units
from portal.domain.reports import sentences
from portal.domain.reports.completion.export_columns import CompletionRow
from portal.domain.reports.completion.export_rows import RowBuilder
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, read_directive
from portal.domain.reports.parameters import Position
from portal.domain.reports.person.timeline import TimelineEvent, last_learned, list_events
from portal.domain.reports.viewer_scope import linkable_people
from portal.domain.status import report_rows
from portal.domain.status.filters import Scope, Whose
from portal.domain.status.queries import directive_statuses
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.db import OPEN_END, db
from portal.platform.wording import date as say_date


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post of the person on the day as_at, with its line manager."""

    rank_or_grade: str
    designated_role: str
    unit: str  # as pages write it
    since: date
    until: date | None
    manager: str | None
    manager_number: str | None  # None: no manager, or one whose page the viewer may not open


@dataclass(frozen=True, slots=True)
class Grant:
    """A role of the person in the portal."""

    role: str
    unit: str  # empty: without a unit
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class PersonRequirement:
    """One requirement with its status."""

    title: str
    status: Status
    details: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class PersonDirective:
    """The person's status under one directive."""

    directive: DirectiveSnapshot
    status: Status
    due_on: date
    requirements: list[PersonRequirement]

    @property
    def missing(self) -> int:
        """Requirements still to complete."""
        return sum(not requirement.status.held for requirement in self.requirements)


@dataclass(frozen=True)
class PersonPage:
    """What the page of one person shows."""

    person_id: int
    staff_number: str
    name: str
    position: Position
    posts: list[HeldPost]
    grants: list[Grant]
    directives: list[PersonDirective]
    events: list[TimelineEvent]  # until today, newest first
    coming: list[TimelineEvent]  # from tomorrow, in order
    replaced: list[TimelineEvent]  # those that were corrected or withdrawn
    requests: list[RequestRow]  # undecided, and the viewer may open them
    exhausted_modules: list[str]  # titles, where every attempt is used today
    paused_modules: list[tuple[str, datetime]]  # titles, where a pause after fails is not over, and its end

    @property
    def caption(self) -> str:
        """Staff number, rank or grade, and unit."""
        words = [self.staff_number]
        if self.posts:
            words += [self.posts[0].rank_or_grade, self.posts[0].unit]
        return " · ".join(word for word in words if word)

    @property
    def h1(self) -> str:
        """Name and status in one sentence, by the directive with the worst status."""
        if not self.directives:
            return f"{self.name} has nothing to complete"
        worst = min(self.directives, key=lambda directive: (directive.status, directive.due_on))
        return sentences.person_sentence(
            self.name,
            worst.status,
            worst.missing,
            len(worst.requirements),
            worst.due_on,
            worst.directive.requirement_noun,
        )

    def has_reversible(self, kind: str) -> bool:
        """Whether there is an "exclusion" or a "revocation" in force, which may be undone."""
        return any(event.reversible == kind for event in (*self.events, *self.coming))

    @property
    def coming_exclusions(self) -> list[str]:
        """A sentence for each exemption or deferral that begins after today; none at an earlier position."""
        if self.position.past:
            return []
        return [
            f"From {event.when_words}: {event.words[:1].lower()}{event.words[1:]}."
            for event in self.coming
            if event.reversible == "exclusion"
        ]

    @property
    def lead(self) -> str:
        """Both times of the page, and when the person last learned in the portal."""
        learned_at = last_learned(self.events)
        learning = (
            f"Last learned in the portal on {say_date(learned_at)}."
            if learned_at
            else "Has not learned in the portal yet."
        )
        return f"{sentences.both_times(self.position)}. {learning}"


def person_page(viewer: Viewer, staff_number: str, position: Position) -> PersonPage:
    """Read the page of the person with this staff number.

    Raises:
        NotFoundError: Nobody has it, or the viewer may not see that person.
    """
    person_id = find_seen_person(viewer, staff_number)
    names = db.session.get_one(PersonName, person_id)
    units = live_units(position.as_at, position.as_known_on)
    begun_modules: dict[int, ModuleProgress] = {}
    if not position.past:
        modules = module_progress_by_activity(person_id)
        begun_modules = {activity_id: module for activity_id, module in modules.items() if module.progress}
    name = names.full_name
    requests = list_requests_about(person_id)
    events = list_events(person_id, requests)
    end_of_today = clock.end_of_day(clock.today())
    return PersonPage(
        person_id,
        names.staff_number,
        name,
        position,
        _read_posts(viewer, person_id, position, units),
        _read_grants(person_id, live_units(position.today)),
        _read_directives(person_id, position, units, begun_modules),
        [event for event in events if not event.ended and event.instant < end_of_today],
        [event for event in reversed(events) if not event.ended and event.instant >= end_of_today],
        [event for event in events if event.ended],
        [row for row in requests if row.outcome is None and may_open(viewer, row)],
        [module.short_title for module in begun_modules.values() if module.attempts_exhausted],
        _list_pauses(begun_modules.values()),
    )


def _list_pauses(modules: Iterable[ModuleProgress]) -> list[tuple[str, datetime]]:
    now = clock.now()
    return [(module.short_title, end) for module in modules if (end := module.paused_until(now))]


def _read_posts(
    viewer: Viewer, person_id: int, position: Position, units: dict[int, UnitRow]
) -> list[HeldPost]:
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
    linkable = linkable_people(viewer, [row[1] for row in rows if row[1] is not None])
    return [
        HeldPost(
            post.rank_or_grade,
            post.designated_role,
            units[post.unit_id].label if post.unit_id in units else "",
            post.valid_from,
            None if post.valid_to == OPEN_END else post.valid_to,
            f"{forenames} {surname}" if number else None,
            number if manager_id in linkable else None,
        )
        for post, manager_id, number, forenames, surname in rows
    ]


def _read_grants(person_id: int, units: dict[int, UnitRow]) -> list[Grant]:
    today = clock.today()
    grants = db.session.scalars(
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
            units[grant.unit_id].label if grant.unit_id in units else "",
            grant.valid_from,
            None if grant.valid_to == OPEN_END else grant.valid_to,
        )
        for grant in grants
    ]


def _read_directives(
    person_id: int, position: Position, units: dict[int, UnitRow], begun_modules: dict[int, ModuleProgress]
) -> list[PersonDirective]:
    """Read every directive that applies to the person at the position, the worst status first."""
    directives = []
    people = Whose(everyone=True, people=frozenset([person_id]))
    for reference, status, due_on in directive_statuses(person_id, position.as_at, position.as_known_on):
        directive = read_directive(reference, position)
        scope = Scope((directive.id,), position.as_at, position.as_known_on, people)
        builder = RowBuilder(directive, scope, units, position)
        rows = [row for batch in report_rows.stream_people(scope, 1) for row in builder.build_rows(batch)]
        requirements = [_describe_requirement(row, directive, position, begun_modules) for row in rows]
        directives.append(PersonDirective(directive, status, due_on, requirements))
    return directives


def _describe_requirement(
    row: CompletionRow,
    directive: DirectiveSnapshot,
    position: Position,
    begun_modules: dict[int, ModuleProgress],
) -> PersonRequirement:
    """One requirement in words; lessons are named today alone, because their visits have no valid time."""
    key = (row.requirement_kind, row.requirement)
    activity_id = next(each.activity_id for each in directive.requirements if (each.kind, each.key) == key)
    current = directive.versions.current.get(activity_id)
    module = begun_modules.get(activity_id)
    minutes = module.minutes_left if module else current.minutes if current else 0
    lesson = sentences.lesson_words(module) if module else ""
    title = row.requirement_title.partition(":")[0]
    details = sentences.requirement_words(row, minutes, position, lesson)
    return PersonRequirement(title, row.status, details, row.record_reference)
