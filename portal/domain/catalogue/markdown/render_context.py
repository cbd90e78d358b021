"""What a text may refer to while it is rendered, and where its faults go."""

from collections.abc import Callable
from dataclasses import dataclass, field

from portal.domain.catalogue.media.media_types import MediaFile
from portal.domain.catalogue.sources.shared_files import SharedContent
from portal.platform.formats.faults import Faults

Address = Callable[[str, str], str]  # of a media file, by its content's sha256 and its path


@dataclass
class RenderContext:
    """One module's names, as far as a text may use them."""

    module: str
    lessons: frozenset[str]
    media: dict[str, MediaFile]
    addresses: dict[str, str]  # of media, by path
    shared: SharedContent
    faults: Faults
    guides: frozenset[str] = frozenset()


@dataclass
class TextLocation:
    """Where a text stands, and what its page holds so far."""

    context: RenderContext
    path: str
    first_line: int
    check_keys: set[str] = field(default_factory=set)
    allows_checks: bool = True  # whether a check may stand here
    is_printed: bool = False  # whether a tagged PDF is made of it, whose headings have to be in order

    def add_fault(self, line: int, reason: str) -> None:
        """Note a fault ``line`` lines below the text's first line."""
        self.context.faults.add(self.path, self.first_line + line, reason)


def media_address(sha256: str, path: str) -> str:
    """Where a media file is served: under its content's hash, so that it can be kept for ever."""
    return f"/media/{sha256}/{path.removeprefix('media/')}"
