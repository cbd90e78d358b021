"""Two caches of published versions as plain values; the database refuses to change them.

A list of modules needs titles and minutes of each: 6 KiB a version. The texts and questions of one take 35
times that, and are kept apart. Both caches are bounded in bytes.

The key of a version is its id, the digest of its folder's bytes and the stamp of its publishing, read in
the same transaction as everything else on the page. So an entry stays valid, even if another database is
restored while the process runs.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import bindparam, select

from portal.domain.catalogue.markdown.check_block import remove_choice_values
from portal.domain.catalogue.models import Activity, Item, Lesson, ModuleVersion
from portal.domain.item_kinds import case_kinds_by_name
from portal.domain.item_kinds.base import ItemKind
from portal.platform.db import db, read

MIB = 1024 * 1024
MOST_OUTLINES = 4 * MIB  # about 600 versions
MOST_CONTENTS = 16 * MIB  # about 70 versions

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class VersionKey(NamedTuple):
    """Cache key of a published version; no two versions share one."""

    id: int
    digest: str
    recorded_at: datetime


class VersionCache(Generic[K, V]):
    """Values of versions, loaded once; the least recently used are dropped beyond ``most`` bytes."""

    def __init__(self, load: Callable[[K], V], most: int) -> None:
        self._load, self._most, self._lock = load, most, Lock()
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.size = 0  # bytes of all values

    def __call__(self, key: K) -> V:
        """The value of this version, whose key was read in the same transaction."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value = self._load(key)
        size = bytes_of(value)
        with self._lock:
            if key not in self._values:  # no other thread loaded it meanwhile
                self._values[key] = value, size
                self.size += size
            while self.size > self._most and len(self._values) > 1:
                self.size -= self._values.popitem(last=False)[1][1]
        return value

    def cache_clear(self) -> None:
        """Drop all values."""
        with self._lock:
            self._values.clear()
            self.size = 0


def bytes_of(value: Any) -> int:
    """The memory that a value and all within it take, in bytes; what occurs twice counts twice."""
    if isinstance(value, Mapping):
        parts: Any = (*value, *value.values())
    elif isinstance(value, list | tuple):
        parts = value
    else:
        parts = [getattr(value, name) for name in getattr(value, "__slots__", ())]
    return sys.getsizeof(value) + sum(map(bytes_of, parts))


@dataclass(frozen=True, slots=True)
class PublishedActivity:
    """The lasting identity of a module."""

    id: int
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class PublishedLesson:
    """A lesson of a version, as in ``Lesson``, without its text."""

    id: int
    position: int
    key: str
    title: str
    minutes: int
    outcomes: Sequence[str]
    case_kind: str | None = None


@dataclass(frozen=True, slots=True)
class LessonCase:
    """The case that a lesson is."""

    kind: ItemKind
    prompt_html: str
    explanation_html: str
    content: dict[str, Any]  # shared by every reader and never changed


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
    duties: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class VersionContent:
    """What is large in a version: the text of each lesson by its id, and the items in order."""

    lesson_html: Mapping[int, str]
    items: tuple[PublishedItem, ...]
    cases: Mapping[int, dict[str, Any]] = field(default_factory=dict)  # ``Lesson.case_content`` by lesson


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A version with its lessons in order, as in ``ModuleVersion``; texts and items are loaded when used."""

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
    pause_after: int
    pause_hours: int
    test_out: bool
    pre_test: bool
    review_on: date
    job_aid_title: str | None
    briefing_title: str | None
    published_at: datetime
    activity: PublishedActivity
    lessons: tuple[PublishedLesson, ...]
    load_content: Callable[[], VersionContent]

    @property
    def activity_id(self) -> int:
        """Id of the module."""
        return self.activity.id

    @property
    def items(self) -> tuple[PublishedItem, ...]:
        """The items in order."""
        return self.load_content().items

    def lesson_html(self, lesson: PublishedLesson) -> str:
        """The text of a lesson of this version: safe HTML, with slots as in ``Lesson``."""
        return self.load_content().lesson_html[lesson.id]

    def lesson_case(self, lesson: PublishedLesson) -> LessonCase | None:
        """The case that a lesson of this version is; None if it is a text."""
        if lesson.case_kind is None:
            return None
        return LessonCase(case_kinds_by_name()[lesson.case_kind], **self.load_content().cases[lesson.id])


def _columns_of(dataclass_type: type, table: type) -> tuple[Any, ...]:
    """Return the columns of ``table`` with the names of the dataclass's fields."""
    names = (field.name for field in fields(dataclass_type))
    return tuple(getattr(table, name) for name in names if name not in _NOT_COLUMNS)


_NOT_COLUMNS = frozenset({"activity", "lessons", "load_content"})
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
_LESSON_TEXTS = select(Lesson.id, Lesson.html, Lesson.case_content).where(
    Lesson.module_version_id == bindparam("id")
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


def _load_outline(key: VersionKey) -> PublishedVersion:
    parameters = {"id": key.id}
    activity_id, kind, module_key, *version = db.session.execute(_VERSIONS, parameters).one()
    lessons = tuple(PublishedLesson(*row) for row in db.session.execute(_LESSONS, parameters))
    activity = PublishedActivity(activity_id, kind, module_key)
    values: tuple[Any, ...] = (*version, activity, lessons, partial(version_content, key))
    return PublishedVersion(*values)


def _load_content(key: VersionKey) -> VersionContent:
    texts = db.session.execute(_LESSON_TEXTS, {"id": key.id}).all()
    lesson_html = {lesson_id: remove_choice_values(html) for lesson_id, html, _ in texts}
    items = tuple(PublishedItem(*row) for row in db.session.execute(_ITEMS, {"id": key.id}))
    cases = {lesson_id: case for lesson_id, _, case in texts if case is not None}
    return VersionContent(lesson_html, items, cases)


published_version = VersionCache(_load_outline, MOST_OUTLINES)
version_content = VersionCache(_load_content, MOST_CONTENTS)
