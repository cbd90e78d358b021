"""One person's page: status under each directive, posts, role grants, and what happened."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from config import current_settings
from portal.domain.assessment.models import Attempt, Submission
from portal.domain.catalogue.models import Lesson, ModuleVersion
from portal.domain.decisions.queries import RequestRow, list_requests_about, may_open
from portal.domain.decisions.requests import TWO_PERSONS, reason_label
from portal.domain.directives.models import Assignment, Directive, Exclusion
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.names import name_conditions
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow, find_seen_person, live_units
from portal.domain.people.units import read_tree
from portal.domain.people.visibility import Viewer, is_valid_on, is_visible
from portal.domain.records.models import LessonVisit, Registration, Revocation
from portal.domain.records.queries import RecordRow, list_all_record_rows, list_extra_attempts
from portal.domain.reports import sentences
from portal.domain.reports.completion_rows import CompletionRow, RowBuilder
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import linkable_people
from portal.domain.reports.statistics import DirectiveSnapshot, read_directive
from portal.domain.status import queries
from portal.domain.status.counts import Scope, Whose
from portal.domain.status.queries import directive_statuses
from portal.domain.status.rules import Status
from portal.feature import find_parts
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.db import OPEN_END, db
from portal.platform.wording import date as say_date

# The search for people whom the viewer may see, by name or number.


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """One line of the search; the fields of the post are empty without a post today."""

    staff_number: str
    name: str
    rank_or_grade: str
    designated_role: str
    unit: str


def count_people(viewer: Viewer, text: str) -> int:
    """How many people the viewer may see match ``text``."""
    statement = select(func.count()).select_from(PersonName).where(*_search_conditions(viewer, text))
    return db.session.scalar(statement) or 0


def search_people(
    viewer: Viewer, text: str, units: dict[int, UnitRow], offset: int, limit: int
) -> Sequence[FoundPerson]:
    """A slice of these people by surname and staff number, with their post of today. One statement."""
    order = (PersonName.surname, PersonName.forenames, PersonName.staff_number)
    page = select(PersonName.person_id).where(*_search_conditions(viewer, text)).order_by(*order)
    statement = (
        select(*order, Post.rank_or_grade, Post.designated_role, Post.unit_id)
        .select_from(PersonName)
        .outerjoin(Post, Post.id == _main_post(clock.today()))
        .where(PersonName.person_id.in_(page.offset(offset).limit(limit)))
        .order_by(*order)
    )
    return [
        FoundPerson(
            staff_number=row.staff_number,
            name=f"{row.surname}, {row.forenames}",
            rank_or_grade=row.rank_or_grade or "",
            designated_role=row.designated_role or "",
            unit=units[row.unit_id].label if row.unit_id in units else "",
        )
        for row in db.session.execute(statement)
    ]


def _search_conditions(viewer: Viewer, text: str) -> list[ColumnElement[bool]]:
    return [is_visible(PersonName.person_id, viewer), *name_conditions(text)]


def _main_post(today: date) -> Any:
    post: Any = aliased(Post)
    return (
        select(post.id)
        .where(post.person_id == PersonName.person_id, is_known_fact(post), is_valid_on(post, today))
        .order_by(post.post_key)  # the main post, "", comes first
        .limit(1)
        .correlate(PersonName)
        .scalar_subquery()
    )


# The timeline of a person: facts by valid time, each with its transaction time.

_AT_ONCE = timedelta(minutes=1)
_LEARNED_HERE = frozenset({"assessed", "acknowledged"})  # sources of records


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One fact: when it was true, what it says, and when it was recorded."""

    when: date | datetime
    words: str
    recorded_at: datetime
    reference: str | None = None  # of a record, to link to
    replaces: bool = False
    here: bool = False  # the person was learning in the portal
    reversible: str = ""  # "exclusion" or "revocation", which may be undone
    ended: str = ""  # how it was replaced or withdrawn, as a sentence; empty if it was not

    @property
    def instant(self) -> datetime:
        """When it was true, for sorting; a day counts from its beginning."""
        if isinstance(self.when, datetime):
            return self.when
        return clock.end_of_day(self.when) - timedelta(days=1)

    @property
    def when_words(self) -> str:
        """When it was true, in words."""
        return say.instant(self.when) if isinstance(self.when, datetime) else say.date(self.when)

    @property
    def recorded(self) -> str:
        """When it was recorded, as a sentence; empty if at once, unless it is or was corrected."""
        if isinstance(self.when, datetime):
            at_once = abs(self.recorded_at - self.when) <= _AT_ONCE
        else:
            at_once = clock.london_day(self.recorded_at) == self.when
        if at_once and not self.replaces and not self.ended:
            return ""
        correction = ", as a correction of an earlier entry" if self.replaces else ""
        return f"Recorded at {say.instant(self.recorded_at)}{correction}."


