"""Messages reach a real receiver, are verified by the reference library, and are tried until they are."""

import threading
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select

from portal.domain.people.models import PersonName
from portal.features.webhooks import sending, services
from portal.features.webhooks.models import DeliveryState, PauseReason
from portal.features.webhooks.sending import DELAYS, collect_events, delay_after, send_messages
from portal.platform.db import db, transaction
from tests.features.webhooks.receiving import (
    NOON,
    PASSES,
    act,
    actions,
    make_webhook,
    numbers,
    outbox,
    states,
    the_webhook,
    verified,
)
from tests.platform.outbound.receivers import receiving
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.usefixtures("database")


def test_a_pass_reaches_a_receiver_that_verifies_it(passes):
    with receiving() as receiver:
        reference, secret = make_webhook(receiver.address, PASSES)
        passes()

        assert send_messages() == 1
        assert send_messages() == 0

        [message] = verified(receiver, secret)
        headers = receiver.messages[0].headers
    assert message["type"] == "pass.recorded"
    assert message["timestamp"].endswith("Z")
    assert message["data"]["staff_number"] == "W1"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"].startswith("msg_")
    assert states(reference) == [(DeliveryState.DELIVERED, 1, "200")]


def test_a_message_names_the_staff_number_of_when_it_is_sent_and_nobody_after_an_erasure(passes):
    with receiving() as receiver:
        _, secret = make_webhook(receiver.address, PASSES)
        passes("W1")
        passes("W2")
        collect_events()
        with transaction():
            db.session.scalars(
                select(PersonName).where(PersonName.staff_number == "W1")
            ).one().staff_number = "W7"
            db.session.delete(
                db.session.scalars(select(PersonName).where(PersonName.staff_number == "W2")).one()
            )
        send_messages()

        assert numbers(receiver, secret) == ["W7", None]


def test_a_failed_message_is_tried_again_later_with_the_same_id(passes, at):
    with receiving() as receiver:
        receiver.statuses = [500, 302, 200]
        reference, _ = make_webhook(receiver.address, PASSES)
        passes()
        send_messages()
        assert states(reference) == [(DeliveryState.WAITING, 1, "500")]
        assert send_messages() == 0

        at(NOON + timedelta(seconds=6))
        send_messages()
        at(NOON + timedelta(seconds=6, minutes=6))
        send_messages()

        assert states(reference) == [(DeliveryState.DELIVERED, 3, "200")]
        assert len({message.headers["webhook-id"] for message in receiver.messages}) == 1
        assert len({message.body for message in receiver.messages}) == 1
        stamps = [int(message.headers["webhook-timestamp"]) for message in receiver.messages]
        assert stamps == sorted(set(stamps))


def test_delays_grow_to_three_days_in_all_and_vary_by_a_tenth():
    assert timedelta(hours=71) < sum(DELAYS, timedelta()) < timedelta(days=3)
    assert list(DELAYS) == sorted(DELAYS)
    for tries, delay in enumerate(DELAYS, 1):
        drawn = [delay_after(tries) for _ in range(50)]
        assert 0.9 * delay <= min(drawn) < max(drawn) <= 1.1 * delay


def test_what_fails_for_three_days_has_failed_and_is_told_once(passes, at):
    with receiving() as receiver:
        receiver.statuses = [503]
        reference, _ = make_webhook(receiver.address, PASSES)
        passes()
        passes("W2")
        instant = NOON
        while instant < NOON + timedelta(days=4):
            at(instant)
            send_messages()
            with transaction():
                sending.fail_expired_messages(instant)
            instant += timedelta(minutes=20)

        assert [state for state, _, _ in states(reference)] == [DeliveryState.FAILED] * 2
        assert 8 <= max(tries for _, tries, _ in states(reference)) <= 10
        assert the_webhook(reference).flagged_at
        assert actions().count("webhook.failed") == 1

        receiver.statuses = [200]
        assert act(services.send_again, reference, None, at=instant) == 2
        at(instant)
        send_messages()
        assert [state for state, _, _ in states(reference)] == [DeliveryState.DELIVERED] * 2
        assert the_webhook(reference).flagged_at is None


