"""Column mappings: which column of a file contains what; suggested by name, chosen, or saved as a profile."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from portal.domain.directives import files
from portal.domain.directives import services as directives_services
from portal.domain.imports import queries
from portal.domain.imports.check_result import digest_of
from portal.domain.imports.models import ImportProfile
from portal.domain.people import roster_plan
from portal.domain.people.roster_plan import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from portal.feature import Feature, insert_after
from portal.platform.errors import BadInputError, NotFoundError, UnknownValueError
from portal.platform.tables.columns import (
    NAME_JOINT,
    FileColumn,
    find_columns,
    name_columns,
    plain_name,
    write_example,
)
from portal.platform.tables.sheet_choice import ANY_SHEET, SheetWish
from portal.platform.tables.table_files import Sheet, SourceRow, map_rows, open_sheet, refuse_columns

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


# Built-in profiles: the portal's own file formats, in which unknown columns are refused.

BuiltInProfile = Callable[[Sequence[str]], ColumnMapping]  # takes the names of the file's columns

_WHOSE_COLUMN = FileColumn(
    "staff_number", "Who completed it.", "a staff number in the portal", ("W1001", "W1002")
)
_SOURCE_COLUMN = FileColumn(
    "source_system",
    "Where the completion comes from. It stays on the record for good.",
    "a name",
    ("Earlier portal", "College Learn"),
)
_EVIDENCE_COLUMN = FileColumn(
    "evidence",
    "The proof, such as a certificate’s number.",
    "any text",
    ("Certificate C-881", ""),
    filled=False,
)
COMPLETION_COLUMNS = (
    _WHOSE_COLUMN,
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
    _SOURCE_COLUMN,
    _EVIDENCE_COLUMN,
)
WIDE_COLUMNS = (_WHOSE_COLUMN, _SOURCE_COLUMN, _EVIDENCE_COLUMN._replace(required=False))
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


# Ready profiles: how files of well-known systems are read, shipped as data in the folder `ready`.
#
# A ready profile is only ever copied: into one file's mapping, and with it into a profile that a person
# saves. So what a force has saved stays as it is when a later version of the portal has other ready
# profiles.

_FOLDER = Path(__file__).parent / "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyProfile:
    """How one kind of file of a system is read."""

    key: str  # the name of its file
    system: str
    title: str
    looks_like: str  # such as "a Moodle course completion export"
    source: str  # what is known of the columns, and from where
    assumed: bool  # the columns are not public: nobody has compared them with a real file
    kind: str
    shape: str
    recognised_by: Sequence[str]  # columns that such a file has, all of them
    own_names: Sequence[str] = ()  # names of columns, written exactly so, that no other system uses
    columns: Mapping[str, Sequence[str]]  # our name -> the file's column, and what else it may be called
    fixed: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    short_years: bool = False

    @property
    def digest(self) -> str:
        """Equal for profiles that read every file in the same way."""
        return digest_of(self.columns, self.fixed, self.values, self.left_out, self.short_years)

    def fits(self, columns: Collection[str]) -> bool:
        """Whether a file with these columns may be one of the system."""
        return {plain_name(name) for name in self.recognised_by} <= find_columns(columns).keys()

    def is_certain(self, columns: Collection[str]) -> bool:
        """Whether a file with these columns can be no other system's."""
        names = {column.rpartition(NAME_JOINT)[2].casefold() for column in columns}
        return self.fits(columns) and not names.isdisjoint(name.casefold() for name in self.own_names)

    def map_columns(self, columns: Sequence[str], *, stated: bool) -> ColumnMapping:
        """The mapping of a file with these columns; what is needed and not there is left to be asked.

        Args:
            columns: The names of the file's columns.
            stated: Whether a person says that the file is the system's. Otherwise a profile whose columns
                were assumed does not say where records come from: that stays on them for good.
        """
        named = find_columns(columns)
        fixed = dict(self.fixed)
        if self.assumed and not stated:
            fixed.pop("source_system", None)
        chosen: dict[str, str] = {}
        for target, names in self.columns.items():
            present = [named[plain_name(name)] for name in names if plain_name(name) in named]
            if present:
                chosen[target] = present[0]
        empty = {t.name: "" for t in TARGETS[self.shape] if not t.needed and t.name not in chosen}
        return ColumnMapping(
            self.shape,
            chosen,
            empty | fixed,
            values=deepcopy({target: dict(meanings) for target, meanings in self.values.items()}),
            left_out={named.get(plain_name(name), name): list(v) for name, v in self.left_out.items()},
            short_years=self.short_years,
            person_by=scheme_of_column(chosen.get("person", "")),
            ready=self.key,
            ready_digest=self.digest,
        )


