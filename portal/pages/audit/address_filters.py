"""Reads the filters of the audit trail from an address, and writes them into one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address

from portal.domain.audit_desk.action_words import GROUP_WORDS, ActionGroup
from portal.domain.audit_desk.acts import CHANNEL_WORDS, OUTCOME_WORDS
from portal.domain.audit_desk.filters import START, AuditFilters, Place
from portal.domain.audit_desk.sight import AuditSight
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import wording as say
from portal.platform.audit.models import Outcome
from portal.platform.audit.origin import Channel, is_request_id
from portal.platform.clock import read_day
from portal.platform.errors import NotFoundError


@dataclass(frozen=True)
class AskedFilters:
    """The filters that an address asks for."""

    filters: AuditFilters
    texts: dict[str, str]  # of the fields that are filled and were not refused

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Each filter in words, with the name of its field."""
        return [(_CHIP_WORDS[name](text), name) for name, text in self.texts.items()]


def read_filters(arguments: QueryArguments, sight: AuditSight) -> AskedFilters:
    """Read the filters; what is refused is noted in ``arguments`` and left out."""
    since, until = _read_day(arguments, "since"), _read_day(arguments, "until")
    if since and until and until < since:
        arguments.refuse("until", "The last day must not be before the first one.")
        until = None
    by, about = _read_person(arguments, "by", sight), _read_person(arguments, "about", sight)
    group = arguments.choice("group", ActionGroup, "kind of act")
    outcome = arguments.choice("outcome", Outcome)
    channel = arguments.choice("channel", [channel for channel in Channel if channel], "way")
    address, request_id = _read_address(arguments), arguments.text("request")
    if request_id and not is_request_id(request_id):
        arguments.refuse("request", "Enter an id as an entry shows it.")
        request_id = ""
    filters = AuditFilters(
        since,
        until,
        by,
        about,
        ActionGroup(group) if group else None,
        Outcome(outcome) if outcome else None,
        Channel(channel) if channel else None,
        address,
        request_id or None,
    )
    texts = {name: text for name, text in arguments.kept if name in NAMES and text.strip()}
    for name, day in (("since", since), ("until", until)):
        if day:
            texts[name] = day.isoformat()
    return AskedFilters(filters, {name: texts[name].strip() for name in NAMES if name in texts})


def read_place(arguments: QueryArguments) -> Place:
    """The place in the list from which the page goes on; the newest act where it is refused."""
    text = arguments.text("before")
    place = Place.parse(text) if text else START
    if place is None:
        arguments.refuse("before", "This is not a place in the list. Begin with the newest entry.")
        return START
    return place


def _read_day(arguments: QueryArguments, name: str) -> date | None:
    text = arguments.text(name)
    day = read_day(text) if text else None
    if text and day is None:
        arguments.refuse(name, "Enter a date, such as 30 April 2026.")
    return day


def _read_person(arguments: QueryArguments, name: str, sight: AuditSight) -> int | None:
    number = arguments.text(name)
    try:
        return sight.find_person(number) if number else None
    except NotFoundError:
        arguments.refuse(name, "Nobody you can see has this staff number.")
        return None


def _read_address(arguments: QueryArguments) -> str | None:
    """The address of a computer, as the trail writes it."""
    text = arguments.text("address")
    try:
        if "%" in text:  # a zone may be any text, and none is recorded
            raise ValueError
        return str(ip_address(text)) if text else None
    except ValueError:
        arguments.refuse("address", "Enter an address, such as 10.1.2.3.")
        return None


_CHIP_WORDS: dict[str, Callable[[str], str]] = {
    "since": lambda text: f"From {say.date(date.fromisoformat(text))}",
    "until": lambda text: f"To {say.date(date.fromisoformat(text))}",
    "by": lambda text: f"By {text}",
    "about": lambda text: f"On {text}",
    "group": lambda text: GROUP_WORDS[ActionGroup(text)],
    "outcome": lambda text: OUTCOME_WORDS[Outcome(text)],
    "channel": lambda text: CHANNEL_WORDS[Channel(text)],
    "address": lambda text: f"From {text}",
    "request": lambda text: f"Request {text}",
}
NAMES = tuple(_CHIP_WORDS)
