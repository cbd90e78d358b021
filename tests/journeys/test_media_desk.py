"""An author's files and figures in a real browser: with the keyboard, without scripts, on a phone."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab
from sqlalchemy import select

from config import Config
from portal.app import create_app
from portal.domain.authoring import services
from portal.domain.authoring.files import MEDIA_BYTES
from portal.domain.catalogue.media_rules import FILM_BYTES
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.version_cache import current_version
from portal.domain.people.models import PersonName
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.databases import close_database
from tests.journeys.walking import go, h1, hold_to_account, press, sign_in, visitor
from tests.pages.authoring.answering import items_of, register_person, submit_all
from tests.running import Server, copied

pytestmark = [pytest.mark.browser, pytest.mark.sweep]

BARE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 50"><rect width="90" height="50"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
MEDIA = "/authoring/protect/media"


@pytest.fixture(scope="module")
def desk(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a draft of a module, and forty attempts at what is published of it."""
    instance = copied(small_force, tmp_path_factory.mktemp("media") / "instance")
    app = create_app(Config(mode="demo", secret_key="k" * 32, instance=instance))
    with app.app_context():
        number = select(PersonName.person_id).where(PersonName.staff_number == "D3001")
        author = db.session.scalars(number).one()
        with transaction():
            services.open_draft("protect", by=author, at=clock.now())
        version = current_version("protect")
        assert isinstance(version, ModuleVersion)
        answer(author, version.id)
        close_database()
    server = Server(instance)
    try:
        yield server.start()
    finally:
        server.kill()


def answer(person: int, version_id: int) -> None:
    """Forty attempts, answered by chance."""
    chance = random.Random(7)
    items = [item for item in items_of(version_id) if "choices" in item.content]
    keys = {item.id: [choice["key"] for choice in item.content["choices"]] for item in items}
    sheets = [{item: [chance.choice(keys[item])] for item in keys} for _ in range(40)]
    submit_all(register_person(person, version_id), sheets)


def choose(tab: Tab, name: str, content: bytes) -> None:
    tab.set_input_files("#file", {"name": name, "mimeType": "text/html", "buffer": content})


def hold_both(tab: Tab) -> None:
    for width in (320, 1280):
        tab.set_viewport_size({"width": width, "height": 900})
        hold_to_account(tab)


@pytest.mark.parametrize("scripts", [True, pytest.param(False, marks=pytest.mark.sweep)])
def test_a_drawing_is_described_replaced_and_removed(browser: Browser, desk: Server, scripts: bool) -> None:
    name = "two-areas" if scripts else "two-more"
    with visitor(browser, desk, java_script_enabled=scripts) as tab:
        sign_in(tab, "D3001")
        tab.goto(MEDIA)
        hold_both(tab)
        choose(tab, f"{name}.svg", BARE)
        press(tab, "Upload")
        assert tab.title().startswith("Error: ")
        hold_both(tab)
        choose(tab, f"{name}.svg", BARE)
        tab.fill("#title", "Two areas")
        tab.fill("#alternative", "One box.")
        press(tab, "Upload")
        assert f"{name}.svg was added." in tab.inner_text("main")
        for path, heading in (
            (f"{MEDIA}?name={name}.svg", f"Replace {name}.svg"),
            (f"{MEDIA}?name={name}.narrow.svg", f"Add a drawing for phones to {name}.svg"),
            (f"{MEDIA}/{name}.svg/remove", f"Remove {name}.svg"),
        ):
            tab.goto(path)
            assert h1(tab) == heading
            hold_both(tab)
        press(tab, "Remove the file")
        assert f"{name}.svg was removed." in tab.inner_text("main")


def test_a_picture_is_uploaded_with_the_keyboard_alone(browser: Browser, desk: Server) -> None:
    with visitor(browser, desk, 320) as tab:
        sign_in(tab, "D3001")
        tab.goto(MEDIA)
        choose(tab, "van.png", PNG)
        tab.focus("#title")
        tab.keyboard.type("A van")
        tab.keyboard.press("Tab")
        tab.keyboard.type("A white van at night.")
        tab.keyboard.press("Tab")
        tab.keyboard.press("ArrowDown")
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        tab.wait_for_url(lambda url: url.endswith("#file-van.png"))
        assert "van.png was added. It is shown at the end of" in tab.inner_text("main")
        tab.goto(f"{MEDIA}/van.png/remove")
        assert h1(tab) == "van.png is shown, so it stays"
        hold_both(tab)


def test_what_is_too_large_is_told_so(browser: Browser, desk: Server) -> None:
    with visitor(browser, desk) as tab:
        sign_in(tab, "D3001")
        tab.goto(MEDIA)
        choose(tab, "large.svg", BARE.replace(b"<rect", b" " * 600_000 + b"<rect"))
        press(tab, "Upload")
        assert "Simplify the drawing" in tab.inner_text(".govuk-error-summary")
        choose(tab, "huge.png", PNG + b"\0" * MEDIA_BYTES)
        press(tab, "Upload")
        assert "Make it smaller" in tab.inner_text(".govuk-error-summary")
        hold_both(tab)
        choose(tab, "film.png", PNG + b"\0" * (FILM_BYTES + 1024 * 1024))
        press(tab, "Upload")
        tab.wait_for_selector("h1:has-text('The file is too large')")
        hold_both(tab)


def test_item_statistics_read_well_on_a_phone_and_a_desk(browser: Browser, desk: Server) -> None:
    with visitor(browser, desk) as tab:
        sign_in(tab, "D3001")
        tab.goto("/authoring/protect/statistics")
        assert tab.locator("tbody tr").count() > 10
        hold_both(tab)
        go(tab, "thead a:text-is('Correct')")
        assert "sort=correct" in tab.url
        expect(tab.locator("th[aria-sort=ascending]")).to_have_count(1)
        hold_both(tab)
        go(tab, "tbody th a")
        assert "/authoring/protect/items/" in tab.url
