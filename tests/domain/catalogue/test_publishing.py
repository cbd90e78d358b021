"""Publishing is all or nothing, does nothing twice, and leaves what is published alone."""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from portal.domain.catalogue import services, version_cache
from portal.domain.catalogue.models import Activity, Item, Lesson, ModuleVersion, PackageFile, SharedVersion
from portal.platform.audit import AuditEvent
from portal.platform.db import Stamp, db, stamp, transaction
from portal.platform.errors import BadInputError, NotFoundError
from tests.domain.catalogue.folders import CHECK, MODULE, SOURCES, lesson, tree, write
from tests.examples import IN_ONE_TRANSACTION, few_or_many

TABLES = (Activity, SharedVersion, ModuleVersion, PackageFile, Lesson, Item, AuditEvent)


def publish(folder) -> services.PublishingResult:
    with transaction():
        return services.publish_folder(folder, at=stamp())


def count_all_rows() -> dict[str, int]:
    counts = {t.__tablename__: db.session.scalar(select(func.count()).select_from(t)) for t in TABLES}
    return {name: count or 0 for name, count in counts.items()}


def test_a_folder_becomes_rows(database, tmp_path):
    with transaction():
        at = stamp()
        services.publish_folder(write(tmp_path), at=at)

    version = version_cache.current_version("sample")
    assert version is not None
    assert (version.number, version.recorded_at, version.published_at, version.draw) == (1, at, at, 2)
    assert [lesson.key for lesson in version.lessons] == ["first", "second"]
    assert [item.key for item in version.items] == ["one", "two"]
    assert version.items[0].content["choices"][0] == {
        "key": "a",
        "html": "This",
        "feedback_html": "Yes.",
        "correct": True,
    }
    assert version.outcomes == [{"key": "see", "text": "See a thing"}, {"key": "say", "text": "Say a thing"}]
    assert (version.attempts, version.wait_minutes, version.test_out) == (0, 0, False)
    assert version.job_aid_title == "On one page"
    assert version.briefing_title is None
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "module.published")).one()
    assert (event.detail["module"], event.detail["number"], event.actor_id) == ("sample", 1, None)
    assert [v.id for v in version_cache.published_modules()] == [version.id]
    assert version_cache.activity_id("module", "sample") == version.activity_id
    assert version_cache.activity_id("guide", "sample") is None


def test_a_briefing_is_published_and_kept_byte_for_byte(database, tmp_path):
    text = '+++\ntitle = "At parade"\n+++\n\n## The case\n\nA van.\n'
    publish(write(tmp_path, {"sample/briefing.md": text}))

    version = version_cache.current_version("sample")

    assert version is not None
    assert version.briefing_title == "At parade"
    assert "A van." in str(version.briefing_html)
    assert version_cache.package_files(version.id)["briefing.md"] == text.encode()


def test_the_same_bytes_publish_nothing(database, tmp_path):
    publish(write(tmp_path))
    before = count_all_rows()

    again = publish(tmp_path)

    assert count_all_rows() == before
    assert (again.versions, again.unchanged, again.shared) == ([], ["sample"], [])


def test_the_same_content_in_another_layout_publishes_nothing(database, tmp_path):
    guide = "+++\ntitle = 'G'\nsummary = 'S'\nowner = 'O'\nreview_on = 2027-05-31\n{}+++\n\nRead.\n"
    publish(write(tmp_path, {"_guides/g.md": guide.format("acknowledge = true\n")}))
    before = count_all_rows()
    check = CHECK.replace('key = "try"', "# Asked first.\nkey = 'try'")
    changes = {
        "_sources.toml": f"# Ours.\n{SOURCES}",
        "_guides/g.md": guide.format("acknowledge=true # yes\n"),
        "sample/module.toml": MODULE.replace('["first", "second"]', '[\n  "first",\n  "second",\n]'),
        "sample/lessons/first.md": lesson(f"## Look\n\nRead this.\n\n{check}").replace(" = ", "="),
    }

    again = publish(write(tmp_path, changes))

    assert count_all_rows() == before
    assert (again.versions, again.guides, again.unchanged, again.shared) == ([], [], ["sample", "g"], [])
    for path, old, new in (
        ("sample/lessons/first.md", "Which?", "What?"),
        ("sample/module.toml", "minutes = 10", "minutes = 11"),
    ):
        changes[path] = changes[path].replace(old, new)
        assert publish(write(tmp_path, changes)).unchanged == ["g"], path


