"""Of the links of an earlier release those lead on to a second factor of which an administrator is known."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flask_migrate import upgrade
from sqlalchemy import DateTime, Uuid, column, insert, select, table

from config import Config
from portal.domain.accounts.models import PasswordLink
from portal.platform.db import db
from tests.conftest import SECRET
from tests.databases import portal_on

DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INSTANT = DateTime(timezone=True)
PERSON = table("person", column("id"), column("recorded_at", INSTANT))
LINK = table(
    "password_link",
    *(column(name) for name in ("token_hash", "person_id", "created_by_id")),
    *(column(name, INSTANT) for name in ("created_at", "expires_at")),
)
INVITATION = table(
    "invitation",
    *(column(name) for name in ("person_id", "invited_by_id")),
    *(column(name, INSTANT) for name in ("invited_at", "expires_at")),
    column("batch", Uuid()),
)


def test_links_that_were_asked_for_at_sign_in_enrol_nobody(tmp_path) -> None:
    with portal_on(Config(mode="demo", secret_key=SECRET, instance=tmp_path)) as app, app.app_context():
        upgrade(revision="0035")
        week, day = DAY + timedelta(days=7), DAY + timedelta(days=1)
        links = (("handed over", 1, 2, day), ("invited", 2, None, week), ("asked for", 2, None, day))
        with db.engine.begin() as connection:
            connection.execute(insert(PERSON), [{"id": number, "recorded_at": DAY} for number in (1, 2)])
            connection.execute(
                insert(LINK),
                [
                    {"token_hash": name, "person_id": person, "created_by_id": by, "expires_at": until}
                    | {"created_at": DAY}
                    for name, person, by, until in links
                ],
            )
            invited = {"person_id": 2, "invited_by_id": 1, "batch": uuid4()}
            connection.execute(insert(INVITATION), [{**invited, "invited_at": DAY, "expires_at": week}])

        upgrade()

        may_enrol = select(PasswordLink.token_hash).where(PasswordLink.may_enrol)
        assert set(db.session.scalars(may_enrol)) == {"handed over", "invited"}
