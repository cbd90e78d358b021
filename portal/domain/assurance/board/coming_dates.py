"""The dates of a recommendation: what is due next, and what should have happened by now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from portal.domain.assurance.desk import RecommendationSnapshot

CLOSED = ("done", "dropped")  # states of an action that nothing is due of any more


@dataclass(frozen=True, slots=True, order=True)
class ComingDate:
    """A day on which something of a recommendation is due."""

    on: date
    what: str  # such as "A-0003", the reference of an action
    title: str = ""  # of the action or of the piece of evidence


@dataclass(frozen=True, slots=True)
class RecommendationDates:
    """The dates of a recommendation that matter on a day, each list the earliest first."""

    past: tuple[ComingDate, ...]
    coming: tuple[ComingDate, ...]

    @property
    def next_date(self) -> ComingDate | None:
        """What is due next; None: nothing is."""
        return self.coming[0] if self.coming else None


def find_due_dates(recommendation: RecommendationSnapshot, day: date) -> RecommendationDates:
    """What was due before a day and has not happened, and what is due on it or later.

    Counted are actions that are neither done nor dropped, reviews of evidence and of the plan, and the
    deadline as long as the recommendation is not met. A deadline that has passed is no date to come and is
    shown by itself, so it is not listed among what is past.
    """
    dates = sorted(_list_due_dates(recommendation), key=lambda each: (each.on, each.what))
    deadline = recommendation.version.deadline_on
    if recommendation.state != "met" and deadline >= day:
        dates = sorted([*dates, ComingDate(deadline, "deadline")], key=lambda each: (each.on, each.what))
    return RecommendationDates(
        tuple(each for each in dates if each.on < day), tuple(each for each in dates if each.on >= day)
    )


def _list_due_dates(recommendation: RecommendationSnapshot) -> Iterator[ComingDate]:
    for action in recommendation.actions:
        version = action.version
        if version.due_on is not None and version.state not in CLOSED:
            yield ComingDate(version.due_on, action.reference, version.title)
    for piece in recommendation.evidence:
        if piece.version.review_on is not None:
            yield ComingDate(piece.version.review_on, f"review of {piece.reference}", piece.version.title)
    if recommendation.plan is not None:
        yield ComingDate(recommendation.plan.review_on, "review of the plan")
