"""Builds the rows of completion files from status periods, records, registrations and submissions.

Each batch of people takes a fixed number of statements.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.queries import UnitRow
from portal.domain.people.units import paths
from portal.domain.records.models import Registration
from portal.domain.records.queries import drop_unknown_time, scale_score
from portal.domain.reports.completion.export_columns import CompletionRow, PersonRow
from portal.domain.reports.directive_snapshot import DirectiveSnapshot
from portal.domain.reports.parameters import Position
from portal.domain.status import report_rows
from portal.domain.status.filters import Scope
from portal.domain.status.paging import ERASED
from portal.domain.status.report_rows import AudienceRow
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.bulk_reading import (
    RawScore,
    ValueCache,
    fetch_raw_rows,
    instant_column,
    match_people,
    parse_day,
    parse_score,
    text_column,
)

PersonActivity = tuple[int, int]  # person id, activity id

_STATUSES = {int(status): status for status in Status}
_EXCLUDED = {int(status) for status in Status if status.excluded}


class LearningWork(NamedTuple):
    """Registrations and submissions of some people, up to the end of the as-at day and as known."""

    registered: dict[PersonActivity, tuple[datetime, int]]  # latest: start, module version
    submitted: dict[PersonActivity, tuple[int, Decimal]]  # submissions, best score


class LearningWorkReader:
    """Reads registrations and submissions on some activities: two statements, made once for all batches."""

    def __init__(self, position: Position, activity_ids: Sequence[int]) -> None:
        columns = (Registration.person_id, Registration.activity_id)
        of_people = (
            match_people(Registration.person_id),
            Registration.activity_id.in_(activity_ids),
        )
        self._registrations = (
            select(*columns, instant_column(Registration.started_at), Registration.module_version_id)
            .where(
                *of_people,
                Registration.started_on <= position.as_at,
                is_known_fact(Registration, position.as_known_on),
            )
            .order_by(Registration.started_at, Registration.id)
        )
        self._submissions = (
            select(*columns, text_column(Submission.score_raw), Submission.score_max)
            .join(Attempt, Attempt.registration_id == Registration.id)
            .join(Submission, Submission.attempt_id == Attempt.id)
            .where(
                *of_people,
                Submission.submitted_at <= clock.end_of_day(position.as_at),
                Submission.recorded_at <= position.as_known_on,
            )
        )

    def read_work(self, person_ids: Collection[int]) -> LearningWork:
        """The registrations and submissions of these people."""
        registered = {
            (person_id, activity_id): (datetime.fromisoformat(started_at), version_id)
            for person_id, activity_id, started_at, version_id in fetch_raw_rows(
                self._registrations, person_ids
            )
        }
        submitted: dict[PersonActivity, tuple[int, Decimal]] = {}
        for person_id, activity_id, raw, maximum in fetch_raw_rows(self._submissions, person_ids):
            key, score = (person_id, activity_id), _SCALED_SCORES[raw, maximum]
            attempts, best = submitted.get(key, (0, score))
            submitted[key] = (attempts + 1, max(best, score))
        return LearningWork(registered, submitted)


def _scale_marks(marks: tuple[RawScore, int]) -> Decimal:
    raw, maximum = marks
    return scale_score(Decimal(str(raw)), maximum)


_SCALED_SCORES = ValueCache(_scale_marks)  # every pair of marks there is: some hundreds
_SCORES = ValueCache(parse_score)
_DAYS = ValueCache(parse_day)
_ORDINAL_DAYS = ValueCache(date.fromordinal)
_NOT_REGISTERED, _NOT_SUBMITTED = (None, 0), (0, None)


class _PostFields(NamedTuple):
    """The first fields of every row of a person."""

    force: str
    staff_number: str
    surname: str
    forenames: str
    rank_or_grade: str
    designated_role: str
    unit: str
    unit_path: str
    line_manager_staff_number: str | None
    directive: str


class _RequirementFields(NamedTuple):
    """The fields of a requirement that follow, with the version of its module, guide or event type."""

    requirement_kind: str
    requirement: str
    requirement_title: str
    version: int | None


class RowBuilder:
    """Builds the rows of one report; a line manager's number stands in them only if it is among ``managers``.

    None shows every number: the reader sees the whole force.
    """

    def __init__(
        self,
        directive: DirectiveSnapshot,
        scope: Scope,
        units: dict[int, UnitRow],
        position: Position,
        managers: Collection[str] | None = None,
    ) -> None:
        self._subject, self._position, self._managers = directive, position, managers
        self._requirements = {requirement.position: requirement for requirement in directive.requirements}
        self._read_requirements = report_rows.requirement_reader(scope)
        self._read_statuses = report_rows.status_reader(scope)
        self._activity_ids = {each.position: each.activity_id for each in directive.requirements}
        self._work = LearningWorkReader(position, list(self._activity_ids.values()))
        self._versions = ValueCache(self._describe_version)
        self._units = {
            unit_id: (paths.split(unit.path)[0], unit.name, unit.path) for unit_id, unit in units.items()
        }

    def build_rows(self, people: Sequence[AudienceRow]) -> list[CompletionRow]:
        """One row for each of these people and each requirement, in their order."""
        posts = {each.person_id: self._describe_person(each) for each in people}
        assigned_days = {each.person_id: _DAYS[each.joined_on] for each in people}
        rows: dict[int, list[CompletionRow]] = {person_id: [] for person_id in posts}
        work, activity_ids, versions = self._work.read_work(posts), self._activity_ids, self._versions
        as_at, as_known_on = self._position.as_at, self._position.as_known_on
        make_row, fromisoformat = CompletionRow._make, datetime.fromisoformat
        for (
            person_id, position, status, due_on, valid_until, late_days, reason, achieved_at, source,
            reference, passed_version_id, passed_mastery, raw, maximum, imported_score,
        ) in self._read_requirements(posts):  # fmt: skip
            if position not in activity_ids:
                continue
            key = (person_id, activity_ids[position])
            started_at, registered_version_id = work.registered.get(key, _NOT_REGISTERED)
            attempts, score = work.submitted.get(key, _NOT_SUBMITTED)
            if raw is not None and maximum is not None:
                score = _SCALED_SCORES[raw, maximum]
            elif imported_score is not None:
                score = _SCORES[imported_score]
            requirement, mastery = versions[position, passed_version_id or registered_version_id]
            row = (  # by place: naming the fields takes three times as long
                *posts[person_id], *requirement, assigned_days[person_id], _ORDINAL_DAYS[due_on],
                _STATUSES[status], started_at,
                None if achieved_at is None else drop_unknown_time(fromisoformat(achieved_at), source),
                late_days,
                score,
                mastery if passed_mastery is None else _SCORES[passed_mastery],
                attempts,
                None if valid_until is None else _ORDINAL_DAYS[valid_until],
                reason if status in _EXCLUDED else None, source, reference, as_at, as_known_on,
            )  # fmt: skip
            rows[person_id].append(make_row(row))
        return [row for of_person in rows.values() for row in of_person]

    def build_person_rows(self, people: Sequence[AudienceRow]) -> list[PersonRow]:
        """One row for each of these people, with the status of each requirement."""
        statuses: dict[int, dict[int, Status]] = {}
        reasons: dict[int, str] = {}
        for person_id, position, number, reason in self._read_statuses([each.person_id for each in people]):
            statuses.setdefault(person_id, {})[position] = _STATUSES[number]
            if reason is not None and number in _EXCLUDED:
                reasons.setdefault(person_id, reason)
        return [
            PersonRow(
                *self._describe_person(person),
                assigned_on=_DAYS[person.joined_on],
                due_on=_ORDINAL_DAYS[person.due_on],
                status=_STATUSES[person.status],
                requirement_statuses=statuses.get(person.person_id, {}),
                exclusion_reason=reasons.get(person.person_id) if person.status in _EXCLUDED else None,
                as_at=self._position.as_at,
                as_known_on=self._position.as_known_on,
            )
            for person in people
        ]

    def _describe_person(self, person: AudienceRow) -> _PostFields:
        force, unit, unit_path = self._units.get(person.unit_id, ("", "", ""))
        if person.staff_number is None:
            names = (f"{ERASED}-{person.person_id}", ERASED, "")
        else:
            names = (person.staff_number, person.surname, person.forenames)
        manager = person.manager_number or None
        if self._managers is not None and manager not in self._managers:
            manager = None
        return _PostFields(
            force,
            *names,
            person.rank_or_grade,
            person.designated_role,
            unit,
            unit_path,
            manager,
            self._subject.reference,
        )

    def _describe_version(self, key: tuple[int, int]) -> tuple[_RequirementFields, Decimal | None]:
        """The fields of a requirement's version, and the version's mastery score.

        Args:
            key: Position of the requirement, and id of the version that was passed or is registered on;
                0: the current one.
        """
        position, version_id = key
        requirement, versions = self._requirements[position], self._subject.versions
        activity_id = requirement.activity_id
        version = versions.by_id[activity_id, version_id] if version_id else versions.current.get(activity_id)
        fields = _RequirementFields(
            requirement.kind,
            requirement.key,
            version.title if version else requirement.title,
            version.number if version else None,
        )
        mastery = None if version is None or version.mastery_score is None else version.mastery_score
        return fields, None if mastery is None else parse_score(str(mastery))
