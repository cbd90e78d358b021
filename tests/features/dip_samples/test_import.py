"""A spreadsheet of counts on the page and by the command: all rows or none, and twice is once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from xlsxwriter import Workbook

from portal.features.dip_samples.models import DipSample
from portal.features.dip_samples.queries import find_sample
from portal.platform.db import db
from tests.domain.imports.rosters import run
from tests.factories.people import make_grant, make_unit
from tests.features.dip_samples.factories import APRIL
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import let_in, make_account

NOW = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
HEAD = "unit,month,reported,submitted,on_time,sampled,complete,graded,returned,reason\n"
GOOD = HEAD + "Team A,2026-04,12,9,8,5,4,5,1,no_time\nTeam A,2026-03,4,4,4,2,2,2,0,\n"


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def team(client: PortalClient, database: None) -> int:
    """Team A, for which D2001 is a manager; Team B is not theirs."""
    unit = make_unit("Team A")
    make_unit("Team B")
    make_grant(make_account("D2001", unit=unit), "manager", unit)
    let_in(client, "D2001")
    return unit


def upload(client: PortalClient, content: str | bytes, status: int = 200, **fields: str) -> Page:
    data = content.encode() if isinstance(content, str) else content
    page = client.page("/dip-samples/import")
    token = page.form_with("Import the file").fields["csrf_token"][0]
    sent = {"csrf_token": token, "file": (BytesIO(data), "counts.csv"), **fields}
    answer = client.post(page.path, data=sent, follow_redirects=True)
    assert answer.status_code == status, answer.status_code
    return Page(answer, page.path)


def count_rows() -> int:
    return len(db.session.scalars(select(DipSample.id)).all())


def test_a_file_is_recorded_whole_and_twice_is_once(client: PortalClient, team: int) -> None:
    first, again = upload(client, GOOD), upload(client, GOOD)

    assert "2 samples recorded, 0 corrected, 0 known already." in first.text
    assert "0 samples recorded, 0 corrected, 2 known already." in again.text
    assert count_rows() == 2


def test_a_faulty_row_stops_the_file_with_its_line_and_its_reason(client: PortalClient, team: int) -> None:
    rows = (
        "Team A,2026-04,12,9,8,5,4,5,1,no_time\n"
        "Team A,2026-04,12,9,8,5,4,5,1,no_time\n"
        "Team A,2026-06,1,1,1,1,1,1,0,\n"
        "Team A,April,1,1,1,1,1,1,0,\n"
        "Team A,2026-03,1,2,1,1,1,1,0,\n"
        "Team A,2026-02,-1,0,0,0,0,0,0,\n"
        "Team B,2026-04,1,1,1,1,1,1,0,\n"
        "Team A,2026-01,2,1,1,1,1,1,0,Mrs Pell rang\n"
    )

    page = upload(client, HEAD + rows, 400)

    for sentence in (
        "Line 3: Line 2 has this unit and month already.",
        "Line 4: This month has not begun. Choose an earlier one.",
        "Line 5: “April” is not a month. Write it as 2026-04.",
        "Line 6: Documents submitted (2) cannot be more than cases reported to NCCU (1).",
        "Line 7: Enter a whole number from 0 to 9,999 for cases reported to NCCU.",
        "Line 8: No unit has the path or name “Team B” today.",
        "Line 9: Choose a reason from the list.",
    ):
        assert sentence in page.text
    assert count_rows() == 0


def test_a_check_says_what_an_import_would_record_and_records_nothing(
    client: PortalClient, team: int
) -> None:
    page = upload(client, GOOD, only_check="y")

    assert "Nothing is recorded yet. An import would give: 2 samples recorded" in page.text
    assert count_rows() == 0


def test_other_counts_of_a_month_need_the_reason_of_a_correction(client: PortalClient, team: int) -> None:
    upload(client, GOOD)
    silent = upload(client, HEAD + "Team A,2026-03,4,4,4,3,3,3,0,\n", 400)
    assert "Line 2: Other counts are recorded of this unit and month." in silent.text

    upload(client, HEAD + "Team A,2026-03,4,4,4,3,3,3,0,The earlier count was wrong\n")

    march = find_sample(team, date(2026, 3, 1))
    assert march is not None
    assert (march.sampled, march.reason) == (3, "counted_wrong")


def test_a_workbook_with_dates_for_months_is_read_as_well(client: PortalClient, team: int) -> None:
    target = BytesIO()
    with Workbook(target) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD.strip().split(","))
        sheet.write_row(1, 0, ["Team A", "", 12, 9, 8, 5, 4, 5, 1, "no_time"])
        sheet.write_datetime(1, 1, datetime(2026, 4, 1), book.add_format({"num_format": "mmm yy"}))

    upload(client, target.getvalue())

    april = find_sample(team, APRIL)
    assert april is not None
    assert april.reported == 12


def test_the_command_records_what_the_template_asks_for(
    app: Flask, client: PortalClient, team: int, tmp_path: Path
) -> None:
    template, file = tmp_path / "template.csv", tmp_path / "counts.csv"
    run(app, "dip-samples", "template", template)
    file.write_text(template.read_text("utf-8-sig") + "Team B,2026-04,3,3,3,1,1,1,0,\n")

    tried = run(app, "dip-samples", "import", file, "--by", "D2001", "--dry-run")
    rows = count_rows()
    done = run(app, "dip-samples", "import", file, "--by", "D2001")
    refused = run(app, "dip-samples", "import", file, "--by", "nobody")

    assert tried.output.startswith("Dry run, nothing was changed: 1 sample recorded")
    assert (rows, count_rows()) == (0, 1)
    assert done.output == "1 sample recorded, 0 corrected, 0 known already.\n"
    assert refused.exit_code == 1
    assert client.get("/dip-samples/template.csv").data == template.read_bytes()
