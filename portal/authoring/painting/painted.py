"""The words of drawings as they are seen, painted in a process of its own."""

from collections.abc import Sequence
from typing import Any

from portal.authoring.painting.painter import Painted, PaintingError
from portal.isolation.batches import BatchReader
from portal.isolation.readers import MEBIBYTE, Limits, Reader
from portal.isolation.stops import ReadingStoppedError

READER = Reader(
    "portal.authoring.painting.painter:paint_each",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=16 * MEBIBYTE),
    thing="This drawing",
    advice="Simplify it, so that its contrast can be counted.",
)


def _result(value: Any) -> list[Painted] | PaintingError:
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


def _stopped(error: ReadingStoppedError) -> list[Painted] | PaintingError:
    return PaintingError(1, str(error))


_reader: BatchReader[list[Painted] | PaintingError] = BatchReader(READER, _result, _stopped)


def painted(contents: Sequence[bytes]) -> list[list[Painted] | PaintingError]:
    """Every run of words of each drawing with what stands behind it, or why that cannot be told."""
    return _reader.read(contents)
