"""What the portal and a reading process send each other: a value as JSON, then pieces of bytes.

Never pickle: the process that answers has read hostile bytes, and its answer must not be able to run.
"""

import json
from collections.abc import Sequence
from typing import Any

_LENGTH = 8  # bytes that say how long the JSON is


def pack(value: Any, pieces: Sequence[bytes] = ()) -> bytes:
    """The message that says ``value``, with ``pieces`` behind it."""
    head = json.dumps([value, [len(piece) for piece in pieces]], separators=(",", ":"), ensure_ascii=False)
    said = head.encode("utf-8", "surrogatepass")
    return b"".join((len(said).to_bytes(_LENGTH, "big"), said, *pieces))


def unpack(message: bytes) -> tuple[Any, list[bytes]]:
    """The value and the pieces of a message.

    Raises:
        ValueError: It is no such message, is cut off, or has something behind it.
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
