"""Pages of access tokens: the list, making one, which is shown once, and revoking one."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice
from wtforms.validators import ValidationError

from portal.domain import access_tokens
from portal.domain.access_tokens import MOST_DAYS, USUAL_DAYS, TokenScope
from portal.domain.people.queries import live_units
from portal.domain.people.sight import units_allowing
from portal.domain.reports.statistics import list_references
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, drop_down, radios, text_line
from portal.pages.layout.forms import (
    LineField,
    PortalForm,
    read_whole_number,
)
from portal.pages.layout.query_arguments import Page
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError, require
from portal.platform.permissions import Permission
from portal.platform.wording import plural

# The form with which an administrator makes an access token.

SCOPE_WORDS = {
    TokenScope.READ: "Read people, directives, status and records",
    TokenScope.WRITE: "Read, and import records, the roster and exemptions",
    TokenScope.SCIM: "Provision people from the identity provider (SCIM)",
}


class TokenForm(PortalForm):
    """A token to make: its name, what it may do, about whom, and for how long."""

    name = text_line(
        "Name", "Which system uses it, such as power-bi.", required="Enter a name", width=20, spellcheck=False
    )
    scope = radios("What it may do", required="Select what it may do")
    unit = drop_down("People")
    directive = drop_down("Directive")
    days = text_line(
        "Days it works", f"From 1 to {MOST_DAYS}.", width=5, inputmode="numeric", default=str(USUAL_DAYS)
    )
    send = button("Make the token")

    def offer(self, units: list[tuple[int, str]], references: list[str], *, whole_force: bool) -> None:
        """Offer units by label and directives; the whole force and provisioning only with ``whole_force``."""
        scopes = [scope for scope in TokenScope if whole_force or scope is not TokenScope.SCIM]
        self.scope.choices = [SelectChoice(value=str(scope), label=SCOPE_WORDS[scope]) for scope in scopes]
        everyone = [SelectChoice(value="", label="The whole force")] if whole_force else []
        self.unit.choices = everyone + [
            SelectChoice(value=str(unit_id), label=label) for unit_id, label in units
        ]
        self.directive.choices = [
            SelectChoice(value="", label="Every directive"),
            *(SelectChoice(value=reference, label=reference) for reference in references),
        ]

    def validate_days(self, field: LineField) -> None:
        """Accept a number of days within the limits."""
        days = read_whole_number(field.data or "")
        if days is None or not 1 <= days <= MOST_DAYS:
            raise ValidationError(f"Enter a number of days from 1 to {MOST_DAYS}.")

    @property
    def whole_days(self) -> int:
        """The number of days entered."""
        return read_whole_number(self.days.data or "") or 0


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
    rows = access_tokens.list_tokens(units, clock.now())
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
            plain = access_tokens.create_token(
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
        tokens = access_tokens.list_suspended(_own_units(), clock.now(), reference)
        if reference and not tokens:
            raise NotFoundError("No such token waits for this.")
        count = access_tokens.resume_tokens(tokens, by=current_user.person_id)
    flash(f"{plural(count, 'token works', 'tokens work')} again.", "success")
    return redirect(url_for("tokens.list_tokens"), 303)


@bp.post("/tokens/<reference>/revoke")
@requires(Permission.TOKEN_ADMINISTER)
def revoke_token(reference: str) -> ResponseReturnValue:
    """Revoke a token, which is refused from the next request on."""
    with transaction():
        token = require(access_tokens.token_of_reference(reference, _own_units()), "There is no such token.")
        access_tokens.revoke_token(token, by=current_user.person_id, at=clock.now())
        name = token.name
    flash(f"The token {name} is revoked. It no longer works.", "success")
    return redirect(url_for("tokens.list_tokens"), 303)
