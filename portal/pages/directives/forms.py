"""Forms of directives: the fields of a directive file, with their labels, hints and errors."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from flask_login import current_user
from wtforms import FieldList, FormField, ValidationError
from wtforms.fields import SelectChoice

from portal.domain.directives import files, queries
from portal.domain.directives.files import DirectiveFile, Selectors, to_toml
from portal.domain.people.queries import find_seen_person
from portal.pages.layout.fields import drop_down, file_to_send, one_day, text_line, text_lines, whole_number
from portal.pages.layout.forms import (
    LONGEST_LINE,
    CheckboxesField,
    DayField,
    DayOfYearField,
    FirstDayField,
    GovInput,
    LineField,
    PercentageField,
    PlainForm,
    PortalForm,
    Rows,
    WholeNumberField,
    WholeNumbersField,
)
from portal.platform import wording as say
from portal.platform.errors import BadInputError, NotFoundError
from portal.platform.wording import percent_exact

LABEL = "govuk-label--s"
MOST_GROUPS = 20
_REFERENCE = "Enter a reference of letters, digits and hyphens, such as OIC-2026"


class GroupForm(PlainForm):
    """One group of people: a post must match every field that is filled in, by any of its choices."""

    roles = CheckboxesField("Designated roles")
    more_roles = text_lines("Other roles", "One on each line, spelled as in the roster.", bold=True, rows=2)
    units = CheckboxesField("In these units, and all units below them")
    unit = drop_down("Add a unit", bold=True, validate_choice=False)
    ranks = CheckboxesField("Ranks and grades")

    def offer_choices(self, offered: "DirectiveChoices") -> None:
        """Offer the force's roles, units and ranks, and add the selected unit to the chosen ones."""
        self.roles.data = [*(self.roles.data or []), *self.more_roles.lines]
        self.more_roles.data = ""
        if self.unit.data:
            self.units.data = [*(self.units.data or []), self.unit.data]
        self.unit.data = ""
        chosen = self.units.data or []
        self.roles.offer_values(offered.roles)
        self.ranks.offer_values(offered.ranks)
        self.units.offer_values([], {path: queries.unit_label(path) for path in chosen})
        other_paths = [path for path in offered.units if path not in chosen]
        self.unit.choices = [
            SelectChoice(value="", label="Choose a unit"),
            *(SelectChoice(value=path, label=queries.unit_label(path)) for path in other_paths),
        ]

    @property
    def selectors(self) -> Selectors:
        """The group as a table of a directive file."""
        filled = {
            "designated_role": self.roles.chosen_values,
            "unit_under": self.units.chosen_values,
            "rank_or_grade": self.ranks.chosen_values,
        }
        return {key: values for key, values in filled.items() if values}

    def validate_roles(self, _field: CheckboxesField) -> None:
        """Refuse an empty group, which would be everyone."""
        if not self.selectors:
            raise ValidationError("Choose a role, a unit or a rank, or remove this group")


class DirectiveChoices:
    """The roles, ranks, units, modules, guides and event types that the force has."""

    def __init__(
        self, roles: list[str], ranks: list[str], units: Iterable[str], titles: dict[tuple[str, str], str]
    ) -> None:
        self.roles, self.ranks, self.units, self.titles = roles, ranks, sorted(units), titles


