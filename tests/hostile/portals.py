"""Portals whose processes, power or database can be cut at any instant."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.hostile import power_cut
from tests.running import ROOT, Server, settings

PATIENCE = 60.0  # seconds until a portal has to be ready again


def in_session(leader: int) -> list[int]:
    """The living processes of the leader's session, itself first."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] not in "ZX":
                found.append(int(path.parent.name))
    return sorted(found, key=lambda pid: (pid != leader, pid))


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


def free_port() -> int:
    """A port that no outgoing connection is given: it is free again after the portal that had it died."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("No port is free.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


class KilledServer(Server):
    """A server of which all processes, or any one of them, can be killed."""

    def kill(self) -> None:
        """End all processes at once, and wait until the last has let go of the port."""
        leader = self.process.pid if self.process else 0
        super().kill()
        if leader:
            until(lambda: not in_session(leader))
            until(lambda: _is_free(self.port))

    def kill_some(self, chance: random.Random) -> None:
        """Kill a worker, or the whole, and start the portal again if it does not mend itself."""
        assert self.process
        _leader, *others = in_session(self.process.pid)
        if others and chance.random() < 0.3:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(others), signal.SIGKILL)
            time.sleep(0.5)
            if self._ready():
                return
        self.kill()
        self.start()


class _Process:
    """What a server needs of its process; the leader of a session of its own."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "serve.py"],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def kill(self) -> None:
        """End it and all that it began at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in in_session(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        until(lambda: not in_session(self.pid))


class PowerCutServer(Server):
    """A server on SQLite whose power can be cut: what nobody synced may be gone."""

    def __init__(self, instance: Path, shim: Path) -> None:
        super().__init__(instance, port=free_port())
        self._shim, self._turn = shim, 0
        self._before = self._copied()

    def _copied(self) -> Path:
        return Path(shutil.copytree(self.instance, self.instance.with_name(f"{self.instance.name}-before")))

    @property
    def _journal(self) -> Path:
        return self.instance.with_name(f"{self.instance.name}-journal")

    def start(self) -> Server:
        """Start, and wait until it is ready."""
        noted = power_cut.environment(self._shim, self.instance / power_cut.DATABASE, self._journal)
        self.process = _Process(settings(self.instance, self.port) | noted, self.instance / "server.log")  # type: ignore[assignment]
        until(self._ready)
        return self

    def cut(self, chance: random.Random) -> power_cut.Cut:
        """Cut the power, and start on what the disk holds."""
        self.kill()
        self._turn += 1
        after = self.instance.with_name(f"power-{self._turn}")
        left = power_cut.rebuild(self._before, self._journal, after, chance)
        for old in (self.instance, self._before):
            shutil.rmtree(old)
        self._journal.unlink()
        self.instance = after
        self._before = self._copied()
        self.start()
        return left


def until(holds) -> None:
    """Wait until it holds."""
    last = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > last:
            raise RuntimeError("The portal did not get ready.")
        time.sleep(0.1)


class _PostgresServer:
    """A PostgreSQL server on loopback, its data in a folder of its own."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        on_path = shutil.which("initdb")
        if not found and not on_path:
            raise RuntimeError("PostgreSQL's server is missing: apt-get install postgresql")
        self._binaries = Path(on_path or found[-1]).resolve().parent  # the path may hold some of them only
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
        """Start, with what a power cut asks for switched on, and wait until it is ready."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=on"
        options += " -c synchronous_commit=on -c full_page_writes=on -c hot_standby_feedback=on"
        self._run("pg_ctl", "-l", str(self.folder / "log"), "-o", options, "-w", "start")

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
    """A server that keeps its promises, and can be killed with all its processes."""

    def __init__(self) -> None:
        super().__init__()
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        self.start()


class Replica(_PostgresServer):
    """A streaming replica of a server."""

    def __init__(self, primary: Postgres) -> None:
        super().__init__()
        of = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
        self._run("pg_basebackup", *of, "--write-recovery-conf", "--checkpoint=fast")
        self.start()
