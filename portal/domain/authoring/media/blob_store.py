"""Reads the contents of drafts' files by their hash."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from portal.domain.authoring.models import DraftContent
from portal.platform.db import db
from portal.platform.errors import NotFoundError


def read_content(sha256: str) -> bytes:
    """The content with this hash.

    Raises:
        NotFoundError: No draft has ever had it.
    """
    stored = db.session.scalar(select(DraftContent.content).where(DraftContent.sha256 == sha256))
    if stored is None:
        raise NotFoundError("There is no such file.")
    return stored


def read_files(files: Mapping[str, str]) -> dict[str, bytes]:
    """The contents of a state's files by path, in order of path; one statement."""
    rows = db.session.execute(
        select(DraftContent.sha256, DraftContent.content).where(DraftContent.sha256.in_(set(files.values())))
    )
    contents = {sha: content for sha, content in rows}
    return {path: contents[files[path]] for path in sorted(files)}


def content_sizes(hashes: Collection[str]) -> dict[str, int]:
    """The sizes in bytes of the stored contents, by hash."""
    rows = db.session.execute(
        select(DraftContent.sha256, func.length(DraftContent.content)).where(DraftContent.sha256.in_(hashes))
    )
    return {sha: size for sha, size in rows}
