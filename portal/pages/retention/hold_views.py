"""Pages of legal holds: the list with a form to place one, and lifting one."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.queries import find_seen_person, live_units
from portal.domain.retention import holds
from portal.pages.layout.access import requires
from portal.pages.retention.forms import HoldForm, LiftHoldForm
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission


def add_hold_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of retention."""
    bp.add_url_rule("/retention/holds", view_func=list_holds)
    bp.add_url_rule("/retention/holds", view_func=place_hold, methods=["POST"])
    bp.add_url_rule("/retention/holds/<uuid:uuid>/lift", view_func=show_lift_hold)
    bp.add_url_rule("/retention/holds/<uuid:uuid>/lift", view_func=lift_hold, methods=["POST"])


@requires(Permission.RETENTION_VIEW)
def list_holds() -> ResponseReturnValue:
    """Every hold, those that stand first, and a form to place one."""
    return _render_holds(_build_form())


@requires(Permission.RETENTION_MANAGE)
def place_hold() -> ResponseReturnValue:
    """Place a hold on a person, a unit or a class."""
    form = _build_form()
    if not form.validate():
        return _render_holds(form), 400
    try:
        subject = _subject_of(form)
    except NotFoundError as error:
        form.staff_number.errors = (str(error),)
        return _render_holds(form), 400
    with transaction():
        holds.place_hold(
            form.scope.data, subject, form.reason.data, by=current_user.person_id, at=clock.now()
        )
    flash("The hold is placed. No disposal and no erasure touches what it covers", "success")
    return redirect(url_for(".list_holds"), 303)


@requires(Permission.RETENTION_MANAGE)
def show_lift_hold(uuid: UUID) -> ResponseReturnValue:
    """Ask for the reason for lifting a hold."""
    return render_template("retention/lift_hold.html", row=_get_standing(uuid), form=LiftHoldForm())


@requires(Permission.RETENTION_MANAGE)
def lift_hold(uuid: UUID) -> ResponseReturnValue:
    """Lift a hold, with a reason."""
    form = LiftHoldForm()
    if not form.validate():
        return render_template("retention/lift_hold.html", row=_get_standing(uuid), form=form), 400
    with transaction():
        holds.lift_hold(uuid, form.reason.data, by=current_user.person_id, at=clock.now())
    flash("The hold is lifted. The next disposal may remove what it covered", "success")
    return redirect(url_for(".list_holds"), 303)


def _get_standing(uuid: UUID) -> holds.HoldRow:
    for row in holds.list_holds(clock.now()):
        if row.uuid == uuid and row.lifted_at is None:
            return row
    raise NotFoundError("There is no such hold, or it was lifted.")


def _build_form() -> HoldForm:
    form = HoldForm()
    units = sorted(live_units(clock.today()).items(), key=lambda pair: pair[1].path)
    form.offer_units([(unit_id, unit.label) for unit_id, unit in units])
    return form


def _subject_of(form: HoldForm) -> int | str:
    """Whom or what the hold is on.

    Raises:
        NotFoundError: Nobody has the staff number.
    """
    if form.scope.data == holds.PERSON:
        return find_seen_person(current_user.viewer, form.staff_number.data)
    return int(form.unit.data) if form.scope.data == holds.UNIT else str(form.kept_class.data)


def _render_holds(form: HoldForm) -> str:
    return render_template(
        "retention/holds.html",
        rows=holds.list_holds(clock.now()),
        form=form,
        manages=Permission.RETENTION_MANAGE in current_user.permissions,
    )
