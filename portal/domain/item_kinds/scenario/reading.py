"""A scenario as written, and what has to hold of its ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from portal.platform.formats.keys import read_key
from portal.platform.formats.toml_tables import Table

MAX_SCENES, MAX_CHOICES = 40, 8


@dataclass(frozen=True)
class SceneChoiceText:
    """What may be done in a scene, and where it leads."""

    key: str
    text: str
    to: str
    weight: Decimal
    feedback: str
    table: Table

    @property
    def line_number(self) -> int:
        """Where it stands."""
        return self.table.line


@dataclass(frozen=True)
class SceneText:
    """What a learner meets; without choices it ends the scenario."""

    key: str
    text: str
    debrief: str  # empty: none
    choices: tuple[SceneChoiceText, ...]
    table: Table


@dataclass(frozen=True)
class ScenarioText:
    """The content of an item of kind scenario, as written."""

    start: str
    scenes: tuple[SceneText, ...]


def read_scenario(table: Table, key: str, prefix: str) -> ScenarioText:
    """The scenes, in the author's order, with every fault of the ways between them."""
    start = table.text("start")
    scenes: list[SceneText] = []
    for row in table.tables("scene", f"[[{prefix}scene]]"):
        scene = _read_scene(row, prefix)
        if scene.key and any(scene.key == other.key for other in scenes):
            row.fault("key", f"The key “{scene.key}” is used twice in this item. Give each scene its own.")
        scenes.append(scene)
    written = ScenarioText(start, tuple(scenes))
    if scenes and start and not _has_loose_ends(table, key, written):
        _check_paths(table, key, written)
    return written


def _read_scene(row: Table, prefix: str) -> SceneText:
    key, text, debrief = read_key(row), row.text("text"), row.text("debrief", required=False)
    choices: list[SceneChoiceText] = []
    for each in row.tables("choice", f"[[{prefix}scene.choice]]") if row.has("choice") else []:
        choice = SceneChoiceText(
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
    if len(choices) > MAX_CHOICES:
        row.fault("", f"The scene “{key}” has {len(choices)} choices. Offer at most {MAX_CHOICES}.")
    row.close()
    return SceneText(key, text, debrief, tuple(choices), row)


def _has_loose_ends(table: Table, key: str, written: ScenarioText) -> bool:
    """Whether the ways cannot be followed, with each reason noted."""
    names = {scene.key for scene in written.scenes}
    loose = len(names) < len(written.scenes)
    if len(written.scenes) > MAX_SCENES:
        table.fault("scene", f"Keep the scenario “{key}” under {MAX_SCENES + 1} scenes.")
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


def _check_paths(table: Table, key: str, written: ScenarioText) -> None:
    held = {scene.key: scene for scene in written.scenes}
    circle = _find_cycle(held)
    reached = set(_reachable_scenes(held, written.start))
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
        _check_best_paths(table, key, held, written.start)


def _reachable_scenes(held: dict[str, SceneText], start: str) -> Iterator[str]:
    seen, ahead = {start}, [start]
    while ahead:
        at = ahead.pop()
        yield at
        new = {choice.to for choice in held[at].choices} - seen
        seen |= new
        ahead += sorted(new)


def _find_cycle(held: dict[str, SceneText]) -> list[str]:
    """The scenes of one circle, the first again at its end; empty where there is none."""
    done: set[str] = set()

    def follow_trail(trail: list[str]) -> list[str]:
        at = trail[-1]
        for choice in held[at].choices:
            if choice.to in trail:
                return [*trail[trail.index(choice.to) :], choice.to]
            if choice.to not in done and (found := follow_trail([*trail, choice.to])):
                return found
        done.add(at)
        return []

    return next((found for key in held if key not in done and (found := follow_trail([key]))), [])


@dataclass(frozen=True)
class PathSummary:
    """How good the best way from a scene is, and how many ways lead from it to each end."""

    best_weight: Decimal
    best_ends: frozenset[str]  # at which a best way ends
    paths_by_end: dict[str, int]


def _summarise_paths(held: dict[str, SceneText], at: str, known: dict[str, PathSummary]) -> PathSummary:
    if at in known:
        return known[at]
    choices = held[at].choices
    ahead = [(choice.weight, _summarise_paths(held, choice.to, known)) for choice in choices]
    best = max((weight + ways.best_weight for weight, ways in ahead), default=Decimal(0))
    ends = {end for weight, ways in ahead if weight + ways.best_weight == best for end in ways.best_ends}
    counts: dict[str, int] = {}
    for _, ways in ahead:
        for end, count in ways.paths_by_end.items():
            counts[end] = counts.get(end, 0) + count
    known[at] = (
        PathSummary(best, frozenset(ends), counts)
        if choices
        else PathSummary(Decimal(0), frozenset({at}), {at: 1})
    )
    return known[at]


def _check_best_paths(table: Table, key: str, held: dict[str, SceneText], start: str) -> None:
    ways = _summarise_paths(held, start, {})
    if not ways.best_weight:
        table.fault("", f"No choice of the scenario “{key}” has a weight above 0. Give the good ones weight.")
    elif all(ways.paths_by_end[end] < 2 for end in ways.best_ends):
        ends = " or ".join(f"“{end}”" for end in sorted(ways.best_ends))
        table.fault(
            "",
            f"Only one way of the scenario “{key}” leads to its best end, {ends}. Lead a second one there.",
        )
