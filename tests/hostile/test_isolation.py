"""A reading process that does its worst is ended, leaves nothing, and the person reads one sentence."""

import importlib
import io
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from portal.domain.authoring import media_listing
from portal.domain.catalogue import media
from portal.domain.content_checks import isolated_painter
from portal.platform.documents import typesetting
from portal.platform.isolation import running
from portal.platform.isolation.messages import MEBIBYTE, Limits, Reader, pack_message, unpack_message
from portal.platform.isolation.running import (
    MemoryStopError,
    ReadersBusyError,
    ReadingStoppedError,
    read_apart,
)
from portal.platform.tables import table_files
from tests.domain.imports.desk import administrator, selected_values, upload
from tests.domain.imports.rosters import COLUMNS, row
from tests.examples import sweep_after
from tests.hostile.workbooks import plain
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SMALL = Limits(memory=256 * MEBIBYTE, processor=1, wall=30, answer=MEBIBYTE)
ADVICE = "Save only the sheet with the list, and upload that."
READERS = [
    table_files.WORKBOOK,
    table_files.CSV,
    media.READER,
    isolated_painter.READER,
    media_listing.READER,
    typesetting.READER,
]


def hostile(name, **limits):
    if name in {"sleep", "close_and_stay"}:
        limits = {"wall": 2, **limits}
    return Reader(f"tests.hostile.readers:{name}", replace(SMALL, **limits), "This workbook", ADVICE)


def told(name, **limits):
    return read_apart(hostile(name, **limits), None, [], lambda value, _: value)


