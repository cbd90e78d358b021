"""Queries of published module versions, media and shared files."""

from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import joinedload

from portal.domain.catalogue.models import (
    Activity,
    GuideFile,
    MinimumVersion,
    ModuleVersion,
    PackageFile,
    SharedVersion,
)
from portal.domain.catalogue.sources.shared_files import (
    FORCE_VALUES_FILE,
    GlossaryTerm,
    SharedContent,
    SourceText,
    parse_shared,
    parse_values,
)
from portal.domain.people.as_of import is_known_fact
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.formats.faults import Faults

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
    """Return version ``number`` of the module ``key``.

    Raises:
        NotFoundError: There is no such version.
    """
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
    """Return the content of a published media file with this hash and name.

    Raises:
        NotFoundError: No such file is published under this name.
    """
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
