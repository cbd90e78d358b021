"""Marking of scenarios; pure.

A path goes from the first scene along choices; a response contains ``scene/choice`` for each step of it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from portal.domain.item_kinds.base import Content, scale_mark


def scenes_by_key(content: Content) -> dict[str, Content]:
    """Return the scenes by key."""
    return {scene["key"]: scene for scene in content["scenes"]}


def followed_choices(content: Content, choices: Sequence[str]) -> list[Content]:
    """Return the choices of the path, up to the first one that does not follow from the one before it."""
    scenes, scene_key = scenes_by_key(content), content["start"]
    path: list[Content] = []
    for step in choices:
        step_scene, _, choice_key = step.partition("/")
        matches = [choice for choice in scenes[scene_key]["choices"] if choice["key"] == choice_key]
        if step_scene != scene_key or not matches:
            break
        path.append(matches[0])
        scene_key = matches[0]["to"]
    return path


def current_scene_key(content: Content, choices: Sequence[str]) -> str:
    """Return the key of the scene to which the path leads."""
    path = followed_choices(content, choices)
    return str(path[-1]["to"] if path else content["start"])


def best_path(content: Content) -> tuple[Decimal, list[str]]:
    """Return the total weight of the best path and its steps. No path runs in a cycle."""
    scenes = scenes_by_key(content)
    best_from: dict[str, tuple[Decimal, list[str]]] = {}  # by the key of the scene it begins with
    for scene_key in _reverse_topological_order(scenes, content["start"]):
        paths = [
            (
                best_from[choice["to"]][0] + Decimal(choice["weight"]),
                [f"{scene_key}/{choice['key']}", *best_from[choice["to"]][1]],
            )
            for choice in scenes[scene_key]["choices"]
        ]
        best_from[scene_key] = max(paths, key=lambda path: path[0], default=(Decimal(0), []))
    return best_from[content["start"]]


def _reverse_topological_order(scenes: Mapping[str, dict[str, Any]], start: str) -> list[str]:
    """Return the reachable scenes, each after all scenes to which it leads."""
    done: dict[str, None] = {}
    trail = [(start, iter(scenes[start]["choices"]))]
    while trail:
        scene_key, choices = trail[-1]
        next_key = next((choice["to"] for choice in choices if choice["to"] not in done), None)
        if next_key is None:
            done[scene_key] = None
            trail.pop()
        else:
            trail.append((next_key, iter(scenes[next_key]["choices"])))
    return list(done)


def mark_scenario(content: Content, choices: Sequence[str]) -> Decimal:
    """Return the path's total weight as a share of the best path's; an unfinished path earns its own."""
    best_weight, _ = best_path(content)
    weights = (Decimal(choice["weight"]) for choice in followed_choices(content, choices))
    return scale_mark(sum(weights, Decimal(0)), best_weight)
