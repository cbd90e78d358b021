"""The commands: recommendations check, publish, export and list."""

from pathlib import Path

import pytest

from portal.features.assurance.recommendations import current_recommendations
from tests.domain.imports.rosters import run
from tests.features.assurance.test_publishing import GOOD, SHIPPED


@pytest.fixture
def command(app, database):
    return lambda *arguments: run(app, "recommendations", *arguments)


def test_the_four_are_published_and_come_back_byte_for_byte(command, tmp_path):
    checked, published = command("check", SHIPPED), command("publish", SHIPPED)
    exported = command("export", "hydra", tmp_path / "hydra.toml")

    assert (checked.exit_code, published.exit_code, exported.exit_code) == (0, 0, 0), checked.stderr
    assert (tmp_path / "hydra.toml").read_bytes() == (SHIPPED / "hydra.toml").read_bytes()
    assert len(published.output.splitlines()) == 4
    assert "plan: version 1 published." in published.output
    assert "plan: unchanged, nothing to publish." in command("publish", SHIPPED).output
    assert command("list").output.splitlines()[1] == (
        "plan: version 1, A plan to collect, analyse and share information, by 31 December 2025"
    )


def test_a_folder_with_a_fault_publishes_nothing(command, tmp_path):
    (tmp_path / "one.toml").write_text(GOOD)
    (tmp_path / "two.toml").write_text(GOOD.replace("place = 2", "place = 0"))
    (tmp_path / "notes.txt").write_text("x")

    refused = command("publish", tmp_path)

    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "notes.txt: Only files whose names end in .toml belong here.",
        "two.toml, line 8: “place” needs a whole number, 1 or more.",
        "Nothing was changed: 2 to put right.",
    ]
    assert current_recommendations() == []


def test_a_dry_run_publishes_nothing_and_an_existing_file_is_not_overwritten(command, tmp_path: Path):
    path = tmp_path / "plan.toml"
    path.write_text(GOOD)

    assert command("publish", path, "--dry-run").output == "plan: version 1 would be published.\n"
    assert current_recommendations() == []

    command("publish", path)
    assert command("export", "plan", path).exit_code == 1
    assert command("export", "plan", tmp_path / "new.toml", "--version", 7).exit_code == 1
    assert path.read_text() == GOOD
