"""The people, units and facts among whom the matrix asks every route, and the address of each."""

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from portal.domain.accounts import services as accounts
from portal.domain.assessment import services as assessment
from portal.domain.authoring import services as authoring
from portal.domain.catalogue.models import GuideFile, ModuleVersion, PackageFile
from portal.domain.decisions import services as decisions
from portal.domain.decisions.requests import ChangeRequest
from portal.domain.records import services as records
from portal.domain.records.services import new_reference
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from portal.platform.jobs import services as jobs
from portal.platform.permissions import (
    LEARNER,
    UNIT_ROLES,
    Permission,
    Role,
    permissions_by_role,
    whole_force_permissions,
)
from tests.domain.catalogue.folders import lesson, sample
from tests.domain.status.facts import make_record
from tests.factories.catalogue import make_guide, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.feature_sweeps import merge
from tests.pages.access.event_world import EVENT, RUN, make_event_world
from tests.pages.account.browsing import PASSWORD
from tests.pages.learning.asking import ask

# Elsewhere a lesson's.
KEYS = {"authoring": "protect", "guides": "whom-to-call", "events": "oic-hydra", "exercises": "hard"}
KEYS |= dict.fromkeys(("exercises.show_version", "exercises.download_version"), "night-shift")
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
        given = LEARNER.union(*(permissions_by_role()[r] for r in role))
        return given - whole_force_permissions() if role & UNIT_ROLES else given

    def sees(self, subject: str) -> bool:
        return subject == "own" or (subject == "seen" and self.viewer in SIGHT)


def make_world(viewer: str) -> World:
    version = make_version("protect", test_out=True)
    guide = make_guide("whom-to-call")
    ask("protect")
    here, elsewhere = make_unit("Here"), make_unit("Elsewhere")
    places = {"own": ("V1", here), "seen": ("SEEN", here), "unseen": ("UNSEEN", elsewhere)}
    world, asker, people = World(viewer), 0, []
    for name, (staff_number, unit) in places.items():
        manager = asker if (viewer, name) == (LINE_MANAGER, "seen") else None
        person = make_person(unit, staff_number=staff_number, manager=manager)
        asker = asker or person  # the viewer, who comes first
        world.subjects[name] = _subject(person, staff_number, version, asker)
        people.append(person)
        if name == "own":
            with transaction():
                accounts.set_password(person, PASSWORD, clock.now())
            if viewer in set(Role):
                make_grant(person, viewer, here if viewer in UNIT_ROLES else None)
        if name == "unseen":
            _open_drafts(version, guide, person)
    make_event_world(elsewhere, people)
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
        module = db.session.scalars(select(ModuleVersion)).one()
        registration_id = records.start_registration(person, module.activity_id, module.id, at)
        attempt = assessment.start_attempt(registration_id, at)
        job = jobs.start_job("reconcile", {}, by=person, at=at)
        return Subject(staff_number, attempt.id, reference, job, request)


def address_of(app: Flask, rule: Rule, subject: Subject) -> str:
    values = {
        "staff_number": subject.staff_number,
        "attempt_id": subject.attempt,
        "number": 1,
        "room_id": 1,
        "unit_id": 1,
        "month": "2026-04",
        "proposal_id": 1,
        "decision_id": 1,
        "syndicate": 1,
        "slug": "protect",
        "key": KEYS.get(rule.endpoint) or KEYS.get(rule.endpoint.split(".")[0], "lesson-1"),
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
        "booking": 1,
        "what": "door-sheets",
        "act": "approval",
        "edition": "answer",
        "period": "2026-04",
        "fingerprint": "0" * 64,
        "section_key": "share",  # of the force's plan
        "digest": "0" * 64,
        "judgement_id": 1,
        "kind": "link",  # of evidence; other kinds below
    }
    if rule.endpoint in {"decisions.ask_decision", "decisions.ask_for_several"}:
        values["kind"] = "exemption"
    if rule.endpoint.startswith("authoring."):
        values |= {"name": "first", "item": "one", "check": "try"}
    if rule.endpoint == "authoring.edit_guide":
        values["key"] = "_guides/whom-to-call"
    if rule.endpoint in {"monitoring.act_on_file", "packs.act_on_pack"}:
        values["what"] = "again"
    if rule.endpoint == "imports.choose_file":
        values["kind"] = "completions"
    by_endpoint = {
        "records.show_record": subject.reference,
        "records.download_certificate": subject.reference,
        "account.end_session": "unknown",
        "account.remove_factor": "unknown",
    }
    of_a_kind = {"events": EVENT, "exercises": RUN}.get(rule.endpoint.split(".")[0], "OIC-2026")
    values["reference"] = by_endpoint.get(rule.endpoint, of_a_kind)
    if rule.endpoint == "reminders.send_again" or rule.endpoint.startswith("saved_reports."):
        values["reference"] = UUID(int=0)
    for pages, named in merge("ADDRESSES").items():
        if rule.endpoint == pages or (pages.endswith(".") and rule.endpoint.startswith(pages)):
            values |= named
    if rule.endpoint.startswith("jobs."):
        values["reference"] = subject.job
    with app.test_request_context():
        return app.url_map.bind("127.0.0.1").build(
            rule.endpoint, {k: v for k, v in values.items() if k in rule.arguments}
        )
