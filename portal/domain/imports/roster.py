"""Checks a roster without a lock: everything that it would change, and the bad rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property, partial
from itertools import islice
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.directives import changes
from portal.domain.directives.changes import AudienceEffect, RosterEffect
from portal.domain.imports import staged as imports_staged
from portal.domain.imports.check_result import (
    KEPT,
    CheckResult,
    EndedPosts,
    NewValue,
    ResultSection,
    RowFault,
    Tell,
    digest_of,
    ignore_progress,
    left_out_section,
)
from portal.domain.imports.columns import EMAIL, STAFF_NUMBER, ColumnMapping
from portal.domain.imports.post_days import date_posts
from portal.domain.imports.staged import (
    KEPT_FOR,
    ReadyRow,
    StagedCompletions,
    StagedRoster,
    UnknownRows,
    commit_at_once,
    count_rows_by_identifier,
)
from portal.domain.imports.values import (
    FileValues,
    KnownValues,
    list_new_values,
    read_known_values,
    read_values,
    word_as_file,
)
from portal.domain.people import roster_store, units
from portal.domain.people.models import PersonName
from portal.domain.people.roster_plan import (
    KnownPost,
    PostChange,
    PostValues,
    RosterBaseline,
    RosterPlan,
    RosterRow,
    UnitNames,
    UnitRef,
    fold_numbers,
    parse_rows_with_faults,
    plan_with_faults,
)
from portal.domain.people.services import PersonNames
from portal.domain.people.units import join
from portal.domain.records import completion_import
from portal.domain.records.completion_import import ImportedCompletion
from portal.platform import clock
from portal.platform.db import OPEN_END, db
from portal.platform.tables.table_files import Sheet, SourceRow
from portal.platform.wording import date as day_words
from portal.platform.wording import number as number_words
from portal.platform.wording import plural

# Lists in words what a roster would change: who joins, returns, moves, leaves or is corrected.

Row = tuple[str, ...]
MOST_NAMED = 5  # people named in one sentence
_PARTS = {
    "rank_or_grade": "rank or grade",
    "designated_role": "role",
    "unit": "unit",
    "manager": "line manager",
    "valid_to": "last day",
}


class RosterSummary:
    """Describes a roster plan person by person, compared with the data it was made from."""

    def __init__(self, plan: RosterPlan, baseline: RosterBaseline) -> None:
        self.plan, self.baseline = plan, baseline
        self._new = {names.staff_number: names for names in plan.new_people}
        self._renamed = {names.staff_number: names for names in plan.renamed_people}
        self._paths: dict[UnitRef, str] = {}
        self._changes: dict[str, list[PostChange]] = defaultdict(list)
        for change in plan.post_changes:
            self._changes[change.values.staff_number].append(change)

    @cached_property
    def _known_posts(self) -> dict[str, dict[int, KnownPost]]:
        """Known posts of the people whose posts the plan changes, by staff number and the fact's id."""
        known_posts: dict[str, dict[int, KnownPost]] = {number: {} for number in self._changes}
        for (number, _), posts in self.baseline.posts.items():
            if number in known_posts:
                known_posts[number].update((post.id, post) for post in posts)
        return known_posts

    @cached_property
    def change_kinds(self) -> dict[str, str]:
        """How each person's posts change: joins, returns, leaves, moves or corrected, by staff number."""
        return {number: self._change_kind(number) for number in self._changes}

    def _change_kind(self, number: str) -> str:
        if number in self._new:
            return "joins"
        before, after = self._last_day(number, after=False), self._last_day(number, after=True)
        if before is None or before < self.baseline.today:
            return "returns" if after is not None and after >= self.baseline.today else "corrected"
        if after is None or after < before:
            return "leaves"
        added = (change.values for change in self._changes[number] if change.replaces_id is None)
        return "moves" if any(not self._goes_on(number, values) for values in added) else "corrected"

    def _goes_on(self, number: str, values: PostValues) -> bool:
        """Whether a new post says the same in words as the one before it."""
        old = self._post_before(number, values)
        return old is not None and self._post_words(old) == self._post_words(values)

    def _last_day(self, number: str, *, after: bool) -> date | None:
        """The last day on which the person has a post, before or after the import."""
        days = {post_id: post.values.valid_to for post_id, post in self._known_posts[number].items()}
        if after:
            for place, change in enumerate(self._changes[number]):
                if change.void and change.replaces_id is not None:
                    days.pop(change.replaces_id, None)
                else:
                    days[change.replaces_id or -place - 1] = change.values.valid_to
        return max(days.values(), default=None)

    def person_name(self, number: str) -> str:
        """The person's name after the import."""
        names = self._new.get(number) or self._renamed.get(number) or self.baseline.names.get(number)
        return f"{names.surname}, {names.forenames}" if names else ""

    def full_name(self, number: str) -> str:
        """The person's forenames and surname after the import; the number of somebody unknown."""
        surname, _, forenames = self.person_name(number).partition(", ")
        return f"{forenames} {surname}".strip() or number

    def list_reach_notices(self, effect: RosterEffect) -> Iterator[RowFault]:
        """Who of those who come has something to complete, and who has nothing now or nothing any more.

        Nothing where no directive is in force.
        """
        if not effect.named.is_any:
            return
        kinds = self.change_kinds
        arrivals = sorted(number for number, kind in kinds.items() if kind in {"joins", "returns"})
        if arrivals:
            come = _COME["returns" in map(kinds.get, arrivals)][len(arrivals) == 1]
            having = sum(number in effect.after for number in arrivals)
            yield RowFault(
                0, f"{plural(len(arrivals), 'person', 'people')} {come}{_having(having, len(arrivals))}."
            )
        without = defaultdict[tuple[str, str], list[str]](list)
        for number in sorted(kinds.keys() - effect.after):
            if kinds[number] in {"joins", "returns"} or (
                kinds[number] != "leaves" and number in effect.before
            ):
                more = " any more" if number in effect.before else ""
                without[more, self._why_nothing(number, effect)].append(self.full_name(number))
        for (more, why), names in without.items():
            yield RowFault(0, f"{_listed_names(names)} will have nothing to complete{more}: {why}.")

    def _why_nothing(self, number: str, effect: RosterEffect) -> str:
        posts = (change.values for change in self._changes[number] if not change.void)
        newest = max(posts, key=lambda values: values.valid_to, default=None)
        if newest is None or newest.designated_role in effect.named.roles:
            return "no directive is for this post"
        return f"no directive names the role “{newest.designated_role}”"

    def unit_path(self, ref: UnitRef) -> str:
        """A unit's path today, or on its first day if it does not exist today."""
        if ref not in self._paths:
            self._paths[ref] = units.join(ref) if isinstance(ref, tuple) else self._path_of_unit(ref)
        return self._paths[ref]

    def _path_of_unit(self, unit_id: int) -> str:
        tree = self.baseline.tree
        states = tree.states_of(unit_id)
        if not states:
            return ""
        exists_today = tree.state_on(unit_id, self.baseline.today) is not None
        return tree.path_on(unit_id, self.baseline.today if exists_today else states[-1].valid_from)

    def list_arrivals(self, kind: str) -> Iterator[Row]:
        """People who join or return: name, number, role, unit, first day."""
        for number in self._numbers_of_kind(kind):
            added = [c.values for c in self._changes[number] if not c.void]
            post = max(added, key=lambda values: (values.valid_from, values.post_key == ""))
            role = f"{post.rank_or_grade}, {post.designated_role}"
            yield (
                self.person_name(number),
                number,
                role,
                self.unit_path(post.unit),
                day_words(post.valid_from),
            )

    def list_movers(self) -> Iterator[Row]:
        """People who move: name, number, old post, new post, first day."""
        for number in self._numbers_of_kind("moves"):
            for change in self._changes[number]:
                if change.replaces_id is None and not self._goes_on(number, change.values):
                    old = self._post_before(number, change.values)
                    was = self._post_words(old) if old else "In addition to other posts"
                    start = day_words(change.values.valid_from)
                    yield self.person_name(number), number, was, self._post_words(change.values), start

    def list_leavers(self) -> Iterator[Row]:
        """People who leave: name, number, last day."""
        for number in self._numbers_of_kind("leaves"):
            last = self._last_day(number, after=True)
            yield self.person_name(number), number, day_words(last) if last else "No post is left"

    def list_corrected_posts(self) -> Iterator[Row]:
        """Corrected posts: name, number, the post's first day, what changes."""
        for number in sorted(self._changes):
            for change in self._changes[number]:
                if change.void or (change.replaces_id is None and not self._goes_on(number, change.values)):
                    continue
                differences = self._list_differences(number, change)
                is_cut = change.replaces_id is not None and list(differences) == ["valid_to"]
                only_ends = is_cut and (self.change_kinds[number] != "corrected" or self._is_followed(change))
                if differences and not only_ends:
                    start = day_words(change.values.valid_from)
                    yield self.person_name(number), number, start, "; ".join(differences.values())

    def list_withdrawn_posts(self) -> Iterator[Row]:
        """Withdrawn posts: name, number, the post's first day, the post."""
        for number in sorted(self._changes):
            for change in self._changes[number]:
                if change.void:
                    start = day_words(change.values.valid_from)
                    yield self.person_name(number), number, start, self._post_words(change.values)

    def list_renamed_people(self) -> Iterator[Row]:
        """People whose names or addresses are corrected: number, old, new."""
        for names in self.plan.renamed_people:
            old = self.baseline.names[names.staff_number]
            yield names.staff_number, _person_words(old), _person_words(names)

    def list_possible_duplicates(self) -> Iterator[Row]:
        """New people with the name of somebody with another number: name, number, the other numbers."""
        numbers: dict[tuple[str, str], list[str]] = defaultdict(list)
        for names in (*self.baseline.names.values(), *self.plan.new_people):
            numbers[_name_key(names)].append(names.staff_number)
        for names in self.plan.new_people:
            others = [number for number in numbers[_name_key(names)] if number != names.staff_number]
            if others:
                yield self.person_name(names.staff_number), names.staff_number, ", ".join(others[:5])

    def _numbers_of_kind(self, kind: str) -> Iterable[str]:
        return sorted(number for number, its_kind in self.change_kinds.items() if its_kind == kind)

    def _post_before(self, number: str, values: PostValues) -> PostValues | None:
        """The last post of the same key that began before this one."""
        earlier = [
            post.values
            for post in self._known_posts[number].values()
            if post.values.post_key == values.post_key and post.values.valid_from < values.valid_from
        ]
        return max(earlier, key=lambda post: post.valid_from, default=None)

    def _post_words(self, values: PostValues) -> str:
        key = f" ({values.post_key})" if values.post_key else ""
        return f"{values.rank_or_grade}, {values.designated_role}, {self.unit_path(values.unit)}{key}"

    def _list_differences(self, number: str, change: PostChange) -> dict[str, str]:
        """What a correction changes, in words, by field; the last day comes last."""
        if change.replaces_id is None:
            known = self._post_before(number, change.values)
            old, begins = (
                known or change.values,
                {"valid_from": "a new post, with the same rank, role and unit"},
            )
        else:
            old, begins = self._known_posts[number][change.replaces_id].values, {}
        return begins | {
            part: f"{label}: {self._value_words(part, old)} becomes {self._value_words(part, change.values)}"
            for part, label in _PARTS.items()
            if getattr(old, part) != getattr(change.values, part) and not (begins and part == "valid_to")
        }

    def _is_followed(self, change: PostChange) -> bool:
        """Whether a new post of the same key begins on the day after this one ends."""
        values = change.values
        return any(
            other.replaces_id is None
            and other.values.post_key == values.post_key
            and (other.values.valid_from - values.valid_to).days == 1
            for other in self._changes[values.staff_number]
        )

    def _value_words(self, part: str, values: PostValues) -> str:
        if part == "unit":
            return self.unit_path(values.unit)
        if part == "valid_to":
            return "no end" if values.valid_to == OPEN_END else day_words(values.valid_to)
        return str(getattr(values, part) or "nobody").lstrip("\0")


