"""Reading and checking of event types: one TOML file each, named by its key. Pure."""

import re
from dataclasses import dataclass
from datetime import date

from portal.domain.catalogue.sources.keyed_files import KeyedFiles
from portal.platform.formats.toml_tables import Table

SYNDICATE = (4, 7)  # least and most people in one, where the file does not say
LONGEST = {"title": 120, "aim": 600, "audience": 300, "owner": 120}  # characters
MOST_MINUTES = 7 * 24 * 60
MOST_PLACES = 500
MOST_FACILITATORS = 50
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


def _read_event_type(key: str, content: bytes, root: Table) -> EventTypeSource:
    texts = {name: root.line_of_text(name, longest) for name, longest in LONGEST.items()}
    least, most = _read_range(root, "syndicate", SYNDICATE)
    places_least, places_most = _read_range(root, "places", None)
    if places_most < least:
        root.fault("places", f"An event needs places for one syndicate at least: {least} or more.")
    source = EventTypeSource(
        key=key,
        **texts,
        review_on=root.day("review_on"),
        minutes=root.number("minutes", least=1, most=MOST_MINUTES),
        syndicate_least=least,
        syndicate_most=most,
        places_least=places_least,
        places_most=places_most,
        facilitators=root.number("facilitators", least=1, most=MOST_FACILITATORS),
        approval=root.flag("approval"),
        preparation=_read_preparation(root),
        content=content,
    )
    root.close()
    return source


def _read_range(root: Table, key: str, default: tuple[int, int] | None) -> tuple[int, int]:
    """The least and the most of the table ``[key]``; the default where there is none and there may be."""
    if default is not None and not root.has(key):
        return default
    table = root.table(key)
    if table is None:
        return 1, MOST_PLACES
    least, most = (table.number(name, least=1, most=MOST_PLACES) for name in ("least", "most"))
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


EVENT_TYPE_FILES = KeyedFiles(
    noun="an event type",
    example="oic-hydra.toml",
    reserved_keys=("new", "proposals"),  # below /events/types/
    read_table=_read_event_type,
)
