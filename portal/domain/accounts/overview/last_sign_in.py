"""A person's last sign-in, kept apart from sessions, which are deleted a week after they expired."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from portal.domain.accounts.models import LastSignIn
from portal.platform.db import db, write_row


@dataclass(frozen=True, slots=True)
class LatestSignIn:
    """When, how and where somebody signed in last."""

    signed_in_at: datetime
    method: str
    browser: str
    address: str


def _build_upsert(insert: Any) -> Any:
    statement = insert(LastSignIn)
    kept = {name: statement.excluded[name] for name in ("signed_in_at", "method", "browser", "address")}
    return statement.on_conflict_do_update(index_elements=[LastSignIn.person_id], set_=kept)


_UPSERTS = {"postgresql": _build_upsert(postgresql.insert), "sqlite": _build_upsert(sqlite.insert)}


def record_sign_in(person_id: int, at: datetime, method: str, browser: str, address: str) -> None:
    """Record that the person signs in, in the caller's transaction. One statement, also for two at once."""
    values = {"signed_in_at": at, "method": method, "browser": browser, "address": address}
    write_row(_UPSERTS[db.engine.dialect.name], {"person_id": person_id, **values})


def find_last_sign_in(person_id: int) -> LatestSignIn | None:
    """The person's last sign-in; None if they never signed in. One statement."""
    row = db.session.execute(
        select(LastSignIn.signed_in_at, LastSignIn.method, LastSignIn.browser, LastSignIn.address).where(
            LastSignIn.person_id == person_id
        )
    ).one_or_none()
    return None if row is None else LatestSignIn(*row)
