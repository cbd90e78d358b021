"""The form with which a supervisor records counts; it has no field for free text."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from wtforms import HiddenField, SelectField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.domain.dip_samples.measures import (
    CORRECTION_REASONS,
    MEASURES,
    MISSING_REASONS,
    MOST,
    REASONS,
    SampleCounts,
    SampleEntry,
    ask_for_count,
)
from portal.domain.dip_samples.models import COUNTS
from portal.domain.reports import sentences
from portal.domain.reports.parameters import Position
from portal.pages.dip_samples.addresses import require_month
from portal.pages.layout.base_forms import PlainForm, PortalForm
from portal.pages.layout.form_fields import WholeNumberField
from portal.pages.layout.form_widgets import GovInput, GovSelect, GovSubmit
from portal.platform.months import list_months
from portal.platform.wording import month_words

OFFERED_MONTHS = 25  # this month and the two years before it


def _count_field(name: str, label: str, hint: str) -> WholeNumberField:
    widget = GovInput(classes="govuk-input--width-5", inputmode="numeric", autocomplete="off")
    return WholeNumberField(label, message=ask_for_count(name), most=MOST, description=hint, widget=widget)


class SampleForm(PortalForm):
    """Seven counts and a reason from a list."""

    unit = SelectField("Unit", widget=GovSelect(), validators=[InputRequired("Select a unit")])
    month = SelectField("Month", widget=GovSelect(), validators=[InputRequired("Select a month")])
    reported = _count_field("reported", "Cases reported to NCCU", "All that this unit reported in the month")
    submitted = _count_field(
        "submitted", "Documents submitted", "How many of these cases have an intelligence document"
    )
    on_time = _count_field(
        "on_time", "Submitted on time", "Of those submitted, within the time that your force sets"
    )
    sampled = _count_field(
        "sampled", "Documents you read", "Of those submitted. Take them at random: not the best ones"
    )
    complete = _count_field(
        "complete", "Complete", "Of those read, with a yes to every question of the checklist"
    )
    graded = _count_field("graded", "Graded", "Of those read, graded as your force’s form asks")
    returned = _count_field("returned", "Sent back", "Of those read, sent back to be corrected")
    reason = SelectField(
        "Reason",
        widget=GovSelect(),
        description="Why documents are missing, or why you correct an earlier count",
    )
    replaces = HiddenField()
    send = SubmitField("Save the counts", widget=GovSubmit())

    def offer_choices(self, units: Mapping[int, str], today: date, kept_month: date | None) -> None:
        """Offer the units, the latest months, and the reasons."""
        labels = {str(unit_id): label for unit_id, label in units.items()}
        prompt = {} if len(labels) == 1 else {"": "Select a unit"}
        self.unit.choices = _list_choices(prompt | labels)
        months = {
            f"{month:%Y-%m}": month_words(month) for month in reversed(list_months(OFFERED_MONTHS, today))
        }
        if kept_month is not None:
            months.setdefault(f"{kept_month:%Y-%m}", month_words(kept_month))
        self.month.choices = _list_choices(months)
        corrects = bool(self.replaces.data)
        reasons = {"": "No document is missing"} if not corrects else {"": "Select a reason"}
        self.reason.choices = _list_choices(reasons | dict(REASONS if corrects else MISSING_REASONS))

    def read_entry(self) -> SampleEntry:
        """The entry of a valid form."""
        counts = SampleCounts(**{name: self[name].number or 0 for name in COUNTS})
        month = require_month(self.month.data)
        return SampleEntry(int(self.unit.data), month, counts, self.reason.data or "")


def first_values(counts: SampleCounts | None, **others: Any) -> dict[str, Any]:
    """What the fields of the form hold at first: the known counts, and other values by field."""
    count_texts = {name: str(getattr(counts, name)) for name in COUNTS} if counts is not None else {}
    return {**count_texts, **others}


def reason_words(reason: str) -> str:
    """A reason as a page says it."""
    return {**MISSING_REASONS, **CORRECTION_REASONS}.get(reason, "None")


def _list_choices(labels: Mapping[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in labels.items()]


class SampleFilterForm(PlainForm):
    """Which share a page shows, of how many months, as at when and as known when."""

    measure = SelectField(
        "Show",
        widget=GovSelect(),
        choices=[SelectChoice(value=measure.key, label=measure.title) for measure in MEASURES.values()],
        validate_choice=False,
    )
    months = SelectField(
        "Months",
        widget=GovSelect(),
        choices=[SelectChoice(value=count, label=f"{count} months") for count in ("6", "12", "24")],
        validate_choice=False,
    )
    as_at = StringField("Show the position on", widget=GovInput(autocomplete="off"))
    as_known_on = StringField("As known on (empty means now)", widget=GovInput(autocomplete="off"))


def filter_form(measure: str, months: str, position: Position) -> SampleFilterForm:
    """The form filled with what a page shows."""
    return SampleFilterForm(
        data={
            "measure": measure,
            "months": months,
            "as_at": sentences.day_field(position),
            "as_known_on": sentences.known_on_field(position),
        }
    )
