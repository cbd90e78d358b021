"""A guide from its author's desk to its readers, in the browser: changed, published, acknowledged again."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.walking import ON_A_DESK_AND_A_PHONE, follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
KEY = "intelligence-document"
DESK = f"/authoring/_guides/{KEY}"
SAID = "Ask your supervisor before you wait."


@ON_A_DESK_AND_A_PHONE
def test_a_guide_is_edited_published_and_acknowledged_again(
    browser: Browser, server: Server, width: int, scripts: bool
) -> None:
    options = {"java_script_enabled": scripts}
    with (
        visitor(browser, server, width, **options) as author,
        visitor(browser, server, width, **options) as publisher,
        visitor(browser, server, width, **options) as reader,
    ):
        sign_in(reader, "D1001")
        reader.goto(f"/guides/{KEY}")
        press(reader, "I have read")

        sign_in(author, "D3001")
        author.goto("/authoring")
        hold_to_account(author)
        author.goto(DESK)
        hold_to_account(author)
        press(author, "Edit")
        hold_to_account(author)
        follow(author, "Edit the guide")
        hold_to_account(author)
        author.fill("#body", f"{author.input_value('#body')}\n\n{SAID}")
        author.check("#acknowledge")
        press(author, "Save and preview")
        expect(author.locator("#preview")).to_contain_text(SAID)
        follow(author, "Preview as a reader")
        hold_to_account(author)
        author.goto(DESK)
        follow(author, "Send for review")
        author.fill("#note", "Officers asked.")
        press(author, "Send for review")

        sign_in(publisher, "D3002")
        publisher.goto(f"{DESK}/review")
        assert h1(publisher) == "The intelligence document, version 2: 1 change since version 1"
        hold_to_account(publisher)
        expect(publisher.locator("main")).to_contain_text(
            re.compile(
                r"\d+\s+people\s+acknowledged\s+version\s+1;\s+they\s+will\s+be\s+asked\s+to\s+confirm\s+again"
            )
        )
        press(publisher, "Publish version 2")
        hold_to_account(publisher)

        reader.goto(f"/guides/{KEY}")
        expect(reader.locator("main")).to_contain_text(SAID)
        expect(reader.locator("main")).to_contain_text("Version 2 has been published since.")
        press(reader, "I have read this guide")
        expect(reader.locator("main")).to_contain_text("you had read version 2")
        hold_to_account(reader)
