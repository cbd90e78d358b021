"""Every page, for every role that reaches it: nothing in anyone's way, and it fits a phone."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from config import Config
from portal.access import permission_of
from portal.app import create_app
from portal.permissions import Permission
from tests.journeys.walking import (
    ask,
    hold_to_account,
    keys,
    pass_by_forms,
    reach_assessment,
    send,
    sign_in,
    token_in,
    visitor,
)
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NO_PAGES = {
    "catalogue.medium",
    "monitoring.completions_csv",
    "monitoring.completions_xlsx",
    "operations.healthz",
    "operations.readyz",
    "pages.brand",
    "static",
}
ELSEWHERE = {"home", "accounts.kept", "assessment.resume"}  # these only lead to other pages
OUTSIDE = {"accounts.sign_in", "accounts.sign_in_help", "accounts.set_password"}  # before one is signed in
REPORT = "/monitoring/directives/OIC-2026"
DIRECTIVE = {
    REPORT,
    f"{REPORT}?as_at=2026-04-30&status=late&q=a",
    f"{REPORT}?as_at=someday",
    f"{REPORT}?q=zzzz",
}
PEOPLE = {"/people", "/people?q=D2001", "/people?q=zzzz"}
PLAIN = {
    "accounts.own": {"/account"},
    "accounts.change_password": {"/account/password"},
    "catalogue.glossary": {"/glossary"},
    "catalogue.library": {"/modules"},
    "catalogue.sources": {"/sources"},
    "learning.home": {"/learning"},
    "monitoring.directive": DIRECTIVE,
    "monitoring.index": {"/monitoring"},
    "monitoring.search": PEOPLE,
    "monitoring.person": {"/people/D2001", "/people/D2001?as_at=2026-04-30", "/people/D2001?as_at=x"},
    "accounts.administer": {"/people/D2001/account", "/people/D9001/account"},
    "accounts.close": {"/people/D2001/account/close"},
    "pages.accessibility": {"/accessibility"},
    "pages.cookies": {"/cookies"},
    "pages.help": {"/help"},
    "pages.privacy": {"/privacy"},
    "records.records": {"/records"},
}
BRIEFLY = {"D4001", "D6001"}  # they see the desks as the administrator does: one page a route
ROLES = {
    "D1001": "learner",
    "D2001": "manager",
    "D4001": "directive owner",
    "D6001": "auditor",
    "D9001": "administrator",
}


@pytest.fixture(scope="module")
def routes(shared_server: Server) -> Flask:
    """The application's map, read without serving it."""
    return create_app(Config(mode="demo", secret_key="k" * 32, instance=shared_server.instance))


def fail_by_forms(tab: Tab, server: Server, slug: str) -> str:
    """An attempt that ends without a pass."""
    attempt = reach_assessment(tab.context, server.instance, slug)
    token = token_in(tab.context.request.get("/learning").text())
    for number, wanted in enumerate(keys(server.instance, attempt, right=False), start=1):
        send(tab.context, f"/assessment/{attempt}/items/{number}", token, choice=wanted)
    send(tab.context, f"/assessment/{attempt}/submission", token)
    return attempt


@pytest.fixture(scope="module")
def taken(browser: Browser, shared_server: Server) -> dict[str, set[str]]:
    """What a learner has under way, failed and passed: the pages that only its owner has."""
    instance = shared_server.instance
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D1001")
        passed = pass_by_forms(tab.context, instance, "protect").split("/")[-2]
        failed = fail_by_forms(tab, shared_server, "recognise")
        under_way = reach_assessment(tab.context, instance, "respond")
        query = (
            "SELECT r.reference FROM record r JOIN pass_record p ON p.record_id = r.id WHERE attempt_id = ?"
        )
        ((reference,),) = ask(instance, query, UUID(passed).hex)
    lessons = ask(
        instance,
        "SELECT a.key, l.key FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
        " JOIN activity a ON a.id = v.activity_id",
    )
    slugs = sorted({slug for slug, _ in lessons})
    assert len(slugs) == 4
    return {
        "learning.module": {f"/learning/modules/{slug}" for slug in slugs},
        "learning.job_aid": {f"/learning/modules/{slug}/job-aid" for slug in slugs},
        "learning.lesson": {f"/learning/modules/{slug}/lessons/{key}" for slug, key in lessons},
        "learning.outcome": {f"/assessment/{attempt}/outcome" for attempt in (passed, failed)},
        "assessment.answers": {f"/assessment/{attempt}/answers" for attempt in (passed, failed)},
        "assessment.check": {f"/assessment/{under_way}/check"},
        "assessment.item": {f"/assessment/{under_way}/items/{number}" for number in (1, 7, 12)},
        "records.record": {f"/records/{reference}"},
    }


