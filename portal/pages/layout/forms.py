"""Forms that several rooms of pages use, and how what a form says is saved."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, TypeVar

from flask import Flask, current_app, has_request_context, request
from flask_wtf import FlaskForm
from jinja2 import Environment, PackageLoader, PrefixLoader
from markupsafe import Markup
from wtforms import (
    Field,
    FieldList,
    Form,
    FormField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.csrf.core import CSRFTokenField
from wtforms.fields import BooleanField, HiddenField, SelectChoice
from wtforms.validators import InputRequired

from portal.domain.accounts import grants
from portal.domain.accounts.grants import role_words
from portal.domain.people.visibility import Viewer
from portal.platform.clock import read_day, today
from portal.platform.db import OPEN_END, transaction
from portal.platform.errors import BadInputError, FieldError, PortalError
from portal.platform.permissions import UNIT_ROLES, Role

# The two forms that every form of the portal is one of: the library's errors in the portal's words.

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


# Groups of a form that repeat, read from what any client may send.

MOST_SENT = 60  # twice what a button adds; groups within groups multiply the work of one request
_NUMBER = re.compile(r"[0-9]{1,4}")


class Rows(FieldList):  # type: ignore[misc]
    """A ``FieldList`` that no name in a request can break or swell.

    WTForms takes for the number of a row every digit that Unicode knows, and stumbles over ``²`` and over
    a number that is too long for Python: names that no page sends are passed over here. More rows than
    ``MOST_SENT`` are refused with ``BadInputError``, for what would be cut off would be lost in silence.
    """

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterator[int]:
        start = f"{prefix}{self._separator}"
        rows = {
            int(number)
            for name in formdata
            if name.startswith(start)
            and _NUMBER.fullmatch(number := name.removeprefix(start).partition(self._separator)[0])
        }
        if len(rows) > MOST_SENT:
            raise BadInputError(
                [f"There are {len(rows):,} rows in one part of this form. It takes {MOST_SENT} at the most."]
            )
        yield from rows


# WTForms fields drawn with the GOV.UK macros.
#
# What holds for every widget: the first control has the field's own id, so that a link of the error
# summary lands on it; a hint or an error exists exactly when there is a text for it, and the control
# names both by ``aria-describedby``; nothing is marked ``required``, because the server says in words
# what is missing.
#
# A template may adjust one field: ``form.name(heading=True)`` makes its label or legend the page's h1,
# ``form.name(classes="govuk-input--width-10")`` replaces the classes of the widget.

Params = dict[str, Any]
MOST_DRAWN = 500  # fields and buttons that are kept in each process, of about 1 KiB


@cache
def _environment() -> Environment:
    loader = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    return Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )


def _draw(component: str, macro: str, params: Params) -> Markup:
    template = _environment().get_template(f"govuk_frontend_jinja/components/{component}/macro.html")
    return Markup(str(getattr(template.module, macro)(params)).strip())  # noqa: S704 - the macro escapes


def _draw_once(component: str, macro: str, params: Params) -> Markup:
    """Draw what holds nothing that somebody typed or chose; kept, since drawing costs most of a form."""
    return _draw_kept(component, macro, json.dumps(params))


@lru_cache(maxsize=MOST_DRAWN)
def _draw_kept(component: str, macro: str, params: str) -> Markup:
    return _draw(component, macro, json.loads(params))


class GovWidget:
    """One field as a GOV.UK component; the subclasses say which, and what it needs beyond the rest."""

    component = "input"
    macro = "govukInput"

    def __init__(self, *, classes: str = "", label_classes: str = "", **params: Any) -> None:
        """Set what holds wherever the field is drawn.

        Args:
            classes: Of the control.
            label_classes: Of the label or legend, such as ``govuk-label--s``.
            params: Further parameters of the macro, such as ``inputmode="numeric"``.
        """
        self.classes = classes
        self.label_classes = label_classes
        self.params = params

    def __call__(self, field: Field, *, heading: bool = False, **overrides: Any) -> Markup:
        """Draw ``field``; ``overrides`` are parameters of the macro for this one place."""
        params: Params = {"id": field.id, "name": field.name, "classes": self.classes, **self.params}
        if field.description:
            params["hint"] = {"text": str(field.description)}
        if field.errors:
            params["errorMessage"] = {"text": str(field.errors[0])}
        attributes = {key.rstrip("_"): value for key, value in (field.render_kw or {}).items()}
        params["attributes"] = {**params.pop("attributes", {}), **attributes}
        params |= self.specific(field, self.title(field, heading))
        is_empty = not (field.data or field.errors or overrides) and not hasattr(field, "choices")
        draw = _draw_once if is_empty else _draw
        return draw(self.component, self.macro, params | overrides)

    def title(self, field: Field, heading: bool) -> Params:
        """The words above the control, as the page's h1 where ``heading`` says so."""
        classes = f"{self.label_classes} portal-h1" if heading else self.label_classes
        return {"text": str(field.label.text), "classes": classes.strip(), "isPageHeading": heading}

    def specific(self, field: Field, title: Params) -> Params:
        """Parameters of this kind of component alone."""
        return {"label": title, "value": _typed(field)}


