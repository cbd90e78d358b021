"""(i) 200 officers answer while a roster is imported: a first load, a monthly file, one that moves all."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks import roster
from benchmarks.figures import Figure
from benchmarks.hour import plan
from benchmarks.hour.made import ACCOUNTS
from benchmarks.hour.officers import Officer
from benchmarks.hour.plan import Plan
from benchmarks.hour.tally import ANSWER, PAGE, Spread, Tally
from benchmarks.hour.visitor import Visitor
from benchmarks.hour.wire import Pool
from benchmarks.knowledge import Knowledge
from benchmarks.serving import ROOT, environment, free_port, serving
from benchmarks.world import World, execute, flask, modules

DEMO, EARLY = 60, 900  # people before the first load: of the demo, and of the roster's first rows
OFFICERS = 200  # of those
CHANGED = 2_000
IDLE = 10  # seconds without anything beside, and before them
LONGEST = 1_000  # ms within which an answer must be saved


@dataclass(frozen=True, slots=True)
class Beside:
    """What the officers met while something was done, and how long that took."""

    answers: Spread
    pages: Spread
    seconds: float


def measure() -> list[Figure]:
    """A first load of 15,000 people under a live directive, 2,000 of them moved, and all of them moved."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance = Path(folder) / "instance"
        instance.mkdir(mode=0o700)
        flask(instance, "db", "upgrade")
        flask(instance, "demo", "create", "--people", str(DEMO))
        early, *files = (Path(folder) / f"{name}.csv" for name in ("early", "first", "monthly", "all"))
        roster.write(files[0])
        early.write_text("".join(files[0].read_text().splitlines(keepends=True)[: EARLY + 1]))
        flask(instance, "people", "import", str(early))
        execute(instance, ACCOUNTS)
        roster.write_moved(files[1], files[0], CHANGED)
        roster.write(files[2], since="2027-02-01", seed=2)
        port = free_port()
        with serving(["serve.py"], environment(instance, port), port) as server:
            crowd = _Crowd(World(instance, server))
            imports = [lambda file=file: flask(instance, "people", "import", str(file)) for file in files]
            idle, *loads = asyncio.run(crowd.beside([lambda: time.sleep(IDLE), *imports]))
    return _figures(idle, loads)


class _Crowd:
    """Officers who answer, with thinking times of a tenth of a real hour's, until they are told to stop."""

    def __init__(self, world: World) -> None:
        self.world, self.tally, self.plan = (
            world,
            Tally(),
            Plan(officers=OFFICERS, force=EARLY, slower=plan.OFFICERS / OFFICERS),
        )
        self.pool, knowledge = Pool(world.server.port), Knowledge(ROOT / "modules")
        slugs = modules()
        self.officers = [
            Officer(
                Visitor(self.pool, self.tally, "127.0.0.1"),
                who, slugs[number % len(slugs)], self.plan, knowledge, Random(number),
            )
            for number, who in enumerate(self.plan.staff_numbers())
        ]  # fmt: skip

    async def beside(self, acts: list[Callable[[], object]]) -> list[Beside]:
        """Each of these, one after the other, and what the officers met meanwhile."""
        for officer in self.officers:
            await officer.visitor.sign_in(officer.staff_number, self.world.password)
            await officer.read(0)
        self.tally.begin()
        at_work = [asyncio.create_task(self._answer(officer)) for officer in self.officers]
        await asyncio.sleep(IDLE)  # until they no longer begin at once
        found = []
        for number, act in enumerate(acts):
            name = str(number)
            with self.tally.phase(name):
                await asyncio.to_thread(act)
            begun, end = self.tally.phases[name]
            found.append(
                Beside(
                    self.tally.spread_during([ANSWER], name),
                    self.tally.spread_during([PAGE], name),
                    end - begun,
                )
            )
        for task in at_work:
            task.cancel()
        for task in at_work:
            with suppress(asyncio.CancelledError):
                await task
        await self.pool.close()
        if self.tally.failures:
            raise RuntimeError(f"Officers met errors: {dict(self.tally.errors)}")
        return found

    async def _answer(self, officer: Officer) -> None:
        """Module after module, the lessons of all but the first read in a moment."""
        slugs = modules()
        await asyncio.sleep(self.plan.thinking(officer.chance))
        while True:
            await officer.take_assessment()
            officer = officer.turned_to(slugs[(slugs.index(officer.module) + 1) % len(slugs)])
            await officer.read(0)


def _figures(idle: Beside, loads: list[Beside]) -> list[Figure]:
    people = f"{roster.ROWS:,} people"
    names = (
        f"first load of {people}",
        f"import of {people} of whom {CHANGED:,} move",
        f"import that moves {people}",
    )
    found = []
    for name, load in zip(names, loads, strict=True):
        longest = load.answers.longest
        found += [
            Figure(
                "i", f"longest wait of an answer of {OFFICERS} officers during {name}", longest, "ms",
                idle.answers.longest, "idle", longest, "ms", LONGEST,
            ),
            Figure("i", f"{name}: an answer, p95", load.answers.p95, "ms", idle.answers.p95, "idle"),
            Figure("i", f"{name}: a learner's page, p95", load.pages.p95, "ms", idle.pages.p95, "idle"),
            Figure("i", f"{name}, beside {OFFICERS} officers", load.seconds, "s"),
        ]  # fmt: skip
    return found
