"""Pages of units: one level of the tree at a time, renaming, moving."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Field, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from portal.domain.directives import changes as directives_changes
from portal.domain.directives.changes import AudienceChange, AudienceEffect, preview_basis
from portal.domain.directives.queries import describe_people_affected
from portal.domain.people import units as people_units
from portal.domain.people.names import VisibleName, find_current_unit, list_visible_names
from portal.domain.people.queries import Workforce, read_workforce
from portal.domain.people.sight import administered_units, refuse_own_gain
from portal.domain.people.units import UnitChange, UnitTree, list_people_ever_in, plan_unit_change, read_tree
from portal.domain.people.visibility import Viewer
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, drop_down, text_as_typed
from portal.pages.layout.forms import PlainForm, PortalForm
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.clock import read_day
from portal.platform.db import OPEN_END, stamp, transaction
from portal.platform.errors import ForbiddenError, NotFoundError, PortalError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import date as day_words

# Forms to search for units, and to rename and move one.

ONE_DAY = timedelta(days=1)


class UnitSearchForm(PlainForm):
    """The search for units by name."""

    q = text_as_typed("Word in the name", spellcheck=False)


def _first_day_field() -> StringField:
    return text_as_typed(
        "First day",
        "For example, 1 June 2026. Earlier days keep the old path.",
        checks=[InputRequired("Enter the first day")],
        width=10,
    )


class _FirstDayForm(PortalForm):
    """A change from a day on."""

    def validate_on(self, field: StringField) -> None:
        """Refuse what is not a date, and the first and last day of the calendar."""
        day = read_day(field.data or "")
        if day is None or not date.min + ONE_DAY < day < OPEN_END:
            raise ValidationError("Enter a date, such as 1 June 2026")

    @property
    def first_day(self) -> date:
        """The first day, of a valid form."""
        return read_day(self["on"].data or "") or OPEN_END


class RenameForm(_FirstDayForm):
    """A new name for a unit."""

    name = text_as_typed(
        "New name",
        checks=[
            InputRequired("Enter the new name"),
            Length(max=120, message="Enter 120 characters or fewer"),
        ],
        width=30,
        filters=[lambda text: " ".join(text.split()) if text else text],
    )
    on = _first_day_field()
    send = button("Continue")


class MoveForm(_FirstDayForm):
    """A new place for a unit."""

    above = drop_down("Move it under", required="Select the unit to move it under")
    on = _first_day_field()
    send = button("Continue")


# What the pages of units show: one level of the tree at a time, and previews of changes.

MOST_NAMED = 20  # people named in each list of a directive


@dataclass(frozen=True, slots=True)
class UnitListRow:
    """A unit in a list."""

    name: str
    path: str
    label: str
    under: str  # label of the unit above; empty if there is none
    since: date  # under this name and in this place
    people: int  # in it and under it
    units: int  # directly under it


@dataclass(frozen=True, slots=True)
class UnitHistoryEntry:
    """A past, present or future name and place of a unit."""

    name: str
    above: str
    since: date
    until: date | None


class AdministeredUnits:
    """The units of today that the viewer administers."""

    def __init__(self, viewer: Viewer) -> None:
        self.today = clock.today()
        self.workforce: Workforce = read_workforce(self.today)
        self.tree: UnitTree = read_tree()
        self.administered_ids = administered_units(viewer)
        self._children: dict[int | None, list[int]] = {}
        for unit_id, unit in self.workforce.units.items():
            self._children.setdefault(unit.parent_id, []).append(unit_id)

    def administers_unit(self, unit_id: int) -> bool:
        """Whether the viewer administers the unit."""
        return self.administered_ids is None or unit_id in self.administered_ids

    @property
    def top_unit_ids(self) -> list[int]:
        """The highest of the viewer's units."""
        if self.administered_ids is None:
            return self._children.get(None, [])
        units = self.workforce.units
        return [
            unit_id
            for unit_id in self.administered_ids
            if units[unit_id].parent_id not in self.administered_ids
        ]

    def find_unit(self, text: str) -> int:
        """The unit of this path or name."""
        administered = {
            unit_id: unit for unit_id, unit in self.workforce.units.items() if self.administers_unit(unit_id)
        }
        try:
            return find_current_unit(text, administered)
        except RuleError as error:
            raise NotFoundError(str(error)) from error

    def rows_of(self, unit_ids: Iterable[int]) -> list[UnitListRow]:
        """The units as rows of a list, by path."""
        rows = []
        for unit_id in unit_ids:
            unit, state = self.workforce.units[unit_id], self.tree.state_on(unit_id, self.today)
            above = self.workforce.units.get(unit.parent_id or 0)
            rows.append(
                UnitListRow(
                    unit.name,
                    unit.path,
                    unit.label,
                    above.label if above else "",
                    state.valid_from if state else self.today,
                    len(self.workforce.people_under(unit_id)),
                    len(self._children.get(unit_id, [])),
                )
            )
        return sorted(rows, key=lambda row: people_units.split(row.path))

    def rows_below(self, unit_id: int) -> list[UnitListRow]:
        """The units directly under one."""
        return self.rows_of(self._children.get(unit_id, []))

    def rows_named(self, text: str) -> list[UnitListRow]:
        """The viewer's units whose name contains every word."""
        words = text.casefold().split()
        return self.rows_of(
            unit_id
            for unit_id, unit in self.workforce.units.items()
            if self.administers_unit(unit_id) and all(word in unit.name.casefold() for word in words)
        )

    def row_above(self, unit_id: int) -> UnitListRow | None:
        """The unit above, if the viewer administers it."""
        parent = self.workforce.units[unit_id].parent_id
        return self.rows_of([parent])[0] if parent is not None and self.administers_unit(parent) else None

    def list_history(self, unit_id: int) -> list[UnitHistoryEntry]:
        """Every name and place of a unit, newest first."""
        entries = []
        for state in self.tree.states_of(unit_id)[::-1]:
            above = (
                self.tree.label_on(state.parent_id, state.valid_from) if state.parent_id is not None else ""
            )
            until = None if state.valid_to == OPEN_END else state.valid_to
            entries.append(UnitHistoryEntry(state.name, above, state.valid_from, until))
        return entries

    def possible_parents(self, unit_id: int) -> list[tuple[str, str]]:
        """Ids and labels, by path, of the units under which this one can be moved."""
        unit_and_below = {unit_id}
        to_visit = [unit_id]
        while to_visit:
            children = [
                child for child in self._children.get(to_visit.pop(), []) if child not in unit_and_below
            ]
            unit_and_below.update(children)
            to_visit.extend(children)
        parents = [
            (unit.path, str(other), unit.label)
            for other, unit in self.workforce.units.items()
            if other not in unit_and_below
            and self.administers_unit(other)
            and other != self.workforce.units[unit_id].parent_id
        ]
        return [(other, label) for _, other, label in sorted(parents)]


