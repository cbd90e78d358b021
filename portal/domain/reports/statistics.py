"""The numbers of a report, all summed from one count by unit, requirement and status."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from portal.domain.people.queries import UnitRow
from portal.domain.reports.directive_snapshot import Subject
from portal.domain.status.rules import Status

BAR_ORDER = (
    Status.SATISFIED,
    Status.EXPIRING,
    Status.IN_PROGRESS,
    Status.NOT_STARTED,
    Status.EXPIRED,
    Status.OVERDUE,
)


@dataclass(frozen=True)
class Share:
    """How many of those counted are complete."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Figures:
    """People, and rows of the file, by unit and status."""

    people: dict[int, dict[Status, int]] = field(default_factory=dict)  # unit id -> status -> people
    requirements: dict[int, dict[Status, int]] = field(default_factory=dict)  # position -> status -> people
    rows: int = 0

    @classmethod
    def of(cls, counted: Iterable[tuple[int, int, Status, int]], rows_of_each: int = 0) -> "Figures":
        """From rows of unit id, position, status and number of people.

        Args:
            counted: The rows; position 0 is the whole directive.
            rows_of_each: How many rows each person has, where only the whole directive is counted.
        """
        people: dict[int, dict[Status, int]] = {}
        requirements: dict[int, dict[Status, int]] = {}
        rows = 0
        for unit_id, position, status, count in counted:
            group = requirements.setdefault(position, {}) if position else people.setdefault(unit_id, {})
            group[status] = group.get(status, 0) + count
            rows += count if position else count * rows_of_each
        return cls(people, requirements, rows)

    @classmethod
    def of_units(cls, counted: Iterable[tuple[int, Status, int]], rows_of_each: int) -> "Figures":
        """From rows of unit id, status and number of people under the whole directive."""
        return cls.of(((unit_id, 0, status, people) for unit_id, status, people in counted), rows_of_each)

    @cached_property
    def by_status(self) -> dict[Status, int]:
        """People by status over all units, every status named."""
        found = dict.fromkeys(Status, 0)
        for unit in self.people.values():
            for status, people in unit.items():
                found[status] += people
        return found

    @property
    def assigned(self) -> int:
        """All people with a row."""
        return sum(self.by_status.values())

    @property
    def rows_of_each(self) -> int:
        """How many requirements each person has, where all have the same ones; else 0."""
        same = all(sum(group.values()) == self.assigned for group in self.requirements.values())
        return len(self.requirements) if same else 0

    @property
    def share(self) -> Share:
        """The numerator and the denominator of the percentage."""
        return share(self.by_status)

    @property
    def bar(self) -> list[tuple[Status, int]]:
        """Those counted, in the order of the bar."""
        return [(status, self.by_status[status]) for status in BAR_ORDER]

    def count(self, *statuses: Status) -> int:
        """People with one of these statuses."""
        return sum(self.by_status[status] for status in statuses)

    @property
    def unit_people(self) -> dict[int, int]:
        """People by unit id."""
        return {unit_id: sum(group.values()) for unit_id, group in self.people.items()}


def share(group: dict[Status, int]) -> Share:
    """How many of a group count, and how many of them are complete."""
    total = sum(count for status, count in group.items() if not status.excluded)
    return Share(sum(count for status, count in group.items() if status.held), total)


@dataclass(frozen=True)
class UnitLine:
    """A unit and all below it, as one line of the unit table."""

    name: str
    path: str | None  # None: those who stand in the parent itself
    done: int
    total: int


def minutes_to_learn(figures: Figures, subject: Subject) -> int:
    """Minutes of what people have still to complete, each module and guide at its full length."""
    minutes = 0
    for asked in subject.asked:
        version = subject.versions.current.get(asked.activity_id)
        counts = figures.requirements.get(asked.position, {})
        missing = sum(n for status, n in counts.items() if not status.held and not status.excluded)
        minutes += missing * (version.minutes if version else 0)
    return minutes


@dataclass(frozen=True)
class Outlook:
    """How long people have been overdue, and how many have still to complete soon."""

    late: dict[str, int]  # by the band's name in an address, the shortest first
    soon: int

    @classmethod
    def of(
        cls, left: Iterable[tuple[Status, int, int]], bands: dict[str, tuple[int, int]], ahead: int
    ) -> "Outlook":
        """From rows of status, days to the last day in time, and people.

        Args:
            left: Of those who have still to complete; days are below zero where it is past.
            bands: Least and most days overdue, both counted, by name.
            ahead: The most days that are soon.
        """
        late, soon = dict.fromkeys(bands, 0), 0
        for status, days, people in left:
            if status in (Status.OVERDUE, Status.EXPIRED):
                for name, (least, most) in bands.items():
                    late[name] += people * (least <= -days <= most)
            elif days <= ahead:
                soon += people
        return cls(late, soon)


@dataclass(frozen=True)
class GroupLine:
    """Those of one rank, grade or role, as one line of its table."""

    name: str
    done: int
    total: int


def group_lines(counted: Iterable[tuple[str, Status, int]]) -> list[GroupLine]:
    """The groups named, the lowest share first; those of whom nobody is counted come last."""
    groups: dict[str, dict[Status, int]] = {}
    for name, status, people in counted:
        group = groups.setdefault(name, {})
        group[status] = group.get(status, 0) + people
    shares = [(name, share(group)) for name, group in groups.items()]
    lines = [GroupLine(name, each.done, each.total) for name, each in shares]
    return sorted(lines, key=_lowest)


def _lowest(line: "GroupLine | UnitLine") -> tuple[float, str]:
    return line.done / line.total if line.total else 2, line.name


def unit_lines(figures: Figures, units: dict[int, UnitRow], top: int | None) -> list[UnitLine]:
    """The units right below ``top``, each with all under it, the lowest share first.

    Args:
        figures: What is counted.
        units: The tree of the position.
        top: The unit looked into; None: the lowest one that holds everybody counted.
    """
    chains = {unit_id: _chain(unit_id, units) for unit_id in figures.people}
    if top is None:
        top = _common(list(chains.values()))
    groups: dict[int, dict[Status, int]] = {}
    for unit_id, counts in figures.people.items():
        chain = chains[unit_id]
        if top is not None and top not in chain:
            continue
        depth = chain.index(top) + 1 if top is not None else 0
        group = groups.setdefault(chain[depth] if depth < len(chain) else unit_id, {})
        for status, count in counts.items():
            group[status] = group.get(status, 0) + count
    if set(groups) == {top}:  # all stand in it, and the table has one line
        top = None
    lines = [_line(unit_id, top, share(group), units) for unit_id, group in groups.items()]
    return sorted(lines, key=_lowest)


def _line(unit_id: int, top: int | None, counted: Share, units: dict[int, UnitRow]) -> UnitLine:
    unit = units.get(unit_id)
    name = unit.name if unit else "A unit that had ended"
    if unit_id == top:
        return UnitLine(f"{name}, in no unit below", None, counted.done, counted.total)
    return UnitLine(name, unit.path if unit else None, counted.done, counted.total)


def _chain(unit_id: int, units: dict[int, UnitRow]) -> list[int]:
    """The ids from the force down to the unit."""
    chain: list[int] = []
    at: int | None = unit_id
    while at is not None and at not in chain:
        chain.append(at)
        at = units[at].parent_id if at in units else None
    return chain[::-1]


def _common(chains: list[list[int]]) -> int | None:
    """The lowest unit that stands in every chain."""
    if not chains:
        return None
    shared = None
    for level in zip(*chains, strict=False):
        if len(set(level)) > 1:
            break
        shared = level[0]
    return shared
