"""Bad input to every report page and file is answered with a sentence, never with a file or a stack trace."""

import json
from pathlib import Path

import pytest
import time_machine

from tests.factories.people import make_unit
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

FILES = [
    f"{REPORT}/{name}"
    for name in (
        "completions.csv",
        "completions.xlsx",
        "completions.json",
        "completions.pdf",
        "people.csv",
        "people.xlsx",
    )
]
PAGES = ["/monitoring", REPORT, f"{REPORT}/changes", "/people/N1"]
ENTER_A_DATE = "Enter a date, such as 30 April 2026."
ENTER_A_TIME = "Enter a date, or a date and time, such as 9:00 on 15 May 2026."
TOO_EARLY = "Choose 1 January 1900 or a later date."
POSITIONS = [
    ("as_at=31+February+2026", ENTER_A_DATE),
    ("as_at=someday", ENTER_A_DATE),
    ("as_at=2026-06-02", "cannot be shown for a future date"),
    ("as_at=0001-01-01", TOO_EARLY),  # nothing lies a week before it
    ("as_at=0001-01-08", TOO_EARLY),
    ("as_known_on=0001-01-01T00:00:00Z", TOO_EARLY),
    ("as_known_on=31/4/2026", ENTER_A_TIME),
    ("as_known_on=2026-04-30T12:00:00", ENTER_A_TIME),  # no offset: whose noon is it?
    ("as_known_on=9999-12-31", "must be now or earlier"),
]
ELSEWHERE = "unit=Westshire+Police/Crime"
EMPTY = "unit=Westshire+Police/Stores"  # a unit of nobody


@pytest.fixture
def world(client):
    with time_machine.travel(TODAY, tick=False):
        made = make_world()
        make_unit("Stores", made.units["force"])
        yield made


@pytest.mark.parametrize(("asked", "said"), POSITIONS)
def test_an_impossible_position_gets_its_sentence_everywhere(client, world, asked, said):
    auditor = enter(client, world, "D6001")
    for path in PAGES:
        page = auditor.page(f"{path}?{asked}", 400)
        assert said in page.text, path
        field = asked.partition("=")[0]
        assert page.title.startswith("Error: "), path
        assert page.all("a", href=f"#{field}"), path
        assert page.all("input", id=field), path
    for path in FILES:
        answer = auditor.get(f"{path}?{asked}")
        assert (answer.status_code, answer.mimetype) == (400, "text/html"), path
        assert said in answer.get_data(as_text=True), path


@pytest.mark.slow
def test_the_first_day_that_may_be_asked_about_has_pages(client, world):
    auditor = enter(client, world, "D6001")
    for path in (*PAGES, FILES[0], FILES[3]):
        assert auditor.get(f"{path}?as_at=1900-01-01").status_code == 200, path
    assert auditor.page(f"{REPORT}/changes?from_as_at=1900-01-01", 200)


@pytest.mark.parametrize("asked", [ELSEWHERE, "unit=Atlantis", "unit=//", "unit=/"])
def test_a_foreign_unit_is_refused_in_a_sentence(client, world, asked):
    manager = enter(client, world, "D2001")  # of direct reports in the north
    for path in (REPORT, "/monitoring", f"{REPORT}/changes"):
        page = manager.page(f"{path}?{asked}", 400)
        assert "is not a known unit. Enter the full path of a unit that you can see" in page.text, path
        assert page.title.startswith("Error: "), path
        assert "O'Brien" not in page.text, path


@pytest.mark.parametrize("asked", [EMPTY, "q=nobody-of-this-name"])
def test_a_filter_that_matches_nobody_gets_a_sentence_and_no_chart(client, world, asked):
    viewer = enter(client, world, "D6001")

    report = viewer.page(f"{REPORT}?{asked}")

    assert "Nobody matches these filters. Change or clear them." in report.text
    if asked == EMPTY:
        assert report.text.count("Nobody you can see matches these filters.") == 1
        for heading in ("By rank or grade, lowest first", "By designated role, lowest first"):
            assert heading not in report.text
        assert "A line appears here after the end of two months" in report.text
        overview = viewer.page(f"/monitoring?{asked}")
        assert overview.h1 == "Nobody is listed"
        assert "Nobody you can see in this unit has required training today" in overview.text
        assert not overview.all("svg", class_="portal-bar")


def test_files_for_nobody_say_so_or_have_a_head_alone(client, world):
    viewer = enter(client, world, "D6001")
    for name in ("completions", "people"):
        lines = viewer.get(f"{REPORT}/{name}.csv?{EMPTY}").get_data(as_text=True).split("\r\n")
        assert len(lines) == 2
        assert lines[0].startswith("force,staff_number,surname")
    typed = json.loads(viewer.get(f"{REPORT}/completions.json?{EMPTY}").data)
    assert (typed["rows"], typed["definition"]["filters"]) == ([], ["Unit: Stores"])


def test_before_a_directive_was_known_its_report_says_so(client, world):
    auditor = enter(client, world, "D6001")
    asked = "as_at=2026-02-01&as_known_on=2026-02-01"
    said = "OIC-2026 was not in the portal yet at the end of that day"

    page = auditor.page(f"{REPORT}?{asked}", 400)

    assert page.h1 == "Choose another date"
    assert said in page.text
    assert page.form_with("Show position").fields["as_known_on"] == ["2026-02-01"]
    for path in FILES:
        assert said in auditor.page(f"{path}?{asked}", 400).text
    auditor.page(f"/monitoring/directives/NO-SUCH?{asked}", 404)


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring/directives/NO-SUCH",
        "/monitoring/directives/NO-SUCH/completions.csv",
        "/people/C1",  # of another command: as if nobody had this number
        "/people/C1?as_at=2026-04-30",
        "/people/nobody",
    ],
)
def test_what_is_not_there_or_not_theirs_gets_one_page(client, world, path):
    page = enter(client, world, "D2001").page(path, 404)

    assert "There is nothing at this address, or you may not see it." in page.text
    assert "C1" not in page.text.split()  # a reference of support may hold these two letters


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--as-at", "2026-02-31", f"--as-at: {ENTER_A_DATE}"),
        ("--as-at", "2026-06-02", "cannot be shown for a future date"),
        ("--as-known-on", "soon", f"--as-known-on: {ENTER_A_TIME}"),
        ("--directive", "NO-SUCH", "NO-SUCH"),
        ("--output", "/no/such/folder/file.csv", "is not a folder"),
    ],
)
def test_the_command_says_it_and_writes_no_file(app, world, tmp_path: Path, option, value, said):
    given = {
        "--directive": "OIC-2026",
        "--format": "csv",
        "--output": str(tmp_path / "file.csv"),
        option: value,
    }

    done = app.test_cli_runner().invoke(
        args=["report", "completions", *[w for p in given.items() for w in p]]
    )

    assert done.exit_code == 1
    assert said in done.stderr
    assert "Refused: no file was written." in done.stderr
    assert list(tmp_path.iterdir()) == []
