"""Links into a version that was passed lead somewhere, whatever was published since."""

from sqlalchemy import func, select

from portal.domain.records.models import LessonVisit, Registration
from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.pages.learning.working import learner, take

LAST = "/learning/modules/protect/lessons/lesson-3"


def visit_rows() -> list[int]:
    return [db.session.scalar(select(func.count()).select_from(t)) or 0 for t in (LessonVisit, Registration)]


def test_a_lesson_that_only_the_passed_version_has_can_be_read_again(client):
    make_version(lessons=3)
    learner(client)
    outcome = take(client, 3)
    assert outcome.h1 == "You passed"
    make_version(lessons=2)
    before = visit_rows()

    page = client.page(LAST)

    assert page.h1 == "Lesson called 3"
    assert "Lesson 3 of 3" in page.text
    assert visit_rows() == before
    links = [link for link in outcome.links.values() if "/lessons/" in link]
    assert links
    assert [client.page(link).status for link in links] == [200] * len(links)


def test_it_can_be_read_while_the_newest_version_is_taken(client):
    make_version(lessons=3)
    learner(client)
    take(client, 4)
    make_version(lessons=2)
    client.press(client.page("/learning/modules/protect"), "Take this module again")
    client.page("/learning/modules/protect/lessons/lesson-1")
    before = visit_rows()

    assert client.page(LAST).h1 == "Lesson called 3"
    assert visit_rows() == before


def test_who_has_not_passed_it_finds_nothing(client):
    make_version(lessons=3)
    make_version(lessons=2)
    learner(client)

    assert client.get(LAST).status_code == 404


def test_another_person_s_pass_opens_nothing(client):
    make_version(lessons=3)
    learner(client, "D1002")
    take(client, 4)
    make_version(lessons=2)
    client.press(client.page("/account"), "Sign out")
    learner(client)

    assert client.get(LAST).status_code == 404
