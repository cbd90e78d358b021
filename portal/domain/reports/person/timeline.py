"""The facts about a person in the order of their being true, each with when the portal learned it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.catalogue.models import Lesson, ModuleVersion
from portal.domain.decisions.change_requests import TWO_PERSONS
from portal.domain.decisions.labels import reason_label as reason_of
from portal.domain.decisions.queries import RequestRow
from portal.domain.directives.models import Assignment, Directive, Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, UnitState
from portal.domain.records.models import LessonVisit, Registration, Revocation
from portal.domain.records.queries import RecordRow, list_all_record_rows, list_extra_attempts
from portal.domain.reports import sentences
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.db import OPEN_END, db

_AT_ONCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One fact: when it was true, in words what, and when it was recorded."""

    when: date | datetime
    words: str
    recorded_at: datetime
    reference: str | None = None  # of a record, to link to
    replaces: bool = False
    here: bool = False  # the person learned in the portal then
    tells: str = ""  # "exclusion" or "revocation": what may be undone
    ended: str = ""  # how it was replaced or withdrawn, a sentence; empty of what holds

    @property
    def instant(self) -> datetime:
        """For sorting: a day counts from its beginning."""
        if isinstance(self.when, datetime):
            return self.when
        return clock.end_of_day(self.when) - timedelta(days=1)

    @property
    def when_words(self) -> str:
        """When it was true."""
        return say.instant(self.when) if isinstance(self.when, datetime) else say.date(self.when)

    @property
    def recorded(self) -> str:
        """When it was recorded; empty where that was at once, it corrects nothing and it holds."""
        if isinstance(self.when, datetime):
            at_once = abs(self.recorded_at - self.when) <= _AT_ONCE
        else:
            at_once = clock.london_day(self.recorded_at) == self.when
        if at_once and not self.replaces and not self.ended:
            return ""
        correction = ", as a correction of what was recorded before" if self.replaces else ""
        return f"Recorded at {say.instant(self.recorded_at)}{correction}."


def events_of(person_id: int, requests: Sequence[RequestRow]) -> list[Event]:
    """All that was ever recorded about the person, newest first. A fixed number of statements.

    What was replaced or withdrawn is there too, and says so under ``ended``.

    Args:
        person_id: Whose.
        requests: Every request about the person.
    """
    found = [
        *_posts(person_id),
        *_assignments(person_id),
        *_exclusions(person_id),
        *_registrations(person_id),
        *_lessons(person_id),
        *_submissions(person_id),
        *(
            Event(row.opened_at, row.summary_sentence, row.opened_at)
            for row in list_extra_attempts(person_id)
        ),
        *_records(person_id),
        *_requests(requests),
    ]
    return sorted(found, key=lambda event: (event.instant, event.recorded_at), reverse=True)


def last_active(events: list[Event]) -> datetime | None:
    """When the person last learned something here; None: never."""
    return next((event.instant for event in events if event.here and not event.ended), None)


def _told(facts: Iterable[tuple[Any, ...]], tell: Callable[..., Event]) -> Iterator[Event]:
    """An event for each fact; one that another row replaces or withdraws says when, and by what.

    Args:
        facts: Every row, whether it holds or not, each followed by what ``tell`` needs beside it.
        tell: From that to the event.
    """
    held = list(facts)
    later = {fact[0].replaces_id: fact for fact in held if fact[0].replaces_id is not None}
    for fact in held:
        if fact[0].void:
            continue  # told of what it withdraws
        event, after = tell(*fact), later.get(fact[0].id)
        if after is None:
            yield event
            continue
        at = say.instant(after[0].recorded_at)
        by = f"Withdrawn at {at}." if after[0].void else f"Replaced at {at}: {tell(*after).words}."
        yield replace(event, ended=by)


def _posts(person_id: int) -> Iterator[Event]:
    post, state = Post, aliased(UnitState)
    rows = db.session.execute(
        select(post, state.name)
        .outerjoin(
            state,
            (state.unit_id == post.unit_id)
            & (state.valid_from <= post.valid_from)
            & (state.valid_to >= post.valid_from)
            & is_known_fact(state),
        )
        .where(post.person_id == person_id)
    )

    def tell(held: Post, unit: str | None) -> Event:
        until = "" if held.valid_to == OPEN_END else f", until {say.date(held.valid_to)}"
        words = f"Posted to {unit or 'a unit'} as {held.rank_or_grade}, role {held.designated_role}{until}"
        return Event(held.valid_from, words, held.recorded_at, replaces=held.replaces_id is not None)

    return _told(rows, tell)


def _assignments(person_id: int) -> Iterator[Event]:
    rows = db.session.execute(
        select(Assignment, Directive.reference)
        .join(Directive, Directive.id == Assignment.directive_id)
        .where(Assignment.person_id == person_id)
    )

    def tell(row: Assignment, reference: str) -> Event:
        until = "" if row.to_on == OPEN_END else f", until {say.date(row.to_on)}"
        words = f"Assigned {reference}, due on {say.date(row.due_on)}{until}"
        return Event(row.from_on, words, row.recorded_at)

    return _told(rows, tell)


