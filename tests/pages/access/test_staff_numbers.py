"""A staff number of somebody out of sight is answered as one that nobody has: in status, words and work.

Every route with a staff number in its address is tried, and every field of a form that takes the number or
address of a person: a new field fails here until ``FIELDS`` says where it is sent, or why it tells nothing.
"""

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse
from wtforms import Form
from wtforms.fields.core import UnboundField

import portal.features
import portal.pages
from portal.domain.people.models import Post
from portal.domain.people.queries import person_by_staff_number, viewer_of
from portal.features.saved_reports import services as saved_reports
from portal.features.saved_reports.models import SavedPage
from portal.features.saved_reports.rules import Definition
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import UNIT_ROLES, Role
from tests.factories.access_tokens import bearer, make_token
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.access.routes import ROUTES
from tests.pages.access.shown import SYSTEM
from tests.pages.access.world import World, address_of, make_world
from tests.pages.account.browsing import let_in
from tests.pages.monitoring.counting import statements

SEEN, UNSEEN, NOBODY, ABSENT = "SEEN", "UNSEEN", "NOBODY", "ABSENT"  # the last two are nobody's
CHOICES = "it offers those in sight, and takes no other value"
WHOLE_FORCE = "for roles of the whole force alone, which see everybody"
SIGN_IN = "before anybody is signed in: tests/hostile/test_guessing.py, test_link_requests.py"
Sent = tuple[
    str, dict[str, str]
]  # an address, and what is sent to it; {number}, {report} and {unit} stand in either

FIELDS: dict[str, Sent | str] = {
    "assurance.evidence_views.EvidenceForm.owner": WHOLE_FORCE,
    "assurance.forms.AssuranceActionForm.owner": WHOLE_FORCE,
    "assurance.forms.OwnerForm.owner": WHOLE_FORCE,
    "audit.views.AuditFilterForm.about": ("/audit?about={number}", {}),
    "audit.views.AuditFilterForm.by": ("/audit?by={number}", {}),
    "authoring.forms.ExtraAttemptByNumberForm.staff_number": (
        "/authoring/protect/attempts",
        {"staff_number": "{number}", "reason": "technical"},
    ),
    "decisions.forms.JointDecideForm.people": CHOICES,
    "decisions.forms._SeveralPeople.people": CHOICES,
    "directives.forms.DirectiveForm.owner": ("/directives/preview", {"owner": "{number}"}),
    "events.forms.ChoosePeopleForm.people": CHOICES,
    "grants.views.GrantFilterForm.q": ("/grants?q={number}", {}),
    "grants.views.GrantSearchForm.q": ("/grants/proposed?q={number}", {}),
    "grants.views.SeveralGrantsForm.found": CHOICES,
    "grants.views.SeveralGrantsForm.numbers": (
        "/grants/new",
        {"role": "auditor", "unit": "{unit}", "numbers": "{number}"},
    ),
    "grants.views.SeveralGrantsForm.q": ("/grants/new", {"q": "{number}", "find": "yes"}),
    "monitoring.forms.ReportFilterForm.q": ("/monitoring/directives/OIC-2026?q={number}", {}),
    "people.forms.SearchForm.q": ("/people?q={number}", {}),
    "people.forms.AccountFilterForm.q": ("/people/accounts?q={number}", {}),
    "people.forms.SessionFilterForm.q": ("/people/accounts/sessions?q={number}", {}),
    "reminders.views.BulkNudgeForm.people": CHOICES,
    "retention.forms.CorrectionForm.email": WHOLE_FORCE,
    "retention.forms.CorrectionForm.staff_number": WHOLE_FORCE,
    "retention.forms.HoldForm.staff_number": WHOLE_FORCE,
    "retention.forms.NoteForm.staff_number": WHOLE_FORCE,
    "saved_reports.views.ShareForm.staff_number": (
        "/saved-reports/{report}/shares",
        {"staff_number": "{number}"},
    ),
    "sign_in.forms.LinkRequestForm.name": SIGN_IN,
    "sign_in.forms.SignInForm.name": SIGN_IN,
}
UUID_OF_NONE = "00000000-0000-0000-0000-000000000000"
READ_BY_HAND: dict[str, Sent] = {  # what views read of a request without a form
    "give": ("/grants/proposed", {"give": "{number}"}),
    "staff_number": ("/events/EV-0001/register/staff-number", {"staff_number": "{number}"}),
}
ALIKE = {  # in this world the same for everybody, also for those in sight
    "authoring.forms.ExtraAttemptByNumberForm.staff_number",  # it tells nothing of anybody
    "grants.views.GrantFilterForm.q",  # nobody in sight has a role, or reports
    "grants.views.GrantSearchForm.q",
    "people.forms.SessionFilterForm.q",  # or is signed in
    "give",
    "staff_number",  # somebody else runs the event
}
NAMES_A_PERSON = re.compile(r"staff.?number|e-?mail address", re.IGNORECASE)
FOLDERS = ("portal.pages.", "portal.features.")
FIELD_NAMES = {"people", "numbers", "found", "staff_number", "email"}
READ = re.compile(r'request\.(?:form|args)\.get(?:list)?\(\s*"(staff_number|give|person|owner|email)"')
VARYING = re.compile(r"<[^>]*>|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b")  # tags, and the reference of a refusal


