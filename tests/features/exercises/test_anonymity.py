"""Nothing that the portal keeps tells who wrote or chose a statement, when, or in which order.

Each test attacks it with all that somebody has who may read the whole database and the log.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.domain.subject_access.person_file import read_person_file
from portal.features.exercises import plenary_views
from portal.features.exercises.models import PlenaryStatement, PlenaryVoter
from portal.features.exercises.plenary import (
    add_statement,
    list_statements,
    rank_statements,
    shuffle_statements,
)
from portal.pages.layout.request_log import figures_of
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.databases import ON_BOTH, empty_portal, portal_on
from tests.features.exercises.room import FACILITATOR, PRIYA, TOM, Room, begin_plenary, make_room
from tests.page_reading import TOKEN
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow
ANONYMOUS = {"plenary_statement", "plenary_voter"}
START = datetime(2026, 6, 10, 9, tzinfo=UTC)
WORDS = [f"Statement with words {word}" for word in ("amber", "birch", "cedar", "delta", "ember", "fjord")]
SEND = "exercises.send_statement"


@pytest.fixture(params=ON_BOTH)
def served(request, tmp_path, time_machine) -> Iterator[Room]:
    """A room on a database of its own, nothing rolled back, where every request is logged."""
    time_machine.move_to(START)
    config = empty_portal(request, tmp_path / "instance")
    with (
        portal_on(replace(config, seeing=replace(config.seeing, log_requests="all"))) as app,
        app.app_context(),
    ):
        yield make_room(app)


def move(room: Room, browser, stage: str) -> None:
    if stage == "statements":
        begin_plenary(room)
    page = browser.page(room.path("/hard/lead"))
    button = next(one for form in page.forms() if form.action.endswith("/stage") for one in form.buttons)
    browser.press(page, button, stage=stage)


def read_everything() -> dict[str, list[str]]:
    """Every row of every table as text, sorted; and what the sequences stand at."""
    found = {}
    for name in db.inspect(db.engine).get_table_names():
        rows = db.session.execute(text(f'SELECT * FROM "{name}"')).all()
        found[name] = sorted(map(repr, rows))
    if db.engine.dialect.name == "postgresql":
        rows = db.session.execute(text("SELECT sequencename, last_value FROM pg_sequences")).all()
        found["sequences"] = sorted(map(repr, rows))
    db.session.commit()
    return found


def changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> set[str]:
    return {name for name, rows in after.items() if rows != before[name]}


def post_form(browser, path: str, **fields) -> None:
    """Send a form as a browser does that has its page open."""
    token = TOKEN.search(browser.get(path).get_data(as_text=True))
    assert token
    navigates = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
    return browser.post(path, data={"csrf_token": token[2], **fields}, headers=navigates)


def test_a_statement_and_a_choice_change_no_other_table(served, time_machine):
    facilitator, priya = served.browser(FACILITATOR), served.browser(PRIYA)
    move(served, facilitator, "statements")
    for minutes in (5, 10):  # a use of the session would be noted each minute
        time_machine.move_to(START + timedelta(minutes=minutes))
        before = read_everything()
        assert (
            post_form(priya, served.path("/hard/statement"), text=f"{WORDS[0]} {minutes}").status_code == 303
        )
        assert changed(before, read_everything()) == {"plenary_statement"}

    time_machine.move_to(START + timedelta(minutes=12))
    move(served, facilitator, "reading")
    move(served, facilitator, "ranking")
    (one, _) = list_statements(served.run_id, "hard")
    before = read_everything()
    time_machine.move_to(START + timedelta(minutes=20))
    assert post_form(priya, served.path("/hard/ranking"), chosen=str(one.key)).status_code == 303
    assert changed(before, read_everything()) == ANONYMOUS


def test_the_tables_have_no_column_for_a_time_or_for_who_wrote():
    assert set(PlenaryStatement.__table__.columns.keys()) == {
        "key", "run_id", "prompt_key", "text", "theme", "hidden", "points",
    }  # fmt: skip
    assert set(PlenaryVoter.__table__.columns.keys()) == {"run_id", "prompt_key", "person_id"}


def test_no_line_and_no_count_says_that_somebody_sent_one(served, log):
    facilitator, priya = served.browser(FACILITATOR), served.browser(PRIYA)
    move(served, facilitator, "statements")
    lines = len(log.lines("request"))
    assert post_form(priya, served.path("/hard/statement"), text=WORDS[0]).status_code == 303
    assert post_form(priya, served.path("/hard/statement"), text="").status_code == 400

    assert len(log.lines("request")) == lines
    assert SEND not in {figures.endpoint for figures in figures_of(served.app).read()}
    assert WORDS[0] not in log.text


def test_a_form_is_neither_kept_nor_held_for_its_writer(served, time_machine):
    facilitator, priya = served.browser(FACILITATOR), served.browser(PRIYA)
    move(served, facilitator, "statements")
    path = served.path("/hard/statement")
    form = TOKEN.search(priya.get(path).get_data(as_text=True))
    navigates = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
    refused = priya.post(path, data={"csrf_token": form[2], "text": "x" * 400}, headers=navigates)
    assert refused.status_code == 400, "the page itself says what is wrong, at no address of its own"

    time_machine.move_to(START + timedelta(minutes=90))  # the session lapsed
    priya.post(path, data={"csrf_token": form[2], "text": WORDS[0]}, headers=navigates)

    assert db.session.scalar(text("SELECT count(*) FROM held_form")) == 0
    assert list_statements(served.run_id, "hard") == []


def test_a_fault_of_the_portal_names_nobody(served, log, monkeypatch):
    facilitator, priya = served.browser(FACILITATOR), served.browser(PRIYA)
    move(served, facilitator, "statements")
    before = read_everything()

    def fail(*_):
        raise RuntimeError("the disk burns")

    monkeypatch.setattr(plenary_views, "write_statement", fail)
    served.app.config["PROPAGATE_EXCEPTIONS"] = False
    assert post_form(priya, served.path("/hard/statement"), text=WORDS[0]).status_code == 500

    assert changed(before, read_everything()) == set()
    (line,) = [one for one in log.lines("request") if one["endpoint"] == SEND]
    assert "viewer" not in line
    assert WORDS[0] not in log.text


def physical_order(room: Room) -> list[str]:
    """The statements in the order in which the database itself keeps them."""
    if db.engine.dialect.name == "postgresql":
        rows = db.session.execute(text("SELECT text FROM plenary_statement ORDER BY ctid")).all()
        db.session.commit()
        return [row[0] for row in rows]
    raw = raw_file(room)
    assert {raw.count(words.encode()) for words in WORDS} == {1}, "an earlier copy lies in the file"
    return sorted(WORDS, key=lambda words: raw.find(words.encode()))


def raw_file(room: Room) -> bytes:
    """The bytes of SQLite's file, with all that its log held."""
    file = Path(db.engine.url.database or "")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.read_bytes()


