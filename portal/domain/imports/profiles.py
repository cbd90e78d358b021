"""Built-in profiles: the portal's own file formats, in which unknown columns are refused."""

from collections.abc import Callable, Sequence

from portal.domain.imports import queries
from portal.domain.imports.column_mapping import (
    STAFF_NUMBER,
    ColumnMapping,
    suggest_mapping,
)
from portal.domain.people.roster.columns import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from portal.platform.errors import BadInputError, NotFoundError, UnknownValueError
from portal.platform.tables.file_columns import FileColumn, name_columns
from portal.platform.tables.table_files import refuse_columns

BuiltInProfile = Callable[[Sequence[str]], ColumnMapping]  # takes the names of the file's columns

_WHOSE = FileColumn("staff_number", "Who completed it.", "a staff number in the portal", ("W1001", "W1002"))
_SOURCE = FileColumn(
    "source_system",
    "Where the completion comes from. It stays on the record for good.",
    "a name",
    ("Earlier portal", "College Learn"),
)
_EVIDENCE = FileColumn(
    "evidence",
    "The proof, such as a certificate’s number.",
    "any text",
    ("Certificate C-881", ""),
    filled=False,
)
COMPLETION_COLUMNS = (
    _WHOSE,
    FileColumn("requirement_kind", "What was completed.", "module, event or guide", ("module", "module")),
    FileColumn("requirement", "The key of it.", "as its address in the portal ends", ("respond", "protect")),
    FileColumn(
        "achieved_at",
        "When it was completed, not in the future.",
        "YYYY-MM-DD, or a date and time with its offset",
        ("2026-03-14", "2026-04-03T10:22:00+01:00"),
    ),
    FileColumn(
        "score_scaled",
        "Score. Empty: none.",
        "a number from 0 to 1, with at most four decimals",
        ("0.85", ""),
        filled=False,
    ),
    _SOURCE,
    _EVIDENCE,
)
WIDE_COLUMNS = (_WHOSE, _SOURCE, _EVIDENCE._replace(required=False))
MODULE_COLUMNS = tuple(  # one for each module, guide or event; these are examples
    FileColumn(
        key,
        "When it was completed: a column for each module, guide or event, named by its key or title.",
        "as achieved_at; empty: not completed",
        days,
        required=False,
    )
    for key, days in (("respond", ("2026-03-14", "")), ("protect", ("2026-03-15", "2026-04-03")))
)
DEFAULT = name_columns(COMPLETION_COLUMNS, required=True)
WIDE, WIDE_OPTIONAL = (name_columns(WIDE_COLUMNS, required=required) for required in (True, False))


def map_roster(columns: Sequence[str]) -> ColumnMapping:
    """The mapping of a roster in the documented format: one row for each post."""
    refuse_columns(columns, REQUIRED_COLUMNS, OPTIONAL_COLUMNS)
    empty = {name: "" for name in (*OPTIONAL_COLUMNS, "employment") if name not in columns}
    return ColumnMapping("post", {name: name for name in columns}, empty, documented=True)


def map_completions(columns: Sequence[str]) -> ColumnMapping:
    """The mapping of prior completions in the documented format: one row for each completion."""
    refuse_columns(columns, DEFAULT, ())
    return ColumnMapping(
        "completion", _map_names(DEFAULT), {"outcome": ""}, person_by=STAFF_NUMBER, documented=True
    )


def map_wide_completions(columns: Sequence[str]) -> ColumnMapping:
    """The mapping of one row for each person, with a column for each module, named by its key or title."""
    activities = suggest_mapping(columns, "person", queries.activity_titles()).activities
    refuse_columns(columns, WIDE, (*WIDE_OPTIONAL, *activities))
    if not activities:
        raise BadInputError(
            ["Line 1: no column is named after a module, guide or event, by its key or title."]
        )
    present = [name for name in (*WIDE, *WIDE_OPTIONAL) if name in columns]
    empty = {} if "evidence" in columns else {"evidence": ""}
    return ColumnMapping("person", _map_names(present), empty, activities, STAFF_NUMBER, documented=True)


BUILT_IN_PROFILES: dict[str, dict[str, BuiltInProfile]] = {
    "roster": {"default": map_roster},
    "completions": {"default": map_completions, "wide": map_wide_completions},
}


def is_built_in(kind: str, name: str | None) -> bool:
    """Whether the profile is one of the portal's own formats, as it is without a name."""
    return (name or "default") in BUILT_IN_PROFILES[kind]


def choose_mapping(kind: str, name: str | None, columns: Sequence[str]) -> ColumnMapping:
    """The column mapping of a built-in or a saved profile; without a name, of the portal's own format.

    Raises:
        UnknownValueError: There is no such profile.
        BadInputError: The columns do not fit it.
    """
    if is_built_in(kind, name):
        return BUILT_IN_PROFILES[kind][name or "default"](columns)
    try:
        mapping = ColumnMapping.from_json(queries.get_profile(kind, name or "").columns)
    except NotFoundError:
        saved_names = [profile.name for profile in queries.list_profiles(kind)]
        names = ", ".join([*BUILT_IN_PROFILES[kind], *saved_names])
        raise UnknownValueError([(f"{name!r} is not one of: {names}.", "profile")]) from None
    gaps = mapping.list_gaps(columns)
    if gaps:
        raise BadInputError([f"Line 1: {sentence}." for sentence in gaps.values()])
    return mapping


def _map_names(names: Sequence[str]) -> dict[str, str]:
    return {"person" if name == "staff_number" else name: name for name in names}
