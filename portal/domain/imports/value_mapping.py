"""What the values of a file mean to the portal: settled where there is no doubt, asked where there is.

Answers are part of a `ColumnMapping`, so a profile remembers them and each new value is asked about once.
Files in the portal's own format are taken as they are.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.domain.imports.check_result import NewValue
from portal.domain.imports.column_mapping import TODAY, ColumnMapping, leave_out_rows, read_rows
from portal.domain.imports.known_values import KnownValues, read_known_values, staff_numbers_by_email
from portal.domain.imports.written_values import (
    LEFT_OUT,
    DateOrder,
    NumberForm,
    ScoreForm,
    complete_year,
    depends_on_order,
    list_mixed,
    list_number_forms,
    list_orders,
    list_score_forms,
    read_day,
    read_outcome,
    read_score,
    read_time,
)
from portal.domain.people.roster.rows import parse_iso_date
from portal.platform import clock
from portal.platform.tables.table_files import Sheet, SourceRow

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
