"""A cache of published versions as plain values; the database refuses to change them.

The key of a version is its id, the digest of its folder's bytes and the stamp of its publishing, read in
the same transaction as everything else on the page. So an entry stays valid, even if another database is
restored while the process runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from portal.domain.catalogue.markdown.check_block import remove_choice_values
from portal.domain.catalogue.models import Activity, Item, Lesson, ModuleVersion
from portal.platform.db import db, read

MAX_CACHED_VERSIONS = 32  # the least recently used is dropped first


class VersionKey(NamedTuple):
    """Cache key of a published version; no two versions share one."""

    id: int
    digest: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PublishedActivity:
    """The lasting identity of a module."""

    id: int
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class PublishedLesson:
    """A lesson of a version, as in ``Lesson``."""

    id: int
    position: int
    key: str
    title: str
    minutes: int
    outcomes: Sequence[str]
    html: str


@dataclass(frozen=True, slots=True)
class PublishedItem:
    """An item of a version, as in ``Item``. Its content is shared by every reader and never changed."""

    id: int
    position: int
    key: str
    outcome: str
    kind: str
    prompt_html: str
    stimulus_html: str | None
    explanation_html: str
    content: dict[str, Any]
    source: Sequence[str]
    retired: bool


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A version with its lessons and items in order, as in ``ModuleVersion``."""

    id: int
    number: int
    title: str
    aim: str
    minutes: int
    mastery_score: Decimal
    outcomes: Sequence[dict[str, str]]
    draw: int
    at_least_per_outcome: int
    attempts: int
    wait_minutes: int
    test_out: bool
    review_on: date
    job_aid_title: str | None
    job_aid_html: str | None
    published_at: datetime
    activity: PublishedActivity
    lessons: tuple[PublishedLesson, ...]
    items: tuple[PublishedItem, ...]

    @property
    def activity_id(self) -> int:
        """Id of the module."""
        return self.activity.id


def _columns_of(dataclass_type: type, table: type) -> tuple[Any, ...]:
    """Return the columns of ``table`` with the names of the dataclass's fields."""
    names = (field.name for field in fields(dataclass_type))
    return tuple(getattr(table, name) for name in names if name not in _NOT_COLUMNS)


_NOT_COLUMNS = frozenset({"activity", "lessons", "items"})
_VERSIONS: Any = (
    select(Activity.id, Activity.kind, Activity.key, *_columns_of(PublishedVersion, ModuleVersion))
    .join(Activity, Activity.id == ModuleVersion.activity_id)
    .where(ModuleVersion.id == bindparam("id"))
)
_LESSONS = (
    select(*_columns_of(PublishedLesson, Lesson))
    .where(Lesson.module_version_id == bindparam("id"))
    .order_by(Lesson.position)
)
_ITEMS = (
    select(*_columns_of(PublishedItem, Item))
    .where(Item.module_version_id == bindparam("id"))
    .order_by(Item.position)
)


_VERSION_KEY = select(ModuleVersion.id, ModuleVersion.digest, ModuleVersion.recorded_at).where(
    ModuleVersion.id == bindparam("id")
)


def version_key(version_id: int) -> VersionKey:
    """Return the key of the version with this id."""
    return VersionKey(*read(_VERSION_KEY, {"id": version_id})[0])


@lru_cache(maxsize=MAX_CACHED_VERSIONS)
def published_version(key: VersionKey) -> PublishedVersion:
    """Load the version with this key, which must have been read in the same transaction."""
    parameters = {"id": key.id}
    activity_id, kind, module_key, *version = db.session.execute(_VERSIONS, parameters).one()
    stored_lessons = (PublishedLesson(*row) for row in db.session.execute(_LESSONS, parameters))
    lessons = tuple(replace(lesson, html=remove_choice_values(lesson.html)) for lesson in stored_lessons)
    items = tuple(PublishedItem(*row) for row in db.session.execute(_ITEMS, parameters))
    activity = PublishedActivity(activity_id, kind, module_key)
    values: tuple[Any, ...] = (*version, activity, lessons, items)
    return PublishedVersion(*values)
