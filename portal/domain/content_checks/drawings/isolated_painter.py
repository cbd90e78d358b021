"""Measures the text in drawings, such as its contrast, in a separate process."""

from collections.abc import Sequence
from typing import Any

from portal.domain.content_checks.drawings.painter import Painted, PaintingError
from portal.platform.isolation.batches import BatchReader
from portal.platform.isolation.readers import MEBIBYTE, Limits, Reader
from portal.platform.isolation.stops import ReadingStoppedError

READER = Reader(
    "portal.domain.content_checks.drawings.painter:paint_each",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=16 * MEBIBYTE),
    thing="This drawing",
    advice="Simplify it, so that its contrast can be counted.",
)


def _texts_of_answer(value: Any) -> list[Painted] | PaintingError:
    if isinstance(value, dict):
        return PaintingError(int(value["line"]), str(value["refused"]))
    return [
        Painted(
            str(one["words"]),
            int(one["line"]),
            float(one["size"]),
            float(one["contrast"]),
            str(one["ground"]),
        )
        for one in value
    ]


def _error_of_stop(error: ReadingStoppedError) -> list[Painted] | PaintingError:
    return PaintingError(1, str(error))


_reader: BatchReader[list[Painted] | PaintingError] = BatchReader(READER, _texts_of_answer, _error_of_stop)


def paint_drawings(contents: Sequence[bytes]) -> list[list[Painted] | PaintingError]:
    """Every run of text in each drawing with the colour behind it, or the error that prevents it."""
    return _reader.read_all(contents)
