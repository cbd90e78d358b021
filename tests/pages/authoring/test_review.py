"""Review: what is refused, what is shown, what may be said, and who may decide."""

import pytest
from sqlalchemy import select

from portal.domain.authoring import queries, reviews, services
from portal.domain.authoring.errors import (
    DraftNotReadyError,
    DraftUnderReviewError,
    OutdatedDraftError,
    OwnWorkError,
    ReviewEndedError,
    UnchangedDraftError,
)
from portal.domain.authoring.models import Draft, Review
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.models import ModuleVersion
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.domain.catalogue.folders import lesson
from tests.page_reading import words
from tests.pages.authoring.desk import (
    make_person_with,
    open_draft_page,
    publish_sample,
    rewrite_lesson,
    signed_in_client,
)
from tests.pages.authoring.reviewing import BODY, count_rows, publish_sent, send_draft
from tests.pages.authoring.reviewing import author as author
from tests.pages.authoring.reviewing import changed as changed
from tests.pages.authoring.reviewing import folder as folder
from tests.pages.authoring.reviewing import publisher as publisher


def audit_actions() -> list[str]:
    return [
        action
        for action in db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id))
        if action.startswith(("draft.", "review.", "module."))
    ]


def test_a_draft_goes_from_its_author_through_a_second_person_to_a_version(app, folder, author, publisher):
    writer, reader = signed_in_client(app, "D3001"), signed_in_client(app, "D3002")
    open_draft_page(writer)
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
    assert version_cache.current_version("sample").number == 2
    assert version_cache.current_version("sample").published_by_id == publisher
    assert audit_actions() == [
        "module.published",
        "draft.opened",
        "draft.sent_for_review",
        "module.published",
        "review.published",
    ]


def test_nobody_publishes_what_they_changed_even_if_it_was_undone(app, changed, author):
    both = make_person_with("D3003", "author", "publisher")
    rewrite_lesson(both, "## Look\n\nSomething else.\n")
    rewrite_lesson(author, BODY)
    review_id = send_draft(changed, author)

    with pytest.raises(OwnWorkError):
        publish_sent(review_id, both)
    page = signed_in_client(app, "D3003").page("/authoring/sample/review")

    assert "You changed this draft yourself, so another publisher must read and publish it." in page.text
    assert "Publish version 2" not in {button for form in page.forms() for button in form.buttons}
    assert count_rows(ModuleVersion) == 1


def test_who_opened_a_draft_and_changed_nothing_may_publish_it(folder, author, publisher):
    with transaction():
        draft_id = services.open_draft("sample", by=publisher, at=clock.now())
    rewrite_lesson(author, BODY)

    assert publish_sent(send_draft(draft_id, author), publisher).number == 2


def test_nothing_changed_nothing_to_review(app, author):
    writer = signed_in_client(app, "D3001")
    open_draft_page(writer)

    page = writer.page("/authoring/sample/review/send")

    assert page.h1 == "Not ready for review"
    assert "Nothing has changed since the published version" in page.text
    with pytest.raises(UnchangedDraftError), transaction():
        reviews.send_for_review(queries.get_draft("sample").draft_id, note="x", by=author, at=clock.now())


def test_what_is_to_be_put_right_is_said_beside_its_place_and_nothing_is_sent(app, changed, author):
    rewrite_lesson(author, "See [the rest](lesson:nowhere).\n")
    writer = signed_in_client(app, "D3001")

    page = writer.page("/authoring/sample/review/send")

    assert page.h1 == "Not ready for review"
    assert "1 thing needs to be put right." in page.text
    assert "Lesson “A lesson”: “See [the rest](lesson:nowhere).” There is no lesson “nowhere”" in page.text
    assert page.all("a", href="/authoring/sample/lessons/first")
    with pytest.raises(DraftNotReadyError):
        send_draft(changed, author)
    assert count_rows(Review) == 0


def test_a_draft_that_is_behind_must_catch_up_first(folder, changed, author):
    publish_sample(folder, **{"sample/lessons/second.md": lesson("Read more.\n")})

    with pytest.raises(OutdatedDraftError, match="Version 2 was published after this draft was started"):
        send_draft(changed, author)


def test_a_version_that_came_from_a_folder_stops_the_publishing_of_an_older_draft(
    folder, changed, author, publisher
):
    review_id = send_draft(changed, author)
    publish_sample(folder, **{"sample/lessons/second.md": lesson("Read more.\n")})

    with pytest.raises(OutdatedDraftError):
        publish_sent(review_id, publisher)
    assert version_cache.current_version("sample").number == 2
    assert db.session.get_one(Draft, changed).ended_at is None


