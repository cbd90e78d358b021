"""Reads a directive's TOML file; reports all faults at once, each with what to write instead."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeGuard

from portal.platform.errors import BadInputError
from portal.platform.formats.toml_writer import format_toml
from portal.platform.tables.columns import FileColumn

RESERVED_REFERENCES = ("new", "preview")  # other pages below /directives/
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")  # part of addresses and file names
MOST_DAYS = 36_500
MOST_BYTES = 256 * 1024  # of a file that a browser sends

KINDS = ("module", "event", "guide")
_TEXTS = "a text, or a list of texts"
DIRECTIVE_KEYS = (  # of a table after its name and a dot; examples are TOML, one for each table of a list
    FileColumn(
        "reference", "Its name in addresses and files.", "letters, digits and hyphens", ('"OIC-2026"',)
    ),
    FileColumn("title", "Its title.", "a text", ('"Organised immigration crime e-learning"',)),
    FileColumn("source", "Who asks for it.", "a text", ('"Inspection recommendation"',)),
    FileColumn(
        "wording", "What it says, word for word.", "a text", ('"All response officers complete it."',)
    ),
    FileColumn("owner", "Who answers for it.", "a staff number in the portal", ('"W4001"',)),
    FileColumn("effective_on", "From which day it holds.", "YYYY-MM-DD, without quotes", ("2025-09-01",)),
    FileColumn(
        "note", "A remark for its readers, which the portal does not keep.", "a text", ("",), required=False
    ),
    FileColumn(
        "target", "The share that must be complete.", "from 0 to 1; else 1", ("0.95",), required=False
    ),
    FileColumn(
        "notice_days",
        "How many days before the due date people are reminded.",
        "a list of whole numbers",
        ("[30, 7, 1]",),
        required=False,
    ),
    FileColumn(
        "expiring_days",
        "How many days before its end a completion is shown as expiring.",
        "a whole number; else 0",
        ("60",),
        required=False,
    ),
    FileColumn("withdrawn", "Whether it no longer holds.", "true or false", ("false",), required=False),
    FileColumn(
        "due.on", "The due date for everyone.", "YYYY-MM-DD, without quotes", ("2026-04-30",), required=False
    ),
    FileColumn(
        "due.days_after_joining",
        "The due date, so many days after somebody joins the audience. One of the two keys is needed; of "
        "both, the later day counts.",
        "a whole number",
        ("60",),
        required=False,
    ),
    FileColumn("validity.months", "How long a completion counts.", "whole months", ("12",), required=False),
    FileColumn(
        "validity.yearly_on",
        "In place of months: a completion counts until such a day of a year.",
        'a text, MM-DD, such as "04-30"',
        ("",),
        required=False,
    ),
    FileColumn(
        "validity.minimum_gap_months",
        "With yearly_on: the first such day that is at least so many months later.",
        "whole months",
        ("",),
        required=False,
    ),
    FileColumn(
        "audience.designated_role",
        "To whom it applies. One table is needed, with one key at least. A post must fit all keys of a "
        "table, and one of the tables.",
        _TEXTS,
        ('["response", "contact"]', ""),
        required=False,
    ),
    FileColumn(
        "audience.unit_under",
        "Units with all below them, by path.",
        _TEXTS,
        ('"Westshire Police"', ""),
        required=False,
    ),
    FileColumn("audience.rank_or_grade", "Ranks or grades.", _TEXTS, ("", '"Inspector"'), required=False),
    FileColumn(
        "except.designated_role",
        "To whom it does not apply; the keys are those of audience.",
        _TEXTS,
        ('"student officer"',),
        required=False,
    ),
    FileColumn("except.unit_under", "Units.", _TEXTS, ("",), required=False),
    FileColumn("except.rank_or_grade", "Ranks or grades.", _TEXTS, ("",), required=False),
    FileColumn(
        "requirement.kind", "What is to be completed.", f"one of {', '.join(KINDS)}", ('"module"',) * 2
    ),
    FileColumn("requirement.key", "Its key; it must be published.", "a text", ('"respond"', '"protect"')),
)
LISTS = ("audience", "except", "requirement")  # tables that may be there more than once
TOP_KEYS = tuple(dict.fromkeys(key.name.partition(".")[0] for key in DIRECTIVE_KEYS))


def _keys_of(table: str) -> tuple[str, ...]:
    prefix = f"{table}."
    return tuple(key.name.removeprefix(prefix) for key in DIRECTIVE_KEYS if key.name.startswith(prefix))


def write_example() -> str:
    """The example of a directive, with a line above each key that says what it means."""
    lines: list[str] = []
    for table in dict.fromkeys(key.name.rpartition(".")[0] for key in DIRECTIVE_KEYS):
        keys = [key for key in DIRECTIVE_KEYS if key.name.rpartition(".")[0] == table]
        for place in range(len(keys[0].examples)):
            lines += ["", f"[[{table}]]" if table in LISTS else f"[{table}]"] if table else []
            for key in keys:
                name, text = key.name.rpartition(".")[2], key.examples[place]
                lines += [*[f"# {name}: {key.meaning}"] * (not place), *[f"{name} = {text}"] * bool(text)]
    return "\n".join([*lines, ""])


Selectors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class DirectiveFile:
    """A directive as its owner wrote it, with unit paths."""

    reference: str
    title: str
    source: str
    wording: str
    owner: str  # a staff number
    effective_on: date
    target: Decimal
    notice_days: list[int]
    expiring_days: int
    withdrawn: bool
    due_fixed_on: date | None
    due_days_after_joining: int | None
    validity_months: int | None
    yearly_on: str | None
    minimum_gap_months: int | None
    audience: list[Selectors]
    exceptions: list[Selectors]
    requirements: list[tuple[str, str]]  # kind and key


@dataclass(slots=True)
class _DirectiveReader:
    """Takes values out of parsed TOML and collects their faults."""

    faults: list[str] = field(default_factory=list)

    def refuse_unknown_keys(self, values: Mapping[str, Any], allowed: Sequence[str], where: str = "") -> None:
        for key in values:
            if key not in allowed:
                self.faults.append(f"{where}{key}: is not a known key. Known keys: {', '.join(allowed)}.")

    def read_text(self, values: Mapping[str, Any], key: str, where: str = "") -> str:
        value = values.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.faults.append(f'{where}{key}: write a text, such as {key} = "…".')
        return ""

    def read_day(self, values: Mapping[str, Any], key: str, where: str = "") -> date | None:
        value = values.get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if value is not None:
            self.faults.append(f"{where}{key}: write a date without quotes, such as 2026-04-30.")
        return None

    def read_number(self, values: Mapping[str, Any], key: str, least: int, where: str = "") -> int | None:
        value = values.get(key)
        if _is_whole_number(value, least) and value <= MOST_DAYS:
            return value
        if value is not None:
            self.faults.append(f"{where}{key}: write a whole number from {least} to {MOST_DAYS}.")
        return None

    def read_table(self, values: Mapping[str, Any], key: str, allowed: Sequence[str]) -> Mapping[str, Any]:
        value = values.get(key, {})
        if not isinstance(value, dict):
            self.faults.append(f"{key}: write a table, [{key}].")
            return {}
        self.refuse_unknown_keys(value, allowed, f"{key}.")
        return value

    def read_tables(
        self, values: Mapping[str, Any], key: str, allowed: Sequence[str]
    ) -> list[Mapping[str, Any]]:
        value = values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.faults.append(f"{key}: write tables, each [[{key}]].")
            return []
        for number, each in enumerate(value, 1):
            self.refuse_unknown_keys(each, allowed, f"{key} {number}: ")
        return value

    def read_selectors(self, values: Mapping[str, Any], key: str) -> list[Selectors]:
        selectors = []
        for number, table in enumerate(self.read_tables(values, key, _keys_of(key)), 1):
            if not table:
                self.faults.append(f"{key} {number}: name at least one of {', '.join(_keys_of(key))}.")
            selectors.append({k: self._read_texts(v, f"{key} {number}: {k}") for k, v in table.items()})
        return selectors

    def _read_texts(self, value: Any, where: str) -> list[str]:
        values = [value] if isinstance(value, str) else value
        if isinstance(values, list) and values and all(isinstance(v, str) and v.strip() for v in values):
            return list(values)
        self.faults.append(f"{where}: write a text, or a list of texts.")
        return []


def _is_whole_number(value: Any, least: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def read_directive(content: bytes) -> DirectiveFile:
    """Read the directive from the file's bytes."""
    try:
        values = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError([f"The file is not TOML in UTF-8: {error}."]) from error
    reader = _DirectiveReader()
    reader.refuse_unknown_keys(values, TOP_KEYS)
    directive = _read_directive(reader, values)
    if reader.faults:
        raise BadInputError(reader.faults)
    return directive


