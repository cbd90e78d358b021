"""Pages of access tokens: the list, making one, which is shown once, and revoking one."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.access_tokens import queries, services
from portal.domain.access_tokens.models import TokenScope
from portal.domain.people.queries import live_units
from portal.domain.people.visibility.authorised_units import units_allowing
from portal.domain.reports.directive_snapshot import list_references
from portal.pages.layout.access import requires
from portal.pages.layout.paging import Page
from portal.pages.tokens.forms import SCOPE_WORDS, TokenForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

bp = Blueprint("tokens", __name__, template_folder="templates")


def _own_units() -> set[int] | None:
    """The units for which the viewer may make tokens; None: the whole force."""
    return units_allowing(current_user.viewer, Permission.TOKEN_ADMINISTER)


def _build_form(units: set[int] | None) -> TokenForm:
    form = TokenForm()
    by_path = sorted(live_units(clock.today()).items(), key=lambda pair: pair[1].path)
    offered = [(unit_id, unit.label) for unit_id, unit in by_path if units is None or unit_id in units]
    form.offer(offered, list_references(), whole_force=units is None)
    return form


@bp.get("/tokens")
@requires(Permission.TOKEN_ADMINISTER)
def list_tokens() -> ResponseReturnValue:
    """List the tokens of the viewer's units, with their last use, and offer to make one."""
    units = _own_units()
    return _render_list(units, _build_form(units))


def _render_list(units: set[int] | None, form: TokenForm) -> ResponseReturnValue:
    rows = queries.list_tokens(units, clock.now())
    page = Page.of(len(rows), request.path, request.args.items())
    return render_template(
        "tokens/list.html",
        form=form,
        page=page,
        rows=rows[page.offset : page.offset + page.size],
        scope_words=SCOPE_WORDS,
        suspended=sum(row.suspended for row in rows),
    ), 400 if form.errors else 200


@bp.post("/tokens")
@requires(Permission.TOKEN_ADMINISTER, recent=True)
def make_token() -> ResponseReturnValue:
    """Make a token and show it this once."""
    units = _own_units()
    form = _build_form(units)
    if not form.validate_on_submit():
        return _render_list(units, form)
    try:
        with transaction():
            plain = services.create_token(
                form.name.data,
                TokenScope(form.scope.data),
                unit_id=int(form.unit.data) if form.unit.data else None,
                directive_reference=form.directive.data or None,
                days=form.whole_days,
                by=current_user.person_id,
                at=clock.now(),
            )
    except RuleError as error:
        field = form.unit if form.scope.data == TokenScope.SCIM and form.unit.data else form.name
        field.errors = [str(error)]
        return _render_list(units, form)
    return render_template("tokens/made.html", name=form.name.data, plain=plain)


@bp.post("/tokens/resume")
@requires(Permission.TOKEN_ADMINISTER, recent=True)
def resume_tokens() -> ResponseReturnValue:
    """Let one token that a restore suspended work again, or all of the viewer's units."""
    reference = request.form.get("reference", "")
    with transaction():
        tokens = queries.list_suspended(_own_units(), clock.now(), reference)
        if reference and not tokens:
            raise NotFoundError("No such token waits for this.")
        count = services.resume_tokens(tokens, by=current_user.person_id)
    flash(f"{plural(count, 'token works', 'tokens work')} again.", "success")
    return redirect(url_for("tokens.list_tokens"), 303)


@bp.post("/tokens/<reference>/revoke")
@requires(Permission.TOKEN_ADMINISTER)
def revoke_token(reference: str) -> ResponseReturnValue:
    """Revoke a token, which is refused from the next request on."""
    with transaction():
        token = queries.token_of_reference(reference, _own_units())
        if token is None:
            raise NotFoundError("There is no such token.")
        services.revoke_token(token, by=current_user.person_id, at=clock.now())
        name = token.name
    flash(f"The token {name} is revoked. It no longer works.", "success")
    return redirect(url_for("tokens.list_tokens"), 303)
