"""Units: the tree level by level; a name or a place from a day on, previewed, the past left alone."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.domain.directives.models import Assignment, Directive
from portal.domain.people.models import Post, UnitState
from portal.domain.people.queries import unit_paths
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from tests.domain.imports.rosters import run
from tests.domain.status.facts import make_activity, make_directive, make_module_version, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import let_in, make_account
from tests.pages.people.test_account_views import statements

pytestmark = pytest.mark.slow

W = "Westshire Police"
BEFORE, ON, NOW = date(2026, 5, 31), date(2026, 6, 1), datetime(2026, 6, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def units(database):
    force = make_unit(W)
    local, crime = make_unit("Local", force), make_unit("Crime", force)
    return {"force": force, "local": local, "crime": crime, "team": make_unit("Team", local)}


@pytest.fixture
def admin(client: PortalClient, units) -> PortalClient:
    make_grant(make_account("D9001", unit=units["force"]), "administrator")
    let_in(client, "D9001")
    return client


def unit_address(path: str) -> str:
    return f"/units?unit={path}"


def table_rows(page: Page, table: int = 0) -> list[list[str]]:
    found = [row for row in page.all("table")[table].iter() if row.tag.endswith("}tr")]
    return [[words(cell) for cell in row] for row in found[1:]]


def count_states() -> int:
    return db.session.scalar(select(func.count()).select_from(UnitState)) or 0


def test_the_tree_is_read_one_level_at_a_time(admin: PortalClient, units) -> None:
    make_person(units["team"])

    top = admin.page("/units")
    assert top.h1 == W
    assert table_rows(top) == [["Crime", "1 January 2020", "0", "0"], ["Local", "1 January 2020", "1", "1"]]
    local = admin.page(top.links["Local"])
    assert (local.h1, table_rows(local)) == ("Local", [["Team", "1 January 2020", "0", "1"]])
    assert "1 person today, 1 unit directly below" in local.text
    team = admin.page(local.links["Team"])
    assert "There are no units under Team." in team.text
    assert team.links["Local"] == "/units?unit=Westshire+Police/Local"


def test_a_unit_is_found_by_a_word_of_its_name(admin: PortalClient, units) -> None:
    page = admin.page("/units?q=tea")

    assert page.h1 == "1 unit found"
    assert table_rows(page)[0][:2] == ["Team", "Local"]
    assert "No unit has “roads” in its name today." in admin.page("/units?q=roads").text
    assert "No unit has the path or name" in admin.page("/units?unit=roads", 404).text


def test_a_rename_is_previewed_made_and_told_in_the_history(app: Flask, admin: PortalClient, units) -> None:
    make_person(units["team"])
    before = count_states()
    asked = admin.page(admin.page(unit_address(f"{W}/Local/Team")).links["Rename Team"])

    preview = admin.press(asked, "Continue", name=" Night  Team ", on="1 June 2026")
    assert preview.h1 == "Rename Team from 1 June 2026"
    assert f"{W}/Local/Night Team" in preview.text
    assert "People in it on that day 1" in preview.text
    assert "This day is in the past" in preview.text
    assert "Nobody's directives" in preview.text
    assert count_states() == before

    done = admin.press(preview, "Rename Team")
    assert done.h1 == "Night Team"
    assert unit_paths(BEFORE)[units["team"]] == f"{W}/Local/Team"
    assert unit_paths(ON)[units["team"]] == f"{W}/Local/Night Team"
    assert table_rows(done)[:2] == [
        ["Night Team", "Local", "1 June 2026", "None"],
        ["Team", "Local", "1 January 2020", "31 May 2026"],
    ]
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "unit.moved")).one()
    assert event.actor_id is not None

    again = admin.press(preview, "Rename Team")
    assert "This was already done" in again.text
    assert count_states() == before + 2


def test_a_rename_to_come_shows_the_old_name_until_then(admin: PortalClient, units) -> None:
    asked = admin.page(f"/units/rename?unit={W}/Local/Team")
    preview = admin.press(asked, "Continue", name="Night", on="1/7/2026")
    done = admin.press(preview, "Rename Team")

    assert done.h1 == "Team"
    assert [row[0] for row in table_rows(done)] == ["NightTo come", "Team"]


def audience(unit: int) -> int:
    """A directive for everyone with a post in or below ``unit``."""
    activity = make_activity()
    make_module_version(activity)
    directive = make_directive()
    make_version(directive, {1: activity}, audience={"audience": [{"unit_under": [unit]}], "except": []})
    return directive


def assigned_people(directive: int, day: date) -> set[int]:
    replaced = select(Assignment.replaces_id).where(Assignment.replaces_id.is_not(None))
    return set(
        db.session.scalars(
            select(Assignment.person_id).where(
                Assignment.directive_id == directive,
                Assignment.void.is_(False),
                Assignment.from_on <= day,
                Assignment.to_on >= day,
                Assignment.id.not_in(replaced),
            )
        )
    )


def test_the_preview_of_a_move_says_whom_directives_reach_and_so_it_happens(
    app: Flask, admin: PortalClient, units
) -> None:
    make_unit("Squad", units["team"])
    person = make_person(units["team"], surname="Okafor", staff_number="D2001")
    joins, leaves = audience(units["crime"]), audience(units["local"])
    assert (assigned_people(joins, ON), assigned_people(leaves, ON)) == (set(), {person})
    asked = admin.page(f"/units/move?unit={W}/Local/Team")
    assert [words(option) for option in asked.all("option")] == ["Select a unit", W, "Crime"]

    preview = admin.press(asked, "Continue", above=str(units["crime"]), on="1 July 2026")
    assert preview.h1 == "Move Team from 1 July 2026"
    assert "Units that move with it 1" in preview.text
    assert "1 person will have to do this" in preview.text
    assert "1 person will no longer have to do this" in preview.text
    assert "Okafor, Priya, D2001: from 1 July 2026" in preview.text
    assert assigned_people(joins, date(2026, 7, 1)) == set()

    admin.press(preview, "Move Team")
    assert unit_paths(date(2026, 7, 1))[units["team"]] == f"{W}/Crime/Team"
    for day, expected in ((date(2026, 6, 30), (set(), {person})), (date(2026, 7, 1), ({person}, set()))):
        assert (assigned_people(joins, day), assigned_people(leaves, day)) == expected
    assert run(app, "directives", "reconcile").stdout == "0 differences.\n"


def test_facts_that_moved_on_are_shown_again_before_anything_is_done(admin: PortalClient, units) -> None:
    asked = admin.page(f"/units/move?unit={W}/Local/Team")
    preview = admin.press(asked, "Continue", above=str(units["crime"]), on="1 July 2026")
    make_person(units["team"])
    before = count_states()

    again = admin.press(preview, "Move Team", 409)

    assert "changed since your preview. Nothing was done" in again.text
    assert "People in it on that day 1" in again.text
    assert count_states() == before
    make_person(units["crime"])  # a post elsewhere is in nobody's way
    admin.press(again, "Move Team")
    assert count_states() == before + 2


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("rename", {"name": "", "on": "1 June 2026"}, "Enter the new name"),
        ("rename", {"name": "Night", "on": ""}, "Enter the first day"),
        ("rename", {"name": "Night", "on": "soon"}, "Enter a date, such as 1 June 2026"),
        ("rename", {"name": "Night", "on": "31 December 9999"}, "Enter a date, such as 1 June 2026"),
        ("rename", {"name": "Night", "on": "1 June 2019"}, "The unit does not exist on 1 June 2019."),
        ("rename", {"name": "Team", "on": "1 June 2026"}, "The unit already has this path."),
        ("rename", {"name": "Day", "on": "1 June 2026"}, "Another unit has the path"),
        ("rename", {"name": "/Night", "on": "1 June 2026"}, "has an empty name"),
        ("rename", {"name": "N" * 121, "on": "1 June 2026"}, "Enter 120 characters or fewer"),
        ("move", {"above": "", "on": "1 June 2026"}, "Select the unit"),
        ("move", {"above": "999999", "on": "1 June 2026"}, "Select one of the options that are shown"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(admin: PortalClient, units, act, fields, said) -> None:
    make_unit("Day", units["local"])
    before = count_states()

    page = admin.press(admin.page(f"/units/{act}?unit={W}/Local/Team"), "Continue", **fields)

    assert said in page.text
    assert page.title.startswith("Error: ")
    assert count_states() == before


def test_a_form_that_is_not_complete_is_refused(admin: PortalClient, units) -> None:
    token = admin.page("/units").form_with("Sign out").fields["csrf_token"]

    refused = admin.post("/units/rename", data={"csrf_token": token, "confirmed": "yes", "path": W})

    assert refused.status_code in {400, 409, 422}
    assert count_states() == 4


def test_an_administrator_of_a_unit_changes_only_what_is_theirs(client: PortalClient, units) -> None:
    make_person(units["crime"])
    make_grant(make_account("D9001", unit=units["local"]), "administrator", units["local"])
    let_in(client, "D9001")
    token = client.page("/account").form_with("Sign out").fields["csrf_token"]

    assert client.page("/units").h1 == "Local"
    for path in (W, f"{W}/Crime"):
        assert client.get(unit_address(path)).status_code == 404
        assert client.get(f"/units/rename?unit={path}").status_code == 404
    for act, old, new in (
        ("rename", f"{W}/Crime", f"{W}/Serious"),
        ("move", f"{W}/Crime", f"{W}/Local/Crime"),
        ("move", f"{W}/Local/Team", f"{W}/Crime/Team"),
    ):
        sent = {"csrf_token": token, "confirmed": "yes", "path": old, "new_path": new, "on": "2026-07-01"}
        assert client.post(f"/units/{act}", data=sent).status_code == 403
    preview = client.press(
        client.page(f"/units/rename?unit={W}/Local/Team"), "Continue", name="Night", on="1/6/2026"
    )
    assert client.press(preview, "Rename Team").h1 == "Night"


def test_a_preview_counts_all_and_names_only_whom_its_reader_may_see(client: PortalClient, units) -> None:
    other = make_unit("Other", units["local"])
    make_person(units["team"], surname="Seen")
    gone = make_person(units["team"], surname="Gone", until=date(2026, 6, 5))
    with transaction():
        db.session.add(
            Post(
                recorded_at=stamp(),
                person_id=gone,
                rank_or_grade="Constable",
                designated_role="response",
                unit_id=units["crime"],
                valid_from=date(2026, 6, 6),
            )
        )
    audience(other)
    make_grant(make_account("D9001", unit=units["local"]), "administrator", units["local"])
    let_in(client, "D9001")

    asked = client.page(f"/units/move?unit={W}/Local/Team")
    preview = client.press(asked, "Continue", above=str(other), on="1 June 2026")

    assert "2 people will have to do this" in preview.text
    assert "Seen, Priya" in preview.text
    assert "Gone" not in preview.text
    assert "Showing 1 of 2." in preview.text


def test_a_report_of_a_day_before_shows_the_old_path_on_the_page_and_in_the_file(
    app: Flask, admin: PortalClient, units
) -> None:
    make_person(units["team"], staff_number="D1001")
    reference = db.session.get_one(Directive, audience(units["force"])).reference
    for act, fields, button in (
        ("rename", {"name": "Night"}, "Rename Team"),
        ("move", {"above": str(units["crime"])}, "Move Night"),
    ):
        name = "Team" if act == "rename" else "Night"
        day = "1 June 2026" if act == "rename" else "5 June 2026"
        asked = admin.page(f"/units/{act}?unit={W}/Local/{name}")
        admin.press(admin.press(asked, "Continue", on=day, **fields), button)

    report = f"/monitoring/directives/{reference}"
    for day, path in (
        ("2026-05-31", f"{W}/Local/Team"),
        ("2026-06-01", f"{W}/Local/Night"),
        ("2026-06-05", f"{W}/Crime/Night"),
    ):
        answer = admin.get(f"{report}/completions.csv?as_at={day}")
        lines = csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff")))
        (line,) = (line for line in lines if line["staff_number"] == "D1001")
        assert (line["unit_path"], line["unit"]) == (path, path.rsplit("/", 1)[-1])
        assert path.rsplit("/", 1)[-1] in [
            words(cell) for cell in admin.page(f"{report}?as_at={day}").all("td")
        ]


def test_many_units_ask_no_more_than_few(admin: PortalClient, units) -> None:
    def add(number: int) -> None:
        make_person(make_unit(f"Unit {number}", units["force"]))

    def asked() -> list[int]:
        paths = ("/units", "/units?q=unit", f"/units/move?unit={W}/Local")
        return [statements(admin, path) for path in paths]

    for number in range(2):
        add(number)
    few = asked()
    for number in range(2, 20):
        add(number)

    assert asked() == few
