"""Size limits of drafts, and the checks of a file's path, size and encoding."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta

from portal.domain.authoring.errors import TooLargeError, UnreadableFileError
from portal.domain.catalogue.media.media_types import media_kind
from portal.domain.catalogue.media.played import most_bytes
from portal.platform.wording import size_words

TEXT_BYTES = 200 * 1024  # one lesson, the job aid, module.toml or one file of items
MEDIA_BYTES = 5 * 1024 * 1024  # one file of media, but sound and film, which have limits of their own
DRAFT_BYTES = 50 * 1024 * 1024  # all files of one state
DRAFT_FILES = 200
SUMMARY_CHARACTERS = 200
INACTIVE_AFTER = timedelta(minutes=15)  # an editor not seen for longer no longer counts as editing


def check_file(path: str, content: bytes, places: re.Pattern[str], noun: str) -> None:
    """Refuse a file with an unknown path, one that is too large, and one that cannot be parsed.

    Args:
        path: The file's path in the folder.
        content: Its bytes.
        places: The pattern of permitted paths.
        noun: The draft's subject in a word, such as “module”.

    Raises:
        TooLargeError: The file is above its size limit.
        UnreadableFileError: The path is not permitted, the text is not UTF-8 with LF, or its TOML is invalid.
    """
    if not places.fullmatch(path):
        raise UnreadableFileError(f"“{path}” does not belong in a {noun}.")
    if path.startswith("media/"):
        most = most_bytes(media_kind(content) or "") or MEDIA_BYTES
        if len(content) > most:
            raise TooLargeError(
                f"“{path}” is {size_words(len(content))}. A file may have up to {size_words(most)}."
            )
        return
    if len(content) > TEXT_BYTES:
        most = TEXT_BYTES // 1024
        raise TooLargeError(
            f"This text is too long: {len(content) // 1024:,} KB. The limit is {most} KB."
            " Split it in two, or shorten it. Nothing was saved."
        )
    _check_text(path, content)


def check_state(before: Mapping[str, int], after: Mapping[str, int], noun: str) -> None:
    """Refuse a change that exceeds the limits of a draft; a change that reduces an excess is accepted.

    Args:
        before: The size of each file in bytes, by path.
        after: The same after the change.
        noun: The draft's subject in a word, such as “module”.

    Raises:
        TooLargeError: There are too many files, or too many bytes in all.
    """
    if len(after) > max(DRAFT_FILES, len(before)):
        raise TooLargeError(f"A {noun} may have up to {DRAFT_FILES} files. Remove one first.")
    if sum(after.values()) > max(DRAFT_BYTES, sum(before.values())):
        raise TooLargeError(
            f"All files of a {noun} together may have up to {size_words(DRAFT_BYTES)}."
            f" These would have {size_words(sum(after.values()))}. Remove one first."
        )


def _check_text(path: str, content: bytes) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"“{path}” is not UTF-8 text.") from error
    if "\r" in text:
        raise UnreadableFileError(f"“{path}” has CR LF line ends. Use LF only.")
    toml = text if path.endswith(".toml") else _front_matter(path, text)
    try:
        tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"“{path}” could not be read after this change: {error}.") from error


def _front_matter(path: str, text: str) -> str:
    rows = text.split("\n")
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        raise UnreadableFileError(f"“{path}” has lost its front matter between two lines +++.")
    return "\n".join(rows[1 : ends[1]])
