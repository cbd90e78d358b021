"""Every step is kept on the server: another device goes on where the first one stopped."""

from tests.factories.catalogue import make_version
from tests.pages.account.browsing import another, let_in
from tests.pages.assessment.choosing import ticked_labels, values_of_keys
from tests.pages.learning.asking import ask
from tests.pages.learning.working import NEXT, answer_all, attempt_base, begin, items_of, learner

WRONG_FIRST = {"single": ["a"], "multiple": ["b"]}


def test_lessons_answers_and_the_next_step_follow_the_learner(app, client):
    make_version(lessons=3)
    ask("protect")
    learner(client)
    client.press(client.page("/learning/modules/protect/lessons/lesson-1"), NEXT)
    phone = another(app)
    let_in(phone)

    module = phone.page("/learning/modules/protect")
    assert "1 of 3 lessons complete" in module.text
    (button,) = phone.page("/learning").all("a", class_="portal-next")
    assert button.get("href") == "/learning/modules/protect/lessons/lesson-2"


def test_an_attempt_is_continued_with_its_answers_and_submitted_elsewhere(app, client):
    make_version()
    learner(client)
    question = begin(client)
    base = attempt_base(question)
    first = items_of(base)[0]
    client.press(
        question, "Save and continue", choice=values_of_keys(question, first, WRONG_FIRST[first.kind])
    )
    phone = another(app)
    let_in(phone)

    shown = phone.page(f"{base}/items/1")
    assert sorted(text.split()[1] for text in ticked_labels(shown)) == WRONG_FIRST[first.kind]
    checked = answer_all(phone, shown, 4)
    assert phone.press(checked, "Submit answers").h1 == "You passed"
    assert client.page(f"{base}/outcome").h1 == "You passed"
