"""Days at the edge of the calendar, and references that stand in addresses: told, never a traceback."""

from datetime import UTC, date, datetime

import pytest

from portal.domain.directives.applies import add_days
from portal.domain.directives.files import read_directive
from portal.domain.reports.parameters import PositionError, parse_position
from portal.platform.errors import BadInputError
from tests.pages.directives.pages import open_preview
from tests.pages.directives.text import directive_text

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def test_no_day_lies_after_the_last():
    assert add_days(date(9999, 12, 1), 60) == date.max
    assert add_days(date(2026, 1, 31), 1) == date(2026, 2, 1)


@pytest.mark.parametrize("asked", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_an_instant_beyond_the_calendar_is_refused(asked):
    with pytest.raises(PositionError, match="Enter a date"):
        parse_position("", asked, now=NOW, newest=NOW)


@pytest.mark.parametrize("reference", ["a/b c", "../x", "OIC 2026", "-OIC"])
def test_a_reference_that_no_address_can_hold_is_refused(reference):
    with pytest.raises(BadInputError, match="letters, digits and hyphens"):
        read_directive(directive_text(reference=reference))


@pytest.mark.parametrize("reference", ["new", "preview"])
def test_a_reference_that_is_a_page_of_the_desk_is_refused(reference):
    with pytest.raises(BadInputError, match="is the address of another page"):
        read_directive(directive_text(reference=reference))


def test_a_version_is_not_issued_for_a_far_day_by_a_slip(desk):
    far = open_preview(desk, effective_on="1 December 2062")

    assert "Enter a day of the next five years" in far.text
    assert "Issue version 1" not in far.text


def test_days_after_joining_have_an_end():
    with pytest.raises(BadInputError, match=r"due\.days_after_joining: write a whole number from 0 to"):
        read_directive(directive_text(days=3_000_000))
