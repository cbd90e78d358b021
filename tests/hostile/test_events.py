"""Requests that no page of events or exercises makes: forged, sent again, of somebody else or absurd."""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from icalendar import Calendar
from sqlalchemy import delete, select

from portal.domain.accounts import services as accounts
from portal.domain.people.models import PersonName
from portal.features.events import register
from portal.features.events.models import AttendanceOutcome, Booking, EventVersion, RegisterEntry
from portal.features.events.queries import event_details
from portal.features.events.services import change_event, plan_of
from portal.features.exercises import plenary
from portal.features.exercises.models import ExerciseRun, LogEntry, RunAction, RunStep
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.tables.columns import csv_text
from tests.factories.events import make_booking, make_event, make_event_room, make_event_type
from tests.factories.people import make_person, make_unit
from tests.features.exercises.running.playing import (
    MORNING,
    Players,
    make_players,
    open_as,
    press,
    take_pen,
    write,
)
from tests.limits import reset_limits
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, another, let_in

pytestmark = pytest.mark.usefixtures("database")
NUMBERS = ("9" * 25, "9" * 19, "9" * 5000, "-1", "1e9", "\x00", "\u202e1")
LEAD, FIRST, SECOND = "D5001", "D1001", "D1002"


@dataclass
class Foes:
    """A run at an event with two syndicates, and browsers that send whatever they like."""

    app: Flask
    players: Players
    browsers: dict[str, PortalClient]
    tokens: dict[str, str]

    @property
    def event(self) -> str:
        return f"/events/{self.players.event}"

    @property
    def run(self) -> str:
        return f"/exercises/{self.players.run}"

    def post(self, who: str, path: str, **fields: str) -> int:
        return self.browsers[who].post(path, data={"csrf_token": self.tokens[who], **fields}).status_code

    def get(self, who: str, path: str) -> int:
        return self.browsers[who].get(path).status_code

    def booking_of(self, person: int) -> Booking:
        return db.session.scalars(select(Booking).where(Booking.person_id == person)).one()


@pytest.fixture
def morning() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MORNING, tick=False) as travel:
        yield travel


@pytest.fixture
def foes(app: Flask, morning: time_machine.Traveller) -> Foes:
    players = make_players()
    found = Foes(app, players, {}, {})
    for name, person in ((LEAD, players.facilitator), (FIRST, players.first), (SECOND, players.second)):
        with transaction():
            accounts.set_password(person, PASSWORD, clock.now())
        found.browsers[name] = another(app)
        let_in(found.browsers[name], name)
        page = found.browsers[name].page("/account")
        found.tokens[name] = page.form_with("Sign out").fields["csrf_token"][0]
    return found


def count(table: type) -> int:
    return len(db.session.scalars(select(table)).all())


def test_a_step_keeps_only_what_its_kind_says(foes: Foes) -> None:
    assert foes.post(LEAD, f"{foes.run}/control", key=str(uuid4()), do="start", text="x" * 9000) == 303
    fields = {"inject": "hard", "text": "no stage", "to": "999999"}
    assert foes.post(LEAD, f"{foes.run}/control", key=str(uuid4()), do="plenary", **fields) == 303
    steps = db.session.execute(select(RunStep.kind, RunStep.inject_key, RunStep.text, RunStep.syndicate))
    assert {tuple(step) for step in steps if step.kind != "release"} == {
        ("start", "", "", 0),
        ("plenary", "", "", 0),
    }
    assert foes.get(FIRST, f"{foes.run}/plenary") == 200


@pytest.mark.parametrize("number", NUMBERS)
def test_no_number_breaks_a_page_or_writes_anything(foes: Foes, number: str) -> None:
    key = str(uuid4())
    entry = {"id": number, "key": key, "kind": "present", "ago": 0}
    answers = {
        foes.post(LEAD, f"{foes.event}/register", key=key, mark=f"{number}:present"),
        foes.post(LEAD, f"{foes.event}/register/entries", entries=json.dumps([entry])),
        foes.post(
            LEAD,
            f"{foes.event}/register/entries",
            entries=json.dumps([entry | {"id": 8_000_000, "ago": number}]),
        ),
        foes.post(LEAD, f"{foes.event}/register/staff-number", staff_number=number),
        foes.post(LEAD, f"{foes.event}/syndicates", **{f"syndicate-{number}": "1", "syndicate-1": number}),
        foes.post(LEAD, f"{foes.event}/sign-off", **{f"outcome-{number}": "attended:"}),
        foes.post(LEAD, f"{foes.event}/reservations", unit=number, places=number, until_on=number),
        foes.post(LEAD, f"{foes.event}/reservations/end", unit=number),
        foes.post(LEAD, f"{foes.event}/cancel", number=number, reason="Not today"),
        foes.post(LEAD, "/exercises", kind="event", exercise="night-shift", event=number),
        foes.post(LEAD, "/exercises", kind="rehearsal", exercise=number, syndicates="1"),
        foes.post(FIRST, f"{foes.event}/sign-in", ticket=number),
        foes.post(FIRST, f"{foes.run}/1", key=key, do="both", corrects=number, question=number, text="x"),
    }
    if number.isdigit():
        for path in (f"{foes.run}/{number}", f"/events/rooms/{number}", f"{foes.event}/sign-off/{number}"):
            answers |= {foes.get(LEAD, path), foes.post(LEAD, path, key=key, do="scribe")}
        answers.add(foes.get(LEAD, f"{foes.event}/register?heads={number}"))
    assert max(answers) < 500
    assert [count(table) for table in (RegisterEntry, AttendanceOutcome, LogEntry, ExerciseRun)] == [
        0,
        0,
        0,
        1,
    ]
    assert not db.session.scalars(select(EventVersion).where(EventVersion.cancelled)).all()


