"""A reading process: takes its limits, reads one message, calls one function, answers, and is gone.

Started as a program by ``portal.isolation.running``. Until the function is called everything here is trusted;
from then on nothing that this process says is.
"""

import importlib
import os
import resource
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT_OF_MEMORY = 71  # exit codes
CRASHED = 70
_FILES = 64  # open at once
_NICE = 5  # whoever waits for a page comes first
_GRACE = 5  # seconds after which an orphan ends itself


def _limit(memory: int, processor: int, wall: int) -> None:
    """Take the limits: no file can be written, and the portal's own processes come first for the kernel."""
    with suppress(OSError):  # another system than Linux: its own choice then
        Path("/proc/self/oom_score_adj").write_text("1000")
        os.nice(_NICE)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CPU, processor),
        (resource.RLIMIT_AS, memory),
    ):
        _, held = resource.getrlimit(what)  # a service manager may allow less
        hard = most + (what == resource.RLIMIT_CPU)  # a second after the signal that ends it
        limits = (most, hard) if held == resource.RLIM_INFINITY else (min(most, held), min(hard, held))
        try:
            resource.setrlimit(what, limits)
        except (ValueError, OSError):
            if sys.platform == "linux":  # others do not know every limit; there the portal is only tried out
                raise
    signal.setitimer(signal.ITIMER_REAL, wall + _GRACE)  # where nobody is left to kill it


def _tell(error: BaseException) -> None:
    """Say what kind of fault it was and where, never in its own words: these may be somebody's data."""
    steps = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps))
    print(f"{type(error).__name__} at {where}", file=sys.stderr, flush=True)


def _answer() -> int:
    sys.path.insert(0, str(ROOT))
    try:
        messages = importlib.import_module("portal.isolation.messages")
        module, _, name = sys.argv[1].partition(":")
        function = getattr(importlib.import_module(module), name)
        arguments, pieces = messages.unpack(sys.stdin.buffer.read())
        answer = messages.pack(*function(arguments, pieces))
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    except BaseException as error:
        _tell(error)
        return CRASHED
    return 0


if __name__ == "__main__":
    _limit(*map(int, sys.argv[2:5]))
    os._exit(_answer())  # at once: what was read need not be tidied up
