"""Why a report lists somebody at one position and not at another, as far as its viewer may know.

Somebody is out of sight at a position where no post of theirs that holds there is one the viewer may see.
Whether a row of theirs exists elsewhere is then not asked: the answer is the same if they left the force.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.reports.filters import Filters
from portal.domain.reports.linkable_people import PEOPLE
from portal.domain.reports.queries import CompletionReport
from portal.domain.status.queries import listed_among
from portal.platform.db import db


class Absence(Enum):
    """Why there is no row."""

    NOT_REQUIRED = "Not required"
    NOT_REQUIRED_IN_SIGHT = "Not required in a post you can see"  # nothing is said of other posts
    FILTERED_OUT = "Not listed"  # there is a row, which the filters leave out
    OUT_OF_SIGHT = "Out of sight"  # ``Absences.reason_in_words`` says it to the viewer


@dataclass(frozen=True)
class Absences:
    """Why a report, narrowed by filters, does not list some people, by person."""

    report: CompletionReport
    by_person: dict[int, Absence]

    @classmethod
    def of(cls, report: CompletionReport, filters: Filters, people: Collection[int]) -> "Absences":
        """Look up the reasons for ``people``. Two statements at most for every ten thousand of them."""
        reach, absent = report.reach, sorted(people)
        scope = report.scope_of(reach.whose())
        listed = _read_in_batches(absent, lambda some: listed_among(scope, some)) if filters else set()
        if reach.everyone:
            usual, posted = Absence.NOT_REQUIRED, set(absent)
        else:
            usual, posted = (
                Absence.NOT_REQUIRED_IN_SIGHT,
                _read_in_batches(absent, lambda some: _people_with_visible_post(report, some)),
            )
        reasons = {}
        for one in absent:
            seen = usual if one in posted else Absence.OUT_OF_SIGHT
            reasons[one] = Absence.FILTERED_OUT if one in listed else seen
        return cls(report, reasons)

    @property
    def out_of_sight(self) -> set[int]:
        """Those who are out of sight at the report's position."""
        return {one for one, why in self.by_person.items() if why is Absence.OUT_OF_SIGHT}

    def reason_in_words(self, person_id: int) -> str:
        """Why somebody is not listed, in a few words."""
        why = self.by_person.get(person_id, Absence.NOT_REQUIRED)
        return f"Not {self.report.reach.place} at this date" if why is Absence.OUT_OF_SIGHT else why.value


def _read_in_batches(people: list[int], read: Callable[[list[int]], Iterable[int]]) -> set[int]:
    """Call ``read`` for as many people at once as a statement can name, and join the results."""
    batches = (people[first : first + PEOPLE] for first in range(0, len(people), PEOPLE))
    return {one for some in batches for one in read(some)}


def _people_with_visible_post(report: CompletionReport, people: Collection[int]) -> Iterable[int]:
    """Those of these people with a post that the viewer may see, held at the report's position."""
    at = report.position
    conditions = (
        is_known_fact(Post, at.as_known_on),
        is_valid_on(Post, at.as_at),
        report.reach.sees_post(Post),
    )
    return db.session.scalars(
        select(Post.person_id).where(Post.person_id.in_(people), *conditions).distinct()
    )
