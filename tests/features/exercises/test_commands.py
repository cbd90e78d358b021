"""The commands: exercises check, publish, export and list, with their exit codes."""

from pathlib import Path

import pytest
from click.testing import Result

from portal.features.exercises import versions
from tests.domain.catalogue.folders import tree
from tests.features.exercises.folders import write_exercises

KEY = "short-night"


@pytest.fixture
def run(app, database):
    def command(*arguments: object) -> Result:
        return app.test_cli_runner().invoke(args=["exercises", *map(str, arguments)])

    return command


def test_a_folder_is_published_listed_and_comes_back_byte_for_byte(run, tmp_path):
    folder = write_exercises(tmp_path / "in")

    assert run("list").stdout.startswith("No exercise is published.")
    assert run("publish", "--dry-run", folder).stdout == f"{KEY}: version 1 would be published.\n"
    assert versions.list_newest_versions() == []
    assert run("publish", folder).stdout == f"{KEY}: version 1 published.\n"
    assert run("publish", folder).stdout == f"{KEY}: unchanged, nothing to publish.\n"
    assert run("list").stdout == f"{KEY}: version 1, 30 minutes, A short night\n"
    exported = run("export", KEY, tmp_path / "out")

    assert (exported.exit_code, exported.stdout) == (0, f"{KEY}: 11 files written to {tmp_path / 'out'}.\n")
    assert tree(tmp_path / "out") == tree(folder / KEY)
    assert run("export", KEY, tmp_path / "out").exit_code == 1  # it is not empty
    assert run("export", KEY, tmp_path / "two", "--version", 2).exit_code == 1
    assert run("export", "none", tmp_path / "two").stderr.startswith("The exercise “none” is not published.")


def test_check_lists_faults_first_and_then_breaches_of_the_brief(run, tmp_path):
    faulty = write_exercises(tmp_path / "one", {"debrief.md": None})
    short = write_exercises(tmp_path / "two")

    refused, brief = run("check", faulty), run("check", short)

    assert (refused.exit_code, brief.exit_code) == (1, 1)
    assert "short-night/debrief.md: There is no such file" in refused.stderr
    assert "injects" not in refused.stderr
    for said in (
        "short-night/exercise.toml, line 7: It has 4 injects. Write 14 or more.",
        "short-night/exercise.toml, line 7: It has 1 turning point. Write 3 or more.",
        "short-night/exercise.toml, line 6: “Response supervisor” has 1 question to decide. Write 3",
        "short-night/injects/call.md, line 16: There is no media/box.narrow.svg.",
    ):
        assert said in brief.stderr
    assert run("publish", faulty).exit_code == 1
    assert run("publish", short / KEY).exit_code == 0  # a breach of the brief alone is not refused


SHIPPED = Path(__file__).resolve().parents[3] / "exercises"


@pytest.mark.slow
def test_the_exercise_of_the_portal_passes_and_comes_back_byte_for_byte(run, tmp_path):
    checked, published = run("check", SHIPPED), run("publish", SHIPPED)

    assert (checked.exit_code, published.exit_code) == (0, 0), checked.stderr
    assert run("export", "night-at-marrow-hill", tmp_path / "out").exit_code == 0
    assert tree(tmp_path / "out") == tree(SHIPPED / "night-at-marrow-hill")
