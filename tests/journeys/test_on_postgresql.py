"""The whole way on PostgreSQL: let in by a link, a module read, failed and passed, and the manager's file."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.journeys.walking import (
    answer_all,
    ask,
    h1,
    hold_to_account,
    press,
    read_every_lesson,
    sign_in,
    sign_in_afresh,
    statuses_in_file,
    visitor,
)
from tests.running import Server, command, fresh_database, settings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.postgresql, pytest.mark.sweep]
PASSED = (
    "SELECT a.key, r.reference FROM record r JOIN pass_record p ON p.record_id = r.id"
    " JOIN activity a ON a.id = r.activity_id JOIN person_name n ON n.person_id = r.person_id"
    " WHERE n.staff_number = 'D1001'"
)
NEW_PASSWORD = "lantern-orbit-walnut-quay"


@pytest.fixture
def on_postgresql(postgresql: str, force_template: str, tmp_path: Path) -> Iterator[Server]:
    """A running server whose force lives in a PostgreSQL database of its own."""
    address = fresh_database(postgresql, "journey", force_template)
    started = Server(tmp_path, database_url=address)
    try:
        yield started.start()
    finally:
        started.kill()


def test_from_a_link_to_the_managers_file(browser: Browser, on_postgresql: Server) -> None:
    server, kept = on_postgresql, on_postgresql.database_url
    made = command(settings(server.instance, server.port, kept), "accounts", "invite", "D1001")
    with visitor(browser, server) as manager, visitor(browser, server) as tab:
        sign_in(manager, "D2001")
        assert "satisfied" not in statuses_in_file(manager).values()
        tab.goto(made.stdout.strip())
        tab.fill("#password", NEW_PASSWORD)
        press(tab, "Set password")
        assert urlsplit(tab.url).path == "/sign-in"
        sign_in_afresh(tab, "D1001", NEW_PASSWORD)
        slug = read_every_lesson(tab)

        press(tab, "Start assessment")
        answer_all(tab, kept, right=False)
        press(tab, "Submit answers")
        assert h1(tab) == "You did not pass"
        assert ask(kept, PASSED) == []
        press(tab, "Try again")
        answer_all(tab, kept, right=True)
        press(tab, "Submit answers")

        assert h1(tab) == "You passed"
        reference = tab.inner_text(".portal-passed__number")
        assert ask(kept, PASSED) == [(slug, reference)]
        hold_to_account(tab)
        statuses = statuses_in_file(manager)
        assert len(statuses) == 4
        assert {key for key, status in statuses.items() if status == "satisfied"} == {slug}
        manager.goto("/monitoring/directives/OIC-2026?q=D1001")
        cells = manager.locator("tr", has_text="D1001").locator("td").all_inner_texts()
        assert cells.count("Complete") == 1
        hold_to_account(manager)
