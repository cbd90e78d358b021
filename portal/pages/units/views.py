"""Pages of units: one level of the tree at a time, renaming, moving."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Field
from wtforms.fields import SelectChoice

from portal.domain.directives.preview import preview_basis
from portal.domain.people.units import changes, paths
from portal.domain.people.units.tree import read_tree
from portal.domain.people.visibility.authorised_units import administered_units
from portal.domain.people.visibility.own_gain import refuse_own_gain
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.units.forms import MoveForm, RenameForm, UnitSearchForm
from portal.pages.units.presenters import AdministeredUnits, UnitChangePreview, preview_unit_change
from portal.platform import clock
from portal.platform.clock import read_day
from portal.platform.db import stamp, transaction
from portal.platform.errors import ForbiddenError, NotFoundError, PortalError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import date as day_words

bp = Blueprint("units", __name__, template_folder="templates")


@bp.get("/units")
@requires(Permission.UNIT_CHANGE)
def list_units() -> ResponseReturnValue:
    """A unit with those directly below it, or the units found by name."""
    arguments = QueryArguments(request.args, request.path)
    units, text, path = AdministeredUnits(current_user.viewer), arguments.text("q"), arguments.text("unit")
    top_unit_ids, errors = units.top_unit_ids, []
    unit_id = top_unit_ids[0] if len(top_unit_ids) == 1 and not text else None
    try:
        unit_id = units.find_unit(path) if path else unit_id
    except NotFoundError as error:
        errors = [(str(error), "#q")]
    rows = (
        units.rows_named(text)
        if text
        else units.rows_of(top_unit_ids)
        if unit_id is None
        else units.rows_below(unit_id)
    )
    page = arguments.page(len(rows))
    answer = render_template(
        "units/index.html",
        page=page,
        errors=[*errors, *arguments.errors()],
        lines=rows[page.offset : page.offset + page.size],
        form=UnitSearchForm(data={"q": text}),
        text=text,
        unit=units.rows_of([unit_id])[0] if unit_id is not None else None,
        above=units.row_above(unit_id) if unit_id is not None else None,
        history=units.list_history(unit_id) if unit_id is not None else [],
        today=units.today,
    )
    return answer, 404 if errors else arguments.status


@bp.route("/units/rename", methods=["GET", "POST"])
@requires(Permission.UNIT_CHANGE)
def rename_unit() -> ResponseReturnValue:
    """Rename a unit from a day on: the form, its preview, and the change."""
    if "confirmed" in request.form:
        return _apply_confirmed_change()
    requested = _read_requested_unit()
    if requested is None:
        return redirect(url_for(".list_units"), 303)
    units, unit_id = requested
    form = RenameForm()
    if form.validate_on_submit():
        old = units.tree.path_on(unit_id, form.first_day)
        new = paths.join([*_split_path(old)[:-1], form.name.data or ""])
        return _render_preview_or_form(units, unit_id, form, form.name, old, new)
    return _render_form(units, unit_id, form)


@bp.route("/units/move", methods=["GET", "POST"])
@requires(Permission.UNIT_CHANGE, recent=True)
def move_unit() -> ResponseReturnValue:
    """Move a unit, with all below it, from a day on: the form, its preview, and the change."""
    if "confirmed" in request.form:
        return _apply_confirmed_change()
    requested = _read_requested_unit()
    if requested is None:
        return redirect(url_for(".list_units"), 303)
    units, unit_id = requested
    form = MoveForm()
    places = [SelectChoice(value=key, label=label) for key, label in units.possible_parents(unit_id)]
    form.above.choices = [SelectChoice(value="", label="Select a unit"), *places]
    if form.validate_on_submit():
        old = units.tree.path_on(unit_id, form.first_day)
        above = units.tree.path_on(int(form.above.data), form.first_day)
        new = paths.join([*_split_path(above), *_split_path(old)[-1:]]) if above else ""
        return _render_preview_or_form(units, unit_id, form, form.above, old, new)
    return _render_form(units, unit_id, form)


def _split_path(path: str) -> tuple[str, ...]:
    return paths.split(path) if path else ()


def _read_requested_unit() -> tuple[AdministeredUnits, int] | None:
    """The viewer's units and the unit that the address names; None if it names none."""
    text = request.args.get("unit", "").strip()
    if not text:
        return None
    tree = AdministeredUnits(current_user.viewer)
    return tree, tree.find_unit(text)


