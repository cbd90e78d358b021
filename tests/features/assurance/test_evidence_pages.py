"""Pages of evidence and of judgements, as a directive owner and an auditor use them."""

import io
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.factories.catalogue import make_guide
from tests.factories.events import make_event_type
from tests.factories.people import make_person, make_unit
from tests.features.assurance.desk_browsing import (
    AUDITOR,
    LEARNER,
    MANAGER,
    OWNER,
    make_desk_people,
    sign_in_each,
)
from tests.features.assurance.factories import make_recommendation
from tests.pages.account.browsing import let_in

HERE = "/assurance/e-learning"
NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n"
SIGNED = {
    "title": "Checklists are in use",
    "text": "Every unit has the checklist.",
    "post": "Head of Crime",
    "review_on": "1 September 2026",
}


@pytest.fixture
def desk(app, database):
    """The people of the desk on 12 May 2026, one recommendation of 1 May, and everybody's browser."""
    with time_machine.travel(datetime(2026, 5, 1, 9, tzinfo=UTC), tick=False):
        people = make_desk_people()
        recommendation = make_recommendation()
    with time_machine.travel(NOW, tick=False):
        browser_of = sign_in_each(app)
        browser_of.people, browser_of.recommendation = people, recommendation
        yield browser_of


def sign(browser, **fields: str):
    """Sign a statement."""
    form = browser.page(f"{HERE}/evidence/new/statement")
    return browser.press(form, "Save", **{**SIGNED, **fields})


def judge(browser, state: str, **fields: str):
    """Judge how the recommendation stands."""
    form = browser.page(f"{HERE}/judgement/new")
    return browser.press(form, "Send to a second person", state=state, reason="All units have it.", **fields)


def test_a_judgement_is_made_confirmed_and_shown_beside_todays_figures(desk):
    sign(desk(OWNER))
    told = judge(desk(OWNER), "met")
    assert "Somebody else has to confirm it" in told.text
    assert "Not judged" in desk(AUDITOR).page(HERE).text

    waiting = desk(AUDITOR).page(f"{HERE}/judgement")
    assert "Signed as Head of Crime on 12 May 2026" in waiting.text
    desk(AUDITOR).press(waiting, "Confirm it")
    form = desk(OWNER).page(f"{HERE}/evidence/E-0001/withdraw")
    desk(OWNER).press(form, "Withdraw it", reason="Signed too early.")

    page = desk(OWNER).page(f"{HERE}/judgement")
    assert "Signed as Head of Crime on 12 May 2026 Withdrawn" in page.text
    assert "1 piece of evidence now shows something else" in desk(AUDITOR).page(HERE).text
    assert "judgement.confirmed" in list_actions()


def test_a_judgement_is_sent_back_and_withdrawn_by_who_may(desk):
    judge(desk(OWNER), "not_met")
    waiting = desk(AUDITOR).page(f"{HERE}/judgement")
    refused = desk(AUDITOR).press(waiting, "Send back", status=400)
    assert "Enter what has to change" in refused.text
    told = desk(AUDITOR).press(waiting, "Send back", reason="Say which units.")
    assert "Say which units." in told.text
    wants = "Sent back on 12 May 2026: “Say which units.”"
    assert desk(OWNER).page("/desk").links["1 judgement to make again"] == "/assurance/mine"
    mine = desk(OWNER).page("/assurance/mine")
    assert wants in mine.text
    assert wants not in desk(AUDITOR).page("/assurance/mine").text
    assert "was sent back on 12 May 2026: “Say which units.”" in desk(OWNER).page(HERE).text
    anew = desk(OWNER).page(f"{HERE}/judgement/new")
    assert f"{HERE}/judgement/new" in mine.links.values()
    assert "was sent back on 12 May 2026: “Say which units.”" in anew.text
    assert "All units have it." in anew.text

    judge(desk(OWNER), "not_met")
    assert "judgement to make again" not in desk(OWNER).page("/desk").text
    assert "Say which units." not in desk(OWNER).page("/assurance/mine").text
    told = desk(OWNER).press(desk(OWNER).page(f"{HERE}/judgement"), "Withdraw it")
    assert "Withdrawn on 12 May 2026" in told.text
    assert "There is no evidence on this day" in refuse_judgement(desk(OWNER)).text


def refuse_judgement(browser):
    """Judge it met without any evidence."""
    form = browser.page(f"{HERE}/judgement/new")
    return browser.press(form, "Send to a second person", status=400, state="met", reason="It is.")