def test_a_receiver_that_is_down_is_asked_less_and_less_whatever_waits(passes, at):
    with receiving() as receiver:
        receiver.statuses = [500]
        make_webhook(receiver.address, PASSES)
        for number in range(30):
            passes(f"W{number}")
        send_messages()
        assert len(receiver.messages) == 3  # then it rests

        for minutes in range(1, 121):
            at(NOON + timedelta(minutes=minutes))
            send_messages()
        assert len(receiver.messages) <= 12

        receiver.statuses = [200]
        receiver.messages.clear()
        at(NOON + timedelta(days=1))
        send_messages()
        assert len(receiver.messages) >= 25  # the others were tried just before


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("told", ["600", "Mon, 20 Apr 2026 12:10:00 GMT"], ids=["seconds", "date"])
def test_a_receiver_that_says_when_to_come_back_is_left_alone_until_then(passes, at, status, told):
    with receiving() as receiver:
        receiver.statuses, receiver.retry_after = [status, 200], told
        reference, _ = make_webhook(receiver.address, PASSES)
        passes("W1")
        passes("W2")
        for seconds in (0, 6, 300, 599):  # the back-off alone would try again after 5 seconds
            at(NOON + timedelta(seconds=seconds))
            send_messages()
            passes("W3")
        assert len(receiver.messages) == 1
        assert the_webhook(reference).resting_until == NOON + timedelta(minutes=10)

        at(NOON + timedelta(minutes=10))
        send_messages()
        assert {state for state, _, _ in states(reference)} == {DeliveryState.DELIVERED}


def test_a_receiver_is_left_alone_for_an_hour_at_a_time_and_as_long_as_it_says_so(passes, at):
    with receiving() as receiver:
        receiver.statuses, receiver.retry_after = [503], "9" * 30
        reference, _ = make_webhook(receiver.address, PASSES)
        passes("W1")
        passes("W2")
        for minutes in range(0, 6 * 60, 5):
            at(NOON + timedelta(minutes=minutes))
            send_messages()

        assert len(receiver.messages) == 6
        assert [state for state, _, _ in states(reference)] == [DeliveryState.WAITING] * 2

        act(services.send_test_event, reference, at=NOON + timedelta(hours=6))
        assert the_webhook(reference).resting_until is None  # an administrator need not wait


def test_a_receiver_cannot_shorten_the_back_off(passes, at):
    with receiving() as receiver:
        receiver.statuses, receiver.retry_after = [503], "1"
        reference, _ = make_webhook(receiver.address, PASSES)
        passes()
        for seconds in (0, 2, 4):
            at(NOON + timedelta(seconds=seconds))
            send_messages()
        assert len(receiver.messages) == 1

        receiver.statuses, receiver.retry_after = [500], "3600"  # which 500 may not say
        at(NOON + timedelta(seconds=6))
        send_messages()
        assert the_webhook(reference).resting_until == NOON + timedelta(seconds=1)


def test_a_receiver_that_is_gone_pauses_its_webhook(passes, at):
    with receiving() as receiver:
        receiver.statuses = [410]
        reference, _ = make_webhook(receiver.address, PASSES)
        passes()
        send_messages()
        passes()

        assert send_messages() == 0
    assert the_webhook(reference).paused == PauseReason.GONE
    assert states(reference) == [(DeliveryState.FAILED, 1, "410")]
    assert "webhook.gone" in actions()


def test_messages_about_one_person_keep_their_order_and_hold_up_nobody_else(passes, at):
    with receiving() as receiver:
        receiver.statuses = [500, 200]
        _, secret = make_webhook(receiver.address, PASSES)
        first, second, third = passes("W1"), passes("W1"), passes("W2")
        send_messages()
        assert numbers(receiver, secret) == ["W1", "W2"]

        at(NOON + timedelta(seconds=10))
        send_messages()
        assert numbers(receiver, secret) == ["W1", "W2", "W1", "W1"]
        read = verified(receiver, secret)
        assert read[0]["data"]["record_reference"] == read[2]["data"]["record_reference"]
    assert first < second < third


def test_a_slow_receiver_holds_up_no_other(passes):
    with receiving() as slow, receiving() as quick:
        stopping, released = Event(), Event()

        def wait(handler):
            released.wait(PATIENCE)
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        def stop_when_the_quick_one_has_all():
            try:
                until(lambda: len(quick.messages) == 5)
            finally:
                stopping.set()
                released.set()

        slow.answer = wait
        make_webhook(slow.address, PASSES, name="slow")
        make_webhook(quick.address, PASSES, name="quick")
        for number in range(5):
            passes(f"W{number}")
        watching = threading.Thread(target=stop_when_the_quick_one_has_all)
        watching.start()

        send_messages(stopping)

        watching.join()
        assert len(slow.messages) == 1
        assert len(quick.messages) == 5