_COME = {False: ("join", "joins"), True: ("join or come back", "joins or comes back")}


def _having(having: int, people: int) -> str:
    if having == people:
        return " and will have something to complete"
    return f"; {number_words(having) if having else 'none'} of them will have something to complete"


def _listed_names(names: list[str]) -> str:
    """Up to five names in a sentence, and how many others."""
    shown, others = names[:MOST_NAMED], len(names) - MOST_NAMED
    parts = [*shown, plural(others, "other")] if others > 0 else shown
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if parts[1:] else parts)


def _name_key(names: PersonNames) -> tuple[str, str]:
    return names.surname.casefold(), names.forenames.casefold()


def _person_words(names: PersonNames) -> str:
    return f"{names.surname}, {names.forenames}" + (f", {names.email}" if names.email else ", no address")


# Suggests that a roster renames or moves units: the same people have a new unit path from one day on.

Names = tuple[str, ...]
LEAST_SHARE = 0.8  # of the people in and below the old path
LEAST_PEOPLE = 2


class UnitMoveSuggestion(NamedTuple):
    """A path whose people move to a path that does not exist yet."""

    old: str
    new: str
    on: date
    people: int
    renamed: bool  # otherwise it is moved

    @property
    def command(self) -> str:
        """The command that renames or moves the unit."""
        verb = "rename" if self.renamed else "move"
        return f'units {verb} "{self.old}" "{self.new}" --on {self.on.isoformat()}'


