"""Column mappings: which column of a file contains what; suggested by name, chosen, or saved as a profile."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from portal.platform.tables.column_names import NAME_JOINT, find_columns, plain_name
from portal.platform.tables.sheet_choice import SheetWish
from portal.platform.tables.table_files import Sheet, SourceRow, map_rows

STAFF_NUMBER, EMAIL = (
    "staff_number",
    "email",
)  # the portal's own identifiers; others are schemes of other systems
TODAY = "today"  # as the first day of every post: the file does not say since when somebody has it


@dataclass(frozen=True, slots=True)
class ColumnTarget:
    """A value that the portal needs from every row."""

    name: str
    label: str
    hint: str = ""
    needed: bool = True  # otherwise it may be empty in every row
    fixed: bool = False  # may be one value for every row, without a column in the file
    stays: bool = False  # without a column, what the portal knows stays as it is


POST = (
    ColumnTarget("staff_number", "Staff number"),
    ColumnTarget("surname", "Surname"),
    ColumnTarget("forenames", "Forenames"),
    ColumnTarget(
        "email",
        "Email address",
        "Without a column, addresses stay as they are. An empty cell takes a person’s address away.",
        needed=False,
        stays=True,
    ),
    ColumnTarget("rank_or_grade", "Rank or grade"),
    ColumnTarget("designated_role", "Designated role", "Directives select people by their role.", fixed=True),
    ColumnTarget("unit_path", "Unit", "Names from the force down, joined by “/”."),
    ColumnTarget(
        "line_manager_staff_number",
        "Line manager’s staff number",
        "If this is empty, posts have no line manager.",
        needed=False,
    ),
    ColumnTarget(
        "valid_from",
        "First day of the post",
        "Such as 30/4/2026. If the file has no such day, enter “today”: a post then begins on the day of the "
        "import that changes it.",
        fixed=True,
    ),
    ColumnTarget("valid_to", "Last day of the post", "Empty if the post has no end.", needed=False),
    ColumnTarget("post_key", "Key of a second post", "Only if people have two posts at once.", needed=False),
    ColumnTarget("withdraw", "Withdraw the post", "“yes” withdraws a post that never existed.", needed=False),
    ColumnTarget(
        "employment",
        "Still employed",
        "If a column says whether somebody is still employed or an account still open. You say what becomes "
        "of the others.",
        needed=False,
    ),
)
_WHOSE = ColumnTarget("person", "Person")
_SOURCE = ColumnTarget("source_system", "System it comes from", "Always shown on each record.", fixed=True)
_EVIDENCE = ColumnTarget(
    "evidence", "Evidence", "The proof, such as a certificate’s number.", needed=False, fixed=True
)
COMPLETION = (
    _WHOSE,
    ColumnTarget(
        "requirement_kind",
        "Kind of requirement",
        "“module”, “event” or “guide”. Not needed where the requirement’s name says it.",
        needed=False,
        fixed=True,
    ),
    ColumnTarget(
        "requirement",
        "Requirement",
        "Its title, or its short name in the portal, such as “protect”. You say what other names mean.",
        fixed=True,
    ),
    ColumnTarget(
        "achieved_at",
        "When it was achieved",
        "A date, such as 30/4/2026, or a date and time. You say which comes first, day or month.",
    ),
    ColumnTarget("score_scaled", "Score", "Such as 0.85, 85% or 17/20.", needed=False),
    ColumnTarget(
        "outcome",
        "Outcome",
        "If a column says whether it was completed. Other rows are left out.",
        needed=False,
    ),
    _SOURCE,
    _EVIDENCE,
)
PERSON = (_WHOSE, _SOURCE, _EVIDENCE)
TARGETS = {"post": POST, "completion": COMPLETION, "person": PERSON}
MAY_SHARE = (  # values that one column of a file may give, such as a title that is rank and role
    {"rank_or_grade", "designated_role", "unit_path", "post_key"},
    {"staff_number", "email"},
    {"achieved_at", "outcome"},
    {"score_scaled", "outcome"},
)

_OTHER_NAMES = {  # names in other systems, as `plain_name` writes them
    "staff_number": "staffno employeenumber employeeno employeeid personnelnumber payrollnumber collarnumber "
    "warrantnumber collarno warrantno payrollno staffid",
    "person": "staffnumber staffno employeenumber employeeno employeeid personnelnumber payrollnumber "
    "collarnumber warrantnumber collarno warrantno payrollno staffid emailaddress email username",
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
    "employment": "accountenabled employmentstatus employeestatus assignmentstatus",
    "requirement_kind": "kind type",
    "requirement": "module course coursecode modulecode coursename coursetitle modulename title activity",
    "achieved_at": "achieved achievedon completed completedon completedat completiondate date dateachieved "
    "passedon datecompleted",
    "score_scaled": "score grade result percentage mark finalscore",
    "outcome": "status completionstatus outcome passed progress state",
    "source_system": "source system",
    "evidence": "certificate certificatenumber reference proof",
}


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How the columns of a file are read."""

    shape: str
    columns: dict[str, str] = field(default_factory=dict)  # our name -> the file's column
    fixed: dict[str, str] = field(default_factory=dict)  # our name -> the value of every row
    activities: dict[str, str] = field(default_factory=dict)  # the file's column -> "module/protect"
    person_by: str = STAFF_NUMBER  # what the column "person" contains: a scheme
    forms: dict[str, str] = field(default_factory=dict)  # our name -> how days or scores are written
    values: dict[str, dict[str, str]] = field(default_factory=dict)  # our name -> the file's value -> ours
    documented: bool = False  # the portal's own format: values are taken as they are
    left_out: dict[str, list[str]] = field(default_factory=dict)  # the file's column -> values of such rows
    short_years: bool = False  # a year of two digits is one from 2000 on, as the system is known to write it
    ready: str = ""  # the key of the ready profile that it was copied from
    ready_digest: str = ""  # of that profile, as it was then
    sheet: str = ""  # of a workbook with several: the one that was read the last time
    keeps_unknown: bool = False  # rows of people who are not on the roster are kept, not refused

    @property
    def targets(self) -> Sequence[ColumnTarget]:
        """The values needed from a row of this shape."""
        return TARGETS[self.shape]

    def to_json(self) -> dict[str, Any]:
        """The mapping as JSON."""
        return asdict(self)

    def wish_for_sheet(self) -> SheetWish:
        """What is known of the sheet that this mapping is for."""
        return SheetWish(self.sheet, tuple(self.columns.values()), likely_columns(self.shape))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ColumnMapping":
        """The mapping of this JSON; one that was saved before files had these columns has none of them."""
        mapping = cls(**values)
        later = {"completion": "outcome", "post": "employment"}.get(mapping.shape)
        if later and later not in mapping.columns:
            mapping.fixed.setdefault(later, "")
        return mapping

    def name_columns(self, reason: str) -> str:
        """The reason with the file's own names of columns in place of ours; what is quoted stays as it is."""
        targets = COMPLETION if self.shape == "person" else self.targets
        labels = {target.name: self.columns.get(target.name, target.label) for target in targets}
        if "person" in labels:
            labels[self.person_by] = labels["person"]  # reasons against completions name what it contains
        labels = {name: label for name, label in labels.items() if label != name}
        if not labels:
            return reason
        # A name that is a word of English, too, is one of a column only where a reason begins.
        words = "|".join(
            re.escape(name) if "_" in name else rf"(?:(?<=: )|^){re.escape(name)}" for name in labels
        )
        names = re.compile(rf"(“[^”]*”|'[^']*'|\"[^\"]*\")|\b({words})\b")
        return names.sub(lambda found: found[1] or f"“{labels[found[2]]}”", reason)

    def list_gaps(self, columns: Iterable[str]) -> dict[str, str]:
        """Why a file with these columns cannot be read with this mapping, by our name; empty if it can."""
        present = set(columns)
        gaps = {}
        for target in self.targets:
            column = self.columns.get(target.name)
            fixed = self.fixed.get(target.name)
            if column is not None and column not in present:
                gaps[target.name] = f"The file has no column “{column}”. Choose another for “{target.label}”"
            elif column is None and not fixed and (fixed is None or target.needed):
                other = ", or enter one value for every row" if target.fixed else ""
                gaps[target.name] = f"Choose the column for “{target.label}”{other}"
        if self.shape == "person" and not present & self.activities.keys():
            gaps["activities"] = "Choose the module of at least one column"
        return self._list_shared() | gaps

    def _list_shared(self) -> dict[str, str]:
        """Why values may not have the same column, by our name of the later one; evidence is any text."""
        shared: dict[str, str] = {}
        earlier: list[ColumnTarget] = []
        for target in self.targets:
            column = self.columns.get(target.name)
            if column is None or target.name == _EVIDENCE.name:
                continue
            others = (other for other in earlier if self.columns[other.name] == column)
            other = next((o for o in others if not _may_share(o.name, target.name)), None)
            if other:
                shared[target.name] = (
                    f"“{column}” cannot be both “{other.label}” and “{target.label}”. Choose another column"
                )
            elif column in self.activities:
                shared[target.name] = (
                    f"“{column}” cannot be both “{target.label}” and the day of a module or event. "
                    "Choose another column"
                )
            earlier.append(target)
        return shared


