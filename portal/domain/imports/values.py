"""What the values of a file mean to the portal: settled where there is no doubt, asked where there is.

Answers are part of a `ColumnMapping`, so a profile remembers them and each new value is asked about once.
Files in the portal's own format are taken as they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil import parser
from rapidfuzz import fuzz, process
from sqlalchemy import select

from portal.domain.directives.queries import read_named_values
from portal.domain.imports import queries
from portal.domain.imports.check_result import NewValue
from portal.domain.imports.columns import TODAY, ColumnMapping, leave_out_rows, name_activities, read_rows
from portal.domain.people import units
from portal.domain.people.models import PersonName, Post
from portal.domain.people.names import find_current_unit
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.roster_plan import parse_iso_date
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.spelling import find_mistyped
from portal.platform.tables.columns import plain_name
from portal.platform.tables.table_files import Sheet, SourceRow

# How other systems write days, times, scores and outcomes, read as the portal's own files write them.
#
# A value in the documented form is read as it is. What may mean two things is only read once somebody has
# said which: `DateOrder` and `ScoreForm` are those answers.

COMPLETED, LEFT_OUT = "completed", "-"  # what an outcome means; the second one's row is left out
EMPLOYED, ENDS = "employed", "ends"  # what an employment means; the second one's post ends with the import


class DateOrder(StrEnum):
    """Which of two numbers of a date is the day."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class ScoreForm(StrEnum):
    """What a bare number of a score is of."""

    OF_ONE = "of_one"
    PERCENT = "percent"
    IGNORED = "ignored"


class NumberForm(StrEnum):
    """What a text with an “@” says of a person's staff number."""

    BY_EMAIL = "by_email"
    BEFORE_AT = "before_at"
    AS_IT_IS = "as_it_is"


_NUMBERS = re.compile(r"(?P<first>\d{1,2})(?P<sign>[/. -])(?P<second>\d{1,2})(?P=sign)(?P<rest>\d{4}\b.*)")
_YEAR_FIRST = re.compile(r"\d{4}[/.-]\d.*")
_SHORT_YEAR = re.compile(r"(?P<day>\d{1,2}([/.-])\d{1,2}\2)(?P<year>\d{2})(?!\d)")
_SERIAL = re.compile(r"[2-7]\d{4}(\.\d+)?")  # a spreadsheet's day number, from 1954 to 2119
_SERIAL_START = datetime(1899, 12, 30)
_PLACE = re.compile(r"(?P<time>.+) (?P<zone>[A-Z][A-Za-z]+(/[A-Z][A-Za-z_]+)+)")
_ZONES: dict[str, tzinfo] = {"GMT": UTC, "UTC": UTC, "BST": timezone(timedelta(hours=1))}
_LONGEST = 60  # characters of a day or a time: longer texts are neither
_NO_DAY = datetime(1, 1, 31)  # what is missing in a text is taken from here, and then not found in the text
_PERCENT = re.compile(r"(?P<marks>\d{1,3}(?:\.\d+)?) ?%")
_PART = re.compile(r"(?P<marks>\d{1,4}(?:\.\d+)?) ?(?:/|of|out of) ?(?P<most>\d{1,4})")
_NUMBER = re.compile(r"\d{1,3}(\.\d+)?")
_COMPLETED_WORDS = frozenset(
    {"passed", "pass", "completed", "complete", "yes", "y", "true", "successful", "attended"}
)
_EMPLOYED_WORDS = frozenset({"true", "yes", "y", "active", "enabled", "current", "employed"})
_NOT_COMPLETED_WORDS = frozenset(
    {"failed", "fail", "incomplete", "not completed", "not complete", "in progress", "not started", "no", "n"}
    | {"false", "started", "enrolled", "not attempted", "browsed", "withdrawn", "did not attend", "n/a"}
    | {"not yet started", "not applicable", "-", "–", "—"}
)


