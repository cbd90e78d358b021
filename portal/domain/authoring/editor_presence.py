"""Who is editing which place of a draft: told to the second person, never a lock on saving."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from portal.domain.authoring import queries
from portal.domain.authoring.limits import INACTIVE_AFTER
from portal.domain.authoring.models import Presence
from portal.domain.authoring.queries import ActiveEditor
from portal.platform.db import db


def claim_place(draft_id: int, place: str, *, by: int, at: datetime) -> ActiveEditor | None:
    """Take the place, if nobody else is editing it.

    Args:
        draft_id: The draft.
        place: ``details``, ``lesson:name`` or ``item:key``.
        by: The person who arrives, or is still here.
        at: The instant.

    Returns:
        None: the place is theirs now. Else who is editing it.
    """
    held = _lock_presence(draft_id, place)
    if held is None:
        try:
            with db.session.begin_nested():
                row = Presence(draft_id=draft_id, place=place, person_id=by, since=at, seen_at=at)
                db.session.add(row)
            return None
        except IntegrityError:
            held = _lock_presence(draft_id, place)
    if held is None:  # whoever came first has left again
        return claim_place(draft_id, place, by=by, at=at)
    if held.person_id != by and at - held.seen_at <= INACTIVE_AFTER:
        return ActiveEditor(held.person_id, queries.person_name(held.person_id), held.place, held.since)
    if held.person_id != by:
        held.person_id, held.since = by, at
    held.seen_at = at
    db.session.flush()
    return None


def take_over_place(draft_id: int, place: str, *, by: int, at: datetime) -> None:
    """Take the place from whoever is editing it; what they save from their page is then checked as stale."""
    if claim_place(draft_id, place, by=by, at=at) is None:
        return
    held = _lock_presence(draft_id, place)
    if held is not None:
        held.person_id, held.since, held.seen_at = by, at, at
        db.session.flush()


def leave_place(draft_id: int, place: str, *, by: int) -> None:
    """Give the place up, if it is theirs."""
    db.session.execute(
        delete(Presence).where(
            Presence.draft_id == draft_id, Presence.place == place, Presence.person_id == by
        )
    )


def _lock_presence(draft_id: int, place: str) -> Presence | None:
    return db.session.scalar(
        select(Presence)
        .where(Presence.draft_id == draft_id, Presence.place == place)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