class DirectiveForm(PortalForm):
    """A directive, or its next version."""

    reference = text_line(
        "Reference",
        "A short name, such as OIC-2026. It is used in web addresses and file names.",
        required=_REFERENCE,
        most=64,
        width=20,
        bold=True,
    )
    title = text_line(
        "Title",
        "Learners and managers see this in their lists.",
        required="Enter a title",
        most=LONGEST_LINE,
        bold=True,
    )
    source = text_line(
        "Recommendation",
        "The recommendation that this directive answers, such as one from an inspection.",
        required="Enter the recommendation that the directive answers",
        most=500,
        bold=True,
    )
    wording = text_lines(
        "Exact wording",
        "Learners see this as the reason why they have to do it.",
        required="Enter the exact wording of the directive",
        most=10_000,
        bold=True,
        rows=4,
    )
    owner = text_line(
        "Owner’s staff number",
        "The person responsible for the directive. Whoever has the role directive owner for a "
        "unit decides on its exemptions.",
        required="Enter the staff number of the person responsible",
        most=LONGEST_LINE,
        width=10,
        bold=True,
    )
    effective_on = one_day(
        "In force from",
        "The first day it counts, such as 1 January 2027.",
        kind=FirstDayField,
        bold=True,
        missing="Enter the first day it is in force, such as 1 January 2027",
    )
    requirements = CheckboxesField("Modules and guides to complete, and events to attend")
    audience = Rows(FormField(GroupForm), min_entries=1, max_entries=MOST_GROUPS)
    exceptions = Rows(FormField(GroupForm), max_entries=MOST_GROUPS)
    due_on = one_day("Due on", "A fixed date, such as 30 April 2027.", bold=True, optional=True)
    due_days = whole_number(
        "Days after joining the audience",
        "For people who join later. If you fill in both, the later date counts.",
        bold=True,
        autocomplete="off",
        optional=True,
        most=files.MOST_DAYS,
        message="Enter whole days, such as 60, or leave it blank",
    )
    months = whole_number(
        "Months that a pass counts",
        "Leave blank if a pass does not expire, or ends on the day of the year below.",
        bold=True,
        autocomplete="off",
        optional=True,
        most=files.MOST_DAYS,
        least=1,
        message="Enter whole months, such as 24, or leave it blank",
    )
    yearly_on = DayOfYearField(
        "Or until this day of a year",
        description="Such as 30 April, if everyone renews by the same day.",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL, autocomplete="off"),
    )
    gap = whole_number(
        "Least months that a pass counts",
        "A pass shortly before that day then counts until the day in the following year.",
        bold=True,
        autocomplete="off",
        optional=True,
        most=files.MOST_DAYS,
        message="Enter whole months, such as 6",
    )
    ends_soon = whole_number(
        "Days before its end that a pass shows as ending soon",
        bold=True,
        autocomplete="off",
        optional=True,
        most=files.MOST_DAYS,
        message="Enter whole days, such as 60, or leave it blank",
    )
    notices = WholeNumbersField(
        "Notice, days before the due date",
        most=files.MOST_DAYS,
        description="Separate them with commas, such as 30, 7, 1. Leave blank for none.",
        widget=GovInput(classes="govuk-input--width-10", label_classes=LABEL, autocomplete="off"),
    )
    target = PercentageField(
        "Target",
        allows_zero=True,
        message="Enter the target as a number from 0 to 100, such as 95",
        description="How many of these people must be complete.",
        widget=GovInput(
            classes="govuk-input--width-5",
            label_classes=LABEL,
            autocomplete="off",
            inputmode="decimal",
            suffix={"text": "%"},
        ),
    )

    current_owner = ""  # the staff number in the version that is being changed

    @property
    def group_forms(self) -> list[GroupForm]:
        """The forms of all groups, exceptions last."""
        return [entry.form for entry in (*self.audience.entries, *self.exceptions.entries)]

    def offer_choices(self, offered: DirectiveChoices) -> None:
        """Offer the force's roles, units, ranks, modules, guides and event types."""
        for group in self.group_forms:
            group.offer_choices(offered)
        labels = {f"{kind}:{key}": title for (kind, key), title in offered.titles.items()}
        self.requirements.offer_values(list(labels), labels)

    def validate_requirements(self, field: CheckboxesField) -> None:
        """Refuse a directive that requires nothing."""
        if not field.chosen_values:
            raise ValidationError("Choose at least one module, guide or event")

    def validate_owner(self, field: LineField) -> None:
        """Refuse a number of nobody whom the viewer may see, other than of who owns the directive already."""
        if field.data == self.current_owner:
            return
        try:
            find_seen_person(current_user.viewer, field.data or "")
        except NotFoundError as error:
            raise ValidationError(str(error)) from error

    def validate_due_on(self, field: DayField) -> None:
        """Require a fixed due date, days after joining, or both."""
        if not (field.data or "").strip() and not (self.due_days.data or "").strip():
            raise ValidationError("Enter a fixed day, days after joining, or both")

    def validate_yearly_on(self, field: DayOfYearField) -> None:
        """Refuse months together with a day of the year."""
        if field.month_and_day and self.months.number is not None:
            raise ValidationError("Enter either months or a day of the year, and leave the other blank")

    def validate_gap(self, field: WholeNumberField) -> None:
        """Require the gap with a day of the year, and refuse it without one."""
        if self.yearly_on.month_and_day and field.number is None:
            raise ValidationError("Enter the least months that a pass counts, such as 6")
        if field.number is not None and not (self.yearly_on.data or "").strip():
            raise ValidationError("Leave this blank, or enter the day of the year above")

    def entered_directive(self) -> DirectiveFile:
        """The directive as filled in so far; complete once the form is valid."""
        requirements = [
            tuple(value.split(":", 1)) for value in self.requirements.chosen_values if ":" in value
        ]
        yearly = self.yearly_on.month_and_day
        return DirectiveFile(
            reference=self.reference.data or "",
            title=self.title.data or "",
            source=self.source.data or "",
            wording=(self.wording.data or "").strip(),
            owner=self.owner.data or "",
            effective_on=self.effective_on.day or date.min,
            target=Decimal(1) if self.target.share is None else self.target.share,
            notice_days=self.notices.numbers,
            expiring_days=self.ends_soon.number or 0,
            withdrawn=False,
            due_fixed_on=self.due_on.day,
            due_days_after_joining=self.due_days.number,
            validity_months=self.months.number,
            yearly_on=yearly,
            minimum_gap_months=self.gap.number if yearly else None,
            audience=[entry.form.selectors for entry in self.audience.entries],
            exceptions=[entry.form.selectors for entry in self.exceptions.entries],
            requirements=[(kind, key) for kind, key in requirements],
        )

    def checked_directive(self) -> DirectiveFile | None:
        """The directive, if the form and its file are valid; else None, and the form has errors."""
        if not self.validate():
            return None
        try:
            return files.read_directive(to_toml(self.entered_directive()))
        except BadInputError as error:
            self.show_refusal(error)
            return None

    def show_refusal(self, error: BadInputError) -> None:
        """Add each reason as an error of the field that it is about."""
        for reason in error.reasons:
            place, _, sentence = reason.partition(": ")
            name, _, number = place.partition(" ")
            field = getattr(self, _FIELDS.get(name.partition(".")[0], ""), None)
            if field is None:
                self.form_errors.append(reason)
            elif isinstance(field, FieldList):
                group = field.entries[int(number) - 1].form
                group.units.errors = [
                    *group.units.errors,
                    _as_sentence(sentence.removeprefix("unit_under: ")),
                ]
            else:
                field.errors = [*field.errors, _as_sentence(sentence)]