@pytest.mark.slow
def test_every_form_wants_its_token_and_no_change_is_made_by_reading(foes: Foes) -> None:
    values = {"reference": foes.players.event, "key": "hard", "syndicate": 1, "booking": 1, "number": 1}
    values |= {"staff_number": FIRST, "act": "cancellation", "proposal_id": 1, "room_id": 1, "uuid": uuid4()}
    adapter = foes.app.url_map.bind("127.0.0.1")
    rules = [
        rule
        for rule in foes.app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in {"events", "exercises"} and "POST" in (rule.methods or ())
    ]
    assert len(rules) > 30
    for rule in rules:
        known = values | ({"reference": foes.players.run} if rule.endpoint.startswith("exercises") else {})
        path = adapter.build(rule.endpoint, {name: known[name] for name in rule.arguments}, method="POST")
        for fields in ({}, {"csrf_token": "x"}, {"csrf_token": foes.tokens[FIRST]}):
            answer = foes.browsers[LEAD].post(path, data={"do": "start", "key": str(uuid4()), **fields})
            assert answer.status_code == 400, path
    assert count(RunStep) == 0


@pytest.mark.parametrize("form", ["register", "entries", "syndicates", "sign-off", "correction"])
def test_a_booking_of_another_event_stays_as_it_is(foes: Foes, form: str) -> None:
    other = make_event(make_event_type(), make_event_room("Elsewhere"), foes.players.facilitator)
    booking = make_booking(other, make_person(make_unit("South"), staff_number="D1009"), syndicate=2)
    key = str(uuid4())
    entry = {"id": booking, "key": key, "kind": "present", "ago": 0}
    sent = {
        "register": ("/register", {"key": key, "mark": f"{booking}:present"}),
        "entries": ("/register/entries", {"entries": json.dumps([entry])}),
        "syndicates": ("/syndicates", {f"syndicate-{booking}": "1"}),
        "sign-off": ("/sign-off", {f"outcome-{booking}": "attended:"}),
        "correction": (f"/sign-off/{booking}", {"outcome": "attended:"}),
    }
    path, fields = sent[form]
    assert foes.post(LEAD, f"{foes.event}{path}", **fields) < 500
    assert (count(RegisterEntry), count(AttendanceOutcome)) == (0, 0)
    assert db.session.get_one(Booking, booking).syndicate == 2


def test_nothing_of_another_run_is_corrected_or_taken_back(foes: Foes) -> None:
    press(foes.players.run, foes.players.facilitator, "start")
    take_pen(foes.players.run, foes.players.first, 1)
    write(foes.players.run, foes.players.first, 1)
    entry = db.session.scalars(select(LogEntry)).one()
    fields = {"what": "Brief the shift", "owner": "Duty inspector", "due_on": "31 May 2027"}
    assert foes.post(LEAD, f"{foes.run}/actions", key=str(uuid4()), **fields) == 303
    action = db.session.scalars(select(RunAction)).one().key
    table = open_as(foes.players.second, "table_top")
    press(table, foes.players.second, "start")

    correction = {"corrects": str(entry.id), "question": "q1", "text": "No.", "reason": "No."}
    assert foes.post(SECOND, f"/exercises/{table}/1", key=str(uuid4()), do="entry", **correction) == 200
    assert foes.post(SECOND, f"{foes.run}/1", key=str(uuid4()), do="both", **correction) == 404
    assert foes.post(SECOND, f"/exercises/{table}/actions/{action}/withdrawal", key=str(uuid4())) == 404
    assert (count(LogEntry), count(RunAction)) == (1, 1)
    assert foes.get(FIRST, f"/exercises/{table}/1") == foes.get(LEAD, f"/exercises/{table}/control") == 404


