"""Files that mean harm are refused as a whole, in a sentence, and quickly."""

import io
import zipfile

import pytest

from portal.domain.authoring.item_exchange import files, reading
from portal.domain.authoring.item_exchange.questions import MOST_QUESTIONS
from portal.platform.errors import BadInputError
from tests.domain.authoring.item_exchange.foreign_files import (
    MOODLE_HEAD,
    SINGLE,
    manifest,
    moodle,
    moodle_answer,
    moodle_question,
    package,
    qti,
)

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE quiz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><quiz><question><name><text>&i;</text></name></question></quiz>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE quiz [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    "<quiz><question><name><text>&a;</text></name></question></quiz>"
)


def slip(name: str) -> bytes:
    """A package with an entry whose name leads elsewhere."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("imsmanifest.xml", manifest(name))
        archive.writestr(name, qti())
    return packed.getvalue()


def bomb() -> bytes:
    """A small package that unpacks to more than is allowed."""
    piece = b" " * (30 * 1024 * 1024)
    return package({"imsmanifest.xml": manifest("a.xml"), "a.xml": piece, "b.xml": piece, "c.xml": piece})


def liar() -> bytes:
    """A package whose entry unpacks to more than its headers say."""
    honest = package({"imsmanifest.xml": manifest("a.xml"), "a.xml": b" " * 100_000})
    return honest.replace((100_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))


def link() -> bytes:
    """A package with a symbolic link in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("imsmanifest.xml")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return packed.getvalue()


def nested(depth: int) -> bytes:
    """A file of Moodle XML with elements in elements."""
    return moodle("<a>" * depth + "</a>" * depth)


REFUSED = {
    "laughs": (LAUGHS.encode(), "document type"),
    "outside": (OUTSIDE.encode(), "document type"),
    "outside-in-a-package": (
        package({"imsmanifest.xml": OUTSIDE.encode(), "a.xml": qti()}),
        "document type",
    ),
    "slip": (slip("../../out.xml"), "leads elsewhere"),
    "slip-from-the-root": (slip("/etc/out.xml"), "leads elsewhere"),
    "slip-of-windows": (slip("..\\out.xml"), "leads elsewhere"),
    "link": (link(), "a link"),
    "bomb": (bomb(), "more than 64 MB"),
    "many-entries": (package({f"{number}.xml": b"" for number in range(1_001)}), "1,000 parts"),
    "no-manifest": (package({"a.xml": qti()}), "no imsmanifest.xml"),
    "no-items": (package({"imsmanifest.xml": manifest()}), "lists no questions"),
    "old-version": (package({"imsmanifest.xml": manifest("a.xml", kind="imsqti_xmlv1p2")}), "QTI 1.2"),
    "many-questions": (
        moodle(*['<question type="essay"/>'] * 10_000),
        f"more than {MOST_QUESTIONS} questions",
    ),
    "deep": (nested(10_000), "60 deep"),
    "wide": (moodle("<a/>" * 200_001), "200,000 elements"),
    "latin-xml": (f"{MOODLE_HEAD}".encode() + b"\xff\xfe</quiz>", "not well-formed"),
    "no-such-encoding": (b'<?xml version="1.0" encoding="x-none"?><quiz/>', "encoding"),
    "many-byte-encoding": (b'<?xml version="1.0" encoding="shift_jis"?><quiz/>', "encoding"),
    "cut-off": (moodle(SINGLE)[:-20], "not well-formed"),
    "other-xml": (b"<?xml version='1.0'?><html/>", "no Moodle XML or QTI"),
    "other-file": (b"%PDF-1.7\n\0\0", "no Moodle XML or QTI"),
    "old-document": (b"<questestinterop/>", "QTI 1.2"),
    "empty": (b"", "no Moodle XML or QTI"),
    "other-text": (b"Which? {=A ~B}\n", "no Moodle XML or QTI"),
    "no-question": (b"<quiz/>", "no questions"),
    "large": (b"Which? {=A ~B}" + b" " * 20 * 1024 * 1024, "10 MB: split it"),
    "long": (moodle(*[SINGLE.replace("Which?", "w" * 9_000)] * 60), "too long together"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_a_sentence(name):
    content, said = REFUSED[name]

    with pytest.raises(BadInputError) as refused:
        reading.read_questions(content)

    assert said in " ".join(refused.value.reasons)


def test_an_entry_that_unpacks_to_more_than_it_says_is_not_read():
    _, (row,) = reading.read_questions(liar())

    assert "is damaged" in row.reasons[0]


SLOW = {
    "escapes": "\\" * 300_000,
    "stars": "*" * 200_000,
    "brackets": "[" * 200_000,
    "angles": "&lt;" * 200_000,
    "entities": "&amp;" * 200_000,
}


@pytest.mark.parametrize("form", ["html", "markdown", "moodle_auto_format", "plain_text"])
@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_text_made_to_be_slow_ends(text, form):
    question = moodle_question("multichoice", moodle_answer("a", "100"), form=form)

    name, rows = reading.read_questions(moodle(question.replace("<p>Which?</p>", f"]]>{text}<![CDATA[")))

    assert (name, [row.table for row in rows]) == ("moodle", [{}])


def test_what_is_read_runs_in_a_process_of_its_own_with_limits():
    file = reading.read_file(moodle(SINGLE))

    assert (file.format, [row.kind for row in file.questions]) == ("moodle", ["single"])
    assert reading.READER.limits.processor <= 20
    with pytest.raises(BadInputError, match="document type"):
        reading.read_file(LAUGHS.encode())
    with pytest.raises(BadInputError, match="split it"):
        reading.read_file(b"x" * (files.MOST_BYTES + 1))
    with pytest.raises(BadInputError, match="is Moodle XML, not QTI"):
        reading.read_file(moodle(SINGLE), "qti")
