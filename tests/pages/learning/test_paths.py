"""A learner works through the lessons of their duty, and finds the others below."""

import pytest

from portal.domain.catalogue.models import ModuleVersion
from portal.domain.records.models import Registration
from portal.platform.db import db
from tests.factories.catalogue import make_version
from tests.factories.people import change_role
from tests.pages.learning.working import NEXT, learner, read_lessons, take

MODULE = "/learning/modules/protect"
PATHS = ((("contact",), ("lesson-2",)), ((), ("lesson-3",)))


@pytest.fixture
def officer(client):
    """An officer on response; lesson 2 is for contact, lesson 3 for all others, lesson 4 for practice."""
    make_version(lessons=4, practice=("lesson-4",), duty_paths=PATHS, minutes=25, lesson_minutes=5)
    client.person = learner(client)
    return client


def list_steps(client, slug="protect"):
    """The titles of the lessons that “Mark as complete” leads through."""
    page, titles = client.page(f"/learning/modules/{slug}/lessons/lesson-1"), []
    while any(NEXT in form.buttons for form in page.forms()):
        titles.append(page.h1)
        page = client.press(page, NEXT)
    return titles


@pytest.mark.parametrize(
    ("role", "steps"),
    [
        ("response", ["Lesson called 1", "Lesson called 3"]),
        ("contact", ["Lesson called 1", "Lesson called 2"]),
        ("finance", ["Lesson called 1", "Lesson called 3"]),
    ],
)
def test_a_pass_needs_the_path_of_ones_duty_alone(officer, role, steps):
    change_role(officer.person, role)

    assert list_steps(officer) == steps
    assert take(officer, correct=4).h1 == "You passed"


def test_the_page_counts_the_path_and_folds_the_rest(officer):
    page = officer.page(MODULE)

    assert "About 25 minutes" in page.text
    assert "More practice: 2 lessons, about 10 minutes" in page.text
    assert "3. Lesson called" not in page.text


def test_another_post_later_changes_no_path_that_was_begun(officer):
    officer.press(officer.page(f"{MODULE}/lessons/lesson-1"), NEXT)
    change_role(officer.person, "contact")

    assert list_steps(officer) == ["Lesson called 1", "Lesson called 3"]
    assert [row.duties for row in db.session.query(Registration)] == [["response"]]


def test_a_lesson_for_practice_can_be_read_and_is_not_counted(officer):
    page = officer.page(f"{MODULE}/lessons/lesson-4")

    assert "More practice · about 5 minutes" in page.text
    officer.press(page, NEXT)
    assert "0 of 2 lessons complete" in officer.page(MODULE).text


def test_versions_of_before_have_one_path_for_all(client):
    make_version(lessons=3)
    learner(client)

    assert db.session.query(ModuleVersion).one().duty_paths == []
    assert "Start assessment" in read_lessons(client).text
    assert "More practice" not in client.page(MODULE).text
