"""The sentence of one audit event, and its details as pairs of words."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from portal.domain.accounts.grants.grant_list import role_words
from portal.domain.audit_desk.action_words import ACTIONS
from portal.platform import wording as say
from portal.platform.clock import LONDON
from portal.platform.permissions import Role

PERSON_KEYS = frozenset(
    {"by", "about", "asked_by"}
)  # ids of people: named only as far as the reader may see them
HIDDEN_KEYS = PERSON_KEYS | {"unit_id", "facts", "draft", "sha256", "digest"}  # of use to the database alone
LONGEST_VALUE = 200
_OPTIONAL = re.compile(r"\[([^][]*)\]")
_FIELD = re.compile(r"\{(\w+)\}")
_PAGES = {
    "person": "training",
    "record": "record",
    "account": "account",
    "decision": "requests and decisions",
    "data_request": "request about their data",
    "attempts": "attempts",
    "reminder": "reminders",
    "copy": "text that they showed",
    "disclosures": "who saw this person’s data",
}
_KEY_WORDS = {
    "as_at": "as at",
    "as_known_on": "as known on",
    "from_on": "from",
    "until": "until",
    "kept_class": "class of data",
}


def sentence_of(action: str, detail: Mapping[str, Any], unit: str = "") -> str:
    """What was done, in plain words; the bare action where this release has none for it.

    Args:
        action: Of the event.
        detail: Of the event.
        unit: The label of the unit that the detail names; empty if it names none.
    """
    words = ACTIONS.get(action)
    if words is None:
        return action
    fields = {key: value_words(key, value) for key, value in detail.items() if value is not None}
    fields |= {"unit": unit} if unit else {}
    shown = _OPTIONAL.sub(lambda part: part[1] if _has_all(part[1], fields) else "", words.text)
    return _FIELD.sub(lambda field: fields.get(field[1], "(not recorded)"), shown)


def _has_all(text: str, fields: Mapping[str, str]) -> bool:
    return all(fields.get(name) for name in _FIELD.findall(text))


def _day_words(value: Any) -> str:
    return say.date(date.fromisoformat(str(value)))


_WORDS: dict[str, Callable[[Any], str]] = {
    "role": lambda value: role_words(Role(value)),
    "people": lambda value: say.plural(value, "person", "people"),
    "rows": lambda value: say.plural(value, "row"),
    "minutes": lambda value: say.plural(value, "minute"),
    "page": lambda value: _PAGES.get(value, value),
    "format": lambda value: str(value).upper(),
    "until": _day_words,
    "on": _day_words,
    "day": _day_words,
    "from_on": _day_words,
    "as_at": _day_words,
    "as_known_on": lambda value: exact_time(datetime.fromisoformat(value)),
}
ISO_DAY = 10  # characters
_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d\S*)?$")
_NAMES = frozenset(
    {"reference", "directive", "module", "guide", "event_type", "name", "token", "endpoint", "message", "job"}
)


def value_words(key: str, value: Any) -> str:
    """One value of a detail as pages say it: on one line, and never longer than a line or two."""
    try:
        text = _WORDS[key](value) if key in _WORDS else _plain_words(key, value)
    except (TypeError, ValueError):  # a value of another release
        text = str(value)
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_VALUE else f"{line[:LONGEST_VALUE]}…"


def _plain_words(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return say.number(value)
    if isinstance(value, list):
        return ", ".join(value_words(key, item) for item in value)
    if key in _NAMES:
        return str(value)
    return _time_words(str(value)) if _ISO.match(str(value)) else str(value).replace("_", " ")


def _time_words(text: str) -> str:
    """A day or an instant in ISO 8601 in words; of other texts a ValueError."""
    if len(text) == ISO_DAY:
        return _day_words(text)
    return exact_time(datetime.fromisoformat(text))


def detail_pairs(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The details of an event that people can read, each with its name."""
    for key, value in detail.items():
        if key not in HIDDEN_KEYS and value not in (None, "", []):
            yield _KEY_WORDS.get(key, key.replace("_", " ")).capitalize(), value_words(key, value)


def exact_time(moment: datetime) -> str:
    """The second of an instant in London, with its offset's name: an hour comes twice each October.

    >>> from datetime import UTC
    >>> [exact_time(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) for hour in (0, 1)]
    ['01:30:00 BST on 25 October 2026', '01:30:00 GMT on 25 October 2026']
    """
    return f"{moment.astimezone(LONDON):%H:%M:%S %Z} on {say.date(moment)}"
