"""The context in which a text is rendered: names that it may refer to, and the list of faults."""

from collections.abc import Callable
from dataclasses import dataclass, field

from portal.domain.catalogue.media.media_types import MediaFile
from portal.domain.catalogue.sources.shared_files import SharedContent
from portal.platform.formats.faults import Faults

Address = Callable[[str, str], str]  # returns a media file's address from its content's sha256 and its path


@dataclass
class RenderContext:
    """Names of one module that its texts may refer to, and the list of its faults."""

    module: str
    lessons: frozenset[str]
    media: dict[str, MediaFile]
    addresses: dict[str, str]  # of media, by path
    shared: SharedContent
    faults: Faults
    guides: frozenset[str] = frozenset()
    shown_media: set[str] = field(
        default_factory=set
    )  # paths of those that a text shows, filled as it is rendered


@dataclass
class TextLocation:
    """The file and line of a text, and the keys of the checks on its page so far."""

    context: RenderContext
    path: str
    first_line: int
    check_keys: set[str] = field(default_factory=set)
    allows_checks: bool = True
    is_printed: bool = False  # made into a tagged PDF, in which no heading may skip a level

    def add_fault(self, line: int, reason: str) -> None:
        """Add a fault ``line`` lines below the text's first line."""
        self.context.faults.add(self.path, self.first_line + line, reason)


def media_address(sha256: str, path: str) -> str:
    """Return the address of a media file; it includes the content's hash, so browsers may keep the file."""
    return f"/media/{sha256}/{path.removeprefix('media/')}"
