"""What a learner is told of a directive: why it asks them, and that a pass that ends soon may be renewed."""

from datetime import date

import pytest

from portal.domain.directives.services import issue_toml
from portal.domain.status.queries import requirements_of
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.db import stamp, transaction
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit
from tests.pages.account.browsing import let_in
from tests.pages.learning.asking import ask
from tests.pages.learning.working import learner, take

pytestmark = pytest.mark.slow

TEXT = """
reference = "WHY-1"
title = "Why"
source = "Inspection"
wording = "Complete it."
owner = "OWNER"
effective_on = 2025-09-01
expiring_days = 60
[due]
on = 2027-04-30
[[audience]]
designated_role = ["custody"]
[[audience]]
unit_under = "Westshire Police/Response"
rank_or_grade = ["Constable", "Sergeant"]
[[requirement]]
kind = "module"
key = "protect"
"""


def test_why_is_said_by_what_of_the_post_the_audience_names(database):
    top = make_unit("Westshire Police")
    response = make_unit("Response", top)
    team = make_unit("Team A", response)
    make_version()
    make_person(top, staff_number="OWNER", role="staff")
    in_team, in_unit = make_person(team, role="dogs"), make_person(response, role="dogs", rank="Sergeant")
    in_custody = make_person(top, role="custody", rank="Inspector")
    with transaction():
        issue_toml(TEXT.encode(), at=stamp())

    def why(person):
        return {asked.why for asked in requirements_of(person, clock.today())}

    assert why(in_team) == {
        "You have to do this because you are in Team A, which is part of Response and "
        "your rank or grade is Constable."
    }
    assert why(in_unit) == {
        "You have to do this because you are in Response and your rank or grade is Sergeant."
    }
    assert why(in_custody) == {"You have to do this because your role is custody."}


def test_a_pass_that_ends_soon_is_renewed_and_the_old_one_stays(client, time_machine):
    time_machine.move_to("2026-03-10T10:00:00+00:00", tick=True)
    make_version()
    ask("protect", months=12)
    person = learner(client)
    take(client, 4)
    assert "Renew it now" not in client.page("/learning").text
    time_machine.move_to("2027-02-20T10:00:00+00:00", tick=True)
    let_in(client)

    page = client.page("/learning")
    assert "Complete (ends soon)" in page.text
    assert page.h1 == "You have completed everything"
    link = next(words for words in page.links if words.startswith("Renew it now"))
    page = client.page(page.links[link])
    client.press(page, "Take this module again")
    assert "Continue its renewal" in client.page("/learning").text
    second = take(client, 4)

    assert "Until 20 February 2028" in second.text
    records = client.page("/records").text
    assert "10 March 2026" in records
    assert "20 February 2027" in records
    (then,) = requirements_of(person, date(2026, 6, 1))
    assert (then.status, then.valid_until) == (Status.SATISFIED, date(2027, 3, 10))
    assert "Renew it now" not in client.page("/learning").text
