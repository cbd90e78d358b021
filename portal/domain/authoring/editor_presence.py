"""Records who is editing which place of a draft; a notice to others, not a lock on saving."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from portal.domain.authoring import queries
from portal.domain.authoring.limits import INACTIVE_AFTER
from portal.domain.authoring.models import Presence
from portal.domain.authoring.queries import ActiveEditor
from portal.platform.db import db


def claim_place(draft_id: int, place: str, *, by: int, at: datetime) -> ActiveEditor | None:
    """Record the person as editor of the place, unless someone else is editing it.

    Args:
        draft_id: The draft.
        place: ``details``, ``lesson:name`` or ``item:key``.
        by: The person who opens the place or still has it open.
        at: The instant.

    Returns:
        None where the person is now its editor, otherwise the other editor.
    """
    presence = _lock_presence(draft_id, place)
    if presence is None:
        try:
            with db.session.begin_nested():
                row = Presence(draft_id=draft_id, place=place, person_id=by, since=at, seen_at=at)
                db.session.add(row)
            return None
        except IntegrityError:
            presence = _lock_presence(draft_id, place)
    if presence is None:  # the other editor left in between
        return claim_place(draft_id, place, by=by, at=at)
    if presence.person_id != by and at - presence.seen_at <= INACTIVE_AFTER:
        return ActiveEditor(
            presence.person_id, queries.person_name(presence.person_id), presence.place, presence.since
        )
    if presence.person_id != by:
        presence.person_id, presence.since = by, at
    presence.seen_at = at
    db.session.flush()
    return None


def take_over_place(draft_id: int, place: str, *, by: int, at: datetime) -> None:
    """Replace the editor of the place; what the previous editor still saves is checked as stale."""
    if claim_place(draft_id, place, by=by, at=at) is None:
        return
    presence = _lock_presence(draft_id, place)
    if presence is not None:
        presence.person_id, presence.since, presence.seen_at = by, at, at
        db.session.flush()


def leave_place(draft_id: int, place: str, *, by: int) -> None:
    """Delete the person's presence at the place, if they are its editor."""
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
