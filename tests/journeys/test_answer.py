"""An owner adds evidence and judges on it, a second person confirms, and the answer is taken as a pack."""

import csv
import io
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from tests.journeys.places import AUDITOR, OWNER
from tests.journeys.walking import follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
HERE = "/assurance/hydra"
SHOWS = "Everybody in response has completed the modules"


def test_evidence_becomes_a_judgement_that_a_second_person_confirms_and_an_answer(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    with visitor(browser, server) as owner:
        sign_in(owner, OWNER)
        owner.goto(HERE)
        follow(owner, "Add evidence")
        hold_to_account(owner)
        follow(owner, "Figure of a directive")
        owner.fill("#title", SHOWS)
        owner.select_option("#what", index=1)
        owner.fill("#threshold", "101")
        press(owner, "Save")
        assert owner.title().startswith("Error: ")
        hold_to_account(owner)
        owner.fill("#threshold", "100")
        press(owner, "Save")
        found = re.search(r"E-\d{4}", owner.locator("li", has_text=SHOWS).inner_text())
        assert found
        follow(owner, "Judge whether it is met")
        owner.check("[name=state][value=partly_met]")
        owner.fill("#reason", "The figure is below what was stated before.")
        press(owner, "Send to a second person")
        assert "Somebody else has to confirm it" in owner.inner_text("main")
        assert not owner.locator("main button:has-text('Confirm it')").count()
        hold_to_account(owner)

    with visitor(browser, server, 320) as auditor:
        sign_in(auditor, AUDITOR)
        auditor.goto(HERE)
        follow(auditor, "Read the judgement that waits")
        hold_to_account(auditor)
        press(auditor, "Confirm it")
        assert "The figure is below what was stated before." in auditor.inner_text("main")
        auditor.goto(HERE)
        follow(auditor, "The answer as a pack")
        press(auditor, "Make the answer pack")
        auditor.wait_for_selector("h1:has-text('Your file is ready')")
        hold_to_account(auditor)
        with auditor.expect_download() as begun:
            auditor.locator("main a:has-text('Download ')").click()
        begun.value.save_as(tmp_path / "answer.zip")
        follow(auditor, "Back to the desk")
        assert h1(auditor)

    with ZipFile(tmp_path / "answer.zip") as pack:
        names = {name.rpartition("/")[2]: name for name in pack.namelist()}
        text = "".join(
            page.extract_text() for page in PdfReader(io.BytesIO(pack.read(names["answer.pdf"]))).pages
        )
        rows = list(csv.reader(io.StringIO(pack.read(names["evidence.csv"]).decode("utf-8-sig"))))
    assert "Partly met" in text
    assert any(found[0] in row and SHOWS in row for row in rows)
