"""The rows of a completion file: standings with records, registrations and attempts.

A fixed number of reads for each batch of people, however many they are.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.queries import UnitRow
from portal.domain.people.units import paths
from portal.domain.records.models import Registration
from portal.domain.records.queries import scale_score
from portal.domain.reports.as_of import Position
from portal.domain.reports.completion.export_columns import Line
from portal.domain.reports.directive_snapshot import Subject, Version
from portal.domain.status import queries as standings
from portal.domain.status.filters import Scope
from portal.domain.status.paging import ERASED
from portal.domain.status.raw_columns import (
    Kept,
    among,
    day_text,
    ids_text,
    instant_text,
    tuples,
    utc_text,
    written,
)
from portal.domain.status.rules import Status
from portal.platform import clock

Key = tuple[int, int]  # person id, activity id
Guard = Callable[[str], str]

_KEYS = {int(status): status.key for status in Status}
_EXCLUDED = {int(status) for status in Status if status.excluded}


class Work(NamedTuple):
    """What people have done on activities, as far as it lay before the day's end and is known."""

    begun: dict[Key, tuple[str, int]]  # latest: start, module version
    tried: dict[Key, tuple[int, str]]  # attempts, the best score


class Works:
    """Reads registrations and submissions on some activities: two statements, made once for all people."""

    def __init__(self, position: Position, activities: Sequence[int]) -> None:
        r = Registration
        columns = (r.person_id, r.activity_id)
        theirs = (among(r.person_id, "people"), r.activity_id.in_(activities))
        self._started = (
            select(*columns, written(r.started_at), r.module_version_id)
            .where(*theirs, r.started_on <= position.as_at, is_known_fact(r, position.as_known_on))
            .order_by(r.started_at, r.id)
        )
        self._submitted = (
            select(*columns, written(Submission.score_raw), Submission.score_max)
            .join(Attempt, Attempt.registration_id == r.id)
            .join(Submission, Submission.attempt_id == Attempt.id)
            .where(
                *theirs,
                Submission.submitted_at <= clock.end_of_day(position.as_at),
                Submission.recorded_at <= position.as_known_on,
            )
        )

    def of(self, people: Sequence[int]) -> Work:
        """The work of these people."""
        asked = {"people": ids_text(people)}
        begun = {(one, on): (start, version) for one, on, start, version in tuples(self._started, asked)}
        tried: dict[Key, tuple[int, str]] = {}
        for person_id, activity_id, raw, maximum in tuples(self._submitted, asked):
            key, score = (person_id, activity_id), _SCORES[raw, maximum]
            attempts, best = tried.get(key, _NOT_TRIED)
            tried[key] = (attempts + 1, max(best, score))  # four places: texts compare as numbers do
        return Work(begun, tried)


def _score(marks: tuple[Any, int]) -> str:
    raw, maximum = marks
    return str(scale_score(Decimal(str(raw)), maximum))


def _day(ordinal: int | None) -> str:
    return "" if ordinal is None else date.fromordinal(ordinal).isoformat()


def _four_places(number: Any) -> str:
    return f"{Decimal(str(number)):.4f}"


_SCORES = Kept(_score)  # every pair of marks there is: some hundreds
_PLACES = Kept(_four_places)
_COUNTS: Kept[int | None, str] = Kept(lambda number: "" if number is None else str(number))
_NOT_BEGUN, _NOT_TRIED = ("", 0), (0, "")


