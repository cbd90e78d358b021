"""A process that retires has a successor at once, and all of them end with their parent."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

SCRIPT = """
import os, sys, time
from portal.platform.processes import keep_running

def work(slot, may_retire):
    with open(sys.argv[1], "a") as file:
        file.write(f"{slot.number} {os.getpid()}\\n")
    if may_retire and len(open(sys.argv[1]).readlines()) < 4:
        slot.retire()
    time.sleep(600)

keep_running([lambda slot: work(slot, False), lambda slot: work(slot, True)], 5)
"""


def test_who_retires_is_followed_by_another_with_a_number_of_its_own_and_ends_with_all(
    tmp_path: Path,
) -> None:
    file = tmp_path / "begun"
    parent = subprocess.Popen([sys.executable, "-c", SCRIPT, str(file)], cwd=ROOT)
    try:
        until(lambda: file.exists() and file.read_text().count("\n") == 4)
        begun = dict(line.split() for line in file.read_text().splitlines())
        alive = [Path(f"/proc/{pid}") for pid in begun.values()]

        assert sorted(begun) == ["0", "1", "3", "5"]  # the second of two children retired twice
        assert all(path.exists() for path in alive)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(PATIENCE) == 0
        assert not any(path.exists() for path in alive)
    finally:
        parent.kill()
        parent.wait()
