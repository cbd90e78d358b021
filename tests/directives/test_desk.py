"""The directives desk: the list, a directive in words, the form, the preview, issuing and withdrawing."""

from datetime import date
from io import BytesIO

import pytest
from sqlalchemy import func, select

from portal.db import OPEN_END, db, stamp, touch, transaction
from portal.directives import package, queries
from portal.directives.models import DirectiveVersion
from portal.directives.writing import to_toml
from portal.people.models import Post
from portal.standing.queries import asked_of
from tests.accounts.browsing import another, make_account, sign_in
from tests.factories.catalogue import make_guide, make_version
from tests.factories.people import make_grant, make_person, make_unit
from tests.learning.asking import ask
from tests.monitoring.counting import statements
from tests.pages import Page

PREVIEW = "/directives/preview"
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


@pytest.fixture
def desk(client, time_machine):
    """The owner of directives, signed in, in a force of two teams with a module and a guide."""
    time_machine.move_to("2026-11-25T10:00:00+00:00", tick=True)
    top = make_unit("Westshire Police")
    response = make_unit("Response", top)
    make_version("protect"), make_guide("whom-to-call")
    make_grant(make_account("D4001", unit=make_unit("Learning", top)), "directive-owner")
    make_person(make_unit("Team A", response), staff_number="D1001", surname="Okafor")
    make_person(response, staff_number="D1002", surname="Hale", role="custody")
    sign_in(client, "D4001", path="/sign-in?next=/directives")
    return client


def own(page):
    """The page's own form, the one that is not the header's."""
    return next(f for f in page.forms() if "csrf_token" in f.fields and f.action != "/sign-out")


def send(client, page, path, **fields):
    """Post these fields with the token of ``page``, as a button with that address does."""
    data = {"csrf_token": own(page).fields["csrf_token"][0], **fields}
    response = client.post(path, data=data, follow_redirects=True)
    assert response.status_code in (200, 409)
    return Page(response, path)


def again(client, page, path, **fields):
    """Post what ``page`` carries, with these fields otherwise."""
    return send(client, page, path, **{**own(page).fields, **fields})


def previewed(client, **fields):
    return send(client, client.page("/directives/new"), PREVIEW, do="preview", **{**FORM, **fields})


def versions():
    return db.session.scalar(select(func.count()).select_from(DirectiveVersion))


def test_the_list_and_a_directive_in_words(desk):
    ask("protect", reference="OIC-2026")

    page = desk.page("/directives")

    assert page.h1 == "1 directive in force"
    assert "In force since 1 September 2025 2 people 0%" in page.text
    told = desk.page("/directives/OIC-2026")
    assert "Everyone with the role response." in told.text
    assert "On 30 April 2026." in told.text
    assert "It reaches 2 people today, of whom 0% are complete." in told.text


def test_the_list_takes_as_many_reads_for_twenty_as_for_two(desk):
    counts = []
    for number in range(20):
        ask("protect", reference=f"D-{number}")
        if number in (1, 19):
            with statements() as run:
                assert desk.page("/directives").h1 == f"{number + 1} directives in force"
            counts.append(len(run))

    assert counts[0] == counts[1]


def test_a_directive_is_issued_through_form_and_preview(desk):
    shown = previewed(desk)
    assert shown.h1 == "2 people join"  # the owner has the role response too
    assert "Okafor, Priya" in shown.text
    assert "Hale" not in shown.text
    assert versions() == 0
    done = again(desk, shown, PREVIEW, do="issue")

    assert done.h1 == "A new directive"
    assert "Version 1 of NEW-1 is issued and in force from 1 December 2025." in done.text
    assert "On 30 April 2027 or 60 days after joining the audience, whichever is later." in done.text
    assert "95%" in done.text