def _as_sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_FIELDS = {
    "reference": "reference",
    "owner": "owner",
    "effective_on": "effective_on",
    "requirement": "requirements",
    "audience": "audience",
    "except": "exceptions",
    "validity": "months",
    "due": "due_on",
}


def form_data_of(file: DirectiveFile) -> dict[str, Any]:
    """The directive as data of the form."""
    yearly = date.fromisoformat(f"2001-{file.yearly_on}") if file.yearly_on else None
    return {
        "reference": file.reference,
        "title": file.title,
        "source": file.source,
        "wording": file.wording,
        "owner": file.owner,
        "effective_on": say.date(file.effective_on),
        "requirements": [f"{kind}:{key}" for kind, key in file.requirements],
        "audience": [_group_data(table) for table in file.audience],
        "exceptions": [_group_data(table) for table in file.exceptions],
        "due_on": say.date(file.due_fixed_on),
        "due_days": _number_text(file.due_days_after_joining),
        "months": _number_text(file.validity_months),
        "yearly_on": f"{yearly:%-d %B}" if yearly else "",
        "gap": _number_text(file.minimum_gap_months),
        "ends_soon": _number_text(file.expiring_days),
        "notices": ", ".join(map(str, file.notice_days)),
        "target": percent_exact(file.target).removesuffix("%"),
    }


def _group_data(table: Selectors) -> dict[str, list[str]]:
    names = {"roles": "designated_role", "units": "unit_under", "ranks": "rank_or_grade"}
    return {name: list(table.get(key, [])) for name, key in names.items()}


def _number_text(value: int | None) -> str:
    return "" if value is None else str(value)


class FileForm(PortalForm):
    """The upload of a directive's TOML file, which fills in the form."""

    upload = file_to_send(
        "Directive file (TOML)",
        "This fills in the form. You will see a preview before anything is issued.",
        bold=True,
    )


class WithdrawForm(PortalForm):
    """The first day on which a directive is withdrawn."""

    effective_on = one_day(
        "Withdrawn from",
        "The first day that nobody has to complete it, such as 1 January 2027.",
        kind=FirstDayField,
        bold=True,
        missing="Enter the first day that nobody has to complete it, such as 1 January 2027",
    )
