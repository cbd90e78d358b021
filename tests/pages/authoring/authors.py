"""A published module with a draft, and authors at its desk."""

from pathlib import Path
from typing import Any

from portal.domain.authoring import queries, services
from portal.domain.catalogue import services as catalogue
from portal.domain.people.models import PersonName
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import write
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import let_in, make_account

DESK = "/authoring/sample"
LESSON = f"{DESK}/lessons/first"


def publish_sample_module(folder: Path, changes: dict[str, str] | None = None) -> None:
    """The sample module, published from a folder."""
    with transaction():
        catalogue.publish_folder(write(folder, changes or {}), at=stamp())


def sign_in_author(
    client: PortalClient, staff_number: str = "D3001", role: str = "author", name: str = ""
) -> int:
    """A person of this role, signed in; returns the id."""
    person = make_account(staff_number)
    make_grant(person, role)
    if name:
        forenames, surname = name.split()
        with transaction():
            row = db.session.get_one(PersonName, person)
            row.forenames, row.surname = forenames, surname
    let_in(client, staff_number)
    return person


def open_draft(person: int, key: str = "sample") -> int:
    """The draft of a module, opened by the person."""
    with transaction():
        return services.open_draft(key, by=person, at=stamp())


def draft_file(path: str, key: str = "sample") -> str:
    """A file of the draft as it stands."""
    return queries.draft_files(queries.get_draft(key))[path].decode()


def error_sentences(page: Page) -> list[str]:
    """The error summary's sentences; the title says that there are some."""
    assert page.title.startswith("Error: ")
    summary = page.all("div", class_="govuk-error-summary")[0]
    return [words(item) for item in summary.iter("{http://www.w3.org/1999/xhtml}li")]


def press_button(
    client: PortalClient,
    page: Page | None = None,
    button: str = "Save and preview",
    status: int = 200,
    **typed: Any,
) -> Page:
    """Press a button of the editor as a browser does: the pressed one alone is sent."""
    names = {"Save and preview": "save", "Preview": "preview", "Leave without saving": "leave"}
    return client.press(
        page or client.page(LESSON), button, status, **{names.get(button, "save"): "yes"}, **typed
    )


def preview_words(page: Page) -> str:
    """What the preview shows, as read."""
    return words(next(div for div in page.all("div") if div.get("id") == "preview"))


def editor_fields(page: Page) -> dict[str, list[str]]:
    """What stands in the editor's fields."""
    return page.form_with("Save and preview").fields
