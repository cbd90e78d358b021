"""What a roster would do to people, in rows of words: who joins, returns, moves, leaves, is corrected."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property

from portal.domain.people.roster.plan import KnownPost, PostChange, PostValues, RosterBaseline, RosterPlan
from portal.domain.people.roster.units import UnitRef
from portal.domain.people.services import PersonNames
from portal.domain.people.units import paths
from portal.platform.db import OPEN_END
from portal.platform.wording import date as day_words

Row = tuple[str, ...]
_PARTS = {
    "rank_or_grade": "rank or grade",
    "designated_role": "role",
    "unit": "unit",
    "manager": "line manager",
    "valid_to": "last day",
}


class RosterSummary:
    """A plan beside the world it was made for, told person by person."""

    def __init__(self, made: RosterPlan, world: RosterBaseline) -> None:
        self.made, self.world = made, world
        self._new = {named.staff_number: named for named in made.new_people}
        self._becomes = {named.staff_number: named for named in made.renamed_people}
        self._paths: dict[UnitRef, str] = {}
        self._changes: dict[str, list[PostChange]] = defaultdict(list)
        for change in made.post_changes:
            self._changes[change.values.staff_number].append(change)

    @cached_property
    def _known_posts(self) -> dict[str, dict[int, KnownPost]]:
        """The posts known of those whom the plan changes, by person and fact."""
        found: dict[str, dict[int, KnownPost]] = {number: {} for number in self._changes}
        for (number, _), posts in self.world.posts.items():
            if number in found:
                found[number].update((post.id, post) for post in posts)
        return found

    @cached_property
    def change_kinds(self) -> dict[str, str]:
        """What becomes of each person whose posts change: joins, returns, leaves, moves, or corrected."""
        return {number: self._change_kind(number) for number in self._changes}

    def _change_kind(self, number: str) -> str:
        if number in self._new:
            return "joins"
        before, after = self._last_day(number, after=False), self._last_day(number, after=True)
        if before is None or before < self.world.today:
            return "returns" if after is not None and after >= self.world.today else "corrected"
        if after is None or after < before:
            return "leaves"
        added = any(change.replaces_id is None for change in self._changes[number])
        return "moves" if added else "corrected"

    def _last_day(self, number: str, *, after: bool) -> date | None:
        """The last day on which the person has a post, before or after the import."""
        held = self._known_posts[number]
        days = {post_id: post.values.valid_to for post_id, post in held.items()}
        if after:
            for place, change in enumerate(self._changes[number]):
                if change.void and change.replaces_id is not None:
                    days.pop(change.replaces_id, None)
                else:
                    days[change.replaces_id or -place - 1] = change.values.valid_to
        return max(days.values(), default=None)

    def person_name(self, number: str) -> str:
        """How a person is named once the roster is in."""
        named = self._new.get(number) or self._becomes.get(number) or self.world.names.get(number)
        return f"{named.surname}, {named.forenames}" if named else ""

    def unit_path(self, ref: UnitRef) -> str:
        """A unit's path as it stands today, or as it will stand first."""
        if ref not in self._paths:
            self._paths[ref] = paths.join(ref) if isinstance(ref, tuple) else self._path_of_unit(ref)
        return self._paths[ref]

    def _path_of_unit(self, unit_id: int) -> str:
        tree = self.world.tree
        states = tree.states_of(unit_id)
        if not states:
            return ""
        standing = tree.state_on(unit_id, self.world.today)
        return tree.path_on(unit_id, self.world.today if standing else states[-1].valid_from)

    def list_arrivals(self, kind: str) -> Iterator[Row]:
        """Those who join or return: person, number, role, unit, first day."""
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
        """Those who move: person, number, from where, to where, from which day."""
        for number in self._numbers_of_kind("moves"):
            for change in self._changes[number]:
                if change.replaces_id is None:
                    old = self._post_before(number, change.values)
                    was = self._post_words(old) if old else "Beside the posts held"
                    start = day_words(change.values.valid_from)
                    yield self.person_name(number), number, was, self._post_words(change.values), start

    def list_leavers(self) -> Iterator[Row]:
        """Those who leave: person, number, last day."""
        for number in self._numbers_of_kind("leaves"):
            last = self._last_day(number, after=True)
            yield self.person_name(number), number, day_words(last) if last else "No post is left"

    def list_corrected_posts(self) -> Iterator[Row]:
        """Posts that say something else: person, number, the post's first day, what differs."""
        for number in sorted(self._changes):
            for change in self._changes[number]:
                if change.replaces_id is None or change.void:
                    continue
                differs = self._list_differences(number, change)
                if differs and not (
                    differs[0].startswith("last day") and self.change_kinds[number] != "corrected"
                ):
                    start = day_words(change.values.valid_from)
                    yield self.person_name(number), number, start, "; ".join(differs)

    def list_withdrawn_posts(self) -> Iterator[Row]:
        """Posts that are taken back: person, number, the post's first day, what it said."""
        for number in sorted(self._changes):
            for change in self._changes[number]:
                if change.void:
                    start = day_words(change.values.valid_from)
                    yield self.person_name(number), number, start, self._post_words(change.values)

    def list_renamed_people(self) -> Iterator[Row]:
        """People whose names or addresses are corrected: number, what it was, what it becomes."""
        for named in self.made.renamed_people:
            yield (
                named.staff_number,
                _person_words(self.world.names[named.staff_number]),
                _person_words(named),
            )

    def list_possible_duplicates(self) -> Iterator[Row]:
        """New people who are named as somebody with another number: person, number, the other numbers."""
        numbers: dict[tuple[str, str], list[str]] = defaultdict(list)
        for named in (*self.world.names.values(), *self.made.new_people):
            numbers[_name_key(named)].append(named.staff_number)
        for named in self.made.new_people:
            others = [number for number in numbers[_name_key(named)] if number != named.staff_number]
            if others:
                yield self.person_name(named.staff_number), named.staff_number, ", ".join(others[:5])

    def _numbers_of_kind(self, kind: str) -> Iterable[str]:
        return sorted(number for number, found in self.change_kinds.items() if found == kind)

    def _post_before(self, number: str, values: PostValues) -> PostValues | None:
        """The post of the same key that began last before this one."""
        earlier = [
            post.values
            for post in self._known_posts[number].values()
            if post.values.post_key == values.post_key and post.values.valid_from < values.valid_from
        ]
        return max(earlier, key=lambda post: post.valid_from, default=None)

    def _post_words(self, values: PostValues) -> str:
        key = f" ({values.post_key})" if values.post_key else ""
        return f"{values.rank_or_grade}, {values.designated_role}, {self.unit_path(values.unit)}{key}"

    def _list_differences(self, number: str, change: PostChange) -> list[str]:
        """What a correction changes, in words; the last day comes last."""
        if change.replaces_id is None:
            return []
        old = self._known_posts[number][change.replaces_id].values
        return [
            f"{said}: {self._value_words(part, old)} becomes {self._value_words(part, change.values)}"
            for part, said in _PARTS.items()
            if getattr(old, part) != getattr(change.values, part)
        ]

    def _value_words(self, part: str, values: PostValues) -> str:
        if part == "unit":
            return self.unit_path(values.unit)
        if part == "valid_to":
            return "no end" if values.valid_to == OPEN_END else day_words(values.valid_to)
        return str(getattr(values, part) or "nobody").lstrip("\0")


def _name_key(named: PersonNames) -> tuple[str, str]:
    return named.surname.casefold(), named.forenames.casefold()


def _person_words(named: PersonNames) -> str:
    return f"{named.surname}, {named.forenames}" + (f", {named.email}" if named.email else ", no address")
