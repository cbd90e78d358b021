"""Whatever the machine's clock does, what happened is dated by it, and what was reported stays."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.catalogue.models import Activity, GuideVersion, ModuleVersion
from portal.domain.directives.models import Directive
from portal.domain.directives.services import ExclusionDecision, decide_exclusions, list_exclusions
from portal.domain.people.queries import COMMAND_LINE
from portal.domain.records import queries, services
from portal.domain.records.models import Record, Registration
from portal.domain.reports.completion_rows import CompletionRow
from portal.domain.reports.parameters import Position, parse_position
from portal.domain.reports.queries import completion_report
from portal.platform import clock
from portal.platform.db import OPEN_END, db, newest_stamp, stamp, transaction
from tests.domain.status.facts import add, make_activity, make_directive, make_module_version, make_version
from tests.examples import IN_ONE_TRANSACTION, few_or_many
from tests.factories.catalogue import make_version as make_module
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import let_in, make_account
from tests.pages.learning.working import learner, take

NOON = datetime(2026, 4, 29, 12, tzinfo=UTC)
AHEAD = NOON + timedelta(days=400)


def note_something() -> None:
    with transaction():
        stamp()


def test_a_pass_after_the_clock_was_set_right_is_dated_by_the_clock(client):
    with time_machine.travel(AHEAD, tick=False):  # the clock was more than a year ahead for a while
        note_something()
    with time_machine.travel(NOON, tick=False):
        make_module()
        learner(client)
        page = take(client, 4)
        records = client.page("/records")

    held = db.session.scalars(select(Record)).one()
    begun = db.session.scalars(select(Registration)).one()
    assert (held.achieved_at, held.achieved_on) == (NOON, date(2026, 4, 29))
    assert (begun.started_at, begun.started_on) == (NOON, date(2026, 4, 29))
    assert held.recorded_at > AHEAD
    assert "29 April 2026" in page.text
    assert "29 April 2026" in records.text


def test_a_default_report_shows_what_was_recorded_ahead_of_the_clock(client):
    with time_machine.travel(AHEAD, tick=False):
        note_something()
    with time_machine.travel(NOON, tick=False):
        make_module()
        learner(client)
        activity = db.session.scalars(select(Activity.id).where(Activity.kind == "module")).one()
        make_version(make_directive(), {1: activity}, effective_on=date(2024, 1, 1))
        reference = db.session.scalars(select(Directive.reference)).one()
        take(client, 4)
        client.delete_cookie("portal")
        make_grant(make_account("D6001"), "auditor")
        let_in(client, "D6001")

        for asked in ("", "?as_known_on=29+April+2026"):
            rows = client.get(f"/monitoring/directives/{reference}/completions.csv{asked}").get_data(
                as_text=True
            )
            assert rows.count(",satisfied,") == 1, rows
            assert "2026-04-29T12:00:00Z" in rows


def test_who_decided_and_when_follow_the_clock(database):
    with time_machine.travel(AHEAD, tick=False):
        note_something()
    with time_machine.travel(NOON, tick=False):
        unit = make_unit("Force")
        owner, person, directive = make_person(unit), make_person(unit), make_directive()
        make_grant(owner, "directive-owner")
        with transaction():
            days = (date(2026, 4, 1), OPEN_END, None)
            decide_exclusions([ExclusionDecision(person, directive, True, "other", *days, owner)])

    (told,) = list_exclusions(person)
    assert told.decided_at == NOON
    assert "on 29 April 2026" in told.words


ACTS = st.sampled_from(["register", "acknowledge", "recognise", "exclude", "revoke"])
HOURS = st.one_of(st.integers(-60, 60), st.integers(-20_000, 20_000), st.just(0))
STEPS = st.lists(st.tuples(HOURS, ACTS, st.integers(0, 1)), min_size=2, max_size=8)


class Force:
    """Two people, a directive of a module and a guide, and what they do by a clock that jumps."""

    def __init__(self) -> None:
        unit = make_unit("Force")
        self.people = [make_person(unit), make_person(unit)]
        module, guide = make_activity(), make_activity("guide")
        self.module = db.session.get_one(ModuleVersion, make_module_version(module))
        self.guide = db.session.get_one(GuideVersion, make_guide(guide))
        self.directive = make_directive()
        make_version(self.directive, {1: module, 2: guide}, validity_months=12)
        self.reference = db.session.get_one(Directive, self.directive).reference

    def act(self, name: str, who: int, now: datetime) -> None:
        with transaction():
            stamp()
            getattr(self, name)(self.people[who], now)

    def register(self, person: int, now: datetime) -> None:
        registration_id = services.start_registration(person, self.module.activity_id, self.module.id, now)
        begun = queries.get_registration(registration_id)
        if begun.recorded_at == stamp():
            assert (begun.started_at, begun.started_on) == (now, clock.london_day(now))

    def acknowledge(self, person: int, now: datetime) -> None:
        reference = services.record_acknowledgement(person, self.guide, now)
        held = db.session.scalars(select(Record).where(Record.reference == reference)).one()
        assert held.achieved_on == clock.london_day(now)

    def recognise(self, person: int, now: datetime) -> None:
        day = clock.london_day(now) - timedelta(days=30)
        whose = (person, self.module.activity_id, day)
        held = services.recognise_prior_learning(*whose, reason="other", evidence="", decided_by=person)
        assert held.achieved_on == day

    def exclude(self, person: int, now: datetime) -> None:
        day = clock.london_day(now)
        days = (day, day + timedelta(days=9), None)
        decide_exclusions([ExclusionDecision(person, self.directive, True, "other", *days, person)])

    def revoke(self, person: int, _now: datetime) -> None:
        held = select(Record.id, Record.achieved_on).where(Record.person_id == person).order_by(Record.id)
        for record_id, day in db.session.execute(held):
            if not queries.list_revocations([record_id]):
                services.revoke_record(record_id, day, reason="other", decided_by=person)
                return

    def report(self, day: date, known: datetime, today: date) -> list[CompletionRow]:
        at = Position(day, known, today, latest=False)
        return list(completion_report(COMMAND_LINE, self.reference, at).rows())


def make_guide(activity: int) -> int:
    texts = dict.fromkeys(("digest", "title", "summary", "owner", "html"), "x")
    days = {"review_on": date(2030, 1, 1), "published_at": NOON}
    return add(GuideVersion(activity_id=activity, number=1, acknowledge=True, words=1, **texts, **days))


@pytest.mark.slow
@settings(max_examples=few_or_many(6, 25), suppress_health_check=IN_ONE_TRANSACTION)
@given(steps=STEPS)
def test_however_the_clock_jumps_days_are_its_own_and_reports_stay(database, steps):
    with time_machine.travel(NOON, tick=False):
        force = Force()
    stamps, reports = [], {}
    for hours, name, who in steps:
        now = NOON + timedelta(hours=hours)
        today = clock.london_day(now)
        with time_machine.travel(now, tick=False):
            force.act(name, who, now)
            newest = newest_stamp()
            shown = parse_position("", "", now=now, newest=newest)
        stamps.append(newest)
        assert (shown.as_at, shown.as_known_on, shown.latest) == (today, newest, True)
        for day in (today, date(2026, 4, 30)):
            reports[newest, day] = force.report(day, newest, today)

    assert all(before < after for before, after in pairwise(stamps))
    for (known, day), told in reports.items():
        assert force.report(day, known, day) == told


def test_a_stamp_ahead_of_the_clock_is_an_alarm_for_whoever_watches(client, log, monkeypatch):
    monkeypatch.setattr(clock.stamp_warning, "next_at", 0)
    with time_machine.travel(NOON + timedelta(seconds=59), tick=False):
        make_grant(make_account("D9001"), "administrator")
        note_something()
    with time_machine.travel(NOON, tick=False):
        assert client.get("/readyz").json["clock"] is True

    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        note_something()
    with time_machine.travel(NOON, tick=False):
        response = client.get("/readyz")
        for _ in range(3):
            client.get("/readyz")
            note_something()
        let_in(client, "D9001")
        home, jobs = client.page("/monitoring"), client.page("/jobs")

    assert (response.status_code, response.json["status"], response.json["clock"]) == (200, "ready", False)
    assert len(log.lines("clock.behind_stamps")) == 1
    for page in (home, jobs):
        assert "The server’s clock says 13:00 on 29 April 2026" in page.text
        assert "recorded at 13:00 on 30 April 2026" in page.text

    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert client.get("/readyz").json["clock"] is True
        assert "The server’s clock" not in client.page("/jobs").text


def test_a_manager_is_not_told_of_the_servers_clock(client):
    with time_machine.travel(AHEAD, tick=False):
        make_grant(make_account("D2001"), "auditor")
        note_something()
    with time_machine.travel(NOON, tick=False):
        let_in(client, "D2001")
        assert "The server’s clock" not in client.page("/monitoring").text
