"""Writes the figures of all forces to files: a row for each force and month, as the pages show them.

Numbers are rounded. An empty cell is hidden or not there; ``state`` and ``hidden`` say which.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter

from portal.domain.returns.content import DEFINITIONS
from portal.domain.returns.national import NationalFigures
from portal.platform.clock import format_utc
from portal.platform.tables.csv_cells import disarm_formula


@dataclass(frozen=True, slots=True)
class NationalRow:
    """A force in a month."""

    period: str
    due_on: date
    force: str
    name: str
    headcount: int
    requirement: str
    state: str
    received_on: date | None
    days_late: int
    number: int | None
    corrections: int
    assigned: int | None
    excluded: int | None
    complete: int | None
    not_complete: int | None
    hidden: str


COLUMNS = {  # each column of the files, and what it means
    "period": "The month.",
    "due_on": "The last UK day on which a return was on time.",
    "force": "The short name of the force.",
    "name": "Its name.",
    "headcount": "People of its workforce, as published.",
    "requirement": "Kind and key of a requirement; empty for the whole directive.",
    "state": "on_time, late, missing, awaited (not due yet) or not_asked. A correction makes no return late.",
    "received_on": "The UK day on which the first return came.",
    "days_late": "Of the first return, or until the day of the file where none has come.",
    "number": "The force's number of the return that counts.",
    "corrections": "Returns that came after the first.",
    "assigned": "Everybody to whom the directive applied. This number and the next three are rounded.",
    "excluded": "Those assigned who were exempt or deferred.",
    "complete": "Those counted who were complete.",
    "not_complete": "Those counted who were not complete.",
    "hidden": "force: the force hid numbers; small: of fewer people than twice small_number, none is shown.",
}


def list_rows(figures: NationalFigures) -> Iterator[NationalRow]:
    """List the rows of a file, by month and then by name of force."""
    for month in figures.months:
        for force in figures.forces:
            receipt, counts = month.receipts[force.id], month.figures_of(force)
            yield NationalRow(
                month.period.period,
                month.period.due_on,
                force.key,
                force.name,
                force.headcount,
                figures.requirement,
                receipt.state.value,
                receipt.first.received_on if receipt.first else None,
                receipt.days_late,
                receipt.current.number if receipt.current else None,
                receipt.corrections,
                counts.assigned,
                counts.excluded,
                counts.complete,
                counts.not_complete,
                counts.hidden,
            )


def describe_file(figures: NationalFigures) -> dict[str, str]:
    """Both times, the small number and the requirement of a file, by name."""
    return {
        "as_at": figures.position.as_at.isoformat(),
        "as_known_on": format_utc(figures.position.as_known_on),
        "small_number": str(figures.small),
        "requirement": figures.requirement,
    }


def write_national_csv(figures: NationalFigures) -> bytes:
    """Write the rows as CSV, each with both times of the file."""
    about = describe_file(figures)
    times = {name: about[name] for name in ("as_at", "as_known_on")}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*COLUMNS, *times], lineterminator="\r\n")
    writer.writeheader()
    for row in list_rows(figures):
        writer.writerow({**{name: _write_cell(value) for name, value in asdict(row).items()}, **times})
    return buffer.getvalue().encode()


_TOTALS = ("assigned", "excluded", "complete", "not_complete", "hidden")


def _write_cell(value: Any) -> Any:
    return disarm_formula(value) if isinstance(value, str) else value


def write_national_json(figures: NationalFigures) -> bytes:
    """Write the definitions, the sums of each month, and the rows as JSON."""
    document = {
        **describe_file(figures),
        "definitions": [{"term": term, "meaning": meaning} for term, meaning in DEFINITIONS],
        "columns": COLUMNS,
        "totals": [
            {
                "period": month.period.period,
                "forces": month.table.group_count,
                **({name: getattr(month.table.total, name) for name in _TOTALS} if month.table.total else {}),
            }
            for month in figures.months
        ],
        "rows": [asdict(row) for row in list_rows(figures)],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1, default=date.isoformat) + "\n").encode()


def write_national_xlsx(figures: NationalFigures, created: datetime) -> bytes:
    """Write the rows as a workbook, with the meaning of each column. No text can run as a formula.

    Args:
        figures: The rows.
        created: The time of making in the workbook's properties.
    """
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": created.replace(tzinfo=None)})
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        page = book.add_worksheet("Forces")
        page.freeze_panes(1, 0)
        page.write_row(0, 0, list(COLUMNS), bold)
        page.set_column(0, len(COLUMNS) - 1, 14)
        for number, row in enumerate(list_rows(figures), start=1):
            for column, value in enumerate(asdict(row).values()):
                if isinstance(value, date):
                    page.write_datetime(number, column, datetime(value.year, value.month, value.day), day)
                elif value is not None and value != "":
                    page.write(number, column, value)
        _write_meanings(book.add_worksheet("Columns"), figures, bold)
    return buffer.getvalue()


def _write_meanings(page: Any, figures: NationalFigures, bold: Any) -> None:
    page.set_column(0, 0, 20)
    page.set_column(1, 1, 100)
    page.write_row(0, 0, ["column", "meaning"], bold)
    for number, cells in enumerate(
        {**COLUMNS, **describe_file(figures), **dict(DEFINITIONS)}.items(), start=1
    ):
        page.write_row(number, 0, cells)
