"""(b) Whole attempts of twelve items that pass, and that fail; eight clients, beside requests and commits."""

import shutil
from collections.abc import Callable, Sequence
from functools import partial

from benchmarks import commits, load
from benchmarks.browser import CASE, Answer, Browser
from benchmarks.figures import Figure
from benchmarks.floors import Floors, floors
from benchmarks.knowledge import SAVE, Knowledge
from benchmarks.lesson import enrol_beginners
from benchmarks.serving import ROOT
from benchmarks.world import EIGHT, World, lessons, modules

SECONDS = 10.0
ROUNDS = 3  # of passing each of the four modules
ITEMS = 12
REQUESTS, COMMITS = 32, 15  # begun, each answer, submitted, with a page after each; a scenario takes more
LEAST = 30  # % of that floor
FAILING = 6  # people who fail at each client, one after the other
FAILS = 3  # of one person in one module: then there is a pause
SIGN_INS = 50  # a second


def measure(world: World) -> list[Figure]:
    """Attempts as a person makes them: every page is read before its form is sent."""
    browsers = [world.browser(staff_number) for staff_number in EIGHT]
    for browser in browsers:
        for slug in modules():
            _learn(browser, slug)
    lesson = lessons("recognise")[0]
    with floors(world, lesson, f"/learning/modules/recognise/lessons/{lesson}") as floor:
        before = _floors(world, floor)
        found = _measure(world, browsers)
        rates = [max(pair) for pair in zip(before, _floors(world, floor), strict=True)]
    for browser in browsers:
        browser.close()
    return _figures(*found, *rates)


def _floors(world: World, floor: Floors) -> tuple[float, float]:
    """Bare requests, and durable commits, a second."""
    copy = world.instance / "commits.sqlite"
    shutil.copy(world.database, copy)
    rates = [commits.rate(copy, clients, 1.5) for clients in (1, 8)]
    copy.unlink()
    return floor.rate("/", 2), max(rates)


Done = tuple[load.Load, float]  # what was done, in so many processor seconds of the portal


def _measure(world: World, browsers: Sequence[Browser]) -> tuple[Done, Done, Done]:
    people = [world.browser(staff_number) for staff_number in enrol_beginners(world, FAILING * len(browsers))]
    for person in people:
        for slug in modules():
            _learn(person, slug)
    failing = [_attempts(people[place :: len(browsers)]) for place in range(len(browsers))]
    load.run(failing, 1)
    failed = _used(world, lambda: load.run(failing, SECONDS))
    knowledge, passed = Knowledge(ROOT / "modules"), list[Done]()
    for _ in range(ROUNDS):
        for browser in browsers:  # after a pass a module's lessons come first again
            for slug in modules():
                _learn(browser, slug)
        clients = [[partial(_pass, browser, slug, knowledge) for slug in modules()] for browser in browsers]
        passed.append(_used(world, partial(load.each, clients)))
    signing = [partial(_sign_in, world, who) for who in enrol_beginners(world, len(browsers))]
    return _joined(passed), failed, _used(world, lambda: load.run(signing, SECONDS / 2))


def _used(world: World, act: Callable[[], load.Load]) -> Done:
    before = world.server.processor_seconds()
    done = act()
    return done, world.server.processor_seconds() - before


def _joined(parts: Sequence[Done]) -> Done:
    times = [one for done, _ in parts for one in done.times]
    return load.Load(times, sum(done.seconds for done, _ in parts)), sum(used for _, used in parts)


def _figures(passed: Done, failed: Done, signed_in: Done, requests: float, committed: float) -> list[Figure]:
    floor = 1 / (REQUESTS / requests + COMMITS / committed)
    says = f"{REQUESTS} bare requests at {requests:,.0f}/s, {COMMITS} durable commits at {committed:,.0f}/s"
    found = []
    for name, (done, used) in {"that pass": passed, "that fail": failed}.items():
        what = f"whole attempts of {ITEMS} items {name}, eight clients"
        share = 100 * done.rate / floor
        found += [
            Figure("b", what, done.rate, "attempts/s", floor, says, share, "%", LEAST, True, True),
            Figure("b", f"{what}, p95", done.percentile(0.95), "ms"),
            Figure("b", f"{what}, processor time each", 1000 * used / len(done.times), "ms"),
        ]
    done, used = signed_in
    return [
        *found,
        Figure(
            "b",
            "sign-ins of learners with a password, eight clients",
            done.rate,
            "sign-ins/s",
            None,
            "",
            done.rate,
            "sign-ins/s",
            SIGN_INS,
            True,
        ),
        Figure("b", "a sign-in, p95", done.percentile(0.95), "ms"),
        Figure("b", "processor time a sign-in", 1000 * used / len(done.times), "ms"),
    ]


def _sign_in(world: World, staff_number: str) -> None:
    world.browser(staff_number).close()


def _learn(browser: Browser, slug: str) -> None:
    """Read every lesson, so that the assessment opens; a module passed before is taken again."""
    page = browser.page(f"/learning/modules/{slug}")
    if "Take this module again" in page.text:
        browser.press(page, "Take this module again")
    for key in lessons(slug):
        page = browser.page(f"/learning/modules/{slug}/lessons/{key}")
        done = "Mark as complete and continue"
        if CASE in page.text:
            browser.work_through(page)
        elif done in page.text:
            browser.press(page, done)


def _pass(browser: Browser, slug: str, knowledge: Knowledge) -> None:
    """One attempt by somebody who knows the module."""
    page = browser.press(browser.page(f"/learning/modules/{slug}"), "Start assessment")
    while SAVE in page.text:
        page = browser.follow(browser.post(page.path, knowledge.choose(page.text).fields))
    outcome = browser.press(page, "Submit answers")
    if "You passed" not in outcome.text:
        raise RuntimeError(f"{outcome.path}: not passed")


def _attempts(people: Sequence[Browser]) -> Callable[[], None]:
    """One attempt that fails a call, of each person as many as come before a pause."""
    left = ((person, slug) for person in people for slug in modules() for _ in range(FAILS))
    return lambda: _fail(*next(left))


def _fail(browser: Browser, slug: str) -> None:
    page = browser.press(browser.page(f"/learning/modules/{slug}"), "Start assessment")
    for _ in range(2 * ITEMS):  # a scenario takes more than one page
        if "Submit answers" in page.text:
            break
        page = browser.press(page, SAVE)
    _submit(browser, page)


def _submit(browser: Browser, page: Answer) -> None:
    outcome = browser.press(page, "Submit answers")
    if "You passed" in outcome.text:  # by the first choices alone: next to impossible
        raise RuntimeError("The first choice of each question passed.")
    if "You did not pass" not in outcome.text:
        raise RuntimeError(f"{outcome.path}: no outcome")
