"""Working through a module's lessons."""

from sqlalchemy import func, select

from portal.domain.records.models import LessonVisit, PassRecord, Registration
from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.page_reading import words
from tests.pages.learning.asking import ask
from tests.pages.learning.working import NEXT, answer_all, begin, learner, take

START = "Start: Protect, lesson 1 – Lesson called 1About 5 minutes"


def count_rows(model, *conditions) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def registrations() -> list[tuple[int, int]]:
    return [(row.person_id, row.module_version_id) for row in db.session.scalars(select(Registration))]


def test_reading_a_lesson_begins_nothing_and_start_does_once(client):
    version = make_version()
    ask("protect", due="2099-04-30")
    person = learner(client)

    lesson = client.page("/learning/modules/protect/lessons/lesson-1")
    client.page("/learning/modules/protect/lessons/lesson-2")
    module = client.page("/learning/modules/protect")

    assert lesson.h1 == "Lesson called 1"
    assert "Lesson 1 of 2 · about 5 minutes" in lesson.text
    assert "0 of 2 lessons complete" in lesson.text
    assert (registrations(), count_rows(LessonVisit)) == ([], 0)
    assert "Not started" in client.page("/learning").text
    for _ in range(2):
        assert client.press(module, START).h1 == "Lesson called 1"
    assert registrations() == [(person, version)]
    assert "In progress" in client.page("/learning").text
    client.page("/learning/modules/protect/lessons/lesson-1")
    assert count_rows(LessonVisit, LessonVisit.kind == "opened") == 1


def test_the_button_of_my_learning_starts_too(client):
    version = make_version()
    ask("protect", due="2099-04-30")
    person = learner(client)

    page = client.press(client.page("/learning"), START)

    assert page.h1 == "Lesson called 1"
    assert registrations() == [(person, version)]


def test_the_first_lesson_marked_complete_begins_a_module_too(client):
    version = make_version()
    person = learner(client)

    client.press(client.page("/learning/modules/protect/lessons/lesson-1"), NEXT)

    assert registrations() == [(person, version)]


def test_lesson_after_lesson_leads_to_the_assessment(client):
    make_version(lessons=3)
    learner(client)

    page = client.page("/learning/modules/protect/lessons/lesson-1")
    page = client.press(page, NEXT)
    assert page.h1 == "Lesson called 2"
    assert "1 of 3 lessons complete" in page.text
    assert page.links["Back to lesson 1"].endswith("/lessons/lesson-1")
    module = client.page("/learning/modules/protect")
    assert "The assessment opens when every lesson is complete. 2 lessons to go." in module.text
    page = client.press(client.press(page, NEXT), NEXT)

    assert page.h1 == "Protect: law & people"
    (main,) = page.all("main")
    first = next(part for part in main.iter() if "govuk-button" in (part.get("class") or "").split())
    assert words(first) == "Start assessment"


def test_marking_a_lesson_twice_counts_once_and_goes_on(client):
    make_version()
    learner(client)
    page = client.page("/learning/modules/protect/lessons/lesson-1")

    client.press(page, NEXT)
    again = client.press(page, NEXT)

    assert again.h1 == "Lesson called 2"
    assert count_rows(LessonVisit, LessonVisit.kind == "completed") == 1


def test_the_last_lesson_marked_first_leads_back_to_what_is_missing(client):
    make_version()
    learner(client)

    page = client.press(client.page("/learning/modules/protect/lessons/lesson-2"), NEXT)

    assert page.h1 == "Lesson called 1"


def test_the_assessment_is_shut_until_every_lesson_is_complete(client):
    make_version()
    learner(client)
    page = client.page("/learning/modules/protect/lessons/lesson-1")
    token = page.all("input", name="csrf_token")[0].get("value")

    answer = client.post(
        "/learning/modules/protect/assessment", data={"csrf_token": token}, follow_redirects=True
    )

    assert "The assessment opens when every lesson is complete." in answer.get_data(as_text=True)
    assert not any(
        "Start assessment" in form.buttons for form in client.page("/learning/modules/protect").forms()
    )


