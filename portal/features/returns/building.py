"""Builds a return from the report on a directive: the same counts that the report shows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config import current_settings
from portal.domain.directives.queries import describe_audience, get_directive
from portal.domain.people.staff_numbers import rank_key
from portal.domain.people.visibility import COMMAND_LINE
from portal.domain.reports.foi import NOT_RECORDED, FoiTables, PackTable, make_report_tables
from portal.domain.reports.packs import TOO_FEW
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.status import counts
from portal.domain.status.counts import CountBy
from portal.domain.status.rules import WHOLE, Status
from portal.features.returns.content import (
    DEFINITIONS,
    FORCE,
    LONGEST_LINE,
    LONGEST_TEXT,
    RANK,
    RETURN_SCHEMA,
    ROLE,
    WHOLE_DIRECTIVE,
    ReturnContent,
    ReturnCount,
    last_day_of,
    list_schema_faults,
    list_sum_faults,
)
from portal.platform import wording as say
from portal.platform.clock import format_utc
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.signing.documents import is_genuine, read_document
from portal.platform.signing.keys import SigningKeyError, load_private_key, write_public_key
from portal.platform.signing.settings import LONGEST_NAME, NAME

NO_PERIOD = "Enter a month such as 2026-04."
GroupKey = tuple[int, str, str]  # position of the requirement, grouping, group


def read_period(text: str, today: date) -> str:
    """Read the month that a text names."""
    try:
        last_day = last_day_of(text.strip())
    except ValueError as error:
        raise BadInputError([NO_PERIOD]) from error
    if last_day.year < 2000 or last_day.isoformat()[:7] != text.strip():
        raise BadInputError([NO_PERIOD])
    if last_day >= today:
        raise BadInputError([f"{text.strip()} has not ended. A return is made of a month that has."])
    return text.strip()


def build_return(
    reference: str,
    period: str,
    *,
    force: str,
    force_name: str,
    known_on: datetime,
    today: date,
    round_to: int | None = None,
) -> ReturnContent:
    """Build the first return of a month: the counts of a directive at its end, as known on an instant.

    With ``round_to`` every number is rounded to a multiple of it; None: none is. ``force`` is the short name.

    Raises:
        RuleError: It applied to nobody, or to so few that rounded numbers would say nothing.
    """
    report = _open_report(reference, Position(last_day_of(period), known_on, today, latest=False))
    directive = report.directive
    counts = _count_rounded(report, round_to) if round_to else _count_all_numbers(report)
    return ReturnContent(
        force=force,
        force_name=force_name[:LONGEST_LINE],
        period=period,
        number=1,
        reason="",
        as_at=report.position.as_at.isoformat(),
        as_known_on=format_utc(known_on),
        directive=reference,
        title=directive.title[:LONGEST_TEXT],
        version=directive.version_number,
        threshold=str(directive.target),
        population=_describe_population(reference, directive.version_number),
        small_number=round_to,
        requirements=tuple((f"{row.kind}:{row.key}", row.title) for row in directive.requirements),
        counts=tuple(counts),
    )


def _open_report(reference: str, position: Position) -> CompletionReport:
    report = completion_report(COMMAND_LINE, reference, position)
    if not report.figures.assigned:
        raise RuleError(f"{reference} applied to nobody on {say.date(position.as_at)}.")
    return report


def _describe_population(reference: str, number: int) -> str:
    versions = get_directive(reference).versions
    version = next(version for version in versions if version.number == number)
    return describe_audience(version.file)[:LONGEST_TEXT]


def _count_all_numbers(report: CompletionReport) -> list[ReturnCount]:
    """Every number, of each requirement by role and by rank; one statement."""
    columns = [CountBy.POSITION, CountBy.ROLE, CountBy.RANK, CountBy.STATUS]
    groups: dict[GroupKey, dict[Status, int]] = defaultdict(lambda: defaultdict(int))
    everyone = report.viewer_scope.scope_of(report.directive.id)
    for position, role, rank, status, people in counts.count_by(everyone, columns):
        for key in (
            (position, FORCE, ""),
            (position, ROLE, role or NOT_RECORDED),
            (position, RANK, rank or NOT_RECORDED),
        ):
            groups[key][status] += people
    keys = {WHOLE: WHOLE_DIRECTIVE} | {
        row.position: f"{row.kind}:{row.key}" for row in report.directive.requirements
    }
    return [
        count
        for position, requirement in keys.items()
        for grouping in (FORCE, ROLE, RANK)
        for count in _list_group_counts(groups, (position, grouping), requirement)
    ]


def _list_group_counts(
    groups: dict[GroupKey, dict[Status, int]], part: tuple[int, str], requirement: str
) -> Iterator[ReturnCount]:
    position, grouping = part
    names = sorted(group for *key, group in groups if tuple(key) == part)
    if grouping == RANK:
        names.sort(key=rank_key)
    if grouping == FORCE and not names:
        yield ReturnCount(requirement, FORCE, "", 0, 0, 0)
    for name in names:
        counts = groups[position, grouping, name]
        excluded = sum(people for status, people in counts.items() if status.excluded)
        complete = sum(people for status, people in counts.items() if status.held)
        group = name[:LONGEST_LINE]
        yield ReturnCount(requirement, grouping, group, sum(counts.values()), excluded, complete)


def _count_rounded(report: CompletionReport, small: int) -> list[ReturnCount]:
    if report.figures.assigned < 2 * small:
        raise RuleError(TOO_FEW)
    keys = [f"{row.kind}:{row.key}" for row in report.directive.requirements]
    return list_rounded(make_report_tables(report, small), keys)


def list_rounded(tables: FoiTables, keys: Sequence[str]) -> list[ReturnCount]:
    """What the FOI pack of the same position shows, and nothing else.

    So a return and an FOI pack together tell no more than the pack alone. By role and by rank the whole
    directive is counted, the requirements for the force.

    Args:
        tables: Those of the pack.
        keys: Kind and key of each requirement.
    """
    excluded = tables.people - tables.counted
    whole = ReturnCount(WHOLE_DIRECTIVE, FORCE, "", tables.people, excluded, tables.complete)
    by_group = [
        count
        for key, grouping in (("roles", ROLE), ("ranks", RANK))
        for table in tables.tables
        if table.key == key
        for count in _read_table(table, grouping)
    ]
    shown = _read_requirements(tables)
    requirements = [
        ReturnCount(key, FORCE, "", tables.people, excluded, shown[key])
        if key in shown
        else ReturnCount(key, FORCE, "", None, None, None)
        for key in keys
    ]
    return [whole, *by_group, *requirements]


def _read_table(table: PackTable, grouping: str) -> Iterator[ReturnCount]:
    """The rows of a table of groups, without its last, which is everyone."""
    for row in table.rows[:-1]:
        cells = _name_cells(table, row)
        numbers = (cells["people"], cells["not_counted"], cells["complete"])
        yield ReturnCount(WHOLE_DIRECTIVE, grouping, str(row[0])[:LONGEST_LINE], *numbers)


def _read_requirements(tables: FoiTables) -> dict[str, int]:
    """How many completed each requirement; empty if not everybody has the same ones."""
    requirement_tables: Iterable[PackTable] = (
        table for table in tables.tables if table.key == "requirements"
    )
    return {
        f"{row[0]}:{row[1]}": _name_cells(table, row)["complete"]
        for table in requirement_tables
        for row in table.rows
    }


def _name_cells(table: PackTable, row: Sequence[str | int]) -> dict[str, int]:
    """The numbers of a row by the header of their column."""
    cells = zip((column.header for column in table.columns), row, strict=True)
    return {header: cell for header, cell in cells if isinstance(cell, int)}


# Finds the key with which this portal signs, and the key that verifies comparisons, by the settings.

NO_KEY = "This portal has no key to sign with: an operator makes one with flask returns keys make."
NO_COORDINATOR_KEY = "An operator first sets COORDINATOR_KEY, the public key of the coordinating unit."


def load_own_key() -> Ed25519PrivateKey:
    """Load the private key of this portal."""
    settings = current_settings()
    path = settings.returns.find_key_file(settings.mode, settings.instance)
    if path is None or not path.exists():
        raise RuleError(NO_KEY)
    try:
        return load_private_key(path)
    except SigningKeyError as error:
        raise RuleError(f"RETURN_KEY_FILE {error}.") from error


def find_own_public_key() -> str:
    """Find the public key of this portal; "" where there is no key that can be used."""
    try:
        return write_public_key(load_own_key())
    except RuleError:
        return ""


def find_comparison_key() -> str:
    """Find the public key of the coordinating unit: as set, or this portal's own where it is that unit."""
    settings = current_settings()
    own_key = find_own_public_key() if is_coordinator() else ""
    if key := settings.returns.coordinator_key or own_key:
        return key
    raise RuleError(NO_COORDINATOR_KEY)


