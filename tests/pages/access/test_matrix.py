"""Every role × every route × own, seen and unseen person, enumerated from the URL map.

A new route fails here until ``ROUTES`` states whose data it shows.
"""

import re
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.features.exercises.feature import RUN
from portal.pages.layout.access import permission_of, scopes_of
from portal.platform.permissions import Permission
from tests.feature_sweeps import union_of
from tests.page_reading import read_words
from tests.pages.access.event_routes import NAME_WHO_HAS_A_PLACE, OF_WHO_RUNS
from tests.pages.access.routes import ROUTES
from tests.pages.access.shown import ATTEMPT, JOB, PERSON, RECORD, SYSTEM
from tests.pages.access.world import SIGHT, VIEWERS, World, address_of, make_world
from tests.pages.account.browsing import another, let_in

# Of these there is none for anyone in this world: not found is as good as reached.
MAY_BE_UNKNOWN = {
    "imports.list_unnamed_roles",  # of the whole force's roster
    "assurance.report_action",  # of whoever owns it: tests/pages/assurance/test_entries.py
    "events.show_correction",  # nobody was signed off; tests/features/events/test_sign_off.py
    "events.correct_attendance",
    "exercises.take_control_step",  # sent without saying which step
    "exercises.take_action_back",  # nobody wrote one down
    "dip_samples.show_sample",  # of another's unit: tests/pages/dip_samples has who may
    "dip_samples.withdraw_counts",
    "events.accept_own_place",  # tests/features/events/test_booking.py
    "events.decide_booking",
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
    "exercises.publish_proposal",  # nobody proposed one: tests/features/exercises/test_versions.py
    "exercises.send_medium",
    "exercises.send_proposal_back",
    "exercises.show_proposal",
    "exercises.show_proposed_medium",
    "exercises.withdraw_proposal",
    "imports.apply_import",
    "monitoring.show_file",
    "monitoring.act_on_file",
    "monitoring.download_file",
    "packs.show_pack_file",  # nobody asked for one here; tests/pages/assurance/test_packs.py has who may
    "packs.download_pack",
    "packs.act_on_pack",
    "reminders.send_again",
    "saved_reports.choose_emails",  # nobody saved one here; tests/features/saved_reports has who may
    "saved_reports.delete_report",
    "saved_reports.end_share",
    "saved_reports.manage_report",
    "saved_reports.open_report",
    "saved_reports.save_report",  # it needs a report in its address
    "saved_reports.schedule_report",
    "saved_reports.share_report",
    "saved_reports.show_emails",
    "saved_reports.stop_schedule",
    "events.show_proposal",  # nobody proposed one here; tests/features/events/test_type_pages.py has who may
    "events.publish_type",
    "events.send_type_back",
    "events.withdraw_type",
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
    "imports.download_example",  # it has a name of its own; tests/domain/imports/test_formats.py reads each
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
    "scim_groups.map_group",
    "tokens.revoke_token",
    "people.end_person_session",
    "people.remove_identity",
    # Without a provider; with one, see tests/pages/sign_in.
    "people.show_identities",
    "saml.begin_saml",
    "sign_in.begin_sign_in",
    "saml.describe_saml",
    "sign_in.end_by_provider",
    "saml.finish_saml",
    "sign_in.finish_sign_in",
    "sign_in.leave_provider",
    "saml.receive_assertion",
} | union_of("MAY_BE_UNKNOWN")

# What is done to the whole force, by a role that ends at no unit alone: in this world every role ends at one.
OF_THE_FORCE = {"jobs.start_job", "reminders.edit_rules"}


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
    if whose in {ATTEMPT, JOB} and subject != "own":  # the administrator here is a unit's; jobs the force's
        return {404}
    if endpoint in OF_WHO_RUNS and RUN not in world.permissions:
        return {403, 404}
    if endpoint in OF_THE_FORCE:
        return {403}
    return set()


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
        if (method, subject) == ("GET", "own") and rule.endpoint not in NAME_WHO_HAS_A_PLACE:
            leaks += [f"{address}: {name}" for name in hidden.findall(read_words(answer.get_data()))]

    assert (wrong, leaks) == ([], [])
