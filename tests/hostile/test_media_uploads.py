"""Files of two kinds at once, and names that lead elsewhere, as an author may upload them to a draft."""

import re
import struct
import zlib

from portal.domain.authoring import queries
from portal.platform.db import db
from tests.domain.catalogue.folders import SVG
from tests.domain.catalogue.sounds import make_vtt, make_wav
from tests.pages.authoring import test_media
from tests.pages.authoring.test_media import upload_file

desk = test_media.desk

PAGE = b"<!DOCTYPE html><script>parent.document.title = document.cookie</script>"
SCRIPT = b"/*PNG*/fetch('/account');//"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PIXEL = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">2I5B", 1, 1, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
)
TWO_KINDS = {
    "a page in a picture's text": PIXEL + chunk(b"tEXt", b"Comment\0" + PAGE) + chunk(b"IEND", b""),
    "a page behind a picture": PIXEL + chunk(b"IEND", b"") + PAGE,
    "an archive behind a picture": PIXEL + chunk(b"IEND", b"") + b"PK\x05\x06" + bytes(18),
    "a script in a photograph": b"\xff\xd8\xff\xfe"
    + struct.pack(">H", len(SCRIPT) + 2)
    + SCRIPT
    + b"\xff\xd9",
    "a page in a photograph": b"\xff\xd8\xff\xfe" + struct.pack(">H", len(PAGE) + 2) + PAGE + b"\xff\xd9",
    "a page in a WebP": b"RIFF" + struct.pack("<I", len(PAGE) + 12) + b"WEBPVP8 " + bytes(4) + PAGE,
    "a document that runs": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(alert(1))>>>>endobj\n%%EOF",
    "a page in a document": b"%PDF-1.7\n" + PAGE + b"\n%%EOF",
    "a page behind a sound": make_wav(4) + PAGE,
    "a page in a film": b"\0\0\0\x18ftypisom" + bytes(12) + PAGE,
    "a page in a sound's label": b"ID3\x04\0\0\0\0\x00\x7f" + PAGE + bytes(127),
    "a drawing and a page": SVG.encode() + PAGE,
    "a page first": PAGE + PIXEL,
    "a drawing in a comment of a page": b"<!--" + SVG.encode() + b"-->" + PAGE,
}
CAPTIONS = make_vtt((0, 1, "<v Ana><img src=x onerror=alert(1)>Police.</v>"))
KINDS = ("image/", "audio/", "video/", "application/pdf")
PLAIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\.png")
NAMES = [
    "../../../../etc/passwd.png",
    "..\\..\\boot.png",
    "/etc/cron.d/x.png",
    "CON.png",
    "y.png%00.html",
    "z\u202egnp.html",
    "a" * 300 + ".png",
    ".htaccess",
    "\u0430\u0431.png",
    "v.png;filename=w.html",
    "<img src=x onerror=alert(1)>.png",
    "{{7*7}}.png",
]


def list_media() -> dict[str, bytes]:
    """The media of the draft, by their paths."""
    return {
        path: content
        for path, content in queries.draft_files(queries.get_draft("sample")).items()
        if path.startswith("media/")
    }


def test_whatever_a_file_is_beside_its_kind_it_is_served_as_its_kind_and_runs_nothing(desk):
    seen = 0
    for what, content in TWO_KINDS.items():
        before = list_media()
        texts = {
            "title": "A van",
            "alternative": "A van.",
            "place": "lessons/second.md",
        }
        page = upload_file(desk, content, f"{what}.html", captions=CAPTIONS, **texts)
        db.session.expire_all()
        for path in list_media().keys() - before.keys() - {"media/captions.vtt"}:
            answer = desk.get(page.links.get(path.rpartition("/")[2]) or _address_of(desk, path))
            seen += 1
            assert answer.content_type.startswith((*KINDS, "text/vtt")), (what, answer.content_type)
            assert answer.headers["X-Content-Type-Options"] == "nosniff", what
            assert "sandbox" in answer.headers["Content-Security-Policy"], what
            assert "script-src" not in answer.headers["Content-Security-Policy"], what

    assert seen >= 5


def _address_of(desk, path: str) -> str:
    return desk.page("/authoring/sample/media").links[path.rpartition("/")[2]]


def test_a_file_never_gets_a_name_that_leads_elsewhere(desk):
    before = list_media()
    picture = PIXEL + chunk(b"IEND", b"")
    for name in NAMES:
        upload_file(desk, picture, name, title="A", alternative="A.", place="lessons/second.md")
    db.session.expire_all()

    names = [path.removeprefix("media/") for path in list_media().keys() - before.keys()]
    assert "passwd.png" in names
    assert [name for name in names if not PLAIN.fullmatch(name)] == []
