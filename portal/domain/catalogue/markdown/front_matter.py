"""Front matter of Markdown files: TOML between two lines of ``+++``, then the text."""

from dataclasses import dataclass

from portal.domain.catalogue.sources.folder_reader import decode_text
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import Source, Table


@dataclass(frozen=True)
class FrontMatter:
    """The front matter and the body of a Markdown file."""

    table: Table
    body: str
    body_line: int  # the line of the file on which the body begins


def read_front_matter(content: bytes, shown_path: str, faults: Faults) -> FrontMatter | None:
    """Split the file into front matter and body; None, with a fault added, if it cannot be read."""
    text = decode_text(content, shown_path, faults)
    if text is None:
        return None
    rows = text.split("\n")
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        faults.add(shown_path, 1, "Begin with front matter: a line +++, the keys, and a line +++.")
        return None
    table = Source("\n".join(rows[1 : ends[1]]), shown_path, faults, first_line=2).root()
    if table is None:
        return None
    head = FrontMatter(table, "\n".join(rows[ends[1] + 1 :]), ends[1] + 2)
    if not head.body.strip():
        faults.add(shown_path, head.body_line, "Write the text below the front matter.")
    return head
