"""Page, CSV, XLSX, PDF and JSON agree cell by cell, for five viewers and at three positions."""

import csv
import io
import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
import time_machine
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from portal.domain.reports import completion_files
from portal.domain.status.rules import Status
from tests.examples import sweep_after
from tests.factories.people import make_grant
from tests.page_reading import PortalClient, words
from tests.pages.monitoring.reading import csv_rows, parsed, xlsx_rows
from tests.pages.monitoring.world import REPORT, TODAY, World, enter, make_world

pytestmark = [pytest.mark.usefixtures("today"), pytest.mark.slow]
LABELS = {status.key: status.label for status in Status}
POSITIONS = (
    "",
    "?as_at=2026-04-30&as_known_on=2026-05-31",
    "?as_at=2026-04-30&as_known_on=2026-04-30",
)
VIEWERS = sweep_after(2, "D2003", "D6001", "D2001", "D2002", "D4001")  # a command, all


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def auditor(client):
    return enter(client, make_world(), "D6001")


def pdf_text(client: PortalClient, query: str = "") -> str:
    response = client.get(f"{REPORT}/completions.pdf{query}")
    assert response.status_code == 200, response.status_code
    assert response.mimetype == "application/pdf"
    pages = PdfReader(io.BytesIO(response.data)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def wide_rows(client: PortalClient, query: str = "") -> list[dict[str, str]]:
    return parsed(client.get(f"{REPORT}/people.csv{query}").get_data(as_text=True))


def page_rows(client: PortalClient, query: str = "") -> dict[str, list[str]]:
    """The words of each row of the table of people, by staff number."""
    page = client.page(REPORT + query)
    table = [one for one in page.all("table") if "People and their status" in words(one)]
    found = {}
    for row in table[0].iter() if table else ():
        if row.tag.endswith("tr"):
            cells = [words(cell) for cell in row if cell.tag.endswith(("td", "th"))]
            if number := re.search(r"[A-Z]\d+$", cells[0]):
                found[number[0]] = cells
    return found


def owner(world: World) -> None:
    world.person("D4001", "force", surname="Owner", role="training")
    make_grant(world.people["D4001"], "directive-owner")


@pytest.mark.parametrize("viewer", VIEWERS)
def test_every_form_of_a_view_says_the_same(client: PortalClient, viewer: str) -> None:
    world = make_world()
    owner(world)
    enter(client, world, viewer)
    for query in POSITIONS:
        long, wide, shown = csv_rows(client, query), wide_rows(client, query), page_rows(client, query)
        typed = json.loads(client.get(f"{REPORT}/completions.json{query}").data)
        printed = pdf_text(client, query)
        book = xlsx_rows(client, query)

        assert [row["staff_number"] for row in wide] == list(dict.fromkeys(r["staff_number"] for r in long))
        assert set(shown) == {row["staff_number"] for row in wide}
        assert len(long) == len(typed["rows"]) == len(book)
        for text, value, cell in zip(long, typed["rows"], book, strict=True):
            assert text["status"] == value["status"] == cell["status"]
            assert text["due_on"] == value["due_on"] == cell["due_on"].isoformat()
            assert text["satisfied_at"] == (value["satisfied_at"] or "")
        for row in wide:
            columns = [name for name in row if name.startswith("module_")]
            own = [one for one in long if one["staff_number"] == row["staff_number"]]
            assert [row[name] for name in columns] == [one["status"] for one in own]
            cells = shown[row["staff_number"]]
            said = [LABELS[row["status"]], *(LABELS[row[name]] for name in columns)]
            assert cells[1 : 2 + len(columns)] == said
            name = f"{row['surname']}, {row['forenames']}".replace("'=", "=").replace("'@", "@")
            assert f"{name} ({row['staff_number']}) {' '.join(said)}" in printed
        counts = Counter(row["status"] for row in wide)
        assert {k: n for k, n in typed["totals"].items() if n} == counts
        done = counts["satisfied"] + counts["expiring"]
        assert typed["definition"]["numerator"] == done
        assert typed["definition"]["assigned"] == len(wide)


def test_units_add_up_to_the_whole(auditor: PortalClient) -> None:
    wide = wide_rows(auditor)
    by_unit = Counter(row["unit_path"] for row in wide)
    for path, count in by_unit.items():
        assert len(wide_rows(auditor, f"?unit={path}")) == count
    assert sum(by_unit.values()) == len(wide)


def test_a_workbook_says_what_its_figures_and_columns_mean(auditor: PortalClient, tmp_path: Path) -> None:
    for name in ("completions", "people"):
        path = tmp_path / f"{name}.xlsx"
        path.write_bytes(auditor.get(f"{REPORT}/{name}.xlsx?status=overdue&late=31-90").data)
        book = CalamineWorkbook.from_path(str(path))
        assert book.sheet_names == ["Completions", "Definition", "Columns"]
        said = dict(row[:2] for row in book.get_sheet_by_name("Definition").to_python()[1:])
        assert said["Answer"] == "Overdue, overdue 31 to 90 days: 3 of 6 people"
        assert said["Counted"] == "Everyone: 40% complete, 2 of 5 people; 6 assigned, less 1 exempt"
        assert said["Filtered by"] == "Status: overdue; Overdue by: 31 to 90 days"  # as the page's chips
        assert said["Listed"] == "3 people"
        assert said["Overdue"] == "3"
        columns = book.get_sheet_by_name("Columns").to_python()[1:]
        assert [row[0] for row in columns] == book.get_sheet_by_index(0).to_python()[0]
        assert all(row[1] and row[2] for row in columns)


def test_a_wide_workbook_has_dates_and_a_row_a_person(auditor: PortalClient, tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    path.write_bytes(auditor.get(f"{REPORT}/people.xlsx").data)
    head, *rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert len(rows) == len(wide_rows(auditor)) == 6
    assert rows[0][head.index("due_on")].isoformat() == "2026-04-30"
    assert isinstance(rows[0][head.index("as_known_on")], datetime)


def test_the_pdf_says_first_what_its_figures_mean(auditor: PortalClient) -> None:
    response = auditor.get(f"{REPORT}/completions.pdf?as_at=2026-04-30&as_known_on=2026-05-01")
    reader = PdfReader(io.BytesIO(response.data))
    first = re.sub(r"\s+", " ", reader.pages[0].extract_text())
    assert "On 30 April 2026, 20% were complete: 1 of 5 people" in first
    assert "We round down, so 100% means everyone" in first
    assert "As at 30 April 2026, as known at the end of 1 May 2026" in first
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]  # tagged
    assert response.headers["Content-Disposition"].endswith("OIC-2026-completions-2026-04-30.pdf")
    assert response.headers["Cache-Control"] == "no-store"


def test_a_paper_names_its_filters_as_the_page_does(auditor: PortalClient) -> None:
    query = "?late=31-90&unit=Westshire+Police/Local+Policing/Response//South"
    chips = ["Unit: Response/South", "Overdue by: 31 to 90 days"]
    page = auditor.page(f"{REPORT}{query}")
    assert all(f"Remove the filter {chip}" in page.links for chip in chips)
    assert f"People – {'; '.join(chips)}" in pdf_text(auditor, query)


def test_nobody_matching_makes_whole_files_that_say_so(auditor: PortalClient) -> None:
    query = "?q=nobody-of-this-name"
    assert "Nobody is listed." in pdf_text(auditor, query)
    assert wide_rows(auditor, query) == []
    assert json.loads(auditor.get(f"{REPORT}/completions.json{query}").data)["rows"] == []
    book = CalamineWorkbook.from_filelike(io.BytesIO(auditor.get(f"{REPORT}/completions.xlsx{query}").data))
    said = dict(row[:2] for row in book.get_sheet_by_name("Definition").to_python()[1:])
    assert said["Listed"].startswith("Nobody you can see matches these filters")


def test_the_dictionary_has_every_column_of_the_files(auditor: PortalClient) -> None:
    head = auditor.get(f"{REPORT}/completions.csv").get_data(as_text=True).split("\r\n")[0].split(",")
    page = auditor.page("/monitoring/data-dictionary")
    for name in head:
        assert name in page.text
    text = auditor.get("/monitoring/data-dictionary.csv").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["column"] for row in rows] == head
    assert list(rows[0]) == list(completion_files.DICTIONARY)
    assert all(row["meaning"].endswith(".") and row["source"] for row in rows)
    assert auditor.page(REPORT).links["What each column means"] == "/monitoring/data-dictionary"