@dataclass(frozen=True, slots=True)
class AffectedPerson:
    """A person to whom a directive would apply differently."""

    name: str
    staff_number: str
    change: AudienceChange


@dataclass(frozen=True, slots=True)
class AffectedGroup:
    """People whom a change affects in the same way."""

    heading: str
    total: int
    people: tuple[AffectedPerson, ...]  # the first of them, as far as the viewer may see them


@dataclass(frozen=True, slots=True)
class UnitDirectiveEffect:
    """What a change does to the audience of one directive."""

    reference: str
    digest: str
    groups: tuple[AffectedGroup, ...]


@dataclass(frozen=True, slots=True)
class UnitChangePreview:
    """What a change would do."""

    path: str
    new_path: str
    on: date
    is_past: bool
    until: date | None  # the day before a later change that is already recorded
    moves: bool
    people: int
    units: int  # below it, which move with it
    effects: tuple[UnitDirectiveEffect, ...]
    basis: str

    @property
    def digest(self) -> str:
        """A hash that is equal for equal changes with equal effects."""
        content = repr((self.path, self.new_path, self.on, self.until, self.people, self.units))
        return hashlib.sha256(
            "".join([content, *(each.digest for each in self.effects)]).encode()
        ).hexdigest()

    @property
    def old_name(self) -> str:
        """The unit's name before."""
        return people_units.split(self.path)[-1]