def test_a_worker_killed_between_sending_and_recording_sends_again_with_the_same_id(passes, at, monkeypatch):
    with receiving() as receiver:
        reference, _ = make_webhook(receiver.address, PASSES)
        passes()
        with monkeypatch.context() as killed:

            def die(*_):
                raise SystemExit

            killed.setattr(sending, "record_outcome", die)
            with pytest.raises(SystemExit):
                send_messages()
        assert [row.state for row in outbox(reference)] == [DeliveryState.SENDING]
        assert send_messages() == 0  # it may still be under way

        at(NOON + timedelta(seconds=61))
        assert send_messages() == 1

        assert len(receiver.messages) == 2
        assert len({message.headers["webhook-id"] for message in receiver.messages}) == 1
    assert states(reference) == [(DeliveryState.DELIVERED, 2, "200")]


def test_the_outcome_of_a_claim_that_was_given_up_is_left_out(passes, at):
    reference, _ = make_webhook(events=PASSES)
    passes()
    collect_events()
    number = the_webhook(reference).id
    with transaction():
        [lost] = sending.claim_next_messages(number, NOON)
    with transaction():
        sending.requeue_lost_messages(NOON + timedelta(seconds=61))
        [again] = sending.claim_next_messages(number, NOON + timedelta(seconds=61))
    with transaction():
        sending.record_outcome(lost, "200", NOON + timedelta(seconds=62))
    assert [row.state for row in outbox(reference)] == [DeliveryState.SENDING]
    with transaction():
        sending.record_outcome(again, "500", NOON + timedelta(seconds=62))
    assert states(reference) == [(DeliveryState.WAITING, 2, "500")]


def test_a_pause_loses_nothing_unless_asked_to(passes, at):
    with receiving() as receiver:
        reference, secret = make_webhook(receiver.address, PASSES)
        act(services.pause_webhook, reference, PauseReason.BY_HAND)
        passes("W1")
        assert send_messages() == 0
        at(NOON + timedelta(days=30))
        act(services.resume_webhook, reference, at=NOON + timedelta(days=30))
        send_messages()
        assert numbers(receiver, secret) == ["W1"]

        receiver.messages.clear()
        act(services.pause_webhook, reference, PauseReason.BY_HAND)
        at(NOON + timedelta(days=31))
        passes("W2")
        at(NOON + timedelta(days=32))
        act(services.resume_webhook, reference, at=NOON + timedelta(days=32), from_now=True)
        passes("W3")
        send_messages()
        assert numbers(receiver, secret) == ["W3"]


def test_a_message_that_was_delivered_is_sent_again_by_hand(passes, at):
    with receiving() as receiver:
        reference, _ = make_webhook(receiver.address, PASSES)
        passes()
        send_messages()
        [row] = outbox(reference)
        assert act(services.send_again, reference, row.event_id, at=NOON) == 1
        send_messages()

        ids = [message.headers["webhook-id"] for message in receiver.messages]
    assert ids[0] == ids[1]


def test_a_test_event_is_about_nobody(at):
    with receiving() as receiver:
        reference, secret = make_webhook(receiver.address, PASSES)
        act(services.send_test_event, reference, at=NOON)
        send_messages()

        [message] = verified(receiver, secret)
    assert message == {
        "type": "webhook.test",
        "timestamp": "2026-04-20T12:00:00Z",
        "data": {"webhook": "HR"},
    }


def test_a_private_address_gets_nothing_where_the_setting_does_not_allow_it(passes, app, monkeypatch):
    with receiving() as receiver:
        reference, _ = make_webhook(receiver.address, PASSES)
        strict = replace(app.config["PORTAL"], webhook_networks="10.9.0.0/16")
        monkeypatch.setitem(app.config, "PORTAL", strict)
        passes()
        send_messages()

        assert receiver.messages == []
    assert states(reference) == [(DeliveryState.WAITING, 1, "address")]


def test_a_webhook_that_fails_keeps_back_no_other(passes, monkeypatch):
    with receiving() as receiver:
        first, poisoned, last = (make_webhook(receiver.address, PASSES, name)[0] for name in "abc")
        passes("W1")
        healthy, number = services.start_window, the_webhook(poisoned).id

        def start_or_fail(webhook):
            if webhook.id == number:
                raise KeyError("poison")
            return healthy(webhook)

        monkeypatch.setattr(services, "start_window", start_or_fail)
        send_messages()
        assert [len(outbox(each)) for each in (first, poisoned, last)] == [1, 0, 1]
        monkeypatch.undo()

        post = sending.post_message

        def post_or_fail(to, *arguments):
            if b"W2" in arguments[0]:
                raise RuntimeError("poison")
            return post(to, *arguments)

        monkeypatch.setattr(sending, "post_message", post_or_fail)
        passes("W2")
        send_messages()
        assert {row.outcome for row in outbox(last)} == {"200", "no_answer"}
