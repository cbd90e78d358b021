"""A server of the benchmark's own on loopback: started, watched and stopped with all its processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(instance: Path, port: int = 8000, **more: str) -> dict[str, str]:
    """Settings of a demo in ``instance``, and of the caller's ``FEATURES`` alone."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "FEATURES")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    portal = {"PORTAL_MODE": "demo", "INSTANCE_DIR": str(instance), "PORT": str(port), "BIND": "127.0.0.1"}
    return {**kept, **portal, **more}


class Server:
    """A process with its children."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def pids(self) -> list[int]:
        """The process and all below it."""
        found, ahead = [], [self.process.pid]
        while ahead:
            pid = ahead.pop()
            found.append(pid)
            with suppress(FileNotFoundError, ProcessLookupError):  # it may end meanwhile
                for task in Path(f"/proc/{pid}/task").glob("*/children"):
                    ahead.extend(map(int, task.read_text().split()))
        return found

    def memory(self) -> float:
        """MiB over all processes, shared pages counted once (PSS)."""
        return sum(self.memory_by_process().values())

    def memory_by_process(self) -> dict[str, float]:
        """MiB of each process, by its name and id."""
        found = {}
        for pid in self.pids():
            with suppress(FileNotFoundError, ProcessLookupError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                size = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                found[f"{_name(pid)} {pid}"] = size / 1024
        return found

    def processor_seconds(self) -> float:
        """Seconds of processor time that all processes have used, with those of children that ended."""
        return sum(self.processor_seconds_by_process().values())

    def processor_seconds_by_process(self) -> dict[str, float]:
        """The same of each process, by its name and id."""
        seconds = {}
        for pid in self.pids():
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                seconds[f"{_name(pid)} {pid}"] = sum(map(int, fields[11:15])) / TICKS
        return seconds


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


@contextmanager
def serving(command: Sequence[str], env: dict[str, str], port: int) -> Iterator[Server]:
    """Run ``command`` until it answers on ``port``; stop it and what it started at the end."""
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        server = Server(process, port)
        try:
            _wait(server)
            yield server
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait(server: Server) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise RuntimeError("The server ended while it started.")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("The server did not begin to listen within 30 seconds.")


class Watch:
    """Samples the memory of a server's processes until it is left.

    ``first`` is what all had at the beginning, ``at_peak`` what each had when all had the most, in MiB.
    """

    def __init__(self, server: Server, every: float = 0.25) -> None:
        self.server, self.every = server, every
        self.first = 0.0
        self.at_peak: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_left, daemon=True)

    def __enter__(self) -> "Watch":
        self._sample()
        self.first = self.peak
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._sample()

    @property
    def peak(self) -> float:
        """The most that all had at once."""
        return sum(self.at_peak.values())

    def _sample_until_left(self) -> None:
        while not self._over.wait(self.every):
            self._sample()

    def _sample(self) -> None:
        self.at_peak = max(self.at_peak, self.server.memory_by_process(), key=lambda seen: sum(seen.values()))
