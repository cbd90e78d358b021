"""What people save about themselves is on the disk before they are told, and holds up nobody meanwhile."""

import errno
import os
import sqlite3
from contextlib import suppress
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import OperationalError

from portal.domain.records.models import LessonVisit
from portal.platform import clock, write_lock
from portal.platform.db import StampAhead, db, stamp, transaction
from portal.platform.errors import UnwritableError
from tests.factories.catalogue import make_version
from tests.page_reading import PortalClient
from tests.pages.learning.working import NEXT, learner
from tests.waiting import PATIENCE

ON_SQLITE = pytest.mark.parametrize("serving", ["sqlite"], indirect=True)


class SlowDisk:
    """A disk that answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.answers = Event(), Event()
        self.answers.set()

    def fdatasync(self, descriptor: int) -> None:
        """Wait, and then sync."""
        self.asked.set()
        assert self.answers.wait(PATIENCE)
        os.fsync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    """The disk of the database's log."""
    disk = SlowDisk()
    monkeypatch.setattr(write_lock.os, "fdatasync", disk.fdatasync)
    return disk


def commits_wait() -> bool:
    """Whether the connection of this session waits for the disk at each commit."""
    return db.session.scalar(text("PRAGMA synchronous")) == 2


def visits() -> int | None:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(LessonVisit))


@ON_SQLITE
def test_a_learner_is_answered_when_it_is_on_the_disk_and_others_write_before(
    serving: Flask, disk: SlowDisk
) -> None:
    make_version()
    client = PortalClient(serving)
    learner(client)
    form = next(each for each in client.page("/learning/modules/protect").forms() if "regist" in each.action)
    client.post(form.action, data=form.fields)
    page = client.page("/learning/modules/protect/lessons/lesson-1")
    disk.answers.clear()
    disk.asked.clear()
    answered: list[str] = []

    def complete() -> None:
        with serving.app_context():
            answered.append(client.press(page, NEXT).h1)

    asking = Thread(target=complete)
    asking.start()

    assert disk.asked.wait(PATIENCE)
    with transaction(wait_seconds=0):  # the lock is free
        stamp()
    assert visits() == 3  # others may see it already
    assert answered == []
    disk.answers.set()
    asking.join()
    assert answered == ["Lesson called 2"]


@ON_SQLITE
def test_no_other_commit_of_the_connection_is_less_sure(serving: Flask) -> None:
    row = {"microseconds": 1, "claim": "00" * 16, "heartbeat_at": "2026-04-30 12:00:00"}
    statement = text("INSERT INTO stamp_ahead VALUES (:microseconds, :claim, :heartbeat_at)")

    with transaction(early_release=True):
        assert not commits_wait()
        db.session.execute(statement, row)
    assert commits_wait()
    with pytest.raises(ZeroDivisionError), transaction(early_release=True):
        raise ZeroDivisionError
    assert commits_wait()
    with pytest.raises(OperationalError), transaction(early_release=True):
        db.session.execute(text("INSERT INTO no_such_table VALUES (1)"))
    assert commits_wait()
    assert db.session.scalar(select(func.count()).select_from(StampAhead)) == 1


@ON_SQLITE
def test_a_disk_that_fails_is_said(serving: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(write_lock.os, "fdatasync", fail)
    with pytest.raises(UnwritableError), transaction(early_release=True):
        db.session.execute(text("DELETE FROM stamp_ahead"))

    assert commits_wait()


@ON_SQLITE
def test_a_commit_that_fails_leaves_nothing_and_frees_the_lock(serving: Flask) -> None:
    visit = {"recorded_at": clock.now(), "registration_id": 1, "lesson_id": 1, "kind": "opened"}
    with suppress(sqlite3.IntegrityError), transaction(early_release=True):
        db.session.execute(text("PRAGMA defer_foreign_keys = ON"))  # to the commit
        db.session.execute(insert(LessonVisit), visit)
        assert db.session.scalar(select(func.count()).select_from(LessonVisit)) == 1

    assert visits() == 0
    assert commits_wait()
    with transaction(wait_seconds=0):
        stamp()


def test_what_a_report_shows_is_never_released_early(serving: Flask) -> None:
    with pytest.raises(RuntimeError, match="takes no stamp"), transaction(early_release=True):
        stamp()
    with transaction():
        stamp()