def own_short_name() -> str:
    """The short name under which this force makes returns."""
    settings = current_settings()
    return settings.returns.name_force(settings.force_name)


def is_coordinator() -> bool:
    """Whether this portal receives the returns of all forces."""
    settings = current_settings()
    return settings.returns.is_coordinator(settings.mode)


def refuse_unless_coordinator() -> None:
    """Refuse what only a coordinating unit can do."""
    if not is_coordinator():
        raise NotFoundError("Only a coordinating unit can do this. Set COORDINATOR to on.")


# Checks a return as its receiver does: schema, signature, period, definitions and sums.

SCHEMA, SIGNATURE, PERIOD, MEANINGS, SUMS = "schema", "signature", "period", "definitions", "sums"
DIRECTIVE = "directive"
CHECKS = {  # each check in the order in which it is made, and what it asks
    SCHEMA: "Is it written as the published schema says?",
    SIGNATURE: "Did the force sign it, with a key that was valid on the day it came?",
    PERIOD: "Is it of the last day of a month that has ended?",
    MEANINGS: "Do its words mean the same as those of every force?",
    SUMS: "Do its numbers add up, and are small ones hidden where it says so?",
    DIRECTIVE: "Is it on the directive of the returns received before?",
}


@dataclass(frozen=True, slots=True)
class CheckedReturn:
    """The content of a file, as far as it could be read, and the faults of each check."""

    content: ReturnContent | None  # None: it does not fit the schema
    key_id: int | None  # of the key that verified it
    faults: tuple[tuple[str, str], ...]  # the check, of ``CHECKS``, and a sentence

    @property
    def has_passed(self) -> bool:
        """Whether every check was passed."""
        return not self.faults

    @property
    def sentences(self) -> list[str]:
        """The faults, a sentence each."""
        return [sentence for _, sentence in self.faults]

    def faults_of(self, check: str) -> list[str] | None:
        """The faults that one check found; None: the check was not made."""
        if self.content is None and check != SCHEMA:
            return None
        return [sentence for name, sentence in self.faults if name == check]