def reached(routes: Flask, pages: dict[str, set[str]]) -> Iterator[tuple[str, Permission | None, set[str]]]:
    """Every page the map names; fails for a route that nobody has placed."""
    for rule in routes.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint in NO_PAGES | ELSEWHERE | OUTSIDE:
            continue
        yield rule.endpoint, permission_of(routes.view_functions[rule.endpoint]), pages[rule.endpoint]


def hold_at_both_widths(tab: Tab, *, narrow_only: bool = False) -> None:
    for width in (320,) if narrow_only else (1280, 320):
        tab.set_viewport_size({"width": width, "height": 900})
        hold_to_account(tab)


@pytest.mark.parametrize("person", ROLES)
def test_every_page_of_a_role(
    browser: Browser, shared_server: Server, routes: Flask, taken: dict[str, set[str]], person: str
) -> None:
    """Pages that are alike for all are held for the learner; a role's own, for each role."""
    met: list[str] = []
    with visitor(browser, shared_server) as tab:
        sign_in(tab, person)
        for endpoint, permission, paths in reached(routes, {**PLAIN, **taken}):
            desk = permission not in {None, Permission.LEARN, Permission.ATTEMPT_TAKE, Permission.RECORD_VIEW}
            home = endpoint in {"learning.home", "records.records", "records.record"}
            shown = sorted(paths) if desk or home or person == "D1001" else []
            for path in shown[:1] if person in BRIEFLY else shown:
                answer = tab.goto(path)
                assert answer is not None
                assert answer.status in {200, 400, 403, 404}, f"{path}: {answer.status}"
                if answer.status in {200, 400}:
                    alike = endpoint == "learning.lesson" and endpoint in met
                    met.append(endpoint)
                    hold_at_both_widths(tab, narrow_only=alike)
    assert "accounts.own" in met
    assert ("monitoring.directive" in met) is (person != "D1001")
    assert ("accounts.administer" in met) is (person == "D9001")
    assert ("assessment.item" in met) is (person == "D1001")


def test_every_page_before_signing_in(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        for path in ("/sign-in", "/sign-in/help", "/set-password/spent", "/nothing-here", "/help"):
            tab.goto(path)
            hold_at_both_widths(tab)
        tab.goto("/sign-in")
        tab.click("main button:text-is('Sign in')")
        assert tab.title().startswith("Error: ")
        hold_at_both_widths(tab)


def test_refusals_are_whole_pages_too(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D1001")
        for path, status in (("/monitoring", 403), ("/people/D2001", 403), ("/records/OIC-0000-0000-0", 404)):
            answer = tab.goto(path)
            assert answer is not None
            assert answer.status == status
            hold_at_both_widths(tab)


def test_a_cold_lesson_is_light(browser: Browser, shared_server: Server) -> None:
    lessons = ask(
        shared_server.instance,
        "SELECT '/learning/modules/' || a.key || '/lessons/' || l.key FROM lesson l"
        " JOIN module_version v ON v.id = l.module_version_id JOIN activity a ON a.id = v.activity_id"
        " WHERE l.html LIKE '%/media/%' OR l.position = 1",
    )
    assert len(lessons) >= 4
    for (path,) in lessons[:4]:
        with visitor(browser, shared_server, 320) as signing, visitor(browser, shared_server, 320) as tab:
            sign_in(signing, "D4001")
            kept: Any = signing.context.cookies()
            tab.context.add_cookies(kept)
            asked, figures = weigh(tab, path)
            assert sum(asked.values()) <= 50 * 1024, (path, asked)
            assert len(asked) <= 6, (path, asked, figures)
            assert len(asked) >= 3


def weigh(tab: Tab, path: str) -> tuple[dict[str, int], dict[str, int]]:
    """The bytes on the line of a page's own requests, and of its figures, by address."""
    names: dict[str, str] = {}
    sizes: dict[str, int] = {}
    line = tab.context.new_cdp_session(tab)
    line.send("Network.enable")
    line.on("Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]}))
    line.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: int(e["encodedDataLength"])}))
    tab.goto(path, wait_until="networkidle")
    asked = {names[key]: size for key, size in sizes.items()}
    figures = {url: size for url, size in asked.items() if re.search(r"/media/", url)}
    return {url: size for url, size in asked.items() if url not in figures}, figures
