"""What the tests of the desk's pages share: a published module, its author and its publisher, signed in."""

from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from portal.domain.authoring import files, queries, services
from portal.domain.catalogue import services as catalogue
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import write
from tests.factories.people import make_grant
from tests.kept import made_once
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.assessment.published import publish


def publish_sample(folder: Path, **changes: str | bytes | None) -> Path:
    """The sample module published from a folder; ``changes`` are by path, with ``__`` for a slash."""
    write(folder, {name.replace("__", "/"): content for name, content in changes.items()})
    with transaction():
        catalogue.publish_folder(folder, at=stamp())
    return folder


def make_person_with(staff_number: str, *roles: str) -> int:
    """Someone with an account and these roles."""
    made = make_account(staff_number)
    for role in roles:
        make_grant(made, role)
    return made


def signed_in_client(app: Flask, staff_number: str) -> PortalClient:
    """A browser of their own, signed in."""
    client = another(app)
    let_in(client, staff_number)
    return client


def open_draft_page(client: PortalClient, key: str = "sample") -> Page:
    """The draft's page after “Edit”."""
    return client.press(client.page(f"/authoring/{key}"), "Edit")


def author_of_questions(app: Flask, kind: str) -> PortalClient:
    """The author of a draft of ``sample``, which has two questions of this kind, signed in."""
    _make_draft_with_questions(kind)
    return signed_in_client(app, "D3001")


@made_once
def _make_draft_with_questions(kind: str) -> None:
    with TemporaryDirectory() as folder:
        publish(Path(folder), kind)
    author = make_person_with("D3001", "author")
    with transaction():
        services.open_draft("sample", by=author, at=stamp())


def rewrite_lesson(by: int, body: str, *, key: str = "sample", name: str = "first") -> int:
    """Save a lesson's text as this person; returns the state's number."""
    draft = queries.get_draft(key)
    path = f"lessons/{name}.md"
    held = queries.draft_files(draft)[path]
    said = files.read_lesson(held)
    changed = files.write_lesson(held, files.LessonFields(said.title, said.minutes, said.outcomes, body))
    with transaction():
        return services.save_files(
            draft.draft_id,
            {path: changed},
            expected={path: draft.files[path]},
            summary="Edited",
            by=by,
            at=stamp(),
        )