def suggest_unit_moves(plan: RosterPlan, baseline: RosterBaseline) -> list[UnitMoveSuggestion]:
    """Suggest renames and moves that explain the posts in units that are to be created."""
    created = {unit.names for unit in plan.unit_plan.new_units}
    if not created:
        return []
    known_posts = {post.id: post for posts in baseline.posts.values() for post in posts}
    unit_paths = _UnitPaths(baseline)
    people_moved: Counter[tuple[Names, Names, date]] = Counter()
    for unit_id, start, names in _list_moves(plan, known_posts):
        old = unit_paths.path_of_unit(unit_id, start - timedelta(days=1))
        pair = _shortest_difference(old, names, created)
        if pair:
            people_moved[(*pair, start)] += 1
    suggestions = []
    for (old, new, on), people in sorted(people_moved.items()):
        people_before = _count_people_under(old, baseline, unit_paths, on - timedelta(days=1))
        if people >= LEAST_PEOPLE and people >= LEAST_SHARE * people_before:
            renamed = old[:-1] == new[:-1]
            suggestions.append(UnitMoveSuggestion(units.join(old), units.join(new), on, people, renamed))
    return suggestions


def _list_moves(plan: RosterPlan, known_posts: Mapping[int, KnownPost]) -> Iterable[tuple[int, date, Names]]:
    """Old unit, first day and new path of each post that begins in a unit that is to be created."""
    units_before: dict[tuple[str, str, date], int] = {}  # by person, post key and last day
    for change in plan.post_changes:
        post = known_posts.get(change.replaces_id or 0)
        if post is not None and isinstance(post.values.unit, int) and not change.void:
            values = change.values
            units_before[values.staff_number, values.post_key, values.valid_to] = post.values.unit
    for change in plan.post_changes:
        values = change.values
        if isinstance(values.unit, tuple):
            day_before = values.valid_from - timedelta(days=1)
            unit_id = units_before.get((values.staff_number, values.post_key, day_before))
            if unit_id is not None:
                yield unit_id, values.valid_from, values.unit


