"""Pages of an administrator about one account: link, roles, closing, sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import factors as accounts_factors
from portal.domain.accounts import grants, identities, queries, services, sign_in
from portal.domain.accounts.account_list import (
    NO_WAY,
    SORTS,
    STATES,
    WAY_SOURCES,
    AccountFilters,
    AccountList,
    csv_pieces,
    method_words,
)
from portal.domain.accounts.grants import role_words, where_words
from portal.domain.accounts.identities import Refusal
from portal.domain.accounts.sign_in import find_last_sign_in
from portal.domain.accounts.ways import current_rules
from portal.domain.people.queries import find_seen_person, viewer_of
from portal.domain.people.visibility import Viewer
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.query_arguments import Page, QueryArguments, address
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import MANY_PEOPLE, needs_factor, require_recent_sign_in
from portal.pages.people.forms import STATE_WORDS, WAY_WORDS, AccountFilterForm, GrantForm
from portal.platform import clock
from portal.platform.audit import log_file
from portal.platform.clock import read_day
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import ForbiddenError, NotFoundError, RuleError
from portal.platform.permissions import UNIT_ROLES, Permission, Role
from portal.platform.wording import date as day_words
from portal.platform.wording import plural

REFUSAL_WORDS = {  # why, and what to do
    Refusal.NO_CLAIM: "The sign-in gives no number. Have the provider send it.",
    Refusal.NOBODY: "Nobody in the roster has this number. Correct it there, or at the provider.",
    Refusal.SEVERAL: "More than one person has this number. Correct the roster.",
    Refusal.NO_POST: "No post in the roster today.",
    Refusal.CLOSED: "The account is closed.",
    Refusal.BOUND_TO_ANOTHER: "Signs in with another account. If that one was replaced, remove the link.",
}


def add_account_pages(bp: Blueprint) -> None:
    """Add the pages below ``/people/<staff number>/account``."""
    root = "/people/<staff_number>/account"
    for path, view, methods in (
        ("", show_account, ["GET"]),
        ("/link", make_link, ["POST"]),
        ("/grants", grant_role, ["POST"]),
        ("/grants/end", revoke_role, ["POST"]),
        ("/close", close_account, ["GET", "POST"]),
        ("/open", reopen_account, ["POST"]),
        ("/sessions/end", end_all_sessions, ["POST"]),
        ("/sessions/<reference>/end", end_person_session, ["POST"]),
        ("/unlock", lift_lock, ["POST"]),
        ("/identity/remove", remove_identity, ["POST"]),
        ("/factors/reset", reset_factors, ["POST"]),
    ):
        bp.add_url_rule(root + path, view.__name__, view, methods=methods)
    bp.add_url_rule("/people/identities", show_identities.__name__, show_identities, methods=["GET"])


def find_person_in_administration(staff_number: str) -> Viewer:
    """Find the person at whose account the administrator may look: by that role alone, not by another."""
    person_id = find_seen_person(current_user.viewer, staff_number, Permission.ACCOUNT_ADMINISTER)
    person = viewer_of(person_id, line_managers=cookies.current_settings().line_managers_see)
    if person is None:
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    return person


def find_administered_person(staff_number: str) -> Viewer:
    """Find the person whose account the administrator is about to change."""
    person = find_person_in_administration(staff_number)
    if not grants.administers_person(current_user.viewer, person.person_id):
        raise ForbiddenError(grants.OUTSIDE)
    return person


def _return_to_account(staff_number: str, message: str, category: str = "success") -> ResponseReturnValue:
    flash(message, category)
    return redirect(url_for("people.show_account", staff_number=staff_number), 303)


def _return_after_role_change(person: Viewer, message: str) -> ResponseReturnValue:
    """Redirect to the page, or to sign-in if the administrator's own roles changed: that ends the session."""
    if person.person_id != current_user.person_id:
        return _return_to_account(
            person.staff_number, f"{message}. {person.display_name} is signed out everywhere."
        )
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash(f"{message}. Your own roles changed, so sign in again.", "success")
    return response


def _build_grant_form() -> GrantForm:
    form = GrantForm()
    form.offer_roles_and_units(current_user.viewer)
    return form


@requires(Permission.ACCOUNT_ADMINISTER)
def show_account(staff_number: str) -> ResponseReturnValue:
    """The state of the account, and what the administrator can do with it."""
    person = find_person_in_administration(staff_number)
    log_disclosure(person.person_id, "account")
    return _render_account(person, _build_grant_form())


