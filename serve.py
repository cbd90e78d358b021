"""Serves the portal with a production server: ``make run``, or ``python serve.py`` with settings set."""

import gc
import importlib
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from config import Config, ConfigError, list_retired_settings
from portal.pages.layout.compression import security_headers
from portal.platform.observability.request_figures import take_part
from portal.platform.processes import Slot, Supervisor, keep_running, take_handed_over_socket
from portal.platform.serving.long_requests import LongRequests
from portal.platform.serving.server import FINISH_SECONDS, serve_requests

WORKERS = 2
GOODBYE_SECONDS = FINISH_SECONDS + 5

USAGE = (
    "Usage: python serve.py\n\nServes the portal, by the settings of the environment that the README names."
)
# What the C library is told; it listens only as a process starts. Threads that each keep a heap of their
# own would cost a small machine a third of its memory, and a freed block that is large enough for a
# password's hash (19 MiB) would be kept for the next one.
MALLOC = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(4 * 1024 * 1024),
}


def _with_less_memory() -> None:
    """Begin again with these settings, unless they are set already."""
    missing = {name: value for name, value in MALLOC.items() if name not in os.environ}
    if missing:
        os.environ.update(missing)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this very program


def _load(module: str) -> None:
    """Load the application once, so that the workers, forked from this process, share what none changes.

    No connection is open and no thread runs by then. The collector leaves alone what was loaded, or it
    would write into each page of it, and looks for garbage after a request or two, not several times in one.
    """
    importlib.import_module(module)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def serve(
    target: str,
    address: str,
    port: int,
    *,
    factory: bool = False,
    jobs: int = 0,
    refusal_headers: Mapping[str, str] | None = None,
) -> None:
    """Serve an application until stopped, with a process for what takes seconds, and one that runs jobs."""
    _with_less_memory()
    module, _, name = target.partition(":")
    _load(module)
    listening = _listening_socket(address, port)  # before loading: clients can already connect
    application = getattr(sys.modules[module], name)
    if factory:
        application = application()
    supervisor = None
    if jobs:
        commands = importlib.import_module("portal.commands.jobs")  # not before: this program may begin again
        supervisor = Supervisor(lambda: commands.run_worker(application, jobs, embedded=True))
    address, port = listening.getsockname()[:2]
    sys.stderr.write(f"Serving on http://{address}:{port}\n")
    try:
        long_requests = LongRequests()
        web = partial(serve_requests, application, long_requests, listening, refusal_headers or {})
        acts: list[Callable[[Slot], None]] = [*[lambda _: web()] * WORKERS]
        acts.append(partial(long_requests.serve, application))
        keep_running(
            [partial(_count_apart, act) for act in acts], GOODBYE_SECONDS, before_end=listening.close
        )
    finally:
        if supervisor:
            supervisor.stop_child()


def _count_apart(act: Callable[[Slot], None], slot: Slot) -> None:
    """Do what a process is for; it counts its requests in a part of the figures that is its own."""
    take_part(slot.number)
    act(slot)


def _listening_socket(address: str, port: int) -> socket.socket:
    """The socket that every web process accepts connections from; systemd's, where it hands one over."""
    if handed_over := take_handed_over_socket():
        return handed_over
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=1024)


def main(words: list[str]) -> int:
    """Serve by the settings until stopped; 2, with a sentence for each reason, where that cannot begin."""
    if words:
        print(USAGE, file=sys.stdout if words == ["--help"] else sys.stderr)
        return 0 if words == ["--help"] else 2
    _with_less_memory()
    try:
        config = Config()
        faults: Sequence[str] = importlib.import_module(
            "portal.platform.operations.doctor"
        ).reasons_not_to_serve(config)
    except ConfigError as error:
        faults = error.sentences
    for sentence in list_retired_settings():
        print(sentence, file=sys.stderr)
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        return 2
    embedded = config.jobs_workers if config.jobs == "embedded" else 0
    headers = security_headers(https=config.secure)
    serve("wsgi:app", config.bind, config.port, jobs=embedded, refusal_headers=headers)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
