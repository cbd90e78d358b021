"""A PostgreSQL server of the benchmark's own: its data in one folder, reached on loopback alone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.serving import TICKS, free_port

# As an administrator would set it on a machine with 16 GiB for the database and a solid-state disk;
# all else, fsync with it, is as PostgreSQL has it.
SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "shared_buffers": "1GB",
    "effective_cache_size": "8GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "random_page_cost": "1.1",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A folder with the data of one server, made where it is not there yet."""

    folder: Path

    @property
    def data(self) -> Path:
        """What the server calls its data directory."""
        return self.folder / "data"

    @property
    def port(self) -> int:
        """Where the running server listens."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    def url(self, database: str) -> str:
        """The address of one of its databases, as ``DATABASE_URL`` takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Lay the data out; nothing where that was done before."""
        if self.data.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        how = ("-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        _run("initdb", "-D", str(self.data), *how)
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
            file.write(f"unix_socket_directories = '{self.folder}'\n")

    def running(self) -> bool:
        """Whether a server serves this folder."""
        return _run("pg_ctl", "-D", str(self.data), "status", check=False) == 0

    def start(self) -> bool:
        """Make and start it; False where it ran already."""
        self.make()
        if self.running():
            return False
        log = str(self.folder / "log")
        _run("pg_ctl", "-D", str(self.data), "-l", log, "-o", f"-p {free_port()}", "-w", "start")
        return True

    def stop(self) -> None:
        """Stop it in good order."""
        _run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")

    def processor_seconds(self) -> float:
        """Seconds of processor time that the server has used, with those of its children that ended."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        ticks = sum(_ticks(pid)[:4])
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            ticks += sum(sum(_ticks(int(child))[:2]) for child in task.read_text().split())
        return ticks / TICKS

    def version(self) -> str:
        """The server's version."""
        with connected(self.url("postgres")) as connection:
            return str(connection.execute("SHOW server_version").fetchone()[0]).split()[0]

    def databases(self) -> set[str]:
        """The names of its databases."""
        with connected(self.url("postgres")) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    def create(self, database: str, *, like: str = "template1") -> None:
        """A new database, a copy of one that nobody uses."""
        with connected(self.url("postgres")) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{like}"')

    def drop(self, database: str) -> None:
        """Remove a database, whoever uses it."""
        with connected(self.url("postgres")) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


@contextmanager
def served(folder: Path) -> Iterator[Cluster]:
    """The cluster in ``folder``, running; left running where it ran before."""
    cluster = Cluster(folder)
    started = cluster.start()
    try:
        yield cluster
    finally:
        if started:
            cluster.stop()


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection that commits each statement by itself."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


def _ticks(pid: int) -> list[int]:
    """What a process used itself, then what those that it waited for did; zeros where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return [0, 0, 0, 0]
    return [int(field) for field in text.rpartition(")")[2].split()[11:15]]


def _run(program: str, *arguments: str, check: bool = True) -> int:
    """Run one of PostgreSQL's programs, as its own user where this is root: it refuses root."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    path = shutil.which(program) or (str(found[-1]) if found else program)
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*as_user, path, *arguments]
    heard = subprocess.PIPE if check else None
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=heard, cwd="/")
    if check and done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.decode()[-500:]}")
    return done.returncode
