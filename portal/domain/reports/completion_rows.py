"""Builds the rows of completion files from status periods, records, registrations and submissions.

Each batch of people takes a fixed number of statements.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.people import units as people_units
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow
from portal.domain.records.models import Registration
from portal.domain.records.queries import drop_unknown_time, scale_score
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import DirectiveSnapshot
from portal.domain.status import queries
from portal.domain.status.counts import Scope
from portal.domain.status.paging import ERASED
from portal.domain.status.queries import AudienceRow
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.bulk import (
    RawScore,
    ValueCache,
    fetch_raw_rows,
    instant_column,
    match_people,
    parse_day,
    parse_score,
    text_column,
)

# Rows of completion files and people files, and the one ordered list of columns that says what each
# holds.
#
# A row is a flat record of named, typed values; None means not yet, or no end. A column names its header,
# the field it shows, its meaning, its type and the facts that it comes from. CSV, XLSX, JSON and the data
# dictionary are made from the list, so a new column is a field, a line in ``COLUMNS``, and the value that
# ``RowBuilder`` fills in.

Value = str | int | date | datetime | Decimal | Status | None


class DayOrInstant:
    """The type of a column of instants, with the day alone where no time of day was given."""


class CompletionRow(NamedTuple):
    """One row of the completion file: the status of one person on one requirement of a directive."""

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
    requirement_kind: str
    requirement: str
    requirement_title: str
    version: int | None
    assigned_on: date
    due_on: date
    status: Status
    started_at: datetime | None  # instants are in UTC
    satisfied_at: date | datetime | None  # only the day where no time was given
    late_days: int | None
    score_scaled: Decimal | None  # 0 to 1, four places
    mastery_score: Decimal | None
    attempts: int
    valid_until: date | None
    exclusion_reason: str | None
    source: str | None
    record_reference: str | None
    as_at: date
    as_known_on: datetime


class PersonRow(NamedTuple):
    """The status of one person under a directive and on each of its requirements."""

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
    assigned_on: date
    due_on: date
    status: Status
    requirement_statuses: Mapping[int, Status]  # by position of the requirement
    exclusion_reason: str | None
    as_at: date
    as_known_on: datetime


AnyRow = CompletionRow | PersonRow


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file."""

    header: str
    meaning: str
    kind: type  # of the values
    fact: str  # the fact or table that the values come from
    optional: bool = False  # whether a cell can be empty
    field: str = ""  # of the row, if its name differs from the header

    @property
    def source_field(self) -> str:
        """The name of the row's field that the column shows."""
        return self.field or self.header

    def value_of(self, row: AnyRow) -> Value:
        """The column's value in a row."""
        value: Value = getattr(row, self.source_field)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementColumn(Column):
    """A column that shows the person's status on the requirement at one position of the directive."""

    position: int

    def value_of(self, row: AnyRow) -> Value:
        """The status on the requirement; None if the person does not have it."""
        statuses: Mapping[int, Status] = getattr(row, self.source_field)
        return statuses.get(self.position)


def values_reader(columns: Sequence[Column]) -> Callable[[AnyRow], Sequence[Value]]:
    """A function that reads the values of a row in the order of ``columns``.

    One call reads all fields, because a file of a whole force has two million values.
    """
    fields = tuple(column.source_field for column in columns)
    if fields == CompletionRow._fields:
        all_fields: Callable[[AnyRow], Any] = tuple
        return all_fields
    if not any(isinstance(column, RequirementColumn) for column in columns):
        return attrgetter(*fields)
    readers = [column.value_of for column in columns]
    return lambda row: [read(row) for read in readers]


_FORCE_TO_DIRECTIVE = (
    Column("force", "Name of the force: the first name of the unit path.", str, "unit_state"),
    Column("staff_number", "Staff number, as it is now. “Erased” and a number if erased.", str, "name"),
    Column("surname", "Surname, as it is now.", str, "name"),
    Column("forenames", "Forenames, as they are now.", str, "name"),
    Column("rank_or_grade", "Rank or grade of the row's post.", str, "post"),
    Column("designated_role", "Designated role of the row's post.", str, "post"),
    Column("unit", "Name of the unit of the row's post on the as_at day.", str, "unit_state"),
    Column(
        "unit_path",
        "Names from the force down to the unit on the as_at day. A / within a name is written //.",
        str,
        "unit_state",
    ),
    Column(
        "line_manager_staff_number",
        "Staff number of the line manager that the row's post names, if whoever asked may see that person.",
        str,
        "post",
        optional=True,
    ),
    Column("directive", "Reference of the directive.", str, "directive"),
)
_ASSIGNED_ON = Column(
    "assigned_on", "Day from which the time to the due date is counted.", date, "assignment"
)
_EXCLUSION_REASON = Column(
    "exclusion_reason",
    "Reason category of the exemption or deferral; never a diagnosis.",
    str,
    "exclusion",
    optional=True,
)
_AS_AT = Column("as_at", "The date of the report, counted at the end of the day, UK time.", date, "report")
_AS_KNOWN_ON = Column("as_known_on", "Only records entered by this time are used.", datetime, "stamp")