def test_the_form_and_the_file_say_the_same(desk):
    again(desk, previewed(desk, months="24"), PREVIEW, do="issue")
    response = desk.get("/directives/NEW-1/versions/1?as=toml")

    assert response.headers["Content-Disposition"] == "attachment; filename=NEW-1-1.toml"
    file = package.read(response.data)
    assert package.read(to_toml(file)) == file
    assert (file.validity_months, file.notice_days) == (24, [30, 7, 1])
    assert file == queries.directive("NEW-1").newest.file


def test_a_change_shows_whose_due_date_changes_and_keeps_what_was(desk):
    again(desk, previewed(desk), PREVIEW, do="issue")
    page = desk.page("/directives/NEW-1/change")
    form = own(page).fields
    assert form["audience-0-roles"] == ["response"]
    fields = {"effective_on": "1 January 2027", "due_on": "31 July 2027"}
    shown = again(desk, page, f"{PREVIEW}?of=NEW-1", do="preview", **fields)

    assert shown.h1 == "2 people get another due date"
    assert "31 July 2027, before 30 April 2027" in shown.text
    back = again(desk, shown, "/directives/NEW-1/change", do="edit")
    assert own(back).fields["due_on"] == ["31 July 2027"]
    done = again(desk, shown, f"{PREVIEW}?of=NEW-1", do="issue")
    assert "Next change: version 2 from 1 January 2027." in done.text
    assert "Due: “On 31 July 2027 or 60 days" in done.text
    assert "On 30 April 2027" in done.text  # what it says today


def test_a_change_of_nothing_has_nothing_to_issue(desk):
    again(desk, previewed(desk), PREVIEW, do="issue")
    page = desk.page("/directives/NEW-1/change")
    shown = again(desk, page, f"{PREVIEW}?of=NEW-1", do="preview", effective_on="1 December 2025")

    assert "Version 1 of NEW-1 says the same already." in shown.text
    assert not any("Issue version" in button for form in shown.forms() for button in form.buttons)


def test_what_moved_on_after_the_preview_is_previewed_again(desk):
    shown = previewed(desk)
    make_person(make_unit("Late"), staff_number="D1009", surname="Late")
    again_shown = again(desk, shown, PREVIEW, do="issue")

    assert again_shown.status == 409
    assert again_shown.h1 == "3 people join"
    assert "Posts, units or this directive changed after you looked" in again_shown.text
    assert versions() == 0
    assert "is issued" in again(desk, again_shown, PREVIEW, do="issue").text


def test_what_moved_on_without_effect_is_issued_as_previewed(desk):
    shown = previewed(desk)
    make_person(make_unit("Elsewhere"), staff_number="D1009", role="dogs")

    assert "is issued" in again(desk, shown, PREVIEW, do="issue").text


WRONG = {
    "reference": ("A B", "Write letters, digits and hyphens alone, such as OIC-2026."),
    "title": (" ", "Enter a title"),
    "source": ("", "Enter the recommendation that the directive answers"),
    "wording": ("", "Enter the exact wording of the directive"),
    "owner": ("D0000", "Nobody has the staff number D0000."),
    "effective_on": ("31 February 2027", "Enter a date such as 30 April 2027"),
    "requirements": ([], "Choose at least one module or guide"),
    "audience-0-roles": ([], "Choose a role, a unit or a rank, or remove this group"),
    "due_on": ("soon", "Enter a date such as 30 April 2027"),
    "due_days": ("-3", "Enter whole days, such as 60, or leave it empty"),
    "months": ("two", "Enter whole months, such as 24, or leave it empty"),
    "yearly_on": ("29 February", "Enter a day that every year has, such as 30 April"),
    "gap": ("6", "Leave this empty, or enter the day of the year above"),
    "ends_soon": ("x", "Enter whole days, such as 60, or leave it empty"),
    "notices": ("30, x", "Enter days as whole numbers with commas between them, such as 30, 7, 1"),
    "target": ("101", "Enter the target as a number from 0 to 100, such as 95"),
}


