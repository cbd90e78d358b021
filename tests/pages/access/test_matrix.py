"""Every role × every route × own, seen and unseen person, enumerated from the URL map.

A new route fails here until ``ROUTES`` states whose data it shows.
"""

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.domain.accounts import services as accounts
from portal.domain.assessment import services as assessment
from portal.domain.authoring import services as authoring
from portal.domain.catalogue.models import GuideFile, ModuleVersion, PackageFile
from portal.domain.decisions import services as decisions
from portal.domain.decisions.change_requests import ChangeRequest
from portal.domain.records import services as records
from portal.domain.records.references import new_reference
from portal.pages.layout.access import permission_of, scopes_of
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from portal.platform.jobs import services as jobs
from portal.platform.permissions import LEARNER, ROLE_PERMISSIONS, UNIT_ROLES, WHOLE_FORCE, Permission, Role
from tests.domain.catalogue.folders import lesson, sample
from tests.domain.status.facts import make_record
from tests.factories.catalogue import make_guide, make_version
from tests.factories.events import make_event_type
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.access.routes import ATTEMPT, JOB, PERSON, RECORD, ROUTES, SYSTEM
from tests.pages.account.browsing import PASSWORD, another, let_in
from tests.pages.learning.asking import ask

KEYS = {"authoring": "protect", "guides": "whom-to-call", "events": "oic-hydra"}  # elsewhere a lesson's

# Of these there is none for anyone in this world: not found is as good as reached.
MAY_BE_UNKNOWN = {
    "events.book_own_place",  # tests/pages/events/test_booking.py has who may
    "events.accept_own_place",
    "events.cancel_own_place",
    "events.book_people",
    "events.decide_booking",
    "events.keep_places",
    "events.stop_keeping_places",
    "authoring.add_comment",
    "authoring.show_medium",
    "authoring.move_item",
    "authoring.move_lesson",
    "authoring.cancel_schedule",
    "authoring.publish_and_ask",
    "authoring.publish_draft",
    "authoring.schedule_draft",
    "authoring.remove_medium",
    "authoring.render_beside",
    "authoring.show_review",
    "authoring.send_back",
    "authoring.withdraw_draft",
    "catalogue.send_media",
    "imports.apply_import",
    "monitoring.show_file",
    "monitoring.act_on_file",
    "monitoring.download_file",
    "reminders.send_again",
    "saved_reports.choose_emails",  # nobody saved one here; tests/pages/saved_reports has who may
    "saved_reports.delete_report",
    "saved_reports.end_share",
    "saved_reports.manage_report",
    "saved_reports.open_report",
    "saved_reports.save_report",  # it needs a report in its address
    "saved_reports.schedule_report",
    "saved_reports.share_report",
    "saved_reports.show_emails",
    "saved_reports.stop_schedule",
    "events.show_proposal",  # nobody proposed one here; tests/pages/events/test_type_pages.py has who may
    "events.publish_type",
    "events.show_event",  # nobody planned one; tests/pages/events/test_planning_views.py has who may
    "events.download_event",
    "events.change_event",
    "events.cancel_event",
    "events.change_room",
    "events.send_type_back",
    "events.withdraw_type",
    "learning.ask_recall",  # nobody passed here; tests/pages/learning/test_recall.py has who may
    "learning.answer_recall",
    "learning.show_recall_answers",
    "learning.save_rubric",  # no case has ended here; tests/pages/learning/test_copies.py has who may
    "learning.show_copy",
    "learning.read_copy",
    "learning.save_copy_rubric",
    "learning.take_copy_back",
    "learning.show_briefing",
    "learning.download_briefing",
    "authoring.preview_briefing",
    "authoring.remove_briefing",
    "records.download_certificate",  # these records are imported; tests/pages/records/test_documents.py
    "imports.download_bad_rows",
    "imports.cancel_import",
    "imports.show_check",
    "imports.begin_again",
    "imports.check_again",
    "imports.choose_file",  # a role that ends at a unit, as all in this world, imports nothing
    "imports.match_columns",
    "imports.match_values",
    "imports.match_sheet",
    "imports.list_kept_rows",
    "imports.record_kept_rows",
    "imports.erase_kept_rows",
    "account.set_password",
    "account.end_session",
    "account.remove_factor",
    "sign_in.show_kept_forms",
    "operations.metrics",  # closed unless set
    "statements.security_contact",  # not set
    "people.revoke_role",
    "decisions.decide_joint_request",
    "decisions.joint_request",
    "decisions.withdraw_joint_request",
    "grants.map_group",
    "tokens.revoke_token",
    "people.end_person_session",
    "people.remove_identity",
    # Without a provider; with one, see tests/pages/sign_in.
    "people.show_identities",
    "sign_in.begin_saml",
    "sign_in.begin_sign_in",
    "sign_in.describe_saml",
    "sign_in.end_by_provider",
    "sign_in.finish_saml",
    "sign_in.finish_sign_in",
    "sign_in.leave_provider",
    "sign_in.receive_assertion",
}

