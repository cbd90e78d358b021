"""Pages of all grants: the list, proposals from line management, and grants that no longer fit a post."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice

from portal.domain.accounts import grant_review, grants
from portal.domain.accounts.grant_review import (
    GrantOption,
    GrantProposal,
    GrantToReview,
    count_line_managers,
    list_line_managers,
)
from portal.domain.accounts.grants import (
    ALL_GRANTS,
    ENDED_GRANTS,
    GRANT_SORTS,
    MANAGERS_BY_ROSTER,
    MOST_FOUND,
    GrantFilters,
    GrantRow,
    NewGrant,
    Receiver,
    find_people,
    list_grants,
    read_receivers,
    role_words,
    sort_grants,
)
from portal.domain.people.names import find_current_or_former_unit
from portal.domain.people.queries import Workforce, read_workforce
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, drop_down, text_as_typed, text_lines
from portal.pages.layout.forms import (
    CheckboxesField,
    PlainForm,
    RoleForm,
)
from portal.pages.layout.query_arguments import Page, QueryArguments, address
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import BadInputError, NotFoundError, PortalError, RuleError
from portal.platform.permissions import Permission, Role
from portal.platform.wording import plural

# Forms that filter the lists of grants.


class GrantFilterForm(PlainForm):
    """Filters of the grant list; sent in the address, so that a list can be bookmarked."""

    q = text_as_typed("Name or staff number", spellcheck=False)
    role = drop_down(
        "Role",
        choices=[
            SelectChoice(value="", label="Any role"),
            *(SelectChoice(value=role.value, label=role_words(role)) for role in Role),
        ],
        validate_choice=False,
    )
    unit = text_as_typed("Unit, by path or name", spellcheck=False)
    state = drop_down(
        "Current or ended",
        choices=[
            SelectChoice(value="", label="Current"),
            SelectChoice(value=ENDED_GRANTS, label="Ended"),
            SelectChoice(value=ALL_GRANTS, label="Current and ended"),
            SelectChoice(value=MANAGERS_BY_ROSTER, label="By line management, without a grant"),
        ],
        validate_choice=False,
    )


class GrantSearchForm(PlainForm):
    """Filters of proposed grants and of grants to review."""

    q = text_as_typed("Name or staff number", spellcheck=False)
    unit = text_as_typed("Unit, by path or name", spellcheck=False)


# One role for several people: their staff numbers, a preview, then a grant and an audit event for each.


class SeveralGrantsForm(RoleForm):
    """A role, and the staff numbers of those who get it; people can be found and ticked."""

    q = text_as_typed("Find people by name, staff number or unit", spellcheck=False)
    find = button("Find", secondary=True)
    found = CheckboxesField("People found")
    numbers = text_lines(
        "Staff numbers",
        "One on each line. You can paste a column of a spreadsheet. "
        "Those whom you tick above are added here.",
        rows=8,
        spellcheck=False,
    )
    preview = button("Continue")

    def add_ticked(self) -> None:
        """Put those who are ticked at the end of the list."""
        new = [number for number in dict.fromkeys(self.found.data or []) if number not in self.number_lines]
        text = (self.numbers.data or "").rstrip("\n")
        self.numbers.data = "\n".join([text, *new] if text else new)

    @property
    def number_lines(self) -> list[str]:
        """The lines of the list, empty ones too, so that their numbers are those of the box."""
        return [line.strip() for line in (self.numbers.data or "").split("\n")]

    def offer_found(self, people: list[tuple[str, str]]) -> None:
        """Offer the people of a search who are not in the list yet, none of them ticked."""
        listed = set(self.number_lines)
        self.found.data = []
        self.found.choices = [
            SelectChoice(value=staff_number, label=f"{name} ({staff_number})")
            for staff_number, name in people
            if staff_number not in listed
        ]


def add_several_page(bp: Blueprint) -> None:
    """Add the page ``/grants/new``."""
    bp.add_url_rule("/grants/new", "give_to_several", give_to_several, methods=["GET", "POST"])


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def give_to_several() -> ResponseReturnValue:
    """Give one role to several people: all of them or none."""
    form = SeveralGrantsForm()
    form.offer_roles_and_units(current_user.viewer)
    if request.method == "GET":
        form.role.data = Role.MANAGER.value
        return _render_form(form)
    form.add_ticked()
    if form.find.data:
        text = form.q.data.strip()
        form.offer_found(find_people(current_user.viewer, text) if text else [])
        return _render_form(form)
    if "edit" in request.form:
        return _render_form(form)
    receivers = _read_receivers(form) if form.validate() else []
    if not receivers:
        return _render_form(form), 400
    return _give(form, receivers) if "confirmed" in request.form else _render_preview(form, receivers)


def _read_receivers(form: SeveralGrantsForm) -> list[Receiver]:
    """Who gets the role; empty if the form has errors now, each with the line it is about."""
    role, unit_id = form.chosen_role, form.chosen_unit
    try:
        grants.refuse_force_role_on_unit(role, unit_id)
        return read_receivers(current_user.viewer, form.number_lines, role, unit_id)
    except RuleError as error:
        form.unit.errors = [str(error)]
    except BadInputError as error:
        form.numbers.errors = error.reasons
    return []


def _render_form(form: SeveralGrantsForm) -> str:
    more = [(text, f"#{form.numbers.id}") for text in form.numbers.errors[1:]]
    return render_template("grants/give_to_several.html", form=form, line_errors=more, most=MOST_FOUND)


def _render_preview(form: SeveralGrantsForm, receivers: list[Receiver]) -> str:
    unit_id = form.chosen_unit
    force = read_workforce(clock.today()) if form.chosen_role is Role.MANAGER else None
    return render_template(
        "grants/several_preview.html",
        form=form,
        role=role_words(form.chosen_role),
        where=dict((c.value, c.label) for c in form.unit.choices)[form.unit.data] if unit_id else "",
        until=form.last_day,
        open_end=OPEN_END,
        receivers=receivers,
        new=[person for person in receivers if person.current_until != form.last_day],
        people_seen=len(force.people_under(unit_id)) if force and unit_id else None,
        reports={p.person_id: len(force.reports_to(p.person_id)) for p in receivers}
        if force and not unit_id
        else {},
    )


def _give(form: SeveralGrantsForm, receivers: list[Receiver]) -> ResponseReturnValue:
    new = [NewGrant(p.person_id, form.chosen_role, form.chosen_unit, form.last_day) for p in receivers]
    with transaction():
        count = grants.give_grants(new, by=current_user.person_id, at=clock.now())
    sentences = [f"{plural(count, 'grant')} given."] if count else []
    if count < len(new):
        sentences.append(f"{plural(len(new) - count, 'grant')} given already.")
    flash(" ".join(sentences), "success")
    return redirect(url_for("grants.show_grants", role=form.role.data), 303)


PAGE_SIZE = 50  # proposals, or grants to review, on one page
Entry = TypeVar("Entry", GrantProposal, GrantToReview)
STATE_WORDS = {"ended": "Ended", "all": "Current and ended", MANAGERS_BY_ROSTER: "By line management"}
COLUMN_HEADS = (
    ("person", "Person"),
    ("role", "Role"),
    ("unit", "Where"),
    ("since", "Since"),
    ("until", "Last day"),
    ("given", "Given"),
)


@requires(Permission.ACCOUNT_ADMINISTER)
def show_grants() -> ResponseReturnValue:
    """Show who has which role, on which unit, from when to when, and who gave it."""
    arguments = QueryArguments(request.args, request.path)
    role, state = arguments.choice("role", Role), arguments.choice("state", STATE_WORDS)
    filters = GrantFilters(arguments.text("q"), role, arguments.text("unit"), state)
    sort = arguments.order(GRANT_SORTS)
    form = GrantFilterForm(data=filters.address_fields)
    rows: list[GrantRow] = []
    try:
        rows = _list_matching_rows(filters, sort)
    except (NotFoundError, RuleError) as error:
        arguments.refuse("unit", str(error))
    page = arguments.page(len(rows))
    for sentence, name in arguments.faults:
        if name in form:
            form[name].errors = [sentence]
    html = render_template(
        "grants/list.html",
        page=page,
        errors=arguments.errors(form._fields),
        rows=rows[page.offset : page.offset + page.size],
        form=form,
        filters=filters,
        heads=_sort_heads(filters, sort),
        chips=_filter_chips(filters, form, sort),
        clear_url=request.path,
        summary=plural(len(rows), "line manager" if filters.state == MANAGERS_BY_ROSTER else "grant"),
        by_roster=_count_by_roster(),
    )
    return html, arguments.status


def _list_matching_rows(filters: GrantFilters, sort: str) -> list[GrantRow]:
    """The grants that match the filters, or the line managers who see direct reports without one."""
    viewer = current_user.viewer
    if filters.state != MANAGERS_BY_ROSTER:
        return list_grants(viewer, filters, sort, clock.now())
    by_roster = cookies.current_settings().line_managers_see
    return sort_grants(list_line_managers(viewer, filters, clock.today()), sort) if by_roster else []


def _count_by_roster() -> int | None:
    """How many see direct reports by line management; None if everybody needs a grant."""
    if not cookies.current_settings().line_managers_see:
        return None
    return count_line_managers(current_user.viewer, clock.today())


def _sort_heads(filters: GrantFilters, sort: str) -> list[tuple[str, str, str | None]]:
    """The sortable heads: text, address, and in which direction the list is sorted by it now, if it is."""
    column = sort.removeprefix("-") or "person"
    descending = sort.startswith("-")
    heads = []
    for name, text in COLUMN_HEADS:
        next_sort = f"-{name}" if name == column and not descending else name
        direction = ("descending" if descending else "ascending") if name == column else None
        href = address(request.path, {**filters.address_fields, "sort": next_sort}.items())
        heads.append((text, href, direction))
    return heads


def _filter_chips(filters: GrantFilters, form: GrantFilterForm, sort: str) -> list[tuple[str, str]]:
    words = {
        "q": f"“{filters.q}”",
        "role": dict((c.value, c.label) for c in form.role.choices).get(filters.role, filters.role),
        "unit": filters.unit,
        "state": STATE_WORDS.get(filters.state, filters.state),
    }
    return [
        (
            words[name],
            address(request.path, {**filters.without_field(name).address_fields, "sort": sort}.items()),
        )
        for name in filters.address_fields
    ]


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def propose_grants() -> ResponseReturnValue:
    """Propose managers' grants from line management: choose some, see what each would show, give them."""
    force = read_workforce(clock.today())
    if request.method == "POST" and request.form.getlist("give"):
        return _confirm_or_give(force)
    errors = [("Select at least one person", "#give")] if request.method == "POST" else []
    return _render_proposals(force, errors)


