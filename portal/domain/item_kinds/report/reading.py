"""Reading of report items as written by their authors."""

from dataclasses import dataclass

from portal.domain.item_kinds.choices import ChoiceText, check_one_correct, read_choices
from portal.platform.formats.toml_tables import Table, read_key

PART_KINDS = ("choice", "text")
MAX_PARTS, MAX_PHRASES = 20, 12


@dataclass(frozen=True)
class ReportPartText:
    """One part of the form: a choice that is marked, or a text to be compared with a model answer."""

    key: str
    label: str
    kind: str  # "choice" or "text"
    choices: tuple[ChoiceText, ...]
    model: str
    checklist: tuple[str, ...]
    line: int
    shown_as_list: bool = False  # the choices are picked from a list, as in the form that officers fill in


@dataclass(frozen=True)
class ReportText:
    """The content of an item of kind report, as written."""

    incident: str
    incident_line: int
    parts: tuple[ReportPartText, ...]
    phrases: tuple[str, ...] = ()  # of a case: what a manager may say of a text that is shown to them
    phrases_line: int = 1


def read_report(table: Table, key: str, prefix: str) -> ReportText:
    """Read the incident and the parts; at least one part must be marked."""
    incident = table.text("incident")
    parts: list[ReportPartText] = []
    for row in table.tables("part", f"[[{prefix}part]]"):
        part = _read_part(row, prefix)
        if part is None:
            continue
        if part.key and any(part.key == other.key for other in parts):
            row.fault("key", f"The key “{part.key}” is used twice in this item. Give each part its own.")
        parts.append(part)
    if parts and not any(part.kind == "choice" for part in parts):
        table.fault(
            "", f"The report “{key}” has no part of kind “choice”, so nothing can be marked. Add one."
        )
    if len(parts) > MAX_PARTS:
        table.fault("part", f"Keep the report “{key}” to {MAX_PARTS} parts.")
    phrases = table.texts("phrases", required=False) if not prefix else []
    if len(phrases) > MAX_PHRASES:
        table.fault("phrases", f"Keep the phrases to {MAX_PHRASES}, so that somebody reads them all.")
    return ReportText(
        incident, table.line_of("incident"), tuple(parts), tuple(phrases), table.line_of("phrases")
    )


def _read_part(row: Table, prefix: str) -> ReportPartText | None:
    key, label, kind = read_key(row), row.text("label"), row.text("kind")
    if kind not in PART_KINDS:
        if kind:
            row.fault("kind", f"“{kind}” is not a kind of part. Use choice or text.")
        return None
    choices: tuple[ChoiceText, ...] = ()
    model, checklist, shown_as_list = "", [], False
    if kind == "choice":
        shown_as_list = row.flag("list")
        choices = read_choices(row, f"[[{prefix}part.choice]]")
        check_one_correct(row, key, choices, what="part")
    else:
        model, checklist = row.text("model"), row.texts("checklist")
        if row.has("checklist") and not checklist:
            row.fault("checklist", "Name at least one thing to look for.")
    row.close()
    return ReportPartText(key, label, kind, choices, model, tuple(checklist), row.line, shown_as_list)
