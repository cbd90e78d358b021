"""The rows of a completion file: standings with records, registrations and attempts.

A fixed number of reads for each batch of people, however many they are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from portal import clock
from portal.assessment.models import Attempt, Submission
from portal.db import db
from portal.monitoring.completion import Cells
from portal.monitoring.position import Position
from portal.monitoring.subject import Asked, Subject, Version
from portal.people import paths
from portal.people.known import known
from portal.people.queries import UnitRow
from portal.records.models import Registration
from portal.records.queries import scaled
from portal.standing import queries as standings
from portal.standing.algebra import Status
from portal.standing.cells import Kept, held, iso_instant, utc_text

Key = tuple[int, int]  # person id, activity id
Guard = Callable[[str], str]

_KEYS = {int(status): status.key for status in Status}
_EXCLUDED = {int(status) for status in Status if status.excluded}


@dataclass
class Work:
    """What people have done on activities, as far as it lay before the day's end and is known."""

    begun: dict[Key, tuple[str, int]] = field(default_factory=dict)  # latest: start, module version
    attempts: dict[Key, int] = field(default_factory=dict)
    best: dict[Key, str] = field(default_factory=dict)


def work_of(position: Position, people: Sequence[int], activities: Sequence[int]) -> Work:
    """Registrations and submissions of these people on these activities. Two statements."""
    work = Work()
    registered, r = (Registration.person_id, Registration.activity_id), Registration
    theirs = (r.person_id.in_(people), r.activity_id.in_(activities))
    started = (
        select(*registered, iso_instant(r.started_at), r.module_version_id)
        .where(*theirs, r.started_on <= position.as_at, known(r, position.as_known_on))
        .order_by(r.started_at, r.id)
    )
    for person_id, activity_id, started_at, version_id in db.session.execute(started):
        work.begun[person_id, activity_id] = (started_at, version_id)
    submitted = (
        select(*registered, held(Submission.score_raw), Submission.score_max)
        .join(Attempt, Attempt.registration_id == r.id)
        .join(Submission, Submission.attempt_id == Attempt.id)
        .where(
            *theirs,
            Submission.submitted_at <= clock.end_of_day(position.as_at),
            Submission.recorded_at <= position.as_known_on,
        )
    )
    attempts, best = work.attempts, work.best
    for person_id, activity_id, raw, maximum in db.session.execute(submitted):
        key, score = (person_id, activity_id), _SCORES[raw, maximum]
        attempts[key] = attempts.get(key, 0) + 1
        if score > best.get(key, ""):  # of one length, so that text compares as numbers do
            best[key] = score
    return work


def _score(marks: tuple[Any, int]) -> str:
    raw, maximum = marks
    return str(scaled(Decimal(str(raw)), maximum))


def _four_places(number: Any) -> str:
    return f"{Decimal(str(number)):.4f}"


_SCORES = Kept(_score)  # every pair of marks there is: some hundreds
_PLACES = Kept(_four_places)


class Rows:
    """Makes the rows of one report; ``guard`` is applied to every text that people wrote."""

    def __init__(
        self, subject: Subject, position: Position, units: dict[int, UnitRow], guard: Guard = str
    ) -> None:
        self.subject = subject
        self.position = position
        self._guard = guard
        self._asked = {one.position: one for one in subject.asked}
        self._texts = Kept(guard)  # ranks, roles, titles: few
        self._days: Kept[int, str] = Kept(lambda day: date.fromordinal(day).isoformat())
        self._places = {unit_id: self._place(unit) for unit_id, unit in units.items()}
        self._times = (position.as_at.isoformat(), utc_text(position.as_known_on))
        self._titles: dict[tuple[int, int], tuple[str | int | None, ...]] = {}

    def of(self, scope: standings.Scope, people: Sequence[Any]) -> Iterator[Cells]:
        """The rows of these people, in their order and that of the requirements.

        Args:
            scope: Whose standings are read.
            people: Rows of ``standings.holders``.
        """
        ids = [person.person_id for person in people]
        stands: dict[int, list[Any]] = {}
        for row in standings.requirements(scope, ids):
            stands.setdefault(row[0], []).append(row)
        work = work_of(self.position, ids, [asked.activity_id for asked in self.subject.asked])
        for person in people:
            yield from self._person(person, stands.get(person.person_id, ()), work)

    def _person(self, person: Any, stands: Iterable[Any], work: Work) -> Iterator[Cells]:
        head, joined_on, days = self._head(person), person.joined_on, self._days
        for row in stands:
            (_, place, status, due_on, until, late, reason, achieved_at, source, reference, version_id) = row[
                :11
            ]
            asked = self._asked.get(place)
            if asked is None:
                continue
            key = (person.person_id, asked.activity_id)
            begun = work.begun.get(key)
            title = self._title(asked, version_id or (begun[1] if begun else 0))
            mastery, raw, maximum, brought = row[11:]
            score = work.best.get(key) if brought is None else _PLACES[brought]
            if maximum is not None:
                score = _SCORES[raw, maximum]
            yield (
                *head,
                *title[:5],
                joined_on,
                days[due_on],
                _KEYS[status],
                begun[0] if begun else None,
                achieved_at,
                late,
                score,
                title[5] if mastery is None else _PLACES[mastery],
                work.attempts.get(key, 0),
                days[until] if until else None,
                reason if status in _EXCLUDED else None,
                source and self._texts[source],
                reference and self._guard(reference),
                *self._times,
            )

    def _head(self, person: Any) -> Cells:
        """The cells of a person and their post."""
        guard, texts = self._guard, self._texts
        force, unit, path = self._places.get(person.unit_id, ("", "", ""))
        erased = person.staff_number is None
        return (
            force,
            f"{standings.ERASED}-{person.person_id}" if erased else guard(person.staff_number),
            standings.ERASED if erased else guard(person.surname),
            "" if erased else guard(person.forenames),
            texts[person.rank_or_grade],
            texts[person.designated_role],
            unit,
            path,
            person.manager_number and guard(person.manager_number),
        )

    def _place(self, unit: UnitRow) -> tuple[str, str, str]:
        return self._guard(paths.split(unit.path)[0]), self._guard(unit.name), self._guard(unit.path)

    def _title(self, asked: Asked, version_id: int) -> tuple[Any, ...]:
        """Directive, kind, key, title and version number, and the version's mastery score.

        The version is the one passed, else the one registered on, else (0) the current one.
        """
        key = (asked.position, version_id)
        if key not in self._titles:
            versions, guard = self.subject.versions, self._guard
            version: Version | None = (
                versions.by_id[version_id] if version_id else versions.current.get(asked.activity_id)
            )
            self._titles[key] = (
                guard(self.subject.reference),
                asked.kind,
                guard(asked.key),
                guard(version.title if version else asked.title),
                version.number if version else None,
                _four_places(version.mastery_score) if version else None,
            )
        return self._titles[key]
