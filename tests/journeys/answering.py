"""Answers to questions of every kind: what to choose, what to send, and how to fill it in."""

from collections.abc import Sequence
from random import Random
from typing import Any

from playwright.sync_api import Page as Tab

from portal.domain.item_kinds import kinds_by_name

Fields = list[tuple[str, str]]
TEXT = "A lorry stood at the services at 02:10."


def response(kind: str, content: Any, *, right: bool) -> list[str]:
    """What earns the whole mark, or the least that some guesses earn."""
    known = kinds_by_name()[kind]
    if right:
        return known.best_choices(content)
    if kind in {"single", "multiple"}:
        return next([choice["key"]] for choice in content["choices"] if not choice["correct"])
    guesses = [known.random_choices(content, Random(seed)) for seed in range(50)]
    return min(guesses, key=lambda guess: known.mark_answer(content, guess))


def told(kind: str, content: Any) -> list[str]:
    """What tells of a right choice."""
    parts = content["parts"] if kind == "report" else content["scenes"] if kind == "scenario" else [content]
    choices = [choice for part in parts for choice in part.get("choices", ())]
    models = [part["model_html"] for part in parts if "model_html" in part]
    return [choice["feedback_html"] for choice in choices if choice.get("correct", True)] + models


def forms(kind: str, content: Any, order: Sequence[str], choices: Sequence[str]) -> list[Fields]:
    """What is sent, a form after the other, to answer a question so."""
    if kind == "order":
        places = dict(choice.split("=") for choice in choices)
        return [[(f"for-{number}", places[key]) for number, key in enumerate(order, 1)]]
    if kind == "match":
        given = dict(choice.split("=") for choice in choices)
        numbers = {key: str(number) for number, key in enumerate(order, 1)}
        return [[(f"for-{n}", numbers[given[pair["key"]]]) for n, pair in enumerate(content["pairs"], 1)]]
    if kind == "report":
        numbered = list(enumerate(content["parts"], 1))
        texts = [(f"answer-{n}", TEXT) for n, part in numbered if part["kind"] == "text"]
        taken = dict(choice.split("/") for choice in choices)
        return [
            [*((f"answer-{n}", _value(part, taken)) for n, part in numbered if part["key"] in taken), *texts]
        ]
    if kind == "scenario":
        values = [
            _number(step, [s for s in order if s.split("/")[0] == step.split("/")[0]]) for step in choices
        ]
        ways = [" ".join(values[:length]) for length in range(len(values) + 1)]
        steps: list[Fields] = [
            [("way", way), ("choice", value)] for way, value in zip(ways, values, strict=False)
        ]
        return [*steps, [("way", ways[-1])]]
    return [[("choice", _number(key, order)) for key in choices]]


def _value(part: Any, taken: dict[str, str]) -> str:
    return _number(taken[part["key"]], [choice["key"] for choice in part["choices"]])


def _number(key: str, order: Sequence[str]) -> str:
    """What a page sends for a choice: its number among those that it shows."""
    return f"c.{list(order).index(key) + 1}"


def fill_in(tab: Tab, fields: Fields) -> None:
    """Fill the controls of the page; what is hidden is there already."""
    boxes = tab.locator("main form input[type=checkbox]").all()
    for box in boxes:
        box.uncheck()
    for name, value in fields:
        control = tab.locator(f"main form [name='{name}']:not([type=hidden])")
        if not control.count():
            continue
        tag = control.first.evaluate("e => e.tagName + ':' + e.type")
        if tag.startswith("SELECT"):
            control.select_option(value)
        elif tag.startswith("TEXTAREA"):
            control.fill(value)
        else:
            tab.locator(f"main form [name='{name}'][value='{value}']").check()
