"""Two caches of published versions as plain values; the database refuses to change them.

A list of modules needs titles and minutes of each: 6 KiB a version. The texts and questions of one take 35
times that, and are kept apart. Both caches are bounded in bytes.

The key of a version is its id, the digest of its folder's bytes and the stamp of its publishing, read in
the same transaction as everything else on the page. So an entry stays valid, even if another database is
restored while the process runs.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, partial
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, bindparam, case, func, inspect, select
from sqlalchemy.orm import aliased, joinedload

from portal.domain.catalogue.markdown import remove_choice_values
from portal.domain.catalogue.models import (
    Activity,
    EventTypeVersion,
    GuideFile,
    GuideVersion,
    Item,
    Lesson,
    MinimumVersion,
    ModuleVersion,
    PackageFile,
    SharedVersion,
)
from portal.domain.catalogue.paths import DutyPaths, choose_path
from portal.domain.catalogue.source_files import (
    FORCE_VALUES_FILE,
    GlossaryTerm,
    SharedContent,
    SourceText,
    parse_shared,
    parse_values,
)
from portal.domain.item_kinds import case_kinds_by_name
from portal.domain.item_kinds.base import ItemKind
from portal.domain.people.positions import is_known_fact
from portal.platform.db import db, read
from portal.platform.errors import NotFoundError
from portal.platform.formats.toml_tables import Faults

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
    practice: Sequence[str]
    duty_paths: DutyPaths
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

    def lessons_for(self, duties: Collection[str]) -> tuple[PublishedLesson, ...]:
        """The lessons on the path of somebody with these duties, numbered from 1."""
        return self._split_lessons(duties)[0]

    def practice_for(self, duties: Collection[str]) -> tuple[PublishedLesson, ...]:
        """The other lessons, numbered after those of the path."""
        return self._split_lessons(duties)[1]

    def _split_lessons(
        self, duties: Collection[str]
    ) -> tuple[tuple[PublishedLesson, ...], tuple[PublishedLesson, ...]]:
        if not self.practice and not self.duty_paths:
            return self.lessons, ()
        keys = choose_path([lesson.key for lesson in self.lessons], self.practice, self.duty_paths, duties)
        ordered = sorted(self.lessons, key=lambda lesson: lesson.key not in keys)
        numbered = tuple(replace(lesson, position=number) for number, lesson in enumerate(ordered, 1))
        return numbered[: len(keys)], numbered[len(keys) :]

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


# Queries of published module versions, media and shared files.

_LATEST = (
    select(ModuleVersion.activity_id, func.max(ModuleVersion.number).label("number"))
    .group_by(ModuleVersion.activity_id)
    .subquery()
)
_LATEST_VERSIONS = (
    select(ModuleVersion)
    .join(
        _LATEST,
        (_LATEST.c.activity_id == ModuleVersion.activity_id) & (_LATEST.c.number == ModuleVersion.number),
    )
    .options(joinedload(ModuleVersion.activity))
    .order_by(ModuleVersion.activity_id)
)


def is_set_up() -> bool:
    """Whether the database has the catalogue's tables, which the first upgrade creates."""
    return inspect(db.session.connection()).has_table(SharedVersion.__tablename__)


def activity_id(kind: str, key: str) -> int | None:
    """Return the id of the activity with this key; None if there has never been one."""
    return db.session.scalar(select(Activity.id).where(Activity.kind == kind, Activity.key == key))


def current_version(key: str) -> ModuleVersion | None:
    """Return the latest published version of the module ``key``; None if there is none."""
    return db.session.scalar(
        select(ModuleVersion)
        .join(Activity, Activity.id == ModuleVersion.activity_id)
        .options(joinedload(ModuleVersion.activity))
        .where(Activity.kind == "module", Activity.key == key)
        .order_by(ModuleVersion.number.desc())
        .limit(1)
    )


def published_modules() -> list[ModuleVersion]:
    """Return the latest version of each module, in the order in which modules were first published."""
    return list(db.session.scalars(_LATEST_VERSIONS))


def numbered_version(key: str, number: int) -> ModuleVersion:
    """Return version ``number`` of the module ``key``."""
    version = db.session.scalar(
        select(ModuleVersion)
        .join(Activity, Activity.id == ModuleVersion.activity_id)
        .where(Activity.kind == "module", Activity.key == key, ModuleVersion.number == number)
    )
    if version is None:
        raise NotFoundError(f"The module “{key}” has no version {number}.")
    return version


def package_files(version_id: int) -> dict[str, bytes]:
    """Return every file of a published folder by its path, byte for byte."""
    rows = db.session.execute(
        select(PackageFile.path, PackageFile.content)
        .where(PackageFile.module_version_id == version_id)
        .order_by(PackageFile.path)
    )
    return {path: content for path, content in rows}


