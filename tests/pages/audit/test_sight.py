"""A reader for a unit sees acts by and on people they may see; nothing else leaks, not even by a filter."""

import pytest
from sqlalchemy import select

from portal.platform import clock
from portal.platform.audit import AuditEvent, Channel, Origin, log_file, originating_from
from portal.platform.db import db, transaction
from tests.page_reading import mask_tokens
from tests.pages.account.browsing import let_in
from tests.pages.audit.desk import DESK, act, force, sentences, table

__all__ = ["force"]
HIDDEN = "Somebody outside your units"


@pytest.fixture
def reader(client, force):
    """The browser of D6002, who reads the north's trail."""
    let_in(client, "D6002")
    return client


def test_acts_by_and_on_seen_people_are_listed_and_others_are_not(reader, force):
    act("draft.opened", force["D1001"], module="by-seen")
    act("draft.opened", force["D2001"], module="by-unseen")
    act("module.published", module="by-a-command", number=1)
    act("role.granted", force["D2001"], force["D1001"], role="author", unit_id=None)
    act("role.revoked", force["D1001"], force["D2001"], role="author", unit_id=None)

    rows = table(reader.page(f"{DESK}?since=2020-01-01"))[1:]  # the first is this look

    seen = "Priya Shah D1001"
    assert [(row[1].split(" Details")[0], row[2], row[3]) for row in rows[:3]] == [
        ("Ended the role Author", seen, HIDDEN),
        ("Gave the role Author", HIDDEN, seen),
        ("Opened a draft of by-seen", seen, ""),
    ]
    assert {row[2] for row in rows[3:]} <= {
        "Priya Shah D6002",
        "A command, or somebody not signed in",
    }  # how they came in
    assert "D2001" not in reader.get(DESK).get_data(as_text=True)


def test_nothing_that_is_out_of_sight_changes_a_page_a_link_or_an_address(reader, force, time_machine):
    time_machine.move_to(clock.now(), tick=False)  # pages say how long a sign-in lasts
    with originating_from(Origin(Channel.PAGE, address="192.0.2.7", request_id="seen-request")):
        for number in range(30):
            act("draft.opened", force["D1001"], module=f"m{number}")
    paths = (f"{DESK}?group=content", f"{DESK}?by=D1001", f"{DESK}?group=jobs", f"{DESK}?outcome=refused")
    paths += (f"{DESK}?address=192.0.2.7", "/audit/people/D1001", f"{DESK}?request=seen-request")
    for path in paths:
        reader.get(path)
    before = {path: mask_tokens(reader.get(path).get_data(as_text=True)) for path in paths}
    with originating_from(Origin(Channel.PAGE, address="192.0.2.7", request_id="seen-request")):
        for action in (
            "draft.opened",
            "access.refused",
            "job.asked",
            "person.viewed",
            "alert.many_failed_sign_ins",
        ):
            act(action, force["D2001"], force["D2001"], module="x")
        with transaction():
            log_file("completions.exported", [force["D2001"]], actor_id=force["D2001"], directive="OIC-2026")

    assert {path: mask_tokens(reader.get(path).get_data(as_text=True)) for path in paths} == before


@pytest.mark.parametrize("name", ["by", "about"])
def test_a_filter_answers_for_unseen_people_as_for_numbers_that_nobody_has(reader, name):
    unseen, unknown = reader.page(f"{DESK}?{name}=D2001", 400), reader.page(f"{DESK}?{name}=D7777", 400)

    assert unseen.text.replace("D2001", "D7777") == unknown.text


def test_where_an_unseen_person_was_is_neither_shown_nor_found(reader, force):
    with originating_from(Origin(Channel.PAGE, address="198.51.100.9", request_id="unseen-request")):
        act("account.closed", force["D2001"], force["D1001"])

    page = reader.page(f"{DESK}?group=accounts")

    assert sentences(page)[0] == "Closed the account"
    assert "198.51.100.9" not in page.html
    assert "unseen-request" not in page.html
    for query in ("address=198.51.100.9", "request=unseen-request", "channel=page&group=accounts"):
        assert sentences(reader.page(f"{DESK}?{query}")) == []


def test_a_failed_sign_in_of_a_seen_person_shows_from_where(reader, force):
    with originating_from(Origin(Channel.PAGE, address="203.0.113.5")):
        act("account.refused", None, force["D1001"])
        act("account.refused", None, force["D2001"])
        act("account.refused")

    rows = table(reader.page(f"{DESK}?address=203.0.113.5"))

    assert [row[2:5] for row in rows] == [["Somebody not signed in", "Priya Shah D1001", "203.0.113.5"]]


def test_the_file_holds_what_the_page_shows(reader, force):
    act("draft.opened", force["D2001"], module="unseen")
    act("role.granted", force["D2001"], force["D1001"], role="author", unit_id=None)

    text = reader.get("/audit/acts.csv").get_data(as_text=True)
    people = db.session.scalars(select(AuditEvent.detail).where(AuditEvent.action == "audit.exported")).one()

    assert "Gave the role Author" in text
    assert HIDDEN in text
    assert "D2001" not in text
    assert "unseen" not in text
    assert people["people"] == 2  # D1001 and the reader, whose sign-in it holds


def test_disclosures_of_unseen_people_are_not_there(reader):
    assert reader.get("/audit/people/D2001").status_code == 404
    assert reader.get("/audit/people/D7777").status_code == 404


@pytest.mark.parametrize("number", ["D1001", "D2001"])
def test_who_holds_no_role_of_the_desk_reads_nothing(client, force, number):
    let_in(client, number)

    assert {
        client.get(path).status_code for path in (DESK, "/audit/acts.csv", f"/audit/people/{number}")
    } == {403}
