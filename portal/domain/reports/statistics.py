"""The figures of a report, all added up from one count by unit, requirement and status."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from portal.domain.people.queries import UnitRow
from portal.domain.reports.directive_snapshot import DirectiveSnapshot
from portal.domain.reports.parameters import DUE_DAYS, LATE_BANDS
from portal.domain.status.counting import RequirementCount
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
    """How many of the counted people are complete."""

    done: int = 0
    total: int = 0

    def __add__(self, other: "Share") -> "Share":
        """The share of both groups together."""
        return Share(self.done + other.done, self.total + other.total)


@dataclass(frozen=True)
class Figures:
    """Numbers of people by unit and status, and of rows of the file."""

    people: dict[int, dict[Status, int]] = field(default_factory=dict)  # unit id -> status -> people
    requirements: dict[int, dict[Status, int]] = field(default_factory=dict)  # position -> status -> people
    rows: int = 0

    @classmethod
    def by_directive(cls, counted: Iterable[RequirementCount]) -> dict[int, "Figures"]:
        """The figures of each directive from people by directive, unit, position and status."""
        rows: dict[int, list[tuple[int, int, Status, int]]] = {}
        for directive_id, unit_id, position, status, people in counted:
            rows.setdefault(directive_id, []).append((unit_id, position, status, people))
        return {directive_id: cls.from_counts(counts) for directive_id, counts in rows.items()}

    @classmethod
    def from_counts(cls, counted: Iterable[tuple[int, int, Status, int]], rows_of_each: int = 0) -> "Figures":
        """Add up rows of unit id, position of the requirement, status and number of people.

        Args:
            counted: The rows; position 0 is the whole directive.
            rows_of_each: How many rows each person has, if only the whole directive is counted.
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
    def from_unit_counts(cls, counted: Iterable[tuple[int, Status, int]], rows_of_each: int) -> "Figures":
        """Add up rows of unit id, overall status and number of people."""
        return cls.from_counts(
            ((unit_id, 0, status, people) for unit_id, status, people in counted), rows_of_each
        )

    @cached_property
    def by_status(self) -> dict[Status, int]:
        """People by status in all units; statuses that nobody has are 0."""
        counts = dict.fromkeys(Status, 0)
        for unit in self.people.values():
            for status, people in unit.items():
                counts[status] += people
        return counts

    @property
    def assigned(self) -> int:
        """All people with a row."""
        return sum(self.by_status.values())

    @property
    def rows_of_each(self) -> int:
        """How many requirements each person has, if all have the same ones; else 0."""
        same = all(sum(group.values()) == self.assigned for group in self.requirements.values())
        return len(self.requirements) if same else 0

    @property
    def share(self) -> Share:
        """The numerator and the denominator of the percentage."""
        return share_of_group(self.by_status)

    @property
    def bar(self) -> list[tuple[Status, int]]:
        """The counted people by status, in the order of the status bar."""
        return [(status, self.by_status[status]) for status in BAR_ORDER]

    def count_people(self, *statuses: Status) -> int:
        """People with one of these statuses."""
        return sum(self.by_status[status] for status in statuses)

    @property
    def unit_shares(self) -> dict[int, Share]:
        """The share of complete people by unit id."""
        return {unit_id: share_of_group(group) for unit_id, group in self.people.items()}

    @property
    def unit_people(self) -> dict[int, int]:
        """People by unit id."""
        return {unit_id: sum(group.values()) for unit_id, group in self.people.items()}


def share_of_group(group: dict[Status, int]) -> Share:
    """How many people of a group are counted, and how many of them are complete."""
    total = sum(count for status, count in group.items() if not status.excluded)
    return Share(sum(count for status, count in group.items() if status.held), total)


@dataclass(frozen=True)
class UnitLine:
    """A unit with all units below it: one line of the unit table."""

    name: str
    path: str | None  # None: the people in the parent itself, or a unit that had ended
    done: int
    total: int


def minutes_to_learn(figures: Figures, directive: DirectiveSnapshot) -> int:
    """Minutes of everything that people have still to complete, each module and guide at full length."""
    minutes = 0
    for requirement in directive.requirements:
        version = directive.versions.current.get(requirement.activity_id)
        counts = figures.requirements.get(requirement.position, {})
        missing = sum(n for status, n in counts.items() if not status.held and not status.excluded)
        minutes += missing * (version.minutes if version else 0)
    return minutes