def test_a_ticket_signs_in_its_owner_at_its_event_in_its_time(
    foes: Foes, morning: time_machine.Traveller
) -> None:
    path, secret = f"{foes.event}/sign-in", foes.app.config["PORTAL"].secret_key
    code = register.make_room_code(secret, foes.players.event, clock.now())

    def fetch_ticket() -> str:
        found = re.search(
            r'name="ticket" value="([^"]+)"', foes.browsers[FIRST].get(f"{path}?code={code}").text
        )
        assert found
        return found[1]

    ticket = fetch_ticket()
    morning.shift(timedelta(seconds=register.NUMBER_SECONDS))
    number = register.make_room_number(secret, foes.players.event, clock.now())
    for forged in (ticket[:-4], ticket.replace(".", "..", 1), "1." + ticket, ticket.upper(), f"{ticket}é"):
        assert foes.post(FIRST, path, ticket=forged, number=number) == 409
    reset_limits()
    assert foes.post(SECOND, path, ticket=ticket, number=number) == 409
    other = make_other(foes)
    make_booking(other, foes.players.first)
    assert foes.post(FIRST, f"/events/{other}/sign-in", ticket=ticket, number=number) == 409
    assert foes.post(FIRST, path, ticket=ticket, number="") == 400
    assert count(RegisterEntry) == 0
    assert [foes.post(FIRST, path, ticket=ticket, number=number) for _ in range(3)] == [303, 303, 303]
    assert count(RegisterEntry) == 1
    late = fetch_ticket()
    morning.shift(timedelta(minutes=3))
    assert foes.post(FIRST, path, ticket=late, number=number) == 409
    with transaction():
        foes.booking_of(foes.players.second).state = "cancelled"
    assert foes.get(SECOND, f"{path}?code={code}") == 403
    assert count(RegisterEntry) == 1


def make_other(foes: Foes) -> str:
    """An event of another type tomorrow, by the same facilitator."""
    room, day = make_event_room("Elsewhere"), MORNING + timedelta(hours=20)
    return make_event(make_event_type("other-day"), room, foes.players.facilitator, starts_at=day)


@pytest.mark.slow
def test_hostile_words_leave_files_and_pages_whole(foes: Foes) -> None:
    note = (
        'Bring <script>alert(1)</script>\r\nATTENDEE:mailto:x@y.example\r\nEND:VCALENDAR\n#eval("1") \u202e=1'
    )
    other, day = make_other(foes), MORNING + timedelta(days=1)
    with transaction():
        plan = replace(plan_of(event_details(other)), starts_at=day, notes=note)
        change_event(other, plan, number=0, reason=note, by=foes.players.facilitator, at=clock.now())
        name = db.session.get_one(PersonName, foes.players.first)
        name.surname, name.forenames = '#image("/etc/passwd")] "; <b>', "=1+1"
    press(foes.players.run, foes.players.facilitator, "start")
    take_pen(foes.players.run, foes.players.first, 1)
    write(foes.players.run, foes.players.first, 1, text="=HYPERLINK(1)")
    press(foes.players.run, foes.players.facilitator, "end")

    calendar = foes.browsers[LEAD].get(f"/events/{other}/calendar.ics").data
    events = Calendar.from_ical(calendar).walk("VEVENT")
    assert [event.get("attendee") for event in events] == [None]
    assert calendar.count(b"END:VCALENDAR\r\n") == 1
    for path in (
        f"/events/{other}",
        f"{foes.event}/register",
        f"{foes.event}/syndicates",
        f"{foes.run}/control",
    ):
        page = foes.browsers[LEAD].get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "; <b>" not in page.text
    assert foes.get(LEAD, f"{foes.event}/syndicates/door-sheets.pdf") == 200
    assert foes.get(LEAD, f"{foes.event}/syndicates/name-cards.pdf") == 200
    with zipfile.ZipFile(io.BytesIO(foes.browsers[LEAD].get(f"{foes.run}/debrief.zip").data)) as parts:
        tables = " ".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".csv"))
    assert csv_text("=HYPERLINK(1)") in tables
    assert ",=HYPERLINK" not in tables


def test_who_was_erased_has_no_name_on_any_page(foes: Foes) -> None:
    press(foes.players.run, foes.players.facilitator, "start")
    take_pen(foes.players.run, foes.players.first, 1)
    write(foes.players.run, foes.players.first, 1)
    with transaction():
        db.session.execute(delete(PersonName).where(PersonName.person_id == foes.players.first))
    ways = ("", "/register", "/register/states", "/syndicates", "/sign-off", "/syndicates/door-sheets.pdf")
    paths = [f"{foes.event}{way}" for way in ways]
    paths += [f"{foes.run}{way}" for way in ("/control", "/wall", "/1", "/plenary", "/plenary/decisions")]
    for path in paths:
        page = foes.browsers[LEAD].get(path)
        assert page.status_code == 200, path
        assert b"Adair" not in page.data


def test_one_person_who_floods_a_plenary_leaves_it_to_the_room(
    foes: Foes, morning: time_machine.Traveller
) -> None:
    foes.post(LEAD, f"{foes.run}/control", key=str(uuid4()), do="start")
    foes.post(LEAD, f"{foes.run}/control", key=str(uuid4()), do="plenary")
    browser = foes.browsers[LEAD]
    browser.press(
        browser.page(f"{foes.run}/plenary/hard/lead"), "Let the room write statements", stage="statements"
    )

    answers = Counter[int]()
    for number in range(plenary.MOST // 2):
        answers[foes.post(FIRST, f"{foes.run}/plenary/hard/statement", text=f"Noise {number}")] += 1
        morning.shift(timedelta(seconds=4))

    assert answers[303] <= plenary.MOST / 4
    assert answers[429] == answers.total() - answers[303]
    assert foes.post(SECOND, f"{foes.run}/plenary/hard/statement", text="We had no second car") == 303
