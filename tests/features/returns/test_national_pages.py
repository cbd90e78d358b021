"""The national view as the coordinating unit reads it: over time, variation, receipts, changes and files."""

import csv
import io
import json
from dataclasses import replace
from datetime import date

import pytest
from python_calamine import CalamineWorkbook

from portal.platform.permissions import Role
from portal.platform.signing.keys import make_key_file
from tests.factories.people import make_grant
from tests.features.returns.factories import ask_for, make_force, make_return
from tests.page_reading import words
from tests.pages.account.browsing import let_in, make_account
from tests.pages.monitoring.counting import statements

PEOPLE = ("assigned", "excluded", "complete", "not_complete")
PAGES = ("", "/variation", "/receipts", "/changes")


@pytest.fixture
def owner(app, client, monkeypatch, database, time_machine):
    """The person at the coordinating unit, signed in on 20 June 2026."""
    time_machine.move_to("2026-06-20T09:00:00Z")
    coordinate(app, monkeypatch)
    make_grant(make_account("D4009"), Role.DIRECTIVE_OWNER)
    let_in(client, "D4009")


def coordinate(app, monkeypatch, setting: str = "on", key_file: str = ""):
    config = app.config["PORTAL"]
    changed = replace(config.returns, coordinator=setting, key_file=key_file)
    monkeypatch.setitem(app.config, "PORTAL", replace(config, returns=changed))


def by_role(complete: int) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """The roles of a force of 110 people, ten of them excluded."""
    return {("", "role", "response"): (60, 5, complete - 30), ("", "role", "contact"): (50, 5, 30)}


def make_twelve() -> None:
    """Twelve forces: one corrected, one late, one that hid, one that is missing."""
    ask_for("2026-04", date(2026, 5, 14))
    ask_for("2026-05", date(2026, 6, 14))
    for place in range(12):
        force = make_force(f"force-{place}", f"Force {place:02} Police")
        april = make_return(force, "2026-04", 40 + 5 * place, on=date(2026, 5, 10))
        if place == 0:
            make_return(force, "2026-04", 35, number=2, on=date(2026, 6, 1), replaces=april)
        if place == 1:
            make_return(force, "2026-05", 60, on=date(2026, 6, 17))
        elif place == 2:
            make_return(force, "2026-05", None, on=date(2026, 6, 10))
        elif place > 3:
            make_return(force, "2026-05", 50 + 3 * place, on=date(2026, 6, 10), more=by_role(50 + 3 * place))
        elif place == 0:
            make_return(force, "2026-05", 55, on=date(2026, 6, 10))


def test_every_force_shows_its_months_its_figure_and_its_receipt(client, owner):
    make_twelve()

    page = client.page("/returns/national")

    assert "May 2026. The whole directive." in page.text
    forces = next(table for table in page.all("table") if "Forces by name" in words(table))
    assert "Force 01 Police" in words(forces)
    assert "60% – 60 of 100" in words(forces)
    assert "Late Received on 17 June 2026, 3 days late" in words(forces)
    assert "Hidden by the force" in words(forces)
    assert "Missing 6 days overdue" in words(forces)
    assert "10 of 12" in page.text  # forces in the total: one hid, one is missing
    roles = next(table for table in page.all("table") if "By designated role" in words(table))
    assert "Contact 66% – 240 of 360 40" in words(roles)


def test_a_month_of_the_list_that_was_not_asked_for_by_the_date_is_no_unknown_one(client, owner):
    make_twelve()

    page = client.page("/returns/national?period=2026-05&as_at=2020-01-01", 400)

    assert "No return of May 2026 was received by 1 January 2020" in page.text
    assert "No return has been asked for by this date." in page.text
    assert "“2030-05” is not a known month." in client.page("/returns/national?period=2030-05", 400).text


def test_forces_are_compared_by_size_with_those_beyond_chance_listed(client, owner):
    ask_for("2026-05", date(2026, 6, 14))
    for key, complete, assigned in (("large", 700, 1_010), ("low", 300, 810), ("small", 15, 35)):
        make_return(make_force(key), "2026-05", complete, assigned)

    page = client.page("/returns/national/variation")

    assert (
        "2 of 3 forces differ from all forces together by more than chance explains (1 in 20)." in page.text
    )
    beyond = next(table for table in page.all("table") if "beyond the limits" in words(table))
    assert "Low Police 37% – 300 of 800 Much lower than chance explains" in words(beyond)
    assert "Small Police" not in words(beyond)
    every = next(table for table in page.all("table") if "the largest first" in words(table))
    places = [words(every).index(name) for name in ("Large Police", "Low Police", "Small Police")]
    assert places == sorted(places)


