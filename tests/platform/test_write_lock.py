"""How threads wait for SQLite's write lock."""

import sqlite3
from threading import Event, Thread, current_thread

import pytest

from portal.platform import engines


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


def test_one_thread_of_a_process_asks_and_the_others_wait_for_it():
    released, asked = Event(), []
    threads = [
        Thread(target=engines._take_write_lock, args=(Driver(released, asked), 60), name=str(number))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    while len(asked) < 20:
        threads[0].join(0.01)
    before = set(asked)
    with pytest.raises(sqlite3.OperationalError, match="locked"):  # who may not wait asks once all the same
        engines._take_write_lock(Driver(released, asked), 0)
    released.set()
    for thread in threads:
        thread.join()

    assert len(before) == 1
    assert asked.count("MainThread") == 1
    assert set(asked) == {"0", "1", "2", "3", "MainThread"}
