"""My learning answers: what must I do, by when, and what is next?"""

from datetime import date

import pytest
from sqlalchemy import event, select

from portal.domain.directives.models import Directive, Exclusion
from portal.domain.records.models import Record
from portal.platform.db import db, stamp, touch, transaction
from portal.platform.permissions import Role
from tests.factories.catalogue import make_guide, make_version
from tests.factories.people import make_grant
from tests.page_reading import H, words
from tests.pages.account.browsing import let_in, make_account, sign_in
from tests.pages.learning.asking import ask
from tests.pages.learning.working import answer_all, attempt_base, begin, learner, read_lessons, take


@pytest.fixture
def _spring(time_machine):
    time_machine.move_to("2026-04-18T10:00:00+00:00", tick=True)


def next_button(page) -> str:
    """The words of the one large button."""
    (button,) = [*page.all("a", class_="portal-next"), *page.all("button", class_="portal-next")]
    return words(button)


@pytest.mark.usefixtures("_spring")
def test_the_heading_says_how_much_and_by_when(client):
    for key in ("protect", "recognise", "respond"):
        make_version(key)
    ask("recognise", "protect", "respond")
    learner(client)

    page = client.page("/learning")

    assert page.h1 == "You have 3 modules to complete by 30 April 2026"
    assert "In 12 days. About 1 hour left." in page.text
    assert page.text.index("Recognise: law") < page.text.index("Protect: law")  # as the directive has them
    assert "0 of 3 complete" in page.text
    assert "Why am I asked to do this?" in page.text
    assert "Complete these modules." in page.text
    assert "You have to do this because your role is response." in page.text
    assert next_button(page) == "Start: Recognise, lesson 1 – Lesson called 1About 5 minutes"


@pytest.mark.usefixtures("_spring")
def test_the_button_follows_the_learner_to_the_pass(client):
    make_version()
    ask("protect")
    learner(client)

    client.press(client.page("/learning/modules/protect/lessons/lesson-1"), "Mark as complete and continue")
    page = client.page("/learning")
    assert page.h1 == "You have 1 module to complete by 30 April 2026"
    assert "About 15 minutes left." in page.text
    assert "In progress" in page.text
    assert any(words.startswith("Continue: Protect, lesson 2") for words in page.links)

    read_lessons(client, first="lesson-2")
    page = client.page("/learning")
    assert "Every lesson complete, assessment to take · about 10 minutes left" in page.text
    question = client.press(page, "Take the assessment: ProtectAbout 10 minutes")
    page = client.page("/learning")
    assert page.links["Continue the assessment: Protect"] == attempt_base(question)

    client.press(answer_all(client, question, correct=4), "Submit answers")
    page = client.page("/learning")
    assert page.h1 == "You have completed everything"
    assert "1 of 1 complete" in page.text
    assert db.session.scalars(select(Record.reference)).one() in page.text


@pytest.mark.usefixtures("_spring")
def test_after_a_pass_the_next_module_is_the_one_button(client):
    make_version("protect")
    make_version("respond")
    ask("protect", "respond")
    learner(client)

    page = take(client, 4)

    assert "1 module is left, due on 30 April 2026. About 20 minutes." in page.text
    assert next_button(page).startswith("Start: Respond, lesson 1")


@pytest.mark.usefixtures("_spring")
def test_due_dates_group_the_requirements_and_the_earliest_leads(client):
    for key in ("protect", "recognise"):
        make_version(key)
    ask("protect", "recognise", reference="LATER", due="2026-06-30")
    ask("recognise", reference="SOONER", due="2026-04-30")
    learner(client)

    page = client.page("/learning")

    assert page.h1 == "You have 2 modules to complete, the first by 30 April 2026"
    assert "To complete by 30 April 2026" in page.text
    assert "To complete by 30 June 2026" in page.text
    assert next_button(page).startswith("Start: Recognise")
    assert "About 40 minutes left." in page.text  # a module asked twice is learned once


@pytest.mark.parametrize(
    ("day", "heading", "lead"),
    [
        ("2026-05-02", "1 module is overdue", "It was due on 30 April 2026. You can still complete it."),
        (
            "2026-07-02",
            "2 modules are overdue",
            "The first was due on 30 April 2026. You can still complete them.",
        ),
    ],
)
def test_the_heading_counts_only_what_is_overdue(client, time_machine, day, heading, lead):
    time_machine.move_to(f"{day}T10:00:00+00:00", tick=True)
    for key in ("protect", "recognise"):
        make_version(key)
    ask("protect", reference="LATER", due="2026-06-30")
    ask("recognise", reference="SOONER", due="2026-04-30")
    learner(client)

    page = client.page("/learning")

    assert page.h1 == heading
    assert lead in page.text
    assert "About 40 minutes left." in page.text


