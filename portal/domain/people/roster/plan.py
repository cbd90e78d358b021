"""Plans what a roster would change, without touching a database: the rules of the roster file.

Within one person and ``post_key``, rows are ordered by ``valid_from`` together with the known posts. A row
with the ``valid_from`` of a known post replaces it if anything differs; any other row adds a post and ends
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
from portal.platform.wording import date as day_words

Slot = tuple[str, str]  # staff number and post key: within one, posts never overlap
ONE_DAY = timedelta(days=1)


class PostValues(NamedTuple):
    """The values of a post. A unit still to be created is its names, a line manager is a staff number."""

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
    """Everything in the database that the rules of a roster look at."""

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
    """Everything that a roster changes, and the people and posts missing from it."""

    new_people: list[PersonNames] = field(default_factory=list)  # their person_id is 0 until they are written
    renamed_people: list[PersonNames] = field(default_factory=list)
    post_changes: list[PostChange] = field(default_factory=list)
    unit_plan: UnitPlan = field(default_factory=UnitPlan)
    unchanged_count: int = 0
    missing_people: list[str] = field(default_factory=list)
    missing_posts: list[str] = field(default_factory=list)

    @property
    def new_post_count(self) -> int:
        """The number of posts added."""
        return sum(change.replaces_id is None for change in self.post_changes)

    @property
    def withdrawn_count(self) -> int:
        """The number of posts withdrawn."""
        return sum(change.void for change in self.post_changes)

    @property
    def correction_count(self) -> int:
        """The number of posts replaced by other values, including earlier ends."""
        return len(self.post_changes) - self.new_post_count - self.withdrawn_count

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be written."""
        return not (self.new_people or self.renamed_people or self.post_changes or self.unit_plan)


def plan_with_faults(
    rows: Sequence[RosterRow], baseline: RosterBaseline, also_listed: Collection[str] = ()
) -> tuple[RosterPlan, list[str]]:
    """Plan what the rows would change, and list every reason why a row is bad, by line.

    If there is any reason, the plan must not be carried out: it only shows what the other rows would do.

    Args:
        rows: The rows that could be parsed.
        baseline: What is in the database.
        also_listed: Staff numbers in the file, also those of rows that could not be parsed.
    """
    listed_numbers = frozenset(also_listed)
    reasons = [
        *_find_spelling_conflicts(rows, baseline),
        *_find_duplicate_posts(rows),
        *_find_unknown_managers(rows, baseline, listed_numbers),
        *_find_unknown_withdrawals(rows, baseline),
    ]
    people, disagreements = _first_row_of_each_person(rows)
    reasons += [*disagreements, *_find_shared_emails(people, baseline)]
    slots: dict[Slot, list[RosterRow]] = defaultdict(list)
    for row in rows:
        slots[row.staff_number, row.post_key].append(row)
    refs, units = plan_units([row for row in rows if not row.withdraw], baseline.tree, baseline.today)
    plan = RosterPlan(unit_plan=units)
    for slot, slot_rows in slots.items():
        for change in _slot_changes(slot_rows, baseline.posts.get(slot, ()), refs, reasons):
            if change is None:
                plan.unchanged_count += 1
            else:
                plan.post_changes.append(change)
    _add_people(plan, people, baseline)
    _add_missing(plan, rows, baseline, listed_numbers)
    return plan, sorted(set(reasons), key=_line_and_reason)


def _line_and_reason(reason: str) -> tuple[int, str]:
    return int(reason.split(":")[0].removeprefix("Line ")), reason


def _find_spelling_conflicts(rows: Iterable[RosterRow], baseline: RosterBaseline) -> Iterator[str]:
    """Staff numbers that nobody has, and that differ from another only in capital letters."""
    spellings = {number.casefold(): number for number in baseline.names}
    for row in rows:
        number = row.staff_number
        other = spellings.setdefault(number.casefold(), number)
        if other != number and number not in baseline.names:
            where = "in the portal" if other in baseline.names else "further up in this file"
            yield (
                f"Line {row.line}: staff number {number!r} is {where} as {other!r}. "
                "Write it with the same capital letters. Other letters do not make another person."
            )


def _find_duplicate_posts(rows: Iterable[RosterRow]) -> Iterator[str]:
    first_lines: dict[tuple[str, str, date], int] = {}
    for row in rows:
        key = (row.staff_number, row.post_key, row.valid_from)
        if key in first_lines:
            yield (
                f"Line {row.line}: {row.staff_number} has a post from {row.valid_from.isoformat()} on line "
                f"{first_lines[key]} already. A second post at the same time needs its own post_key."
            )
        first_lines.setdefault(key, row.line)


