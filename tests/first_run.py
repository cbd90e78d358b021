"""The first hour of an operator: `make run` on a clean clone serves in time, and a second start keeps all.

Run by `make first-run`, before the suite, by whichever Python there is: it needs nothing but its library.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parents[1]
FIRST_SECONDS, SECOND_SECONDS = 180, 20  # in which it should serve; reported, since machines are noisy
GIVEN_UP = 5  # times as long: then it does not serve at all
END_SECONDS = 60
LEARNER, MODULE = "D1001", "/learning/modules/protect"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Visitor:
    """A browser without scripts: it keeps cookies and sends forms."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))  # loopback alone

    def read(self, path: str, **fields: str) -> str:
        """The page at a path, or the one that answers a form sent there."""
        data = urlencode(fields).encode() if fields else None
        with self.opener.open(self.address + path, data, timeout=30) as answer:
            return str(answer.read().decode())

    def send(self, page: str, path: str, **fields: str) -> str:
        """Send a form of a page that was read."""
        token = TOKEN.search(page)
        assert token, f"no form on the page before {path}"
        return self.read(path, csrf_token=token[1], **fields)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(instance: Path, port: int, limit: int) -> Iterator[tuple[float, str]]:
    """`make run` until it shows the sign-in page; gives the seconds that took and what was printed.

    It is ended as a person ends it, by Ctrl-C, and has to end.
    """
    environment = {**os.environ, "INSTANCE_DIR": str(instance), "PORT": str(port), "BIND": "127.0.0.1"}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # of the make that may have called this
        environment.pop(name, None)
    said = instance.parent / "said.txt"
    with (
        said.open("w") as output,
        subprocess.Popen(
            ["make", "run"], cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        begun = time.monotonic()
        try:
            while not serves(port):
                took = time.monotonic() - begun
                assert process.poll() is None, f"make run ended:\n{said.read_text()}"
                assert took < limit, f"make run did not serve within {limit} seconds:\n{said.read_text()}"
                time.sleep(0.2)
            yield time.monotonic() - begun, said.read_text()
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=END_SECONDS)
        finally:
            kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End whatever is left of a process and its children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def serves(port: int) -> bool:
    """Whether the sign-in page is there."""
    try:
        return "<h1" in Visitor(f"http://127.0.0.1:{port}").read("/sign-in")
    except (URLError, ConnectionError, TimeoutError):
        return False


def signed_in(address: str, password: str) -> Visitor:
    """The learner, with the password that was printed."""
    visitor = Visitor(address)
    page = visitor.send(visitor.read("/sign-in"), "/sign-in", name=LEARNER, password=password)
    assert "My learning" in page, "the sign-in that was printed is refused"
    return visitor


def password_in(said: str) -> str:
    """The password among what `make run` prints."""
    found = re.search(r"and the password\s+(\S+)", said)
    assert found, said
    assert LEARNER in said
    return found[1]


def progress(page: str) -> str:
    """How far the learner is in the module."""
    found = re.search(r"\d+ of \d+ lessons complete", page)
    return found[0] if found else "nothing"


def main() -> None:
    """Start, learn, stop, start again: the lesson is complete, the password and the session hold."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        with running(instance, port, GIVEN_UP * FIRST_SECONDS) as (first, said):
            password = password_in(said)
            visitor = signed_in(address, password)
            module = visitor.read(MODULE)
            lesson = re.search(rf'href="({MODULE}/lessons/[^"]+)"', module)
            assert lesson, "the module lists no lesson"
            visitor.send(visitor.read(lesson[1]), lesson[1])
            kept = progress(visitor.read(MODULE))
            assert kept.startswith("1 of "), kept
        assert not serves(port), "what was stopped still serves"
        with running(instance, port, GIVEN_UP * SECOND_SECONDS) as (second, said):
            assert password_in(said) == password, "the second start has another password"
            assert progress(visitor.read(MODULE)) == kept, "the session or the lesson is lost"
            assert progress(signed_in(address, password).read(MODULE)) == kept
    for said, took, wanted in (("", first, FIRST_SECONDS), (", the second time,", second, SECOND_SECONDS)):
        late = "" if took <= wanted else ", missed"
        sys.stdout.write(f"make run{said} served after {took:.1f} s (within {wanted} s{late})\n")


if __name__ == "__main__":
    main()