def list_events(person_id: int, requests: Sequence[RequestRow]) -> list[TimelineEvent]:
    """List all facts ever recorded about a person, newest first. A fixed number of statements.

    Facts that were replaced or withdrawn are listed too; ``ended`` says so.

    Args:
        person_id: The person.
        requests: Every request about the person.
    """
    events = [
        *_post_events(person_id),
        *_assignment_events(person_id),
        *_exclusion_events(person_id),
        *_registration_events(person_id),
        *_lesson_events(person_id),
        *_submission_events(person_id),
        *(
            TimelineEvent(row.opened_at, row.summary_sentence, row.opened_at)
            for row in list_extra_attempts(person_id)
        ),
        *_record_events(person_id),
        *_events_of_features(person_id),
        *_request_events(requests),
    ]
    return sorted(events, key=lambda event: (event.instant, event.recorded_at), reverse=True)


def last_learned(events: list[TimelineEvent]) -> datetime | None:
    """When the person last learned in the portal, from its modules or its guides; None: never."""
    return next((event.instant for event in events if event.here and not event.ended), None)


def events_with_corrections(
    facts: Iterable[tuple[Any, ...]], make_event: Callable[..., TimelineEvent]
) -> Iterator[TimelineEvent]:
    """An event for each fact; if another row replaces or withdraws it, the event says when and by what.

    Args:
        facts: Rows of a table of facts, corrections included, each followed by other columns.
        make_event: Makes the event of a row and its other columns.
    """
    rows = list(facts)
    successors = {row[0].replaces_id: row for row in rows if row[0].replaces_id is not None}
    for row in rows:
        if row[0].void:
            continue  # the event of the withdrawn fact says so
        event, successor = make_event(*row), successors.get(row[0].id)
        if successor is None:
            yield event
            continue
        time = say.instant(successor[0].recorded_at)
        words = "" if successor[0].void else make_event(*successor).words
        yield replace(event, ended=f"Replaced at {time}: {words}." if words else f"Withdrawn at {time}.")


def _post_events(person_id: int) -> Iterator[TimelineEvent]:
    tree = read_tree()
    rows = db.session.execute(select(Post).where(Post.person_id == person_id))

    def make_event(row: Post) -> TimelineEvent:
        until = "" if row.valid_to == OPEN_END else f", until {say.date(row.valid_to)}"
        unit = tree.label_on(row.unit_id, row.valid_from) or "a unit"
        words = f"Posted to {unit} as {row.rank_or_grade}, role {row.designated_role}{until}"
        return TimelineEvent(row.valid_from, words, row.recorded_at, replaces=row.replaces_id is not None)

    return events_with_corrections(rows, make_event)


def _assignment_events(person_id: int) -> Iterator[TimelineEvent]:
    rows = db.session.execute(
        select(Assignment, Directive.reference)
        .join(Directive, Directive.id == Assignment.directive_id)
        .where(Assignment.person_id == person_id)
    )

    def make_event(row: Assignment, reference: str) -> TimelineEvent:
        until = "" if row.to_on == OPEN_END else f", until {say.date(row.to_on)}"
        words = f"Assigned {reference}, due on {say.date(row.due_on)}{until}"
        return TimelineEvent(row.from_on, words, row.recorded_at)

    return events_with_corrections(rows, make_event)


def _exclusion_events(person_id: int) -> Iterator[TimelineEvent]:
    rows = db.session.execute(
        select(Exclusion, Directive.reference)
        .join(Directive, Directive.id == Exclusion.directive_id)
        .where(Exclusion.person_id == person_id)
    )

    def make_event(row: Exclusion, reference: str) -> TimelineEvent:
        kind = "Exempt from" if row.exempt else "Deferred under"
        until = "" if row.to_on == OPEN_END else f", until {say.date(row.to_on)}"
        words = f"{kind} {reference}: {sentences.reason_words(row.reason)}{until}"
        corrects = row.replaces_id is not None
        return TimelineEvent(row.from_on, words, row.recorded_at, replaces=corrects, reversible="exclusion")

    return events_with_corrections(rows, make_event)


