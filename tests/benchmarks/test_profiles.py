"""The profiles follow what they measure to its end, whatever lessons the modules have today."""

from pathlib import Path

import pytest

from benchmarks import profiles
from benchmarks.growth.inside import in_process


def measure(file: Path) -> list[tuple[str, float]]:
    profiles.FILE = file
    profiles.PEOPLE, profiles.ROWS, profiles.MOVES, profiles.LESSONS = 60, 200, 20, 3
    return [(found.what, found.seconds) for found in profiles.measure()]


@pytest.mark.sweep
def test_each_is_done_and_written_down(tmp_path: Path) -> None:
    file = tmp_path / "profiles.md"

    found = in_process(measure, file)

    assert [what.split()[1] for what, _ in found] == ["lesson,", "attempt", "completion", "import"]
    assert all(seconds > 0 for _, seconds in found)
    assert file.read_text().count("## ") == len(found)