def _may_share(*names: str) -> bool:
    return any(together.issuperset(names) for together in MAY_SHARE)


def suggest_mapping(columns: Sequence[str], shape: str, activities: Mapping[str, str]) -> ColumnMapping:
    """Suggest a mapping from the names of the columns.

    Args:
        columns: The names in the file's first line.
        shape: What a row of the file is.
        activities: Titles by "kind/key", for a file with a column for each module.
    """
    column_by_name = find_columns(columns)
    chosen: dict[str, str] = {}
    for target in TARGETS[shape]:
        for name in (plain_name(target.name), *_OTHER_NAMES[target.name].split()):
            if name in column_by_name and column_by_name[name] not in chosen.values():
                chosen[target.name] = column_by_name[name]
                break
    empty = (t.name for t in TARGETS[shape] if not t.needed and t.name not in chosen)
    mapping = ColumnMapping(
        shape, chosen, dict.fromkeys(empty, ""), person_by=scheme_of_column(chosen.get("person", ""))
    )
    if shape == "person":
        mapping.activities.update(_match_activities(columns, set(chosen.values()), activities))
    return mapping


def likely_columns(shape: str) -> tuple[str, ...]:
    """What columns of files with this shape are often named, as ``plain_name`` writes it."""
    names = (f"{plain_name(target.name)} {_OTHER_NAMES[target.name]}" for target in TARGETS[shape])
    return tuple(" ".join(names).split())


