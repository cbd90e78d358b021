"""What is true of every page, and a client that holds each response to it."""

import io
import re
import zipfile
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from werkzeug.test import TestResponse

from portal.platform.db import db

H = "{http://www.w3.org/1999/xhtml}"


def words(element: Element) -> str:
    """The text of an element as read, white space folded."""
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def read_words(body: bytes) -> str:
    """What a reader of the page or file can read; a workbook's parts unpacked."""
    if body.startswith(b"%PDF"):
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    if not body.startswith(b"PK"):
        return body.decode()
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        return " ".join(read_words(parts.read(name)) for name in parts.namelist())


@dataclass
class Form:
    """A form as a browser would send it."""

    action: str
    method: str
    fields: dict[str, list[str]]
    buttons: dict[str, tuple[str, dict[str, str]]]  # by their words: an address of their own, what they send


TOKEN = re.compile(r'(name="csrf_token"[^>]*value=")([^"]+)')


def mask_tokens(html: str) -> str:
    """The page without the token of its forms, which is written differently in each answer."""
    return TOKEN.sub(r"\1token", html)


@lru_cache(maxsize=256)
def _held(html: str) -> Element:
    """The document, held to what every page must be: once, however often a test comes by it."""
    parser = html5lib.HTMLParser()
    root: Element = parser.parse(html)
    assert not parser.errors, f"invalid HTML: {parser.errors[:3]}"
    heads = list(root.iter(H + "h1"))
    assert len(heads) == 1, f"{len(heads)} h1"
    title, h1 = words(next(root.iter(H + "title"))), words(heads[0])
    assert title.removeprefix("Error: ").startswith(h1), f"{title!r}, {h1!r}"
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)), "an id is used twice"
    parts = (e for tag in ("table", "thead", "tbody", "tr", "th", "td") for e in root.iter(H + tag))
    assert all(e.get("role") is None for e in parts), "a part of a table names its role"
    for link in root.iter(H + "a"):
        target = link.get("href") or ""
        if target.startswith("#") and len(target) > 1:
            assert target[1:] in ids, f"{target} leads nowhere"
    return root


def _document(html: str) -> Element:
    """The document of a test's own; pages that differ by their forms' token alone are held once."""
    tokens = {found[2] for found in TOKEN.finditer(html)}
    root = deepcopy(_held(mask_tokens(html) if len(tokens) == 1 else html))
    for control in root.iter(H + "input") if len(tokens) == 1 else ():
        if control.get("name") == "csrf_token":
            control.set("value", *tokens)
    return root


class Page:
    """A parsed page; making one checks what every page must hold."""

    def __init__(self, response: TestResponse, path: str) -> None:
        self.status, self.path, self.headers = response.status_code, path, response.headers
        self.html = response.get_data(as_text=True)
        try:
            self.root = _document(self.html)
        except AssertionError as error:
            raise AssertionError(f"{path}: {error}") from error
        self.h1 = words(self.all("h1")[0])
        self.title = words(self.all("title")[0])

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Every element of this tag with these attribute values (``class_`` for a class word)."""
        found = []
        for element in self.root.iter(H + tag):
            wanted = dict(attributes)
            css = wanted.pop("class_", None)
            if css and css not in (element.get("class") or "").split():
                continue
            if all(element.get(k.replace("_", "-")) == v for k, v in wanted.items()):
                found.append(element)
        return found

    @property
    def text(self) -> str:
        """The words of the page's body."""
        return words(self.all("body")[0])

    @property
    def links(self) -> dict[str, str]:
        """Addresses by the words of their links."""
        return {words(a): a.get("href") or "" for a in self.all("a")}

    def forms(self) -> list[Form]:
        """The forms of the page."""
        return [self._form(f) for f in self.all("form")]

    def _form(self, form: Element) -> Form:
        fields: dict[str, list[str]] = {}
        buttons: dict[str, tuple[str, dict[str, str]]] = {}
        for control in form.iter():
            tag, name = control.tag.removeprefix(H), control.get("name") or ""
            kind = control.get("type") or ""
            if tag == "button" or (tag == "input" and kind == "submit"):
                value = control.get("value") or ""
                own = (control.get("formaction") or "", {name: value} if name else {})
                buttons.setdefault(words(control) or value, own)
            elif tag == "textarea":
                fields.setdefault(name, []).append("".join(control.itertext()))
            elif tag == "input" and (kind not in {"radio", "checkbox"} or control.get("checked") is not None):
                fields.setdefault(name, []).append(control.get("value") or "")
        return Form(form.get("action") or "", (form.get("method") or "get").lower(), fields, buttons)

    def form_with(self, button: str) -> Form:
        """The form that has this button."""
        return next(f for f in self.forms() if button in f.buttons)


class PortalClient(FlaskClient):
    """Serves each request in a context of its own, so that an uncommitted write is lost."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, app.response_class, use_cookies=True)

    def open(self, *args: Any, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """As the client's, in its own application context and session."""
        db.session.commit()
        with self.application.app_context():
            response = super().open(*args, **kwargs, buffered=True)
        db.session.expire_all()
        if follow_redirects and 300 < response.status_code < 309:
            return self.get(response.location, follow_redirects=True)
        return response

    def page(self, path: str, status: int = 200) -> Page:
        """Read the page at ``path``, following redirects."""
        response = self.get(path, follow_redirects=True)
        assert response.status_code == status, f"{path}: {response.status_code}"
        return Page(response, path)

    def press(self, page: Page, button: str, status: int = 200, **fields: Any) -> Page:
        """Fill the form that has ``button`` and press it; follows redirects."""
        form = page.form_with(button)
        address, sent = form.buttons[button]
        data: dict[str, Any] = {**form.fields, **sent, **fields}
        path = address.partition("#")[0] or form.action or page.path
        if form.method == "get":
            return self.page(f"{path}?{urlencode(data, doseq=True)}")
        response = self.post(path, data=data, follow_redirects=True)
        assert response.status_code == status, f"{path}: {response.status_code}"
        return Page(response, path)
