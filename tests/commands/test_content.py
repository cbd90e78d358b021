"""``content publish``: what a release brings, published by two people, never over what a force changed."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from config import ROOT
from portal.commands import content
from portal.domain.authoring.release_content import list_content_folders
from portal.domain.catalogue import version_cache
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.domain.catalogue.folders import tree, write
from tests.factories.people import make_grant, make_person, make_unit


@pytest.fixture
def run(app, database):
    unit = make_unit("North")
    for number, role in (("A1", Role.AUTHOR), ("P1", Role.PUBLISHER)):
        make_grant(make_person(unit, staff_number=number), role)

    def command(*words, author="A1", publisher="P1", **more):
        people = ["--author", author, "--publisher", publisher] if author else []
        return app.test_cli_runner().invoke(args=["content", "publish", *people, *words], **more)

    return command


@pytest.fixture
def release(tmp_path, monkeypatch) -> Path:
    """A release with a module of its own beside one exercise, one event type and one recommendation."""
    write(tmp_path / "modules")
    (exercise, *_) = sorted((ROOT / "exercises").glob("*/exercise.toml"))
    shutil.copytree(exercise.parent, tmp_path / "exercises" / exercise.parent.name)
    for folder in ("event_types", "recommendations"):
        (tmp_path / folder).mkdir()
        (file, *_) = sorted((ROOT / folder).glob("*.toml"))
        lines = file.read_text().splitlines(keepends=True)
        text = "".join(line for line in lines if not line.startswith("preparation"))
        (tmp_path / folder / file.name).write_text(text)
    shutil.copy(ROOT / "modules/_sources.toml", tmp_path / "modules/_sources.toml")
    shutil.copy(ROOT / "modules/_force.toml", tmp_path / "modules/_force.toml")
    monkeypatch.setattr(content, "ROOT", tmp_path)
    return tmp_path


def published():
    """The lines of the audit trail that publishing leaves, with who did it."""
    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id))
    return [event for event in events if event.action.endswith(".published")]


@pytest.mark.slow
def test_all_that_ships_is_published_by_its_two_people_and_again_nothing_is(run):
    first = run()
    acts = published()
    again = run()

    assert (first.exit_code, again.exit_code) == (0, 0), first.stderr
    assert "protect: version 1 published." in first.stdout
    keys = [line.partition(":")[0] for line in first.stdout.splitlines()]
    for folder, mark in (
        ("exercises", "*/exercise.toml"),
        *((f, "*.toml") for f, _ in list_content_folders()[2:]),
    ):
        shipped = [path.parent.name if "/" in mark else path.stem for path in (ROOT / folder).glob(mark)]
        assert shipped
        assert set(shipped) <= set(keys)
    assert {version.activity.key for version in version_cache.published_modules()} == {
        path.parent.name for path in (ROOT / "modules").glob("*/module.toml")
    }
    assert len({act.actor_id for act in acts}) == 1
    (whole,) = [act for act in acts if act.action == "content.published"]
    assert whole.subject_id not in {None, whole.actor_id}
    assert whole.detail == {"number": len(acts) - 1}
    assert {line.partition(": ")[2] for line in again.stdout.splitlines()} <= {
        "unchanged, nothing to publish.", ""
    }  # fmt: skip
    assert len(published()) == len(acts)


def test_two_people_with_the_roles_are_needed_and_asked_for(run, release):
    one = run(publisher="A1 ")
    no_role = run(author="P1", publisher="A1")
    nobody = run(author="N1")
    asked = run(author="", input="A1\nP1\n")

    assert (one.exit_code, no_role.exit_code, nobody.exit_code) == (1, 1, 1)
    assert "Name two people" in one.stderr
    assert "P1 has not the role author, or no post: people grant P1 author" in no_role.stderr
    assert "Nobody has the staff number N1." in nobody.stderr
    assert asked.exit_code == 0, asked.stderr
    assert "sample: version 1 published." in asked.stdout


def test_a_dry_run_says_what_would_be_and_writes_nothing(run, release):
    dry = run("--dry-run")

    assert dry.exit_code == 0, dry.stderr
    assert "sample: version 1 would be published." in dry.stdout
    assert published() == []


def test_what_the_force_changed_is_never_published_over(app, run, release, tmp_path):
    run()
    lesson = next((release / "modules/sample/lessons").glob("*.md"))
    shipped = lesson.read_text()
    lesson.write_text(f"{shipped}\nAs the force has it.\n")
    app.test_cli_runner().invoke(args=["modules", "publish", str(release / "modules")])
    changed = tree(release / "modules/sample")
    lesson.write_text(shipped)

    again = run()
    app.test_cli_runner().invoke(args=["modules", "export", "sample", str(tmp_path / "out")])

    assert again.exit_code == 0, again.stderr
    assert "modules: left as it is here, with other versions of sample. modules publish " in again.stdout
    assert tree(tmp_path / "out") == changed