def test_neither_places_nor_transactions_tell_the_order(served):
    orders, dumps = [], []
    for words in WORDS:
        with transaction():
            add_statement(served.run_id, "hard", words)
    for _ in range(40):
        with transaction():
            shuffle_statements(served.run_id)
        orders.append(physical_order(served))
        listed = db.session.scalars(select(PlenaryStatement.text)).all()  # as a backup meets them
        dumps.append(list(listed))
        db.session.commit()

    for words in WORDS:  # each is met in the first half and in the second
        places = {order.index(words) < len(WORDS) / 2 for order in orders}
        assert places == {True, False}, words
    assert len({tuple(order) for order in orders}) > 20
    if db.engine.dialect.name == "postgresql":
        assert db.session.scalar(text("SELECT count(DISTINCT xmin::text) FROM plenary_statement")) == 1
        assert {tuple(one) for one in dumps} == {tuple(order) for order in orders}
        db.session.commit()


@pytest.mark.parametrize("act", ["statement", "choice"])
def test_the_newest_statement_or_choice_is_touched_like_all_others(served, act):
    """On SQLite there is no row version; on PostgreSQL all rows are of the same transaction, voters too."""
    for words in WORDS:
        with transaction():
            add_statement(served.run_id, "hard", words)
            add_statement(served.run_id, "other", words)
    if act == "choice":
        keys = [one.key for one in list_statements(served.run_id, "hard")]
        for person, key in zip(served.people.values(), keys, strict=False):
            with transaction():
                rank_statements(served.run_id, "hard", [key], person)
    if db.engine.dialect.name == "postgresql":
        union = "SELECT xmin::text FROM plenary_statement UNION SELECT xmin::text FROM plenary_voter"
        assert len(db.session.execute(text(union)).all()) == 1
        db.session.commit()
    else:
        tables = "SELECT sql FROM sqlite_master WHERE name IN ('plenary_statement', 'plenary_voter')"
        assert all("WITHOUT ROWID" in row[0] for row in db.session.execute(text(tables)))


