"""An officer of the hour: signs in, reads the lessons of one module, answers what they know, and passes."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random

from benchmarks.browser import CASE, case_button
from benchmarks.hour.plan import CASE_PAUSES, Plan
from benchmarks.hour.tally import ANSWER, PAGE
from benchmarks.hour.visitor import FAILURES, AnsweredError, Page, Visitor
from benchmarks.knowledge import SAVE, Knowledge
from benchmarks.world import lessons

AGAIN = "Take this module again"
NEXT, START, SUBMIT = "Mark as complete and continue", "Start assessment", "Submit answers"
ITEM = re.compile(r"/assessment/[0-9a-f-]{36}/items/")
ATTEMPT = re.compile(r"/assessment/([0-9a-f-]{36})")
REFERENCE = re.compile(r"OIC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")


@dataclass(frozen=True, slots=True)
class Officer:
    """One of those who come."""

    visitor: Visitor
    staff_number: str
    module: str
    plan: Plan
    knowledge: Knowledge
    chance: Random

    async def learn(self, sign_in: Callable[[Visitor, str], Awaitable[Page]]) -> None:
        """From coming to passing; ends at the first thing that fails, which is counted."""
        await asyncio.sleep(self.plan.arrival(self.chance))
        try:
            await sign_in(self.visitor, self.staff_number)
            await self.read(self.plan.reading(self.chance))
            await self.take_assessment()
            self.visitor.tally.finished += 1
        except FAILURES as error:
            self.visitor.tally.fail(PAGE, error)

    def turned_to(self, module: str) -> "Officer":
        """The same officer with another module."""
        return replace(self, module=module)

    async def read(self, seconds: float) -> None:
        """Read the lessons for so long, and decide in their cases; a module passed before is taken again."""
        here = f"/learning/modules/{self.module}"
        page = await self.visitor.page(here, PAGE)
        if AGAIN in page.text:
            await self.visitor.press(page, AGAIN, ANSWER, PAGE)
        keys = lessons(self.module)
        for key in keys:
            page = await self.visitor.page(f"{here}/lessons/{key}", PAGE)
            pause = seconds / len(keys) / (CASE_PAUSES if CASE in page.text else 1)
            await asyncio.sleep(pause)
            while CASE in page.text:
                page = await self.visitor.press(page, case_button(page.text), ANSWER, PAGE)
                await asyncio.sleep(pause)
            if NEXT in page.text:
                await self.visitor.press(page, NEXT, ANSWER, PAGE)

    async def take_assessment(self) -> None:
        """Answer every question and submit."""
        page = await self.visitor.page(f"/learning/modules/{self.module}", PAGE)
        page = await self.visitor.press(page, START, ANSWER, PAGE)
        while ITEM.search(page.path):
            await asyncio.sleep(self.plan.thinking(self.chance))
            page = await self._answer(page)
        await asyncio.sleep(self.plan.thinking(self.chance))
        outcome = await self.visitor.press(page, SUBMIT, ANSWER, PAGE)
        reference, attempt = REFERENCE.search(outcome.text), ATTEMPT.search(outcome.path)
        if "You passed" not in outcome.text or not reference or not attempt:
            raise AnsweredError("did not pass")
        self.visitor.tally.passes[reference[0]] = attempt[1]

    async def _answer(self, page: Page) -> Page:
        """Save an answer; acknowledged where it leads on within the same attempt."""
        action, _ = page.form(SAVE)
        chosen = self.knowledge.choose(page.text)
        shown = await self.visitor.send(action, chosen.fields, ANSWER)
        here, there = ATTEMPT.search(page.path), ATTEMPT.search(shown)
        if not here or not there or here[1] != there[1]:
            raise AnsweredError("an answer led elsewhere")
        self.visitor.tally.answers[here[1]] += bool(chosen.kept)
        return await self.visitor.page(shown, PAGE)
