"""Descriptions of functions that read untrusted content, and of the resources they may use."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one reading process; it is killed when it exceeds one."""

    memory: int  # bytes of address space
    processor: int  # seconds, of all its threads together
    wall: int  # seconds from its start to its answer
    answer: int  # bytes of its answer


@dataclass(frozen=True, slots=True)
class Reader:
    """A function that reads untrusted content; given by name, so that only the child imports it.

    The function takes the arguments, as JSON holds them, and the pieces of bytes; it returns both in turn.
    A refusal is part of the answer; an exception counts as a crash.
    """

    function: str  # "portal.room.file:name"
    limits: Limits
    thing: str  # begins the sentence: "This workbook"
    advice: str  # ends it: "Save only the sheet with the list, and upload that."
    act: tuple[str, str] = ("read", "read")  # what is done with it: to read, has been read