def _shortest_difference(old: Names, new: Names, created: set[Names]) -> tuple[Names, Names] | None:
    """Both paths without their common end, as far up as the new path's units are to be created."""
    if not old:
        return None
    while old[1:] and new[1:] and old[-1] == new[-1] and new[:-1] in created:
        old, new = old[:-1], new[:-1]
    return old, new


class _UnitPaths:
    """Paths of units as names, remembered for each unit and day."""

    def __init__(self, baseline: RosterBaseline) -> None:
        self._tree = baseline.tree
        self._paths: dict[tuple[int, date], Names] = {}

    def path_of_unit(self, unit_id: int, day: date) -> Names:
        if (unit_id, day) not in self._paths:
            above = [state.name for state in self._tree.states_above(unit_id, day)]
            self._paths[unit_id, day] = tuple(above[::-1])
        return self._paths[unit_id, day]


def _count_people_under(old: Names, baseline: RosterBaseline, unit_paths: _UnitPaths, day: date) -> int:
    people = {
        number
        for (number, _), posts in baseline.posts.items()
        for post in posts
        if post.values.valid_from <= day <= post.values.valid_to
        and isinstance(post.values.unit, int)
        and unit_paths.path_of_unit(post.values.unit, day)[: len(old)] == old
    }
    return len(people)


