"""What a draft refuses, each in a sentence fit for a page."""

from collections.abc import Mapping

from portal.platform.errors import ConflictError, RuleError


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


class DraftUnderReviewError(RuleError):
    """A draft that someone is reviewing stays as it was sent."""

    def __init__(self) -> None:
        super().__init__("This draft is being reviewed. Withdraw it from review before you change it.")


class KeyTakenError(ConflictError):
    """There is a module or guide, or a draft of one, with this key."""

    def __init__(self, key: str, what: str = "module") -> None:
        super().__init__(f"There is a {what} “{key}” already. Choose another key.")


class TooLargeError(RuleError):
    """A file or a draft is larger than the desk takes."""


class UnreadableFileError(RuleError):
    """A file could not be read any more after this change; nothing was written."""


class OutdatedDraftError(ConflictError):
    """A version was published after the one that the draft is based on."""

    def __init__(self, published: int | None) -> None:
        super().__init__(
            f"Version {published} was published after this draft was begun. Bring it in before you go on:"
            " nothing of either is lost."
        )


class UnchangedDraftError(RuleError):
    """The draft says what is published already."""

    def __init__(self) -> None:
        super().__init__("Nothing has changed since the published version, so there is nothing to review.")


class UnshownMediaError(RuleError):
    """All that a guide's draft changes is media that its text does not show, which are not published."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing that readers see has changed since the published version. A medium is published once the"
            " guide’s text shows it."
        )


class DraftNotReadyError(RuleError):
    """The check finds something to put right."""

    def __init__(self, count: int) -> None:
        things = "1 thing is" if count == 1 else f"{count} things are"
        super().__init__(f"{things} still to be put right. Each is named beside its place.")


class OwnWorkError(RuleError):
    """The publisher changed the draft."""

    def __init__(self) -> None:
        super().__init__("You changed this draft yourself, so another publisher must read and publish it.")


class ReviewEndedError(ConflictError):
    """Someone decided on the review in the meantime."""

    MESSAGES = {
        "published": "This was published in the meantime. There is nothing left to decide.",
        "sent_back": "This was sent back to its author in the meantime.",
        "withdrawn": "The author has withdrawn this from review in the meantime.",
    }

    def __init__(self, ended_as: str) -> None:
        super().__init__(self.MESSAGES[ended_as])
