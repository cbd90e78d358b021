"""Settings of the watched folder, and a sentence for each that is wrong."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

NO_NUMBER = -1  # stands in for text that is not a number
LIMITS = {  # the default, the least and the most of each number
    "IMPORT_FOLDER_MOST_ENDED": ("5", 0, 100),
    "IMPORT_FOLDER_SETTLE_SECONDS": ("120", 0, 24 * 60 * 60),
    "IMPORT_FOLDER_KEPT_DAYS": ("30", 1, 3_650),
}


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """Which folder is watched, whose files are taken, and who hears of those that are not imported."""

    path: str  # absolute; empty: none is watched
    owners: tuple[str, ...]  # system users whose files are taken beside the portal's own
    readers: tuple[str, ...]  # staff numbers; empty: whoever may import for the whole force
    most_ended: int  # per cent of posts that a file may end without a person's confirmation
    settle_seconds: int  # without a change, after which a file counts as complete
    kept_days: int  # for files that were imported or set aside

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong."""
        if self.path and not Path(self.path).is_absolute():
            yield "IMPORT_FOLDER is the whole path of a folder, such as /srv/portal-imports"
        values = (self.most_ended, self.settle_seconds, self.kept_days)
        for (name, (_, least, most)), value in zip(LIMITS.items(), values, strict=True):
            if not least <= value <= most:
                yield f"{name} is {least} or more, up to {most}, in digits."


def read_folder_settings(read: Callable[[str], str]) -> FolderSettings:
    """The settings of the watched folder; ``read`` gives the text of one, empty if it is not set."""
    return FolderSettings(
        path=read("IMPORT_FOLDER"),
        owners=_split(read("IMPORT_FOLDER_OWNERS")),
        readers=_split(read("IMPORT_FOLDER_MAIL_TO")),
        most_ended=_number("IMPORT_FOLDER_MOST_ENDED", read("IMPORT_FOLDER_MOST_ENDED")),
        settle_seconds=_number("IMPORT_FOLDER_SETTLE_SECONDS", read("IMPORT_FOLDER_SETTLE_SECONDS")),
        kept_days=_number("IMPORT_FOLDER_KEPT_DAYS", read("IMPORT_FOLDER_KEPT_DAYS")),
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _number(name: str, text: str) -> int:
    digits = text or LIMITS[name][0]
    return int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else NO_NUMBER