MOST_NOTICES = 50  # of one kind
WHO = ("Person", "Staff number")


def check_roster(sheet: Sheet, mapping: ColumnMapping, tell: Tell = ignore_progress) -> CheckResult:
    """Compare a roster with the people, posts and units in the portal."""
    bases = roster_store.read_plan_basis(), changes.preview_basis()
    values = read_values(sheet, mapping)
    baseline = roster_store.read_baseline()
    source_rows = _date_rows(values, mapping, baseline)
    rows, mistyped = parse_rows_with_faults(source_rows)
    numbers_in_file = {row.values["staff_number"] for row in source_rows}
    plan, reasons = plan_with_faults(rows, baseline, numbers_in_file)
    every_reason = word_as_file((*values.reasons, *mistyped, *reasons), sheet, mapping)
    faults = sorted(map(RowFault.from_reason, every_reason))
    if reasons:  # show what the good rows would do
        bad_lines = {fault.line for fault in faults}
        plan, _ = plan_with_faults(
            [row for row in rows if row.line not in bad_lines], baseline, numbers_in_file
        )
    tell(1, "Finding who each directive applies to")
    effect = changes.effect_of_posts(plan.post_changes, plan.unit_plan, baseline.today)
    effects, summary = effect.audiences, RosterSummary(plan, baseline)
    known = read_known_values(mapping.shape)
    new_values = list_new_values(source_rows, known)
    staged = StagedRoster(plan, *bases)
    return CheckResult(
        faults=faults,
        sections=[
            *_list_people(summary),
            *_list_units(plan, baseline),
            *_list_audience_effects(effects, summary),
            *_list_missing(plan, summary),
            left_out_section(+values.left_out),
            _kept_section(plan, summary),
        ],
        numbers=_count_changes(plan, summary),
        same={"Unchanged posts": plan.unchanged_count},
        digest=digest_of(plan, [effect.digest for effect in effects], faults),
        stage=staged.stage,
        commit=staged.commit,
        write=staged.write,
        posts=_count_ended_posts(plan, baseline),
        notices=[
            *summary.list_reach_notices(effect),
            *islice(_list_unit_notices(rows, plan, known), MOST_NOTICES),
            *(value.notice for value in new_values[:MOST_NOTICES]),
            *map(RowFault.from_reason, values.notices[:MOST_NOTICES]),
        ],
        unasked=_list_unasked(new_values, effect) if mapping.documented else (),
    )


def _list_unit_notices(rows: Iterable[RosterRow], plan: RosterPlan, known: KnownValues) -> Iterator[RowFault]:
    """The units that the plan creates, upper ones first; nothing where no unit is known yet."""
    lines: dict[UnitNames, list[int]] = {}
    for row in rows:
        for length in range(1, len(row.unit) + 1):
            lines.setdefault(row.unit[:length], []).append(row.line)
    for unit in plan.unit_plan.new_units if known.units else ():
        path, found = join(unit.names), lines[unit.names]
        force = "" if unit.names[1:] else known.name_new_force(path)
        told = f"“{path}” becomes {force}" if force else f"The unit “{path}” is new"
        yield RowFault(min(found), f"{told} ({plural(len(found), 'row')}).")


