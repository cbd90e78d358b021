"""Errors whose text is fit for a page and a terminal; the edge gives each kind its status code."""

from collections.abc import Collection
from typing import TypeVar


class PortalError(Exception):
    """Something that the person can be told in a sentence."""


class NotFoundError(PortalError):
    """There is no such thing, or the person may not know that there is."""


T = TypeVar("T")


def require(found: T | None, sentence: str) -> T:
    """What was looked for; where that is None, ``NotFoundError`` with this sentence."""
    if found is None:
        raise NotFoundError(sentence)
    return found


class ForbiddenError(PortalError):
    """The person is known and may not do this."""


class UnauthorisedError(PortalError):
    """A request of another system shows no access token that works.

    Attributes:
        code: Of RFC 6750; empty where the request shows no token at all.
    """

    def __init__(self, message: str, code: str = "invalid_token") -> None:
        self.code = code
        super().__init__(message)


class ConflictError(PortalError):
    """The data has moved on since the person looked."""


class RuleError(PortalError):
    """A rule of the domain refuses the act; nothing was changed."""


class FieldError(RuleError):
    """A rule refuses what one field of a form or of a file says.

    Attributes:
        field: Its name.
    """

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


class BusyError(PortalError):
    """Another transaction held the database for longer than one waits; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "The portal is busy: another change holds the database. Nothing was changed. "
            "Try again in a few minutes."
        )


class UnwritableError(PortalError):
    """The disk is full or the database takes no change; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "The portal cannot save anything at the moment, so this was not done. Try again in a few minutes."
        )


class TooManyError(PortalError):
    """Asked too often; ``retry_after_seconds`` says when to come back."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class BadInputError(PortalError):
    """A file or a command's input is refused; ``reasons`` has a sentence for each fault."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("\n".join(reasons))


MOST_NAMED = 15  # values that a sentence lists
MOST_QUOTED = 60  # characters of a refused value


class UnknownValueError(BadInputError):
    """An address asks for values or filters that its list does not know.

    Attributes:
        faults: For each, a sentence and the name of the field.
    """

    def __init__(self, faults: Collection[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__([sentence for sentence, _ in self.faults])


def reason_of_refusal(what: str, value: str, known: Collection[str]) -> str:
    """The sentence that refuses an unknown value and names the known ones."""
    sentence = f"“{shorten_text(value)}” is not a known {what}."
    if 0 < len(known) <= MOST_NAMED:
        return f"{sentence} Choose {listed_words(known)}."
    return f"{sentence} Choose one from the list." if known else sentence


def listed_words(values: Collection[str]) -> str:
    """Values as a sentence lists them.

    >>> listed_words(["a"]), listed_words(["a", "b", "c"])
    ('a', 'a, b or c')
    """
    *others, last = values
    return f"{', '.join(others)} or {last}" if others else last


def shorten_text(text: str) -> str:
    """The text as far as a sentence repeats it."""
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…"
