"""Recording, correcting and withdrawing what a supervisor counted of a unit and a month."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from portal.domain.catalogue.publishing import current_guide
from portal.domain.imports.columns import FileFormat
from portal.domain.people.names import find_current_unit
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow
from portal.features.dip_samples.models import COUNTS, DipSample
from portal.features.dip_samples.queries import entry_of, find_sample
from portal.features.dip_samples.rules import (
    COUNT_WORDS,
    MOST,
    REASONS,
    WITHIN,
    CountRefusedError,
    SampleCounts,
    SampleEntry,
    ask_for_count,
    refuse_false_counts,
    refuse_false_reason,
)
from portal.platform.audit import log
from portal.platform.clock import london_day, read_day
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.months import first_of_month
from portal.platform.tables.columns import FileColumn, name_columns
from portal.platform.tables.table_files import SourceRow, parse_table
from portal.platform.wording import number, plural

CHECKLIST = "intelligence-document"  # the guide with the supervisor's checklist
EARLIEST = date(2020, 1, 1)  # before it, the year was mistyped


def record_sample(entry: SampleEntry, *, replaces: int | None, by: int, at: datetime) -> int | None:
    """Record the counts of a unit and a month, or correct them.

    Args:
        entry: What was counted.
        replaces: The sample that the supervisor saw and corrects; None: there was none.
        by: Who counted.
        at: Now.

    Returns:
        The id of the new row; None: the same counts and reason are recorded already, and nothing was written.

    Raises:
        CountRefusedError: The counts cannot be true, or the month has not begun.
    """
    recorded_at = stamp()
    refuse_wrong_month(entry.month, london_day(at))
    earlier = find_sample(entry.unit_id, entry.month)
    if earlier is not None and entry_of(earlier) == entry:
        return None
    if (earlier.id if earlier else None) != replaces:
        raise ConflictError(
            "Somebody else has recorded this unit and month meanwhile. Look at it, then correct it if needed."
        )
    refuse_false_counts(entry.counts)
    refuse_false_reason(entry, corrects=earlier is not None)
    action = "dip_sample.corrected" if earlier else "dip_sample.recorded"
    log(action, actor_id=by, unit_id=entry.unit_id, month=f"{entry.month:%Y-%m}")
    return add_sample(entry, replaces=replaces, by=by, recorded_at=recorded_at)


def add_sample(
    entry: SampleEntry, *, replaces: int | None, by: int, recorded_at: datetime, void: bool = False
) -> int:
    """Add a row that was checked, with the checklist of this instant; return its id."""
    guide = current_guide(CHECKLIST)
    row = DipSample(
        recorded_at=recorded_at,
        replaces_id=replaces,
        void=void,
        unit_id=entry.unit_id,
        month=entry.month,
        guide_version_id=guide.id if guide else None,
        reason=entry.reason,
        recorded_by_id=by,
        **{name: getattr(entry.counts, name) for name in COUNTS},
    )
    db.session.add(row)
    db.session.flush()
    return row.id


def withdraw_sample(sample_id: int, *, by: int) -> None:
    """Withdraw a sample, such as one of the wrong unit: adds a void row."""
    recorded_at = stamp()
    sample = db.session.get_one(DipSample, sample_id)
    current = find_sample(sample.unit_id, sample.month)
    if current is None or current.id != sample_id:
        raise ConflictError("This sample was corrected or withdrawn meanwhile.")
    add_sample(entry_of(sample), replaces=sample_id, by=by, recorded_at=recorded_at, void=True)
    log("dip_sample.withdrawn", actor_id=by, unit_id=sample.unit_id, month=f"{sample.month:%Y-%m}")


def refuse_wrong_month(month: date, today: date) -> None:
    """Refuse a month that has not begun, and one that was mistyped.

    Raises:
        CountRefusedError: The month has not begun, or is before ``EARLIEST``.
    """
    if month != first_of_month(month):
        raise RuleError("A month is named by its first day.")
    if month > today:
        raise CountRefusedError("month", "This month has not begun. Choose an earlier one.")
    if month < EARLIEST:
        raise CountRefusedError("month", "Choose January 2020 or a later month.")


# Imports a spreadsheet of counts: every row is checked, and all rows are recorded or none.
#
# A row with the same counts as the known sample changes nothing, so a file may be loaded twice. A row
# with other counts corrects the known sample, and needs a reason of correction.

_EXAMPLE = SampleCounts(reported=14, submitted=12, on_time=10, sampled=6, complete=5, graded=5, returned=1)
COLUMNS = (
    FileColumn(
        "unit",
        "The unit whose own documents were counted.",
        "its path, or a name that only one unit has",
        ("Westshire Police/Response/Team A",),
    ),
    FileColumn("month", "The month, which must be over.", "YYYY-MM, or its first day", ("2026-03",)),
    *(
        FileColumn(
            name,
            f"Number of {COUNT_WORDS[name]}"
            + (f", at most {WITHIN[name]}." if name in WITHIN else ", in the month."),
            f"a whole number up to {MOST:,}",
            (str(getattr(_EXAMPLE, name)),),
        )
        for name in COUNTS
    ),
    FileColumn(
        "reason",
        "Why documents are missing, where fewer were submitted than reported; why a known row is corrected.",
        f"one of {', '.join(REASONS)}, or its words",
        ("in_hand",),
        required=False,
    ),
)
FORMATS = (
    (
        "exemptions.csv",
        FileFormat(
            "dip-samples.csv",
            "Dip samples",
            "One row for each unit and month. On pages: “Dip samples”, “Import a spreadsheet”.",
            "dip-samples import dip-samples.csv --by W4001",
            COLUMNS,
        ),
    ),
)
REQUIRED, OPTIONAL = (name_columns(COLUMNS, required=required) for required in (True, False))
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class SampleImport:
    """What an import records, or would record."""

    recorded: int
    corrected: int
    unchanged: int

    @property
    def sentence(self) -> str:
        """Such as: 12 samples recorded, 1 corrected, 3 known already."""
        recorded_words = f"{plural(self.recorded, 'sample')} recorded"
        return (
            f"{recorded_words}, {number(self.corrected)} corrected, {number(self.unchanged)} known already."
        )


def read_sample_file(content: bytes, name: str) -> list[SourceRow]:
    """Read the rows of a file without the database.

    Args:
        content: The file's bytes: CSV in UTF-8, or a workbook.
        name: The file's name, whose ending says its kind.
    """
    rows = parse_table(content, name, required=REQUIRED, optional=OPTIONAL)
    if len(rows) > MOST_ROWS:
        raise BadInputError([f"The file has more than {number(MOST_ROWS)} rows. Split it."])
    if not rows:
        raise BadInputError(["The file has no rows below its headings."])
    return rows


def import_samples(
    rows: Sequence[SourceRow], units: Mapping[int, UnitRow], *, by: int, at: datetime
) -> SampleImport:
    """Record all rows of a file in the caller's transaction.

    Args:
        rows: As ``read_sample_file`` gives them.
        units: The units of today for which the file may have rows, by id.
        by: Who imports it.
        at: Now.

    Raises:
        BadInputError: A sentence for each row that cannot be recorded, with its line; nothing is recorded.
    """
    recorded_at = stamp()
    known_samples = _read_known_samples()
    entries = _check_rows(rows, units, known_samples, london_day(at))
    return _record_entries(entries, known_samples, by=by, recorded_at=recorded_at)


def write_template() -> bytes:
    """An empty file with the columns of an import, as CSV."""
    target = io.StringIO()
    csv.writer(target).writerow([*REQUIRED, *OPTIONAL])
    return target.getvalue().encode("utf-8-sig")


def _check_rows(
    rows: Sequence[SourceRow],
    units: Mapping[int, UnitRow],
    known_samples: Mapping[tuple[int, date], DipSample],
    today: date,
) -> list[SampleEntry]:
    """Read and check every row."""
    entries, reasons, lines = [], [], dict[tuple[int, date], int]()
    for row in rows:
        try:
            entry = _read_entry(row, units, today)
            unit_and_month = entry.unit_id, entry.month
            if unit_and_month in lines:
                raise RuleError(f"Line {lines[unit_and_month]} has this unit and month already.")
            lines[unit_and_month] = row.line
            _check_entry(entry, known_samples.get(unit_and_month))
            entries.append(entry)
        except (NotFoundError, RuleError) as error:
            reasons.append(f"Line {row.line}: {error}")
    if reasons:
        raise BadInputError(reasons)
    return entries


def _read_known_samples() -> dict[tuple[int, date], DipSample]:
    rows = db.session.scalars(select(DipSample).where(is_known_fact(DipSample)))
    return {(row.unit_id, row.month): row for row in rows}


def _read_entry(row: SourceRow, units: Mapping[int, UnitRow], today: date) -> SampleEntry:
    """Read a row as an entry.

    Raises:
        RuleError: A month, count or reason cannot be read.
    """
    unit_id = find_current_unit(row.values["unit"], units)
    month = _read_month(row.values["month"])
    refuse_wrong_month(month, today)
    counts = SampleCounts(**{name: _read_count(name, row.values[name]) for name in COUNTS})
    return SampleEntry(unit_id, month, counts, _read_reason(row.values["reason"]))


def _read_month(text: str) -> date:
    """The month in a cell: 2026-04, or its first day as a date."""
    day = read_day(f"{text}-01" if len(text) == len("2026-04") else text)
    if day is None or day.day != 1:
        raise RuleError(f"“{text}” is not a month. Write it as 2026-04.")
    return day


def _read_count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST))):
        raise RuleError(f"{ask_for_count(name)}.")
    return int(text)


def _read_reason(text: str) -> str:
    """The reason in a cell: its key or its words."""
    key_by_words = {words.casefold(): key for key, words in REASONS.items()}
    return key_by_words.get(text.casefold(), text)


def _check_entry(entry: SampleEntry, known_sample: DipSample | None) -> None:
    """Refuse counts that cannot be true, and a correction without its reason.

    Raises:
        CountRefusedError: The counts or the reason are refused.
    """
    if known_sample is not None and entry_of(known_sample) == entry:
        return
    refuse_false_counts(entry.counts)
    try:
        refuse_false_reason(entry, corrects=known_sample is not None)
    except CountRefusedError as error:
        words = f"{error} One of: {', '.join(REASONS)}."
        if known_sample is not None:
            words = f"Other counts are recorded of this unit and month. {words}"
        raise CountRefusedError("reason", words) from error


def _record_entries(
    entries: list[SampleEntry],
    known_samples: Mapping[tuple[int, date], DipSample],
    *,
    by: int,
    recorded_at: datetime,
) -> SampleImport:
    recorded = corrected = unchanged = 0
    for entry in entries:
        row = known_samples.get((entry.unit_id, entry.month))
        if row is not None and entry_of(row) == entry:
            unchanged += 1
            continue
        add_sample(entry, replaces=row.id if row else None, by=by, recorded_at=recorded_at)
        recorded, corrected = recorded + (row is None), corrected + (row is not None)
    if recorded or corrected:
        log("dip_samples.imported", actor_id=by, recorded=recorded, corrected=corrected)
    return SampleImport(recorded, corrected, unchanged)