def _render_proposals(force: Workforce, errors: list[tuple[str, str]]) -> ResponseReturnValue:
    by_roster = cookies.current_settings().line_managers_see  # then nobody lacks a grant
    all_proposals = [] if by_roster else grant_review.list_proposals(current_user.viewer, force)
    filtered_list = _filter_entries(all_proposals, force, errors)
    return render_template(
        "grants/proposed.html",
        page=filtered_list.page,
        proposals=filtered_list.entries,
        form=filtered_list.form,
        filtered=filtered_list.is_filtered,
        errors=errors,
        total=len(all_proposals),
        by_roster=by_roster,
        action=filtered_list.action,
    ), 400 if errors else 200


@dataclass(frozen=True)
class _FilteredList(Generic[Entry]):
    """One page of a filtered list."""

    page: Page
    entries: list[Entry]
    form: GrantSearchForm
    is_filtered: bool
    action: str  # the page's own address, to which its form is sent


def _filter_entries(
    entries: list[Entry], force: Workforce, errors: list[tuple[str, str]]
) -> _FilteredList[Entry]:
    """The page of the list that the address names; an unknown unit is added to ``errors``."""
    arguments = QueryArguments(request.args, request.path)
    form = GrantSearchForm(data={name: arguments.text(name) for name in ("q", "unit")})
    matching: list[Entry] = []
    try:
        matching = _list_matching_entries(entries, form.q.data, form.unit.data, force)
    except (NotFoundError, RuleError) as error:
        form.unit.errors = [str(error)]
        arguments.refuse("unit", str(error))
    page = arguments.page(len(matching), PAGE_SIZE)
    errors += arguments.errors(["unit"])
    return _FilteredList(
        page,
        matching[page.offset : page.offset + page.size],
        form,
        bool(form.q.data or form.unit.data),
        address(request.path, arguments.kept, page.number),
    )


