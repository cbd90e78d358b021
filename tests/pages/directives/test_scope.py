"""A directive owner of a unit issues, changes and withdraws what is for that unit, and nothing beyond it."""

import pytest

from portal.domain.people.queries import person_by_staff_number
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.directives.pages import ISSUE, count_versions, open_preview, own_form, send_again
from tests.pages.learning.asking import ask

OWN = {"owner": "D4002"}
BEYOND = "This directive is for people outside your units."


@pytest.fixture
def of_a_unit(desk, app):
    """The owner of the directives of one unit with one constable; another's directive is for the force."""
    ask("protect", reference="OIC-2026")
    unit = make_unit("Ports")
    make_person(make_unit("Quay", unit), staff_number="D1009")
    make_grant(make_account("D4002", unit=unit), "directive-owner", unit)
    client = another(app)
    let_in(client, "D4002")
    return client


def test_what_would_reach_the_force_is_shown_and_not_issued(of_a_unit):
    before = count_versions()
    shown = open_preview(of_a_unit, **OWN)

    assert BEYOND in shown.text
    assert "Issue version 1" not in shown.text
    form = {**own_form(shown).fields, "do": "issue"}
    assert of_a_unit.post(ISSUE, data=form).status_code == 403
    assert count_versions() == before


def test_what_reaches_their_unit_alone_is_issued(of_a_unit):
    shown = open_preview(of_a_unit, **OWN, **{"audience-0-units": "Ports/Quay", "audience-0-roles": ""})

    assert BEYOND not in shown.text
    assert "is issued and in force" in send_again(of_a_unit, shown, ISSUE, do="issue").text


def test_one_group_beyond_the_unit_is_one_too_many(of_a_unit):
    fields = {"audience-0-units": "Ports", "audience-1-roles": "response"}

    assert BEYOND in open_preview(of_a_unit, **OWN, **fields).text


def test_the_force_s_directive_is_neither_taken_over_nor_withdrawn(of_a_unit):
    before = count_versions()
    page = of_a_unit.page("/directives/OIC-2026/change")
    fields = {**own_form(page).fields, "audience-0-units": "Ports", "effective_on": "1 December 2027"}
    token = own_form(page).fields["csrf_token"][0]

    taken = of_a_unit.post(f"{ISSUE}?of=OIC-2026", data={**fields, "do": "issue"})
    gone = {"csrf_token": token, "effective_on": "1 December 2027", "do": "withdraw"}
    assert taken.status_code == 403
    assert of_a_unit.post("/directives/OIC-2026/withdraw", data=gone).status_code == 403
    assert not [text for text in of_a_unit.page("/directives/OIC-2026").links if text.startswith("Withdraw")]
    assert count_versions() == before


def test_another_role_with_sight_of_the_force_lends_nothing(of_a_unit):
    make_grant(person_by_staff_number("D4002"), "auditor")

    assert BEYOND in open_preview(of_a_unit, **OWN).text


def test_an_owner_out_of_sight_is_refused_as_a_number_that_nobody_has(of_a_unit):
    for number in ("D4001", "D7777"):
        assert f"Nobody has the staff number {number}" in open_preview(of_a_unit, owner=number).text