def _typed(field: Field) -> str:
    """What the person typed, or what the form was opened with."""
    value = field._value() if hasattr(field, "_value") else field.data
    return "" if value is None else str(value)


class GovInput(GovWidget):
    """A line of text; ``type="email"`` and the like as parameters."""


class GovPassword(GovWidget):
    """A password with a button that shows it; never filled in by the server."""

    component = "password-input"
    macro = "govukPasswordInput"

    def specific(self, field: Field, title: Params) -> Params:
        """The label alone."""
        return {"label": title}


class GovCode(GovWidget):
    """A one-time or recovery code, read as it is typed; never filled in by the server."""

    def __init__(self, **params: Any) -> None:
        """As of every widget; browsers offer a code that was just sent, and correct nothing."""
        kept = {"classes": "govuk-input--width-10", "autocomplete": "one-time-code", "spellcheck": False}
        super().__init__(**{**kept, "autocapitalize": "characters", **params})

    def specific(self, field: Field, title: Params) -> Params:
        """The label alone."""
        return {"label": title}


class GovTextarea(GovWidget):
    """Several lines of text; ``rows=20`` as a parameter."""

    component = "textarea"
    macro = "govukTextarea"


class GovFile(GovWidget):
    """A file to choose."""

    component = "file-upload"
    macro = "govukFileUpload"

    def specific(self, field: Field, title: Params) -> Params:
        """The label alone: a file is never chosen by the server."""
        return {"label": title}


class GovSelect(GovWidget):
    """One of a long list."""

    component = "select"
    macro = "govukSelect"

    def specific(self, field: Field, title: Params) -> Params:
        """The label and the list."""
        return {"label": title, "items": [_item(choice, "selected") for choice in field.iter_choices()]}


class GovRadios(GovWidget):
    """One of a few. A choice may carry a hint: ``SelectChoice(..., render_kw={"hint": "…"})``."""

    component = "radios"
    macro = "govukRadios"

    def specific(self, field: Field, title: Params) -> Params:
        """The group's legend and its choices; the first has the field's id."""
        return {
            "idPrefix": field.id,
            "fieldset": {"legend": title},
            "items": [_item(choice, "checked") for choice in field.iter_choices()],
        }


class GovCheckboxes(GovRadios):
    """Any of a few, or, for a field that is true or false, a single box with the field's label."""

    component = "checkboxes"
    macro = "govukCheckboxes"

    def specific(self, field: Field, title: Params) -> Params:
        """The group's legend and its choices, or the one box."""
        if not isinstance(field, BooleanField):
            return super().specific(field, title)
        box = {"value": "y", "text": title["text"], "checked": bool(field.data)}
        return {"idPrefix": field.id, "items": [box]}


class GovSubmit:
    """A button that sends the form; ``secondary=True`` or ``warning=True`` where it is not the main one."""

    def __init__(self, *, secondary: bool = False, warning: bool = False) -> None:
        self.classes = "govuk-button--secondary" if secondary else "govuk-button--warning" if warning else ""

    def __call__(self, field: Field, **overrides: Any) -> Markup:
        """Draw the button with the field's label."""
        params: Params = {
            "text": str(field.label.text),
            "id": field.id,
            "name": field.name,
            "value": "y",
            "classes": self.classes,
            "preventDoubleClick": True,
        }
        draw = _draw if overrides else _draw_once
        return draw("button", "govukButton", params | overrides)


def _item(choice: Any, mark: str) -> Params:
    """A choice as the macros want it."""
    item: Params = {"value": str(choice.value), "text": str(choice.label), mark: choice.selected}
    if choice.render_kw.get("hint"):
        item["hint"] = {"text": str(choice.render_kw["hint"])}
    return item


def error_list(*forms: Form) -> list[tuple[str, str]]:
    """The errors of forms in the order of their fields: each its text and the link to its first control.

    An error that belongs to no visible field has an empty link.
    """
    return [error for form in forms for error in _form_errors(form)]


