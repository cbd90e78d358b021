"""How much the desk takes, in one place, and what no draft may hold."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta

from portal.domain.authoring.errors import TooLargeError, UnreadableFileError

TEXT_BYTES = 200 * 1024  # one lesson, the job aid, module.toml or one file of items
MEDIA_BYTES = 5 * 1024 * 1024  # one file of media
DRAFT_BYTES = 50 * 1024 * 1024  # all files of one state
DRAFT_FILES = 200
SUMMARY_CHARACTERS = 200
INACTIVE_AFTER = timedelta(minutes=15)  # a person not seen for so long no longer holds their place


def check_file(path: str, content: bytes, places: re.Pattern[str], what: str) -> None:
    """Refuse what has no place in a folder, is too large, or could not be read again.

    Args:
        path: The file.
        content: Its bytes.
        places: Paths that there may be.
        what: What the draft is of, such as “module”.

    Raises:
        TooLargeError: The file is larger than a file of its place may be.
        UnreadableFileError: It is no UTF-8 with LF, or its TOML cannot be read.
    """
    if not places.fullmatch(path):
        raise UnreadableFileError(f"“{path}” has no place in a {what}.")
    if path.startswith("media/"):
        if len(content) > MEDIA_BYTES:
            raise TooLargeError(
                f"“{path}” is {_format_megabytes(len(content))}."
                f" A file may have up to {_format_megabytes(MEDIA_BYTES)}."
            )
        return
    if len(content) > TEXT_BYTES:
        most = TEXT_BYTES // 1024
        raise TooLargeError(
            f"This text is too long: {len(content) // 1024:,} KB, where {most} KB are the most."
            " Split it in two, or shorten it. Nothing was saved."
        )
    _check_text(path, content)


def check_state(before: Mapping[str, int], after: Mapping[str, int], what: str) -> None:
    """Refuse a change that leaves too many files, or too much of them; one that makes it less is taken.

    Args:
        before: Bytes of each file by path.
        after: The same after the change.
        what: What the draft is of, such as “module”.

    Raises:
        TooLargeError: There is too much.
    """
    if len(after) > max(DRAFT_FILES, len(before)):
        raise TooLargeError(f"A {what} may have up to {DRAFT_FILES} files. Take one out first.")
    if sum(after.values()) > max(DRAFT_BYTES, sum(before.values())):
        raise TooLargeError(
            f"All files of a {what} together may have up to {_format_megabytes(DRAFT_BYTES)}."
            f" These would have {_format_megabytes(sum(after.values()))}. Take one out first."
        )


def _check_text(path: str, content: bytes) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"“{path}” is not UTF-8 text.") from error
    if "\r" in text:
        raise UnreadableFileError(f"“{path}” ends lines with CR LF. Lines end with LF alone.")
    written = text if path.endswith(".toml") else _front_matter(path, text)
    try:
        tomllib.loads(written)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"“{path}” could not be read after this change: {error}.") from error


def _front_matter(path: str, text: str) -> str:
    rows = text.split("\n")
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        raise UnreadableFileError(f"“{path}” has lost its front matter between two lines +++.")
    return "\n".join(rows[1 : ends[1]])


def _format_megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB".replace(".0 ", " ")
