"""Kills portals, cuts their power and kills PostgreSQL while people pass, and counts what was lost.

    python -m tests.hostile.durability --kills 30 --power-cuts 10 --postgresql-kills 8
    python -m tests.hostile.durability --node-kills 10 --primary-restarts 5

Each learner takes the four modules over HTTP. After each blow the portal starts again, and every pass whose
reference was shown, and every answer and step of a case that was acknowledged, has to be there; no pass may
be half there.
Exit 1 where one is lost or half.
"""

import argparse
import itertools
import json
import operator
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.browser import Browser
from tests.hostile import power_cut
from tests.hostile.learners import Acknowledged, Content, Crowd
from tests.hostile.nodes import Nodes, database_with_replica, is_nginx_there
from tests.hostile.portals import KilledServer, PowerCutServer
from tests.postgres import Postgres
from tests.running import PASSWORD, ROOT, Server, copied, free_port, fresh_database, make_force, settings
from tests.waiting import until

PEOPLE = 40  # each takes four modules; a fresh force follows when all have begun
AUDITOR = "D6001"  # sees every record
WAIT = 60.0  # seconds for a pass before the next blow
LONGEST = 2.0  # seconds from that pass to the blow, at most
Kept = Path | str  # an instance folder, or the address of a PostgreSQL database


@dataclass
class Count:
    """What happened under one kind of blow."""

    blows: int = 0
    passes: int = 0
    answers: int = 0
    steps: int = 0  # of cases
    lost: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    unsynced: int = 0

    def add(self, told: Acknowledged) -> None:
        """What was acknowledged on a portal that is left now."""
        self.passes += len(told.passes)
        self.answers += told.savings
        self.steps += told.case_steps

    def line(self, what: str) -> str:
        """One line for the output."""
        more = f", writes without a promise {self.unsynced:,}" if self.unsynced else ""
        return (
            f"{what} {self.blows}, acknowledged passes {self.passes:,}, acknowledged answers"
            f" {self.answers:,}, acknowledged steps of cases {self.steps:,}, lost {len(self.lost)},"
            f" half {len(self.half)}{more}"
        )


def ask(kept: Kept, *queries: str) -> list[list[Any]]:
    """Rows of each query, all of one state of the database, while the portal runs and people go on."""
    if isinstance(kept, str):
        with psycopg.connect(kept) as opened:
            opened.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return [opened.execute(query).fetchall() for query in queries]
    address = f"file:{kept / 'portal.sqlite'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=30, isolation_level=None)) as opened:
        opened.execute("BEGIN")
        return [opened.execute(query).fetchall() for query in queries]


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def find_losses(kept: Kept, told: Acknowledged) -> list[str]:
    """The passes, answers and steps of cases that were acknowledged and are not there."""
    passes_told = list(told.passes.items())  # before the database is asked: people go on meanwhile
    answers_told = [(where, list(savings)) for where, savings in list(told.answers.items())]
    steps_told = dict(told.steps)
    records, rows, attempts, steps = ask(
        kept,
        "SELECT r.reference, p.attempt_id FROM record r JOIN pass_record p ON p.record_id = r.id",
        "SELECT attempt_id, item_id, choices FROM response",
        "SELECT id, drawn FROM attempt",
        "SELECT n.staff_number, a.key, l.key, count(*) FROM case_step s JOIN case_run r ON r.id = s.run_id"
        " JOIN lesson l ON l.id = r.lesson_id JOIN registration g ON g.id = r.registration_id"
        " JOIN activity a ON a.id = g.activity_id JOIN person_name n ON n.person_id = g.person_id"
        " GROUP BY n.staff_number, a.key, l.key",
    )
    saved_steps = {(person, module, lesson): number for person, module, lesson, number in steps}
    passes = {reference: UUID(str(attempt)) for reference, attempt in records}
    responses: dict[tuple[UUID, int], list[list[str]]] = {}
    for attempt, item, choices in rows:
        responses.setdefault((UUID(str(attempt)), item), []).append(_read(choices))
    drawn = {UUID(str(attempt)): _read(items) for attempt, items in attempts}
    lost = [
        f"pass {reference} of {person}"
        for reference, (person, attempt) in passes_told
        if passes.get(reference) != UUID(attempt)
    ]
    lost += [
        f"{number} steps of {' '.join(where)}, there are {saved_steps.get(where, 0)}"
        for where, number in steps_told.items()
        if saved_steps.get(where, 0) < number
    ]
    for (attempt, number), savings in answers_told:
        items = drawn.get(UUID(attempt), [])
        saved = responses.get((UUID(attempt), items[number - 1]["item_id"]), []) if items else []
        lost += [
            f"answer {number} of {attempt}: {keys}, there are {saved}"
            for keys in savings
            if not _holds(saved, keys)
        ]
    return lost


