"""The page of changes between two positions: who, what, and why."""

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.people.models import Post
from portal.domain.people.units import rename_unit
from portal.platform.db import db, stamp, touch, transaction
from tests.domain.status.facts import make_record
from tests.page_reading import PortalClient, words
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import REPORT, TODAY, World, enter, make_world

CHANGES = f"{REPORT}/changes"
DUE = "from_as_at=2026-04-30&from_as_known_on=2026-04-30"


@pytest.fixture
def world(database: None) -> Iterator[World]:
    made = make_world()
    with time_machine.travel(TODAY, tick=False):
        yield made


@pytest.fixture
def auditor(client: PortalClient, world: World) -> PortalClient:
    return enter(client, world, "D6001")


def test_the_same_day_as_known_then_and_now_names_the_late_fact(auditor: PortalClient) -> None:
    page = auditor.page(f"{CHANGES}?{DUE}&as_at=2026-04-30")
    assert page.h1 == "1 person’s status changed"
    assert "O'Brien, Tom" in page.text
    assert "Overall: Not started, then Complete" in page.text
    assert "Completed in another system: Module" in page.text
    assert "on 29 April 2026, OIC-" in page.text
    assert "Recorded at 10:00 on 10 May 2026." in page.text
    assert "due date" not in page.text.lower().replace("on the due date", "")


def test_a_date_that_passed_is_told_as_such(auditor: PortalClient) -> None:
    page = auditor.page(f"{CHANGES}?{DUE}&as_at=2026-05-01&as_known_on=2026-05-01")
    assert page.h1 == "4 people’s status changed"
    assert page.text.count("The due date, 30 April 2026, passed.") == 4
    assert "Overall: In progress, then Overdue" in page.text


def test_backwards_is_told_the_other_way_round(auditor: PortalClient) -> None:
    page = auditor.page(f"{CHANGES}?from_as_at=2026-04-30&as_at=2026-04-30&as_known_on=2026-04-30")
    assert "Overall: Complete, then Not started" in page.text


def test_before_the_directive_was_known_everybody_is_new(auditor: PortalClient) -> None:
    page = auditor.page(f"{CHANGES}?from_as_at=2026-02-01&from_as_known_on=2026-02-01&as_at=2026-03-02")
    assert page.h1 == "6 people’s status changed"
    assert "Newly required (was not required), " in page.text
    assert "OIC-2026 version 1 applies from 1 January 2026." in page.text


def test_a_manager_reads_of_their_own_people_alone(client: PortalClient, world: World) -> None:
    enter(client, world, "D2002")
    page = client.page(f"{CHANGES}?{DUE}")
    assert "O'Brien" in page.text
    assert "Shah" not in page.text
    assert "Castell" not in page.text


NORTH = "Westshire Police/Local Policing/Response, North"


def asked(**more: str) -> str:
    pairs = {"from_as_at": "2026-04-30", "from_as_known_on": "2026-04-30", **more}
    return f"{CHANGES}?{urlencode(pairs)}"


def test_the_people_of_a_unit_a_role_or_a_rank_alone(auditor: PortalClient) -> None:
    everyone = auditor.page(asked())
    assert {"Castell", "Whitlock", "O'Brien"} <= {name for name in NAMES if name in everyone.text}
    for filters, names in (
        ({"unit": NORTH}, {"Castell", "Shah"}),
        ({"role": "investigation"}, {"O'Brien"}),
        ({"rank": "Sergeant"}, {"Castell"}),
        ({"unit": NORTH, "rank": "Constable"}, {"Shah"}),
    ):
        page = auditor.page(asked(**filters))
        assert {name for name in NAMES if name in page.text} == names, filters
        assert page.h1.startswith(f"{len(names)} ")
        assert len([link for link in page.links if link.startswith("Remove the filter")]) == len(filters)
        [form] = [form for form in page.forms() if form.action == CHANGES]
        kept = {name: values[0] for name, values in form.fields.items() if name in ("unit", "role", "rank")}
        assert kept == filters, "comparing other positions keeps of whom"


NAMES = ("Castell", "Shah", "Brennan", "Whitlock", "Parry", "O'Brien")


def test_who_moved_away_is_listed_no_more_and_who_came_was_not_listed(
    auditor: PortalClient, world: World
) -> None:
    move = date(2026, 6, 1)
    with transaction():
        held = db.session.execute(select(Post).where(Post.person_id == world.people["N2"])).scalar_one()
        said = {name: getattr(held, name) for name in ("person_id", "rank_or_grade", "designated_role")}
        days = {"valid_from": held.valid_from, "valid_to": move - timedelta(days=1)}
        ended = Post(recorded_at=stamp(), replaces_id=held.id, unit_id=held.unit_id, **said, **days)
        begun = Post(recorded_at=stamp(), unit_id=world.units["crime"], valid_from=move, **said)
        db.session.add_all([ended, begun])
        touch(people=[world.people["N2"]])
    from_day = {"from_as_at": "2026-05-31", "from_as_known_on": ""}

    left = auditor.page(asked(**from_day, unit=NORTH))
    assert left.h1 == "1 person’s status changed"
    assert "Overall: Overdue, then Not listed" in left.text
    assert "role response, Crime, from 1 June 2026." in left.text
    came = auditor.page(asked(**from_day, unit="Westshire Police/Crime"))
    assert "Overall: Not listed, then Overdue" in came.text
    assert auditor.page(asked(**from_day)).h1 == "No status changed"