def _form_errors(form: Form) -> Iterator[tuple[str, str]]:
    yield from ((str(text), "") for text in form.form_errors)
    for field in form:
        yield from _field_errors(field)


def _field_errors(field: Field) -> Iterator[tuple[str, str]]:
    if isinstance(field, FormField):
        yield from _form_errors(field.form)
    elif isinstance(field, FieldList):
        for entry in field.entries:
            yield from _field_errors(entry)
    elif field.errors:
        yield str(field.errors[0]), "" if isinstance(field, HiddenField) else f"#{field.id}"


def hidden_fields(form: Form) -> Markup:
    """The fields of ``form`` that no one sees, without ids, so that a page may hold several forms."""
    form_token: Any = current_app.jinja_env.globals["csrf_token"]  # masked, where pages are compressed
    pairs = [
        (field.name, form_token() if isinstance(field, CSRFTokenField) else _typed(field))
        for field in form
        if isinstance(field, HiddenField)
    ]
    line = Markup('<input type="hidden" name="{}" value="{}">')
    return Markup("\n").join(line.format(name, value) for name, value in pairs)


def register(app: Flask) -> None:
    """Let the templates of ``app`` ask for ``error_list(form)`` and ``hidden_fields(form)``."""
    app.add_template_global(error_list)
    app.add_template_global(hidden_fields)


def mark_wrong(field: Field, text: str) -> None:
    """Show this sentence at the field."""
    field.errors = (*field.errors, text)


class ConfirmForm(PortalForm):
    """Nothing to fill in: the button alone, with its token."""


@contextmanager
def save_form(form: PortalForm, *shown: type[PortalError]) -> Iterator[None]:
    """Write what a valid form says, in one transaction. With no error in the form afterwards, it is saved.

    Args:
        form: Shows why a field is refused.
        shown: Other errors that it shows above its fields; those that are not given have a page of their own.
    """
    try:
        with transaction():
            yield
    except FieldError as error:
        mark_refusal(form, error)
    except shown as error:
        form.form_errors += [str(error)]


def mark_refusal(form: PortalForm, error: FieldError) -> None:
    """Say why a form is refused: at the field, or above the form if it has no such field."""
    if error.field in form:
        mark_wrong(form[error.field], str(error))
    else:
        form.form_errors += [str(error)]


# Form fields that several rooms use: texts as files hold them, numbers and days as people write them.

LONGEST_LINE = 200
LONGEST_TEXT = 60_000
FARTHEST_FIRST_DAY = 5 * 365  # days ahead
_LINE_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c]")  # a word processor's own among them
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufeff]")  # nobody can see or miss these
_DAY_AND_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([a-z]{3,9})|(\d{2})-(\d{2})", re.IGNORECASE)


def clean_text(text: str) -> str:
    """The text with LF as its only line break, and without characters that nobody can see."""
    return _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text))


def read_whole_number(text: str) -> int | None:
    """The whole number that a text is, with or without commas between thousands; None if it is none."""
    digits = text.strip().replace(",", "")
    return int(digits) if re.fullmatch(r"[0-9]{1,6}", digits) else None


class LineField(StringField):  # type: ignore[misc]
    """One line of text, without white space around it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, with line breaks and runs of spaces folded into single spaces."""
        if valuelist:
            self.data = " ".join(clean_text(valuelist[0]).split())


class LinesField(TextAreaField):  # type: ignore[misc]
    """Several lines of text, which end with LF alone."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed, with one kind of line break."""
        if valuelist:
            self.data = clean_text(valuelist[0])

    @property
    def lines(self) -> list[str]:
        """The text of each line, without empty ones."""
        return [" ".join(line.split()) for line in (self.data or "").split("\n") if line.strip()]


class RequiredText:
    """Validator: refuses an empty field with this sentence."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise if nothing but white space was typed."""
        if not str(field.data or "").strip():
            raise ValidationError(self.sentence)


class MaximumLength:
    """Validator: refuses a text of more than ``most`` characters."""

    def __init__(self, most: int = LONGEST_LINE) -> None:
        self.most = most

    def __call__(self, _form: Form, field: Field) -> None:
        """Raise with the length of the text."""
        length = len(str(field.data or ""))
        if length > self.most:
            raise ValidationError(f"This has {length:,} characters. Shorten it to {self.most:,} or fewer.")


