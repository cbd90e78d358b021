"""The try before the lessons: it asks their checks, names the lessons to read, and leaves nothing behind."""

import pytest

from portal.domain.catalogue.services import check_folder, publish_folder
from portal.platform import clock
from portal.platform.db import transaction
from tests.domain.catalogue.folders import CHECK, MODULE, lesson, write
from tests.domain.catalogue.kinds_written import check
from tests.factories.catalogue import make_version
from tests.page_reading import H, words
from tests.pages.learning.working import NEXT, learner
from tests.pages.monitoring.counting import statements

SHOW = "Show which lessons to read"
OFFER = "See what you know already"
TRY = "/learning/modules/sample/pre-test"
LESSONS = {
    "first.md": lesson(f"Look.\n\n{CHECK}"),
    "second.md": lesson(f"Speak.\n\n{check('multiple', 'several')}", outcomes='"say"'),
}


def publish(folder, pre_test: str = "pre_test = true\n", **lessons: str) -> None:
    changes = {f"sample/lessons/{name}": body for name, body in (LESSONS | lessons).items()}
    write(folder, {"sample/module.toml": MODULE + pre_test, **changes})
    with transaction():
        publish_folder(folder, at=clock.now())


@pytest.fixture
def offered(client, tmp_path):
    """A module with a try, and an officer who has not begun it."""
    publish(tmp_path)
    learner(client)
    return client


def reading_lists(page) -> dict[str, list[str]]:
    """The lessons to read by outcome."""
    heads, lists = page.all("h2", class_="govuk-heading-s"), page.all("ul", class_="govuk-list--bullet")
    pairs = zip(heads, lists, strict=True)
    return {words(head): [words(row) for row in rows.iter(f"{H}li")] for head, rows in pairs}


FIRST, SECOND = "Lesson 1, A lesson, about 2 minutes", "Lesson 2, A lesson, about 2 minutes"


@pytest.mark.parametrize(
    ("answers", "lists"),
    [
        pytest.param({}, {"See a thing": [FIRST], "Say a thing": [FIRST, SECOND]}, id="nothing known"),
        pytest.param({"try_1_1": "1"}, {"Say a thing": [SECOND]}, id="the first known"),
        pytest.param(
            {"try_1_1": "2", "try_2_1": ["1", "3"]},
            {"See a thing": [FIRST], "Say a thing": [FIRST]},
            id="the second known",
        ),
        pytest.param({"try_1_1": "1", "try_2_1": ["1", "2", "3"]}, {"Say a thing": [SECOND]}, id="too many"),
        pytest.param({"try_1_1": "1", "try_2_1": ["1", "3"]}, {}, id="all known"),
    ],
)
def test_it_names_the_lessons_to_read_by_outcome(offered, answers, lists):
    page = offered.page(TRY)
    assert [words(box) for box in page.all("p", class_="portal-heading__caption")] == [
        "Question 1 of 2",
        "Question 2 of 2",
    ]

    plan = offered.press(page, SHOW, **{name.replace("_", "-"): value for name, value in answers.items()})

    assert reading_lists(plan) == lists
    read = {row for rows in lists.values() for row in rows}
    title = {0: "You know what these lessons teach", 1: "1 lesson to read with care"}
    assert plan.h1 == title.get(len(read), f"{len(read)} lessons to read with care")


def test_nothing_of_it_is_written_and_nothing_says_what_is_right(offered):
    page = offered.page(TRY)
    with statements() as run:
        plan = offered.press(page, SHOW, **{"try-1-1": "2"})

    assert not [each for each in run if each.startswith(("INSERT", "UPDATE", "DELETE"))]
    for shown in (page, plan):
        assert not [said for said in ("Correct", "Yes.", "No.", "So.") if said in shown.text]
        assert "What is it?" not in shown.text  # the prompt of the bank


def test_it_is_offered_until_a_lesson_is_complete(offered):
    module = offered.page("/learning/modules/sample")
    assert module.links[OFFER] == TRY
    offered.press(offered.page("/learning/modules/sample/lessons/first"), NEXT)

    assert OFFER not in offered.page("/learning/modules/sample").links
    refused = offered.page(TRY)
    assert refused.h1 == "Sample: a small module"
    assert "The try is for those who have not completed a lesson yet" in refused.text


def test_a_module_without_it_offers_none(client):
    make_version()
    learner(client)

    assert OFFER not in client.page("/learning/modules/protect").links
    assert client.page("/learning/modules/protect/pre-test").h1 == "Protect: law & people"


@pytest.mark.parametrize(
    ("test_out", "sentence"),
    [
        (True, "You can take the assessment when you like"),
        (False, "The assessment opens when every lesson is complete"),
    ],
)
def test_it_says_what_the_lessons_known_mean_for_the_assessment(client, tmp_path, test_out, sentence):
    publish(tmp_path, f"pre_test = true\ntest_out = {str(test_out).lower()}\n")
    learner(client)

    plan = client.press(client.page(TRY), SHOW, **{"try-1-1": "1"})

    assert sentence in plan.text


def test_a_module_whose_lessons_have_no_choices_cannot_offer_it(tmp_path):
    module = MODULE + "pre_test = true\n"
    write(tmp_path, {"sample/module.toml": module, "sample/lessons/first.md": lesson(check("order"))})

    (fault,) = check_folder(tmp_path).faults.sentences()

    assert fault.endswith(
        "“pre_test” asks the checks of the lessons, and none has a check of choices. Write one."
    )
