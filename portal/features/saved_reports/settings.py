"""The setting of saved reports."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from config import ON_OFF, current_settings


@dataclass(frozen=True, slots=True)
class ReportMailSettings:
    """What may go with the mail about a saved report."""

    files: str  # on or off; off where it is empty

    @property
    def mails_files(self) -> bool:
        """Whether the rows of a saved report may be attached to its mail; links alone unless set."""
        return self.files == "on"

    def list_faults(self) -> Iterator[str]:
        """A sentence if the setting is wrong."""
        if self.files not in ON_OFF:
            yield "REPORT_MAIL_FILES is 'on' or 'off'."


def read_settings(read: Callable[[str], str]) -> ReportMailSettings:
    """The setting as it is written; ``read`` gives the value of a name."""
    return ReportMailSettings(read("REPORT_MAIL_FILES"))


def read_own_settings() -> ReportMailSettings:
    """The setting of the running portal."""
    settings: ReportMailSettings = current_settings().feature_settings["saved_reports"]
    return settings
