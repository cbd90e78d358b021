"""Pages of all grants: the list, what is proposed from line management, and what fits no post any more."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts.grants import changes, proposals
from portal.domain.accounts.grants import review as grants_review
from portal.domain.accounts.grants.grant_list import (
    GRANT_SORTS,
    MANAGERS_BY_ROSTER,
    GrantFilters,
    GrantRow,
    list_grants,
    sort_grants,
)
from portal.domain.accounts.grants.line_managers import count_line_managers, list_line_managers
from portal.domain.accounts.grants.proposals import GrantProposal
from portal.domain.accounts.grants.review import GrantToReview
from portal.domain.people.units.search import find_current_or_former_unit
from portal.domain.people.workforce import Workforce, read_workforce
from portal.pages.grants.forms import GrantFilterForm, GrantSearchForm
from portal.pages.layout.access import requires
from portal.pages.layout.paging import Page, address
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError, RuleError
from portal.platform.permissions import Permission, Role
from portal.platform.wording import plural

MOST_CHOSEN = 50  # proposals, or grants to look at again, on one page
Listed = TypeVar("Listed", GrantProposal, GrantToReview)
STATE_WORDS = {"ended": "Ended", "all": "Held and ended", MANAGERS_BY_ROSTER: "By line management"}
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
    """Who may do what, on which unit, since when and until when, and who gave it."""
    asked = QueryArguments(request.args, request.path)
    role, state = asked.choice("role", Role), asked.choice("state", STATE_WORDS)
    filters, sort = GrantFilters(asked.text("q"), role, asked.text("unit"), state), asked.order(GRANT_SORTS)
    form = GrantFilterForm(data=filters.address_fields)
    rows: list[GrantRow] = []
    try:
        rows = _matching_rows(filters, sort)
    except (NotFoundError, RuleError) as error:
        asked.refuse("unit", str(error))
    page = asked.page(len(rows))
    for sentence, name in asked.faults:
        if name in form:
            form[name].errors = [sentence]
    answer = render_template(
        "grants/list.html",
        page=page,
        errors=asked.errors(form._fields),
        rows=rows[page.offset : page.offset + page.size],
        form=form,
        filters=filters,
        heads=_sort_heads(filters, sort),
        chips=_filter_chips(filters, form, sort),
        clear_url=request.path,
        summary=plural(len(rows), "line manager" if filters.state == MANAGERS_BY_ROSTER else "grant"),
        by_roster=_count_by_roster(),
    )
    return answer, asked.status


def _matching_rows(filters: GrantFilters, sort: str) -> list[GrantRow]:
    """The grants that the filters leave, or those who see direct reports without one."""
    viewer = current_user.viewer
    if filters.state != MANAGERS_BY_ROSTER:
        return list_grants(viewer, filters, sort, clock.now())
    by_roster = cookies.current_settings().line_managers_see
    return sort_grants(list_line_managers(viewer, filters, clock.today()), sort) if by_roster else []


def _count_by_roster() -> int | None:
    """How many see direct reports by line management; None where nobody does without a grant."""
    if not cookies.current_settings().line_managers_see:
        return None
    return count_line_managers(current_user.viewer, clock.today())


def _sort_heads(filters: GrantFilters, sort: str) -> list[tuple[str, str, str | None]]:
    """The sortable heads: their words, where each leads, and which way the list is sorted by it now."""
    column = sort.removeprefix("-") or "person"
    downwards = sort.startswith("-")
    found = []
    for name, text in COLUMN_HEADS:
        turned = f"-{name}" if name == column and not downwards else name
        direction = ("descending" if downwards else "ascending") if name == column else None
        found.append(
            (text, address(request.path, {**filters.address_fields, "sort": turned}.items()), direction)
        )
    return found


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


@requires(Permission.ACCOUNT_ADMINISTER)
def propose_grants() -> ResponseReturnValue:
    """Managers' grants proposed from line management: choose, see what each would see, give them all."""
    force = read_workforce(clock.today())
    if request.method == "POST" and request.form.getlist("give"):
        return _confirm_or_give(force)
    errors = [("Select at least one person", "#give")] if request.method == "POST" else []
    return _proposals_page(force, errors)


def _proposals_page(force: Workforce, errors: list[tuple[str, str]]) -> ResponseReturnValue:
    by_roster = cookies.current_settings().line_managers_see  # then nobody lacks a grant
    every = [] if by_roster else proposals.list_proposals(current_user.viewer, force)
    found = _filter_list(every, force, errors)
    return render_template(
        "grants/proposed.html",
        page=found.page,
        proposals=found.shown,
        form=found.form,
        filtered=found.filtered,
        errors=errors,
        total=len(every),
        by_roster=by_roster,
        action=found.action,
    ), 400 if errors else 200


@dataclass(frozen=True)
class _FilteredList(Generic[Listed]):
    """What one page of a list shows of it."""

    page: Page
    shown: list[Listed]
    form: GrantSearchForm
    filtered: bool
    action: str  # the page's own address, for what is sent from it


def _filter_list(
    every: list[Listed], force: Workforce, errors: list[tuple[str, str]]
) -> _FilteredList[Listed]:
    """The slice that the address asks for; a unit that is not there is added to ``errors``."""
    asked = QueryArguments(request.args, request.path)
    form = GrantSearchForm(data={name: asked.text(name) for name in ("q", "unit")})
    wanted: list[Listed] = []
    try:
        wanted = _matching_entries(every, form.q.data, form.unit.data, force)
    except (NotFoundError, RuleError) as error:
        form.unit.errors = [str(error)]
        asked.refuse("unit", str(error))
    page = asked.page(len(wanted), MOST_CHOSEN)
    errors += asked.errors(["unit"])
    return _FilteredList(
        page,
        wanted[page.offset : page.offset + page.size],
        form,
        bool(form.q.data or form.unit.data),
        address(request.path, asked.kept, page.number),
    )


