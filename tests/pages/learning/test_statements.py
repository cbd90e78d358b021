"""What a page of learning asks of the database, and that what is kept in memory is never behind it."""

from sqlalchemy import insert

from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.models import Lesson, ModuleVersion, SharedVersion
from portal.domain.catalogue.version_cache import VersionKey, published_version
from portal.platform.db import db, stamp, transaction
from tests.factories.catalogue import make_version
from tests.pages.learning.working import attempt_base, begin, learner
from tests.pages.monitoring.counting import statements

LESSON = "/learning/modules/protect/lessons/lesson-1"


def count_reads(client, path: str) -> int:
    client.page(path)  # so that what is noted once is noted, and what is kept is kept
    with statements() as run:
        client.page(path)
    return len([text for text in run if text.startswith(("SELECT", "WITH"))])


def test_a_lesson_takes_two_reads_and_a_question_three(client):
    make_version(lessons=4, items=8)
    learner(client)

    assert count_reads(client, LESSON) == 2

    question = begin(client)

    assert count_reads(client, LESSON) == 2
    assert count_reads(client, f"{attempt_base(question)}/items/1") == 3
    assert count_reads(client, "/learning/modules/protect") == 5


def define_term(meaning: str) -> None:
    """A glossary as another process would publish it."""
    text = f'[[term]]\nkey = "OIC"\ntext = "{meaning}"\n'
    number = db.session.query(SharedVersion).count() + 1
    with transaction():
        db.session.execute(
            insert(SharedVersion).values(
                recorded_at=stamp(), name="_glossary.toml", number=number, content=text.encode()
            )
        )


def test_a_new_glossary_is_told_on_the_next_page(database):
    html = '<a title="{{term:OIC}}">OIC</a>'
    told = []
    for meaning in ("Crime", "Crime across borders"):
        define_term(meaning)
        told.append(fill_placeholders(html))

    assert told == ['<a title="Crime">OIC</a>', '<a title="Crime across borders">OIC</a>']


def test_a_version_is_told_from_another_of_the_same_id(database):
    version = db.session.get_one(ModuleVersion, make_version())
    name = VersionKey(version.id, version.digest, version.recorded_at)
    kept = published_version(name)
    with transaction():
        db.session.add(
            Lesson(
                module_version_id=version.id,
                position=9,
                key="more",
                title="As in another database",
                minutes=1,
                outcomes=[],
                html="",
                words=0,
            )
        )

    assert published_version(name) is kept
    assert published_version(name._replace(digest="of other bytes")).lessons[-1].key == "more"
