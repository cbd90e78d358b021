"""What My learning says: one sentence, one next step, and the requirements by due date."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from portal.domain.catalogue.guide_publishing import GuideSummary, guide_summaries
from portal.domain.learning.queries import ModuleProgress, module_progress_by_activity
from portal.domain.status.queries import Asked, asked_of
from portal.domain.status.rules import Status
from portal.platform.clock import london_day
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

_NOUNS = {"module": ("module", "complete"), "guide": ("guide", "read")}  # where all are of one kind


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One requirement as the page shows it; ``module`` where it is a published module."""

    requirement: Asked
    module: ModuleProgress | None

    @property
    def title(self) -> str:
        """The module's or guide's title; the key of what has no page of its own yet."""
        if self.module:
            return self.module.version.title
        return self.requirement.guide_title or self.requirement.key.replace("-", " ").capitalize()

    @property
    def is_guide(self) -> bool:
        """Whether it is a published guide, to be read and acknowledged."""
        return self.requirement.guide_title is not None

    @property
    def is_renewable(self) -> bool:
        """Whether it is a module whose completion ends soon: it may be taken again, and the pass stays."""
        return self.module is not None and self.requirement.status is Status.EXPIRING

    @property
    def minutes_left(self) -> int:
        """Minutes to work, 0 once it is complete or excluded."""
        return self.module.minutes_left if self.module and self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether the person still has to do something."""
        return not (self.requirement.status.held or self.requirement.status.excluded)


@dataclass(frozen=True, slots=True)
class DueGroup:
    """What is due on one day, and the directives that ask for it."""

    due_on: date
    rows: tuple[RequirementRow, ...]

    @property
    def due_reasons(self) -> list[Asked]:
        """One requirement of each directive in the group, for its wording."""
        return [row.requirement for row in _first_of_each(self.rows, lambda row: row.requirement.directive)]


@dataclass(frozen=True, slots=True)
class MyLearning:
    """The whole page."""

    groups: tuple[DueGroup, ...]  # open requirements, the earliest due first
    complete: tuple[RequirementRow, ...]
    excluded: tuple[RequirementRow, ...]
    library: tuple[ModuleProgress, ...]
    guides: tuple[GuideSummary, ...]
    now: datetime

    @property
    def open_rows(self) -> list[RequirementRow]:
        """Every open requirement once, though several directives may ask for it."""
        rows = [row for group in self.groups for row in group.rows]
        return _first_of_each(rows, lambda row: row.requirement.activity_id)

    @property
    def heading_sentence(self) -> str:
        """The page's answer and heading."""
        rows = self.open_rows
        if not rows:
            return "You have no modules to complete" if not self.complete else "You have completed everything"
        noun, verb = _NOUNS.get("".join({row.requirement.kind for row in rows}), ("requirement", "complete"))
        first = date_words(rows[0].requirement.due_on)
        same_day = len({row.requirement.due_on for row in rows}) == 1
        by = f" by {first}" if same_day else f", the first by {first}"
        return f"You have {plural(len(rows), noun)} to {verb}{by}"

    @property
    def due_on(self) -> date | None:
        """The first due date."""
        return self.groups[0].due_on if self.groups else None

    def satisfied_requirement(self, activity_id: int) -> Asked | None:
        """The requirement that a record of this activity satisfies, where a directive asks for it."""
        return next(
            (row.requirement for row in self.complete if row.requirement.activity_id == activity_id), None
        )

    @property
    def minutes_left(self) -> int:
        """Minutes of all open modules."""
        return sum(row.minutes_left for row in self.open_rows)

    @property
    def next_module(self) -> ModuleProgress | None:
        """The module to go on with: one begun among those due first, else the first of them."""
        rows = [row for row in self.open_rows if row.module is not None and self._can_go_on(row.module)]
        if not rows:
            return None
        soonest = [row for row in rows if row.requirement.due_on == rows[0].requirement.due_on]
        begun = [row for row in soonest if row.module and row.module.progress]
        return (begun or soonest)[0].module

    @property
    def next_wait(self) -> tuple[ModuleProgress, datetime] | None:
        """Where there is nothing to go on with: the module whose wait after a fail ends first, and when."""
        if self.next_module is not None:
            return None
        courses = [row.module for row in self.open_rows if row.module]
        ends = [(course, end) for course in courses if (end := course.waits_until(self.now))]
        return min(ends, key=lambda pair: pair[1], default=None)

    def _can_go_on(self, course: ModuleProgress) -> bool:
        return not course.attempts_exhausted and course.waits_until(self.now) is None

    @property
    def done_shares(self) -> list[float]:
        """How far each counted requirement is done, from 0 to 1, complete ones first."""
        begun = [row.module for row in self.open_rows if row.module and row.module.progress]
        open_shares = sorted((course.share_done for course in begun), reverse=True)
        untouched = len(self.open_rows) - len(begun)
        return [1.0] * len(self.complete) + open_shares + [0.0] * untouched


def load_my_learning(person_id: int, now: datetime) -> MyLearning:
    """What is asked of a person today, with how far they are; the same few statements always."""
    found = module_progress_by_activity(person_id)
    rows = [
        RequirementRow(asked, found.get(asked.activity_id)) for asked in asked_of(person_id, london_day(now))
    ]
    places = {row.requirement.activity_id: place for place, row in enumerate(rows)}
    return MyLearning(
        groups=_group_by_due_date(row for row in rows if row.is_open),
        complete=tuple(
            _first_of_each(
                (row for row in rows if row.requirement.status.held), lambda row: row.requirement.activity_id
            )
        ),
        excluded=tuple(row for row in rows if row.requirement.status in (Status.EXEMPT, Status.DEFERRED)),
        library=tuple(
            sorted(found.values(), key=lambda each: places.get(each.version.activity_id, len(rows)))
        ),
        guides=tuple(guide_summaries()),
        now=now,
    )


def _group_by_due_date(rows: Iterable[RequirementRow]) -> tuple[DueGroup, ...]:
    return tuple(
        DueGroup(due, tuple(some)) for due, some in groupby(rows, key=lambda row: row.requirement.due_on)
    )


def _first_of_each(
    rows: Iterable[RequirementRow], name: Callable[[RequirementRow], Hashable]
) -> list[RequirementRow]:
    """The first row of each name, in their order."""
    found: dict[Hashable, RequirementRow] = {}
    for row in rows:
        found.setdefault(name(row), row)
    return list(found.values())
