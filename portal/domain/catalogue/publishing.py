"""Publishing of checked guides as immutable versions, and queries of the published ones."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideFile, GuideVersion, ModuleVersion
from portal.domain.catalogue.module_check import is_same_content, sha256_of
from portal.domain.catalogue.other_sources import CheckedGuide, EventTypeSource
from portal.domain.catalogue.version_cache import VersionKey, activity_id
from portal.platform.audit import log
from portal.platform.db import db, is_newest_version, read, stamp
from portal.platform.errors import BadInputError, NotFoundError

WORDS_A_MINUTE = 200

_IS_NEWEST_GUIDE = is_newest_version(GuideVersion.activity_id)
_GUIDE_SUMMARIES = (
    select(Activity.key, GuideVersion.title, GuideVersion.words)
    .join(Activity, Activity.id == GuideVersion.activity_id)
    .where(_IS_NEWEST_GUIDE)
    .order_by(GuideVersion.title)
)
_KEYS = (
    select(Activity.key, GuideVersion.id, GuideVersion.digest, GuideVersion.recorded_at)
    .join(Activity, Activity.id == GuideVersion.activity_id)
    .where(_IS_NEWEST_GUIDE)
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
    statement = select(GuideVersion).where(_IS_NEWEST_GUIDE).options(joinedload(GuideVersion.activity))
    return list(db.session.scalars(statement.order_by(GuideVersion.title, GuideVersion.id)))


def guide_summaries() -> list[GuideSummary]:
    """Return a summary of the latest version of each guide, by title."""
    return [GuideSummary(*row) for row in read(_GUIDE_SUMMARIES, {})]


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
    """Return version ``number`` of the guide ``key``."""
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
    """Write the next version and return its number; None if the current version says the same."""
    text = checked.guide
    current = current_guide(text.key)
    if current is not None and is_same_content(guide_files(current.id), checked.files):
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


# Checking and publishing of event types as immutable versions, and queries of the published ones.

_IS_NEWEST = is_newest_version(EventTypeVersion.activity_id)
_SUMMARIES = (
    select(Activity.key, EventTypeVersion.title, EventTypeVersion.minutes)
    .join(Activity, Activity.id == EventTypeVersion.activity_id)
    .where(_IS_NEWEST)
    .order_by(EventTypeVersion.title)
)


@dataclass(frozen=True, slots=True)
class EventTypeSummary:
    """An event type as lists show it."""

    key: str
    title: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Preparation:
    """A module or guide to go through before an event."""

    kind: str  # "module" or "guide"
    key: str
    title: str  # of its newest version; the key where it is not published


def current_event_types() -> list[EventTypeVersion]:
    """Return the latest version of each event type, by title."""
    statement = select(EventTypeVersion).where(_IS_NEWEST).options(joinedload(EventTypeVersion.activity))
    return list(db.session.scalars(statement.order_by(EventTypeVersion.title, EventTypeVersion.id)))


def event_type_summaries() -> list[EventTypeSummary]:
    """Return a summary of the latest version of each event type, by title."""
    return [EventTypeSummary(*row) for row in read(_SUMMARIES, {})]


def current_event_type(key: str) -> EventTypeVersion | None:
    """Return the latest version of the event type ``key``; None if there is none."""
    newest = _select_versions(key).order_by(EventTypeVersion.number.desc()).limit(1)
    found: EventTypeVersion | None = db.session.scalar(newest)
    return found


def list_event_type_versions(key: str) -> list[EventTypeVersion]:
    """Return every version of the event type ``key``, the latest first; none if there is no such type."""
    return list(db.session.scalars(_select_versions(key).order_by(EventTypeVersion.number.desc())))


def numbered_event_type(key: str, number: int | None = None) -> EventTypeVersion:
    """Return version ``number`` of the event type ``key``; the latest unless given."""
    if number is None:
        version = current_event_type(key)
    else:
        version = db.session.scalar(_select_versions(key).where(EventTypeVersion.number == number))
    if version is None:
        which = "is not published" if number is None else f"has no version {number}"
        raise NotFoundError(f"The event type “{key}” {which}.")
    return version


def _select_versions(key: str) -> Any:
    return (
        select(EventTypeVersion)
        .join(Activity, Activity.id == EventTypeVersion.activity_id)
        .options(joinedload(EventTypeVersion.activity))
        .where(Activity.kind == "event", Activity.key == key)
    )


def list_preparation(names: Sequence[str]) -> list[Preparation]:
    """Return the modules and guides of these names, such as “module:respond”, in order. One statement."""
    pairs = [name.partition(":")[::2] for name in names]
    titles = _published_titles({key for _, key in pairs}) if pairs else {}
    return [Preparation(kind, key, titles.get((kind, key), key)) for kind, key in pairs]


def _published_titles(keys: set[str]) -> dict[tuple[str, str], str]:
    """The newest titles of the published modules and guides with these keys, by kind and key."""
    selects = [
        select(Activity.kind, Activity.key, versions.title, versions.number)
        .join(versions, versions.activity_id == Activity.id)
        .where(Activity.key.in_(sorted(keys)))
        for versions in (ModuleVersion, GuideVersion)
    ]
    rows = db.session.execute(selects[0].union_all(selects[1]).order_by("number"))
    return {(kind, key): title for kind, key, title, _ in rows}


def refuse_unknown_preparation(source: EventTypeSource) -> None:
    """Refuse an event type that asks for a module or guide which is not published."""
    known = _published_titles({name.partition(":")[2] for name in source.preparation})
    unknown = [name for name in source.preparation if tuple(name.split(":")) not in known]
    if unknown:
        reasons = [f"{source.key}.toml: preparation: “{name}” is not published." for name in unknown]
        raise BadInputError(reasons)


def publish_event_type(source: EventTypeSource, *, at: datetime, by: int | None) -> int | None:
    """Write the next version and return its number; None if the current version says the same.

    Raises:
        BadInputError: It asks for a module or guide that is not published.
    """
    refuse_unknown_preparation(source)
    recorded_at = stamp()  # before the current version is read
    current = current_event_type(source.key)
    digest = sha256_of(source.content)
    if current is not None and is_same_content({".toml": current.content}, {".toml": source.content}):
        return None
    fields = asdict(source)
    key = fields.pop("key")
    version = EventTypeVersion(
        **fields,
        recorded_at=recorded_at,
        activity_id=_find_or_add_activity(key, recorded_at),
        number=current.number + 1 if current else 1,
        digest=digest,
        published_by_id=by,
        published_at=at,
    )
    db.session.add(version)
    log("event_type.published", actor_id=by, event_type=key, number=version.number, digest=digest)
    db.session.flush()
    return version.number


def _find_or_add_activity(key: str, recorded_at: datetime) -> int:
    found = activity_id("event", key)
    if found is not None:
        return found
    activity = Activity(recorded_at=recorded_at, kind="event", key=key)
    db.session.add(activity)
    db.session.flush()
    return activity.id
