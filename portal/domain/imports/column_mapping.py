"""Which column of a file says what: found by the names of the columns, chosen, or saved as a profile."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from portal.platform.tables.table_files import Sheet, SourceRow, map_rows

STAFF_NUMBER, EMAIL = "staff_number", "email"  # how a person can be known beside other systems' schemes


@dataclass(frozen=True, slots=True)
class ColumnTarget:
    """Something that the portal wants to know of every row."""

    name: str
    label: str
    hint: str = ""
    needed: bool = True  # else it may be left empty in every row
    fixed: bool = False  # may be the same in every row without standing in the file


POST = (
    ColumnTarget("staff_number", "Staff number"),
    ColumnTarget("surname", "Surname"),
    ColumnTarget("forenames", "Forenames"),
    ColumnTarget("email", "Email address", "Left empty, people lose the address that is held.", needed=False),
    ColumnTarget("rank_or_grade", "Rank or grade"),
    ColumnTarget("designated_role", "Designated role", "Directives choose people by it.", fixed=True),
    ColumnTarget("unit_path", "Unit", "Names from the force down, joined by “/”."),
    ColumnTarget(
        "line_manager_staff_number",
        "Line manager’s staff number",
        "Left empty, posts name no line manager.",
        needed=False,
    ),
    ColumnTarget("valid_from", "First day of the post", "Such as 2026-04-30.", fixed=True),
    ColumnTarget("valid_to", "Last day of the post", "Empty while the post goes on.", needed=False),
    ColumnTarget(
        "post_key", "Key of a second post", "Only where people hold two posts at once.", needed=False
    ),
    ColumnTarget(
        "withdraw", "Withdraw the post", "“yes” in a row takes a post back that never was.", needed=False
    ),
)
_WHOSE = ColumnTarget("person", "Person")
_SOURCE = ColumnTarget("source_system", "System it comes from", "Shown on each record for ever.", fixed=True)
_EVIDENCE = ColumnTarget(
    "evidence", "Evidence", "What proves it, such as a certificate’s number.", needed=False, fixed=True
)
COMPLETION = (
    _WHOSE,
    ColumnTarget("requirement_kind", "Kind of requirement", "“module”, “event” or “guide”.", fixed=True),
    ColumnTarget(
        "requirement", "Requirement", "Its short name in the portal, such as “protect”.", fixed=True
    ),
    ColumnTarget(
        "achieved_at", "When it was achieved", "A date such as 2026-04-30, or an instant with its offset."
    ),
    ColumnTarget("score_scaled", "Score", "From 0 to 1.", needed=False),
    _SOURCE,
    _EVIDENCE,
)
PERSON = (_WHOSE, _SOURCE, _EVIDENCE)
TARGETS = {"post": POST, "completion": COMPLETION, "person": PERSON}

_ALSO = {  # what other systems call it, as `_plain_name` writes it
    "staff_number": "staffno employeenumber employeeno employeeid personnelnumber payrollnumber collarnumber "
    "warrantnumber staffid",
    "person": "staffnumber staffno employeenumber employeeno employeeid personnelnumber payrollnumber "
    "collarnumber warrantnumber staffid emailaddress email username",
    "surname": "lastname familyname",
    "forenames": "forename firstname firstnames givenname givennames",
    "email": "emailaddress workemail mail",
    "rank_or_grade": "rank grade rankgrade jobgrade",
    "designated_role": "role jobrole function",
    "unit_path": "unit organisation organisationunit organisationalunit department team path",
    "line_manager_staff_number": "linemanager manager managerstaffnumber managernumber supervisor reportsto",
    "valid_from": "from startdate start poststartdate effectivefrom begindate",
    "valid_to": "to enddate end postenddate effectiveto",
    "post_key": "post postid position",
    "withdraw": "withdrawn",
    "requirement_kind": "kind type",
    "requirement": "module course coursecode modulecode",
    "achieved_at": "achieved achievedon completed completedon completedat completiondate date dateachieved "
    "passedon datecompleted",
    "score_scaled": "score",
    "source_system": "source system",
    "evidence": "certificate certificatenumber reference proof",
}


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How a file is read."""

    shape: str
    columns: dict[str, str] = field(default_factory=dict)  # our name -> the file's column
    fixed: dict[str, str] = field(default_factory=dict)  # our name -> what stands in every row
    activities: dict[str, str] = field(default_factory=dict)  # the file's column -> "module/protect"
    person_by: str = STAFF_NUMBER  # the scheme of the column "person"

    @property
    def targets(self) -> Sequence[ColumnTarget]:
        """What is asked of a row of this shape."""
        return TARGETS[self.shape]

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ColumnMapping":
        """From what JSON held."""
        return cls(**kept)

    def list_gaps(self, columns: Iterable[str]) -> dict[str, str]:
        """By our name, why a file with these columns cannot be read so; empty where it can."""
        present = set(columns)
        found = {}
        for target in self.targets:
            column = self.columns.get(target.name)
            if column is None and target.name not in self.fixed:
                found[target.name] = f"Choose the column for “{target.label}”"
            elif column is not None and column not in present:
                found[target.name] = f"The file has no column “{column}”. Choose another for “{target.label}”"
            elif column is None and target.needed and not self.fixed[target.name]:
                found[target.name] = (
                    f"Choose the column for “{target.label}”, or enter what holds for every row"
                )
        if self.shape == "person" and not present & self.activities.keys():
            found["activities"] = "Say for at least one column which module it is"
        return found


