"""The accessibility statement and the privacy notice: what the law asks for, and what the force fills in."""

import re
from pathlib import Path

import pytest

from portal.domain.accounts import retention
from portal.domain.catalogue.services import publish_folder, set_force_values
from portal.domain.catalogue.version_cache import shared_content
from portal.domain.retention.services import set_period
from portal.platform import clock
from portal.platform.db import stamp, transaction
from portal.platform.permissions import Role
from tests.domain.catalogue.folders import write
from tests.factories.people import make_grant
from tests.page_reading import PortalClient
from tests.pages.account.browsing import let_in, make_account

FORCE = (Path(__file__).parents[3] / "modules" / "_force.toml").read_text()


@pytest.fixture
def details(tmp_path: Path) -> list[str]:
    """The keys of the details that the statements need, published and not filled in."""
    folder = write(tmp_path, {"_force.toml": f'{FORCE}\n[[setting]]\nkey = "n"\nlabel = "n"\nhint = "n"\n'})
    with transaction():
        publish_folder(folder, at=stamp())
    return [key for key in shared_content().settings if key.startswith(("accessibility_", "privacy_"))]


def test_the_accessibility_statement_has_the_parts_of_the_model_in_its_order(client: PortalClient) -> None:
    page = client.page("/accessibility")

    assert re.findall(r"<h[234]>([^<]*)</h[234]>", page.html) == [
        "How accessible this portal is",
        "Feedback and contact information",
        "Reporting accessibility problems with this portal",
        "Enforcement procedure",
        "Technical information about this portal’s accessibility",
        "Compliance status",
        "Non-accessible content",
        "Non-compliance with the accessibility regulations",
        "Content that is not within the scope of the accessibility regulations",
        "What we are doing to improve accessibility",
        "Preparation of this accessibility statement",
    ]
    assert "(No. 2) Accessibility Regulations 2018" in page.text
    assert "contact the Equality Advisory and Support Service (EASS)" in page.links
    assert "partially compliant" in page.text
    assert "Nobody independent has audited it" in page.text
    assert "prepared on 28 November 2026" in page.text


def test_what_the_force_has_not_filled_in_is_left_out_and_what_it_has_is_shown(
    client: PortalClient, details: list[str]
) -> None:
    pages = {name: client.page(f"/{name}") for name in ("accessibility", "privacy")}
    for page in pages.values():
        assert "None" not in page.text
        assert " : ." not in page.text
    assert "Data protection officer:" not in pages["privacy"].text
    assert "Disproportionate burden" not in pages["accessibility"].text

    with transaction():
        set_force_values({key: f"word of {key}." for key in details}, by=make_account("D3001"))

    assert len(details) == 9
    for key in details:
        page = client.page(f"/{key.partition('_')[0]}")
        assert f"word of {key}." in page.text
        assert f"word of {key}.." not in page.text


def test_the_administrator_sees_which_details_the_statements_lack(
    client: PortalClient, details: list[str]
) -> None:
    make_grant(make_account("D9001"), Role.ADMINISTRATOR)
    let_in(client, "D9001")

    page = client.page("/force-settings")

    assert page.links["Privacy: your lawful basis"] == "#force-privacy_lawful_basis"
    assert page.links["Accessibility statement"] == "/accessibility"
    unused = len(shared_content().settings) - len(details)
    assert page.text.count("Not shown on any page") == unused


def test_the_privacy_notice_asserts_no_lawful_basis_of_its_own(client: PortalClient) -> None:
    page = client.page("/privacy")

    assert "Article 6" not in page.text
    assert "Information Commissioner’s Office" in page.links


def test_the_privacy_notice_says_the_periods_that_are_kept_to(
    client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.page("/privacy").text
    monkeypatch.setattr(retention, "BROWSER_RETENTION", 2 * retention.BROWSER_RETENTION)
    with transaction():
        set_period("mail", 18, "A dispute", by=make_account("D3001"), at=clock.now())

    after = client.page("/privacy").text

    assert "180 days after you last signed in from it" in before
    assert "360 days after you last signed in from it" in after
    assert "1 year from the day on which the email was made" in before
    assert "1 year 6 months from the day on which the email was made" in after
