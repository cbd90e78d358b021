"""Errors of drafts and reviews; each message is shown on the page."""

from collections.abc import Mapping

from portal.platform.errors import ConflictError, RuleError


class StaleSaveError(ConflictError):
    """Someone else saved the same file after the page was shown; nothing was written."""

    def __init__(self, present: Mapping[str, str | None], saved_by: str) -> None:
        self.present = dict(present)  # path -> sha256 of the file as it is now; None: no such file
        self.saved_by = saved_by  # name of the person who saved last
        super().__init__(f"{saved_by} saved this after you opened it. Neither version is lost.")


class DraftEndedError(ConflictError):
    """The draft has been published or discarded."""

    def __init__(self, ended_as: str) -> None:
        super().__init__(f"This draft has been {ended_as}, so you can no longer save changes to it.")


class DraftUnderReviewError(RuleError):
    """A draft cannot be changed while it is being reviewed."""

    def __init__(self) -> None:
        super().__init__("This draft is being reviewed. Withdraw it from review before you change it.")


class KeyTakenError(ConflictError):
    """A module or guide, or a draft of one, already has this key."""

    def __init__(self, key: str, what: str = "module") -> None:
        super().__init__(f"There is a {what} “{key}” already. Choose another key.")


class TooLargeError(RuleError):
    """A file or a draft exceeds its size limit."""


class UnreadableFileError(RuleError):
    """A changed file could not be parsed; nothing was written."""


class OutdatedDraftError(ConflictError):
    """A version was published after the one that the draft is based on."""

    def __init__(self, published: int | None) -> None:
        super().__init__(
            f"Version {published} was published after this draft was started. Bring it in before you go on."
            " No work is lost."
        )


class UnchangedDraftError(RuleError):
    """The draft equals the published version."""

    def __init__(self) -> None:
        super().__init__("Nothing has changed since the published version, so there is nothing to review.")


class UnshownMediaError(RuleError):
    """A guide's draft changes nothing but media that its text does not show; these are not published."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing that readers see has changed since the published version. A file is published only if"
            " the guide’s text shows it."
        )


class DraftNotReadyError(RuleError):
    """The check reports faults that block publishing."""

    def __init__(self, count: int) -> None:
        things = "1 thing needs" if count == 1 else f"{count} things need"
        super().__init__(f"{things} to be put right. Each is listed beside its place.")


class OwnWorkError(RuleError):
    """The publisher has changed the draft and may not publish it."""

    def __init__(self) -> None:
        super().__init__("You changed this draft yourself, so another publisher must read and publish it.")


class ReviewEndedError(ConflictError):
    """The review has ended already."""

    MESSAGES = {
        "published": "This has been published. There is nothing left to decide.",
        "sent_back": "This has been sent back to its author.",
        "withdrawn": "The author has withdrawn this from review.",
    }

    def __init__(self, ended_as: str) -> None:
        super().__init__(self.MESSAGES[ended_as])
