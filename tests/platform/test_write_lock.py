"""How threads and processes wait for SQLite's write lock, and bulk work for them."""

import errno
import fcntl
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread, Timer, current_thread
from time import monotonic

import pytest
from sqlalchemy import text

from portal.platform import write_lock
from portal.platform.db import db, take_writers_lock, transaction
from portal.platform.engines import let_others_write

OTHER = """
import sqlite3, sys
from pathlib import Path
from portal.platform.write_lock import take_write_lock
folder = Path(sys.argv[1])
with sqlite3.connect(folder / "d.sqlite", isolation_level=None) as other:
    take_write_lock(other, folder)
    other.execute("INSERT INTO turn VALUES ('other')")
    other.execute("COMMIT")
"""


class Driver:
    """A connection that finds the lock taken until it is released."""

    def __init__(self, released, asked):
        self.released, self.asked = released, asked

    def execute(self, statement):
        if statement == "BEGIN IMMEDIATE":
            self.asked.append(current_thread().name)
            if not self.released.is_set():
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error


def test_one_thread_of_a_process_asks_and_the_others_wait_for_it(tmp_path):
    released, asked = Event(), []
    threads = [
        Thread(
            target=write_lock.take_write_lock, args=(Driver(released, asked), tmp_path, 60), name=str(number)
        )
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    while len(asked) < 20:
        threads[0].join(0.01)
    before = set(asked)
    with pytest.raises(sqlite3.OperationalError, match="locked"):  # who may not wait asks once all the same
        write_lock.take_write_lock(Driver(released, asked), tmp_path, 0)
    released.set()
    for thread in threads:
        thread.join()

    assert len(before) == 1
    assert asked.count("MainThread") == 1
    assert set(asked) == {"0", "1", "2", "3", "MainThread"}


@pytest.fixture
def mine(tmp_path):
    """A connection of this process."""
    with closing(sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE turn (whose TEXT)")
        yield connection


def is_awaited(folder):
    """Whether somebody waits for the lock, as anyone can see who looks at the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def another_waiting(folder):
    """Another process that waits for the lock, to write a row under it."""
    with subprocess.Popen([sys.executable, "-c", OTHER, str(folder)]) as other:
        try:
            while not is_awaited(folder):
                assert other.poll() is None
            yield other
        finally:
            other.kill()


def test_between_two_transactions_another_process_that_waits_has_its_turn(tmp_path, mine):
    write_lock.take_write_lock(mine, tmp_path)
    with another_waiting(tmp_path) as other:
        mine.execute("INSERT INTO turn VALUES ('mine')")
        mine.execute("COMMIT")
        write_lock.wait_for_others(tmp_path, 60)
        write_lock.take_write_lock(mine, tmp_path)
        mine.execute("INSERT INTO turn VALUES ('mine')")
        mine.execute("COMMIT")
        assert other.wait(60) == 0

    assert [whose for (whose,) in mine.execute("SELECT whose FROM turn ORDER BY rowid")] == [
        "mine", "other", "mine",
    ]  # fmt: skip


def test_a_turn_lasts_no_longer_than_said(tmp_path, mine):
    write_lock.take_write_lock(mine, tmp_path)
    with another_waiting(tmp_path):
        begun = monotonic()
        write_lock.wait_for_others(tmp_path, 0.2)  # in vain: this very connection holds the lock
        took = monotonic() - begun
        assert is_awaited(tmp_path)
        mine.execute("COMMIT")

    assert 0.2 <= took < 30


def test_where_nobody_waits_the_next_transaction_follows_at_once(tmp_path, mine, monkeypatch):
    monkeypatch.setattr(write_lock, "sleep", lambda _seconds: pytest.fail("It rests for nobody."))
    write_lock.take_write_lock(mine, tmp_path)
    mine.execute("COMMIT")
    write_lock.wait_for_others(tmp_path, 60)


def test_where_a_folder_cannot_be_locked_a_writer_waits_all_the_same(tmp_path, mine, monkeypatch):
    def refuse(_descriptor, _kind):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with closing(
        sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None, check_same_thread=False)
    ) as other:
        write_lock.take_write_lock(other, tmp_path)
        release = Timer(0.1, other.execute, ["COMMIT"])
        release.start()
        write_lock.take_write_lock(mine, tmp_path)
        release.join()
        mine.execute("COMMIT")
    write_lock.wait_for_others(tmp_path, 60)


def is_anybody_waiting():
    """Whether a transaction of the portal waits for the lock, asked by the one that holds it."""
    if db.engine.dialect.name == "postgresql":
        return bool(db.session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
    return is_awaited(Path(db.engine.url.database).parent)


def test_a_transaction_that_waits_comes_before_the_next_of_bulk_work(serving):
    order = []

    def write(whose):
        with serving.app_context(), transaction():
            take_writers_lock()
            order.append(whose)

    with transaction():
        take_writers_lock()
        other = Thread(target=write, args=("other",))
        other.start()
        while not is_anybody_waiting():
            assert other.is_alive()
    let_others_write(db.engine, 60)
    write("mine")
    other.join()

    assert order == ["other", "mine"]
