"""Open sessions of everybody whom an administrator may see, and how they are ended: one, some or many."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import ColumnElement

from portal.domain.accounts import session_list
from portal.domain.accounts.account_list import METHOD_WORDS, method_words
from portal.domain.accounts.session_list import (
    SORTS,
    SessionCounts,
    SessionFilters,
    SessionList,
    is_chosen,
    is_of_others,
)
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments, address
from portal.pages.layout.sessions import cookies
from portal.pages.people.account_views import filter_chips, sort_heads
from portal.pages.people.forms import ELSEWHERE_WORDS, METHODS, SessionFilterForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BusyError, NotFoundError, RuleError, UnwritableError
from portal.platform.network_names import ELSEWHERE, NetworkNameError, parse_network_names
from portal.platform.permissions import Permission
from portal.platform.wording import plural

COLUMNS = (("person", "Person"), ("since", "Signed in"), ("seen", "Last seen"))
NAMES = ("q", "unit", "device", "network", "address", "way", "idle")
MOST_MINUTES = 7 * 24 * 60  # the longest that a session may last
ALL, CHOSEN = "all", "chosen"  # what a confirmation is about
NOTHING_CHOSEN = "Select at least one session"


def add_session_pages(bp: Blueprint) -> None:
    """Add the list of sessions, and the page that ends some of them."""
    bp.add_url_rule("/people/accounts/sessions", "show_sessions", show_sessions)
    bp.add_url_rule(
        "/people/accounts/sessions/end", "end_many_sessions", end_many_sessions, methods=["GET", "POST"]
    )


class _Requested:
    """The list that an address asks for: its filters, and what of them is refused."""

    def __init__(self, at: datetime) -> None:
        settings = cookies.current_settings()
        self.path = url_for("people.show_sessions")
        self.arguments = QueryArguments(request.args, self.path)
        networks = parse_network_names(settings.network_names)
        self.networks = list(dict.fromkeys(each.name for each in networks))
        self.filters = self._read_filters()
        self.sort = self.arguments.order(SORTS)
        self.sessions = SessionList(current_user.viewer, cookies.session_limits(), networks, at)
        self.conditions: list[ColumnElement[bool]] = []
        try:
            self.conditions = self.sessions.conditions_of(self.filters)
        except (NotFoundError, RuleError) as error:
            self.arguments.refuse("unit", str(error))
        except NetworkNameError as error:
            self.arguments.refuse("address", str(error))

    def _read_filters(self) -> SessionFilters:
        arguments = self.arguments
        idle = arguments.text("idle")
        minutes = int(idle) if idle.isascii() and idle.isdigit() and len(idle) < 6 else 0
        if idle and not 1 <= minutes <= MOST_MINUTES:
            arguments.refuse("idle", "Enter a number of minutes, such as 30.")
            minutes = 0
        return SessionFilters(
            q=arguments.text("q"),
            unit=arguments.text("unit"),
            device=arguments.text("device"),
            network=arguments.choice("network", [*self.networks, ELSEWHERE]),
            address=arguments.text("address"),
            way=arguments.choice("way", METHOD_WORDS),
            idle=minutes,
        )

    @property
    def list_url(self) -> str:
        """The list with these filters."""
        return address(self.path, self.arguments.kept)

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The filters in force, each with the address of the list without it."""
        idle = self.filters.idle
        words = {
            "network": {name: name for name in self.networks} | {ELSEWHERE: ELSEWHERE_WORDS},
            "way": METHODS,
            "idle": {str(idle): f"Idle for at least {plural(idle, 'minute')}"},
        }
        return filter_chips(self.path, self.filters, words, self.sort)

    @property
    def end_url(self) -> str:
        """The page that ends sessions of this list."""
        return address(url_for("people.end_many_sessions"), self.arguments.kept)


@requires(Permission.ACCOUNT_ADMINISTER)
def show_sessions() -> ResponseReturnValue:
    """The open sessions that match the filters, the latest seen first."""
    return _render_list(_Requested(clock.now()), [])


