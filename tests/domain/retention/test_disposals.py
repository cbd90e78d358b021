"""A disposal removes exactly what its class and day cover, and what was earned stays byte for byte."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from migrations.append_only import FACT_TABLES
from portal.domain.accounts.models import Credential, KnownBrowser, LastSignIn
from portal.domain.cases import CaseCopy, CaseRun, count_unread_copies
from portal.domain.decisions.models import DecidedAlreadyError, SecondPersonError
from portal.domain.people.models import FactNote, PersonName, Post
from portal.domain.reminders.models import Message
from portal.domain.retention import queries, services, stores
from portal.domain.retention.classes import (
    ACCESS_ACTIONS,
    class_of_key,
    list_retention_classes,
    newest_due_day,
)
from portal.domain.retention.errors import NothingDueError, UnderWayError
from portal.domain.retention.models import DisposalSlice
from portal.domain.retention.queries import preview_class, stores_of
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import OPEN_END, db, stamp, transaction
from portal.platform.errors import RuleError
from portal.platform.jobs.models import Job
from portal.platform.jobs.services import retry_job
from tests.domain.retention import aged
from tests.domain.retention.aged import SECRET, approve, dispose, request_disposal, run_jobs
from tests.examples import sweep_after
from tests.pages.decisions.desk import TODAY, Desk

# The trail may grow, and classes of their own may shorten it and what became of bookings.
OUTSIDE = {"stamp", "audit_event", "file_people", "booking_change", "register_entry"}
ONE_DAY = timedelta(days=1)
SWEPT = ("texts", "clarity", "requests", "access")  # holds on a person are tried on these in sweeps


def newest_due(key: str) -> date:
    return newest_due_day(class_of_key(key).months, TODAY)


def write_rows(desk: Desk, day: date) -> None:
    """Rows of every class but leavers, at noon of a day."""
    at = clock.noon(day)
    person, manager = desk.people["D1001"], desk.people["D2001"]
    with transaction():
        aged.write_texts(person, manager, at)
        aged.write_request(person, manager, at)
        aged.write_traces(person, manager, at)
        aged.write_place(person, manager, at)


def facts() -> dict[str, list[tuple]]:
    """Every row of every fact but the audit trail and retention's own."""
    tables = [t for t in db.metadata.sorted_tables if t.name in FACT_TABLES and t.name not in OUTSIDE]
    own = ("retention_", "disposal_", "legal_hold", "data_")
    return {
        t.name: [tuple(row) for row in db.session.execute(select(t).order_by(*t.primary_key))]
        for t in tables
        if not t.name.startswith(own)
    }


def files(desk: Desk) -> list[bytes]:
    """The completion files as at several dates, as known now and earlier."""
    client = desk.browser_of("D2001")
    address = "/monitoring/directives/OIC-2026/completions"
    days = ("2026-06-01", "2026-05-01", "2026-04-01", "2026-01-15")
    answers = [client.get(f"{address}.{form}?as_at={day}") for day in days for form in ("csv", "json")]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.data for answer in answers]


OTHERS = [row.key for row in list_retention_classes() if row.key != "leavers"]


@pytest.mark.parametrize("key", sweep_after(4, *OTHERS))  # all of them in one go below
def test_what_is_due_goes_what_is_not_stays_and_nothing_earned_changes(app, desk, key):
    write_rows(desk, newest_due(key))
    earned = facts()
    preview = preview_class(key, class_of_key(key).months, TODAY)
    assert (preview.rows > 0, preview.held, preview.oldest_on) == (True, 0, newest_due(key))

    row = dispose(app, key, desk.people["D3001"], desk.people["D3002"])

    assert (row.state, row.rows, row.disposed_rows, row.held_rows) == ("done", preview.rows, preview.rows, 0)
    assert row.counts == {store.name: store.rows for store in preview.stores if store.rows}
    assert preview_class(key, class_of_key(key).months, TODAY).rows == 0
    assert facts() == earned