def media_content(sha256: str, name: str) -> bytes:
    """Return the content of a published media file with this hash and name."""
    for file in (PackageFile, GuideFile):
        content: bytes | None = db.session.scalar(
            select(file.content).where(file.sha256 == sha256, file.path == f"media/{name}").limit(1)
        )
        if content is not None:
            return content
    raise NotFoundError("There is no such file.")


def shared_version(name: str) -> SharedVersion | None:
    """Return the latest version of a shared file; None if there is none."""
    return db.session.scalar(
        select(SharedVersion).where(SharedVersion.name == name).order_by(SharedVersion.number.desc()).limit(1)
    )


def shared_files() -> dict[str, bytes]:
    """Return the content of the latest version of every shared file by name."""
    latest = (
        select(SharedVersion.name, func.max(SharedVersion.number).label("number"))
        .group_by(SharedVersion.name)
        .subquery()
    )
    rows = db.session.execute(
        select(SharedVersion.name, SharedVersion.content)
        .join(latest, (latest.c.name == SharedVersion.name) & (latest.c.number == SharedVersion.number))
        .order_by(SharedVersion.name)
    )
    return {name: content for name, content in rows}


class SharedKey(NamedTuple):
    """Cache key of the current shared files: publishing always adds a row, so the key changes."""

    files: int
    recorded_at: datetime | None


SHARED_KEY_COLUMNS = (select(func.count(SharedVersion.id)), select(func.max(SharedVersion.recorded_at)))
_SHARED_KEY = select(*(column.scalar_subquery() for column in SHARED_KEY_COLUMNS))


def shared_key() -> SharedKey:
    """Return the key of the shared files that are current now."""
    return SharedKey(*db.session.execute(_SHARED_KEY).one())


def shared_content(key: SharedKey | None = None) -> SharedContent:
    """Return the published sources, terms and force settings.

    Args:
        key: The key, if it was read already in this transaction; by default it is read here.
    """
    return _cached_shared_content(key or shared_key())


def force_values_recorded_by(until: datetime) -> dict[str, str]:
    """Return what the force's settings said at an instant, by their keys. One statement."""
    content = db.session.scalar(
        select(SharedVersion.content)
        .where(SharedVersion.name == FORCE_VALUES_FILE, SharedVersion.recorded_at <= until)
        .order_by(SharedVersion.number.desc())
        .limit(1)
    )
    return parse_values(content or b"")


def glossary_terms() -> list[GlossaryTerm]:
    """Return the published glossary in alphabetical order."""
    return sorted(shared_content().terms.values(), key=lambda term: term.key.casefold())


def list_sources() -> list[SourceText]:
    """Return the published sources in the order of their file."""
    return list(shared_content().sources.values())


@lru_cache(maxsize=4)
def _cached_shared_content(_key: SharedKey) -> SharedContent:
    return parse_shared(shared_files(), Faults())


class KnownMinimum(NamedTuple):
    """The least version of a module that counts, and from which day."""

    number: int
    from_on: date


def minimum_of(activity_id: int, on: date) -> KnownMinimum | None:
    """The minimum version announced last by ``on``; None if none is. One statement."""
    row = db.session.execute(
        select(ModuleVersion.number, MinimumVersion.from_on)
        .join(MinimumVersion, MinimumVersion.module_version_id == ModuleVersion.id)
        .where(
            MinimumVersion.activity_id == activity_id,
            MinimumVersion.announced_on <= on,
            is_known_fact(MinimumVersion),
        )
        .order_by(MinimumVersion.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else KnownMinimum(*row)


# The title of an activity of any kind, as an expression of a statement: it is that of the newest version.

VERSIONS: dict[str, Any] = {"module": ModuleVersion, "guide": GuideVersion, "event": EventTypeVersion}


def newest_title(activity: Any = Activity) -> ColumnElement[str]:
    """The title of an activity's newest version; the key of one that is not published yet.

    Args:
        activity: ``Activity``, or an alias of it, in the statement around.
    """
    return func.coalesce(published_title(activity, *VERSIONS), activity.key)


def published_title(activity: Any, *kinds: str) -> ColumnElement[str | None]:
    """The title of the newest version of an activity of one of these kinds; NULL of others.

    Only the versions of its own kind are looked up.
    """
    titles = [(activity.kind == kind, _title_of(VERSIONS[kind], activity)) for kind in kinds]
    return case(*titles)


def _title_of(versions: Any, activity: Any) -> Any:
    newest = aliased(versions)
    title = select(newest.title).where(newest.activity_id == activity.id)
    return title.order_by(newest.number.desc()).limit(1).correlate(activity).scalar_subquery()
