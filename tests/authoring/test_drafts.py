"""Drafts: opened once, saved state by state, never overwritten silently, merged, discarded."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.authoring import queries, services
from portal.authoring.editing import details, items, lesson
from portal.authoring.errors import StaleSaveError, UnderReviewError
from portal.catalogue import services as catalogue
from portal.catalogue.checking import sha256
from portal.db import stamp, transaction
from portal.errors import ConflictError, NotFoundError, RuleError
from tests.catalogue.folders import tree, write
from tests.factories.people import make_person

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


@pytest.fixture
def carys(database) -> int:
    return make_person(forenames="Carys", surname="Rees")


@pytest.fixture
def hugh(database) -> int:
    return make_person(forenames="Hugh", surname="Mercer")


@pytest.fixture
def folder(database, tmp_path):
    write(tmp_path)
    with transaction():
        catalogue.publish(tmp_path, at=stamp())
    return tmp_path


def opened(by: int, key: str = "sample") -> int:
    with transaction():
        return services.open_draft(key, by=by, at=AT)


def save(draft_id: int, changes, *, by: int, expected=None, at=LATER) -> int:
    held = queries.draft("sample").files
    with transaction():
        return services.save(
            draft_id,
            changes,
            expected={path: held.get(path) for path in changes} if expected is None else expected,
            summary="Changed",
            by=by,
            at=at,
        )


def test_a_draft_begins_with_the_published_folder_byte_for_byte(folder, carys):
    draft_id = opened(carys)

    draft = queries.draft("sample")
    assert queries.contents(draft) == tree(folder / "sample")
    assert (draft.draft_id, draft.number, draft.base_number, draft.published_number) == (draft_id, 1, 1, 1)
    assert (draft.behind, draft.last_saved_by, draft.last_saved_at) == (False, "Carys Rees", AT)
    assert queries.changed_by(draft_id) == set()


def test_a_save_is_a_state_and_equal_bytes_are_none(folder, carys, hugh):
    draft_id = opened(carys)
    before = queries.contents(queries.draft("sample"))
    text = lesson.read(before["lessons/first.md"])
    changed = lesson.write(before["lessons/first.md"], lesson.LessonText("New", 2, text.outcomes, text.body))

    assert save(draft_id, {"lessons/first.md": changed}, by=hugh) == 2
    assert save(draft_id, {"lessons/first.md": changed}, by=carys) == 2

    assert queries.state(draft_id, 1) == before
    assert queries.state(draft_id, 2) == before | {"lessons/first.md": changed}
    assert [(s.number, s.saved_by) for s in queries.saves(draft_id)] == [(2, "Hugh Mercer"), (1, "Carys Rees")]
    assert queries.changed_by(draft_id) == {hugh}


def test_a_new_module_begins_with_a_template(folder, carys):
    with transaction():
        services.new_module("first-hour", "First hour", by=carys, at=AT)

    draft = queries.draft("first-hour")
    files = queries.contents(draft)
    assert details.read(files["module.toml"]).title == "First hour"
    assert len(items.read(files)) == 4
    assert queries.reading("first-hour", files).faults.sentences() == []
