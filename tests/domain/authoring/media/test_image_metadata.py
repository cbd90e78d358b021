"""Metadata of pictures is removed, and the image data is unchanged."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.authoring import queries
from portal.domain.authoring.media import strip_metadata
from portal.domain.catalogue.media import media_kind
from tests.pages.authoring import desk

PLACE = b"51.4545,-2.5879"


def segment(mark: int, body: bytes) -> bytes:
    return bytes([0xFF, mark]) + struct.pack(">H", len(body) + 2) + body


def exif(orientation: int, order: str = "<") -> bytes:
    """Exif with two entries, the second of which is the orientation, and a place after them."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, 2)
    entries = struct.pack(f"{order}HHIHH", 0x010F, 3, 1, 7, 0) + struct.pack(
        f"{order}HHIHH", 0x0112, 3, 1, orientation, 0
    )
    return b"Exif\0\0" + head + entries + PLACE


SCAN = segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"ab\xff\0c\xff\xd0d"
NEEDED = [
    segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
    segment(0xE2, b"ICC_PROFILE\0\x01\x01colours"),
    segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
    segment(0xDB, b"\0" + bytes(range(64))),
    segment(0xC2, b"\x08\0\x01\0\x01\x01\x01\x11\0"),
    SCAN,
    segment(0xC4, b"\xff\xd9\xff\xe1"),  # looks like an end, and is a table between two scans
    SCAN,
]
METADATA = [
    segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PLACE),
    segment(0xE2, b"MPF\0" + PLACE),
    segment(0xED, b"Photoshop 3.0\0" + PLACE),
    segment(0xFE, PLACE),
]


def jpeg(parts: list[bytes], appended: bytes = b"") -> bytes:
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9" + appended


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


PNG = b"\x89PNG\r\n\x1a\n"
PNG_NEEDED = [
    chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
    chunk(b"gAMA", struct.pack(">I", 45455)),
    chunk(b"IDAT", zlib.compress(b"\0\0")),
    chunk(b"IEND", b""),
]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP"
    for name, data in chunks:
        body += name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_photograph_keeps_its_image_data_and_loses_its_metadata():
    first, *others = NEEDED
    whole = jpeg(
        [first, segment(0xE1, exif(1)), *METADATA, b"\xff", *others], appended=jpeg([*METADATA, *NEEDED])
    )

    assert strip_metadata("jpg", whole) == jpeg(NEEDED)
    assert strip_metadata("jpg", jpeg(NEEDED)) == jpeg(NEEDED)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photograph_stays_the_way_up_it_was(orientation, order):
    stripped = strip_metadata("jpg", jpeg([segment(0xE1, exif(orientation, order)), *NEEDED]))

    assert PLACE not in stripped
    assert stripped == jpeg([segment(0xE1, stripped[6:38]), *NEEDED])
    assert strip_metadata("jpg", stripped) == stripped  # so it still says which way up it is


def test_a_png_keeps_its_image_data_and_loses_its_metadata():
    metadata = [chunk(name, PLACE) for name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"prVt")]

    assert strip_metadata(
        "png", PNG + b"".join([PNG_NEEDED[0], *metadata, *PNG_NEEDED[1:]]) + PLACE
    ) == PNG + b"".join(PNG_NEEDED)


def test_a_webp_keeps_its_image_data_and_loses_its_metadata():
    size = b"\0\0\0" + b"\x01\0\0" * 2
    whole = riff(
        (b"VP8X", b"\x3c" + size), (b"ICCP", b"abc"), (b"VP8 ", b"dots"), (b"EXIF", PLACE), (b"XMP ", PLACE)
    )

    assert strip_metadata("webp", whole + PLACE) == riff(
        (b"VP8X", b"\x30" + size), (b"ICCP", b"abc"), (b"VP8 ", b"dots")
    )


@given(
    st.sampled_from(
        [("jpg", jpeg(NEEDED)), ("png", PNG + b"".join(PNG_NEEDED)), ("webp", riff((b"VP8 ", b"dots")))]
    ),
    st.data(),
)
def test_a_picture_that_is_cut_or_broken_is_taken_as_it_comes(picture, data):
    kind, whole = picture
    at = data.draw(st.integers(12, len(whole)))
    broken = whole[:at] + data.draw(st.binary(max_size=40))

    assert media_kind(strip_metadata(kind, broken)) == kind


@pytest.mark.parametrize(("kind", "content"), [("pdf", b"%PDF-1.7\n" + PLACE), ("svg", b"<svg/>")])
def test_other_files_stay_as_they_are(kind, content):
    assert strip_metadata(kind, content) == content


def test_an_uploaded_photograph_is_served_without_the_place_where_it_was_taken(app, database, tmp_path):
    desk.publish_sample(tmp_path)
    desk.make_person_with("D3001", "author")
    author = desk.signed_in_client(app, "D3001")
    desk.open_draft_page(author)
    whole = jpeg([segment(0xE1, exif(1)), *METADATA, *NEEDED])
    page = author.page("/authoring/sample/media")
    fields = page.form_with("Upload").fields | {
        "title": "A van",
        "alternative": "White.",
        "place": "lessons/first.md",
    }

    answer = author.post("/authoring/sample/media", data={**fields, "file": (BytesIO(whole), "van.jpg")})

    assert answer.status_code == 303
    state = queries.get_draft("sample")
    assert queries.read_content(state.files["media/van.jpg"]) == jpeg(NEEDED)
