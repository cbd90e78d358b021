"""What whoever watches the machine asks."""

from sqlalchemy import text

from portal.db import db


def test_a_portal_at_head_is_ready(client):
    assert client.get("/healthz").json == {"status": "ok"}
    response = client.get("/readyz")

    assert (response.status_code, response.json["status"]) == (200, "ready")


def test_a_portal_behind_its_migrations_is_not_ready(client):
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json["checks"]["migrations"] is False
