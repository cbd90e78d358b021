"""Where an act comes from: stated once at the edge, read by every audit event.

A request, a command and a job each state their origin before they do anything. Events written without one,
as by a service that a test calls, have an empty channel.
"""

import os
import pwd
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # neither spaces nor line ends: it goes into log lines
NO_LOGIN = 4_294_967_295  # the kernel's value for a process that nobody's login began
_LOGIN = Path("/proc/self/loginuid")


class Channel(StrEnum):
    """By which way an act came in."""

    PAGE = "page"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    COMMAND = "command"
    JOB = "job"
    UNKNOWN = ""  # of events from before the portal recorded it


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of the acts of one request, command or job."""

    channel: Channel = Channel.UNKNOWN
    agent: str = ""  # name of the token; command and login name; kind of the job
    address: str = ""  # of the client, as far as trusted proxies say it
    request_id: str = ""  # the same for all acts of one request, command or job


UNSTATED = Origin()
_origin: ContextVar[Origin] = ContextVar("portal_origin", default=UNSTATED)


def current_origin() -> Origin:
    """The origin of what is done now."""
    return _origin.get()


def state_origin(origin: Origin) -> None:
    """State the origin of all that this thread does until the next is stated."""
    _origin.set(origin)


@contextmanager
def originating_from(origin: Origin) -> Iterator[None]:
    """State the origin of what is done in the block."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def new_request_id() -> str:
    """A random id, too long to be met twice."""
    return secrets.token_hex(8)


def is_request_id(text: str) -> bool:
    r"""Whether a text that a proxy sent may stand for a request in the trail and in log lines.

    >>> is_request_id("7f3a9c0d11e2"), is_request_id("7f3a9c0d11e2\n"), is_request_id("short")
    (True, False, False)
    """
    return REQUEST_ID.fullmatch(text) is not None


def login_name() -> str:
    """The name with which somebody signed in to this machine, also where they became another by sudo or su.

    The kernel keeps it for each login. Without it (in a container, from cron), the account that runs this.
    """
    try:
        uid = int(_LOGIN.read_text())
    except (OSError, ValueError):
        uid = NO_LOGIN
    if uid == NO_LOGIN:
        before_sudo = os.environ.get("SUDO_UID", "")
        uid = int(before_sudo) if os.getuid() == 0 and before_sudo.isdecimal() else os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"uid {uid}"
