"""Who may write into a profile's folder exchanges it, or a file in it, between the portal's steps.

Whatever is exchanged, and when: nothing that stands elsewhere is moved, read or named, and the files of other
profiles are imported.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.features.watched_folder.folder import WatchedFolder
from portal.features.watched_folder.models import FolderFile, FolderLook
from portal.platform.db import db
from tests.domain.imports.desk import csv_of, row
from tests.features.watched_folder import test_importing as test_folder

drop = test_folder.drop

ORDINARY = "It is no ordinary file, but a link, a folder or a device."


def once(monkeypatch: pytest.MonkeyPatch, step: str, act: Callable[[], object]) -> None:
    """Act directly before the portal takes this step for the first time."""
    healthy, acts = getattr(WatchedFolder, step), [act]

    def act_first(self: WatchedFolder, *given: object) -> object:
        while acts:
            acts.pop()()
        return healthy(self, *given)

    monkeypatch.setattr(WatchedFolder, step, act_first)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of others, with a file that could be imported."""
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "a.csv").write_bytes(csv_of([row("N1")]))
    (place / "payroll").mkdir()
    return place


@pytest.mark.parametrize("step", ["list_arrivals", "claim_file"])
def test_a_folder_that_becomes_a_link_gives_nothing_of_where_it_leads(drop, elsewhere, monkeypatch, step):
    folder = drop.put("a.csv", csv_of([row("N2")]), profile="a-first").parent
    drop.put("good.csv", csv_of([row("N3")]))

    def exchange() -> None:
        folder.rename(folder.with_name("moved"))
        folder.symlink_to(elsewhere)

    once(monkeypatch, step, exchange)
    drop.pass_a_minute()

    assert (elsewhere / "a.csv").read_bytes() == csv_of([row("N1")])
    assert test_folder.states()[-1] == ("good.csv", "imported")
    drop.pass_a_minute()
    assert sorted(path.name for path in elsewhere.iterdir()) == ["a.csv", "payroll"]
    assert "payroll" not in str(db.session.get_one(FolderLook, 1).refused)


def link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere / "a.csv")


def hard_link(path: Path, elsewhere: Path) -> None:
    path.hardlink_to(elsewhere / "a.csv")


def pipe(path: Path, _elsewhere: Path) -> None:
    os.mkfifo(path)


def listener(path: Path, _elsewhere: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(path.parent)  # the whole path of a socket has 107 bytes at most
        made.bind(path.name)


def folder_of_files(path: Path, _elsewhere: Path) -> None:
    path.mkdir()
    (path / "b.csv").write_bytes(b"x")


INSTEAD = {
    "a link": (link, ORDINARY),
    "a second name": (hard_link, "It has a second name on this machine (a hard link)."),
    "a pipe": (pipe, ORDINARY),
    "a socket": (listener, ORDINARY),
    "a folder": (folder_of_files, ORDINARY),
}


@pytest.mark.parametrize("step", ["claim_file", "size_of", "read_file"])
@pytest.mark.parametrize(("make", "said"), INSTEAD.values(), ids=INSTEAD)
def test_what_takes_a_files_place_is_never_read(drop, elsewhere, monkeypatch, step, make, said):
    """Also in ``waiting``, where nobody else should be able to write."""
    path = drop.put("a.csv", csv_of([row("N2")]), profile="a-first")
    drop.put("good.csv", csv_of([row("N3")]))
    place = path if step == "claim_file" else drop.root / "waiting/roster/a-first/a.csv"
    monkeypatch.chdir(drop.root)

    def exchange() -> None:
        place.unlink()
        make(place, elsewhere)

    once(monkeypatch, step, exchange)
    drop.pass_a_minute()

    assert test_folder.states() == [("a.csv", "quarantined"), ("good.csv", "imported")]
    assert db.session.scalars(select(FolderFile.reasons).where(FolderFile.name == "a.csv")).one() == [said]
    assert (elsewhere / "a.csv").read_bytes() == csv_of([row("N1")])


@pytest.mark.parametrize("step", ["claim_file", "list_arrivals"])
def test_a_folder_that_is_taken_away_keeps_back_no_other(drop, monkeypatch, step):
    folder = drop.put("a.csv", csv_of([row("N2")]), profile="a-first").parent
    drop.put("good.csv", csv_of([row("N3")]))

    once(monkeypatch, step, lambda: folder.rename(drop.root / "away"))
    drop.pass_a_minute()
    drop.pass_a_minute()

    assert test_folder.states() == [("good.csv", "imported")]
