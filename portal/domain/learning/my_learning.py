"""The contents of My learning: a heading, the next step, and the requirements by due date."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from portal.domain.catalogue.publishing import GuideSummary, guide_summaries
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.status.queries import AssignedRequirement, requirements_of
from portal.domain.status.rules import Status
from portal.platform.clock import london_day
from portal.platform.formats.calendar_files import DayEvent
from portal.platform.wording import date as date_words
from portal.platform.wording import minutes_words, plural

Row = TypeVar("Row")
_NOUNS = {  # and what is to be done with them, if all are of one kind
    "module": ("module", "complete"),
    "guide": ("guide", "read"),
    "event": ("event", "attend"),
}


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One requirement as the page shows it; ``module`` if it is a published module."""

    requirement: AssignedRequirement
    module: ModuleProgress | None

    @property
    def title(self) -> str:
        """The title of the module, guide or event type; made from the key where none is published."""
        if self.module:
            return self.module.version.title
        return self.requirement.title or self.requirement.key.replace("-", " ").capitalize()

    @property
    def due_on(self) -> date:
        """The last day in time: the due date, or the last day of a pass that expired after it."""
        valid_until = self.requirement.valid_until if self.is_expired else None
        return max(self.requirement.due_on, valid_until or self.requirement.due_on)

    @property
    def is_expired(self) -> bool:
        """Whether it was complete, but the record is no longer valid."""
        return self.requirement.status is Status.EXPIRED

    @property
    def is_guide(self) -> bool:
        """Whether the requirement is a published guide, to be read and acknowledged."""
        return self.requirement.kind == "guide" and self.requirement.title is not None

    @property
    def is_event(self) -> bool:
        """Whether the requirement is a published event type, of which an event is to be attended."""
        return self.requirement.kind == "event" and self.requirement.title is not None

    @property
    def verb(self) -> str:
        """What is to be done with it."""
        return _NOUNS.get(self.requirement.kind, ("", "complete"))[1]

    @property
    def is_renewable(self) -> bool:
        """Whether it is a module whose completion expires soon: it can be taken again, and the pass stays."""
        return self.module is not None and self.requirement.status is Status.EXPIRING

    @property
    def minutes_left(self) -> int:
        """Minutes of work left; 0 once it is complete or excluded."""
        return self.module.minutes_left if self.module and self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether the person still has to do something."""
        return not (self.requirement.status.held or self.requirement.status.excluded)


@dataclass(frozen=True, slots=True)
class DueGroup:
    """The requirements due on one day."""

    due_on: date
    rows: tuple[RequirementRow, ...]

    @property
    def due_reasons(self) -> list[AssignedRequirement]:
        """One requirement of each directive in the group, for the directive's wording."""
        return [row.requirement for row in _first_of_each(self.rows, lambda row: row.requirement.directive)]


