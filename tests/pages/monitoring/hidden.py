"""Any story of a small force, and the same story with everything changed that one viewer may not see.

A story is a list of acts, each recorded at an instant of its own. Which of them a viewer may not see is read
plainly from the acts: a post is in sight on the days on which its unit lies in or under a granted one, or
where it names the viewer as line manager, by any state of knowledge since it was recorded. What else was
recorded on a person is hidden where the person is never in sight on its first day or later.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

TODAY = date(2026, 6, 1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
BEGAN, FOREVER = date(2024, 1, 1), date(9999, 12, 31)
PARENTS = {
    "force": None,
    "local": "force",
    "north": "local",
    "south": "local",
    "crime": "force",
    "roads": "force",
}
PEOPLE = ["P1", "P2", "P3"]
UNITS = ["north", "north", "south", "crime", "roads"]
DAYS = st.integers(0, 170).map(lambda n: date(2026, 1, 1) + timedelta(days=n))
ROLES = st.sampled_from(["response", "response", "contact", "custody"])
RANKS = st.sampled_from(["Constable", "Sergeant"])
PERSON = st.sampled_from(PEOPLE)
POST = st.tuples(st.sampled_from(UNITS), ROLES, RANKS, st.sampled_from(["sergeant", "stranger"]))
NUMBER = st.integers(0, 3)
ACT = st.one_of(
    st.tuples(st.just("post"), PERSON, DAYS, POST),
    st.tuples(st.just("post"), PERSON, DAYS, POST),
    st.tuples(st.just("end"), PERSON, DAYS),
    st.tuples(st.just("record"), PERSON, DAYS, NUMBER),
    st.tuples(st.just("shift"), PERSON, DAYS, NUMBER),
    st.tuples(st.just("revoke"), PERSON, DAYS, NUMBER),
    st.tuples(st.just("exempt"), PERSON, DAYS, st.integers(1, 90)),
    st.tuples(st.just("exempt again"), PERSON, DAYS, NUMBER),
    st.tuples(st.just("start"), PERSON, DAYS, NUMBER),
    st.tuples(st.just("move"), st.just("south"), DAYS, st.sampled_from(["crime", "local"])),
)
LATER = {"shift": "record", "exempt again": "exempt", "revoke": "record"}  # acts on what an earlier one wrote


@dataclass(frozen=True)
class Story:
    """The posts that people have at first, and what is recorded after that."""

    first: list[tuple[str, str, str, str]]
    acts: list[tuple[Any, ...]]

    def at(self, number: int) -> datetime:
        """When an act is recorded."""
        return FIRST + timedelta(days=5 * number, minutes=number)


STORIES = st.builds(
    Story, st.lists(POST, min_size=len(PEOPLE), max_size=len(PEOPLE)), st.lists(ACT, min_size=3, max_size=12)
)


@dataclass(frozen=True)
class Looker:
    """One who looks: a role on some units, or direct reports by a grant or, without a role, the roster."""

    number: str
    role: str
    units: tuple[str, ...] = ()


LOOKERS = [
    Looker("sergeant", "manager"),
    Looker("inspector", "manager", ("local",)),
    Looker("two", "manager", ("north", "roads")),
    Looker("owner", "directive-owner", ("south",)),
    Looker("stranger", ""),  # a line manager by the roster alone
]


class Held(NamedTuple):
    """A known post, and the act that began it: -1 where the person had it at first."""

    person: str
    since: date
    until: date
    post: tuple[str, str, str, str]
    act: int


class Knowledge(NamedTuple):
    """What is known after an act."""

    posts: list[Held]
    moves: list[tuple[date, str]]  # of the south: from a day on, under which unit


def knowledge_of(story: Story) -> list[Knowledge]:
    """What is known at first and after each act."""
    posts = [Held(who, BEGAN, FOREVER, post, -1) for who, post in zip(PEOPLE, story.first, strict=True)]
    found = [Knowledge(posts, [(BEGAN, "local")])]
    for number, (kind, who, day, *more) in enumerate(story.acts):
        posts, moves = list(found[-1].posts), list(found[-1].moves)
        if kind in ("post", "end"):
            posts = [held for one in posts for held in ([one] if one.person != who else _cut(one, day))]
        if kind == "post":
            posts.append(Held(who, day, FOREVER, more[0], number))
        if kind == "move" and day > moves[-1][0] and more[0] != moves[-1][1]:
            moves.append((day, more[0]))
        found.append(Knowledge(posts, moves))
    return found


def _cut(held: Held, day: date) -> list[Held]:
    """A post that ends on the day before, where it had begun by then."""
    return [held._replace(until=min(held.until, day - timedelta(days=1)))] if held.since < day else []


def stretches(held: Held, known: Knowledge, looker: Looker) -> list[tuple[date, date]]:
    """The days on which the looker may see a post."""
    unit, _, _, manager = held.post
    if not looker.units:
        return [(held.since, held.until)] if manager == looker.number else []
    if unit != "south":
        return [(held.since, held.until)] if _within(unit, PARENTS[unit], looker) else []
    found = []
    ends = [day - timedelta(days=1) for day, _ in known.moves[1:]] + [FOREVER]
    for (begin, parent), end in zip(known.moves, ends, strict=True):
        first, last = max(begin, held.since), min(end, held.until)
        if first <= last and _within(unit, parent, looker):
            found.append((first, last))
    return found


def _within(unit: str, parent: str | None, looker: Looker) -> bool:
    return bool({unit, parent} & set(looker.units))


class Hidden:
    """What of a story a looker may not see."""

    def __init__(self, story: Story, looker: Looker) -> None:
        self._known, self._looker = knowledge_of(story), looker
        opened = {one for one in PEOPLE if self._opens(one)}
        self.posts: dict[int, bool] = {}  # number of the act -> whether its role is free, too
        self.facts: set[int] = set()
        for number, (kind, who, day, *_) in enumerate(story.acts):
            if who in opened:
                continue
            if kind == "post" and not self._sees_post(number):
                self.posts[number] = not self._sees(who, day, number)
        for first, chain in chains(story).items():
            who = story.acts[first][1]
            revoked = [number for number in chain if story.acts[number][0] == "revoke"]
            told = [number for number in chain if number not in revoked]
            day = min(story.acts[number][2] for number in told)
            if who not in opened and not self._sees(who, day, first):
                self.facts.update(chain)
            for number in revoked:  # before its day the record counts whatever comes then
                if who not in opened and not self._sees(who, story.acts[number][2], number):
                    self.facts.add(number)
        mine = {held.post[0] for known in self._known for held in known.posts if self._is_told(held, opened)}
        told = {*mine, *looker.units}  # a granted unit's path is told as well, with nobody in it
        below = "south" in told and any(above == "crime" for known in self._known for _, above in known.moves)
        self.renames = "crime" not in mine and not below  # its name is in no path that is shown
        self.people = {one for one in PEOPLE if one not in opened and not self._sees(one, BEGAN, -1)}

    def _opens(self, person: str) -> bool:
        """Whether the looker may open the person's page today."""
        known = self._known[-1]
        begun = [held for held in known.posts if held.person == person and held.since <= TODAY]
        live = [held for held in begun if held.until >= TODAY]
        last = max((held.until for held in begun), default=None)
        deciding = live or [held for held in begun if held.until == last]
        day = {held: min(held.until, TODAY) for held in deciding}
        if live or not self._looker.units:
            return any(_on(stretches(held, known, self._looker), day[held]) for held in deciding)
        return any(
            _on(stretches(held._replace(until=TODAY), known, self._looker), TODAY) for held in deciding
        )

    def _is_told(self, held: Held, opened: set[str]) -> bool:
        """Whether some page tells of a post: of all that somebody had whose page opens."""
        return held.person in opened or any(stretches(held, known, self._looker) for known in self._known)

    def _sees(self, person: str, day: date, number: int) -> bool:
        """Whether the person is in sight on the day or later, by what is known after the act or later."""
        return any(
            last >= day
            for known in self._known[number + 1 :]
            for held in known.posts
            if held.person == person
            for _, last in stretches(held, known, self._looker)
        )

    def _sees_post(self, number: int) -> bool:
        return any(
            stretches(held, known, self._looker)
            for known in self._known[number + 1 :]
            for held in known.posts
            if held.act == number
        )


def _on(days: list[tuple[date, date]], day: date) -> bool:
    return any(first <= day <= last for first, last in days)


def chains(story: Story) -> dict[int, list[int]]:
    """Acts that write a record, an exclusion or a start, each with the acts on what it wrote."""
    found: dict[int, list[int]] = {}
    for number, (kind, who, _, *more) in enumerate(story.acts):
        if kind in ("record", "exempt", "start"):
            found[number] = [number]
        elif kind in LATER and (target := _target(story, number, who, LATER[kind], more[0])) is not None:
            found[target].append(number)
    return found


def _target(story: Story, number: int, who: str, kind: str, which: int) -> int | None:
    before = [n for n, act in enumerate(story.acts[:number]) if act[:2] == (kind, who)]
    return before[which % len(before)] if before else None


def links(story: Story) -> dict[int, int]:
    """For each act on what an earlier act wrote, which act that was."""
    found = defaultdict(int)
    for first, chain in chains(story).items():
        found.update(dict.fromkeys(chain[1:], first))
    return dict(found)
