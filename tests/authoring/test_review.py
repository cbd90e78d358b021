"""Review and publishing: what is refused, what is shown, and that a version is only ever added."""

import threading

import pytest
from sqlalchemy import event, func, select

from portal import clock
from portal.audit.models import AuditEvent
from portal.authoring import queries, reviewed, reviews, services
from portal.authoring.errors import (
    BehindError,
    NotReadyError,
    OwnWorkError,
    ReviewEndedError,
    UnchangedError,
    UnderReviewError,
)
from portal.authoring.models import Draft, Review
from portal.catalogue import queries as catalogue
from portal.catalogue.models import Item, Lesson, ModuleVersion, PackageFile
from portal.db import db, stamp, transaction
from portal.records import services as records
from tests.assessment.test_at_once import serving as serving
from tests.authoring.desk import opened, person, publish_sample, rewrite_lesson, visitor
from tests.catalogue.folders import CHECK, lesson, sample, tree
from tests.factories.people import make_person
from tests.learning.working import attempt_base, read_lessons
from tests.pages import words

BODY = f"## Look\n\nRead that, and act on it.\n\n{CHECK}"


@pytest.fixture
def folder(database, tmp_path):
    return publish_sample(tmp_path)


@pytest.fixture
def author(folder) -> int:
    return person("D3001", "author")


@pytest.fixture
def publisher(folder) -> int:
    return person("D3002", "publisher")


@pytest.fixture
def changed(author) -> int:
    with transaction():
        draft_id = services.open_draft("sample", by=author, at=clock.now())
    rewrite_lesson(author, BODY)
    return draft_id


def sent(draft_id: int, by: int, note: str = "Clearer.") -> int:
    with transaction():
        return reviews.send(draft_id, note=note, by=by, at=clock.now())


def publish(review_id: int, by: int) -> ModuleVersion:
    with transaction():
        return reviews.publish(review_id, by=by, at=stamp())


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def actions() -> list[str]:
    return [
        action
        for action in db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id))
        if action.startswith(("draft.", "review.", "module."))
    ]


def test_a_draft_goes_from_its_author_through_a_second_person_to_a_version(app, folder, author, publisher):
    writer, reader = visitor(app, "D3001"), visitor(app, "D3002")
    opened(writer)
    rewrite_lesson(author, BODY)
    page = writer.page("/authoring/sample/review/send")
    assert page.h1 == "Send for review"
    assert "Lesson 1, A lesson: Text changed in “Look”" in page.text
    page = writer.press(page, "Send for review", note="It was unclear.\nNow it is not.")
    assert "Withdraw from review" in page.text
    assert "Publish version 2" not in {button for form in page.forms() for button in form.buttons}

    page = reader.page("/authoring/sample/review")
    assert page.h1 == "Sample, version 2: 1 change since version 1"
    assert "Why, in the author’s words: “It was unclear. Now it is not.”" in page.text
    assert [words(each) for each in page.all("del")] == ["this"]
    assert [words(each) for each in page.all("ins")] == ["that, and act on it"]
    assert "Nobody is working on an earlier version now. No pass changes." in page.text
    assert "Version 2 can never be edited. A correction is version 3." in page.text
    page = reader.press(page, "Publish version 2")

    assert "Version 2 of Sample is published." in page.text
    assert "Version 2 is published · no draft" in page.text
    assert catalogue.current_version("sample").number == 2
    assert catalogue.current_version("sample").published_by_id == publisher
    assert actions() == [
        "module.published",
        "draft.opened",
        "draft.sent_for_review",
        "module.published",
        "review.published",
    ]


def test_what_is_published_is_byte_for_byte_what_was_reviewed(folder, changed, author, publisher):
    reviewed_files = queries.contents(queries.draft("sample"))
    version = publish(sent(changed, author), publisher)

    assert catalogue.package_files(version.id) == reviewed_files
    assert reviewed_files != tree(folder / "sample")
    first = catalogue.numbered_version("sample", 1)
    assert catalogue.package_files(first.id) == tree(folder / "sample")


def test_nobody_publishes_what_they_changed_even_if_it_was_undone(app, changed, author):
    both = person("D3003", "author", "publisher")
    rewrite_lesson(both, "## Look\n\nSomething else.\n")
    rewrite_lesson(author, BODY)
    review_id = sent(changed, author)

    with pytest.raises(OwnWorkError):
        publish(review_id, both)
    page = visitor(app, "D3003").page("/authoring/sample/review")

    assert "You changed this draft yourself, so another publisher must read and publish it." in page.text
    assert "Publish version 2" not in {button for form in page.forms() for button in form.buttons}
    assert count(ModuleVersion) == 1


def test_who_opened_a_draft_and_changed_nothing_may_publish_it(folder, author, publisher):
    with transaction():
        draft_id = services.open_draft("sample", by=publisher, at=clock.now())
    rewrite_lesson(author, BODY)

    assert publish(sent(draft_id, author), publisher).number == 2


