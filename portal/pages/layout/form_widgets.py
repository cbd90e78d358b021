"""WTForms fields drawn with the GOV.UK macros.

What holds for every widget: the first control has the field's own id, so that a link of the error
summary lands on it; a hint or an error exists exactly when there is a text for it, and the control
names both by ``aria-describedby``; nothing is marked ``required``, because the server says in words
what is missing.

A template may adjust one field: ``form.name(heading=True)`` makes its label or legend the page's h1,
``form.name(classes="govuk-input--width-10")`` replaces the classes of the widget.
"""

import json
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from flask import Flask, current_app
from jinja2 import Environment, PackageLoader, PrefixLoader
from markupsafe import Markup
from wtforms import Field, FieldList, Form, FormField
from wtforms.csrf.core import CSRFTokenField
from wtforms.fields import BooleanField, HiddenField

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
