"""Reading of scenarios as written, and the checks of the paths through them."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from portal.platform.formats.toml_tables import Table, read_key

MAX_SCENES, MAX_CHOICES = 40, 8


@dataclass(frozen=True)
class SceneChoiceText:
    """A choice of a scene as written, with the key of the scene to which it leads."""

    key: str
    text: str
    to: str
    weight: Decimal
    feedback: str
    table: Table

    @property
    def line(self) -> int:
        """The line of the file on which it begins."""
        return self.table.line


@dataclass(frozen=True)
class SceneText:
    """A scene as written; without choices it ends the scenario."""

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
    """Read the scenes in the author's order and check the paths between them."""
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
    rows = row.tables("choice", f"[[{prefix}scene.choice]]") if row.has("choice") else []
    for choice_row in rows:
        choice = SceneChoiceText(
            read_key(choice_row),
            choice_row.text("text"),
            choice_row.text("to"),
            choice_row.scaled("weight", zero=True),
            choice_row.text("feedback"),
            choice_row,
        )
        if choice.key and any(choice.key == other.key for other in choices):
            choice_row.fault(
                "key", f"The key “{choice.key}” is used twice in this scene. Give each choice its own."
            )
        choice_row.close()
        choices.append(choice)
    if len(choices) > MAX_CHOICES:
        row.fault("", f"The scene “{key}” has {len(choices)} choices. Offer at most {MAX_CHOICES}.")
    row.close()
    return SceneText(key, text, debrief, tuple(choices), row)


def _has_loose_ends(table: Table, key: str, written: ScenarioText) -> bool:
    """Whether the paths cannot be followed; each reason is added to the table."""
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
    scenes = {scene.key: scene for scene in written.scenes}
    cycle = _find_cycle(scenes)
    reachable = set(_reachable_scenes(scenes, written.start))
    for scene in written.scenes:
        if scene.key not in reachable:
            reason = f"No choice leads to the scene “{scene.key}”. Lead one to it, or take it out."
            scene.table.fault("", reason)
    if not scenes[written.start].choices:
        scenes[written.start].table.fault("", "The first scene offers no choice. Write two or more.")
    elif cycle:
        path = " → ".join(cycle)
        scenes[cycle[0]].table.fault("", f"These scenes lead in a circle: {path}. Let each choice lead on.")
    else:
        _check_best_paths(table, key, scenes, written.start)


def _reachable_scenes(scenes: dict[str, SceneText], start: str) -> Iterator[str]:
    seen, pending = {start}, [start]
    while pending:
        scene_key = pending.pop()
        yield scene_key
        new_keys = {choice.to for choice in scenes[scene_key].choices} - seen
        seen |= new_keys
        pending += sorted(new_keys)


def _find_cycle(scenes: dict[str, SceneText]) -> list[str]:
    """Return the scenes of one cycle, with the first again at its end; empty if there is none."""
    done: set[str] = set()

    def follow_trail(trail: list[str]) -> list[str]:
        scene_key = trail[-1]
        for choice in scenes[scene_key].choices:
            if choice.to in trail:
                return [*trail[trail.index(choice.to) :], choice.to]
            if choice.to not in done and (cycle := follow_trail([*trail, choice.to])):
                return cycle
        done.add(scene_key)
        return []

    return next((cycle for key in scenes if key not in done and (cycle := follow_trail([key]))), [])


@dataclass(frozen=True)
class PathSummary:
    """The paths from one scene: the greatest weight, and how many there are to each end."""

    best_weight: Decimal
    best_ends: frozenset[str]  # the ends of the paths with the greatest weight
    paths_by_end: dict[str, int]


def _summarise_paths(
    scenes: dict[str, SceneText], scene_key: str, known: dict[str, PathSummary]
) -> PathSummary:
    """Summarise the paths from a scene; ``known`` caches the summaries by scene."""
    if scene_key in known:
        return known[scene_key]
    choices = scenes[scene_key].choices
    branches = [(choice.weight, _summarise_paths(scenes, choice.to, known)) for choice in choices]
    best_weight = max((weight + paths.best_weight for weight, paths in branches), default=Decimal(0))
    best_ends = {
        end
        for weight, paths in branches
        if weight + paths.best_weight == best_weight
        for end in paths.best_ends
    }
    paths_by_end: dict[str, int] = {}
    for _, paths in branches:
        for end, count in paths.paths_by_end.items():
            paths_by_end[end] = paths_by_end.get(end, 0) + count
    if choices:
        known[scene_key] = PathSummary(best_weight, frozenset(best_ends), paths_by_end)
    else:
        known[scene_key] = PathSummary(Decimal(0), frozenset({scene_key}), {scene_key: 1})
    return known[scene_key]


def _check_best_paths(table: Table, key: str, scenes: dict[str, SceneText], start: str) -> None:
    paths = _summarise_paths(scenes, start, {})
    if not paths.best_weight:
        table.fault("", f"No choice of the scenario “{key}” has a weight above 0. Give the good ones weight.")
    elif all(paths.paths_by_end[end] < 2 for end in paths.best_ends):
        ends = " or ".join(f"“{end}”" for end in sorted(paths.best_ends))
        table.fault(
            "",
            f"Only one path of the scenario “{key}” leads to its best end, {ends}. Lead a second one there.",
        )
