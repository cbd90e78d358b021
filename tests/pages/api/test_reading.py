"""What the API reads: the cells of the files, at any position, page by page while facts are added."""

import json
from datetime import date
from urllib.parse import quote

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.access_tokens import TokenScope
from portal.domain.audit_desk.queries import list_disclosures
from portal.domain.people.models import PersonName
from portal.domain.people.queries import person_by_staff_number
from portal.domain.records.models import Record
from portal.domain.records.services import new_reference
from portal.platform.audit import AuditEvent
from portal.platform.db import db, newest_stamp, transaction
from tests.domain.status.facts import make_record
from tests.factories.people import make_person
from tests.pages.api.calling import COMPLETIONS, system
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.reading import csv_rows
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def world(database):
    return make_world()


@pytest.fixture
def caller(app, world):
    return system(app)


def as_csv(value):
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize(
    "query",
    ["", "?as_at=2026-04-30&as_known_on=2026-04-30", "?as_at=2026-04-30", "?status=overdue", "?q=shah"],
    ids=["now", "then", "hindsight", "status", "name"],
)
@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_the_cells_are_those_of_the_csv_however_long_the_pages(client, caller, world, query, limit):
    in_csv = csv_rows(enter(client, world, "D6001"), query)

    rows = caller.read_all(f"{COMPLETIONS}{query}{'&' if query else '?'}limit={limit}")

    assert in_csv
    assert [list(row) for row in rows] == [list(row) for row in in_csv]
    for row, cells in zip(rows, in_csv, strict=True):
        assert {name: as_csv(value) for name, value in row.items()} == {
            name: cell.removeprefix("'") for name, cell in cells.items()
        }


def test_the_status_is_that_of_the_report(client, caller, world):
    client = enter(client, world, "D6001")
    for query in ("", "?as_at=2026-04-30&as_known_on=2026-04-30"):
        definition = json.loads(client.get(f"{REPORT}/completions.json{query}").text)["definition"]

        status = caller.read(f"/directives/OIC-2026/status{query}")

        same = ("numerator", "denominator", "percentage", "exclusions", "assigned", "as_at", "as_known_on")
        assert {name: status[name] for name in same} == {name: definition[name] for name in same}


def test_a_person_has_the_posts_of_the_day(caller):
    shah = caller.read("/people/D1001")

    assert (shah["staff_number"], shah["surname"], shah["as_at"]) == ("D1001", "Shah", "2026-06-01")
    (post,) = shah["posts"]
    assert post["unit_path"] == "Westshire Police/Local Policing/Response, North"
    assert (post["line_manager_staff_number"], post["valid_to"]) == ("D2001", None)
    assert caller.read("/people/D1001?as_at=2023-12-31")["posts"] == []
    caller.read("/people/NOBODY", 404)


def test_a_record_is_found_by_its_reference_as_people_write_it(caller, world):
    reference = new_reference()
    make_record(world.people["N2"], world.activities[1], date(2026, 5, 31), reference=reference)
    record = caller.read_all("/records")[-1]

    found = caller.read(f"/records/{quote(reference.lower().replace('-', ' '))}")

    assert record["reference"] == reference
    assert {name: found[name] for name in record} == record
    caller.read(f"/records/{reference}?as_known_on=2026-05-11", 404)
    caller.read("/records/OIC-0000-0000-0", 404)


def test_a_late_pass_is_known_only_from_its_stamp_on(caller):
    def counted(query):
        return len(caller.read_all(f"/records{query}"))

    assert counted("") == 4
    assert counted("?as_known_on=2026-04-30") == 2
    assert counted("?as_at=2026-04-18") == 2


def test_a_directive_says_its_rules_and_is_unknown_before_it_was_known(caller):
    directive = caller.read("/directives/OIC-2026")

    assert [one["reference"] for one in caller.read_all("/directives")] == ["OIC-2026"]
    assert (directive["due_fixed_on"], directive["withdrawn"], directive["version"]) == (
        "2026-04-30",
        False,
        1,
    )
    assert [one["requirement_kind"] for one in directive["requirements"]] == ["module", "module"]
    for path in ("", "/status", "/completions"):
        caller.read(f"/directives/OIC-2026{path}?as_known_on=2026-02-01", 404)
    assert caller.read_all("/directives?as_known_on=2026-02-01") == []


@pytest.mark.parametrize("path", [COMPLETIONS, "/records", "/people"])
def test_pages_stay_right_while_facts_are_added(caller, world, path):
    everything = caller.read_all(f"{path}?limit=1000")
    page = caller.read(f"{path}?limit=1")
    items = page["items"]
    person = make_person(world.units["north"], staff_number="A0001", surname="Aaron")
    make_person(world.units["crime"], staff_number="ZZ", surname="Zed")
    for activity in world.activities.values():
        make_record(person, activity, date(2026, 5, 31))
        make_record(world.people["N2"], activity, date(2026, 5, 31))
    assert newest_stamp().isoformat() > page["as_known_on"]

    rest = caller.read_all(page["next"])

    assert items + rest == everything
    assert len(caller.read_all(f"{path}?limit=1000")) > len(everything) - (path == COMPLETIONS)


def test_a_name_that_changes_moves_nobody_else(caller, world):
    page = caller.read(f"{COMPLETIONS}?limit=2")
    with transaction():
        first = PersonName.person_id == world.people["C1"]
        db.session.execute(update(PersonName).where(first).values(surname="Zed"))

    rest = caller.read_all(page["next"])

    assert [row["staff_number"] for row in page["items"] + rest][::2] == [
        "C1", "N1", "N2", "D1001", "S1", "S2",
    ]  # fmt: skip