def test_receipts_say_who_must_be_asked_first(client, owner):
    make_twelve()

    page = client.page("/returns/national/receipts")

    assert "11 of 12 forces have returned May 2026. Returns were due on 14 June 2026." in page.text
    headings = [words(each) for each in page.all("h2")]
    assert headings[:3] == ["Missing: 1 force", "Late: 1 force", "On time: 10 forces"]
    earlier = client.page("/returns/national/receipts?as_at=2026-05-20&as_known_on=2026-06-20")
    assert "12 of 12 forces have returned April 2026." in earlier.text
    assert "corrected" not in earlier.text  # the correction came in June


def test_changes_tell_corrections_from_progress(client, owner):
    make_twelve()

    page = client.page("/returns/national/changes")

    parts = next(table for table in page.all("table") if "What the change is made of" in words(table))
    assert "Corrections of the earlier month −5 complete 0 counted" in words(parts)
    assert "Forces with a figure in the earlier month alone −105 complete −200 counted" in words(parts)
    assert "The earlier month was corrected from 40% (40 of 100) to 35% (35 of 100)." in page.text


def test_files_have_the_rows_of_the_page_in_three_forms(client, owner):
    make_twelve()

    rows = list(csv.DictReader(io.StringIO(client.get("/returns/national.csv").get_data(as_text=True))))
    document = json.loads(client.get("/returns/national.json").data)
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/returns/national.xlsx").data))

    assert len(rows) == len(document["rows"]) == len(book.get_sheet_by_name("Forces").to_python()) - 1 == 24
    corrected = next(row for row in rows if row["force"] == "force-0" and row["period"] == "2026-04")
    assert (corrected["complete"], corrected["number"], corrected["corrections"]) == ("35", "2", "1")
    assert (corrected["state"], corrected["received_on"]) == ("on_time", "2026-05-10")
    hidden = next(row for row in rows if row["force"] == "force-2" and row["period"] == "2026-05")
    assert (hidden["complete"], hidden["hidden"]) == ("", "force")
    whole = next(each for each in document["totals"] if each["period"] == "2026-05")
    shown = [row["complete"] for row in document["rows"] if row["period"] == "2026-05"]
    assert whole["complete"] == sum(count for count in shown if count is not None)
    assert not any((row[name] or 0) % 5 for row in document["rows"] for name in PEOPLE)
    assert client.get("/returns/national.csv?role=response").status_code == 400


def test_a_comparison_is_signed_and_recorded_and_names_no_force(client, owner, app, monkeypatch, tmp_path):
    make_twelve()
    assert "has no key to sign with" in client.get("/returns/comparison.json").get_data(as_text=True)
    make_key_file(tmp_path / "key.pem")
    coordinate(app, monkeypatch, key_file=str(tmp_path / "key.pem"))

    answer = client.get("/returns/comparison.json?period=2026-05")

    assert json.loads(answer.data)["returned"] == 11
    assert b"Force 0" not in answer.data
    assert answer.headers["Content-Disposition"].endswith("returns-comparison-2026-05.json")


def test_where_nothing_was_asked_the_pages_say_what_to_do(client, owner):
    for path in PAGES:
        assert "Register the forces, and ask for a month." in client.page(f"/returns/national{path}").text


def test_unknown_months_and_positions_are_refused_with_a_sentence(client, owner):
    make_twelve()

    assert "2019-01" in client.page("/returns/national?period=2019-01", 400).text
    for path in PAGES:
        page = client.page(f"/returns/national{path}?as_at=someday", 400)
        assert "Enter a date, such as 30 April 2026." in page.text


def test_nothing_is_there_where_this_portal_does_not_coordinate(client, owner, app, monkeypatch):
    coordinate(app, monkeypatch, "off")

    for path in (*PAGES, ".csv", ".xlsx", ".json"):
        assert client.get(f"/returns/national{path}").status_code == 404
    assert client.get("/returns/comparison.json").status_code == 404


def test_many_forces_and_months_need_as_many_statements_as_few(client, owner):
    paths = [f"/returns/national{path}" for path in (*PAGES, ".csv", ".xlsx", ".json")]
    paths += ["/returns/forces", "/returns/forces/force-2-0"]
    counts: dict[str, list[int]] = {path: [] for path in paths}
    for added, months in ((2, ("2026-04", "2026-05")), (20, ("2026-01", "2026-02", "2026-03"))):
        for month in months:
            ask_for(month, date(2026, 6, 14))
        for number in range(added):
            force = make_force(f"force-{added}-{number}")
            for month in months:
                make_return(force, month, 40 + number, more=by_role(40 + number))
        for path in paths:
            with statements() as asked:
                assert client.get(path).status_code == 200
            counts[path].append(len(asked))

    assert all(few == many for few, many in counts.values()), counts
