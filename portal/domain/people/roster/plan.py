"""What a roster would change, decided without touching a database: the rules of the roster file.

Within one person and ``post_key`` rows are taken by ``valid_from``, together with the posts held. A row
with the ``valid_from`` of a post held replaces it, where anything differs; a new one adds a post and cuts
the one before it on the day before. Nothing is changed while any row is bad.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from portal.domain.people.roster.rows import RosterRow
from portal.domain.people.roster.units import UnitPlan, UnitRef, plan_units
from portal.domain.people.services import PersonNames
from portal.domain.people.units.tree import UnitTree
from portal.platform.db import OPEN_END
from portal.platform.errors import BadInputError

Slot = tuple[str, str]  # staff number and post key: within one, posts never overlap
ONE_DAY = timedelta(days=1)


class PostValues(NamedTuple):
    """What a post says. A unit still to be created is its names, a line manager is a staff number."""

    staff_number: str
    post_key: str
    rank_or_grade: str
    designated_role: str
    unit: UnitRef
    manager: str | None
    valid_from: date
    valid_to: date


class KnownPost(NamedTuple):
    """A known post, with the id of its fact."""

    id: int
    values: PostValues


@dataclass(frozen=True, slots=True)
class RosterBaseline:
    """What is known before the roster: everything its rules look at."""

    names: Mapping[str, PersonNames]  # by staff number
    posts: Mapping[Slot, Sequence[KnownPost]]
    withdrawn_posts: frozenset[tuple[str, str, date]]  # staff number, key and first day of posts made void
    tree: UnitTree
    today: date


class PostChange(NamedTuple):
    """One fact to write: a new post, or one that replaces (``void``: withdraws) the fact of an id."""

    values: PostValues
    replaces_id: int | None = None
    void: bool = False


@dataclass(slots=True)
class RosterPlan:
    """Everything a roster changes, and what it says nothing about."""

    new_people: list[PersonNames] = field(default_factory=list)  # their person_id is 0 until they are written
    renamed_people: list[PersonNames] = field(default_factory=list)
    post_changes: list[PostChange] = field(default_factory=list)
    unit_plan: UnitPlan = field(default_factory=UnitPlan)
    unchanged_count: int = 0
    missing_people: list[str] = field(default_factory=list)
    missing_posts: list[str] = field(default_factory=list)

    @property
    def new_post_count(self) -> int:
        """How many posts are added."""
        return sum(change.replaces_id is None for change in self.post_changes)

    @property
    def withdrawn_count(self) -> int:
        """How many posts are made void."""
        return sum(change.void for change in self.post_changes)

    @property
    def correction_count(self) -> int:
        """How many posts are replaced by one that says something else, cuts included."""
        return len(self.post_changes) - self.new_post_count - self.withdrawn_count

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be written."""
        return not (self.new_people or self.renamed_people or self.post_changes or self.unit_plan)


def plan_roster(rows: Sequence[RosterRow], world: RosterBaseline) -> RosterPlan:
    """What the rows change in the world.

    Raises:
        BadInputError: Some rows are bad; each is told with its line.
    """
    made, reasons = plan_with_faults(rows, world)
    if reasons:
        raise BadInputError(reasons)
    return made


def plan_with_faults(
    rows: Sequence[RosterRow], world: RosterBaseline, also_listed: Collection[str] = ()
) -> tuple[RosterPlan, list[str]]:
    """What the rows would change in the world, and every reason why some are bad, by line.

    While there is a reason the plan must not be carried out: it only shows what the rest would do.

    Args:
        rows: Those that could be read.
        world: What is known before.
        also_listed: Staff numbers on rows that could not be read: they are in the file all the same.
    """
    also = frozenset(also_listed)
    reasons = [
        *_find_spelling_conflicts(rows, world),
        *_find_duplicate_posts(rows),
        *_find_unknown_managers(rows, world, also),
        *_find_unknown_withdrawals(rows, world),
    ]
    people, disagreements = _first_row_of_each_person(rows)
    reasons += [*disagreements, *_find_shared_emails(people, world)]
    slots: dict[Slot, list[RosterRow]] = defaultdict(list)
    for row in rows:
        slots[row.staff_number, row.post_key].append(row)
    refs, units = plan_units([row for row in rows if not row.withdraw], world.tree, world.today)
    made = RosterPlan(unit_plan=units)
    for slot, taken in slots.items():
        for change in _slot_changes(taken, world.posts.get(slot, ()), refs, reasons):
            if change is None:
                made.unchanged_count += 1
            else:
                made.post_changes.append(change)
    _add_people(made, people, world)
    _add_missing(made, rows, world, also)
    return made, sorted(set(reasons), key=_line_and_reason)


def _line_and_reason(reason: str) -> tuple[int, str]:
    return int(reason.split(":")[0].removeprefix("Line ")), reason


def _find_spelling_conflicts(rows: Iterable[RosterRow], world: RosterBaseline) -> Iterator[str]:
    """Numbers that nobody holds, and that differ from another in capital letters alone."""
    spelt = {number.casefold(): number for number in world.names}
    for row in rows:
        number = row.staff_number
        other = spelt.setdefault(number.casefold(), number)
        if other != number and number not in world.names:
            where = "in the portal" if other in world.names else "further up in this file"
            yield (
                f"Line {row.line}: staff number {number!r} stands {where} as {other!r}. "
                "Write it with the same capital letters: they do not make it another person."
            )


