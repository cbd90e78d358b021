"""The directives desk as its owner meets it."""

import pytest

from tests.factories.catalogue import make_guide, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import let_in, make_account


@pytest.fixture
def desk(client, time_machine):
    """The owner of directives, signed in, in a force of two teams with a module and a guide."""
    time_machine.move_to("2026-11-25T10:00:00+00:00", tick=True)
    top = make_unit("Westshire Police")
    response = make_unit("Response", top)
    make_version("protect"), make_guide("whom-to-call")
    make_grant(make_account("D4001", unit=make_unit("Learning", top)), "directive-owner")
    make_person(make_unit("Team A", response), staff_number="D1001", surname="Okafor")
    make_person(response, staff_number="D1002", surname="Hale", role="custody")
    let_in(client, "D4001")
    return client
