"""Those who work beside the learners: managers with files, a reader of reports, two who write in bulk."""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from benchmarks.browser import credentials
from benchmarks.hour.plan import Plan
from benchmarks.hour.tally import BULK, FILE, REPORT
from benchmarks.hour.visitor import FAILURES, REDIRECTS, AnsweredError, Page, Visitor
from benchmarks.hour.wire import Reply
from benchmarks.world import REPORT as REPORT_PATH

FILE_EVERY = 11.0  # seconds: the portal gives one person 30 in five minutes
REPORT_EVERY = 2.0
DIVISION = "Westshire Police/Command 0/Division 0"
FILES = (
    "completions.csv",
    "completions.xlsx",
    "people.csv",
    f"completions.pdf?unit={DIVISION.replace(' ', '+').replace('/', '%2F')}",
    "completions.json",
    "people.xlsx",
)
BUSY, OFFER = 503, "Make this file for me"
ISSUED = "/directives/HOUR-2026"  # a page that is there once the directive is issued
UNDER_WAY = "Show the latest state"
LINK = re.compile(r'href="([^"]+)"[^>]*>\s*Open the page it belongs to')
FILE_JOB, FILE_READY = "is being made", "is ready"
WORKING = 80  # looks at a job, from one second to ten apart: ten minutes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """One of them, signed in when they begin."""

    visitor: Visitor
    staff_number: str
    password: str
    plan: Plan

    async def sign_in(self) -> None:
        """As everybody does; not among the sign-ins that are judged."""
        await self.visitor.sign_in(self.staff_number, self.password, "desk sign-in")

    async def download(self, first: int) -> None:
        """Files one after the other, as fast as the portal's limit for one person lets them."""
        loop = asyncio.get_running_loop()
        pause = FILE_EVERY * self.plan.slower
        for number in cycle(range(first, first + len(FILES))):
            begun = loop.time()
            counted = await self._try(self._file(FILES[number % len(FILES)]), FILE) or 1
            await asyncio.sleep(max(0.0, begun + counted * pause - loop.time()))

    async def _file(self, name: str) -> int:
        """Download it; how often the portal counts that against the limit: an offer that is taken, twice."""
        path, what, counted = f"{REPORT_PATH}/{name}", name.partition("?")[0], 1
        with self.visitor.timed(FILE, what):
            reply = await self._get_file(path)
            if reply.status == BUSY:
                reply, counted = await self._accept_offer(Page(path, reply)), 2
            if reply.status in REDIRECTS:
                reply = await self._made(reply.location.removeprefix(self.visitor.origin))
            if reply.status != 200 or reply.size < 500:
                raise AnsweredError(f"{reply.status} {what}")
        return counted

    async def _get_file(self, path: str) -> Reply:
        """The answer for a file; a file that took long to make may come after the ten minutes are over."""
        reply = await self.visitor.ask("GET", path, keeps=False)
        if reply.status in REDIRECTS and "/sign-in" in reply.location:
            await self._sign_in_again(reply.location)
            reply = await self.visitor.ask("GET", path, keeps=False)
        return reply

    async def _sign_in_again(self, location: str) -> None:
        """Show who one is: a file about so many people is given out only within ten minutes of it."""
        path = location.removeprefix(self.visitor.origin)
        page = Page(path, await self.visitor.ask("GET", path))
        action, fields = page.form("Continue")
        fields |= credentials(page.text, self.staff_number, self.password)
        await self.visitor.send(action or path, fields.items(), "desk sign-in")

    async def _accept_offer(self, page: Page) -> Reply:
        """Have a job make the file, where too many others are being made; leads to its page."""
        action, fields = page.form(OFFER)
        self.visitor.tally.offers += 1
        return await self.visitor.ask("POST", action, urlencode(fields).encode())

    async def _made(self, path: str) -> Reply:
        for look in range(WORKING):
            text = (await self.visitor.ask("GET", path)).text
            if FILE_JOB not in text:
                break
            await asyncio.sleep(min(1.0 + look / 4, 10.0))
        if FILE_READY not in text:
            raise AnsweredError("a file was not made")
        return await self._get_file(f"{path}/download")

    async def read_reports(self) -> None:
        """The overview, the report and its filters, today and at a past day, one after the other."""
        past = date.today() - timedelta(days=30)
        paths = ("/monitoring", REPORT_PATH, f"{REPORT_PATH}?status=overdue", f"{REPORT_PATH}?as_at={past}")
        for path in cycle((*paths, f"{REPORT_PATH}?q=Okafor", f"{REPORT_PATH}/changes")):
            await self._try(self.visitor.page(path, REPORT), REPORT)
            await asyncio.sleep(REPORT_EVERY * self.plan.slower)

    async def import_roster(self, file: Path) -> None:
        """Upload, match, check, apply, as the four pages lead."""
        phase = self.visitor.tally.phase
        page = await self.visitor.page("/imports/roster/new", BULK)
        with phase("roster: upload"):
            page = await self.visitor.upload(page, "Continue", "file", file, BULK)
        with phase("roster: check"):
            page = await self._through(await self.visitor.fill(page, "Check the file", BULK))
        if "Every row is good" not in page.text:
            raise AnsweredError("the roster is not good")
        with phase("roster: apply"):
            page = await self._through(await self.visitor.fill(page, "Apply the import", BULK))
        if "was applied" not in " ".join(page.text.split()):
            raise AnsweredError("the roster was not applied")

    async def issue_directive(self, file: Path) -> None:
        """Fill the form in from a file, preview, issue."""
        page = await self.visitor.page("/directives/new", BULK)
        page = await self.visitor.upload(page, "Fill in from the file", "upload", file, BULK)
        with self.visitor.tally.phase("directive: preview"):
            page = await self.visitor.fill(page, "Preview what it does", BULK)
        with self.visitor.tally.phase("directive: issue"):
            page = await self._through(await self.visitor.fill(page, "Issue version", BULK))
        if page.path != ISSUED:
            raise AnsweredError("the directive was not issued")

    async def _through(self, page: Page) -> Page:
        """The page to which a job leads, once it has ended; this one where there is none."""
        for look in range(WORKING):
            if UNDER_WAY not in page.text:
                break
            await asyncio.sleep(min(1.0 + look / 4, 10.0))
            page = await self.visitor.page(page.path, BULK)
        found = LINK.search(page.text)
        return await self.visitor.page(found[1], BULK) if found else page

    async def _try(self, act: Awaitable[T], kind: str) -> T | None:
        """What fails is counted, and the next is tried."""
        try:
            return await act
        except FAILURES as error:
            self.visitor.tally.fail(kind, error)
            await asyncio.sleep(1)
        return None
