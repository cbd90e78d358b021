"""Every link of every kind of mail, followed by whoever gets it: it opens, and shows what the mail said."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import insert

from portal.domain.accounts import factors, grants, identities, services
from portal.domain.accounts.models import ProviderIdentity
from portal.domain.accounts.queries import get_account_state
from portal.domain.directives.models import Directive
from portal.domain.reminders import queries
from portal.domain.reminders import services as reminders
from portal.domain.reminders.models import MessageKind, ReminderRule
from portal.domain.reminders.notice_texts import ALERT_TEXTS, BATCH, CHANGED, NEW_ADMINISTRATOR, list_wordings
from portal.domain.reminders.rules import ReminderReason, SendWindow
from portal.domain.reminders.sending import WRITERS
from portal.feature import list_features
from portal.platform import clock
from portal.platform.audit import ANNOUNCED_TO_OWNER, log
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import add_codes
from tests.domain.imports.rosters import run
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.domain.status.facts import add, make_record, make_version
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, another, let_in
from tests.pages.monitoring.world import World, make_world

NOON = datetime(2026, 5, 21, 11, tzinfo=UTC)  # 21 days after the due date of the world
OWNER, ADMINISTRATOR, UNITS = "owner", "administrator", "administrator of a unit"
SOON = date(2026, 5, 27)  # the due date of a directive of its own


@dataclass
class Scene:
    """The force, a relay, and what was promised to whom at which page."""

    app: Flask
    office: Office
    world: World
    promises: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # by receiver and path

    def person(self, number: str) -> int:
        return self.world.people[number]

    def set_rule(self, directive: int, **days: object) -> None:
        rule = {"notice_days": [], "overdue_every": 0, "escalate_after": 0, "ending_days": [], **days}
        with transaction():
            db.session.execute(insert(ReminderRule).values(directive_id=directive, **rule))

    def plan(self) -> None:
        assert run(self.app, "reminders", "plan").exit_code == 0

    def promise(self, number: str, path: str, *said: str) -> None:
        self.promises.setdefault(number, {}).setdefault(path, []).extend(said)


@pytest.fixture
def scene(app: Flask, database: None) -> Iterator[Scene]:
    world = make_world()
    for number, role, unit in (
        ("D4001", "directive-owner", None),
        ("D9001", "administrator", None),
        ("D9002", "administrator", None),
        ("D9003", "administrator", "local"),
    ):
        world.person(number, "force", surname=f"Name {number}", role="training")
        make_grant(world.people[number], role, world.units[unit] if unit else None)
    with time_machine.travel(NOON, tick=False), set_office(app) as office:
        yield Scene(app, office, world)


def overdue(scene: Scene) -> None:
    scene.set_rule(scene.world.directive, overdue_every=20)
    scene.plan()
    scene.promise("D1001", "/learning", "A directive", "30 April 2026")


def notice(scene: Scene) -> None:
    directive = add(Directive(reference="SOON/1"))
    make_version(directive, scene.world.activities, due_fixed_on=SOON, effective_on=date(2026, 1, 1))
    scene.set_rule(scene.world.directive)
    scene.set_rule(directive, notice_days=[6])
    scene.plan()
    scene.promise("D1001", "/learning", "27 May 2026")


def ending(scene: Scene) -> None:
    directive = add(Directive(reference="YEARLY"))
    for activity in scene.world.activities.values():
        make_record(scene.person("D1001"), activity, date(2025, 6, 20))
    rules = {"validity_months": 12, "due_fixed_on": date(2025, 12, 1)}
    make_version(directive, scene.world.activities, effective_on=date(2025, 1, 1), **rules)
    scene.set_rule(scene.world.directive)
    scene.set_rule(directive, ending_days=[30])
    scene.plan()
    scene.promise("D1001", "/learning", "20 June 2026")


def escalation(scene: Scene) -> None:
    """To a manager by grant, to one of a unit, and to one by the roster alone."""
    make_grant(scene.person("D2003"), "manager", scene.world.units["local"])
    scene.world.person("N9", "north", "D2003", surname="Managed")
    scene.world.person("B1", "south", surname="Boss", role="supervision")
    scene.world.person("N8", "south", "B1", surname="Reports")
    before = scene.app.config["PORTAL"]
    scene.app.config["PORTAL"] = replace(before, line_manager_sight="on")  # put back with the relay
    scene.set_rule(scene.world.directive, escalate_after=21, overdue_every=7)
    scene.plan()
    report = "/monitoring/directives/OIC-2026?status=late"
    for manager, name in (("D2001", "Shah, Priya"), ("D2003", "Managed"), ("B1", "Reports")):
        scene.promise(manager, report, name)


def nudge(scene: Scene) -> None:
    scene.set_rule(scene.world.directive)
    about = queries.directive_named("OIC-2026", clock.today())
    with transaction():
        by = scene.person("D2001")
        reminders.queue_nudge(scene.person("D1001"), about, by=by, at=clock.now(), hours=SendWindow())
    scene.promise("D1001", "/learning", "A directive", "30 April 2026")


REMINDERS: dict[ReminderReason, Callable[[Scene], None]] = {
    ReminderReason.NOTICE: notice,
    ReminderReason.OVERDUE: overdue,
    ReminderReason.ENDING: ending,
    ReminderReason.ESCALATION: escalation,
    ReminderReason.NUDGE: nudge,
}


@dataclass(frozen=True)
class Told:
    """An act on D1001's account, and what the pages show of it afterwards."""

    act: Callable[[Scene, int | None], object]
    before: Callable[[Scene, int | None], object] | None
    shown: tuple[str, ...]  # to administrators, where the mail leads them
    own: tuple[str, ...]  # at /account; nobody signs in to a closed one
    page: str
    trail: str  # what the audit trail says of it


