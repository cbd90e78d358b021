"""The commands: modules check, publish and export, with their exit codes."""

import os
from pathlib import Path

import pytest
from click.testing import Result

from portal.commands.publications import write_folder
from portal.domain.catalogue import version_cache
from portal.platform.errors import BadInputError
from tests.domain.catalogue.folders import lesson, tree, write

MODULES = Path(__file__).resolve().parents[2] / "modules"


@pytest.fixture
def run(app, database):
    def command(*arguments: object) -> Result:
        return app.test_cli_runner().invoke(args=["modules", *map(str, arguments)])

    return command


@pytest.mark.slow
def test_the_modules_of_the_portal_pass_and_come_back_byte_for_byte(run, tmp_path):
    checked = run("check", MODULES)
    published = run("publish", MODULES)

    assert (checked.exit_code, published.exit_code) == (0, 0), checked.stderr
    for key in ("recognise", "protect", "respond", "report"):
        assert run("export", key, tmp_path / key).exit_code == 0
        assert tree(tmp_path / key) == tree(MODULES / key)


def test_check_says_every_fault_and_changes_nothing(run, tmp_path):
    write(tmp_path, {"sample/lessons/second.md": lesson("[x](lesson:none)\n\n[x](term:none)\n")})

    result = run("check", tmp_path)

    assert result.exit_code == 1
    assert "sample/lessons/second.md, line 7: There is no lesson “none”" in result.stderr
    assert "sample/lessons/second.md, line 9: “none” is not in _glossary.toml" in result.stderr
    assert "2 to put right" in result.stderr
    assert result.stdout == ""


def test_what_breaks_the_brief_alone_fails_the_check_and_can_be_published(run, tmp_path):
    folder = write(tmp_path)

    checked = run("check", folder)

    assert checked.exit_code == 1
    assert "sample/module.toml, line 8: There are 2 lessons. Write 4 to 8." in checked.stderr
    assert "sample/lessons/second.md, line 6: The lesson has 2 words. Write 350 to 600." in checked.stderr
    assert "There is no module" not in checked.stderr
    assert checked.stdout == ""
    assert run("publish", folder).exit_code == 0
    assert [version.activity.key for version in version_cache.published_modules()] == ["sample"]


def test_the_brief_is_asked_of_one_module_s_folder_too(run, tmp_path):
    folder = write(tmp_path / "all") / "sample"

    checked = run("check", folder)

    assert checked.exit_code == 1
    assert "sample/module.toml, line 8: There are 2 lessons. Write 4 to 8." in checked.stderr
    assert run("check", MODULES / "protect").exit_code == 0


def test_publish_refuses_with_one(run, tmp_path):
    write(tmp_path, {"sample/module.toml": "x"})

    result = run("publish", tmp_path)

    assert result.exit_code == 1
    assert "sample/module.toml, line 1: This is not TOML" in result.stderr
    assert version_cache.published_modules() == []


def test_a_dry_run_says_what_would_be_and_writes_nothing(run, tmp_path):
    write(tmp_path)

    dry = run("publish", tmp_path, "--dry-run")

    assert dry.exit_code == 0
    assert "sample: version 1 would be published." in dry.stdout
    assert version_cache.published_modules() == []
    assert "sample: version 1 published." in run("publish", tmp_path).stdout
    assert "sample: unchanged, nothing to publish." in run("publish", tmp_path).stdout


def test_an_older_version_can_be_had(run, tmp_path):
    folder = write(tmp_path / "all")
    first = tree(folder / "sample")
    run("publish", folder)
    run("publish", write(folder, {"sample/lessons/second.md": lesson("New.\n")}) / "sample")

    assert run("export", "sample", tmp_path / "one", "--version", 1).exit_code == 0
    assert tree(tmp_path / "one") == first
    assert run("export", "sample", tmp_path / "two").exit_code == 0
    assert tree(tmp_path / "two") == tree(folder / "sample")
    missing = run("export", "sample", tmp_path / "three", "--version", 3)
    assert (missing.exit_code, "has no version 3" in missing.stderr) == (1, True)
    assert not (tmp_path / "three").exists()


def test_export_writes_into_an_empty_folder_alone(run, tmp_path):
    run("publish", write(tmp_path / "all"))
    full, empty = tmp_path / "full", tmp_path / "empty"
    full.mkdir()
    (full / "mine").write_text("x")
    empty.mkdir()
    os.symlink(empty, tmp_path / "link")

    assert run("export", "sample", empty).exit_code == 0
    for target in (full, tmp_path / "link", full / "mine"):
        refused = run("export", "sample", target)
        assert (refused.exit_code, "is not an empty folder" in refused.stderr) == (1, True)
    assert tree(full) == {"mine": b"x"}


def test_export_never_leaves_its_folder(tmp_path):
    with pytest.raises(BadInputError, match="would leave the folder"):
        write_folder({"lessons/a.md": b"x", "../../out.md": b"x"}, tmp_path / "deep" / "target")

    assert tree(tmp_path) == {}


def test_wrong_use_is_two(run, tmp_path):
    assert run("check", tmp_path / "nowhere").exit_code == 2
    assert run("publish").exit_code == 2
    assert run("export", "sample", tmp_path / "x", "--version", "new").exit_code == 2
    assert run("export", "sample", tmp_path / "x").exit_code == 1
