"""What the tests of the assurance desk share: the people of the desk, and their browsers."""

from collections.abc import Callable

from flask import Flask

from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in, make_account

OWNER, AUDITOR, MANAGER, LEARNER = "D4001", "D6001", "D2001", "D1001"
ROLES = {OWNER: Role.DIRECTIVE_OWNER, AUDITOR: Role.AUDITOR, MANAGER: Role.MANAGER, LEARNER: None}


def make_desk_people() -> dict[str, int]:
    """A directive owner, an auditor, a manager of everywhere and a learner; their ids by staff number."""
    people = {}
    for number, role in ROLES.items():
        people[number] = make_account(number)
        if role is not None:
            make_grant(people[number], role)
    return people


def sign_in_each(app: Flask) -> Callable[[str], PortalClient]:
    """Gives the browser of a person, signed in at the first asking."""
    browsers: dict[str, PortalClient] = {}

    def browser_of(number: str) -> PortalClient:
        if number not in browsers:
            browsers[number] = another(app)
            let_in(browsers[number], number)
        return browsers[number]

    return browser_of
