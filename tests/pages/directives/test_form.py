"""The form of a directive: wrong input, groups and units, a file to begin from."""

from io import BytesIO

import pytest

from portal.domain.directives import files
from portal.domain.directives.files import to_toml
from tests.page_reading import Page
from tests.pages.directives.pages import (
    FORM,
    PREVIEW,
    count_versions,
    open_preview,
    own_form,
    send_again,
    send_form,
)
from tests.pages.learning.asking import ask

WRONG = {
    "reference": ("A B", "Use only letters, digits and hyphens, such as OIC-2026."),
    "title": (" ", "Enter a title"),
    "source": ("", "Enter the recommendation that the directive answers"),
    "wording": ("", "Enter the exact wording of the directive"),
    "owner": ("D0000", "Nobody has the staff number D0000."),
    "effective_on": ("31 February 2027", "Enter a date, such as 31 May 2027"),
    "requirements": ([], "Choose at least one module, guide or event"),
    "audience-0-roles": ([], "Choose a role, a unit or a rank, or remove this group"),
    "due_on": ("soon", "Enter a date, such as 31 May 2027"),
    "due_days": ("-3", "Enter whole days, such as 60, or leave it blank"),
    "months": ("two", "Enter whole months, such as 24, or leave it blank"),
    "yearly_on": ("29 February", "Enter a day that every year has, such as 30 April"),
    "gap": ("6", "Leave this blank, or enter the day of the year above"),
    "ends_soon": ("x", "Enter whole days, such as 60, or leave it blank"),
    "notices": ("30, x", "Enter days as whole numbers with commas between them, such as 30, 7, 1"),
    "target": ("101", "Enter the target as a number from 0 to 100, such as 95"),
}


@pytest.mark.parametrize("field", WRONG)
def test_wrong_input_gets_a_sentence_beside_its_field(desk, field):
    typed, sentence = WRONG[field]
    page = open_preview(desk, **{field: typed})

    assert page.title.startswith("Error: New directive")
    assert page.links[sentence] == f"#{field}"
    (beside,) = page.all("p", id=f"{field}-error")
    assert "".join(beside.itertext()).strip().endswith(sentence)
    assert count_versions() == 0


def test_a_role_and_a_rank_that_nobody_has_are_named_before_the_version_is_issued(desk):
    page = open_preview(
        desk, **{"audience-0-roles": [], "audience-0-more_roles": "resonse", "audience-0-ranks": ["Reeve"]}
    )

    assert page.h1 == "Nobody will have to do this: nobody is in its audience"
    assert "Nobody has the role “resonse”. Did you mean “response”?" in page.text
    assert "Nobody has the rank or grade “Reeve”." in page.text
    assert page.text.index("“resonse”. Did") < page.text.index("Issue version 1")


def test_one_wrong_role_beside_a_right_one_is_named(desk):
    page = open_preview(desk, **{"audience-0-more_roles": "custodi\nfarrier"})

    assert page.h1 == "2 people will have to do this"
    assert "Nobody has the role “custodi”. Did you mean “custody”?" in page.text
    assert "Nobody has the role “farrier”." in page.text
    assert "Nobody has" not in open_preview(desk).text


NOWHERE = "No unit has the path 'Nowhere//' on 2025-12-01."


def test_what_is_not_there_is_said_beside_its_field(desk):
    fields = {"requirements": ["module:protect", "event:none"], "audience-0-units": ["Nowhere//"]}
    page = open_preview(desk, **fields)

    assert page.links[NOWHERE] == "#audience-0-units"
    assert page.links["There is no event 'none'. Publish it first."] == "#requirements"
    assert own_form(page).fields["audience-0-units"] == ["Nowhere//"]


@pytest.mark.parametrize(("first", "due"), [("1/1/0001", "1/1/0001"), ("1/1/2027", "31 December 9999")])
def test_the_first_and_the_last_day_there_is_can_be_previewed(desk, first, due):
    assert (
        open_preview(desk, effective_on=first, due_on=due, due_days="36500").h1
        == "2 people will have to do this"
    )


