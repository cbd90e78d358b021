"""Links on paper for a unit without mail: made once, shown once, one card a person."""

from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest
import segno
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts.models import Invitation, PasswordLink
from portal.domain.accounts.tokens import hash_token
from portal.domain.reminders import invitations
from portal.platform.db import db
from tests.domain.reminders.post_office import Office
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import PASSWORD, make_account, sign_in, signed_in
from tests.pages.people.inviting import (
    LINK,
    NOON,
    Force,
    enter,
    events,
    everything_stored,
    set_email,
    text_of,
)

pytestmark = pytest.mark.slow

PRINT = "/people/invitations/print"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def force(force: Force) -> Force:
    """With two more people of the north who have no address."""
    for number in ("N7", "N8"):
        set_email(force.add(number, surname=f"Paper {number}"), None)
    return force


def print_list(admin: PortalClient, query: str, count: int) -> Page:
    page = admin.page(f"{PRINT}?{query}")
    return admin.press(page, f"Make {count} links to print")


def tokens_on(page: Page) -> list[str]:
    """The tokens of the cards, in their order."""
    return [LINK.findall(words(line))[0] for line in page.all("p", class_="portal-handout__link")]


def works(app: Flask, token: str) -> bool:
    return PortalClient(app).get(f"/set-password/{token}").status_code == 200


def test_a_card_lets_its_person_in(app: Flask, admin: PortalClient) -> None:
    page = print_list(admin, "unit=North", 3)
    assert page.h1 == "3 cards for North"
    assert "until 12:00 on 27 May 2026" in page.text
    cards = [words(card) for card in page.all("section", class_="portal-handout")]
    assert ["Staff number NOMAIL" in cards[2], "Paper N7" in cards[0], "Staff number N8" in cards[1]] == [
        True
    ] * 3
    token = tokens_on(page)[0]
    newcomer = PortalClient(app)
    newcomer.press(newcomer.page(f"/set-password/{token}"), "Set password", password=PASSWORD)
    sign_in(newcomer, "N7", path="/sign-in?next=/account")
    assert signed_in(newcomer)
    assert not works(app, token)


def test_each_code_is_that_of_the_link_beside_it(admin: PortalClient) -> None:
    page = print_list(admin, "unit=North", 3)
    drawings = [drawing for drawing in page.root.iter(f"{SVG}svg") if drawing.get("role") == "img"]
    assert len(drawings) == 3
    for drawing, line in zip(drawings, page.all("p", class_="portal-handout__link"), strict=True):
        link = words(line)
        assert _title(drawing).startswith("QR code of the link of Priya ")
        expected = segno.make_qr(link, error="m", mask=4)
        path = next(drawing.iter(f"{SVG}path"))
        assert path.get("d") == expected.svg_inline().partition(' d="')[2].partition('"')[0]
        assert "style" not in drawing.attrib


def _title(drawing: Element) -> str:
    return words(next(drawing.iter(f"{SVG}title")))


def test_the_list_is_shown_once_and_nothing_keeps_its_links(app: Flask, admin: PortalClient) -> None:
    page = print_list(admin, "unit=North", 3)
    assert page.headers["Cache-Control"] == "no-store"
    kept = everything_stored()
    for token in tokens_on(page):
        assert token not in kept
        assert hash_token(token) in kept
    assert LINK.search(admin.get(f"{PRINT}?unit=North").get_data(as_text=True)) is None
    assert "Printed at 12:00 on 20 May 2026." in admin.page("/people/invitations").text


def test_looking_makes_no_link(admin: PortalClient) -> None:
    admin.page(f"{PRINT}?unit=North&who=all")
    assert db.session.scalar(select(func.count()).select_from(PasswordLink)) == 0


def test_a_list_made_again_replaces_the_one_before(app: Flask, admin: PortalClient) -> None:
    first, second = (tokens_on(print_list(admin, "unit=North", 3)) for _ in range(2))
    assert [works(app, token) for token in first] == [False] * 3
    assert [works(app, token) for token in second] == [True] * 3


