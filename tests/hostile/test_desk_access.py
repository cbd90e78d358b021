"""Who reaches the desk, returns and dip samples with addresses written by hand, and what stays as it was."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update

from portal.domain.directives.models import Directive
from portal.domain.people.models import RoleGrant
from portal.domain.reports.parameters import read_position_today
from portal.features.assurance import evidence
from portal.features.assurance.desk import EvidenceState, read_recommendation
from portal.features.assurance.evidence import check_evidence
from portal.features.assurance.models import Evidence, Judgement
from portal.features.dip_samples.models import DipSample
from portal.features.returns.models import ForceReturn, ReturnPeriod
from portal.pages.layout.access import permission_of
from portal.platform.audit import AuditEvent
from portal.platform.clock import london_day
from portal.platform.db import db, transaction
from portal.platform.permissions import Permission, Role
from tests.domain.status.facts import make_activity, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.features.assurance.evidence.test_checks import make_required
from tests.features.assurance.factories import make_evidence, make_recommendation
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in, make_account

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ROOMS = {"assurance", "dip_samples", "force_plan", "packs", "returns"}
OPEN = {Permission.ACCOUNT_OWN, None}  # one's own, and the published schemas
VALUES = {
    "key": "e-learning",
    "reference": "A-0001",
    "kind": "link",
    "digest": "0" * 64,
    "decision_id": 1,
    "judgement_id": 1,
    "proposal_id": 1,
    "section_key": "custody",
    "edition": "foi",
    "uuid": uuid4(),
    "what": "again",
    "month": "2026-05",
    "period": "2026-05",
    "number": 1,
    "fingerprint": "0" * 64,
}
WRITTEN = (Evidence, Judgement, DipSample, ForceReturn, ReturnPeriod)


@pytest.fixture(autouse=True)
def clock_stands() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def list_addresses(app: Flask, unit: int) -> list[tuple[str, str, Permission | None]]:
    """Method, path and permission of every route of the three rooms."""
    adapter, found = app.url_map.bind("127.0.0.1"), []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in ROOMS:
            values = {name: {**VALUES, "unit_id": unit}[name] for name in rule.arguments}
            needed = permission_of(app.view_functions[rule.endpoint])
            for method in sorted({"GET", "POST"} & (rule.methods or set())):
                found.append((method, adapter.build(rule.endpoint, values, method=method), needed))
    assert len(found) > 70
    return found


def enter(app: Flask, number: str) -> tuple[PortalClient, str]:
    """A browser of a person, with the token of its forms."""
    browser = another(app)
    let_in(browser, number)
    return browser, browser.page("/account").form_with("Sign out").fields["csrf_token"][0]


def read(browser: PortalClient, method: str, path: str, token: str = "") -> int:
    sent = {"data": {"csrf_token": token}} if method == "POST" else {}
    return browser.open(path, method=method, **sent).status_code


def count_written() -> int:
    return sum(db.session.scalar(select(func.count()).select_from(table)) or 0 for table in WRITTEN)


@pytest.mark.slow
@pytest.mark.parametrize("role", [None, Role.MANAGER, "unit", Role.AUTHOR])
def test_nobody_reaches_more_than_their_role_gives(app: Flask, role: Role | str | None) -> None:
    make_recommendation()
    unit, person = make_unit("South"), make_account("D1001")
    if role is not None:
        make_grant(person, Role.DIRECTIVE_OWNER if role == "unit" else role, unit if role == "unit" else None)
    browser, token = enter(app, "D1001")
    samples = role in (Role.MANAGER, "unit")
    for method, path, needed in list_addresses(app, unit):
        status = read(browser, method, path, token)
        if needed in OPEN:
            assert status < 500, path
        elif not (samples and path.startswith("/dip-samples")):
            assert status in (403, 404), (method, path, status)
    assert count_written() == 0


@pytest.mark.slow
def test_every_form_wants_its_token_and_nobody_unknown_reads(app: Flask) -> None:
    make_recommendation()
    unit = make_unit("South")
    make_grant(make_account("D4001"), Role.DIRECTIVE_OWNER)
    browser, _ = enter(app, "D4001")
    stranger = another(app)
    for method, path, needed in list_addresses(app, unit):
        if method == "POST":
            assert read(browser, "POST", path, "x") == 400, path
        if needed is not None:
            assert read(stranger, method, path) in (302, 303, 400, 401), path
    assert count_written() == 0


def test_where_nobody_coordinates_no_page_of_the_coordinating_unit_is_there(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_grant(make_account("D4001"), Role.DIRECTIVE_OWNER)
    browser, token = enter(app, "D4001")
    config = app.config["PORTAL"]
    off = replace(config, returns=replace(config.returns, coordinator="off"))
    monkeypatch.setitem(app.config, "PORTAL", off)
    tried = 0
    for method, path, _ in list_addresses(app, 1):
        if path.startswith(("/returns/forces", "/returns/national", "/returns/periods", "/returns/received")):
            assert read(browser, method, path, token) == 404, path
            tried += 1
    assert tried > 15
    assert read(browser, "GET", "/returns/comparison.json") == 404
    assert count_written() == 0


def test_who_lost_the_role_between_form_and_answer_changes_nothing(app: Flask) -> None:
    make_recommendation()
    person, unit = make_account("D4001"), make_unit("South")
    make_grant(person, Role.DIRECTIVE_OWNER)
    make_grant(person, Role.MANAGER, unit)
    browser, _ = enter(app, "D4001")
    judgement = browser.page("/assurance/e-learning/judgement/new")
    counts = browser.page("/dip-samples/record")
    with transaction():
        ended = update(RoleGrant).where(RoleGrant.person_id == person)
        db.session.execute(ended.values(ended_at=NOW))
    for page, button in ((judgement, "Send to a second person"), (counts, "Save the counts")):
        form = page.form_with(button)
        assert browser.post(page.path, data={**form.fields, "state": "not_met"}).status_code == 403
    assert count_written() == 0


def test_a_frozen_figure_stays_when_its_directive_has_a_new_version(app: Flask) -> None:
    reference, _ = make_required()
    author = make_person()
    definition = {"directive": reference, "requirement": "", "threshold": "0.5"}
    made = make_recommendation()
    make_evidence(made, "figure", definition, by=author)
    with transaction():
        today = london_day(NOW)
        evidence.make_judgement("e-learning", "met", "It is so.", from_on=today, at=NOW, by=author)

    def frozen() -> EvidenceState:
        return EvidenceState.from_json(db.session.scalars(select(Judgement)).one().figures[0])

    before = frozen()
    directive = db.session.scalars(select(Directive.id).where(Directive.reference == reference)).one()
    make_version(directive, {1: make_activity()}, number=2, effective_on=date(2026, 1, 1))
    after = read_position_today(NOW)
    shown = check_evidence(read_recommendation("e-learning", after).evidence, after)["E-0001"]
    assert (before.reached, before.total) == (2, 4)
    assert shown.shown != before.shown
    assert frozen() == before


def test_downloads_of_the_national_view_are_recorded(app: Flask) -> None:
    make_grant(make_account("D4001"), Role.DIRECTIVE_OWNER)
    browser, _ = enter(app, "D4001")
    for form in ("csv", "xlsx", "json"):
        assert browser.get(f"/returns/national.{form}").status_code == 200
    rows = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "national_view.exported"))
    assert [row.detail["format"] for row in rows] == ["csv", "xlsx", "json"]
