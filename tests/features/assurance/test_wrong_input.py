"""Wrong input in every form of the desk, dip samples and returns: said plainly, in order, nothing lost."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask

from tests.factories.people import make_grant, make_person, make_unit
from tests.features.assurance.factories import make_action, make_evidence, make_recommendation
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import another, let_in, make_account

DESK, FORCES = "/assurance/e-learning", "/returns/forces"
LINK = {"kind": "link", "address": "https://example.org/plan"}
FORMS = {
    f"{DESK}/owner": "Save the owner",
    f"{DESK}/actions/new": "Add the action",
    f"{DESK}/actions/A-0001": "Save the action",
    "/assurance/mine/A-0001": "Save",
    f"{DESK}/decisions/new": "Save the decision",
    f"{DESK}/risk": "Save the risk",
    f"{DESK}/evidence/new/figure": "Save",
    f"{DESK}/evidence/new/acknowledgements": "Save",
    f"{DESK}/evidence/new/attendance": "Save",
    f"{DESK}/evidence/new/samples": "Save",
    f"{DESK}/evidence/new/link": "Save",
    f"{DESK}/evidence/new/document": "Save",
    f"{DESK}/evidence/new/statement": "Save",
    f"{DESK}/evidence/E-0001/change": "Save",
    f"{DESK}/evidence/E-0001/withdraw": "Withdraw it",
    f"{DESK}/judgement/new": "Send to a second person",
    f"{DESK}/narrative": "Save",
    "/dip-samples/record": "Save the counts",
    "/dip-samples/import": "Import the file",
    f"{FORCES}/new": "Save",
    f"{FORCES}/northmere/details": "Save",
    f"{FORCES}/northmere/keys/new": "Register the key",
    "/returns/periods": "Ask for returns",
    "/returns/received/new": "Check the file",
    "/returns/comparisons/new": "Check the file",
}
WRONG = {
    "nothing": "",
    "white space": " \t ",
    "far too long": "x" * 70_000,
    "a negative number": "-1",
    "letters": "twelve",
    "a day to come": "31 December 2099",
    "no day": "31 February 2026",
    "no month": "2026-13",
    "a fraction": "1.5",
    "markup": "<b>&amp;{{as_at}}",
}


@pytest.fixture
def owner(app: Flask, database: None) -> Iterator[PortalClient]:
    """A directive owner's browser, on 12 May 2026, with one of everything to change."""
    with time_machine.travel(datetime(2026, 5, 12, 9, tzinfo=UTC), tick=False):
        unit = make_unit("Team A")
        person = make_account("D4001", unit=unit)
        for role in ("directive-owner", "manager"):
            make_grant(person, role)
        make_person(unit, manager=person)
        about = make_recommendation()
        make_action(about, by=person, owner_id=person, on=date(2026, 5, 1))
        make_evidence(about, "link", LINK, by=person, on=date(2026, 5, 1))
        browser = another(app)
        let_in(browser, "D4001")
        force = {"key": "northmere", "name": "Northmere", "headcount": "20", "from_on": "1 January 2026"}
        browser.press(browser.page(f"{FORCES}/new"), "Save", **force)
        yield browser


def typed_fields(page: Page, button: str) -> list[str]:
    """The names of the form's fields into which something is typed, in the order of the page."""
    sent = page.form_with(button).fields
    kinds = {e.get("name"): e.get("type") or "text" for tag in ("input", "textarea") for e in page.all(tag)}
    return [name for name in sent if kinds.get(name) == "text"]


def chosen_options(page: Page) -> dict[str, str]:
    """What the lists of the page have chosen, as a browser would send it."""
    chosen = {}
    for listed in page.all("select"):
        options = [option for option in listed if option.tag.endswith("}option")]
        first = next((option for option in options if option.get("selected") is not None), options[0])
        chosen[listed.get("name") or ""] = first.get("value") or ""
    return chosen


def hold_to_account(page: Page, value: str) -> None:
    """The page says in short sentences what is wrong, in the order of its fields."""
    errors = page.all("ul", class_="govuk-error-summary__list")[0]
    links = [a.get("href", "#")[1:] for a in errors.iter() if a.tag.endswith("}a")]
    places = [page.html.index(f'id="{link}"') for link in links]
    assert page.title.startswith("Error: ")
    assert places == sorted(places), f"{page.path}: {links}"
    for item in (words(e).replace(value.strip() or "-", "") for e in errors if e.tag.endswith("}li")):
        assert len(item) < 160
        assert not re.search(r"None|_|Error|\bvalid\b|required|[<>{}]", item), item
        assert item[0].isupper()


@pytest.mark.parametrize("value", WRONG.values(), ids=list(WRONG))
def test_every_form_says_what_is_wrong_and_keeps_what_was_typed(owner: PortalClient, value: str) -> None:
    for path, button in FORMS.items():
        page = owner.page(path)
        names = typed_fields(page, button)
        sent = page.form_with(button).fields | chosen_options(page) | dict.fromkeys(names, value)
        answer = owner.post(page.form_with(button).action or path, data=sent)
        assert answer.status_code == 400, f"{path}: {answer.status_code}"
        refused = Page(answer, path)
        hold_to_account(refused, value)
        kept = refused.form_with(button).fields
        for name in names:
            assert kept[name][0].split() == value.split() or kept[name][0] == "".join(value.split()), name
