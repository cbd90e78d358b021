"""Publishing of checked guides as immutable versions, and queries of the published ones."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.domain.catalogue.models import Activity, GuideFile, GuideVersion
from portal.domain.catalogue.sources.guide_source import CheckedGuide
from portal.domain.catalogue.sources.validation import sha256_of
from portal.domain.catalogue.version_cache import VersionKey
from portal.platform.audit.services import log
from portal.platform.db import db, is_newest_version, read, stamp
from portal.platform.errors import NotFoundError

WORDS_A_MINUTE = 200

_IS_NEWEST = is_newest_version(GuideVersion.activity_id)
_SUMMARIES = (
    select(Activity.key, GuideVersion.title, GuideVersion.words)
    .join(Activity, Activity.id == GuideVersion.activity_id)
    .where(_IS_NEWEST)
    .order_by(GuideVersion.title)
)
_KEYS = (
    select(Activity.key, GuideVersion.id, GuideVersion.digest, GuideVersion.recorded_at)
    .join(Activity, Activity.id == GuideVersion.activity_id)
    .where(_IS_NEWEST)
    .order_by(Activity.key)
)


@dataclass(frozen=True, slots=True)
class GuideSummary:
    """A guide as lists show it."""

    key: str
    title: str
    words: int

    @property
    def reading_minutes(self) -> int:
        """Minutes that reading takes, rounded up."""
        return reading_minutes(self.words)


def reading_minutes(words: int) -> int:
    """Minutes that reading so many words takes, rounded up."""
    return 1 + words // WORDS_A_MINUTE


def current_guides() -> list[GuideVersion]:
    """Return the latest version of each guide, by title."""
    statement = select(GuideVersion).where(_IS_NEWEST).options(joinedload(GuideVersion.activity))
    return list(db.session.scalars(statement.order_by(GuideVersion.title, GuideVersion.id)))


def guide_summaries() -> list[GuideSummary]:
    """Return a summary of the latest version of each guide, by title."""
    return [GuideSummary(*row) for row in read(_SUMMARIES, {})]


def newest_guide_keys() -> list[tuple[str, VersionKey]]:
    """Return the key of each guide with that of its latest version, in their order."""
    return [(key, VersionKey(*version)) for key, *version in read(_KEYS, {})]


def current_guide(key: str) -> GuideVersion | None:
    """Return the latest version of the guide ``key``; None if there is none."""
    return db.session.scalar(
        select(GuideVersion)
        .join(Activity, Activity.id == GuideVersion.activity_id)
        .options(joinedload(GuideVersion.activity))
        .where(Activity.kind == "guide", Activity.key == key)
        .order_by(GuideVersion.number.desc())
        .limit(1)
    )


def guide_recorded_by(key: str, until: datetime) -> GuideVersion | None:
    """Return the latest version of the guide ``key`` at an instant; None if there was none."""
    return db.session.scalar(
        select(GuideVersion)
        .join(Activity, Activity.id == GuideVersion.activity_id)
        .where(Activity.kind == "guide", Activity.key == key, GuideVersion.recorded_at <= until)
        .order_by(GuideVersion.number.desc())
        .limit(1)
    )


def numbered_guide(key: str, number: int) -> GuideVersion:
    """Return version ``number`` of the guide ``key``.

    Raises:
        NotFoundError: There is no such version.
    """
    version = db.session.scalar(
        select(GuideVersion)
        .join(Activity, Activity.id == GuideVersion.activity_id)
        .where(Activity.kind == "guide", Activity.key == key, GuideVersion.number == number)
    )
    if version is None:
        raise NotFoundError(f"The guide “{key}” has no version {number}.")
    return version


def guide_files(version_id: int) -> dict[str, bytes]:
    """Return the Markdown file and media files of a version by path, byte for byte."""
    rows = db.session.execute(
        select(GuideFile.path, GuideFile.content)
        .where(GuideFile.guide_version_id == version_id)
        .order_by(GuideFile.path)
    )
    return {path: content for path, content in rows}


def publish_guide(checked: CheckedGuide, activity_id: int, *, at: datetime, by: int | None) -> int | None:
    """Write the next version and return its number; None if the current version has the same bytes."""
    text = checked.guide
    current = current_guide(text.key)
    if current is not None and current.digest == checked.digest:
        return None
    version = GuideVersion(
        recorded_at=stamp(),
        activity_id=activity_id,
        number=current.number + 1 if current else 1,
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
        row = GuideFile(guide_version_id=version.id, path=path, content=content, sha256=sha256_of(content))
        db.session.add(row)
    log("guide.published", actor_id=by, guide=text.key, number=version.number, digest=checked.digest)
    db.session.flush()
    return version.number
