"""An import of kept rows alone: those of people who are on the roster now, without another file."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from portal.domain.imports import kept_rows, profiles, services
from portal.domain.imports.services import Upload
from portal.platform.tables.table_files import Sheet

FILE_NAME = "kept rows"


def begin_kept_import(*, by: int | None, at: datetime) -> UUID:
    """Begin an import whose file has no rows of its own: its check proposes the kept rows.

    Args:
        by: Who begins it; None for a command.
        at: This instant.
    """
    mapping = replace(profiles.map_completions(profiles.DEFAULT), keeps_unknown=True)
    columns = list(profiles.DEFAULT)
    sheet = Sheet(columns, [], len(kept_rows.list_ready(at)))
    upload = Upload("completions", FILE_NAME, (",".join(columns) + "\n").encode(), sheet, mapping)
    return services.begin_import(upload, by=by, at=at).id
