"""The people who cannot take an assessment without help: every attempt used, or a pause after fails."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.assessment import services as assessment
from portal.domain.assessment.models import Attempt, Submission
from portal.domain.assessment.queries import (
    AttemptTally,
    attempts_left,
    is_paused,
    pause_ends_at,
    tally_attempts,
)
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.people.models import PersonName
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import find_seen_person
from portal.domain.people.visibility import Viewer, is_visible, may_see
from portal.domain.records.models import PassRecord, Registration
from portal.domain.records.queries import holder_name, latest_registration
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


# Opens one more attempt for a learner who has used every one, or is in a pause; and who these are.


@dataclass(frozen=True, slots=True)
class LimitedLearner:
    """A person with the modules that they have begun and that limit attempts."""

    person_id: int
    staff_number: str
    name: str
    modules: tuple[ModuleProgress, ...]

    def held_modules(self, now: datetime) -> list[ModuleProgress]:
        """The modules in which every attempt is used, or in which there is a pause."""
        return [m for m in self.modules if m.attempts_exhausted or m.paused_until(now) is not None]

    def get_module(self, slug: str) -> ModuleProgress:
        """The module with this slug, which is one of the form's choices."""
        return next(module for module in self.modules if module.slug == slug)


def may_open_attempts(viewer: Viewer, person_id: int) -> bool:
    """Whether the viewer may open attempts for the person.

    A manager may for the people whom the role of manager lets them see; an author, whose role is not tied to
    units, for everyone whom any of their roles lets them see.
    """
    return Permission.ATTEMPT_OPEN in viewer.permissions and may_see(viewer, person_id, _act_of(viewer))


def _act_of(viewer: Viewer) -> Permission | None:
    return None if Permission.ATTEMPT_OPEN_UNSEEN in viewer.permissions else Permission.ATTEMPT_OPEN


def get_limited_learner(viewer: Viewer, staff_number: str) -> LimitedLearner:
    """Get the learner with this staff number."""
    person_id = find_seen_person(viewer, staff_number, _act_of(viewer))
    modules = [
        module
        for module in module_progress_by_activity(person_id).values()
        if module.progress and (module.version.attempts or module.version.pause_after)
    ]
    return LimitedLearner(person_id, staff_number, holder_name(person_id), tuple(modules))


def open_extra_attempt(learner: LimitedLearner, slug: str, *, by: int, reason: str, at: datetime) -> bool:
    """Open one more attempt at a module, by ``open_extra_attempt`` of the assessment room."""
    module = learner.get_module(slug)
    registration = latest_registration(learner.person_id, module.version.activity_id)
    return assessment.open_extra_attempt(registration, by=by, reason=reason, at=at)