def test_nothing_changed_nothing_to_review(app, author):
    writer = visitor(app, "D3001")
    opened(writer)

    page = writer.page("/authoring/sample/review/send")

    assert page.h1 == "Not ready to be sent for review"
    assert "Nothing has changed since the published version" in page.text
    with pytest.raises(UnchangedError), transaction():
        reviews.send(queries.draft("sample").draft_id, note="x", by=author, at=clock.now())


def test_what_is_to_be_put_right_is_said_beside_its_place_and_nothing_is_sent(app, changed, author):
    rewrite_lesson(author, "See [the rest](lesson:nowhere).\n")
    writer = visitor(app, "D3001")

    page = writer.page("/authoring/sample/review/send")

    assert page.h1 == "Not ready to be sent for review"
    assert "1 thing is still to be put right." in page.text
    assert "Lesson “A lesson”: “See [the rest](lesson:nowhere).” There is no lesson “nowhere”" in page.text
    assert page.all("a", href="/authoring/sample/lessons/first")
    with pytest.raises(NotReadyError):
        sent(changed, author)
    assert count(Review) == 0


def test_a_draft_that_is_behind_must_catch_up_first(folder, changed, author):
    publish_sample(folder, **{"sample/lessons/second.md": lesson("Read more.\n")})

    with pytest.raises(BehindError, match="Version 2 was published after this draft was begun"):
        sent(changed, author)


def test_a_version_that_came_from_a_folder_stops_the_publishing_of_an_older_draft(
    folder, changed, author, publisher
):
    review_id = sent(changed, author)
    publish_sample(folder, **{"sample/lessons/second.md": lesson("Read more.\n")})

    with pytest.raises(BehindError):
        publish(review_id, publisher)
    assert catalogue.current_version("sample").number == 2
    assert db.session.get_one(Draft, changed).ended_at is None


def test_the_note_is_asked_for_and_what_was_typed_is_kept(app, changed):
    writer = visitor(app, "D3001")
    page = writer.page("/authoring/sample/review/send")

    page = writer.press(page, "Send for review", note="  ")
    assert page.title.startswith("Error: Send for review")
    assert page.links["Say what you changed, and why"] == "#note"
    page = writer.press(page, "Send for review", note="x" * 2001)
    assert "This has 2,001 characters." in page.text
    assert page.form_with("Send for review").fields["note"][0].strip() == "x" * 2001
    assert count(Review) == 0


def test_a_page_that_is_older_than_the_draft_sends_nothing(app, changed, author):
    writer = visitor(app, "D3001")
    page = writer.page("/authoring/sample/review/send")
    rewrite_lesson(author, "## Look\n\nLater.\n")

    page = writer.press(page, "Send for review", note="Clearer.")

    assert "Someone saved in this draft after you opened the page." in page.text
    assert count(Review) == 0
    page = writer.press(page, "Send for review")
    assert page.h1.startswith("Sample, version 2")


def test_under_review_the_draft_stays_as_it_is_until_it_is_withdrawn(app, changed, author):
    review_id = sent(changed, author)
    with pytest.raises(UnderReviewError):
        rewrite_lesson(author, "Another text.\n")
    with pytest.raises(UnderReviewError):
        sent(changed, author)

    writer = visitor(app, "D3001")
    page = writer.press(writer.page("/authoring/sample/review"), "Withdraw from review")

    assert "Withdrawn from review." in page.text
    assert rewrite_lesson(author, "Another text.\n") == 3
    with pytest.raises(ReviewEndedError, match="withdrawn"):
        publish(review_id, author)


def test_sent_back_with_comments_the_author_reads_them_and_sends_it_again(app, changed, author, publisher):
    sent(changed, author)
    reader, writer = visitor(app, "D3002"), visitor(app, "D3001")
    page = reader.page("/authoring/sample/review")
    form = next(f for f in page.forms() if f.fields.get("place") == ["lesson:first"])
    answer = reader.post(form.action, data={**form.fields, "text": "Say who <acts>."}, follow_redirects=True)
    assert "Say who &lt;acts&gt;." in answer.get_data(as_text=True)
    page = reader.page("/authoring/sample/review/send-back")
    page = reader.press(page, "Send back with a comment", reason="")
    assert page.links["Say what must change before it can be published"] == "#reason"
    page = reader.press(page, "Send back with a comment", reason="Name the person.")

    page = writer.page("/authoring/sample/review")
    assert "sent this back at" in page.text
    assert "“Name the person.”" in page.text
    assert "Say who <acts>." in page.text
    assert not [f for f in page.forms() if "publish" in f.action or "comment" in f.action]
    rewrite_lesson(author, "## Look\n\nThe officer reads that.\n")
    review_id = sent(changed, author)
    assert publish(review_id, publisher).number == 2
    assert [row.ended_as for row in db.session.scalars(select(Review).order_by(Review.id))] == [
        "sent_back",
        "published",
    ]


def test_an_empty_comment_and_one_that_is_too_long_are_kept_and_refused(app, changed, author, publisher):
    sent(changed, author)
    reader = visitor(app, "D3002")
    page = reader.page("/authoring/sample/review")
    form = next(f for f in page.forms() if f.fields.get("place") == ["lesson:first"])

    for text, sentence in (("", "Write the comment"), ("y" * 2001, "This has 2,001 characters.")):
        answer = reader.post(form.action, data={**form.fields, "text": text})
        assert answer.status_code == 400
        html = answer.get_data(as_text=True)
        assert sentence in html
        assert text in html
    assert reviewed.latest_review("sample").comments == []