def check_return(content: bytes, keys: Mapping[int, str], on: date, *, force: str = "") -> CheckedReturn:
    """Check a return.

    Args:
        content: The file.
        keys: The public keys, valid on the day, of the force that the file names, by their ids.
        on: The London day on which it came.
        force: The short name of the force whose keys they are; "" where no such force is known.
    """
    try:
        document = read_document(content)
    except BadInputError as error:
        return CheckedReturn(None, None, tuple((SCHEMA, reason) for reason in error.reasons))
    if reasons := list_schema_faults(document, RETURN_SCHEMA):
        return CheckedReturn(None, None, tuple((SCHEMA, reason) for reason in reasons))
    read = ReturnContent.from_document(document)
    key_id = find_signer(document, keys) if read.force == force else None
    faults = [
        *((SIGNATURE, reason) for reason in _list_signature_faults(read, key_id, force)),
        *((PERIOD, reason) for reason in _list_period_faults(read, on)),
        *((MEANINGS, reason) for reason in _list_meaning_faults(read)),
        *((SUMS, reason) for reason in list_sum_faults(read)),
    ]
    return CheckedReturn(read, key_id, tuple(faults))


def read_claimed_force(content: bytes) -> str:
    """Read the short name of the force that an unchecked file names; "" where it names none."""
    try:
        force = read_document(content).get("force")
    except BadInputError:
        return ""
    key = force.get("key") if isinstance(force, dict) else None
    if not isinstance(key, str) or len(key) > LONGEST_NAME:
        return ""
    return key if NAME.fullmatch(key) else ""


def find_signer(document: dict[str, Any], keys: Mapping[int, str]) -> int | None:
    """Find the key with which a document is signed: its id; None: it is signed with none of these."""
    return next((key_id for key_id, key in keys.items() if is_genuine(document, key)), None)


def _list_signature_faults(read: ReturnContent, key_id: int | None, force: str) -> list[str]:
    if read.force != force:
        return [f"No force is registered as “{read.force}”."]
    if key_id is None:
        return ["No key that this force had on the day verifies it: it was changed, or signed with another."]
    return []


def _list_period_faults(read: ReturnContent, on: date) -> list[str]:
    faults = []
    if read.as_at != last_day_of(read.period).isoformat():
        faults.append(f"It counts on {read.as_at}, which is not the last day of {read.period}.")
    if read.as_at >= on.isoformat():
        faults.append(f"The period {read.period} has not ended.")
    faults += _list_instant_faults(read, on)
    if read.number > 1 and not read.reason.strip():
        faults.append("It is a correction, and does not say why it was made.")
    return faults


def _list_instant_faults(read: ReturnContent, on: date) -> list[str]:
    try:
        known_on = datetime.fromisoformat(read.as_known_on).date()
    except ValueError:
        return [f"There is no such time as {read.as_known_on}."]
    faults = []
    if known_on.isoformat() < read.as_at:
        faults.append("It was made before its period ended.")
    if known_on > on:
        faults.append("It says that it was made after the day on which it came.")
    return faults


def _list_meaning_faults(read: ReturnContent) -> list[str]:
    stated, expected = dict(read.definitions), dict(DEFINITIONS)
    faults = [f"“{term}” is not defined." for term in expected if term not in stated]
    faults += [
        f"“{term}” means something else here." for term in expected if stated.get(term, "") != expected[term]
    ]
    faults += [f"“{term}” is not a term that returns use." for term in stated if term not in expected]
    faults += ["A word is defined twice."] if len(stated) != len(read.definitions) else []
    undefined = {f"“{term}” means something else here." for term in expected if term not in stated}
    return [fault for fault in faults if fault not in undefined]
