"""The worked example of docs/status.md: what the page says is what the portal stores and reports."""

import csv
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.directives.models import Directive
from portal.domain.status.models import OPEN_KNOWN, Kind, StatusCount, StatusPeriod
from portal.domain.status.rules import Status
from portal.platform.db import OPEN_END, db
from tests.domain.status.facts import (
    make_activity,
    make_directive,
    make_module_version,
    make_record,
    make_version,
)
from tests.factories.people import make_person, make_unit

PAGE = Path(__file__).resolve().parents[3] / "docs" / "status.md"
ISSUED, IMPORTED, ASKED = date(2026, 1, 5), date(2026, 5, 20), date(2026, 6, 1)


def rows_below(heading):
    """The rows of the first table below a heading of the page, as lists of cells."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n### {heading}\n")[1]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE).group().splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


@pytest.fixture
def example(database):
    """Priya Shah's facts, recorded on the days on which the page says; gives person and directive."""
    with time_machine.travel(morning(ISSUED), tick=False):
        person, module, directive = record_what_applies()
    with time_machine.travel(morning(IMPORTED), tick=False):
        make_record(person, module, date(2026, 4, 22))
    with time_machine.travel(morning(ASKED), tick=False):
        yield person, directive


def morning(day):
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def record_what_applies():
    person = make_person(make_unit("Westshire Police"), since=ISSUED)
    module = make_activity()
    make_module_version(module)
    directive = make_directive()
    make_version(
        directive,
        {1: module},
        effective_on=ISSUED,
        due_fixed_on=date(2026, 4, 30),
        validity_months=12,
        expiring_days=60,
    )
    return person, module, directive


def day(ordinal):
    return "no end" if ordinal == OPEN_END.toordinal() else str(date.fromordinal(ordinal))


def instant(microseconds):
    if microseconds == OPEN_KNOWN:
        return "no end"
    return str(datetime.fromtimestamp(microseconds / 1_000_000, UTC).date())


@pytest.mark.parametrize("position", [0, 1])
def test_the_status_periods_are_those_of_the_page(example, position):
    period = StatusPeriod
    columns = (period.status, period.from_on, period.to_on, period.known_from, period.known_to)
    stored = db.session.execute(
        select(*columns).where(period.person_id == example[0], period.position == position)
    )

    assert sorted(
        [Status(status).key, day(first), day(last), instant(since), instant(until)]
        for status, first, last, since, until in stored
    ) == sorted(rows_below("Status periods"))


def test_reports_say_what_the_page_says(app, example, tmp_path):
    reference = db.session.get(Directive, example[1]).reference
    reported = []
    for as_at, as_known_on, *_ in rows_below("What reports say"):
        file = tmp_path / f"{as_at}-{as_known_on}.csv"
        options = ["--directive", reference, "--as-at", as_at, "--as-known-on", as_known_on]
        arguments = ["report", "completions", *options, "--format", "csv", "--output", str(file)]
        assert app.test_cli_runner().invoke(args=arguments).exit_code == 0
        row = next(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
        reported.append([as_at, as_known_on, row["status"], row["late_days"]])

    assert reported == rows_below("What reports say")


def test_the_status_counts_are_those_of_the_page(example):
    count = StatusCount
    stored = db.session.execute(
        select(count.day, count.status, count.people).where(
            count.directive_id == example[1],
            count.kind == Kind.PLACE,
            count.summed == 0,
            count.people != 0,
        )
    )

    assert sorted(
        [day(changed_on), Status(status).key, f"{people:+d}".replace("-", "−")]
        for changed_on, status, people in stored
    ) == sorted(rows_below("Status counts"))
