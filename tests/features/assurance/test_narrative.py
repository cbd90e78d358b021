"""The page of a narrative: written with a preview, refused with its line, filled for any date."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.features.assurance.models import Narrative
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.features.assurance.desk_browsing import (
    AUDITOR,
    LEARNER,
    MANAGER,
    OWNER,
    make_desk_people,
    sign_in_each,
)
from tests.features.assurance.factories import make_action, make_evidence, make_judgement, make_recommendation
from tests.pages.account.browsing import let_in

PATH = "/assurance/e-learning/narrative"
NOON = datetime(2026, 5, 12, 11, tzinfo=UTC)
STATEMENT = {"text": "Every team was briefed.", "post": "Head of Crime"}


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as travelling:
        yield travelling


@pytest.fixture
def desk(app, database, clock):
    people = make_desk_people()
    recommendation = make_recommendation()
    make_evidence(recommendation, "statement", STATEMENT, by=people[OWNER], on=date(2026, 4, 1))
    make_action(recommendation, by=people[OWNER], due_on=date(2026, 6, 30))
    make_judgement(recommendation, "partly_met", by=people[OWNER], confirmed_by=people[AUDITOR])
    browser_of = sign_in_each(app)
    browser_of(OWNER)
    browser_of(AUDITOR)
    return browser_of


def narratives():
    return list(db.session.scalars(select(Narrative).order_by(Narrative.id)))


def test_an_owner_previews_and_saves_what_an_auditor_reads_filled(desk):
    page = desk(OWNER).page(PATH)
    text = "## Where we are\n\nWe have **{{state}}** it. {{evidence:E-0001}}. {{action:A-0001}}."
    assert "{{evidence:E-0001}}" in page.text
    assert "Signed as Head of Crime on 1 April 2026" in page.text

    preview = desk(OWNER).press(page, "Preview", text=text, preview="Preview")

    assert "How it would read today" in preview.text
    assert "We have partly met it. Signed as Head of Crime on 1 April 2026." in preview.text
    assert narratives() == []
    saved = desk(OWNER).press(preview, "Save", text=text)
    assert "The narrative was saved." in saved.text
    read = desk(AUDITOR).page(PATH)
    assert "We have partly met it." in read.text
    assert "not started, due on 30 June 2026." in read.text
    assert "Save" not in [button for form in read.forms() for button in form.buttons]
    assert read.text.count("From 12 May 2026, written ") == 1
    [event] = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "narrative.written"))
    assert event.detail == {"recommendation": "e-learning", "from_on": "2026-05-12"}


def test_a_version_entered_late_holds_on_its_day_but_was_not_known_then(desk, clock):
    page = desk(OWNER).page(PATH)
    desk(OWNER).press(page, "Save", text="We had begun.", from_on="30 April 2026")
    clock.shift(24 * 3600)
    for number in (OWNER, AUDITOR):
        let_in(desk(number), number)
    page = desk(OWNER).page(PATH)
    desk(OWNER).press(page, "Save", text="We have gone on.", from_on="12 May 2026")

    as_known_now = desk(AUDITOR).page(f"{PATH}?as_at=2026-05-01")
    as_known_then = desk(AUDITOR).page(f"{PATH}?as_at=2026-05-12&as_known_on=2026-05-12")

    assert "We had begun." in as_known_now.text
    assert "We have gone on." not in as_known_now.text
    assert "Show today" in as_known_then.links
    assert "We have gone on." not in as_known_then.text
    assert "Write the next version" not in desk(OWNER).page(f"{PATH}?as_at=2026-05-01").text
    assert "We have gone on." in desk(AUDITOR).page(PATH).text


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"text": "One\n\n{{evidence:E-0009}}"}, "Line 3: there is no field {{evidence:E-0009}}"),
        ({"text": "[here](/people)"}, "leads nowhere"),
        ({"text": ""}, "Write the answer in words"),
        ({"text": "x", "from_on": "13 May 2026"}, "Enter today’s date or an earlier one"),
        ({"text": "x", "from_on": "31 December 1899"}, "Choose 1 January 1900 or a later date"),
        ({"text": "x", "from_on": "soon"}, "Enter a date"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(desk, sent, sentence):
    page = desk(OWNER).page(PATH)

    refused = desk(OWNER).press(page, "Save", 400, **sent)

    assert refused.html.count("govuk-error-message")
    assert sentence in refused.text
    assert narratives() == []


def test_who_may_not_see_or_manage_the_desk_is_refused(desk):
    for number in (MANAGER, LEARNER):
        desk(number).page(PATH, 403)
    token = desk(AUDITOR).page(PATH).forms()[0].fields["csrf_token"]
    assert desk(AUDITOR).post(PATH, data={"csrf_token": token, "text": "x"}).status_code == 403
    assert narratives() == []
    desk(OWNER).page("/assurance/nothing/narrative", 404)
    desk(OWNER).page(f"{PATH}?as_at=2027-01-01", 400)
