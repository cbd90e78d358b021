"""One role for several people: their staff numbers, a preview, then a grant and an audit event for each."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import StringField, SubmitField
from wtforms.fields import SelectChoice

from portal.domain.accounts.grants import changes
from portal.domain.accounts.grants.changes import NewGrant
from portal.domain.accounts.grants.grant_list import role_words
from portal.domain.accounts.grants.several import MOST_FOUND, Receiver, find_people, read_receivers
from portal.domain.people.workforce import read_workforce
from portal.pages.layout.access import requires
from portal.pages.layout.form_fields import CheckboxesField, LinesField
from portal.pages.layout.form_widgets import GovInput, GovSubmit, GovTextarea
from portal.pages.layout.grant_form import RoleForm
from portal.platform import clock
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import BadInputError, RuleError
from portal.platform.permissions import Permission, Role
from portal.platform.wording import plural


class SeveralGrantsForm(RoleForm):
    """A role, and the staff numbers of those who get it; people can be found and ticked."""

    q = StringField(
        "Find people by name, staff number or unit", widget=GovInput(autocomplete="off", spellcheck=False)
    )
    find = SubmitField("Find", widget=GovSubmit(secondary=True))
    found = CheckboxesField("People found")
    numbers = LinesField(
        "Staff numbers",
        description="One on each line. You can paste a column of a spreadsheet. "
        "Those whom you tick above are added here.",
        widget=GovTextarea(rows=8, spellcheck=False),
    )
    preview = SubmitField("Continue", widget=GovSubmit())

    def add_ticked(self) -> None:
        """Put those who are ticked at the end of the list."""
        new = [number for number in dict.fromkeys(self.found.data or []) if number not in self.number_lines]
        text = (self.numbers.data or "").rstrip("\n")
        self.numbers.data = "\n".join([text, *new] if text else new)

    @property
    def number_lines(self) -> list[str]:
        """The lines of the list, empty ones too, so that their numbers are those of the box."""
        return [line.strip() for line in (self.numbers.data or "").split("\n")]

    def offer_found(self, people: list[tuple[str, str]]) -> None:
        """Offer the people of a search who are not in the list yet, none of them ticked."""
        listed = set(self.number_lines)
        self.found.data = []
        self.found.choices = [
            SelectChoice(value=staff_number, label=f"{name} ({staff_number})")
            for staff_number, name in people
            if staff_number not in listed
        ]


def add_several_page(bp: Blueprint) -> None:
    """Add the page ``/grants/new``."""
    bp.add_url_rule("/grants/new", "give_to_several", give_to_several, methods=["GET", "POST"])


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
def give_to_several() -> ResponseReturnValue:
    """Give one role to several people: all of them or none."""
    form = SeveralGrantsForm()
    form.offer_roles_and_units(current_user.viewer)
    if request.method == "GET":
        form.role.data = Role.MANAGER.value
        return _render_form(form)
    form.add_ticked()
    if form.find.data:
        text = form.q.data.strip()
        form.offer_found(find_people(current_user.viewer, text) if text else [])
        return _render_form(form)
    if "edit" in request.form:
        return _render_form(form)
    receivers = _read_receivers(form) if form.validate() else []
    if not receivers:
        return _render_form(form), 400
    return _give(form, receivers) if "confirmed" in request.form else _render_preview(form, receivers)


def _read_receivers(form: SeveralGrantsForm) -> list[Receiver]:
    """Who gets the role; empty if the form has errors now, each with the line it is about."""
    role, unit_id = form.chosen_role, form.chosen_unit
    try:
        changes.refuse_force_role_on_unit(role, unit_id)
        return read_receivers(current_user.viewer, form.number_lines, role, unit_id)
    except RuleError as error:
        form.unit.errors = [str(error)]
    except BadInputError as error:
        form.numbers.errors = error.reasons
    return []


def _render_form(form: SeveralGrantsForm) -> str:
    more = [(text, f"#{form.numbers.id}") for text in form.numbers.errors[1:]]
    return render_template("grants/give_to_several.html", form=form, line_errors=more, most=MOST_FOUND)


def _render_preview(form: SeveralGrantsForm, receivers: list[Receiver]) -> str:
    unit_id = form.chosen_unit
    force = read_workforce(clock.today()) if form.chosen_role is Role.MANAGER else None
    return render_template(
        "grants/several_preview.html",
        form=form,
        role=role_words(form.chosen_role),
        where=dict((c.value, c.label) for c in form.unit.choices)[form.unit.data] if unit_id else "",
        until=form.last_day,
        open_end=OPEN_END,
        receivers=receivers,
        new=[person for person in receivers if person.current_until != form.last_day],
        people_seen=len(force.people_under(unit_id)) if force and unit_id else None,
        reports={p.person_id: len(force.reports_to(p.person_id)) for p in receivers}
        if force and not unit_id
        else {},
    )


def _give(form: SeveralGrantsForm, receivers: list[Receiver]) -> ResponseReturnValue:
    new = [NewGrant(p.person_id, form.chosen_role, form.chosen_unit, form.last_day) for p in receivers]
    with transaction():
        count = changes.give_grants(new, by=current_user.person_id, at=clock.now())
    sentences = [f"{plural(count, 'grant')} given."] if count else []
    if count < len(new):
        sentences.append(f"{plural(len(new) - count, 'grant')} given already.")
    flash(" ".join(sentences), "success")
    return redirect(url_for("grants.show_grants", role=form.role.data), 303)
