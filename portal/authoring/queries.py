"""What stands in drafts and reviews."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from portal.authoring.models import Draft
from portal.catalogue.queries import published_modules
from portal.db import db


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One module on the desk's first page."""

    key: str
    title: str
    published: int | None  # number of the published version
    review_on: date | None
    draft_id: int | None


def desk() -> Sequence[DeskRow]:
    """Every module, published or new, by title."""
    drafts = dict(
        db.session.execute(select(Draft.module_key, Draft.id).where(Draft.ended_at.is_(None))).all()
    )
    rows = [
        DeskRow(v.activity.key, v.title, v.number, v.review_on, drafts.pop(v.activity.key, None))
        for v in published_modules()
    ]
    rows += [DeskRow(key, key, None, None, draft_id) for key, draft_id in drafts.items()]
    return sorted(rows, key=lambda row: row.title)
