"""Reading and checking of event types: one TOML file each, named by its key. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from portal.domain.catalogue.sources.folder_reader import KEY_PATTERN, decode_text
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import LONGEST_KEY, Source, Table

MOST_BYTES = 64 * 1024  # of one file
SYNDICATE = (4, 7)  # least and most people in one, where the file does not say
LONGEST = {"title": 120, "aim": 600, "audience": 300, "owner": 120}  # characters
MOST_MINUTES = 7 * 24 * 60
MOST_PLACES = 500
MOST_FACILITATORS = 50
RESERVED_KEYS = ("new", "proposals")  # other pages below /events/types/
_PREPARATION = re.compile(r"(module|guide):([A-Za-z0-9][A-Za-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class EventTypeSource:
    """An event type as written."""

    key: str
    title: str
    aim: str
    audience: str  # in words
    owner: str
    review_on: date
    minutes: int
    syndicate_least: int
    syndicate_most: int
    places_least: int
    places_most: int
    facilitators: int
    approval: bool
    preparation: list[str]  # "module:key" or "guide:key"
    content: bytes  # the file


def check_event_types(files: Mapping[str, bytes], faults: Faults) -> list[EventTypeSource]:
    """Read and check event types by the names of their files, in that order."""
    return [
        source
        for name, content in sorted(files.items())
        if (source := check_event_type(name.removesuffix(".toml"), content, faults))
    ]


def check_event_type(key: str, content: bytes, faults: Faults) -> EventTypeSource | None:
    """Read and check one event type; None where its file is not TOML or its key cannot be one."""
    path = f"{key}.toml"
    if not KEY_PATTERN.fullmatch(key) or len(key) > LONGEST_KEY:
        faults.add(path, None, "Name an event type with small letters, digits and single hyphens.")
        return None
    if key in RESERVED_KEYS:
        faults.add(path, None, f"“{key}” is the address of another page. Choose another name.")
        return None
    if len(content) > MOST_BYTES:
        faults.add(path, None, f"Keep this file under {MOST_BYTES // 1024} KB.")
        return None
    text = decode_text(content, path, faults)
    root = Source(text, path, faults).root() if text is not None else None
    return None if root is None else _read_event_type(key, content, root)


def _read_event_type(key: str, content: bytes, root: Table) -> EventTypeSource:
    texts = {name: _read_line(root, name, longest) for name, longest in LONGEST.items()}
    least, most = _read_range(root, "syndicate", SYNDICATE)
    places_least, places_most = _read_range(root, "places", None)
    if places_most < least:
        root.fault("places", f"An event needs places for one syndicate at least: {least} or more.")
    source = EventTypeSource(
        key=key,
        **texts,
        review_on=root.day("review_on"),
        minutes=_read_number(root, "minutes", MOST_MINUTES),
        syndicate_least=least,
        syndicate_most=most,
        places_least=places_least,
        places_most=places_most,
        facilitators=_read_number(root, "facilitators", MOST_FACILITATORS),
        approval=root.flag("approval"),
        preparation=_read_preparation(root),
        content=content,
    )
    root.close()
    return source


def _read_line(root: Table, key: str, longest: int) -> str:
    text = " ".join(root.text(key).split())
    if len(text) > longest:
        root.fault(key, f"“{key}” has {len(text)} characters. Use {longest} or fewer.")
    return text


def _read_number(table: Table, key: str, most: int) -> int:
    number = table.number(key, least=1)
    if number > most:
        table.fault(key, f"“{key}” is {number}. Use {most} or fewer.")
    return number


def _read_range(root: Table, key: str, default: tuple[int, int] | None) -> tuple[int, int]:
    """The least and the most of the table ``[key]``; the default where there is none and there may be."""
    if default is not None and not root.has(key):
        return default
    table = root.table(key)
    if table is None:
        return 1, MOST_PLACES
    least, most = _read_number(table, "least", MOST_PLACES), _read_number(table, "most", MOST_PLACES)
    if least > most:
        table.fault("most", f"“most” is {most}, and “least” is {least}. Swap them, or change one.")
    table.close()
    return least, most


def _read_preparation(root: Table) -> list[str]:
    names = root.texts("preparation", required=False)
    for name in names:
        if not _PREPARATION.fullmatch(name):
            reason = f"“{name}” is neither a module nor a guide. Write “module:key” or “guide:key”."
            root.fault("preparation", reason)
    return names
