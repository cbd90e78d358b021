"""The outbox gets each event once, whoever is killed or works at once, and old messages leave it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.features.webhooks import sending, services
from portal.features.webhooks.models import Webhook
from portal.features.webhooks.sending import collect_events, send_messages
from portal.platform.db import db, transaction
from tests.features.webhooks.receiving import NOON, PASSES, make_webhook, outbox, the_webhook
from tests.platform.outbound.receivers import receiving

pytestmark = pytest.mark.usefixtures("database")


def test_old_messages_are_deleted_those_that_failed_later(passes, at):
    with receiving() as receiver:
        receiver.statuses = [200, 410]
        reference, _ = make_webhook(receiver.address, PASSES)
        passes("W1")
        passes("W2")
        send_messages()
        for days, left in ((29, 2), (31, 1), (89, 1), (91, 0)):
            now = NOON + timedelta(days=days)
            if sending.has_work(now):
                with transaction():
                    sending.delete_old_messages(now)
            assert len(outbox(reference)) == left


def test_what_is_collected_again_is_the_same_message(passes):
    reference, _ = make_webhook(events=PASSES)
    webhook = the_webhook(reference)
    before = webhook.collected_on, webhook.collected_at
    passes()
    collect_events()
    webhook = the_webhook(reference)
    webhook.collected_on, webhook.collected_at = before
    db.session.commit()
    passes("W2")
    collect_events()

    assert len(outbox(reference)) == 2


def test_events_are_added_once_by_two_who_collect_at_once(passes, monkeypatch):
    reference, _ = make_webhook(events=PASSES)
    passes()
    real = services.add_deliveries

    def add_after_another(*arguments):
        monkeypatch.setattr(services, "add_deliveries", real)
        db.session.rollback()
        collect_events()
        raise SystemExit  # killed before its commit

    monkeypatch.setattr(services, "add_deliveries", add_after_another)
    with pytest.raises(SystemExit):
        collect_events()
    collect_events()

    assert len(outbox(reference)) == 1


def test_a_large_window_is_collected_in_parts_that_survive_a_kill(passes, monkeypatch):
    monkeypatch.setattr(sending, "PEOPLE", 2)
    reference, _ = make_webhook(events=PASSES)
    for number in range(7):
        passes(f"W{number}")
    real, parts = services.add_deliveries, []

    def add_twice_and_die(webhook_id, rows, at):
        if len(parts) == 2:
            raise SystemExit
        parts.append(rows)
        real(webhook_id, rows, at)

    monkeypatch.setattr(services, "add_deliveries", add_twice_and_die)
    with pytest.raises(SystemExit):
        collect_events()
    assert len(outbox(reference)) == 4
    monkeypatch.setattr(services, "add_deliveries", real)
    passes("W1")  # meanwhile
    collect_events()
    collect_events()

    assert len(outbox(reference)) == 8
    assert len({row.event_id for row in outbox(reference)}) == 8
    assert db.session.scalars(select(Webhook.target_person)).all() == [0]