# What is done to the whole force, by a role that ends at no unit alone: in this world every role ends at one.
OF_THE_FORCE = {"jobs.start_job", "reminders.edit_rules"}

LINE_MANAGER = "line-manager"  # of the one who is seen, by the roster alone: LINE_MANAGER_SIGHT is on
VIEWERS = ("nobody", "learner", LINE_MANAGER, *Role)
SIGHT = {LINE_MANAGER, Role.MANAGER, Role.DIRECTIVE_OWNER, Role.AUDITOR, Role.ADMINISTRATOR}


@dataclass
class Subject:
    """A person with everything an address can name."""

    staff_number: str
    attempt: UUID
    reference: str
    job: UUID
    request: UUID  # about the person, asked for by the viewer


@dataclass
class World:
    """The viewer and the two others: ``seen`` stands in the viewer's unit, ``unseen`` elsewhere."""

    viewer: str
    subjects: dict[str, Subject] = field(default_factory=dict)

    @property
    def permissions(self) -> frozenset[Permission]:
        if self.viewer == "nobody":
            return frozenset()
        by_roster = {LINE_MANAGER: {Role.MANAGER}, "learner": set()}
        role = by_roster[self.viewer] if self.viewer in by_roster else {Role(self.viewer)}
        given = LEARNER.union(*(ROLE_PERMISSIONS[r] for r in role))
        return given - WHOLE_FORCE if role & UNIT_ROLES else given

    def sees(self, subject: str) -> bool:
        return subject == "own" or (subject == "seen" and self.viewer in SIGHT)


def make_world(viewer: str) -> World:
    version = make_version("protect", test_out=True)
    guide = make_guide("whom-to-call")
    make_event_type("oic-hydra")
    ask("protect")
    here, elsewhere = make_unit("Here"), make_unit("Elsewhere")
    places = {"own": ("V1", here), "seen": ("SEEN", here), "unseen": ("UNSEEN", elsewhere)}
    world, asker = World(viewer), 0
    for name, (staff_number, unit) in places.items():
        manager = asker if (viewer, name) == (LINE_MANAGER, "seen") else None
        person = make_person(unit, staff_number=staff_number, manager=manager)
        asker = asker or person  # the viewer, who comes first
        world.subjects[name] = _subject(person, staff_number, version, asker)
        if name == "own":
            with transaction():
                accounts.set_password(person, PASSWORD, clock.now())
            if viewer in set(Role):
                make_grant(person, viewer, here if viewer in UNIT_ROLES else None)
        if name == "unseen":
            _open_drafts(version, guide, person)
    return world


def _open_drafts(version_id: int, guide_id: int, by: int) -> None:
    """Another author's drafts of the module, with every part that an address can name, and of the guide."""
    with transaction():
        for path, content in sample().items():
            if path.startswith("sample/"):
                held = content.replace('key = "sample"', 'key = "protect"').encode()
                digest = hashlib.sha256(held).hexdigest()
                row = PackageFile(module_version_id=version_id, path=path[7:], content=held, sha256=digest)
                db.session.add(row)
        text = lesson().encode()
        db.session.add(GuideFile(guide_version_id=guide_id, path="whom-to-call.md", content=text, sha256=""))
        db.session.flush()
        for key in ("protect", "_guides/whom-to-call"):
            authoring.open_draft(key, by=by, at=stamp())


def _subject(person: int, staff_number: str, version_id: int, asker: int) -> Subject:
    version = db.session.get_one(ModuleVersion, version_id)
    reference = new_reference()
    passed_on = date(2026, 1, 10)
    record = make_record(person, version.activity_id, passed_on, reference=reference)
    wish = ChangeRequest("revocation", person, "other", record_id=record, from_on=passed_on)
    with transaction():
        at: datetime = stamp()
        request = decisions.submit_request(wish, {}, by=asker, at=at)
        registration = records.start_registration(person, db.session.scalars(select(ModuleVersion)).one(), at)
        attempt = assessment.start_attempt(registration, at)
        job = jobs.start_job("reconcile", {}, by=person, at=at)
        return Subject(staff_number, attempt.id, reference, job, request)


def address_of(app: Flask, rule: Rule, subject: Subject) -> str:
    values = {
        "staff_number": subject.staff_number,
        "attempt_id": subject.attempt,
        "number": 1,
        "room_id": 1,
        "proposal_id": 1,
        "slug": "protect",
        "key": KEYS.get(rule.endpoint.split(".")[0], "lesson-1"),
        "sha256": "0" * 64,
        "name": "x.svg",
        "token": "unknown",
        "run_id": UUID(int=0),
        "uuid": subject.request,
        "joint_uuid": UUID(int=0),
        "group_id": UUID(int=0),
        "import_id": UUID(int=0),
        "copy_id": 1,
        "row_id": 1,
        "choice": "off",
        "act": "approval",
    }
    if rule.endpoint in {"decisions.ask_decision", "decisions.ask_for_several"}:
        values["kind"] = "exemption"
    if rule.endpoint.startswith("authoring."):
        values |= {"name": "first", "item": "one", "check": "try"}
    if rule.endpoint == "authoring.edit_guide":
        values["key"] = "_guides/whom-to-call"
    if rule.endpoint == "monitoring.act_on_file":
        values["what"] = "again"
    if rule.endpoint == "imports.choose_file":
        values["kind"] = "completions"
    by_endpoint = {
        "records.show_record": subject.reference,
        "records.download_certificate": subject.reference,
        "account.end_session": "unknown",
        "account.remove_factor": "unknown",
    }
    values["reference"] = by_endpoint.get(rule.endpoint, "OIC-2026")
    if rule.endpoint == "reminders.send_again" or rule.endpoint.startswith(("webhooks.", "saved_reports.")):
        values["reference"] = UUID(int=0)
    if rule.endpoint.startswith("jobs."):
        values["reference"] = subject.job
    with app.test_request_context():
        return app.url_map.bind("127.0.0.1").build(
            rule.endpoint, {k: v for k, v in values.items() if k in rule.arguments}
        )


