"""Examines a file of the watched folder, without a lock: is it imported, held for a person, or set aside?"""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.domain.imports.check_result import CheckResult, EndedPosts, RowFault, Tell
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.file_opening import open_for_profile
from portal.domain.imports.folder import queries
from portal.domain.imports.folder.queries import EarlierImport
from portal.domain.imports.folder.report_lines import list_safe_lines
from portal.domain.imports.queries import list_profiles
from portal.domain.imports.services import CHECKS, Upload
from portal.domain.imports.value_mapping import read_values, word_as_file
from portal.platform.errors import BadInputError, NotFoundError, RuleError, UnknownValueError
from portal.platform.tables.table_files import Sheet
from portal.platform.watched_folder.files import FolderEntry
from portal.platform.wording import date as date_words
from portal.platform.wording import plural


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a file, and why."""

    state: str  # of the `FolderFile`
    reasons: Sequence[str] = ()  # without values of the file
    upload: Upload | None = None  # of a file that could be read as a table
    result: CheckResult | None = None
    asks_values: bool = False  # a person is to say what values mean


def examine_file(entry: FolderEntry, content: bytes, sha256: str, most_ended: int, tell: Tell) -> Verdict:
    """Decide about a file.

    Args:
        entry: Its kind, profile and name.
        content: Its bytes.
        sha256: Of the bytes.
        most_ended: The per cent of posts that it may end without a person's confirmation.
        tell: Is told how far it is; may raise to stop it.
    """
    earlier = queries.find_earlier_import(entry, sha256)
    if earlier and earlier.is_newest:
        return Verdict("repeated")
    try:
        sheet, mapping = open_for_profile(content, entry.name, entry.kind, entry.profile)
    except UnknownValueError as error:  # names profiles
        return Verdict("quarantined", error.reasons)
    except BadInputError as error:
        faults, names = map(RowFault.from_reason, error.reasons), _columns_of_profile(entry)
        return Verdict("quarantined", list_safe_lines(faults, names=names))
    upload = Upload(entry.kind, entry.name, content, sheet, mapping, entry.profile, from_folder=True)
    try:
        result = CHECKS[entry.kind](sheet, mapping, tell)
    except (BadInputError, RuleError, NotFoundError) as error:
        return Verdict("quarantined", list_safe_lines(map(RowFault.from_reason, str(error).splitlines())))
    if result.faults:
        return _judge_faults(upload, result, sheet, mapping)
    reasons = [
        *_say_new_values(result),
        *_say_ended_posts(result.posts, most_ended),
        *_say_earlier(earlier, result),
    ]
    return Verdict("waiting" if reasons else "imported", reasons, upload, result)


def _columns_of_profile(entry: FolderEntry) -> set[str]:
    """The names of columns that a saved profile looks for; none of a built-in one."""
    saved = (profile for profile in list_profiles(entry.kind) if profile.name == entry.profile)
    return {name for profile in saved for name in ColumnMapping.from_json(profile.columns).columns.values()}


def _judge_faults(upload: Upload, result: CheckResult, sheet: Sheet, mapping: ColumnMapping) -> Verdict:
    """A file that only asks what values mean waits for a person; any other with bad rows is set aside."""
    questions = read_values(sheet, mapping).questions
    asked = word_as_file((question.reason for question in questions), sheet, mapping)
    if set(result.faults) <= set(map(RowFault.from_reason, asked)):
        reason = f"A person has to say what {plural(len(questions), 'new value', 'new values')} of it mean."
        return Verdict("waiting", [reason], upload, result, asks_values=True)
    return Verdict(
        "quarantined", list_safe_lines(result.faults, sheet, mapping.columns.values()), upload, result
    )


def _say_new_values(result: CheckResult) -> list[str]:
    """Nobody was asked about values of the portal's own format; the import's page names them."""
    if not result.unasked:
        return []
    values = plural(len(result.unasked), "new rank or role", "new ranks or roles")
    return [f"A person has to confirm {values} of it: perhaps mistyped, or named by no directive."]


def _say_ended_posts(posts: EndedPosts, most_ended: int) -> list[str]:
    if posts.ended * 100 <= posts.current * most_ended:
        return []
    percent = posts.ended * 100 // posts.current
    return [
        f"It would end {posts.ended:,} of {plural(posts.current, 'post')} ({percent}%). "
        f"A person has to confirm more than {most_ended}%."
    ]


def _say_earlier(earlier: EarlierImport | None, result: CheckResult) -> list[str]:
    if earlier is None or result.is_empty:
        return []
    return [
        f"The same file was imported on {date_words(earlier.at)}, and others after it. It would undo those."
    ]
