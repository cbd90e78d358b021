"""Opening one more attempt to somebody who used every attempt that a module allows."""

from dataclasses import dataclass
from datetime import datetime

from portal.domain.assessment import services as assessment
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.people.queries import Viewer, may_see, person_by_staff_number
from portal.domain.records.queries import holder_name, latest_registration
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission


@dataclass(frozen=True, slots=True)
class Limited:
    """A person with the modules under way that limit their attempts."""

    person_id: int
    staff_number: str
    name: str
    courses: tuple[ModuleProgress, ...]

    @property
    def exhausted(self) -> list[ModuleProgress]:
        """Those in which every attempt is used."""
        return [course for course in self.courses if course.attempts_exhausted]

    def course(self, slug: str) -> ModuleProgress:
        """The module of this name; it is one of a form's choices."""
        return next(course for course in self.courses if course.slug == slug)


def opens_to(viewer: Viewer, person_id: int) -> bool:
    """Whether the viewer may open attempts to the person, whom they see.

    A manager to those whom the role of manager shows them; an author, whose role is for modules and not for
    units, to everyone whom any role shows them.
    """
    everywhere = Permission.ATTEMPT_OPEN_UNSEEN in viewer.permissions
    allowed = everywhere or Permission.ATTEMPT_OPEN in viewer.permissions
    return allowed and may_see(viewer, person_id, None if everywhere else Permission.ATTEMPT_OPEN)


def limited(viewer: Viewer, staff_number: str) -> Limited:
    """The person with this staff number.

    Raises:
        NotFoundError: Nobody has it, or the viewer may not open attempts to who has.
    """
    person_id = person_by_staff_number(staff_number.replace("\x00", ""))  # PostgreSQL takes no NUL
    if not opens_to(viewer, person_id):
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    under_way = [
        each
        for each in module_progress_by_activity(person_id).values()
        if each.progress and each.version.attempts
    ]
    return Limited(person_id, staff_number, holder_name(person_id), tuple(under_way))


def open_one_more(whom: Limited, slug: str, *, by: int, reason: str, at: datetime) -> bool:
    """As ``open_one_more`` of assessments, at the module of this name."""
    course = whom.course(slug)
    registration = latest_registration(whom.person_id, course.version.activity_id)
    return assessment.open_extra_attempt(registration, by=by, reason=reason, at=at)
