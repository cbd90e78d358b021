"""The reading process: sets its limits, reads one message, calls one function, answers and exits.

Started as a program by ``portal.platform.isolation.running``. Everything is trusted until the function
is called; after that, nothing that this process sends is.
"""

import importlib
import os
import resource
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OUT_OF_MEMORY = 71  # exit codes
CRASHED = 70
_FILES = 64  # open at once
_NICE = 5  # requests for pages come first
_GRACE = 5  # seconds after which an orphan ends itself


def _apply_limits(memory: int, processor: int, wall: int) -> None:
    """Set the limits: no file can be written, and the kernel prefers the portal's other processes."""
    with suppress(OSError):  # not on Linux
        Path("/proc/self/oom_score_adj").write_text("1000")
        os.nice(_NICE)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_CPU, processor),
        (resource.RLIMIT_AS, memory),
    ):
        _, allowed = resource.getrlimit(what)  # a service manager may allow less
        hard = most + (what == resource.RLIMIT_CPU)  # a second after the signal that ends it
        limits = (
            (most, hard) if allowed == resource.RLIM_INFINITY else (min(most, allowed), min(hard, allowed))
        )
        try:
            resource.setrlimit(what, limits)
        except (ValueError, OSError):
            if sys.platform == "linux":  # other systems lack some limits; they are not for production
                raise
    signal.setitimer(signal.ITIMER_REAL, wall + _GRACE)  # in case the parent has died


def _report_error(error: BaseException) -> None:
    """Print the type and place of an error, never its text, which may contain personal data."""
    steps = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps))
    print(f"{type(error).__name__} at {where}", file=sys.stderr, flush=True)


def _answer_message() -> int:
    sys.path.insert(0, str(ROOT))
    try:
        messages = importlib.import_module("portal.platform.isolation.messages")
        module, _, name = sys.argv[1].partition(":")
        function = getattr(importlib.import_module(module), name)
        arguments, pieces = messages.unpack_message(sys.stdin.buffer.read())
        answer = messages.pack_message(*function(arguments, pieces))
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    except MemoryError:
        return OUT_OF_MEMORY
    except BaseException as error:
        _report_error(error)
        return CRASHED
    return 0


if __name__ == "__main__":
    _apply_limits(*map(int, sys.argv[2:5]))
    os._exit(_answer_message())  # at once, without clean-up
