"""Acts of authors upon a draft, straight as calls of services."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from portal.domain.authoring import queries, services
from portal.domain.authoring.models import DraftSave, Review
from portal.domain.catalogue import services as catalogue
from portal.platform.audit import AuditEvent
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import lesson as lesson_text

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
FIRST = "lessons/first.md"
SECOND = "lessons/second.md"


def publish_sample_folder(folder) -> catalogue.PublishingResult:
    with transaction():
        return catalogue.publish_folder(folder, at=stamp())


def open_draft(by: int, key: str = "sample") -> int:
    with transaction():
        return services.open_draft(key, by=by, at=AT)


def save_draft(draft_id: int, changes, *, by: int, expected=None) -> int:
    held = queries.list_saves(draft_id)[0].files
    with transaction():
        return services.save_files(
            draft_id,
            changes,
            expected={path: held.get(path) for path in changes} if expected is None else expected,
            summary="Changed",
            by=by,
            at=LATER,
        )


def lesson_file(body: str) -> bytes:
    return lesson_text(body).encode()


def send_for_review(draft_id: int, by: int) -> None:
    with transaction():
        save_id = db.session.scalar(select(func.max(DraftSave.id)).where(DraftSave.draft_id == draft_id))
        db.session.add(Review(draft_id=draft_id, save_id=save_id, sent_by_id=by, sent_at=AT, note="Look"))


def draft_events() -> list[tuple[str, int | None]]:
    rows = db.session.execute(
        select(AuditEvent.action, AuditEvent.actor_id)
        .where(AuditEvent.action.startswith("draft."))
        .order_by(AuditEvent.id)
    )
    return [tuple(row) for row in rows]