def _render_account(person: Viewer, form: GrantForm) -> ResponseReturnValue:
    settings = cookies.current_settings()
    may_change = grants.administers_person(current_user.viewer, person.person_id)
    factors = accounts_factors.list_factors(person.person_id)
    return render_template(
        "people/account.html",
        form=form,
        person=person,
        identity=identities.find_identity(person.person_id, settings.provider_issuer),
        provider_label=settings.provider_label,
        factors=factors,
        lacks_factor=needs_factor(person) and not factors,
        state=queries.get_account_state(person.person_id, clock.now()),
        grants=grants.list_current_grants(person.person_id),
        sessions=queries.list_open_sessions(person.person_id, cookies.session_limits(), clock.now()),
        here=current_user.session.reference,
        last=find_last_sign_in(person.person_id),
        lock=sign_in.find_lock_of(person.person_id, settings.secret_key, clock.now()),
        method_words=method_words,
        may_change=may_change,
        outside=grants.OUTSIDE,
        is_self=person.person_id == current_user.person_id,
        role_words=role_words,
        where_words=where_words,
        open_end=OPEN_END,
    )


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def make_link(staff_number: str) -> ResponseReturnValue:
    """Make a single-use link to set a password, and show it this once."""
    person = find_administered_person(staff_number)
    with transaction():
        token = services.create_password_link(person.person_id, by=current_user.person_id, at=clock.now())
    link = f"{cookies.current_settings().address}{url_for('account.set_password', token=token)}"
    return render_template("people/link.html", person=person, link=link)


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def grant_role(staff_number: str) -> ResponseReturnValue:
    """Grant a role."""
    person, form = find_administered_person(staff_number), _build_grant_form()
    if not form.validate_on_submit():
        return _render_account(person, form)
    role, unit_id = form.chosen_role, form.chosen_unit
    try:
        with transaction():
            is_new = grants.grant_role(
                person.person_id,
                role,
                unit_id=unit_id,
                by=current_user.person_id,
                at=clock.now(),
                until=form.last_day,
            )
    except RuleError as error:
        return _show_refusal(person, form, role, unit_id, error)
    if not is_new:
        return _return_to_account(staff_number, f"They already have this role: {role_words(role)}")
    return _return_after_role_change(person, f"Role granted: {role_words(role)}")


def _show_refusal(
    person: Viewer, form: GrantForm, role: Role, unit_id: int | None, error: RuleError
) -> ResponseReturnValue:
    """Show the form again if another unit would help, else the page of the account with the reason."""
    if unit_id is None or role in UNIT_ROLES:
        return _return_to_account(person.staff_number, str(error), "error")
    form.unit.errors = [str(error)]
    return _render_account(person, form)


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def revoke_role(staff_number: str) -> ResponseReturnValue:
    """End a role of the person."""
    person = find_administered_person(staff_number)
    role_and_unit = (request.form.get("role", ""), request.form.get("unit", ""))
    for grant in grants.list_current_grants(person.person_id):
        if (grant.role.value, str(grant.unit_id or "")) == role_and_unit:
            return _end_role(person, grant)
    return abort(404)


def _end_role(person: Viewer, grant: grants.CurrentGrant) -> ResponseReturnValue:
    try:
        with transaction():
            grants.revoke_role(
                person.person_id,
                grant.role,
                unit_id=grant.unit_id,
                by=current_user.person_id,
                at=clock.now(),
            )
    except RuleError as error:
        return _return_to_account(person.staff_number, str(error), "error")
    return _return_after_role_change(person, f"Role ended: {role_words(grant.role)}")


@requires(Permission.ACCOUNT_ADMINISTER)
def close_account(staff_number: str) -> ResponseReturnValue:
    """Ask for confirmation, then close the account."""
    person = find_administered_person(staff_number)
    if request.method == "GET":
        log_disclosure(person.person_id, "account")
        return render_template("people/close_account.html", person=person)
    try:
        with transaction():
            services.close_account(person.person_id, by=current_user.person_id, at=clock.now())
    except RuleError as error:
        return _return_to_account(staff_number, str(error), "error")
    return _return_to_account(staff_number, "The account is closed")


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def reopen_account(staff_number: str) -> ResponseReturnValue:
    """Open a closed account again."""
    person = find_administered_person(staff_number)
    with transaction():
        services.reopen_account(person.person_id, by=current_user.person_id)
    return _return_to_account(staff_number, "The account is open again")


