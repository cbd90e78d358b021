"""A scenario as written, and what has to hold of its ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from portal.platform.formats.keys import read_key
from portal.platform.formats.toml_tables import Table

MOST_SCENES, MOST_CHOICES = 40, 8


@dataclass(frozen=True)
class Choice:
    """What may be done in a scene, and where it leads."""

    key: str
    text: str
    to: str
    weight: Decimal
    feedback: str
    table: Table

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.table.line


@dataclass(frozen=True)
class Scene:
    """What a learner meets; without choices it ends the scenario."""

    key: str
    text: str
    debrief: str  # empty: none
    choices: tuple[Choice, ...]
    table: Table


@dataclass(frozen=True)
class Scenario:
    """The content of an item of kind scenario, as written."""

    start: str
    scenes: tuple[Scene, ...]


def read(table: Table, key: str, prefix: str) -> Scenario:
    """The scenes, in the author's order, with every fault of the ways between them."""
    start = table.text("start")
    scenes: list[Scene] = []
    for row in table.tables("scene", f"[[{prefix}scene]]"):
        scene = _scene(row, prefix)
        if scene.key and any(scene.key == other.key for other in scenes):
            row.fault("key", f"The key “{scene.key}” is used twice in this item. Give each scene its own.")
        scenes.append(scene)
    written = Scenario(start, tuple(scenes))
    if scenes and start and not _refuse_loose_ends(table, key, written):
        _check_ways(table, key, written)
    return written


def _scene(row: Table, prefix: str) -> Scene:
    key, text, debrief = read_key(row), row.text("text"), row.text("debrief", required=False)
    choices: list[Choice] = []
    for each in row.tables("choice", f"[[{prefix}scene.choice]]") if row.has("choice") else []:
        choice = Choice(
            read_key(each),
            each.text("text"),
            each.text("to"),
            each.scaled("weight", zero=True),
            each.text("feedback"),
            each,
        )
        if choice.key and any(choice.key == other.key for other in choices):
            each.fault(
                "key", f"The key “{choice.key}” is used twice in this scene. Give each choice its own."
            )
        each.close()
        choices.append(choice)
    if len(choices) > MOST_CHOICES:
        row.fault("", f"The scene “{key}” has {len(choices)} choices. Offer at most {MOST_CHOICES}.")
    row.close()
    return Scene(key, text, debrief, tuple(choices), row)


def _refuse_loose_ends(table: Table, key: str, written: Scenario) -> bool:
    """Whether the ways cannot be followed, with each reason noted."""
    names = {scene.key for scene in written.scenes}
    loose = len(names) < len(written.scenes)
    if len(written.scenes) > MOST_SCENES:
        table.fault("scene", f"Keep the scenario “{key}” under {MOST_SCENES + 1} scenes.")
        loose = True
    if written.start not in names:
        table.fault("start", f"There is no scene “{written.start}”. Begin with one that there is.")
        loose = True
    for scene in written.scenes:
        for choice in scene.choices:
            if choice.to and choice.to not in names:
                choice.table.fault("to", f"There is no scene “{choice.to}”. Lead to one that there is.")
            loose = loose or choice.to not in names
    return loose


def _check_ways(table: Table, key: str, written: Scenario) -> None:
    held = {scene.key: scene for scene in written.scenes}
    circle = _circle(held)
    reached = set(_reached(held, written.start))
    for scene in written.scenes:
        if scene.key not in reached:
            reason = f"No way leads to the scene “{scene.key}”. Lead a choice to it, or take it out."
            scene.table.fault("", reason)
    if not held[written.start].choices:
        held[written.start].table.fault("", "The first scene offers no choice. Write two or more.")
    elif circle:
        shown = " → ".join(circle)
        held[circle[0]].table.fault("", f"These scenes lead in a circle: {shown}. Let each choice lead on.")
    else:
        _check_best(table, key, held, written.start)


def _reached(held: dict[str, Scene], start: str) -> Iterator[str]:
    seen, ahead = {start}, [start]
    while ahead:
        at = ahead.pop()
        yield at
        new = {choice.to for choice in held[at].choices} - seen
        seen |= new
        ahead += sorted(new)


def _circle(held: dict[str, Scene]) -> list[str]:
    """The scenes of one circle, the first again at its end; empty where there is none."""
    done: set[str] = set()

    def follow(trail: list[str]) -> list[str]:
        at = trail[-1]
        for choice in held[at].choices:
            if choice.to in trail:
                return [*trail[trail.index(choice.to) :], choice.to]
            if choice.to not in done and (found := follow([*trail, choice.to])):
                return found
        done.add(at)
        return []

    return next((found for key in held if key not in done and (found := follow([key]))), [])


@dataclass(frozen=True)
class Ways:
    """How good the best way from a scene is, and how many ways lead from it to each end."""

    best: Decimal
    ends: frozenset[str]  # at which a best way ends
    counts: dict[str, int]


def _ways(held: dict[str, Scene], at: str, known: dict[str, Ways]) -> Ways:
    if at in known:
        return known[at]
    choices = held[at].choices
    ahead = [(choice.weight, _ways(held, choice.to, known)) for choice in choices]
    best = max((weight + ways.best for weight, ways in ahead), default=Decimal(0))
    ends = {end for weight, ways in ahead if weight + ways.best == best for end in ways.ends}
    counts: dict[str, int] = {}
    for _, ways in ahead:
        for end, count in ways.counts.items():
            counts[end] = counts.get(end, 0) + count
    known[at] = Ways(best, frozenset(ends), counts) if choices else Ways(Decimal(0), frozenset({at}), {at: 1})
    return known[at]


def _check_best(table: Table, key: str, held: dict[str, Scene], start: str) -> None:
    ways = _ways(held, start, {})
    if not ways.best:
        table.fault("", f"No choice of the scenario “{key}” has a weight above 0. Give the good ones weight.")
    elif all(ways.counts[end] < 2 for end in ways.ends):
        ends = " or ".join(f"“{end}”" for end in sorted(ways.ends))
        table.fault(
            "",
            f"Only one way of the scenario “{key}” leads to its best end, {ends}. Lead a second one there.",
        )
