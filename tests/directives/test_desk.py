"""The directives desk: the list, a directive in words, the form, the preview, issuing and withdrawing."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from portal import clock
from portal.db import db, transaction
from portal.directives.models import Assignment, DirectiveVersion
from portal.people.known import known
from tests.accounts.browsing import make_account, sign_in
from tests.factories.catalogue import make_guide, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.learning.asking import ask


@pytest.fixture
def desk(client):
    """The owner of directives, signed in, in a force of two teams with a module and a guide."""
    top = make_unit("Westshire Police")
    response = make_unit("Response", top)
    make_version("protect"), make_guide("whom-to-call")
    make_grant(make_account("D4001", unit=top), "directive-owner")
    make_person(make_unit("Team A", response), staff_number="D1001", surname="Okafor")
    make_person(response, staff_number="D1002", surname="Hale", role="custody")
    sign_in(client, "D4001", path="/sign-in?next=/directives")
    return client


FORM = {
    "reference": "NEW-1",
    "title": "A new directive",
    "source": "Inspection",
    "wording": "Everyone completes it.",
    "owner": "D4001",
    "effective_on": "1 December 2026",
    "requirements": ["module:protect", "guide:whom-to-call"],
    "audience-0-roles": ["response"],
    "due_on": "30/4/2027",
    "due_days": "60",
    "notices": "30, 7 and 1",
    "ends_soon": "60",
    "target": "95%",
}


def send(client, page, path, **fields):
    """Post the form of ``page`` with these fields, as a button with that address does."""
    form = next(f for f in page.forms() if "csrf_token" in f.fields and f.action != "/sign-out")
    token = form.fields["csrf_token"][0]
    from tests.pages import Page

    return Page(client.post(path, data={"csrf_token": token, **fields}, follow_redirects=True), path)


def test_the_list_and_a_directive_in_words(desk):
    ask("protect", reference="OIC-2026")

    page = desk.page("/directives")
    assert page.h1 == "1 directive in force"
    assert "In force since 1 September 2025" in page.text
    told = desk.page("/directives/OIC-2026")
    assert "Everyone with the role response." in told.text
    assert "On 30 April 2026." in told.text


def test_a_directive_is_issued_through_form_and_preview(desk):
    page = desk.page("/directives/new")
    shown = send(desk, page, "/directives/preview", do="preview", **FORM)
    assert shown.h1 == "2 people join"  # the owner has the role response too
    assert "Okafor" in shown.text
    done = send(desk, shown, "/directives/preview", **{**shown.forms()[-1].fields, "do": "issue"})

    assert done.h1 == "A new directive"
    assert "Version 1 of NEW-1 is issued and in force from 1 December 2026." in done.text
