"""Formats the legal review sheet: every statement of law of each module, with room for a solicitor. Pure."""

import re

from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.sources.shared_files import parse_shared
from portal.domain.content_checks.legal_statements import LegalStatement, list_statements
from portal.platform.formats.faults import Faults

COMMAND = "flask --app wsgi modules legal-review modules --into docs/modules/legal-review.md"
_HEAD = f"""# Legal review

Every statement of the modules that names a section, a power, a duty, a number or a date, with its
source. A force's solicitor reads them before the modules are used, and writes a name and a date
into the row. The mark belongs to the words: when an author changes them, the row is a new one, and
its boxes are empty again. Names and dates of other rows are kept.

Written by `{COMMAND[: COMMAND.index(" --into")]}`
with `--into` and this file; a test says when it is stale. In the column of sources are the numbers
of `modules/_sources.toml`; *practice* is settled good practice without a source of law, and
**none** asks the author to name one.
"""
_ROW = re.compile(r"\| `([0-9a-f]{8})` \|.*\| ([^|]*) \| ([^|]*) \|")
_COLUMNS = ("Mark", "Statement", "Where", "Source", "Solicitor", "Date")


def format_sheet(folder: CheckedFolder, old_sheet: str = "") -> str:
    """Format the sheet of every module; names and dates of ``old_sheet`` stay with unchanged words."""
    signed = {match[1]: (match[2].strip(), match[3].strip()) for match in _ROW.finditer(old_sheet)}
    sources = parse_shared(folder.shared, Faults()).sources
    parts = [_HEAD]
    for checked in folder.modules:
        rows = [_format_row(each, signed) for each in list_statements(checked.package, sources)]
        parts += [f"\n## {checked.package.title}\n", f"{len(rows)} statements.\n"]
        parts += [f"| {' | '.join(_COLUMNS)} |", f"|{' --- |' * len(_COLUMNS)}", *rows]
    return "\n".join(parts) + "\n"


def _format_row(statement: LegalStatement, signed: dict[str, tuple[str, str]]) -> str:
    name, date = signed.get(statement.mark, ("", ""))
    source = ", ".join("*practice*" if each == "practice" else each for each in statement.sources)
    cells = (f"`{statement.mark}`", statement.text, statement.place, source or "**none**", name, date)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