@pytest.mark.parametrize("key", OTHERS)
def test_on_the_last_day_of_the_period_nothing_is_due(desk, key):
    write_rows(desk, newest_due(key) + ONE_DAY)

    assert preview_class(key, class_of_key(key).months, TODAY).rows == 0
    with pytest.raises(NothingDueError), transaction():
        services.ask_disposal(key, "Now", by=desk.people["D3001"], at=clock.now())


def test_after_every_disposal_texts_are_gone_and_files_of_completions_are_the_same_bytes(app, desk):
    write_rows(desk, date(2015, 1, 1))
    earned, before = facts(), files(desk)
    for key in OTHERS:
        assert dispose(app, key, desk.people["D3001"], desk.people["D3002"]).disposed_rows

    left = db.session.execute(select(FactNote.kind).where(FactNote.text == SECRET)).all()
    assert left == [("evidence",)]
    assert aged.dump_database().count(SECRET) == 1
    assert (facts(), files(desk)) == (earned, before)


def test_a_copy_whose_text_is_gone_waits_for_nobody(app, desk):
    manager, at = desk.people["D2001"], clock.noon(date(2015, 1, 1))
    with transaction():
        aged.write_texts(desk.people["D1001"], manager, at)
        run = db.session.scalars(select(CaseRun.id)).one()
        aged.note(aged.keep(CaseCopy(recorded_at=at, run_id=run, manager_id=manager)), "answer-1")
    assert count_unread_copies(manager) == 1

    dispose(app, "copies", desk.people["D3001"], desk.people["D3002"])

    assert count_unread_copies(manager) == 0


def test_accounts_of_leavers_go_and_names_stay_whoever_came_back_keeps_all(app, desk):
    last = newest_due("leavers")
    gone, closed = aged.make_leaver(last, "L1"), aged.make_leaver(last, "L2", closed=True)
    later, back = aged.make_leaver(last + ONE_DAY, "L3"), aged.make_leaver(last, "L4")
    with transaction():
        unit = aged.make_person(desk.unit, staff_number="L5", until=last)  # had no account
        aged.keep(_post_again(back, desk.unit))
    before = files(desk)

    row = dispose(app, "leavers", desk.people["D3001"], desk.people["D3002"])

    assert (row.disposed_rows, unit > 0) == (2, True)
    assert set(db.session.scalars(select(LastSignIn.person_id))) >= {later, back}
    assert not {gone, closed} & set(db.session.scalars(select(KnownBrowser.person_id)))
    left = {
        c.person_id: (c.password_hash, c.closed_at is None) for c in db.session.scalars(select(Credential))
    }
    assert (left[closed], left[later][0], left[back][0]) == ((None, False), "x", "x")
    assert gone not in left
    assert {"L1", "L2", "L3", "L4"} <= set(db.session.scalars(select(PersonName.staff_number)))
    assert files(desk) == before


def _post_again(person: int, unit: int):
    return Post(
        recorded_at=stamp(),
        person_id=person,
        post_key="",
        rank_or_grade="Constable",
        designated_role="response",
        unit_id=unit,
        valid_from=TODAY,
        valid_to=OPEN_END,
    )


@pytest.mark.parametrize("key", ["access", "audit"])
def test_the_database_lets_go_of_the_trail_for_a_granted_disposal_alone(desk, key):
    write_rows(desk, newest_due(key))
    write_rows(desk, newest_due(key) + ONE_DAY)
    asker, approver = desk.people["D3001"], desk.people["D3002"]
    is_access = AuditEvent.action.in_(ACCESS_ACTIONS)
    of_class = is_access if key == "access" else ~is_access
    limit = clock.end_of_day(newest_due(key))
    uuid = request_disposal(key, asker)
    db.session.execute(text("DELETE FROM notice_line"))
    assert refuses(AuditEvent.happened_at <= limit, of_class)  # asked for, not granted
    approve(uuid, approver)

    assert refuses(AuditEvent.happened_at > limit, of_class)
    assert refuses(AuditEvent.happened_at <= limit, ~of_class)
    with pytest.raises(DBAPIError, match="append-only"), db.session.begin_nested():
        db.session.execute(update(AuditEvent).where(of_class).values(action="x"))
    assert not refuses(AuditEvent.happened_at <= limit, of_class)


