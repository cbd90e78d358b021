"""Processes: what systemd hands to this one, and forks of it, restarted whenever they die."""

import mmap
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

NICENESS = 5  # not more: even a thread that makes files is, for moments, SQLite's one writer
PAUSE_SECONDS = 0.2
SUPERVISED_SECONDS = 15  # how long a supervised process may take to end; longer than a worker gives its jobs
FIRST_HANDED_OVER = 3  # the descriptor of the socket that systemd hands over (sd_listen_fds)
AGAIN_SECONDS, MOST_SECONDS = 1, 60  # before a child that died is restarted: longer each time


def peak_memory_mib() -> int:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def name_process(name: str) -> None:
    """Have ``ps`` and ``top`` show this name, of at most 15 characters; on Linux alone."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def is_socket_handed_over(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether systemd started this process with a listening socket, in which connections wait over a restart.

    ``LISTEN_PID`` says for which process it is meant.
    """
    return environment.get("LISTEN_PID") == str(os.getpid()) and environment.get("LISTEN_FDS") == "1"


def take_handed_over_socket() -> socket.socket | None:
    """The socket, of which children know nothing; None where none was handed over."""
    if not is_socket_handed_over():
        return None
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    listening = socket.socket(fileno=FIRST_HANDED_OVER)
    listening.set_inheritable(False)
    return listening


def yield_to_pages() -> None:
    """Let threads that answer pages have the processor before this one and those it starts, for good."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.nice(NICENESS)


def fork_copy(act: Callable[[], None]) -> int:
    """Start a copy of this process that does nothing but ``act``; returns its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # the parent's handlers are not for its copy
    try:
        if os.getppid() == parent:  # or it died in between
            act()
        code = 0
    finally:
        os._exit(code)  # without the parent's clean-up


@dataclass
class Slot:
    """The place of one child process among those of its parent; both can see whether it has retired.

    Attributes:
        number: No other living child of the parent has it. A later one may.
    """

    number: int
    _retired: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, 1))  # the parent reads it too

    @property
    def is_retired(self) -> bool:
        """Whether another child takes its place while it finishes what it has begun."""
        return bool(self._retired[0])

    def retire(self) -> None:
        """Have another child started in its place; it ends by itself once it has finished."""
        self._retired[0] = 1


@dataclass
class Child:
    """One of several processes that are always there: ``pid`` is 0 between its end and its next start."""

    act: Callable[[Slot], None]
    number: int  # its first; the next ones are ``step`` apart, so that no other child uses them
    step: int
    slot: Slot = field(init=False)
    pid: int = 0
    started: float = 0.0
    wait: float = AGAIN_SECONDS
    retired: dict[int, int] = field(default_factory=dict)  # numbers by pid

    def start(self) -> None:
        """Start the process."""
        numbers = count(self.number, self.step)
        self.slot = Slot(next(number for number in numbers if number not in self.retired.values()))
        self.pid, self.started = fork_copy(partial(self.act, self.slot)), time.monotonic()

    def restart_if_ended(self) -> None:
        """Note whether it has ended or retired; start it again once its pause is over."""
        self.retired = {pid: number for pid, number in self.retired.items() if not _has_ended(pid)}
        ended, code = os.waitpid(self.pid, os.WNOHANG) if self.pid else (0, 0)
        if ended:
            self.pid, lived = 0, time.monotonic() - self.started
            calm = not code or lived > MOST_SECONDS  # it ended of itself, or had worked for a while
            self.wait = AGAIN_SECONDS if calm else min(2 * self.wait, MOST_SECONDS)
        elif self.pid and self.slot.is_retired:
            self.retired[self.pid], self.pid = self.slot.number, 0
            self.wait = AGAIN_SECONDS
        if not self.pid and time.monotonic() > self.started + self.wait:
            self.start()

    @property
    def pids(self) -> list[int]:
        """The ids of its living processes."""
        return [pid for pid in (self.pid, *self.retired) if pid]


def keep_running(
    acts: Sequence[Callable[[Slot], None]],
    goodbye_seconds: float,
    *,
    with_parent: bool = False,
    before_end: Callable[[], object] = bool,
) -> None:
    """Keep one child for each of ``acts`` until SIGTERM or SIGINT, then end them and return.

    Args:
        acts: What each child does.
        goodbye_seconds: How long a child may take to end; then it is killed.
        with_parent: End also when the parent of this process is gone; else when its terminal is closed.
        before_end: Called before the children are told to end.
    """
    ending: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: ending.append(received))
    if with_parent:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        signal.signal(signal.SIGHUP, lambda received, _: ending.append(received))
    parent = os.getppid()
    children = [Child(act, number, len(acts)) for number, act in enumerate(acts)]
    for child in children:
        child.start()
    while not ending and (not with_parent or os.getppid() == parent):
        for child in children:
            child.restart_if_ended()
        time.sleep(PAUSE_SECONDS)
    before_end()
    _end_processes([pid for child in children for pid in child.pids], goodbye_seconds)


class Supervisor:
    """A process that restarts one child whenever it dies, seen from the process that started it."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.pid = fork_copy(lambda: keep_running([lambda _: act()], SUPERVISED_SECONDS, with_parent=True))

    def stop_child(self) -> None:
        """Tell it to end its child and itself, and wait until it has."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return  # it has ended already


def _end_processes(pids: list[int], seconds: float) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    last = time.monotonic() + seconds
    while pids:
        pids = [pid for pid in pids if not _has_ended(pid)]
        for pid in pids if time.monotonic() > last else ():
            os.kill(pid, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS / 4)


def _has_ended(pid: int) -> bool:
    """Whether this child has; nobody can ask again."""
    return bool(os.waitpid(pid, os.WNOHANG)[0])
