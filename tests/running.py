"""A real server on a copy of a small fictional force: for browsers, kills and backups."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct-horse-of-westshire"


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
    }


def command(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the portal as an operator types it."""
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    return subprocess.run(
        [*flask, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def make_force(instance: Path, people: int = 60, database_url: str = "") -> None:
    """Migrate, publish the modules and create a fictional force."""
    environment = settings(instance, database_url=database_url)
    for words in (("db", "upgrade"), ("demo", "create", "--people", str(people), "--seed", "5")):
        done = command(environment, *words)
        assert done.returncode == 0, done.stderr


@dataclass
class Server:
    """The production server on its own port; ``kill`` is a power cut to the process."""

    instance: Path
    database_url: str = ""
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Start, and wait until it is ready."""
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        with (self.instance / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "serve.py"],
                cwd=ROOT,
                env=settings(self.instance, self.port, self.database_url),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(300):
            if self._ready():
                return self
            time.sleep(0.1)
        raise AssertionError((self.instance / "server.log").read_text())

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
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
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def copied(template: Path, target: Path) -> Path:
    """An instance folder of a test's own."""
    return Path(shutil.copytree(template, target))
