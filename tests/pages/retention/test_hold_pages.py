"""Holds are placed and lifted with a reason, and stop erasures."""

from portal.platform import clock
from portal.platform.db import transaction
from tests.domain.retention import aged
from tests.pages.decisions.desk import Desk


def place(desk: Desk, status: int = 200, **fields: str):
    admin = desk.browser_of("D3001")
    return admin.press(admin.page("/retention/holds"), "Place the hold", status, **fields)


def test_a_hold_is_placed_seen_and_lifted(desk):
    page = place(desk, scope="person", staff_number="D1001", reason="Case 7")
    assert "Priya Shah (D1001)" in page.text

    other = desk.browser_of("D3002")
    page = other.page(other.page("/retention/holds").links["Lift it from Priya Shah (D1001)"])
    assert "Enter why the hold is lifted" in other.press(page, "Lift the hold", 400).text
    page = other.press(page, "Lift the hold", reason="The case is over")

    assert "The case is over" in page.text
    assert "Lift it" not in page.text


def test_a_form_that_names_nothing_is_refused_in_words(desk):
    assert "Select what to keep" in place(desk, 400, reason="x").text
    assert "Enter the staff number" in place(desk, 400, scope="person", reason="x").text
    assert (
        "Nobody has the staff number Z9."
        in place(desk, 400, scope="person", staff_number="Z9", reason="x").text
    )
    assert "Enter why this is kept" in place(desk, 400, scope="class", kept_class="mail").text


def test_holds_on_a_unit_and_a_class_are_named(desk):
    page = place(desk, scope="unit", unit=str(desk.unit), reason="Inquiry")
    assert "Response One unit" in page.text

    page = place(desk, scope="class", kept_class="mail", reason="Inquiry")

    assert "Emails One class" in page.text
    assert "Under a legal hold" in desk.browser_of("D3001").page("/retention").text


def test_an_erasure_of_a_person_under_a_hold_is_refused(desk):
    at = clock.now()
    with transaction():
        aged.write_texts(desk.people["D1001"], desk.people["D2001"], at)
    place(desk, scope="person", staff_number="D1001", reason="Case 7")
    learner, admin = desk.browser_of("D1001"), desk.browser_of("D3001")
    learner.press(learner.page("/retention/own"), "Send", kind="erasure", reason="All of it")

    page = admin.page("/retention/requests")
    page = admin.page(page.links["Priya Shah"])

    assert "so nothing can be erased" in page.text
    assert "Erase, and answer as done" not in page.html
