"""Pages that withdraw a directive, or a version before it takes effect, after a preview."""

from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import queries
from portal.domain.directives.proposals import Proposal, propose_version_withdrawal, propose_withdrawal
from portal.domain.directives.queries import DirectiveDetails
from portal.domain.directives.scope import refuse_outside_own_units
from portal.pages.directives.forms import WithdrawForm
from portal.pages.directives.views import preview_lists
from portal.pages.directives.views.issuing import make_change
from portal.pages.directives.views.listing import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.errors import BadInputError, ConflictError
from portal.platform.permissions import Permission


@bp.route("/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def withdraw_directive(reference: str) -> ResponseReturnValue:
    """Ask for the first day, then withdraw what was previewed."""
    return _answer_form(reference, withdraws=True)


@bp.route("/<reference>/withdraw/preview", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def preview_withdrawal(reference: str) -> ResponseReturnValue:
    """Show who is affected."""
    return _answer_form(reference, withdraws=False)


def _answer_form(reference: str, *, withdraws: bool) -> ResponseReturnValue:
    directive, form = queries.get_directive(reference), WithdrawForm()
    day = form.effective_on.day
    if request.method == "GET" or request.form.get("do") == "edit" or not form.validate() or day is None:
        return _render_withdrawal(directive, form)
    try:
        if withdraws and request.form.get("do") == "withdraw":
            return _record_withdrawal(directive.reference, day)
        return _render_effect(directive, day)
    except BadInputError as error:
        form.effective_on.errors = [reason.removeprefix("effective_on: ") for reason in error.reasons]
        return _render_withdrawal(directive, form)
    except ConflictError as error:
        return _render_effect(directive, day, str(error)), 409


def _record_withdrawal(reference: str, day: date) -> ResponseReturnValue:
    refuse_outside_own_units(current_user.viewer, propose_withdrawal(reference, day))
    return make_change(reference, ".show_directive", withdrawn_from=day.isoformat())


def _render_withdrawal(directive: DirectiveDetails, form: WithdrawForm) -> str:
    return render_template("directives/withdraw.html", directive=directive, form=form)


def _render_effect(directive: DirectiveDetails, day: date, problem: str = "") -> str:
    proposal = propose_withdrawal(directive.reference, day)
    refuse_outside_own_units(current_user.viewer, proposal)
    effect, token = proposal.preview()
    return render_template(
        "directives/withdraw_preview.html",
        directive=directive,
        day=day,
        headline=preview_lists.describe_effect(effect),
        lists=preview_lists.list_affected_people(effect, current_user.viewer, request.form, clock.today()),
        token=token,
        problem=problem,
    )


@bp.route("/<reference>/versions/<int:number>/withdraw", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def withdraw_version(reference: str, number: int) -> ResponseReturnValue:
    """Show who is affected if a version is withdrawn before it takes effect, then withdraw it."""
    directive = queries.get_directive(reference)
    proposal = propose_version_withdrawal(reference, number, clock.today())
    refuse_outside_own_units(current_user.viewer, proposal)
    if request.method == "GET" or request.form.get("do") != "withdraw":
        return _preview_version(directive, proposal)
    then = ".show_directive" if len(directive.versions) > 1 else ".list_directives"
    try:
        return make_change(reference, then, number=number)
    except ConflictError as error:
        return _preview_version(
            directive, propose_version_withdrawal(reference, number, clock.today()), str(error)
        ), 409


def _preview_version(directive: DirectiveDetails, proposal: Proposal, problem: str = "") -> str:
    effect, token = proposal.preview()
    previous = directive.version_before(directive.newest)
    return render_template(
        "directives/withdraw_version.html",
        directive=directive,
        version=directive.newest,
        previous=previous,
        headline=preview_lists.describe_effect(effect),
        lists=preview_lists.list_affected_people(effect, current_user.viewer, request.form, clock.today()),
        token=token,
        problem=problem,
    )
