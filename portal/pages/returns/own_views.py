"""Pages of a force's own returns: the list, making one, its file, and the force beside the others."""

from io import BytesIO
from textwrap import wrap

from flask import flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.directives.queries import list_directives
from portal.domain.returns.comparing import keep_comparison, read_own_comparison
from portal.domain.returns.content import period_words
from portal.domain.returns.own_key import (
    find_comparison_key,
    find_own_public_key,
    is_coordinator,
    load_own_key,
    own_short_name,
)
from portal.domain.returns.queries import find_own_return, list_comparisons, list_made_returns
from portal.domain.returns.services import NEEDS_REASON, keep_own_return, prepare_own_return
from portal.pages.layout.access import requires
from portal.pages.layout.form_widgets import mark_wrong
from portal.pages.returns.blueprint import bp
from portal.pages.returns.forms import LoadFileForm, MakeReturnForm
from portal.pages.returns.return_rows import list_rows_of_made
from portal.platform import clock
from portal.platform.audit.services import log
from portal.platform.db import read_stamps, transaction
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.months import add_months, first_of_month
from portal.platform.permissions import Permission
from portal.platform.signing.keys import take_fingerprint


@bp.get("/returns")
@requires(Permission.RETURN_VIEW)
def show_returns() -> ResponseReturnValue:
    """Show the returns that this force made, its key, and the comparisons that came."""
    public_key = find_own_public_key()
    return render_template(
        "returns/index.html",
        period_words=period_words,
        returns=list_rows_of_made(list_made_returns()),
        comparisons=list_comparisons(),
        short_name=own_short_name(),
        public_key=public_key,
        fingerprint=wrap(take_fingerprint(public_key), 4) if public_key else [],
        may_manage=Permission.RETURN_MANAGE in current_user.permissions,
        coordinates=is_coordinator(),
    )


@bp.route("/returns/new", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE, recent=True)
def make_return() -> ResponseReturnValue:
    """Make a signed return of a month."""
    today = clock.today()
    last_month = add_months(first_of_month(today), -1)
    form = MakeReturnForm(data={"period": f"{last_month:%Y-%m}"})
    titles = [
        (directive.reference, directive.shown_version(today).file.title) for directive in list_directives()
    ]
    form.offer_directives(titles)
    if form.validate_on_submit():
        try:
            content = prepare_own_return(
                form.directive.data,
                form.period.data or "",
                hide=bool(form.hide_small.data),
                now=clock.now(),
                newest=read_stamps()[0],
            )
            with transaction():
                made = keep_own_return(
                    content,
                    load_own_key(),
                    at=clock.now(),
                    by=current_user.person_id,
                    reason=form.reason.data or "",
                )
                number = made.number
        except (BadInputError, RuleError, NotFoundError) as error:
            mark_wrong(form.reason if str(error) == NEEDS_REASON else form.period, str(error))
        else:
            flash(
                f"Return {number} of {period_words(content.period)} is made. Download it and send it.",
                "success",
            )
            return redirect(url_for(".show_returns"), 303)
    return render_template("returns/new.html", form=form), 400 if form.errors else 200


@bp.get("/returns/made/<period>/<int:number>.json")
@requires(Permission.RETURN_VIEW)
def download_return(period: str, number: int) -> ResponseReturnValue:
    """Download a return, byte for byte as it was signed; ``number`` counts all of the month."""
    content = find_own_return(period, number).content
    name = f"{own_short_name()}-return-{period}-{number}.json"
    with transaction():
        log("return.downloaded", actor_id=current_user.person_id, period=period, number=number)
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name=name)


@bp.route("/returns/comparisons/new", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE)
def load_comparison() -> ResponseReturnValue:
    """Load a comparison that the coordinating unit sent."""
    form = LoadFileForm()
    if form.validate_on_submit():
        try:
            key, file = find_comparison_key(), form.file.data.read()
            with transaction():
                period = keep_comparison(file, key, at=clock.now(), by=current_user.person_id)
        except (BadInputError, RuleError) as error:
            form.file.errors = error.reasons if isinstance(error, BadInputError) else [str(error)]
        else:
            flash(f"The comparison of {period_words(period)} is loaded.", "success")
            return redirect(url_for(".show_comparison", period=period), 303)
    return render_template("returns/load_comparison.html", form=form), 400 if form.errors else 200


@bp.get("/returns/comparisons/<period>")
@requires(Permission.RETURN_VIEW)
def show_comparison(period: str) -> ResponseReturnValue:
    """Show this force beside the anonymous others."""
    comparison = read_own_comparison(period, find_comparison_key())
    return render_template(
        "returns/comparison.html", period_words=period_words, own=comparison, period=period
    )