def _registration_events(person_id: int) -> Iterator[TimelineEvent]:
    rows = db.session.execute(
        select(Registration, ModuleVersion.title, ModuleVersion.number)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
        .where(Registration.person_id == person_id)
    )

    def make_event(row: Registration, title: str, number: int) -> TimelineEvent:
        return TimelineEvent(
            row.started_at, f"Started {_short_title(title)}, version {number}", row.recorded_at, here=True
        )

    return events_with_corrections(rows, make_event)


def _lesson_events(person_id: int) -> Iterator[TimelineEvent]:
    rows = db.session.execute(
        select(LessonVisit.recorded_at, Lesson.title, ModuleVersion.title, ModuleVersion.number)
        .join(Registration, Registration.id == LessonVisit.registration_id)
        .join(Lesson, Lesson.id == LessonVisit.lesson_id)
        .join(ModuleVersion, ModuleVersion.id == Lesson.module_version_id)
        .where(Registration.person_id == person_id, LessonVisit.kind == "completed")
    )
    for at, lesson, title, number in rows:
        words = f"Completed the lesson “{lesson}” of {_short_title(title)}, version {number}"
        yield TimelineEvent(at, words, at, here=True)


def _submission_events(person_id: int) -> Iterator[TimelineEvent]:
    """Attempts that did not pass; a pass is shown as its record."""
    rows = db.session.execute(
        select(Submission, Attempt.number, ModuleVersion.title)
        .join(Attempt, Attempt.id == Submission.attempt_id)
        .join(Registration, Registration.id == Attempt.registration_id)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
        .where(Registration.person_id == person_id)
    )
    for row, number, title in rows:
        if not row.passed:
            score = say.score_words(row.score_raw, row.score_max)
            words = f"Did not pass {_short_title(title)}, attempt {number}: {score}"
            yield TimelineEvent(row.submitted_at, words, row.recorded_at, here=True)


def _record_events(person_id: int) -> Iterator[TimelineEvent]:
    records = list_all_record_rows(person_id)
    yield from events_with_corrections(((row,) for row in records), _record_event)
    yield from _revocation_events(records)


def _record_event(row: RecordRow) -> TimelineEvent:
    how = sentences.SOURCES.get(row.source, row.source)
    version = f", version {row.version}" if row.version else ""
    score = f", with {row.score_words}" if row.score_words else ""
    return TimelineEvent(
        row.achieved_when,
        f"{how} {_short_title(row.title)}{version}{score}",
        row.recorded_at,
        row.reference,
        replaces=row.replaces_id is not None,
        here=row.source in _LEARNED_HERE,
    )


def _revocation_events(records: Sequence[RecordRow]) -> Iterator[TimelineEvent]:
    """The revocations of these records; one of a replaced record is shown as ended."""
    by_id = {row.id: row for row in records}
    replaced = {row.replaces_id for row in records}
    rows = db.session.execute(
        select(Revocation).where(Revocation.record_id.in_(by_id)).order_by(Revocation.id)
    )

    def make_event(revoked: Revocation) -> TimelineEvent:
        row = by_id[revoked.record_id]
        return TimelineEvent(
            revoked.from_on,
            f"{_short_title(row.title)} no longer counts: {reason_label('revocation', revoked.reason)}",
            revoked.recorded_at,
            row.reference,
            reversible="revocation",
            ended="The record was replaced or withdrawn." if row.id in replaced else "",
        )

    return events_with_corrections((tuple(row) for row in rows), make_event)


def _events_of_features(person_id: int) -> Iterator[TimelineEvent]:
    for _, list_entries in find_parts(current_settings().features_on, "person.timeline"):
        yield from list_entries(person_id)


def _request_events(rows: Sequence[RequestRow]) -> Iterator[TimelineEvent]:
    """Requests and decisions, each at its time; a correction of a pass is shown only once it is granted."""
    for row in rows:
        if row.kind in TWO_PERSONS and row.outcome != "granted":
            continue
        words = f"{row.request_title}: requested by {row.asked_by}, {row.reason_words}"
        yield TimelineEvent(row.asked_at, words, row.asked_at)
        if row.decided_at is not None:
            requested = f"requested at {say.instant(row.asked_at)}"
            words = f"{row.request_title}: {row.state_words.lower()} by {row.decided_by}, {requested}"
            yield TimelineEvent(row.decided_at, words, row.decided_at)


def _short_title(title: str) -> str:
    return title.partition(":")[0]


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
    """Read the page of the person with this staff number."""
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
        rows = [row for batch in queries.stream_people(scope, 1) for row in builder.build_rows(batch)]
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