def test_whoever_decides_second_is_told(app, changed, author, publisher):
    person("D3003", "publisher")
    review_id = sent(changed, author)
    first, second = visitor(app, "D3002"), visitor(app, "D3003")
    pages = [client.page("/authoring/sample/review") for client in (first, second)]

    first.press(pages[0], "Publish version 2")
    page = second.press(pages[1], "Publish version 2", 409)

    assert "This was published in the meantime." in page.text
    assert count(ModuleVersion) == 2
    with pytest.raises(ReviewEndedError), transaction():
        reviews.send_back(review_id, reason="Late.", by=publisher, at=clock.now())


@pytest.mark.parametrize("said", ["", "x", "-1", "999999", "²"])
def test_a_review_that_there_is_not_is_not_found(app, changed, author, publisher, said):
    sent(changed, author)
    reader = visitor(app, "D3002")
    form = reader.page("/authoring/sample/review").form_with("Publish version 2")

    answer = reader.post(form.action, data={**form.fields, "review": said})

    assert answer.status_code == 404
    assert count(ModuleVersion) == 1


def test_people_who_work_on_a_version_are_counted_and_not_those_who_passed_or_began_anew(
    app, folder, author, publisher, changed
):
    first = catalogue.current_version("sample")
    people = [make_person(staff_number=f"L{n}") for n in range(4)]
    for each in people[:3]:
        with transaction():
            records.register(each, first, stamp())
    assert reviewed.people_under_way("sample") == [(1, 3)]
    learner = visitor(app, "D3001")
    page = answer_all_right(learner)
    assert page.h1 == "You passed"
    assert reviewed.people_under_way("sample") == [(1, 3)]

    page = visitor(app, "D3002").page("/authoring/sample/review") if sent(changed, author) else None
    assert "3 people are working on version 1 and will finish it." in page.text
    publish(reviewed.latest_review("sample").review_id, publisher)
    with transaction():
        records.register(people[3], catalogue.current_version("sample"), stamp())
    assert reviewed.people_under_way("sample") == [(2, 1), (1, 3)]


def answer_all_right(client):
    """The sample's assessment, passed."""
    page = client.press(read_lessons(client, "sample", "first"), "Start assessment")
    for _ in range(2):
        page = client.press(page, "Save and continue", choice="a")
    return client.press(page, "Submit answers")


def test_an_old_attempt_shows_what_was_shown_whatever_was_published_since(
    app, folder, author, publisher, changed
):
    learner = visitor(app, "D3001")
    page = learner.press(read_lessons(learner, "sample", "first"), "Start assessment")
    attempt = attempt_base(page)
    before = _rows(catalogue.current_version("sample").id)
    files = queries.contents(queries.draft("sample"))["items/bank.toml"]
    edited = files.replace(b"What is it?", b"What is it now?").replace(b'"This"', b'"These"')
    _save(changed, {"items/bank.toml": edited}, author)
    publish(sent(changed, author), publisher)

    page = learner.page(f"{attempt}/items/1")
    assert page.h1 == "What is it?"
    assert "These" not in page.text
    for _ in range(2):
        page = learner.press(page, "Save and continue", choice="a")
    page = learner.press(page, "Submit answers")
    assert page.h1 == "You passed"
    page = learner.page(f"{attempt}/answers")
    assert "What is it?" in page.text
    assert "What is it now?" not in page.text
    assert _rows(catalogue.numbered_version("sample", 1).id) == before
    assert [item.prompt_html for item in catalogue.current_version("sample").items] == ["What is it now?"] * 2


def _rows(version_id: int) -> list[tuple]:
    found = []
    for model in (Item, Lesson, PackageFile):
        rows = select(*model.__table__.columns).where(model.module_version_id == version_id)
        found += [tuple(row) for row in db.session.execute(rows.order_by(model.id))]
    return found


def _save(draft_id: int, changes, by: int) -> None:
    held = queries.draft("sample").files
    with transaction():
        services.save(
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
            sent(draft_id, author)
        client = visitor(app, "D3001")
        client.page(f"/authoring/sample/{address}")
        counts.append(_statements(client, f"/authoring/sample/{address}"))
        with transaction():
            db.session.get_one(Draft, draft_id).ended_at = clock.now()
    assert counts[0] == counts[1] > 5


@pytest.mark.slow
def test_two_publishers_at_the_same_instant_make_one_version(serving, tmp_path):
    publish_sample(tmp_path / "modules")
    author, people = person("D3001", "author"), [person(f"P{n}", "publisher") for n in range(6)]
    with transaction():
        draft_id = services.open_draft("sample", by=author, at=clock.now())
    rewrite_lesson(author, BODY)
    review_id = sent(draft_id, author)
    gate, told = threading.Barrier(len(people)), list[str]()

    def decide(by: int) -> None:
        with serving.app_context():
            gate.wait()
            try:
                publish(review_id, by)
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
    assert count(ModuleVersion) == 2