def _exclusions(person_id: int) -> Iterator[Event]:
    rows = db.session.execute(
        select(Exclusion, Directive.reference)
        .join(Directive, Directive.id == Exclusion.directive_id)
        .where(Exclusion.person_id == person_id)
    )

    def tell(row: Exclusion, reference: str) -> Event:
        kind = "Exempt from" if row.exempt else "Deferred under"
        until = "" if row.to_on == OPEN_END else f", until {say.date(row.to_on)}"
        words = f"{kind} {reference}: {sentences.reason(row.reason)}{until}"
        corrects = row.replaces_id is not None
        return Event(row.from_on, words, row.recorded_at, replaces=corrects, tells="exclusion")

    return _told(rows, tell)


def _registrations(person_id: int) -> Iterator[Event]:
    rows = db.session.execute(
        select(Registration, ModuleVersion.title, ModuleVersion.number)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
        .where(Registration.person_id == person_id)
    )

    def tell(row: Registration, title: str, number: int) -> Event:
        return Event(row.started_at, f"Began {_short(title)}, version {number}", row.recorded_at, here=True)

    return _told(rows, tell)


def _lessons(person_id: int) -> Iterator[Event]:
    rows = db.session.execute(
        select(LessonVisit.recorded_at, Lesson.position, ModuleVersion.title, ModuleVersion.number)
        .join(Registration, Registration.id == LessonVisit.registration_id)
        .join(Lesson, Lesson.id == LessonVisit.lesson_id)
        .join(ModuleVersion, ModuleVersion.id == Lesson.module_version_id)
        .where(Registration.person_id == person_id, LessonVisit.kind == "completed")
    )
    for at, position, title, number in rows:
        yield Event(at, f"Completed lesson {position} of {_short(title)}, version {number}", at, here=True)


def _submissions(person_id: int) -> Iterator[Event]:
    """Attempts that did not reach mastery; a pass stands there as its record."""
    rows = db.session.execute(
        select(Submission, Attempt.number, ModuleVersion.title)
        .join(Attempt, Attempt.id == Submission.attempt_id)
        .join(Registration, Registration.id == Attempt.registration_id)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
        .where(Registration.person_id == person_id)
    )
    for row, number, title in rows:
        if not row.passed:
            score = f"{int(row.score_raw)} of {row.score_max}"
            words = f"Did not pass {_short(title)}, attempt {number}: {score}"
            yield Event(row.submitted_at, words, row.recorded_at, here=True)


def _records(person_id: int) -> Iterator[Event]:
    ever = list_all_record_rows(person_id)
    yield from _told(((row,) for row in ever), _record)
    yield from _revocations(ever)


def _record(row: RecordRow) -> Event:
    how = sentences.SOURCES.get(row.source, row.source)
    version = f", version {row.version}" if row.version else ""
    score = f", with {int(row.score_raw)} of {row.score_max}" if row.score_raw is not None else ""
    only_day = row.source != "assessed" and row.achieved_at == clock.noon(row.achieved_on)
    return Event(
        row.achieved_on if only_day else row.achieved_at,
        f"{how} {_short(row.title)}{version}{score}",
        row.recorded_at,
        row.reference,
        replaces=row.replaces_id is not None,
        here=row.source == "assessed",
    )


def _revocations(records: Sequence[RecordRow]) -> Iterator[Event]:
    """What was decided about whether these records count; of one that is replaced, it says no more."""
    by_id = {row.id: row for row in records}
    gone = {row.replaces_id for row in records}
    rows = db.session.execute(
        select(Revocation).where(Revocation.record_id.in_(by_id)).order_by(Revocation.id)
    )

    def tell(revoked: Revocation) -> Event:
        row = by_id[revoked.record_id]
        return Event(
            revoked.from_on,
            f"{_short(row.title)} is not counted any more, {reason_of('revocation', revoked.reason)}",
            revoked.recorded_at,
            row.reference,
            tells="revocation",
            ended="The record that it is about was replaced or withdrawn." if row.id in gone else "",
        )

    return _told((tuple(row) for row in rows), tell)


def _requests(rows: Sequence[RequestRow]) -> Iterator[Event]:
    """Asked and answered, each at its time; a correction of a pass only once it is granted."""
    for row in rows:
        if row.kind in TWO_PERSONS and row.outcome != "granted":
            continue
        words = f"{row.what_is_requested}: asked for by {row.asked_by}, {row.reason_words}"
        yield Event(row.asked_at, words, row.asked_at)
        if row.decided_at is not None:
            asked = f"asked for at {say.instant(row.asked_at)}"
            words = f"{row.what_is_requested}: {row.state_words.lower()} by {row.decided_by}, {asked}"
            yield Event(row.decided_at, words, row.decided_at)


def _short(title: str) -> str:
    return title.partition(":")[0]
