"""An upload as it is to be kept, looked at in a process of its own."""

from collections.abc import Collection
from typing import Any

from portal.authoring.media import Ready, Upload, UploadError
from portal.isolation.readers import MEBIBYTE, Limits, Reader
from portal.isolation.running import read_apart
from portal.isolation.stops import ReadingStoppedError

READER = Reader(
    "portal.authoring.media:prepare",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=16 * MEBIBYTE),
    thing="This file",
    advice="Save it again with another program, or choose another.",
)
FIELDS = ("file", "title", "alternative")


def prepare_upload(upload: Upload, held: Collection[str], wide: bytes | None = None) -> Ready:
    """The upload as it is to be kept; arguments and errors are those of ``portal.authoring.media.ready``."""
    said = {
        "filename": upload.filename,
        "title": upload.title,
        "alternative": upload.alternative,
        "target": upload.target,
        "held": sorted(held),
    }
    pieces = [upload.content] if wide is None else [upload.content, wide]
    try:
        found = read_apart(READER, said, pieces, _result)
    except ReadingStoppedError as error:
        raise UploadError("file", str(error)) from error
    if isinstance(found, UploadError):
        raise found
    return found


def _result(value: Any, pieces: list[bytes]) -> Ready | UploadError:
    if "refused" in value:
        return UploadError(FIELDS[FIELDS.index(value["field"])], str(value["refused"]))
    (content,) = pieces
    return Ready(str(value["name"]), content, str(value["figure"]), bool(value["needs_place"]))
