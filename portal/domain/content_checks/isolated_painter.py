"""Measures the text in drawings, such as its contrast, in a separate process."""

from collections.abc import Sequence
from typing import Any

from portal.domain.content_checks.drawings import PaintedText, PaintingError
from portal.platform.isolation.messages import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import BatchReader, ReadingStoppedError

READER = Reader(
    "portal.domain.content_checks.drawings:paint_each",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=16 * MEBIBYTE),
    thing="This drawing",
    advice="Simplify it, so that its contrast can be measured.",
)


def _texts_of_answer(value: Any) -> list[PaintedText] | PaintingError:
    if isinstance(value, dict):
        return PaintingError(int(value["line"]), str(value["refused"]))
    return [
        PaintedText(
            str(text["words"]),
            int(text["line"]),
            float(text["size"]),
            float(text["contrast"]),
            str(text["background"]),
        )
        for text in value
    ]


def _error_of_stop(error: ReadingStoppedError) -> list[PaintedText] | PaintingError:
    return PaintingError(1, str(error))


_reader: BatchReader[list[PaintedText] | PaintingError] = BatchReader(
    READER, _texts_of_answer, _error_of_stop
)


def paint_drawings(contents: Sequence[bytes]) -> list[list[PaintedText] | PaintingError]:
    """Each drawing's runs of text with their contrast, or the error that prevents measuring it."""
    return _reader.read_all(contents)
