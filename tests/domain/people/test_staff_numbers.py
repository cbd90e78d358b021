"""A staff number means one person, wherever and however it comes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.people.models import PersonName
from portal.domain.people.queries import person_by_staff_number
from portal.domain.people.staff_numbers import find_number_faults, fold_staff_number
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from tests.domain.imports.desk import administrator, csv_of, upload_and_check
from tests.domain.imports.rosters import row, run, write_csv
from tests.features.scim.provider import ENTERPRISE, Provider, user
from tests.pages.account.browsing import make_account, signed_in
from tests.pages.account.browsing import sign_in as enter

LOOKALIKES = ["D9\u200b001", "D9001\u00ad", "\ufeffD9001", "Ｄ９００１", "D9\u3164001", " D9001\u200e"]
TURNED = "D9\u202e100\u202c"


def numbers():
    return sorted(db.session.scalars(db.select(PersonName.staff_number)))


@given(st.text(max_size=12))
def test_a_number_is_folded_once_and_what_is_left_can_be_seen(text):
    folded = fold_staff_number(text)

    assert fold_staff_number(folded) == folded
    if folded.isprintable():
        assert not [fault for fault in find_number_faults(folded) if "nobody sees" in fault]
    else:
        assert find_number_faults(folded)


@pytest.mark.parametrize("text", LOOKALIKES)
def test_whoever_looks_the_same_is_the_same_person(app, client, database, tmp_path, text):
    make_account("D9001")
    held = row("D9001", surname="Shah", email="d9001@westshire.example")

    for number in ("D9001", text):
        manager = row("R2", line_manager_staff_number=number)
        result = run(
            app,
            "people",
            "import",
            write_csv(tmp_path / "a.csv", [{**held, "staff_number": number}, manager]),
        )
        assert result.exit_code == 0, result.stderr
    assert numbers() == ["D9001", "R2"]
    assert person_by_staff_number(text) == person_by_staff_number("D9001")
    assert run(app, "people", "grant", text, "auditor").exit_code == 0
    provider = Provider(app)
    assert provider.find(f'{ENTERPRISE}:employeeNumber eq "{text}"') == ["d9001@westshire.example"]
    provider.add(text, emails=[])
    assert numbers() == ["D9001", "R2"]
    enter(client, text)
    assert signed_in(client)


def test_a_number_that_shows_another_one_is_refused_everywhere(app, client, database, tmp_path):
    administrator(client)

    result = run(app, "people", "import", write_csv(tmp_path / "a.csv", [row(TURNED)]))
    page = upload_and_check(client, csv_of([row(TURNED)]))
    _, sentence = Provider(app).refused("POST", "/Users", user(TURNED))

    assert result.exit_code == 1
    told = "has letters in it that nobody sees"
    assert told in result.stderr
    assert told in page.text
    assert told in sentence
    assert numbers() == ["ADMIN"]
    with pytest.raises(NotFoundError):
        person_by_staff_number(TURNED)


def test_nobody_is_called_as_a_page_is(app, client, database):
    rules = [rule.rule.split("/") for rule in app.url_map.iter_rules()]
    pages = sorted({parts[2] for parts in rules if parts[1] == "people" and len(parts) > 2})
    pages.remove("<staff_number>")
    assert {"accounts", "accounts.csv", "identities", "invitations", "help-needed"} <= set(pages)
    administrator(client)

    page = upload_and_check(client, csv_of([row(name, email="") for name in pages]))

    assert page.h1 == f"{len(pages)} rows are bad"
    for name in pages:
        assert f"staff_number '{name}' is the address of a page." in page.text
