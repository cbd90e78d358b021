"""Drafts beside what is published: brought in, published, begun anew, checked; at one cost for any length."""

import pytest
from sqlalchemy import func, select

from config import ROOT
from portal.demo import history
from portal.domain.authoring import content_types, findings, item_files, queries, services
from portal.domain.authoring.errors import KeyTakenError, StaleSaveError
from portal.domain.authoring.models import Draft
from portal.domain.authoring.reviews import drafts_waiting_for
from portal.domain.catalogue import services as catalogue
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.module_check import sha256_of
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import RuleError
from tests.domain.catalogue.folders import MODULE, SVG, tree, write
from tests.factories.people import make_person
from tests.pages.authoring.drafting import (
    AT,
    FIRST,
    LATER,
    SECOND,
    lesson_file,
    open_draft,
    publish_sample_folder,
    save_draft,
)
from tests.pages.monitoring.counting import statements

# A version published meanwhile


def edited_by_hand(folder, changes: dict) -> None:
    for path, content in changes.items():
        (folder / "sample" / path).write_bytes(content)
    publish_sample_folder(folder)


def bring_in(draft_id: int, by: int, keeps_mine=None, expected=None):
    with transaction():
        return services.rebase_draft(
            draft_id, by=by, at=LATER, keeps_mine=keeps_mine or {}, expected=expected
        )


def test_a_version_published_meanwhile_is_brought_in(folder, carys, hugh):
    draft_id = open_draft(carys)
    save_draft(draft_id, {FIRST: lesson_file("Mine.\n")}, by=carys)
    assert bring_in(draft_id, hugh) == []
    assert queries.get_draft("sample").number == 2
    edited_by_hand(
        folder, {SECOND: lesson_file("By hand.\n"), "module.toml": MODULE.replace("0.8", "0.9").encode()}
    )
    draft = queries.get_draft("sample")
    assert (draft.is_behind, draft.base_number, draft.published_number) == (True, 1, 2)

    assert bring_in(draft_id, hugh) == []

    draft = queries.get_draft("sample")
    assert (draft.is_behind, draft.base_number, draft.number) == (False, 2, 3)
    assert draft.summary == "Brought version 2 in"
    assert queries.draft_files(draft) == tree(folder / "sample") | {FIRST: lesson_file("Mine.\n")}
    assert queries.editor_ids(draft_id) == {carys, hugh}

    with transaction():
        services.restore_state(draft_id, 2, by=carys, at=LATER)
    assert queries.get_draft("sample").is_behind


def test_what_both_changed_is_asked_and_the_answer_is_taken(folder, carys):
    draft_id = open_draft(carys)
    save_draft(draft_id, {FIRST: lesson_file("Mine.\n"), SECOND: lesson_file("Mine too.\n")}, by=carys)
    edited_by_hand(
        folder, {FIRST: lesson_file("By hand.\n"), "job-aid.md": b'+++\ntitle = "Aid"\n+++\n\nDo.\n'}
    )

    [conflict] = bring_in(draft_id, carys)

    assert (conflict.path, conflict.mine, conflict.theirs) == (FIRST, "Mine.", "By hand.")
    assert queries.get_draft("sample").is_behind
    assert queries.get_draft("sample").number == 2

    save_draft(draft_id, {SECOND: lesson_file("Later.\n")}, by=carys)
    with pytest.raises(StaleSaveError):
        bring_in(draft_id, carys, {conflict.name: False}, expected=2)
    assert bring_in(draft_id, carys, {conflict.name: False, "not asked": True}, expected=3) == []

    held = queries.draft_files(queries.get_draft("sample"))
    assert (held[FIRST], held[SECOND]) == (lesson_file("By hand.\n"), lesson_file("Later.\n"))
    assert held["job-aid.md"] == (folder / "sample/job-aid.md").read_bytes()
    assert not queries.get_draft("sample").is_behind


# Publishing, and the folder