class Browser:
    """Signs the viewer in again whenever a request has ended the session."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world
        self._begin()

    def _begin(self) -> None:
        self.client, self.token = another(self.app), ""
        if self.world.viewer != "nobody":
            let_in(self.client, "V1")
            page = self.client.get("/account").get_data(as_text=True)
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
            assert found
            self.token = found[1]

    def ask(self, method: str, address: str) -> TestResponse:
        answer = self._asked(method, address)
        refused = answer.status_code == 400 or (answer.location or "").startswith("/sign-in")
        if refused and self.token and self.client.get("/account").status_code != 200:
            self._begin()  # what was asked before ended the session
            answer = self._asked(method, address)
        return answer

    def _asked(self, method: str, address: str) -> TestResponse:
        if method == "GET":
            return self.client.get(address)
        return self.client.post(address, data={"csrf_token": self.token} if self.token else None)


def _refused(world: World, endpoint: str, subject: str, permission: Permission | None) -> set[int]:
    """The codes of a refusal, empty where the viewer may."""
    if permission is None:
        return set()
    if world.viewer == "nobody":
        return {302, 303, 400}  # to the sign-in page; a form without a token is refused before
    if permission not in world.permissions:
        return {403}
    whose = ROUTES[endpoint]
    if whose in {PERSON, RECORD} and not world.sees(subject):
        return {404}
    if whose == ATTEMPT and subject != "own":
        return {404}
    if whose == JOB and subject != "own":  # the administrator here is a unit's, and jobs are the force's
        return {404}
    if endpoint in OF_THE_FORCE:
        return {403}
    return set()


def _words(body: bytes) -> str:
    """What a reader of the page or file can read; a workbook's parts unpacked."""
    if body.startswith(b"%PDF"):
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    if not body.startswith(b"PK"):
        return body.decode()
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        return " ".join(parts.read(name).decode() for name in parts.namelist())


def test_every_route_is_stated(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(ROUTES)
    of_systems = {name for name, view in app.view_functions.items() if scopes_of(view)}
    assert of_systems == {name for name, whose in ROUTES.items() if whose == SYSTEM}


@pytest.fixture(autouse=True)
def _line_managers_see(app, monkeypatch):
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], line_manager_sight="on"))


def _steps(app: Flask) -> list[tuple[Rule, str, str]]:
    """What a viewer asks for in turn: to read their own, to read what others have, to send forms."""
    steps = []
    for rule in app.url_map.iter_rules():
        of_somebody = ROUTES[rule.endpoint] in {PERSON, RECORD, ATTEMPT, JOB}
        for subject in ("own", "seen", "unseen") if of_somebody else ("own",):
            steps += [(rule, subject, method) for method in rule.methods & {"GET", "POST"}]
    return sorted(
        steps, key=lambda step: (step[2], step[1] != "own", step[0].endpoint, step[0].rule, step[1])
    )


@pytest.mark.parametrize("viewer", VIEWERS)
def test_nobody_reaches_or_reads_what_is_not_theirs(app, database, viewer):
    world = make_world(viewer)
    browser = Browser(app, world)
    hidden = re.compile(r"\bUNSEEN\b" if viewer in SIGHT else r"\b(?:UNSEEN|SEEN)\b")
    wrong, leaks = [], []
    for rule, subject, method in _steps(app):
        whose = ROUTES[rule.endpoint]
        permission = None if whose == SYSTEM else permission_of(app.view_functions[rule.endpoint])
        address = address_of(app, rule, world.subjects[subject])
        answer = browser.ask(method, address)
        status = answer.status_code
        refusal = {401} if whose == SYSTEM else _refused(world, rule.endpoint, subject, permission)
        reached = status not in {401, 403, 404, 500}
        right = (
            status in refusal if refusal else reached or (rule.endpoint in MAY_BE_UNKNOWN and status == 404)
        )
        if not right:
            wrong.append(f"{method} {address}: {status}, not {refusal or 'reached'}")
        if (method, subject) == ("GET", "own"):
            leaks += [f"{address}: {name}" for name in hidden.findall(_words(answer.get_data()))]

    assert wrong == []
    assert leaks == []
