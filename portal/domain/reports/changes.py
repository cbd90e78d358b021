"""Compares two reports of one directive: whose status changed between their positions, and why."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cached_property

from sqlalchemy import select

from portal.domain.people.models import Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.visibility import is_valid_on
from portal.domain.reports import sentences
from portal.domain.reports.cause_facts import (
    Cause,
    FactSight,
    UnitStates,
    facts_of,
    moves_of_units,
    versions_of,
)
from portal.domain.reports.charts import units_visible_throughout
from portal.domain.reports.parameters import EVERYONE, Filters, Position
from portal.domain.reports.queries import (
    PEOPLE,
    CompletionReport,
    ViewerScope,
    linkable_people,
    numbers_and_names,
    units_under,
)
from portal.domain.reports.statistics import Share, share_of_group
from portal.domain.status.changes import (
    Cell,
    Cells,
    Step,
    find_changed_cells,
    find_status_changes,
    list_steps,
)
from portal.domain.status.counts import Scope, Whose
from portal.domain.status.paging import ERASED
from portal.domain.status.queries import people_in_report
from portal.domain.status.rules import WHOLE, Status
from portal.platform import wording as say
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.wording import date as say_date
from portal.platform.wording import plural

# Why a report does not list somebody who is listed at another position, as far as its viewer may know.
#
# Somebody is out of sight at a position if the viewer may see none of their posts of that day. Whether
# they have a row elsewhere is then not looked up: the answer is the same as if they had left the force.


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


# Why a cell of a report changed: facts recorded at a stamp, facts that began on a day, or a date.

DAY = timedelta(days=1)
UNSEEN = "A change that you cannot see."


class Causes:
    """Finds the causes of changes among all facts of some people under one directive.

    A fixed number of queries, however many people there are.

    Args:
        directive_id: The directive.
        people: Ids of people.
        as_known_on: That of the later position.
        sight: What the viewer may know; None: everything.
        until: Moves of units recorded after it are left out; None: none is.
    """

    def __init__(
        self,
        directive_id: int,
        people: Collection[int],
        as_known_on: datetime,
        sight: FactSight | None = None,
        until: datetime | None = None,
    ) -> None:
        self._known_on, self._sight = as_known_on, sight
        states = UnitStates()
        self._facts_by_person = facts_of(sorted(people), directive_id, as_known_on, states, sight)
        versions, unit_moves = list(versions_of(directive_id)), moves_of_units(states, sight, until)
        for facts in self._facts_by_person.values():
            units = {fact.unit_id for fact in facts if fact.unit_id is not None}
            facts += [*versions, *unit_moves.moves_above(units)]

    def causes_of(self, person_id: int, step: Step, steps: Collection[Step]) -> list[Cause]:
        """The causes of one step of a person's changes; ``steps`` are all steps of the person.

        An overall status changes because a requirement's status does.
        """
        if self._sight is None:
            return self._match_causes(self._facts_by_person[person_id], step, steps)
        facts = [fact for fact in self._facts_by_person[person_id] if self._sight.may_tell(fact, step)]
        causes = self._match_causes(facts, step, steps)
        return causes or [Cause(UNSEEN, step.day or self._sight.earlier.position.as_at, step.recorded_at)]

    def _match_causes(self, facts: Sequence[Cause], step: Step, steps: Collection[Step]) -> list[Cause]:
        if step.recorded_at is not None:
            return _recorded_at(facts, step.recorded_at)
        if step.day is None:
            return [fact for fact in facts if fact.moves_unit and self._is_in_force(fact)]
        began = [
            _date_move(fact, step.day) for fact in facts if step.day in fact.edges and self._is_in_force(fact)
        ]
        parts = [other for other in steps if other.day == step.day and step.whole]
        return [*dict.fromkeys(cause for part in (step, *parts) for cause in _date_causes(part)), *began]

    def _is_in_force(self, fact: Cause) -> bool:
        is_known = fact.recorded_at is not None and fact.recorded_at <= self._known_on
        is_replaced = fact.replaced_at is not None and fact.replaced_at <= self._known_on
        return is_known and not fact.void and not is_replaced


def _recorded_at(facts: Sequence[Cause], at: datetime) -> list[Cause]:
    """The facts recorded at a stamp, and those withdrawn then that none of these facts replaces."""
    recorded = [_date_move(fact, london_day(at)) for fact in facts if fact.recorded_at == at]
    replaced = {fact.replaces for fact in recorded}
    ended = [fact for fact in facts if fact.replaced_at == at and not fact.void and fact.fact not in replaced]
    return [*recorded, *(replace(fact, words=f"{fact.words} Withdrawn.", recorded_at=at) for fact in ended)]


def _date_move(fact: Cause, day: date) -> Cause:
    """Date a unit's move to this day: the end of its old state and the start of its new one are one cause."""
    return replace(fact, on=day) if fact.moves_unit else fact


