"""Checking and publishing of folders of modules and guides as immutable versions, all or nothing."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue import version_cache
from portal.domain.catalogue.markdown import Address, media_address
from portal.domain.catalogue.models import (
    Activity,
    GuideVersion,
    Item,
    Lesson,
    ModuleArchiving,
    ModuleVersion,
    PackageFile,
    SharedVersion,
)
from portal.domain.catalogue.module_check import (
    CheckedModule,
    RenderedPage,
    check_module,
    is_same_content,
    sha256_of,
    version_fields,
)
from portal.domain.catalogue.other_sources import CheckedGuide, check_guides
from portal.domain.catalogue.publishing import current_guide, current_guides, publish_guide
from portal.domain.catalogue.source_files import (
    FORCE_VALUES_FILE,
    SHARED_FILE_NAMES,
    format_values,
    module_folders,
    parse_shared,
    read_folder,
    read_guides,
    read_shared,
)
from portal.domain.people.positions import is_known_fact
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, ConflictError, RuleError, require
from portal.platform.formats.toml_tables import Faults


@dataclass(frozen=True)
class CheckedFolder:
    """The result of checking a folder: one module, or all modules and guides with their shared files."""

    modules: list[CheckedModule]
    shared: dict[str, bytes]  # the shared files against which the modules were checked
    faults: Faults
    guides: list[CheckedGuide] = field(default_factory=list)


@dataclass(frozen=True)
class PublishingResult:
    """The result of publishing."""

    versions: list[ModuleVersion] = field(default_factory=list)  # new ones
    guides: list[tuple[str, int]] = field(default_factory=list)  # key and number of new ones
    unchanged: list[str] = field(
        default_factory=list
    )  # keys of modules and guides that are published as they are
    shared: list[tuple[str, int]] = field(default_factory=list)  # name and number of shared files


def check_folder(folder: Path) -> CheckedFolder:
    """Read and check one module's folder, or the folder of all modules. Nothing is written.

    One module is checked against the published shared files; one that is not published is read from beside
    the module's folder.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise BadInputError([f"The folder {folder.name} does not exist."])
    faults = Faults()
    is_one_module = _is_one_module(folder)
    folders = [folder] if is_one_module else module_folders(folder, faults)
    files = read_shared(folder.parent if is_one_module else folder, faults)
    if is_one_module and version_cache.is_set_up():
        files |= version_cache.shared_files()
    shared = parse_shared(files, faults)
    if not folders:
        faults.add(
            folder.name, None, "There is no module in this folder. A module's folder contains module.toml."
        )
    guides = [] if is_one_module else check_guides(read_guides(folder, faults), shared, faults)
    guide_keys = _guide_keys() if is_one_module else frozenset(checked.guide.key for checked in guides)
    modules = [
        check_module(path.name, read_folder(path, faults), shared, faults, guide_keys) for path in folders
    ]
    return CheckedFolder([module for module in modules if module is not None], files, faults, guides)


def _guide_keys() -> frozenset[str]:
    if not version_cache.is_set_up():
        return frozenset()
    return frozenset(version.activity.key for version in current_guides())


def _is_one_module(folder: Path) -> bool:
    """Whether the folder is that of one module: it has ``module.toml``, or lessons if that is missing."""
    lessons = folder / "lessons"
    return (folder / "module.toml").is_file() or (lessons.is_dir() and not (lessons / "module.toml").exists())


def publish_folder(folder: Path, *, at: datetime, by: int | None = None) -> PublishingResult:
    """Publish one module's folder, or the folder of all modules with guides and shared files.

    Repeat-safe: whatever says the same as its current version, in any layout, is not published again. Rows of
    older versions never change.

    Args:
        folder: The folder.
        at: Now, stored as the time of publishing.
        by: The person who publishes; None for a command.

    Raises:
        BadInputError: There are faults; the error lists all of them. Nothing is written.
    """
    reading = check_folder(folder)
    reading.faults.refuse()
    stamp()  # before the current versions are read
    result = PublishingResult()
    for name in SHARED_FILE_NAMES:
        if name in reading.shared and (number := _publish_shared(name, reading.shared[name], by)):
            result.shared.append((name, number))
    db.session.flush()
    for module in reading.modules:
        version = _publish_module(module, at, by)
        if version is None:
            result.unchanged.append(module.package.key)
        else:
            result.versions.append(version)
    for checked in reading.guides:
        _publish_guide(checked, result, at, by)
    return result


def _publish_guide(checked: CheckedGuide, result: PublishingResult, at: datetime, by: int | None) -> None:
    key = checked.guide.key
    number = publish_guide(checked, _activity_id("guide", key), at=at, by=by)
    if number is None:
        result.unchanged.append(key)
    else:
        result.guides.append((key, number))


def check_files(key: str, files: dict[str, bytes], *, address: Address = media_address) -> CheckedFolder:
    """Check the files of one module against the published shared files.

    Args:
        key: The module's key, which is its folder's name.
        files: Every file of the folder by path.
        address: Returns a media file's address from its hash and path.
    """
    faults = Faults()
    shared_files = version_cache.shared_files()
    module = check_module(key, files, version_cache.shared_content(), faults, _guide_keys(), address=address)
    return CheckedFolder([module] if module else [], shared_files, faults)