def _holds(saved: list[list[str]], keys: list[str]) -> bool:
    """Whether these choices were saved; of a scenario a step is, within a way."""
    if "/" in keys[0]:
        return any(set(keys) <= set(way) for way in saved)
    return any(sorted(choices) == sorted(keys) for choices in saved)


def find_halves(kept: Kept) -> list[str]:
    """Passes of which a part is there: an answer, the marked end, the pass and its record belong together."""
    attempts, responses, submissions, pass_records, bare = ask(
        kept,
        "SELECT id, drawn FROM attempt",
        "SELECT DISTINCT attempt_id, item_id FROM response",
        "SELECT attempt_id, score_raw, score_max, mastery_score FROM submission",
        "SELECT p.attempt_id, r.id FROM pass_record p LEFT JOIN record r ON r.id = p.record_id",
        "SELECT r.id FROM record r LEFT JOIN pass_record p ON p.record_id = r.id"
        " WHERE p.record_id IS NULL AND r.source = 'assessed' AND r.replaces_id IS NULL",
    )
    drawn = {UUID(str(attempt)): _read(items) for attempt, items in attempts}
    answered: dict[UUID, set[int]] = {}
    for attempt, item in responses:
        answered.setdefault(UUID(str(attempt)), set()).add(item)
    ends = {
        UUID(str(attempt)): Decimal(str(raw)) >= Decimal(str(mastery)) * most
        for attempt, raw, most, mastery in submissions
    }
    passes = {UUID(str(attempt)): record for attempt, record in pass_records}
    return [
        *(f"attempt {a} passed without a pass" for a, passed in ends.items() if passed and a not in passes),
        *(f"pass of {a} without its end" for a in passes if not ends.get(a)),
        *(f"pass of {a} without its record" for a, record in passes.items() if record is None),
        *(f"record {record} without its pass" for (record,) in bare),
        *(
            f"end of {a} without all its answers"
            for a in ends
            if not {row["item_id"] for row in drawn[a]} <= answered.get(a, set())
        ),
    ]