def _list_matching_entries(entries: list[Entry], text: str, unit: str, force: Workforce) -> list[Entry]:
    """The entries with every word in their name or number, and with this unit or one below it."""
    words = text.casefold().replace(",", " ").split()
    matching = [
        entry
        for entry in entries
        if all(word in f"{entry.name} {entry.staff_number}".casefold() for word in words)
    ]
    if not unit:
        return matching
    path = force.units[find_current_or_former_unit(unit, force.units)].path
    return [entry for entry in matching if f"{entry.unit_path}/".startswith(f"{path}/")]


def _confirm_or_give(force: Workforce) -> ResponseReturnValue:
    """Show what each chosen grant would let its manager see; once confirmed, give all of them or none."""
    confirmed = "confirmed" in request.form
    choices = _read_choices(request.form.getlist("give"), confirmed=confirmed)
    try:
        if current_user.viewer.staff_number in dict(choices):
            grants.refuse_own_role(current_user.person_id, current_user.person_id)
        if confirmed:
            return _give_chosen(choices, force)
        chosen = _find_chosen_options(choices, force)
    except PortalError as error:
        flash(str(error), "error")
        return redirect(url_for("grants.propose_grants"), 303)
    back = address(request.path, request.args.items(multi=True))
    return render_template("grants/give.html", chosen=chosen, back=back)