def grant(until: date | None = None, role: Role = Role.AUDITOR) -> Callable[[Scene, int | None], object]:
    more = {"until": until} if until else {}
    return lambda scene, by: grants.grant_role(
        scene.person("D1001"), role, unit_id=None, by=by, at=clock.now(), **more
    )


TRAIL = "/audit?since=2026-05-21&until=2026-05-21&group=accounts"
GRANTS, ACCOUNT = "/grants?q=D1001&state=all", "/people/D1001/account"
NOTICES = {
    "role.granted": Told(
        grant(),
        None,
        ("Auditor", "Whole force", "21 May 2026"),
        ("Auditor",),
        GRANTS,
        "Gave the role Auditor",
    ),
    NEW_ADMINISTRATOR: Told(
        grant(role=Role.ADMINISTRATOR),
        None,
        ("Administrator", "Whole force"),
        ("Administrator",),
        GRANTS,
        "Gave the role Administrator",
    ),
    CHANGED: Told(
        grant(date(2027, 3, 31)),
        grant(),
        ("31 March 2027",),
        ("Auditor",),
        GRANTS,
        "Gave the role Auditor, until 31 March 2027",
    ),
    "role.revoked": Told(
        lambda scene, by: grants.revoke_role(
            scene.person("D1001"), Role.AUDITOR, unit_id=None, by=by, at=clock.now()
        ),
        grant(),
        ("Auditor", "Ended"),
        ("Your account",),
        GRANTS,
        "Ended the role Auditor",
    ),
    "account.invited": Told(
        lambda scene, by: services.create_password_link(scene.person("D1001"), by=by, at=clock.now()),
        None,
        ("A link made at 12:00 on 21 May 2026",),
        ("Your account",),
        ACCOUNT,
        "Made a link to set a password",
    ),
    "account.closed": Told(
        lambda scene, by: services.close_account(scene.person("D1001"), by=by, at=clock.now()),
        None,
        ("Closed at 12:00 on 21 May 2026",),
        (),
        ACCOUNT,
        "Closed the account",
    ),
    "account.opened": Told(
        lambda scene, by: services.reopen_account(scene.person("D1001"), by=by),
        lambda scene, by: services.close_account(scene.person("D1001"), by=by, at=clock.now()),
        ("Open. Password set",),
        ("Your account",),
        ACCOUNT,
        "Opened the account again",
    ),
    "account.identity_removed": Told(
        lambda scene, by: identities.remove_identity(scene.person("D1001"), "", by=by, at=clock.now()),
        lambda scene, by: db.session.add(
            ProviderIdentity(
                person_id=scene.person("D1001"),
                issuer="",
                subject="jo",
                claim_value="D1001",
                bound_at=clock.now(),
                last_used_at=clock.now(),
            )
        ),
        ("Open. Password set",),
        ("Your account",),
        ACCOUNT,
        "Removed the link to the force account",
    ),
    "account.factors_reset": Told(
        lambda scene, by: factors.reset_factors(scene.person("D1001"), by=by, at=clock.now()),
        lambda scene, by: add_codes(scene.person("D1001")),
        ("None yet.",),
        ("Your account",),
        ACCOUNT,
        "Reset the second factor",
    ),
    **{
        kind: Told(
            lambda scene, by, kind=kind: log(kind, actor_id=by, subject_id=scene.person("D1001")),
            None,
            (),
            ("Passkeys, one-time codes and recovery codes",),
            ACCOUNT,
            "",
        )
        for kind in ANNOUNCED_TO_OWNER
    },
}


# Mails with a link to set a password, and those about a batch or a token, have tests in tests/pages.
ELSEWHERE = {BATCH, "token.created", "token.revoked"} | {
    kind for kind in list_wordings() if kind.startswith("webhook.")
}


