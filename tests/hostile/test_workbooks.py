"""A small workbook takes neither a worker nor its memory; an archive means one thing or is refused."""

import io
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from portal.platform.errors import BadInputError
from portal.platform.tables.table_files import open_sheet
from tests.domain.imports.desk import administrator, upload
from tests.domain.imports.rosters import COLUMNS, row
from tests.hostile.workbooks import Piece, archive, changed, packed, parts, pieces, plain, with_cells
from tests.running import command, settings

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 512 * 1024 * 1024  # bytes of address space that the command may use, and what it starts
FAR = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
OUTSIDE = r"There is a value in .*, and 300,000 rows of 200 columns are read\."


def small_and_far():
    content = with_cells(FAR)
    assert len(content) < 7_000
    return content


@pytest.mark.slow
def test_a_far_cell_is_refused_by_the_command_within_little_memory(tmp_path):
    assert command(settings(tmp_path), "db", "upgrade").returncode == 0
    path = tmp_path / "far.xlsx"
    path.write_bytes(small_and_far())
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "people", "import", str(path)],
        cwd=ROOT,
        env=settings(tmp_path),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )

    assert done.returncode == 1
    assert "There is a value in XFD1048576, and 300,000 rows of 200 columns are read." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_far_cell_is_refused_by_the_page_and_the_next_file_is_read(client):
    administrator(client)

    page = upload(client, small_and_far(), name="far.xlsx")

    assert page.title.startswith("Error: ")
    assert "There is a value in XFD1048576" in page.text
    good = plain(COLUMNS, [row()[name] for name in COLUMNS])
    assert upload(client, good, name="roster.xlsx").h1 == "Match the columns of roster.xlsx"


@pytest.mark.parametrize(
    "cells",
    [
        FAR,
        b'<row r="1"><c r="GS1"><v>1</v></c></row>',
        b'<row r="1"><c r="gs1"><v>1</v></c></row>',
        b'<row r="1048576"><c><v>1</v></c></row>',
        b'<row r="9999999"><c><v>1</v></c></row>',
        b'<row><c r="A9999999"><v>1</v></c></row>',
        b"<row>" + b"<c><v>1</v></c>" * 201 + b"</row>",
        b'<c r="XFD1048576"><v>1</v></c>',
        b'<row r="1"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>',
        b'<row r="1"><c r="XFD1048576"><f>A1</f><v>1</v></c></row>',
        b'<x:row xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
        b"<row><c r='&#88;FD1048576'><v>1</v></c></row>",
    ],
)
def test_a_value_outside_the_limits_is_refused_however_it_is_placed(cells):
    with pytest.raises(BadInputError, match=OUTSIDE):
        open_sheet(with_cells(cells), "r.xlsx")


@pytest.mark.parametrize("place", ["A0", "$A$1", "1A", "AAAA1", "A12345678", "A", "Ａ1", "A1:B2"])
def test_a_place_that_is_none_is_refused(place):
    with pytest.raises(BadInputError, match="The worksheet has a cell"):
        open_sheet(with_cells(f'<row><c r="{place}"><v>1</v></c></row>'.encode()), "r.xlsx")


def test_a_wide_and_tall_sheet_of_few_cells_is_refused():
    cells = b'<row r="200000"><c r="GR200000"><v>1</v></c></row>'

    with pytest.raises(BadInputError, match="more than 6,000,000 cells between its first value and its last"):
        open_sheet(with_cells(cells), "r.xlsx")


def test_cells_without_a_value_and_what_the_sheet_says_of_its_size_do_not_count():
    content = with_cells(b'<row r="1048576"><c r="XFD1048576" s="0"/></row>')
    content = changed(
        content,
        **{"xl__worksheets__sheet1.xml": lambda d: d.replace(b'<dimension ref="A1', b'<dimension ref="XFD9')},
    )

    assert open_sheet(content, "r.xlsx").lines == [(2, ["R1"])]


def test_only_the_sheet_that_is_read_has_to_be_small():
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet("List").write_column(0, 0, ["staff_number", "R1"])
        book.add_worksheet("Pivot").write(900_000, 300, "far")

    assert open_sheet(content.getvalue(), "r.xlsx").lines == [(2, ["R1"])]


def test_merged_cells_are_not_filled_in():
    merge = b'</sheetData><mergeCells count="1"><mergeCell ref="A2:XFD1048576"/></mergeCells>'
    content = changed(
        plain(["staff_number"], ["R1"]),
        **{"xl__worksheets__sheet1.xml": lambda d: d.replace(b"</sheetData>", merge)},
    )

    assert open_sheet(content, "r.xlsx").lines == [(2, ["R1"])]


