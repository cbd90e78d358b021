"""A filter whose value nobody knows is refused everywhere: on every list, in every file, in a sentence."""

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from flask import Flask
from sqlalchemy import update

from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.units import move_unit, rename_unit
from portal.domain.reports import completion_files, report_pdf
from portal.platform.db import db, stamp, transaction
from tests.domain.status.facts import add
from tests.examples import sweep_after
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.monitoring.moving import move
from tests.pages.monitoring.preparing import jobs, run_jobs
from tests.pages.monitoring.reading import csv_rows
from tests.pages.monitoring.world import REPORT, TODAY, World, enter, make_world

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
OF_REPORTS = {
    "unit": "unit",
    "role": "role",
    "rank": "rank or grade",
    "status": "status",
    "late": "overdue by",
    "due": "due",
}
LISTS = {  # every page that narrows, sorts or pages a list by its address
    "/monitoring": {"unit": "unit", "open": "directive"},
    REPORT: {**OF_REPORTS, "sort": "sort order", "page": "page"},
    f"{REPORT}/changes": {"unit": "unit", "role": "role", "rank": "rank or grade", "page": "page"},
    "/people": {"page": "page"},
    "/people/invitations": {
        **{name: name for name in ("role", "directive", "invited", "outcome")},
        "page": "page",
    },
    "/people/invitations/print": {"role": "role", "who": "who"},
    "/audit": {"group": "kind of act", "outcome": "outcome", "channel": "way"},
    "/jobs": {"state": "state", "page": "page"},
    "/imports": {"page": "page"},
    "/reminders": {"state": "state", "page": "page"},
    "/reminders/preview": {"page": "page"},
    "/grants": {"role": "role", "state": "state", "sort": "sort order", "page": "page"},
    "/grants/proposed": {"page": "page"},
    "/grants/review": {"page": "page"},
    "/units": {"page": "page"},
    "/decisions": {"whose": "whose", "state": "state", "kind": "kind", "page": "page"},
}
NOWHERE = "Atlantis"


@pytest.fixture
def world(client: PortalClient) -> Iterator[World]:
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


@pytest.fixture
def administrator(client: PortalClient, world: World) -> PortalClient:
    make_grant(world.people["D6001"], "administrator")
    make_grant(world.people["D6001"], "directive-owner")
    return enter(client, world, "D6001")


@pytest.mark.parametrize("path", LISTS)
def test_every_list_refuses_every_unknown_value_and_stays_usable(
    administrator: PortalClient, path: str
) -> None:
    buttons = buttons_of(administrator.page(path))
    for name, words in LISTS[path].items():
        page = administrator.page(f"{path}?{urlencode({name: NOWHERE})}", 400)

        assert page.title.startswith("Error: "), name
        [summary] = page.all("div", class_="govuk-error-summary")
        kind = "page number" if name == "page" else f"known {words}"
        assert f"“{NOWHERE}” is not a {kind}." in "".join(summary.itertext())
        assert buttons_of(page) == buttons, f"{name}: the form is still there"


def buttons_of(page: Page) -> set[str]:
    return {button for form in page.forms() for button in form.buttons}


def test_a_page_past_the_end_is_the_last(administrator: PortalClient) -> None:
    assert administrator.page("/people?page=999").text == administrator.page("/people").text


NAMES = ["stauts=overdue", "sort=due", "page=2", "status=overdue&status=exempt"]


@pytest.mark.parametrize("path", FILES)
def test_no_file_is_made_of_an_unknown_value_or_name(administrator: PortalClient, path: str) -> None:
    for name, words in OF_REPORTS.items():
        answer = administrator.get(f"{path}?{urlencode({name: NOWHERE})}")
        assert (answer.status_code, answer.mimetype) == (400, "text/html"), name
        assert f"“{NOWHERE}” is not a known {words}." in answer.get_data(as_text=True)
    for asked in NAMES:
        answer = administrator.get(f"{path}?{asked}")
        assert answer.status_code == 400, asked
        said = answer.get_data(as_text=True)
        unknown = re.search(r"is not a filter of this file\. It knows as_at, as_known_on, (bom, )?due,", said)
        assert unknown or "The address says “status” twice. Say it once." in said


