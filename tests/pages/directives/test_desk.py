"""The directives desk: the list, a directive in words, the form, the preview, issuing and withdrawing."""

from datetime import date

import pytest

from portal.domain.directives import files, queries
from portal.domain.directives.files import to_toml
from portal.domain.people.models import Post
from portal.domain.status.queries import requirements_of
from portal.platform.db import OPEN_END, db, stamp, touch, transaction
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.directives.pages import ISSUE, PREVIEW, count_versions, open_preview, own_form, send_again
from tests.pages.learning.asking import ask
from tests.pages.monitoring.counting import statements

pytestmark = pytest.mark.slow


def test_the_list_and_a_directive_in_words(desk):
    ask("protect", reference="OIC-2026")

    page = desk.page("/directives")

    assert page.h1 == "1 directive in force"
    assert "In force since 1 September 2025 2 people 0%" in page.text
    told = desk.page("/directives/OIC-2026")
    assert "Everyone with the role response." in told.text
    assert "On 30 April 2026." in told.text
    assert "It applies to 2 people today. 0% of them are complete." in told.text


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
    shown = open_preview(desk)
    assert shown.h1 == "2 people will have to do this"  # the owner has the role response too
    assert "Okafor, Priya" in shown.text
    assert "Hale" not in shown.text
    assert count_versions() == 0
    done = send_again(desk, shown, ISSUE, do="issue")

    assert done.h1 == "A new directive"
    assert "Version 1 of NEW-1 is issued and in force from 1 December 2025." in done.text
    assert "On 30 April 2027 or 60 days after joining the audience, whichever is later." in done.text
    assert "95%" in done.text


def test_the_form_and_the_file_say_the_same(desk):
    send_again(desk, open_preview(desk, months="24"), ISSUE, do="issue")
    response = desk.get("/directives/NEW-1/versions/1?as=toml")

    assert response.headers["Content-Disposition"] == "attachment; filename=NEW-1-1.toml"
    file = files.read_directive(response.data)
    assert files.read_directive(to_toml(file)) == file
    assert (file.validity_months, file.notice_days) == (24, [30, 7, 1])
    assert file == queries.get_directive("NEW-1").newest.file


def test_a_change_shows_whose_due_date_changes_and_keeps_what_was(desk):
    send_again(desk, open_preview(desk), ISSUE, do="issue")
    page = desk.page("/directives/NEW-1/change")
    form = own_form(page).fields
    assert form["audience-0-roles"] == ["response"]
    fields = {"effective_on": "1 January 2027", "due_on": "31 July 2027"}
    shown = send_again(desk, page, f"{PREVIEW}?of=NEW-1", do="preview", **fields)

    assert shown.h1 == "2 people get a new due date"
    assert "31 July 2027 (was 30 April 2027)" in shown.text
    back = send_again(desk, shown, "/directives/NEW-1/change", do="edit")
    assert own_form(back).fields["due_on"] == ["31 July 2027"]
    done = send_again(desk, shown, f"{ISSUE}?of=NEW-1", do="issue")
    assert "Next change: version 2 from 1 January 2027. New due date: on 31 July 2027 or 60 days" in done.text
    assert (
        "(until then: on 30 April 2027 or 60 days after joining the audience, whichever is later)"
        in done.text
    )
    version = desk.page("/directives/NEW-1/versions/2")
    assert "Before this version: on 30 April 2027 or 60 days" in version.text
    assert "Due: “On 31 July 2027 or 60 days" in done.text
    assert "On 30 April 2027" in done.text  # what it says today


def test_a_change_of_nothing_has_nothing_to_issue(desk):
    send_again(desk, open_preview(desk), ISSUE, do="issue")
    page = desk.page("/directives/NEW-1/change")
    shown = send_again(desk, page, f"{PREVIEW}?of=NEW-1", do="preview", effective_on="1 December 2025")

    assert "Version 1 of NEW-1 already says this." in shown.text
    assert not any("Issue version" in button for form in shown.forms() for button in form.buttons)


def test_what_moved_on_after_the_preview_is_previewed_again(desk):
    shown = open_preview(desk)
    make_person(make_unit("Late"), staff_number="D1009", surname="Late")
    again_shown = send_again(desk, shown, ISSUE, do="issue")

    assert again_shown.status == 409
    assert again_shown.h1 == "3 people will have to do this"
    assert "Posts, units or this directive have changed since your preview" in again_shown.text
    assert count_versions() == 0
    assert "is issued" in send_again(desk, again_shown, ISSUE, do="issue").text


