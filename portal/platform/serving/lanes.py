"""Separate threads for each kind of request, so that no kind can use up the threads of another.

Pages never wait behind forms that wait for the database's one writer, nor behind files and pages that take
seconds, which a process of their own makes; health checks are answered while everything else is busy; and
however many people sign in at once, each with a password to hash or a signed document to check, they wait
for one another, not learners for them. An identity provider that is slow keeps waiting only those who sign
in with it, and has threads for as many as come in an hour when everyone does.
"""

import re
from enum import StrEnum
from functools import cache
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from portal.feature import list_features


class Lane(StrEnum):
    """A queue with threads of its own."""

    READS = "reads"
    CHANGES = "changes"
    FILES = "files"
    LONG_PAGES = "long_pages"
    HEALTH = "health"
    READINESS = "readiness"
    SIGN_IN = "sign_in"
    PROVIDER = "provider"
    DOCUMENTS = "documents"


THREADS = {
    Lane.READS: 4, Lane.CHANGES: 4, Lane.FILES: 1, Lane.LONG_PAGES: 1,
    Lane.HEALTH: 1, Lane.READINESS: 1,
    Lane.SIGN_IN: 2, Lane.PROVIDER: 6, Lane.DOCUMENTS: 1,
}  # fmt: skip
LONG = frozenset({Lane.FILES, Lane.LONG_PAGES})  # answered by the process for what takes seconds
# What a web process works on itself: not probes, nor what waits for another process or for a provider.
COMPUTED_HERE = frozenset({Lane.READS, Lane.CHANGES, Lane.SIGN_IN, Lane.DOCUMENTS})
LANE = "portal.lane"  # in the environment of a request
FILES_ARE_BUSY = "portal.files_are_busy"  # in the environment of a request for one file too many
# What lies at and below it waits for the force's identity provider.
PROVIDER_PATH = "/sign-in/oidc"
SIGN_IN_PATH = "/sign-in"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
PROBES = {"/healthz": Lane.HEALTH, "/readyz": Lane.READINESS, "/metrics": Lane.READINESS}
# Files that are written while their reader waits; each may take seconds of a processor.
_FILES = ("/monitoring", "/imports", "/people", "/audit", "/api/v1")
_FILE_ENDINGS = "csv|json|xlsx|pdf|zip"

# Pages that compute what is, or would be, of everyone; none of them changes anything. What does change
# something has an address of its own, or it would hold the database's lock in a process that gives way.
_LONG_PAGES = (
    r"POST /directives/(?:preview|[^/]+/withdraw/preview)"
    r"|(?:GET|HEAD) /directives/[^/]+/versions/[0-9]+/withdraw"
    r"|(?:GET|HEAD) (?:/monitoring/directives/[^/]+/changes|/authoring/[^/]+/statistics)"
)


@cache
def _long_pages() -> re.Pattern[str]:
    """Requests for such pages, of the core and of every feature."""
    of_features = (f"|(?:GET|HEAD) {path}" for feature in list_features() for path in feature.long_pages)
    return re.compile(_LONG_PAGES + "".join(of_features))


@cache
def _provider_paths() -> tuple[str, ...]:
    """At and below which the signed documents of a provider are checked, of every feature."""
    providers = (feature.provider for feature in list_features() if feature.provider)
    return tuple(path for provider in providers for path in provider.paths)


@cache
def _files() -> re.Pattern[str]:
    """Addresses of such files, of the core and of every feature."""
    of_features = (path for feature in list_features() for path in feature.files)
    return re.compile(rf"(?:{'|'.join((*_FILES, *of_features))})/.*\.(?:{_FILE_ENDINGS})")


def lane_of(method: str, path: str) -> Lane:
    """The lane of a request.

    >>> lane_of("GET", "/learning"), lane_of("POST", "/sign-in"), lane_of("GET", "/healthz")
    (<Lane.READS: 'reads'>, <Lane.SIGN_IN: 'sign_in'>, <Lane.HEALTH: 'health'>)
    """
    if _lies_below(path, PROVIDER_PATH):
        return Lane.PROVIDER
    if any(_lies_below(path, each) for each in _provider_paths()):
        return Lane.DOCUMENTS
    if _long_pages().fullmatch(f"{method} {path}"):
        return Lane.LONG_PAGES
    if method not in SAFE:
        return Lane.SIGN_IN if _lies_below(path, SIGN_IN_PATH) else Lane.CHANGES
    if path in PROBES:
        return PROBES[path]
    return Lane.FILES if _files().fullmatch(path) else Lane.READS


def _lies_below(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")


class Lanes:
    """Waitress's dispatcher once for each lane."""

    def __init__(self) -> None:
        self.dispatchers = {lane: ThreadedTaskDispatcher() for lane in Lane}
        for lane, dispatcher in self.dispatchers.items():
            dispatcher.set_thread_count(THREADS[lane])

    def add_task(self, lane: Lane, channel: Any) -> None:
        """Queue the first request of a channel."""
        self.dispatchers[lane].add_task(channel)

    def count_waiting(self, lane: Lane) -> int:
        """How many requests wait for a thread of this lane."""
        return len(self.dispatchers[lane].queue)
