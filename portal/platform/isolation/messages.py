"""What the portal and a reading process tell each other, and how a reader is described."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Messages between the portal and a reading process: a value as JSON, then pieces of bytes.
#
# Never pickle: the reading process may be compromised by what it read, and unpickling runs code.

_LENGTH = 8  # bytes of the number that gives the length of the JSON


def pack_message(value: Any, pieces: Sequence[bytes] = ()) -> bytes:
    """The message that holds ``value``, followed by ``pieces``."""
    head = json.dumps([value, [len(piece) for piece in pieces]], separators=(",", ":"), ensure_ascii=False)
    encoded = head.encode("utf-8", "surrogatepass")
    return b"".join((len(encoded).to_bytes(_LENGTH, "big"), encoded, *pieces))


def unpack_message(message: bytes) -> tuple[Any, list[bytes]]:
    """The value and the pieces of a message.

    Raises:
        ValueError: It is no such message, is cut off, or is followed by more.
    """
    end = _LENGTH + int.from_bytes(message[:_LENGTH], "big")
    try:
        value, sizes = json.loads(message[_LENGTH:end].decode("utf-8", "surrogatepass"))
        pieces = []
        for size in sizes:
            pieces.append(message[end : end + size])
            end += size
    except (TypeError, RecursionError) as error:
        raise ValueError("The message has another shape.") from error
    if end != len(message) or any(size < 0 for size in sizes):
        raise ValueError("The message is cut off, or too long.")
    return value, pieces


# Descriptions of functions that read untrusted content, and of the resources they may use.

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