@dataclass(frozen=True)
class Outlook:
    """How long people have been overdue, and how many are due soon."""

    late: dict[str, int]  # by the band's name in an address, the shortest first
    soon: int

    @classmethod
    def by_directive(
        cls, left: Iterable[tuple[int, Status, int, int]], directive_ids: Iterable[int]
    ) -> dict[int, "Outlook"]:
        """Add up rows of directive, status, days left and number of people, for each of these directives.

        Args:
            left: Only people with something still to complete; days are negative once overdue.
            directive_ids: The directives; some may have no rows.
        """
        late = {directive_id: dict.fromkeys(LATE_BANDS, 0) for directive_id in directive_ids}
        soon = dict.fromkeys(late, 0)
        for directive_id, status, days, people in left:
            if status in (Status.OVERDUE, Status.EXPIRED):
                for name, (least, most) in LATE_BANDS.items():
                    late[directive_id][name] += people * (least <= -days <= most)
            elif days <= DUE_DAYS["30"]:
                soon[directive_id] += people
        return {directive_id: cls(late[directive_id], soon[directive_id]) for directive_id in late}


@dataclass(frozen=True)
class GroupLine:
    """The people of one rank, grade or role: one line of a table."""

    name: str
    done: int
    total: int


def group_lines(counted: Iterable[tuple[str, Share]], *, most_first: bool = False) -> list[GroupLine]:
    """The named groups, the lowest share first; groups in which nobody is counted come last."""
    groups: dict[str, Share] = {}
    for name, share in counted:
        groups[name] = groups.get(name, Share()) + share
    lines = [GroupLine(name, share.done, share.total) for name, share in groups.items()]
    return sorted(lines, key=_largest_share_first if most_first else _lowest_share_first)


def _lowest_share_first(line: "GroupLine | UnitLine") -> tuple[float, str]:
    return line.done / line.total if line.total else 2, line.name


def _largest_share_first(line: "GroupLine | UnitLine") -> tuple[float, str]:
    return -line.done / line.total if line.total else 1, line.name


def unit_lines(
    shares: dict[int, Share], units: dict[int, UnitRow], top: int | None, *, most_first: bool = False
) -> list[UnitLine]:
    """The units directly below ``top``, each with all units below it, the lowest share first.

    Args:
        shares: By unit id.
        units: The units of the position.
        top: A unit; None: the lowest one that contains everybody counted.
        most_first: The largest share first instead.
    """
    group_of, top = group_units(shares, units, top)
    groups: dict[int, Share] = {}
    for unit_id, key in group_of.items():
        groups[key] = groups.get(key, Share()) + shares[unit_id]
    lines = [_unit_line(unit_id, top, share, units) for unit_id, share in groups.items()]
    return sorted(lines, key=_largest_share_first if most_first else _lowest_share_first)


def group_units(
    unit_ids: Iterable[int], units: dict[int, UnitRow], top: int | None = None
) -> tuple[dict[int, int], int | None]:
    """The unit directly below ``top`` that each unit is in; those outside ``top`` are left out.

    Args:
        unit_ids: The units.
        units: The units of the position.
        top: A unit; None: the lowest one that contains them all.

    Returns:
        The unit directly below by unit, and ``top``; None for it if everybody is in that unit itself, which
        is then named like any other.
    """
    chains = {unit_id: _units_from_top(unit_id, units) for unit_id in unit_ids}
    if top is None:
        top = _lowest_common_unit(list(chains.values()))
    group_of: dict[int, int] = {}
    for unit_id, chain in chains.items():
        if top is not None and top not in chain:
            continue
        depth = chain.index(top) + 1 if top is not None else 0
        group_of[unit_id] = chain[depth] if depth < len(chain) else unit_id
    return group_of, None if set(group_of.values()) == {top} else top


def name_unit(unit_id: int, top: int | None, units: dict[int, UnitRow]) -> str:
    """The name of a line of the unit table: of a unit, or of the people in ``top`` itself."""
    unit = units.get(unit_id)
    name = unit.label if unit else "A unit that had ended"
    return f"{name}, not in a sub-unit" if unit_id == top else name


def _unit_line(unit_id: int, top: int | None, counted: Share, units: dict[int, UnitRow]) -> UnitLine:
    unit = units.get(unit_id)
    path = unit.path if unit and unit_id != top else None
    return UnitLine(name_unit(unit_id, top, units), path, counted.done, counted.total)


def _units_from_top(unit_id: int, units: dict[int, UnitRow]) -> list[int]:
    """The ids from the force down to the unit."""
    chain: list[int] = []
    current: int | None = unit_id
    while current is not None and current not in chain:
        chain.append(current)
        current = units[current].parent_id if current in units else None
    return chain[::-1]


def _lowest_common_unit(chains: list[list[int]]) -> int | None:
    """The lowest unit that is in every chain."""
    if not chains:
        return None
    shared = None
    for level in zip(*chains, strict=False):
        if len(set(level)) > 1:
            break
        shared = level[0]
    return shared