def _read_reference(reader: _DirectiveReader, values: Mapping[str, Any]) -> str:
    reference = reader.read_text(values, "reference")
    if reference and not _REFERENCE.fullmatch(reference):
        reader.faults.append("reference: use only letters, digits and hyphens, such as OIC-2026.")
    if reference in RESERVED_REFERENCES:
        reader.faults.append(f"reference: {reference!r} is the address of another page. Choose another.")
    return reference


def _read_directive(reader: _DirectiveReader, values: Mapping[str, Any]) -> DirectiveFile:
    effective_on = reader.read_day(values, "effective_on")
    if "effective_on" not in values:
        reader.faults.append("effective_on: write the day it takes effect, such as 2025-09-01.")
    return DirectiveFile(
        reference=_read_reference(reader, values),
        title=reader.read_text(values, "title"),
        source=reader.read_text(values, "source"),
        wording=reader.read_text(values, "wording"),
        owner=reader.read_text(values, "owner"),
        effective_on=effective_on or date.min,
        target=_read_target(reader, values),
        notice_days=_read_notice_days(reader, values),
        expiring_days=reader.read_number(values, "expiring_days", 0) or 0,
        withdrawn=_read_withdrawn(reader, values),
        **_read_due_rule(reader, values),
        **_read_validity(reader, values),
        audience=_read_audience(reader, values),
        exceptions=reader.read_selectors(values, "except"),
        requirements=_read_requirements(reader, values),
    )


