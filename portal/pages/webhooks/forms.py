"""The form of a webhook: where it is, and what it hears of."""

from typing import Any

from wtforms import SelectField, SubmitField
from wtforms.fields import SelectChoice

from portal.domain.webhooks import queries
from portal.domain.webhooks.errors import WebhookError
from portal.domain.webhooks.models import EventType, Webhook
from portal.domain.webhooks.services import WebhookSettings
from portal.pages.layout.base_forms import PortalForm
from portal.pages.layout.form_fields import CheckboxesField, LineField, MaximumLength, RequiredText
from portal.pages.layout.form_widgets import GovInput, GovSelect, GovSubmit

EVENT_WORDS = {
    EventType.PASS_RECORDED: "A pass, or another completion, is recorded",
    EventType.STATUS_CHANGED: "Somebody’s status changes",
    EventType.DIRECTIVE_ISSUED: "A version of a directive is issued or withdrawn",
    EventType.PERSON_JOINED: "Somebody joins: they have a post and had none",
    EventType.PERSON_LEFT: "Somebody leaves: they have no post any more",
    EventType.TEST: "Test event",
}
LABEL = "govuk-label--s"


class WebhookForm(PortalForm):
    """A webhook."""

    name = LineField(
        "Name",
        description="For your own lists, such as HR system.",
        widget=GovInput(classes="govuk-input--width-20", label_classes=LABEL, autocomplete="off"),
        validators=[RequiredText("Enter a name"), MaximumLength(60)],
    )
    address = LineField(
        "Address of the receiver",
        description="It begins with https://. Do not put a password into it: messages are signed.",
        widget=GovInput(label_classes=LABEL, autocomplete="off", spellcheck=False),
        validators=[RequiredText("Enter the address of the receiver")],
    )
    events = CheckboxesField("Send a message when")
    unit = SelectField(
        "Only about people in this unit, and units below it", widget=GovSelect(label_classes=LABEL)
    )
    directive = SelectField("Only about this directive", widget=GovSelect(label_classes=LABEL))
    send = SubmitField("Save", widget=GovSubmit())

    @classmethod
    def from_webhook(cls, webhook: Webhook | None) -> "WebhookForm":
        """The form filled with a webhook, or with what was sent; None: a new one, of everything."""
        data: dict[str, Any] = {
            "events": [str(event) for event in EVENT_WORDS if event is not EventType.TEST]
        }
        if webhook is not None:
            data = {"name": webhook.name, "address": webhook.address, "events": webhook.events}
            data |= {"unit": str(webhook.unit_id or ""), "directive": str(webhook.directive_id or "")}
        form = cls(data=data)
        labels = {str(event): words for event, words in EVENT_WORDS.items() if event is not EventType.TEST}
        form.events.choices = [SelectChoice(value=value, label=label) for value, label in labels.items()]
        units, directives = queries.list_unit_choices(), queries.list_directive_choices()
        form.unit.choices = _offer("The whole force", units)
        form.directive.choices = _offer("All directives", directives)
        return form

    @property
    def entered_settings(self) -> WebhookSettings:
        """What was sent; the form must be valid."""
        events = tuple(EventType(value) for value in self.events.chosen_values)
        unit_id, directive_id = (
            int(field.data) if field.data else None for field in (self.unit, self.directive)
        )
        return WebhookSettings(self.name.data or "", self.address.data or "", events, unit_id, directive_id)

    def show_refusal(self, error: WebhookError) -> None:
        """Show beside its field why the settings were refused."""
        self[error.field].errors = [str(error)]


def _offer(all_words: str, choices: list[tuple[int, str]]) -> list[SelectChoice]:
    named = [SelectChoice(value=str(number), label=label) for number, label in choices]
    return [SelectChoice(value="", label=all_words), *named]
