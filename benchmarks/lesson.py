"""(a) Lesson pages, eight clients: seen before, seen first, marked complete; beside two floors."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks import load
from benchmarks.browser import Browser
from benchmarks.figures import Figure
from benchmarks.floors import Floors, floors
from benchmarks.world import EIGHT, World, execute, lessons, modules, texts

SECONDS = 1.0  # short turns: what else the machine does then weighs on both alike
ROUNDS = 12
MOST_STATEMENTS = 2
GOOD, BARE = "a good engineer's view", "bare view"
BEGINNERS = 32  # people who have opened nothing yet; each has four modules of some eight lessons
LEAST, LEAST_SAVED = 70, 50  # % of the floor
# People of the copied forces who have begun nothing, with the password of a demo's account.
ACCOUNTS = """
INSERT INTO credential (person_id, password_hash, password_rule, set_at)
SELECT n.person_id, c.password_hash, c.password_rule, c.set_at
FROM person_name n
JOIN post p ON p.person_id = n.person_id AND p.valid_from <= date('now') AND p.valid_to > date('now')
JOIN person_name o ON o.staff_number = 'D1001' JOIN credential c ON c.person_id = o.person_id
WHERE n.staff_number LIKE '%-%'
  AND NOT EXISTS (SELECT 1 FROM post q WHERE q.replaces_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM registration r WHERE r.person_id = n.person_id)
  AND NOT EXISTS (SELECT 1 FROM credential k WHERE k.person_id = n.person_id)
GROUP BY n.person_id ORDER BY n.person_id LIMIT ?"""
STAFF_NUMBERS = """
SELECT n.staff_number FROM credential c JOIN person_name n ON n.person_id = c.person_id
WHERE n.staff_number LIKE '%-%'
  AND NOT EXISTS (SELECT 1 FROM registration r WHERE r.person_id = n.person_id)
ORDER BY n.person_id LIMIT ?"""


def measure(world: World) -> list[Figure]:
    """The rates of each, in turns with its floor, so that both meet the same machine."""
    lesson = lessons("recognise")[0]
    path = f"/learning/modules/recognise/lessons/{lesson}"
    browsers = [world.browser(staff_number) for staff_number in EIGHT]
    for browser in browsers:
        browser.page(path)
    with floors(world, lesson, path) as floor:
        found = _read(world, floor, [partial(browser.page, path) for browser in browsers])
        found += _opened_and_completed(world, floor)
        found.append(Figure("e", "memory of the bare view's server", floor.server.memory(), "MiB"))
    for browser in browsers:
        browser.close()
    return found


def _read(world: World, floor: Floors, pages: Sequence[Callable[[], object]]) -> list[Figure]:
    """A page seen before."""
    turns = {BARE: floor.tasks("/"), GOOD: floor.tasks("/lesson"), "": pages}
    for tasks in turns.values():
        load.run(tasks, 1)
    done: dict[str, list[load.Load]] = {name: [] for name in turns}
    used = dict.fromkeys(turns, 0.0)
    for _ in range(ROUNDS):
        for name, tasks in turns.items():
            server = floor.server if name else world.server
            before = server.processor_seconds()
            done[name].append(load.run(tasks, SECONDS))
            used[name] += server.processor_seconds() - before
    rates = {name: _rate(loads) for name, loads in done.items()}
    p95 = {name: max(one.percentile(0.95) for one in loads) for name, loads in done.items()}
    costs = {name: 1000 * used[name] / sum(len(one.times) for one in done[name]) for name in turns}
    what, count = "lesson page, signed in, eight clients", len(floor.reads.statements)
    return [
        Figure(
            "a", what, rates[""], "pages/s", rates[GOOD], GOOD, 100 * rates[""] / rates[GOOD], "%", LEAST,
            at_least=True, fails_build=True,
        ),
        Figure(
            "a", f"{what}, beside the bare view", rates[""], "pages/s", rates[BARE], BARE,
            100 * rates[""] / rates[BARE], "%",
        ),
        Figure("a", f"{what}, p95", p95[""], "ms", p95[GOOD], GOOD),
        Figure("a", f"{what}, processor time a page", costs[""], "ms", costs[GOOD], GOOD),
        Figure(
            "a", "lesson page, statements", count, "statements",
            judged=count, judged_unit="statements", target=MOST_STATEMENTS, fails_build=True,
        ),
        Figure("a", "lesson page, size", len(floor.reads.body) / 1024, "KiB"),
    ]  # fmt: skip


def _opened_and_completed(world: World, floor: Floors) -> list[Figure]:
    """A first view, which is recorded, and “Mark as complete”, by people who have just started."""
    people = [world.browser(staff_number) for staff_number in enrol_beginners(world, BEGINNERS)]
    clients = [people[place :: len(EIGHT)] for place in range(len(EIGHT))]
    for person in people:
        for slug in modules():
            person.press(person.page(f"/learning/modules/{slug}"), "Start: ")
    floors_before = [floor.rate(path, 2) for path in ("/first", "/complete")]
    opened = load.each([_open_all(some) for some in clients])
    forms = [[_form_of(one, slug, key) for one in some for slug, key in _all()] for some in clients]
    completed = load.each(forms)
    floors_after = [floor.rate(path, 2) for path in ("/first", "/complete")]
    first, complete = map(max, zip(floors_before, floors_after, strict=True))
    for one in people:
        one.close()
    return [
        _judged(
            "first view of a lesson, eight clients",
            opened,
            "pages/s",
            first,
            f"{GOOD} with one durable commit",
        ),
        Figure("a", "first view of a lesson, p95", opened.percentile(0.95), "ms"),
        _judged("“Mark as complete”, eight clients", completed, "forms/s", complete, "one durable commit"),
        Figure("a", "“Mark as complete”, p95", completed.percentile(0.95), "ms"),
    ]


def enrol_beginners(world: World, count: int) -> list[str]:
    """Staff numbers of so many learners, with accounts, who have opened no lesson."""
    execute(world.instance, ACCOUNTS, count)
    return [staff_number for (staff_number,) in execute(world.instance, STAFF_NUMBERS, count)]


def _all() -> list[tuple[str, str]]:
    """Lessons that are read; a case is worked through, and has no “Mark as complete”."""
    return [(slug, key) for slug in modules() for key in texts(slug)]


def _open_all(people: Sequence[Browser]) -> Iterator[Callable[[], object]]:
    for one in people:
        for slug, key in _all():
            yield partial(one.page, f"/learning/modules/{slug}/lessons/{key}")


def _form_of(one: Browser, slug: str, key: str) -> Callable[[], object]:
    """What sends the form of a lesson; its page is fetched before."""
    page = one.page(f"/learning/modules/{slug}/lessons/{key}")
    return partial(one.send, page, "Mark as complete and continue")


def _judged(what: str, done: load.Load, unit: str, floor: float, words: str) -> Figure:
    share = 100 * done.rate / floor
    return Figure("a", what, done.rate, unit, floor, words, share, "%", LEAST_SAVED, True, True)


def _rate(loads: Sequence[load.Load]) -> float:
    return sum(len(one.times) for one in loads) / sum(one.seconds for one in loads)
