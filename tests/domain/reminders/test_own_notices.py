"""Mail about one's own account that the owner alone gets."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from portal.domain.accounts import factors, services
from portal.domain.accounts.tokens import hash_token
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.permissions import Role
from tests.domain.reminders.office_set import set_office, set_surname
from tests.domain.reminders.post_office import Office
from tests.domain.reminders.test_notices import NIGHT, address, delivered, words
from tests.factories.people import make_grant
from tests.pages.account.browsing import make_account


@pytest.fixture
def office(app: Flask, database: None) -> Iterator[Office]:
    with time_machine.travel(NIGHT, tick=False), set_office(app) as opened:
        yield opened


def test_only_the_owner_is_told_of_what_they_change_themselves(app: Flask, office: Office) -> None:
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    person = make_account("D1001")
    set_surname(person, "Name D1001")
    with transaction():
        token, _ = services.open_session(
            person, services.SignInOrigin("198.51.100.7", "Edge on Windows"), clock.now()
        )
        factors.add_code_device(
            person,
            "Work phone",
            factors.new_secret(),
            0,
            clock.now(),
            key="k" * 32,
            session_hash=hash_token(token),
        )
        factors.replace_codes(person, "key", clock.now())
        factor = factors.list_factors(person)[0].reference
        factors.remove_factor(person, factor, needs_one=False)

    mails = delivered(app, office)
    assert mails.keys() == {address("D1001")}
    text = "\n".join(map(words, mails[address("D1001")]))
    for said in ("added a passkey or a device", "made new recovery codes", "removed a passkey or a device"):
        assert f"Priya Name D1001 (D1001) {said}" in text
