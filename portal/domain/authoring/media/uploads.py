"""Checks an upload and prepares it for storage, in a separate process."""

from collections.abc import Collection
from typing import Any

from portal.domain.authoring.media.draft_media import MediaUpload, MediaUploadError, PreparedMedium
from portal.platform.isolation.readers import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import read_apart
from portal.platform.isolation.stops import ReadingStoppedError

READER = Reader(
    "portal.domain.authoring.media.draft_media:prepare_medium",
    Limits(memory=512 * MEBIBYTE, processor=20, wall=60, answer=32 * MEBIBYTE),
    thing="This file",
    advice="Save it again with another program, or choose another.",
)
FIELDS = ("file", "title", "alternative", "captions")


def prepare_upload(
    upload: MediaUpload, media_names: Collection[str], beside: bytes | None = None
) -> PreparedMedium:
    """Check an upload in a separate process; arguments and errors as in ``draft_media.check_upload``."""
    arguments = {
        "filename": upload.filename,
        "title": upload.title,
        "alternative": upload.alternative,
        "target": upload.target,
        "held": sorted(media_names),
    }
    pieces = [upload.content, upload.captions, beside or b""]
    try:
        ready = read_apart(READER, arguments, pieces, _parse_answer)
    except ReadingStoppedError as error:
        raise MediaUploadError("file", str(error)) from error
    if isinstance(ready, MediaUploadError):
        raise ready
    return ready


def _parse_answer(value: Any, pieces: list[bytes]) -> PreparedMedium | MediaUploadError:
    if "refused" in value:
        return MediaUploadError(FIELDS[FIELDS.index(value["field"])], str(value["refused"]))
    content, captions = pieces
    name, figure = str(value["name"]), str(value["figure"])
    return PreparedMedium(name, content, figure, bool(value["needs_place"]), captions)
