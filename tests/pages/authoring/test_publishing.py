"""Publishing: versions are only ever added, and what was begun, answered and passed stays as it was."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from portal.domain.authoring import queries, reviews, services
from portal.domain.authoring.errors import ReviewEndedError
from portal.domain.authoring.models import Draft
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.models import Item, Lesson, ModuleVersion, PackageFile
from portal.domain.records import services as records
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import lesson, sample, tree
from tests.factories.people import make_person, make_unit
from tests.pages.assessment import choosing
from tests.pages.authoring.desk import make_person_with, publish_sample, rewrite_lesson, signed_in_client
from tests.pages.authoring.reviewing import BODY, count_rows, publish_sent, send_draft
from tests.pages.authoring.reviewing import author as author
from tests.pages.authoring.reviewing import changed as changed
from tests.pages.authoring.reviewing import folder as folder
from tests.pages.authoring.reviewing import publisher as publisher
from tests.pages.learning.working import attempt_base, read_lessons
from tests.waiting import PATIENCE


def test_what_is_published_is_byte_for_byte_what_was_reviewed(folder, changed, author, publisher):
    reviewed_files = queries.draft_files(queries.get_draft("sample"))
    version = publish_sent(send_draft(changed, author), publisher)

    assert version_cache.package_files(version.id) == reviewed_files
    assert reviewed_files != tree(folder / "sample")
    first = version_cache.numbered_version("sample", 1)
    assert version_cache.package_files(first.id) == tree(folder / "sample")


@pytest.mark.slow
def test_people_who_work_on_a_version_are_counted_and_not_those_who_passed_or_began_anew(
    app, folder, author, publisher, changed
):
    first = version_cache.current_version("sample")
    unit = make_unit("Response")
    people = [make_person(unit, staff_number=f"L{n}") for n in range(4)]
    leaver = make_person(unit, staff_number="LEFT", until=clock.today() - timedelta(days=1))
    for each in (*people[:3], leaver, make_person(staff_number="NEVER")):
        with transaction():
            records.start_registration(each, first.activity_id, first.id, stamp())
    assert reviews.count_people_under_way("sample") == [(1, 3)]
    learner = signed_in_client(app, "D3001")
    page = answer_all_right(learner)
    assert page.h1 == "You passed"
    assert reviews.count_people_under_way("sample") == [(1, 3)]

    page = (
        signed_in_client(app, "D3002").page("/authoring/sample/review")
        if send_draft(changed, author)
        else None
    )
    assert "3 people are working on version 1 and will finish it." in page.text
    publish_sent(reviews.latest_review("sample").review_id, publisher)
    with transaction():
        second = version_cache.current_version("sample")
        records.start_registration(people[3], second.activity_id, second.id, stamp())
    assert reviews.count_people_under_way("sample") == [(2, 1), (1, 3)]


def answer_all_right(client):
    """The sample's assessment, passed."""
    page = client.press(read_lessons(client, "sample", "first"), "Start assessment")
    for _ in range(2):
        page = client.press(page, "Save and continue", choice=choosing.values_of_labels(page, "This"))
    return client.press(page, "Submit answers")


def test_an_old_attempt_shows_what_was_shown_whatever_was_published_since(
    app, folder, author, publisher, changed
):
    learner = signed_in_client(app, "D3001")
    page = learner.press(read_lessons(learner, "sample", "first"), "Start assessment")
    attempt = attempt_base(page)
    before = _rows(version_cache.current_version("sample").id)
    files = queries.draft_files(queries.get_draft("sample"))["items/bank.toml"]
    edited = files.replace(b"What is it?", b"What is it now?").replace(b'"This"', b'"These"')
    _save(changed, {"items/bank.toml": edited}, author)
    publish_sent(send_draft(changed, author), publisher)

    page = learner.page(f"{attempt}/items/1")
    assert page.h1 == "What is it?"
    assert "These" not in page.text
    for _ in range(2):
        page = learner.press(page, "Save and continue", choice=choosing.values_of_labels(page, "This"))
    page = learner.press(page, "Submit answers")
    assert page.h1 == "You passed"
    page = learner.page(f"{attempt}/answers")
    assert "What is it?" in page.text
    assert "What is it now?" not in page.text
    assert _rows(version_cache.numbered_version("sample", 1).id) == before
    assert [item.prompt_html for item in version_cache.current_version("sample").items] == [
        "What is it now?"
    ] * 2


def _rows(version_id: int) -> list[tuple]:
    found = []
    for model in (Item, Lesson, PackageFile):
        rows = select(*model.__table__.columns).where(model.module_version_id == version_id)
        found += [tuple(row) for row in db.session.execute(rows.order_by(model.id))]
    return found


def _save(draft_id: int, changes, by: int) -> None:
    held = queries.get_draft("sample").files
    with transaction():
        services.save_files(
            draft_id,
            changes,
            expected={path: held.get(path) for path in changes},
            summary="Edited",
            by=by,
            at=clock.now(),
        )


def _statements(client, path: str) -> int:
    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    client.page(path)
    return len(seen)


@pytest.mark.slow
@pytest.mark.parametrize("address", ["review", "review/send"])
def test_a_module_of_twenty_lessons_costs_as_many_statements_as_one_of_two(app, author, folder, address):
    counts = []
    for lessons in (2, 20):
        names = [f"lesson-{n}" for n in range(lessons)]
        listed = ", ".join(f'"{name}"' for name in names)
        module = sample()["sample/module.toml"].replace('"first", "second"', listed)
        files = {f"sample/lessons/{n}.md": lesson(f"Text {n}.\n") for n in names}
        gone = {f"sample/lessons/{n}.md": None for n in ("first", "second")}
        publish_sample(folder, **{"sample/module.toml": module}, **files, **gone)
        with transaction():
            draft_id = services.open_draft("sample", by=author, at=clock.now())
        for name in names:
            rewrite_lesson(author, f"Changed {name}.\n", name=name)
        if address == "review":
            send_draft(draft_id, author)
        client = signed_in_client(app, "D3001")
        client.page(f"/authoring/sample/{address}")
        counts.append(_statements(client, f"/authoring/sample/{address}"))
        with transaction():
            db.session.get_one(Draft, draft_id).ended_at = clock.now()
    assert counts[0] == counts[1] > 5


@pytest.mark.slow
def test_two_publishers_at_the_same_instant_make_one_version(serving, tmp_path):
    publish_sample(tmp_path / "modules")
    author, people = (
        make_person_with("D3001", "author"),
        [make_person_with(f"P{n}", "publisher") for n in range(6)],
    )
    with transaction():
        draft_id = services.open_draft("sample", by=author, at=clock.now())
    rewrite_lesson(author, BODY)
    review_id = send_draft(draft_id, author)
    gate, told = threading.Barrier(len(people), timeout=PATIENCE), list[str]()

    def decide(by: int) -> None:
        with serving.app_context():
            gate.wait()
            try:
                publish_sent(review_id, by)
                told.append("published")
            except ReviewEndedError:
                told.append("too late")
            db.session.remove()

    threads = [threading.Thread(target=decide, args=(each,)) for each in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == ["published", *["too late"] * 5]
    assert count_rows(ModuleVersion) == 2
