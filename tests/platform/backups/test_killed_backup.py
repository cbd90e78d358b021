"""Backups that are killed in the middle: what stands is whole, and the next run makes what is missing."""

import random
import time
from contextlib import suppress

import pytest

from portal.platform.backups.copies import list_incomplete, refuse_changed
from portal.platform.backups.making import WORK
from portal.platform.backups.storage import FolderStorage, list_backups
from tests.forked import Forked
from tests.platform.backups.made import encrypted_settings
from tests.running import command, copied, settings
from tests.waiting import until


def wait_for_work(here, process):
    """Until it works or has ended, which may be faster than its folder can be looked at."""
    with suppress(AssertionError):
        until(lambda: (here / WORK).exists() or process.poll() is not None, seconds=60)


@pytest.mark.sweep
@pytest.mark.slow
def test_killed_at_any_moment_what_stands_is_whole(small_force, tmp_path):
    """Here and at the second place; and the next run makes what is missing."""
    here = copied(small_force, tmp_path / "instance")
    made = encrypted_settings(tmp_path)[0]
    places = {"BACKUP_DIR": made.folder, "BACKUP_COPY_TO": made.copy_to}
    environment = settings(here) | places | {"BACKUP_PUBLIC_KEYS": made.public_keys[0]}
    storages = FolderStorage(tmp_path / "here"), FolderStorage(tmp_path / "there")
    moments = random.Random(17)
    killed = 0
    for _ in range(24):
        process = Forked("flask", ["--app", "wsgi", "backups", "run"], environment, tmp_path / "out")
        wait_for_work(here, process)
        time.sleep(moments.uniform(0, 0.25))
        killed += process.poll() is None
        process.kill()
        for storage in storages:
            for manifest in list_backups(storage):
                refuse_changed(storage.folder / manifest.name, manifest)
    assert killed > 5

    done = command(environment, "backups", "run")

    assert done.returncode == 0, done.stderr
    assert {one.name for one in list_backups(storages[0])} == {one.name for one in list_backups(storages[1])}
    assert not list_incomplete(storages[0].names() | storages[1].names())
    assert not (here / WORK).exists()