def children(parent=None):
    """Processes of this parent, those that have ended and not been asked for among them."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == (parent or os.getpid()):
            found.append(place.parent.name)
    return found


def has_ended(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"  # dead, and its new parent will ask for it


def folders():
    return list(Path(tempfile.gettempdir()).glob("portal-read-*"))


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(children()), len(os.listdir("/proc/self/fd"))
    yield
    assert set(children()) <= before[0]
    assert len(os.listdir("/proc/self/fd")) <= before[1] + 1  # the database may have opened one
    assert not folders()


SENTENCES = {
    "loop": "This workbook takes too long to read.",
    "close_and_stay": "This workbook takes too long to read.",
    "eat": "This workbook takes too much memory to read.",
    "crash": "This workbook cannot be read.",
    "flood": "This workbook is too large to be read.",
    "garble": "This workbook cannot be read.",
    # These end as one above does.
    "sleep": "This workbook takes too long to read.",
    "fail": "This workbook cannot be read.",
    "leave": "This workbook cannot be read.",
    "another_shape": "This workbook cannot be read.",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sweep_after(6, *SENTENCES))
def test_the_page_says_one_sentence_and_the_next_page_is_fine(client, monkeypatch, name):
    administrator(client)
    good = plain(COLUMNS, [row()[column] for column in COLUMNS])
    with monkeypatch.context() as patch:
        patch.setattr(table_files, "WORKBOOK", hostile(name))

        page = upload(client, good, name="r.xlsx")

    assert page.title.startswith("Error: ")
    assert f"{SENTENCES[name]} {ADVICE}" in page.text
    assert upload(client, good, name="r.xlsx").h1 == "Match the columns of r.xlsx"


def test_what_it_says_beside_its_answer_neither_stops_it_nor_is_kept(monkeypatch):
    assert told("mutter") == {"reasons": ["Muttered."]}


@pytest.mark.parametrize(("name", "at"), [("fail", "ValueError at readers.py:"), ("name_somebody", "")])
def test_what_it_read_is_not_in_the_log(log, name, at):
    with pytest.raises(ReadingStoppedError):
        read_apart(hostile(name), None, [b"Ada Hale\nforged line"], lambda value, _: value)

    (line,) = log.lines()
    assert line["raised_at"].startswith(at)
    assert bool(line["raised_at"]) == bool(at)
    assert "Ada" not in log.text


def test_it_sees_nothing_of_the_portal(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "a secret of the portal")
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:word@host/portal")
    with open(ROOT / "config.py") as held:
        os.set_inheritable(held.fileno(), True)
        seen = told("tell")

    assert set(seen["environment"]) <= {
        "LC_ALL",
        "LC_CTYPE",
        "MALLOC_ARENA_MAX",
        "RAYON_NUM_THREADS",
        "LD_LIBRARY_PATH",
        "PWD",
    }
    assert Path(seen["folder"]).name.startswith("portal-read-")
    assert not seen["wrote"]
    assert seen["files"] == []
    assert seen["open"] == ["0", "1", "2", "3"]  # the last lists them
    assert seen["session"]
    assert seen["memory"][0] == SMALL.memory
    assert seen["processor"] == [1, 2]
    assert seen["core"] == [0, 0]
    assert not {"flask", "sqlalchemy", "config", "portal.platform.db"} & set(seen["modules"])


def test_where_the_system_starts_none_the_person_is_asked_to_try_again(client, monkeypatch):
    administrator(client)
    good = plain(COLUMNS, [row()[column] for column in COLUMNS])
    page = client.page("/imports/roster/new")
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/nonexistent")

        answer = client.press(
            page, "Continue", 503, **{**selected_values(page), "file": (io.BytesIO(good), "r.xlsx")}
        )

    assert "The portal is busy reading other files. Nothing was changed." in answer.text


def test_what_it_started_ends_with_it():
    (pid,) = told("leave_another")["reasons"]

    until(lambda: has_ended(pid))


@pytest.mark.slow
def test_no_more_run_at_once_than_have_a_place(monkeypatch):
    monkeypatch.setattr(running, "WAITS", 0.1)
    before = set(children())

    def readers():
        return set(children()) - before

    with ThreadPoolExecutor(running.MOST_AT_ONCE) as threads:
        asked = [threads.submit(told, "sleep", wall=600) for _ in range(running.MOST_AT_ONCE)]
        try:
            until(lambda: len(readers()) == running.MOST_AT_ONCE)
            with pytest.raises(ReadersBusyError, match="The portal is busy reading other files"):
                told("sleep")
        finally:
            for pid in readers():
                os.kill(int(pid), signal.SIGKILL)
        # Killed, as the system kills what has too much memory.
        assert {type(one.exception()) for one in asked} == {MemoryStopError}


@pytest.mark.slow
def test_one_whose_portal_was_killed_ends_by_itself():
    program = (
        "from tests.hostile.test_isolation import told; import os; os.set_inheritable(1, True)\n"
        "told('loop', wall=20)"
    )
    environment = os.environ | {"TMPDIR": tempfile.gettempdir()}
    portal = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment)
    until(lambda: children(portal.pid))
    left = children(portal.pid)
    portal.kill()
    portal.wait()

    until(lambda: all(map(has_ended, left)))  # after a second of the processor, beside much else
    for folder in folders():  # empty, of the one that was killed
        folder.rmdir()


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.function)
def test_every_reader_exists_and_loads_nothing_of_the_server(reader):
    module, _, name = reader.function.partition(":")
    assert callable(getattr(importlib.import_module(module), name))
    program = f"import sys, {module}; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert not {"flask", "sqlalchemy", "werkzeug", "config", "portal.platform.db"} & set(done.stdout.split())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 100,
        pack_message({"a": 1}, [b"xyz"])[:-1],
        pack_message({"a": 1}, [b"xyz"]) + b"x",
        b"\0" * 7 + b"\x02{}",
        b"\0" * 7 + b"\x07[1,[-1]",
        b"\0" * 7 + b'\x0a[1,["a"]] ',
        (100_000).to_bytes(8, "big") + b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(message):
    with pytest.raises(ValueError):
        unpack_message(message)


def test_a_message_comes_back_as_it_was():
    value = {"a": [1, "é\ud800", None]}

    assert unpack_message(pack_message(value, [b"", b"\0x"])) == (value, [b"", b"\0x"])
