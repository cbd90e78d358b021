"""One administrator asks, another approves, a job removes, and a certificate remains."""

import io
import re
from datetime import date

from pypdf import PdfReader
from sqlalchemy import select

from portal.domain.reminders.models import Message
from portal.domain.retention import services
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.retention import aged
from tests.factories.people import make_grant
from tests.page_reading import Page
from tests.pages.decisions.desk import Desk
from tests.pages.monitoring.counting import statements

MAIL = "/retention/classes/mail"


def write_mails(desk: Desk, number: int = 1) -> None:
    with transaction():
        for day in range(1, number + 1):
            aged.write_traces(desk.people["D1001"], desk.people["D2001"], clock.noon(date(2015, 1, day)))


def ask(desk: Desk, number: str = "D3001") -> Page:
    client = desk.browser_of(number)
    return client.press(client.page(MAIL), "Ask for the disposal", reason="Yearly disposal")


def test_from_the_navigation_to_the_certificate(app, desk):
    write_mails(desk, 3)
    admin, other = desk.browser_of("D3001"), desk.browser_of("D3002")
    page = admin.page(admin.page("/desk").links["Retention"])
    assert page.h1 == "How long data is kept"
    page = admin.page(page.links["Emails"])
    assert "3 rows are due for removal today, the oldest from 1 January 2015." in page.text

    page = ask(desk)

    assert "Waits for a second person." in page.text
    assert "Approve the disposal" not in page.text
    waiting = other.page("/desk")
    address = waiting.links["1 disposal to approve or refuse"]
    page = other.page(address)
    page = other.page(page.links[next(text for text in page.links if text.startswith("Emails asked for"))])
    page = other.press(page, "Approve the disposal")
    assert "Approved, being removed." in page.text
    aged.run_jobs(app)
    page = other.page(page.links["See the job"])
    page = other.page(next(href for href in page.links.values() if "/retention/disposals/" in href))
    assert page.h1 == "Certificate of disposal"
    for words in ("Removed 3 rows", "Left because of a legal hold 0 rows", "Removed: emails 3"):
        assert words in page.text
    for words in ("1 year from the day on which the email was made", "1 January 2015 to 31 May 2025"):
        assert words in page.text
    assert db.session.scalars(select(Message)).all() == []
    assert "1 June 2026" in admin.page("/retention").text

    answer = other.get(page.links["Download the certificate (PDF)"])
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    words = re.sub(r"\s+", " ", text)
    assert "Certificate of disposal" in words
    assert "Yearly disposal" in words
    assert b"/StructTreeRoot" in answer.data or PdfReader(io.BytesIO(answer.data)).trailer["/Root"].get(
        "/MarkInfo"
    )
    assert answer.data == other.get(page.links["Download the certificate (PDF)"]).data


def test_who_asked_cannot_approve_by_a_forged_form_and_may_withdraw(desk):
    write_mails(desk)
    page = ask(desk)
    admin = desk.browser_of("D3001")
    form = page.form_with("Withdraw the request")

    answer = admin.post(form.action.replace("withdrawal", "approval"), data=form.fields)

    assert answer.status_code == 422 or answer.status_code == 409 or answer.status_code == 400
    assert "second person" in answer.get_data(as_text=True)
    assert "Withdrawn by" in admin.press(page, "Withdraw the request").text


def test_a_refusal_needs_a_reason(desk):
    write_mails(desk)
    path = ask(desk).form_with("Withdraw the request").action.removesuffix("/withdrawal")
    other = desk.browser_of("D3002")

    page = other.press(other.page(path), "Refuse", 400)
    assert "Enter why it is refused" in page.text
    page = other.press(page, "Refuse", refusal="A claim is open")

    assert "A claim is open" in page.text
    assert "Ask for the disposal" in other.page(MAIL).text


def test_a_disposal_whose_job_was_cancelled_goes_on_from_its_page(app, desk):
    write_mails(desk, 2)
    path = ask(desk).form_with("Withdraw the request").action.removesuffix("/withdrawal")
    other = desk.browser_of("D3002")
    page = other.press(other.page(path), "Approve the disposal")
    other.press(other.page(page.links["See the job"]), "Cancel this job")

    page = other.page(path)
    assert "0 rows removed so far" in page.text
    page = other.press(page, "Go on with the disposal")
    assert "Go on with the disposal" not in page.html
    aged.run_jobs(app)

    assert "2 rows removed on 1 June 2026." in other.page(path).text


def test_an_auditor_reads_everything_and_changes_nothing(desk):
    write_mails(desk)
    path = ask(desk).form_with("Withdraw the request").action.removesuffix("/withdrawal")
    make_grant(desk.people["D1002"], Role.AUDITOR)
    auditor = desk.browser_of("D1002")

    for address in ("/retention", MAIL, path, "/retention/disposals", "/retention/holds"):
        page = auditor.page(address)
        assert [form.action for form in page.forms() if "sign-out" not in form.action] == []
    for address in ("/retention/requests", f"{path}/approval"):
        assert auditor.open(address, method="POST" if "approval" in address else "GET").status_code in {
            400,
            403,
        }


def test_a_role_for_a_unit_opens_nothing_of_it(desk):
    make_grant(desk.people["D1002"], Role.ADMINISTRATOR, desk.unit)

    assert desk.browser_of("D1002").get("/retention").status_code == 403


def test_a_period_is_set_with_its_reason_and_shown(desk):
    admin = desk.browser_of("D3001")
    page = admin.press(admin.page(MAIL), "Set the period", 400, months="2", period_reason="x")
    assert "Enter a number of months from 3 to 1,200" in page.text

    page = admin.press(page, "Set the period", months="18", period_reason="Disputes take longer here")

    assert "1 year 6 months, set by Priya Shah on 1 June 2026" in page.text
    assert "Disputes take longer here" in admin.page("/retention").text


def test_the_list_makes_as_many_statements_with_twenty_disposals_as_with_two(desk):
    admin = desk.browser_of("D3001")

    def count() -> int:
        with statements() as made:
            admin.page("/retention/disposals")
        return len(made)

    write_mails(desk)
    for number in range(20):
        uuid = aged.request_disposal("mail", desk.people["D3001"])
        with transaction():
            services.withdraw_disposal(uuid, by=desk.people["D3001"], at=clock.now())
        if number == 1:
            first = count()
    assert count() == first
