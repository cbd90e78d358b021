"""The two forms of a report: which position, and whom. Both are sent by address, so a report can be kept."""

from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, RadioField, SelectField, SelectMultipleField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.people.units import paths
from portal.domain.records.queries import EXTRA_REASONS
from portal.domain.reports.filters import DUE_WORDS, LATE_WORDS, STATUS_WORDS
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.form_widgets import GovCheckboxes, GovInput, GovRadios, GovSelect, GovSubmit

MOST_UNITS = 500  # that a list to choose from holds


def capital(words: str) -> str:
    """The words, their first letter large."""
    return words[:1].upper() + words[1:]


class PositionForm(Form):  # type: ignore[misc]
    """Which day, and with which knowledge."""

    as_at = StringField(
        "Show the position on", description="For example, 30 April 2026", widget=GovInput(autocomplete="off")
    )
    as_known_on = StringField("As known on (empty means now)", widget=GovInput(autocomplete="off"))


class ChangesForm(Form):  # type: ignore[misc]
    """Two positions to hold beside each other."""

    from_as_at = StringField(
        "From the position on", description="For example, 30 April 2026", widget=GovInput(autocomplete="off")
    )
    from_as_known_on = StringField("As known on (empty means now)", widget=GovInput(autocomplete="off"))
    as_at = StringField("To the position on", widget=GovInput(autocomplete="off"))
    as_known_on = StringField("As known on (empty means now)", widget=GovInput(autocomplete="off"))


class ReportFilterForm(Form):  # type: ignore[misc]
    """Whom the table and its files are narrowed to; choices come from what the viewer may see."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))
    unit = SelectField("Unit", widget=GovSelect(), validate_choice=False)
    role = SelectField("Designated role", widget=GovSelect(), validate_choice=False)
    rank = SelectMultipleField(
        "Rank or grade", widget=GovCheckboxes(classes="govuk-checkboxes--small"), validate_choice=False
    )
    status = SelectField("Status", widget=GovSelect(), validate_choice=False)
    late = SelectField("Overdue by", widget=GovSelect(), validate_choice=False)
    due = SelectField("Due", widget=GovSelect(), validate_choice=False)

    def __init__(self, report: CompletionReport, **kwargs: Any) -> None:
        """Fill the lists from ``report``."""
        super().__init__(data={**report.filters.address, "rank": report.filters.ranks}, **kwargs)
        roles, ranks = report.choices()
        units, all_of_them = unit_choices(report)
        self.unit.choices = _choices("Any unit", units)
        if not all_of_them:
            self.unit.description = "Choose units further down in the table “By unit”"
        self.role.choices = _choices("Any role", [(role, capital(role)) for role in roles])
        self.rank.choices = [SelectChoice(value=rank, label=rank) for rank in ranks]
        self.status.choices = _choices("Any status", list(STATUS_WORDS.items()))
        self.late.choices = _choices("Any time", list(LATE_WORDS.items()))
        self.due.choices = _choices("Any day", list(DUE_WORDS.items()))

    @property
    def usable_fields(self) -> list[str]:
        """The names of the fields that can be filled; there may be no rank to choose."""
        return [field.name for field in self if field is not self.rank or self.rank.choices]

    def show_faults(self, faults: Iterable[tuple[str, str]]) -> None:
        """Show beside each field why what the address asks of it is refused.

        Args:
            faults: Sentences, each with the name of a field; other names are passed over.
        """
        for sentence, name in faults:
            if name in self:
                self[name].errors = [sentence]


class SearchForm(Form):  # type: ignore[misc]
    """Whom to look for."""

    q = StringField("Name or staff number", widget=GovInput(autocomplete="off", spellcheck=False))


class OneMoreForm(FlaskForm):  # type: ignore[misc]
    """At which module one more attempt is opened, and why."""

    module = RadioField("Module", widget=GovRadios(), validators=[InputRequired("Select a module")])
    reason = RadioField(
        "Why one more",
        choices=[SelectChoice(value=key, label=capital(words)) for key, words in EXTRA_REASONS.items()],
        widget=GovRadios(),
        validators=[InputRequired("Select why one more attempt is opened")],
    )
    send = SubmitField("Open one more attempt", widget=GovSubmit())


def unit_choices(report: CompletionReport) -> tuple[list[tuple[str, str]], bool]:
    """Every unit that holds somebody, and those above them as far as all of them agree, by path.

    Of more than ``MOST_UNITS`` only the upper levels, with the one asked for; and whether all are there.
    """
    found: set[tuple[str, ...]] = set()
    for unit_id in report.figures.people:
        unit = report.reach.units.get(unit_id)
        names = paths.split(unit.path) if unit else ()
        found.update(names[:depth] for depth in range(1, len(names) + 1))
    shown, depth = set(found), max((len(names) for names in found), default=0)
    while len(shown) > MOST_UNITS and depth > 1:
        depth -= 1
        shown = {names for names in shown if len(names) <= depth}
    if report.filters.unit and len(shown) < len(found):  # what the address has may be no path at all
        shown |= {names for names in found if paths.join(names) == report.filters.unit}
    listed = [(paths.join(names), f"{'– ' * (len(names) - 1)}{names[-1]}") for names in sorted(shown)]
    return listed, len(shown) == len(found)


def _choices(none: str, pairs: list[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value="", label=none), *(SelectChoice(value=v, label=text) for v, text in pairs)]