class WholeNumberField(StringField):  # type: ignore[misc]
    """A whole number from ``least`` to ``most``, typed as text; an ``optional`` one may be empty.

    Args:
        message: What to enter, shown if the text is no such number.
        if_empty: The number that an empty field means.
    """

    def __init__(
        self,
        label: str,
        *,
        message: str,
        least: int = 0,
        most: int,
        optional: bool = False,
        if_empty: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, **kwargs)
        self.message, self.least, self.most = message, least, most
        self.optional, self.if_empty = optional, if_empty

    def pre_validate(self, form: Form) -> None:
        """Raise if the text is no such number."""
        is_empty = not str(self.data or "").strip()
        if self.number is None and not (self.optional and is_empty):
            raise ValidationError(self.message)

    @property
    def number(self) -> int | None:
        """The number; None if the text is none in the range."""
        text = str(self.data or "")
        if not text.strip():
            return self.if_empty
        number = read_whole_number(text)
        return number if number is not None and self.least <= number <= self.most else None


class WholeNumbersField(StringField):  # type: ignore[misc]
    """Whole numbers of at most ``most``, separated by commas or spaces, or nothing."""

    def __init__(self, label: str, *, most: int, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.most = most

    def pre_validate(self, form: Form) -> None:
        """Raise if one of the words is no such number."""
        if None in self._read_numbers():
            raise ValidationError("Enter days as whole numbers with commas between them, such as 30, 7, 1")

    @property
    def numbers(self) -> list[int]:
        """The numbers in the order in which they were typed."""
        return [number for number in self._read_numbers() if number is not None]

    def _read_numbers(self) -> list[int | None]:
        words = re.split(r"[\s,;]+(?:and )?", str(self.data or "").strip())
        numbers = [read_whole_number(word) for word in words if word]
        return [number if number is not None and number <= self.most else None for number in numbers]


class PercentageField(StringField):  # type: ignore[misc]
    """A share of at most 100 per cent, with at most two decimal places.

    Args:
        message: What to enter, shown if the text is no such share.
        allows_zero: Whether 0 per cent is one.
    """

    def __init__(self, label: str, *, message: str, allows_zero: bool = False, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.message, self.allows_zero = message, allows_zero

    def pre_validate(self, form: Form) -> None:
        """Raise if the text is no such share."""
        if self.share is None:
            raise ValidationError(self.message)

    @property
    def share(self) -> Decimal | None:
        """The share from 0 to 1; None if the text is none."""
        text = str(self.data or "").strip().removesuffix("%").removesuffix("per cent").strip()
        if not re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,2})?", text):
            return None
        share = Decimal(text) / 100
        return share if share <= 1 and (share > 0 or self.allows_zero) else None