def _date_causes(step: Step) -> Iterator[Cause]:
    """The due date or the end of a record that passes between the day before a step and its day."""
    old, new, day = step.old, step.new, step.day
    if day is None or old is None or new is None:
        return
    for cell in (old, new):
        if cell.due_on + DAY == day:
            yield Cause(f"The due date, {say.date(cell.due_on)}, passed.", day)
            break
    ends = {(cell.valid_until, cell.status) for cell in (old, new) if cell.valid_until}
    for until, status in sorted(ends):
        if until + DAY == day:
            yield Cause(f"The record counted until {say.date(until)}.", day)
            break
        if status is Status.EXPIRING:
            yield Cause(f"The record ends soon, on {say.date(until)}.", day)


SAME, OTHER_DUE_DATE = "same", "due"
KINDS = {SAME: "Overall the same", OTHER_DUE_DATE: "Another due date"}


@dataclass(frozen=True, slots=True)
class CellChange:
    """One status that changed, in words."""

    what: str  # the requirement, or the whole directive
    change: str


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """People whose overall status changed alike."""

    key: str  # as the address names it, such as "in_progress-overdue"
    words: str  # such as "In progress, then Overdue"
    people: int


@dataclass(frozen=True, slots=True)
class Change:
    """One person whose status changed, or whom the viewer may see in only one of the reports, and why."""

    name: str
    staff_number: str
    is_linked: bool  # the viewer may open their page
    cells: list[CellChange]  # the overall status first, if it changed
    causes: list[Cause]


