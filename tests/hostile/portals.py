"""Portals whose processes or power can be cut at any instant."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.hostile import power_cut
from tests.running import ROOT, Server, free_port, settings
from tests.waiting import until


def in_session(leader: int) -> list[int]:
    """The living processes of the leader's session, itself first."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] not in "ZX":
                found.append(int(path.parent.name))
    return sorted(found, key=lambda pid: (pid != leader, pid))


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