def test_a_new_version_leaves_the_rows_of_the_old_one_alone(database, tmp_path):
    publish(write(tmp_path))
    first = version_cache.numbered_version("sample", 1)
    old = {t: column_values(t, first.id) for t in (Lesson, Item, PackageFile)}
    digest, mastery = first.digest, first.mastery_score

    changed = MODULE.replace("0.8", "0.9").replace('["first", "second"]', '["second"]')
    publish(write(tmp_path, {"sample/module.toml": changed, "sample/lessons/first.md": None}))

    db.session.expire_all()
    assert {t: column_values(t, first.id) for t in (Lesson, Item, PackageFile)} == old
    assert (first.digest, first.mastery_score) == (digest, mastery)
    current = version_cache.current_version("sample")
    assert current is not None
    assert (current.number, [each.key for each in current.lessons]) == (2, ["second"])
    assert current.activity_id == first.activity_id
    assert [v.id for v in version_cache.published_modules()] == [current.id]


def column_values(table: type, version_id: int) -> list[tuple]:
    statement = select(*table.__table__.c).where(table.module_version_id == version_id).order_by(table.id)
    return [tuple(row) for row in db.session.execute(statement)]


def test_what_was_published_before_can_be_published_again_as_a_new_version(database, tmp_path):
    publish(write(tmp_path))
    publish(write(tmp_path, {"sample/lessons/second.md": lesson("Other.\n")}))
    publish(write(tmp_path))

    current = version_cache.current_version("sample")
    assert current is not None
    assert current.number == 3
    assert current.digest == version_cache.numbered_version("sample", 1).digest


def test_one_faulty_module_stops_all(database, tmp_path):
    write(tmp_path)
    (tmp_path / "worse").mkdir()
    before = count_all_rows()

    with pytest.raises(BadInputError) as refused:
        publish(tmp_path)

    assert refused.value.reasons == ["worse/module.toml: This file is missing. A module's folder needs it."]
    assert count_all_rows() == before
    assert db.session.scalar(select(func.count()).select_from(Stamp)) == 0


def test_what_fails_half_way_leaves_nothing(database, tmp_path):
    write(tmp_path)
    before = count_all_rows()
    event.listen(Item, "before_insert", fail)

    try:
        with pytest.raises(OSError, match="half way"):
            publish(tmp_path)
    finally:
        event.remove(Item, "before_insert", fail)

    assert count_all_rows() == before


def fail(*_: object) -> None:
    raise OSError("half way")


def test_shared_files_have_versions_of_their_own(database, tmp_path):
    publish(write(tmp_path))
    more = SOURCES + SOURCES.split("\n\n")[0].replace('"1"', '"2"')
    done = publish(write(tmp_path, {"_sources.toml": more}))

    assert (done.shared, done.versions, done.unchanged) == ([("_sources.toml", 2)], [], ["sample"])
    held = version_cache.shared_version("_sources.toml")
    assert held is not None
    assert (held.number, held.content) == (2, more.encode())
    version = version_cache.current_version("sample")
    assert version is not None
    checked_against = db.session.get(SharedVersion, version.sources_version_id)
    assert checked_against is not None
    assert checked_against.number == 1
    assert [source.number for source in version_cache.list_sources()] == ["1", "6", "2"]


def test_one_module_is_checked_against_the_sources_that_are_published(database, tmp_path):
    publish(write(tmp_path))
    write(
        tmp_path,
        {"_sources.toml": SOURCES.replace('"1"', '"3"'), "sample/lessons/second.md": lesson("New.\n")},
    )

    done = publish(tmp_path / "sample")

    assert (done.shared, [v.number for v in done.versions]) == ([], [2])
    with pytest.raises(BadInputError, match="The source “1” of “one” is not in"):
        publish(tmp_path)


def test_what_is_not_there_is_said(database, tmp_path):
    assert version_cache.current_version("sample") is None
    with pytest.raises(NotFoundError, match="has no version 4"):
        version_cache.numbered_version("sample", 4)
    with pytest.raises(BadInputError, match="The folder nowhere does not exist"):
        services.check_folder(tmp_path / "nowhere")


NUMBERS = count(1)
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"), max_size=80
)


@pytest.mark.slow
@settings(
    max_examples=few_or_many(10, 25),
    suppress_health_check=IN_ONE_TRANSACTION,
)
@given(
    body=st.lists(WORDS, min_size=1, max_size=4),
    comment=WORDS,
    tail=st.sampled_from(["", "\n", "\n\n", "  "]),
)
def test_what_is_published_comes_back_byte_for_byte(database, tmp_path, body, comment, tail):
    text = "\n\n".join(f"a {row.replace('[', '(').replace(':::', '')}" for row in body) + tail
    changes = {
        "sample/lessons/second.md": lesson(text),
        "sample/lessons/first.md": lesson(f"{next(NUMBERS)}\n"),  # or nothing is said anew
        "sample/module.toml": f"# {comment}\n{MODULE}{tail}",
    }
    folder = write(tmp_path, changes)

    publish(folder)

    version = version_cache.current_version("sample")
    assert version is not None
    assert version_cache.package_files(version.id) == tree(folder / "sample")
