"""Plans what a roster would change, without touching a database: the rules of the roster file.

Within one person and ``post_key``, rows are ordered by ``valid_from`` together with the known posts. A row
with the ``valid_from`` of a known post replaces it if anything differs; any other row adds a post and ends
the one before it on the day before. Nothing is changed while any row is bad.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from portal.domain.people import units
from portal.domain.people.services import PersonNames
from portal.domain.people.staff_numbers import find_number_faults, fold_staff_number
from portal.domain.people.units import KnownUnitState, UnitTree
from portal.platform.db import OPEN_END
from portal.platform.errors import BadInputError, RuleError
from portal.platform.tables.columns import FileColumn, name_columns
from portal.platform.tables.table_files import SourceRow
from portal.platform.wording import date as day_words

# The columns of a roster in the portal's own format: one row for each post.

COLUMNS = (
    FileColumn(
        "staff_number",
        "The person’s number in the force. One number is one person.",
        "up to 50 characters, without “/”",
        ("W4001", "W1001", "W1002", "W1002", "W1001"),
    ),
    FileColumn("surname", "Surname.", "up to 200 characters", ("Ghosh", "Shah", "Rees", "Rees", "Shah")),
    FileColumn("forenames", "Forenames.", "up to 200 characters", ("Neil", "Priya", "Owen", "Owen", "Priya")),
    FileColumn(
        "email",
        "Address for links and reminders. Empty takes the person’s address away.",
        "an email address",
        (
            "neil.ghosh@westshire.example",
            "priya.shah@westshire.example",
            "",
            "",
            "priya.shah@westshire.example",
        ),
        filled=False,
    ),
    FileColumn(
        "rank_or_grade",
        "Rank or grade in this post.",
        "up to 200 characters",
        ("Inspector", "Constable", "Constable", "Constable", "Constable"),
    ),
    FileColumn(
        "designated_role",
        "What the person does in this post. Directives select people by it.",
        "up to 200 characters, as directives name it",
        ("supervisor", "response", "response", "contact", "instructor"),
    ),
    FileColumn(
        "unit_path",
        "Where the post is. Units that are new are made.",
        "names from the force down, joined by “/”; a “/” within a name is “//”",
        (
            "Westshire Police/Response",
            "Westshire Police/Response/Team A",
            "Westshire Police/Response/Team A",
            "Westshire Police/Contact",
            "Westshire Police/Learning and Development",
        ),
    ),
    FileColumn(
        "line_manager_staff_number",
        "Who the line manager is. Empty: nobody.",
        "a staff number in the portal or in this file",
        ("", "W4001", "W4001", "W4001", ""),
        filled=False,
    ),
    FileColumn(
        "valid_from",
        "First day of the post.",
        "YYYY-MM-DD, from 1900 on",
        ("2024-01-01", "2025-09-01", "2024-01-01", "2026-03-01", "2026-01-05"),
    ),
    FileColumn(
        "valid_to",
        "Last day of the post. Empty: it has no end.",
        "YYYY-MM-DD",
        ("", "", "2026-02-28", "", ""),
        filled=False,
    ),
    FileColumn(
        "post_key",
        "Names a second post that somebody has at the same time. Empty: the first.",
        "up to 100 characters, the same in each file",
        ("", "", "", "", "instructor"),
        required=False,
    ),
    FileColumn(
        "withdraw",
        "“yes” withdraws a post that never existed; of that row only the staff number, valid_from and "
        "post_key count.",
        "yes, no, or empty",
        ("", "", "no", "", ""),
        required=False,
    ),
)
REQUIRED_COLUMNS = name_columns(COLUMNS, required=True)
OPTIONAL_COLUMNS = name_columns(COLUMNS, required=False)
FILLED_COLUMNS = tuple(  # but the first day, whose faults are said together
    column.name for column in COLUMNS if column.required and column.filled and column.name != "valid_from"
)


# Parses a roster's rows into typed values, and lists the faults of each row with its line.

MOST_CHARACTERS = {name: 200 for name in ("surname", "forenames", "rank_or_grade", "designated_role")} | {
    "email": 254,
    "post_key": 100,
}  # characters
MOST_NAMES, LONGEST_NAME = 20, 200  # of a unit's path, and of each name in it
EARLIEST_DAY = date(1900, 1, 1)  # an earlier day is a typing error
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EMAIL = re.compile(r"[^@\s]+@([\w-]+\.)+[\w-]{2,}")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One post of a roster, or the withdrawal of one, of which only the key counts."""

    line: int
    staff_number: str
    surname: str
    forenames: str
    email: str | None  # lower case
    says_email: bool  # otherwise the file has no addresses, and a person's stays as it is
    rank_or_grade: str
    designated_role: str
    unit: tuple[str, ...]  # names from the force down
    manager: str | None  # a staff number
    valid_from: date
    valid_to: date | None
    post_key: str
    withdraw: bool


