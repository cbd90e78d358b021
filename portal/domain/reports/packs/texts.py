"""What a pack says of itself in words: its read-me file, its definitions, and how it is checked."""

import textwrap
from collections.abc import Iterable, Sequence

from portal.domain.reports import sentences
from portal.domain.reports.packs.archive import PackFile
from portal.domain.reports.packs.foi_tables import GROUPS, HIDDEN, FoiTables
from portal.domain.reports.packs.kinds import MANIFEST, SUMS
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import CompletionReport
from portal.domain.status.rules import Status
from portal.platform import wording as say

HIDDEN_NUMBERS = "Hidden numbers"  # the term of definitions that say what is hidden
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
    """The definitions of an FOI pack; no number that its tables hide is in them."""
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
        ("Answer", foi_headline(report, tables)),
        *time_definitions(report.position),
        ("Complete", "A person is complete when every requirement is."),
        ("Counted", "Everybody to whom the directive applied and who was neither exempt nor deferred."),
        (
            "Percentage",
            "Of those counted, or of everyone, as it says; rounded down, so 100% means all of them.",
        ),
        *groups,
        *status_definitions(),
        *((HIDDEN_NUMBERS, sentence) for sentence in suppression_sentences(tables, small)),
    ]


def foi_headline(report: CompletionReport, tables: FoiTables) -> str:
    """The answer, by published numbers alone."""
    day = say.date(report.position.as_at)
    people = say.plural(tables.people, "person", "people")
    if not tables.counted or tables.complete is None:
        return f"On {day}, {report.directive.reference} applied to {people}"
    percent = say.percent_cut(tables.complete, tables.counted)
    counted = say.plural(tables.counted, "person", "people")
    return f"On {day}, {percent} were complete: {say.number(tables.complete)} of {counted}"


def suppression_sentences(tables: FoiTables, small: int) -> list[str]:
    """What is hidden in the tables of an FOI pack, and why, for whoever reads them."""
    merged = [table.title.removeprefix("People by ") for table in tables.tables if table.merged]
    hidden = sum(cell == HIDDEN for table in tables.tables for row in table.rows for cell in row)
    many = f"{say.plural(hidden, 'cell is', 'cells are')} hidden." if hidden else "No number is hidden."
    return [
        f"{many} {HIDDEN} means that a number is hidden: it is from 1 to {small - 1}, or it would let a "
        f"reader work out a number from 1 to {small - 1}. Nothing shows which of the two.",
        "0 is shown: it says of nobody that they did something.",
        f"Statuses that fewer than {small} people have are counted together with the next. A table puts more "
        "statuses together where that lets it show more numbers.",
        *(
            [
                f"Groups of fewer than {2 * small} people are not named: they are in the rows that begin "
                f"with “Other”. This is so in the tables by {_list_words(merged)}."
            ]
            if merged
            else []
        ),
        *tables.left_out,
        "Percentages are worked out from numbers that are shown, and rounded down.",
        "Reasons for exemptions and deferrals are not given. No name, staff number or date about one "
        "person is in this pack.",
        "This pack counts the whole force. None is made of a part of it, so two packs of the same times "
        "cannot be subtracted. Two packs of different times can be compared: a difference shows how many "
        "people's status changed between them.",
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
