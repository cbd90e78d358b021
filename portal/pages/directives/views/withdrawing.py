"""Pages that withdraw a directive, or a version before it takes effect, after a preview."""

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import queries, services
from portal.domain.directives.proposals import Proposal, propose_version_withdrawal, propose_withdrawal
from portal.domain.directives.queries import DirectiveDetails
from portal.domain.directives.scope import refuse_outside_own_units
from portal.pages.directives.forms import WithdrawForm
from portal.pages.directives.views import preview_lists
from portal.pages.directives.views.issuing import record_version
from portal.pages.directives.views.listing import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.errors import BadInputError, ConflictError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date


@bp.route("/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def withdraw_directive(reference: str) -> ResponseReturnValue:
    """Ask for the first day, show who is affected, then withdraw."""
    directive, form = queries.get_directive(reference), WithdrawForm()
    day = form.effective_on.day
    if request.method == "GET" or request.form.get("do") == "edit" or not form.validate() or day is None:
        return _render_withdrawal(directive, form)
    try:
        if request.form.get("do") == "withdraw":
            return _record_withdrawal(directive.reference, day)
        return _preview_withdrawal(directive, day)
    except BadInputError as error:
        form.effective_on.errors = [reason.removeprefix("effective_on: ") for reason in error.reasons]
        return _render_withdrawal(directive, form)
    except ConflictError as error:
        return _preview_withdrawal(directive, day, str(error)), 409


def _record_withdrawal(reference: str, day: date) -> ResponseReturnValue:
    by, token = current_user.person_id, request.form.get("previewed", "")
    proposal = propose_withdrawal(reference, day)
    refuse_outside_own_units(current_user.viewer, proposal)
    withdrawal = record_version(
        proposal, lambda: services.withdraw_directive(reference, day, at=clock.now(), by=by, previewed=token)
    )
    flash(
        f"{withdrawal.reference} is withdrawn from {say_date(withdrawal.effective_on)}. Its versions stay.",
        "success",
    )
    return redirect(url_for(".show_directive", reference=withdrawal.reference), 303)


def _render_withdrawal(directive: DirectiveDetails, form: WithdrawForm) -> str:
    return render_template("directives/withdraw.html", directive=directive, form=form)


def _preview_withdrawal(directive: DirectiveDetails, day: date, problem: str = "") -> str:
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
    by, token, now = current_user.person_id, request.form.get("previewed", ""), clock.now()
    today = clock.london_day(now)
    try:
        record_version(
            proposal,
            lambda: services.withdraw_version(reference, number, at=now, today=today, by=by, previewed=token),
        )
    except ConflictError as error:
        return _preview_version(
            directive, propose_version_withdrawal(reference, number, clock.today()), str(error)
        ), 409
    flash(f"Version {number} of {reference} is withdrawn. It will not take effect.", "success")
    has_other_versions = len(directive.versions) > 1
    return redirect(
        url_for(".show_directive", reference=reference)
        if has_other_versions
        else url_for(".list_directives"),
        303,
    )


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