def fold_numbers(row: SourceRow) -> SourceRow:
    """The row with its staff numbers as the portal keeps them."""
    columns = ("staff_number", "line_manager_staff_number")
    folded = {name: fold_staff_number(row.values[name]) for name in columns}
    return SourceRow(row.line, row.values | folded)


def parse_rows_with_faults(rows: Iterable[SourceRow]) -> tuple[list[RosterRow], list[str]]:
    """The good rows as typed values, and every reason why a row is bad, with its line."""
    parsed, reasons = [], []
    for row in rows:
        try:
            parsed.append(_parse_row(row))
        except BadInputError as error:
            reasons += [f"Line {row.line}: {reason}" for reason in error.reasons]
    return parsed, reasons


def parse_iso_date(text: str) -> date | None:
    """The day of an ISO date; None if the text is not one."""
    try:
        return date.fromisoformat(text) if _ISO_DAY.fullmatch(text) else None
    except ValueError:
        return None


def _parse_row(row: SourceRow) -> RosterRow:
    values = row.values
    withdraw = values["withdraw"] == "yes"
    reasons = _find_missing_values(values, withdraw) + _find_unfit_values(values) + _find_date_faults(values)
    if values["withdraw"] not in {"", "yes", "no"}:
        reasons.append(f"withdraw is {values['withdraw']!r}. Write 'yes', or leave it empty.")
    email = values.get("email", "")
    reasons += _find_email_faults(email)
    unit: tuple[str, ...] = ()
    if values["unit_path"] and not withdraw:
        try:
            unit = units.split(values["unit_path"])
            reasons += _find_path_faults(unit)
        except RuleError as error:
            reasons.append(str(error))
    valid_from = parse_iso_date(values["valid_from"])
    if reasons or valid_from is None:
        raise BadInputError(reasons)
    return RosterRow(
        line=row.line,
        **{name: values[name] for name in ("staff_number", "surname", "forenames")},
        **{name: values[name] for name in ("rank_or_grade", "designated_role", "post_key")},
        email=email.lower() or None,
        says_email="email" in values,
        unit=unit,
        manager=values["line_manager_staff_number"] or None,
        valid_from=valid_from,
        valid_to=parse_iso_date(values["valid_to"]),
        withdraw=withdraw,
    )


def _find_missing_values(values: dict[str, str], withdraw: bool) -> list[str]:
    needed = ("staff_number",) if withdraw else FILLED_COLUMNS
    return [f"{name} is empty." for name in needed if not values[name]]


def _find_unfit_values(values: dict[str, str]) -> list[str]:
    """Reasons for values that are too long for a page, or cannot be part of an address."""
    reasons = [
        f"{name} has more than {most} characters."
        for name, most in MOST_CHARACTERS.items()
        if len(values.get(name, "")) > most
    ]
    return reasons + find_number_faults(values["staff_number"])


def _find_email_faults(email: str) -> list[str]:
    if not email or (_EMAIL.fullmatch(email) and email.isprintable()):
        return []
    return [f"email {email!r} is not an email address."]


def find_name_faults(values: dict[str, str]) -> list[str]:
    """Why names, a staff number and an address of these columns cannot be kept; empty if they can."""
    return _find_unfit_values(values) + _find_email_faults(values["email"])


def _find_path_faults(unit: tuple[str, ...]) -> list[str]:
    reasons = []
    if len(unit) > MOST_NAMES:
        reasons.append(f"unit_path has more than {MOST_NAMES} names.")
    if any(len(name) > LONGEST_NAME for name in unit):
        reasons.append(f"A unit's name has more than {LONGEST_NAME} characters.")
    return reasons