@pytest.mark.parametrize("field", WRONG)
def test_wrong_input_gets_a_sentence_beside_its_field(desk, field):
    typed, sentence = WRONG[field]
    page = previewed(desk, **{field: typed})

    assert page.title.startswith("Error: New directive")
    assert page.links[sentence] == f"#{field}"
    (beside,) = page.all("p", id=f"{field}-error")
    assert "".join(beside.itertext()).strip().endswith(sentence)
    assert versions() == 0


NOWHERE = "No unit has the path 'Nowhere//' on 2025-12-01."


def test_what_is_not_there_is_said_beside_its_field(desk):
    fields = {"requirements": ["module:protect", "event:none"], "audience-0-units": ["Nowhere//"]}
    page = previewed(desk, **fields)

    assert page.links[NOWHERE] == "#audience-0-units"
    assert page.links["There is no event 'none'. Publish it first."] == "#requirements"
    assert own(page).fields["audience-0-units"] == ["Nowhere//"]


@pytest.mark.parametrize("day", ["1/1/0001", "31 December 9999"])
def test_the_first_and_the_last_day_there_is_can_be_previewed(desk, day):
    assert previewed(desk, effective_on=day, due_on=day, due_days="36500").h1 == "2 people join"


def test_a_day_of_the_year_needs_its_gap_and_no_months(desk):
    fields = {"yearly_on": "30 April", "months": "12"}
    page = previewed(desk, **fields)

    assert page.links["Enter either months or a day of the year, and leave the other empty"] == "#yearly_on"
    assert page.links["Enter the least months that a completion counts, such as 6"] == "#gap"
    right = previewed(desk, yearly_on="30 April", gap="6")
    assert "A completion counts until 30 April, the first that is at least 6 months later." in right.text


def test_a_reference_that_is_taken_leads_to_its_own_page(desk):
    ask("protect", reference="NEW-1")

    assert "There is a directive NEW-1 already. Change it on its own page" in previewed(desk).text


def test_a_version_needs_a_later_day(desk):
    ask("protect", reference="OIC-2026")
    page = desk.page("/directives/OIC-2026/change")
    fields = {"do": "preview", "effective_on": "1/9/2025", "title": "Other"}
    shown = again(desk, page, f"{PREVIEW}?of=OIC-2026", **fields)

    assert any("A new version needs a later date." in words for words in shown.links)
    assert own(shown).fields["title"] == ["Other"]


def test_groups_and_units_are_added_and_removed(desk):
    page = desk.page("/directives/new")
    fields = {**FORM, "audience-0-unit": "Westshire Police/Response"}
    page = send(desk, page, "/directives/new", do="add-unit", **fields)
    assert own(page).fields["audience-0-units"] == ["Westshire Police/Response"]
    assert "Everyone with the role response, in Response or any unit below." in page.text
    page = again(desk, page, "/directives/new", do="add-audience-0")
    page = again(desk, page, "/directives/new", do="add-unit", **{"audience-1-more_roles": "dog handler\n"})
    assert own(page).fields["audience-1-roles"] == ["dog handler"]
    page = again(desk, page, "/directives/new", do="add-except-0")
    page = again(desk, page, "/directives/new", do="add-unit", **{"exceptions-0-ranks": ["Constable"]})
    assert "but not everyone of the rank or grade Constable." in page.text
    page = again(desk, page, "/directives/new", do="remove-audience-0")

    assert "Everyone with the role dog handler, but not" in page.text
    assert own(page).fields["title"] == ["A new directive"]


def test_a_file_fills_in_the_form(desk):
    file = to_toml(_file())
    page = desk.page("/directives/new")
    token = own(page).fields["csrf_token"][0]

    def upload(content):
        data = {"csrf_token": token, "upload": (BytesIO(content), "directive.toml")}
        return Page(desk.post("/directives/new", data=data), "/directives/new")

    filled = upload(file)
    assert own(filled).fields["title"] == ["From a file"]
    assert own(filled).fields["yearly_on"] == ["30 April"]
    refused = upload(b"title = 3")
    assert refused.title.startswith("Error: ")
    assert "title: write a text" in refused.text
    assert "owner: write a text" in refused.text


