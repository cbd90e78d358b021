"""Every page, for every role: nothing in anyone's way, and it fits a phone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, ViewportSize
from playwright.sync_api import Page as Tab

from config import Config
from portal.pages.layout.access import permission_of, scopes_of
from portal.platform.permissions import Permission, permissions_of
from tests.databases import portal_on
from tests.examples import few_or_many
from tests.journeys import makings, places
from tests.journeys.checking import check_page
from tests.journeys.left_out import ELSEWHERE, NO_PAGES
from tests.journeys.places import PLACES, ROLES
from tests.journeys.walking import ask, hold_to_account, press, sign_in, visitor
from tests.running import Server, command, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NARROW: ViewportSize = {"width": 320, "height": 900}
ALIKE = permissions_of(
    frozenset(), has_post=True
)  # what everybody may do: their pages differ by navigation alone


@pytest.fixture(scope="module")
def routes(shared_server: Server) -> Iterator[Flask]:
    """The application's map, read without serving it."""
    with portal_on(Config(mode="demo", secret_key="k" * 32, instance=shared_server.instance)) as app:
        yield app


@pytest.fixture(scope="module")
def made(browser: Browser, shared_server: Server) -> dict[str, str]:
    """What addresses of pages name."""
    return makings.made(browser, shared_server)


def pages(routes: Flask) -> dict[str, Permission | None]:
    """Every page that the map names once one is signed in, with its permission; none for other systems."""
    other = NO_PAGES | ELSEWHERE | set(places.BEFORE_SIGNING_IN)
    return {
        rule.endpoint: permission_of(routes.view_functions[rule.endpoint])
        for rule in routes.url_map.iter_rules()
        if "GET" in (rule.methods or set())
        and rule.endpoint not in other
        and not scopes_of(routes.view_functions[rule.endpoint])
    }


def hold_at_both_widths(tab: Tab) -> None:
    """The checker reads the content at the narrow width; at the wide one in sweeps, as journeys do."""
    tab.set_viewport_size({"width": 1280, "height": 900})
    hold_to_account(tab, content_too=bool(few_or_many(0, 1)))
    tab.set_viewport_size(NARROW)
    hold_to_account(tab)


def meet(tab: Tab, path: str, *, narrow_only: bool) -> int:
    """Open the page, hold it to account whatever it answers, and say what that was."""
    answer = tab.goto(path)
    assert answer is not None
    if narrow_only or answer.status in {403, 404}:
        tab.set_viewport_size(NARROW)
        hold_to_account(tab)
    else:
        hold_at_both_widths(tab)
    return answer.status


def meet_after_its_owner(tab: Tab, path: str, *, alike: bool) -> int:
    """Open a page whose owner is held to all of it: here it has to fit, with what is around it.

    Where others see another page than its owner, the checker runs at the narrow width for it, too.
    """
    answer = tab.goto(path)
    assert answer is not None
    if not alike:
        tab.set_viewport_size({"width": 1280, "height": 900})
        hold_to_account(tab, content_too=False)
    tab.set_viewport_size(NARROW)
    hold_to_account(tab, content_too=not alike)
    return answer.status


def refused(tab: Tab, paths: list[str]) -> None:
    """Every one of these is refused by the same page; it is opened once, the others are only asked for."""
    assert meet(tab, paths[0], narrow_only=True) == 403, paths[0]
    heading = tab.inner_text("h1")
    for path in paths[1:]:
        answer = tab.context.request.get(path, max_redirects=0)
        assert answer.status == 403, path
        assert re.search(rf">\s*{re.escape(heading)}\s*</h1>", answer.text()), path


def test_every_page_has_its_place(routes: Flask) -> None:
    assert set(pages(routes)) == set(PLACES)
    assert set(PLACES) >= places.OF_SOMEONE
    assert {place.owner for place in PLACES.values()} <= set(ROLES)


OWNERS = sorted({place.owner for place in PLACES.values()})


@pytest.mark.sweep
@pytest.mark.parametrize("owner", OWNERS)
def test_every_page_in_its_densest_state(
    browser: Browser, shared_server: Server, routes: Flask, made: dict[str, str], owner: str
) -> None:
    """Each page is held at both widths for the role that sees most of it, at the address that shows most."""
    with visitor(browser, shared_server) as tab:
        sign_in(tab, owner)
        for endpoint in pages(routes):
            if PLACES[endpoint].owner == owner:
                path = densest(tab, [path.format(**made) for path in PLACES[endpoint].paths])
                assert meet(tab, path, narrow_only=False) == status_of(path), path


def status_of(path: str) -> int:
    """What a page answers its owner at this address."""
    return 400 if path.endswith(("=someday", "=x")) else 200


def densest(tab: Tab, paths: list[str]) -> str:
    """The address whose page is longest; the others are asked for without being shown."""
    lengths = {}
    for path in paths if len(paths) > 1 else ():
        answer = tab.context.request.get(path)
        assert answer.status == status_of(path), path
        lengths[path] = len(answer.body())
    return max(lengths, key=lengths.__getitem__, default=paths[0])


def meet_all(tab: Tab, paths: list[str]) -> None:
    for path in paths:
        assert meet(tab, path, narrow_only=False) == status_of(path), path


