"""An administrator imports a roster with every kind of bad row, mends it and applies it; and completions."""

import csv
import io

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.domain.imports.bad import BAD, bad_roster, corrected_roster
from tests.domain.imports.desk import csv_of
from tests.journeys.walking import ask, h1, hold_to_account, press, sign_in, take_new_values, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COMPLETIONS = """staff_number,requirement_kind,requirement,achieved_at,score_scaled,source_system,evidence
D2001,module,protect,2025-03-04,0.9,Old system,Certificate 12
D2001,module,protect,2025-03-04,0.9,Old system,Certificate 12
D2002,module,respond,2025-03-05T10:00:00+00:00,,Old system,
"""
WIDE = """Email address,Recognise,protect,Comments
d2001@westshire.example,2025-05-06,,one
d2002@westshire.example,,2025-05-07,two
"""


def choose(tab: Tab, path: str, name: str, content: bytes, shape: str = "") -> None:
    """The first step."""
    tab.goto(path)
    hold_to_account(tab)
    tab.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})
    if shape:
        tab.check(f"input[value={shape}]")
    press(tab, "Continue")
    assert h1(tab) == f"Match the columns of {name}"
    hold_to_account(tab)


def apply(tab: Tab, name: str) -> None:
    """The third step and the fourth."""
    assert h1(tab) == "Every row is good"
    hold_to_account(tab)
    press(tab, "Apply the import")
    assert h1(tab) == f"{name} was applied"
    hold_to_account(tab)


def test_a_roster_with_bad_rows_is_mended_and_applied_without_scripts(
    browser: Browser, shared_server: Server
) -> None:
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D9001")
        choose(tab, "/imports/roster/new", "november.csv", csv_of(bad_roster()))
        press(tab, "Check the file")
        take_new_values(tab)
        assert h1(tab) == f"{len(BAD)} rows are bad"
        hold_to_account(tab)
        told = tab.inner_text("main")
        assert [reason for _, reason, _ in BAD if reason not in told] == []
        with tab.expect_download() as waiting:
            tab.click("text=Download the bad rows")
        rows = csv.DictReader(io.StringIO(waiting.value.path().read_text("utf-8-sig")))
        assert len(list(rows)) == len(BAD)

        choose(tab, "/imports/roster/new", "mended.csv", csv_of(corrected_roster()))
        press(tab, "Check the file")
        take_new_values(tab)
        apply(tab, "mended.csv")

        query = "SELECT count(*) FROM person_name WHERE staff_number LIKE 'B%'"
        assert ask(shared_server.instance, query) == [
            (len(corrected_roster()) - 3,)
        ]  # three rows are of one person
        tab.goto("/imports")
        assert "Applied" in tab.inner_text("tbody")


@pytest.mark.sweep
def test_completions_come_in_either_shape(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D4001")
        choose(tab, "/imports/completions/new", "old.csv", COMPLETIONS.encode(), "completion")
        press(tab, "Check the file")
        assert "Twice in the file: 1" in tab.inner_text("main")
        apply(tab, "old.csv")

        choose(tab, "/imports/completions/new", "wide.csv", WIDE.encode(), "person")
        assert tab.input_value("#person_by") == "email"
        tab.fill("#fixed_source_system", "College Learn")
        tab.fill("#save_as", "College Learn, monthly")
        press(tab, "Check the file")
        apply(tab, "wide.csv")

        choose(tab, "/imports/completions/new", "again.csv", COMPLETIONS.encode(), "completion")
        press(tab, "Check the file")
        assert h1(tab) == "Nothing to do"
        query = (
            "SELECT reference FROM record JOIN imported_record ON record_id = id"
            " WHERE source_system = 'Old system' ORDER BY id"
        )
        ((reference,), _) = ask(shared_server.instance, query)
        tab.goto(f"/records/{reference}")
        assert "Certificate 12" in tab.inner_text("main")
        assert "Old system" in tab.inner_text("main")
        hold_to_account(tab)
