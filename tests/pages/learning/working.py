"""What a learner does, through pages: read all lessons, answer so many questions right, submit."""

import re
from uuid import UUID

from portal.domain.assessment.models import Attempt
from portal.domain.catalogue.models import Item
from portal.platform.db import db
from tests.factories.catalogue import RIGHT, WRONG
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import let_in, make_account
from tests.pages.assessment.choosing import values_of_keys

NEXT = "Mark as complete and continue"


def learner(client: PortalClient, staff_number: str = "D1001") -> int:
    """A person with a post, signed in; returns the id."""
    person = make_account(staff_number)
    let_in(client, staff_number)
    return person


def read_lessons(client: PortalClient, slug: str = "protect", first: str = "lesson-1") -> Page:
    """Mark lesson after lesson complete; returns the page after the last."""
    page = client.page(f"/learning/modules/{slug}/lessons/{first}")
    while any(NEXT in form.buttons for form in page.forms()):
        page = client.press(page, NEXT)
    return page


def begin(client: PortalClient, slug: str = "protect") -> Page:
    """Read everything and start the assessment; returns the first question."""
    return client.press(read_lessons(client, slug), "Start assessment")


def items_of(attempt_path: str) -> list[Item]:
    """The drawn items in order, from the address of any page of the attempt."""
    attempt = db.session.get_one(Attempt, UUID(attempt_path.split("/")[2]))
    return [db.session.get_one(Item, drawn["item_id"]) for drawn in attempt.drawn]


def attempt_base(page: Page) -> str:
    """``/assessment/<uuid>`` of a page that links or posts to its attempt."""
    found = re.search(r"/assessment/[0-9a-f-]{36}", page.html)
    assert found, page.text
    return found[0]


def answer_all(client: PortalClient, page: Page, correct: int) -> Page:
    """Answer every question, the first ``correct`` of them right; returns the check page."""
    for number, item in enumerate(items_of(attempt_base(page)), start=1):
        keys = (RIGHT if number <= correct else WRONG)[item.kind]
        if not page.path.endswith(f"/items/{number}"):
            page = client.page(f"{attempt_base(page)}/items/{number}")
        page = client.press(page, "Save and continue", choice=values_of_keys(page, item, keys))
    return page


def take(client: PortalClient, correct: int, slug: str = "protect") -> Page:
    """A whole module: lessons, questions, submission; returns the outcome."""
    return client.press(answer_all(client, begin(client, slug), correct), "Submit answers")
