"""Every page of everybody, what it leads to, and what its forms say to whoever sends them as they are."""

import re
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from benchmarks.browser import ATTRIBUTE, FORM, INPUT, SELECT, TEXTAREA
from tests.golden.contents import name_variants
from tests.golden.visiting import Visitor, signed_in
from tests.golden.writing import Record
from tests.journeys.places import BEFORE_SIGNING_IN, LEARNER, PLACES, ROLES
from tests.running import PASSWORD

MOST_FILES = 2  # addresses of one kind of file that one person meets
NOT_THERE = ("/nothing-here", "/records/OIC-0000-0000-0", "/people/D9999", "/monitoring/directives/none")
FOR_ANYBODY = (
    "/", "/learning", "/healthz", "/readyz", "/metrics", "/brand.css", "/.well-known/security.txt",
    "/sign-in/again", "/sign-in/factor", "/sign-in/oidc", "/saml/metadata", "/api/openapi.json",
    "/nothing-here",
)  # fmt: skip
# Beside the places: where a link or another page leads, and what every learner reads.
RUN = "/exercises/EX-9001"
FURTHER = {
    "D1001": ("/assessment/{under_way}", "{plenary}", "{plenary}/hard/statement", f"{RUN}/actions"),
    "D2001": ("/saved-reports/{saved}", "{plenary}"),
    "D5001": (
        "{plenary}", "{plenary}/decisions", "{plenary}/hard/lead", "{plenary}/hard/ranking",
        *(f"{RUN}/{name}" for name in ("control", "wall", "actions", "debrief.pdf", "debrief.zip")),
    ),
    "D4001": ("/returns/comparison-schema.json",),
    "D9001": ("/people/identities", "/imports/{bad}/bad-rows.csv", "/jobs/{job}/progress", "/sign-in/kept"),
}  # fmt: skip
KEPT_REFUSALS = {"/monitoring", "/authoring", "/directives", *NOT_THERE}  # others look the same
UNSENT = ("/sign-out",)


def record_nobody(record: Record, app: Flask, instance: Path, made: dict[str, str]) -> None:
    """What is there for whoever has not signed in."""
    nobody = Visitor(app, instance, "nobody")
    paths = [path for paths in BEFORE_SIGNING_IN.values() for path in paths]
    for path in (*paths, *FOR_ANYBODY):
        response = nobody.open("GET", fill(path, made))
        if path == "/metrics":  # the figures are of this process
            response.set_data(re.sub(rb" [\d.e+-]+$", b"", response.data, flags=re.MULTILINE))
        record.write_answer(f"pages/nobody {path}", f"nobody: GET {path}", response, nobody.statements)
    refused = nobody.send(nobody.page("/sign-in"), "Sign in")
    record.write("pages/nobody signs in", "nobody: POST /sign-in", f"{refused.status}\n{refused.text}")


def record_person(record: Record, app: Flask, instance: Path, made: dict[str, str], number: str) -> None:
    """What one person meets: each place, then what these lead to, and at last what forms answer."""
    visits = Visits(record, signed_in(app, instance, number), number, app)
    for place in PLACES.values():
        for path in place.paths:
            visits.meet(fill(path, made), path)
    lessons = [
        f"/learning/modules/{module}/lessons/{lesson}"
        for module, keys in visits.visitor.content.lessons.items()
        for lesson in keys
    ]
    for path in (*FURTHER.get(number, ()), *NOT_THERE, *(lessons if number == LEARNER else ())):
        visits.meet(fill(path, made), path)
    visits.meet_files()
    own = [path for place in PLACES.values() if place.owner == number for path in place.paths]
    visits.send_forms([(fill(path, made), path) for path in own])
    visits.note_refusals()


def fill(path: str, made: dict[str, str]) -> str:
    """An address with what states are called."""
    return path.format_map(defaultdict(lambda: "missing", made))


