"""The timeline of a person: facts by valid time, each with its transaction time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.catalogue.models import Lesson, ModuleVersion
from portal.domain.decisions.change_requests import TWO_PERSONS
from portal.domain.decisions.labels import reason_label
from portal.domain.decisions.queries import RequestRow
from portal.domain.directives.models import Assignment, Directive, Exclusion
from portal.domain.events.models import AttendanceOutcome
from portal.domain.people.models import Post
from portal.domain.people.units.tree import read_tree
from portal.domain.records.models import LessonVisit, Registration, Revocation
from portal.domain.records.queries import RecordRow, list_all_record_rows, list_extra_attempts
from portal.domain.reports import sentences
from portal.domain.reports.person.event_timeline import list_outcomes, list_places
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.db import OPEN_END, db

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
        *_place_events(person_id),
        *_outcome_events(person_id),
        *_request_events(requests),
    ]
    return sorted(events, key=lambda event: (event.instant, event.recorded_at), reverse=True)


def last_learned(events: list[TimelineEvent]) -> datetime | None:
    """When the person last learned in the portal, from its modules or its guides; None: never."""
    return next((event.instant for event in events if event.here and not event.ended), None)


def _events_with_corrections(
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

    return _events_with_corrections(rows, make_event)


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

    return _events_with_corrections(rows, make_event)


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

    return _events_with_corrections(rows, make_event)


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

    return _events_with_corrections(rows, make_event)


def _lesson_events(person_id: int) -> Iterator[TimelineEvent]:
    rows = db.session.execute(
        select(LessonVisit.recorded_at, Lesson.position, ModuleVersion.title, ModuleVersion.number)
        .join(Registration, Registration.id == LessonVisit.registration_id)
        .join(Lesson, Lesson.id == LessonVisit.lesson_id)
        .join(ModuleVersion, ModuleVersion.id == Lesson.module_version_id)
        .where(Registration.person_id == person_id, LessonVisit.kind == "completed")
    )
    for at, position, title, number in rows:
        yield TimelineEvent(
            at, f"Completed lesson {position} of {_short_title(title)}, version {number}", at, here=True
        )


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
    yield from _events_with_corrections(((row,) for row in records), _record_event)
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

    return _events_with_corrections((tuple(row) for row in rows), make_event)


def _place_events(person_id: int) -> Iterator[TimelineEvent]:
    for change, words in list_places(person_id):
        yield TimelineEvent(change.recorded_at, words, change.recorded_at)


def _outcome_events(person_id: int) -> Iterator[TimelineEvent]:
    """Events that were attended in part or not at all; attendance is shown as its record."""

    def make_event(row: AttendanceOutcome, words: str) -> TimelineEvent:
        return TimelineEvent(row.signed_off_on, words, row.recorded_at, replaces=row.replaces_id is not None)

    outcomes = [pair for pair in list_outcomes(person_id) if not pair[0].void]
    replaced = {row.replaces_id for row, _ in outcomes}
    events = _events_with_corrections(outcomes, make_event)
    for (row, _), event in zip(outcomes, events, strict=True):
        if row.outcome != "attended" or row.id in replaced:
            yield event


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
