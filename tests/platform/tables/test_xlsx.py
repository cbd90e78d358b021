"""A workbook is opened only where its archive can mean one thing and unpacks to a bounded size."""

import io
import zipfile

import pytest
import xlsxwriter

from portal.platform.errors import BadInputError
from portal.platform.formats import zip_archives as packed_files
from portal.platform.tables import isolated_reader, safety
from portal.platform.tables.safety import check_archive
from portal.platform.tables.table_files import read_table


def made(*rows):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        for number, values in enumerate(rows):
            for column, value in enumerate(values):
                sheet.write(number, column, value)
    return content.getvalue()


def archive(**parts):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return content.getvalue()


def test_numbers_dates_and_empty_rows(tmp_path):
    path = tmp_path / "any.name"
    path.write_bytes(made(["a", "b"], [], [7, "00123"], [0.85, ""]))

    rows = read_table(path, required=["a", "b"])

    assert [(row.line, row.values) for row in rows] == [
        (3, {"a": "7", "b": "00123"}),
        (4, {"a": "0.85", "b": ""}),
    ]


def test_a_value_beyond_the_last_named_column_is_a_bad_row(tmp_path):
    path = tmp_path / "r.xlsx"
    path.write_bytes(made(["a"], ["x"], ["y", "stray"]))

    with pytest.raises(BadInputError, match="Line 3: has 2 values where the first line names 1"):
        read_table(path, required=["a"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content + b"trailing",
        lambda content: b"PK\x03\x04" + content,
        lambda content: content + content,
    ],
)
def test_an_archive_with_anything_around_it_is_refused(spoil):
    with pytest.raises(BadInputError, match=r"ambiguous|can be read"):
        check_archive(spoil(made(["a"])))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("xl/workbook.xml", "<a/>")
        packed.writestr("xl/workbook.xml", "<b/>")

    with pytest.raises(BadInputError, match="ambiguous"):
        check_archive(content.getvalue())


@pytest.mark.slow
def test_what_unpacks_to_too_much_is_refused_whatever_it_declares():
    with pytest.raises(BadInputError, match="unpacks to more than"):
        check_archive(archive(part=bytes(safety.MOST_UNPACKED + 1)))
    content = bytearray(archive(part=b"0" * 5_000_000))
    declared = (5_000_000).to_bytes(4, "little")
    for _ in range(content.count(declared)):
        place = content.index(declared)
        content[place : place + 4] = (10).to_bytes(4, "little")

    with pytest.raises(BadInputError, match="ambiguous"):
        check_archive(bytes(content))


def test_an_ordinary_archive_is_no_workbook():
    with pytest.raises(BadInputError, match="is not a workbook"):
        isolated_reader.read_lines(archive(readme="nothing"))


def test_no_entity_in_a_workbook_is_expanded(tmp_path):
    plain = io.BytesIO(made(["a"], ["x"]))
    spoilt = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(spoilt, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = old.read(part)
            if part.filename == "xl/sharedStrings.xml":
                text = '<!DOCTYPE sst [<!ENTITY e SYSTEM "file:///etc/passwd">]><sst'
                data = data.replace(b"<sst", text.encode(), 1).replace(b"<t>x</t>", b"<t>&e;</t>")
                assert b"&e;" in data
            new.writestr(part.filename, data)
    path = tmp_path / "r.xlsx"
    path.write_bytes(spoilt.getvalue())

    try:
        seen = str(read_table(path, required=["a"]))
    except BadInputError:
        return
    assert "root:" not in seen


def changed(content, **parts):
    """A workbook with these parts changed by functions, or added as bytes."""
    spoilt = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(spoilt, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            data = old.read(part)
            change = parts.pop(part.filename, None)
            new.writestr(part.filename, change(data) if change else data)
        for name, data in parts.items():
            new.writestr(name, data)
    return spoilt.getvalue()


SHEET, RELATIONS = "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"


def formula(value):
    return lambda data: data.replace(
        b"<sheetData>", b'<sheetData><row r="9"><c r="A9"/><c r="B9"><f>SUM(A1)</f>' + value + b"</c></row>"
    )


def outside(kind):
    link = f'<Relationship Id="r9" Type="http://x/{kind}" Target="file:///x" TargetMode="External"/>'
    return lambda data: data.replace(b"</Relationships>", link.encode() + b"</Relationships>")


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"xl/vbaProject.bin": b"x"}, "holds macros"),
        (
            {"[Content_Types].xml": lambda d: d.replace(b"sheet.main", b"sheet.macroEnabled.main")},
            "holds macros",
        ),
        ({"xl/externalLinks/externalLink1.xml": b"<a/>"}, "takes data from other files"),
        ({"xl/connections.xml": b"<a/>"}, "takes data from other files"),
        ({RELATIONS: outside("externalLinkPath")}, "refers to something outside"),
        ({SHEET: formula(b"")}, "The formula in B9 has no value"),
        ({SHEET: formula(b"<v></v>")}, "The formula in B9 has no value"),
        ({SHEET: formula(b"<v/>")}, "The formula in B9 has no value"),
        ({SHEET: lambda data: b"<!DOCTYPE x>" + data}, "declares a document type"),
        ({SHEET: lambda data: ("<!DOCTYPE x>" + data.decode()).encode("utf-16")}, "declares a document type"),
    ],
)
def test_what_is_more_than_a_table_is_refused_with_a_sentence(parts, reason):
    with pytest.raises(BadInputError, match=reason):
        isolated_reader.read_lines(changed(made(["a"], ["x"]), **parts))


def test_links_and_formulas_with_values_are_read():
    linked = changed(made(["a"], ["x"]), **{RELATIONS: outside("hyperlink"), SHEET: formula(b"<v>7</v>")})

    assert list(isolated_reader.read_lines(linked))


def test_a_formula_is_found_where_two_pieces_meet(monkeypatch):
    monkeypatch.setattr(packed_files, "PIECE", 64)

    faults = check_archive(changed(made(["a"], ["x"]), **{SHEET: formula(b"")}))

    assert "The formula in B9 has no value" in faults[0]


def test_a_protected_part_is_named():
    content = bytearray(made(["a"]))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        begin = content.index(magic)
        content[begin + place] |= 1

    with pytest.raises(BadInputError, match="protected by a password"):
        isolated_reader.read_lines(bytes(content))
