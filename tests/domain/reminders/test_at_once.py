"""Several write to one outbox at the same instant, on a database whose writers run beside each other."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.domain.reminders import queries, services
from portal.domain.reminders.models import Message, MessageLine
from portal.domain.reminders.rules import SendWindow
from portal.platform.db import db, transaction
from portal.platform.errors import ConflictError
from tests.pages.monitoring.world import World, make_world
from tests.waiting import PATIENCE

NOON = datetime(2026, 5, 20, 11, tzinfo=UTC)
DAY = date(2026, 5, 20)
SENDERS = 4

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgresql,
    pytest.mark.parametrize("serving", ["postgresql"], indirect=True),
]


def at_once(app: Flask, act: Callable[[], object]) -> list[object]:
    """What each of several threads got that did the same at the same instant: its answer or its error."""
    gate, found = threading.Barrier(SENDERS, timeout=PATIENCE), []

    def run() -> None:
        with app.app_context():
            gate.wait()
            try:
                with transaction():
                    found.append(act())
            except Exception as error:
                found.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_a_day_is_planned_once_and_a_person_nudged_once(serving: Flask) -> None:
    world: World = make_world()
    about = queries.directive_named("OIC-2026", DAY)
    whose = world.people["D1001"]

    def nudge() -> object:
        return services.queue_nudge(whose, about, by=world.people["D2001"], at=NOON, hours=SendWindow())

    nudged = at_once(serving, nudge)
    assert sorted(type(one) is ConflictError for one in nudged) == [False, True, True, True], nudged
    assert sum(isinstance(one, datetime) for one in nudged) == 1, nudged

    planned = at_once(serving, lambda: services.plan_day(date(2026, 5, 15), at=NOON, hours=SendWindow()))
    assert all(isinstance(one, services.ReminderPlan) for one in planned), planned
    db.session.rollback()  # what was read before is of a state before
    assert db.session.scalar(select(func.count()).select_from(Message)) == 3
    assert db.session.scalar(select(func.count()).select_from(MessageLine)) == 4
