"""The commands: event-types check, publish, export and list."""

from pathlib import Path

import pytest

from portal.domain.catalogue import publishing
from tests.domain.catalogue.event_type_files import GOOD, UNPREPARED
from tests.domain.imports.rosters import run
from tests.factories.catalogue import make_guide, make_version

SHIPPED = Path(__file__).resolve().parents[3] / "event_types"


@pytest.fixture
def command(app, database):
    return lambda *arguments: run(app, "event-types", *arguments)


def test_the_shipped_type_is_published_and_comes_back_byte_for_byte(command, tmp_path):
    make_version("recognise"), make_version("respond"), make_guide("supervisors-toolkit")

    checked, published = command("check", SHIPPED), command("publish", SHIPPED)
    exported = command("export", "oic-hydra", tmp_path / "oic-hydra.toml")

    assert (checked.exit_code, published.exit_code, exported.exit_code) == (0, 0, 0), checked.stderr
    assert (tmp_path / "oic-hydra.toml").read_bytes() == (SHIPPED / "oic-hydra.toml").read_bytes()
    assert published.output == "oic-hydra: version 1 published.\n"
    assert command("publish", SHIPPED).output == "oic-hydra: unchanged, nothing to publish.\n"
    assert command("list").output == "oic-hydra: version 1, OIC Hydra: supervisors’ decisions\n"


def test_a_folder_with_a_fault_publishes_nothing(command, tmp_path):
    (tmp_path / "one.toml").write_text(UNPREPARED)
    (tmp_path / "two.toml").write_text(GOOD.replace("240", "0"))
    (tmp_path / "notes.txt").write_text("x")

    refused = command("publish", tmp_path)

    assert refused.exit_code == 1
    assert refused.stderr.splitlines() == [
        "notes.txt: Only files whose names end in .toml belong here.",
        "two.toml, line 6: “minutes” needs a whole number, 1 or more.",
        "Nothing was changed: 2 to put right.",
    ]
    assert publishing.current_event_types() == []


def test_unpublished_preparation_stops_the_other_files_too(command, tmp_path):
    (tmp_path / "one.toml").write_text(UNPREPARED)
    (tmp_path / "two.toml").write_text(GOOD)

    for name in ("check", "publish"):
        refused = command(name, tmp_path)
        assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 3)
    assert publishing.current_event_types() == []


def test_a_dry_run_publishes_nothing_and_an_existing_file_is_not_overwritten(command, tmp_path):
    path = tmp_path / "hydra.toml"
    path.write_text(UNPREPARED)

    assert command("publish", path, "--dry-run").output == "hydra: version 1 would be published.\n"
    assert publishing.current_event_types() == []

    command("publish", path)
    assert command("export", "hydra", path).exit_code == 1
    assert command("export", "hydra", tmp_path / "new.toml", "--version", 7).exit_code == 1
    assert path.read_text() == UNPREPARED