def test_a_card_works_for_seven_days(app: Flask, admin: PortalClient, clock: time_machine.Traveller) -> None:
    token = tokens_on(print_list(admin, "unit=North", 3))[0]
    clock.move_to(NOON + timedelta(days=7, seconds=-1))
    assert works(app, token)
    clock.move_to(NOON + timedelta(days=7))
    assert not works(app, token)


def test_everyone_without_an_account_may_get_a_card_and_nobody_else(app: Flask, admin: PortalClient) -> None:
    page = print_list(admin, "unit=North&who=all", 5)
    assert "CLOSED" not in page.text
    assert "Staff number HAS" not in page.text
    assert "New S1" not in page.text


def test_cards_are_recorded_for_each_person_and_told_of_once(
    app: Flask, office: Office, admin: PortalClient, force: Force
) -> None:
    print_list(admin, "unit=North", 3)
    people = {force.people[number] for number in ("N7", "N8", "NOMAIL")}
    assert {(event.subject_id, event.detail["by"]) for event in events("account.invited")} == {
        (person, "paper") for person in people
    }
    assert [event.detail["people"] for event in events("accounts.invited")] == [3]
    assert set(db.session.scalars(select(Invitation.person_id))) == people
    app.test_cli_runner().invoke(args=["reminders", "send"])
    assert [text_of(mail) for _, mail in office.taken if "/set-password/" in text_of(mail)] == []


def test_who_has_an_address_hears_that_a_link_was_printed(
    app: Flask, office: Office, admin: PortalClient, force: Force
) -> None:
    make_grant(make_account("D9003", unit=force.units["force"]), "administrator")
    app.test_cli_runner().invoke(args=["reminders", "send"])
    office.taken.clear()
    print_list(admin, "unit=North&who=all", 5)
    app.test_cli_runner().invoke(args=["reminders", "send"])
    texts = {address: text_of(mail) for address, mail in office.taken}
    assert sorted(texts) == ["d9003@westshire.example", "n1@westshire.example", "n2@westshire.example"]
    assert "will give it to you. It works once, within 7 days." in texts["n1@westshire.example"]
    assert "invited 5 people to set a password." in texts["d9003@westshire.example"]
    assert "made a link" not in texts["d9003@westshire.example"]


def test_a_long_list_is_refused(admin: PortalClient, monkeypatch: pytest.MonkeyPatch) -> None:
    page = admin.page(f"{PRINT}?unit=North")
    monkeypatch.setattr(invitations, "MOST_PRINTED", 2)
    assert "More than 2 people. One list has 2 at most" in admin.page(f"{PRINT}?unit=North").text
    assert "More than 2 people" in admin.press(page, "Make 3 links to print").text
    assert db.session.scalar(select(func.count()).select_from(PasswordLink)) == 0


def test_an_administrator_of_a_unit_prints_for_it_alone(app: Flask, force: Force) -> None:
    set_email(force.people["S1"], None)
    admin = enter(app, "D9002")
    assert "No unit has the path or name “South” today." in admin.page(f"{PRINT}?unit=South", 400).text
    assert "Make 3 links to print" in admin.page(f"{PRINT}?unit=North").text


def test_a_unit_must_be_named(admin: PortalClient) -> None:
    page = admin.page(PRINT)
    assert "Make " not in page.text
    assert "Error" not in page.text
    for query in ("unit=&role=&who=", "role=response"):
        page = admin.page(f"{PRINT}?{query}", 400)
        assert page.text.count("Enter a unit, by path or name") == 2  # in the summary and at the field
        assert page.links["Enter a unit, by path or name"] == "#unit"
    token = page.forms()[0].fields.get("csrf_token") or admin.page("/account").forms()[0].fields["csrf_token"]
    admin.post(PRINT, data={"csrf_token": token})
    assert db.session.scalar(select(func.count()).select_from(PasswordLink)) == 0
