"""Opens an uploaded file as its profile reads it: which sheet, and which column contains what."""

from contextlib import suppress

from portal.domain.imports import queries
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.profiles import choose_mapping, is_built_in
from portal.platform.errors import NotFoundError
from portal.platform.tables.sheet_choice import ANY_SHEET
from portal.platform.tables.table_files import Sheet, open_sheet


def open_for_profile(
    content: bytes, name: str, kind: str, profile: str | None
) -> tuple[Sheet, ColumnMapping]:
    """A file as a table, and how its columns are read; nobody is there to be asked.

    Args:
        content: The bytes.
        name: The name that its owner gave it.
        kind: "roster" or "completions".
        profile: The name of a built-in or a saved profile; None is the portal's own format.

    Raises:
        UnknownValueError: There is no such profile.
        BadInputError: The file holds no table, the columns do not fit, or several sheets may be meant.
    """
    wish, saved = ANY_SHEET, not is_built_in(kind, profile)
    if saved:
        with suppress(NotFoundError):  # ``choose_mapping`` names those that there are
            wish = ColumnMapping.from_json(queries.get_profile(kind, profile or "").columns).wish_for_sheet()
    sheet = open_sheet(content, name, forgiving=saved, wish=wish)
    return sheet, choose_mapping(kind, profile, sheet.columns)


def open_for_mapping(content: bytes, name: str, mapping: ColumnMapping, first: int | None = None) -> Sheet:
    """A file as a table, whose likeliest sheet is read if a person can still say which one is meant.

    Args:
        content: The bytes.
        name: The name that its owner gave it.
        mapping: How its columns are read, as far as that is known.
        first: How many lines to return, None for all.

    Raises:
        BadInputError: The file holds no table.
    """
    return open_sheet(
        content,
        name,
        first,
        forgiving=not mapping.documented,
        wish=mapping.wish_for_sheet(),
        may_ask=True,
    )
