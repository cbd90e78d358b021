"""Starts a reading process, exchanges messages with it, and always ends it.

A process is started for each message and shares nothing with the portal: no environment, no open file, no
folder, no session of processes, no memory. It is a program of its own rather than a fork, because a server
with threads cannot be forked safely, and because a fork would hold the portal's secrets.
"""

import hashlib
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from time import monotonic, sleep
from typing import Any, Generic, TypeVar

from portal.platform.errors import BusyError, PortalError, RuleError
from portal.platform.isolation import child
from portal.platform.isolation.messages import Reader, pack_message, unpack_message
from portal.platform.observability.logs import get_logger

# Reasons why a reading process was stopped, as errors with a sentence for the person who sent the file.


class ReadingStoppedError(RuleError):
    """A reading process ended without an answer; nothing was changed."""

    tells = "{thing} cannot be {done}. {advice}"

    def __init__(self, thing: str, advice: str, act: tuple[str, str] = ("read", "read")) -> None:
        super().__init__(self.tells.format(thing=thing, advice=advice, act=act[0], done=act[1]))


class MemoryStopError(ReadingStoppedError):
    """It asked for more memory than it may have."""

    tells = "{thing} takes too much memory to {act}. {advice}"


class ProcessorStopError(ReadingStoppedError):
    """It used more processor time than it may."""

    tells = "{thing} takes too long to {act}. {advice}"


class TimeStopError(ProcessorStopError):
    """It did not answer within the time limit."""


class OutputStopError(ReadingStoppedError):
    """Its answer is larger than allowed."""

    tells = "{thing} is too large to be {done}. {advice}"


class CrashStopError(ReadingStoppedError):
    """It crashed."""


class GarbledStopError(ReadingStoppedError):
    """Its answer cannot be understood."""


class ReadersBusyError(BusyError):
    """The most files allowed at once are being read, and none ended in time."""

    def __init__(self) -> None:
        PortalError.__init__(
            self, "The portal is busy reading other files. Nothing was changed. Try again in a minute."
        )


MOST_AT_ONCE = 2  # reading processes of one process of the portal
WAITS = 10  # seconds for one of these places
_PIECE = 1 << 16
_NOTE = 2_000  # bytes kept of what it writes to standard error
_SAID = re.compile(rb"\w+ at [\w.:< ]+")  # the child's own text; a library's may contain personal data
_PASSED = ("LD_LIBRARY_PATH",)  # without which some installations of Python do not start
# One heap, given back: else each thread would reserve 64 MiB of the address space.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "RAYON_NUM_THREADS": "1"}

T = TypeVar("T")
_log = get_logger("portal.isolation")
_places = BoundedSemaphore(MOST_AT_ONCE)


def read_apart(
    reader: Reader, arguments: Any, pieces: Sequence[bytes], shape: Callable[[Any, list[bytes]], T]
) -> T:
    """Run a reader in a separate process and return its answer.

    Args:
        reader: The function to call, and its limits.
        arguments: The arguments of the function, as values of JSON.
        pieces: The content to read.
        shape: Makes the result of the answer; if it raises TypeError, ValueError, KeyError or IndexError,
            the answer is treated as garbled.

    Raises:
        ReadingStoppedError: There is no answer; the text is for a page, the subclass is the reason.
        ReadersBusyError: No place became free in time, or the system starts no more processes.
    """
    message = pack_message(arguments, pieces)
    try:
        with _take_place():
            conversation = _Conversation(reader, message)
    except OSError as error:
        _log.exception("reader.not_started", reader=reader.function)
        raise ReadersBusyError from error
    stop = conversation.stop
    if stop is None:
        try:
            return shape(*unpack_message(bytes(conversation.answer)))
        except (TypeError, ValueError, LookupError):
            stop = GarbledStopError
    place = _SAID.fullmatch(bytes(conversation.note).strip())
    raised_at = place[0].decode() if place else ""
    _log.warning("reader.stopped", reader=reader.function, reason=stop.__name__, raised_at=raised_at)
    raise stop(reader.thing, reader.advice, reader.act)


@contextmanager
def _take_place() -> Iterator[None]:
    """Hold one of the places, so that many uploads at once take no more memory than two."""
    if not _places.acquire(timeout=WAITS):
        raise ReadersBusyError
    try:
        yield
    finally:
        _places.release()


