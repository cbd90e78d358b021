"""Opens one more attempt for a learner who has used every one, or is in a pause; and who these are."""

from dataclasses import dataclass
from datetime import datetime

from portal.domain.assessment import services as assessment
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.people.queries import Viewer, find_seen_person, may_see
from portal.domain.records.queries import holder_name, latest_registration
from portal.platform.permissions import Permission


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
    """Get the learner with this staff number.

    Raises:
        NotFoundError: Nobody has it, or the viewer may not open attempts for that person.
    """
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
