"""A coordinating unit from a force's key to the comparison that the force gets back, on two portals."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from portal.features.returns.content import last_day_of
from portal.platform import clock
from portal.platform.signing.settings import DEMO_KEY
from portal.platform.wording import date as say_date
from tests.journeys.places import OWNER
from tests.journeys.walking import follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server, command, copied, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AT_FORCE = {"RETURN_FORCE": "walkshire", "FORCE_NAME": "Walkshire Constabulary", "COORDINATOR": "off"}
STOPPED_SENDING = "Greyhaven"  # a force of the demo


@pytest.fixture
def force(server: Server, small_force: Path, tmp_path: Path) -> Iterator[Server]:
    """The other side: a portal of a force, which knows the coordinating unit's public key."""
    coordinator_key = make_key(server)["Public key"]
    more = AT_FORCE | {"COORDINATOR_KEY": coordinator_key}
    running = Server(copied(small_force, tmp_path / "force"), more=more).start()
    try:
        yield running
    finally:
        running.kill()


def run(server: Server, *words: str) -> str:
    """What a command of this portal says."""
    done = command(settings(server.instance, server.port) | server.more, "returns", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_key(server: Server) -> dict[str, str]:
    """What an operator sees of a new key, in the place of the demo's: its public half and fingerprint."""
    (server.instance / DEMO_KEY).unlink()
    lines = run(server, "keys", "make").splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def month_before_last(today: date) -> str:
    """A month whose returns have all come that will come."""
    return (today.replace(day=1) - timedelta(days=40)).isoformat()[:7]


def test_a_return_comes_signed_from_a_force_and_a_comparison_goes_back(
    browser: Browser, server: Server, force: Server, tmp_path: Path
) -> None:
    month, own_key = month_before_last(clock.today()), make_key(force)
    due = last_day_of(month) + timedelta(days=20)
    made, forged = tmp_path / "made.json", tmp_path / "forged.json"
    again = ("--reason", "It is signed with another key.")  # the demo made one of this month
    run(force, "export", "--period", month, "--directive", "OIC-2026", *again, str(made))
    document = json.loads(made.read_bytes())
    document["figures"][0]["complete"] += 1
    forged.write_text(json.dumps(document))

    with visitor(browser, server) as tab:
        sign_in(tab, OWNER)
        tab.goto("/returns/forces")
        register(tab, own_key)
        tab.goto("/returns")
        follow(tab, "months asked for")
        tab.fill("#period", month)
        tab.fill("#due_on", say_date(due))
        press(tab, "Ask for returns")
        assert say_date(due) in tab.inner_text("main table")

        load(tab, "receive a return", forged)
        assert tab.title().startswith("Error: ")
        signed = tab.locator("tr", has_text="Did the force sign it").inner_text()
        assert "Yes" not in signed
        assert "Yes" in tab.locator("tr", has_text="Is it of the last day").inner_text()
        hold_to_account(tab)
        load(tab, "receive a return", made)
        assert h1(tab) == "Walkshire Constabulary"
        assert "Correction 1" in tab.inner_text("main table:below(h2:text-is('Returns received'))")
        hold_to_account(tab)
        comparison = read_national_view(tab, month, tmp_path)

    with visitor(browser, force, 320) as tab:
        sign_in(tab, OWNER)
        answer = tab.goto("/returns/national")
        assert answer is not None
        assert answer.status == 404
        tab.goto("/returns")
        assert own_key["Public key"] in tab.inner_text("main")
        load(tab, "Load a comparison", made)
        assert tab.title().startswith("Error: ")
        load(tab, "Load a comparison", comparison)
        assert h1(tab).startswith("This force beside the others, ")
        assert "Not known" not in tab.locator("tr", has_text="The whole directive").inner_text()
        hold_to_account(tab)


def register(tab: Tab, own_key: dict[str, str]) -> None:
    """Register the force and its key; the fingerprint of another key is refused."""
    follow(tab, "Register a force")
    for name, text in (
        ("key", "walkshire"),
        ("name", "Walkshire Constabulary"),
        ("headcount", "1200"),
        ("from_on", "1 April 2026"),
    ):
        tab.fill(f"#{name}", text)
    press(tab, "Save")
    follow(tab, "Register a key")
    tab.fill("#public_key", own_key["Public key"])
    tab.fill("#read_out", "0" * 64)
    press(tab, "Register the key")
    assert tab.title().startswith("Error: ")
    tab.fill("#read_out", own_key["Fingerprint"])
    press(tab, "Register the key")
    assert own_key["Fingerprint"] in tab.inner_text("main table")


def load(tab: Tab, link: str, file: Path) -> None:
    """From the page of returns to the form of this link, and send a file."""
    tab.goto("/returns")
    follow(tab, link)
    tab.set_input_files("#file", file)
    press(tab, "Check the file")


def read_national_view(tab: Tab, month: str, folder: Path) -> Path:
    """The new return counts, whoever sent none is named, and the comparison is taken out."""
    tab.goto(f"/returns/national?period={month}")
    assert "days late" in tab.locator("tr", has_text="Walkshire").inner_text()
    hold_to_account(tab)
    follow(tab, "Who has returned")
    missing = tab.locator("h2:has-text('Missing') + ul").inner_text()
    assert STOPPED_SENDING in missing
    assert "Walkshire" not in missing
    hold_to_account(tab)
    with tab.expect_download() as begun:
        tab.locator("main a:has-text('Download the comparison')").click()
    path = folder / begun.value.suggested_filename
    begun.value.save_as(path)
    assert "walkshire" not in path.read_text().lower()
    return path
