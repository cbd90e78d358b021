"""Adds when and how each person signed in last, from one reading of the audit trail.

One reading of the audit trail: a few seconds for ten million events.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
seconds_per_million_rows = {
    "sqlite": {"audit_event": 2.0, "person": 30.0},
    "postgresql": {"audit_event": 2.0, "person": 120.0},
}

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
SAME_SIGN_IN = timedelta(minutes=1)  # between the event and its session, which are of one transaction
BATCH = 1000

EVENT = sa.table(
    "audit_event",
    sa.column("id", ID),
    sa.column("happened_at", INSTANT),
    sa.column("action", WORDS),
    sa.column("subject_id", ID),
    sa.column("detail", sa.JSON()),
)
SESSION = sa.table(
    "sign_in_session",
    sa.column("person_id", ID),
    sa.column("created_at", INSTANT),
    sa.column("method", WORDS),
    sa.column("browser", WORDS),
    sa.column("address", WORDS),
)
LAST = sa.table(
    "last_sign_in",
    sa.column("person_id", ID),
    sa.column("signed_in_at", INSTANT),
    sa.column("method", WORDS),
    sa.column("browser", WORDS),
    sa.column("address", WORDS),
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "last_sign_in",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("signed_in_at", INSTANT, nullable=False),
        sa.Column("method", WORDS, nullable=False),
        sa.Column("browser", WORDS, nullable=False),
        sa.Column("address", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_last_sign_in_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_last_sign_in")),
    )
    op.create_index(op.f("ix_last_sign_in_signed_in_at"), "last_sign_in", ["signed_in_at"])
    rows = [_last_of(person, *latest) for person, latest in sorted(_read_latest().items())]
    for start in range(0, len(rows), BATCH):
        op.get_bind().execute(sa.insert(LAST), rows[start : start + BATCH])


def _read_latest() -> dict[int, tuple[Any, list[Any]]]:
    """Of each person the last event of a sign-in, if any, and the sessions that are left."""
    connection = op.get_bind()
    newest = (
        sa.select(sa.func.max(EVENT.c.id))
        .where(EVENT.c.action == "account.signed_in", EVENT.c.subject_id.is_not(None))
        .group_by(EVENT.c.subject_id)
    )
    events = sa.select(EVENT.c.subject_id, EVENT.c.happened_at, EVENT.c.detail).where(EVENT.c.id.in_(newest))
    latest: dict[int, tuple[Any, list[Any]]] = {
        person: ((at, detail), []) for person, at, detail in connection.execute(events)
    }
    for row in connection.execute(sa.select(SESSION).order_by(SESSION.c.created_at)):
        latest.setdefault(row.person_id, (None, []))[1].append(row)
    return latest


def _last_of(person_id: int, event: Any, sessions: list[Any]) -> dict[str, Any]:
    """The row of a person; without an event it says what their last session does."""
    if event is None:
        at, method, session = sessions[-1].created_at, sessions[-1].method, sessions[-1]
    else:
        at, detail = event
        method = (detail or {}).get("method", "password")  # earlier releases knew no other
        near = [each for each in sessions if abs(_aware(each.created_at) - _aware(at)) < SAME_SIGN_IN]
        session = min(near, key=lambda each: abs(_aware(each.created_at) - _aware(at)), default=None)
    return {
        "person_id": person_id,
        "signed_in_at": at,
        "method": method,
        "browser": session.browser if session else "",
        "address": session.address if session else "",
    }


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def downgrade() -> None:
    """Undo."""
    op.drop_table("last_sign_in")
