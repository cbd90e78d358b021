"""Workbooks of each kind say the same; of several sheets the list is settled where it can be, else asked."""

import io
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.platform.errors import BadInputError
from portal.platform.tables.columns import find_names
from portal.platform.tables.isolated_reader import read_sheet, read_sheet_forgivingly, refuse_other_kinds
from portal.platform.tables.sheet_choice import SheetGlimpse, SheetWish, choose_sheet
from portal.platform.tables.table_files import open_sheet
from tests.platform.tables.written_workbooks import WRITERS, compound, ods_of, xlsx

KINDS = sorted(WRITERS)
GROUPS = [
    ["Name", "Respond", "", "Protect", ""],
    ["", "Completed", "Score", "Completed", "Score"],
    ["W1", date(2026, 3, 14), 0.85, date(2026, 4, 3), 0.5],
    ["Siân", date(2026, 3, 14), 1, "", ""],
]
MERGES = [(0, 0, 1, 0), (0, 1, 0, 2), (0, 3, 0, 4)]
JOINED = ["Name", "Respond: Completed", "Respond: Score", "Protect: Completed", "Protect: Score"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_workbook_is_read_alike(kind):
    content = WRITERS[kind]({"One": GROUPS, "Read me": [["Printed on 3 May"]]}, MERGES)

    reading = read_sheet_forgivingly(content, "file.dat")

    assert reading.columns == JOINED
    assert reading.lines == [
        (3, ["W1", "2026-03-14", "0.85", "2026-04-03", "0.5"]),
        (4, ["Siân", "2026-03-14", "1", "", ""]),
    ]
    assert reading.notes == ["The columns’ names were joined from lines 1 and 2."]
    assert (reading.sheet, reading.settled) == ("One", True), "the other sheet has no table"
    assert [(glimpse.name, glimpse.has_table) for glimpse in reading.glimpses] == [
        ("One", True),
        ("Read me", False),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_portals_own_format_is_read_from_every_kind_and_its_first_sheet(kind):
    content = WRITERS[kind]({"One": [["a", "b"], ["1", date(2026, 3, 14)]], "Two": [["c"], ["x"]]})

    assert read_sheet(content, "file.dat") == (["a", "b"], [(2, ["1", "2026-03-14"])])


@pytest.mark.parametrize("kind", ["ods", "xlsx"])
def test_a_hidden_sheet_is_not_proposed_beside_one_that_is_shown(kind):
    content = WRITERS[kind](
        {"Old": [["a", "b"], ["1", "2"]], "New": [["a", "b"], ["3", "4"]]}, hidden=("Old",)
    )

    reading = read_sheet_forgivingly(content, "file.dat")

    assert (reading.sheet, reading.settled, reading.lines) == ("New", True, [(2, ["3", "4"])])


def test_several_lists_are_refused_where_nobody_can_be_asked():
    content = xlsx({"May": [["a", "b"], ["1", "2"]], "June": [["a", "b"], ["3", "4"]]})

    with pytest.raises(BadInputError, match="may be the list: “May”, “June”"):
        open_sheet(content, "r.xlsx", forgiving=True)
    assert open_sheet(content, "r.xlsx", forgiving=True, wish=SheetWish("June")).lines == [(2, ["3", "4"])]


def test_a_sheet_that_cannot_be_read_is_no_reason_to_refuse_another():
    content = xlsx({"List": [["a", "b"], ["1", "2"]], "Far": [["a", *[""] * 300, "far"], ["x", "y"]]})

    reading = read_sheet_forgivingly(content, "r.xlsx")

    assert (reading.sheet, reading.settled) == ("List", True)
    assert "There is a value in KP1" in reading.glimpses[1].fault


GLIMPSES = st.lists(
    st.builds(
        lambda name, hidden, columns, rows: SheetGlimpse(
            name, hidden, "", columns, [], rows if columns else 0
        ),
        st.sampled_from(["May", "June", "Notes", "Pivot"]),
        st.booleans(),
        st.sampled_from([[], ["Collar No", "Course"], ["Collar No", "Course", "Date"], ["Total", "Unit"]]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda glimpse: glimpse.name,
)


@given(GLIMPSES, st.sampled_from(["", "May", "Gone"]), st.sampled_from([(), ("Collar No", "Date")]))
def test_a_sheet_is_settled_only_where_no_other_could_be_meant(glimpses, name, columns):
    place, settled = choose_sheet(glimpses, SheetWish(name, columns, ("collarno", "course")))

    tables = [glimpse for glimpse in glimpses if glimpse.has_table]
    shown = [glimpse for glimpse in tables if not glimpse.hidden] or tables
    remembered = [glimpse for glimpse in tables if glimpse.name == name]
    fitting = [glimpse for glimpse in shown if columns and {*columns} <= {*glimpse.columns}]
    only = remembered or (fitting if len(fitting) == 1 else shown)
    assert settled == (len(only) <= 1)
    assert not tables or glimpses[place] in (remembered or fitting or shown), (
        "one that has a table is proposed"
    )


def lines_of(*rows):
    return list(enumerate(([*row] for row in rows), start=1))


@pytest.mark.parametrize(
    ("rows", "spans", "names"),
    [
        pytest.param([["Number", "Name"], ["1", "a"], ["2", "b"]], None, None, id="one line"),
        pytest.param(
            [["Number", "Respond", ""], ["", "Done", "Score"], ["1", "a", "b"]],
            None,
            ["Number", "Respond: Done", "Respond: Score"],
            id="text with groups",
        ),
        pytest.param(
            [["", "Respond", "", "Protect", ""], ["No", "Done", "Score", "Done", "Score"], ["1", *"abcd"]],
            None,
            ["No", "Respond: Done", "Respond: Score", "Protect: Done", "Protect: Score"],
            id="text with names that are there twice",
        ),
        pytest.param(
            [["Report", "", "By", ""], ["No", "Name", "Done", "Score"], ["1", *"abc"]],
            None,
            None,
            id="text with a title",
        ),
        pytest.param(
            [["Report", "", ""], ["No", "Done", "Score"], ["1", *"ab"]],
            [(0, 0, 0, 2)],
            None,
            id="merged title",
        ),
        pytest.param(
            [["Number", "Day", ""], ["1", "a", "b"], ["2", "c", "d"]],
            [],
            None,
            id="a nameless column that is not merged",
        ),
        pytest.param(
            [["Number", "Day", ""], ["1", "a", ""], ["2", "c", "d"]],
            None,
            None,
            id="a nameless column of text",
        ),
    ],
)
def test_names_in_two_lines_are_joined_only_where_the_upper_stand_over_the_lower(rows, spans, names):
    lines = lines_of(*rows)
    first = max(range(2), key=lambda place: sum(map(bool, lines[place][1])))

    expected = names or lines[first][1]
    assert find_names(lines, first, spans)[0] == expected


def zip_of(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(99), "a picture", id="png"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(99), "a picture", id="jpeg"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 ", "a picture", id="webp"),
        pytest.param(b"\0\0\0\x18ftypheic" + bytes(99), "a picture", id="heic"),
        pytest.param(b"%PDF-1.7\n%\xe2\xe3", "a PDF", id="pdf"),
        pytest.param(b"MZ\x90\0\x03\0" + bytes(99), "a program", id="exe"),
        pytest.param(b"\x7fELF\x02\x01" + bytes(99), "a program", id="elf"),
        pytest.param(b"<!DOCTYPE html><html><table>", "a web page", id="html"),
        pytest.param(b"\xef\xbb\xbf<?xml version='1.0'?><Workbook>", "an XML file", id="xml"),
        pytest.param(b'[{"number": "W1"}]', "a JSON file", id="json"),
        pytest.param(b"\x1f\x8b\x08\0" + bytes(99), "a packed file", id="gzip"),
        pytest.param(zip_of("word/document.xml"), "a Word document", id="docx"),
        pytest.param(zip_of("xl/workbook.bin"), "a binary workbook", id="xlsb"),
        pytest.param(zip_of("photo.jpg", "roster.csv"), "a ZIP archive", id="zip"),
        pytest.param(compound({"WordDocument": b""}), "a Word document", id="doc"),
        pytest.param(bytes(range(256)) * 4, "a program or another file that is not text", id="bytes"),
    ],
)
def test_a_file_that_is_no_table_is_told_what_it_is(content, words):
    for read in (read_sheet, read_sheet_forgivingly):
        with pytest.raises(BadInputError, match=f"This is {words}.*, not a table\\. [A-Z]"):
            read(content, "roster.csv")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"BMI,name\n1,2\n", id="bitmap letters"),
        pytest.param(b"MZ,name\n1,2\n", id="program letters"),
        pytest.param(b"[Staff number],[Name]\n1,2\n", id="names in brackets"),
        pytest.param("Zoë,name\n1,2\n".encode("cp1252"), id="windows"),
        pytest.param("a\tb\n1\t2\n".encode("utf-16-le"), id="wide"),
        pytest.param(b"a,b\nSh\0ah,2\n", id="a control character"),
        pytest.param(ods_of(""), id="ods"),
    ],
)
def test_a_table_is_not_taken_for_another_kind_of_file(content):
    refuse_other_kinds(content)
