"""A record is shown to its owner and to those who may see the owner, and to nobody else."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.domain.records.models import Record, Revocation
from portal.platform.db import db, stamp, transaction
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_unit
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.learning.working import learner, take


def a_pass(client) -> Record:
    make_version()
    learner(client)
    take(client, 4)
    return db.session.scalars(select(Record)).one()


def test_the_owner_sees_the_record_with_the_rule_it_was_judged_by(client):
    reference = a_pass(client).reference

    page = client.page(f"/records/{reference}")

    assert page.h1 == "Priya Shah: Protect: law & people"
    assert reference in page.text
    assert "4 of 4 (100%). The pass mark was 75%." in page.text
    assert "Passed in this portal" in page.text
    assert client.page(f"/records/{reference.lower()}").h1 == page.h1


@pytest.mark.parametrize(
    ("role", "same_unit", "status"),
    [
        ("manager", True, 200),
        ("manager", False, 404),
        ("auditor", False, 404),
        ("", True, 404),
        ("author", True, 404),
    ],
)
def test_others_see_it_as_far_as_they_may_see_its_owner(app, client, role, same_unit, status):
    unit, elsewhere = make_unit("Coldmere"), make_unit("Elsewhere")
    make_version()
    make_account("D1001", unit=unit)
    let_in(client)
    take(client, 4)
    reference = db.session.scalars(select(Record.reference)).one()
    other = make_account("D2001", unit=elsewhere)
    if role:
        make_grant(other, role, unit if same_unit else elsewhere)
    browser = another(app)
    let_in(browser, "D2001")

    page = browser.page(f"/records/{reference}", status=status)

    assert (reference in page.text) == (status == 200)


def test_a_reference_that_nobody_bears_is_not_found(client):
    a_pass(client)
    for reference in ("OIC-0000-0000-0", "OIC-0000-0000-1", "nonsense"):
        client.page(f"/records/{reference}", status=404)


def test_a_correction_keeps_the_reference_and_both_are_shown(client):
    record = a_pass(client)
    with transaction():
        at = stamp()
        corrected = datetime(2026, 2, 1, 12, tzinfo=UTC)
        db.session.add(
            Record(
                recorded_at=at,
                replaces_id=record.id,
                person_id=record.person_id,
                activity_id=record.activity_id,
                achieved_at=corrected,
                achieved_on=date(2026, 2, 1),
                source=record.source,
                reference=record.reference,
            )
        )

    page = client.page(f"/records/{record.reference}")

    assert "Passed on 1 February 2026." in page.text
    assert "Corrections" in page.text
    assert "4 of 4" in page.text
    assert client.page("/records").text.count(record.reference) == 2  # in the list and in the timeline


def test_a_revoked_record_says_from_when_it_is_not_counted(client):
    record = a_pass(client)
    with transaction():
        db.session.add(
            Revocation(
                recorded_at=stamp(),
                record_id=record.id,
                from_on=date(2026, 6, 1),
                reason="identity",
                decided_by_id=record.person_id,
            )
        )

    assert "does not count from 1 June 2026" in client.page(f"/records/{record.reference}").text
    assert (
        f"Stopped counting: Protect: law & people, reference {record.reference}"
        in client.page("/records").text
    )
    module = client.page("/learning/modules/protect")
    assert "Your earlier pass no longer counts." in module.text
    client.press(module, "Take this module again")
    assert take(client, 4).h1 == "You passed"


def test_own_records_list_what_is_held_and_what_happened(client):
    make_version()
    learner(client)
    assert "Your passes will appear here" in client.page("/records").text

    take(client, 4)
    page = client.page("/records")

    assert page.h1 == "Your records"
    reference = db.session.scalars(select(Record.reference)).one()
    assert page.links["Protect: law & people"] == f"/records/{reference}"
    assert "Started Protect: law & people, version 1" in page.text
    assert f"Completed Protect: law & people, reference {reference}" in page.text