class Forces:
    """Fictional forces in which everybody has an account; made once, then copied."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._copies = folder, 0
        self.template = folder / "template"
        self.template.mkdir()
        make_force(self.template, people=20)
        self.people = enrol(settings(self.template))
        self.content = Content(self.template)

    def copy(self) -> Path:
        """An instance folder of its own."""
        self._copies += 1
        return copied(self.template, self.folder / f"force-{self._copies}")


def enrol(environment: dict[str, str]) -> list[str]:
    """Give everybody an account; the staff numbers."""
    words = [sys.executable, "-m", "tests.hostile.enrol", str(PEOPLE)]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@dataclass
class Trial:
    """One kind of blow: what begins a portal, what strikes it, and where its facts are."""

    begin: Callable[[], Server]
    strike: Callable[[Server, random.Random], int]  # the portal is ready again; writes that nobody had synced
    kept: Callable[[Server], Kept]


def run(trial: Trial, blows: int, people: list[str], content: Content, seed: int) -> Count:
    """Strike so often, look after each time, and count."""
    chance, count = random.Random(seed), Count()
    while count.blows < blows:
        server = trial.begin()
        watcher = Browser(server.port)
        watcher.sign_in(AUDITOR, PASSWORD)
        crowd = Crowd(server.port, content, people)
        try:
            try:
                while count.blows < blows and crowd.left:
                    _wait_for_a_pass(crowd, chance)
                    crowd.up.clear()
                    count.unsynced += trial.strike(server, chance)
                    count.blows += 1
                    _look(trial.kept(server), watcher, crowd.told, count)
                    crowd.up.set()
            finally:
                crowd.end()
            _look(trial.kept(server), watcher, crowd.told, count)
            if crowd.wrong:
                raise RuntimeError("; ".join(crowd.wrong))
            count.add(crowd.told)
        finally:
            watcher.close()
            server.kill()
    return count


def _wait_for_a_pass(crowd: Crowd, chance: random.Random) -> None:
    """Until somebody passed since the last blow; then at random, half of the time within a submission."""
    before, last = len(crowd.told.passes), time.monotonic() + WAIT
    while len(crowd.told.passes) == before:
        if time.monotonic() > last or crowd.wrong:
            raise RuntimeError(f"Nobody passed for {WAIT:.0f} seconds. {crowd.wrong}")
        time.sleep(0.02)
    if chance.random() < 0.5:
        crowd.submitting.clear()
        crowd.submitting.wait(LONGEST * 3)
        time.sleep(chance.uniform(0, 0.06))
    else:
        time.sleep(chance.uniform(0, LONGEST))


def _look(kept: Kept, watcher: Browser, told: Acknowledged, count: Count) -> None:
    """Note what is not there, or only in part, and whether one of the passes is shown on screen."""
    count.lost += [loss for loss in find_losses(kept, told) if loss not in count.lost]
    count.half += [half for half in find_halves(kept) if half not in count.half]
    if isinstance(kept, Path) and (said := ask(kept, "PRAGMA integrity_check")[0]) != [("ok",)]:
        count.half.append(f"the database: {said[0][0]}")
    if told.passes:
        reference = list(told.passes)[-1]
        if not _is_on_screen(watcher, reference):
            count.lost.append(f"pass {reference}, on screen")


def _is_on_screen(watcher: Browser, reference: str) -> bool:
    """Whether the record is shown; connections that the blow cut may fail a few requests first."""
    last = time.monotonic() + WAIT
    while True:
        try:
            return reference in watcher.page(f"/records/{reference}").text
        except (OSError, RuntimeError):
            watcher.close()
            if time.monotonic() > last:
                return False
            time.sleep(0.2)


def kills(forces: Forces) -> Trial:
    """SIGKILL to every process of the server, or to one of its workers."""

    def strike(server: Server, chance: random.Random) -> int:
        assert isinstance(server, KilledServer)
        server.kill_some(chance)
        return 0

    return Trial(
        lambda: KilledServer(forces.copy(), port=free_port()).start(), strike, lambda server: server.instance
    )


def power_cuts(forces: Forces) -> Trial:
    """SIGKILL to every process, and what nobody had synced is gone, there, or torn, write by write."""
    shim = power_cut.build_shim(forces.folder)

    def strike(server: Server, chance: random.Random) -> int:
        assert isinstance(server, PowerCutServer)
        return server.cut(chance).unsynced

    return Trial(lambda: PowerCutServer(forces.copy(), shim).start(), strike, lambda server: server.instance)


@contextmanager
def postgresql_kills(forces: Forces):
    """SIGKILL to every process of PostgreSQL, under a portal that goes on."""
    database = Postgres()
    try:
        copy, people = _forces_on(database, forces)

        def begin() -> Server:
            instance, address = copy()
            return Server(instance, database_url=address, port=free_port()).start()

        def strike(server: Server, chance: random.Random) -> int:
            database.kill()
            database.start()
            until(server._ready)
            return 0

        yield Trial(begin, strike, lambda server: server.database_url), people
    finally:
        database.end()


@contextmanager
def nodes(forces: Forces):
    """SIGKILL to a node, or to its database: of two nodes behind nginx, a worker apart, and a replica."""
    with database_with_replica() as (primary, replica):
        copy, people = _forces_on(primary, forces)

        def begin() -> Server:
            instance, address = copy()
            return Nodes(instance, primary, replica, address).start()

        def strike(server: Server, chance: random.Random) -> int:
            assert isinstance(server, Nodes)
            server.kill_node(chance)
            return 0

        def strike_database(server: Server, chance: random.Random) -> int:
            assert isinstance(server, Nodes)
            server.restart_database()
            return 0

        kept = operator.attrgetter("database_url")
        yield Trial(begin, strike, kept), Trial(begin, strike_database, kept), people


def _forces_on(database: Postgres, forces: Forces):
    """What makes a copy of a force on this server, as its folder and address; and its people."""
    copies = itertools.count()
    template = fresh_database(database.address, "force_template")
    base = f"postgresql-{database.port}"
    folder = forces.folder / base
    folder.mkdir()
    make_force(folder, people=20, database_url=template)
    people = enrol(settings(folder, database_url=template))

    def copy() -> tuple[Path, str]:
        number = next(copies)
        address = fresh_database(database.address, f"force_{number}", "force_template")
        return copied(folder, forces.folder / f"{base}-{number}"), address

    return copy, people


def main(words: list[str] | None = None) -> int:
    """Strike as often as asked and print the counts; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("kills", "power-cuts", "postgresql-kills", "node-kills", "primary-restarts"):
        parser.add_argument(f"--{name}", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args(words)
    if (asked.node_kills or asked.primary_restarts) and not is_nginx_there():
        print("nginx is missing: apt-get install nginx", file=sys.stderr)
        return 2
    print(f"seed {asked.seed}", flush=True)
    counts: list[Count] = []
    with tempfile.TemporaryDirectory(prefix="portal-hostile-") as folder:
        forces = Forces(Path(folder))

        def strike(what: str, trial: Trial, blows: int, people: list[str]) -> None:
            if blows:
                count = run(trial, blows, people, forces.content, asked.seed)
                counts.append(count)
                print("\n".join([count.line(what), *count.lost, *count.half]), flush=True)

        strike("kills", kills(forces), asked.kills, forces.people)
        if asked.power_cuts:
            strike("power cuts", power_cuts(forces), asked.power_cuts, forces.people)
        if asked.postgresql_kills:
            with postgresql_kills(forces) as (trial, people):
                strike("PostgreSQL kills", trial, asked.postgresql_kills, people)
        if asked.node_kills or asked.primary_restarts:
            with nodes(forces) as (node_trial, database_trial, people):
                strike("kills of a node", node_trial, asked.node_kills, people)
                strike("kills of the nodes' database", database_trial, asked.primary_restarts, people)
    return int(any(count.lost or count.half for count in counts))


if __name__ == "__main__":
    sys.exit(main())