def test_overdue_locks_nobody_out(client, time_machine):
    time_machine.move_to("2026-05-02T10:00:00+00:00", tick=True)
    make_version()
    ask("protect")
    learner(client)

    page = client.page("/learning")

    assert page.h1 == "1 module is overdue"
    assert "Overdue" in page.text
    assert "It was due on 30 April 2026. You can still complete it." in page.text
    assert take(client, 4).h1 == "You passed"


@pytest.mark.slow
def test_a_lapsed_pass_is_taken_again(client, time_machine):
    time_machine.move_to("2026-03-10T10:00:00+00:00", tick=True)
    make_version()
    ask("protect", months=12)
    learner(client)
    assert "Until 10 March 2027" in take(client, 4).text
    assert "valid until 10 March 2027" in client.page("/learning").text
    time_machine.move_to("2027-03-11T10:00:00+00:00", tick=True)
    let_in(client)

    page = client.page("/learning")
    assert page.h1 == "1 module has expired"
    assert "It was due on 10 March 2027. You can still complete it." in page.text
    assert "Was due on 10 March 2027" in page.text
    assert "Expired" in page.text
    assert "0 of 1 complete" in page.text
    page = client.page(page.links["Take again: ProtectAbout 20 minutes"])
    client.press(page, "Take this module again")
    take(client, 4)

    assert client.page("/learning").h1 == "You have completed everything"


@pytest.mark.slow
def test_the_heading_tells_overdue_and_expired_modules_together(client, time_machine):
    time_machine.move_to("2026-03-10T10:00:00+00:00", tick=True)
    make_version("protect")
    make_version("respond")
    ask("protect", reference="YEARLY", months=12)
    learner(client)
    take(client, 4)
    ask("respond", reference="ONCE", due="2026-12-31")
    time_machine.move_to("2027-03-11T10:00:00+00:00", tick=True)
    let_in(client)

    page = client.page("/learning")

    assert page.h1 == "2 modules are overdue or expired"
    assert "The first was due on 31 December 2026. You can still complete them." in page.text
    assert page.text.index("Was due on 31 December 2026") < page.text.index("Was due on 10 March 2027")


@pytest.mark.usefixtures("_spring")
def test_who_is_exempt_sees_so_and_is_asked_nothing(client):
    make_version()
    ask("protect")
    person = learner(client)
    with transaction():
        at, directive = stamp(), db.session.scalars(select(Directive)).one()
        db.session.add(
            Exclusion(
                recorded_at=at,
                person_id=person,
                directive_id=directive.id,
                exempt=True,
                reason="secondment",
                from_on=date(2026, 1, 1),
            )
        )
        touch(people=[person])

    page = client.page("/learning")

    assert page.h1 == "You have no modules to complete"
    assert "You do not have to complete anything at present." in page.text
    assert "Exempt" in page.text
    assert not [*page.all("a", class_="portal-next"), *page.all("button", class_="portal-next")]


def test_of_whom_nothing_is_asked_may_take_any_module(client):
    make_version()
    learner(client)

    page = client.page("/learning")

    assert page.h1 == "You have no modules to complete"
    assert "You have no required training at present." in page.text
    assert take(client, 4).h1 == "You passed"
    assert client.page(page.links["Protect: law & people"]).h1 == "Protect: law & people"


@pytest.mark.usefixtures("_spring")
def test_a_pass_before_the_directive_counts(client):
    make_version()
    learner(client)
    take(client, 4)

    ask("protect")

    assert client.page("/learning").h1 == "You have completed everything"


@pytest.mark.usefixtures("_spring")
def test_more_modules_make_no_more_statements(client):
    for key in ("m-a", "m-b"):
        make_version(key)
    ask("m-a", "m-b", reference="TWO")
    learner(client)
    begin(client, "m-a")
    few = _statements(client)
    keys = [f"n-{n:02d}" for n in range(20)]
    for key in keys:
        make_version(key)
    ask(*keys, reference="TWENTY")
    client.page("/learning/modules/n-03/lessons/lesson-1")

    assert _statements(client) == few


def _statements(client) -> int:
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    client.page("/learning")  # so that noting when the session was seen is over
    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        client.page("/learning")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len([statement for statement in seen if statement.lstrip().upper().startswith(("SELECT", "WITH"))])


def section(page, heading: str) -> str:
    """The words of the page from this heading to the next of its level."""
    heads = [words(head) for head in page.all("h2")]
    following = [*heads[heads.index(heading) + 1 :], "Look something up"][0]
    return page.text.partition(heading)[2].partition(following)[0]