def _list_unasked(new_values: list[NewValue], effect: RosterEffect) -> list[NewValue]:
    """New values that look mistyped, and roles that no directive names where directives are in force."""
    roles = effect.named.is_any
    return [value for value in new_values if value.alike or (roles and value.target == "designated_role")]


def _date_rows(values: FileValues, mapping: ColumnMapping, baseline: RosterBaseline) -> list[SourceRow]:
    """The rows with the days of their posts; whoever has left and has no post is counted as left out."""
    folded = [fold_numbers(row) for row in values.rows]
    if mapping.documented:
        return folded
    rows = list(date_posts(folded, mapping, baseline))
    values.left_out.update({"Has left, and has no post that goes on": len(folded) - len(rows)})
    return rows


def _count_ended_posts(plan: RosterPlan, baseline: RosterBaseline) -> EndedPosts:
    """How many posts that have not ended the plan withdraws or ends earlier."""
    last_days = {
        post.id: post.values.valid_to
        for posts in baseline.posts.values()
        for post in posts
        if post.values.valid_to >= baseline.today
    }
    ended = sum(
        change.replaces_id in last_days
        and (change.void or change.values.valid_to < last_days[change.replaces_id])
        for change in plan.post_changes
        if change.replaces_id is not None
    )
    return EndedPosts(ended, len(last_days))


def _list_people(summary: RosterSummary) -> Iterator[ResultSection]:
    section = ResultSection.from_rows
    arrival = (*WHO, "Post", "Unit", "From")
    yield section("joins", "People who join", arrival, summary.list_arrivals("joins"))
    yield section("returns", "People who come back", arrival, summary.list_arrivals("returns"))
    yield section("moves", "People who move", (*WHO, "Was", "Becomes", "From"), summary.list_movers())
    yield section(
        "leaves",
        "People who leave",
        (*WHO, "Last day"),
        summary.list_leavers(),
        "They cannot sign in from the next day. Their records stay.",
    )
    correction = (*WHO, "Post from", "What changes")
    yield section("corrected", "Posts that are corrected", correction, summary.list_corrected_posts())
    withdrawal = (*WHO, "Post from", "Post")
    yield section("withdrawn", "Posts that are withdrawn", withdrawal, summary.list_withdrawn_posts())
    renaming = ("Staff number", "Was", "Becomes")
    yield section(
        "renamed", "Names and addresses that are corrected", renaming, summary.list_renamed_people()
    )
    yield section(
        "doubles",
        "Possible duplicates",
        (*WHO, "Same name as"),
        summary.list_possible_duplicates(),
        "These people are new, but somebody with another staff number has the same name. If it is the same "
        "person, correct the number in the file before you apply it.",
    )


def _list_units(plan: RosterPlan, baseline: RosterBaseline) -> Iterator[ResultSection]:
    new_units = ((join(unit.names), day_words(unit.valid_from)) for unit in plan.unit_plan.new_units)
    yield ResultSection.from_rows("units", "Units created", ("Unit", "From"), new_units)
    suggestions = (
        (move.old, move.new, str(move.people), day_words(move.on), move.command)
        for move in suggest_unit_moves(plan, baseline)
    )
    yield ResultSection.from_rows(
        "moved",
        "Units that were perhaps renamed or moved",
        ("Was", "Becomes", "People", "From", "Command"),
        suggestions,
        "The same people go from one path to a new one. If the unit itself was renamed or moved, first "
        "rename or move it on the Units page, or with this command. It then keeps its history and grants.",
    )


