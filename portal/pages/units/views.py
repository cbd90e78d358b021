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
    """A unit and those directly under it, or the units found by a word of their name."""
    strict = QueryArguments(request.args, request.path)
    tree, text, asked = AdministeredUnits(current_user.viewer), strict.text("q"), strict.text("unit")
    tops, errors = tree.top_unit_ids, []
    here = tops[0] if len(tops) == 1 and not text else None
    try:
        here = tree.find_unit(asked) if asked else here
    except NotFoundError as error:
        errors = [(str(error), "#q")]
    lines = tree.rows_named(text) if text else tree.rows_of(tops) if here is None else tree.rows_below(here)
    page = strict.page(len(lines))
    answer = render_template(
        "units/index.html",
        page=page,
        errors=[*errors, *strict.errors()],
        lines=lines[page.offset : page.offset + page.size],
        form=UnitSearchForm(data={"q": text}),
        text=text,
        unit=tree.rows_of([here])[0] if here is not None else None,
        above=tree.row_above(here) if here is not None else None,
        chapters=tree.list_history(here) if here is not None else [],
        today=tree.today,
    )
    return answer, 404 if errors else strict.status


@bp.route("/units/rename", methods=["GET", "POST"])
@requires(Permission.UNIT_CHANGE)
def rename_unit() -> ResponseReturnValue:
    """Give a unit another name from a day on: ask, say what it does, do it."""
    if "confirmed" in request.form:
        return _apply_confirmed_change()
    found = _read_requested_unit()
    if found is None:
        return redirect(url_for(".list_units"), 303)
    tree, unit_id = found
    form = RenameForm()
    if form.validate_on_submit():
        old = tree.tree.path_on(unit_id, form.first_day)
        new = paths.join([*_split_path(old)[:-1], form.name.data or ""])
        return _render_preview_or_form(tree, unit_id, form, form.name, old, new)
    return _render_form(tree, unit_id, form)


@bp.route("/units/move", methods=["GET", "POST"])
@requires(Permission.UNIT_CHANGE)
def move_unit() -> ResponseReturnValue:
    """Put a unit, and all below it, under another from a day on: ask, say what it does, do it."""
    if "confirmed" in request.form:
        return _apply_confirmed_change()
    found = _read_requested_unit()
    if found is None:
        return redirect(url_for(".list_units"), 303)
    tree, unit_id = found
    form = MoveForm()
    places = [SelectChoice(value=key, label=path) for key, path in tree.possible_parents(unit_id)]
    form.above.choices = [SelectChoice(value="", label="Select a unit"), *places]
    if form.validate_on_submit():
        old = tree.tree.path_on(unit_id, form.first_day)
        above = tree.tree.path_on(int(form.above.data), form.first_day)
        new = paths.join([*_split_path(above), *_split_path(old)[-1:]]) if above else ""
        return _render_preview_or_form(tree, unit_id, form, form.above, old, new)
    return _render_form(tree, unit_id, form)


def _split_path(path: str) -> tuple[str, ...]:
    return paths.split(path) if path else ()


def _read_requested_unit() -> tuple[AdministeredUnits, int] | None:
    """The tree and the unit that the address names; None where it names none."""
    text = request.args.get("unit", "").strip()
    if not text:
        return None
    tree = AdministeredUnits(current_user.viewer)
    return tree, tree.find_unit(text)


def _render_form(tree: AdministeredUnits, unit_id: int, form: RenameForm | MoveForm) -> ResponseReturnValue:
    moves = isinstance(form, MoveForm)
    return render_template("units/change.html", form=form, unit=tree.rows_of([unit_id])[0], moves=moves)


def _render_preview_or_form(
    tree: AdministeredUnits, unit_id: int, form: RenameForm | MoveForm, field: Field, old: str, new: str
) -> ResponseReturnValue:
    """What would happen; or the form again, with the reason why it cannot."""
    day = form.first_day
    try:
        if not old:
            raise NotFoundError(f"The unit does not stand on {day_words(day)}.")
        if not new:
            raise NotFoundError(f"The unit above it does not stand on {day_words(day)}.")
        found = preview_unit_change(current_user.viewer, old, new, day)
        if found is None:
            raise RuleError("That is its path already: nothing would change.")
    except PortalError as error:
        wrong = form.on if isinstance(error, NotFoundError) else field
        wrong.errors = [str(error)]
        return _render_form(tree, unit_id, form)
    return _render_preview(found)


def _render_preview(found: UnitChangePreview, *, moved_on: bool = False) -> ResponseReturnValue:
    page = render_template("units/preview.html", p=found, moved_on=moved_on)
    return page, 409 if moved_on else 200


def _apply_confirmed_change() -> ResponseReturnValue:
    """Make the change that the page before described, or describe it anew where the facts moved on."""
    old, new = (request.form.get(name, "") for name in ("path", "new_path"))
    on = read_day(request.form.get("on", ""))
    if on is None or not old or not new:
        raise RuleError("The form is not complete. Go back to the unit and begin again.")
    _refuse_outside_own_units(old, new, on)
    with transaction():
        at = stamp()
        change = changes.plan_unit_change(tree := read_tree(), old, new, on=on)
        if change is not None:
            refuse_own_gain(tree, change, on, current_user.person_id)
        differs = _preview_if_different(old, new, on)
        done = differs is None and changes.move_unit(old, new, on=on, at=at, by=current_user.person_id)
    if differs is not None:
        return _render_preview(differs, moved_on=True)
    flash(_change_message(old, new, on, done), "success")
    return redirect(url_for(".list_units", unit=new if on <= clock.today() else old), 303)


def _preview_if_different(old: str, new: str, on: date) -> UnitChangePreview | None:
    """What the change would do by now, where it is not what the form's preview said."""
    if request.form.get("basis") == preview_basis():
        return None
    found = preview_unit_change(current_user.viewer, old, new, on)
    return found if found is not None and found.digest != request.form.get("digest") else None


def _change_message(old: str, new: str, on: date, done: bool) -> str:
    """What was done, by names: a whole path would not fit a phone."""
    *above, name = paths.split(new)
    was = paths.split(old)[-1]
    moved = f"{was} is called {name}" if was != name else f"{name} stands under {above[-1]}"
    return f"{moved} from {day_words(on)}{'.' if done else ': that was done already.'}"


def _refuse_outside_own_units(old: str, new: str, on: date) -> None:
    """Refuse what touches a unit that the administrator does not administer.

    Raises:
        ForbiddenError: The unit, or the one above its new place, is beyond the administrator's units.
    """
    within = administered_units(current_user.viewer)
    if within is None:
        return
    tree = read_tree()
    unit_id = tree.find_unit(paths.split(old), on) or tree.find_unit(paths.split(new), on)
    above = tree.find_unit(paths.split(new)[:-1], on)
    stays = paths.split(old)[:-1] == paths.split(new)[:-1]
    if unit_id not in within or not (stays or above in within):
        raise ForbiddenError("This unit is outside those that you administer.")
