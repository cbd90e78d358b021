"""The editor of a question as its tests fill it in, and the bank that comes of it."""

from portal.domain.authoring import item_files, queries
from tests.page_reading import Form, Page, PortalClient

ITEMS = "/authoring/sample/items"


def draft_items() -> dict[str, dict]:
    """Every item of the draft by its key."""
    return {
        place.key: place.table
        for place in item_files.read_items(queries.draft_files(queries.get_draft("sample")))
    }


def item_form(page: Page) -> Form:
    return next(f for f in page.forms() if "expected" in f.fields and "prompt" in f.fields)


def sent_fields(page: Page, **fields) -> dict:
    """What a browser sends of the editor's form with these fields changed; ``__`` stands for a hyphen."""
    form = item_form(page)
    chosen = {
        o.get("name"): [o.get("value")]
        for o in page.all("input", type="radio")
        if o.get("checked") is not None
    }
    data = {**form.fields, **chosen, **{k.replace("__", "-"): v for k, v in fields.items()}}
    for select_ in page.all("select"):
        picked = [o.get("value") for o in select_ if o.get("selected") is not None]
        data.setdefault(select_.get("name"), picked or [""])
    return {name: value for name, value in data.items() if name and value is not None}


def send_item_form(client: PortalClient, page: Page, status: int = 200, **fields) -> Page:
    """Send the editor's form with these fields changed."""
    answer = client.post(page.path, data=sent_fields(page, **fields), follow_redirects=True)
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return Page(answer, page.path)
