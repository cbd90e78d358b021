"""The subjects of drafts, modules and guides, behind one interface."""

import re
from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar

from portal.domain.authoring.editing import details, lesson
from portal.domain.catalogue import guide_publishing
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.markdown.render_context import Address
from portal.domain.catalogue.models import GuideVersion, ModuleVersion
from portal.domain.catalogue.services import (
    CheckedFolder,
    check_files,
    check_guide_files,
    publish_files,
    publish_guide_files,
)
from portal.domain.catalogue.sources.folder_reader import GUIDES_FOLDER

Version = ModuleVersion | GuideVersion
GUIDE_PREFIX = f"{GUIDES_FOLDER}/"


class DraftSubject(ABC):
    """A module or guide that can be drafted; ``key`` is as in ``Draft.module_key``."""

    noun: ClassVar[str]
    activity_kind: ClassVar[str]  # as in Activity.kind

    def __init__(self, key: str) -> None:
        self.key = key

    @property
    @abstractmethod
    def activity_key(self) -> str:
        """The key of its activity."""

    @property
    @abstractmethod
    def folder_name(self) -> str:
        """The folder that the check puts before the paths of its files."""

    @property
    @abstractmethod
    def main_file(self) -> str:
        """Path of the one file that it must have."""

    @property
    @abstractmethod
    def path_pattern(self) -> re.Pattern[str]:
        """The pattern of permitted paths."""

    @abstractmethod
    def title(self, first: bytes) -> str:
        """The title in its main file."""

    @abstractmethod
    def newest_version(self) -> Version | None:
        """Its latest published version."""

    @abstractmethod
    def numbered_version(self, number: int) -> Version:
        """Its published version ``number``.

        Raises:
            NotFoundError: There is none.
        """

    @abstractmethod
    def version_files(self, version_id: int) -> dict[str, bytes]:
        """Every file of a published version by path, with the published bytes."""

    @abstractmethod
    def base_columns(self, version_id: int | None) -> dict[str, int | None]:
        """The columns of a draft or a saved state that name the version it is based on."""

    @abstractmethod
    def check_files(self, files: dict[str, bytes], address: Address) -> CheckedFolder:
        """Check and render its files."""

    @abstractmethod
    def publish_files(self, files: dict[str, bytes], *, at: datetime, by: int) -> Version | None:
        """Publish its next version; None where the files equal the current version."""


class ModuleSubject(DraftSubject):
    """A module, which is a folder."""

    noun = activity_kind = "module"
    main_file = "module.toml"
    path_pattern = re.compile(
        r"module\.toml|job-aid\.md|briefing\.md|lessons/[^/]+\.(?:md|toml)|items/[^/]+\.toml|media/[^/]+"
    )

    @property
    def activity_key(self) -> str:
        """The key itself."""
        return self.key

    @property
    def folder_name(self) -> str:
        """The key itself."""
        return self.key

    def title(self, first: bytes) -> str:
        """The title in the module's details."""
        return details.read_details(first).title

    def newest_version(self) -> ModuleVersion | None:
        """The latest version."""
        return catalogue.current_version(self.key)

    def numbered_version(self, number: int) -> ModuleVersion:
        """The version of this number."""
        return catalogue.numbered_version(self.key, number)

    def version_files(self, version_id: int) -> dict[str, bytes]:
        """The published folder."""
        return catalogue.package_files(version_id)

    def base_columns(self, version_id: int | None) -> dict[str, int | None]:
        """The module's version."""
        return {"base_version_id": version_id}

    def check_files(self, files: dict[str, bytes], address: Address) -> CheckedFolder:
        """Check and render the module's folder."""
        return check_files(self.key, files, address=address)

    def publish_files(self, files: dict[str, bytes], *, at: datetime, by: int) -> ModuleVersion | None:
        """Publish the module's next version."""
        return publish_files(self.key, files, at=at, by=by)


class GuideSubject(DraftSubject):
    """A guide, which is a Markdown file with the media that it shows."""

    noun = activity_kind = "guide"
    folder_name = GUIDES_FOLDER

    @property
    def activity_key(self) -> str:
        """The key without the folder."""
        return self.key.removeprefix(GUIDE_PREFIX)

    @property
    def main_file(self) -> str:
        """The guide's own file."""
        return f"{self.activity_key}.md"

    @property
    def path_pattern(self) -> re.Pattern[str]:
        """The guide's own file and media."""
        return re.compile(rf"{re.escape(self.main_file)}|media/[^/]+")

    def title(self, first: bytes) -> str:
        """The title in the file's front matter."""
        return lesson.read_lesson(first).title

    def newest_version(self) -> GuideVersion | None:
        """The latest version."""
        return guide_publishing.current_guide(self.activity_key)

    def numbered_version(self, number: int) -> GuideVersion:
        """The version of this number."""
        return guide_publishing.numbered_guide(self.activity_key, number)

    def version_files(self, version_id: int) -> dict[str, bytes]:
        """The published file and its media."""
        return guide_publishing.guide_files(version_id)

    def base_columns(self, version_id: int | None) -> dict[str, int | None]:
        """The guide's version."""
        return {"base_guide_version_id": version_id}

    def check_files(self, files: dict[str, bytes], address: Address) -> CheckedFolder:
        """Check and render the guide."""
        return check_guide_files(files, address=address)

    def publish_files(self, files: dict[str, bytes], *, at: datetime, by: int) -> GuideVersion | None:
        """Publish the guide's next version."""
        return publish_guide_files(self.activity_key, files, at=at, by=by)


def is_guide(key: str) -> bool:
    """Whether a draft with this key is a guide's."""
    return key.startswith(GUIDE_PREFIX)


def subject_of(key: str) -> DraftSubject:
    """The subject of a draft with this key."""
    return GuideSubject(key) if is_guide(key) else ModuleSubject(key)
