"""Writes a directive as a TOML file that ``read_directive`` reads back."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from portal.domain.directives.toml_reader import DirectiveFile


def to_toml(file: DirectiveFile) -> bytes:
    """The bytes of the TOML file; reading them gives an equal ``DirectiveFile``."""
    return "\n".join(_write_lines(file)).encode() + b"\n"


def _write_lines(file: DirectiveFile) -> Iterator[str]:
    for key in ("reference", "title", "source", "wording", "owner", "effective_on", "target"):
        yield f"{key} = {_write_value(getattr(file, key))}"
    yield f"notice_days = {_write_value(file.notice_days)}"
    yield f"expiring_days = {file.expiring_days}"
    if file.withdrawn:
        yield "withdrawn = true"
    yield from _write_table(
        "[due]", {"on": file.due_fixed_on, "days_after_joining": file.due_days_after_joining}
    )
    validity = {
        "months": file.validity_months,
        "yearly_on": file.yearly_on,
        "minimum_gap_months": file.minimum_gap_months,
    }
    if any(value is not None for value in validity.values()):
        yield from _write_table("[validity]", validity)
    for heading, tables in (("[[audience]]", file.audience), ("[[except]]", file.exceptions)):
        for table in tables:
            yield from _write_table(heading, table)
    for kind, key in file.requirements:
        yield from _write_table("[[requirement]]", {"kind": kind, "key": key})


def _write_table(heading: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield heading
    yield from (f"{key} = {_write_value(value)}" for key, value in values.items() if value is not None)


def _write_value(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(float(value))
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
