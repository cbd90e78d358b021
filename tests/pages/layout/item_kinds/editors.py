"""An editor as a browser meets it: drawn, its fields sent, a button pressed."""

from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask, render_template
from werkzeug.datastructures import MultiDict
from wtforms import Form

from portal.domain.item_kinds import kinds_by_name
from portal.pages.layout.item_kinds import editor_of_kind
from tests.page_reading import H, words

Fields = list[tuple[str, str]]


def fields_of(form: Element) -> Fields:
    """What a browser would send of a form, no button pressed."""
    found: Fields = []
    for control in form.iter():
        tag, name = control.tag.removeprefix(H), control.get("name") or ""
        boxed = control.get("type") in {"checkbox", "radio"}
        if tag == "textarea":
            found.append((name, "".join(control.itertext()).removeprefix("\n").replace("\n", "\r\n")))
        elif tag == "input" and (not boxed or control.get("checked") is not None):
            found.append((name, control.get("value") or ""))
        elif tag == "select":
            options = list(control.iter(f"{H}option"))
            picked = [o for o in options if o.get("selected") is not None] or options[:1]
            found += [(name, option.get("value") or "") for option in picked]
    return found


class Drawn:
    """One editor's HTML, valid, no id twice."""

    def __init__(self, app: Flask, kind: str, form: Form) -> None:
        with app.test_request_context():
            inner = render_template(kinds_by_name()[kind].template_path("editor"), form=form)
        parser = html5lib.HTMLParser()
        self.root = parser.parse(f"<!doctype html><title>x</title><body><form>{inner}</form>")
        assert not parser.errors, parser.errors[:3]
        self.ids = [e.get("id") for e in self.root.iter() if e.get("id")]
        assert len(self.ids) == len(set(self.ids))

    @property
    def fields(self) -> Fields:
        """What the form would send, no button pressed."""
        return fields_of(self.root)

    @property
    def buttons(self) -> dict[str, str]:
        """The values of the row buttons by their words."""
        found = {words(b): b.get("value") or "" for b in self.root.iter(f"{H}button")}
        assert all(b.get("type") == "submit" and b.get("name") == "row" for b in self.root.iter(f"{H}button"))
        return found


def press(app: Flask, kind: str, drawn: Drawn, button: str = "") -> tuple[Form, Drawn]:
    """Send the fields with a button, or to be saved; returns the form that came of it, drawn again."""
    sent: Any = MultiDict(drawn.fields)
    if button:
        sent["row"] = drawn.buttons[button]
    editor = editor_of_kind(kind)
    form = editor.read_form(sent)
    assert bool(editor.pressed_button(sent)) == bool(button)
    return form, Drawn(app, kind, form)
