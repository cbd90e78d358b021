"""Marking of scenarios: pure. A way is a walk from the first scene along choices, each ``scene/choice``."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

PLACES = Decimal("0.0001")


def scenes_by_key(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The scenes by key."""
    return {scene["key"]: scene for scene in content["scenes"]}


def followed_choices(content: Mapping[str, Any], choices: Sequence[str]) -> list[dict[str, Any]]:
    """The choices of the way, as far as each begins where the one before it led."""
    held, at = scenes_by_key(content), content["start"]
    way: list[dict[str, Any]] = []
    for step in choices:
        scene, _, key = step.partition("/")
        taken = [choice for choice in held[at]["choices"] if choice["key"] == key] if scene == at else []
        if not taken:
            break
        way.append(taken[0])
        at = taken[0]["to"]
    return way


def current_scene_key(content: Mapping[str, Any], choices: Sequence[str]) -> str:
    """The key of the scene to which the way has led so far."""
    way = followed_choices(content, choices)
    return str(way[-1]["to"] if way else content["start"])


def best_path(content: Mapping[str, Any]) -> tuple[Decimal, list[str]]:
    """The weights of the best way and its steps; there is no way in a circle."""
    held = scenes_by_key(content)
    known: dict[str, tuple[Decimal, list[str]]] = {}
    for at in _reverse_topological_order(held, content["start"]):
        ways = [
            (
                known[choice["to"]][0] + Decimal(choice["weight"]),
                [f"{at}/{choice['key']}", *known[choice["to"]][1]],
            )
            for choice in held[at]["choices"]
        ]
        known[at] = max(ways, key=lambda way: way[0], default=(Decimal(0), []))
    return known[content["start"]]


def _reverse_topological_order(held: Mapping[str, dict[str, Any]], start: str) -> list[str]:
    """The scenes that can be reached, each after all to which it leads."""
    done: dict[str, None] = {}
    trail = [(start, iter(held[start]["choices"]))]
    while trail:
        at, choices = trail[-1]
        ahead = next((c["to"] for c in choices if c["to"] not in done), None)
        if ahead is None:
            done[at] = None
            trail.pop()
        else:
            trail.append((ahead, iter(held[ahead]["choices"])))
    return list(done)


def mark_scenario(content: dict[str, Any], choices: Sequence[str]) -> Decimal:
    """The weights of the way taken ÷ the best way's, cut to four places; a way cut short is worth its own."""
    best, _ = best_path(content)
    gained = sum((Decimal(choice["weight"]) for choice in followed_choices(content, choices)), Decimal(0))
    return (gained / best).quantize(PLACES, rounding=ROUND_DOWN) if best else Decimal("0.0000")