@dataclass(frozen=True, slots=True)
class MyLearning:
    """The contents of the page."""

    groups: tuple[DueGroup, ...]  # open requirements, the earliest due first
    complete: tuple[RequirementRow, ...]
    excluded: tuple[RequirementRow, ...]
    library: tuple[ModuleProgress, ...]
    guides: tuple[GuideSummary, ...]
    now: datetime

    @property
    def open_rows(self) -> list[RequirementRow]:
        """Every open requirement once, although several directives may have it."""
        rows = [row for group in self.groups for row in group.rows]
        return _first_of_each(rows, lambda row: row.requirement.activity_id)

    @property
    def overdue_rows(self) -> list[RequirementRow]:
        """The open requirements that are overdue or expired."""
        today = london_day(self.now)
        return [row for row in self.open_rows if row.due_on < today]

    @property
    def heading_sentence(self) -> str:
        """The page's heading: how many requirements are open, or overdue, and by when they are due."""
        rows = self.open_rows
        if not rows:
            return "You have no modules to complete" if not self.complete else "You have completed everything"
        if self.overdue_rows:
            return _overdue_sentence(self.overdue_rows)
        noun, verb = _words_for(rows)
        first = date_words(rows[0].due_on)
        same_day = len({row.due_on for row in rows}) == 1
        by = f" by {first}" if same_day else f", the first by {first}"
        return f"You have {plural(len(rows), noun)} to {verb}{by}"

    @property
    def due_on(self) -> date | None:
        """The earliest due date."""
        return self.groups[0].due_on if self.groups else None

    def satisfied_requirement(self, activity_id: int) -> AssignedRequirement | None:
        """Return the completed requirement with this activity; None if no directive has it."""
        return next(
            (row.requirement for row in self.complete if row.requirement.activity_id == activity_id), None
        )

    @property
    def minutes_left(self) -> int:
        """Minutes of work left in all open modules."""
        return sum(row.minutes_left for row in self.open_rows)

    @property
    def next_module(self) -> ModuleProgress | None:
        """The module to go on with: of those due first, one already begun, else the first."""
        rows = [row for row in self.open_rows if row.module is not None and self._can_go_on(row.module)]
        if not rows:
            return None
        soonest = [row for row in rows if row.due_on == rows[0].due_on]
        begun = [row for row in soonest if row.module and row.module.progress]
        return (begun or soonest)[0].module

    @property
    def module_of_button(self) -> ModuleProgress | None:
        """The module of the page's one large button: the next required one, else one begun freely."""
        if self.next_module or self.next_wait:
            return self.next_module
        return next((module for module in self.under_way if self._can_go_on(module)), None)

    @property
    def under_way(self) -> list[ModuleProgress]:
        """The modules that are begun and not passed, required or not; required ones first, by due date."""
        return [module for module in self.library if module.progress is not None]

    def row_of(self, module: ModuleProgress) -> RequirementRow | None:
        """The open requirement due first of a module; None if it is not required."""
        rows = (row for row in self.open_rows if row.requirement.activity_id == module.version.activity_id)
        return next(rows, None)

    @property
    def groups_to_begin(self) -> list[DueGroup]:
        """The groups without the modules under way: each module is listed once, by what is next in it."""
        groups = []
        for group in self.groups:
            if rows := tuple(row for row in group.rows if not (row.module and row.module.progress)):
                groups.append(DueGroup(group.due_on, rows))
        return groups

    @property
    def reasons_under_way(self) -> list[AssignedRequirement]:
        """Why the modules under way are required, for each directive that no group to begin names."""
        named = {reason.directive for group in self.groups_to_begin for reason in group.due_reasons}
        reasons = [reason for group in self.groups for reason in group.due_reasons]
        return _first_of_each(
            (reason for reason in reasons if reason.directive not in named), lambda reason: reason.directive
        )

    @property
    def requires_nothing(self) -> bool:
        """Whether the person has nothing to complete and nothing that they completed for a directive."""
        return not (self.groups or self.complete)

    @property
    def next_wait(self) -> tuple[ModuleProgress, datetime] | None:
        """The module whose wait after a fail ends first, and when; None if there is one to go on with."""
        if self.next_module is not None:
            return None
        modules = [row.module for row in self.open_rows if row.module]
        ends = [(module, end) for module in modules if (end := module.waits_until(self.now))]
        return min(ends, key=lambda pair: pair[1], default=None)

    def _can_go_on(self, module: ModuleProgress) -> bool:
        return not module.attempts_exhausted and module.waits_until(self.now) is None

    @property
    def done_shares(self) -> list[float]:
        """The completed share of each requirement, 0 to 1, complete ones first; none for excluded ones."""
        begun = [row.module for row in self.open_rows if row.module and row.module.progress]
        open_shares = sorted((module.share_done for module in begun), reverse=True)
        not_begun = len(self.open_rows) - len(begun)
        return [1.0] * len(self.complete) + open_shares + [0.0] * not_begun


def load_my_learning(person_id: int, now: datetime) -> MyLearning:
    """Load a person's requirements of today with their progress. The number of statements is fixed."""
    modules = module_progress_by_activity(person_id)
    rows = [
        RequirementRow(requirement, modules.get(requirement.activity_id))
        for requirement in requirements_of(person_id, london_day(now))
    ]
    positions = {row.requirement.activity_id: position for position, row in enumerate(rows)}
    return MyLearning(
        groups=_group_by_due_date(row for row in rows if row.is_open),
        complete=tuple(
            _first_of_each(
                (row for row in rows if row.requirement.status.held), lambda row: row.requirement.activity_id
            )
        ),
        excluded=tuple(row for row in rows if row.requirement.status in (Status.EXEMPT, Status.DEFERRED)),
        library=tuple(
            sorted(
                (module for module in modules.values() if module.progress or not module.archived),
                key=lambda module: positions.get(module.version.activity_id, len(rows)),
            )
        ),
        guides=tuple(guide_summaries()),
        now=now,
    )


def _group_by_due_date(rows: Iterable[RequirementRow]) -> tuple[DueGroup, ...]:
    ordered_rows = sorted(rows, key=lambda row: row.due_on)
    return tuple(
        DueGroup(due_on, tuple(group)) for due_on, group in groupby(ordered_rows, key=lambda row: row.due_on)
    )


def _first_of_each(rows: Iterable[Row], name: Callable[[Row], Hashable]) -> list[Row]:
    """Return the first row for each value of ``name``, in order."""
    first_rows: dict[Hashable, Row] = {}
    for row in rows:
        first_rows.setdefault(name(row), row)
    return list(first_rows.values())


def _overdue_sentence(rows: list[RequirementRow]) -> str:
    """Say how many requirements are overdue, in the words of their status tags."""
    count, expired_count = len(rows), sum(row.is_expired for row in rows)
    subject = plural(count, _words_for(rows)[0])
    if expired_count == count:
        return f"{subject} {'has' if count == 1 else 'have'} expired"
    return f"{subject} {'is' if count == 1 else 'are'} overdue{' or expired' if expired_count else ''}"


def _words_for(rows: Iterable[RequirementRow]) -> tuple[str, str]:
    """Return the noun for these requirements, and the verb for what is to be done with them."""
    return _NOUNS.get("".join({row.requirement.kind for row in rows}), ("requirement", "complete"))


# A person's due dates to come, as entries of their own calendar.


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
