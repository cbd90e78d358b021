"""A typing error in a roster is asked about or named, on every way by which a roster comes."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.access_tokens import TokenScope
from portal.domain.imports.models import ImportProfile
from portal.domain.people.models import PersonName
from portal.platform.db import db, transaction
from tests.domain.imports.desk import csv_of, press_new, sections, selected_values, upload, upload_and_check
from tests.domain.imports.rosters import row, run, write_csv
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant, make_person
from tests.features.scim.provider import Provider, audited, user
from tests.page_reading import words
from tests.pages.api.calling import system
from tests.pages.monitoring.world import enter, make_world

NORTH = "Westshire Police/Local Policing/Response, North"
THEIRS = (
    "Staff No",
    "Last name",
    "First name",
    "Email",
    "Rank",
    "Role",
    "Unit",
    "Line manager",
    "Start date",
)
NOTHING = "Cath Carr will have nothing to complete: no directive names the role “resp”."


@pytest.fixture(autouse=True)
def world(database):
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        made = make_world()
        made.people["D9001"] = make_person(made.units["force"], staff_number="D9001", role="audit")
        make_grant(made.people["D9001"], "administrator")
        yield made


@pytest.fixture
def desk(client, world):
    return enter(client, world, "D9001")


def joiner(number, **values):
    return row(number, unit_path=NORTH, **values)


CATH = joiner("W9903", surname="Carr", forenames="Cath", designated_role="resp")


def theirs(number="W9903", rank="Constable", role="response", unit=NORTH, when="14/03/2026", **other):
    address, manager = other.get("email", f"{number}@westshire.example"), other.get("manager", "")
    values = (number, "Carr", "Cath", address, rank, role, unit, manager, when)
    return dict(zip(THEIRS, values, strict=True))


def test_what_is_not_known_is_asked_on_the_page_and_the_check_says_who_has_nothing(desk):
    rows = [theirs("W1"), theirs("W9903", "Constabel", "resp", "Westshire Police/Crime/Team Z")]

    page = upload(desk, csv_of(rows, THEIRS))
    page = desk.press(page, "Check the file", **selected_values(page))

    assert page.h1 == "Say what values of roster.csv mean"
    assert "New: create the unit “Westshire Police/Crime/Team Z”" in page.text
    assert sorted(selected_values(page).values()) == ["", "Constable", "response"]
    page = press_new(desk, page)
    assert page.h1 == "Every row is good"
    assert "2 people join; 1 of them will have something to complete." in page.text
    assert NOTHING in page.text
    assert "The role “resp” is new: nobody has it, and no directive names it" in page.text
    desk.press(page, "Apply the import")
    links = {text: href for text, href in desk.page("/desk").links.items() if "no directive names" in text}
    (href,) = links.values()
    assert "resp 1 1 response W9903" in desk.page(href).text


def test_one_column_is_not_both_of_two_things(app, desk, tmp_path):
    page = upload(desk, csv_of([theirs()], THEIRS))
    picked = selected_values(page)
    surname, role, first = (picked[f"column_{name}"] for name in ("surname", "designated_role", "valid_from"))

    page = desk.press(
        page, "Check the file", **picked | {"column_forenames": surname, "column_valid_to": first}
    )

    assert page.h1 == "Match the columns of roster.csv"
    for sentence, field in (
        ("“Last name” cannot be both “Surname” and “Forenames”. Choose another column", "forenames"),
        ("“Start date” cannot be both “First day of the post” and “Last day of the post”", "valid_to"),
    ):
        assert any(text.startswith(sentence) for text in page.links)
        assert [href for text, href in page.links.items() if text.startswith(sentence)] == [
            f"#column_{field}"
        ]
    page = desk.press(page, "Check the file", **picked | {"column_rank_or_grade": role, "save_as": "HR"})
    assert press_new(desk, page).h1 == "Every row is good", "a title may be both rank and role"

    with transaction():
        (saved,) = db.session.scalars(select(ImportProfile))
        saved.columns = saved.columns | {"columns": saved.columns["columns"] | {"forenames": "Last name"}}
    path = tmp_path / "hr.csv"
    path.write_bytes(csv_of([theirs()], THEIRS))
    refused = run(app, "people", "import", path, "--profile", "HR")
    assert refused.exit_code == 1
    assert "“Last name” cannot be both “Surname” and “Forenames”" in refused.stderr


def test_the_column_of_people_is_no_module(desk):
    make_version("respond", title="Respond: at the scene")
    heads = ("Staff number", "Respond")
    page = upload(
        desk,
        csv_of([dict(zip(heads, ("W1", "14/03/2026"), strict=True))], heads),
        "completions",
        shape="person",
    )

    page = desk.press(
        page,
        "Check the file",
        **selected_values(page) | {"activity_0": "module/respond"},
        fixed_source_system="LMS",
    )

    assert "“Staff number” cannot be both “Person” and the day of a module or event" in page.text


def ask_of(desk, unit, **fields):
    """Upload a roster with one row of this unit; the page that asks what it means."""
    page = upload(desk, csv_of([theirs(unit=unit)], THEIRS))
    page = desk.press(page, "Check the file", **selected_values(page), **fields)
    assert page.h1 == "Say what values of roster.csv mean"
    return page


@pytest.mark.parametrize("answer", ["Team Z", "Othershire/Team Z", "westshire police/Team Z"])
def test_no_answer_makes_a_second_force(desk, answer):
    page = desk.press(ask_of(desk, "Team Z"), "Check the file", answer_0=answer)

    assert page.h1 == "Say what values of roster.csv mean"
    top = answer.partition("/")[0]
    assert f"No force is called “{top}”. Begin the unit’s path with “Westshire Police/”" in page.text


def test_the_path_that_is_answered_is_asked_about_as_one_of_the_file_and_what_is_new_is_named(
    app, desk, tmp_path
):
    mistyped = "Westshire Police/Local Policing/Respnse, North/Team A"

    page = desk.press(ask_of(desk, "Team Z", save_as="HR"), "Check the file", answer_0=mistyped)

    assert page.h1 == "Say what values of roster.csv mean"
    assert f"“{mistyped}”, 1 row" in page.text
    assert f"New: create the unit “{mistyped}”" in page.text
    assert (NORTH, NORTH) in [(option.get("value"), words(option)) for option in page.all("option")], (
        "near ones are proposed"
    )
    path = tmp_path / "hr.csv"
    path.write_bytes(csv_of([theirs(unit="Team Z")], THEIRS))
    refused = run(app, "people", "import", path, "--profile", "HR")
    assert refused.exit_code == 1
    assert f"Line 2: “Unit”: “{mistyped}” is new." in refused.stderr

    page = press_new(desk, page)

    assert page.h1 == "Every row is good", page.text
    look = page.text.partition("Look at this first")[2]
    assert f"Line 2: The unit “{mistyped.removesuffix('/Team A')}” is new (1 row)." in look
    assert f"Line 2: The unit “{mistyped}” is new (1 row)." in look
    assert run(app, "people", "import", path, "--profile", "HR", "--dry-run").exit_code == 0


def test_the_answer_may_be_the_known_unit_that_was_meant(app, desk, tmp_path):
    page = desk.press(ask_of(desk, "Team Z", save_as="HR"), "Check the file", answer_0="Response, Nroth")
    assert "No force is called “Response, Nroth”" in page.text
    page = desk.press(page, "Check the file", answer_0="Westshire Police/Local Policing/Response, Nroth")
    page = desk.press(page, "Check the file", answer_0=NORTH)

    assert page.h1 == "Every row is good", page.text
    assert sections(page)["People who join"][0][3] == NORTH
    assert "The unit" not in page.text
    path = tmp_path / "hr.csv"
    path.write_bytes(csv_of([theirs(unit="Team Z")], THEIRS))
    assert run(app, "people", "import", path, "--profile", "HR").exit_code == 0


def test_a_new_force_of_a_file_is_called_one(app, desk, tmp_path):
    page = ask_of(desk, "Othershire/Team Z")

    assert "New: create the unit “Othershire/Team Z”, in a new force beside “Westshire Police”" in page.text
    page = press_new(desk, page)
    told = run(app, "people", "import", write_csv(tmp_path / "a.csv", [row(unit_path="Othershire")]))

    assert "Line 2: “Othershire” becomes a new force beside “Westshire Police” (1 row)." in page.text
    assert "Look at line 2: “Othershire” becomes a new force beside “Westshire Police”" in told.stdout


def test_many_new_values_are_answered_at_once(desk):
    rows = [theirs(f"W{n}", role=f"role {n}") for n in range(120)]
    page = upload(desk, csv_of(rows, THEIRS))
    page = desk.press(page, "Check the file", **selected_values(page))

    page = desk.press(page, "Check the file", others_designated_role="y")

    assert page.h1 == "Every row is good", page.text[:300]
    assert len(sections(page)["People who join"]) == 120


def test_a_file_in_which_everything_is_known_asks_and_tells_nothing(desk, app, tmp_path):
    page = upload_and_check(desk, csv_of([joiner("W1")]))
    told = run(app, "people", "import", write_csv(tmp_path / "a.csv", [joiner("W1")]), "--dry-run")

    assert page.h1 == "Every row is good"
    assert "is new" not in page.text
    assert told.exit_code == 0
    assert "1 person joins and will have something to complete." in told.stdout
    assert "is new" not in told.stdout


def test_a_command_names_what_is_new_and_refuses_what_looks_mistyped(app, tmp_path):
    rows = [joiner("W1"), {**CATH, "designated_role": "horse handler"}]
    result = run(app, "people", "import", write_csv(tmp_path / "a.csv", rows), "--dry-run")
    assert result.exit_code == 0
    assert "Look at line 3: The role “horse handler” is new" in result.stdout
    assert (
        "Cath Carr will have nothing to complete: no directive names the role “horse handler”."
        in result.stdout
    )

    path = write_csv(tmp_path / "b.csv", [joiner("W1"), CATH])
    result = run(app, "people", "import", path)
    assert result.exit_code == 1
    assert "Line 3: designated_role 'resp' is new, and looks like 'response' mistyped." in result.stderr
    result = run(app, "people", "import", path, "--new-values")
    assert result.exit_code == 0
    assert NOTHING in result.stdout


def test_another_system_is_told_the_same(app):
    writer = system(app, TokenScope.WRITE)
    text = csv_of([CATH]).decode()

    refused = writer.send("/roster", text)
    taken = writer.send("/roster?new_values=accept", text).get_json()

    assert refused.status_code == 400
    assert "looks like" in refused.text
    assert taken["state"] == "applied"
    assert NOTHING in [notice["reason"] for notice in taken["notices"]]


def test_a_provider_is_logged_and_the_desk_has_its_role(app, desk):
    Provider(app).add("4711", userType="resp", department="Westshire Police/Crime/Team Z")

    (event,) = audited("scim.role_not_named")
    assert event.detail["role"] == "resp"
    assert [made.detail["unit"] for made in audited("scim.unit_created")] == ["Westshire Police/Crime/Team Z"]
    assert "resp 1 1 response 4711" in desk.page("/imports/roles").text


@pytest.mark.parametrize("address", ["bob.older@westshire", "bob@.uk", "bob@west..uk", "b\u200bob@west.uk"])
def test_an_address_without_a_domain_is_bad_everywhere(app, desk, tmp_path, address):
    bad = joiner("W1", email=address)

    command = run(app, "people", "import", write_csv(tmp_path / "a.csv", [bad]))
    page = upload_and_check(desk, csv_of([bad]))
    sent = system(app, TokenScope.WRITE).send("/roster", csv_of([bad]).decode())
    _, told = Provider(app).refused("POST", "/Users", {**user("4711"), "emails": [{"value": address}]})

    for text in (command.stderr, page.text, sent.text, told):
        assert "is not an email address" in text
    assert not db.session.scalar(db.select(PersonName.person_id).where(PersonName.staff_number == "W1"))


def test_reasons_have_the_columns_and_days_of_the_file(desk):
    rows = [theirs(when="30/02/2026", manager="W0000"), theirs("W2", when="14/03/2026", email="bob")]

    page = upload_and_check(desk, csv_of(rows, THEIRS))

    assert "“Start date” '30/02/2026' is not a date. Write it as 30/04/2026." in page.text
    assert "“Email” 'bob' is not an email address." in page.text
    page = upload_and_check(desk, csv_of([theirs(manager="W0000")], THEIRS))
    assert "“Line manager” 'W0000' is nobody's staff number" in page.text


def test_nobody_moves_whose_post_stays_the_same(app, desk, tmp_path):
    run(app, "people", "import", write_csv(tmp_path / "a.csv", [joiner("W1")]))

    page = upload_and_check(
        desk, csv_of([joiner("W1", valid_from="2026-05-01", line_manager_staff_number="D2001")])
    )

    listed = sections(page)
    assert "People who move" not in listed
    (corrected,) = listed["Posts that are corrected"]
    assert corrected[2] == "1 May 2026"
    assert "line manager: nobody becomes D2001" in corrected[3]
