"""The audit desk: who did what, on whom, from where, with which outcome; filtered, paged, and logged."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.platform.audit import AuditEvent, Channel, Origin, log, originating_from
from portal.platform.db import db, transaction
from tests.domain.imports.rosters import run
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in, sign_in
from tests.pages.audit.desk import DESK, act, force, sentences, table
from tests.pages.monitoring.counting import statements

__all__ = ["force"]


@pytest.fixture
def auditor(client: PortalClient, force: dict[str, int]) -> PortalClient:
    """The browser of D6001, who reads the whole trail."""
    let_in(client, "D6001")
    return client


def test_an_act_is_read_with_who_on_whom_from_where_and_outcome(client, force):
    let_in(client, "D9001")
    page = client.page("/people/D1001/account")
    client.press(page, "Grant role", role="auditor", unit="", until="31 March 2027")

    row = table(client.page(f"{DESK}?group=accounts"))[0]

    assert row[1].startswith("Gave the role Auditor, until 31 March 2027")
    assert row[2:] == ["Priya Shah D9001", "Priya Shah D1001", "127.0.0.1", "Done"]


def test_refusals_say_so_and_all_acts_of_one_request_are_found_by_its_id(app, auditor, force):
    other = another(app)
    sign_in(other, "D1001", password="not the one at all")
    let_in(other, "D1001")
    answer = other.get(DESK)

    refused = table(auditor.page(f"{DESK}?outcome=refused"))
    of_request = sentences(auditor.page(f"{DESK}?request={answer.headers['X-Request-ID']}"))

    assert answer.status_code == 403
    assert [(row[1].split(" Details")[0], row[2], row[5]) for row in refused] == [
        ("Was refused a page: audit.list_acts", "Priya Shah D1001", "Refused"),
        ("Sign-in failed", "Somebody not signed in", "Refused"),
    ]
    assert of_request == ["Was refused a page: audit.list_acts"]


def test_commands_tokens_and_jobs_are_named(app, auditor, force, monkeypatch):
    monkeypatch.setattr("portal.commands.release.login_name", lambda: "asmith")
    run(app, "people", "grant", "D1001", "publisher")
    with originating_from(Origin(Channel.PAGE, address="192.0.2.7")), transaction():
        log("completions.exported", actor_id=None, token="Power BI", directive="OIC-2026")
    with originating_from(Origin(Channel.JOB, "reminders")):
        act("reminders.planned", day="2026-04-30", letters=2)

    rows = table(auditor.page(f"{DESK}?since=2020-01-01"))

    assert {"Command people grant (asmith)", "Access token Power BI", "The portal itself (reminders)"} <= {
        row[2] for row in rows
    }
    assert sentences(auditor.page(f"{DESK}?channel=token")) == ["Downloaded the completions of OIC-2026"]


def test_each_filter_finds_its_acts_and_no_others(app, auditor, force):
    with time_machine.travel(datetime(2026, 4, 30, 22, 59, 59, tzinfo=UTC), tick=False):
        act("account.closed", force["D9001"], force["D1001"])
    with time_machine.travel(datetime(2026, 4, 30, 23, 0, tzinfo=UTC), tick=False):  # 1 May in London
        act("draft.opened", force["D2001"], module="protect")
        with originating_from(Origin(Channel.PAGE, address="2001:db8::7")):
            act("access.refused", force["D2001"], endpoint="jobs.list_jobs")
    closed, opened = "Closed the account", "Opened a draft of protect"
    refused = "Was refused a page: jobs.list_jobs"
    period = "since=30+April+2026&until=2026-05-01"
    expected = {
        period: [refused, opened, closed],
        "since=2026-04-30&until=2026-04-30": [closed],
        "since=2026-05-01&until=2026-05-01": [refused, opened],
        f"{period}&by=D2001": [refused, opened],
        f"{period}&about=D1001": [closed],
        f"{period}&group=content": [opened],
        f"{period}&group=alerts&by=D2001": [refused],
        f"{period}&outcome=refused": [refused],
        f"{period}&outcome=done": [opened, closed],
        "address=2001:DB8:0::7": [refused],
    }

    assert {query: sentences(auditor.page(f"{DESK}?{query}")) for query in expected} == expected


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=someday", "Enter a date, such as 30 April 2026."),
        ("since=2026-05-02&until=2026-05-01", "The last day must not be before the first one."),
        ("by=D7777", "Nobody you can see has this staff number."),
        ("group=secrets", "“secrets” is not a known kind of act."),
        ("address=10.1", "Enter an address, such as 10.1.2.3."),
        ("address=fe80::1%25any+text", "Enter an address, such as 10.1.2.3."),
        ("request=x%20y", "Enter an id as an entry shows it."),
        ("before=-1", "This is not a place in the list."),
        ("before=99999999999999999999-0", "This is not a place in the list."),
    ],
    ids=["day", "order", "by", "group", "address", "zone", "request", "place", "far-place"],
)
def test_what_a_filter_does_not_know_is_refused_with_a_sentence(auditor, query, sentence):
    page = auditor.page(f"{DESK}?{query}", 400)

    assert sentence in page.text
    assert page.title.startswith("Error: ")


def test_reading_is_logged_once_for_one_view_with_its_filter(auditor, force):
    for path in (DESK, DESK, f"{DESK}?group=accounts", f"{DESK}?about=D1001", "/audit/people/D1001"):
        auditor.page(path)

    views = db.session.execute(
        select(AuditEvent.subject_id, AuditEvent.detail).where(AuditEvent.action == "audit.viewed")
    ).all()

    d1001 = force["D1001"]
    assert views == [
        (None, {}), (None, {"group": "accounts"}), (d1001, {}), (d1001, {"page": "disclosures"})
    ]  # fmt: skip


def test_pages_go_on_where_the_last_one_ended_though_acts_are_added(auditor):
    for number in range(60):
        act("module.published", module=f"m{number}", number=1)
    page = auditor.page(f"{DESK}?group=content")
    read = sentences(page)
    while "Older" in page.links:
        act("module.published", module="late", number=1)
        page = auditor.page(page.links["Older"])
        read += sentences(page)

    assert read == [f"Published version 1 of module m{number}" for number in reversed(range(60))]
    assert page.links["Newest"] == f"{DESK}?group=content"


@pytest.mark.parametrize("query", ["group=content", "by=D2001"], ids=["group", "person"])
def test_acts_of_one_instant_are_paged_too(auditor, force, query):
    with time_machine.travel(datetime(2026, 4, 30, 9, tzinfo=UTC), tick=False):
        for number in range(60):
            act("draft.opened", force["D2001"], module=f"m{number}")
    page = auditor.page(f"{DESK}?{query}")
    read = sentences(page)
    while "Older" in page.links:
        page = auditor.page(page.links["Older"])
        read += sentences(page)

    assert read == [f"Opened a draft of m{number}" for number in reversed(range(60))]


def test_the_hour_that_comes_twice_is_told_apart(auditor):
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for moment in (first, first + timedelta(hours=1)):
        with time_machine.travel(moment, tick=False):
            act("module.published", module="protect", number=1)

    rows = table(auditor.page(f"{DESK}?group=content&since=2026-10-25&until=2026-10-25"))

    assert [row[0] for row in rows] == ["01:30 GMT 25 October 2026", "01:30 25 October 2026"]
    assert "01:30:00 GMT on 25 October 2026" in rows[0][1]
    assert "01:30:00 BST on 25 October 2026" in rows[1][1]


def test_a_list_of_many_asks_as_many_statements_as_one_of_few(app, auditor, force):
    def count(path: str) -> int:
        auditor.get(path)
        with statements() as run_here:
            auditor.get(path)
        return len(run_here)

    for module in ("one", "two"):
        act("draft.opened", force["D1001"], force["D2001"], module=module)
    few = count(f"{DESK}?group=content")
    for number in range(23):
        act("draft.opened", force["D6002"], force["D9001"], module=f"m{number}")

    assert count(f"{DESK}?group=content") == few


def test_the_file_has_the_same_acts_harmless_cells_and_an_entry_of_its_own(auditor, force):
    act("draft.opened", force["D1001"], module="=cmd|' /C calc'!A0")
    auditor.page(f"{DESK}?group=content")
    answer = auditor.get("/audit/acts.csv?group=content")

    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    entry = sentences(auditor.page(f"{DESK}?group=audit"))[1]

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [(row["action"], row["who_staff_number"], row["outcome"]) for row in rows] == [
        ("draft.opened", "D1001", "done")
    ]
    assert rows[0]["what"] == "Opened a draft of =cmd|' /C calc'!A0"
    assert rows[0]["happened_at"].endswith("Z")
    assert entry == "Downloaded the audit trail, 1 row, 1 person"


def test_details_of_another_release_break_no_page(auditor, force):
    act("role.granted", force["D9001"], force["D1001"], role="king", until="soon", about="x", unit_id=None)
    act("of.another_release", asked_by=[1], people="many", page=7)

    assert sentences(auditor.page(f"{DESK}?by=D9001")) == ["Gave the role king, until soon"]
    assert "of.another_release" in sentences(auditor.page(DESK))


def test_an_unknown_filter_makes_no_file(auditor):
    answer = auditor.get("/audit/acts.csv?by=D7777&since=1990")

    assert answer.status_code == 400
    assert db.session.scalar(select(AuditEvent.id).where(AuditEvent.action == "audit.exported")) is None