def list_orders(texts: Iterable[str]) -> list[DateOrder]:
    """The orders in which the days of a column may be read, the likelier one first.

    None where all days are written so that either order reads them alike, such as ISO dates. One, day first,
    where the days of the column say so themselves. Two are a question: also where only month first fits, or
    a number may be a spreadsheet's day.
    """
    distinct = set(texts)
    day_first, month_first = _split_by_order(distinct)
    is_open = any(map(_SERIAL.fullmatch, distinct)) or month_first - day_first
    if is_open or (day_first and day_first == month_first):
        return list(DateOrder)[:: -1 if len(month_first) > len(day_first) else 1]
    return [DateOrder.DAY_FIRST] if day_first else []


def list_mixed(texts: Iterable[str]) -> tuple[str, ...]:
    """A text that only has the day first and one that only has the month first; else empty.

    >>> list_mixed(["14/03/2026", "2/1/2026", "03/14/2026"])
    ('14/03/2026', '03/14/2026')
    """
    distinct = list(dict.fromkeys(texts))
    day_first, month_first = _split_by_order(distinct)
    pairs = zip(
        (text for text in distinct if text in day_first - month_first),
        (text for text in distinct if text in month_first - day_first),
        strict=False,
    )
    return next(pairs, ())


def depends_on_order(text: str) -> bool:
    """Whether the order of day and month matters to this text."""
    return bool(_NUMBERS.fullmatch(text))


def _split_by_order(texts: Iterable[str]) -> list[set[str]]:
    """The days in numbers that can be read day first, and those that can be read month first."""
    numbers = [text for text in texts if depends_on_order(text)]
    return [{text for text in numbers if read_time(text, order)} for order in DateOrder]


def read_day(text: str, order: DateOrder) -> str | None:
    """The day as ISO 8601; None for any other text, for a year of two digits, and for a time after midnight.

    >>> read_day("3/4/2026", DateOrder.DAY_FIRST), read_day("3/4/2026", DateOrder.MONTH_FIRST)
    ('2026-04-03', '2026-03-04')
    """
    read = _read_moment(text, order)
    if not isinstance(read, datetime):
        return read.isoformat() if read else None
    local = read.astimezone(clock.LONDON)
    return None if local.time() != time() else local.date().isoformat()


def read_time(text: str, order: DateOrder) -> str | None:
    """The day, or the instant in UTC, as ISO 8601; None for any other text. A bare time is London's.

    >>> read_time("14/03/2026 10:22", DateOrder.DAY_FIRST), read_time("14 Mar 2026", DateOrder.DAY_FIRST)
    ('2026-03-14T10:22:00Z', '2026-03-14')
    """
    read = _read_moment(text, order)
    return clock.format_utc(read) if isinstance(read, datetime) else read.isoformat() if read else None


def _read_moment(text: str, order: DateOrder) -> date | datetime | None:
    """The day, or the instant, that the text names with this order of its numbers."""
    text = " ".join(text.split())
    if len(text) > _LONGEST or not text.isascii():
        return None
    if _SERIAL.fullmatch(text):
        read = _SERIAL_START + timedelta(seconds=int((Decimal(text) * 86_400).to_integral_value()))
        return read.date() if read.time() == time() else read.replace(tzinfo=clock.LONDON)
    if match := _NUMBERS.fullmatch(text):
        day, month = (match["first"], match["second"])[:: 1 if order is DateOrder.DAY_FIRST else -1]
        text = f"{match['rest'][:4]}-{month:0>2}-{day:0>2}{match['rest'][4:]}"
    zone: tzinfo = clock.LONDON
    try:
        if place := _PLACE.fullmatch(text):
            text, zone = place["time"], ZoneInfo(place["zone"])
        moment = _read_iso(text) or _read_words(text)
    except (ValueError, OverflowError, KeyError):  # no such day, time or zone
        return None
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=zone)
    return moment


def _read_iso(text: str) -> date | datetime | None:
    """The day or time of a text in ISO 8601; None for any other text, a week or a bare number."""
    if "W" in text or (text.isdigit() and len(text) != len("20260314")):
        return None
    for read in (date.fromisoformat, datetime.fromisoformat):
        with suppress(ValueError):
            return read(text)
    return None