def test_an_erased_person_keeps_their_rows_and_their_place(client, caller, world):
    with transaction():
        db.session.delete(db.session.get_one(PersonName, world.people["N1"]))
    in_csv = csv_rows(enter(client, world, "D6001"))

    rows = caller.read_all(f"{COMPLETIONS}?limit=1")

    assert [row["staff_number"] for row in rows] == [row["staff_number"] for row in in_csv]
    assert f"Erased-{world.people['N1']}" in {row["staff_number"] for row in rows}


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/people?as_at=", "as_at: give a value, or leave it out."),
        ("/records?as_known_on=", "as_known_on: give a value, or leave it out."),
        ("/people?as_at=soon", "Enter a date, such as 30 April 2026."),
        ("/people?as_at=2026-06-02", "A position cannot be shown for a future date."),
        ("/people?as_known_on=2027-01-01", "As known on must be now or earlier."),
        ("/records?as_known_on=noon", "Enter a date, or a date and time"),
        ("/people?limit=0", "limit: write a number from 1 to 1000."),
        ("/people?limit=1001", "limit: write a number from 1 to 1000."),
        ("/people?cursor=abc", "cursor: this is none of the portal's."),
        (
            "/people?colour=red",
            "colour: this is no argument of this address. Its arguments are as_at, as_known_on",
        ),
        ("/people?as_at=2026-05-01&as_at=2026-05-02", "as_at: give it once."),
        (f"{COMPLETIONS}?unit=Nowhere", "not a known unit"),
        (f"{COMPLETIONS}?status=done", "not a known status"),
    ],
)
def test_what_is_wrong_is_a_problem_with_a_sentence(caller, path, sentence):
    response = caller.ask(path)

    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert sentence in response.get_json()["detail"]


def test_a_cursor_is_for_its_own_list_and_comes_alone(caller):
    cursor = caller.read("/people?limit=1")["next"].partition("cursor=")[2]

    caller.read(f"/records?cursor={cursor}", 400)
    caller.read(f"/people?cursor={cursor}&as_at=2026-05-01", 400)
    caller.read(f"/people?cursor={cursor}x", 400)
    assert caller.read(f"/people?cursor={cursor}&limit=5")["items"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nothing", "GET", 404),
        ("/people", "DELETE", 405),
        ("/records", "PUT", 405),
        ("/records/%00", "GET", 404),
        ("/people?q=%00", "GET", 400),
    ],
)
def test_every_refusal_is_a_problem_document(caller, path, method, status):
    response = caller.ask(path, method)
    problem = response.get_json()

    assert response.status_code == problem["status"] == status
    assert response.mimetype == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "reference"}


@pytest.mark.parametrize("path", ["/people", "/records", "/directives/OIC-2026/status", COMPLETIONS])
def test_an_answer_that_one_has_is_not_sent_again(caller, world, path):
    pinned = f"{path}?as_known_on=2026-05-01T00:00:00Z"
    first = caller.ask(pinned)
    etag = {"If-None-Match": first.headers["ETag"]}

    again = caller.ask(pinned, headers=etag)
    assert (again.status_code, again.data) == (304, b"")
    make_record(world.people["N2"], world.activities[1], date(2026, 5, 31))
    assert caller.ask(pinned, headers=etag).status_code == 304  # what was known then stays so
    assert caller.ask(path, headers=etag).status_code == 200


def test_what_is_read_is_audited_with_the_token_and_no_free_text(caller):
    caller.read(f"{COMPLETIONS}?q=shah&limit=1")
    caller.read("/people/D1001")

    events = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "data.read").order_by(AuditEvent.id)
    ).all()
    assert [event.actor_id for event in events] == [None, None]
    first, second = (event.detail for event in events)
    assert (first["token"], first["operation"], first["filters"]) == (
        "token-0-read",
        "list_completions",
        ["q"],
    )
    assert second["operation"] == "show_person"
    assert events[1].subject_id is not None
    assert "shah" not in str(first)


def test_whoever_was_read_finds_it_among_the_disclosures(caller):
    person = person_by_staff_number("D1001")
    caller.read(f"{COMPLETIONS}?q=shah")
    caller.read("/people/D1001")
    caller.read(f"{COMPLETIONS}?q=cast")  # somebody else

    acts = list_disclosures(person, limit=10)

    assert [act.detail["operation"] for act in acts] == ["show_person", "list_completions"]
    assert {act.agent for act in acts} == {"token-0-read"}


def test_the_token_says_what_it_may_do(app, world):
    caller = system(app, TokenScope.WRITE, unit=world.units["north"])

    assert caller.read("") == {
        "name": "token-1-write",
        "scope": "write",
        "unit_path": "Westshire Police/Local Policing/Response, North",
        "directive": None,
    }


@pytest.mark.parametrize("path", [COMPLETIONS, "/people", "/records", "/directives"])
def test_twenty_entries_take_as_many_statements_as_two(caller, world, path):
    for number in range(20):
        person = make_person(
            world.units["north"], staff_number=f"M{number:02}", manager=world.people["D2001"]
        )
        make_record(person, world.activities[1], date(2026, 5, 2))
    assert db.session.scalar(select(Record.id).limit(1))
    caller.read(f"{path}?limit=2")  # the token's use is noted
    with statements() as few:
        caller.read(f"{path}?limit=2")
    with statements() as many:
        caller.read(f"{path}?limit=20")

    assert len(many) == len(few)
    assert len(few) < 25