class DayField(StringField):  # type: ignore[misc]
    """A day as people write it; an ``optional`` one may be empty.

    Args:
        missing: What to enter, shown if a field that is not optional is empty.
    """

    def __init__(self, label: str, *, optional: bool = False, missing: str = "", **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.optional, self.missing = optional, missing

    def pre_validate(self, form: Form) -> None:
        """Raise if the text names no day."""
        is_empty = not str(self.data or "").strip()
        if is_empty and self.optional:
            return
        if is_empty and self.missing:
            raise ValidationError(self.missing)
        if self.day is None:
            raise ValidationError("Enter a date, such as 31 May 2027")

    @property
    def day(self) -> date | None:
        """The day; None if the text names none."""
        return read_day(str(self.data or ""))


class FirstDayField(DayField):
    """The first day of a version: at most five years ahead, as no later version can begin before it."""

    def pre_validate(self, form: Form) -> None:
        """Raise if it lies too far ahead."""
        super().pre_validate(form)
        if self.day is not None and self.day > today() + timedelta(days=FARTHEST_FIRST_DAY):
            raise ValidationError(
                "Enter a day of the next five years: until then no other version could take effect"
            )


class DayOfYearField(StringField):  # type: ignore[misc]
    """A day that every year has, such as 30 April, or nothing."""

    def pre_validate(self, form: Form) -> None:
        """Raise if the text names none."""
        if (self.data or "").strip() and self.month_and_day is None:
            raise ValidationError("Enter a day that every year has, such as 30 April")

    @property
    def month_and_day(self) -> str | None:
        """The day as ``MM-DD``; None if the text names none."""
        match = _DAY_AND_MONTH.fullmatch(" ".join(str(self.data or "").split()))
        if match is None:
            return None
        day = read_day(f"{match[1]} {match[2]} 2025" if match[2] else f"2025-{match[3]}-{match[4]}")
        return f"{day:%m-%d}" if day else None


class CheckboxesField(SelectMultipleField):  # type: ignore[misc]
    """Any of the values that a page offers; values that were sent beyond them are offered too."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        widget = GovCheckboxes(classes="govuk-checkboxes--small", label_classes="govuk-fieldset__legend--s")
        super().__init__(label, choices=[], validate_choice=False, **{"widget": widget, **kwargs})

    def offer_values(self, values: list[str], labels: dict[str, str] | None = None) -> None:
        """Offer these values and those that are chosen already."""
        offered = dict.fromkeys([*values, *(self.data or [])])
        self.choices = [
            SelectChoice(value=value, label=(labels or {}).get(value, value)) for value in offered
        ]

    @property
    def chosen_values(self) -> list[str]:
        """The chosen values, in the order of the page, each once."""
        chosen = dict.fromkeys(value for value in self.data or [] if value.strip())
        return [choice.value for choice in self.choices if choice.value in chosen]


# The fields of a role to give: which role, where, and until when.


class RoleForm(PortalForm):
    """A role to grant, on which unit, and until when; pages add their button."""

    role = SelectField("Role", widget=GovSelect(), validators=[InputRequired("Select a role")])
    unit = SelectField("Where", widget=GovSelect())
    until = StringField(
        "Last day",
        description="For example, 31 March 2027. Leave empty for no last day.",
        widget=GovInput(classes="govuk-input--width-10", autocomplete="off"),
    )

    def offer_roles_and_units(self, viewer: Viewer) -> None:
        """Offer the roles and units that the viewer may give; those of a unit's administrator end there."""
        everywhere = grants.administered_units(viewer) is None
        roles = [role for role in Role if everywhere or role in UNIT_ROLES]  # others are for the whole force
        self.role.choices = [SelectChoice(value=role.value, label=role_words(role)) for role in roles]
        no_unit = [SelectChoice(value="", label="No unit: the whole force; for a manager, direct reports")]
        self.unit.choices = (no_unit if everywhere else []) + [
            SelectChoice(value=str(unit_id), label=label) for unit_id, label in grants.grantable_units(viewer)
        ]

    def validate_until(self, field: StringField) -> None:
        """Accept today, a later day, or nothing."""
        text = (field.data or "").strip()
        day = read_day(text)
        if text and day is None:
            raise ValidationError("Enter a date, such as 31 March 2027")
        if day is not None and day < today():
            raise ValidationError("The last day must be today or later")

    @property
    def last_day(self) -> date:
        """The last day entered; the open end if there is none."""
        return read_day(self.until.data or "") or OPEN_END

    @property
    def chosen_role(self) -> Role:
        """The role, of a valid form."""
        return Role(self.role.data)

    @property
    def chosen_unit(self) -> int | None:
        """The id of the unit, of a valid form; None without one."""
        return int(self.unit.data) if self.unit.data else None


# Fields that hold a secret, and the views that take one: what they are sent is never kept or shown again.
#
# A form with a ``SecretField`` can only be made in a view that declares ``@takes_secret``: where the
# declaration is forgotten, the page cannot even be opened.

Declared = TypeVar("Declared", bound=Callable[..., Any])

_views: set[Callable[..., Any]] = set()
# What a field of a secret is called, should it be no SecretField; the form's own token is none.
_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|(^|[_-])(code|otp|pin)s?($|[_-])", re.IGNORECASE)


def takes_secret(view: Declared) -> Declared:
    """Declare that ``view`` is sent passwords or codes. Write it above ``@requires`` or ``@public``."""
    _views.add(view)
    return view


def view_takes_secret(view: Callable[..., Any]) -> bool:
    """Whether ``view`` declares it."""
    return view in _views


def any_is_secret(names: Iterable[str]) -> bool:
    """Whether one of these fields is a secret by its name.

    >>> any_is_secret(["force-csrf_token", "note", "postcode"]), any_is_secret(["recovery_code"])
    (False, True)
    """
    return any(not is_form_token(name) and _SECRET_NAME.search(name) for name in names)


def is_form_token(name: str) -> bool:
    """Whether a field of this name has the form's own token, with or without the form's prefix."""
    return name == "csrf_token" or name.endswith("-csrf_token")


class SecretField(PasswordField):  # type: ignore[misc]
    """A password or a code.

    Raises:
        RuntimeError: It is made in a view that does not declare ``@takes_secret``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_request_context() and not view_takes_secret(
            current_app.view_functions[request.endpoint or ""]
        ):
            raise RuntimeError(f"The view {request.endpoint} takes a secret: declare @takes_secret.")
