"""Learners that take modules over HTTP, see what is acknowledged to them, and go on after an outage."""

import random
import re
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from urllib.parse import urlencode

from benchmarks.browser import CASE, MOST_STEPS, Answer, Browser, case_button
from benchmarks.knowledge import Knowledge
from tests.running import PASSWORD, ROOT

MODULES = ("recognise", "protect", "respond", "report")
NEXT, START, SUBMIT = "Mark as complete and continue", "Start assessment", "Submit answers"
REFERENCE = re.compile(r"OIC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")
_ATTEMPT = re.compile(r"/assessment/([0-9a-f-]{36})")
PATIENCE = 40  # failures in a row, outside of an outage, before something is wrong with the portal


@dataclass
class Acknowledged:
    """What the portal told learners that it has."""

    passes: dict[str, tuple[str, str]] = field(default_factory=dict)  # staff number, attempt: by reference
    answers: dict[tuple[str, int], list[list[str]]] = field(default_factory=lambda: defaultdict(list))
    steps: Counter[tuple[str, str, str]] = field(
        default_factory=Counter
    )  # staff number, module, lesson: a case's
    outages: int = 0  # requests that an outage cut off

    @property
    def savings(self) -> int:
        """How many answers were acknowledged."""
        return sum(map(len, self.answers.values()))

    @property
    def case_steps(self) -> int:
        """How many steps of cases were acknowledged."""
        return sum(self.steps.values())


class Content:
    """The lessons of the published modules, and the answers to their questions."""

    def __init__(self, instance: Path) -> None:
        with closing(sqlite3.connect(f"file:{instance / 'portal.sqlite'}?mode=ro", uri=True)) as database:
            rows = database.execute(
                "SELECT a.key, l.key FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
                " JOIN activity a ON a.id = v.activity_id ORDER BY l.position"
            )
            self.lessons: dict[str, list[str]] = defaultdict(list)
            for module, key in rows:
                self.lessons[module].append(key)
        self.knowledge = Knowledge(ROOT / "modules")


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
            self._work_through_case(page, (staff_number, module, lesson))
        page = self.page(f"/learning/modules/{module}")
        if START in page.text:
            page = self.press(page, START)
        elif found := _ATTEMPT.search(page.text):
            page = self.page(found[0]) if "Continue assessment" in page.text else page
        while "/items/" in page.path:
            page = self._answer(page)
        if page.path.endswith("/check"):
            self._submit(staff_number, page)

    def _work_through_case(self, page: Answer, where: tuple[str, str, str]) -> None:
        """A case to its end, from wherever it was left; counts each step that was acknowledged."""
        for _ in range(MOST_STEPS):
            if CASE not in page.text:
                return
            answer = self.send(page, case_button(page.text))
            self.told.steps[where] += answer.status == 303 and "/lessons/" in answer.location
            page = self._landed(answer)
        raise RuntimeError(f"{page.path} has no end")

    def _answer(self, page: Answer) -> Answer:
        chosen = self.content.knowledge.choose(page.text)
        answer = self._send("POST", page.path, urlencode(chosen.fields).encode())
        found = _ATTEMPT.search(page.path)
        assert found
        # Where it leads to the sign-in, one is asked again.
        if chosen.kept and answer.status == 303 and found[0] in answer.location:
            number = int(page.path.rpartition("/")[2].partition("?")[0])
            self.told.answers[found[1], number].append(chosen.kept)
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