def _read_words(text: str) -> date | datetime | None:
    """The day or time of a text with a month's name, or with am or pm.

    The parser takes what is missing from today and lets numbers mean what it likes, so whatever it reads must
    account for every number of the text.

    Raises:
        ValueError: It names no whole day, or has a number too many.
    """
    read = parser.parse(text, default=_NO_DAY, tzinfos=_find_zone)
    digits = re.findall(r"\d+", text)
    digits.remove(f"{read.year:04}")
    numbers = [int(number) for number in digits]
    for number in (*[read.month] * bool(_YEAR_FIRST.fullmatch(text)), read.day):
        numbers.remove(number)
    if not numbers:
        return read.date()
    hour, *rest = numbers
    said = [hour % 12, *rest, *[0] * (2 - len(rest))]
    return read if said == [read.hour % 12, read.minute, read.second] else None


def _find_zone(name: str | None, offset: int | None) -> tzinfo | None:
    return None if name is None and offset is None else _ZONES[name or ""]


def complete_year(text: str) -> str:
    """The text with a last number of two digits in its day read as a year from 2000 on.

    >>> complete_year("14/03/26, 10:22"), complete_year("14/03/2026")
    ('14/03/2026, 10:22', '14/03/2026')
    """
    match = _SHORT_YEAR.match(text)
    return f"{match['day']}20{match['year']}{text[match.end() :]}" if match else text


def list_score_forms(texts: Iterable[str]) -> list[ScoreForm]:
    """What bare numbers may be of: nothing to ask if there are none, or if they are all parts of one."""
    numbers = [Decimal(text) for text in set(texts) if _NUMBER.fullmatch(text)]
    if not numbers:
        return []
    if max(numbers) > 1:
        return [ScoreForm.PERCENT, ScoreForm.IGNORED]
    if any(0 < number < 1 for number in numbers):
        return [ScoreForm.OF_ONE]
    return [ScoreForm.OF_ONE, ScoreForm.PERCENT, ScoreForm.IGNORED]


def list_number_forms(texts: Iterable[str]) -> list[NumberForm]:
    """How staff numbers may be written: nothing to ask unless one has an “@” in it."""
    return list(NumberForm) if any("@" in text for text in texts) else []


def read_score(text: str, form: ScoreForm | None) -> str | None:
    """The score from 0 to 1, cut to four decimals; empty for a word or an ignored number; None if it is none.

    >>> read_score("85%", None), read_score("17/20", None), read_score("85", ScoreForm.PERCENT)
    ('0.85', '0.85', '0.85')
    """
    if form is ScoreForm.IGNORED or read_outcome(text) == COMPLETED:
        return ""
    match = _PERCENT.fullmatch(text) or _PART.fullmatch(text)
    if match:
        marks, most = Decimal(match["marks"]), Decimal(match.groupdict().get("most", 100))
    elif _NUMBER.fullmatch(text) and form is not None:
        marks, most = Decimal(text), Decimal(100 if form is ScoreForm.PERCENT else 1)
    else:
        return None
    if not most or marks > most:
        return None
    scaled = (marks / most).quantize(Decimal("0.0001"), ROUND_DOWN)
    return f"{scaled.normalize():f}"


def read_outcome(text: str) -> str | None:
    """`COMPLETED` or `LEFT_OUT` for the words that systems use; None for any other text.

    >>> read_outcome("Passed"), read_outcome("In progress"), read_outcome("Exempt")
    ('completed', '-', None)
    """
    words = " ".join(re.sub("[_-]", " ", text.lower()).split()) or text.strip()
    return COMPLETED if words in _COMPLETED_WORDS else LEFT_OUT if words in _NOT_COMPLETED_WORDS else None


def read_employment(text: str) -> str | None:
    """`EMPLOYED` for the words that systems use of people who work there; None for any other text.

    >>> read_employment("True"), read_employment("False")
    ('employed', None)
    """
    return EMPLOYED if text.strip().lower() in _EMPLOYED_WORDS else None


# What the portal knows of the values that files name: requirements, units, ranks and roles.

