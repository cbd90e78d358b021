"""Forms of reports: filters, and two positions to compare. Their values are in the address, to be kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import request
from wtforms import SelectMultipleField
from wtforms.fields import SelectChoice

from portal.domain.people import units
from portal.domain.reports.parameters import DUE_WORDS, LATE_WORDS, STATUS_WORDS, join_values, split_values
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.fields import drop_down, text_as_typed
from portal.pages.layout.forms import CheckboxesField, GovCheckboxes, PlainForm
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform.errors import reason_of_refusal

MOST_UNITS = 500  # in a list to choose from


class ChangesForm(PlainForm):
    """The two positions to compare."""

    from_as_at = text_as_typed("From the position on", "For example, 30 April 2026")
    from_as_known_on = text_as_typed("From: as known on (empty means now)")
    as_at = text_as_typed("To the position on")
    as_known_on = text_as_typed("To: as known on (empty means now)")


class ReportFilterForm(PlainForm):
    """Filters of the table and its files, with choices from what the viewer may see."""

    q = text_as_typed("Name or staff number", spellcheck=False)
    unit = drop_down("Unit", validate_choice=False)
    role = drop_down("Designated role", validate_choice=False)
    rank = SelectMultipleField(
        "Rank or grade", widget=GovCheckboxes(classes="govuk-checkboxes--small"), validate_choice=False
    )
    status = drop_down("Status", validate_choice=False)
    late = drop_down("Overdue by", validate_choice=False)
    due = drop_down("Due", validate_choice=False)

    def __init__(self, report: CompletionReport, **kwargs: Any) -> None:
        """Fill the lists from ``report``."""
        super().__init__(data={**report.filters.address, "rank": report.filters.ranks}, **kwargs)
        roles, ranks = report.post_choices()
        role_choices = [(role, role[:1].upper() + role[1:]) for role in roles]
        units, is_complete = unit_choices(report)
        self.unit.choices = _with_empty_choice("Any unit", units)
        if not is_complete:
            self.unit.description = "Choose units further down in the table “By unit”"
        self.role.choices = _with_empty_choice("Any role", role_choices)
        self.rank.choices = [SelectChoice(value=rank, label=rank) for rank in ranks]
        self.status.choices = _with_empty_choice("Any status", list(STATUS_WORDS.items()))
        self.late.choices = _with_empty_choice("Any time", list(LATE_WORDS.items()))
        self.due.choices = _with_empty_choice("Any day", list(DUE_WORDS.items()))

    @property
    def usable_fields(self) -> list[str]:
        """The names of the fields that can be filled; there may be no rank to choose."""
        return [field.name for field in self if field is not self.rank or self.rank.choices]

    def show_faults(self, faults: Iterable[tuple[str, str]]) -> None:
        """Show beside each field why its value in the address is refused.

        Args:
            faults: Sentences, each with the name of a field; other names are ignored.
        """
        for sentence, name in faults:
            if name in self:
                self[name].errors = [sentence]


def unit_choices(report: CompletionReport) -> tuple[list[tuple[str, str]], bool]:
    """Every unit with people and every unit above one, by path; and whether the list is complete.

    If there are more than ``MOST_UNITS``, only the upper levels, and the unit filtered by, are listed.
    """
    all_units: set[tuple[str, ...]] = set()
    for unit_id in report.figures.people:
        unit = report.viewer_scope.units.get(unit_id)
        names = units.split(unit.path) if unit else ()
        all_units.update(names[:depth] for depth in range(1, len(names) + 1))
    shown, depth = set(all_units), max((len(names) for names in all_units), default=0)
    while len(shown) > MOST_UNITS and depth > 1:
        depth -= 1
        shown = {names for names in shown if len(names) <= depth}
    if report.filters.unit and len(shown) < len(all_units):  # the filter may be no path at all
        shown |= {names for names in all_units if units.join(names) == report.filters.unit}
    labels = {unit.path: unit.label for unit in report.viewer_scope.units.values()}
    by_path = {units.join(names): names for names in sorted(shown)}
    choices = [
        (path, f"{'– ' * (len(names) - 1)}{labels.get(path, names[-1])}") for path, names in by_path.items()
    ]
    return choices, len(shown) == len(all_units)


def _with_empty_choice(label: str, pairs: list[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value="", label=label), *(SelectChoice(value=v, label=text) for v, text in pairs)]


# Which columns the table of people shows, chosen on the page and kept in its address.

MANAGER = "manager"
LABELS = {"due": "Due", "rank": "Rank or grade", "role": "Role", "unit": "Unit", MANAGER: "Line manager"}


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The columns after a person and their overall status: requirements by key, then parts of the post."""

    names: tuple[str, ...]
    is_usual: bool  # nothing was chosen: all but the line manager

    def __contains__(self, name: str) -> bool:
        return name in self.names

    @property
    def address(self) -> dict[str, str]:
        """The choice as arguments of an address; empty for the usual one."""
        return {} if self.is_usual else {"columns": join_values(self.names)}


def column_labels(report: CompletionReport) -> dict[str, str]:
    """The columns that can be chosen, with their labels, in the order of the table."""
    return {each.key: each.short_title for each in report.directive.requirements} | LABELS


def requested_columns(report: CompletionReport, arguments: QueryArguments) -> TableColumns:
    """The columns that the address chooses; unknown ones are noted in ``arguments`` and left out."""
    values = [value for text in request.args.getlist("columns") for value in split_values(text)]
    known = column_labels(report)
    for value in values:
        if value not in known:
            arguments.refuse("columns", reason_of_refusal("column", value, list(known)))
    chosen = tuple(name for name in known if name in values)
    usual = tuple(name for name in known if name != MANAGER)
    return TableColumns(chosen or usual, chosen in ((), usual))


class ColumnsForm(PlainForm):
    """The columns to show."""

    columns = CheckboxesField("Columns to show")

    def __init__(self, report: CompletionReport, shown: TableColumns, **kwargs: Any) -> None:
        """Offer the columns of a report, those that are shown ticked."""
        super().__init__(data={"columns": list(shown.names)}, **kwargs)
        labels = column_labels(report).items()
        self.columns.choices = [SelectChoice(value=name, label=label) for name, label in labels]