def _read_target(reader: _DirectiveReader, values: Mapping[str, Any]) -> Decimal:
    value = values.get("target", 1)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return Decimal(str(value))
    reader.faults.append("target: write the share that must be complete, from 0 to 1.0.")
    return Decimal(1)


def _read_notice_days(reader: _DirectiveReader, values: Mapping[str, Any]) -> list[int]:
    value = values.get("notice_days", [])
    if isinstance(value, list) and all(_is_whole_number(days, 0) for days in value):
        return list(value)
    reader.faults.append("notice_days: write days before the due date, such as [30, 7, 1].")
    return []


def _read_withdrawn(reader: _DirectiveReader, values: Mapping[str, Any]) -> bool:
    value = values.get("withdrawn", False)
    if not isinstance(value, bool):
        reader.faults.append("withdrawn: write true or false.")
    return value is True


def _read_due_rule(reader: _DirectiveReader, values: Mapping[str, Any]) -> dict[str, Any]:
    table = reader.read_table(values, "due", _keys_of("due"))
    if not table:
        reader.faults.append("due: write [due] with on, days_after_joining, or both.")
    return {
        "due_fixed_on": reader.read_day(table, "on", "due."),
        "due_days_after_joining": reader.read_number(table, "days_after_joining", 0, "due."),
    }


def _read_validity(reader: _DirectiveReader, values: Mapping[str, Any]) -> dict[str, Any]:
    table = reader.read_table(values, "validity", _keys_of("validity"))
    if "validity" in values and ("months" in table) == ("yearly_on" in table):
        reader.faults.append("validity: write either months, or yearly_on with minimum_gap_months.")
    if ("yearly_on" in table) != ("minimum_gap_months" in table):
        reader.faults.append("validity: yearly_on and minimum_gap_months go together.")
    return {
        "validity_months": reader.read_number(table, "months", 1, "validity."),
        "yearly_on": _read_day_of_year(reader, table.get("yearly_on")),
        "minimum_gap_months": reader.read_number(table, "minimum_gap_months", 0, "validity."),
    }


def _read_day_of_year(reader: _DirectiveReader, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d\d-\d\d", value):
        try:
            date.fromisoformat(f"2025-{value}")  # a common year: every year must have the day
        except ValueError:
            pass
        else:
            return value
    reader.faults.append('validity.yearly_on: write a day that every year has, such as "04-30".')
    return None


def _read_audience(reader: _DirectiveReader, values: Mapping[str, Any]) -> list[Selectors]:
    audience = reader.read_selectors(values, "audience")
    if not values.get("audience"):
        reader.faults.append("audience: write at least one [[audience]].")
    return audience


def _read_requirements(reader: _DirectiveReader, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    requirements: list[tuple[str, str]] = []
    for number, table in enumerate(reader.read_tables(values, "requirement", _keys_of("requirement")), 1):
        where = f"requirement {number}: "
        requirement = (reader.read_text(table, "kind", where), reader.read_text(table, "key", where))
        if requirement[0] and requirement[0] not in KINDS:
            reader.faults.append(f"{where}kind: write one of {', '.join(KINDS)}.")
        if requirement in requirements:
            reader.faults.append(f"{where}{requirement[0]} {requirement[1]} is listed twice.")
        requirements.append(requirement)
    if not requirements:
        reader.faults.append("requirement: write at least one [[requirement]].")
    return requirements


# Writes a directive as a TOML file that ``read_directive`` reads back.

_WRITTEN_KEYS = (
    "reference",
    "title",
    "source",
    "wording",
    "owner",
    "effective_on",
    "target",
    "notice_days",
    "expiring_days",
)


def to_toml(file: DirectiveFile) -> bytes:
    """The bytes of the TOML file; reading them gives an equal ``DirectiveFile``."""
    validity = {
        "months": file.validity_months,
        "yearly_on": file.yearly_on,
        "minimum_gap_months": file.minimum_gap_months,
    }
    table = {key: getattr(file, key) for key in _WRITTEN_KEYS} | {
        "target": float(file.target),
        "withdrawn": file.withdrawn or None,
        "due": _given({"on": file.due_fixed_on, "days_after_joining": file.due_days_after_joining}),
        "validity": _given(validity) or None,
        "audience": file.audience,
        "except": file.exceptions or None,
        "requirement": [{"kind": kind, "key": key} for kind, key in file.requirements],
    }
    return format_toml(_given(table)).encode()


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are given."""
    return {key: value for key, value in values.items() if value is not None}