def _find_date_faults(values: dict[str, str]) -> list[str]:
    reasons = []
    start, end = parse_iso_date(values["valid_from"]), parse_iso_date(values["valid_to"])
    if start is None:
        reasons.append(_describe_date_fault("valid_from", values["valid_from"]))
    elif start < EARLIEST_DAY:
        reasons.append(f"valid_from {values['valid_from']!r} lies before {EARLIEST_DAY.year}.")
    if values["valid_to"] and end is None:
        reasons.append(_describe_date_fault("valid_to", values["valid_to"]))
    if start and end and end < start:
        reasons.append(f"valid_to {end.isoformat()} lies before valid_from {start.isoformat()}.")
    return reasons


def _describe_date_fault(name: str, text: str) -> str:
    return f"{name} {text!r} is not a date. Write it as 2026-04-30." if text else f"{name} is empty."


# Finds the units of a roster's rows, and plans which to create and from which day each must exist.
#
# A path is looked up on the post's first day; if no unit had it then, today, and otherwise on the first
# later day on which a unit has it. So the old and the new path of a renamed or moved unit mean the same
# unit, and reading a file twice gives the same result.

UnitNames: TypeAlias = tuple[str, ...]
UnitRef: TypeAlias = int | UnitNames  # a unit's id, or the names of one that is to be created


class NewUnit(NamedTuple):
    """A unit to create from a day, below one that exists or is created before it."""

    names: UnitNames
    parent: UnitRef | None
    valid_from: date


@dataclass(slots=True)
class UnitPlan:
    """Units to create, upper ones first, and first states that must begin earlier."""

    new_units: list[NewUnit] = field(default_factory=list)
    # With the new ``valid_from``; ``id`` is the state that each replaces.
    extended_states: list[KnownUnitState] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new_units or self.extended_states)


def plan_units(rows: Iterable[RosterRow], tree: UnitTree, today: date) -> tuple[dict[int, UnitRef], UnitPlan]:
    """The unit of each row, by its line, and the changes after which all of them exist."""
    finder = _UnitFinder(tree, today)
    refs: dict[int, UnitRef] = {}
    needed: dict[tuple[UnitRef, date], None] = {}
    parents: dict[UnitNames, UnitRef | None] = {}
    for row in sorted(rows, key=lambda row: row.valid_from):
        refs[row.line] = ref = finder.find_unit(row.unit, row.valid_from) or row.unit
        needed[ref, row.valid_from] = None
        above: UnitRef | None = ref
        while isinstance(above, tuple) and above not in parents:
            names = above
            above = (finder.find_unit(names[:-1], row.valid_from) or names[:-1]) if names[1:] else None
            parents[names] = above
    first_days = _first_day_of_each_unit(needed, parents, tree)
    created = [NewUnit(n, parent, first_days[n]) for n, parent in parents.items() if n in first_days]
    earlier = [
        tree.states_of(unit_id)[0]._replace(valid_from=day)
        for unit_id, day in first_days.items()
        if isinstance(unit_id, int) and day < tree.states_of(unit_id)[0].valid_from
    ]
    return refs, UnitPlan(sorted(created, key=lambda unit: (len(unit.names), unit.names)), earlier)


class _UnitFinder:
    """Finds units by path, remembering every answer."""

    def __init__(self, tree: UnitTree, today: date) -> None:
        self._tree, self._today = tree, today
        self._units: dict[tuple[UnitNames, date], int | None] = {}

    def find_unit(self, names: UnitNames, day: date) -> int | None:
        """The unit these names mean in a row that begins on ``day``."""
        if (names, day) not in self._units:
            units = (self._tree.find_unit(names, when) for when in self._days_to_try(day))
            self._units[names, day] = next((unit for unit in units if unit is not None), None)
        return self._units[names, day]

    def _days_to_try(self, day: date) -> Iterator[date]:
        yield day
        yield self._today
        yield from self._tree.changes_after(day)


def _first_day_of_each_unit(
    needed: Iterable[tuple[UnitRef, date]], parents: dict[UnitNames, UnitRef | None], tree: UnitTree
) -> dict[UnitRef, date]:
    """The earliest day on which each unit, and each unit above it, must exist."""
    first_days: dict[UnitRef, date] = {}
    for ref, day in needed:
        above: UnitRef | None = ref
        while above is not None and first_days.get(above, date.max) > day:
            first_days[above] = day
            above = parents[above] if isinstance(above, tuple) else _parent_on(tree, above, day)
    return first_days


def _parent_on(tree: UnitTree, unit_id: int, day: date) -> int | None:
    states = tree.states_of(unit_id)
    state = tree.state_on(unit_id, day) or (states[0] if states[0].valid_from > day else states[-1])
    return state.parent_id


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
