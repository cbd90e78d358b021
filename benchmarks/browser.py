"""A light browser on a kept-alive socket: cookies, forms by their button, no more.

It shares the machine with the server it measures, so it parses as little as it can.
"""

import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from types import TracebackType
from urllib.parse import urlencode

FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
INPUT = re.compile(r"<(?:input|button)\b([^>]*)>")
SELECT = re.compile(r"<select\b([^>]*)>(.*?)</select>", re.DOTALL)
TEXTAREA = re.compile(r"<textarea\b([^>]*)>")
IDLE = 5.0  # seconds after which a connection is made anew: the server may be about to close it
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; ``path`` is where it came from."""

    path: str
    status: int
    location: str
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def _alert(page: str) -> str:
    """What a page says is wrong, in its words."""
    _, _, told = page.partition('role="alert"')
    return " ".join(re.sub(r"<[^>]*>", " ", told[1:2000]).split())[:300]


CASE = "/runs/"  # of the form of a case
MOST_STEPS = 20  # of a case: more than any way has
# In a report, a picture, a call and a scenario:
CASE_BUTTONS = ("Finish and compare", ">Check<", "Say this", "Decide")


class Browser:
    """One client."""

    def __init__(self, port: int) -> None:
        self.port, self.origin = port, f"http://127.0.0.1:{port}"
        self.cookies: dict[str, str] = {}
        self._socket: socket.socket | None = None
        self._left = b""
        self._used = 0.0

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; cookies stay."""
        if self._socket:
            self._socket.close()
        self._socket, self._left = None, b""

    def get(self, path: str) -> Answer:
        """One GET; redirects are not followed."""
        return self._send("GET", path, b"")

    def page(self, path: str) -> Answer:
        """The page at ``path`` once redirects are followed; anything but 200 is an error."""
        return self._landed(self.get(path))

    def post(self, path: str, fields: Iterable[tuple[str, str]] = ()) -> Answer:
        """One POST of a form; redirects are not followed."""
        return self._send("POST", path, urlencode([*fields]).encode())

    def follow(self, answer: Answer) -> Answer:
        """The page to which an answer leads; anything but 200 is an error."""
        return self._landed(answer)

    def press(self, page: Answer, button: str, **fields: str) -> Answer:
        """Send the form that holds ``button``, the first of all choices taken, and follow to its page."""
        return self._landed(self.send(page, button, **fields))

    def work_through(self, page: Answer) -> Answer:
        """A case to its end, the first of all choices taken; any other page as it is."""
        for _ in range(MOST_STEPS):
            if CASE not in page.text:
                return page
            page = self.press(page, case_button(page.text))
        raise RuntimeError(f"{page.path} has no end")

    def send(self, page: Answer, button: str, **fields: str) -> Answer:
        """Send the form that holds ``button``; redirects are not followed."""
        for head, inside in FORM.findall(page.text):
            if button in inside:
                action = dict(ATTRIBUTE.findall(head)).get("action") or page.path
                return self.post(unescape(action), {**form_fields(inside, button), **fields}.items())
        raise RuntimeError(f"{page.path} has no form with {button!r}")

    def sign_in(self, staff_number: str, password: str) -> None:
        """Sign in as a person does."""
        page = self.page("/sign-in")
        landed = self.press(page, "Sign in", **credentials(page.text, staff_number, password))
        if landed.path.startswith("/sign-in"):
            raise RuntimeError(f"{staff_number} could not sign in: {_alert(landed.text)}")

    def _landed(self, answer: Answer) -> Answer:
        for _ in range(5):
            if answer.status not in (301, 302, 303, 307, 308):
                break
            answer = self.get(answer.location.removeprefix(self.origin))
        if answer.status != 200:
            raise RuntimeError(f"{answer.path}: {answer.status}")
        return answer

    def _send(self, method: str, path: str, body: bytes) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "User-Agent: benchmark"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if method == "POST":
            lines += [
                f"Origin: {self.origin}",
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
            ]
        if time.monotonic() - self._used > IDLE:
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        answer = self._read(path)
        self._used = time.monotonic()
        return answer

    def _read(self, path: str) -> Answer:
        head = self._until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                key, _, kept = value.partition(";")[0].partition("=")
                self.cookies[key] = kept
            else:
                headers[name.lower()] = value
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self._exactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(path, int(first.split()[1]), headers.get("location", ""), body)

    def _chunk(self) -> bytes:
        size = int(self._until(b"\r\n"), 16)
        data = self._exactly(size)
        self._exactly(2)
        return data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._left:
            self._more()
        found, _, self._left = self._left.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._left], len(self._left)
        self._left = b""
        while have < size:
            self._more()
            parts.append(self._left)
            have += len(self._left)
            self._left = b""
        whole = b"".join(parts)
        self._left = whole[size:]
        return whole[:size]

    def _more(self) -> None:
        assert self._socket is not None
        got = self._socket.recv(262_144)
        if not got:
            raise ConnectionError("The server closed the connection.")
        self._left += got


def case_button(html: str) -> str:
    """The button that goes on in a case."""
    bare = re.sub(r"\s*([<>])\s*", r"\1", html)
    return next(button for button in CASE_BUTTONS if button in bare).strip("<>")


def form_fields(inside: str, button: str) -> dict[str, str]:
    """What a browser would send: the first choice of each group, and no button but the one pressed."""
    found: dict[str, str] = {}
    for text in INPUT.findall(inside):
        attributes = dict(ATTRIBUTE.findall(text))
        name, kind = attributes.get("name", ""), attributes.get("type", "")
        if not name or (kind == "submit" and unescape(attributes.get("value", button)) != button):
            continue
        typed = "11" if kind == "text" and name.startswith("answer-") else ""  # a fact to pass on
        found.setdefault(unescape(name), unescape(attributes.get("value", "") or typed))
    for place, (head, options) in enumerate(SELECT.findall(inside)):  # a different one in each list
        values = [value for name, value in ATTRIBUTE.findall(options) if name == "value" and value]
        found[dict(ATTRIBUTE.findall(head))["name"]] = unescape(values[min(place, len(values) - 1)])
    for head in TEXTAREA.findall(inside):
        found[dict(ATTRIBUTE.findall(head))["name"]] = "A lorry stood at the services at 02:10."
    return found


def credentials(html: str, staff_number: str, password: str) -> dict[str, str]:
    """The names of the two fields as the page gives them."""
    named: dict[str, str] = {}
    for text in INPUT.findall(html):
        attributes = dict(ATTRIBUTE.findall(text))
        if attributes.get("type") == "password":
            named[attributes["name"]] = password
        elif attributes.get("autocomplete") == "username":
            named[attributes["name"]] = staff_number
    return named
