"""Each kept row ends once: recorded with the stamp of the day of an import, or erased after 90 days."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.imports import services, staged
from portal.domain.imports.columns import ColumnMapping
from portal.domain.imports.models import KeptRow
from portal.domain.imports.services import Upload
from portal.domain.records.models import Record
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.tables.table_files import Sheet
from tests.factories.catalogue import make_version
from tests.factories.people import make_person, make_unit

COLUMNS = ("Collar No", "Course", "Completed")
ACHIEVED = date(2024, 5, 6)
PEOPLE = 2
PROFILE = "LMS, nightly"


@pytest.fixture
def place(database):
    with time_machine.travel(datetime(2026, 1, 1, 12, tzinfo=UTC)):
        make_version("respond", title="Respond: at the scene")
        return make_unit("Westshire Police")


def nightly(numbers):
    """Import a file in which these people have completed one module."""
    mapping = ColumnMapping(
        "completion",
        dict(zip(("person", "requirement", "achieved_at"), COLUMNS, strict=True)),
        {name: "" for name in ("requirement_kind", "score_scaled", "outcome", "evidence")}
        | {"source_system": "LMS"},
        keeps_unknown=True,
    )
    lines = [(n, [number, "Respond", ACHIEVED.isoformat()]) for n, number in enumerate(numbers, start=2)]
    sheet = Sheet(list(COLUMNS), lines, len(lines))
    return services.import_upload(Upload("completions", "nightly.csv", b"", sheet, mapping, PROFILE))


def recorded_days(person):
    """The days on which records of the person were recorded; each is of the day it was achieved."""
    rows = db.session.execute(
        select(Record.recorded_at, Record.achieved_on).where(Record.person_id == person)
    ).all()
    assert {achieved for _, achieved in rows} <= {ACHIEVED}
    return [clock.london_day(at) for at, _ in rows]


def kept_identifiers():
    return set(db.session.scalars(select(KeptRow.identifier).where(KeptRow.identifier.is_not(None))))


STEPS = st.lists(
    st.tuples(
        st.integers(1, 60),  # days until it
        st.one_of(
            st.tuples(st.just("file"), st.sets(st.integers(0, PEOPLE - 1))),
            st.tuples(st.just("arrives"), st.integers(0, PEOPLE - 1)),
            st.tuples(st.just("job"), st.none()),
        ),
    ),
    min_size=2,
    max_size=7,
)
_begun = iter(range(1, 10_000))


class Model:
    """What must be true of each person's row, by day."""

    def __init__(self, numbers):
        self.kept = {}  # number -> the day from which it is kept
        self.ended = set()
        self.person = {}
        self.recorded = {}
        self.numbers = numbers

    def file(self, chosen, day):
        for number in self.numbers:
            lapsed = number in self.kept and day - self.kept[number] >= staged.KEPT_FOR
            if number in self.person:
                if number in chosen or (number in self.kept and not lapsed):
                    self.recorded.setdefault(number, day)
                if number in self.recorded and not lapsed:
                    self.end(number)
            elif number in chosen and number not in self.kept and number not in self.ended:
                self.kept[number] = day

    def job(self, day):
        for number in [n for n, since in self.kept.items() if day - since >= staged.KEPT_FOR]:
            self.end(number)

    def end(self, number):
        if self.kept.pop(number, None) is not None:
            self.ended.add(number)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_a_kept_row_is_recorded_once_or_erased_after_90_days(place, steps):
    serial = next(_begun)
    numbers = [f"N{serial}-{n}" for n in range(PEOPLE)]
    model = Model(numbers)
    day = clock_day(serial)
    for days, (what, which) in steps:
        day += timedelta(days=days)
        with time_machine.travel(noon(day), tick=False):
            if what == "file":
                chosen = [numbers[n] for n in sorted(which)]
                nightly(chosen)
                model.file(chosen, day)
            elif what == "arrives" and numbers[which] not in model.person:
                model.person[numbers[which]] = make_person(place, staff_number=numbers[which])
            elif what == "job":
                with transaction():
                    staged.erase_lapsed(clock.now())
                model.job(day)
        assert kept_identifiers() & {*numbers} == model.kept.keys()
        for number, person in model.person.items():
            assert recorded_days(person) == [day for who, day in model.recorded.items() if who == number]
    with time_machine.travel(noon(day + staged.KEPT_FOR), tick=False), transaction():
        staged.erase_lapsed(clock.now())
    assert not kept_identifiers()
    ended = db.session.execute(select(KeptRow.content, KeptRow.scheme).where(KeptRow.ended_at.is_not(None)))
    assert {tuple(row) for row in ended} <= {(None, None)}, "nothing of a person is left"


def clock_day(serial):
    """A first day after every day of earlier examples, because stamps only go forward."""
    return date(2026, 2, 1) + timedelta(days=600 * serial)


def noon(day):
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_the_last_instant_of_90_days_counts_and_the_next_does_not(place):
    with time_machine.travel(noon(date(2026, 2, 1)), tick=False):
        nightly(["W9"])
        make_person(place, staff_number="W9")
    end = noon(date(2026, 2, 1)) + timedelta(days=90)

    assert len(staged.list_ready(end - timedelta(microseconds=1))) == 1
    assert not staged.has_lapsed_rows(end - timedelta(microseconds=1))
    assert staged.list_ready(end) == []
    assert staged.has_lapsed_rows(end)


def test_a_mark_says_nothing_of_the_person_without_the_portals_key(place, app):
    with time_machine.travel(noon(date(2026, 2, 1))):
        nightly(["W9"])
    content = db.session.scalars(select(KeptRow)).one()
    row = staged.UnknownRow(2, "staff_number", "W9", content.content)

    assert row.mark == content.mark
    assert len(content.mark) == 64
    assert "W9" not in content.mark


def test_the_file_of_another_force_is_not_kept(place, monkeypatch):
    monkeypatch.setattr(staged, "MOST_KEPT", 2)
    with time_machine.travel(noon(date(2026, 2, 1))):
        nightly(["W8", "W9"])
        result_of_more = staged.check_unknown([], "staff_number")
        assert result_of_more.reasons == []
        with pytest.raises(Exception, match="More than 2 rows of people who are not on the roster"):
            nightly(["W7"])
    assert kept_identifiers() == {"W8", "W9"}