@pytest.mark.usefixtures("_spring")
def test_everything_under_way_is_under_continue_required_or_not(client):
    for key in ("protect", "recognise", "respond", "report"):
        make_version(key)
    ask("protect", "recognise")
    learner(client)
    for key in ("recognise", "respond"):
        client.press(
            client.page(f"/learning/modules/{key}/lessons/lesson-1"), "Mark as complete and continue"
        )
    question = begin(client, "report")

    page = client.page("/learning")

    under_way = section(page, "Continue")
    assert next_button(page).startswith("Continue: Recognise, lesson 2")
    assert "Respond: law & people Lesson 2 of 2 · about 15 minutes left In progress" in under_way
    assert "Report: law & people Assessment under way · about 10 minutes left In progress" in under_way
    due = "Lesson 2 of 2 · about 15 minutes left · due by 30 April 2026 In progress"
    assert f"Recognise: law & people {due}" in under_way
    assert "Protect" not in under_way
    rows = [words(what.find(f"{H}a")) for what in page.all("div", class_="portal-tasks__what")]
    assert sorted(rows) == [
        f"{title}: law & people" for title in ("Protect", "Recognise", "Report", "Respond")
    ]
    assert page.text.count("Why am I asked to do this?") == 1
    assert words(page.all("a", href=attempt_base(question))[0]) == "Report: law & people"
    (lesson,) = page.all("a", href="/learning/modules/respond/lessons/lesson-2")
    assert words(lesson) == "Respond: law & people"


def test_an_attempt_of_whom_nothing_is_required_is_the_one_button(client):
    make_version()
    make_version("respond")
    learner(client)
    question = begin(client)

    page = client.page("/learning")

    assert page.links["Continue the assessment: Protect"] == attempt_base(question)
    assert "Respond" not in section(page, "Continue")


def test_where_nothing_is_required_the_main_column_offers_modules_and_guides(client):
    make_version()
    make_version("respond", lessons=3)
    make_guide("pocket-book")
    learner(client)
    take(client, 4)

    page = client.page("/learning")

    offered = section(page, "Modules you can take")
    assert "Protect: law & people 2 lessons and an assessment · about 20 minutes Complete" in offered
    assert "Respond: law & people 3 lessons and an assessment · about 20 minutes" in offered
    assert "Pocket-book" in section(page, "Guides to read")
    assert [words(link) for link in page.all("a")].count("Respond: law & people") == 1


@pytest.mark.usefixtures("_spring")
def test_a_withdrawn_directive_says_so(client):
    make_version()
    ask("protect")
    learner(client)
    ask("protect", effective="2026-04-01", withdrawn=True)

    page = client.page("/learning")

    assert page.h1 == "You have no modules to complete"
    told = section(page, "No longer required")
    assert "Directive OIC-2026, E-learning OIC-2026, was withdrawn from 1 April 2026." in told
    assert "Protect: law & people" in section(page, "Modules you can take")


@pytest.mark.usefixtures("_spring")
@pytest.mark.parametrize(("published", "beyond"), [(12, []), (13, ["All 13 modules"])])
def test_of_many_modules_those_to_complete_are_beside_the_page_and_all_are_a_link_away(
    client, published, beyond
):
    for number in range(published):
        make_version(f"module-{number:02}", lessons=1, items=1, draw=1)
    required = f"module-{published - 1}"
    ask(required)
    learner(client)

    page = client.page("/learning")

    (aside,) = page.all("aside")
    links = [(words(link), link.get("href")) for link in aside.iter(H + "a")]
    modules = [href for _, href in links if href.startswith("/learning/modules/module-")]
    assert len([href for href in modules if href.endswith("/job-aid")]) == 12
    assert len([href for href in modules if not href.endswith("/job-aid")]) == 12
    assert f"/learning/modules/{required}" in modules
    assert [link for link in links if link[0].startswith("All ")] == [(text, "/modules") for text in beyond]


@pytest.mark.parametrize(("day", "told"), [("2026-04-18", False), ("2026-05-02", True)])
def test_a_supervisor_is_told_at_sign_in_that_training_of_their_own_is_overdue(
    client, time_machine, day, told
):
    time_machine.move_to(f"{day}T10:00:00+00:00", tick=True)
    make_version()
    ask("protect")
    make_grant(make_account("D1001"), Role.MANAGER)

    page = sign_in(client)

    assert ("Your own training" in page.text) == told
    assert (page.links.get("Go to My learning") == "/learning") == told
    assert "Your own training" not in client.page("/monitoring").text
