"""A form that is sent as it was shown, with the line ends that browsers send, changes no byte."""

import pytest

from config import ROOT
from portal.domain.authoring import content_types, item_files, queries
from portal.domain.authoring import files as authoring_files
from portal.domain.catalogue import services as catalogue
from portal.platform.db import stamp, transaction
from tests.examples import sweep_after
from tests.page_reading import Page, PortalClient
from tests.pages.authoring.authors import open_draft, sign_in_author

pytestmark = pytest.mark.slow

SAVES = ("Save and preview", "Save the details", "Save the question", "Save the check")


@pytest.fixture
def desk(client: PortalClient) -> PortalClient:
    with transaction():
        catalogue.publish_folder(ROOT / "modules", at=stamp())
    client.person = sign_in_author(client)
    return client


def as_a_browser_sends(page: Page, button: str) -> dict[str, list[str]]:
    """The form's fields, line ends and all; of a select with a name what is chosen in it."""
    fields = dict(page.form_with(button).fields)
    for select in (each for each in page.all("select") if each.get("name")):
        options = [each for each in select.iter() if each.tag.endswith("}option")]
        chosen = [each for each in options if each.get("selected") is not None] or options[:1]
        fields.setdefault(select.get("name"), []).extend(each.get("value") or "" for each in chosen)
    return {name: [value.replace("\n", "\r\n") for value in said] for name, said in fields.items()}


def sent_as_shown(desk: PortalClient, path: str) -> None:
    page = desk.page(path)
    button = next(each for each in SAVES if any(each in form.buttons for form in page.forms()))
    desk.press(page, button, **as_a_browser_sends(page, button), save=["yes"])


@pytest.mark.parametrize("key", sweep_after(1, "report", "respond", "protect", "recognise"))
def test_what_is_sent_as_it_was_shown_changes_no_byte(desk, key):
    draft_id = open_draft(desk.person, key)
    files = queries.draft_files(queries.get_draft(key))
    seen = {}
    for place in item_files.read_items(
        files
    ):  # of each kind as many as differ: with a case above, of several sources
        seen.setdefault(
            (place.table["kind"], "stimulus" in place.table, str(type(place.table["source"]))), place
        )
    pages = [f"lessons/{name}" for name in content_types.lesson_keys(files["module.toml"])]
    texts = [page for page in pages if f"{page}.md" in files]

    checks = [
        f"{page}/checks/{check.key}"
        for page in texts
        for check in authoring_files.read_checks(authoring_files.read_lesson(files[f"{page}.md"]).body)
    ]
    assert len(checks) == len(texts) <= len(pages) - 2  # each text has one; two or more lessons are cases

    items = [f"items/{place.key}" for place in seen.values()]
    for page in ["details", "job-aid", *pages, f"{pages[0]}?as=text", *checks, *items]:
        sent_as_shown(desk, f"/authoring/{key}/{page}")
        assert [saved.summary for saved in queries.list_saves(draft_id)][:-1] == [], page

    assert queries.draft_files(queries.get_draft(key)) == files
