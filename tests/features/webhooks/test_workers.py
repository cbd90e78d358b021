"""Real workers in processes of their own, killed while they send: each event arrives, as one message."""

import signal
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.features.webhooks.models import DeliveryState, WebhookDelivery
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.domain.status.facts import make_activity, make_record
from tests.factories.people import make_person, make_unit
from tests.features.webhooks.receiving import PASSES, make_webhook, outbox, verified
from tests.forked import Forked
from tests.platform.outbound.receivers import receiving
from tests.running import settings
from tests.waiting import until

pytestmark = pytest.mark.slow
PEOPLE = 12


@pytest.fixture
def app(serving: Flask) -> Flask:
    """A portal on a database of its own, which other processes open too."""
    return serving


def hire(app: Flask) -> Forked:
    portal = app.config["PORTAL"]
    environment = settings(portal.instance, database_url=portal.database_url) | {
        "SECRET_KEY": portal.secret_key
    }
    return Forked("flask", ["--app", "wsgi", "jobs", "work"], environment, portal.instance / "workers.log")


def test_two_workers_of_whom_one_is_killed_deliver_every_event_in_the_order_of_each_person(
    app: Flask,
) -> None:
    with receiving() as receiver, app.app_context():
        receiver.seconds = 0.05
        reference, secret = make_webhook(receiver.address, PASSES)
        unit, activity = make_unit("North"), make_activity()
        people = [make_person(unit) for _ in range(PEOPLE)]
        for day in (1, 2, 3):
            for person in people:
                make_record(person, activity, date(2026, 3, day))
        workers = [hire(app), hire(app)]
        try:
            until(lambda: len(receiver.messages) >= 5)
            workers[0].send_signal(signal.SIGKILL)
            workers[1].send_signal(signal.SIGTERM)  # and puts back what it has not sent
            until(lambda: None not in [worker.poll() for worker in workers])
            with transaction():  # what the killed one was sending waits for a minute, but not here
                old = clock.now() - timedelta(minutes=2)
                lost = update(WebhookDelivery).where(WebhookDelivery.state == DeliveryState.SENDING)
                db.session.execute(lost.values(claimed_at=old))
            workers.append(hire(app))

            def all_ended() -> bool:
                db.session.rollback()
                delivered = select(func.count()).where(WebhookDelivery.state == DeliveryState.DELIVERED)
                return db.session.scalar(delivered) == 3 * PEOPLE

            until(all_ended)
            workers[-1].send_signal(signal.SIGTERM)
            until(lambda: workers[-1].poll() is not None)
        finally:
            for worker in workers:
                worker.kill()

        ids = [message.headers["webhook-id"] for message in receiver.messages]
        assert len(set(ids)) == 3 * PEOPLE == len(outbox(reference))
        assert len(ids) <= 3 * PEOPLE + 20  # what the killed one had sent and not recorded
        days: dict[str, list[str]] = {}
        for message in verified(receiver, secret):
            days.setdefault(message["data"]["staff_number"], []).append(message["data"]["achieved_at"])
        assert all(seen == sorted(seen) for seen in days.values())
