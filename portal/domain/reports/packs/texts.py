"""What a pack says of itself in words: its read-me file, its definitions, and how it is checked."""

import textwrap
from collections.abc import Iterable, Sequence

from portal.domain.reports import sentences
from portal.domain.reports.packs.archive import PackFile
from portal.domain.reports.packs.foi_tables import GROUPS, FoiTables
from portal.domain.reports.packs.kinds import MANIFEST, SUMS
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import CompletionReport
from portal.domain.status.rules import Status
from portal.platform import wording as say

ROUNDED_NUMBERS = "Rounded numbers"  # the term of definitions that say how numbers are rounded
_WIDTH = 90  # characters of a line of the read-me file
Definitions = list[tuple[str, str]]

STATUS_MEANINGS = {
    Status.OVERDUE: "Not completed, and the due date has passed.",
    Status.EXPIRED: "Completed once, but it no longer counts, and the due date has passed.",
    Status.NOT_STARTED: "Not started, and not yet due.",
    Status.IN_PROGRESS: "Started, not completed, and not yet due.",
    Status.EXPIRING: "Completed; it still counts, but stops counting soon.",
    Status.SATISFIED: "Completed, and it counts.",
    Status.DEFERRED: "Need not complete it for now: a later due date was decided. Not counted.",
    Status.EXEMPT: "Need not complete it. Not counted.",
}


def status_definitions() -> Definitions:
    """What each status means."""
    return [(f"Status {status.label}", meaning) for status, meaning in STATUS_MEANINGS.items()]


def time_definitions(position: Position) -> Definitions:
    """What both times of a pack mean."""
    times = position.pinned
    return [
        ("As at", f"{times['as_at']}. Positions are counted at the end of this day, UK time."),
        ("As known on", f"{times['as_known_on']}. No record entered later is used."),
    ]


def foi_definitions(report: CompletionReport, tables: FoiTables, small: int) -> Definitions:
    """The definitions of an FOI pack; every number of people in them is rounded as in its tables."""
    directive = report.directive
    rule = f"{sentences.due_rule(directive)}. {sentences.validity_sentence(directive)}"
    groups = [
        (f"Group {group.label}", f"{' or '.join(status.label.lower() for status in group.statuses)}.")
        for group in GROUPS
    ]
    return [
        ("Directive", f"{directive.reference}: {directive.title}"),
        ("Recommendation", directive.source),
        ("Rule", f"Version {directive.version_number}: {rule}"),
        ("Answer", foi_headline(report, tables, small)),
        *time_definitions(report.position),
        ("Complete", "A person is complete when every requirement is."),
        ("Counted", "Everybody to whom the directive applied and who was neither exempt nor deferred."),
        (
            "Percentage",
            "Of those counted, or of everyone, as it says; worked out from rounded numbers, so about right.",
        ),
        *groups,
        *status_definitions(),
        *((ROUNDED_NUMBERS, sentence) for sentence in rounding_sentences(tables, small)),
    ]


def foi_headline(report: CompletionReport, tables: FoiTables, small: int) -> str:
    """The answer, by rounded numbers alone."""
    day, multiple = say.date(report.position.as_at), f"rounded to a multiple of {small}"
    people = say.plural(tables.people, "person", "people")
    if not tables.counted:
        return f"On {day}, {report.directive.reference} applied to about {people}, {multiple}"
    percent = say.percent_cut(tables.complete, tables.counted)
    counted = say.plural(tables.counted, "person", "people")
    return f"On {day}, about {percent} were complete: {say.number(tables.complete)} of {counted}, {multiple}"


def rounding_sentences(tables: FoiTables, small: int) -> list[str]:
    """How the numbers of an FOI pack are rounded, and why, for whoever reads them."""
    merged = [table.title.removeprefix("People by ") for table in tables.tables if table.merged]
    return [
        f"Every number of people is rounded to a multiple of {small}, up or down, so that nobody can tell "
        f"that a number is from 1 to {small - 1}. It is seldom {small} or more from the truth.",
        f"0 stands for 0 to {small - 1}. A number is more often rounded to the nearer multiple, not always.",
        "Numbers add up: each total is the sum of its rounded parts, and is the same in every table. The "
        "method is called controlled rounding.",
        "The same number of the same people is rounded alike in each pack, wherever the sums allow it.",
        *(
            [
                f"Groups of fewer than {2 * small} people are not named: they are in the rows that begin "
                f"with “Other”. This is so in the tables by {_list_words(merged)}."
            ]
            if merged
            else []
        ),
        *tables.left_out,
        "Percentages are worked out from rounded numbers, and cut to whole per cents.",
        "Reasons for exemptions and deferrals are not given. No name, staff number or date about one "
        "person is in this pack.",
        f"This pack counts the whole force. A difference between two packs is a multiple of {small} too: it "
        "does not show that so many people changed. Not prevented: who has two packs of this directive, and "
        "knows that exactly one person of one unit changed between them, can sometimes tell how.",
    ]


def _list_words(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def readme_text(kind: str, report: CompletionReport, paragraphs: Iterable[str], files: list[PackFile]) -> str:
    """The read-me file of a directive's pack: what the pack is, of which times, and how to check it."""
    directive = report.directive
    subject = f"{directive.reference}: {directive.title}"
    return describe_pack(f"{kind}, {directive.reference}", subject, report.position, paragraphs, files)


def describe_pack(
    heading: str, subject: str, position: Position, paragraphs: Iterable[str], files: Sequence[PackFile]
) -> str:
    """The read-me file of any pack: what it is, of which times, what is in it, and how to check it.

    Args:
        heading: What it is.
        subject: What it is about.
        position: Its two times.
        paragraphs: What is to be said of it.
        files: What is in it, this file aside.
    """
    known = position.pinned["as_known_on"]
    lines = [
        heading,
        "=" * len(heading),
        "",
        *textwrap.wrap(subject, _WIDTH),
        f"{sentences.both_times(position)}.",
        f"Records entered after {known} are not used.",
        "",
        *(line for paragraph in paragraphs for line in (*textwrap.wrap(paragraph, _WIDTH), "")),
        "What is in it",
        "-------------",
        *(f"{file.name}: {file.contents}" for file in files),
        f"{MANIFEST}: this list with sizes and hashes, for programs.",
        f"{SUMS}: the SHA-256 hash of each file.",
        "",
        "How to check that nothing was changed",
        "-------------------------------------",
        "Unpack the ZIP, open a terminal in its folder, and type:",
        f"  Linux:    sha256sum -c {SUMS}",
        f"  macOS:    shasum -a 256 -c {SUMS}",
        "  Windows:  Get-FileHash *    (PowerShell; compare with the file by eye)",
        'Each file is "OK" if it is as it was when the pack was made. Whoever gave you the pack can tell you',
        "the SHA-256 of the ZIP itself: the portal's audit trail keeps it. The portal makes the same pack",
        "again from the same two times.",
    ]
    return "\n".join(lines) + "\n"
