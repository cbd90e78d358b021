"""Which columns the table of people shows, chosen on the page and kept in its address."""

from dataclasses import dataclass
from typing import Any

from flask import request
from wtforms.fields import SelectChoice

from portal.domain.reports.parameters import join_values, split_values
from portal.domain.reports.queries import CompletionReport
from portal.pages.layout.base_forms import PlainForm
from portal.pages.layout.form_fields import CheckboxesField
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform.errors import reason_of_refusal

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