def test_every_kind_of_mail_has_its_case() -> None:
    elsewhere = {
        MessageKind.INVITATION,
        MessageKind.RESET,
        MessageKind.REVIEW,
    }  # have tests of their own
    of_features = {MessageKind(mail.kind) for feature in list_features() for mail in feature.mails}
    assert (
        WRITERS.keys()
        == set(MessageKind) - of_features
        == {MessageKind.REMINDER, MessageKind.NOTICE} | elsewhere
    )
    assert REMINDERS.keys() == set(ReminderReason)
    assert (
        NOTICES.keys() | ELSEWHERE | ALERT_TEXTS.keys() == list_wordings().keys()
    )  # tests/domain/audit_desk has alerts


@pytest.mark.slow
@pytest.mark.parametrize("reason", list(ReminderReason))
def test_the_links_of_a_reminder_open_and_show_what_it_says(scene: Scene, reason: ReminderReason) -> None:
    REMINDERS[reason](scene)

    follow(scene)


@pytest.mark.parametrize("by", ["D9001", None])
@pytest.mark.parametrize("kind", sorted(NOTICES))
def test_the_links_of_a_notice_open_and_show_what_it_says(scene: Scene, kind: str, by: str | None) -> None:
    case, actor = NOTICES[kind], scene.person(by) if by else None
    with transaction():
        services.set_password(scene.person("D1001"), PASSWORD, clock.now())
    if case.before:
        with transaction():
            case.before(scene, actor)
            db.session.info.pop("acts", None)  # of what came before nobody is told here
    with time_machine.travel(NOON, tick=False), transaction():
        case.act(scene, actor)
    if case.own:
        scene.promise("D1001", "/account", *case.own)
    scene.promise("D1001", "/sign-in/help", scene.app.config["PORTAL"].sign_in_help)
    for number in ("D9001", "D9002", "D9003"):
        if number != by and kind not in ANNOUNCED_TO_OWNER:
            scene.promise(number, case.page, *case.shown)
            scene.promise(number, f"{TRAIL}&about=D1001", case.trail)

    follow(scene)


@pytest.mark.slow
def test_many_at_once_lead_to_all_grants(scene: Scene) -> None:
    wanted = [grants.NewGrant(scene.person(number), Role.AUDITOR, None) for number in ("D1001", "N1", "N2")]
    with transaction():
        grants.give_grants(wanted, by=scene.person("D9001"), at=clock.now())
    for number in ("D9002", "D9003"):
        scene.promise(number, "/grants?state=all&sort=-given", "Shah, Priya", "Brennan", "Castell")
        scene.promise(number, TRAIL, "Gave the role Auditor", "N1", "N2")

    follow(scene)


def follow(scene: Scene) -> None:
    """Send what waits; each receiver opens each link of it, signed in with their own account."""
    assert run(scene.app, "reminders", "send").exit_code == 0
    by_number = {f"{number.lower()}@westshire.example": number for number in scene.world.people}
    found: dict[str, set[str]] = {}
    for to, mail in scene.office.taken:
        paths = links(mail, scene.app.config["PORTAL"].address)
        assert paths, f"{to} gets a mail without a link"
        found.setdefault(by_number[to], set()).update(paths)
    for number, pages in scene.promises.items():
        assert set(pages) == found[number], f"{number} is led to {found[number]}"
    for number, paths in found.items():
        browser = browser_of(scene, number, needed=any(not is_public(path) for path in paths))
        for path in paths:
            page = browser.page(path)
            for said in scene.promises.get(number, {}).get(path, []):
                assert said in page.text, f"{number} at {path}: {said}"


def is_public(path: str) -> bool:
    return path == "/sign-in/help"


def browser_of(scene: Scene, number: str, *, needed: bool) -> PortalClient:
    browser = another(scene.app)
    if needed and not get_account_state(scene.person(number), clock.now()).has_password:
        with transaction():  # not of one who has one: it would spend the link of which the mail tells
            services.set_password(scene.person(number), PASSWORD, clock.now())
    if needed:
        let_in(browser, number)
    return browser


def links(mail: EmailMessage, address: str) -> set[str]:
    """The paths that the mail leads to; its text and its HTML lead to the same."""
    found = []
    for kind, pattern in (("plain", r"https?://\S+"), ("html", r'href="([^"]+)"')):
        body = mail.get_body((kind,))
        assert body is not None
        targets = [one.replace("&amp;", "&") for one in re.findall(pattern, body.get_content())]
        assert all(one.startswith(f"{address}/") for one in targets), targets
        parts = [urlsplit(one) for one in targets]
        found.append({one.path + (f"?{one.query}" if one.query else "") for one in parts})
    assert found[0] == found[1]
    return found[0]