COLUMNS: tuple[Column, ...] = (  # of a file with one row for each person and requirement
    *_FORCE_TO_DIRECTIVE,
    Column("requirement_kind", "Kind of the requirement: module, event or guide.", str, "requirement"),
    Column("requirement", "Key of the module, event type or guide.", str, "requirement"),
    Column("requirement_title", "Title of the version named in the next column.", str, "module version"),
    Column(
        "version",
        "Number of the version passed; else of the version started; else of the current version.",
        int,
        "record, registration, module version",
        optional=True,
    ),
    _ASSIGNED_ON,
    Column(
        "due_on",
        "Last day in time, UK time: the due date of the assignment, or a later one set by a deferral.",
        date,
        "assignment, exclusion",
    ),
    Column(
        "status",
        "Status at the end of the as_at day: not_started, in_progress, satisfied, "
        "expiring (satisfied, ends soon), overdue, expired, exempt or deferred.",
        Status,
        "computed from all facts",
    ),
    Column(
        "started_at",
        "When the person last started the module, not after the as_at day.",
        datetime,
        "registration",
        optional=True,
    ),
    Column(
        "satisfied_at",
        "When the counted record was achieved; only the day, where no time of day was given.",
        DayOrInstant,
        "record",
        optional=True,
    ),
    Column(
        "late_days",
        "Days from the due date to the first record that was valid on or after it.",
        int,
        "record",
        optional=True,
    ),
    Column(
        "score_scaled",
        "Score from 0 to 1 of the pass; else the best score so far.",
        Decimal,
        "submission, imported record",
        optional=True,
    ),
    Column(
        "mastery_score",
        "Pass mark, from 0 to 1, of the version passed or in use.",
        Decimal,
        "pass record, module version",
        optional=True,
    ),
    Column("attempts", "How many attempts the person has submitted, of all versions.", int, "submission"),
    Column(
        "valid_until",
        "Last day on which the record counts. Empty with status satisfied: it does not expire.",
        date,
        "record, directive version",
        optional=True,
    ),
    _EXCLUSION_REASON,
    Column(
        "source",
        "How it was achieved: assessed, attended, acknowledged, waived, imported or external.",
        str,
        "record",
        optional=True,
    ),
    Column("record_reference", "Reference of the counted record.", str, "record", optional=True),
    _AS_AT,
    _AS_KNOWN_ON,
)


def person_columns(requirements: Iterable[tuple[int, str, str, str]]) -> tuple[Column, ...]:
    """The columns of a file with one row for each person and one column for each requirement.

    Args:
        requirements: Position, kind, key and title of each, in the order of the directive.
    """
    return (
        *_FORCE_TO_DIRECTIVE,
        _ASSIGNED_ON,
        Column("due_on", "Last day in time for the whole directive.", date, "assignment, exclusion"),
        Column(
            "status",
            "Status under the whole directive: the worst status of its requirements; in_progress "
            "if one is not started and another is started or satisfied.",
            Status,
            "computed from all facts",
        ),
        *(
            RequirementColumn(
                f"{kind}_{key}",
                f"Status of this requirement: {title}.",
                Status,
                "computed from all facts",
                optional=True,
                field="requirement_statuses",
                position=position,
            )
            for position, kind, key, title in requirements
        ),
        _EXCLUSION_REASON,
        _AS_AT,
        _AS_KNOWN_ON,
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
        self._read_requirements = queries.requirement_reader(scope)
        self._read_statuses = queries.status_reader(scope)
        self._activity_ids = {each.position: each.activity_id for each in directive.requirements}
        self._work = LearningWorkReader(position, list(self._activity_ids.values()))
        self._versions = ValueCache(self._describe_version)
        self._units = {
            unit_id: (people_units.split(unit.path)[0], unit.name, unit.path)
            for unit_id, unit in units.items()
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