@dataclass(frozen=True)
class Changes:
    """The differences between two reports of one directive, as far as their viewer may see each.

    ``filters`` narrow them to people who match in one of the two reports. The unit is the one that has the
    path at the later position, even if it had another name before.
    """

    earlier: CompletionReport
    later: CompletionReport
    filters: Filters = EVERYONE

    @cached_property
    def _scopes(self) -> tuple[Scope, Scope]:
        people_after = self.later.viewer_scope.select_people(self.filters)
        people_before = self.earlier.viewer_scope.select_people(self.filters.without("unit"))
        if self.filters.unit:
            unit_id, units = (
                self.later.viewer_scope.unit_of(self.filters.unit),
                self.earlier.viewer_scope.units,
            )
            within = frozenset(units_under(units, unit_id) if unit_id else ())
            people_before = replace(people_before, within=within)
        return self.earlier.scope_of(people_before), self.later.scope_of(people_after)

    @cached_property
    def cells(self) -> dict[int, Cells]:
        """The cells that differ, by person; of people with a row in one report alone, the overall status."""
        changed_cells = find_changed_cells(*self._scopes)
        return {
            person_id: {WHOLE: cells[WHOLE]} if None in cells.get(WHOLE, ()) else cells
            for person_id, cells in changed_cells.items()
        }

    @cached_property
    def _absences(self) -> tuple[Absences, Absences]:
        """Why people with a row in only one of the reports have none in the other."""
        overall = {person_id: cells[WHOLE] for person_id, cells in self.cells.items() if WHOLE in cells}
        before, after = (
            Absences.look_up(
                report, self.filters, [person_id for person_id, pair in overall.items() if pair[side] is None]
            )
            for side, report in enumerate((self.earlier, self.later))
        )
        return before, after

    @cached_property
    def uncounted(self) -> int:
        """How many people the viewer may see in only one of the two reports: listed, but not counted."""
        before, after = self._absences
        return len(before.out_of_sight | after.out_of_sight)

    @property
    def uncounted_words(self) -> str:
        """The same as a sentence; empty if there are none."""
        if not self.uncounted:
            return ""
        people = plural(self.uncounted, "more person", "more people")
        verb = "is" if self.uncounted == 1 else "are"
        place = self.later.viewer_scope.place_words.replace("one of your", "among your")
        return f"{people} {verb} listed but not counted: they were {place} in only one of the two reports."

    @property
    def h1(self) -> str:
        """The heading: how many people's status changed."""
        count = len(self.cells) - self.uncounted
        if not count:
            return "No status changed"
        return f"{plural(count, 'person’s', 'people’s')} status changed"

    @cached_property
    def _people_by_kind(self) -> dict[str, list[int]]:
        """The people of each kind of change, by its key."""
        people: dict[str, list[int]] = {}
        for person_id, cells in self.cells.items():
            people.setdefault(self._kind_of(person_id, cells.get(WHOLE)), []).append(person_id)
        return people

    def _kind_of(self, person_id: int, pair: tuple[Cell | None, Cell | None] | None) -> str:
        if pair is None:
            return SAME
        old, new = pair
        if old and new and old.status is new.status:
            return OTHER_DUE_DATE
        return "-".join(
            cell.status.key if cell else absences.reason_of(person_id).name.lower()
            for cell, absences in zip(pair, self._absences, strict=True)
        )

    @cached_property
    def kinds(self) -> list[ChangeKind]:
        """Every kind of change with its number of people, the largest first."""
        kinds = [
            ChangeKind(key, self._kind_words(key, people[0]), len(people))
            for key, people in self._people_by_kind.items()
        ]
        return sorted(kinds, key=lambda kind: (-kind.people, kind.words))

    def _kind_words(self, key: str, person_id: int) -> str:
        """A kind of change in words, which are the same for each of its people."""
        return KINDS.get(key) or self._change_words(person_id, *self.cells[person_id][WHOLE])

    def people_of_kind(self, kind: str) -> list[int]:
        """The ids of the people whose status changed so; of everyone whose status changed if it is empty."""
        return self._people_by_kind.get(kind, []) if kind else list(self.cells)

    def list_changes(self, kind: str, offset: int, limit: int) -> list[Change]:
        """List a slice of ``people_of_kind`` by name, each with what changed and why.

        A fixed number of queries for so many people.
        """
        people = _list_names(self.people_of_kind(kind))[offset : offset + limit]
        ids = [person_id for person_id, *_ in people]
        sight, people_between = self._sight_between()
        known = (self.earlier.position.as_known_on, self.later.position.as_known_on)
        steps_by_person = list_steps(*self._scopes, ids, people_between)
        causes = Causes(self.later.directive.id, ids, known[1], sight, max(known))
        linkable = linkable_people(self.later.viewer, ids)
        return [
            Change(
                name,
                number,
                person_id in linkable and not erased,
                [self._cell_change(person_id, *cell) for cell in sorted(self.cells[person_id].items())],
                _unique_causes(
                    cause
                    for step in steps_by_person[person_id]
                    if step.position in self.cells[person_id]
                    for cause in causes.causes_of(person_id, step, steps_by_person[person_id])
                ),
            )
            for person_id, number, name, erased in people
        ]

    def _sight_between(self) -> tuple[FactSight | None, Whose | None]:
        """What the viewer may know between the positions, and whose rows count there if units moved."""
        before, after = self.earlier.viewer_scope, self.later.viewer_scope
        if after.everyone:
            return None, None
        sight = FactSight(before, after)
        throughout = units_visible_throughout(before, after)
        if throughout == before.unit_ids == after.unit_ids:
            return sight, None
        return sight, replace(self._scopes[1].whose, unit_ids=throughout)

    def _cell_change(
        self, person_id: int, position: int, pair: tuple[Cell | None, Cell | None]
    ) -> CellChange:
        titles = {
            requirement.position: requirement.short_title
            for report in (self.earlier, self.later)
            for requirement in report.directive.requirements
        }
        what = titles.get(position, f"Requirement {position}") if position else "Overall"
        old, new = pair
        with_due = old is not None and new is not None and old.due_on != new.due_on
        return CellChange(what, self._change_words(person_id, old, new, with_due=with_due))

    def _change_words(
        self, person_id: int, old: Cell | None, new: Cell | None, *, with_due: bool = False
    ) -> str:
        before, after = (absences.reason_in_words(person_id) for absences in self._absences)
        old_words, new_words = _cell_words(old, before, with_due), _cell_words(new, after, with_due)
        if old is None and before == Absence.NOT_REQUIRED.value:
            return f"Newly required (was not required), {new_words}"
        if new is None and after == Absence.NOT_REQUIRED.value:
            return f"No longer required (was {old_words})"
        return f"{old_words}, then {new_words}"


