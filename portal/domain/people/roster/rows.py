"""Parses a roster's rows into typed values, and lists the faults of each row with its line."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portal.domain.people.roster.columns import FILLED_COLUMNS
from portal.domain.people.staff_numbers import find_number_faults, fold_staff_number
from portal.domain.people.units import paths
from portal.platform.errors import BadInputError, RuleError
from portal.platform.tables.table_files import SourceRow

MOST_CHARACTERS = {name: 200 for name in ("surname", "forenames", "rank_or_grade", "designated_role")} | {
    "email": 254,
    "post_key": 100,
}  # characters
MOST_NAMES, LONGEST_NAME = 20, 200  # of a unit's path, and of each name in it
EARLIEST_DAY = date(1900, 1, 1)  # an earlier day is a typing error
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EMAIL = re.compile(r"[^@\s]+@([\w-]+\.)+[\w-]{2,}")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One post of a roster, or the withdrawal of one, of which only the key counts."""

    line: int
    staff_number: str
    surname: str
    forenames: str
    email: str | None  # lower case
    says_email: bool  # otherwise the file has no addresses, and a person's stays as it is
    rank_or_grade: str
    designated_role: str
    unit: tuple[str, ...]  # names from the force down
    manager: str | None  # a staff number
    valid_from: date
    valid_to: date | None
    post_key: str
    withdraw: bool


def fold_numbers(row: SourceRow) -> SourceRow:
    """The row with its staff numbers as the portal keeps them."""
    columns = ("staff_number", "line_manager_staff_number")
    folded = {name: fold_staff_number(row.values[name]) for name in columns}
    return SourceRow(row.line, row.values | folded)


def parse_rows_with_faults(rows: Iterable[SourceRow]) -> tuple[list[RosterRow], list[str]]:
    """The good rows as typed values, and every reason why a row is bad, with its line."""
    parsed, reasons = [], []
    for row in rows:
        try:
            parsed.append(_parse_row(row))
        except BadInputError as error:
            reasons += [f"Line {row.line}: {reason}" for reason in error.reasons]
    return parsed, reasons


def parse_iso_date(text: str) -> date | None:
    """The day of an ISO date; None if the text is not one."""
    try:
        return date.fromisoformat(text) if _ISO_DAY.fullmatch(text) else None
    except ValueError:
        return None


def _parse_row(row: SourceRow) -> RosterRow:
    values = row.values
    withdraw = values["withdraw"] == "yes"
    reasons = _find_missing_values(values, withdraw) + _find_unfit_values(values) + _find_date_faults(values)
    if values["withdraw"] not in {"", "yes", "no"}:
        reasons.append(f"withdraw is {values['withdraw']!r}. Write 'yes', or leave it empty.")
    email = values.get("email", "")
    reasons += _find_email_faults(email)
    unit: tuple[str, ...] = ()
    if values["unit_path"] and not withdraw:
        try:
            unit = paths.split(values["unit_path"])
            reasons += _find_path_faults(unit)
        except RuleError as error:
            reasons.append(str(error))
    valid_from = parse_iso_date(values["valid_from"])
    if reasons or valid_from is None:
        raise BadInputError(reasons)
    return RosterRow(
        line=row.line,
        **{name: values[name] for name in ("staff_number", "surname", "forenames")},
        **{name: values[name] for name in ("rank_or_grade", "designated_role", "post_key")},
        email=email.lower() or None,
        says_email="email" in values,
        unit=unit,
        manager=values["line_manager_staff_number"] or None,
        valid_from=valid_from,
        valid_to=parse_iso_date(values["valid_to"]),
        withdraw=withdraw,
    )


def _find_missing_values(values: dict[str, str], withdraw: bool) -> list[str]:
    needed = ("staff_number",) if withdraw else FILLED_COLUMNS
    return [f"{name} is empty." for name in needed if not values[name]]


def _find_unfit_values(values: dict[str, str]) -> list[str]:
    """Reasons for values that are too long for a page, or cannot be part of an address."""
    reasons = [
        f"{name} has more than {most} characters."
        for name, most in MOST_CHARACTERS.items()
        if len(values.get(name, "")) > most
    ]
    return reasons + find_number_faults(values["staff_number"])


def _find_email_faults(email: str) -> list[str]:
    if not email or (_EMAIL.fullmatch(email) and email.isprintable()):
        return []
    return [f"email {email!r} is not an email address."]


def find_name_faults(values: dict[str, str]) -> list[str]:
    """Why names, a staff number and an address of these columns cannot be kept; empty if they can."""
    return _find_unfit_values(values) + _find_email_faults(values["email"])


def _find_path_faults(unit: tuple[str, ...]) -> list[str]:
    reasons = []
    if len(unit) > MOST_NAMES:
        reasons.append(f"unit_path has more than {MOST_NAMES} names.")
    if any(len(name) > LONGEST_NAME for name in unit):
        reasons.append(f"A unit's name has more than {LONGEST_NAME} characters.")
    return reasons


def _find_date_faults(values: dict[str, str]) -> list[str]:
    reasons = []
    start, end = parse_iso_date(values["valid_from"]), parse_iso_date(values["valid_to"])
    if start is None:
        reasons.append(_describe_date_fault("valid_from", values["valid_from"]))
    elif start < EARLIEST_DAY:
        reasons.append(f"valid_from {values['valid_from']!r} lies before {EARLIEST_DAY.year}.")
    if values["valid_to"] and end is None:
        reasons.append(_describe_date_fault("valid_to", values["valid_to"]))
    if start and end and end < start:
        reasons.append(f"valid_to {end.isoformat()} lies before valid_from {start.isoformat()}.")
    return reasons


def _describe_date_fault(name: str, text: str) -> str:
    return f"{name} {text!r} is not a date. Write it as 2026-04-30." if text else f"{name} is empty."