def _file():
    return package.read(
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


def test_withdrawing_says_what_happens_to_whom_and_keeps_the_past(desk, time_machine):
    ask("protect", reference="OIC-2026")
    person = make_person(make_unit("Later"), staff_number="D1010", surname="Vale")
    day = date(2026, 10, 1)
    before, report = asked_of(person, day), desk.page("/monitoring/directives/OIC-2026?as_at=2026-10-01").text
    page = desk.page("/directives/OIC-2026/withdraw")
    assert "Enter the day from which nobody is asked" in desk.press(page, "See what happens to whom").text
    early = desk.press(page, "See what happens to whom", effective_on="1/1/2025")
    assert any("A new version needs a later date." in words for words in early.links)
    shown = desk.press(page, "See what happens to whom", effective_on="1 December 2026")
    assert shown.h1 == "3 people leave"
    assert "Vale, Priya" in shown.text
    done = send(desk, shown, shown.path, **{**own(shown).fields, "do": "withdraw"})

    assert "OIC-2026 is withdrawn from 1 December 2026. Its history stays." in done.text
    assert "Next change: withdrawn from 1 December 2026." in done.text
    assert asked_of(person, day) == before
    assert asked_of(person, date(2026, 11, 30)) != []
    assert asked_of(person, date(2026, 12, 1)) == []
    assert _figures(report) == _figures(desk.page("/monitoring/directives/OIC-2026?as_at=2026-10-01").text)
    time_machine.move_to("2026-12-02T10:00:00+00:00", tick=True)
    sign_in(desk, "D4001", path="/sign-in?next=/directives")
    assert "Withdrawn since 1 December 2026" in desk.page("/directives").text
    assert desk.page("/directives").h1 == "No directive is in force"


def _figures(text):
    return text.partition("complete:")[2][:60]


def test_a_preview_names_nobody_outside_the_viewers_sight(desk, app):
    unit = make_unit("Somewhere")
    make_grant(make_account("D4002", unit=unit), "directive-owner", unit)
    client = another(app)
    sign_in(client, "D4002", path="/sign-in?next=/directives")
    shown = previewed(client)

    assert shown.h1 == "3 people join"
    assert "Okafor" not in shown.text
    assert "2 people of them are outside what you may see." in shown.text


def test_who_may_look_may_not_issue(desk, app):
    ask("protect", reference="OIC-2026")
    make_grant(make_account("D6001"), "auditor")
    client = another(app)
    sign_in(client, "D6001", path="/sign-in?next=/directives")

    page = client.page("/directives/OIC-2026")
    assert "Change it" not in page.text
    for path in ("/directives/new", "/directives/OIC-2026/change", "/directives/OIC-2026/withdraw", PREVIEW):
        assert client.get(path).status_code == 403


def test_a_long_preview_is_paged_and_keeps_what_was_typed(desk):
    unit = make_unit("Large")
    people = [make_person(None, staff_number=f"L{n:03}", surname=f"Name{n:03}") for n in range(30)]
    with transaction():
        at = stamp()
        for person in people:
            db.session.add(
                Post(
                    recorded_at=at,
                    person_id=person,
                    rank_or_grade="Constable",
                    designated_role="response",
                    unit_id=unit,
                    valid_from=date(2024, 1, 1),
                    valid_to=OPEN_END,
                )
            )
        touch(people=people)
    shown = previewed(desk)
    assert "Showing 1 to 25 of 32" in shown.text
    second = again(desk, shown, PREVIEW, page_joins="2")

    assert "Showing 26 to 32 of 32" in second.text
    assert "is issued" in again(desk, second, PREVIEW, do="issue").text
