"""A facilitator's phone keeps the register without a network, beside a second one's, and forgets it after."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import segno
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from portal.features.events.register import CODE_SECONDS, GRACE_SECONDS, NUMBER_SECONDS, make_room_code
from tests.journeys.events_held import FACILITATOR, SECOND, EventUnderWay, hold_event, make_facilitator
from tests.journeys.walking import ask, hold_to_account, press, sign_in_afresh, visitor
from tests.running import Server
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = 390
KEPT = "Object.entries(localStorage).filter(([name]) => name.startsWith('portal-register:'))"


@pytest.fixture
def event(server: Server) -> EventUnderWay:
    make_facilitator(server.instance, SECOND)
    return hold_event(server.instance)


@contextmanager
def phone(
    browser: Browser, server: Server, event: EventUnderWay, person: str, *, scripts: bool = True
) -> Iterator[Tab]:
    """A phone with the register open."""
    with visitor(browser, server, PHONE, java_script_enabled=scripts) as tab:
        sign_in_afresh(tab, person)
        tab.goto(f"/events/{event.reference}/register")
        yield tab


def note(tab: Tab, event: EventUnderWay, person: str, kind: str) -> None:
    tab.click(f"button[value='{event.bookings[person]}:{kind}']")


def state(tab: Tab, event: EventUnderWay, person: str):
    return tab.locator(f"#person-{event.bookings[person]} [data-state]")


def kinds(server: Server, event: EventUnderWay, person: str) -> list[str]:
    rows = ask(
        server.instance,
        "SELECT kind FROM register_entry JOIN booking USING (event_id, person_id)"
        " WHERE booking.id = ? ORDER BY noted_at",
        event.bookings[person],
    )
    return [kind for (kind,) in rows]


def test_two_phones_end_equal_after_one_lost_its_network(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    with (
        phone(browser, server, event, FACILITATOR) as first,
        phone(browser, server, event, SECOND) as second,
    ):
        hold_to_account(first)
        first.context.set_offline(True)
        note(first, event, "D1001", "present")
        note(first, event, "D2001", "late")
        expect(state(first, event, "D1001")).to_have_text("Present, not sent yet")
        expect(first.locator("#unsent")).to_contain_text("2 entries are only on this device")
        hold_to_account(first)
        held = first.evaluate(KEPT)
        assert len(held) == 1
        assert not [word for word in ("D1001", "D2001", FACILITATOR) if word in str(held)]

        note(second, event, "D1001", "not_here")  # later than the other, and earlier at the portal
        expect(state(second, event, "D1001")).to_contain_text("Not here at")
        assert kinds(server, event, "D2001") == []

        first.context.set_offline(False)
        expect(first.locator("#unsent")).to_be_hidden()
        for tab in (first, second):
            expect(state(tab, event, "D1001")).to_contain_text("Not here at")
            expect(state(tab, event, "D2001")).to_contain_text("Came late, here since")
            expect(tab.locator("#heads")).to_contain_text("1 of 4 people here")
        assert kinds(server, event, "D1001") == ["present", "not_here"]
        assert first.evaluate(KEPT) == []


@pytest.mark.sweep
def test_what_was_not_sent_outlives_the_page_and_an_answer_that_was_lost_is_sent_again_as_one(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    with phone(browser, server, event, FACILITATOR) as tab:
        sent = []

        def lose_the_answer(route) -> None:
            sent.append(route.fetch().status)  # the portal has it, the phone never hears so
            route.abort()

        tab.route("**/register/entries", lose_the_answer)
        note(tab, event, "D3001", "present")
        until(
            lambda: tab.evaluate("true") and len(sent) >= 2
        )  # routes are served while it waits for the page
        expect(state(tab, event, "D3001")).to_have_text("Present, not sent yet")
        tab.goto("/account")  # the page is gone, what it kept is not
        tab.unroute_all(behavior="ignoreErrors")

        tab.goto(f"/events/{event.reference}/register")
        expect(tab.locator("#unsent")).to_be_hidden()
        until(lambda: tab.evaluate(KEPT) == [])
        assert set(sent) == {200}
        assert kinds(server, event, "D3001") == ["present"]


@pytest.mark.sweep
def test_an_entry_about_somebody_who_is_signed_off_meanwhile_is_refused_and_not_kept(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    with (
        phone(browser, server, event, FACILITATOR) as first,
        phone(browser, server, event, SECOND) as second,
    ):
        second.goto(f"/events/{event.reference}/sign-off")
        second.select_option(f"[name='outcome-{event.bookings['D1001']}']", "attended:")
        press(second, "Sign off")

        note(first, event, "D1001", "not_here")

        expect(first.locator("#unsent")).to_contain_text("is signed off, so nothing more is noted of them.")
        expect(state(first, event, "D1001")).to_have_text("Signed off: attended")
        assert first.evaluate(KEPT) == []
        assert kinds(server, event, "D1001") == []


@pytest.mark.sweep
def test_what_was_noted_before_the_register_opens_is_not_kept_and_the_page_says_so(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    early = hold_event(server.instance, reference="EV-9002", begins_in=timedelta(days=7))
    with phone(browser, server, early, FACILITATOR) as tab:
        expect(tab.locator("main")).to_contain_text("The register opens at")
        expect(tab.locator("button[name=mark]")).to_have_count(0)
        kept = f"[{{key: '{'0' * 31}1', id: '{early.bookings['D1001']}', kind: 'present', at: Date.now()}}]"
        tab.evaluate(f"localStorage.setItem(document.forms.register.dataset.kept, JSON.stringify({kept}))")

        tab.reload()

        expect(tab.locator("#unsent")).to_contain_text("1 entry was not taken. The register opens at")
        expect(state(tab, early, "D1001")).to_have_text("Not noted yet")
        assert tab.evaluate(KEPT) == []


@pytest.mark.sweep
def test_signing_out_asks_and_then_erases_what_was_not_sent(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    with phone(browser, server, event, FACILITATOR) as tab:
        tab.route("**/register/entries", lambda route: route.abort())
        note(tab, event, "D1001", "present")
        expect(tab.locator("#unsent")).to_contain_text("1 entry is only on this device")

        tab.once("dialog", lambda dialog: dialog.dismiss())
        tab.click("header button:text-is('Sign out')")
        assert len(tab.evaluate(KEPT)) == 1
        tab.once("dialog", lambda dialog: dialog.accept())
        with tab.expect_navigation():
            tab.click("header button:text-is('Sign out')")

        assert tab.evaluate(KEPT) == []
        assert kinds(server, event, "D1001") == []


@pytest.mark.sweep
def test_what_somebody_else_left_on_the_device_is_erased_and_not_sent_in_another_name(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    with phone(browser, server, event, FACILITATOR) as tab:
        tab.route("**/register/entries", lambda route: route.abort())
        note(tab, event, "D1001", "present")
        expect(tab.locator("#unsent")).to_be_visible()
        tab.unroute_all(behavior="ignoreErrors")
        tab.context.clear_cookies()  # the session is over, without a sign-out

        sign_in_afresh(tab, SECOND)
        tab.goto(f"/events/{event.reference}/register")

        until(lambda: tab.evaluate(KEPT) == [])
        assert kinds(server, event, "D1001") == []


@pytest.mark.sweep
def test_the_register_works_by_its_buttons_alone(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    with phone(browser, server, event, FACILITATOR, scripts=False) as tab:
        hold_to_account(tab)
        with tab.expect_navigation():
            note(tab, event, "D2001", "present")
        expect(state(tab, event, "D2001")).to_contain_text("Here since")
        tab.fill("#staff_number", "d3001")
        press(tab, "Note as here")
        expect(tab.locator("#heads")).to_contain_text("2 of 4 people here: 0 by code, 1 by staff number")
        assert kinds(server, event, "D2001") == ["present"]


@pytest.mark.sweep
def test_a_learners_phone_signs_in_by_the_code_on_the_screen(
    browser: Browser, server: Server, event: EventUnderWay
) -> None:
    with visitor(browser, server) as screen, visitor(browser, server, PHONE) as learner:
        sign_in_afresh(screen, FACILITATOR)
        sign_in_afresh(learner, "D1001")
        screen.goto(f"/events/{event.reference}/sign-in/code")
        hold_to_account(screen)
        learner.goto(address_on(screen, server, event))
        hold_to_account(learner)
        read = screen.inner_text("#number")
        expect(screen.locator("#number")).not_to_have_text(
            read, timeout=1000 * (NUMBER_SECONDS + GRACE_SECONDS)
        )
        learner.fill("#number", screen.inner_text("#number"))
        press(learner, "I am here")
        expect(learner.locator("main")).to_contain_text("Here since")
        with screen.expect_navigation():  # the next code comes by itself
            pass
        expect(screen.locator("main")).to_contain_text("1 person signed in")
        assert kinds(server, event, "D1001") == ["present"]


def address_on(screen: Tab, server: Server, event: EventUnderWay) -> str:
    """What a camera reads: the address whose drawing is the one on the screen."""
    secret = (server.instance / "secret_key").read_text().strip()
    shown = screen.locator("main svg path[stroke]").last.get_attribute("d")
    for seconds in (0, CODE_SECONDS):
        code = make_room_code(secret, event.reference, datetime.now(UTC) - timedelta(seconds=seconds))
        address = f"{server.address}/events/{event.reference}/sign-in?code={code}"
        drawing = segno.make_qr(address, error="m", mask=4).svg_inline(light="#fff")
        if shown in re.findall(r' d="([^"]+)"', drawing):
            return address
    raise AssertionError("The screen shows another code.")
