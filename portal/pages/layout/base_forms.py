"""The two forms that every form of the portal is one of: the library's errors in the portal's words."""

from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import Form

PORTAL_SENTENCES: Mapping[str, str] = {
    "Not a valid choice.": "Select one of the options that are shown",
    "Invalid Choice: could not coerce.": "Select one of the options that are shown",
    "Invalid choice(s): one or more data inputs could not be coerced.": "Select only options that are shown",
    "'%(value)s' is not a valid choice for this field.": "Select only options that are shown",
    "Not a valid integer value.": "Enter a whole number",
    "Not a valid decimal value.": "Enter a number, such as 2.5",
    "Not a valid date value.": "Enter a real date",
    "Not a valid time value.": "Enter a real time, such as 9:30",
}


class PortalSentences:
    """What WTForms asks for the sentence to show in place of its own."""

    def gettext(self, sentence: str) -> str:
        """The portal's sentence, or the library's where the portal has none.

        >>> PortalSentences().gettext("Not a valid integer value.")
        'Enter a whole number'
        """
        return PORTAL_SENTENCES.get(sentence, sentence)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The same for a sentence that counts: the portal's own are alike for one and many."""
        return PORTAL_SENTENCES.get(singular, singular if number == 1 else plural)


class PortalMeta:
    """Where a form finds its sentences."""

    def get_translations(self, form: Form) -> PortalSentences:
        """Answer WTForms' question."""
        return PortalSentences()


class PortalForm(FlaskForm):  # type: ignore[misc]
    """A form that changes something: it is sent with a token."""

    class Meta(PortalMeta, FlaskForm.Meta):  # type: ignore[misc]
        """With the token of Flask-WTF."""


class PlainForm(Form):  # type: ignore[misc]
    """A form without a token: a filter, which an address holds, or the rows of a larger form."""

    Meta = PortalMeta
