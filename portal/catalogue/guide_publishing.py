"""Guides from what was checked to immutable rows; part of the catalogue's publishing."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.audit.services import log
from portal.catalogue.checking import sha256
from portal.catalogue.guides import CheckedGuide
from portal.catalogue.models import Activity, GuideFile, GuideVersion
from portal.db import db


def current_guides() -> list[GuideVersion]:
    """The latest version of each guide, by title."""
    latest = (
        select(GuideVersion.activity_id, func.max(GuideVersion.number).label("number"))
        .group_by(GuideVersion.activity_id)
        .subquery()
    )
    same = (latest.c.activity_id == GuideVersion.activity_id) & (latest.c.number == GuideVersion.number)
    statement = select(GuideVersion).join(latest, same).options(joinedload(GuideVersion.activity))
    return list(db.session.scalars(statement.order_by(GuideVersion.title, GuideVersion.id)))


def current_guide(key: str) -> GuideVersion | None:
    """The latest version of the guide ``key``."""
    return db.session.scalar(
        select(GuideVersion)
        .join(Activity, Activity.id == GuideVersion.activity_id)
        .options(joinedload(GuideVersion.activity))
        .where(Activity.kind == "guide", Activity.key == key)
        .order_by(GuideVersion.number.desc())
        .limit(1)
    )


def publish_guide(checked: CheckedGuide, activity_id: int, *, at: datetime, by: int | None) -> int | None:
    """Write the next version and say its number; None where these bytes are the current version."""
    text = checked.guide
    held = current_guide(text.key)
    if held is not None and held.digest == checked.digest:
        return None
    version = GuideVersion(
        recorded_at=at,
        activity_id=activity_id,
        number=held.number + 1 if held else 1,
        digest=checked.digest,
        title=text.title,
        summary=text.summary,
        owner=text.owner,
        review_on=text.review_on,
        acknowledge=text.acknowledge,
        html=checked.html,
        words=checked.words,
        published_by_id=by,
        published_at=at,
    )
    db.session.add(version)
    db.session.flush()
    for path, content in checked.files.items():
        row = GuideFile(guide_version_id=version.id, path=path, content=content, sha256=sha256(content))
        db.session.add(row)
    log("guide.published", actor_id=by, guide=text.key, number=version.number, digest=checked.digest)
    db.session.flush()
    return version.number