@pytest.mark.slow
def test_one_long_text_in_very_many_cells_is_refused():
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["note", *["x" * 32_000] * 40_000])  # kept once, said 40,000 times
    assert len(content.getvalue()) < 300_000

    with pytest.raises(
        BadInputError, match=r"takes too much memory to read\. Save only|or too long ones: split"
    ):
        open_sheet(content.getvalue(), "r.xlsx")


def test_what_a_sheet_refers_to_outside_is_refused_as_in_a_workbook():
    link = '<Relationship Id="r9" Type="http://x/oleObject" Target="file:///x" TargetMode="&#69;xternal"/>'
    relations = f'<?xml version="1.0"?><Relationships xmlns="x">{link}</Relationships>'.encode()

    with pytest.raises(BadInputError, match="refers to something outside it"):
        open_sheet(packed(parts(plain()) | {"xl/worksheets/_rels/sheet1.xml.rels": relations}), "r.xlsx")


@pytest.mark.parametrize("tag", ["c", "row", "f"])
def test_very_many_open_elements_take_no_long_time(tag):
    """Looked through by a pattern, these took hours."""
    cells = f"<row><c r='A9'><f>1</f></c>{f'<{tag}>' * 150_000}".encode()

    with pytest.raises(BadInputError):
        open_sheet(with_cells(cells), "r.xlsx")


def one(change):
    """A workbook's pieces with a change of the second."""
    made = pieces()
    change(made[1])
    return archive(made)


def says(where, **lies):
    return one(lambda piece: getattr(piece, where).update(lies))


def named(name, data=b"<a/>"):
    return archive([*pieces(), Piece(name, data)])


def large(**lies):
    """An archive with the records of a large one, which agree but for the lies."""
    made = pieces()
    plain_one = archive(made)
    at = len(plain_one) - 22
    _, _, here, count, size, start, _ = struct.unpack_from("<4H2LH", plain_one, at + 4)
    said = {"count": count, "size": size, "start": start, "place": at, "disks": 1} | lies
    end = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, here, said["count"], said["size"], said["start"]
    )
    return archive(
        made, before_end=end + struct.pack("<4sLQL", b"PK\x06\x07", 0, said["place"], said["disks"])
    )


