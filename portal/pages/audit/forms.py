"""The filter of the audit trail, sent in the address."""

from collections.abc import Iterable

from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice

from portal.domain.audit_desk.action_words import GROUP_WORDS
from portal.domain.audit_desk.acts import CHANNEL_WORDS, OUTCOME_WORDS
from portal.pages.layout.base_forms import PlainForm
from portal.pages.layout.form_widgets import GovInput, GovSelect


def _choices(anything: str, words: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    choices = [SelectChoice(value=value, label=label) for value, label in words]
    return [SelectChoice(value="", label=anything), *choices]


def _text_field(label: str, hint: str = "") -> StringField:
    return StringField(label, description=hint, widget=GovInput(autocomplete="off", spellcheck=False))


class AuditFilterForm(PlainForm):
    """Which acts are listed."""

    since = _text_field("From", "For example, 1 April 2026.")
    until = _text_field("To", "This day is included.")
    by = _text_field("Done by", "A staff number.")
    about = _text_field("Done to", "A staff number.")
    group = SelectField(
        "What", choices=_choices("Anything", GROUP_WORDS.items()), widget=GovSelect(), validate_choice=False
    )
    outcome = SelectField(
        "Outcome",
        choices=_choices("Any outcome", OUTCOME_WORDS.items()),
        widget=GovSelect(),
        validate_choice=False,
    )
    channel = SelectField(
        "How", choices=_choices("Any way", CHANNEL_WORDS.items()), widget=GovSelect(), validate_choice=False
    )
    address = _text_field("From the address", "Of a computer or network, such as 10.1.2.3.")
    request = _text_field("Request", "The id that an entry or the log shows.")