def _find_chosen_options(
    choices: list[tuple[str, str]], force: Workforce
) -> list[tuple[GrantProposal, GrantOption]]:
    return grant_review.find_chosen_options(choices, grant_review.list_proposals(current_user.viewer, force))


def _read_choices(values: list[str], *, confirmed: bool) -> list[tuple[str, str]]:
    """Pairs of a staff number and an option's value, from the first form or, once confirmed, the second."""
    if confirmed:
        return [(number, unit) for number, _, unit in (value.rpartition(":") for value in values)]
    return [(number, request.form.get(f"where-{number}", "")) for number in values]


def _give_chosen(choices: list[tuple[str, str]], force: Workforce) -> ResponseReturnValue:
    # Read before the lock is taken: a grant that somebody else gives meanwhile is skipped then.
    not_given = grant_review.list_choices_not_given(current_user.viewer, choices, force)
    chosen = _find_chosen_options(not_given, force) if not_given else []
    with transaction():
        count = grants.give_grants(
            grant_review.build_new_grants(chosen), by=current_user.person_id, at=clock.now()
        )
    sentences = []
    if count:
        pronoun = "It works" if count == 1 else "They work"
        sentences.append(f"{plural(count, 'grant')} given. {pronoun} from the next sign-in.")
    if count < len(choices):
        sentences.append(f"{plural(len(choices) - count, 'grant')} given already.")
    flash(" ".join(sentences), "success")
    return redirect(url_for("grants.propose_grants"), 303)


def _redirect_to_sign_in() -> ResponseReturnValue:
    """Redirect to sign-in: the administrator's own roles changed, which ended this session."""
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash("Your own roles changed, so sign in again.", "success")
    return response


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def review_grants() -> ResponseReturnValue:
    """Show grants that no longer fit a post, with the reasons; several can be ended at once."""
    force = read_workforce(clock.today())
    grants = grant_review.list_grants_to_review(current_user.viewer, force)
    chosen_ids = set(request.form.getlist("end"))
    if request.method == "GET" or not chosen_ids:
        errors = [("Select at least one grant", "#end")] if request.method == "POST" else []
        return _render_review(grants, force, errors)
    chosen = [grant for grant in grants if str(grant.grant_id) in chosen_ids]
    if "confirmed" in request.form:
        return _end_grants(chosen)
    if not chosen:
        flash("These grants have ended already, or fit a post again.", "success")
        return redirect(url_for("grants.review_grants"), 303)
    back = address(request.path, request.args.items(multi=True))
    return render_template("grants/end_grants.html", chosen=chosen, back=back)


def _render_review(
    grants: list[GrantToReview], force: Workforce, errors: list[tuple[str, str]]
) -> ResponseReturnValue:
    filtered_list = _filter_entries(grants, force, errors)
    return render_template(
        "grants/review.html",
        page=filtered_list.page,
        grants_to_review=filtered_list.entries,
        form=filtered_list.form,
        filtered=filtered_list.is_filtered,
        errors=errors,
        total=len(grants),
        h1=grant_review.review_heading(grants),
        action=filtered_list.action,
    ), 400 if errors else 200


def _end_grants(chosen: list[GrantToReview]) -> ResponseReturnValue:
    """End all of them or none; grants that have ended meanwhile are skipped."""
    try:
        with transaction():
            people_changed = grants.end_grants_and_sessions(
                [grant.grant_id for grant in chosen], by=current_user.person_id, at=clock.now()
            )
    except RuleError as error:
        flash(str(error), "error")
        return redirect(url_for("grants.review_grants"), 303)
    if current_user.person_id in people_changed:
        return _redirect_to_sign_in()
    flash(
        f"{plural(len(chosen), 'grant')} ended." if chosen else "These grants have ended already.", "success"
    )
    return redirect(url_for("grants.review_grants"), 303)


bp = Blueprint("grants", __name__, template_folder="templates")
bp.add_url_rule("/grants", "show_grants", show_grants, methods=["GET"])
bp.add_url_rule("/grants/proposed", "propose_grants", propose_grants, methods=["GET", "POST"])
bp.add_url_rule("/grants/review", "review_grants", review_grants, methods=["GET", "POST"])
add_several_page(bp)
