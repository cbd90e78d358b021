"""The notice beside the links to files says which of them a job will make."""

import pytest
import time_machine

from portal.domain.reports import completion_files, report_pdf
from portal.domain.reports.export_files import LONG, PAPER, WIDE, job_notice
from portal.domain.reports.statistics import Figures
from portal.domain.status.rules import Status
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world


def figures(people, rows):
    return Figures(people={1: {Status.OVERDUE: people}}, rows=rows)


@pytest.mark.parametrize(
    ("people", "rows", "named"),
    [
        (1_500, 20_000, ()),
        (1_501, 6_004, (PAPER,)),
        (5_001, 20_004, (LONG, PAPER)),
        (20_001, 80_004, (LONG, WIDE, PAPER)),
    ],
)
def test_the_notice_names_exactly_the_files_that_a_job_makes(people, rows, named):
    notice = job_notice(figures(people, rows))

    assert [each for each in (LONG, WIDE, PAPER) if f"the {each} (".lower() in notice.lower()] == list(named)
    assert bool(notice) == bool(named)


@pytest.mark.slow
def test_pages_show_the_notice_and_links_do_what_it_says(client, monkeypatch):
    with time_machine.travel(TODAY, tick=False):
        auditor = enter(client, make_world(), "D6001")
        assert "few minutes to make" not in auditor.page(REPORT).text + auditor.page("/monitoring").text
        monkeypatch.setattr(completion_files, "XLSX_ROWS", 6)  # the six people have twelve rows
        monkeypatch.setattr(report_pdf, "MOST_PEOPLE", 6)
        words = "The XLSX with every requirement (over 6 rows) takes a few minutes to make"
        for path in (REPORT, "/monitoring"):
            assert auditor.page(path).text.count(words) == 1

        assert "few minutes to make" not in auditor.page(f"{REPORT}?q=shah").text
        assert auditor.get(f"{REPORT}/completions.xlsx").status_code == 303
        for quick in ("completions.xlsx?q=shah", "people.xlsx", "completions.pdf"):
            assert auditor.get(f"{REPORT}/{quick}").status_code == 200
