"""One way to declare each usual kind of field: what it is called, its hint, and the sentence if it is empty.

A field is a line in the class of its form::

    name = text_line("Name", "For your own lists, such as HR system.", required="Enter a name", most=60)
    send = button("Save")

Keywords that WTForms knows, such as ``default`` and ``filters``, go to the field; all others, such as
``inputmode``, ``spellcheck`` and ``attributes``, are parameters of the GOV.UK macro that draws it.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    Field,
    RadioField,
    SelectField,
    StringField,
    SubmitField,
    TextAreaField,
)
from wtforms.validators import InputRequired

from portal.pages.layout.forms import (
    DayField,
    GovCheckboxes,
    GovFile,
    GovInput,
    GovRadios,
    GovSelect,
    GovSubmit,
    GovTextarea,
    GovWidget,
    LineField,
    LinesField,
    MaximumLength,
    RequiredText,
    WholeNumberField,
)

F = TypeVar("F", bound=Field)
_OF_FIELDS = frozenset(
    {"choices", "coerce", "default", "filters", "if_empty", "least", "message", "missing", "most"}
    | {"optional", "render_kw", "validate_choice"}
)


def text_line(label: str, hint: str = "", **more: Any) -> LineField:
    """One line of text, without white space around it; ``width`` is in characters: 2, 3, 4, 5, 10, 20, 30."""
    return _text(LineField, GovInput, label, hint, **{"autocomplete": "off", **more})


def text_as_typed(label: str, hint: str = "", **more: Any) -> StringField:
    """One line of text, exactly as it was sent."""
    return _text(StringField, GovInput, label, hint, **{"autocomplete": "off", **more})


def long_line(label: str, hint: str = "", **more: Any) -> LineField:
    """One line of text so long that its box has several rows: line breaks become spaces."""
    return _text(LineField, GovTextarea, label, hint, **more)


def text_lines(label: str, hint: str = "", **more: Any) -> LinesField:
    """Several lines of text, with one kind of line break; ``rows`` is how many its box shows."""
    return _text(LinesField, GovTextarea, label, hint, **more)


def text_block(label: str, hint: str = "", **more: Any) -> TextAreaField:
    """Several lines of text, exactly as they were sent."""
    return _text(TextAreaField, GovTextarea, label, hint, **more)


def one_day(label: str, hint: str = "", *, kind: type[DayField] = DayField, **more: Any) -> DayField:
    """A day as people write it; ``missing`` is said where it is empty, unless it is ``optional``."""
    return _make(kind, GovInput, label, hint, (), **{"autocomplete": "off", "width": 10, **more})


def whole_number(label: str, hint: str = "", **more: Any) -> WholeNumberField:
    """A whole number from ``least`` to ``most``, or the sentence ``message``."""
    return _make(WholeNumberField, GovInput, label, hint, (), **{"inputmode": "numeric", "width": 5, **more})


def drop_down(label: str, hint: str = "", *, required: str = "", **more: Any) -> SelectField:
    """One of a list; ``choices`` are given here or set by the view."""
    return _make(SelectField, GovSelect, label, hint, _chosen(required), **more)


def radios(label: str, hint: str = "", *, required: str = "", **more: Any) -> RadioField:
    """One of a few, all of which are seen."""
    return _make(RadioField, GovRadios, label, hint, _chosen(required), **more)


def tick_box(label: str, hint: str = "", *, required: str = "", **more: Any) -> BooleanField:
    """A single box; ``required`` is said where it must be ticked."""
    return _make(BooleanField, GovCheckboxes, label, hint, _chosen(required), **more)


def file_to_send(
    label: str, hint: str = "", *, accept: str = "", required: str = "", **more: Any
) -> FileField:
    """A file; ``accept`` names the endings that a browser offers, with commas between them."""
    if accept:
        more["attributes"] = {"accept": accept}
    return _make(FileField, GovFile, label, hint, [FileRequired(required)] if required else [], **more)


def button(label: str, *, secondary: bool = False, warning: bool = False) -> SubmitField:
    """A button that sends the form."""
    return SubmitField(label, widget=GovSubmit(secondary=secondary, warning=warning))


def _text(
    kind: type[F],
    widget: type[GovWidget],
    label: str,
    hint: str,
    *,
    required: str = "",
    most: int | None = None,
    checks: Sequence[Any] = (),
    **more: Any,
) -> F:
    """A field of text; ``most`` characters, or any number where it is None; then ``checks``."""
    is_there = [RequiredText(required)] if required else []
    is_short = [MaximumLength(most)] if most is not None else []
    return _make(kind, widget, label, hint, [*is_there, *is_short, *checks], **more)


def _make(
    kind: type[F],
    widget: type[GovWidget],
    label: str,
    hint: str,
    validators: Sequence[Any],
    *,
    bold: bool = False,
    width: int = 0,
    **more: Any,
) -> F:
    """A field with its widget; ``bold`` makes its label or legend stand out among others."""
    if width:
        more["classes"] = f"govuk-input--width-{width}"
    if bold:
        group = issubclass(widget, GovRadios)
        more["label_classes"] = "govuk-fieldset__legend--s" if group else "govuk-label--s"
    of_field = {name: more.pop(name) for name in _OF_FIELDS & more.keys()}
    field: F = kind(label, description=hint, widget=widget(**more), validators=list(validators), **of_field)
    return field


def _chosen(required: str) -> list[InputRequired]:
    return [InputRequired(required)] if required else []