def list_fields() -> Iterator[str]:
    """The fields of all forms that take the number or the address of a person."""
    for package in (portal.pages, portal.features):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for form in list_subclasses(Form):
        for name, field in vars(form).items():
            # Forms that a view makes for the columns of one file ask which column it is, not for a person.
            own = hasattr(sys.modules.get(form.__module__), form.__qualname__.partition(".")[0])
            if isinstance(field, UnboundField) and own and form.__module__.startswith(FOLDERS):
                words = f"{field.args} {field.kwargs.get('label')} {field.kwargs.get('description')}"
                if name in FIELD_NAMES or NAMES_A_PERSON.search(words):
                    place = form.__module__.split(".", 2)[2]
                    yield f"{place}.{form.__qualname__}.{name}"


def list_subclasses(kind: type) -> Iterator[type]:
    for below in kind.__subclasses__():
        yield below
        yield from list_subclasses(below)


def test_every_field_that_takes_a_person_is_stated() -> None:
    assert set(list_fields()) == set(FIELDS)
    folders = (*portal.pages.__path__, *portal.features.__path__)
    paths = (path for folder in folders for path in Path(folder).rglob("*.py"))
    sources = [path.read_text("utf-8") for path in paths if path.name != "commands.py"]
    assert {name for source in sources for name in READ.findall(source)} == set(READ_BY_HAND)
    assert not any("person_by_staff_number" in source for source in sources), "it asks nobody's sight"


class Asker:
    """A person with every role, those of units on one unit: whom it sees, every role lets them see."""

    def __init__(self, app: Flask, client: PortalClient, world: World) -> None:
        self.app, self.client, self.world = app, client, world
        person = person_by_staff_number("V1")
        self.unit = unit = db.session.scalars(select(Post.unit_id).where(Post.person_id == person)).one()
        for role in Role:
            make_grant(person, role, unit if role in UNIT_ROLES else None)
        viewer = viewer_of(person)
        assert viewer is not None
        with transaction():
            report = saved_reports.save_report(
                "Mine", Definition(SavedPage.OVERVIEW), by=viewer, at=clock.now()
            )
            self.report = str(report.reference)
        self.headers = bearer(make_token(unit=unit))
        let_in(client, "V1")
        self.token = client.page("/account").form_with("Sign out").fields["csrf_token"][0]

    def list_routes(self) -> Iterator[tuple[str, Sent, bool]]:
        """Every route with a staff number in its address, by method."""
        subject = replace(self.world.subjects["own"], staff_number="{number}")
        for rule in self.app.url_map.iter_rules():
            if "staff_number" in rule.arguments:
                address = address_of(self.app, rule, subject).replace("%7Bnumber%7D", "{number}")
                if rule.endpoint.startswith("saved_reports."):
                    address = address.replace(str(UUID_OF_NONE), "{report}")
                for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                    yield method, (address, {}), ROUTES[rule.endpoint] == SYSTEM

    def ask(self, method: str, sent: Sent, number: str, *, by_token: bool = False) -> tuple[object, ...]:
        """What is answered about a number, without the number: status, place, words and statements."""
        filled = json.dumps(sent).replace("{number}", number).replace("{report}", self.report)
        address, fields = json.loads(filled.replace("{unit}", str(self.unit)))
        data = {**fields, "csrf_token": self.token} if method == "POST" else None
        with statements() as run:
            answer: TestResponse = self.client.open(
                address, method=method, data=data, headers=self.headers if by_token else None
            )
        assert answer.status_code != 400 or method == "GET" or fields, address
        kinds = [re.sub(r"savepoint_\d+", "savepoint", statement) for statement in run]
        words = VARYING.sub("", answer.get_data(as_text=True)).replace(number, "#")
        return answer.status_code, (answer.location or "").replace(number, "#"), words, kinds


@pytest.mark.slow
def test_a_number_out_of_sight_is_answered_as_one_that_nobody_has(app: Flask, client: PortalClient) -> None:
    with time_machine.travel(clock.now(), tick=False):
        asker, wrong, tried = Asker(app, client, make_world("learner")), [], 0
        told = {name: sent for name, sent in {**FIELDS, **READ_BY_HAND}.items() if not isinstance(sent, str)}
        named = [(name, "POST" if sent[1] else "GET", sent, False) for name, sent in told.items()]
        addressed = [(sent[0], method, sent, by_token) for method, sent, by_token in asker.list_routes()]
        for name, method, sent, by_token in [*addressed, *named]:
            asker.ask(method, sent, ABSENT, by_token=by_token)  # what is read once for all is read
            unseen, nobody = (asker.ask(method, sent, n, by_token=by_token) for n in (UNSEEN, NOBODY))
            parts = zip(("status", "place", "words", "work"), unseen, nobody, strict=True)
            wrong += [f"{method} {name}: {part}: {a!r}\nnot {b!r}" for part, a, b in parts if a != b]
            if name in told and name not in ALIKE and asker.ask(method, sent, SEEN) == unseen:
                wrong.append(f"{name}: tells nothing of those in sight either, so it was not tried")
            tried += 1

    assert wrong == []
    assert tried > 30
