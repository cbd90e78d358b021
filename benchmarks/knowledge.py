"""What a learner who knows the module answers: the right choices of a question's page, from its files.

A page names its choices by numbers that mean nothing outside their attempt, so a question is known by its
words. Each question is looked up once; after that its page costs three regular expressions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from markupsafe import Markup

from benchmarks.browser import ATTRIBUTE, FORM, INPUT, SELECT, form_fields
from portal.domain.catalogue.services import check_folder

SAVE = "Save and continue"
_H1 = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL)
_LABEL = re.compile(r'<label\b[^>]*\bfor="([^"]+)"[^>]*>(.*?)</label>', re.DOTALL)
_OPTION = re.compile(r'<option value="([^"]*)"[^>]*>(.*?)</option>', re.DOTALL)
_SLOT = re.compile(r"\{\{[^{}]*\}\}")  # what the force fills in may be anything
Right = dict[tuple[str, str], str | None]  # by field and label: the option to choose; None: to tick
Offer = dict[tuple[str, str], tuple[bool, str | None]]  # by field and words: whether right, and its option


class UnknownQuestionError(RuntimeError):
    """A page asks what no module's file has."""


@dataclass(frozen=True, slots=True)
class Form:
    """The controls of one question's page."""

    heading: str
    fixed: dict[str, str]  # what every answer sends: tokens and texts
    ticks: list[tuple[str, str, str]]  # field, label, value
    lists: list[tuple[str, str, dict[str, str]]]  # field, label, value by the words of its options

    @property
    def key(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What tells one question, or one scene of it, from all others."""
        ticks = {(field if field != "choice" else "", label) for field, label, _ in self.ticks}
        return self.heading, frozenset(ticks | {("", label) for _, label, _ in self.lists})


@dataclass(frozen=True, slots=True)
class Chosen:
    """An answer as a form sends it."""

    fields: list[tuple[str, str]]
    kept: list[str]  # the keys saved for it; of a scenario those of this step, and none where it has ended


class Knowledge:
    """The right answers of all modules below a folder."""

    def __init__(self, modules: Path) -> None:
        self.items = [item for module in check_folder(modules).modules for item in module.items]
        self._known: dict[Any, tuple[Right, list[str]]] = {}

    def choose(self, html: str) -> Chosen:
        """The answer to the question of this page.

        Raises:
            UnknownQuestionError: It is in no module's file.
        """
        form = _form(html)
        key = form.key
        if key not in self._known:
            self._known[key] = self._look_up(form)
        (right, kept), fields = self._known[key], [*form.fixed.items()]
        for field, label, value in form.ticks:
            if (field if field != "choice" else "", label) in right:
                fields.append((field, value))
        for field, label, values in form.lists:
            fields.append((field, values[right["", label] or ""]))
        return Chosen(fields, kept)

    def _look_up(self, form: Form) -> tuple[Right, list[str]]:
        if not form.ticks and not form.lists:  # the end of a scenario
            return {}, []
        heading = _words(form.heading)
        for item in self.items:
            if not _said(item.prompt_html).fullmatch(heading):
                continue
            for offered, kept in _offers(item.item.kind, item.content):
                right = _matched(form, offered)
                if right is not None:
                    return right, kept
        raise UnknownQuestionError(heading)


def _form(html: str) -> Form:
    heading = _H1.findall(html)[-1]
    inside = next(inside for _, inside in FORM.findall(html) if SAVE in inside)
    labels = dict(_LABEL.findall(inside))
    ticks = []
    for text in INPUT.findall(inside):
        attributes = dict(ATTRIBUTE.findall(text))
        if attributes.get("type") in {"radio", "checkbox"}:
            ticks.append((attributes["name"], labels[attributes["id"]].strip(), attributes["value"]))
    lists = []
    for head, options in SELECT.findall(inside):
        name = dict(ATTRIBUTE.findall(head))["name"]
        values = {_words(words): unescape(value) for value, words in _OPTION.findall(options)}
        lists.append((name, labels[name].strip(), values))
    chosen = {field for field, *_ in (*ticks, *lists)}
    fixed = {name: value for name, value in form_fields(inside, SAVE).items() if name not in chosen}
    return Form(heading, fixed, ticks, lists)


def _offers(kind: Any, content: Any) -> Iterator[tuple[Offer, list[str]]]:
    """What the pages of an item offer, one for each scene on the best way, and the keys of what is right."""
    best = kind.best_choices(content)
    if kind.name == "scenario":
        way = dict(step.split("/") for step in best)
        for scene in content["scenes"]:
            if right := way.get(scene["key"]):
                offered: Offer = {("", c["html"]): (c["key"] == right, None) for c in scene["choices"]}
                yield offered, [f"{scene['key']}/{right}"]
    else:
        yield _offer_of(kind, content, best), best


def _offer_of(kind: Any, content: Any, best: list[str]) -> Offer:
    """What the one page of an item offers."""
    if kind.name == "order":
        return {("", step["html"]): (True, str(place)) for place, step in enumerate(content["steps"], 1)}
    if kind.name == "match":
        options = {option["key"]: option["html"] for option in content["options"]}
        return {("", pair["left_html"]): (True, options[pair["right"]]) for pair in content["pairs"]}
    if kind.name == "report":
        return {
            (f"answer-{number}", choice["html"]): (choice["correct"], None)
            for number, part in enumerate(content["parts"], 1)
            for choice in part.get("choices", ())
        }
    return {("", choice["html"]): (choice["key"] in best, None) for choice in content["choices"]}


def _matched(form: Form, offered: Offer) -> Right | None:
    """The right labels of a page that offers just this; None if it offers something else."""
    if len(offered) != len(form.ticks) + len(form.lists):
        return None
    patterns = [(field, _said(html), *right) for (field, html), right in offered.items()]
    found: Right = {}
    shown = [(field if field != "choice" else "", label, None) for field, label, _ in form.ticks]
    for field, label, values in [*shown, *(("", label, values) for _, label, values in form.lists)]:
        match = next((p for p in patterns if p[0] == field and p[1].fullmatch(_words(label))), None)
        if match is None:
            return None
        _, _, is_right, option = match
        if is_right:
            chosen = _said(option or "")
            found[field, label] = next(filter(chosen.fullmatch, values), None) if values else None
    return found


def _words(html: str) -> str:
    return " ".join(unescape(Markup(html).striptags()).split())


def _said(html: str) -> re.Pattern[str]:
    """The words of safe HTML, with anything where the force fills something in."""
    return re.compile(r"\s?.*?\s?".join(re.escape(_words(piece)) for piece in _SLOT.split(html)))
