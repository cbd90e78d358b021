"""Testing out, and the plan after a fail: what they say, and that they stay in reach."""

from tests.factories.catalogue import make_version
from tests.page_reading import words
from tests.pages.assessment.choosing import values_of_keys
from tests.pages.learning.asking import ask
from tests.pages.learning.working import NEXT, answer_all, attempt_base, begin, items_of, learner, take

MODULE = "/learning/modules/protect"


def test_who_passes_first_need_not_read_the_lessons(client):
    make_version(test_out=True, lessons=3)
    ask("protect")
    learner(client)

    assert "3 lessons and an assessment, which you may take first" in client.page("/learning").text
    page = client.page(MODULE)
    assert "You can take the assessment first. If you pass, you do not have to read the lessons." in page.text
    page = client.press(page, "Start assessment")
    client.press(answer_all(client, page, correct=4), "Submit answers")

    mine = client.page("/learning")
    assert mine.h1 == "You have completed everything"
    assert "Passed on" in mine.text
    lesson = client.page(f"{MODULE}/lessons/lesson-1")
    assert not any(NEXT in form.buttons for form in lesson.forms())


def test_where_lessons_come_first_nobody_is_told_otherwise(client):
    make_version(lessons=3)
    ask("protect")
    learner(client)

    assert "which you may take first" not in client.page("/learning").text
    assert "You may take the assessment first" not in client.page(MODULE).text


def test_the_plan_names_the_lessons_of_what_was_missed_with_their_minutes(client):
    make_version(lessons=4, lesson_minutes=3, items=8, draw=8, at_least=4)
    learner(client)
    page = begin(client)
    right = [item.outcome == "two" for item in items_of(attempt_base(page))]
    for number, good in enumerate(right, start=1):
        item = items_of(attempt_base(page))[number - 1]
        choice = {"single": ["b"], "multiple": ["a", "c"]}[item.kind] if good else ["d"]
        page = client.press(page, "Save and continue", choice=values_of_keys(page, item, choice))

    page = client.press(page, "Submit answers")

    assert page.h1 == "You did not pass"
    assert "2 lessons, about 6 minutes." in page.text
    assert "Outcome one" in page.text
    assert "Outcome two" not in page.text
    named = [words(link) for link in page.all("a") if words(link).startswith("Lesson ")]
    assert named == ["Lesson 1, Lesson called 1About 3 minutes", "Lesson 3, Lesson called 3"]
    (button,) = page.all("a", class_="portal-next")
    assert button.get("href") == f"{MODULE}/lessons/lesson-1"


def test_the_plan_stays_in_reach_until_the_module_is_passed(client):
    make_version(items=8)
    ask("protect")
    learner(client)
    failed = attempt_base(take(client, 0))

    links = client.page("/learning").links
    plan = next(links[text] for text in links if text.startswith("What to go over again"))
    assert plan == client.page(MODULE).links["See which lessons to go over again"] == f"{failed}/outcome"
    page = client.page(plan)
    assert page.links["Lesson 1, Lesson called 1About 5 minutes"] == f"{MODULE}/lessons/lesson-1"

    client.press(answer_all(client, client.press(page, "Try again"), 4), "Submit answers")
    assert "go over again" not in client.page("/learning").text
    assert "go over again" not in client.page(MODULE).text