def test_what_is_published_from_a_draft_comes_back_as_a_folder(folder, app, carys, tmp_path_factory):
    draft_id = open_draft(carys)
    before = queries.state_files(draft_id, 1)
    with transaction():
        assert catalogue.publish_files("sample", before, at=stamp(), by=carys) is None
    save_draft(draft_id, {FIRST: lesson_file("Mine.\n")}, by=carys)
    files = queries.state_files(draft_id, 2)

    with transaction():
        version = catalogue.publish_files("sample", files, at=stamp(), by=carys)
        assert version is not None
        assert (version.number, version.published_by_id) == (2, carys)
        assert catalogue.publish_files("sample", files, at=stamp(), by=carys) is None

    out = tmp_path_factory.mktemp("export") / "sample"
    result = app.test_cli_runner().invoke(args=["modules", "export", "sample", str(out)])
    assert result.exit_code == 0, result.output
    assert tree(out) == files
    assert publish_sample_folder(out).unchanged == ["sample"]
    assert version_cache.current_version("sample").number == 2


# New modules


def test_a_new_module_begins_with_a_template_that_passes_its_check(folder, carys):
    with transaction():
        draft_id = services.create_module_draft("first-hour", " First hour ", by=carys, at=AT)

    draft = queries.get_draft("first-hour")
    files = queries.draft_files(draft)
    held = content_types.read_details(files["module.toml"])
    assert (held.title, held.review_on.isoformat()) == ("First hour", "2027-11-25")
    assert (draft.base_number, draft.published_number, draft.is_behind) == (None, None, False)
    assert (len(content_types.lesson_keys(files["module.toml"])), len(item_files.read_items(files))) == (2, 4)
    assert queries.check_draft_files("first-hour", files).faults.sentences() == []
    assert [(row.key, row.title, row.published_number) for row in queries.dashboard_modules()] == [
        ("first-hour", "First hour", None),
        ("sample", "Sample: a small module", 1),
    ]
    with transaction():
        version = catalogue.publish_files(
            "first-hour", queries.state_files(draft_id, 1), at=stamp(), by=carys
        )
    assert version is not None


@pytest.mark.parametrize(
    ("key", "title", "error", "sentence"),
    [
        ("sample", "Sample", KeyTakenError, "There is a module “sample” already"),
        ("begun", "Begun", KeyTakenError, "There is a module “begun” already"),
        ("First Hour", "First", RuleError, "Enter a short name with small letters"),
        ("x" * 61, "First", RuleError, "up to 60 characters"),
        ("first", " ", RuleError, "Enter the module's title"),
    ],
)
def test_a_key_or_title_that_cannot_be_used_is_refused(folder, carys, key, title, error, sentence):
    with transaction():
        services.create_module_draft("begun", "Begun", by=carys, at=AT)

    with pytest.raises(error, match=sentence), transaction():
        services.create_module_draft(key, title, by=carys, at=AT)

    assert db.session.scalar(select(func.count()).select_from(Draft)) == 1


def test_a_new_module_whose_key_was_published_meanwhile_is_behind(database, carys, tmp_path):
    with transaction():
        draft_id = services.create_module_draft("sample", "Mine", by=carys, at=AT)
    publish_sample_folder(write(tmp_path))

    assert queries.get_draft("sample").is_behind
    assert {c.path for c in bring_in(draft_id, carys)} == {"module.toml"}


# Readings


def test_a_draft_is_checked_once_for_the_same_bytes(folder, carys, monkeypatch):
    open_draft(carys)
    draft = queries.get_draft("sample")
    first = queries.check_draft_hashes("sample", draft.files)
    monkeypatch.setattr("portal.domain.authoring.content_types.check_files", None)

    assert queries.check_draft_files("sample", queries.draft_files(draft)) is first
    assert first.faults.sentences() == []
    assert [page.page.key for page in first.modules[0].lessons] == ["first", "second"]


def test_a_guide_published_later_is_known_to_the_next_check(folder, carys):
    draft_id = open_draft(carys)
    save_draft(draft_id, {FIRST: lesson_file("See [the guide](guide:stops).\n")}, by=carys)
    files = queries.get_draft("sample").files
    assert "stops" in queries.check_draft_hashes("sample", files).faults.sentences()[0]

    front = 'title = "Stops"\nsummary = "How."\nowner = "Us"\nreview_on = 2027-05-31\nacknowledge = false\n'
    (folder / "_guides").mkdir()
    (folder / "_guides" / "stops.md").write_text(f"+++\n{front}+++\n\nStop.\n")
    publish_sample_folder(folder)

    assert queries.check_draft_hashes("sample", files).faults.sentences() == []


