"""The database of a nation: one force by the portal's own commands, then copied; kept and used again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.browser import Browser
from benchmarks.nation import checked, copies
from benchmarks.nation.cluster import Cluster, connected
from benchmarks.serving import Server, environment, free_port, serving
from benchmarks.world import flask

FORCES = 43
A_FORCE = 6_660  # people, of whom about 5,840 are in the directive's audience
ONE = "force"  # the database that all others are copied from
EVERYONE = "D6001"  # an auditor without a unit: sees all forces
OTHER = "D2002-2"  # manages the second force, whole
PATH = copies.NAMES[1]


@dataclass(frozen=True, slots=True)
class Nation:
    """A running portal over one database of the cluster."""

    instance: Path
    url: str
    server: Server
    cluster: Cluster

    @property
    def password(self) -> str:
        """The one password of the demo's accounts."""
        return (self.instance / "demo_password").read_text().strip()

    def processor_seconds(self) -> tuple[float, float]:
        """Seconds of processor time that the portal has used, and the database."""
        return self.server.processor_seconds(), self.cluster.processor_seconds()

    def browser(self, staff_number: str) -> Browser:
        """Someone signed in."""
        browser = Browser(self.server.port)
        browser.sign_in(staff_number, self.password)
        return browser


def database(forces: int) -> str:
    """The name of the database with so many forces."""
    return f"nation{forces}"


def make(cluster: Cluster, instance: Path, forces: int = FORCES) -> float | None:
    """Make the database with so many forces; the seconds it took, None where it was there."""
    if database(forces) in cluster.databases():
        flask(instance, "db", "upgrade", **settings(cluster, forces))
        return None
    begun = time.perf_counter()
    _one(cluster, instance)
    building = f"{database(forces)}_in_the_making"
    cluster.drop(building)
    cluster.create(building, like=ONE)
    flask(instance, "db", "upgrade", DATABASE_URL=cluster.url(building))  # where it is of an earlier day
    copies.copy(cluster.url(building), forces)
    with connected(cluster.url(building)) as connection:
        connection.execute(_ACCOUNT, {"of": "D2002", "to": OTHER})
    checked.put_right(instance, cluster.url(building))
    with connected(cluster.url(building)) as connection:
        connection.execute("VACUUM ANALYZE")
    with connected(cluster.url("postgres")) as connection:
        connection.execute(f"ALTER DATABASE {building} RENAME TO {database(forces)}")
    flask(instance, "people", "grant", OTHER, "manager", "--unit", PATH, **settings(cluster, forces))
    return time.perf_counter() - begun


_ACCOUNT = """
    INSERT INTO credential (person_id, password_hash, set_at)
    SELECT t.person_id, c.password_hash, c.set_at FROM credential c
    JOIN person_name o ON o.person_id = c.person_id AND o.staff_number = %(of)s
    JOIN person_name t ON t.staff_number = %(to)s"""


def settings(cluster: Cluster, forces: int) -> dict[str, str]:
    """What the portal must be told; jobs stay with workers that nobody started, so that none disturbs."""
    return {"DATABASE_URL": cluster.url(database(forces)), "JOBS": "separate"}


def _one(cluster: Cluster, instance: Path) -> None:
    """The force that is copied, made as ``make run`` makes it."""
    if ONE in cluster.databases():
        return
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    building = "force_in_the_making"
    cluster.drop(building)
    cluster.create(building)
    url = cluster.url(building)
    flask(instance, "db", "upgrade", DATABASE_URL=url)
    flask(instance, "demo", "create", "--people", str(A_FORCE), DATABASE_URL=url)
    with connected(cluster.url("postgres")) as connection:
        connection.execute(f"ALTER DATABASE {building} RENAME TO {ONE}")


@contextmanager
def portal(cluster: Cluster, instance: Path, forces: int = FORCES, jobs: str = "") -> Iterator[Nation]:
    """The portal's own server over the database with so many forces; with ``jobs`` it runs them too."""
    port = free_port()
    told = settings(cluster, forces)
    env = environment(instance, port, **(told | {"JOBS": jobs} if jobs else told))
    with serving(["serve.py"], env, port) as server:
        yield Nation(instance, cluster.url(database(forces)), server, cluster)


def sizes(url: str) -> dict[str, int]:
    """How many rows of what the database holds, and its MiB."""
    tables = ("person", "unit", "assignment", "registration", "record", "status_period")
    with connected(url) as connection:
        found: dict[str, Any] = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
        }
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()[0]
    return {**found, "MiB": size // 2**20}