def _list_audience_effects(effects: list[AudienceEffect], summary: RosterSummary) -> Iterator[ResultSection]:
    yield ResultSection.from_rows(
        "directives",
        "Changes to directives",
        ("Directive", "Joins", "Leaves", "Due date changes"),
        (
            (effect.reference, str(len(effect.joins)), str(len(effect.leaves)), str(len(effect.due_changes)))
            for effect in effects
        ),
    )
    for effect in effects:
        people_by_change = {"Joins": effect.joins, "Leaves": effect.leaves, "Due date": effect.due_changes}
        rows = [
            (
                summary.person_name(person.staff_number),
                person.staff_number,
                change,
                day_words(person.first),
                day_words(person.due_on),
            )
            for change, people in people_by_change.items()
            for person in sorted(people, key=lambda person: person.staff_number)
        ]
        heads = (*WHO, "What", "From", "Due")
        title = f"{effect.reference}: who joins, leaves or has a new due date"
        yield ResultSection.from_rows(f"reach-{effect.reference}", title, heads, rows)


def _list_missing(plan: RosterPlan, summary: RosterSummary) -> Iterator[ResultSection]:
    lead = "They stay as they are. Nothing is removed because it is missing from the file."
    people = ((summary.person_name(number), number) for number in plan.missing_people)
    yield ResultSection.from_rows("missing-people", "People missing from the file", WHO, people, lead)
    posts = ((post,) for post in plan.missing_posts)
    yield ResultSection.from_rows("missing-posts", "Posts missing from the file", ("Post",), posts, lead)


def _kept_section(plan: RosterPlan, summary: RosterSummary) -> ResultSection:
    """People who join and have kept rows of earlier files."""
    kept = count_rows_by_identifier((STAFF_NUMBER, EMAIL), clock.now())
    rows = []
    for person in plan.new_people:
        names = ((STAFF_NUMBER, person.staff_number), (EMAIL, person.email or ""))
        count = sum(kept.get(name, 0) for name in names)
        if count:
            rows.append((summary.person_name(person.staff_number), person.staff_number, str(count)))
    lead = (
        "Completions of these people were kept from earlier files. The next import of completions under a "
        "profile that keeps rows records them; or record them under Imports, Kept rows."
    )
    return ResultSection.from_rows("kept", "Kept rows of people who join", (*WHO, "Kept rows"), rows, lead)


def _count_changes(plan: RosterPlan, summary: RosterSummary) -> dict[str, int]:
    kinds = list(summary.change_kinds.values())
    return {
        "New people": len(plan.new_people),
        "New posts": plan.new_post_count,
        "Corrected posts": plan.correction_count,
        "Withdrawn posts": plan.withdrawn_count,
        "Corrected names": len(plan.renamed_people),
        "People who come back": kinds.count("returns"),
        "People who move": kinds.count("moves"),
        "People who leave": kinds.count("leaves"),
        "Units that begin earlier": len(plan.unit_plan.extended_states),
    }


# Checks a file of prior completions: what would be recorded, what is recorded already, and bad rows.

KEPT_HEADS = ("Line", "Not on the roster", "Requirement", "Achieved")
HEADS = ("Line", "Person", "Staff number", "Requirement", "Achieved", "Source")