ZIP64 = struct.pack("<2H2Q", 1, 16, 5, 5)
NAMED = struct.pack("<2HBL", 0x7075, 6, 1, 0) + b"x"
LIES = {
    "a duplicate": lambda: archive([*pieces(), pieces()[1]]),
    "a name of another case": lambda: named(b"XL/Workbook.XML"),
    "a name written with percents": lambda: named(b"xl/workbook%2Exml"),
    "another name of its own": lambda: says("local", name=b"xl/other.xml"),
    "another method of its own": lambda: says("local", method=0),
    "other flags of its own": lambda: says("local", flags=2),
    "another checksum of its own": lambda: says("local", crc=1),
    "another size of its own": lambda: says("local", unpacked=1),
    "another packed size of its own": lambda: says("local", packed=1),
    "a checksum that is wrong": lambda: one(lambda p: (p.local.update(crc=7), p.central.update(crc=7))),
    "a size that is wrong": lambda: one(lambda p: (p.local.update(unpacked=7), p.central.update(unpacked=7))),
    "a larger size": lambda: one(
        lambda p: (p.local.update(unpacked=99_999), p.central.update(unpacked=99_999))
    ),
    "data before": lambda: one(lambda p: setattr(p, "before", b"x")),
    "data before the first": lambda: b"PK\x03\x04" + archive(pieces()),
    "data before the end": lambda: archive(pieces(), before_end=b"x"),
    "data behind": lambda: archive(pieces(), behind=b"x"),
    "a comment of the archive": lambda: archive(pieces(), comment=b"x"),
    "a comment of an entry": lambda: one(lambda p: setattr(p, "comment", b"x")),
    "another count": lambda: archive(pieces(), count=1, here=1),
    "another size of the directory": lambda: archive(pieces(), size=46),
    "another start of the directory": lambda: archive(pieces(), start=0),
    "another disk": lambda: archive(pieces(), disk=1),
    "an entry on another disk": lambda: says("central", disk=1),
    "entries that overlap": lambda: says("central", offset=0),
    "a descriptor that lies": lambda: one(
        lambda p: (setattr(p, "flags", 8), setattr(p, "after", b"\0" * 12))
    ),
    "no descriptor": lambda: one(lambda p: (setattr(p, "flags", 8), setattr(p, "after", b""))),
    "a descriptor that is not said": lambda: one(lambda p: setattr(p, "before", b"PK\x07\x08" + b"\0" * 12)),
    "a large size beside a small one": lambda: says("central", extra=ZIP64),
    "a large size of its own": lambda: says("local", extra=ZIP64),
    "a large size that is not there": lambda: says("central", unpacked=0xFFFFFFFF),
    "two large sizes": lambda: says("central", extra=ZIP64 * 2, unpacked=0xFFFFFFFF, packed=0xFFFFFFFF),
    "an extra field that is cut off": lambda: says("central", extra=b"\x01\x00\x10\x00x"),
    "a second name": lambda: says("central", extra=NAMED),
    "two ends that disagree on the count": lambda: large(count=1),
    "two ends that disagree on the place": lambda: large(start=1),
    "a large end elsewhere": lambda: large(place=0),
    "a large end on more disks": lambda: large(disks=2),
    "another way of packing": lambda: says("central", method=12),
    "a link": lambda: one(lambda p: p.central.update(mode=0o120777 << 16, system=0x0314)),
    "a device": lambda: one(lambda p: p.central.update(mode=0o060666 << 16, system=0x0314)),
    "a way out": lambda: named(b"../../x"),
    "a way out with percents": lambda: named(b"xl/%2e%2e/%2E%2E/x"),
    "a way out and back": lambda: named(b"xl/../xl/x"),
    "a way to here": lambda: named(b"xl/./x"),
    "nothing between two slashes": lambda: named(b"xl//x"),
    "a whole path": lambda: named(b"/etc/passwd"),
    "a drive": lambda: named(b"C:/x"),
    "a stream": lambda: named(b"xl/x:y"),
    "a backslash": lambda: named(b"xl\\x"),
    "a backslash with percents": lambda: named(b"xl%5Cx"),
    "a NUL": lambda: named(b"xl/x\0.xml"),
    "a line end": lambda: named(b"xl/x\n.xml"),
    "no name": lambda: named(b""),
    "another code": lambda: named("xl/ü.xml".encode()),
    "another code's bytes": lambda: named(b"xl/\xfc.xml"),
    "a device's name": lambda: named(b"xl/CON.xml"),
    "a dot at the end": lambda: named(b"xl/x."),
    "a space at the end": lambda: named(b"xl /x"),
    "a file that is a folder": lambda: named(b"xl/workbook.xml/x"),
    "a folder with data": lambda: named(b"xl/folder/"),
    "very many parts": lambda: archive([*pieces(), *(Piece(b"x%d" % n, b"") for n in range(1_001))]),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_archive_that_means_two_things_is_refused(lie):
    with pytest.raises(
        BadInputError, match=r"^The workbook's archive is ambiguous\. Open it, and save it again"
    ):
        open_sheet(LIES[lie](), "r.xlsx")


def test_an_archive_of_one_meaning_is_read():
    assert open_sheet(archive(pieces()), "r.xlsx").columns == ["staff_number"]


class Stream(io.RawIOBase):
    """Takes bytes and cannot go back, as a response does."""

    def __init__(self):
        self.content = b""

    def writable(self):
        return True

    def write(self, data):
        self.content += bytes(data)
        return len(data)


def streamed(*, large=False):
    """As LibreOffice and servers write: sizes behind each part."""
    out = Stream()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts(plain()).items():
            with made.open(name, "w", force_zip64=large) as part:
                part.write(data)
    return out.content


def like_excel():
    """Room to grow beside the name, in its own header alone; another effort of packing."""
    room = struct.pack("<2H", 0xA220, 260) + struct.pack("<2H", 0xA028, 0x100) + bytes(256)
    made = pieces()
    for piece in made:
        piece.flags = 6
        piece.local["extra"] = room
    return archive(made)


def with_folders():
    """As a program that packs folders writes, with the marks of Unix."""
    times = b"UT\x05\x00\x01\0\0\0\0"
    folders = [Piece(name, b"", method=0) for name in (b"xl/", b"xl/worksheets/", b"_rels/", b"docProps/")]
    made = [*folders, *pieces()]
    for piece in made:
        piece.central |= {"extra": times, "system": 0x031E, "mode": 0o100644 << 16}
    for piece in folders:
        piece.central["mode"] = 0o040755 << 16
    return archive(made)


@pytest.mark.parametrize(
    "made",
    [
        streamed(),
        streamed(large=True),
        like_excel(),
        with_folders(),
        large(),
        packed(parts(plain())),
        archive([Piece(piece.name, piece.data, method=0) for piece in pieces()]),
    ],
    ids=["streamed", "streamed and large", "Excel", "folders", "large end", "repacked", "not compressed"],
)
def test_what_real_programs_write_is_read(made):
    assert open_sheet(made, "r.xlsx").lines == [(2, ["R1"])]
