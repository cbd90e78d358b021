"""The audit desk: who did what, on whom, from where; and who saw one person's data. Reading is logged."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import ip_address

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import StringField
from wtforms.fields import SelectChoice

from portal.domain.audit_desk import queries, services
from portal.domain.audit_desk.action_words import GROUP_WORDS, ActionGroup
from portal.domain.audit_desk.queries import (
    CHANNEL_WORDS,
    OUTCOME_WORDS,
    START,
    Act,
    AuditFilters,
    AuditSight,
    Place,
    any_file_undescribed,
    describe_events,
    exact_time,
    list_disclosures,
)
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.fields import drop_down, text_as_typed
from portal.pages.layout.forms import PlainForm
from portal.pages.layout.query_arguments import PAGE_SIZE, QueryArguments, address
from portal.pages.layout.sessions.step_up import MANY_PEOPLE, require_recent_sign_in
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.audit import AuditEvent, Channel, Outcome, is_request_id
from portal.platform.clock import read_day
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import number

# Reads the filters of the audit trail from an address, and writes them into one.


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


# The filter of the audit trail, sent in the address.


def _choices(anything: str, words: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    choices = [SelectChoice(value=value, label=label) for value, label in words]
    return [SelectChoice(value="", label=anything), *choices]


def _text_field(label: str, hint: str = "") -> StringField:
    return text_as_typed(label, hint, spellcheck=False)


class AuditFilterForm(PlainForm):
    """Which acts are listed."""

    since = _text_field("From", "For example, 1 April 2026.")
    until = _text_field("To", "This day is included.")
    by = _text_field("Done by", "A staff number.")
    about = _text_field("Done to", "A staff number.")
    group = drop_down("What", choices=_choices("Anything", GROUP_WORDS.items()), validate_choice=False)
    outcome = drop_down(
        "Outcome", choices=_choices("Any outcome", OUTCOME_WORDS.items()), validate_choice=False
    )
    channel = drop_down("How", choices=_choices("Any way", CHANNEL_WORDS.items()), validate_choice=False)
    address = _text_field("From the address", "Of a computer or network, such as 10.1.2.3.")
    request = _text_field("Request", "The id that an entry or the log shows.")


bp = Blueprint("audit", __name__, url_prefix="/audit", template_folder="templates")
bp.add_app_template_filter(exact_time, "exact_time")

TOO_MANY_ROWS = (
    f"A file has at most {number(queries.MOST_ROWS)} entries, and these are more. Choose a shorter period."
)


@dataclass(frozen=True, slots=True)
class ActPage:
    """One page of a list of acts, with the addresses of its neighbours."""

    acts: Sequence[Act]
    newest_url: str | None  # None: this is the newest page
    older_url: str | None  # None: nothing is older


@bp.get("")
@requires(Permission.AUDIT_VIEW)
def list_acts() -> ResponseReturnValue:
    """Who did what, newest first, as far as the reader may see it."""
    arguments, sight = QueryArguments(request.args, request.path), AuditSight(current_user.viewer)
    asked, place = read_filters(arguments, sight), read_place(arguments)
    _log_view(asked.filters)
    events = queries.list_events(sight, asked.filters, place, limit=PAGE_SIZE + 1)
    form = AuditFilterForm(data=_form_values(arguments, asked))
    for sentence, name in arguments.faults:
        if name in form:
            form[name].errors = [sentence]
    html = render_template(
        "audit/list.html",
        page_of_acts=_page_of(sight, events, place, asked.texts),
        form=form,
        asked=asked,
        chips=[(words, _address_without(asked, name)) for words, name in asked.chips],
        clear_url=request.path,
        csv_url=address(url_for(".download_acts"), asked.texts.items()),
        is_whole=sight.is_whole,
        errors=arguments.errors(form._fields),
    )
    return html, arguments.status


@bp.get("/people/<staff_number>")
@requires(Permission.AUDIT_VIEW)
def show_disclosures(staff_number: str) -> ResponseReturnValue:
    """Whenever somebody else saw one person's data or took it in a file."""
    arguments, sight = QueryArguments(request.args, request.path), AuditSight(current_user.viewer)
    person_id, place = sight.find_person(staff_number), read_place(arguments)
    _log_view(AuditFilters(about_id=person_id), "disclosures")
    events = list_disclosures(person_id, place, limit=PAGE_SIZE + 1)
    html = render_template(
        "audit/person.html",
        page_of_acts=_page_of(sight, events, place, {}),
        person=sight.name_people([person_id])[person_id],
        staff_number=staff_number,
        undescribed_files=any_file_undescribed(),
        errors=arguments.errors(),
    )
    return html, arguments.status


@bp.get("/acts.csv")
@requires(Permission.AUDIT_VIEW)
@limiter.limit("10 per 5 minutes")
def download_acts() -> ResponseReturnValue:
    """The same acts as CSV, recorded before the first row is sent."""
    arguments, sight = QueryArguments(request.args), AuditSight(current_user.viewer)
    arguments.only(NAMES)
    asked = read_filters(arguments, sight)
    arguments.raise_faults()
    filters, newest_id = asked.filters, queries.newest_id()
    rows = queries.count_events(sight, filters, newest_id, queries.MOST_ROWS)
    if rows > queries.MOST_ROWS:
        raise RuleError(TOO_MANY_ROWS)
    people = queries.list_people_of_events(sight, filters, newest_id)
    if len(people) > MANY_PEOPLE:
        require_recent_sign_in()
    with transaction():
        services.log_export(current_user.person_id, filters, rows, people)
    pieces = queries.csv_pieces(sight, filters, newest_id)
    response = Response(stream_with_context(pieces), content_type="text/csv; charset=utf-8")
    day = clock.today().isoformat()
    response.headers.set("Content-Disposition", "attachment", filename=f"audit-trail-{day}.csv")
    response.headers["Cache-Control"] = "no-store"
    return response


def _log_view(filters: AuditFilters, page: str = "") -> None:
    """Record that the reader looks at a list; without that entry, they do not see it."""
    me = current_user.person_id
    if not services.is_view_logged(me, filters, page, clock.now()):
        with transaction():
            services.log_view(me, filters, page)


def _page_of(
    sight: AuditSight, events: Sequence[AuditEvent], place: Place, texts: Mapping[str, str]
) -> ActPage:
    """The page of ``PAGE_SIZE`` events; one more says that there are older ones."""
    shown = events[:PAGE_SIZE]
    instants: list[datetime] = [event.happened_at for event in shown]
    has_older = len(events) > PAGE_SIZE
    older = [*texts.items(), ("before", str(place.after(instants)))] if has_older else None
    return ActPage(
        describe_events(sight, shown),
        newest_url=None if place is START else address(request.path, texts.items()),
        older_url=address(request.path, older) if older else None,
    )


def _form_values(arguments: QueryArguments, asked: AskedFilters) -> dict[str, str]:
    """What the form shows: the filters in force, and what was refused as it was typed."""
    typed = {name: arguments.text(name) for _, name in arguments.faults if name in NAMES}
    return {**asked.texts, **typed}


def _address_without(asked: AskedFilters, name: str) -> str:
    return address(request.path, ((key, text) for key, text in asked.texts.items() if key != name))
