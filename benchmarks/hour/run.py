"""One run of the hour: everybody at once, in one thread, and what they met."""

import asyncio
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from benchmarks.hour.desk import Desk
from benchmarks.hour.made import Force
from benchmarks.hour.officers import Officer
from benchmarks.hour.plan import IMPORTER, ISSUER, MANAGERS, READER, Plan
from benchmarks.hour.tally import BULK, PAGE, Spread, Tally
from benchmarks.hour.visitor import FAILURES, AnsweredError, Page, Visitor
from benchmarks.hour.wire import Pool
from benchmarks.knowledge import Knowledge
from benchmarks.serving import ROOT, Server
from benchmarks.world import lessons, modules

EARLY, WARMING = "D1001", 8  # somebody who was there before, in so many browsers
STEP = 0.1  # seconds between two looks at how late this thread is
ROSTER_AT, DIRECTIVE_AT = 1.5, 4.0  # minutes


@dataclass
class Costs:
    """What the client itself used, and how late it was."""

    processor: float = 0.0  # seconds
    elapsed: float = 0.0
    late: list[float] = field(default_factory=list)  # seconds by which it woke too late
    connections: int = 0  # most at once

    @property
    def share(self) -> float:
        """Of one processor."""
        return self.processor / self.elapsed

    @property
    def lateness(self) -> Spread:
        """Time that may be the client's own in every other figure."""
        return Spread.of(self.late)


class Memory:
    """Samples the portal's memory once a second, until it is left."""

    def __init__(self, server: Server) -> None:
        self.server, self.samples = server, list[dict[str, float]]()
        self._over = threading.Event()

    @property
    def peak(self) -> dict[str, float]:
        """MiB of each process at the moment when they had most together."""
        return max(self.samples, key=lambda sample: sum(sample.values()))

    @contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample for as long as the block runs."""
        self.samples.append(self.server.memory_by_process())
        thread = threading.Thread(target=self._sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _sample(self) -> None:
        while not self._over.wait(1.0):
            self.samples.append(self.server.memory_by_process())


def run(plan: Plan, made: Force, server: Server, signer: Server | None) -> tuple[Tally, Costs]:
    """Let everybody come; returns when the last has finished, or the run's time is over."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        return asyncio.run(_Hour(plan, made, server, signer).run())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class _Hour:
    def __init__(self, plan: Plan, made: Force, server: Server, signer: Server | None) -> None:
        self.plan, self.made = plan, made
        self.tally, self.costs = Tally(), Costs()
        self.pool = Pool(server.port)
        self.provider = Pool(signer.port) if signer else None

    async def run(self) -> tuple[Tally, Costs]:
        """All of it."""
        desks = [self._desk(number, who) for number, who in enumerate((*MANAGERS, READER, IMPORTER, ISSUER))]
        for desk in desks:
            await desk.sign_in()
        await asyncio.gather(*(self._warm(number) for number in range(WARMING)))
        officers = self._officers()
        self.tally.begin()
        before = _processor()
        *managers, reader, importer, issuer = desks
        beside = [asyncio.create_task(self._watch_lateness()), asyncio.create_task(reader.read_reports())]
        beside += [asyncio.create_task(desk.download(number)) for number, desk in enumerate(managers)]
        work = [asyncio.create_task(officer.learn(self._sign_in), name=PAGE) for officer in officers]
        work.append(asyncio.create_task(self._write_in_bulk(importer, issuer), name=BULK))
        _, late = await asyncio.wait(work, timeout=self.plan.longest)
        for task in late:
            self.tally.fail(task.get_name(), AnsweredError(f"not finished after {self.plan.longest:.0f} s"))
        for task in (*late, *beside):
            task.cancel()
        await asyncio.gather(*work, *beside, return_exceptions=True)
        for pool in filter(None, (self.pool, self.provider)):
            await pool.close()
        self.costs.processor, self.costs.elapsed = _processor() - before, self.tally.now
        self.costs.connections = self.pool.most
        _raise_own_faults([*work, *beside])
        return self.tally, self.costs

    async def _warm(self, number: int) -> None:
        """Open the pages that officers open, so that no worker shows one for the first time."""
        visitor = Visitor(self.pool, self.tally, f"10.11.0.{number + 1}")
        await visitor.sign_in(EARLY, self.made.password)
        for slug in modules():
            await visitor.page(f"/learning/modules/{slug}", PAGE)
            await visitor.page(f"/learning/modules/{slug}/lessons/{lessons(slug)[0]}", PAGE)

    def _officers(self) -> list[Officer]:
        knowledge, slugs = Knowledge(ROOT / "modules"), modules()
        return [
            Officer(
                Visitor(self.pool, self.tally, self.plan.address(number)),
                who, slugs[number % len(slugs)], self.plan, knowledge, Random(number),
            )
            for number, who in enumerate(self.plan.staff_numbers())
        ]  # fmt: skip

    def _desk(self, number: int, who: str) -> Desk:
        visitor = Visitor(self.pool, self.tally, f"10.10.0.{number + 1}")
        return Desk(visitor, who, self.made.password, self.plan)

    async def _sign_in(self, visitor: Visitor, who: str) -> Page:
        if self.provider:
            return await visitor.sign_in_by_provider(self.provider, who)
        return await visitor.sign_in(who, self.made.password)

    async def _write_in_bulk(self, importer: Desk, issuer: Desk) -> None:
        """A roster is imported, then a directive issued."""
        for at, act, name in (
            (ROSTER_AT, importer.import_roster, "roster.csv"),
            (DIRECTIVE_AT, issuer.issue_directive, "directive.toml"),
        ):
            await asyncio.sleep(max(0.0, self.plan.after(at) - self.tally.now))
            try:
                await act(self.made.folder / name)
            except FAILURES as error:
                self.tally.fail(BULK, error)

    async def _watch_lateness(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + STEP
            await asyncio.sleep(STEP)
            self.costs.late.append(loop.time() - due)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _raise_own_faults(tasks: list["asyncio.Task[None]"]) -> None:
    """A fault of the benchmark itself ends it."""
    for task in tasks:
        if not task.cancelled() and (error := task.exception()):
            raise error