def refuses(*conditions) -> bool:
    """Whether the database refuses to delete the entries, of which there are some; nothing is deleted."""
    ids = db.session.scalars(select(AuditEvent.id).where(*conditions)).all()
    assert ids
    refusal = ""
    nested = db.session.begin_nested()
    try:
        stores_of("audit")[0].remove(ids)
    except DBAPIError as error:
        refusal = str(error)
    nested.rollback()
    assert not refusal or "append-only" in refusal
    return bool(refusal)


def test_a_second_person_approves_and_once(desk):
    write_rows(desk, date(2015, 1, 1))
    asker, approver = desk.people["D3001"], desk.people["D3002"]
    uuid = request_disposal("mail", asker)

    with pytest.raises(SecondPersonError):
        approve(uuid, asker)
    with pytest.raises(UnderWayError):
        request_disposal("mail", approver)
    assert db.session.scalars(select(Job)).all() == []
    approve(uuid, approver)
    with pytest.raises(DecidedAlreadyError):
        approve(uuid, approver)

    assert len(db.session.scalars(select(Job)).all()) == 1


def test_refused_and_withdrawn_disposals_remove_nothing_and_can_be_asked_for_again(app, desk):
    write_rows(desk, date(2015, 1, 1))
    asker, other = desk.people["D3001"], desk.people["D3002"]
    with transaction():
        services.refuse_disposal(request_disposal("mail", asker), "Not yet", by=other, at=clock.now())
    with transaction():
        services.withdraw_disposal(request_disposal("mail", asker), by=asker, at=clock.now())
    run_jobs(app)

    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    assert request_disposal("mail", other)


def test_a_disposal_that_is_cut_off_goes_on_and_its_certificate_counts_everything(app, desk, monkeypatch):
    for days in range(5):
        write_rows(desk, date(2015, 1, 1) + timedelta(days=days))
    monkeypatch.setattr(services, "SLICE", 2)
    uuid = request_disposal("mail", desk.people["D3001"])
    approve(uuid, desk.people["D3002"])
    slices = iter([True, False])
    remove = services._remove_slice

    def remove_once(*arguments):
        if not next(slices):
            raise RuleError("The power is cut.")
        return remove(*arguments)

    monkeypatch.setattr(services, "_remove_slice", remove_once)
    run_jobs(app)
    assert queries.get_disposal(uuid).state == "running"
    assert preview_class("mail", 12, TODAY).rows == 3
    monkeypatch.setattr(services, "_remove_slice", remove)
    with transaction():
        retry_job(db.session.scalars(select(Job.reference)).one(), by=None, at=clock.now())
    run_jobs(app)

    row = queries.get_disposal(uuid)
    assert (row.state, row.disposed_rows, row.counts) == ("done", 5, {"emails": 5})
    assert [step.counts for step in db.session.scalars(select(DisposalSlice))] == [
        {"emails": 2}, {"emails": 2}, {"emails": 1},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        *((stores.PERSON, key) for key in ("copies", "audit", "mail")),
        *((stores.UNIT, "mail"), (stores.CLASS, "imports")),
        *(pytest.param(stores.PERSON, key, marks=pytest.mark.sweep) for key in SWEPT),
        pytest.param(stores.CLASS, "audit", marks=pytest.mark.sweep),
    ],
)
def test_a_hold_keeps_what_it_covers_and_the_certificate_says_how_much(app, desk, scope, key):
    write_rows(desk, date(2015, 1, 1))
    other_unit = aged.make_unit("Elsewhere")
    desk.people["D1001"], kept = aged.make_person(other_unit, staff_number="F1"), desk.people["D1001"]
    desk.people["D2001"] = aged.make_person(other_unit, staff_number="F2")
    write_rows(desk, date(2015, 1, 2))
    subject = {stores.PERSON: kept, stores.UNIT: desk.unit, stores.CLASS: key}[scope]
    uuid = request_disposal(key, desk.people["D3001"])
    approve(uuid, desk.people["D3002"])
    with transaction():  # after the approval: it counts all the same
        hold = stores.place_hold(scope, subject, "Case 7", by=desk.people["D3001"], at=clock.now())
    run_jobs(app)

    row = queries.get_disposal(uuid)
    files_kept = key == "audit" and scope != stores.CLASS  # whom a file held is packed: all files stay
    assert row.held_rows
    assert (row.disposed_rows or 0) + row.held_rows == row.rows
    assert (row.disposed_rows == 0) == (scope == stores.CLASS)
    if scope != stores.CLASS:
        assert row.disposed_rows == row.rows // 2 - files_kept

    with transaction():
        stores.lift_hold(hold, "Case 7 is over", by=desk.people["D3002"], at=clock.now())
    again = dispose(app, key, desk.people["D3002"], desk.people["D3001"])
    assert (again.disposed_rows, again.held_rows) == (row.held_rows, 0)