def check_completions(sheet: Sheet, mapping: ColumnMapping, tell: Tell = ignore_progress) -> CheckResult:
    """Compare the completions of a file with the records in the portal.

    Where rows of unknown people are kept, the rows that were kept earlier for people who are on the roster
    now are proposed, too.
    """
    newest = completion_import.newest_record_id()
    values = read_values(sheet, mapping)
    rows, unknown, ready = values.rows, UnknownRows(), list[ReadyRow]()
    if mapping.keeps_unknown:
        rows, unknown_rows = imports_staged.split_unknown(rows, mapping.person_by)
        unknown = imports_staged.check_unknown(unknown_rows, mapping.person_by)
        ready = imports_staged.list_ready(clock.now())
    completions, reasons = completion_import.parse_completions_with_faults(rows, mapping.person_by)
    tell(1, "Comparing with the records in the portal")
    proposed = [*completions, *(row.completion for row in ready)]
    new = completion_import.list_unrecorded(proposed)
    every_reason = word_as_file((*values.reasons, *reasons, *unknown.reasons), sheet, mapping)
    faults = sorted(map(RowFault.from_reason, every_reason))
    staged = StagedCompletions(proposed, new, newest, [row.id for row in ready])
    return CheckResult(
        faults=faults,
        sections=[
            *_list_sections(completions, new, ready),
            _kept_completions(unknown),
            left_out_section(values.left_out),
        ],
        numbers={"Recorded": len(new)} | ({KEPT: len(unknown.new)} if mapping.keeps_unknown else {}),
        same={
            "Already recorded": len(proposed) - len(new),
            "People": len({completion.person_id for completion in new}),
            "Left out": values.left_out.total(),
        }
        | ({"Kept already": unknown.kept, "Not kept again": unknown.ended} if mapping.keeps_unknown else {}),
        digest=digest_of(_digest_of(new), faults, *([row.mark for row in unknown.new], staged.ready_ids)),
        stage=staged.stage,
        commit=commit_at_once,
        write=staged.write,
        keep=partial(imports_staged.keep_and_settle, unknown.new),
    )


def _kept_completions(unknown: UnknownRows) -> ResultSection:
    rows = (
        (str(row.line), row.identifier, row.content["requirement"], imports_staged.day_achieved(row.content))
        for row in unknown.new
    )
    lead = (
        f"These people are not on the roster. Their rows are kept for {KEPT_FOR.days} days, and proposed by "
        "the next import after they arrive."
    )
    return ResultSection.from_rows("kept", "Rows that are kept", KEPT_HEADS, rows, lead)


def _digest_of(new: Iterable[ImportedCompletion]) -> str:
    return digest_of(
        sorted((*row.identity_key, str(row.score_scaled), row.source_system, row.evidence) for row in new)
    )


def _list_sections(
    completions: Sequence[ImportedCompletion],
    new: Sequence[ImportedCompletion],
    ready: Sequence[ReadyRow],
) -> Iterator[ResultSection]:
    people = {
        person_id: (f"{surname}, {forenames}", number)
        for person_id, surname, forenames, number in db.session.execute(
            select(PersonName.person_id, PersonName.surname, PersonName.forenames, PersonName.staff_number)
        )
    }
    activities = {
        i: f"{key} ({kind})"
        for i, kind, key in db.session.execute(select(Activity.id, Activity.kind, Activity.key))
    }

    def section_rows(completions: Iterable[ImportedCompletion]) -> Iterator[Row]:
        for row in completions:
            name, number = people[row.person_id]
            day = day_words(row.achieved_at)
            yield str(row.line), name, number, activities[row.activity_id], day, row.source_system

    kept = {id(row.completion): row.kept_at for row in ready}
    yield ResultSection.from_rows(
        "new", "New records", HEADS, section_rows(row for row in new if id(row) not in kept)
    )
    lead = "Kept from earlier files until these people came. They are recorded with the stamp of this import."
    arrived = section_rows(row for row in new if id(row) in kept)
    yield ResultSection.from_rows(
        "arrived", "People who are on the roster now", HEADS[1:], (row[1:] for row in arrived), lead
    )
    new_keys = {row.identity_key for row in new}
    recorded = [row for row in completions if row.identity_key not in new_keys]
    lead = "The portal has a record of the same person, requirement and time. These rows are skipped."
    yield ResultSection.from_rows("held", "Already recorded", HEADS, section_rows(recorded), lead)
    lead = "An earlier line has the same person, requirement and time. It is recorded once."
    repeated = section_rows(_list_repeated(completions))
    yield ResultSection.from_rows("twice", "Twice in the file", HEADS, repeated, lead)


def _list_repeated(completions: Iterable[ImportedCompletion]) -> Iterator[ImportedCompletion]:
    earlier_keys: set[object] = set()
    for row in completions:
        if row.identity_key in earlier_keys:
            yield row
        earlier_keys.add(row.identity_key)
