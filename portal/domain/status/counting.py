"""How many people have which status: one protocol with two sources, chosen here and nowhere else.

The status counts are summed up in advance and answer for everybody at once. The status periods hold one row
a person; they answer whatever is asked, and take as long as there are people.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from enum import Enum, auto
from typing import Protocol

from portal.domain.status.aggregates import DaysRun, PeriodCountSource
from portal.domain.status.count_reader import SummedCountSource
from portal.domain.status.filters import Scope, Whose
from portal.domain.status.rules import Status


class Question(Enum):
    """What is counted; not everything is summed up in advance for everyone."""

    REQUIREMENTS = auto()  # people by requirement, and by unit under the whole directive
    PEOPLE = auto()  # under the whole directive alone, on the day of the scope
    OVER_DAYS = auto()  # the same on several days
    ORDER = auto()  # the same by the columns of a sorted table, other than the unit


class CountSource(Protocol):
    """Counts the people of a scope by status."""

    def count_requirements(self) -> Iterable[tuple[int, int, Status, int]]:
        """People by unit, position and status; position 0 is the whole directive.

        A requirement may have the unit 0 for all units.
        """

    def count_units(self) -> Iterable[tuple[int, Status, int]]:
        """People by unit and status under the whole directive."""

    def count_posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """People by designated role, rank or grade, and status under the whole directive."""

    def count_reasons(self) -> dict[str, int]:
        """People exempt or deferred, by reason in alphabetical order."""

    def commonest_due_dates(self, limit: int) -> list[date]:
        """The due dates that most people have, in order."""

    def count_days_left(self) -> Iterable[tuple[Status, int, int]]:
        """Of those who have still to complete: status, days to the last day in time, and people.

        The days are below zero where it is past.
        """

    def count_over_days(self, days: Sequence[date]) -> Iterable[DaysRun]:
        """People by unit and status on each of ``days``, which rise; the scope's own day is not used."""


def count_source(scope: Scope, question: Question) -> CountSource:
    """The status counts, where they can answer the question for the people; else the status periods."""
    return SummedCountSource(scope) if is_summed(scope.whose, question) else PeriodCountSource(scope)


def is_summed(whose: Whose, question: Question) -> bool:
    """Whether the status counts can answer a question for these people."""
    if question is Question.ORDER:  # due dates are among its columns
        whose = replace(whose, late=None, due_within=None)
    narrower = (whose.named, whose.people, whose.late, whose.due_within)
    if any(condition is not None for condition in narrower):
        return False
    if question is Question.OVER_DAYS:
        return whose.everyone or whose.manager_id is None
    if question is Question.REQUIREMENTS and whose.statuses is not None:
        return False
    return whose.everyone and whose.within is None