def _find_duplicate_posts(rows: Iterable[RosterRow]) -> Iterator[str]:
    first: dict[tuple[str, str, date], int] = {}
    for row in rows:
        key = (row.staff_number, row.post_key, row.valid_from)
        if key in first:
            yield (
                f"Line {row.line}: {row.staff_number} has a post from {row.valid_from.isoformat()} on line "
                f"{first[key]} already. A second post at the same time needs a post_key of its own."
            )
        first.setdefault(key, row.line)


def _find_unknown_managers(
    rows: Sequence[RosterRow], world: RosterBaseline, also: frozenset[str]
) -> Iterator[str]:
    listed = also.union(row.staff_number for row in rows if not row.withdraw)
    for row in rows:
        if row.manager and not row.withdraw and row.manager not in listed and row.manager not in world.names:
            yield (
                f"Line {row.line}: line_manager_staff_number {row.manager!r} is nobody's staff number, "
                "neither in the portal nor in this file."
            )


def _first_row_of_each_person(rows: Iterable[RosterRow]) -> tuple[dict[str, RosterRow], list[str]]:
    """The first row of each person, which names them, and the rows that name them otherwise."""
    first: dict[str, RosterRow] = {}
    reasons = []
    for row in rows:
        if row.withdraw:
            continue
        held = first.setdefault(row.staff_number, row)
        for name in ("surname", "forenames", "email"):
            if getattr(held, name) != getattr(row, name):
                reasons.append(f"Line {row.line}: {name} differs from that on line {held.line}, same person.")
    return first, reasons


def _find_shared_emails(people: Mapping[str, RosterRow], world: RosterBaseline) -> Iterator[str]:
    holders = {n.email: number for number, n in world.names.items() if n.email and number not in people}
    for number, row in people.items():
        if row.email is None:
            continue
        holder = holders.setdefault(row.email, number)
        if holder != number:
            yield f"Line {row.line}: email {row.email!r} is that of {holder} too."


def _find_unknown_withdrawals(rows: Iterable[RosterRow], world: RosterBaseline) -> Iterator[str]:
    """A withdrawal names a post held, or one withdrawn before (then it changes nothing)."""
    for row in rows:
        held = world.posts.get((row.staff_number, row.post_key), ())
        key = (row.staff_number, row.post_key, row.valid_from)
        starts = {post.values.valid_from for post in held}
        if row.withdraw and row.valid_from not in starts and key not in world.withdrawn_posts:
            yield (
                f"Line {row.line}: {row.staff_number} has no post from {row.valid_from.isoformat()} "
                "to withdraw."
            )


def _slot_changes(
    taken: Iterable[RosterRow], held: Sequence[KnownPost], refs: Mapping[int, UnitRef], reasons: list[str]
) -> Iterator[PostChange | None]:
    """The changes of one person and post key; None for each row that changes nothing."""
    rows = {row.valid_from: row for row in taken if not row.withdraw}
    gone = {row.valid_from for row in taken if row.withdraw}
    posts = {post.values.valid_from: post for post in held}
    for start in gone:
        yield PostChange(posts[start].values, posts[start].id, void=True) if start in posts else None
    starts = sorted((posts.keys() - gone) | rows.keys())
    for number, start in enumerate(starts, start=1):
        last = starts[number] - ONE_DAY if number < len(starts) else OPEN_END
        post, row = posts.get(start), rows.get(start)
        if row is not None:
            yield _row_change(row, post, last, refs, reasons)
        elif post is not None and post.values.valid_to > last:
            yield PostChange(post.values._replace(valid_to=last), post.id)


def _row_change(
    row: RosterRow, post: KnownPost | None, last: date, refs: Mapping[int, UnitRef], reasons: list[str]
) -> PostChange | None:
    if row.valid_to is not None and row.valid_to > last:
        reasons.append(
            f"Line {row.line}: valid_to {row.valid_to.isoformat()} reaches into the next post, "
            f"which begins on {(last + ONE_DAY).isoformat()}."
        )
    values = PostValues(
        row.staff_number,
        row.post_key,
        row.rank_or_grade,
        row.designated_role,
        refs[row.line],
        row.manager,
        row.valid_from,
        row.valid_to or last,
    )
    if post is not None and post.values == values:
        return None
    return PostChange(values, post.id if post else None)


def _add_people(made: RosterPlan, people: Mapping[str, RosterRow], world: RosterBaseline) -> None:
    for number, row in people.items():
        held = world.names.get(number)
        named = PersonNames(held.person_id if held else 0, number, row.surname, row.forenames, row.email)
        if held is None:
            made.new_people.append(named)
        elif held != named:
            made.renamed_people.append(named)


def _add_missing(
    made: RosterPlan, rows: Iterable[RosterRow], world: RosterBaseline, also: frozenset[str]
) -> None:
    """List whose posts, not over yet, the file says nothing about; they stay as they are."""
    listed = also.union(row.staff_number for row in rows)
    starts = {(row.staff_number, row.post_key, row.valid_from) for row in rows}
    people: set[str] = set()
    for (number, key), posts in world.posts.items():
        for post in posts:
            if post.values.valid_to < world.today:
                continue
            if number not in listed:
                people.add(number)
            elif (number, key, post.values.valid_from) not in starts:
                named = f"{number} from {post.values.valid_from.isoformat()}"
                made.missing_posts.append(f"{named} ({key})" if key else named)
    made.missing_people = sorted(people)
    made.missing_posts.sort()
