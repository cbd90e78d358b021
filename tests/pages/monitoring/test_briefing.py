"""The report on one page: for a screen and as PDF, with the report's own figures."""

import io
import re

import pytest
import time_machine
from pypdf import PdfReader

from tests.page_reading import PortalClient, words
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.slow
PAST = "?as_at=2026-04-30&as_known_on=2026-05-01"


@pytest.fixture
def auditor(client: PortalClient):
    with time_machine.travel(TODAY, tick=False):
        yield enter(client, make_world(), "D6001")


def paper(client: PortalClient, query: str = "") -> PdfReader:
    response = client.get(f"{REPORT}/briefing.pdf{query}")
    assert response.status_code == 200, response.get_data(as_text=True)
    return PdfReader(io.BytesIO(response.data))


def test_the_screen_has_the_reports_figures(auditor: PortalClient) -> None:
    report = auditor.page(f"{REPORT}{PAST}")
    screen = auditor.page(report.links["for the screen"])
    assert screen.h1 == "Everyone: 20% were complete, 1 of 5 people"
    assert "6 assigned, less 1 exempt" in screen.text
    assert "Position on 30 April 2026, using records entered by 1 May 2026." in screen.text
    assert "We round down, so 100% means everyone." in screen.text
    units = [words(row) for row in screen.all("tr")][1:]
    assert 0 < len(units) <= 5
    assert units == sorted(units, key=lambda row: int(re.search(r"(\d+)%", row)[1]))
    assert auditor.page(screen.links["Report"]).h1 == report.h1


def test_who_to_ask_follows_the_filters_and_the_day(auditor: PortalClient) -> None:
    everyone = auditor.page(f"{REPORT}/briefing")
    assert re.search(r"\d+ people are overdue. Ask their line managers:", everyone.text)
    unit = "unit=Westshire+Police/Local+Policing/Response//South"
    south = auditor.page(f"{REPORT}/briefing?{unit}")
    assert south.h1.startswith("Response/South: ")
    assert "Everyone: 40% complete, 2 of 5 people" in south.text
    auditor.page(f"{REPORT}/briefing?unit=Nowhere", 400)
    auditor.page(f"{REPORT}/briefing?as_at=yesteryear", 400)
    auditor.page(f"{REPORT}/briefing?kind=x", 400)


def test_the_paper_is_one_tagged_page(auditor: PortalClient) -> None:
    reader = paper(auditor, PAST)
    assert len(reader.pages) == 1
    text = re.sub(r"\s+", " ", reader.pages[0].extract_text())
    assert "Everyone: 20% were complete, 1 of 5 people" in text
    assert "Lowest units" in text
    assert "Who to ask for what" in text
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    width, height = reader.pages[0].mediabox[2:]
    assert height > width


def test_a_report_on_paper_has_the_bar_and_the_units(auditor: PortalClient) -> None:
    response = auditor.get(f"{REPORT}/completions.pdf{PAST}")
    first = re.sub(r"\s+", " ", PdfReader(io.BytesIO(response.data)).pages[0].extract_text())
    assert "By unit" in first
    assert re.search(r"People by status \d+ Complete", first)
