"""Pages of all grants: the list, what is proposed from line management, and what fits no post any more."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts.grants import changes, proposals
from portal.domain.accounts.grants import review as grants_review
from portal.domain.accounts.grants.grant_list import (
    BY_ROSTER,
    SORTS,
    GrantFilters,
    GrantRow,
    grant_rows,
    in_order,
)
from portal.domain.accounts.grants.line_managers import count_line_managers, line_manager_rows
from portal.domain.accounts.grants.proposals import Proposal
from portal.domain.accounts.grants.review import Misfit
from portal.domain.people.units.search import unit_ever
from portal.domain.people.workforce import Workforce, workforce
from portal.pages.grants.forms import GrantFilterForm, NarrowForm
from portal.pages.layout.access import requires
from portal.pages.layout.paging import Page, address
from portal.pages.layout.query_arguments import Asked
from portal.pages.layout.sessions import cookies
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError, RuleError
from portal.platform.permissions import Permission, Role
from portal.platform.wording import plural

MOST_CHOSEN = 50  # proposals, or grants to look at again, on one page
Listed = TypeVar("Listed", Proposal, Misfit)
STATE_WORDS = {"ended": "Ended", "all": "Held and ended", BY_ROSTER: "By line management"}
HEADS = (
    ("person", "Person"),
    ("role", "Role"),
    ("unit", "Where"),
    ("since", "Since"),
    ("until", "Last day"),
    ("given", "Given"),
)


@requires(Permission.ACCOUNT_ADMINISTER)
def grant_list() -> ResponseReturnValue:
    """Who may do what, on which unit, since when and until when, and who gave it."""
    asked = Asked(request.args, request.path)
    role, state = asked.choice("role", Role), asked.choice("state", STATE_WORDS)
    filters, sort = GrantFilters(asked.text("q"), role, asked.text("unit"), state), asked.order(SORTS)
    form = GrantFilterForm(data=filters.address)
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
        heads=_heads(filters, sort),
        chips=_chips(filters, form, sort),
        clear_url=request.path,
        summary=plural(len(rows), "line manager" if filters.state == BY_ROSTER else "grant"),
        by_roster=_count_by_roster(),
    )
    return answer, asked.status


def _matching_rows(filters: GrantFilters, sort: str) -> list[GrantRow]:
    """The grants that the filters leave, or those who see direct reports without one."""
    viewer = current_user.viewer
    if filters.state != BY_ROSTER:
        return grant_rows(viewer, filters, sort, clock.now())
    by_roster = cookies.settings().line_managers_see
    return in_order(line_manager_rows(viewer, filters, clock.today()), sort) if by_roster else []


def _count_by_roster() -> int | None:
    """How many see direct reports by line management; None where nobody does without a grant."""
    if not cookies.settings().line_managers_see:
        return None
    return count_line_managers(current_user.viewer, clock.today())


def _heads(filters: GrantFilters, sort: str) -> list[tuple[str, str, str | None]]:
    """The sortable heads: their words, where each leads, and which way the list is sorted by it now."""
    column = sort.removeprefix("-") or "person"
    downwards = sort.startswith("-")
    found = []
    for name, text in HEADS:
        turned = f"-{name}" if name == column and not downwards else name
        direction = ("descending" if downwards else "ascending") if name == column else None
        found.append((text, address(request.path, {**filters.address, "sort": turned}.items()), direction))
    return found


def _chips(filters: GrantFilters, form: GrantFilterForm, sort: str) -> list[tuple[str, str]]:
    words = {
        "q": f"“{filters.q}”",
        "role": dict((c.value, c.label) for c in form.role.choices).get(filters.role, filters.role),
        "unit": filters.unit,
        "state": STATE_WORDS.get(filters.state, filters.state),
    }
    return [
        (words[name], address(request.path, {**filters.without(name).address, "sort": sort}.items()))
        for name in filters.address
    ]


@requires(Permission.ACCOUNT_ADMINISTER)
def proposed() -> ResponseReturnValue:
    """Managers' grants proposed from line management: choose, see what each would see, give them all."""
    force = workforce(clock.today())
    if request.method == "POST" and request.form.getlist("give"):
        return _give(force)
    errors = [("Select at least one person", "#give")] if request.method == "POST" else []
    return _proposals_page(force, errors)


def _proposals_page(force: Workforce, errors: list[tuple[str, str]]) -> ResponseReturnValue:
    by_roster = cookies.settings().line_managers_see  # then nobody lacks a grant
    every = [] if by_roster else proposals.proposals(current_user.viewer, force)
    found = _filtered(every, force, errors)
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
class _Slice(Generic[Listed]):
    """What one page of a list shows of it."""

    page: Page
    shown: list[Listed]
    form: NarrowForm
    filtered: bool
    action: str  # the page's own address, for what is sent from it


def _filtered(every: list[Listed], force: Workforce, errors: list[tuple[str, str]]) -> _Slice[Listed]:
    """The slice that the address asks for; a unit that is not there is added to ``errors``."""
    asked = Asked(request.args, request.path)
    form = NarrowForm(data={name: asked.text(name) for name in ("q", "unit")})
    wanted: list[Listed] = []
    try:
        wanted = _narrowed(every, form.q.data, form.unit.data, force)
    except (NotFoundError, RuleError) as error:
        form.unit.errors = [str(error)]
        asked.refuse("unit", str(error))
    page = asked.page(len(wanted), MOST_CHOSEN)
    errors += asked.errors(["unit"])
    return _Slice(
        page,
        wanted[page.offset : page.offset + page.size],
        form,
        bool(form.q.data or form.unit.data),
        address(request.path, asked.kept, page.number),
    )