def test_a_unit_that_had_another_name_is_the_same_unit(auditor: PortalClient, world: World) -> None:
    upper = "Westshire Police/Local Policing/Response, Upper"
    with transaction():
        rename_unit(NORTH, upper, on=date(2026, 5, 15), at=stamp())
    page = auditor.page(asked(unit=upper))
    assert page.h1 == "2 people’s status changed"
    assert "Not listed" not in page.text


def test_a_group_of_nobody_gets_a_sentence(auditor: PortalClient) -> None:
    page = auditor.page(asked(role="audit"))
    assert page.h1 == "No status changed"
    assert "among the people who match the filters" in page.text


def test_the_report_of_some_people_leads_to_their_changes(auditor: PortalClient) -> None:
    page = auditor.page(f"{REPORT}?{urlencode({'unit': NORTH, 'rank': 'Sergeant', 'q': 'Cast'})}")
    address = page.links["What changed in the week before"]
    assert parse_qs(urlsplit(address).query) == {"unit": [NORTH], "rank": ["Sergeant"]}


def test_nothing_changed_says_so(auditor: PortalClient) -> None:
    page = auditor.page(f"{CHANGES}?from_as_at=2026-05-20&as_at=2026-05-21")
    assert page.h1 == "No status changed"
    assert "No status changed between these dates." in page.text


def test_days_are_read_generously_and_written_as_iso(auditor: PortalClient) -> None:
    response = auditor.get(f"{CHANGES}?from_as_at=30+April+2026&as_at=1/5/2026")
    assert response.status_code == 303
    assert response.location == f"{CHANGES}?from_as_at=2026-04-30&as_at=2026-05-01"


@pytest.mark.parametrize("name", ["from_as_at", "from_as_known_on", "as_at", "as_known_on"])
@pytest.mark.parametrize("text", ["someday", "2027-01-01"])
def test_a_day_that_is_none_or_ahead_gets_a_sentence(auditor: PortalClient, name: str, text: str) -> None:
    both = {"from_as_at": "2026-05-01", name: text}
    page = auditor.page(f"{CHANGES}?" + "&".join(f"{key}={value}" for key, value in both.items()), 400)
    assert page.title.startswith("Error: ")


@pytest.mark.slow
def test_a_report_leads_to_what_changed_since_the_last_look(auditor: PortalClient, world: World) -> None:
    page = auditor.page(REPORT)
    assert "What changed in the week before" in page.links
    make_record(world.people["N2"], world.activities[1], date(2026, 6, 1))
    assert "What changed in the week before" in auditor.page(REPORT).links  # still the first day
    with time_machine.travel(TODAY + timedelta(days=3), tick=False):
        enter(auditor, world, "D6001")
        page = auditor.page(REPORT)
        address = page.links["What changed since you last looked, on 1 June 2026"]
        changes = auditor.page(address)
        assert "Castell, Imogen" in changes.text
        assert "Shah" not in changes.text
        assert page.links == auditor.page(REPORT).links  # a second look on the day changes nothing
    with time_machine.travel(TODAY + timedelta(days=4), tick=False):
        enter(auditor, world, "D6001")
        link = next(text for text in auditor.page(REPORT).links if "last looked" in text)
        assert link == "What changed since you last looked, on 4 June 2026"


@pytest.mark.slow
def test_many_changes_ask_as_many_statements_as_few(auditor: PortalClient, world: World) -> None:
    with statements() as few:
        auditor.page(f"{CHANGES}?{DUE}")
    for number in range(22):
        world.person(f"X{number:02}", "north", surname=f"Name {number}")
    with statements() as many:
        page = auditor.page(f"{CHANGES}?{DUE}")
    assert len(page.all("tr")) == 26
    assert len(many) == len(few)


def test_the_four_dates_have_labels_of_their_own(auditor: PortalClient) -> None:
    page = auditor.page(CHANGES)
    labels = [words(label) for label in page.all("label")]
    assert labels == [
        "From the position on",
        "From: as known on (empty means now)",
        "To the position on",
        "To: as known on (empty means now)",
    ]


def test_the_kinds_of_change_come_first_and_each_leads_to_its_people(auditor: PortalClient) -> None:
    page = auditor.page(asked())

    kinds = {text: href for text, href in page.links.items() if "kind=" in href}
    assert list(kinds) == [
        "2 people: Not started, then Overdue",
        "1 person: In progress, then Overdue",
        "1 person: Not started, then Complete",
    ]
    assert page.text.index("1 person: In progress") < page.text.index("Everyone, by name")
    for text, href in kinds.items():
        of_kind = auditor.page(href)
        rows = list(of_kind.all("tbody")[0])
        assert len(rows) == int(text.split()[0])
        assert all(text.partition(": ")[2] in words(row) for row in rows)
        assert of_kind.h1 == page.h1
    assert auditor.page(asked(kind="gone"), 400).title.startswith("Error: ")