class Rows:
    """Makes the rows of one report; ``guard`` is applied to every text that people wrote."""

    def __init__(
        self,
        subject: Subject,
        scope: Scope,
        units: dict[int, UnitRow],
        position: Position,
        guard: Guard = str,
    ) -> None:
        self.subject = subject
        self._guard = guard
        self._asked = {one.position: one for one in subject.asked}
        self._activities = {one.position: one.activity_id for one in subject.asked}
        self._stands = standings.requirements(scope)
        self._statuses = standings.statuses_and_reasons(scope)
        self._works = Works(position, [asked.activity_id for asked in subject.asked])
        self._texts = Kept(guard)  # ranks and roles: few
        self._days: Kept[int | None, str] = Kept(_day)
        self._titles: Kept[tuple[int, int], tuple[tuple[str, ...], str]] = Kept(self._title)
        self._places = {unit_id: self._place(unit) for unit_id, unit in units.items()}
        self._times = f"{position.as_at.isoformat()},{utc_text(position.as_known_on)}"

    def of(self, people: Sequence[Any]) -> list[Line]:
        """The rows of these people, in their order and that of the requirements.

        Args:
            people: Rows of ``standings.holders``.
        """
        ids = [person.person_id for person in people]
        stands = {key: tuple(rows) for key, rows in groupby(self._stands(ids), itemgetter(0))}
        work = self._works.of(ids)
        made: list[Line] = []
        for person in people:
            made += self._person(person, stands.get(person.person_id, ()), work)
        return made

    def wide(self, people: Sequence[Any]) -> list[Line]:
        """One row for each of these people, with the status of each requirement.

        Args:
            people: Rows of ``standings.holders``.
        """
        stood: dict[int, dict[int, tuple[int, str | None]]] = {}
        for person_id, place, status, reason in self._statuses([person.person_id for person in people]):
            stood.setdefault(person_id, {})[place] = (status, reason)
        directive = (self._guard(self.subject.reference),)
        return [
            (self._head(person), directive, self._whole(person, stood.get(person.person_id, {})))
            for person in people
        ]

    def _whole(self, person: Any, stands: dict[int, tuple[int, str | None]]) -> str:
        """Of a person under the whole directive: the cells that follow the directive's reference."""
        statuses = [_KEYS[stands[place][0]] if place in stands else "" for place in self._asked]
        excluded = person.status in _EXCLUDED
        why = next((reason for status, reason in stands.values() if excluded and status in _EXCLUDED), "")
        joined_on, due_on = day_text(person.joined_on), self._days[person.due_on]
        return ",".join((joined_on, due_on, _KEYS[person.status], *statuses, why or "", self._times))

    def _person(self, person: Any, stands: Iterable[tuple[Any, ...]], work: Work) -> list[Line]:
        head, joined_on = self._head(person), day_text(person.joined_on)
        days, titles, times, activities = self._days, self._titles, self._times, self._activities
        found: list[Line] = []
        for row in stands:
            one, place, status, due, until, late, reason, achieved, source, reference, *proof = row
            if place not in activities:
                continue
            passed_on, mastery, raw, maximum, brought = proof
            key = (one, activities[place])
            started, begun_on = work.begun.get(key, _NOT_BEGUN)
            attempts, best = work.tried.get(key, _NOT_TRIED)
            title, asked_mastery = titles[place, passed_on or begun_on]
            score = best if brought is None else _PLACES[brought]
            stood = (  # in the order of the columns
                f"{joined_on},{days[due]},{_KEYS[status]},"
                f"{instant_text(started) if started else ''},{instant_text(achieved) if achieved else ''},"
                f"{_COUNTS[late]},{score if maximum is None else _SCORES[raw, maximum]},"
                f"{asked_mastery if mastery is None else _PLACES[mastery]},{attempts},{days[until]},"
                f"{reason if status in _EXCLUDED else ''},{source or ''},{reference or ''},{times}"
            )
            found.append((head, title, stood))
        return found

    def _head(self, person: Any) -> tuple[str, ...]:
        """Of a person and their post."""
        guard, texts = self._guard, self._texts
        force, unit, path = self._places.get(person.unit_id, ("", "", ""))
        erased = person.staff_number is None
        return (
            force,
            f"{ERASED}-{person.person_id}" if erased else guard(person.staff_number),
            ERASED if erased else guard(person.surname),
            "" if erased else guard(person.forenames),
            texts[person.rank_or_grade],
            texts[person.designated_role],
            unit,
            path,
            guard(person.manager_number or ""),
        )

    def _place(self, unit: UnitRow) -> tuple[str, str, str]:
        return self._guard(paths.split(unit.path)[0]), self._guard(unit.name), self._guard(unit.path)

    def _title(self, key: tuple[int, int]) -> tuple[tuple[str, ...], str]:
        """Directive, kind, key, title and version number; beside them the version's mastery score.

        The version is the one passed, else the one registered on, else (0) the current one.
        """
        position, version_id = key
        asked, versions, guard = self._asked[position], self.subject.versions, self._guard
        version: Version | None = (
            versions.by_id[version_id] if version_id else versions.current.get(asked.activity_id)
        )
        title = guard(version.title if version else asked.title)
        number = str(version.number) if version else ""
        named = (guard(self.subject.reference), asked.kind, guard(asked.key), title, number)
        mastery = version.mastery_score if version else None
        return named, "" if mastery is None else _four_places(mastery)
