"""(b) Whole attempts of twelve items, each answer durable, eight clients, beside durable commits alone."""

import shutil
from collections.abc import Callable
from itertools import count

from benchmarks import commits, load
from benchmarks.browser import Answer, Browser
from benchmarks.figures import Figure
from benchmarks.world import EIGHT, World, lessons, modules

SECONDS = 10.0
ITEMS = 12
COMMITS = 1 + ITEMS + 1  # begun, each answer, submitted
REQUESTS = 2 * COMMITS + 3  # a page after each; the module, the way to the first question, the outcome


def measure(world: World) -> list[Figure]:
    """Attempts as a person makes them: every page is read before its form is sent."""
    browsers = [world.browser(staff_number) for staff_number in EIGHT]
    for browser in browsers:
        for slug in modules():
            _learn(browser, slug)
    tasks = [_attempts(browser) for browser in browsers]
    load.run(tasks, 1)
    copy = world.instance / "commits.sqlite"
    shutil.copy(world.database, copy)
    floors = [commits.rate(copy, clients, 1.5) for clients in (1, 8)]
    before = world.server.processor_seconds()
    done = load.run(tasks, SECONDS)
    used = world.server.processor_seconds() - before
    floors += [commits.rate(copy, clients, 1.5) for clients in (1, 8)]
    copy.unlink()
    for browser in browsers:
        browser.close()
    return _figures(done, max(floors), used)


def _figures(done: load.Load, commit_rate: float, used: float) -> list[Figure]:
    floor = commit_rate / COMMITS
    what = f"whole attempts of {ITEMS} items, eight clients"
    says = f"{commit_rate:,.0f} durable commits/s ÷ {COMMITS}"
    share = 100 * done.rate / floor
    return [
        Figure("b", what, done.rate, "attempts/s", floor, says, share, "%", 40, True, True),
        Figure("b", "durable answers and ends in them", done.rate * COMMITS, "commits/s", commit_rate, "raw"),
        Figure("b", "a whole attempt, p95", done.percentile(0.95), "ms"),
        Figure("b", "processor time a whole attempt", 1000 * used / len(done.times), "ms"),
    ]


def _learn(browser: Browser, slug: str) -> None:
    """Read every lesson, so that the assessment opens; a module passed before is taken again."""
    page = browser.page(f"/learning/modules/{slug}")
    if "Take this module again" in page.text:
        browser.press(page, "Take this module again")
    for key in lessons(slug):
        page = browser.page(f"/learning/modules/{slug}/lessons/{key}")
        done = "Mark as complete and continue"
        browser.press(page, done if done in page.text else "Continue")


def _attempts(browser: Browser) -> Callable[[], None]:
    """One attempt a call, the modules in turn."""
    slugs, number = modules(), count()

    def attempt() -> None:
        slug = slugs[next(number) % len(slugs)]
        page = browser.press(browser.page(f"/learning/modules/{slug}"), "Start assessment")
        for _ in range(2 * ITEMS):  # a scenario takes more than one page
            if "Submit answers" in page.text:
                break
            page = browser.press(page, "Save and continue")
        _submit(browser, page)

    return attempt


def _submit(browser: Browser, page: Answer) -> None:
    outcome = browser.press(page, "Submit answers")
    if "You passed" in outcome.text:  # by the first choices alone: next to impossible
        raise RuntimeError("The first choice of each question passed.")
    if "You did not pass" not in outcome.text:
        raise RuntimeError(f"{outcome.path}: no outcome")