def test_the_data_dictionary_has_no_filters(administrator: PortalClient) -> None:
    assert administrator.get("/monitoring/data-dictionary.csv?unit=Crime").status_code == 400
    assert administrator.get("/monitoring/data-dictionary.csv").status_code == 200


def test_the_sentence_names_what_is_possible(administrator: PortalClient) -> None:
    page = administrator.page(f"{REPORT}?rank=Admiral&status=late", 400)
    assert (
        "“Admiral” is not a known rank or grade. Choose Constable, Sergeant, Inspector or Staff." in page.text
    )
    assert [text for text in page.links if text.startswith("Remove the filter")] == [
        "Remove the filter Status: overdue or expired"
    ], "what is known still holds, what is refused does not"
    assert "#rank" in page.links.values()


def test_of_several_ranks_each_is_known(administrator: PortalClient) -> None:
    assert administrator.get(f"{FILES[0]}?rank=Constable&rank=Sergeant").status_code == 200
    answer = administrator.get(f"{FILES[0]}?rank=Constable&rank=Admiral")
    assert answer.status_code == 400
    assert administrator.get(f"{FILES[0]}?rank=,").status_code == 200  # names none: everybody


@pytest.mark.slow
def test_a_rank_and_a_role_that_nobody_has_today_stay_known(
    administrator: PortalClient, world: World
) -> None:
    move(world, "N2", "north", on=date(2026, 5, 1), rank_or_grade="Special", designated_role="custody")
    move(world, "N2", "north", on=date(2026, 5, 20), rank_or_grade="Constable", designated_role="response")

    for asked in ({"rank": "Special"}, {"role": "custody"}):
        assert csv_rows(administrator, f"?{urlencode(asked)}") == []
        assert administrator.page(f"{REPORT}?{urlencode(asked)}").all("div", class_="portal-empty")


NORTH, UPPER = "Westshire Police/Local Policing/Response, North", "Westshire Police/Local Policing/Upper"


@pytest.mark.slow
def test_the_path_that_a_unit_had_leads_to_the_same_unit(administrator: PortalClient, world: World) -> None:
    before = csv_rows(administrator, f"?{urlencode({'unit': NORTH})}")
    with transaction():
        rename_unit(NORTH, UPPER, on=TODAY.date(), at=stamp())

    after = csv_rows(administrator, f"?{urlencode({'unit': NORTH})}")

    assert {row["staff_number"] for row in after} == {row["staff_number"] for row in before} != set()
    assert {row["unit_path"] for row in after} == {UPPER}
    early = f"?{urlencode({'unit': UPPER, 'as_at': '2026-05-01'})}"
    assert {row["unit_path"] for row in csv_rows(administrator, early)} == {NORTH}
    assert administrator.page(f"/monitoring?{urlencode({'unit': NORTH})}").h1
    assert administrator.page(f"{REPORT}/changes?{urlencode({'unit': NORTH})}").h1
    assert administrator.page(f"/grants?{urlencode({'unit': NORTH})}").h1


HIDDEN = {"unit": "Westshire Police/Crime", "role": "investigation", "rank": "Inspector"}
PAGES = [REPORT, f"{REPORT}/changes", "/monitoring"]


@pytest.mark.slow
@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("viewer", sweep_after(1, "D2004", "D2001"))  # of two units, of one
def test_what_is_out_of_sight_is_answered_as_what_never_was(
    client: PortalClient, world: World, name: str, viewer: str
) -> None:
    world.person("D2004", "south", rank="Sergeant")
    make_grant(world.people["D2004"], "manager", world.units["south"])
    make_grant(world.people["D2004"], "manager", world.units["north"])
    enter(client, world, viewer)
    client.get("/account")  # which tells what of one's own is overdue, once
    for path in (*PAGES, *FILES[:2]):
        if path == "/monitoring" and name != "unit":
            continue
        hidden, never = (
            client.get(f"{path}?{urlencode({name: value})}") for value in (HIDDEN[name], NOWHERE)
        )
        assert (hidden.status_code, never.status_code) == (400, 400), path
        texts = [one.get_data(as_text=True) for one in (hidden, never)]
        assert _plain(texts[0], HIDDEN[name]) == _plain(texts[1], NOWHERE), path


