"""One's own ticks beside a model, and a copy that the line manager of the day alone reads, until it ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.accounts import services as accounts
from portal.domain.cases import CaseCopy, CaseCopyEnd, CaseRubric, PersonInCopy, ShownCopy, line_manager_on
from portal.domain.people.models import FactNote, Post
from portal.domain.people.queries import person_by_staff_number
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from portal.platform.permissions import UNIT_ROLES, Role
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import PASSWORD, another, let_in, make_account
from tests.pages.learning.test_cases import CASE, DONE, case_file, publish_case
from tests.pages.monitoring.counting import statements

SECRET = "A driver reported voices."


@pytest.fixture
def report(client, tmp_path) -> Page:
    """The debrief of a report that D1001 wrote, whose line manager is D2001."""
    text = 'phrases = ["You said **how** it was known.", "What is still missing?"]\n'
    publish_case(tmp_path, "report", **{"sample/lessons/first.toml": _with_phrases(text)})
    manager = make_account("D2001")
    person = make_person(make_unit("Night shift"), staff_number="D1001", manager=manager)
    with transaction():
        accounts.set_password(person, PASSWORD, clock.now())
    let_in(client, "D1001")
    return client.press(client.page(CASE), "Finish and compare", **DONE)


def _with_phrases(text: str) -> str:
    return case_file("report").replace('prompt = "What do you do?"\n', f'prompt = "What do you do?"\n{text}')


def manager_name() -> str:
    manager = line_manager_on(_person_id("D1001"), clock.today())
    assert manager is not None
    return manager.name


def _person_id(staff_number: str) -> int:
    return person_by_staff_number(staff_number)


def share(client: PortalClient, page: Page) -> Page:
    return client.press(page, f"Show a copy to {manager_name()}", agree="y")


def test_ticks_beside_ones_own_text_are_kept(client, report):
    assert "2 of 2 choices are right. No score is kept." in report.text
    page = client.press(report, "Save what you ticked", tick=["words/1", "words/9"])

    ticked = [box.get("value") for box in page.all("input", name="tick") if box.get("checked") is not None]
    assert ticked == ["words/1"]
    page = client.press(page, "Save what you ticked", tick="words/2")
    ticked = [box.get("value") for box in page.all("input", name="tick") if box.get("checked") is not None]
    assert ticked == ["words/2"]
    assert len(db.session.scalars(select(CaseRubric)).all()) == 2


@pytest.mark.slow
def test_the_named_manager_ticks_the_same_lines_and_the_writer_sees_both(app, client, report):
    client.press(report, "Save what you ticked", tick="words/1")
    page = share(client, report)
    assert f"{manager_name()} can read a copy" in page.text

    manager = another(app)
    let_in(manager, "D2001")
    assert "1 text to look through" in manager.page("/desk").text
    listed = manager.page("/learning/copies")
    (link,) = [href for href in listed.links.values() if href.startswith("/learning/copies/")]
    copy = manager.page(link)
    assert SECRET in copy.text
    assert not [box for box in copy.all("input", name="tick") if box.get("checked") is not None]
    manager.press(
        copy,
        f"Save, and show it to {words(copy.all('h1')[0]).partition(': ')[2]}",
        tick="words/2",
        phrase="2",
    )
    assert "text to look through" not in manager.page("/desk").text

    page = client.page(CASE)
    labels = [words(label) for label in page.all("label")]
    assert labels[0].endswith(": no")
    assert labels[1].endswith(": yes")
    assert "What is still missing?" in page.text
    assert "how it was known" not in page.text
    actions = set(db.session.scalars(select(AuditEvent.action)))
    assert actions >= {"case.copy_shown", "case.rubric_applied", "person.viewed"}
    assert SECRET not in str([event.detail for event in db.session.scalars(select(AuditEvent))])


def test_nothing_is_shown_without_a_tick_or_to_another_than_the_page_named(client, report):
    button = f"Show a copy to {manager_name()}"
    assert "Tick that you agree" in client.press(report, button).text
    other = make_account("D2002")
    assert (
        "changed since you opened this page"
        in client.press(report, button, agree="y", manager=str(other)).text
    )
    assert "changed since" in client.press(report, button, agree="y", manager="²").text
    assert db.session.scalars(select(CaseCopy)).all() == []


@pytest.mark.slow
def test_no_role_opens_a_copy_and_taking_it_back_shuts_the_manager_out(app, client, report):
    page = share(client, report)
    client.press(report, f"Show a copy to {manager_name()}", agree="y")  # pressed twice
    (copy_id,) = db.session.scalars(select(CaseCopy.id))
    address, unit = f"/learning/copies/{copy_id}", make_unit("Elsewhere")
    for number, role in enumerate(Role):
        person = make_account(f"D30{number:02}")
        make_grant(person, role, unit if role in UNIT_ROLES else None)
        stranger = another(app)
        let_in(stranger, f"D30{number:02}")
        assert stranger.get(address).status_code == 404, role
        assert stranger.get("/learning/copies").status_code == 200
    assert client.get(f"/learning/copies/{'9' * 30}").status_code == 404
    assert client.get(address).status_code == 404  # the writer has the lesson's own page
    manager = another(app)
    let_in(manager, "D2001")
    open_page = manager.page(address)

    client.press(page, "Take the copy back")

    assert manager.get(address).status_code == 404
    button = next(
        button for form in open_page.forms() for button in form.buttons if button.startswith("Save")
    )
    manager.press(open_page, button, 404, tick="words/1")
    assert "Nobody shows you a text" in manager.page("/learning/copies").text
    kept = {(note.fact_table, note.text) for note in db.session.scalars(select(FactNote))}
    assert kept == {("case_step", SECRET)}
    assert "Taken back on" in client.page("/learning/copies").text
    assert len(db.session.scalars(select(CaseCopyEnd)).all()) == 1


def test_erasing_texts_erases_the_copy_and_what_was_ticked(app, client, report):
    client.press(report, "Save what you ticked", tick="words/1")
    share(client, report)
    result = app.test_cli_runner().invoke(args=["people", "erase-texts", "D1001"])

    assert "D1001: 2 texts in 2 answers erased." in result.output
    assert db.session.scalars(select(FactNote)).all() == []
    assert not [box for box in client.page(CASE).all("input", name="tick") if box.get("checked") is not None]
    assert len(db.session.scalars(select(CaseRubric)).all()) == 1


def test_a_new_manager_is_asked_for_anew_and_the_old_copy_stays_with_whom_it_named(app, client, report):
    share(client, report)
    new = make_account("D2009")
    post = db.session.scalars(select(Post).where(Post.person_id == _person_id("D1001"))).one()
    with transaction():
        values = {c: getattr(post, c) for c in ("person_id", "rank_or_grade", "designated_role", "unit_id")}
        row = Post(**values, line_manager_id=new, valid_from=post.valid_from, replaces_id=post.id)
        row.recorded_at = stamp()
        db.session.add(row)
    manager = another(app)
    let_in(manager, "D2009")
    assert "Nobody shows you a text" in manager.page("/learning/copies").text
    page = client.press(client.page(CASE), "Take the copy back")
    assert db.session.scalars(select(CaseCopy.manager_id)).all() == [_person_id("D2001")]
    page = share(client, client.page(CASE))
    assert f"{manager_name()} can read a copy" in page.text
    assert db.session.scalars(select(CaseCopy.manager_id).order_by(CaseCopy.id)).all()[-1] == new


def test_without_a_manager_there_is_nobody_to_show_it_to(client, tmp_path):
    publish_case(tmp_path, "report")
    make_account("D1001")
    let_in(client, "D1001")
    page = client.press(client.page(CASE), "Finish and compare", **DONE)

    assert "The roster names no line manager for you today." in page.text


def test_the_line_manager_is_that_of_the_day(app, database):
    first, second = make_person(staff_number="M1"), make_person(staff_number="M2")
    unit, change = make_unit("Day shift"), date(2026, 5, 1)
    learner = make_person(unit, staff_number="L1", manager=first, until=change - timedelta(days=1))
    with transaction():
        values = {"rank_or_grade": "Constable", "designated_role": "response", "unit_id": unit}
        row = Post(person_id=learner, line_manager_id=second, valid_from=change, **values)
        row.recorded_at = stamp()
        db.session.add(row)

    named = {day: line_manager_on(learner, change + timedelta(days=day)) for day in (-9_000, -1, 0, 400)}

    assert named[-9_000] is None  # before any post
    assert [getattr(named[day], "id", None) for day in (-1, 0, 400)] == [first, second, second]


def test_a_list_of_many_copies_asks_no_more_of_the_database_and_one_of_an_earlier_run_ends_too(
    client, report
):
    share(client, report)
    with statements() as few:
        client.page("/learning/copies")
    row = db.session.scalars(select(CaseCopy)).one()
    with transaction():
        for _ in range(9):
            copy = CaseCopy(recorded_at=clock.now(), run_id=row.run_id, manager_id=row.manager_id)
            db.session.add(copy)
    with statements() as many:
        page = client.page("/learning/copies")
    assert len(many) == len(few)

    client.press(client.page(f"{CASE}?again=y"), "Finish and compare", **DONE)  # a new run
    assert "can read a copy" not in client.page(CASE).text
    client.press(page, next(b for form in page.forms() for b in form.buttons if b.startswith("Take it back")))
    assert len(db.session.scalars(select(CaseCopyEnd)).all()) == 1


EARLY = datetime(2026, 1, 1, tzinfo=UTC)
minutes = st.integers(0, 10_000).map(lambda number: EARLY + timedelta(minutes=number))


@given(shown_at=minutes, ended_at=st.none() | minutes, at=minutes, later=minutes)
def test_a_copy_opens_once_and_what_has_ended_never_opens_again(shown_at, ended_at, at, later):
    someone = PersonInCopy(1, "A")
    copy = ShownCopy(1, 1, 1, 1, 1, "m", "l", "t", someone, someone, shown_at, ended_at)

    assert not (copy.is_open(at) and at < shown_at)
    assert not (copy.is_open(at) and ended_at is not None and at >= ended_at)
    if shown_at <= at <= later and copy.is_open(later):
        assert copy.is_open(at)  # no gap
    if shown_at <= at <= later and not copy.is_open(at):
        assert not copy.is_open(later)