@cache
def ready_profiles() -> Mapping[str, ReadyProfile]:
    """All ready profiles by key, in order of their titles."""
    profiles = [
        ReadyProfile(key=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
        for path in _FOLDER.glob("*.toml")
    ]
    return {profile.key: profile for profile in sorted(profiles, key=lambda profile: profile.title)}


def list_ready_profiles(kind: str) -> list[ReadyProfile]:
    """The ready profiles of a kind, by title."""
    return [profile for profile in ready_profiles().values() if profile.kind == kind]


def recognise_system(kind: str, columns: Collection[str]) -> ReadyProfile | None:
    """The ready profile that for certain fits these columns, of several the closest; None if none is."""
    fitting = [profile for profile in list_ready_profiles(kind) if profile.is_certain(columns)]
    most = max((len(profile.recognised_by) for profile in fitting), default=0)
    best = [profile for profile in fitting if len(profile.recognised_by) == most]
    return best[0] if len(best) == 1 else None


def find_saved_copy(ready: ReadyProfile, columns: Collection[str]) -> ImportProfile | None:
    """The profile that was saved from a ready one and fits these columns; None if there are several."""
    copies = [
        profile
        for profile in queries.list_profiles(ready.kind)
        if profile.columns.get("ready") == ready.key
        and not ColumnMapping.from_json(deepcopy(profile.columns)).list_gaps(columns)
    ]
    return copies[0] if len(copies) == 1 else None


# Opens an uploaded file as its profile reads it: which sheet, and which column contains what.


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


# The portal's own formats of files, with an example of each, from the columns that their readers know.


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One format, and where a file of it goes in."""

    name: str  # of the example
    title: str
    lead: str
    command: str
    columns: Sequence[FileColumn]
    write: Callable[[Sequence[FileColumn]], str] = field(default=write_example, repr=False)

    @property
    def example(self) -> str:
        """The example's text."""
        return self.write(self.columns)


_CORE_FORMATS = (
    FileFormat(
        "roster.csv",
        "Roster",
        "One row for each post of a person: who works where, in which role, from which day to which.",
        "people import roster.csv",
        roster_plan.COLUMNS,
    ),
    FileFormat(
        "completions.csv",
        "Prior completions",
        "One row for each completion in another system.",
        "records import completions.csv",
        COMPLETION_COLUMNS,
    ),
    FileFormat(
        "completions-wide.csv",
        "Prior completions, a row for each person",
        "One row for each person, and a column for each module, guide or event.",
        "records import completions-wide.csv --profile wide",
        (*WIDE_COLUMNS, *MODULE_COLUMNS),
    ),
    FileFormat(
        "exemptions.csv",
        "Exemptions and deferrals",
        "One row for each decision. The directive and the people must be in the portal.",
        "directives exclude exemptions.csv",
        directives_services.FILE_COLUMNS,
    ),
    FileFormat(
        "directive.toml",
        "Directive",
        "One directive as TOML in UTF-8. Modules, guides and events that it requires must be published.",
        "directives issue directive.toml",
        files.DIRECTIVE_KEYS,
        lambda _keys: files.write_example(),
    ),
)


def list_formats(features: Iterable[Feature]) -> list[FileFormat]:
    """Every format, of the core and of these features."""
    additions = [
        addition for each in features if each.file_formats for addition in each.load(each.file_formats)
    ]
    return insert_after(_CORE_FORMATS, additions, lambda form: form.name)
