"""Steps on the pages of imports, without a browser, for several tests."""

import csv
import io
import re

from portal.domain.accounts import services as accounts
from portal.domain.catalogue.models import ModuleVersion
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.domain.imports.rosters import COLUMNS, row
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import H, words
from tests.pages.account.browsing import PASSWORD, let_in


def csv_of(rows, columns=COLUMNS):
    out = io.StringIO()
    every = [*columns, *sorted({key for one in rows for key in one} - set(columns))]
    writer = csv.DictWriter(out, every, "")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def administrator(client, role="administrator", number="ADMIN", unit=None):
    place = make_unit("Headquarters")
    person = make_person(place, staff_number=number, role="corporate", surname="Ghosh", forenames="Neil")
    make_grant(person, role, place if unit else None)
    with transaction():
        accounts.set_password(person, PASSWORD, clock.now())
    let_in(client, number)
    return person


def selected_values(page):
    """The values of a page's selects, as a browser would send them."""
    values = {}
    for select in page.all("select"):
        options = list(select.iter(H + "option"))
        selected = [option for option in options if option.get("selected") is not None]
        values[select.get("name")] = (selected or options)[0].get("value")
    return values


def upload(client, content, kind="roster", name="roster.csv", **fields):
    page = client.page(f"/imports/{kind}/new")
    return client.press(
        page, "Continue", **{**selected_values(page), "file": (io.BytesIO(content), name), **fields}
    )


def upload_and_check(client, content, kind="roster", name="roster.csv", shape=None, **fields):
    more = {"shape": shape} if shape else {}
    page = upload(client, content, kind, name, **more)
    assert page.h1 == f"Match the columns of {name}", page.text
    return press_new(client, client.press(page, "Check the file", **{**selected_values(page), **fields}))


def press_new(client, page):
    """Say of every value that is asked about and may be new that it is; the page that follows."""
    while page.h1.startswith("Say what values") and any(new_value(each) for each in page.all("select")):
        answers = {select.get("name"): new_value(select) for select in page.all("select")}
        page = client.press(page, "Check the file", **answers)
    return page


def new_value(select):
    """The value of the choice “New”; of a select without one, the likeliest."""
    options = list(select.iter(H + "option"))
    new = [option for option in options if words(option).startswith("New:")]
    chosen = [option for option in options if option.get("selected") is not None]
    return (new or chosen or options)[0].get("value")


def run_id(page):
    match = re.search(r"/imports/([0-9a-f-]{36})", page.html)
    assert match
    return match[1]


def sections(page):
    """The sections of a check: their rows by title."""
    rows = {}
    for details in page.all("details"):
        title = words(next(details.iter(H + "summary"))).rpartition(":")[0]
        rows[title] = [
            [words(cell) for cell in line.iter(H + "td")] for line in list(details.iter(H + "tr"))[1:]
        ]
    return rows


def activity(version_id):
    return db.session.get_one(ModuleVersion, version_id).activity_id


__all__ = [
    "activity",
    "administrator",
    "csv_of",
    "press_new",
    "row",
    "run_id",
    "sections",
    "selected_values",
    "upload",
    "upload_and_check",
]