def preview_unit_change(viewer: Viewer, path: str, new_path: str, on: date) -> UnitChangePreview | None:
    """Preview giving the unit at ``path`` the path ``new_path`` from ``on``; None: it already has it.

    People are named as far as ``viewer`` may see them; all are counted.

    Raises:
        RuleError: The path is taken, the unit would be under itself, or a role of the viewer's would
            cover more units.
    """
    basis, tree = directives_changes.preview_basis(), read_tree()
    change = plan_unit_change(tree, path, new_path, on=on)
    if change is None:
        return None
    refuse_own_gain(tree, change, on, viewer.person_id)
    workforce = read_workforce(on)
    unit_and_below = [
        unit_id for unit_id in workforce.units if change.unit_id in workforce.unit_and_above(unit_id)
    ]
    return UnitChangePreview(
        path=path,
        new_path=new_path,
        on=on,
        is_past=on < clock.today(),
        until=None if change.until == OPEN_END else change.until,
        moves=change.moves,
        people=len(workforce.people_under(change.unit_id)),
        units=len(unit_and_below) - 1,
        effects=tuple(_directive_effects(viewer, tree, change, on)) if change.moves else (),
        basis=basis,
    )


def _directive_effects(
    viewer: Viewer, tree: UnitTree, change: UnitChange, on: date
) -> Iterable[UnitDirectiveEffect]:
    people = list_people_ever_in(tree.units_ever_below(change.unit_id, on))
    for effect in directives_changes.effect_of_move(people, change.states):
        yield _describe_effect(viewer, effect)


def _describe_effect(viewer: Viewer, effect: AudienceEffect) -> UnitDirectiveEffect:
    changes_by_kind = {"joins": effect.joins, "leaves": effect.leaves, "due_changes": effect.due_changes}
    person_ids = {each.person_id for changes in changes_by_kind.values() for each in changes[:MOST_NAMED]}
    names = {name.person_id: name for name in list_visible_names(viewer, person_ids)}
    groups = []
    for kind, changes in changes_by_kind.items():
        if total := len({change.person_id for change in changes}):
            heading = describe_people_affected(kind, total)
            groups.append(AffectedGroup(heading, total, _affected_people(changes, names)))
    return UnitDirectiveEffect(effect.reference, effect.digest, tuple(groups))


def _affected_people(
    changes: list[AudienceChange], names: dict[int, VisibleName]
) -> tuple[AffectedPerson, ...]:
    return tuple(
        AffectedPerson(f"{name.surname}, {name.forenames}", name.staff_number, each)
        for each in changes[:MOST_NAMED]
        if (name := names.get(each.person_id))
    )


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
        new = people_units.join([*_split_path(old)[:-1], form.name.data or ""])
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
        new = people_units.join([*_split_path(above), *_split_path(old)[-1:]]) if above else ""
        return _render_preview_or_form(units, unit_id, form, form.above, old, new)
    return _render_form(units, unit_id, form)


def _split_path(path: str) -> tuple[str, ...]:
    return people_units.split(path) if path else ()


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
        change = people_units.plan_unit_change(tree := read_tree(), old, new, on=on)
        if change is not None:
            refuse_own_gain(tree, change, on, current_user.person_id)
        new_preview = _preview_if_different(old, new, on)
        is_done = new_preview is None and people_units.move_unit(
            old, new, on=on, at=at, by=current_user.person_id
        )
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
    *above, name = people_units.split(new)
    old_name = people_units.split(old)[-1]
    message = f"{old_name} is called {name}" if old_name != name else f"{name} is under {above[-1]}"
    return f"{message} from {day_words(on)}{'.' if is_done else '. This was already done.'}"


def _refuse_outside_own_units(old: str, new: str, on: date) -> None:
    """Refuse a change outside the units that the viewer administers."""
    own_units = administered_units(current_user.viewer)
    if own_units is None:
        return
    tree = read_tree()
    unit_id = tree.find_unit(people_units.split(old), on) or tree.find_unit(people_units.split(new), on)
    above = tree.find_unit(people_units.split(new)[:-1], on)
    stays = people_units.split(old)[:-1] == people_units.split(new)[:-1]
    if unit_id not in own_units or not (stays or above in own_units):
        raise ForbiddenError("You do not administer this unit.")
