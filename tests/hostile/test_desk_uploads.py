"""Whatever is uploaded at the desk is answered with a plain sentence, and nothing of it is kept."""

import io

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from portal.features.assurance.models import Evidence, EvidenceDocument
from portal.features.dip_samples.models import DipSample
from portal.features.returns.models import ForceReturn
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.features.assurance.factories import make_recommendation
from tests.features.returns.test_national_pages import coordinate
from tests.hostile.test_workbooks import small_and_far
from tests.hostile.workbooks import with_cells
from tests.pages.account.browsing import let_in, make_account

MEBIBYTE = 1024 * 1024
DOORS = {  # the address of each form with a file, and its other fields
    "/dip-samples/import": {},
    "/assurance/e-learning/evidence/new/document": {
        "title": "The plan",
        "review_on": "1 June 2099",
        "from_on": "12 May 2026",
    },
    "/returns/received/new": {},
    "/returns/comparisons/new": {},
}
KEPT = (Evidence, EvidenceDocument, DipSample, ForceReturn)
PDF = b"%PDF-1.7\n" + b"0" * (11 * MEBIBYTE) + b"\nstartxref\n9\n%%EOF\n"
FILES = {
    "nothing": ("empty.csv", b""),
    "a program": ("program.pdf", b"MZ\x90\x00" + bytes(1_000)),
    "half a PDF": ("half.pdf", b"%PDF-1.7\n" + bytes(1_000)),
    "a PDF as a sheet": ("plan.csv", b"%PDF-1.7\nstartxref\n9\n%%EO"),
    "a PDF as a workbook": ("plan.xlsx", b"%PDF-1.7\nstartxref\n9\n%%EO"),
    "a workbook of a million rows": ("far.xlsx", small_and_far()),
    "a workbook that grows": ("bomb.xlsx", with_cells(b"<row><c><v>1</v></c></row>" * 1_000_000)),
    "deep brackets": ("deep.json", b"[" * 400_000),
    "a long number": ("long.json", b'{"a": ' + b"9" * 400_000 + b"}"),
    "a number beyond all": ("far.json", b'{"a": 1e999999}'),
    "no text": ("bytes.json", b"\xff\xfe{" * 1_000),
    "half a character": ("half.json", b'{"a": "\\ud800"}'),
    "11 MB of PDF": ("large.pdf", PDF),
    "11 MB of lines": ("large.csv", b"unit,month\n" * MEBIBYTE),
    "11 MB of JSON": ("large.json", b'{"a": "' + b"x" * (11 * MEBIBYTE) + b'"}'),
}


@pytest.fixture
def owner(app, client, monkeypatch, database):
    """A directive owner of a coordinating unit, signed in; there is a recommendation."""
    coordinate(app, monkeypatch)
    make_recommendation()
    person = make_account("D4009")
    make_grant(person, Role.DIRECTIVE_OWNER)
    make_grant(person, Role.MANAGER)
    let_in(client, "D4009")
    return client


def count_kept() -> list[int]:
    return [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in KEPT]


@pytest.mark.parametrize("door", DOORS)
def test_no_file_is_kept_or_stops_the_page(owner, door):
    before = count_kept()
    for what, (name, content) in FILES.items():
        token = owner.page("/account").form_with("Sign out").fields["csrf_token"][0]
        data = {"csrf_token": token, **DOORS[door], "file": FileStorage(io.BytesIO(content), name)}
        boundary, body = encode_multipart(data)  # in memory: the client's own leaves a file open
        answer = owner.post(door, data=body, content_type=f"multipart/form-data; boundary={boundary}")
        text = answer.get_data(as_text=True)
        assert answer.status_code in (400, 413), (what, answer.status_code)
        said = "is larger than" if answer.status_code == 413 else "govuk-error-summary"
        assert said in text, what
        assert (answer.status_code == 413) == (len(content) >= 11 * MEBIBYTE), what

    assert count_kept() == before
