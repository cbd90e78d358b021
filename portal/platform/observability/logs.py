"""The log: one JSON object a line on standard error, from the portal and from its libraries alike.

No line holds personal data. A line of the portal's own has an event, which never changes, and values that
the caller chose: ids, words of the portal, numbers. Of a library's line only the text in its code is kept,
without the values put into it; of an exception its type and where it was raised, without its message.
"""

import json
import logging
import os
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from portal.platform.secret_values import weakness_of_secret

STANDARD_ERROR = 2  # the descriptor: written to at once, so that lines of several processes never mix
MOST_FRAMES = 30  # of a traceback, the innermost: the whole line fits a pipe's unit of 4,096 bytes
MOST_CAUSES = 5
ROOT = Path(__file__).resolve().parents[3]

encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=str).encode
Values = dict[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
Line = MutableMapping[str, Any]  # as structlog hands it from one processor to the next
_readers: list[Callable[[], str]] = []


def get_logger(name: str) -> Any:
    """A logger of structlog, named in its lines: ``log.warning("mail.stopped", reason="refused")``."""
    return structlog.get_logger(source=name)


def configure_logs(read_request_id: Callable[[], str]) -> None:
    """Write what is logged from now on as JSON lines; the application calls it at its start.

    Args:
        read_request_id: The id of what is done now (a request, a job, a command); empty if there is none.
    """
    _readers[:] = [read_request_id]
    structlog.configure(
        processors=[
            _add_level,
            _add_request,
            structlog.processors.ExceptionRenderer(describe_fault),
            _order_values,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Writer(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if not any(isinstance(handler, _LibraryHandler) for handler in root.handlers):
        root.addHandler(_LibraryHandler(logging.WARNING))


def write_line(values: Values) -> None:
    """Write one line; what cannot be written is lost, and nobody's page with it."""
    line = f"{encode(values)}\n".encode()
    with suppress(OSError):  # such as a full disk
        while line:
            line = line[os.write(STANDARD_ERROR, line) :]


def written_now() -> str:
    """This instant as lines give it: UTC, to the millisecond."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def describe_fault(exc_info: ExcInfo) -> list[Values]:
    """An exception and its causes: types, and the places in the code that lead to each, innermost last.

    Messages are left out, since many hold what somebody entered, and so are the values of variables. What a
    driver or the system says in a code of its own is kept.
    """
    return list(_describe_chain(exc_info[1]))


def _describe_chain(error: BaseException | None) -> Iterator[Values]:
    for _ in range(MOST_CAUSES):
        if error is None:
            return
        frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
        places = [f"{_shorten_path(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        yield {"type": type(error).__qualname__, **_codes_of(error), "at": places}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _codes_of(error: BaseException) -> Values:
    """What an exception says in codes: of the system, of SQLite, of PostgreSQL."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    if isinstance(error, OSError) and error.errno is not None:
        code = os.strerror(error.errno)
    return {"code": code} if code else {}


def _shorten_path(name: str) -> str:
    path = Path(name)
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        return str(path.relative_to(ROOT))
    return "/".join(path.parts[-2:])


class _Writer:
    """Where structlog hands the finished values of a line to."""

    def msg(self, values: Values) -> None:
        write_line(values)

    debug = info = warning = error = critical = exception = log = msg


def _add_level(_writer: object, method: str, values: Line) -> Line:
    return {"at": written_now(), "level": "error" if method == "exception" else method, **values}


def _add_request(_writer: object, _method: str, values: Line) -> Line:
    if "request" not in values and _readers and (request_id := _readers[0]()):
        values["request"] = request_id
    return values


def _order_values(_writer: object, _method: str, values: Line) -> tuple[Any, ...]:
    """What every line begins with, then what is its own."""
    first = ("at", "level", "source", "event", "request")
    ordered = {name: values.pop(name) for name in first if name in values}
    return ({**ordered, **values},), {}


class _LibraryHandler(logging.Handler):
    """Writes what libraries log: the text in their code, without values, and the place in it."""

    def emit(self, record: logging.LogRecord) -> None:
        # Without arguments the text may be an f-string, with somebody's data in it: then the place says all.
        values: Values = {"at_line": f"{_shorten_path(record.pathname)}:{record.lineno}"}
        if record.exc_info and record.exc_info[1]:
            values["exc_info"] = record.exc_info
        event = str(record.msg) if record.args else "library.logged"
        getattr(get_logger(record.name), record.levelname.lower())(event, **values)


# Settings of the log and of ``/metrics``.

SLOWEST_MS = 600_000


@dataclass(frozen=True, slots=True)
class SeeingSettings:
    """What is logged of requests and statements, and who may read the figures."""

    token: str = field(default="", repr=False)  # with which /metrics is read from anywhere
    log_requests: str = ""
    slow_statement_ms: str = "500"

    @property
    def slow_seconds(self) -> float:
        """How long a statement takes that is logged as slow."""
        return int(self.slow_statement_ms) / 1000

    def logs_every_request(self, mode: str) -> bool:
        """Whether each request has its line in the log; in the demo, unless set, refused ones alone."""
        return (self.log_requests or ("refused" if mode == "demo" else "all")) == "all"

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong."""
        if self.log_requests not in {"all", "refused", ""}:
            yield "LOG_REQUESTS is 'all' or 'refused'."
        if self.token and (weakness := weakness_of_secret(self.token)):
            yield f"METRICS_TOKEN {weakness}: give it at least 32 random characters."
        milliseconds = self.slow_statement_ms
        is_number = milliseconds.isascii() and milliseconds.isdecimal() and len(milliseconds) < 9
        if not is_number or not 1 <= int(milliseconds) <= SLOWEST_MS:
            yield f"SLOW_STATEMENT_MS is 1 or more, up to {SLOWEST_MS}, in digits."


def read_seeing_settings(read: Callable[[str, str], str], secret: Callable[[str], str]) -> SeeingSettings:
    """The settings, from whatever reads a setting and its default, and a secret."""
    return SeeingSettings(
        token=secret("METRICS_TOKEN"),
        log_requests=read("LOG_REQUESTS", ""),
        slow_statement_ms=read("SLOW_STATEMENT_MS", "500") or "500",
    )
