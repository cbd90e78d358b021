"""Withdrawing a directive, or a version that is still to come: what happens to whom, and the act."""

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives import queries, services
from portal.domain.directives.proposals import Proposal, propose_taking_back, propose_withdrawal
from portal.domain.directives.queries import DirectiveTold
from portal.domain.directives.scope import refuse_beyond
from portal.pages.directives.forms import WithdrawForm
from portal.pages.directives.views import preview_lists
from portal.pages.directives.views.blueprint import bp
from portal.pages.directives.views.issuing import record_version
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.errors import BadInputError, ConflictError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date


@bp.route("/<reference>/withdraw", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def withdraw_directive(reference: str) -> ResponseReturnValue:
    """Ask from which day, show what happens to whom, then withdraw."""
    told, form = queries.directive(reference), WithdrawForm()
    day = form.effective_on.day
    if request.method == "GET" or request.form.get("do") == "edit" or not form.validate() or day is None:
        return _render_withdrawal(told, form)
    try:
        if request.form.get("do") == "withdraw":
            return _record_withdrawal(told.reference, day)
        return _preview_withdrawal(told, day)
    except BadInputError as error:
        form.effective_on.errors = [reason.removeprefix("effective_on: ") for reason in error.reasons]
        return _render_withdrawal(told, form)
    except ConflictError as error:
        return _preview_withdrawal(told, day, str(error)), 409


def _record_withdrawal(reference: str, day: date) -> ResponseReturnValue:
    by, token = current_user.person_id, request.form.get("previewed", "")
    proposal = propose_withdrawal(reference, day)
    refuse_beyond(current_user.viewer, proposal)
    done = record_version(
        proposal, lambda: services.withdraw(reference, day, at=clock.now(), by=by, previewed=token)
    )
    flash(f"{done.reference} is withdrawn from {say_date(done.effective_on)}. Its history stays.", "success")
    return redirect(url_for(".show_directive", reference=done.reference), 303)


def _render_withdrawal(told: DirectiveTold, form: WithdrawForm) -> str:
    return render_template("directives/withdraw.html", told=told, form=form)


def _preview_withdrawal(told: DirectiveTold, day: date, problem: str = "") -> str:
    proposal = propose_withdrawal(told.reference, day)
    refuse_beyond(current_user.viewer, proposal)
    effect, token = proposal.preview()
    return render_template(
        "directives/withdraw_preview.html",
        told=told,
        day=day,
        headline=preview_lists.preview_headline(effect),
        lists=preview_lists.preview_lists(effect, current_user.viewer, request.form, clock.today()),
        token=token,
        problem=problem,
    )


@bp.route("/<reference>/versions/<int:number>/withdraw", methods=["GET", "POST"])
@requires(Permission.DIRECTIVE_ISSUE)
def withdraw_version(reference: str, number: int) -> ResponseReturnValue:
    """Show what happens to whom if a version to come never takes effect, then record that."""
    told = queries.directive(reference)
    proposal = propose_taking_back(reference, number, clock.today())
    refuse_beyond(current_user.viewer, proposal)
    if request.method == "GET" or request.form.get("do") != "withdraw":
        return _preview_version(told, proposal)
    by, token, now = current_user.person_id, request.form.get("previewed", ""), clock.now()
    today = clock.london_day(now)
    try:
        record_version(
            proposal,
            lambda: services.take_back(reference, number, at=now, today=today, by=by, previewed=token),
        )
    except ConflictError as error:
        return _preview_version(told, propose_taking_back(reference, number, clock.today()), str(error)), 409
    flash(f"Version {number} of {reference} is withdrawn: it never takes effect.", "success")
    left = len(told.versions) > 1
    return redirect(
        url_for(".show_directive", reference=reference) if left else url_for(".list_directives"), 303
    )


def _preview_version(told: DirectiveTold, proposal: Proposal, problem: str = "") -> str:
    effect, token = proposal.preview()
    before = told.before(told.newest)
    return render_template(
        "directives/withdraw_version.html",
        told=told,
        version=told.newest,
        before=before,
        headline=preview_lists.preview_headline(effect),
        lists=preview_lists.preview_lists(effect, current_user.viewer, request.form, clock.today()),
        token=token,
        problem=problem,
    )
