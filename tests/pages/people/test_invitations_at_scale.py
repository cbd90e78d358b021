"""Eight thousand people are invited in slices: nobody waits long for the lock, and memory stays small."""

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text

from portal.domain.accounts.models import Invitation
from portal.domain.people.models import Person, PersonName, Post
from portal.domain.reminders import tasks
from portal.platform.db import OPEN_END, db, stamp, transaction
from tests.domain.reminders.office_set import set_office
from tests.page_reading import PortalClient
from tests.pages.people.inviting import PAGE, Force, invite
from tests.times import FIGURE

pytestmark = pytest.mark.sweep

PEOPLE = 8_000
FIRST = 100_000


def add_people(force: Force) -> None:
    """Eight thousand people without an account, half of them in the north."""
    with transaction():
        at, ids = stamp(), range(FIRST, FIRST + PEOPLE)
        db.session.execute(insert(Person), [{"id": i, "recorded_at": at} for i in ids])
        names = [
            {
                "person_id": i,
                "staff_number": f"E{i}",
                "surname": f"Name {i}",
                "forenames": "Jo",
                "email": f"e{i}@w.example",
            }
            for i in ids
        ]
        db.session.execute(insert(PersonName), names)
        post = {"post_key": "", "rank_or_grade": "Constable", "designated_role": "response", "void": False}
        post |= {"recorded_at": at, "valid_from": date(2024, 1, 1), "valid_to": OPEN_END}
        units = [force.units["north"], force.units["south"]]
        db.session.execute(insert(Post), [{"person_id": i, "unit_id": units[i % 2], **post} for i in ids])
        if db.session.get_bind().dialect.name == "postgresql":
            db.session.execute(text("ANALYZE"))  # as PostgreSQL does by itself, a minute after an import


def test_a_force_is_invited_in_slices(
    app: Flask, admin: PortalClient, force: Force, monkeypatch: pytest.MonkeyPatch, record_property
) -> None:
    add_people(force)
    held: list[float] = []

    @contextmanager
    def timed() -> Iterator[None]:
        with transaction():
            begun = time.process_time()
            yield
            held.append(time.process_time() - begun)

    monkeypatch.setattr(tasks, "transaction", timed)
    # No heartbeat meanwhile: it would share this test's one connection with the job.
    with set_office(app, smtp_host="", jobs_lost_seconds=3_600):
        monkeypatch.setattr("portal.pages.people.invitation_views.relay_is_set", lambda: True)
        begun = time.process_time()
        admin.page(PAGE)
        preview, begun = time.process_time() - begun, time.process_time()
        invite(app, admin, "?unit=North")
        seconds, longest = time.process_time() - begun, max(held)
        tracemalloc.start()
        invite(app, admin, "?unit=South")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert db.session.scalar(select(func.count()).select_from(Invitation)) == PEOPLE + 3
    figures = f"lock {1000 * longest:.0f} ms, {peak / 2**20:.1f} MiB, preview {1000 * preview:.0f} ms"
    record_property(FIGURE, f"invitations: {PEOPLE // 2} in {seconds:.1f} s, {figures}")
    assert longest < 0.2
    assert peak < 20 * 2**20
