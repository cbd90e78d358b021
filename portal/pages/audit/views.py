"""The audit desk: who did what, on whom, from where; and who saw one person's data. Reading is logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.audit_desk import csv_export, queries, services
from portal.domain.audit_desk.acts import Act, describe_events
from portal.domain.audit_desk.disclosures import any_file_undescribed, list_disclosures
from portal.domain.audit_desk.filters import START, AuditFilters, Place
from portal.domain.audit_desk.sentences import exact_time
from portal.domain.audit_desk.sight import AuditSight
from portal.pages.audit.address_filters import NAMES, AskedFilters, read_filters, read_place
from portal.pages.audit.forms import AuditFilterForm
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.paging import PAGE_SIZE, address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.sessions.step_up import MANY_PEOPLE, require_recent_sign_in
from portal.platform import clock
from portal.platform.audit.models import AuditEvent
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import number

bp = Blueprint("audit", __name__, url_prefix="/audit", template_folder="templates")
bp.add_app_template_filter(exact_time, "exact_time")

TOO_MANY_ROWS = (
    f"A file has at most {number(csv_export.MOST_ROWS)} entries, and these are more. Choose a shorter period."
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
    rows = queries.count_events(sight, filters, newest_id, csv_export.MOST_ROWS)
    if rows > csv_export.MOST_ROWS:
        raise RuleError(TOO_MANY_ROWS)
    people = queries.list_people_of_events(sight, filters, newest_id)
    if len(people) > MANY_PEOPLE:
        require_recent_sign_in()
    with transaction():
        services.log_export(current_user.person_id, filters, rows, people)
    pieces = csv_export.csv_pieces(sight, filters, newest_id)
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
