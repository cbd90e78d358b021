"""XLS and ODS files that would take memory, run programs or fetch data are refused with a sentence."""

import random
import re
import struct
import zipfile
from collections import Counter
from datetime import date
from io import BytesIO

import pytest

from portal.platform.errors import BadInputError
from portal.platform.tables import safety
from portal.platform.tables.isolated_reader import open_workbook, read_sheet, read_sheet_forgivingly
from portal.platform.tables.safety import check_ods, check_xls
from portal.platform.tables.table_files import open_sheet
from tests.platform.tables.written_workbooks import (
    begin,
    compound,
    ods,
    ods_cell,
    ods_of,
    record,
    xls,
    xls_book,
    xls_sheet,
    xlsx,
)

ROWS = [["staff_number"], ["R1"]]
PLAIN_SHEET = xls_sheet(ROWS)
OUTSIDE = r"There is a value in .*, and 300,000 rows of 200 columns are read\."
FAR_CELL = record(0x0203, struct.pack("<3Hd", 65535, 255, 0, 1))
LOW_CELL = record(0x0203, struct.pack("<3Hd", 65535, 150, 0, 1))


def sheet_with(*records):
    return PLAIN_SHEET[: -len(record(0x000A))] + b"".join(records) + record(0x000A)


def book_with(globals_=b"", sheets=None, **lies):
    return compound({"Workbook": xls_book(sheets or {"One": PLAIN_SHEET}, globals_, **lies)})


def linked(kind, name="other.xls"):
    return record(0x01AE, struct.pack("<2H", 1, kind) + name.encode())


def table(rows, name="One"):
    return f'<table:table table:name="{name}">{rows}</table:table>'


def table_row(cells, copies=1):
    return f'<table:table-row table:number-rows-repeated="{copies}">{cells}</table:table-row>'


def repeated(value, copies):
    return ods_cell(value, f'table:number-columns-repeated="{copies}"')


HEADER = table_row(ods_cell("staff_number"))
PASSWORD_ENTRY = (
    '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
)