def test_testing_out_opens_the_assessment_at_once(client):
    make_version(test_out=True)
    learner(client)

    page = client.press(client.page("/learning/modules/protect"), "Start assessment")
    page = client.press(answer_all(client, page, correct=4), "Submit answers")

    assert page.h1 == "You passed"
    assert count_rows(Registration) == 1


def test_a_version_published_midway_leaves_those_under_way_on_theirs(client):
    first = make_version()
    learner(client)
    page = begin(client)
    make_version(lessons=5, mastery="1.0")

    assert "Version 1" in client.page("/learning/modules/protect/lessons/lesson-1").text
    page = client.press(answer_all(client, page, correct=3), "Submit answers")

    assert page.h1 == "You passed"
    assert db.session.scalars(select(PassRecord.module_version_id)).one() == first


def test_who_has_not_begun_gets_the_newest_version(client):
    make_version()
    newest = make_version(lessons=3)
    learner(client)

    client.press(client.page("/learning/modules/protect/lessons/lesson-3"), NEXT)

    assert db.session.scalars(select(Registration.module_version_id)).one() == newest


def test_after_a_pass_lessons_are_read_without_a_trace_and_taken_again_on_request(client):
    make_version()
    learner(client)
    take(client, 4)
    newest = make_version(lessons=3)

    page = client.page("/learning/modules/protect/lessons/lesson-3")
    assert not any(NEXT in form.buttons for form in page.forms())
    assert count_rows(Registration) == 1
    page = client.press(client.page("/learning/modules/protect"), "Take this module again")
    take(client, 3)

    assert count_rows(PassRecord) == 2
    assert (
        db.session.scalars(select(Registration.module_version_id).order_by(Registration.id)).all()[1]
        == newest
    )


def test_a_module_says_what_it_is_and_has_a_job_aid(client):
    make_version()
    learner(client)

    page = client.page("/learning/modules/protect")
    assert page.h1 == "Protect: law & people"
    assert "Know the law." in page.text
    assert (
        "Original training text, not the College of Policing’s package; not operational guidance."
        in page.text
    )
    assert "75%" in page.text
    aid = client.page(page.links["First hour"])
    assert "Call first." in aid.text
    assert count_rows(Registration) == 0


def test_what_is_not_there_is_not_found(client):
    make_version()
    learner(client)

    client.page("/learning/modules/nothing", status=404)
    client.page("/learning/modules/nothing/job-aid", status=404)
    client.page("/learning/modules/protect/briefing", status=404)
    assert client.get("/learning/modules/protect/briefing.pdf").status_code == 404
    assert "No module has a briefing yet" in client.page("/learning/briefings").text
    client.page("/learning/modules/protect/lessons/nothing", status=404)
    assert count_rows(Registration) == 0


def test_pages_ask_to_sign_in(client):
    make_version()
    for path in (
        "/learning",
        "/learning/modules/protect",
        "/learning/modules/protect/lessons/lesson-1",
        "/records",
    ):
        assert client.page(path).h1 == "Sign in"


def test_one_goes_on_with_the_lesson_that_was_opened_last(client):
    make_version(lessons=4)
    learner(client)
    client.press(client.page("/learning/modules/protect/lessons/lesson-1"), NEXT)

    client.page("/learning/modules/protect/lessons/lesson-3")

    for path in ("/learning", "/learning/modules/protect"):
        (button,) = client.page(path).all("a", class_="portal-next")
        assert words(button).startswith("Continue: Protect, lesson 3")
    client.press(client.page("/learning/modules/protect/lessons/lesson-3"), NEXT)
    client.press(client.page("/learning/modules/protect/lessons/lesson-4"), NEXT)
    (button,) = client.page("/learning").all("a", class_="portal-next")
    assert words(button).startswith("Continue: Protect, lesson 2")
