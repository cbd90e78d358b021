"""The force of the hour, on either database: a first load of a roster, and a password for each."""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks import roster
from benchmarks.hour import provider
from benchmarks.hour.plan import MANAGERS, Plan
from benchmarks.hour.tally import Tally
from benchmarks.nation.cluster import connected, served
from benchmarks.serving import Server, environment, free_port, serving
from benchmarks.world import flask

DEMO = 60  # people of the force before it, under a live directive of four modules
DATABASE = "hour"
# One hash for all: it is checked as often, and takes as long.
ACCOUNTS = """
    INSERT INTO credential (person_id, password_hash, password_rule, set_at)
    SELECT t.person_id, c.password_hash, c.password_rule, c.set_at FROM credential c
    JOIN person_name o ON o.person_id = c.person_id AND o.staff_number = 'D1001'
    JOIN person_name t ON t.staff_number LIKE 'B%'"""
DIRECTIVE = """reference = "HOUR-2026"
title = "Recognise and report"
source = "The chief constable's mail"
wording = "Everyone in a designated role completes two modules."
owner = "D4001"
effective_on = 2026-11-01
target = 1.0
notice_days = [30, 7, 1]
expiring_days = 60

[due]
on = 2027-04-30
days_after_joining = 60

[[audience]]
designated_role = ["response", "contact", "investigation", "custody", "neighbourhood", "roads policing"]

[[requirement]]
kind = "module"
key = "recognise"

[[requirement]]
kind = "module"
key = "report"
"""


@dataclass(frozen=True, slots=True)
class Force:
    """An instance folder with its database; an empty address is SQLite's file in it."""

    folder: Path
    url: str

    @property
    def instance(self) -> Path:
        """The portal's folder."""
        return self.folder / "instance"

    @property
    def password(self) -> str:
        """The one password of all."""
        return (self.instance / "demo_password").read_text().strip()

    def query(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """Run a statement in a commit of its own; its rows, if it has any."""
        if not self.url:
            with closing(sqlite3.connect(self.instance / "portal.sqlite")) as database, database:
                return database.execute(statement).fetchall()
        with connected(self.url) as connection:
            done = connection.execute(statement.replace("%", "%%"), ())
            rows: Sequence[tuple[Any, ...]] = done.fetchall() if done.description else []
            return rows


@contextmanager
def force(plan: Plan) -> Iterator[Force]:
    """Make it; removed afterwards, with the database's server where it is PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="portal-hour-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's own user passes through
        if not plan.postgresql:
            yield _filled(Force(folder, ""), plan)
            return
        with served(folder / "cluster") as cluster:
            cluster.create(DATABASE)
            yield _filled(Force(folder, cluster.url(DATABASE)), plan)


def _filled(made: Force, plan: Plan) -> Force:
    made.instance.mkdir(mode=0o700)
    first = made.folder / "first.csv"
    roster.write(first, rows=plan.force)
    roster.write_moved(made.folder / "roster.csv", first, plan.moves)
    (made.folder / "directive.toml").write_text(DIRECTIVE, encoding="utf-8")
    for command in (
        ("db", "upgrade"),
        ("demo", "create", "--people", str(DEMO)),
        ("people", "import", str(first)),
        *(("people", "grant", each, "manager", "--unit", roster.FORCE) for each in MANAGERS),
    ):
        flask(made.instance, *command, DATABASE_URL=made.url)
    made.query(ACCOUNTS)
    made.query("VACUUM ANALYZE" if made.url else "ANALYZE")
    return made


@contextmanager
def portal(made: Force, plan: Plan) -> Iterator[tuple[Server, Server | None]]:
    """The portal behind a proxy on this machine; and the provider, where officers sign in with one."""
    port, provider_port = free_port(), free_port()
    settings = {"DATABASE_URL": made.url, "TRUSTED_PROXIES": "127.0.0.1"}
    if not plan.by_provider:
        with serving(["serve.py"], environment(made.instance, port, **settings), port) as server:
            yield server, None
        return
    settings |= {
        "OIDC_ISSUER": f"http://127.0.0.1:{provider_port}",
        "OIDC_CLIENT_ID": provider.CLIENT,
        "OIDC_CLIENT_SECRET": provider.SECRET,
        "OIDC_MATCH_CLAIM": provider.CLAIM,
        "OIDC_MATCH_FIELD": provider.FIELD,
        "LOCAL_SIGN_IN": "everyone",
    }
    command = ["-m", "benchmarks.hour.provider", str(provider_port)]
    with (
        serving(command, environment(made.instance, provider_port), provider_port) as signer,
        serving(["serve.py"], environment(made.instance, port, **settings), port) as server,
    ):
        yield server, signer


def lost(made: Force, tally: Tally) -> tuple[int, int]:
    """How many of the answers and of the passes that were acknowledged the database does not have."""
    rows = made.query("SELECT attempt_id, count(*) FROM response GROUP BY attempt_id")
    kept = {str(UUID(str(attempt))): count for attempt, count in rows}
    answers = sum(max(0, count - kept.get(attempt, 0)) for attempt, count in tally.answers.items())
    rows = made.query(
        "SELECT r.reference, p.attempt_id FROM pass_record p JOIN record r ON r.id = p.record_id"
    )
    passes = {reference: str(UUID(str(attempt))) for reference, attempt in rows}
    return answers, sum(passes.get(reference) != attempt for reference, attempt in tally.passes.items())
