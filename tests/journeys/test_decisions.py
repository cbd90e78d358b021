"""A manager asks, an owner decides, the learner sees it; a pass is corrected by two; and it ends again."""

import pytest
from playwright.sync_api import Browser

from tests.journeys.walking import follow, go, h1, hold_to_account, pass_by_forms, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG_WORD = "regional" * 20  # a browser breaks it nowhere by itself


def test_an_exemption_is_asked_for_granted_seen_and_ended(browser: Browser, shared_server: Server) -> None:
    """Without scripts, the manager at the width of a phone."""
    plain = {"java_script_enabled": False}
    with (
        visitor(browser, shared_server, 320, **plain) as manager,
        visitor(browser, shared_server, **plain) as owner,
        visitor(browser, shared_server, 320, **plain) as learner,
    ):
        sign_in(manager, "D2001")
        manager.goto("/people/D1001")
        follow(manager, "An exemption")
        press(manager, "Send request")
        assert manager.title().startswith("Error: ")
        assert "Select a reason" in manager.inner_text("main")
        hold_to_account(manager)
        manager.check("[name=about][value='OIC-2026']")
        manager.fill("#from_on", "1/11/2026")
        manager.fill("#to_on", "31 December 2099")
        manager.check("[name=reason][value='secondment']")
        manager.fill("#comment", f"On loan to the regional unit. {LONG_WORD}")
        press(manager, "Send request")
        assert "Waiting for a decision." in manager.inner_text("main")
        hold_to_account(manager)

        sign_in(owner, "D4001")
        follow(owner, "1 request to decide")
        follow(owner, "Exemption from OIC-2026")
        assert "On loan to the regional unit." in owner.inner_text("main")
        owner.fill("#to_on", "30 June 2099")
        press(owner, "Show what would change")
        assert "becomes" in owner.inner_text("main")
        owner.fill("#comment", LONG_WORD)
        press(owner, "Grant")
        assert "until 30 June 2099" in owner.inner_text("main")
        hold_to_account(owner)

        manager.reload()
        assert "Granted by Grace Adeyemi" in manager.inner_text("main")
        hold_to_account(manager)
        sign_in(learner, "D1001")
        told = "Exempt until 30 June 2099, decided by a directive owner"
        assert told in learner.inner_text("main")
        learner.goto("/records")
        follow(learner, "Decisions about you")
        assert told in learner.inner_text("main")
        assert "regional unit" not in learner.content()
        hold_to_account(learner)

        owner.goto("/people/D1001")
        assert h1(owner) == "Priya Shah is exempt"
        follow(owner, "The end of an exemption or deferral")
        owner.check("[name=about]")
        owner.check("[name=whole][value='yes']")
        owner.check("[name=reason][value='recorded_in_error']")
        press(owner, "Send request")
        assert "You asked for this yourself." in owner.inner_text("main")
        press(owner, "Grant")
        assert "who also asked for it" in owner.inner_text("main")
        learner.goto("/learning")
        assert "Exempt" not in learner.inner_text("main")


@pytest.mark.sweep
def test_a_wrong_pass_is_corrected_and_stays_to_be_seen(browser: Browser, shared_server: Server) -> None:
    with (
        visitor(browser, shared_server) as learner,
        visitor(browser, shared_server, 320) as manager,
        visitor(browser, shared_server) as owner,
    ):
        sign_in(learner, "D1001")
        pass_by_forms(learner.context, shared_server.instance, "protect")
        sign_in(manager, "D2001")
        manager.goto("/people/D1001")
        follow(manager, "Correction of a pass")
        manager.check("[name=whole][value='yes']")
        manager.check("[name=reason][value='not_own_work']")
        manager.fill("#evidence", "Report of 4 June, file 12.")
        hold_to_account(manager)
        press(manager, "Send request")
        assert "A second person must decide this." in manager.inner_text("main")

        sign_in(owner, "D4001")
        owner.goto("/decisions")
        go(owner, "table a")
        assert "becomes" in owner.inner_text("main")
        hold_to_account(owner)
        press(owner, "Grant")

        learner.goto("/records")
        assert "does not count from" in learner.inner_text("main")
        go(learner, "main .portal-tasks a")
        assert "Whether it counts" in learner.inner_text("main")
        assert "not the person's own work" in learner.inner_text("main")
        assert "file 12" not in learner.content()
        hold_to_account(learner)
        owner.goto("/people/D1001")
        assert "no longer counts" in owner.inner_text("main")