def _render_list(requested: _Requested, errors: list[tuple[str, str]]) -> ResponseReturnValue:
    arguments, filters = requested.arguments, requested.filters
    counts = SessionCounts(0, 0)
    if not arguments.faults:
        counts = requested.sessions.count_matching(requested.conditions)
    page = arguments.page(counts.sessions)
    form = SessionFilterForm(data={name: arguments.text(name) for name in NAMES})
    form.set_networks(requested.networks)
    for sentence, name in arguments.faults:
        if name in form:
            form[name].errors = [sentence]
    sort, rows = requested.sort or "-seen", []
    if counts.sessions:
        rows = requested.sessions.list_rows(requested.conditions, sort, offset=page.offset, limit=page.size)
    html = render_template(
        "people/sessions.html",
        page=page,
        rows=rows,
        counts=counts,
        form=form,
        filters=filters,
        errors=[*errors, *arguments.errors(form._fields)],
        heads=sort_heads(requested.path, COLUMNS, filters, sort),
        chips=requested.chips,
        clear_url=requested.path,
        summary=f"{plural(counts.sessions, 'session')} of {plural(counts.people, 'person', 'people')}",
        end_url=requested.end_url,
        here=current_user.session.reference,
        method_words=method_words,
    )
    return html, 400 if errors else arguments.status


@requires(Permission.ACCOUNT_ADMINISTER)
def end_many_sessions() -> ResponseReturnValue:
    """End one session, or ask whether to end those chosen or all of the filters, then end them.

    One's own sessions are left out of many, unless the form says otherwise.
    """
    requested = _Requested(clock.now())
    if requested.arguments.faults:
        return _render_list(requested, [])
    if request.method == "GET":
        return _confirm(requested, ALL)
    if "one" in request.form:
        return _end_one(requested, request.form["one"])
    about = request.form.get("confirmed", "")
    if about == ALL:
        others = [] if "own" in request.form else [is_of_others(current_user.person_id)]
        return _end_matching(requested, [*requested.conditions, *others])
    chosen = request.form.getlist("end")
    if not chosen:
        return _render_list(requested, [(NOTHING_CHOSEN, "#end")])
    session_list.refuse_unadministered(requested.sessions, [is_chosen(chosen)])
    if about == CHOSEN:
        return _end_matching(requested, [is_chosen(chosen)])
    return _confirm(requested, CHOSEN, chosen)


def _confirm(requested: _Requested, about: str, chosen: Sequence[str] = ()) -> ResponseReturnValue:
    """Say how many sessions of how many people would end; of one's own, those that were selected."""
    sessions, is_own = requested.sessions, ~is_of_others(current_user.person_id)
    conditions = [is_chosen(chosen)] if about == CHOSEN else requested.conditions
    everything = sessions.count_matching(conditions).sessions
    own = 0 if about == CHOSEN else sessions.count_matching([*conditions, is_own]).sessions
    others = [] if about == CHOSEN else [~is_own]
    counts = sessions.count_matching([*conditions, *others, sessions.may_end()])
    return render_template(
        "people/end_sessions.html",
        counts=counts,
        own=own,
        beyond=everything - counts.sessions - own,
        about=about,
        chosen=chosen,
        filters=requested.filters,
        chips=requested.chips,
        action=requested.end_url,
        back=requested.list_url,
    )


def _end_one(requested: _Requested, reference: str) -> ResponseReturnValue:
    conditions = [is_chosen([reference])]
    session_list.refuse_unadministered(requested.sessions, conditions)
    return _end_matching(requested, conditions)


def _end_matching(requested: _Requested, conditions: Sequence[ColumnElement[bool]]) -> ResponseReturnValue:
    """End them slice by slice; if the database is too busy, say what is done and what is left."""
    sessions = people = 0
    problem = ""
    try:
        while True:
            with transaction():
                ended = session_list.end_slice(
                    requested.sessions, conditions, current_user.person_id, clock.now()
                )
            if not ended.sessions:
                break
            sessions, people = sessions + ended.sessions, people + ended.people
    except (BusyError, UnwritableError):
        if not sessions:
            raise
        problem = " The portal was too busy for the others: end them again."
    words = f"{plural(sessions, 'session')} of {plural(people, 'person', 'people')} ended.{problem}"
    flash(words if sessions else "These sessions had ended already.", "error" if problem else "success")
    return _leave_page(requested)


def _leave_page(requested: _Requested) -> ResponseReturnValue:
    """Back to the list, or to sign-in if this browser's own session is among those that ended."""
    if requested.sessions.count_matching([is_chosen([current_user.session.reference])]).sessions:
        return redirect(requested.list_url, 303)
    response = redirect(url_for("sign_in.sign_in", next=requested.list_url), 303)
    cookies.clear_session_cookies(response)
    flash("Your own session is among those that ended, so sign in again.", "success")
    return response
