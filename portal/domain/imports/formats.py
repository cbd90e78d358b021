"""The portal's own formats of files, with an example of each, from the columns that their readers know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from portal.domain.dip_samples import importing
from portal.domain.directives import exclusions, toml_reader
from portal.domain.imports import profiles
from portal.domain.people.roster import columns as roster
from portal.platform.tables.file_columns import FileColumn, write_example


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One format, and where a file of it goes in."""

    name: str  # of the example
    title: str
    lead: str
    command: str
    columns: Sequence[FileColumn]
    write: Callable[[Sequence[FileColumn]], str] = field(default=write_example, repr=False)

    @property
    def example(self) -> str:
        """The example's text."""
        return self.write(self.columns)


FORMATS = (
    FileFormat(
        "roster.csv",
        "Roster",
        "One row for each post of a person: who works where, in which role, from which day to which.",
        "people import roster.csv",
        roster.COLUMNS,
    ),
    FileFormat(
        "completions.csv",
        "Prior completions",
        "One row for each completion in another system.",
        "records import completions.csv",
        profiles.COMPLETION_COLUMNS,
    ),
    FileFormat(
        "completions-wide.csv",
        "Prior completions, a row for each person",
        "One row for each person, and a column for each module, guide or event.",
        "records import completions-wide.csv --profile wide",
        (*profiles.WIDE_COLUMNS, *profiles.MODULE_COLUMNS),
    ),
    FileFormat(
        "exemptions.csv",
        "Exemptions and deferrals",
        "One row for each decision. The directive and the people must be in the portal.",
        "directives exclude exemptions.csv",
        exclusions.FILE_COLUMNS,
    ),
    FileFormat(
        "dip-samples.csv",
        "Dip samples",
        "One row for each unit and month. On pages: “Dip samples”, “Import a spreadsheet”.",
        "dip-samples import dip-samples.csv --by W4001",
        importing.COLUMNS,
    ),
    FileFormat(
        "directive.toml",
        "Directive",
        "One directive as TOML in UTF-8. Modules, guides and events that it requires must be published.",
        "directives issue directive.toml",
        toml_reader.DIRECTIVE_KEYS,
        lambda _keys: toml_reader.write_example(),
    ),
)