def test_the_note_is_asked_for_and_what_was_typed_is_kept(app, changed):
    writer = signed_in_client(app, "D3001")
    page = writer.page("/authoring/sample/review/send")

    page = writer.press(page, "Send for review", note="  ")
    assert page.title.startswith("Error: Send for review")
    assert page.links["Say what you changed, and why"] == "#note"
    page = writer.press(page, "Send for review", note="x" * 2001)
    assert "This has 2,001 characters." in page.text
    assert page.form_with("Send for review").fields["note"][0].strip() == "x" * 2001
    assert count_rows(Review) == 0


def test_a_page_that_is_older_than_the_draft_sends_nothing(app, changed, author):
    writer = signed_in_client(app, "D3001")
    page = writer.page("/authoring/sample/review/send")
    rewrite_lesson(author, "## Look\n\nLater.\n")

    page = writer.press(page, "Send for review", note="Clearer.")

    assert "Someone saved in this draft after you opened the page." in page.text
    assert count_rows(Review) == 0
    page = writer.press(page, "Send for review")
    assert page.h1.startswith("Sample, version 2")


def test_under_review_the_draft_stays_as_it_is_until_it_is_withdrawn(app, changed, author):
    review_id = send_draft(changed, author)
    with pytest.raises(DraftUnderReviewError):
        rewrite_lesson(author, "Another text.\n")
    with pytest.raises(DraftUnderReviewError):
        send_draft(changed, author)

    writer = signed_in_client(app, "D3001")
    page = writer.press(writer.page("/authoring/sample/review"), "Withdraw from review")

    assert "Withdrawn from review." in page.text
    assert rewrite_lesson(author, "Another text.\n") == 3
    with pytest.raises(ReviewEndedError, match="withdrawn"):
        publish_sent(review_id, author)


@pytest.mark.slow
def test_sent_back_with_comments_the_author_reads_them_and_sends_it_again(app, changed, author, publisher):
    send_draft(changed, author)
    reader, writer = signed_in_client(app, "D3002"), signed_in_client(app, "D3001")
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
    review_id = send_draft(changed, author)
    assert publish_sent(review_id, publisher).number == 2
    assert [row.ended_as for row in db.session.scalars(select(Review).order_by(Review.id))] == [
        "sent_back",
        "published",
    ]


def test_an_empty_comment_and_one_that_is_too_long_are_kept_and_refused(app, changed, author, publisher):
    send_draft(changed, author)
    reader = signed_in_client(app, "D3002")
    page = reader.page("/authoring/sample/review")
    form = next(f for f in page.forms() if f.fields.get("place") == ["lesson:first"])

    for text, sentence in (("", "Write the comment"), ("y" * 2001, "This has 2,001 characters.")):
        answer = reader.post(form.action, data={**form.fields, "text": text})
        assert answer.status_code == 400
        html = answer.get_data(as_text=True)
        assert sentence in html
        assert text in html
    assert reviews.latest_review("sample").comments == []


def test_nothing_is_said_of_a_place_that_did_not_change(app, changed, author, publisher):
    send_draft(changed, author)
    reader = signed_in_client(app, "D3002")
    form = next(f for f in reader.page("/authoring/sample/review").forms() if "place" in f.fields)

    answer = reader.post(form.action, data={**form.fields, "place": "lesson:second", "text": "Where?"})

    assert answer.status_code == 404
    assert reviews.latest_review("sample").comments == []


def test_whoever_decides_second_is_told(app, changed, author, publisher):
    make_person_with("D3003", "publisher")
    review_id = send_draft(changed, author)
    first, second = signed_in_client(app, "D3002"), signed_in_client(app, "D3003")
    pages = [client.page("/authoring/sample/review") for client in (first, second)]

    first.press(pages[0], "Publish version 2")
    page = second.press(pages[1], "Publish version 2", 409)

    assert "This has been published." in page.text
    assert count_rows(ModuleVersion) == 2
    with pytest.raises(ReviewEndedError), transaction():
        reviews.send_review_back(review_id, reason="Late.", by=publisher, at=clock.now())


@pytest.mark.parametrize("said", ["", "x", "-1", "999999", "²"])
def test_a_review_that_there_is_not_is_not_found(app, changed, author, publisher, said):
    send_draft(changed, author)
    reader = signed_in_client(app, "D3002")
    form = reader.page("/authoring/sample/review").form_with("Publish version 2")

    answer = reader.post(form.action, data={**form.fields, "review": said})

    assert answer.status_code == 404
    assert count_rows(ModuleVersion) == 1
