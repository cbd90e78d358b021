"""What lines of the portal and of libraries hold, and what they never hold."""

import errno
import json
import logging
import os
import sqlite3
from contextlib import closing

import pytest

from portal.platform.observability import logs
from portal.platform.observability.logs import MOST_FRAMES, describe_fault, get_logger


def test_a_line_begins_alike_whoever_writes_it(log):
    get_logger("portal.tests").info("thing.done", count=3)
    logging.getLogger("a.library").warning("Took %s to %s", "Ada Hale", "D1001")
    logging.getLogger("a.library").error(f"Ada Hale of {'D1001'}")
    logging.getLogger("a.library").info("what nobody needs")

    lines = log.lines()

    assert [list(line)[:4] for line in lines] == [["at", "level", "source", "event"]] * 3
    assert [line["event"] for line in lines] == ["thing.done", "Took %s to %s", "library.logged"]
    assert [line["level"] for line in lines] == ["info", "warning", "error"]
    assert lines[2]["at_line"].startswith("tests/platform/observability/test_logs.py:")
    assert "Hale" not in log.text


def test_a_fault_in_a_library_is_told_without_its_words(log):
    try:
        int("Ada Hale")
    except ValueError:
        logging.getLogger("waitress").exception("Exception while serving %s", "/people/D1001\nforged")

    (line,) = log.lines()
    assert line["event"] == "Exception while serving %s"
    assert line["exception"][0]["type"] == "ValueError"
    assert "Hale" not in log.text
    assert "D1001" not in log.text
    assert log.text.count("\n") == 1


def test_a_fault_keeps_codes_and_causes(log):
    try:
        try:
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.execute("SELECT * FROM people_named_hale")
        except sqlite3.Error as error:
            raise OSError(errno.ENOSPC, "Ada Hale's disk", "/home/hale") from error
    except OSError:
        get_logger("portal.tests").exception("thing.failed")

    (line,) = log.lines()
    assert [(cause["type"], cause["code"]) for cause in line["exception"]] == [
        ("OSError", os.strerror(errno.ENOSPC)),
        ("OperationalError", "SQLITE_ERROR"),
    ]
    assert "hale" not in log.text.lower()


def test_the_longest_traceback_is_one_line_that_a_pipe_takes_at_once():
    def fall(depth):
        if not depth:
            raise KeyError("deep")
        fall(depth - 1)

    with pytest.raises(KeyError) as raised:
        fall(200)

    (cause,) = describe_fault((KeyError, raised.value, raised.tb))

    assert len(cause["at"]) == MOST_FRAMES
    assert cause["at"][-1].endswith(" fall")
    assert len(logs.encode(cause)) < 4_000


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch):
    monkeypatch.setattr(logs, "STANDARD_ERROR", 1_000_000)

    logs.write_line({"event": "request"})


def test_values_of_any_type_are_written(log):
    get_logger("portal.tests").warning("thing.done", thing=object)

    assert json.loads(log.text)["thing"] == "<class 'object'>"
