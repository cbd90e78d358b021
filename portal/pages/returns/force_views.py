"""Pages of a coordinating unit: the forces, their names, sizes and keys, and the months it asks for."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.returns.content import period_words
from portal.domain.returns.own_key import refuse_unless_coordinator
from portal.domain.returns.queries import (
    find_force,
    list_forces,
    list_keys,
    list_periods,
    list_received_returns,
)
from portal.domain.returns.registration import (
    add_key,
    ask_for_returns,
    change_force_details,
    end_key,
    register_force,
)
from portal.pages.layout.access import requires
from portal.pages.layout.forms import save_form
from portal.pages.returns.blueprint import bp
from portal.pages.returns.forms import AddKeyForm, AskReturnsForm, EndKeyForm, ForceForm
from portal.pages.returns.return_rows import list_rows_of_received
from portal.platform import clock
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as date_words


def _day_today() -> dict[str, str]:
    return {"from_on": date_words(clock.today())}


@bp.get("/returns/forces")
@requires(Permission.RETURN_VIEW)
def show_forces() -> ResponseReturnValue:
    """Show every force with its size, and how many of its keys are valid today."""
    refuse_unless_coordinator()
    today = clock.today()
    valid_keys = {force: sum(key.is_valid_on(today) for key in keys) for force, keys in list_keys().items()}
    return render_template(
        "returns/forces.html",
        forces=list_forces(today),
        valid_keys=valid_keys,
        may_manage=Permission.RETURN_MANAGE in current_user.permissions,
    )


@bp.route("/returns/forces/new", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE)
def add_force() -> ResponseReturnValue:
    """Register a force."""
    refuse_unless_coordinator()
    form = ForceForm(data=_day_today())
    if form.validate_on_submit():
        with save_form(form):
            register_force(form.key.data, form.read_details(), at=clock.now(), by=current_user.person_id)
        if not form.errors:
            flash("The force is registered. Register its public key next.", "success")
            return redirect(url_for(".show_force", key=form.key.data), 303)
    return render_template("returns/force_form.html", form=form, force=None), 400 if form.errors else 200


@bp.get("/returns/forces/<key>")
@requires(Permission.RETURN_VIEW)
def show_force(key: str) -> ResponseReturnValue:
    """Show a force, its keys, and every return that came from it."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    return render_template(
        "returns/force.html",
        period_words=period_words,
        force=force,
        keys=list_keys([force.id]).get(force.id, []),
        returns=list_rows_of_received(list_received_returns(force.id)),
        today=clock.today(),
        may_manage=Permission.RETURN_MANAGE in current_user.permissions,
    )


@bp.route("/returns/forces/<key>/details", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE)
def change_force(key: str) -> ResponseReturnValue:
    """State what a force is called and how large it is, from a day on."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    form = ForceForm(data={"name": force.name, "headcount": str(force.headcount), **_day_today()})
    del form.key
    if form.validate_on_submit():
        with save_form(form):
            change_force_details(key, form.read_details(), at=clock.now(), by=current_user.person_id)
        if not form.errors:
            flash("The details are saved.", "success")
            return redirect(url_for(".show_force", key=key), 303)
    return render_template("returns/force_form.html", form=form, force=force), 400 if form.errors else 200


@bp.route("/returns/forces/<key>/keys/new", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE, recent=True)
def register_key(key: str) -> ResponseReturnValue:
    """Register a public key of a force."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    form = AddKeyForm(data=_day_today())
    if form.validate_on_submit() and form.from_on.day:
        with save_form(form):
            add_key(
                key,
                form.public_key.data,
                read_out=form.read_out.data or "",
                from_on=form.from_on.day,
                at=clock.now(),
                by=current_user.person_id,
            )
        if not form.errors:
            flash("The key is registered.", "success")
            return redirect(url_for(".show_force", key=key), 303)
    return render_template("returns/key.html", form=form, force=force), 400 if form.errors else 200


@bp.route("/returns/forces/<key>/keys/<fingerprint>/end", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE, recent=True)
def end_force_key(key: str, fingerprint: str) -> ResponseReturnValue:
    """End a key of a force: from a day on no return signed with it is received."""
    refuse_unless_coordinator()
    force = find_force(key, clock.today())
    force_keys = list_keys([force.id]).get(force.id, [])
    if not any(row.fingerprint == fingerprint and row.ended_on is None for row in force_keys):
        raise NotFoundError("The force has no such key, or it has ended already.")
    form = EndKeyForm(data=_day_today())
    if form.validate_on_submit() and form.from_on.day:
        with save_form(form):
            end_key(key, fingerprint, from_on=form.from_on.day, at=clock.now(), by=current_user.person_id)
        if not form.errors:
            flash("The key is ended.", "success")
            return redirect(url_for(".show_force", key=key), 303)
    html = render_template("returns/end_key.html", form=form, force=force, fingerprint=fingerprint)
    return html, 400 if form.errors else 200


@bp.route("/returns/periods", methods=["GET", "POST"])
@requires(Permission.RETURN_MANAGE)
def ask_returns() -> ResponseReturnValue:
    """Show the months that are asked for, ask for another, or change the day by which one is due."""
    refuse_unless_coordinator()
    form = AskReturnsForm()
    if form.validate_on_submit() and form.due_on.day:
        with save_form(form):
            period = ask_for_returns(
                form.period.data, form.due_on.day, at=clock.now(), by=current_user.person_id
            )
        if not form.errors:
            flash(f"Every force is asked for its return of {period_words(period)}.", "success")
            return redirect(url_for(".ask_returns"), 303)
    html = render_template(
        "returns/periods.html", period_words=period_words, form=form, periods=list_periods()
    )
    return html, 400 if form.errors else 200