def _find_unknown_managers(
    rows: Sequence[RosterRow], baseline: RosterBaseline, listed_numbers: frozenset[str]
) -> Iterator[str]:
    listed = listed_numbers.union(row.staff_number for row in rows if not row.withdraw)
    for row in rows:
        if (
            row.manager
            and not row.withdraw
            and row.manager not in listed
            and row.manager not in baseline.names
        ):
            yield (
                f"Line {row.line}: line_manager_staff_number {row.manager!r} is nobody's staff number, "
                "neither in the portal nor in this file."
            )


def _first_row_of_each_person(rows: Iterable[RosterRow]) -> tuple[dict[str, RosterRow], list[str]]:
    """The first row of each person, and a reason for each row that names them differently."""
    first_rows: dict[str, RosterRow] = {}
    reasons = []
    for row in rows:
        if row.withdraw:
            continue
        first = first_rows.setdefault(row.staff_number, row)
        for name in ("surname", "forenames", "email"):
            if getattr(first, name) != getattr(row, name):
                reasons.append(
                    f"Line {row.line}: {name} differs from that on line {first.line}, same person."
                )
    return first_rows, reasons


def _find_shared_emails(people: Mapping[str, RosterRow], baseline: RosterBaseline) -> Iterator[str]:
    holders = {n.email: number for number, n in baseline.names.items() if n.email and number not in people}
    for number, row in people.items():
        if row.email is None:
            continue
        holder = holders.setdefault(row.email, number)
        if holder != number:
            yield f"Line {row.line}: email {row.email!r} is that of {holder} too."


def _find_unknown_withdrawals(rows: Iterable[RosterRow], baseline: RosterBaseline) -> Iterator[str]:
    """Reasons for withdrawals of posts that do not exist; withdrawing a post twice is allowed."""
    for row in rows:
        posts = baseline.posts.get((row.staff_number, row.post_key), ())
        key = (row.staff_number, row.post_key, row.valid_from)
        starts = {post.values.valid_from for post in posts}
        if row.withdraw and row.valid_from not in starts and key not in baseline.withdrawn_posts:
            yield (
                f"Line {row.line}: {row.staff_number} has no post from {row.valid_from.isoformat()} "
                "to withdraw."
            )


def _slot_changes(
    slot_rows: Iterable[RosterRow],
    known_posts: Sequence[KnownPost],
    refs: Mapping[int, UnitRef],
    reasons: list[str],
) -> Iterator[PostChange | None]:
    """The changes of one person and post key; None for each row that changes nothing."""
    rows = {row.valid_from: row for row in slot_rows if not row.withdraw}
    withdrawn = {row.valid_from for row in slot_rows if row.withdraw}
    posts = {post.values.valid_from: post for post in known_posts}
    for start in withdrawn:
        yield PostChange(posts[start].values, posts[start].id, void=True) if start in posts else None
    starts = sorted((posts.keys() - withdrawn) | rows.keys())
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
            f"Line {row.line}: valid_to {row.valid_to.isoformat()} overlaps the next post, "
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


def _add_people(plan: RosterPlan, people: Mapping[str, RosterRow], baseline: RosterBaseline) -> None:
    for number, row in people.items():
        old = baseline.names.get(number)
        email = row.email if row.says_email or old is None else old.email
        new = PersonNames(old.person_id if old else 0, number, row.surname, row.forenames, email)
        if old is None:
            plan.new_people.append(new)
        elif old != new:
            plan.renamed_people.append(new)


def _add_missing(
    plan: RosterPlan, rows: Iterable[RosterRow], baseline: RosterBaseline, listed_numbers: frozenset[str]
) -> None:
    """List people and posts, not ended yet, that are missing from the file; they stay as they are."""
    listed = listed_numbers.union(row.staff_number for row in rows)
    starts = {(row.staff_number, row.post_key, row.valid_from) for row in rows}
    people: set[str] = set()
    for (number, key), posts in baseline.posts.items():
        for post in posts:
            if post.values.valid_to < baseline.today:
                continue
            if number not in listed:
                people.add(number)
            elif (number, key, post.values.valid_from) not in starts:
                label = f"{number} from {day_words(post.values.valid_from)}"
                plan.missing_posts.append(f"{label} ({key})" if key else label)
    plan.missing_people = sorted(people)
    plan.missing_posts.sort()
