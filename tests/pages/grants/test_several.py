"""One role for several people: found and ticked, or pasted; errors by line; one act each in the audit."""

from datetime import date

import pytest

from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.grants.granting import count_live_grants, signed_in_administrator, subjects_of, table_rows

pytestmark = pytest.mark.slow
PAGE = "/grants/new"


def test_found_and_pasted_people_get_one_role(client: PortalClient) -> None:
    admin = signed_in_administrator(client)
    force = make_unit("Westshire")
    team = make_unit("Response", force)
    names = (("R1", "Ali"), ("R2", "Byrne"), ("R3", "Cole"))
    people = [make_person(team, staff_number=number, surname=surname) for number, surname in names]
    make_grant(people[1], "manager", team)
    page = admin.page(admin.page("/grants").links["Give a role to several people"])
    asked = {"role": "manager", "unit": str(team)}

    found = admin.press(page, "Find", find="y", q="respon", numbers="R3", **asked)
    assert [box.get("value") for box in found.all("input", name="found")] == ["R1", "R2"]
    wrong = admin.press(found, "Continue", 400, found=["R1"], numbers="R3\n\nNOBODY\nD9001", **asked)
    assert "Line 3: NOBODY is nobody whose account you may change." in wrong.links
    assert wrong.links["Line 4: you cannot give yourself a role."] == "#numbers"
    assert "R1" in wrong.form_with("Continue").fields["numbers"][0]

    preview = admin.press(wrong, "Continue", numbers="R3\nR2\nR3\nR1", **asked)
    assert preview.h1 == "Give 2 people the role Manager"
    assert "Response, without a last day. Each will see 3 people." in preview.text
    assert [row[1] for row in table_rows(preview)] == [
        "Does not have it",
        "Has it already: nothing changes",
        "Does not have it",
    ]
    assert count_live_grants() == 2
    done = admin.press(preview, "Give 2 grants", confirmed="yes")
    assert "2 grants given. 1 grant given already." in done.text
    assert sorted(subjects_of("role.granted")) == sorted([people[0], people[2]])
    again = admin.press(preview, "Give 2 grants", confirmed="yes")
    assert "3 grants given already." in again.text
    assert count_live_grants() == 4


def test_a_last_day_and_the_limits_of_a_units_administrator(client: PortalClient) -> None:
    admin = signed_in_administrator(client)
    unit = make_unit("Response")
    make_person(unit, staff_number="R1")
    page = admin.page(PAGE)
    given = {"role": "manager", "unit": str(unit), "numbers": "R1"}
    past = admin.press(page, "Continue", 400, until="1 January 2020", **given)
    assert past.links["The last day must be today or later"] == "#until"
    whole = admin.press(page, "Continue", 400, **{**given, "role": "publisher"})
    assert any("is a role for the whole force" in words for words in whole.links)
    empty = admin.press(page, "Continue", 400, **{**given, "numbers": " "})
    assert empty.links["Enter at least one staff number."] == "#numbers"
    preview = admin.press(page, "Continue", until=f"31 March {date.today().year + 1}", **given)
    assert f"until 31 March {date.today().year + 1}" in preview.text