def test_the_answer_for_a_rank_and_role_as_known_then_and_now_is_on_page_and_in_files(
    auditor: PortalClient, tmp_path: Path
) -> None:
    query = "?as_at=2026-04-30&as_known_on=2026-04-30&role=investigation&rank=Constable&status=not_complete"
    then = "Investigation, Constable: 0% were complete, 0 of 1 person"
    now = "Investigation, Constable: 100% were complete, 1 of 1 person"

    page = auditor.page(REPORT + query)

    assert then in [words(head) for head in page.all("h2")]
    assert page.h1 == "Investigation, Constable, not complete, on 30 April 2026: 1 of 1 person"
    assert "With records added since, that day is 100%: 1 of 1. See that position" in page.text
    assert "Everyone: 20% were complete, 1 of 5 people." in page.text
    assert list(page_rows(auditor, query)) == ["C1"]  # who was missing
    later = auditor.page(page.links["See that position"])
    assert now in [words(head) for head in later.all("h2")]
    printed = pdf_text(auditor, query)
    assert (
        f"{then}; 1 assigned; none exempt or deferred. Everyone: 20% were complete, 1 of 5 people." in printed
    )
    assert page.h1 in printed
    path = tmp_path / "book.xlsx"
    path.write_bytes(auditor.get(f"{REPORT}/people.xlsx{query}").data)
    said = dict(
        row[:2] for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Definition").to_python()
    )
    assert said["Answer"] == page.h1
    assert said["Counted"].startswith(f"{then}; ")
    assert said["For comparison"] == "Everyone: 20% were complete, 1 of 5 people"
    typed = json.loads(auditor.get(f"{REPORT}/completions.json{query}").data)["definition"]
    assert typed["filters"] == ["Role: investigation", "Rank or grade: Constable", "Status: not complete"]
