"""The people who cannot take an assessment without help: every attempt used, or a pause after fails."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.assessment.pauses import is_paused, pause_ends_at
from portal.domain.assessment.queries import AttemptTally, attempts_left, tally_attempts
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer
from portal.domain.people.visibility.rules import is_visible
from portal.domain.records.models import PassRecord, Registration
from portal.platform.db import db
from portal.platform.permissions import Permission


@dataclass(frozen=True, slots=True)
class HelpRow:
    """One person in one module."""

    staff_number: str
    name: str
    module: str  # the title up to its colon
    fails: int
    paused_until: datetime | None  # None: every attempt is used


def list_help_needed(viewer: Viewer, now: datetime) -> list[HelpRow]:
    """Those for whom the viewer may open an attempt, longest pause first. Two statements."""
    rows = db.session.execute(_candidates(viewer)).all()
    tallies = tally_attempts([row.id for row in rows])
    found = [(row, tallies[row.id]) for row in rows]
    needed = [help_row for row, tally in found if (help_row := _help_row(row, tally, now))]
    return sorted(needed, key=lambda row: (row.paused_until is not None, row.paused_until or now, row.name))


def _candidates(viewer: Viewer) -> Any:
    """The newest registrations without a pass that have as many fails as a rule of their version names."""
    version = ModuleVersion
    pauses_first = and_(
        version.pause_after > 0, or_(version.attempts == 0, version.pause_after < version.attempts)
    )
    fails_needed = case((pauses_first, version.pause_after), else_=version.attempts)
    columns: tuple[Any, ...] = (
        Registration.id,
        PersonName.staff_number,
        PersonName.surname,
        PersonName.forenames,
        version.title,
        version.attempts,
        version.pause_after,
        version.pause_hours,
        version.wait_minutes,
    )
    return (
        select(*columns)
        .join(version, version.id == Registration.module_version_id)
        .join(PersonName, PersonName.person_id == Registration.person_id)
        .join(Attempt, Attempt.registration_id == Registration.id)
        .join(Submission, Submission.attempt_id == Attempt.id)
        .outerjoin(PassRecord, PassRecord.registration_id == Registration.id)
        .where(
            or_(version.pause_after > 0, version.attempts > 0),
            PassRecord.record_id.is_(None),
            is_known_fact(Registration),
            ~_later_registration().exists(),
            is_visible(Registration.person_id, viewer, Permission.ATTEMPT_OPEN),
            Registration.person_id != viewer.person_id,
        )
        .group_by(*columns)
        .having(func.count() >= fails_needed)
    )


def _later_registration() -> Any:
    """A registration of the same person on the same module that was made later."""
    later = aliased(Registration)
    return select(later.id).where(
        later.person_id == Registration.person_id,
        later.activity_id == Registration.activity_id,
        later.id > Registration.id,
        is_known_fact(later),
    )


def _help_row(row: Any, tally: AttemptTally, now: datetime) -> HelpRow | None:
    if tally.open_attempt is not None:
        return None
    is_exhausted = attempts_left(row, tally.attempt_count, tally.extra_attempts) == 0
    if not is_exhausted and not is_paused(row, tally.fails, now):
        return None
    return HelpRow(
        row.staff_number,
        f"{row.surname}, {row.forenames}",
        row.title.partition(":")[0],
        tally.fails.count,
        None if is_exhausted else pause_ends_at(row, tally.fails),
    )