def test_figures_are_added_with_a_threshold_changed_and_read_at_a_date(desk):
    make_person(make_unit("Response"), rank="Sergeant")
    make_guide("toolkit")
    form = desk(OWNER).page(f"{HERE}/evidence/new/acknowledgements")
    refused = desk(OWNER).press(form, "Save", status=400, title="Read", guide="toolkit", threshold="most")
    assert "Enter a percentage from 1 to 100" in refused.text
    fields = {"guide": "toolkit", "threshold": "95", "from_on": "4 May 2026", "unit": "Response"}
    told = desk(OWNER).press(form, "Save", title="The toolkit is read", **fields)
    assert "E-0001 is added." in told.text
    assert "Needs attention" in told.text

    page = desk(AUDITOR).page(f"{HERE}/evidence/E-0001")
    assert "0 of 1 person acknowledged it (0%)" in page.text
    assert "0% is below the threshold of 95%." in page.text
    assert "Change or withdraw it" not in page.text
    form = desk(OWNER).page(f"{HERE}/evidence/E-0001/change")
    chosen = {"guide": "toolkit", "unit": "Response", "threshold": "90.5"}
    told = desk(OWNER).press(form, "Save", reason="Agreed at the board.", **chosen)
    assert "At least 90.5%." in told.text
    then = desk(AUDITOR).page(f"{HERE}/evidence/E-0001?as_at=2026-05-05")
    assert "At least 95%." in then.text
    assert "Change or withdraw it" not in desk(OWNER).page(f"{HERE}/evidence/E-0001?as_at=2026-05-05").text
    early = desk(AUDITOR).page(f"{HERE}/evidence/E-0001?as_at=2026-05-03", status=400)
    assert "E-0001 was not there yet on 3 May 2026. Enter a later date." in early.text
    assert early.form_with("Show position").fields["as_at"] == ["2026-05-03"]
    unknown = desk(AUDITOR).page(
        f"{HERE}/evidence/E-0001?as_at=2026-05-05&as_known_on=2026-05-05", status=400
    )
    assert "E-0001 was not in the portal yet at the end of that day" in unknown.text
    desk(AUDITOR).page(f"{HERE}/evidence/E-0099?as_at=2026-05-03", status=404)
    for path in ("", "/history", "/judgement", "/narrative", "/evidence/E-0001"):
        page = desk(AUDITOR).page(f"{HERE}{path}?as_known_on=2026-03-01", status=400)
        assert "This recommendation was not in the portal yet at the end of 1 March 2026" in page.text


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("attendance", {"event_type": "oic-hydra", "threshold": "50"}),
        ("samples", {"measure": "complete", "months": "3", "threshold": "80"}),
        ("link", {"address": "https://www.police.example/plan"}),
    ],
)
def test_each_kind_has_a_form_and_a_page(desk, kind, fields):
    make_event_type()
    form = desk(OWNER).page(f"{HERE}/evidence/new/{kind}")

    desk(OWNER).press(form, "Save", title="It is so", **fields)

    desk(AUDITOR).page(f"{HERE}/evidence/E-0001")
    form = desk(OWNER).page(f"{HERE}/evidence/E-0001/change")
    again = desk(OWNER).press(form, "Save", **fields, title="It is still so", reason="Words.")
    assert "It is still so" in again.text


def test_a_document_is_kept_and_downloaded_as_a_file(desk):
    form = desk(OWNER).page(f"{HERE}/evidence/new/document")
    fields = {"title": "The plan", "review_on": "1 September 2026"}
    refused = desk(OWNER).press(form, "Save", status=400, file=(io.BytesIO(b"MZ"), "a.pdf"), **fields)
    assert "This file is none" in refused.text
    assert "Choose a PDF file." in desk(OWNER).press(form, "Save", status=400, **fields).text
    desk(OWNER).press(form, "Save", file=(io.BytesIO(PDF), "plan.pdf"), **fields)

    page = desk(AUDITOR).page(f"{HERE}/evidence/E-0001")
    address = page.links["Download the document (PDF)"]
    got = desk(AUDITOR).get(address)

    assert (got.status_code, got.data) == (200, PDF)
    assert got.headers["Content-Disposition"] == "attachment; filename=plan.pdf"
    assert "evidence.downloaded" in list_actions()
    assert desk(MANAGER).get(address).status_code == 403
    assert desk(LEARNER).get(address).status_code == 403


def test_a_statement_is_refused_without_a_review_date(desk):
    form = desk(OWNER).page(f"{HERE}/evidence/new/statement")

    refused = desk(OWNER).press(form, "Save", status=400, **{**SIGNED, "review_on": ""})

    assert "nothing else tells when this is out of date" in refused.text


def test_what_no_longer_holds_is_on_its_owners_list(desk):
    sign(desk(OWNER), owner=MANAGER, review_on="13 May 2026")
    assert "Its review was due" not in desk(MANAGER).page("/assurance/mine").text

    with time_machine.travel(datetime(2026, 5, 14, 9, tzinfo=UTC), tick=False):
        let_in(desk(MANAGER), MANAGER)
        page = desk(MANAGER).page("/assurance/mine")

    assert "Its review was due on 13 May 2026." in page.text
    assert "Checklists are in use" not in page.links  # a manager does not see the desk


def test_only_who_manages_the_desk_adds_evidence_and_judges(desk):
    for path in ("evidence/new", "evidence/new/link", "evidence/new/statement", "judgement/new"):
        desk(AUDITOR).page(f"{HERE}/{path}", status=403)
    desk(MANAGER).page(f"{HERE}/judgement", status=403)
    desk(OWNER).page(f"{HERE}/evidence/E-0009", status=404)
    assert "Add evidence" not in desk(AUDITOR).page(HERE).text
    kinds = desk(OWNER).page(f"{HERE}/evidence/new")
    assert "Signed statement" in kinds.links


def list_actions() -> set[str]:
    """The actions of the audit trail."""
    return set(db.session.scalars(select(AuditEvent.action)))
