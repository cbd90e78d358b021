"""The server of the floors beside the portal's, over a copy of its database: neither delays the other."""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from benchmarks import load
from benchmarks.browser import Browser
from benchmarks.serving import Server, environment, free_port, serving
from benchmarks.statements import Reads, reads_of
from benchmarks.world import EIGHT, World

NEWEST = "SELECT token_hash FROM sign_in_session ORDER BY created_at DESC LIMIT 1"
LESSON = "SELECT id FROM lesson WHERE key = ?"


@dataclass(frozen=True, slots=True)
class Floors:
    """A running server of the floors, with a client for each of the eight."""

    server: Server
    clients: Sequence[Browser]
    reads: Reads

    def tasks(self, path: str) -> list[Callable[[], object]]:
        """Ask for a page, or send the one form; a task for each client."""
        if path == "/complete":
            return [partial(client.post, path) for client in self.clients]
        return [partial(client.page, path) for client in self.clients]

    def rate(self, path: str, seconds: float) -> float:
        """How many of these a second."""
        return load.run(self.tasks(path), seconds).rate


@contextmanager
def floors(world: World, lesson: str, path: str) -> Iterator[Floors]:
    """Serve them for the lesson at ``path``; somebody must be signed in."""
    reads = reads_of(world.instance, EIGHT[0], world.password, path)
    copy = world.instance / "floors.sqlite"
    with closing(sqlite3.connect(world.database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        (token,) = source.execute(NEWEST).fetchone()
        (lesson_id,) = source.execute(LESSON, (lesson,)).fetchone()
    port, file = free_port(), world.instance / "bare.json"
    reads.save(file, database=f"sqlite:///{copy}", token=token, lesson=str(lesson_id))
    try:
        with serving(
            ["-m", "benchmarks.bare"], environment(world.instance, port, BARE=str(file)), port
        ) as server:
            clients = [Browser(port) for _ in EIGHT]
            yield Floors(server, clients, reads)
            for client in clients:
                client.close()
    finally:
        subprocess.run(["rm", "-f", str(copy), f"{copy}-wal", f"{copy}-shm"], check=True)
