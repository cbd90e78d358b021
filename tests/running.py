"""A real server on a copy of a small fictional force: for browsers, kills and backups."""

import fcntl
import http.client
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.forked import Forked
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct-horse-of-westshire"


def free_port() -> int:
    """A port that no outgoing connection is given: nobody takes it before, or after, who asked for it."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("No port is free.")


def settings(instance: Path, port: int = 0, database_url: str = "") -> dict[str, str]:
    """The environment of a portal on this instance folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PORTAL_MODE": "demo",
        "INSTANCE_DIR": str(instance),
        "DATABASE_URL": database_url,
        "DEMO_PASSWORD": PASSWORD,
        "PORT": str(port or 8000),
        "LINE_MANAGER_SIGHT": "off",  # as in production: journeys give managers what they see
    }


def command(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the portal as an operator types it."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = Forked("flask", ["--app", "wsgi", *words], environment, out, err)
        try:
            code = process.wait(timeout=300)
        finally:
            process.kill()
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


def make_force(instance: Path, people: int = 60, database_url: str = "") -> None:
    """Migrate, publish the modules and create a fictional force."""
    environment = settings(instance, database_url=database_url)
    for words in (("db", "upgrade"), ("demo", "create", "--people", str(people), "--seed", "5")):
        done = command(environment, *words)
        assert done.returncode == 0, done.stderr


def folder_of_all_workers(base: Path) -> Path:
    """The folder of this run of the tests, by a worker's own base of temporary folders."""
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def once_for_all_workers(base: Path, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that whichever worker of this run comes first makes, and that the others wait for.

    Args:
        base: The worker's own base of temporary folders.
        name: What the folder is called.
        make: Fills the folder.
    """
    shared = folder_of_all_workers(base)
    folder, done = shared / name, shared / f"{name}.made"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def fresh_database(server: str, name: str, template: str = "template1") -> str:
    """A database of this name, as the template is, whatever had the name before; its address."""
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return f"{server.rpartition('/')[0]}/{name}"


@dataclass
class Server:
    """The production server on its own port; ``kill`` is a power cut to the process."""

    instance: Path
    database_url: str = ""
    port: int = 0
    more: dict[str, str] = field(default_factory=dict)  # further settings
    process: Forked | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Start, and wait until it is ready."""
        self.port = self.port or free_port()
        environment = settings(self.instance, self.port, self.database_url) | self.more
        process = self.process = Forked("serve.py", [], environment, self.instance / "server.log")
        with suppress(AssertionError):
            until(lambda: self._ready() or process.poll() is not None)
        if process.poll() is not None or not self._ready():
            raise AssertionError((self.instance / "server.log").read_text())
        return self

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """End the server and its workers at once, without a goodbye."""
        if self.process:
            self.process.kill()
            self.process = None


def copied(template: Path, target: Path) -> Path:
    """An instance folder of a test's own."""
    return Path(shutil.copytree(template, target))
