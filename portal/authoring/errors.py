"""What a draft refuses, each in a sentence fit for a page."""

from collections.abc import Mapping

from portal.errors import ConflictError, RuleError


class StaleSaveError(ConflictError):
    """Someone saved the same file after the page was shown; nothing was written."""

    def __init__(self, present: Mapping[str, str | None], saved_by: str) -> None:
        self.present = dict(present)  # path -> sha256 of what stands there now; None: no such file
        self.saved_by = saved_by  # name of who saved last
        super().__init__(f"{saved_by} saved this after you opened it. Nothing of theirs or yours is lost.")


class DraftEndedError(ConflictError):
    """The draft was published or discarded in the meantime."""

    def __init__(self, ended_as: str) -> None:
        super().__init__(f"This draft was {ended_as} in the meantime, so nothing more can be saved in it.")


class UnderReviewError(RuleError):
    """A draft that someone is reviewing stays as it was sent."""

    def __init__(self) -> None:
        super().__init__("This draft is being reviewed. Withdraw it from review before you change it.")


class KeyTakenError(ConflictError):
    """There is a module, or a draft of one, with this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is a module “{key}” already. Choose another key.")


class TooLargeError(RuleError):
    """A file or a draft is larger than the desk takes."""


class UnreadableFileError(RuleError):
    """A file could not be read any more after this change; nothing was written."""