MOST_NEAR = 5  # known units that are shown beside a new one
_SEPARATORS = (" > ", " | ", "\\", "; ", " - ")  # between the names of a unit's path
_SHORT_RANKS = {
    "pc": "constable",
    "dc": "detective constable",
    "ps": "sergeant",
    "sgt": "sergeant",
    "ds": "detective sergeant",
    "insp": "inspector",
    "di": "detective inspector",
    "ci": "chief inspector",
    "ch insp": "chief inspector",
    "dci": "detective chief inspector",
    "supt": "superintendent",
    "ch supt": "chief superintendent",
}
_EMPLOYMENTS = (
    (EMPLOYED, "Still employed"),
    (LEFT_OUT, "Leave these rows out: what the portal has stays as it is"),
    (ENDS, "Has left: the post ends on the day of the import"),
)
_OUTCOMES = ((COMPLETED, "Completed"), (LEFT_OUT, "Not completed: leave these rows out"))

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Requirements, units, ranks and roles of today; empty ones mean that everything is new."""

    activities: Mapping[str, str] = field(default_factory=dict)  # title by "kind/key"
    units: Mapping[int, UnitRow] = field(default_factory=dict)
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)  # ranks and roles, by our name

    @property
    def forces(self) -> list[str]:
        """The names of the units that are below no other."""
        return sorted(unit.name for unit in self.units.values() if unit.parent_id is None)

    def find(self, target: str, text: str) -> str | None:
        """What the value means beyond doubt; None if a person must say.

        Where no rank, role or unit is known yet, each is a new one, and means itself.
        """
        if target == "outcome":
            return read_outcome(text)
        if target == "employment":
            return read_employment(text)
        if target == "requirement":
            return self._find_activity(text)
        if target == "unit_path":
            return self._find_unit(text)
        return text if text in self.texts[target] or not self.texts[target] else None

    def take_answer(self, target: str, text: str, answers: Mapping[str, str]) -> str | None:
        """The saved answer for a value; of a unit only that the path in the file is a new one.

        Any other path that was answered for a unit is read in place of the file's: see ``follow_answers``.
        """
        answer = answers.get(text)
        return answer if target != "unit_path" or answer == self._new_path(text) else None

    def follow_answers(self, text: str, answers: Mapping[str, str]) -> str:
        """The path that was answered for a unit, which is then read or asked about as if the file had it."""
        followed = {text}
        while (answer := answers.get(text)) and answer != self._new_path(text) and answer not in followed:
            text = answer
            followed.add(text)
        return text

    def find_answer_fault(self, answer: str) -> str:
        """Why the path that somebody typed for a unit cannot be taken; empty if it can."""
        if self._find_unit(answer):
            return ""
        try:
            top = units.split(self._new_path(answer) or answer)[0]
        except RuleError as error:
            return str(error)
        if top in self.forces:
            return ""
        begin = " or ".join(f"“{name}/”" for name in self.forces)
        return f"No force is called “{top}”. Begin the unit’s path with {begin}"

    def name_new_force(self, path: str) -> str:
        """That the first name of a path would be a new force, in words; empty if it would not."""
        top = path.replace("//", "\0").partition("/")[0].replace("\0", "/")
        if not self.forces or top in self.forces:
            return ""
        return f"a new force beside {' and '.join(f'“{name}”' for name in self.forces)}"

    def choices(self, target: str, text: str) -> tuple[Choices, str]:
        """What a person may choose for a value, and the likeliest of it; no choices mean any text."""
        if target == "outcome":
            return _OUTCOMES, ""
        if target == "employment":
            return _EMPLOYMENTS, ""
        if target == "requirement":
            named = tuple(self.activities.items())
            words = re.findall(r"[a-z0-9]+", text.lower())
            alike = [activity for activity in self.activities if activity.partition("/")[2] in words]
            choices = (*named, (LEFT_OUT, "Not one of ours: leave these rows out"))
            return choices, alike[0] if len(alike) == 1 else ""
        if target == "unit_path":
            return self._choose_unit(text), ""
        known = sorted(self.texts[target])
        return ((text, f"New: “{text}”"), *((name, name) for name in known)), self.find_alike(target, text)

    def _find_activity(self, text: str) -> str | None:
        """The activity that the text names by its key, its title or the title's first words."""
        wanted = plain_name(text)
        matching = {activity for name, activity in name_activities(self.activities) if name == wanted}
        return matching.pop() if len(matching) == 1 else None

    def _find_unit(self, text: str) -> str | None:
        """The path of the unit that the text names."""
        for path, _ in self._list_paths(text):
            with suppress(NotFoundError, RuleError):
                return self.units[find_current_unit(path, self.units)].path
        return None if self.units else text

    def _list_paths(self, text: str) -> Iterator[tuple[str, bool]]:
        """Each path that the text may be, and whether it is one from the force down."""
        forces = self.forces
        for separator in ("/", *_SEPARATORS):
            names = [name.strip() for name in text.split(separator)]
            path = text if separator == "/" and "//" in text else units.join(names)
            yield path, len(names) > 1 and (separator == "/" or names[0] in forces)

    def _new_path(self, text: str) -> str:
        """The path of the new unit that the text would make; empty for a name."""
        return next((path for path, is_whole in self._list_paths(text) if is_whole), "")

    def _choose_unit(self, text: str) -> Choices:
        """The new unit that a path would make, and known ones that are written nearly so; none for a name."""
        new = self._new_path(text)
        if not new:
            return ()
        force = self.name_new_force(new)
        label = f"New: create the unit “{new}”" + (f", in {force}" if force else "")
        known = [unit.path for unit in self.units.values()]
        near = process.extract(new, known, scorer=fuzz.ratio, limit=MOST_NEAR)
        return ((new, label), *((path, path) for path, _, _ in near))

    def find_alike(self, target: str, text: str) -> str:
        """The known rank or role that the text is perhaps another writing of; empty for none."""
        words = " ".join(text.casefold().replace(".", "").replace("_", " ").split())
        return find_mistyped(_SHORT_RANKS.get(words, text), self.texts[target])


