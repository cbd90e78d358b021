"""Forms of a recommendation: its owner, actions, decisions, risk, and the answer in words."""

from collections.abc import Iterable, Mapping

from wtforms import SubmitField

from portal.domain.assurance.action_links import ActionLine
from portal.domain.assurance.actions import ActionDetails
from portal.domain.assurance.narrative.rendering import MOST_CHARACTERS
from portal.domain.assurance.services import SCALE, DecisionDetails, RiskDetails
from portal.domain.assurance.wording import ACTION_WORDS, IMPACT_WORDS, LIKELIHOOD_WORDS
from portal.pages.assurance.entry_forms import (
    WHOSE,
    EntryForm,
    StaffNumberForm,
    choice_field,
    day_field,
    optional_day_field,
    staff_number_field,
    text_field,
    title_field,
)
from portal.pages.layout.form_fields import CheckboxesField, LinesField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovSubmit, GovTextarea


class OwnerForm(StaffNumberForm):
    """Who owns a recommendation from a day on."""

    owner = staff_number_field(
        "Staff number of the owner", "Leave this empty if nobody owns it from that day on."
    )
    from_on = day_field()
    send = SubmitField("Save the owner", widget=GovSubmit())


class AssuranceActionForm(StaffNumberForm):
    """What an action is from a day on, and ``reason``, why that was changed; a new one has none."""

    title = title_field("What is to be done", "Enter what is to be done", description=WHOSE)
    owner = staff_number_field("Staff number of its owner (optional)", "Who sees to it that it is done.")
    due_on = optional_day_field("Due on (optional)", "For example, 30 June 2027")
    state = choice_field("How far is it?", "Choose how far it is", ACTION_WORDS, default="open")
    waits_for = CheckboxesField("What must be done first? (optional)")
    reason = text_field("Why do you change it?", "Enter why you change it", description=WHOSE)
    from_on = day_field()
    send = SubmitField("Save the action", widget=GovSubmit())

    def offer_actions(self, lines: Iterable[ActionLine], own_reference: str = "") -> None:
        """Offer other actions: those that are not dropped, and those that are chosen already."""
        chosen = set(self.waits_for.data or [])
        labels = {
            line.reference: f"{line.reference}: {line.title}"
            for line in sorted(lines, key=lambda line: line.reference)
            if line.reference != own_reference and (line.state != "dropped" or line.reference in chosen)
        }
        self.waits_for.offer_values(list(labels), labels)

    def read_details(self) -> ActionDetails:
        """What a valid form says."""
        return ActionDetails(
            title=self.title.data,
            owner_id=self.owner_id,
            due_on=self.due_on.day,
            state=self.state.data,
            waits_for=tuple(sorted(self.waits_for.chosen_values)),
        )


class ProgressForm(EntryForm):
    """How far an action is, as its owner says."""

    state = choice_field("How far is it?", "Choose how far it is", ACTION_WORDS)
    reason = text_field("What was done, or why not", "Enter what was done, or why not", description=WHOSE)
    from_on = day_field()
    send = SubmitField("Save", widget=GovSubmit())


class DecisionForm(EntryForm):
    """A decision of the force."""

    title = title_field("The decision in short", "Enter the decision in short")
    text = text_field("What was decided, and why", "Enter what was decided, and why", description=WHOSE)
    decided_by = title_field(
        "Decided by",
        "Enter the post or meeting that decided",
        description="Such as Force board",
    )
    from_on = day_field("Decided on which day", missing="Enter the day on which it was decided")
    send = SubmitField("Save the decision", widget=GovSubmit())

    def read_details(self) -> DecisionDetails:
        """What a valid form says."""
        return DecisionDetails(self.title.data, self.text.data.strip(), self.decided_by.data)


def _scale_words(words: Mapping[int, str]) -> dict[str, str]:
    """Each number of the scale with its words."""
    return {str(number): f"{number}: {words[number]}" for number in SCALE}


class RiskForm(EntryForm):
    """What may go wrong with a recommendation."""

    text = text_field("What may go wrong", "Enter what may go wrong", description=WHOSE)
    likelihood = choice_field(
        "How likely is that?", "Choose how likely that is", _scale_words(LIKELIHOOD_WORDS)
    )
    impact = choice_field(
        "How serious would it be?", "Choose how serious it would be", _scale_words(IMPACT_WORDS)
    )
    from_on = day_field()
    send = SubmitField("Save the risk", widget=GovSubmit())

    def read_details(self) -> RiskDetails:
        """What a valid form says."""
        return RiskDetails(int(self.likelihood.data), int(self.impact.data), self.text.data.strip())


class NarrativeForm(EntryForm):
    """A narrative's Markdown, and from which day it holds."""

    text = LinesField(
        "The answer in words",
        description=f"{WHOSE} Begin headings with ##, and put words between two "
        "asterisks to make them **bold**. Numbers come from fields, so that they are right at every date.",
        widget=GovTextarea(rows=18),
        validators=[RequiredText("Write the answer in words"), MaximumLength(MOST_CHARACTERS)],
    )
    from_on = day_field(
        "From which day is it true?",
        "Enter the day from which it holds",
        "For example, 30 April 2026. An earlier day than today is entered late, and says so.",
    )
    preview = SubmitField("Preview", widget=GovSubmit(secondary=True))
    save = SubmitField("Save", widget=GovSubmit())
