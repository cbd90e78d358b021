"""The profiles that are always there: the portal's own formats, in which unknown columns are refused."""

from collections.abc import Callable, Sequence

from portal.domain.imports import queries
from portal.domain.imports.column_mapping import (
    STAFF_NUMBER,
    ColumnMapping,
    list_repeated_columns,
    suggest_mapping,
)
from portal.domain.people.roster import rows
from portal.platform.errors import BadInputError

Ready = Callable[[Sequence[str]], ColumnMapping]

DEFAULT = (
    "staff_number",
    "requirement_kind",
    "requirement",
    "achieved_at",
    "score_scaled",
    "source_system",
    "evidence",
)
WIDE, WIDE_OPTIONAL = ("staff_number", "source_system"), ("evidence",)


def map_roster(columns: Sequence[str]) -> ColumnMapping:
    """The roster as documented: one row a post."""
    _refuse_columns(columns, rows.REQUIRED_COLUMNS, rows.OPTIONAL_COLUMNS)
    left = {name: "" for name in rows.OPTIONAL_COLUMNS if name not in columns}
    return ColumnMapping("post", {name: name for name in columns}, left)


def map_completions(columns: Sequence[str]) -> ColumnMapping:
    """Prior completions as documented: one row a completion."""
    _refuse_columns(columns, DEFAULT, ())
    return ColumnMapping("completion", _map_names(DEFAULT), person_by=STAFF_NUMBER)


def map_wide_completions(columns: Sequence[str]) -> ColumnMapping:
    """One row a person, with a column for each module, named by its key or title."""
    found = suggest_mapping(columns, "person", queries.activity_titles()).activities
    _refuse_columns(columns, WIDE, (*WIDE_OPTIONAL, *found))
    given = [name for name in (*WIDE, *WIDE_OPTIONAL) if name in columns]
    left = {} if "evidence" in columns else {"evidence": ""}
    match = ColumnMapping("person", _map_names(given), left, found, STAFF_NUMBER)
    if not found:
        raise BadInputError(["Line 1: no column is named after a module, by its key or its title."])
    return match


READY: dict[str, dict[str, Ready]] = {
    "roster": {"default": map_roster},
    "completions": {"default": map_completions, "wide": map_wide_completions},
}


def _map_names(names: Sequence[str]) -> dict[str, str]:
    return {"person" if name == "staff_number" else name: name for name in names}


def _refuse_columns(columns: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = {*required, *optional}
    reasons = [
        f"Line 1: the column {name!r} is unknown. Columns are: {', '.join([*required, *optional])}."
        for name in columns
        if name not in known
    ]
    reasons += [f"Line 1: the column {name!r} is missing." for name in required if name not in columns]
    if reasons or (reasons := list_repeated_columns(columns)):
        raise BadInputError(reasons)