def test_readings_hold_on_to_so_many_and_so_much(folder, carys, monkeypatch):
    files = queries.draft_files(queries.get_draft("sample")) if open_draft(carys) else {}
    for most, bytes_ in ((2, 10**9), (16, 1)):
        monkeypatch.setattr(findings, "MAX_READINGS", most)
        monkeypatch.setattr(findings, "MAX_CACHED_BYTES", bytes_)
        for number in range(4):
            queries.check_draft_files("sample", files | {FIRST: lesson_file(f"{number} {most}\n")})
        assert len(findings._readings) == (2 if most == 2 else 1)


def test_media_of_a_draft_have_the_drafts_own_address(folder, carys):
    draft_id = open_draft(carys)
    figure = "::: figure media/box.svg\nA box.\n:::\n"
    save_draft(draft_id, {FIRST: lesson_file(figure)}, by=carys)

    html = queries.check_draft_hashes("sample", queries.get_draft("sample").files).modules[0].lessons[0].html

    assert f'src="/authoring/sample/media/{sha256_of(SVG.encode())}/box.svg"' in html


# Lists cost the same however long they are


def many_lessons(count: int) -> dict[str, bytes]:
    names = [f"lesson-{n}" for n in range(1, count + 1)]
    listed = ", ".join(f'"{name}"' for name in names)
    return {
        **{f"lessons/{name}.md": lesson_file("Read.\n") for name in names},
        FIRST: None,
        SECOND: None,
        "module.toml": MODULE.replace('"first", "second"', listed).encode(),
    }


def test_twenty_lessons_take_as_many_statements_as_two(folder, carys):
    draft_id = open_draft(carys)
    taken = []
    for count in (3, 2, 20):  # the first reads what the process keeps
        save_draft(draft_id, {**many_lessons(20), **many_lessons(count)}, by=carys)
        db.session.expunge_all()
        with statements() as run:
            state = queries.get_draft("sample")
            files = queries.draft_files(state)
            queries.check_draft_hashes("sample", state.files)
            queries.list_saves(draft_id)
            services.save_files(
                draft_id,
                {"job-aid.md": f"+++\ntitle = 'Aid {count}'\n+++\n\nDo.\n".encode()},
                expected=state.files,
                summary="Changed",
                by=carys,
                at=LATER,
            )
        assert len(content_types.lesson_keys(files["module.toml"])) == count
        taken.append(len(run))

    assert taken[1] == taken[2]


def test_a_desk_of_twenty_takes_as_many_statements_as_one_of_two(folder, carys):
    taken = []
    for count in (2, 20):
        for number in range(count):
            with transaction():
                if queries.open_draft_id(f"new-{number}") is None:
                    services.create_module_draft(f"new-{number}", f"New {number}", by=carys, at=AT)
        with statements() as run:
            assert len(queries.dashboard_modules()) == count + 1
        taken.append(len(run))

    assert taken[0] == taken[1]


# The demo


@pytest.mark.slow
def test_the_demo_has_a_draft_in_work_and_one_that_waits_for_the_publisher(database):
    with transaction():
        catalogue.publish_folder(ROOT / "modules", at=stamp())
    carys, hugh = make_person(staff_number="D3001"), make_person(staff_number="D3002")

    with transaction():
        history.create_drafts("D3001", at=AT)

    for edit in (history.LESSON, history.GUIDE):
        state = queries.get_draft(edit.key)
        assert (state.number, state.last_saved_by_id, state.last_saved_at) == (2, carys, AT)
        before = queries.state_files(state.draft_id, 1)[edit.path].decode()
        after = queries.draft_files(state)[edit.path].decode()
        assert after == before.replace(edit.before, edit.after) != before
        assert queries.check_draft_hashes(edit.key, state.files).faults.sentences() == []
    assert drafts_waiting_for(hugh) == {state.draft_id}
