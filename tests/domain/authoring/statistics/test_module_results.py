"""What is said of a module as a whole: items over versions, and very quick passes."""

from portal.domain.authoring import statistics
from portal.domain.catalogue.models import Item
from portal.platform.db import db, transaction
from tests.domain.authoring.statistics.test_item_statistics import CHOICES, sign_in_author
from tests.factories.catalogue import make_version, right
from tests.factories.people import make_person
from tests.pages.authoring.answering import items_of, register_person, submit_all


def test_quick_passes_are_a_count_and_nobody_is_named(client):
    version = make_version(items=4)
    sheet = {item.id: right(item) for item in items_of(version)}
    submit_all(register_person(make_person(), version), [sheet] * 10)  # each ends as it begins

    page = sign_in_author(client).page("/authoring/protect/statistics")

    assert (
        "10 of 10 passes took less than a third of the time that it takes to read the questions." in page.text
    )
    assert "nobody is told who" in page.text


def test_an_item_in_the_same_words_counts_as_one_over_versions(database):
    texts = {
        "kind": "single",
        "outcome": "one",
        "prompt_html": "Same?",
        "explanation_html": "x",
        "source": [],
    }
    versions = [make_version(items=4), make_version(items=4)]
    for version, answers in zip(versions, (3, 2), strict=True):
        with transaction():
            item = Item(
                module_version_id=version, position=5, key="same", content={"choices": CHOICES}, **texts
            )
            db.session.add(item)
        sheet = {each.id: ["b"] for each in items_of(version)} | {item.id: ["a"]}
        submit_all(register_person(make_person(), version), [sheet] * answers)

    (row,) = [row for row in statistics.module_results(tuple(versions[::-1])).rows if row.key == "same"]

    assert (row.versions, row.statistics.answer_count) == ((1, 2), 5)
    assert [taken.count for taken in row.statistics.choices] == [5, 0]
    assert [row.versions for row in statistics.module_results((versions[0],)).rows] == [(1,)] * 5
