"""A person's due dates to come, as entries of their own calendar."""

from datetime import date
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from portal.domain.learning.my_learning import MyLearning, RequirementRow
from portal.domain.status.queries import AssignedRequirement
from portal.platform.formats.calendar_files import DayEvent
from portal.platform.wording import minutes_words


def list_due_events(learning: MyLearning, person_id: int, address: str, today: date) -> list[DayEvent]:
    """One entry for each open requirement that is due today or later, the first due first.

    Args:
        learning: The person's.
        person_id: Whose calendar it is: two people's entries never have the same name.
        address: Of the portal, for links.
        today: The London day.
    """
    rows = [row for group in learning.groups if group.due_on >= today for row in group.rows]
    return [_build_event(row, person_id, address) for row in rows]


def _build_event(row: RequirementRow, person_id: int, address: str) -> DayEvent:
    requirement = row.requirement
    left = f"About {minutes_words(row.minutes_left)} left. " if row.minutes_left else ""
    return DayEvent(
        uid=_event_name(requirement, person_id, address),
        day=row.due_on,
        summary=f"Last day to {row.verb}: {row.title}",
        description=f"{left}Directive {requirement.directive}: {requirement.directive_title}.",
        url=f"{address}/learning",
    )


def _event_name(requirement: AssignedRequirement, person_id: int, address: str) -> str:
    """A name that stays the same when the due date moves, and that is nobody else's."""
    parts = (address, str(person_id), requirement.directive, requirement.kind, requirement.key)
    return f"{uuid5(NAMESPACE_URL, '/'.join(parts))}@{urlsplit(address).hostname}"
