"""All accounts that an administrator may see: how people sign in, when they last did, and who cannot."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts.grants.grant_list import role_words
from portal.domain.accounts.overview.account_file import csv_pieces
from portal.domain.accounts.overview.account_list import SORTS, STATES, AccountFilters, AccountList
from portal.domain.accounts.overview.ways import NO_WAY, WAY_SOURCES, method_words
from portal.domain.accounts.sign_in.ways import current_rules
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.paging import address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import MANY_PEOPLE, require_recent_sign_in
from portal.pages.people.list_links import filter_chips, sort_heads
from portal.pages.people.overview_forms import STATE_WORDS, WAY_WORDS, AccountFilterForm
from portal.platform import clock
from portal.platform.audit.services import log_file
from portal.platform.clock import read_day
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission, Role
from portal.platform.wording import date as day_words
from portal.platform.wording import plural

COLUMNS = (("person", "Person"), ("signed-in", "Last sign-in"))
NAMES = ("q", "unit", "role", "way", "state", "before")
_files_limit = limiter.shared_limit("30 per 5 minutes", scope="accounts")


@dataclass(frozen=True, slots=True)
class CountLink:
    """One number above the list, and the list that it counts."""

    words: str
    count: int
    href: str


def add_account_list_pages(bp: Blueprint) -> None:
    """Add the list of accounts and its file."""
    bp.add_url_rule("/people/accounts", "show_accounts", show_accounts)
    bp.add_url_rule("/people/accounts.csv", "accounts_csv", accounts_csv)


def _read_accounts() -> AccountList:
    key, now = cookies.current_settings().secret_key, clock.now()
    return AccountList(current_user.viewer, current_rules(clock.london_day(now)), key, now)


def _read_filters(arguments: QueryArguments) -> AccountFilters:
    before = arguments.text("before")
    day = read_day(before)
    if before and day is None:
        arguments.refuse("before", "Enter a date, like 31 March 2026.")
    return AccountFilters(
        arguments.text("q"),
        arguments.text("unit"),
        arguments.choice("role", Role),
        arguments.choice("way", WAY_WORDS),
        arguments.choice("state", STATES),
        day,
    )


@requires(Permission.ACCOUNT_ADMINISTER)
def show_accounts() -> ResponseReturnValue:
    """Counts that lead to their lists, and the accounts that match the filters."""
    arguments = QueryArguments(request.args, request.path)
    filters, sort = _read_filters(arguments), arguments.order(SORTS)
    accounts, total = _read_accounts(), 0
    counts = accounts.count_all()
    try:
        total = accounts.count_matching(filters) if filters.address_fields else counts.people
    except (NotFoundError, RuleError) as error:
        arguments.refuse("unit", str(error))
    form = AccountFilterForm(data={name: arguments.text(name) for name in NAMES})
    page = arguments.page(total)
    for sentence, name in arguments.faults:
        if name in form:
            form[name].errors = [sentence]
    rows = accounts.list_rows(filters, sort, offset=page.offset, limit=page.size) if total else []
    html = render_template(
        "people/accounts.html",
        page=page,
        rows=rows,
        form=form,
        errors=arguments.errors(form._fields),
        filters=filters,
        links=_count_links(counts.ways, counts.states),
        people=counts.people,
        heads=sort_heads(request.path, COLUMNS, filters, sort or "person"),
        chips=_chips(filters, sort),
        clear_url=request.path,
        summary=plural(total, "person", "people"),
        file_url=address(url_for("people.accounts_csv"), {**filters.address_fields, "sort": sort}.items()),
        method_words=method_words,
    )
    return html, arguments.status


def _count_links(ways: Mapping[str, int], states: Mapping[str, int]) -> list[CountLink]:
    def link(words: str, count: int, **field: str) -> CountLink:
        return CountLink(words, count, address(request.path, field.items()))

    return [
        *(link(source.words_of_count, ways[source.key], way=source.key) for source in WAY_SOURCES),
        link(WAY_WORDS[NO_WAY], ways[NO_WAY], way=NO_WAY),
        *(link(STATE_WORDS[state], states[state], state=state) for state in STATES),
    ]


def _chips(filters: AccountFilters, sort: str) -> list[tuple[str, str]]:
    words = {
        "role": {role.value: role_words(role) for role in Role},
        "way": WAY_WORDS,
        "state": STATE_WORDS,
        "before": {str(filters.before): f"Last signed in before {day_words(filters.before)}"},
    }
    return filter_chips(request.path, filters, words, sort)


@requires(Permission.ACCOUNT_ADMINISTER)
@_files_limit
def accounts_csv() -> ResponseReturnValue:
    """The same rows as a CSV file."""
    arguments = QueryArguments(request.args)
    arguments.only((*NAMES, "sort"))
    filters, sort = _read_filters(arguments), arguments.order(SORTS)
    accounts, people = _read_accounts(), list[int]()
    try:
        people = accounts.list_people(filters)
    except (NotFoundError, RuleError) as error:
        arguments.refuse("unit", str(error))
    arguments.raise_faults()
    if len(people) > MANY_PEOPLE:
        require_recent_sign_in()
    with transaction():  # what somebody typed into a filter stays out of the trail
        names = sorted(filters.address_fields)
        log_file("accounts.exported", people, actor_id=current_user.person_id, filters=names)
    pieces = csv_pieces(accounts.iterate_rows(filters, sort), cookies.network_name, clock.now())
    response = Response(stream_with_context(pieces), content_type="text/csv; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename="accounts.csv")
    response.headers["Cache-Control"] = "no-store"
    return response
