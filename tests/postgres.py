"""PostgreSQL servers of the tests' own, on loopback, each with its data in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.running import free_port
from tests.waiting import until

SAFE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "hot_standby_feedback=on")
# Never a power cut to this server: what its own settings promise a portal costs tests nothing.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


def below(parent: int) -> list[int]:
    """The process and all that descend from it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [parent]
    for one in found:
        found += [pid for pid, above in parents.items() if above == one]
    return found


class _PostgresServer:
    """A server and its folder; subclasses fill the folder."""

    def __init__(self, settings: tuple[str, ...] = SAFE) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        on_path = shutil.which("initdb")
        if not found and not on_path:
            raise RuntimeError("PostgreSQL's server is missing: apt-get install postgresql")
        self._binaries = Path(on_path or found[-1]).resolve().parent  # the path may hold some of them only
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres")
        self.port = free_port()  # the same after a restart

    @property
    def address(self) -> str:
        """Of a database that is always there."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, and wait until it is ready."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        options += "".join(f" -c {setting}" for setting in self._settings)
        self._run("pg_ctl", "-l", str(self.folder / "log"), "-o", options, "-t", "120", "-w", "start")

    def kill(self) -> None:
        """End every process of it at once, without a goodbye."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGSTOP)  # so that it begins no other meanwhile
        for pid in reversed(below(postmaster)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{postmaster}").exists())

    def end(self) -> None:
        """Stop it, if it runs, and take its folder away."""
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def _run(self, program: str, *words: str) -> None:
        whole = [*self._as, str(self._binaries / program), "-D", str(self.folder / "data"), *words]
        subprocess.run(whole, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Postgres(_PostgresServer):
    """A server with an empty database; one that keeps its promises can be killed with all its processes."""

    def __init__(self, settings: tuple[str, ...] = SAFE) -> None:
        super().__init__(settings)
        how = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"]
        self._run("initdb", *how, *(["--no-sync"] if "fsync=off" in settings else []))
        self.start()


class Replica(_PostgresServer):
    """A streaming replica of a server."""

    def __init__(self, primary: Postgres, settings: tuple[str, ...] = SAFE) -> None:
        super().__init__(settings)
        of = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
        self._run("pg_basebackup", *of, "--write-recovery-conf", "--checkpoint=fast")
        self.start()
