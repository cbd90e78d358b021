"""Reading and checking of drawings in a separate process, before the portal uses them."""

from collections.abc import Sequence
from typing import Any

from portal.domain.catalogue.media.svg_rules import Drawing, DrawingError
from portal.platform.isolation.batches import BatchReader
from portal.platform.isolation.readers import MEBIBYTE, Limits, Reader
from portal.platform.isolation.stops import ReadingStoppedError

READER = Reader(
    "portal.domain.catalogue.media.svg_rules:read_each",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=16 * MEBIBYTE),
    thing="This drawing",
    advice="Simplify it, or save it as a PNG.",
)


def _drawing_of_answer(value: Any) -> Drawing | DrawingError:
    if "refused" in value:
        return DrawingError(int(value["line"]), str(value["refused"]))
    return Drawing(str(value["title"]), str(value["description"]), int(value["width"]), int(value["height"]))


def _error_of_stop(error: ReadingStoppedError) -> Drawing | DrawingError:
    return DrawingError(1, str(error))


_reader: BatchReader[Drawing | DrawingError] = BatchReader(READER, _drawing_of_answer, _error_of_stop)


def read_drawings(contents: Sequence[bytes]) -> list[Drawing | DrawingError]:
    """Return the title and size of each drawing, or the error that keeps it from being published."""
    return _reader.read_all(contents)
