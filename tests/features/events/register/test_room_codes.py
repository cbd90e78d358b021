"""A code in the room is of one event and half a minute; a ticket is of one person."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.features.events.register import (
    CODE_SECONDS,
    GRACE_SECONDS,
    NUMBER_SECONDS,
    TICKET_LASTS,
    Ticket,
    is_room_code,
    is_room_number,
    is_ticket_of,
    key_of_ticket,
    make_room_code,
    make_room_number,
    seal_ticket,
    seconds_to_next_number,
)

SECRET = "3f" * 4 + "9ae1c07b5d28"  # of tests alone
START = datetime(2026, 6, 10, 8, 30, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@given(INSTANTS, st.integers(0, 3 * CODE_SECONDS))
def test_a_code_works_while_it_is_shown_and_a_moment_longer(at, seconds):
    code = make_room_code(SECRET, "EV-0001", at)
    shown, later = CODE_SECONDS - at.timestamp() % CODE_SECONDS, at + timedelta(seconds=seconds)

    assert 0 < seconds_to_next_number(at) <= min(shown, NUMBER_SECONDS)
    assert is_room_code(SECRET, "EV-0001", code, later) == (seconds < shown + GRACE_SECONDS)


def test_a_code_is_of_one_event_and_one_portal():
    code = make_room_code(SECRET, "EV-0001", START)

    assert not is_room_code(SECRET, "EV-0002", code, START)
    assert not is_room_code(SECRET + "x", "EV-0001", code, START)
    assert is_room_code(SECRET, "EV-0001", code.lower(), START)


@pytest.mark.parametrize("code", ["", "A" * 24, "é", "\ud800", "x" * 10_000])
def test_a_malformed_code_is_refused(code):
    assert not is_room_code(SECRET, "EV-0001", code, START)


@given(INSTANTS, st.integers(0, 40), st.integers(0, 60))
def test_a_number_counts_while_it_is_shown_and_never_if_a_picture_of_the_code_has_it(at, seen, sent):
    ticket = seal_ticket(SECRET, Ticket(7, 41, UUID(int=5), at + TICKET_LASTS))
    seen_at, sent_at = (at + timedelta(seconds=seconds) for seconds in (seen, seen + sent))
    number = make_room_number(SECRET, "EV-0001", seen_at)

    is_later = seconds_to_next_number(at) <= seen
    is_shown = sent < seconds_to_next_number(seen_at) + GRACE_SECONDS
    taken = is_room_number(SECRET, "EV-0001", number, ticket, sent_at)
    assert taken == (is_later and is_shown) or is_repeated(number, at, sent_at)
    assert len(number) == 4
    assert number.isdecimal()


def is_repeated(number, since, until):
    """Whether the number, one of ten thousand, came up twice in the time."""
    windows = range(int(since.timestamp()), int(until.timestamp()) + NUMBER_SECONDS, NUMBER_SECONDS)
    drawn = [make_room_number(SECRET, "EV-0001", datetime.fromtimestamp(at, UTC)) for at in windows]
    return drawn.count(number) > 1


@pytest.mark.parametrize("number", ["", "12345", "é", "\ud800", "1" * 10_000])
def test_a_malformed_number_is_refused(number):
    ticket = seal_ticket(SECRET, Ticket(7, 41, UUID(int=5), START + TICKET_LASTS))

    assert not is_room_number(SECRET, "EV-0001", number, ticket, START + timedelta(seconds=20))


def test_a_ticket_is_of_one_person_one_event_and_two_minutes():
    ticket = Ticket(7, 41, UUID(int=5), START + timedelta(minutes=2))
    text = seal_ticket(SECRET, ticket)

    assert is_ticket_of(SECRET, text, 7, 41, START)
    assert key_of_ticket(text) == ticket.key
    assert not is_ticket_of(SECRET, text, 7, 42, START)
    assert not is_ticket_of(SECRET, text, 8, 41, START)
    assert not is_ticket_of(SECRET, text, 7, 41, START + timedelta(minutes=2))
    assert not is_ticket_of(SECRET, text.replace("7.41", "7.42", 1), 7, 42, START)


@pytest.mark.parametrize("text", ["", "...", "1.2.3.4.5", "é.é", "7.41." + "0" * 32 + ".9999999999.AAAA"])
def test_a_malformed_ticket_is_refused(text):
    assert not is_ticket_of(SECRET, text, 7, 41, START)