def read_known_values(shape: str) -> KnownValues:
    """What a file with rows of this shape may name. A few statements, whatever the file's size."""
    if shape != "post":
        return KnownValues(activities=queries.activity_titles())
    columns = {"rank_or_grade": Post.rank_or_grade, "designated_role": Post.designated_role}
    today = clock.today()
    named = read_named_values(today)
    by_directives = {"rank_or_grade": named.ranks, "designated_role": named.roles}
    texts = {
        name: by_directives[name].union(
            db.session.scalars(select(column).where(is_known_fact(Post)).distinct())
        )
        for name, column in columns.items()
    }
    return KnownValues(units=live_units(today), texts=texts)


def staff_numbers_by_email() -> dict[str, str]:
    """Everybody's staff number by their address, in lower case. One statement."""
    rows = db.session.execute(select(PersonName.email, PersonName.staff_number))
    return {email: number for email, number in rows if email}


DAYS = {"post": ("valid_from", "valid_to"), "completion": ("achieved_at",), "person": ("achieved_at",)}
NAMES = {
    "post": ("unit_path", "rank_or_grade", "designated_role", "employment"),
    "completion": ("requirement", "outcome"),
}
SCORE, NUMBER, MANAGER = "score_scaled", "staff_number", "line_manager_staff_number"
_ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_ISO_INSTANT = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})")
_WRITTEN_DAY = re.compile(r"\d{1,2}([ /.-])(\d{1,2}|[A-Za-z]{3,9})\1\d{4}\b")
OTHERS = "*"  # in place of a value: every other value of the column
MIXED = (
    "this column mixes two orders of day and month, as in “{}” and “{}”, so each of its dates may be wrong. "
    "Ask for a file with one order."
)
NO_DATES = "nothing in this column is a date. Choose another column, or ask for a file that has the dates."
SAMPLES = 3  # values of a column that are shown with their meaning
ORDER_LABELS: dict[str, str] = {
    DateOrder.DAY_FIRST: "Day first: 3/4/2026 is 3 April 2026",
    DateOrder.MONTH_FIRST: "Month first: 3/4/2026 is 4 March 2026",
}
SCORE_LABELS: dict[str, str] = {
    ScoreForm.OF_ONE: "Parts of one: 0.85",
    ScoreForm.PERCENT: "Per cent: 85",
    ScoreForm.IGNORED: "Something else: leave scores out",
}
NUMBER_LABELS: dict[str, str] = {
    NumberForm.BY_EMAIL: "An address: the person has it in the portal",
    NumberForm.BEFORE_AT: "The staff number is the part before the “@”",
    NumberForm.AS_IT_IS: "All of it is the staff number",
}


