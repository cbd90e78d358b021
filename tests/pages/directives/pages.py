"""What the tests of the directives desk share: a filled-in form, and sending it with any of its buttons."""

from sqlalchemy import func, select

from portal.domain.directives.models import DirectiveVersion
from portal.platform.db import db
from tests.page_reading import Page

PREVIEW = "/directives/preview"
ISSUE = "/directives/preview/issue"
FORM = {
    "reference": "NEW-1",
    "title": "A new directive",
    "source": "Inspection",
    "wording": "Everyone completes it.",
    "owner": "D4001",
    "effective_on": "1 December 2025",
    "requirements": ["module:protect", "guide:whom-to-call"],
    "audience-0-roles": ["response"],
    "due_on": "30/4/2027",
    "due_days": "60",
    "notices": "30, 7 and 1",
    "ends_soon": "60",
    "target": "95%",
}


def own_form(page):
    """The page's own form, the one that is not the header's."""
    return next(f for f in page.forms() if "csrf_token" in f.fields and f.action != "/sign-out")


def send_form(client, page, path, **fields):
    """Post these fields with the token of ``page``, as a button with that address does."""
    data = {"csrf_token": own_form(page).fields["csrf_token"][0], **fields}
    response = client.post(path, data=data, follow_redirects=True)
    assert response.status_code in (200, 409)
    return Page(response, path)


def send_again(client, page, path, **fields):
    """Post what ``page`` carries, with these fields otherwise."""
    return send_form(client, page, path, **{**own_form(page).fields, **fields})


def open_preview(client, **fields):
    return send_form(client, client.page("/directives/new"), PREVIEW, do="preview", **{**FORM, **fields})


def count_versions():
    return db.session.scalar(select(func.count()).select_from(DirectiveVersion))