def test_a_hold_on_a_unit_covers_whoever_was_ever_in_it_or_below_it(desk):
    below = aged.make_unit("Team", desk.unit)
    past = aged.make_person(below, staff_number="P1", until=date(2025, 1, 1))
    apart = aged.make_person(aged.make_unit("Apart"), staff_number="P2")
    assert stores.held_people() is None
    with transaction():
        stores.place_hold(stores.UNIT, desk.unit, "Inquiry", by=desk.people["D3001"], at=clock.now())

    people = stores.held_people()
    assert people is not None
    covered = set(db.session.scalars(people))
    assert {past, desk.people["D1001"]} <= covered
    assert apart not in covered


def test_an_entry_that_an_email_reports_goes_after_the_email(app, desk):
    at = clock.noon(date(2015, 1, 1))
    with transaction():
        aged.report_by_mail(aged.write_event(desk.people["D2001"], desk.people["D1001"], at))
    with pytest.raises(NothingDueError):
        request_disposal("audit", desk.people["D3001"])
    dispose(app, "mail", desk.people["D3001"], desk.people["D3002"])

    assert dispose(app, "audit", desk.people["D3001"], desk.people["D3002"]).disposed_rows == 1


def test_certificates_and_all_that_led_to_them_cannot_be_changed(app, desk):
    write_rows(desk, date(2015, 1, 1))
    dispose(app, "mail", desk.people["D3001"], desk.people["D3002"])

    for change in (
        "DELETE FROM disposal_certificate",
        "UPDATE disposal_certificate SET rows = 0",
        "UPDATE disposal_request SET rows = 0",
        "DELETE FROM disposal_decision",
        "UPDATE disposal_slice SET counts = '{}'",
    ):
        with pytest.raises(DBAPIError, match="append-only"), db.session.begin_nested():
            db.session.execute(text(change))


def test_the_trail_says_who_did_what_and_takes_no_stamp(app, desk):
    write_rows(desk, date(2015, 1, 1))
    stamps = db.session.execute(text("SELECT count(*) FROM stamp")).scalar()
    dispose(app, "mail", desk.people["D3001"], desk.people["D3002"])

    rows = db.session.execute(
        select(AuditEvent.action, AuditEvent.actor_id)
        .where(AuditEvent.action.like("retention.%"))
        .order_by(AuditEvent.id)
    )
    asker, approver = desk.people["D3001"], desk.people["D3002"]
    assert [tuple(row) for row in rows] == [
        ("retention.disposal_asked", asker),
        ("retention.disposal_granted", approver),
        ("retention.disposed", None),
    ]
    assert db.session.execute(text("SELECT count(*) FROM stamp")).scalar() == stamps
