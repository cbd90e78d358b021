"""What whoever watches the machine asks."""

from datetime import timedelta

from sqlalchemy import text

from portal import clock
from portal.db import db, transaction
from portal.jobs import services


def test_a_portal_at_head_is_ready(client):
    assert client.get("/healthz").json == {"status": "ok"}
    response = client.get("/readyz")

    assert (response.status_code, response.json["status"]) == (200, "ready")


def test_a_portal_behind_its_migrations_is_not_ready(client):
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json["checks"]["migrations"] is False


def test_jobs_that_nobody_takes_up_are_told_without_a_page_less(client):
    assert client.get("/readyz").json["jobs"] is True
    with transaction():
        services.start("reconcile", {}, by=None, at=clock.now() - timedelta(minutes=2))

    response = client.get("/readyz")

    assert (response.status_code, response.json["jobs"]) == (200, False)