def _plain(text: str, value: str) -> str:
    text = html.unescape(text).replace(f"“{value}”", "“…”")
    return re.sub(r"<strong>[0-9A-Z]{4}-[0-9A-Z]{4}</strong>|csrf_token[^>]*>", "", text)


def test_the_units_above_one_s_own_are_known(client: PortalClient, world: World) -> None:
    enter(client, world, "D2001")
    seen = {row["staff_number"] for row in csv_rows(client)}
    for path in ("Westshire Police", "Westshire Police/Local Policing", NORTH):
        found = csv_rows(client, f"?{urlencode({'unit': path})}")
        assert {row["staff_number"] for row in found} == seen == {"D1001", "N1"}


@pytest.mark.parametrize("name", ["completions.xlsx", "completions.pdf", "people.xlsx"])
def test_no_job_is_started_for_an_unknown_value(
    administrator: PortalClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(completion_files, "XLSX_ROWS", 1)
    monkeypatch.setattr(report_pdf, "MOST_PEOPLE", 1)
    assert administrator.get(f"{REPORT}/{name}?unit=Atlantis").status_code == 400
    assert jobs() == []


def test_a_job_fails_with_the_sentence_where_a_value_is_known_no_more(
    app: Flask, client: PortalClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom its asker may see has changed between the asking and the making."""
    monkeypatch.setattr(completion_files, "XLSX_ROWS", 1)
    manager = enter(client, world, "D2003")
    path = manager.get(f"{REPORT}/completions.xlsx?{urlencode({'unit': NORTH})}").location
    with transaction():
        mine = RoleGrant.person_id == world.people["D2003"]
        db.session.execute(update(RoleGrant).where(mine).values(unit_id=world.units["crime"]))
    run_jobs(app)

    page = manager.page(path)
    assert page.h1 == "Your file could not be made"
    assert f"“{NORTH}” is not a known unit." in page.text


def test_a_day_ahead_is_refused_before_an_unknown_filter(administrator: PortalClient) -> None:
    tomorrow = (TODAY + timedelta(days=1)).date().isoformat()
    page = administrator.page(f"{REPORT}?as_at={tomorrow}&status=foo", 400)
    assert "cannot be shown for a future date" in page.text
    assert "complete" not in page.h1
    page = administrator.page(f"{REPORT}?as_at={TODAY.date().isoformat()}&status=foo", 400)
    assert "“foo” is not a known status." in page.text


def test_a_rank_held_while_its_unit_lay_elsewhere_is_unknown(client: PortalClient, world: World) -> None:
    """The unit is in sight again, but nobody could see who held it meanwhile."""
    crime, local = "Westshire Police/Crime/Response, North", NORTH
    for old, new, day in ((local, crime, date(2026, 4, 1)), (crime, local, date(2026, 5, 1))):
        with transaction():
            move_unit(old, new, on=day, at=stamp())
    for rank, first in (("Colonel", date(2026, 4, 10)), ("Major", date(2026, 5, 10))):
        words = {"rank_or_grade": rank, "designated_role": "escort", "post_key": rank}
        days = {"valid_from": first, "valid_to": first + timedelta(days=9)}
        who = world.people["N2"]
        add(Post(person_id=who, unit_id=world.units["north"], **words, **days), people=[who])
    enter(client, world, "D2003")

    assert client.get(f"{FILES[0]}?rank=Colonel").status_code == 400
    assert client.get(f"{FILES[0]}?rank=Major").status_code == 200
