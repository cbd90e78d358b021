"""A backup taken while people join: one consistent state, with all that was acknowledged before it."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.running import ROOT, command, copied, fresh_database, settings
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
Portal = dict[str, str]


class Writer:
    """A process that commits one joiner after the other; ``joined`` are those it has acknowledged."""

    def __init__(self, portal: Portal, prefix: str) -> None:
        self.joined: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.platform.operations.writing", prefix],
            cwd=ROOT,
            env=portal,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.joined += (line.strip() for line in self.process.stdout)

    def stop(self) -> None:
        """Let it finish the joiner it is at."""
        assert self.process.stdin is not None
        with self.process:  # closes what it reads and writes, whatever happened
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            self.reader.join(PATIENCE)
        assert self.process.returncode == 0


@contextmanager
def writing(portal: Portal) -> Iterator[list[Writer]]:
    """Two writers at work, both well under way."""
    writers = [Writer(portal, prefix) for prefix in ("V", "W")]
    try:
        until(lambda: all(len(writer.joined) >= 3 for writer in writers))
        yield writers
    finally:
        for writer in writers:
            writer.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def portals(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Portal, Portal]:
    """A portal with a small force, and a place with nothing to restore into."""
    (tmp_path / "there").mkdir()
    if request.param == "sqlite":
        here = copied(request.getfixturevalue("small_force"), tmp_path / "here")
        return settings(here), settings(tmp_path / "there")
    server, force = request.getfixturevalue("postgresql"), request.getfixturevalue("force_template")
    (tmp_path / "here").mkdir()
    here = settings(tmp_path / "here", database_url=fresh_database(server, "load_here", force))
    there = settings(tmp_path / "there", database_url=fresh_database(server, "load_there"))
    return here, there


def said(portal: Portal, *words: str) -> str:
    done = command(portal, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def newest_stamp(text: str) -> datetime:
    """The stamp that a backup or a restore names."""
    found = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", text)
    assert found, text
    return datetime.fromisoformat(found[0]).replace(tzinfo=UTC)


def report(portal: Portal, output: Path, known: str = "") -> bytes:
    words = ["--as-known-on", known] if known else []
    asked = ("--directive", "OIC-2026", "--as-at", "2026-04-30", "--format", "csv", "--output", str(output))
    said(portal, "report", "completions", *asked, *words)
    return output.read_bytes()


def test_a_backup_while_people_join(portals: tuple[Portal, Portal], tmp_path: Path) -> None:
    here, there = portals
    file = str(tmp_path / "portal.backup")
    with writing(here) as writers:
        before = [number for writer in writers for number in writer.joined]
        printed = newest_stamp(said(here, "backup", file))
        meanwhile = [number for writer in writers for number in writer.joined]
    assert len(meanwhile) > len(before) >= 6  # it was taken while they wrote

    held = newest_stamp(said(there, "restore", file))

    assert printed <= held
    assert "\n0 differences" in f"\n{said(there, 'directives', 'reconcile', '--rebuild', '--dry-run')}"
    known = printed.isoformat()
    then = report(there, tmp_path / "there.csv", known)
    assert then == report(here, tmp_path / "here.csv", known)
    latest = report(there, tmp_path / "latest.csv")
    assert [number for number in before if latest.count(number.encode()) != 4] == []
    assert len(report(here, tmp_path / "all.csv")) > len(latest)