def suggest_mapping(columns: Sequence[str], shape: str, activities: Mapping[str, str]) -> ColumnMapping:
    """What the names of the columns say by themselves.

    Args:
        columns: As the file's first line names them.
        shape: What a row of the file is.
        activities: Titles by "kind/key", for a file with a column a module.
    """
    plain: dict[str, str] = {}
    for column in columns:
        plain.setdefault(_plain_name(column), column)
    taken_by: dict[str, str] = {}
    for target in TARGETS[shape]:
        for name in (_plain_name(target.name), *_ALSO[target.name].split()):
            if name in plain and plain[name] not in taken_by.values():
                taken_by[target.name] = plain[name]
                break
    optional = (t.name for t in TARGETS[shape] if not t.needed and t.name not in taken_by)
    found = ColumnMapping(
        shape, taken_by, dict.fromkeys(optional, ""), person_by=_scheme_of_column(taken_by.get("person", ""))
    )
    if shape == "person":
        found.activities.update(_match_activities(columns, set(taken_by.values()), activities))
    return found


def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _scheme_of_column(column: str) -> str:
    return EMAIL if "email" in _plain_name(column) else STAFF_NUMBER


def _match_activities(
    columns: Iterable[str], others: set[str], activities: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Columns that are called as an activity's key, its title, or the title's first words."""
    named = {}
    for activity, title in activities.items():
        for name in (title.partition(":")[0], title, activity, activity.partition("/")[2]):
            named[_plain_name(name)] = activity
    for column in columns:
        if column not in others and _plain_name(column) in named:
            yield column, named[_plain_name(column)]


def rows_of(sheet: Sheet, match: ColumnMapping) -> tuple[list[SourceRow], list[str]]:
    """The sheet's rows under our own names, one a person's module where each row is a person.

    Returns:
        The rows that can be read, and a reason for each that cannot.
    """
    sources: dict[str, int | str] = {}
    for target in match.targets:
        column = match.columns.get(target.name)
        sources[target.name] = (
            match.fixed.get(target.name, "") if column is None else sheet.columns.index(column)
        )
    if match.shape != "person":
        return map_rows(sheet, sources)
    asked = {f"\0{c}": sheet.columns.index(c) for c in match.activities if c in sheet.columns}
    rows, reasons = map_rows(sheet, sources | asked)
    return [one for row in rows for one in _expand_row(row, match)], reasons


def _expand_row(row: SourceRow, match: ColumnMapping) -> Iterator[SourceRow]:
    person = {target.name: row.values[target.name] for target in match.targets}
    for column, activity in match.activities.items():
        when = row.values.get(f"\0{column}", "")
        if when:
            kind, _, key = activity.partition("/")
            done = {"requirement_kind": kind, "requirement": key, "achieved_at": when, "score_scaled": ""}
            yield SourceRow(row.line, person | done)


def list_repeated_columns(columns: Sequence[str]) -> list[str]:
    """Why the names of a file's columns cannot be told apart; empty where they can."""
    doubled = sorted({name for name in columns if name and columns.count(name) > 1})
    return [
        f"Line 1: the column {name!r} is there twice. Give each column a name of its own." for name in doubled
    ]