def publish_files(key: str, files: dict[str, bytes], *, at: datetime, by: int) -> ModuleVersion | None:
    """Publish one module's files as its next version; None if the current version says the same.

    Args:
        key: The module's key, which is its folder's name.
        files: Every file of the folder by path.
        at: Now, stored as the time of publishing.
        by: The person who publishes.

    Raises:
        BadInputError: There are faults; the error lists all of them. Nothing is written.
    """
    reading = check_files(key, files)
    reading.faults.refuse()
    return _publish_module(reading.modules[0], at, by)


def check_guide_files(files: dict[str, bytes], *, address: Address = media_address) -> CheckedFolder:
    """Check the Markdown and media files of one guide against the published shared files.

    Args:
        files: The guide's files by path, as in the folder of guides.
        address: Returns a media file's address from its hash and path.
    """
    faults = Faults()
    guides = check_guides(
        files, version_cache.shared_content(), faults, others=_guide_keys(), address=address
    )
    return CheckedFolder([], version_cache.shared_files(), faults, guides)


def publish_guide_files(
    key: str, files: dict[str, bytes], *, at: datetime, by: int | None
) -> GuideVersion | None:
    """Publish one guide's files as its next version; None if the current version says the same.

    Args:
        key: The guide's key, which is its file's name.
        files: The guide's files by path; only media that it shows are published.
        at: Now, stored as the time of publishing.
        by: The person who publishes.

    Raises:
        BadInputError: There are faults; the error lists all of them. Nothing is written.
    """
    reading = check_guide_files(files)
    reading.faults.refuse()
    number = publish_guide(reading.guides[0], _activity_id("guide", key), at=at, by=by)
    return None if number is None else current_guide(key)


def set_force_values(values: dict[str, str], *, by: int) -> bool:
    """Store the values of the force's settings as a new version, shown from now on.

    Args:
        values: The values by the setting's key; an empty one is not set.
        by: The person who enters them.

    Returns:
        Whether anything changed.
    """
    stamp()  # before the current version is read
    filled_values = {key: text for key, value in values.items() if (text := value.strip())}
    if filled_values == version_cache.shared_content().values:
        return False
    return _publish_shared(FORCE_VALUES_FILE, format_values(filled_values), by) is not None


def _publish_shared(name: str, content: bytes, by: int | None) -> int | None:
    """The number of its new version; None if the current version says the same."""
    current = version_cache.shared_version(name)
    if current is not None and is_same_content({name: current.content}, {name: content}):
        return None
    number = current.number + 1 if current else 1
    db.session.add(SharedVersion(recorded_at=stamp(), name=name, number=number, content=content))
    log("shared_file.published", actor_id=by, name=name, number=number)
    return number


def _publish_module(module: CheckedModule, at: datetime, by: int | None) -> ModuleVersion | None:
    package = module.package
    current = version_cache.current_version(package.key)
    if current is not None and (
        current.digest == module.digest
        or is_same_content(version_cache.package_files(current.id), package.files)
    ):
        return None
    number = current.number + 1 if current else 1
    version = _build_version(module, _activity_id("module", package.key), number, at)
    version.published_by_id = by
    db.session.add(version)
    db.session.flush()
    for position, lesson in enumerate(module.lessons, 1):
        db.session.add(_build_lesson(lesson, version.id, position))
    _add_items(module, version.id)
    for path, content in package.files.items():
        row = PackageFile(module_version_id=version.id, path=path, content=content, sha256=sha256_of(content))
        db.session.add(row)
    log("module.published", actor_id=by, module=package.key, number=number, digest=module.digest)
    db.session.flush()
    return version


def _activity_id(kind: str, key: str) -> int:
    activity_id = version_cache.activity_id(kind, key)
    if activity_id is not None:
        return activity_id
    activity = Activity(recorded_at=stamp(), kind=kind, key=key)
    db.session.add(activity)
    db.session.flush()
    return activity.id


def _build_version(module: CheckedModule, activity_id: int, number: int, at: datetime) -> ModuleVersion:
    sources = version_cache.shared_version("_sources.toml")
    return ModuleVersion(
        recorded_at=stamp(),
        activity_id=activity_id,
        number=number,
        digest=module.digest,
        owner=module.package.owner,
        **version_fields(module),
        job_aid_html=_html_of(module.sheets.get("job-aid")),
        briefing_html=_html_of(module.sheets.get("briefing")),
        sources_version_id=sources.id if sources else None,
        published_at=at,
    )


def _html_of(sheet: RenderedPage | None) -> str | None:
    return sheet.html if sheet else None


def _build_lesson(lesson: RenderedPage, version_id: int, position: int) -> Lesson:
    page = lesson.page
    return Lesson(
        module_version_id=version_id,
        position=position,
        key=page.key,
        title=page.title,
        minutes=page.minutes,
        outcomes=page.outcomes,
        html=lesson.html,
        words=lesson.words,
        case_kind=page.case.kind.name if page.case else None,
        case_content=lesson.case,
    )


