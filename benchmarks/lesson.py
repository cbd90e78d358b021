"""(a) A lesson page, signed in, eight clients, beside a bare Flask view with the same reads and layout."""

from functools import partial
from pathlib import Path

from benchmarks import load
from benchmarks.browser import Browser
from benchmarks.figures import Figure
from benchmarks.serving import Server, environment, free_port, serving
from benchmarks.statements import Reads, reads_of
from benchmarks.world import EIGHT, World, lessons

SECONDS = 1.0  # short turns: what else the machine does then weighs on both alike
ROUNDS = 12
MOST_STATEMENTS = 2


def measure(world: World) -> list[Figure]:
    """The rates of both, in turns, so that both meet the same machine."""
    path = f"/learning/modules/recognise/lessons/{lessons('recognise')[0]}"
    browsers = [world.browser(staff_number) for staff_number in EIGHT]
    for browser in browsers:
        browser.page(path)
    reads = reads_of(world.instance, EIGHT[0], world.password, path)
    port, file = free_port(), world.instance / "bare.json"
    reads.save(file, database=f"sqlite:///{world.database}")
    with serving(["-m", "benchmarks.bare"], _environment(world.instance, port, file), port) as floor:
        guests = [Browser(port) for _ in EIGHT]
        size = len(guests[0].page("/").body)
        bare, portal, costs = _turns(world.server, floor, guests, browsers, path)
        memory = floor.memory()
    for client in [*browsers, *guests]:
        client.close()
    return _figures(bare, portal, costs, reads, size, memory)


def _turns(
    server: Server, floor: Server, guests: list[Browser], browsers: list[Browser], path: str
) -> tuple[list[load.Load], list[load.Load], tuple[float, float]]:
    """Loads of the floor and of the portal, and milliseconds of processor time a page of each."""
    for clients, where in ((guests, "/"), (browsers, path)):
        load.run([partial(client.page, where) for client in clients], 1)
    before = floor.processor_seconds(), server.processor_seconds()
    bare, portal = [], []
    for _ in range(ROUNDS):
        bare.append(load.run([partial(client.page, "/") for client in guests], SECONDS))
        portal.append(load.run([partial(client.page, path) for client in browsers], SECONDS))
    used = floor.processor_seconds() - before[0], server.processor_seconds() - before[1]
    pages = [sum(len(one.times) for one in loads) for loads in (bare, portal)]
    return bare, portal, (1000 * used[0] / pages[0], 1000 * used[1] / pages[1])


def _figures(
    bare: list[load.Load],
    portal: list[load.Load],
    costs: tuple[float, float],
    reads: Reads,
    size: int,
    memory: float,
) -> list[Figure]:
    floor, rate = _rate(bare), _rate(portal)
    p95 = max(one.percentile(0.95) for one in portal)
    floor_p95 = max(one.percentile(0.95) for one in bare)
    count = len(reads.statements)
    what = "lesson page, signed in, eight clients"
    return [
        Figure("a", what, rate, "pages/s", floor, "bare Flask view", 100 * rate / floor, "%", 70, True, True),
        Figure("a", f"{what}, p95", p95, "ms", floor_p95, "bare Flask view"),
        Figure("a", f"{what}, processor time a page", costs[1], "ms", costs[0], "bare Flask view"),
        Figure(
            "a",
            "lesson page, statements",
            count,
            "statements",
            judged=count,
            judged_unit="statements",
            target=MOST_STATEMENTS,
            fails_build=True,
        ),
        Figure("a", "lesson page, size", len(reads.body) / 1024, "KiB", size / 1024, "bare Flask view"),
        Figure("e", "memory of the bare view's server", memory, "MiB"),
    ]


def _rate(loads: list[load.Load]) -> float:
    return sum(len(one.times) for one in loads) / sum(one.seconds for one in loads)


def _environment(instance: Path, port: int, file: Path) -> dict[str, str]:
    return environment(instance, port, BARE=str(file))
