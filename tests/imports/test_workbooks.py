"""A workbook is opened only where its archive can mean one thing and unpacks to a bounded size."""

import io
import zipfile

import pytest
import xlsxwriter

from portal.errors import BadInputError
from portal.people import workbook
from portal.people.files import read_table


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
        workbook.refuse_archive(spoil(made(["a"])))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        packed.writestr("xl/workbook.xml", "<a/>")
        packed.writestr("xl/workbook.xml", "<b/>")

    with pytest.raises(BadInputError, match="ambiguous"):
        workbook.refuse_archive(content.getvalue())


def test_what_unpacks_to_too_much_is_refused_whatever_it_declares(monkeypatch):
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1_000_000)
    content = bytearray(archive(part=b"0" * 5_000_000))
    declared = (5_000_000).to_bytes(4, "little")
    for _ in range(content.count(declared)):
        place = content.index(declared)
        content[place : place + 4] = (10).to_bytes(4, "little")

    with pytest.raises(BadInputError, match="unpacks to more than"):
        workbook.refuse_archive(bytes(content))


def test_an_ordinary_archive_is_no_workbook():
    with pytest.raises(BadInputError, match="is not a workbook"):
        workbook.lines(archive(readme="nothing"))


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
