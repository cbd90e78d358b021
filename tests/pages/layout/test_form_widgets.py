from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from flask import Flask, render_template
from werkzeug.test import TestResponse
from wtforms import (
    BooleanField,
    FieldList,
    FileField,
    FormField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.pages.layout import forms
from portal.pages.layout.forms import (
    GovCheckboxes,
    GovFile,
    GovInput,
    GovPassword,
    GovRadios,
    GovSelect,
    GovSubmit,
    GovTextarea,
    PlainForm,
    PortalForm,
)
from tests.page_reading import H, Page
from tests.pages.layout.conftest import build

CHOICES = [
    SelectChoice(value="1", label="One & only", render_kw={"hint": "The first"}),
    SelectChoice(value="2", label="<Two>"),
]
NAMES = ("text", "secret", "long", "pick", "one", "some", "file", "agree")


def _needed(name: str) -> list[InputRequired]:
    return [InputRequired(f"Enter {name}")]


class Row(PlainForm):
    """One of a repeated group."""

    words = StringField("Choice", widget=GovInput(), validators=_needed("words"))


class Every(PortalForm):
    """A field of every kind, each needed."""

    text = StringField("Text", description="As on your card", widget=GovInput(), validators=_needed("text"))
    secret = PasswordField("Secret", widget=GovPassword(), validators=_needed("secret"))
    long = TextAreaField("Long", widget=GovTextarea(rows=9), validators=_needed("long"))
    pick = SelectField("Pick", choices=CHOICES, widget=GovSelect(), validators=_needed("pick"))
    one = RadioField(
        "One", description="Select one", choices=CHOICES, widget=GovRadios(), validators=_needed("one")
    )
    some = SelectMultipleField("Some", choices=CHOICES, widget=GovCheckboxes(), validators=_needed("some"))
    file = FileField("File", widget=GovFile(), validators=_needed("file"))
    agree = BooleanField("I agree", widget=GovCheckboxes(), validators=_needed("agree"))
    rows = FieldList(FormField(Row), min_entries=2)
    save = SubmitField("Save", widget=GovSubmit())

    def validate_long(self, field: Any) -> None:
        if field.data == "whole form":
            raise ValidationError("Too <long>")


TEMPLATE = """{% extends "layouts/form_page.html" %}
{% block h1 %}{{ form.one.label.text }}{% endblock %}
{% block heading %}{% endblock %}
{% block fields %}
{{ form.one(heading=true) }}
{% for field in form if field.name in names and field.name != "one" %}{{ field() }}{% endfor %}
{% for row in form.rows %}{{ row.form.words() }}{% endfor %}
{{ form.save() }}
{% endblock %}"""


@pytest.fixture
def app() -> Flask:
    made = build({"every.html": TEMPLATE})

    @made.route("/every", methods=["GET", "POST"])
    def every() -> str:
        form = Every()
        form.validate_on_submit()
        return render_template("every.html", form=form, names=NAMES)

    return made


def send(app: Flask, **data: Any) -> tuple[TestResponse, Page]:
    client = app.test_client()
    form = Page(client.get("/every"), "/every").form_with("Save")
    response = client.post("/every", data={"csrf_token": form.fields["csrf_token"][0], **data})
    return response, Page(response, "/every")


def by_id(page: Page) -> dict[str, Element]:
    return {element.get("id") or "": element for element in page.root.iter() if element.get("id")}


def controls(page: Page) -> Iterator[Element]:
    for tag in ("input", "select", "textarea"):
        for element in page.all(tag):
            if element.get("type") != "hidden":
                yield element


def test_each_error_links_to_a_control_that_is_described_by_it(app: Flask) -> None:
    _, page = send(app)

    ids = by_id(page)
    summary = page.all("div", class_="govuk-error-summary")[0]
    links = [(link.get("href") or "", "".join(link.itertext())) for link in summary.iter(H + "a")]
    assert page.title.startswith("Error: One")
    assert [target for target, _ in links] == [f"#{name}" for name in NAMES] + [
        "#rows-0-words",
        "#rows-1-words",
    ]
    for target, text in links:
        control = ids[target[1:]]
        assert control.tag.removeprefix(H) in {"input", "select", "textarea"}
        error = ids[f"{target[1:]}-error"]
        assert text in "".join(error.itertext())
        group = [e for e in page.root.iter() if error.get("id") in (e.get("aria-describedby") or "").split()]
        assert group
        assert all(e is control or control in list(e.iter()) for e in group)


def test_whatever_describes_a_control_stands_on_the_page(app: Flask) -> None:
    for page in (Page(app.test_client().get("/every"), "/every"), send(app)[1]):
        ids = by_id(page)
        named = [n for e in page.root.iter() for n in (e.get("aria-describedby") or "").split()]
        assert {"text-hint", "one-hint", "one-item-hint"} <= set(named)
        for name in named:
            assert "".join(ids[name].itertext()).strip()
        hints = [e for e in page.root.iter() if "govuk-hint" in (e.get("class") or "").split()]
        assert {hint.get("id") for hint in hints} <= set(named)


def test_every_control_has_its_own_label_and_none_is_marked_required(app: Flask) -> None:
    page = Page(app.test_client().get("/every"), "/every")
    labelled = {label.get("for") for label in page.all("label")}
    for control in controls(page):
        assert control.get("id") in labelled
    assert not [e for e in page.root.iter() if e.get("required") is not None]


def test_what_was_typed_comes_back_as_text_and_a_password_never(app: Flask) -> None:
    typed = "<script>alert(1)</script> & \"quoted\" 'text' {{ 7*7 }}"
    _, page = send(app, text=typed, long=typed, secret="correct horse", one="2", some=["1", "2"], pick="2")

    ids = by_id(page)
    assert ids["text"].get("value") == typed
    assert "".join(ids["long"].itertext()).strip() == typed
    assert "correct horse" not in page.html
    assert (ids["one"].get("checked"), ids["one-2"].get("checked")) == (None, "")
    assert (ids["some"].get("checked"), ids["some-2"].get("checked")) == ("", "")
    chosen = [option.get("value") for option in page.all("option") if option.get("selected") is not None]
    assert chosen == ["2"]


def test_fields_without_choices_that_hold_nothing_are_drawn_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, drawn = forms._draw, list[str]()
    monkeypatch.setattr(forms, "_draw", lambda *args: drawn.append(args[0]) or draw(*args))
    forms._draw_kept.cache_clear()
    client = app.test_client()
    first = Page(client.get("/every"), "/every")
    assert {"input", "password-input", "textarea", "file-upload", "button"} <= set(drawn)
    drawn.clear()

    again = Page(client.get("/every"), "/every")
    assert drawn == ["radios", "select", "checkboxes"]
    assert [control.attrib for control in controls(again)] == [control.attrib for control in controls(first)]


def test_what_was_typed_is_not_kept(app: Flask) -> None:
    app.test_client().get("/every")
    kept = forms._draw_kept.cache_info().currsize

    _, page = send(app, text="typed", long="typed", **{"rows-0-words": "typed"})
    assert by_id(page)["text"].get("value") == "typed"
    assert forms._draw_kept.cache_info().currsize == kept
    assert "typed" not in Page(app.test_client().get("/every"), "/every").html


def test_an_error_with_markup_in_it_stays_text(app: Flask) -> None:
    _, page = send(app, long="whole form")
    assert "Too <long>" in page.text


def test_a_form_without_errors_has_neither_summary_nor_prefix(app: Flask) -> None:
    page = Page(app.test_client().get("/every"), "/every")
    assert page.title.startswith("One – ")
    assert not page.all("div", class_="govuk-error-summary")
    assert "govuk-form-group--error" not in page.html


def test_the_token_of_a_form_is_sent_and_needed(app: Flask) -> None:
    refused = app.test_client().post("/every", data={"text": "x"})
    assert refused.status_code == 400
    assert Page(refused, "/every").h1 == "This form was open too long"
    assert send(app)[0].status_code == 200
