"""Who is in which syndicate, dragged with a pointer or chosen from a list."""

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.events_held import FACILITATOR, hold_event
from tests.journeys.walking import ask, hold_to_account, sign_in_afresh, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]


def test_a_person_is_dragged_to_another_syndicate_and_back_by_the_list(
    browser: Browser, server: Server
) -> None:
    event = hold_event(server.instance)
    booking = next(iter(event.bookings.values()))
    of_booking = "SELECT syndicate FROM booking WHERE id = ?"
    assert ask(server.instance, of_booking, booking) == [(1,)]
    with visitor(browser, server, 1280) as tab:
        sign_in_afresh(tab, FACILITATOR)
        tab.goto(f"/events/{event.reference}/syndicates")
        first, second = (tab.locator(f"[data-syndicate='{number}']") for number in (1, 2))
        person = tab.locator(f"[data-person]:has(#syndicate-{booking})")
        before = second.locator("[data-person]").count()

        person.locator("label").hover()
        tab.mouse.down()
        tab.mouse.move(400, 400)  # dragging begins before the page scrolls to where it ends
        second.locator("h2").hover()
        tab.mouse.up()

        expect(second.locator("[data-person]")).to_have_count(before + 1)
        expect(second.locator("[data-count]")).to_contain_text(f"{before + 1} pe")
        expect(person.locator("select")).to_have_value("2")
        hold_to_account(tab)
        tab.get_by_role("button", name="Save").click()
        assert ask(server.instance, of_booking, booking) == [(2,)]

        person.locator("select").select_option("1")
        expect(first.locator(f"#syndicate-{booking}")).to_be_focused()
        tab.get_by_role("button", name="Save").click()
        assert ask(server.instance, of_booking, booking) == [(1,)]
