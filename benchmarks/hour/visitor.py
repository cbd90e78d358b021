"""One person's browser in the hour: cookies, an address of its own behind a proxy, forms by their button."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.browser import ATTRIBUTE, FORM, credentials, form_fields
from benchmarks.hour.forms import FilledForm
from benchmarks.hour.tally import SIGN_IN, Tally
from benchmarks.hour.wire import Pool, Reply

BOUNDARY = "bench-4f1d8a"
_NAMES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9]+|(?<=/modules/)[^/]+|(?<=/lessons/)[^/]+")
FAILURES = (RuntimeError, OSError, TimeoutError)  # what a person meets, not what the benchmark does wrong
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _part(name: str) -> str:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'


class AnsweredError(RuntimeError):
    """An answer that is not what a person hoped for; its words name the kind."""


class Page:
    """A page that was shown, with the address it has."""

    def __init__(self, path: str, reply: Reply) -> None:
        self.path, self.text = path, reply.text

    def form(self, button: str) -> tuple[str, dict[str, str]]:
        """Address and fields of the form with this button, as a browser would send them untouched."""
        for head, inside in FORM.findall(self.text):
            if button in inside:
                action = dict(ATTRIBUTE.findall(head)).get("action") or self.path
                return unescape(action), form_fields(inside, button)
        raise AnsweredError(f"{route_of(self.path)} has no “{button}”")


def route_of(path: str) -> str:
    """The address without what names one person or thing.

    >>> route_of("/assessment/0b7cf7a8-0000-4000-8000-3f2b6d1c9a11/items/4?from=check")
    '/assessment/*/items/*'
    """
    return _NAMES.sub("*", path.partition("?")[0])


class Visitor:
    """Somebody at the portal."""

    def __init__(self, pool: Pool, tally: Tally, address: str) -> None:
        self.pool, self.tally, self.address = pool, tally, address
        self.origin = f"http://127.0.0.1:{pool.port}"
        self.cookies: dict[str, str] = {}

    async def page(self, path: str, kind: str) -> Page:
        """The page at ``path``, each of its redirects timed with it.

        Raises:
            AnsweredError: It is not shown.
        """
        with self.timed(kind, route_of(path)):
            return await self._landed(path, await self.ask("GET", path))

    async def send(self, action: str, fields: Iterable[tuple[str, str]], kind: str) -> str:
        """Send a form; where it leads. What it changed is then durable.

        Raises:
            AnsweredError: It does not lead on.
        """
        with self.timed(kind, route_of(action)):
            reply = await self.ask("POST", action, urlencode([*fields]).encode())
            if reply.status not in REDIRECTS:
                raise AnsweredError(f"{reply.status} POST {route_of(action)}")
        return reply.location.removeprefix(self.origin)

    async def press(self, page: Page, button: str, saving: str, showing: str, **fields: str) -> Page:
        """Send the form with this button and open the page it leads to: two times, of two kinds."""
        action, given = page.form(button)
        return await self.page(await self.send(action, {**given, **fields}.items(), saving), showing)

    async def sign_in(
        self, staff_number: str, password: str, kind: str = SIGN_IN, page: Page | None = None
    ) -> Page:
        """From pressing the button to the first page."""
        page = page or await self.page("/sign-in", f"{kind} form")
        action, fields = page.form("Sign in")
        fields |= credentials(page.text, staff_number, password)
        with self.timed(kind, "password"):
            shown = await self._landed(action, await self.ask("POST", action, urlencode(fields).encode()))
            if shown.path.startswith("/sign-in"):
                raise AnsweredError("sign-in refused")
        return shown

    async def sign_in_by_provider(self, provider: Pool, who: str) -> Page:
        """From following the link to the first page; the provider knows its own browser by a cookie."""
        with self.timed(SIGN_IN, "provider"):
            begun = await self.ask("GET", "/sign-in/oidc")
            if begun.status not in REDIRECTS:
                raise AnsweredError(f"{begun.status} /sign-in/oidc")
            path = begun.location.partition(str(provider.port))[2]
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{provider.port}\r\nCookie: who={who}\r\n\r\n"
            sent = await provider.ask(head.encode())
            shown = await self._landed(path, sent)
            if shown.path.startswith("/sign-in"):
                raise AnsweredError("sign-in refused")
        return shown

    async def fill(self, page: Page, button: str, kind: str) -> Page:
        """Press a button of a form that is filled in already, and see what it shows."""
        form = FilledForm(page.text, button)
        body = urlencode(form.fields).encode()
        return await self._submit(form.action or page.path, body, "application/x-www-form-urlencoded", kind)

    async def upload(self, page: Page, button: str, field: str, file: Path, kind: str) -> Page:
        """Send a file with its form, and see what it shows."""
        form = FilledForm(page.text, button)
        head = "".join(f"{_part(name)}\r\n\r\n{value}\r\n" for name, value in form.fields)
        head += f'{_part(field)}; filename="{file.name}"\r\nContent-Type: text/plain\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
        return await self._submit(
            form.action or page.path, body, f"multipart/form-data; boundary={BOUNDARY}", kind
        )

    async def _submit(self, action: str, body: bytes, form: str, kind: str) -> Page:
        with self.timed(kind, route_of(action)):
            return await self._landed(action, await self.ask("POST", action, body, form))

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        form: str = "application/x-www-form-urlencoded",
        *,
        keeps: bool = True,
    ) -> Reply:
        """One request with this person's cookies; what is set stays set."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.pool.port}\r\n"
            f"User-Agent: benchmark\r\nAccept: text/html,*/*;q=0.8\r\nX-Forwarded-For: {self.address}\r\n"
        )
        if self.cookies:
            head += f"Cookie: {'; '.join(f'{name}={value}' for name, value in self.cookies.items())}\r\n"
        if method == "POST":
            head += f"Origin: {self.origin}\r\nContent-Type: {form}\r\nContent-Length: {len(body)}\r\n"
        reply = await self.pool.ask(f"{head}\r\n".encode() + body, keeps=keeps)
        for cookie in reply.cookies:
            name, _, value = cookie.partition("=")
            self.cookies[name] = value
        return reply

    async def _landed(self, path: str, reply: Reply) -> Page:
        for _ in range(5):
            if reply.status not in REDIRECTS:
                break
            path = reply.location.removeprefix(self.origin)
            reply = await self.ask("GET", path)
        if reply.status != 200:
            raise AnsweredError(f"{reply.status} {route_of(path)}")
        return Page(path, reply)

    @contextmanager
    def timed(self, kind: str, what: str) -> Iterator[None]:
        """Count what the block asks for, or its failure."""
        begun = self.tally.now
        try:
            yield
        except Exception as error:
            self.tally.fail(kind, error)
            raise
        self.tally.add(kind, what, begun)