@pytest.mark.sweep
@pytest.mark.parametrize("person", ROLES)
def test_every_page_of_a_role(
    browser: Browser, shared_server: Server, routes: Flask, made: dict[str, str], person: str
) -> None:
    """Each page is held for each role: all its addresses for its owner, the first for the others."""
    allowed = permissions_of(ROLES[person], has_post=True)
    closed = []
    with visitor(browser, shared_server) as tab:
        sign_in(tab, person)
        for endpoint, permission in pages(routes).items():
            place, may = PLACES[endpoint], permission is None or permission in allowed
            paths = [path.format(**made) for path in place.paths]
            if place.owner == person:
                meet_all(tab, paths)
            elif may:
                alike = permission is None or permission in ALIKE
                status = meet_after_its_owner(tab, paths[0], alike=alike)
                assert status in ({200, 404} if endpoint in places.OF_SOMEONE else {200}), paths[0]
            else:
                closed.append(paths[0])
        refused(tab, closed)


def test_a_page_of_another_role_is_refused_in_a_page(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, places.LEARNER)
        refused(tab, ["/monitoring", "/authoring", "/directives"])


@pytest.mark.sweep
def test_the_longest_lesson_of_each_module(browser: Browser, shared_server: Server) -> None:
    """At the narrow width, where lessons differ: their figures have a drawing of their own there."""
    longest = makings.longest_lessons(shared_server)
    assert len(longest) == 4
    with visitor(browser, shared_server) as tab:
        sign_in(tab, places.MANAGER)
        for path in longest:
            assert meet(tab, path, narrow_only=True) == 200


@pytest.mark.sweep
def test_every_lesson(browser: Browser, shared_server: Server) -> None:
    every = makings.lessons(shared_server)
    assert len({path.split("/lessons/")[0] for path in every}) == 4
    with visitor(browser, shared_server) as tab:
        sign_in(tab, places.MANAGER)
        for path in every:
            assert meet(tab, path, narrow_only=True) == 200


@pytest.mark.sweep
def test_what_is_not_there_is_a_whole_page_too(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, places.MANAGER)
        for path in ("/records/OIC-0000-0000-0", "/people/D9999", "/monitoring/directives/none", "/nowhere"):
            assert meet(tab, path, narrow_only=True) == 404, path


def test_every_page_before_signing_in(browser: Browser, shared_server: Server) -> None:
    invited = command(settings(shared_server.instance, shared_server.port), "accounts", "invite", "D5001")
    link = invited.stdout.strip().rsplit("/", 1)[-1]
    with visitor(browser, shared_server) as tab:
        paths = [path for place in places.BEFORE_SIGNING_IN.values() for path in place]
        for path in (*paths, "/nothing-here", "/help"):
            status = meet(tab, path.format(link=link), narrow_only=False)
            assert status == (404 if path in {"/set-password/spent", "/nothing-here"} else 200), path
        tab.goto("/sign-in")
        press(tab, "Sign in")
        assert tab.title().startswith("Error: ")
        hold_at_both_widths(tab)


@pytest.mark.sweep
def test_a_cold_lesson_is_light(browser: Browser, shared_server: Server) -> None:
    lessons = ask(
        shared_server.instance,
        "SELECT '/learning/modules/' || a.key || '/lessons/' || l.key FROM lesson l"
        " JOIN module_version v ON v.id = l.module_version_id JOIN activity a ON a.id = v.activity_id"
        " WHERE l.html LIKE '%/media/%' OR l.position = 1",
    )
    assert len(lessons) >= 4
    with visitor(browser, shared_server, 320) as tab:
        sign_in(tab, "D4001")
        kept: Any = tab.context.cookies()
    for (path,) in lessons[:4]:
        with visitor(browser, shared_server, 320) as tab:
            tab.context.add_cookies(kept)
            asked, figures = weigh(tab, path)
            assert sum(asked.values()) <= 50 * 1024, (path, asked)
            assert len(asked) <= 6, (path, asked, figures)
            assert len(asked) >= 3


@pytest.mark.sweep
@pytest.mark.parametrize("owner", OWNERS)
def test_every_cold_page_is_light(
    browser: Browser, shared_server: Server, routes: Flask, made: dict[str, str], owner: str
) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, owner)
        line = tab.context.new_cdp_session(tab)
        line.send("Network.enable")
        line.send("Network.setCacheDisabled", {"cacheDisabled": True})
        for endpoint in pages(routes):
            if PLACES[endpoint].owner != owner:
                continue
            most = (64 if endpoint in places.WHOLE_TEXTS else 50) * 1024
            for path in (path.format(**made) for path in PLACES[endpoint].paths):
                asked, figures = weigh(tab, path)
                assert sum(asked.values()) <= most, (path, asked)
                assert len(asked) <= 6, (path, asked, figures)
                if endpoint == "monitoring.show_report":
                    assert sum(size for url, size in asked.items() if "/static/" not in url) <= 30 * 1024


def test_the_checker_sees_faint_text_where_its_look_is_new(browser: Browser, shared_server: Server) -> None:
    paint = (
        "([color, behind]) => Object.assign(document.querySelector('h1').style, {color, background: behind})"
    )
    with visitor(browser, shared_server) as tab:
        tab.goto("/sign-in")
        for look in (["rgb(17, 17, 17)", "rgb(255, 255, 255)"], ["rgb(17, 17, 17)", "rgb(250, 250, 250)"]):
            tab.evaluate(paint, look)
            check_page(tab)
        for look in (["rgb(221, 221, 221)", "rgb(255, 255, 255)"], ["rgb(17, 17, 17)", "rgb(34, 34, 34)"]):
            tab.evaluate(paint, look)
            with pytest.raises(AssertionError, match="color-contrast"):
                check_page(tab)


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