def test_issuing_twice_is_issuing_once(desk):
    shown = open_preview(desk)
    send_again(desk, shown, ISSUE, do="issue")
    done = send_again(desk, shown, ISSUE, do="issue")

    assert "Version 1 of NEW-1 already says this" in done.text
    assert count_versions() == 1


def test_a_preview_takes_as_many_reads_for_twenty_people_as_for_two(desk):
    counts = []
    for expected in (2, 20):
        with statements() as run:
            assert open_preview(desk).h1 == f"{expected} people will have to do this"
        counts.append(len(run))
        if expected == 2:
            unit = make_unit("Large")
            for number in range(18):
                make_person(unit, staff_number=f"L{number}")

    assert counts[0] == counts[1]


def test_what_moved_on_without_effect_is_issued_as_previewed(desk):
    shown = open_preview(desk)
    make_person(make_unit("Elsewhere"), staff_number="D1009", role="dogs")

    assert "is issued" in send_again(desk, shown, ISSUE, do="issue").text


def test_the_address_of_the_preview_issues_nothing(desk):
    shown = open_preview(desk)

    again_shown = send_again(desk, shown, PREVIEW, do="issue")

    assert again_shown.h1 == shown.h1
    assert count_versions() == 0


def test_withdrawing_says_what_happens_to_whom_and_keeps_the_past(desk, time_machine):
    ask("protect", reference="OIC-2026")
    person = make_person(make_unit("Later"), staff_number="D1010", surname="Vale")
    day = date(2026, 10, 1)
    before, report = (
        requirements_of(person, day),
        desk.page("/monitoring/directives/OIC-2026?as_at=2026-10-01").text,
    )
    page = desk.page("/directives/OIC-2026/withdraw")
    assert (
        "Enter the first day that nobody has to complete it" in desk.press(page, "See who is affected").text
    )
    early = desk.press(page, "See who is affected", effective_on="1/1/2025")
    assert any("Choose a later date for a new version." in words for words in early.links)
    shown = desk.press(page, "See who is affected", effective_on="1 December 2026")
    assert shown.h1 == "3 people will no longer have to do this"
    assert "Vale, Priya" in shown.text
    again_shown = send_again(desk, shown, shown.path, do="withdraw")  # a preview changes nothing
    assert again_shown.h1 == shown.h1
    done = desk.press(shown, "Withdraw OIC-2026")

    assert "OIC-2026 is withdrawn from 1 December 2026. Its versions stay." in done.text
    assert "Next change: withdrawn from 1 December 2026." in done.text
    assert requirements_of(person, day) == before
    assert requirements_of(person, date(2026, 11, 30)) != []
    assert requirements_of(person, date(2026, 12, 1)) == []
    assert _figures(report) == _figures(desk.page("/monitoring/directives/OIC-2026?as_at=2026-10-01").text)
    time_machine.move_to("2026-12-02T10:00:00+00:00", tick=True)
    let_in(desk, "D4001")
    assert "Withdrawn since 1 December 2026" in desk.page("/directives").text
    assert desk.page("/directives").h1 == "No directive is in force"
    assert "Withdrawn from 1 December 2026." in desk.page("/monitoring/directives/OIC-2026").text


def _figures(text):
    return text.partition("complete:")[2][:60]


def test_a_preview_names_nobody_outside_the_viewers_sight(desk, app):
    unit = make_unit("Somewhere")
    make_grant(make_account("D4002", unit=unit), "directive-owner", unit)
    client = another(app)
    let_in(client, "D4002")
    shown = open_preview(client, owner="D4002")

    assert shown.h1 == "3 people will have to do this"
    assert "Okafor" not in shown.text
    assert "2 people are not listed, because you may not see them." in shown.text


def test_who_may_look_may_not_issue(desk, app):
    ask("protect", reference="OIC-2026")
    make_grant(make_account("D6001"), "auditor")
    client = another(app)
    let_in(client, "D6001")

    page = client.page("/directives/OIC-2026")
    assert "Change it" not in page.text
    assert "It applies to 3 people today" in page.text
    make_grant(make_account("D2001"), "manager", make_unit("Nobody here"))
    manager = another(app)
    let_in(manager, "D2001")
    assert "Only people you can see are counted." in manager.page("/directives").text
    assert "It applies to nobody you can see today." in manager.page("/directives/OIC-2026").text
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
    shown = open_preview(desk)
    assert "Showing 1 to 25 of 32" in shown.text
    second = send_again(desk, shown, PREVIEW, page_joins="2")

    assert "Showing 26 to 32 of 32" in second.text
    assert "is issued" in send_again(desk, second, ISSUE, do="issue").text
