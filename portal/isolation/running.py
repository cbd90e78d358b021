"""Starting a reading process, talking with it, and ending it whatever it does.

A process is started for each message and shares nothing with the portal: no environment, no open file, no
folder, no session of processes, no memory. It is a program of its own rather than a fork, because a server
with threads cannot be forked safely, and because a fork would hold the portal's secrets.
"""

import logging
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import Any, TypeVar

from portal.isolation import child
from portal.isolation.messages import pack, unpack
from portal.isolation.readers import Reader
from portal.isolation.stops import (
    CrashStopError,
    GarbledStopError,
    MemoryStopError,
    OutputStopError,
    ProcessorStopError,
    ReadersBusyError,
    ReadingStoppedError,
    TimeStopError,
)

MOST_AT_ONCE = 2  # reading processes of one process of the portal
WAITS = 10  # seconds for one of these places
_PIECE = 1 << 16
_NOTE = 2_000  # bytes that are kept of what it says beside its answer
_SAID = re.compile(rb"\w+ at [\w.:< ]+")  # the child's own words; a library's may be somebody's data
_PASSED = ("LD_LIBRARY_PATH",)  # without which some installations of Python do not start
# One heap, given back: else each thread would reserve 64 MiB of the address space.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "RAYON_NUM_THREADS": "1"}

T = TypeVar("T")
_log = logging.getLogger(__name__)
_places = BoundedSemaphore(MOST_AT_ONCE)


def read_apart(
    reader: Reader, arguments: Any, pieces: Sequence[bytes], shape: Callable[[Any, list[bytes]], T]
) -> T:
    """What the reader answers, read in a process of its own.

    Args:
        reader: Who reads, within which limits.
        arguments: What it is told, as JSON holds it.
        pieces: What it reads.
        shape: Makes the result of the answer; where it raises TypeError, ValueError, KeyError or IndexError,
            the answer is none.

    Raises:
        ReadingStoppedError: There is no answer, with a sentence for a page; a subclass says why.
        ReadersBusyError: No place became free in time, or the system starts no more processes.
    """
    message = pack(arguments, pieces)
    try:
        with _place():
            conversation = _Conversation(reader, message)
    except OSError as error:
        _log.exception("no reading process can be started reader=%s", reader.function)
        raise ReadersBusyError from error
    stop = conversation.stop
    if stop is None:
        try:
            return shape(*unpack(bytes(conversation.answer)))
        except (TypeError, ValueError, LookupError):
            stop = GarbledStopError
    said = _SAID.fullmatch(bytes(conversation.note).strip())
    _log.warning(
        "reading stopped reader=%s why=%s at=%s",
        reader.function,
        stop.__name__,
        said[0].decode() if said else "-",
    )
    raise stop(reader.thing, reader.advice, reader.act)


@contextmanager
def _place() -> Iterator[None]:
    """One of the places; ten uploads at once take no more memory than two."""
    if not _places.acquire(timeout=WAITS):
        raise ReadersBusyError
    try:
        yield
    finally:
        _places.release()


class _Conversation:
    """One process from start to end; ``stop`` says why there is no answer."""

    def __init__(self, reader: Reader, message: bytes) -> None:
        self.answer, self.note = bytearray(), bytearray()
        self.stop: type[ReadingStoppedError] | None = None
        self._limits = reader.limits
        self._left = memoryview(message)
        self._deadline = monotonic() + reader.limits.wall
        with tempfile.TemporaryDirectory(prefix="portal-read-") as folder:
            process = self._start(reader, folder)
            try:
                self._talk(process)
                code = self._end(process)
            finally:
                _kill(process)
        if self.stop is None:
            self.stop = _why(code, bytes(self.note))

    def _start(self, reader: Reader, folder: str) -> "subprocess.Popen[bytes]":
        limits = (reader.limits.memory, reader.limits.processor, reader.limits.wall)
        return subprocess.Popen(  # noqa: S603 - this very Python, with a file of the portal's own
            [sys.executable, "-I", "-B", child.__file__, reader.function, *map(str, limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder,
            env=_ENVIRONMENT | {name: os.environ[name] for name in _PASSED if name in os.environ},
            start_new_session=True,
        )

    def _talk(self, process: "subprocess.Popen[bytes]") -> None:
        """Send the message and take the answer, until both ends are closed or something is too much."""
        with selectors.DefaultSelector() as ready:
            for pipe, side, handle in (
                (process.stdin, selectors.EVENT_WRITE, self._send),
                (process.stdout, selectors.EVENT_READ, self._hear),
                (process.stderr, selectors.EVENT_READ, self._overhear),
            ):
                assert pipe is not None
                os.set_blocking(pipe.fileno(), False)
                ready.register(pipe, side, handle)
            while ready.get_map() and self.stop is None:
                left = self._deadline - monotonic()
                if left <= 0:
                    self.stop = TimeStopError
                for key, _ in ready.select(max(left, 0)):
                    if not key.data(key.fd):
                        ready.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]

    def _send(self, pipe: int) -> bool:
        try:
            self._left = self._left[os.write(pipe, self._left[: _PIECE * 16]) :]
        except BrokenPipeError:  # it ended before it had heard all
            return False
        return bool(self._left)

    def _hear(self, pipe: int) -> bool:
        heard = os.read(pipe, _PIECE * 16)
        self.answer += heard
        if len(self.answer) > self._limits.answer:
            self.stop = OutputStopError
        return bool(heard)

    def _overhear(self, pipe: int) -> bool:
        heard = os.read(pipe, _PIECE)
        self.note += heard[: _NOTE - len(self.note)]
        return bool(heard)

    def _end(self, process: "subprocess.Popen[bytes]") -> int:
        """How it ended; what has closed its pipes and goes on is stopped."""
        while self.stop is None and not _has_ended(process):
            if monotonic() > self._deadline:
                self.stop = TimeStopError
            sleep(0.001)
        _kill(process)
        return process.wait()


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it has ended, without taking its number from the system: its group is still to be killed."""
    if not hasattr(os, "waitid"):  # an older Python on macOS
        return process.poll() is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # nobody waits for children here
        return True


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill it and all that it may have started, and let nothing of it stay."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # gone, or not yet a group of its own
            process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _why(code: int, note: bytes) -> type[ReadingStoppedError] | None:
    """Why a process that nobody stopped ended as it did; None: it answered."""
    if code == 0:
        return None
    if code in {child.OUT_OF_MEMORY, -signal.SIGKILL} or b"memory allocation" in note:
        return MemoryStopError
    return ProcessorStopError if code == -signal.SIGXCPU else CrashStopError
