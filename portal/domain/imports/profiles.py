"""The profiles that are always there: the portal's own formats, in which unknown columns are refused."""

from collections.abc import Callable, Sequence

from portal.domain.imports import queries
from portal.domain.imports.column_mapping import STAFF_NUMBER, Match, automatic, repeated
from portal.domain.people.roster import rows
from portal.platform.errors import BadInputError

Ready = Callable[[Sequence[str]], Match]

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


def roster(columns: Sequence[str]) -> Match:
    """The roster as documented: one row a post."""
    _refuse(columns, rows.REQUIRED_COLUMNS, rows.OPTIONAL_COLUMNS)
    left = {name: "" for name in rows.OPTIONAL_COLUMNS if name not in columns}
    return Match("post", {name: name for name in columns}, left)


def default(columns: Sequence[str]) -> Match:
    """Prior completions as documented: one row a completion."""
    _refuse(columns, DEFAULT, ())
    return Match("completion", _named(DEFAULT), person_by=STAFF_NUMBER)


def wide(columns: Sequence[str]) -> Match:
    """One row a person, with a column for each module, named by its key or title."""
    found = automatic(columns, "person", queries.activities()).activities
    _refuse(columns, WIDE, (*WIDE_OPTIONAL, *found))
    given = [name for name in (*WIDE, *WIDE_OPTIONAL) if name in columns]
    left = {} if "evidence" in columns else {"evidence": ""}
    match = Match("person", _named(given), left, found, STAFF_NUMBER)
    if not found:
        raise BadInputError(["Line 1: no column is named after a module, by its key or its title."])
    return match


READY: dict[str, dict[str, Ready]] = {
    "roster": {"default": roster},
    "completions": {"default": default, "wide": wide},
}


def _named(names: Sequence[str]) -> dict[str, str]:
    return {"person" if name == "staff_number" else name: name for name in names}


def _refuse(columns: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    known = {*required, *optional}
    reasons = [
        f"Line 1: the column {name!r} is unknown. Columns are: {', '.join([*required, *optional])}."
        for name in columns
        if name not in known
    ]
    reasons += [f"Line 1: the column {name!r} is missing." for name in required if name not in columns]
    if reasons or (reasons := repeated(columns)):
        raise BadInputError(reasons)
