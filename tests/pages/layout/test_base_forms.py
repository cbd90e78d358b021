import pytest
from werkzeug.datastructures import MultiDict
from wtforms import DateField, DecimalField, Field, IntegerField, SelectField, SelectMultipleField, TimeField
from wtforms.fields.choices import SelectChoice

from portal.pages.layout.forms import PlainForm

CHOICES = [SelectChoice(value="1", label="One"), SelectChoice(value="2", label="Two")]
NUMBERS = [SelectChoice(value=1, label="One")]


@pytest.mark.parametrize(
    ("field", "sent", "sentence"),
    [
        (SelectField(choices=CHOICES), ["3"], "Select one of the options that are shown"),
        (SelectField(choices=NUMBERS, coerce=int), ["x"], "Select one of the options that are shown"),
        (SelectMultipleField(choices=CHOICES), ["1", "3"], "Select only options that are shown"),
        (SelectMultipleField(choices=CHOICES), ["3", "4"], "Select only options that are shown"),
        (SelectMultipleField(choices=NUMBERS, coerce=int), ["x"], "Select only options that are shown"),
        (IntegerField(), ["two"], "Enter a whole number"),
        (DecimalField(), ["two"], "Enter a number, such as 2.5"),
        (DateField(), ["32 June"], "Enter a real date"),
        (TimeField(), ["25:00"], "Enter a real time, such as 9:30"),
    ],
)
def test_what_the_library_refuses_is_said_in_the_portals_words(
    field: Field, sent: list[str], sentence: str
) -> None:
    form = type("OneField", (PlainForm,), {"asked": field})(MultiDict([("asked", each) for each in sent]))

    assert not form.validate()
    assert form.errors["asked"][0] == sentence