def scheme_of_column(column: str) -> str:
    """The likeliest kind of identifier in a column with this name."""
    return EMAIL if "email" in plain_name(column) else STAFF_NUMBER


def _match_activities(
    columns: Sequence[str], others: set[str], activities: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Columns named by an activity's key, its title or the title's first words, with the activity.

    A column of two lines may have that name above, and below it one of a day, such as "Respond: Completed".
    """
    days = {plain_name("achieved_at"), *_OTHER_NAMES["achieved_at"].split()}
    found = find_columns(columns)
    for column in columns:
        over, _, own = column.rpartition(NAME_JOINT)
        if plain_name(own) in days:
            found.setdefault(plain_name(over), column)
    named = {found[name]: activity for name, activity in name_activities(activities) if name in found}
    for column in columns:
        if column in named and column not in others:
            yield column, named[column]


def name_activities(activities: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The plain names that an activity may have: its key, its title, the first words of that."""
    for activity, title in activities.items():
        for name in (title.partition(":")[0], title, activity, activity.partition("/")[2]):
            yield plain_name(name), activity


def leave_out_rows(sheet: Sheet, mapping: ColumnMapping) -> tuple[Sheet, Counter[str]]:
    """The sheet without the rows that the mapping leaves out, and how many for which value."""
    rules = [
        (sheet.columns.index(column), column, set(texts))
        for column, texts in mapping.left_out.items()
        if column in sheet.columns
    ]
    lines: list[tuple[int, list[str]]] = []
    counts: Counter[str] = Counter()
    for line, cells in sheet.lines:
        for place, column, texts in rules:
            text = cells[place].strip() if place < len(cells) else None
            if text in texts:
                counts[f"{column}: {text or 'empty'}"] += 1
                break
        else:
            lines.append((line, cells))
    return (sheet._replace(lines=lines) if counts else sheet), counts


def read_rows(sheet: Sheet, mapping: ColumnMapping) -> tuple[list[SourceRow], list[str]]:
    """The sheet's rows under our own names; a row that is a person gives one row for each module.

    Returns:
        The rows that can be read, and a reason for each that cannot.
    """
    sources: dict[str, int | str] = {}
    for target in mapping.targets:
        column = mapping.columns.get(target.name)
        if column is not None:
            sources[target.name] = sheet.columns.index(column)
        elif not target.stays:
            sources[target.name] = mapping.fixed.get(target.name, "")
    if mapping.shape != "person":
        return map_rows(sheet, sources)
    activity_columns = {f"\0{c}": sheet.columns.index(c) for c in mapping.activities if c in sheet.columns}
    rows, reasons = map_rows(sheet, sources | activity_columns)
    return [completion for row in rows for completion in _split_row(row, mapping)], reasons


def _split_row(row: SourceRow, mapping: ColumnMapping) -> Iterator[SourceRow]:
    """A row for each completion of a person."""
    person = {target.name: row.values[target.name] for target in mapping.targets}
    for column, activity in mapping.activities.items():
        when = row.values.get(f"\0{column}", "")
        if when:
            kind, _, key = activity.partition("/")
            values = {"requirement_kind": kind, "requirement": key, "achieved_at": when, "score_scaled": ""}
            yield SourceRow(row.line, person | values)


def list_repeated_columns(columns: Sequence[str]) -> list[str]:
    """A reason for each name that several columns of a file have."""
    repeated = sorted({name for name in columns if name and columns.count(name) > 1})
    return [
        f"Line 1: the column {name!r} is there twice. Give each column its own name." for name in repeated
    ]