def _narrowed(every: list[Listed], text: str, unit: str, force: Workforce) -> list[Listed]:
    """Those whose name or number holds every word, and whose unit is the one asked for, or under it."""
    words = text.casefold().replace(",", " ").split()
    found = [
        each for each in every if all(word in f"{each.name} {each.staff_number}".casefold() for word in words)
    ]
    if not unit:
        return found
    path = force.units[unit_ever(unit, force.units)].path
    return [each for each in found if f"{each.unit_path}/".startswith(f"{path}/")]


def _give(force: Workforce) -> ResponseReturnValue:
    """Say what each of the chosen would see; then give all of it, or nothing."""
    confirmed = "confirmed" in request.form
    pairs = _sent(request.form.getlist("give"), confirmed=confirmed)
    try:
        if current_user.viewer.staff_number in dict(pairs):
            changes.refuse_own_role(current_user.person_id, current_user.person_id)
        if confirmed:
            return _given(pairs, force)
        found = proposals.chosen(pairs, proposals.proposals(current_user.viewer, force))
    except PortalError as error:
        flash(str(error), "error")
        return redirect(url_for("grants.proposed"), 303)
    back = address(request.path, request.args.items(multi=True))
    return render_template("grants/give.html", pairs=found, back=back)


def _sent(values: list[str], *, confirmed: bool) -> list[tuple[str, str]]:
    """Pairs of a staff number and where, as the list sends them or, once confirmed, the page after it."""
    if confirmed:
        return [(number, unit) for number, _, unit in (value.rpartition(":") for value in values)]
    return [(number, request.form.get(f"where-{number}", "")) for number in values]


def _given(pairs: list[tuple[str, str]], force: Workforce) -> ResponseReturnValue:
    # All is read before the lock is taken: what is given meanwhile is passed over then.
    left = proposals.outstanding(current_user.viewer, pairs, force)
    found = proposals.chosen(left, proposals.proposals(current_user.viewer, force)) if left else []
    with transaction():
        made = changes.give_many(proposals.new_grants(found), by=current_user.person_id, at=clock.now())
    already = f" {plural(len(pairs) - made, 'grant')} held already." if made < len(pairs) else ""
    given = f"{plural(made, 'grant')} given: what each allows counts from the next sign-in." if made else ""
    flash(f"{given}{already}".strip(), "success")
    return redirect(url_for("grants.proposed"), 303)


def _sign_in_again() -> ResponseReturnValue:
    """To sign-in: the administrator's own roles changed, which ended this session."""
    response = redirect(url_for("sign_in.sign_in"), 303)
    cookies.sign_out(response)
    flash("Your own roles changed, so sign in again.", "success")
    return response


@requires(Permission.ACCOUNT_ADMINISTER)
def review() -> ResponseReturnValue:
    """Grants that fit no post any more, with the reasons; several can be ended at once."""
    force = workforce(clock.today())
    found = grants_review.misfits(current_user.viewer, force)
    if request.method == "GET" or not request.form.getlist("end"):
        errors = [("Select at least one grant", "#end")] if request.method == "POST" else []
        return _review_page(found, force, errors)
    wanted = set(request.form.getlist("end"))
    chosen = [each for each in found if str(each.grant_id) in wanted]
    if "confirmed" in request.form:
        return _end(chosen)
    if not chosen:
        flash("These grants have ended already, or fit a post again.", "success")
        return redirect(url_for("grants.review"), 303)
    back = address(request.path, request.args.items(multi=True))
    return render_template("grants/end_grants.html", chosen=chosen, back=back)


def _review_page(every: list[Misfit], force: Workforce, errors: list[tuple[str, str]]) -> ResponseReturnValue:
    found = _filtered(every, force, errors)
    return render_template(
        "grants/review.html",
        page=found.page,
        misfits=found.shown,
        form=found.form,
        filtered=found.filtered,
        errors=errors,
        total=len(every),
        h1=grants_review.count_words(every),
        action=found.action,
    ), 400 if errors else 200


def _end(chosen: list[Misfit]) -> ResponseReturnValue:
    """End them all, or none; what has ended meanwhile is left."""
    try:
        with transaction():
            holders = changes.end_many(
                [each.grant_id for each in chosen], by=current_user.person_id, at=clock.now()
            )
    except RuleError as error:
        flash(str(error), "error")
        return redirect(url_for("grants.review"), 303)
    if current_user.person_id in holders:
        return _sign_in_again()
    flash(
        f"{plural(len(chosen), 'grant')} ended." if chosen else "These grants have ended already.", "success"
    )
    return redirect(url_for("grants.review"), 303)


bp = Blueprint("grants", __name__, template_folder="templates")
bp.add_url_rule("/grants", "grant_list", grant_list, methods=["GET"])
bp.add_url_rule("/grants/proposed", "proposed", proposed, methods=["GET", "POST"])
bp.add_url_rule("/grants/review", "review", review, methods=["GET", "POST"])