def _render_form(units: AdministeredUnits, unit_id: int, form: RenameForm | MoveForm) -> ResponseReturnValue:
    moves = isinstance(form, MoveForm)
    return render_template("units/change.html", form=form, unit=units.rows_of([unit_id])[0], moves=moves)


def _render_preview_or_form(
    units: AdministeredUnits, unit_id: int, form: RenameForm | MoveForm, field: Field, old: str, new: str
) -> ResponseReturnValue:
    """The preview; or the form again, with the reason why the change cannot be made."""
    day = form.first_day
    try:
        if not old:
            raise NotFoundError(f"The unit does not exist on {day_words(day)}.")
        if not new:
            raise NotFoundError(f"The unit above it does not exist on {day_words(day)}.")
        preview = preview_unit_change(current_user.viewer, old, new, day)
        if preview is None:
            raise RuleError("The unit already has this path.")
    except PortalError as error:
        faulty_field = form.on if isinstance(error, NotFoundError) else field
        faulty_field.errors = [str(error)]
        return _render_form(units, unit_id, form)
    return _render_preview(preview)


def _render_preview(preview: UnitChangePreview, *, has_changed: bool = False) -> ResponseReturnValue:
    page = render_template("units/preview.html", p=preview, has_changed=has_changed)
    return page, 409 if has_changed else 200


def _apply_confirmed_change() -> ResponseReturnValue:
    """Make the change that was previewed, or preview it again if the facts have changed."""
    old, new = (request.form.get(name, "") for name in ("path", "new_path"))
    on = read_day(request.form.get("on", ""))
    if on is None or not old or not new:
        raise RuleError("The form is not complete. Go back to the unit and start again.")
    _refuse_outside_own_units(old, new, on)
    with transaction():
        at = stamp()
        change = changes.plan_unit_change(tree := read_tree(), old, new, on=on)
        if change is not None:
            refuse_own_gain(tree, change, on, current_user.person_id)
        new_preview = _preview_if_different(old, new, on)
        is_done = new_preview is None and changes.move_unit(old, new, on=on, at=at, by=current_user.person_id)
    if new_preview is not None:
        return _render_preview(new_preview, has_changed=True)
    flash(_change_message(old, new, on, is_done), "success")
    return redirect(url_for(".list_units", unit=new if on <= clock.today() else old), 303)


def _preview_if_different(old: str, new: str, on: date) -> UnitChangePreview | None:
    """The preview of the change now, if it differs from the one that was confirmed."""
    if request.form.get("basis") == preview_basis():
        return None
    preview = preview_unit_change(current_user.viewer, old, new, on)
    return preview if preview is not None and preview.digest != request.form.get("digest") else None


def _change_message(old: str, new: str, on: date, is_done: bool) -> str:
    """What was done, with names: a whole path would not fit on a phone."""
    *above, name = paths.split(new)
    old_name = paths.split(old)[-1]
    message = f"{old_name} is called {name}" if old_name != name else f"{name} is under {above[-1]}"
    return f"{message} from {day_words(on)}{'.' if is_done else '. This was already done.'}"


def _refuse_outside_own_units(old: str, new: str, on: date) -> None:
    """Refuse a change outside the units that the viewer administers.

    Raises:
        ForbiddenError: The unit, or the one above its new place, is outside them.
    """
    own_units = administered_units(current_user.viewer)
    if own_units is None:
        return
    tree = read_tree()
    unit_id = tree.find_unit(paths.split(old), on) or tree.find_unit(paths.split(new), on)
    above = tree.find_unit(paths.split(new)[:-1], on)
    stays = paths.split(old)[:-1] == paths.split(new)[:-1]
    if unit_id not in own_units or not (stays or above in own_units):
        raise ForbiddenError("You do not administer this unit.")