class _Conversation:
    """One process from start to end; ``stop`` is the reason why there is no answer."""

    def __init__(self, reader: Reader, message: bytes) -> None:
        self.answer, self.note = bytearray(), bytearray()
        self.stop: type[ReadingStoppedError] | None = None
        self._limits = reader.limits
        self._left = memoryview(message)
        self._deadline = monotonic() + reader.limits.wall
        with tempfile.TemporaryDirectory(prefix="portal-read-") as folder:
            process = self._start_process(reader, folder)
            try:
                self._exchange_messages(process)
                code = self._wait_for_end(process)
            finally:
                _kill_process(process)
        if self.stop is None:
            self.stop = _reason_of_end(code, bytes(self.note))

    def _start_process(self, reader: Reader, folder: str) -> "subprocess.Popen[bytes]":
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

    def _exchange_messages(self, process: "subprocess.Popen[bytes]") -> None:
        """Send the message and take the answer, until both ends are closed or something is too much."""
        with selectors.DefaultSelector() as ready:
            for pipe, side, handle in (
                (process.stdin, selectors.EVENT_WRITE, self._send_piece),
                (process.stdout, selectors.EVENT_READ, self._receive_answer),
                (process.stderr, selectors.EVENT_READ, self._receive_note),
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

    def _send_piece(self, pipe: int) -> bool:
        try:
            self._left = self._left[os.write(pipe, self._left[: _PIECE * 16]) :]
        except BrokenPipeError:  # it ended before it had read the whole message
            return False
        return bool(self._left)

    def _receive_answer(self, pipe: int) -> bool:
        received = os.read(pipe, _PIECE * 16)
        self.answer += received
        if len(self.answer) > self._limits.answer:
            self.stop = OutputStopError
        return bool(received)

    def _receive_note(self, pipe: int) -> bool:
        received = os.read(pipe, _PIECE)
        self.note += received[: _NOTE - len(self.note)]
        return bool(received)

    def _wait_for_end(self, process: "subprocess.Popen[bytes]") -> int:
        """Wait for the exit code; a process that closed its pipes and runs on is stopped."""
        while self.stop is None and not _has_ended(process):
            if monotonic() > self._deadline:
                self.stop = TimeStopError
            sleep(0.001)
        _kill_process(process)
        return process.wait()


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Whether it has ended; does not reap it, because its process group is still to be killed."""
    if not hasattr(os, "waitid"):  # an older Python on macOS
        return process.poll() is not None
    try:
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # nobody waits for children here
        return True


def _kill_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process and all that it started, and close its pipes."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # gone, or not yet a group of its own
            process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _reason_of_end(code: int, note: bytes) -> type[ReadingStoppedError] | None:
    """The reason why a process that was not stopped ended without an answer; None if it answered."""
    if code == 0:
        return None
    if code in {child.OUT_OF_MEMORY, -signal.SIGKILL} or b"memory allocation" in note:
        return MemoryStopError
    return ProcessorStopError if code == -signal.SIGXCPU else CrashStopError


# Reads many small items of one kind in one process, and caches the results.

MOST_KEPT = 2_000  # results, in each process of the portal
MOST_BYTES = 16 * 1024 * 1024  # that one process reads, unless one item is larger


class BatchReader(Generic[T]):
    """Reads items and caches the results by the hash of their content.

    Args:
        reader: Takes the items as pieces, and answers with a list of one value each.
        shape: Makes the result of one value; raises as ``read_apart`` has it.
        stopped: Makes the result of an item whose reading was stopped.
    """

    def __init__(
        self, reader: Reader, shape: Callable[[Any], T], stopped: Callable[[ReadingStoppedError], T]
    ) -> None:
        self._reader, self._shape, self._stopped = reader, shape, stopped
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def read_all(self, contents: Sequence[bytes]) -> list[T]:
        """The results, in the order of the contents.

        Raises:
            ReadersBusyError: No process could be started in time.
        """
        names = [hashlib.sha256(content).hexdigest() for content in contents]
        with self._lock:
            results = {name: self._kept[name] for name in names if name in self._kept}
        fresh = {name: content for name, content in zip(names, contents, strict=True) if name not in results}
        for part in _split_into_parts(list(fresh.items())):
            results |= self._read_part(part)
        return [results[name] for name in names]

    def _read_part(self, part: list[tuple[str, bytes]]) -> dict[str, T]:
        try:
            results = read_apart(
                self._reader,
                None,
                [content for _, content in part],
                lambda value, _: self._shape_results(value, part),
            )
        except ReadingStoppedError as error:
            if len(part) == 1:  # not kept: on a machine that is less busy it may be read
                return {part[0][0]: self._stopped(error)}
            return {name: result for one in part for name, result in self._read_part([one]).items()}
        with self._lock:
            self._kept |= results
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return results

    def _shape_results(self, value: Any, part: list[tuple[str, bytes]]) -> dict[str, T]:
        return {name: self._shape(answer) for (name, _), answer in zip(part, value, strict=True)}


def _split_into_parts(items: list[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Split the items into parts of at most ``MOST_BYTES``, or of one larger item."""
    part: list[tuple[str, bytes]] = []
    size = 0
    for item in items:
        if part and size + len(item[1]) > MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item[1])
    if part:
        yield part
