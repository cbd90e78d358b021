"""Requests for answer packs: prepared files as those of reports are, made by a job of their own kind."""

from datetime import datetime
from typing import Any
from uuid import UUID

from portal.domain.assurance.packs.kinds import NAMES, refuse_forecast
from portal.domain.assurance.packs.making import read_answered_recommendations
from portal.domain.people.queries import Viewer
from portal.domain.reports.completion import export_files
from portal.domain.reports.completion.export_files import FileWish
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.parameters import Position
from portal.platform.audit.services import log_copy

KIND = "answer_pack"


def request_pack(key: str, name: str, position: Position, viewer: Viewer, *, at: datetime) -> UUID:
    """Start a job that makes a pack, unless the same one is under way or ready; in the caller's transaction.

    Args:
        key: Of the recommendation, or ``ALL``.
        name: Which edition, of ``NAMES``.
        position: As at which day, as known on which instant.
        viewer: Who requests it, and alone may download it.
        at: The current instant.

    Raises:
        NotFoundError: There is no such recommendation at the position.
        PositionError: The position is a forecast.
        RuleError: So many files are being made for the person already.
    """
    refuse_forecast(position)
    read_answered_recommendations(key, position)
    wish = FileWish(key, name, position.pinned, {}, KIND)
    same = export_files.find_same_file(wish, viewer, at)
    return same or export_files.request_file(wish, by=viewer.person_id, at=at)


def get_own_pack(file_id: UUID, by: int, at: datetime) -> PreparedFile | None:
    """The pack that this person requested; None if it is not theirs, never was, or has expired."""
    row = export_files.get_own_file(file_id, by, at)
    return row if row is not None and row.name in NAMES else None


def record_pack_download(row: PreparedFile) -> None:
    """Record the download in the audit trail; in the caller's transaction."""
    detail: dict[str, Any] = {"recommendation": row.directive, "name": row.name, "file": str(row.id)}
    log_copy("answer_pack.downloaded", row.event_id, actor_id=row.asked_by_id, **detail, **row.position)