def _cell_words(cell: Cell | None, absent: str, with_due: bool) -> str:
    if cell is None:
        return absent
    return f"{cell.status.label}, due {say_date(cell.due_on)}" if with_due else cell.status.label


def _list_names(people: Sequence[int]) -> list[tuple[int, str, str, bool]]:
    """Id, staff number and name of each of these people by name, and whether they are erased."""
    named = numbers_and_names(people, len(people))
    known = {person_id for person_id, _, _ in named}
    erased = [(person_id, f"{ERASED}-{person_id}", ERASED, True) for person_id in sorted(set(people) - known)]
    return [*((*person, False) for person in named), *erased]


def _unique_causes(causes: Iterable[Cause]) -> list[Cause]:
    return sorted(set(causes), key=lambda cause: (cause.on, cause.words))


def position_words(position: Position) -> str:
    """A position in a few words."""
    return f"{say_date(position.as_at)}, {sentences.known_on_words(position)}"


# Compares a report with the same day as known now: whose status late-arriving facts changed.

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One person whose status differs, or whom the viewer may see in only one of the two reports."""

    staff_number: str
    name: str
    status_then: str  # in words
    status_now: str
    is_linked: bool  # the viewer may open their page, whose timeline has the facts


@dataclass(frozen=True, slots=True)
class KnownNow:
    """The same day as known now, beside a report as known earlier."""

    share: Share
    count: int  # people whose status differs
    uncounted: int  # people whom the viewer may see in only one of the two reports
    differences: list[Difference]  # the first ``SHOWN`` of all of them, by surname


def compare_with_known_now(report: CompletionReport, newest: datetime) -> KnownNow:
    """Compare a report's group with the same day as known on ``newest``.

    A fixed number of statements: the share is computed from the report's own figures and the changes.
    """
    report_now = _as_known_on(report, newest)
    group = report.filters.group
    scope_then, scope_now = (
        one.scope_of(one.viewer_scope.select_people(group)) for one in (report, report_now)
    )
    statuses = find_status_changes(scope_then, scope_now)
    counts = dict(report.group.by_status)
    for (old, new), people_changed in Counter(statuses.values()).items():
        if old is not None:
            counts[old] -= people_changed
        if new is not None:
            counts[new] += people_changed
    before, after = (
        Absences.look_up(
            one, group, [person_id for person_id, pair in statuses.items() if pair[side] is None]
        )
        for side, one in enumerate((report, report_now))
    )
    people = numbers_and_names(list(statuses), SHOWN)
    linkable = linkable_people(report.viewer, [person_id for person_id, _, _ in people])
    differences = [
        Difference(
            number,
            name,
            _status_words(statuses[person_id][0], before.reason_in_words(person_id)),
            _status_words(statuses[person_id][1], after.reason_in_words(person_id)),
            person_id in linkable,
        )
        for person_id, number, name in people
    ]
    uncounted = len(before.out_of_sight | after.out_of_sight)
    return KnownNow(share_of_group(counts), len(statuses) - uncounted, uncounted, differences)


def _status_words(status: Status | None, absent: str) -> str:
    return absent if status is None else status.label


def _as_known_on(report: CompletionReport, newest: datetime) -> CompletionReport:
    """The same report as known on the newest stamp."""
    position = replace(report.position, as_known_on=newest, latest=True)
    viewer_scope = ViewerScope.of_viewer(report.viewer, position)
    return replace(report, position=position, viewer_scope=viewer_scope)
