"""Writes the end of docs/operating/imports.md, and docs/examples/imports, from the columns of the readers.

Run by ``make data-model``; a test compares the files with the code.
"""

from pathlib import Path

from portal.domain.imports.columns import FileFormat, list_formats
from portal.feature import list_features

PAGE = Path(__file__).parent / "operating" / "imports.md"
FOLDER = Path(__file__).parent / "examples" / "imports"
HEAD = """\
## The portal’s own formats

<!-- From here written by `make data-model` from the columns of the readers. Change them, then run it. -->

CSV in UTF-8, with commas, and XLSX. The first line has the names of the columns, in any order;
others are refused. One wrong row, and nothing is recorded. Every example is under **Imports**,
**Formats and examples**, and in `docs/examples/imports/`. It is of a fictional force, and goes in
as it is in this order: the roster first; then the modules that it names, the directive, and the
others.
"""


def draw() -> str:
    """The whole page, whose end is written anew."""
    before = PAGE.read_text(encoding="utf-8").partition(HEAD.partition("\n")[0])[0]
    return before + HEAD + "".join(map(_section, list_formats(list_features())))


def _section(form: FileFormat) -> str:
    noun = "Key" if form.name.endswith(".toml") else "Column"
    rows = (
        f"| `{c.name}` | {c.need} | {c.meaning} | {c.written} | {_code(c.example)} |\n" for c in form.columns
    )
    return (
        f"\n### {form.title}\n\n{form.lead}\n\nBy command: `{form.command}`\n\n"
        f"| {noun} | Needed | Meaning | Written as | Example |\n|---|---|---|---|---|\n{''.join(rows)}"
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def main() -> None:
    """Write the page and the examples."""
    PAGE.write_text(draw(), encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for form in list_formats(list_features()):
        (FOLDER / form.name).write_text(form.example, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
