"""What is removed of files of the watched folder: names by a disposal, files after their days."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from portal.domain.retention.stores import REMOVED, DueRows, Limit, Store
from portal.feature import Removal
from portal.features.watched_folder.folder import read_own_settings
from portal.features.watched_folder.models import FolderFile
from portal.platform.db import db


def _due_folder_files(limit: Limit) -> DueRows:
    """Files of the watched folder that were put away; one that still waits keeps its name."""
    file = FolderFile
    source = select().select_from(file)
    source = source.where(file.ended_at < limit.before_at, file.moved, file.name != REMOVED)
    return DueRows(file.id, file.ended_at, source)


def _remove_folder_names(ids: Sequence[Any]) -> None:
    db.session.execute(
        update(FolderFile).where(FolderFile.id.in_(ids)).values(name=REMOVED, place=REMOVED),
        execution_options={"synchronize_session": False},
    )


STORES = (Store("names of files of the watched folder", _due_folder_files, _remove_folder_names),)


def list_removals() -> list[Removal]:
    """What goes by itself, where a folder is watched."""
    settings = read_own_settings()
    if not settings.path:
        return []
    when = f"{settings.kept_days} days after they were imported or set aside"
    return [Removal("Uploaded files of imports", "Files of the watched folder", when)]
