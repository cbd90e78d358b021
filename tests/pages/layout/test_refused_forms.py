"""Going back to a refused form finds it as it was, and nobody else finds it."""

import pytest

from portal.domain.accounts.models import HeldForm
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.catalogue.folders import write
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import let_in, make_account
from tests.pages.guides.test_views import publish_all

NAVIGATE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
PATH = "/force-settings"
TYPED = "y" * 301


@pytest.fixture
def admin(client, tmp_path):
    publish_all(write(tmp_path, {}))
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    let_in(client, "D9001")
    return client


def refuse(client: PortalClient, path: str = PATH):
    fields = client.page(path).form_with("Save").fields | {"force-nccu_contact": TYPED}
    return client.post(path, data=fields, headers=NAVIGATE)


def test_a_browser_is_led_to_the_refused_form_and_finds_it_again(admin):
    led = refuse(admin)
    shown = [admin.get(led.location) for _ in range(2)]
    first, again = (Page(answer, led.location) for answer in shown)

    assert led.status_code == 303
    assert led.location.startswith(f"{PATH}?refused=")
    assert [answer.status_code for answer in shown] == [200, 200]  # a browser would log an error for another
    assert first.title.startswith("Error: ")
    assert "Use 300 characters or fewer." in first.text
    assert first.form_with("Save").fields["force-nccu_contact"] == [TYPED]
    assert again.html == first.html


def test_the_form_can_be_corrected_and_sent_from_there(admin):
    led = refuse(admin)
    page = Page(admin.get(led.location), led.location)

    saved = admin.post(
        led.location, data=page.form_with("Save").fields | {"force-nccu_contact": "Desk 9"}, headers=NAVIGATE
    )

    assert saved.status_code == 303
    assert saved.location == PATH
    assert admin.page(PATH).form_with("Save").fields["force-nccu_contact"] == ["Desk 9"]


def test_a_program_gets_the_answer_itself(admin):
    page = admin.press(admin.page(PATH), "Save", **{"force-nccu_contact": TYPED})

    assert page.title.startswith("Error: ")
    assert not db.session.query(HeldForm).all()


def test_a_form_that_is_too_large_is_refused_in_a_page(admin):
    fields = admin.page(PATH).form_with("Save").fields | {"force-nccu_contact": "y" * 800 * 1024}

    answer = admin.post(PATH, data=fields, headers=NAVIGATE)

    assert answer.status_code == 413
    assert "too large" in Page(answer, PATH).h1


def test_nobody_else_and_no_later_session_finds_it(app, admin):
    led = refuse(admin)
    other = PortalClient(app)
    make_grant(make_account("D9002"), Role.ADMINISTRATOR)
    let_in(other, "D9002")
    again = PortalClient(app)
    let_in(again, "D9001")

    for client in (other, again):
        answer = client.get(led.location)
        assert answer.status_code == 303
        assert answer.location == PATH
    assert "/sign-in" in PortalClient(app).get(led.location).location
    assert admin.get(led.location.replace(PATH, "/guides")).location == "/guides"


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "/\\elsewhere.example", "/%2F/elsewhere.example"])
def test_no_address_leads_elsewhere(admin, path):
    location = admin.get(f"{path}?refused=nothing").location or "/"

    assert not location.startswith(("//", "/\\", "http"))


def test_what_was_typed_is_held_encrypted(admin):
    led = refuse(admin)

    (held,) = db.session.query(HeldForm).all()
    assert b"yyyy" not in held.sealed
    assert led.location.rsplit("=", 1)[1] not in held.token_hash


def test_a_form_with_a_secret_is_not_held(admin):
    page = admin.page("/account/password")
    fields = page.form_with("Change password").fields

    answer = admin.post("/account/password", data=fields, headers=NAVIGATE)

    assert Page(answer, "").title.startswith("Error: ")
    assert not db.session.query(HeldForm).all()