@requires(Permission.ACCOUNT_ADMINISTER)
def end_all_sessions(staff_number: str) -> ResponseReturnValue:
    """Sign the person out everywhere."""
    person = find_administered_person(staff_number)
    with transaction():
        services.end_sessions(person.person_id, "ended_elsewhere", current_user.person_id, clock.now())
    return _return_to_account(staff_number, "They are signed out everywhere")


@requires(Permission.ACCOUNT_ADMINISTER)
def end_person_session(staff_number: str, reference: str) -> ResponseReturnValue:
    """Sign the person out of one browser."""
    person = find_administered_person(staff_number)
    with transaction():
        services.end_session(person.person_id, reference, clock.now(), by=current_user.person_id)
    if reference != current_user.session.reference:
        return _return_to_account(staff_number, "That browser is signed out")
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash("You are signed out", "success")
    return response


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def lift_lock(staff_number: str) -> ResponseReturnValue:
    """Let the person sign in again at once after too many failed tries."""
    person = find_administered_person(staff_number)
    with transaction():
        sign_in.lift_lock(person.person_id, cookies.current_settings().secret_key, by=current_user.person_id)
    return _return_to_account(staff_number, "The lock is lifted: they can sign in again now")


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def remove_identity(staff_number: str) -> ResponseReturnValue:
    """Forget which identity at the force's provider signs the person in."""
    person = find_administered_person(staff_number)
    issuer = cookies.current_settings().provider_issuer
    with transaction():
        identities.remove_identity(person.person_id, issuer, by=current_user.person_id, at=clock.now())
    return _return_to_account(staff_number, "The link is removed, and every session is ended")


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def reset_factors(staff_number: str) -> ResponseReturnValue:
    """Remove the person's second factors, because they lost them."""
    person = find_administered_person(staff_number)
    try:
        with transaction():
            accounts_factors.reset_factors(person.person_id, by=current_user.person_id, at=clock.now())
    except RuleError as error:
        return _return_to_account(staff_number, str(error), "error")
    return _return_to_account(staff_number, "The second factor is removed, and every session is ended")


@requires(Permission.ACCOUNT_ADMINISTER)
def show_identities() -> ResponseReturnValue:
    """Who signs in with the force's provider, and who was not let in."""
    settings, viewer = cookies.current_settings(), current_user.viewer
    if not settings.provider_issuer:
        abort(404)
    total = identities.count_bound_identities(viewer, settings.provider_issuer)
    page = Page.of(total, request.path, request.args.items())
    return render_template(
        "people/identities.html",
        page=page,
        bound=identities.list_bound_identities(
            viewer, settings.provider_issuer, offset=page.offset, limit=page.size
        ),
        refused=identities.list_refused_sign_ins(viewer, settings.provider_issuer),
        reason_words=REFUSAL_WORDS,
        provider_label=settings.provider_label,
        match_claim=settings.provider_claim,
    )


# Links above a filtered and sorted list: its sortable heads, and the chips of its filters.


class ListFilters(Protocol):
    """The filters of a list."""

    @property
    def address_fields(self) -> dict[str, str]:
        """The filled fields, as they are written in an address."""
        ...


def sort_heads(
    path: str, columns: Sequence[tuple[str, str]], filters: ListFilters, sort: str
) -> dict[str, tuple[str, str, str | None]]:
    """The sortable heads by column: text, address, and in which direction the list is sorted by it, if it is.

    Args:
        path: Of the list.
        columns: Each its name in the address and its text.
        filters: What is kept.
        sort: The column by which the list is sorted now, with a "-" before it for descending.
    """
    heads = {}
    for name, text in columns:
        is_current, descending = sort.removeprefix("-") == name, sort.startswith("-")
        next_sort = f"-{name}" if is_current and not descending else name
        direction = ("descending" if descending else "ascending") if is_current else None
        href = address(path, {**filters.address_fields, "sort": next_sort}.items())
        heads[name] = (text, href, direction)
    return heads


def filter_chips(
    path: str, filters: ListFilters, words: Mapping[str, Mapping[str, str]], sort: str
) -> list[tuple[str, str]]:
    """The filters in force, each with the address of the list without it.

    Args:
        path: Of the list.
        filters: Those in force.
        words: Of some fields, the words of each value; of others the value is quoted.
        sort: What the list is sorted by; empty for its usual order.
    """
    chips = []
    for name, value in filters.address_fields.items():
        text = words.get(name, {}).get(value, f"“{value}”")
        rest = {**filters.address_fields, name: "", "sort": sort}
        chips.append((text, address(path, rest.items())))
    return chips


# All accounts that an administrator may see: how people sign in, when they last did, and who cannot.

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
