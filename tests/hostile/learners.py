"""Learners that take modules over HTTP, see what is acknowledged to them, and go on after an outage."""

import json
import random
import re
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from benchmarks.browser import Answer, Browser
from portal.domain.item_kinds import kinds_by_name
from tests.running import PASSWORD

MODULES = ("recognise", "protect", "respond", "report")
NEXT, START, SAVE, SUBMIT = (
    "Mark as complete and continue",
    "Start assessment",
    "Save and continue",
    "Submit answers",
)
REFERENCE = re.compile(r"OIC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")
_H1 = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL)
_LABEL = re.compile(r'<label\b[^>]*\bfor="([^"]+)"[^>]*>(.*?)</label>', re.DOTALL)
_INPUT = re.compile(r"<input\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_SLOT = re.compile(r"\{\{[^{}]*\}\}")
_ATTEMPT = re.compile(r"/assessment/([0-9a-f-]{36})")
PATIENCE = 40  # failures in a row, outside of an outage, before something is wrong with the portal


@dataclass
class Acknowledged:
    """What the portal told learners that it has."""

    passes: dict[str, tuple[str, str]] = field(default_factory=dict)  # staff number, attempt: by reference
    answers: dict[tuple[str, int], list[list[str]]] = field(default_factory=lambda: defaultdict(list))
    outages: int = 0  # requests that an outage cut off

    @property
    def savings(self) -> int:
        """How many answers were acknowledged."""
        return sum(map(len, self.answers.values()))


@dataclass(frozen=True)
class Question:
    """An item as it was published: its words, and what is right."""

    kind: str
    content: Any
    prompt: re.Pattern[str]
    stimulus: re.Pattern[str]  # anything, where it has none


class Content:
    """The lessons and questions of the published modules."""

    def __init__(self, instance: Path) -> None:
        with closing(sqlite3.connect(f"file:{instance / 'portal.sqlite'}?mode=ro", uri=True)) as database:
            rows = database.execute(
                "SELECT a.key, l.key FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
                " JOIN activity a ON a.id = v.activity_id ORDER BY l.position"
            )
            self.lessons: dict[str, list[str]] = defaultdict(list)
            for module, key in rows:
                self.lessons[module].append(key)
            items = database.execute("SELECT kind, content, prompt_html, stimulus_html FROM item").fetchall()
        self.questions = [
            Question(kind, json.loads(content), _said(prompt), _said(stimulus or ""))
            for kind, content, prompt, stimulus in items
        ]

    def right(self, page: str) -> list[tuple[str, str]]:
        """What to send from this page, and the key that each choice is kept by; nothing of rare kinds."""
        labels = _labels(page)
        heading, text = _words(_H1.findall(page)[-1]), _words(page)
        for question in self.questions:
            if question.prompt.fullmatch(heading) and question.stimulus.search(text):
                for offered, best, prefix in _steps(question):
                    found = {key: _value(labels, pattern) for key, pattern in offered.items()}
                    if None not in found.values() and len(found) == len(labels):
                        return [(str(found[key]), f"{prefix}{key}") for key in best]
        return []


def _steps(question: Question) -> list[tuple[dict[str, re.Pattern[str]], list[str], str]]:
    """What a page may offer of this question, which of it is right, and what is before the keys of that."""
    best = kinds_by_name()[question.kind].best_choices(question.content)
    if question.kind in {"single", "multiple"}:
        return [({each["key"]: _said(each["html"]) for each in question.content["choices"]}, best, "")]
    if question.kind != "scenario":
        return []
    way = dict(step.split("/") for step in best)
    return [
        ({c["key"]: _said(c["html"]) for c in scene["choices"]}, [way[scene["key"]]], f"{scene['key']}/")
        for scene in question.content["scenes"]
        if scene["key"] in way
    ]


def _words(html: str) -> str:
    return " ".join(unescape(Markup(html).striptags()).split())


def _said(html: str) -> re.Pattern[str]:
    """The words of safe HTML; what the force fills in may be anything."""
    pieces = [re.escape(_words(piece)) for piece in _SLOT.split(html)]
    return re.compile(r"\s?.*?\s?".join(pieces))


def _labels(page: str) -> dict[str, str]:
    """What each radio or checkbox sends, by the words beside it."""
    values = {}
    for head in _INPUT.findall(page):
        attributes = dict(_ATTRIBUTE.findall(head))
        if attributes.get("type") in {"radio", "checkbox"}:
            values[attributes["id"]] = attributes["value"]
    return {_words(html): values[name] for name, html in _LABEL.findall(page) if name in values}


def _value(labels: dict[str, str], pattern: re.Pattern[str]) -> str | None:
    return next((value for text, value in labels.items() if pattern.fullmatch(text)), None)


class Learner(Browser):
    """One person after the other, each through all four modules."""

    def __init__(self, port: int, content: Content, told: Acknowledged, submitting: threading.Event) -> None:
        super().__init__(port)
        self.content, self.told, self.submitting = content, told, submitting

    def take(self, staff_number: str, module: str) -> None:
        """The module from wherever the person stands to the pass; safe to begin again after an outage."""
        for lesson in self.content.lessons[module]:
            page = self.page(f"/learning/modules/{module}/lessons/{lesson}")
            if NEXT in page.text:
                self.press(page, NEXT)
            self.work_through(page)
        page = self.page(f"/learning/modules/{module}")
        if START in page.text:
            page = self.press(page, START)
        elif found := _ATTEMPT.search(page.text):
            page = self.page(found[0]) if "Continue assessment" in page.text else page
        while "/items/" in page.path:
            page = self._answer(page)
        if page.path.endswith("/check"):
            self._submit(staff_number, page)

    def _answer(self, page: Answer) -> Answer:
        chosen = self.content.right(page.text)
        if not chosen:  # the end of a scenario, or one of the few questions that a pass can do without
            return self.press(page, SAVE)
        token = dict(_ATTRIBUTE.findall(next(h for h in _INPUT.findall(page.text) if "csrf_token" in h)))[
            "value"
        ]
        fields = [("csrf_token", token)]
        hidden = [dict(_ATTRIBUTE.findall(h)) for h in _INPUT.findall(page.text) if 'type="hidden"' in h]
        fields += [(h["name"], unescape(h["value"])) for h in hidden if h["name"] != "csrf_token"]
        fields += [("choice", value) for value, _ in chosen]
        answer = self._send("POST", page.path, urlencode(fields).encode())
        found = _ATTEMPT.search(page.path)
        assert found
        if (
            answer.status == 303 and found[0] in answer.location
        ):  # not to the sign-in, where one is asked again
            number = int(page.path.rpartition("/")[2].partition("?")[0])
            self.told.answers[found[1], number].append([key for _, key in chosen])
        return self._landed(answer)

    def _submit(self, staff_number: str, page: Answer) -> None:
        self.submitting.set()
        outcome = self.press(page, SUBMIT)
        reference, attempt = REFERENCE.search(outcome.text), _ATTEMPT.search(outcome.path)
        if "You passed" not in outcome.text or not reference or not attempt:
            raise RuntimeError(f"{staff_number} did not pass {outcome.path}")
        self.told.passes[reference[0]] = (staff_number, attempt[1])


class Crowd:
    """Learners at work at once, who wait while the portal is down."""

    def __init__(self, port: int, content: Content, people: Sequence[str], *, at_once: int = 4) -> None:
        self.told = Acknowledged()
        self.up, self.submitting, self._ended = threading.Event(), threading.Event(), threading.Event()
        self.wrong: list[str] = []
        self._port, self._content = port, content
        self._people: Queue[str] = Queue()
        for staff_number in random.Random(5).sample(list(people), len(people)):
            self._people.put(staff_number)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(at_once)]
        self.up.set()
        for thread in self._threads:
            thread.start()

    @property
    def left(self) -> int:
        """How many people have not begun."""
        return self._people.qsize()

    def end(self) -> None:
        """Let the learners stop, and wait for them."""
        self._ended.set()
        self.up.set()
        for thread in self._threads:
            thread.join(60)

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                staff_number = self._people.get_nowait()
            except Empty:
                return
            with Learner(self._port, self._content, self.told, self.submitting) as learner:
                self._take_all(learner, staff_number)

    def _take_all(self, learner: Learner, staff_number: str) -> None:
        signed_in, left, failures = False, list(MODULES), 0
        while left and not self._ended.is_set():
            self.up.wait()
            try:
                if not signed_in:
                    learner.cookies.clear()  # of a sign-in whose answer an outage cut off
                    learner.sign_in(staff_number, PASSWORD)
                    signed_in = True
                learner.take(staff_number, left[0])
            except Exception as error:
                learner.close()
                self.told.outages += 1
                failures += self.up.is_set()
                if failures > PATIENCE:
                    self.wrong.append(f"{staff_number}: {error}")
                    return
                time.sleep(0.1)
            else:
                left.pop(0)
                failures = 0
