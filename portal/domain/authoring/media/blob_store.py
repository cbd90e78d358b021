"""The bytes of drafts' files, by their hash."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select

from portal.domain.authoring.models import DraftContent
from portal.platform.db import db
from portal.platform.errors import NotFoundError


def read_content(sha256: str) -> bytes:
    """The content of this hash.

    Raises:
        NotFoundError: No draft ever held it.
    """
    found = db.session.scalar(select(DraftContent.content).where(DraftContent.sha256 == sha256))
    if found is None:
        raise NotFoundError("There is no such file.")
    return found


def read_files(files: Mapping[str, str]) -> dict[str, bytes]:
    """Contents by path, of a state's hashes by path, in order of path; in one statement."""
    rows = db.session.execute(
        select(DraftContent.sha256, DraftContent.content).where(DraftContent.sha256.in_(set(files.values())))
    )
    held = {sha: content for sha, content in rows}
    return {path: held[files[path]] for path in sorted(files)}


def content_sizes(hashes: Collection[str]) -> dict[str, int]:
    """Bytes of each content that is kept, by its hash."""
    rows = db.session.execute(
        select(DraftContent.sha256, func.length(DraftContent.content)).where(DraftContent.sha256.in_(hashes))
    )
    return {sha: size for sha, size in rows}