def test_no_earlier_version_of_a_row_is_left(served):
    for words in WORDS:
        with transaction():
            add_statement(served.run_id, "hard", words)
    if db.engine.dialect.name == "postgresql":
        assert len(read_versions()) == 1
    else:
        raw = raw_file(served)
        assert [raw.count(words.encode()) for words in WORDS] == [1] * len(WORDS)


def read_versions() -> list[tuple[str]]:
    """The transactions of all row versions in the pages of PostgreSQL's table, once it was vacuumed.

    The server vacuums it by itself, by the options that are looked at here.
    """
    address = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as superuser:
        for table in ANONYMOUS:
            asked = "SELECT reloptions FROM pg_class WHERE relname = %s"
            options = superuser.execute(asked, (table,)).fetchone()
            assert options == (["autovacuum_vacuum_threshold=0", "autovacuum_vacuum_scale_factor=0"],)
        superuser.execute("CREATE EXTENSION pageinspect")
        superuser.execute("VACUUM plenary_statement")
        return superuser.execute(
            "SELECT DISTINCT t_xmin::text FROM heap_page_items(get_raw_page('plenary_statement', 0))"
            " WHERE t_xmin IS NOT NULL"
        ).fetchall()


def test_the_names_of_those_who_ranked_are_deleted_when_the_ranking_ends(served):
    facilitator, priya, tom = (served.browser(who) for who in (FACILITATOR, PRIYA, TOM))
    move(served, facilitator, "statements")
    for words in WORDS:
        post_form(priya, served.path("/hard/statement"), text=words)
    move(served, facilitator, "reading")
    move(served, facilitator, "ranking")
    keys = {one.text: str(one.key) for one in list_statements(served.run_id, "hard")}
    for browser in (priya, tom, priya):  # the third is too late: once is enough
        post = {"chosen": [keys[WORDS[0]], keys[WORDS[1]]]}
        path = served.path("/hard/ranking")
        form = TOKEN.search(browser.get(path).get_data(as_text=True))
        browser.post(path, data={"csrf_token": form[2], **post} if form else post)
    assert {p for (p,) in db.session.execute(select(PlenaryVoter.person_id))} == {
        served.people[PRIYA],
        served.people[TOM],
    }

    move(served, facilitator, "closed")

    assert db.session.scalars(select(PlenaryVoter.person_id)).all() == []
    points = {one.text: one.points for one in list_statements(served.run_id, "hard")}
    assert [points[words] for words in WORDS] == [2, 2, 0, 0, 0, 0]
    for person in served.people.values():
        held = repr(read_person_file(person, clock.now()))
        assert not any(words in held for words in WORDS)


def test_all_that_a_room_sends_at_once_is_kept_once(served):
    people = list(served.people.values())
    errors: list[BaseException] = []
    gate = threading.Barrier(len(WORDS), timeout=PATIENCE)

    def run(app: Flask, act) -> None:
        try:
            with app.app_context():
                gate.wait()
                with transaction():
                    act()
                db.session.remove()
        except BaseException as error:
            errors.append(error)

    def all_at_once(acts) -> None:
        threads = [threading.Thread(target=run, args=(served.app, act)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []

    all_at_once([lambda words=words: add_statement(served.run_id, "hard", words) for words in WORDS])
    found = list_statements(served.run_id, "hard")
    assert sorted(one.text for one in found) == sorted(WORDS)
    db.session.commit()

    keys = [found[0].key]
    voters = [people[number % len(people)] for number in range(len(WORDS))]  # some twice
    all_at_once(
        [lambda person=person: rank_statements(served.run_id, "hard", keys, person) for person in voters]
    )
    points = {one.key: one.points for one in list_statements(served.run_id, "hard")}
    assert points[found[0].key] == len(people)
    assert sum(points.values()) == len(people)


def test_no_list_is_in_the_order_of_writing(served):
    for words in reversed(WORDS):
        with transaction():
            add_statement(served.run_id, "hard", words)

    assert [one.text for one in list_statements(served.run_id, "hard")] == sorted(WORDS)