class Visits:
    """One person's way through the portal."""

    def __init__(self, record: Record, visitor: Visitor, number: str, app: Flask) -> None:
        self.record, self.visitor, self.number, self.app = record, visitor, number, app
        self.roles = ", ".join(sorted(role.value for role in ROLES[number])) or "learner"
        self.links: dict[str, None] = {}
        self.met: set[str] = set()
        self.refused: list[str] = []

    def meet(self, path: str, shown: str) -> None:
        """Open an address, and keep what it answers."""
        if path in self.met:
            return
        self.met.add(path)
        response = self.visitor.open("GET", path)
        if response.status_code in (403, 404) and shown not in KEPT_REFUSALS:
            self.refused.append(f"{response.status_code}, {self.visitor.statements} statements: {shown}")
            return
        self.record.write_answer(
            f"pages/{self.number} {shown}", self.title("GET", shown), response, self.visitor.statements
        )
        if "html" in (response.content_type or ""):
            self.links |= dict.fromkeys(map(unescape, re.findall(r'href="(/[^"#]*)"', response.text)))

    def title(self, method: str, shown: str) -> str:
        """Who asks, and for what."""
        return name_variants(f"{self.number}, {self.roles}: {method} {shown}")

    def meet_files(self) -> None:
        """What pages link to and is no place of its own: a few addresses of each kind."""
        counts: dict[str, int] = defaultdict(int)
        for link in list(self.links):
            path = urlsplit(link).path
            endpoint = self.endpoint_of(path)
            kind = f"{endpoint}{path.rpartition('.')[2][:5]}"
            if endpoint and endpoint not in PLACES and endpoint != "static" and counts[kind] < MOST_FILES:
                counts[kind] += 1
                self.meet(link, link)

    def endpoint_of(self, path: str) -> str:
        """The name of the page at an address; empty if there is none."""
        try:
            endpoint, _ = self.app.url_map.bind("127.0.0.1").match(path)
        except HTTPException:
            return ""
        return str(endpoint)

    def send_forms(self, places: list[tuple[str, str]]) -> None:
        """Send each form of these pages with nothing filled in: what it says, or what it does and shows."""
        sent: set[tuple[str, ...]] = set()
        for path, shown in places:
            page = self.visitor.open("GET", path)
            for action, fields in empty_forms(page.text if page.status_code == 200 else "", path):
                form = self.endpoint_of(urlsplit(action).path), *sorted({name for name, _ in fields})
                if form in sent or action in UNSENT:
                    continue
                sent.add(form)
                self.send_form(action, fields, shown)

    def send_form(self, action: str, fields: list[tuple[str, str]], shown: str) -> None:
        """Send one form, and keep its answer with the page that it leads to."""
        response = self.visitor.open("POST", action, urlencode(fields).encode())
        statements, more = self.visitor.statements, ""
        if response.location:
            landed = self.visitor.open("GET", response.location)
            more = f"leads to {response.location}: {landed.status_code}"
            if "html" in (landed.content_type or ""):
                told = re.search(r'<[^>]*role="(?:alert|status)".*?</div>\s*</div>', landed.text, re.DOTALL)
                more += f"\n{told[0] if told else ''}"
            if response.location.startswith("/sign-in"):
                self.visitor.sign_in(self.number, PASSWORD)
        title = self.title("POST", f"{action} from {shown}")
        names = " ".join(sorted({name for name, _ in fields}))
        self.record.write_answer(f"forms/{self.number} {action} {names}", title, response, statements, more)

    def note_refusals(self) -> None:
        """Keep, in one text, which addresses this person is refused or does not find."""
        self.record.write(
            f"pages/{self.number} refused", f"{self.number}, {self.roles}: refused", "\n".join(self.refused)
        )


def empty_forms(page: str, path: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The forms of a page that change something: where each goes, and what it sends unfilled."""
    for head, inside in FORM.findall(page):
        attributes = dict(ATTRIBUTE.findall(head))
        if attributes.get("method", "").lower() != "post":
            continue
        fields: list[tuple[str, Any]] = []
        buttons: list[tuple[str, str]] = []
        for words in INPUT.findall(inside):
            control = dict(ATTRIBUTE.findall(words))
            name, kind = control.get("name", ""), control.get("type", "text")
            if name and kind == "hidden":
                fields.append((name, unescape(control.get("value", ""))))
            elif name and kind == "submit":
                buttons.append((name, unescape(control.get("value", ""))))
            elif name and kind not in ("checkbox", "radio", "file"):
                fields.append((name, ""))
        fields += [(dict(ATTRIBUTE.findall(head))["name"], "") for head, _ in SELECT.findall(inside)]
        fields += [(dict(ATTRIBUTE.findall(head))["name"], "") for head in TEXTAREA.findall(inside)]
        yield unescape(attributes.get("action") or path), fields + buttons[:1]