@dataclass(frozen=True, slots=True)
class ValueQuestion:
    """What only a person can say: how a column is written, or what one of its values means."""

    target: str  # our name of the column
    text: str  # the file's value; empty for the column as a whole
    rows: int  # that have the value
    first_line: int
    choices: tuple[tuple[str, str], ...]  # value and label; empty: any text
    proposed: str  # one of them; empty for none
    samples: tuple[str, ...] = ()  # of the column as a whole

    @property
    def reason(self) -> str:
        """Why the file cannot be read without an answer."""
        what = f"“{self.text}” is new" if self.text else f"“{self.samples[0]}” may be read in two ways"
        return f"Line {self.first_line}: {self.target}: {what}. Say on the page of imports what it means."


@dataclass(frozen=True, slots=True)
class FileValues:
    """A file's rows as the portal's own files write them, and what stands in the way."""

    rows: list[SourceRow]
    reasons: list[str]  # why lines cannot be read, each with its line
    left_out: Counter[str]  # rows that are no completions of ours, by the value that says so
    questions: list[ValueQuestion]
    known: KnownValues = field(default_factory=KnownValues)  # which the questions were asked with
    notices: list[str] = field(
        default_factory=list
    )  # what is lost of rows that can be read, with their lines


def read_values(sheet: Sheet, mapping: ColumnMapping) -> FileValues:
    """The rows of a file under our own names, with values as the documented format has them.

    A row with an unanswered value is not among the rows, and none is while a column may be read in two ways;
    each question is a reason of its own.
    """
    if mapping.documented:
        rows, reasons = read_rows(sheet, mapping)
        return FileValues(rows, reasons, Counter(), [])
    sheet, left_out = leave_out_rows(sheet, mapping)
    rows, reasons = read_rows(sheet, mapping)
    if mapping.short_years:
        rows = [_with_whole_years(row, mapping.shape) for row in rows]
    rows = _leave_unread_days(rows, mapping.shape, reasons)
    known = read_known_values(mapping.shape)
    rows = _follow_answered_units(rows, mapping, known)
    settled, questions = settle_values(rows, mapping, known)
    open_values = {(question.target, question.text) for question in questions}
    if any(not question.text for question in questions):
        rows = []
    translated: list[SourceRow] = []
    notices: list[str] = []
    numbers = staff_numbers_by_email() if settled.forms.get(NUMBER) == NumberForm.BY_EMAIL else {}
    for row in rows:
        if not open_values.isdisjoint(row.values.items()):
            continue
        values, outcome = _translate(row.values, settled)
        if outcome is None and mapping.shape == "post":
            values, outcome = _name_person(values, settled.forms.get(NUMBER), numbers)
            if outcome is None and row.values[MANAGER] and not values[MANAGER]:
                lost = f"Nobody in the portal has the address {row.values[MANAGER]}"
                notices.append(f"Line {row.line}: {lost}: this post has no line manager.")
        if outcome is None:
            translated.append(SourceRow(row.line, values))
        else:
            left_out[outcome] += 1
    reasons += [mapping.name_columns(question.reason) for question in questions]
    return FileValues(translated, reasons, left_out, questions, known, notices)


def _follow_answered_units(
    rows: list[SourceRow], mapping: ColumnMapping, known: KnownValues
) -> list[SourceRow]:
    """The rows with the paths that were answered in place of their units, to be settled like any other."""
    answers = mapping.values.get("unit_path")
    if not answers:
        return rows
    followed = {text: known.follow_answers(text, answers) for text in _count_texts("unit_path", rows)}
    return [
        row._replace(values=row.values | {"unit_path": followed.get(row.values["unit_path"], "")})
        for row in rows
    ]


