"""Checking and publishing of folders of modules and guides as immutable versions, all or nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from portal.domain.catalogue import queries
from portal.domain.catalogue.guide_publishing import current_guide, current_guides, publish_guide
from portal.domain.catalogue.markdown.render_context import Address, media_address
from portal.domain.catalogue.models import (
    Activity,
    GuideVersion,
    Item,
    Lesson,
    ModuleVersion,
    PackageFile,
    SharedVersion,
)
from portal.domain.catalogue.sources.folder_reader import (
    SHARED_FILE_NAMES,
    module_folders,
    read_folder,
    read_guides,
    read_shared,
)
from portal.domain.catalogue.sources.guide_source import CheckedGuide, check_guides
from portal.domain.catalogue.sources.shared_files import FORCE_VALUES_FILE, format_values, parse_shared
from portal.domain.catalogue.sources.validation import (
    CheckedModule,
    RenderedPage,
    check_module,
    sha256_of,
    version_fields,
)
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError
from portal.platform.formats.faults import Faults


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
    )  # keys of modules and guides whose bytes are published already
    shared: list[tuple[str, int]] = field(default_factory=list)  # name and number of shared files


def check_folder(folder: Path) -> CheckedFolder:
    """Read and check one module's folder, or the folder of all modules. Nothing is written.

    One module is checked against the published shared files; one that is not published is read from beside
    the module's folder.

    Raises:
        BadInputError: There is no such folder.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise BadInputError([f"The folder {folder.name} does not exist."])
    faults = Faults()
    is_one_module = _is_one_module(folder)
    folders = [folder] if is_one_module else module_folders(folder, faults)
    files = read_shared(folder.parent if is_one_module else folder, faults)
    if is_one_module and queries.is_set_up():
        files |= queries.shared_files()
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
    if not queries.is_set_up():
        return frozenset()
    return frozenset(version.activity.key for version in current_guides())


def _is_one_module(folder: Path) -> bool:
    """Whether the folder is that of one module: it has ``module.toml``, or lessons if that is missing."""
    lessons = folder / "lessons"
    return (folder / "module.toml").is_file() or (lessons.is_dir() and not (lessons / "module.toml").exists())


def publish_folder(folder: Path, *, at: datetime, by: int | None = None) -> PublishingResult:
    """Publish one module's folder, or the folder of all modules with guides and shared files.

    Repeat-safe: whatever has the same bytes as its current version is not published again. Rows of older
    versions never change.

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
    shared_files = queries.shared_files()
    module = check_module(key, files, queries.shared_content(), faults, _guide_keys(), address=address)
    return CheckedFolder([module] if module else [], shared_files, faults)


def publish_files(key: str, files: dict[str, bytes], *, at: datetime, by: int) -> ModuleVersion | None:
    """Publish one module's files as its next version; None if the current version has the same bytes.

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
    guides = check_guides(files, queries.shared_content(), faults, others=_guide_keys(), address=address)
    return CheckedFolder([], queries.shared_files(), faults, guides)


def publish_guide_files(
    key: str, files: dict[str, bytes], *, at: datetime, by: int | None
) -> GuideVersion | None:
    """Publish one guide's files as its next version; None if the current version has the same bytes.

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
    if filled_values == queries.shared_content().values:
        return False
    return _publish_shared(FORCE_VALUES_FILE, format_values(filled_values), by) is not None


def _publish_shared(name: str, content: bytes, by: int | None) -> int | None:
    """The number of its new version; None if the current version has the same bytes."""
    current = queries.shared_version(name)
    if current is not None and current.content == content:
        return None
    number = current.number + 1 if current else 1
    db.session.add(SharedVersion(recorded_at=stamp(), name=name, number=number, content=content))
    log("shared_file.published", actor_id=by, name=name, number=number)
    return number


def _publish_module(module: CheckedModule, at: datetime, by: int | None) -> ModuleVersion | None:
    package = module.package
    current = queries.current_version(package.key)
    if current is not None and current.digest == module.digest:
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
    activity_id = queries.activity_id(kind, key)
    if activity_id is not None:
        return activity_id
    activity = Activity(recorded_at=stamp(), kind=kind, key=key)
    db.session.add(activity)
    db.session.flush()
    return activity.id


def _build_version(module: CheckedModule, activity_id: int, number: int, at: datetime) -> ModuleVersion:
    sources = queries.shared_version("_sources.toml")
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
