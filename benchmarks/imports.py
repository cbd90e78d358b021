"""(i) Answers saved while a roster is imported: the longest wait, of a first load and of a monthly file."""

import tempfile
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks import roster
from benchmarks.attempts import ITEMS, _learn
from benchmarks.browser import Answer, Browser
from benchmarks.figures import Figure
from benchmarks.serving import environment, free_port, serving
from benchmarks.world import World, flask, modules

PEOPLE = 60  # of the force before the first load: those who have accounts are among them
CHANGED = 2_000
SECONDS = 1.0  # within which an answer must be saved


def measure() -> list[Figure]:
    """A first load of 15,000 people under a live directive, then the same file with 2,000 of them moved."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance = Path(folder) / "instance"
        instance.mkdir(mode=0o700)
        flask(instance, "db", "upgrade")
        flask(instance, "demo", "create", "--people", str(PEOPLE))
        first, monthly = Path(folder) / "first.csv", Path(folder) / "monthly.csv"
        roster.write(first)
        roster.write_moved(monthly, first, CHANGED)
        port = free_port()
        with serving(["serve.py"], environment(instance, port), port) as server:
            browser = World(instance, server).browser("D1001")
            for slug in modules():
                _learn(browser, slug)
            idle = _while(browser, lambda: time.sleep(5))
            loads = [_while(browser, lambda: flask(instance, "people", "import", str(first)))]
            loads.append(_while(browser, lambda: flask(instance, "people", "import", str(monthly))))
            browser.close()
    return _figures(idle, *loads)


Waits = tuple[list[float], float, list[float]]  # seconds of each answer, of what ran beside, of each page


def _figures(idle: Waits, first: Waits, monthly: Waits) -> list[Figure]:
    floor = max(idle[0])
    load = f"first load of {roster.ROWS:,} people"
    month = f"import of {roster.ROWS:,} people of whom {CHANGED:,} move"
    pages = sorted(monthly[2])
    return [
        Figure("i", f"longest wait of an answer during a {load}", max(first[0]), "s", floor, "idle"),
        Figure("i", f"{load}, beside answers", first[1], "s"),
        Figure(
            "i", f"longest wait of an answer during an {month}", max(monthly[0]), "s", floor, "idle",
            max(monthly[0]), "s", SECONDS,
        ),
        Figure("i", f"{month}, beside answers", monthly[1], "s"),
        Figure("i", "a learner's page during it, p95", 1000 * pages[int(0.95 * len(pages))], "ms"),
    ]  # fmt: skip


def _while(browser: Browser, act: Callable[[], object]) -> Waits:
    """Save answers for as long as ``act`` takes."""
    waits: list[float] = []
    pages: list[float] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)

    beside = threading.Thread(target=run)
    begun = time.perf_counter()
    beside.start()
    for number in count():
        if not beside.is_alive():
            break
        _attempt(browser, modules()[number % len(modules())], waits, beside)
        asked = time.perf_counter()
        browser.page("/learning")
        pages.append(time.perf_counter() - asked)
    beside.join()
    if failed:
        raise failed[0]
    return waits, time.perf_counter() - begun, pages


def _attempt(browser: Browser, slug: str, waits: list[float], beside: threading.Thread) -> None:
    """One attempt: it is begun, each answer saved, and submitted; every one of these waits its turn."""

    def press(page: Answer, button: str) -> Answer:
        begun = time.perf_counter()
        shown = browser.press(page, button)
        if beside.is_alive():
            waits.append(time.perf_counter() - begun)
        return shown

    page = press(browser.page(f"/learning/modules/{slug}"), "Start assessment")
    for _ in range(2 * ITEMS):
        if "Submit answers" in page.text:
            break
        page = press(page, "Save and continue")
    press(page, "Submit answers")