def _leave_unread_days(rows: list[SourceRow], shape: str, reasons: list[str]) -> list[SourceRow]:
    """The rows whose days can be read; why those of the others cannot is added to the reasons."""
    unread = _find_unread_days(rows, shape)
    for row in rows:
        for target, text in row.values.items() & unread.keys():
            reasons.append(f"Line {row.line}: {target} “{text}”: {unread[target, text]}")
    return [row for row in rows if row.values.items().isdisjoint(unread)]


def word_as_file(reasons: Iterable[str], sheet: Sheet, mapping: ColumnMapping) -> list[str]:
    """Reasons in the words of a file: with its names of columns, and days as it writes them."""
    if mapping.documented:
        return list(reasons)
    form = _find_day_form(sheet, mapping)

    def write_day(found: re.Match[str]) -> str:
        day = parse_iso_date(found[0])
        return day.strftime(form) if day and day.year >= 1000 else found[0]  # it writes 206 for the year 0206

    def write_instant(found: re.Match[str]) -> str:
        try:
            return datetime.fromisoformat(found[0]).astimezone(clock.LONDON).strftime(f"{form} %H:%M")
        except (ValueError, OverflowError):
            return found[0]

    named = map(mapping.name_columns, reasons)
    return [_ISO_DAY.sub(write_day, _ISO_INSTANT.sub(write_instant, reason)) for reason in named]


def _find_day_form(sheet: Sheet, mapping: ColumnMapping) -> str:
    """How the file writes its first day that does not begin with the year, as ``strftime`` takes it."""
    columns = [(target, mapping.columns.get(target)) for target in DAYS[mapping.shape]]
    columns += [("achieved_at", name) for name in mapping.activities]
    places = [(target, sheet.columns.index(name)) for target, name in columns if name in sheet.columns]
    for _, cells in sheet.lines:
        for target, place in places:
            if place < len(cells) and (written := _WRITTEN_DAY.match(cells[place].strip())):
                sign, month = written.groups()
                if month.isalpha():
                    return sign.join(("%d", "%b" if len(month) == len("Apr") else "%B", "%Y"))
                numbers = ("%m", "%d") if mapping.forms.get(target) == DateOrder.MONTH_FIRST else ("%d", "%m")
                return sign.join((*numbers, "%Y"))
    return "%Y-%m-%d"


def settle_values(
    rows: Sequence[SourceRow], mapping: ColumnMapping, known: KnownValues
) -> tuple[ColumnMapping, list[ValueQuestion]]:
    """The mapping with everything that is beyond doubt in these rows, and the questions that remain."""
    forms = dict(mapping.forms)
    values = {name: dict(meanings) for name, meanings in mapping.values.items()}
    questions: list[ValueQuestion] = []
    for target in DAYS[mapping.shape]:
        questions += _settle_form(target, rows, forms, list_orders, ORDER_LABELS)
        forms.setdefault(target, DateOrder.DAY_FIRST)  # nothing in the column depends on it, or it is asked
    if mapping.shape == "completion":
        questions += _settle_form(SCORE, rows, forms, list_score_forms, SCORE_LABELS)
    if mapping.shape == "post":
        numbers = _settle_form(NUMBER, rows, forms, list_number_forms, NUMBER_LABELS)
        questions += [replace(question, proposed="") for question in numbers]  # none is likelier
    for target in NAMES.get(mapping.shape, ()):
        meanings = values.setdefault(target, {})
        for text, (number, line) in _count_texts(target, rows).items():
            meaning = (
                known.take_answer(target, text, meanings) or known.find(target, text) or meanings.get(OTHERS)
            )
            if meaning:
                meanings[text] = meaning
            else:
                choices, proposed = known.choices(target, text)
                questions.append(ValueQuestion(target, text, number, line, choices, proposed))
    return replace(mapping, forms=forms, values=values), questions


