"""Why a report does not list somebody who is listed at another position, as far as its viewer may know.

Somebody is out of sight at a position if the viewer may see none of their posts of that day. Whether they
have a row elsewhere is then not looked up: the answer is the same as if they had left the force.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.reports.parameters import Filters
from portal.domain.reports.queries import CompletionReport
from portal.domain.reports.viewer_scope import PEOPLE
from portal.domain.status.queries import people_in_report
from portal.platform.db import db


class Absence(Enum):
    """Why there is no row."""

    NOT_REQUIRED = "Not required"
    NOT_REQUIRED_IN_SIGHT = "Not required in a post you can see"  # nothing is said of other posts
    FILTERED_OUT = "Not listed"  # there is a row, but the filters leave it out
    OUT_OF_SIGHT = "Out of sight"  # pages show the words of ``Absences.reason_in_words``


@dataclass(frozen=True)
class Absences:
    """Why a filtered report does not list some people."""

    report: CompletionReport
    by_person: dict[int, Absence]

    @classmethod
    def look_up(cls, report: CompletionReport, filters: Filters, people: Collection[int]) -> "Absences":
        """Look up the reasons for ``people``. At most two statements for each ``PEOPLE`` people."""
        viewer_scope, absent = report.viewer_scope, sorted(people)
        scope = report.scope_of(viewer_scope.select_people())
        listed = _read_in_batches(absent, lambda batch: people_in_report(scope, batch)) if filters else set()
        if viewer_scope.everyone:
            reason_in_sight, in_sight = Absence.NOT_REQUIRED, set(absent)
        else:
            reason_in_sight, in_sight = (
                Absence.NOT_REQUIRED_IN_SIGHT,
                _read_in_batches(absent, lambda batch: _people_with_visible_post(report, batch)),
            )
        reasons = {}
        for person_id in absent:
            reason = reason_in_sight if person_id in in_sight else Absence.OUT_OF_SIGHT
            reasons[person_id] = Absence.FILTERED_OUT if person_id in listed else reason
        return cls(report, reasons)

    @property
    def out_of_sight(self) -> set[int]:
        """The people who are out of sight at the report's position."""
        return {person_id for person_id, why in self.by_person.items() if why is Absence.OUT_OF_SIGHT}

    def reason_of(self, person_id: int) -> Absence:
        """Why somebody is not listed."""
        return self.by_person.get(person_id, Absence.NOT_REQUIRED)

    def reason_in_words(self, person_id: int) -> str:
        """Why somebody is not listed, in a few words."""
        absence = self.reason_of(person_id)
        if absence is Absence.OUT_OF_SIGHT:
            return f"Not {self.report.viewer_scope.place_words} at this date"
        return str(absence.value)


def _read_in_batches(people: list[int], read: Callable[[list[int]], Iterable[int]]) -> set[int]:
    """Call ``read`` for at most ``PEOPLE`` people at a time, and join the results."""
    batches = (people[first : first + PEOPLE] for first in range(0, len(people), PEOPLE))
    return {person_id for batch in batches for person_id in read(batch)}


def _people_with_visible_post(report: CompletionReport, people: Collection[int]) -> Iterable[int]:
    """The people among ``people`` with a post at the report's position that the viewer may see."""
    position = report.position
    conditions = (
        is_known_fact(Post, position.as_known_on),
        is_valid_on(Post, position.as_at),
        report.viewer_scope.sees_post(Post),
    )
    return db.session.scalars(
        select(Post.person_id).where(Post.person_id.in_(people), *conditions).distinct()
    )
