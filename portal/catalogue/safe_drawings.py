"""Drawings as the portal may use them: each is read in a process of its own before anything is said of it."""

from collections.abc import Sequence
from typing import Any

from portal.catalogue.svg import Drawing, DrawingError
from portal.isolation.batches import BatchReader
from portal.isolation.readers import MEBIBYTE, Limits, Reader
from portal.isolation.stops import ReadingStoppedError

READER = Reader(
    "portal.catalogue.svg:read_each",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=16 * MEBIBYTE),
    thing="This drawing",
    advice="Simplify it, or save it as a PNG.",
)


def _result(value: Any) -> Drawing | DrawingError:
    if "refused" in value:
        return DrawingError(int(value["line"]), str(value["refused"]))
    return Drawing(str(value["title"]), str(value["description"]), int(value["width"]), int(value["height"]))


def _stopped(error: ReadingStoppedError) -> Drawing | DrawingError:
    return DrawingError(1, str(error))


_reader: BatchReader[Drawing | DrawingError] = BatchReader(READER, _result, _stopped)


def read_drawings(contents: Sequence[bytes]) -> list[Drawing | DrawingError]:
    """What each drawing is called and how large it is, or why it cannot be published."""
    return _reader.read(contents)