def _add_items(module: CheckedModule, version_id: int) -> None:
    for position, rendered in enumerate(module.items, 1):
        item = rendered.item
        row = Item(
            module_version_id=version_id,
            position=position,
            key=item.key,
            outcome=item.outcome,
            kind=item.kind.name,
            prompt_html=rendered.prompt_html,
            stimulus_html=rendered.stimulus_html,
            explanation_html=rendered.explanation_html,
            content=rendered.content,
            source=item.source,
            retired=item.retired,
            duties=item.duties,
        )
        db.session.add(row)


# Archiving of modules: an archived one is offered no longer, and nothing that was earned in it changes.
#
# It can still be read at its address, finished by whoever began it, and begun by people of whom a
# directive requires it. A successor only tells readers where to go on: whether its pass counts is for
# directives to say.


@dataclass(frozen=True, slots=True)
class Archive:
    """Since when a module is archived, and which replaces it."""

    fact_id: int
    archived_on: date
    successor_id: int | None
    successor_key: str | None
    successor_title: str | None  # of its newest version


def is_archived(activity_id: Any) -> ColumnElement[bool]:
    """WHERE clause: the module with this id is archived."""
    return exists().where(ModuleArchiving.activity_id == activity_id, is_known_fact(ModuleArchiving))


def archive_of(activity_id: int) -> Archive | None:
    """Return since when a module is archived; None if it is offered. One statement."""
    successor = aliased(Activity)
    newest = (
        select(ModuleVersion.title)
        .where(ModuleVersion.activity_id == successor.id)
        .order_by(ModuleVersion.number.desc())
        .limit(1)
        .correlate(successor)
        .scalar_subquery()
    )
    row = db.session.execute(
        select(
            ModuleArchiving.id,
            ModuleArchiving.archived_on,
            ModuleArchiving.successor_id,
            successor.key,
            newest,
        )
        .outerjoin(successor, successor.id == ModuleArchiving.successor_id)
        .where(ModuleArchiving.activity_id == activity_id, is_known_fact(ModuleArchiving))
    ).one_or_none()
    return None if row is None else Archive(*row)


def archived_activities(among: Collection[int] | None = None) -> frozenset[int]:
    """Return the ids of the archived modules, of some or of all. One statement."""
    statement = select(ModuleArchiving.activity_id).where(is_known_fact(ModuleArchiving))
    if among is not None:
        statement = statement.where(ModuleArchiving.activity_id.in_(among))
    return frozenset(db.session.scalars(statement))


def offered_modules() -> list[ModuleVersion]:
    """Return the newest version of each module that is not archived, as ``published_modules``."""
    archived = archived_activities()
    return [version for version in version_cache.published_modules() if version.activity_id not in archived]


def archive_module(key: str, successor: str | None, *, by: int, at: datetime) -> None:
    """Archive a module, or name another successor of one that is archived. Repeat-safe.

    Args:
        key: The module's.
        successor: The key of the module that replaces it; None for none.
        by: The publisher who decides.
        at: Now.

    Raises:
        RuleError: The successor is the module itself, is not published, or is archived too.
    """
    recorded_at = stamp()
    activity_id = _published_id(key)
    successor_id = _successor_id(key, successor) if successor else None
    before = archive_of(activity_id)
    if before is not None and before.successor_id == successor_id:
        return
    db.session.add(
        ModuleArchiving(
            recorded_at=recorded_at,
            replaces_id=before.fact_id if before else None,
            activity_id=activity_id,
            successor_id=successor_id,
            archived_on=before.archived_on if before else london_day(at),
            decided_by_id=by,
        )
    )
    detail: dict[str, Any] = {"successor": successor} if successor else {}
    log("module.archived", actor_id=by, module=key, **detail)
    db.session.flush()


def restore_module(key: str, *, by: int) -> None:
    """Offer an archived module again."""
    recorded_at = stamp()
    activity_id = _published_id(key)
    archive = archive_of(activity_id)
    if archive is None:
        raise ConflictError("This module is not archived.")
    db.session.add(
        ModuleArchiving(
            recorded_at=recorded_at,
            replaces_id=archive.fact_id,
            void=True,
            activity_id=activity_id,
            successor_id=archive.successor_id,
            archived_on=archive.archived_on,
            decided_by_id=by,
        )
    )
    log("module.restored", actor_id=by, module=key)
    db.session.flush()


def _published_id(key: str) -> int:
    version = require(version_cache.current_version(key), "This module is not published.")
    return version.activity_id


def _successor_id(key: str, successor: str) -> int:
    if successor == key:
        raise RuleError("A module cannot replace itself. Choose another, or none.")
    version = version_cache.current_version(successor)
    if version is None:
        raise RuleError("The module that replaces it is not published. Publish it first.")
    if version.activity_id in archived_activities([version.activity_id]):
        raise RuleError("The module that replaces it is archived too. Choose another, or none.")
    return version.activity_id