HOSTILE = {
    "xls: a password": (book_with(record(0x002F, bytes(6))), "protected by a password"),
    "xls: an xlsx with a password": (
        compound({"EncryptedPackage": b"", "EncryptionInfo": b""}),
        "protected by a password",
    ),
    "xls: macros": (
        compound({"Workbook": xls_book({"One": PLAIN_SHEET}), "_VBA_PROJECT_CUR": b""}),
        "holds macros",
    ),
    "xls: a sheet of macros": (book_with(sheet_type=1), "holds macros"),
    "xls: another workbook": (book_with(linked(9)), "takes data from other files"),
    "xls: a far cell": (book_with(sheets={"One": sheet_with(FAR_CELL)}), OUTSIDE),
    "xls: a tall and wide sheet": (
        book_with(sheets={"One": sheet_with(LOW_CELL)}),
        "more than 6,000,000 cells",
    ),
    "xls: sheets in one place": (
        book_with(sheets={f"Sheet {n}": PLAIN_SHEET for n in range(40)}, starts=[700] * 40),
        "parts overlap|can be read",
    ),
    "xls: a chain that ends nowhere": (
        compound({"Workbook": xls_book({"One": PLAIN_SHEET})}, links={0: 0}),
        "parts overlap",
    ),
    "xls: a chain that leads outside": (
        compound({"Workbook": xls_book({"One": PLAIN_SHEET})}, links={0: 90_000}),
        "can be read",
    ),
    "xls: a number of texts that there are not": (
        book_with(record(0x00FC, struct.pack("<2L", 9, 4_000_000_000))),
        "can be read",
    ),
    "xls: cut off": (xls({"One": ROWS})[:900], "can be read"),
    "xls: only a beginning": (b"\xd0\xcf\x11\xe0" + b"0" * 600, "can be read"),
    "xls: nested lists without end": (book_with(begin(0x0005) * 300), "parts overlap"),
    "ods: a far cell": (
        ods_of(
            table(HEADER + table_row(ods_cell("", 'table:number-columns-repeated="16383"') + ods_cell("x")))
        ),
        OUTSIDE,
    ),
    "ods: a row of very many copies": (ods_of(table(HEADER + table_row(ods_cell("x"), 1_048_576))), OUTSIDE),
    "ods: a cell of very many copies": (
        ods_of(table(HEADER + table_row(repeated("x", 2_000_000_000)))),
        OUTSIDE,
    ),
    "ods: copies of copies": (
        ods_of("".join(table(table_row(repeated("x", 200), 20_000), f"T{n}") for n in range(3))),
        "more than 6,000,000 values together",
    ),
    "ods: a number that is none": (ods_of(table(HEADER + table_row(ods_cell("x"), "9" * 5000))), "ambiguous"),
    "ods: no copies": (ods_of(table(HEADER + table_row(ods_cell("x"), 0))), "ambiguous"),
    "ods: a table in a table": (
        ods_of(table(HEADER + table_row(f"<table:table-cell>{table(HEADER)}</table:table-cell>"))),
        "ambiguous",
    ),
    "ods: a formula without a value": (
        ods_of(table(HEADER + table_row('<table:table-cell table:formula="of:=1"/>'))),
        "The formula in A2 has no value",
    ),
    "ods: macros": (ods_of(table(HEADER), Basic__Standard__Module1="x"), "holds macros"),
    "ods: scripts": (ods_of(table(HEADER), Scripts__python__run="x"), "holds macros"),
    "ods: a password": (ods_of(table(HEADER), PASSWORD_ENTRY), "protected by a password"),
    "ods: a package with a password": (ods_of(table(HEADER), **{"encrypted-package": "x"}), "protected"),
    "ods: another file": (
        ods_of(f'<table:table table:name="One"><table:table-source/>{HEADER}</table:table>'),
        "takes data from other files",
    ),
    "ods: a program that gives values": (
        ods_of(table(HEADER) + "<table:dde-links/>"),
        "takes data from other files",
    ),
    "ods: an xlsx within": (ods_of(table(HEADER), xl__workbook="x"), "ambiguous"),
    "ods: a document type": (
        ods_of(table(HEADER), **{"styles.xml": '<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>'}),
        "declares a document type",
    ),
    "ods: open elements": (ods_of("<table:table-row>" * 50_000), "can be read"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_is_more_than_a_table_is_refused_with_a_sentence(name):
    content, reason = HOSTILE[name]

    for read in (read_sheet, read_sheet_forgivingly):
        with pytest.raises(BadInputError, match=reason):
            read(content, "roster.csv")


def test_the_plain_files_beside_them_are_read():
    assert check_xls(book_with(linked(0x0401))) == [""]
    assert check_ods(ods_of(table(HEADER)))[0].fault == ""
    assert read_sheet(xls({"One": ROWS}), "r.pdf") == (["staff_number"], [(2, ["R1"])])


def test_what_the_reader_of_workbooks_falls_over_is_refused_and_the_next_file_is_read():
    merges = record(0x00E5, b"")  # the number of merged cells is not there, and the reader crashes

    with pytest.raises(BadInputError, match="This workbook cannot be read"):
        open_sheet(book_with(sheets={"One": sheet_with(merges)}), "r.xls")
    assert open_sheet(xls({"One": ROWS}), "r.xls").lines == [(2, ["R1"])]


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(safety, "MOST_UNPACKED", 100_000)

    with pytest.raises(BadInputError, match="unpacks to more than"):
        open_workbook(ods_of(table(HEADER), Pictures__big="0" * 200_000))


def test_a_zip_in_a_zip_is_no_workbook():
    inner, outer = ods_of(table(HEADER)), BytesIO()
    with zipfile.ZipFile(outer, "w") as packed:
        packed.writestr("roster.ods.zip", inner)

    with pytest.raises(BadInputError, match="This is a ZIP archive, not a table"):
        read_sheet(outer.getvalue(), "roster.ods")


@pytest.mark.slow
def test_one_long_text_in_very_many_cells_is_refused_in_little_memory():
    text = "x" * 32_000
    content = ods_of(table(HEADER + table_row(ods_cell(text), 290_000)))
    assert len(content) < 5_000

    with pytest.raises(
        BadInputError, match=r"takes too much memory to read|too long ones: split|or too long"
    ):
        open_sheet(content, "r.ods")


TOKENS = [
    *"""
    1 0 -1 2 16384 1048576 999999999999 １２ 1e309 nan inf true 0x10 2026-13-45 9999-12-31T99:99:99
    PT99999999H office:value-type string float date boolean percentage currency time void table:table
    table:table-row table:table-cell table:covered-table-cell table:table-header-rows table:table-row-group
    table:shapes text:p text:line-break office:annotation office:value office:date-value
    table:number-columns-repeated table:number-rows-repeated table:number-rows-spanned &#0; &#x202e;
    &amp;amp; ]]> <![CDATA[x]]> <!-- <?x?>
    """.split(),
    "9" * 40,
    "text:s text:c='999999999'",
    "\ufeff",
    "\ud7ff",
]


def change_xml(chance, content):
    """The workbook with a few words, tags or pieces of one of its parts changed for others, or doubled."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as given,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in given.namelist():
            text = given.read(name).decode()
            if name == "content.xml" or chance.random() < 0.1:
                for _ in range(chance.randint(1, 5)):
                    words = list(re.finditer(r"[\w:.-]+", text))
                    if not words:
                        break
                    word, other = chance.choice(words), chance.choice(words)
                    piece = text[min(word.start(), other.start()) : max(word.end(), other.end())]
                    new = chance.choice((chance.choice(TOKENS), other[0], piece, ""))
                    text = text[: word.start()] + new + text[word.end() :]
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            packed.writestr(name, text.encode(errors="replace"), method)
    return out.getvalue()


def change_bytes(chance, content):
    """The file with a few of its bytes changed, two-byte numbers made extreme, or pieces moved."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(changed) - 8)
        extreme = struct.pack("<H", chance.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF, chance.randrange(65536))))
        changed[at : at + 2] = chance.choice((extreme, changed[-at - 2 : -at] or extreme))
    return bytes(changed)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("write", "change"), [(ods, change_xml), (ods, change_bytes), (xls, change_bytes), (xlsx, change_bytes)]
)
def test_a_workbook_changed_at_random_is_read_or_refused_and_never_stops_the_portal(write, change):
    day, chance = date(2026, 4, 30), random.Random(39)
    rows = [
        ["staff_number", "surname", "since"],
        ["R1", "Ash & <b>", day],
        ["R2", "", 7.5],
        ["R3", "Old", day],
    ]
    content = write({"One": rows, "Two": rows}, merges=((0, 1, 0, 2),))
    outcomes, said = Counter(), set()

    for _ in range(250):
        try:
            sheet = open_sheet(change(chance, content), "r")
        except BadInputError as error:
            outcomes["refused"] += 1
            said.update(error.reasons)
        else:
            outcomes["read"] += 1
            assert all(len(cells) <= 200 for _, cells in sheet.lines)

    assert outcomes["refused"] > 10
    assert [reason for reason in said if not reason.endswith((".", "”", ")"))] == []
    assert open_sheet(content, "r").rows == 3
