"""Lists in words what a roster would change: who joins, returns, moves, leaves or is corrected."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property

from portal.domain.directives.preview import RosterEffect
from portal.domain.imports.check_result import RowFault
from portal.domain.people.roster.plan import KnownPost, PostChange, PostValues, RosterBaseline, RosterPlan
from portal.domain.people.roster.units import UnitRef
from portal.domain.people.services import PersonNames
from portal.domain.people.units import paths
from portal.platform.db import OPEN_END
from portal.platform.wording import date as day_words
from portal.platform.wording import number as number_words
from portal.platform.wording import plural

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
            self._paths[ref] = paths.join(ref) if isinstance(ref, tuple) else self._path_of_unit(ref)
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