def test_a_day_of_the_year_needs_its_gap_and_no_months(desk):
    fields = {"yearly_on": "30 April", "months": "12"}
    page = open_preview(desk, **fields)

    assert page.links["Enter either months or a day of the year, and leave the other blank"] == "#yearly_on"
    assert page.links["Enter the least months that a pass counts, such as 6"] == "#gap"
    right = open_preview(desk, yearly_on="30 April", gap="6")
    assert "A pass counts until the first 30 April that is at least 6 months later." in right.text


def test_a_reference_that_is_taken_leads_to_its_own_page(desk):
    ask("protect", reference="NEW-1")

    assert "There is already a directive NEW-1. Change it on its own page" in open_preview(desk).text


def test_a_version_needs_a_later_day(desk):
    ask("protect", reference="OIC-2026")
    page = desk.page("/directives/OIC-2026/change")
    fields = {"do": "preview", "effective_on": "1/9/2025", "title": "Other"}
    shown = send_again(desk, page, f"{PREVIEW}?of=OIC-2026", **fields)

    assert any("Choose a later date for a new version." in words for words in shown.links)
    assert own_form(shown).fields["title"] == ["Other"]


def test_groups_and_units_are_added_and_removed(desk):
    page = desk.page("/directives/new")
    fields = {**FORM, "audience-0-unit": "Westshire Police/Response"}
    page = send_form(desk, page, "/directives/new", do="add-unit", **fields)
    assert own_form(page).fields["audience-0-units"] == ["Westshire Police/Response"]
    assert "Everyone with the role response, in Response or any unit below." in page.text
    page = send_again(desk, page, "/directives/new", do="add-audience-0")
    page = send_again(
        desk, page, "/directives/new", do="add-unit", **{"audience-1-more_roles": "dog handler\n"}
    )
    assert own_form(page).fields["audience-1-roles"] == ["dog handler"]
    page = send_again(desk, page, "/directives/new", do="add-except-0")
    page = send_again(desk, page, "/directives/new", do="add-unit", **{"exceptions-0-ranks": ["Constable"]})
    assert "except those of the rank or grade Constable." in page.text
    page = send_again(desk, page, "/directives/new", do="remove-audience-0")

    assert "Everyone with the role dog handler, except" in page.text
    assert own_form(page).fields["title"] == ["A new directive"]


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "-1"])
def test_a_group_that_there_is_not_is_neither_read_nor_removed(desk, number):
    page = desk.page("/directives/new")
    forged = {**FORM, f"audience-{number}-ranks": ["Smuggled"]}
    page = send_form(desk, page, "/directives/new", do=f"remove-audience-{number}", **forged)

    assert own_form(page).fields["audience-0-roles"] == FORM["audience-0-roles"]
    assert "Smuggled" not in page.text


def test_a_file_fills_in_the_form(desk):
    file = to_toml(_file())
    page = desk.page("/directives/new")
    token = own_form(page).fields["csrf_token"][0]

    def upload(content):
        data = {"csrf_token": token, "upload": (BytesIO(content), "directive.toml")}
        return Page(desk.post("/directives/new", data=data), "/directives/new")

    filled = upload(file)
    assert own_form(filled).fields["title"] == ["From a file"]
    assert own_form(filled).fields["yearly_on"] == ["30 April"]
    refused = upload(b"title = 3")
    assert refused.title.startswith("Error: ")
    assert "title: write a text" in refused.text
    assert "owner: write a text" in refused.text


def _file():
    return files.read_directive(
        b"""
reference = "FILE-1"
title = "From a file"
source = "x"
wording = "x"
owner = "D4001"
effective_on = 2027-01-01
[due]
on = 2027-04-30
[validity]
yearly_on = "04-30"
minimum_gap_months = 6
[[audience]]
designated_role = "response"
[[requirement]]
kind = "module"
key = "protect"
"""
    )


def test_capital_letters_make_no_second_directive(desk):
    ask("protect", reference="OIC-2026")

    page = open_preview(desk, reference="oic-2026")

    assert page.title.startswith("Error: ")
    assert "There is already a directive OIC-2026. Write it with the same capitals" in page.text
    assert count_versions() == 1
