"""Readers that do what a reader must not, for the child process that runs them."""

import os
import resource
import signal
import subprocess
import sys
import time


def loop(_arguments, _pieces):
    while True:
        pass


def sleep(_arguments, _pieces):
    time.sleep(600)


def eat(_arguments, _pieces):
    kept = []
    while True:
        kept.append(bytearray(16 * 1024 * 1024))


def crash(_arguments, _pieces):
    os.kill(os.getpid(), signal.SIGSEGV)


def fail(_arguments, pieces):
    raise ValueError(pieces[0])


def name_somebody(_arguments, pieces):
    """As a library does that says what it stumbled over."""
    os.write(2, b"panicked at " + pieces[0])
    os.abort()


def leave(_arguments, _pieces):
    os._exit(0)


def flood(_arguments, _pieces):
    while True:
        os.write(1, b"x" * 65_536)


def mutter(_arguments, _pieces):
    """Floods what is said beside the answer, then answers."""
    for _ in range(100):
        os.write(2, b"x" * 65_536)
    return {"reasons": ["Muttered."]}, []


def garble(_arguments, _pieces):
    os.write(1, b"not a message")
    os._exit(0)


def another_shape(_arguments, _pieces):
    return {"columns": ["staff_number"], "lines": [[2, [{"a": 1}]]]}, []


def close_and_stay(_arguments, _pieces):
    for number in (0, 1, 2):
        os.close(number)
    time.sleep(600)


def leave_another(arguments, _pieces):
    """Starts a process that would outlive it, and answers."""
    none = subprocess.DEVNULL
    words = [sys.executable, "-c", "import time; time.sleep(600)"]
    other = subprocess.Popen(words, stdin=none, stdout=none, stderr=none)
    return {"reasons": [str(other.pid)]}, []


def tell(_arguments, _pieces):
    """What a child can see and do."""
    try:
        with open("written", "w") as file:
            file.write("x")
        wrote = True
    except OSError:
        wrote = False
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "files": [name for name in os.listdir() if os.path.getsize(name)],
        "wrote": wrote,
        "open": sorted(os.listdir("/proc/self/fd")),
        "session": os.getsid(0) == os.getpid(),
        "pid": os.getpid(),
        "modules": sorted(sys.modules),
        "memory": resource.getrlimit(resource.RLIMIT_AS),
        "processor": resource.getrlimit(resource.RLIMIT_CPU),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
    }, []