def _matching_entries(every: list[Listed], text: str, unit: str, force: Workforce) -> list[Listed]:
    """Those whose name or number holds every word, and whose unit is the one asked for, or under it."""
    words = text.casefold().replace(",", " ").split()
    found = [
        each for each in every if all(word in f"{each.name} {each.staff_number}".casefold() for word in words)
    ]
    if not unit:
        return found
    path = force.units[find_current_or_former_unit(unit, force.units)].path
    return [each for each in found if f"{each.unit_path}/".startswith(f"{path}/")]


def _confirm_or_give(force: Workforce) -> ResponseReturnValue:
    """Say what each of the chosen would see; then give all of it, or nothing."""
    confirmed = "confirmed" in request.form
    pairs = _read_sent_pairs(request.form.getlist("give"), confirmed=confirmed)
    try:
        if current_user.viewer.staff_number in dict(pairs):
            changes.refuse_own_role(current_user.person_id, current_user.person_id)
        if confirmed:
            return _give_chosen(pairs, force)
        found = proposals.find_chosen(pairs, proposals.list_proposals(current_user.viewer, force))
    except PortalError as error:
        flash(str(error), "error")
        return redirect(url_for("grants.propose_grants"), 303)
    back = address(request.path, request.args.items(multi=True))
    return render_template("grants/give.html", pairs=found, back=back)


def _read_sent_pairs(values: list[str], *, confirmed: bool) -> list[tuple[str, str]]:
    """Pairs of a staff number and where, as the list sends them or, once confirmed, the page after it."""
    if confirmed:
        return [(number, unit) for number, _, unit in (value.rpartition(":") for value in values)]
    return [(number, request.form.get(f"where-{number}", "")) for number in values]


def _give_chosen(pairs: list[tuple[str, str]], force: Workforce) -> ResponseReturnValue:
    # All is read before the lock is taken: what is given meanwhile is passed over then.
    left = proposals.list_pairs_not_held(current_user.viewer, pairs, force)
    found = proposals.find_chosen(left, proposals.list_proposals(current_user.viewer, force)) if left else []
    with transaction():
        made = changes.give_grants(
            proposals.build_new_grants(found), by=current_user.person_id, at=clock.now()
        )
    already = f" {plural(len(pairs) - made, 'grant')} held already." if made < len(pairs) else ""
    given = f"{plural(made, 'grant')} given: what each allows counts from the next sign-in." if made else ""
    flash(f"{given}{already}".strip(), "success")
    return redirect(url_for("grants.propose_grants"), 303)


def _redirect_to_sign_in() -> ResponseReturnValue:
    """To sign-in: the administrator's own roles changed, which ended this session."""
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.clear_session_cookies(response)
    flash("Your own roles changed, so sign in again.", "success")
    return response


@requires(Permission.ACCOUNT_ADMINISTER)
def review_grants() -> ResponseReturnValue:
    """Grants that fit no post any more, with the reasons; several can be ended at once."""
    force = read_workforce(clock.today())
    found = grants_review.list_grants_to_review(current_user.viewer, force)
    if request.method == "GET" or not request.form.getlist("end"):
        errors = [("Select at least one grant", "#end")] if request.method == "POST" else []
        return _review_page(found, force, errors)
    wanted = set(request.form.getlist("end"))
    chosen = [each for each in found if str(each.grant_id) in wanted]
    if "confirmed" in request.form:
        return _end_grants(chosen)
    if not chosen:
        flash("These grants have ended already, or fit a post again.", "success")
        return redirect(url_for("grants.review_grants"), 303)
    back = address(request.path, request.args.items(multi=True))
    return render_template("grants/end_grants.html", chosen=chosen, back=back)


def _review_page(
    every: list[GrantToReview], force: Workforce, errors: list[tuple[str, str]]
) -> ResponseReturnValue:
    found = _filter_list(every, force, errors)
    return render_template(
        "grants/review.html",
        page=found.page,
        misfits=found.shown,
        form=found.form,
        filtered=found.filtered,
        errors=errors,
        total=len(every),
        h1=grants_review.review_heading(every),
        action=found.action,
    ), 400 if errors else 200


def _end_grants(chosen: list[GrantToReview]) -> ResponseReturnValue:
    """End them all, or none; what has ended meanwhile is left."""
    try:
        with transaction():
            holders = changes.end_grants_and_sessions(
                [each.grant_id for each in chosen], by=current_user.person_id, at=clock.now()
            )
    except RuleError as error:
        flash(str(error), "error")
        return redirect(url_for("grants.review_grants"), 303)
    if current_user.person_id in holders:
        return _redirect_to_sign_in()
    flash(
        f"{plural(len(chosen), 'grant')} ended." if chosen else "These grants have ended already.", "success"
    )
    return redirect(url_for("grants.review_grants"), 303)


bp = Blueprint("grants", __name__, template_folder="templates")
bp.add_url_rule("/grants", "show_grants", show_grants, methods=["GET"])
bp.add_url_rule("/grants/proposed", "propose_grants", propose_grants, methods=["GET", "POST"])
bp.add_url_rule("/grants/review", "review_grants", review_grants, methods=["GET", "POST"])
