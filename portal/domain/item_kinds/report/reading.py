"""A report to be written up, as written by its author."""

from dataclasses import dataclass

from portal.domain.item_kinds.choices import Choice, check_one_correct, read_choices
from portal.platform.formats.keys import read_key
from portal.platform.formats.toml_tables import Table

KINDS = ("choice", "text")
MOST = 20


@dataclass(frozen=True)
class Part:
    """One part of the form: a choice that is marked, or a text that is compared."""

    key: str
    label: str
    kind: str  # "choice" or "text"
    choices: tuple[Choice, ...]
    model: str
    checklist: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Report:
    """The content of an item of kind report, as written."""

    incident: str
    incident_line: int
    parts: tuple[Part, ...]


def read(table: Table, key: str, prefix: str) -> Report:
    """The incident and the parts, one of them or more marked."""
    incident = table.text("incident")
    parts: list[Part] = []
    for row in table.tables("part", f"[[{prefix}part]]"):
        part = _part(row, prefix)
        if part is None:
            continue
        if part.key and any(part.key == other.key for other in parts):
            row.fault("key", f"The key “{part.key}” is used twice in this item. Give each part its own.")
        parts.append(part)
    if parts and not any(part.kind == "choice" for part in parts):
        table.fault(
            "", f"The report “{key}” has no part of kind “choice”, so nothing can be marked. Add one."
        )
    if len(parts) > MOST:
        table.fault("part", f"Keep the report “{key}” to {MOST} parts.")
    return Report(incident, table.line_of("incident"), tuple(parts))


def _part(row: Table, prefix: str) -> Part | None:
    key, label, kind = read_key(row), row.text("label"), row.text("kind")
    if kind not in KINDS:
        if kind:
            row.fault("kind", f"“{kind}” is not a kind of part. Use choice or text.")
        return None
    choices: tuple[Choice, ...] = ()
    model, checklist = "", []
    if kind == "choice":
        choices = read_choices(row, f"[[{prefix}part.choice]]")
        check_one_correct(row, key, choices, what="part")
    else:
        model, checklist = row.text("model"), row.texts("checklist")
        if row.has("checklist") and not checklist:
            row.fault("checklist", "Name at least one thing to look for.")
    row.close()
    return Part(key, label, kind, choices, model, tuple(checklist), row.line)
