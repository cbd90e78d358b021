"""Drafts: opened once, saved state by state, never overwritten silently, brought back, discarded."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import delete, func, select

from portal.domain.authoring import content_types, files, item_files, queries, services
from portal.domain.authoring.errors import (
    DraftEndedError,
    DraftUnderReviewError,
    StaleSaveError,
    TooLargeError,
    UnreadableFileError,
)
from portal.domain.authoring.models import DraftContent
from portal.domain.catalogue import services as catalogue
from portal.domain.catalogue.module_check import sha256_of
from portal.domain.people.models import PersonName
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import NotFoundError
from tests.domain.catalogue.folders import tree, write
from tests.examples import few_or_many
from tests.pages.authoring.drafting import (
    AT,
    FIRST,
    LATER,
    SECOND,
    draft_events,
    lesson_file,
    open_draft,
    publish_sample_folder,
    save_draft,
    send_for_review,
)
from tests.pages.authoring.written import HANDS

# Opening


def test_a_draft_begins_with_the_published_folder_byte_for_byte(folder, carys):
    draft_id = open_draft(carys)

    draft = queries.get_draft("sample")
    assert queries.draft_files(draft) == tree(folder / "sample")
    assert (draft.draft_id, draft.number, draft.base_number, draft.published_number) == (draft_id, 1, 1, 1)
    assert (draft.is_behind, draft.last_saved_by, draft.last_saved_at) == (False, "Carys Rees", AT)
    assert (draft.review, draft.editors) == (None, [])
    assert queries.editor_ids(draft_id) == set()
    assert queries.read_content(draft.files[FIRST]) == (folder / "sample" / FIRST).read_bytes()
    assert draft_events() == [("draft.opened", carys)]


def test_opening_twice_is_the_same_as_once(folder, carys, hugh):
    assert open_draft(hugh) == open_draft(carys) == open_draft(hugh)
    assert queries.get_draft("sample").last_saved_by == "Hugh Mercer"
    assert len(draft_events()) == 1


def test_there_is_no_draft_of_nothing(folder, carys):
    with pytest.raises(NotFoundError, match="There is no module “other”"):
        open_draft(carys, "other")
    with pytest.raises(NotFoundError, match="There is no draft of “sample”"):
        queries.get_draft("sample")
    with pytest.raises(NotFoundError):
        queries.read_content("0" * 64)
    with pytest.raises(NotFoundError), transaction():
        services.lock_draft(99)


@pytest.mark.slow
@settings(
    max_examples=few_or_many(4, 10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(hand=HANDS)
def test_folder_draft_folder_is_byte_for_byte_the_same(database, carys, tmp_path, hand):
    hand.scenes = False
    module, _ = hand.module("sample", ["first", "second"])
    bank = [hand.item("one") | {"outcome": "see"}, hand.item("two") | {"outcome": "say"}, *hand.items()]
    write(tmp_path, {"sample/module.toml": module, "sample/items/bank.toml": hand.bank(bank)})
    files = tree(tmp_path / "sample")
    publish_sample_folder(tmp_path)

    draft_id = open_draft(carys)

    assert queries.state_files(draft_id, 1) == files
    held = content_types.read_details(files["module.toml"])
    assert content_types.write_details(files["module.toml"], held) == files["module.toml"]
    assert all(
        item_files.write_item(files, place.key, place.table) == {} for place in item_files.read_items(files)
    )
    with transaction():
        assert (
            catalogue.publish_files("sample", queries.state_files(draft_id, 1), at=stamp(), by=carys) is None
        )
        services.discard_draft(draft_id, by=carys, at=LATER)


# Saving


def test_a_save_is_a_state_and_equal_bytes_are_none(folder, carys, hugh):
    draft_id = open_draft(carys)
    before = queries.draft_files(queries.get_draft("sample"))
    held = files.read_lesson(before[FIRST])
    changed = files.write_lesson(before[FIRST], files.LessonFields("New", 2, held.outcomes, held.body))

    assert save_draft(draft_id, {FIRST: changed}, by=hugh) == 2
    assert save_draft(draft_id, {FIRST: changed}, by=carys) == 2
    assert save_draft(draft_id, {FIRST: changed}, by=carys, expected={}) == 2

    assert queries.state_files(draft_id, 1) == before
    assert queries.state_files(draft_id, 2) == before | {FIRST: changed}
    assert [(s.number, s.saved_by) for s in queries.list_saves(draft_id)] == [
        (2, "Hugh Mercer"),
        (1, "Carys Rees"),
    ]
    assert queries.editor_ids(draft_id) == {hugh}


def test_files_come_and_go(folder, carys):
    draft_id = open_draft(carys)

    save_draft(draft_id, {"lessons/third.md": lesson_file("Three.\n"), SECOND: None}, by=carys)

    assert sorted(queries.get_draft("sample").files) == [
        "items/bank.toml",
        "job-aid.md",
        FIRST,
        "lessons/third.md",
        "media/box.svg",
        "module.toml",
    ]


def test_a_stale_save_overwrites_nothing(folder, carys, hugh):
    draft_id = open_draft(carys)
    shown = queries.get_draft("sample").files
    save_draft(draft_id, {FIRST: lesson_file("Hugh's.\n")}, by=hugh)

    with pytest.raises(StaleSaveError, match="Hugh Mercer saved this after you opened it") as refused:
        save_draft(draft_id, {FIRST: lesson_file("Mine.\n")}, by=carys, expected=shown)

    assert refused.value.present == {FIRST: sha256_of(lesson_file("Hugh's.\n"))}
    assert queries.get_draft("sample").number == 2
    assert save_draft(draft_id, {SECOND: lesson_file("Mine.\n")}, by=carys, expected=shown) == 3
    assert queries.state_files(draft_id, 3)[FIRST] == lesson_file("Hugh's.\n")


def test_a_stale_save_of_a_file_that_went_or_came_is_refused(folder, carys, hugh):
    draft_id = open_draft(carys)
    shown = queries.get_draft("sample").files
    save_draft(draft_id, {SECOND: None, "lessons/third.md": lesson_file("Hugh's.\n")}, by=hugh)

    with pytest.raises(StaleSaveError) as refused:
        save_draft(draft_id, {SECOND: lesson_file("Mine.\n")}, by=carys, expected=shown)
    assert refused.value.present == {SECOND: None}
    with pytest.raises(StaleSaveError):
        save_draft(draft_id, {"lessons/third.md": lesson_file("Mine.\n")}, by=carys, expected=shown)


@pytest.mark.parametrize(
    ("path", "content", "error", "sentence"),
    [
        (
            FIRST,
            lesson_file("x" * 1_000_000),
            TooLargeError,
            "This text is too long: 976 KB. The limit is 200 KB",
        ),
        ("items/bank.toml", b"# " + b"x" * 300_000, TooLargeError, "The limit is 200 KB"),
        ("media/big.png", b"x" * 6_000_000, TooLargeError, "is 5.7 MB. A file may have up to 5 MB"),
        ("../first.md", b"x", UnreadableFileError, "does not belong in a module"),
        ("lessons/a/b.md", b"x", UnreadableFileError, "does not belong in a module"),
        (FIRST, lesson_file("one\r\ntwo"), UnreadableFileError, "has CR LF line ends"),
        (FIRST, b"\xff\xfe", UnreadableFileError, "is not UTF-8 text"),
        (FIRST, b"No front matter.\n", UnreadableFileError, "has lost its front matter"),
        ("module.toml", b"title = \n", UnreadableFileError, "could not be read after this change"),
        ("module.toml", None, UnreadableFileError, "A module must have “module.toml”"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(folder, carys, path, content, error, sentence):
    draft_id = open_draft(carys)
    kept = db.session.scalar(select(func.count()).select_from(DraftContent))

    with pytest.raises(error, match=sentence):
        save_draft(draft_id, {path: content, SECOND: lesson_file("Beside it.\n")}, by=carys)

    assert queries.get_draft("sample").number == 1
    assert db.session.scalar(select(func.count()).select_from(DraftContent)) == kept


def test_a_draft_holds_so_many_files_and_so_much(folder, carys, monkeypatch):
    draft_id = open_draft(carys)
    monkeypatch.setattr(files, "DRAFT_FILES", 8)
    save_draft(draft_id, {"lessons/third.md": lesson_file("Three.\n")}, by=carys)

    with pytest.raises(TooLargeError, match="A module may have up to 8 files"):
        save_draft(
            draft_id, {"lessons/4.md": lesson_file("4\n"), "lessons/5.md": lesson_file("5\n")}, by=carys
        )

    monkeypatch.setattr(files, "DRAFT_BYTES", 1_000)
    with pytest.raises(TooLargeError, match="All files of a module together may have up to"):
        save_draft(draft_id, {FIRST: lesson_file("Longer.\n" * 200)}, by=carys)
    assert save_draft(draft_id, {FIRST: lesson_file("Less.\n")}, by=carys) == 3


# Bringing back, discarding


def test_any_state_can_be_brought_back(folder, carys, hugh):
    draft_id = open_draft(carys)
    save_draft(draft_id, {FIRST: lesson_file("Two.\n")}, by=carys)
    save_draft(draft_id, {SECOND: lesson_file("Three.\n")}, by=carys)

    with transaction():
        assert services.restore_state(draft_id, 1, by=hugh, at=LATER) == 4
        assert services.restore_state(draft_id, 1, by=hugh, at=LATER) == 4

    assert queries.state_files(draft_id, 4) == queries.state_files(draft_id, 1)
    assert queries.editor_ids(draft_id) == {carys, hugh}
    assert queries.get_draft("sample").summary == "Brought state 1 back"
    with pytest.raises(NotFoundError, match="This draft has no state 9"), transaction():
        services.restore_state(draft_id, 9, by=hugh, at=LATER)
    assert draft_events() == [("draft.opened", carys), ("draft.restored", hugh)]


def test_a_discarded_draft_takes_nothing_more_and_a_new_one_begins_afresh(folder, carys):
    draft_id = open_draft(carys)
    save_draft(draft_id, {FIRST: lesson_file("Mine.\n")}, by=carys)
    with transaction():
        services.discard_draft(draft_id, by=carys, at=LATER)

    with pytest.raises(DraftEndedError, match="This draft has been discarded"):
        save_draft(draft_id, {FIRST: lesson_file("More.\n")}, by=carys)
    with pytest.raises(DraftEndedError), transaction():
        services.restore_state(draft_id, 1, by=carys, at=LATER)
    assert draft_events() == [("draft.opened", carys), ("draft.discarded", carys)]

    again = open_draft(carys)
    assert again != draft_id
    assert queries.draft_files(queries.get_draft("sample")) == tree(folder / "sample")
    assert queries.state_files(draft_id, 2)[FIRST] == lesson_file("Mine.\n")


def test_under_review_nothing_changes(folder, carys):
    draft_id = open_draft(carys)
    send_for_review(draft_id, carys)

    review = queries.get_draft("sample").review
    assert review is not None
    assert (review.number, review.sent_by, review.note) == (1, "Carys Rees", "Look")
    assert queries.dashboard_modules()[0].in_review
    for act in (
        lambda: save_draft(draft_id, {FIRST: lesson_file("Mine.\n")}, by=carys),
        lambda: services.restore_state(draft_id, 1, by=carys, at=LATER),
        lambda: services.discard_draft(draft_id, by=carys, at=LATER),
        lambda: services.rebase_draft(draft_id, by=carys, at=LATER, keeps_mine={}),
    ):
        with pytest.raises(DraftUnderReviewError, match="Withdraw it from review before you change it"):
            act()
    assert queries.get_draft("sample").number == 1


# Who is editing


def test_the_second_person_is_told_who_is_editing_and_may_take_over(folder, carys, hugh):
    draft_id = open_draft(carys)
    soon = AT + timedelta(minutes=14)

    assert services.claim_place(draft_id, "lesson:first", by=carys, at=AT) is None
    assert services.claim_place(draft_id, "lesson:second", by=hugh, at=AT) is None
    told = services.claim_place(draft_id, "lesson:first", by=hugh, at=soon)
    assert told == queries.ActiveEditor(carys, "Carys Rees", "lesson:first", AT)

    services.take_over_place(draft_id, "lesson:first", by=hugh, at=soon)

    assert services.claim_place(draft_id, "lesson:first", by=hugh, at=soon) is None
    told = services.claim_place(draft_id, "lesson:first", by=carys, at=soon)
    assert told is not None
    assert (told.name, told.since) == ("Hugh Mercer", soon)

    services.leave_place(draft_id, "lesson:first", by=carys)
    assert services.claim_place(draft_id, "lesson:first", by=carys, at=soon) is not None
    services.leave_place(draft_id, "lesson:first", by=hugh)
    assert services.claim_place(draft_id, "lesson:first", by=carys, at=soon) is None


def test_who_was_not_seen_for_a_while_holds_nothing(folder, carys, hugh):
    draft_id = open_draft(carys)
    services.claim_place(draft_id, "details", by=carys, at=AT)
    services.claim_place(draft_id, "details", by=carys, at=AT + timedelta(minutes=10))

    late = AT + timedelta(minutes=25, seconds=1)
    assert services.claim_place(draft_id, "details", by=hugh, at=AT + timedelta(minutes=25)) is not None
    assert services.claim_place(draft_id, "details", by=hugh, at=late) is None
    told = services.claim_place(draft_id, "details", by=carys, at=late)
    assert told is not None
    assert told.since == late


def test_the_desk_and_the_draft_name_who_is_there_now(folder, carys, time_machine):
    time_machine.move_to(AT, tick=False)
    draft_id = open_draft(carys)
    services.claim_place(draft_id, "details", by=carys, at=AT)

    there = [queries.ActiveEditor(carys, "Carys Rees", "details", AT)]
    assert queries.get_draft("sample").editors == queries.dashboard_modules()[0].editors == there
    time_machine.move_to(AT + timedelta(minutes=16), tick=False)
    assert queries.get_draft("sample").editors == queries.dashboard_modules()[0].editors == []


def test_whose_name_was_erased_is_someone(folder, carys):
    draft_id = open_draft(carys)
    services.claim_place(draft_id, "details", by=carys, at=datetime.now(UTC))
    db.session.execute(delete(PersonName).where(PersonName.person_id == carys))

    assert queries.get_draft("sample").last_saved_by == "Someone"
    assert queries.list_saves(draft_id)[0].saved_by == "Someone"
    assert queries.person_name(carys) == queries.get_draft("sample").editors[0].name == "Someone"
