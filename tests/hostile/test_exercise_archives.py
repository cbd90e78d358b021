"""ZIPs of exercises that somebody made to harm: each is refused in a sentence, and nothing is kept of it."""

import io
import stat
import struct
import zipfile

import pytest
from sqlalchemy import func, select

from portal.features.exercises import sources, versions
from portal.features.exercises.models import ExerciseProposal
from portal.features.exercises.sources import open_exercise, pack_exercise
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import BadInputError
from tests.factories.people import make_person
from tests.features.exercises.folders import as_bytes, exercise_files
from tests.features.exercises.test_versions import send
from tests.pages.authoring.desk import make_person_with, signed_in_client

KEY = "short-night"


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return packed.getvalue()


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry, target.encode()


def whole() -> bytes:
    return pack_exercise(KEY, as_bytes(exercise_files()))


def lying(content: bytes, says: int) -> bytes:
    """The same archive, whose every entry says to unpack to so many bytes."""
    changed = bytearray(content)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = changed.find(mark)
        while place >= 0:
            struct.pack_into("<L", changed, place + at, says)
            place = changed.find(mark, place + 4)
    return bytes(changed)


ZEROS = b"\0" * (2 * sources.MAX_TEXT_BYTES)
HOSTILE = {
    "no archive": (b"%PDF-1.7", "The ZIP is refused"),
    "nothing": (b"", "The ZIP is refused"),
    "an empty archive": (zipped(), "It is empty."),
    "a way out": (zipped((f"{KEY}/../../etc/cron.d/x", b"x")), "leads elsewhere"),
    "a path from the root": (zipped(("/etc/passwd", b"x")), "leads elsewhere"),
    "a way out, written otherwise": (zipped((f"{KEY}/%2e%2e/x", b"x")), "leads elsewhere"),
    "a drive": (zipped(("C:/x", b"x")), "leads elsewhere"),
    "a link": (zipped(link(f"{KEY}/briefing.md", "/etc/passwd")), "a link or a device"),
    "a bomb": (zipped((f"{KEY}/briefing.md", ZEROS)), "Keep short-night/briefing.md under 512 KB"),
    "a bomb that lies": (lying(zipped((f"{KEY}/briefing.md", ZEROS)), 10), "holds more than it says"),
    "a name twice": (zipped((f"{KEY}/a.md", b"x"), (f"{KEY}/A.md", b"y")), "Two entries have one name"),
    "something in front": (b"MZ" + whole(), "The ZIP is refused"),
    "something behind": (whole() + b"x", "The ZIP is refused"),
    "cut off": (whole()[:-30], "The ZIP is refused"),
    "two folders": (zipped(("a/exercise.toml", b"x"), ("b/exercise.toml", b"x")), "hold one folder"),
    "no folder": (zipped(("exercise.toml", b"x")), "hold one folder"),
    "too many files": (
        zipped(*((f"{KEY}/media/{n}.png", b"") for n in range(sources.MOST_FILES + 1))),
        "more than 400 files",
    ),
    "another's files": (zipped((f"{KEY}/run.sh", b"x")), "“run.sh” does not belong in an exercise"),
    "a folder that is no key": (zipped(("Short Night/exercise.toml", b"x")), "Name the folder with small"),
}


@pytest.mark.parametrize(("content", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_archive_is_refused_in_a_sentence_and_nothing_is_kept(database, content, said):
    by = make_person()

    with pytest.raises(BadInputError) as refused, transaction():
        versions.propose_exercise(content, note="", by=by, at=clock.now())

    assert any(said in reason for reason in refused.value.reasons), refused.value.reasons
    assert db.session.scalar(select(func.count(ExerciseProposal.id))) == 0


def test_the_page_refuses_each_with_its_reason_and_keeps_nothing(app, database):
    make_person_with("D3001", "author")
    author = signed_in_client(app, "D3001")
    for what, (content, said) in HOSTILE.items():
        page = send(author, content, status=400)
        assert said in page.text, what

    assert db.session.scalar(select(func.count(ExerciseProposal.id))) == 0


def test_what_is_larger_than_allowed_is_not_even_read():
    with pytest.raises(BadInputError, match="up to 24 MB"):
        open_exercise(b"PK" + b"\0" * sources.MOST_ARCHIVE_BYTES)


def test_all_files_together_are_bounded(monkeypatch):
    monkeypatch.setattr(sources, "MOST_UNPACKED_BYTES", 1000)

    with pytest.raises(BadInputError, match="Unpacked, the ZIP has more than"):
        open_exercise(whole())


def test_what_one_system_adds_unasked_is_left_out():
    files = as_bytes(exercise_files())
    entries = [(f"{KEY}/{path}", content) for path, content in files.items()]
    extra = [(f"__MACOSX/{KEY}/._exercise.toml", b"x"), (f"{KEY}/.DS_Store", b"x"), (f"{KEY}/injects/", b"")]

    assert open_exercise(zipped(*entries, *extra)) == (KEY, files)
