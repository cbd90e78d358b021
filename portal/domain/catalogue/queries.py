"""What is published."""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import joinedload

from portal.domain.catalogue.models import Activity, GuideFile, ModuleVersion, PackageFile, SharedVersion
from portal.domain.catalogue.sources.shared_files import GlossaryTerm, SharedContent, SourceText, parse_shared
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.formats.faults import Faults


def is_set_up() -> bool:
    """Whether the database has the catalogue's tables; before the first upgrade nothing is published."""
    return inspect(db.session.connection()).has_table(SharedVersion.__tablename__)


def activity_id(kind: str, key: str) -> int | None:
    """The activity with this key; None where there has never been one."""
    return db.session.scalar(select(Activity.id).where(Activity.kind == kind, Activity.key == key))


def current_version(key: str) -> ModuleVersion | None:
    """The latest published version of the module ``key``."""
    return db.session.scalar(
        select(ModuleVersion)
        .join(Activity, Activity.id == ModuleVersion.activity_id)
        .options(joinedload(ModuleVersion.activity))
        .where(Activity.kind == "module", Activity.key == key)
        .order_by(ModuleVersion.number.desc())
        .limit(1)
    )


def published_modules() -> list[ModuleVersion]:
    """The latest version of each module, in the order in which the modules were first published."""
    latest = (
        select(ModuleVersion.activity_id, func.max(ModuleVersion.number).label("number"))
        .group_by(ModuleVersion.activity_id)
        .subquery()
    )
    return list(
        db.session.scalars(
            select(ModuleVersion)
            .join(
                latest,
                (latest.c.activity_id == ModuleVersion.activity_id)
                & (latest.c.number == ModuleVersion.number),
            )
            .options(joinedload(ModuleVersion.activity))
            .order_by(ModuleVersion.activity_id)
        )
    )


def get_module_version(version_id: int) -> ModuleVersion:
    """The module version with this id."""
    found = db.session.get(ModuleVersion, version_id)
    if found is None:
        raise NotFoundError("There is no such version of a module.")
    return found


def numbered_version(key: str, number: int) -> ModuleVersion:
    """Version ``number`` of the module ``key``."""
    found = db.session.scalar(
        select(ModuleVersion)
        .join(Activity, Activity.id == ModuleVersion.activity_id)
        .where(Activity.kind == "module", Activity.key == key, ModuleVersion.number == number)
    )
    if found is None:
        raise NotFoundError(f"The module “{key}” has no version {number}.")
    return found


def package_files(version_id: int) -> dict[str, bytes]:
    """Every file of a published folder by its path, byte for byte."""
    rows = db.session.execute(
        select(PackageFile.path, PackageFile.content)
        .where(PackageFile.module_version_id == version_id)
        .order_by(PackageFile.path)
    )
    return {path: content for path, content in rows}


def media_content(sha256: str, name: str) -> bytes:
    """The content of a published media file; its name must be one that it was published under."""
    for file in (PackageFile, GuideFile):
        content: bytes | None = db.session.scalar(
            select(file.content).where(file.sha256 == sha256, file.path == f"media/{name}").limit(1)
        )
        if content is not None:
            return content
    raise NotFoundError("There is no such file.")


def shared_version(name: str) -> SharedVersion | None:
    """The latest version of a shared file."""
    return db.session.scalar(
        select(SharedVersion).where(SharedVersion.name == name).order_by(SharedVersion.number.desc()).limit(1)
    )


def shared_files() -> dict[str, bytes]:
    """The latest version of every shared file by its name."""
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
    """What tells the shared files of one moment from those of any other: each publishing adds rows."""

    files: int
    recorded_at: datetime | None


SHARED_KEY_COLUMNS = (select(func.count(SharedVersion.id)), select(func.max(SharedVersion.recorded_at)))
_NAMED = select(*(column.scalar_subquery() for column in SHARED_KEY_COLUMNS))


def shared_key() -> SharedKey:
    """The name of what is published now."""
    return SharedKey(*db.session.execute(_NAMED).one())


def shared_content(name: SharedKey | None = None) -> SharedContent:
    """The published sources, terms and force settings.

    Args:
        name: Where the page has read it already in this transaction; by default it is read here.
    """
    return _cached_shared_content(name or shared_key())


def glossary_terms() -> list[GlossaryTerm]:
    """The published glossary, in alphabetical order."""
    return sorted(shared_content().terms.values(), key=lambda term: term.key.casefold())


def list_sources() -> list[SourceText]:
    """The published sources, in the order of their file."""
    return list(shared_content().sources.values())


@lru_cache(maxsize=4)
def _cached_shared_content(_name: SharedKey) -> SharedContent:
    return parse_shared(shared_files(), Faults())