def list_new_values(rows: Sequence[SourceRow], known: KnownValues) -> list[NewValue]:
    """The ranks and roles of a roster that are not known; none where none is known yet."""
    posts = [row for row in rows if row.values.get("withdraw") != "yes"]
    return [
        NewValue(target, text, number, line, known.find_alike(target, text))
        for target, texts in known.texts.items()
        if texts
        for text, (number, line) in _count_texts(target, posts).items()
        if text not in texts
    ]


def _settle_form(
    target: str,
    rows: Sequence[SourceRow],
    forms: dict[str, str],
    list_forms: Callable[[Iterable[str]], Sequence[str]],
    labels: Mapping[str, str],
) -> Iterator[ValueQuestion]:
    """Add the form of a column to ``forms``, or ask for it."""
    texts = _count_texts(target, rows)
    possible = [] if target in forms else list_forms(texts)
    if len(possible) == 1:
        forms[target] = possible[0]
    elif possible:
        number, line = sum(number for number, _ in texts.values()), min(line for _, line in texts.values())
        choices = tuple((str(form), labels[form]) for form in possible)
        yield ValueQuestion(target, "", number, line, choices, str(possible[0]), tuple(texts)[:SAMPLES])


def _count_texts(target: str, rows: Iterable[SourceRow]) -> dict[str, tuple[int, int]]:
    """How many rows have each value of a column, and the first such line; empty cells are left out."""
    counts: dict[str, tuple[int, int]] = {}
    for row in rows:
        text = row.values.get(target, "")
        if text:
            number, line = counts.get(text, (0, row.line))
            counts[text] = number + 1, line
    return counts


def _translate(values: dict[str, str], mapping: ColumnMapping) -> tuple[dict[str, str], str | None]:
    """The values of a row in the documented format, and the value for which it is left out, if any."""
    translated = dict(values)
    if read_outcome(values.get("achieved_at", "")) == LEFT_OUT:
        return values, values["achieved_at"]
    for target in DAYS[mapping.shape]:
        read = read_time if target == "achieved_at" else read_day
        translated[target] = read(values[target], DateOrder(mapping.forms[target])) or values[target]
    for target, meanings in mapping.values.items():
        meaning = meanings.get(values.get(target, ""))
        if meaning == LEFT_OUT:
            return values, values[target]
        if meaning and target == "requirement":
            translated["requirement_kind"], _, translated["requirement"] = meaning.partition("/")
        elif meaning is not None and target != "outcome":
            translated[target] = meaning
    if score := values.get(SCORE):
        if read_outcome(score) == LEFT_OUT:
            return values, score
        form = mapping.forms.get(SCORE)
        scaled = read_score(score, ScoreForm(form) if form else None)
        translated[SCORE] = score if scaled is None else scaled
    return translated, None


def _find_unread_days(rows: Sequence[SourceRow], shape: str) -> dict[tuple[str, str], str]:
    """Why days cannot be read because of their whole column, by our name of it and the file's value."""
    unread: dict[tuple[str, str], str] = {}
    for target in DAYS[shape]:
        texts = [t for t in _count_texts(target, rows) if t != TODAY and read_outcome(t) != LEFT_OUT]
        if mixed := list_mixed(texts):
            why = MIXED.format(*mixed)
            unread |= {(target, text): why for text in texts if depends_on_order(text)}
        elif not any(read_time(text, order) for text in texts for order in DateOrder):
            unread |= {(target, text): NO_DATES for text in texts}
    return unread


def _with_whole_years(row: SourceRow, shape: str) -> SourceRow:
    days = {target: complete_year(row.values[target]) for target in DAYS[shape]}
    return SourceRow(row.line, row.values | days)


def _name_person(
    values: dict[str, str], form: str | None, numbers: Mapping[str, str]
) -> tuple[dict[str, str], str | None]:
    """A post's values with staff numbers where the file has addresses; or the address that nobody has."""
    named = dict(values)
    for target in (NUMBER, MANAGER):
        address = values[target]
        if form == NumberForm.BEFORE_AT:
            named[target] = address.partition("@")[0]
        elif form == NumberForm.BY_EMAIL and address:
            named[target] = numbers.get(address.lower(), "")
            if not named[target] and target == NUMBER:
                return values, f"Nobody in the portal has the address {address}"
    return named, None
