"""Backups that the portal makes by itself stand whole or not at all, here and at the second place."""

import json
import threading
from datetime import timedelta

import pytest

from config import current_settings
from portal.platform.backups import making
from portal.platform.backups.copies import is_encrypted, is_sqlite, manifest_beside, refuse_changed
from portal.platform.backups.restore import restore
from portal.platform.backups.storage import FolderStorage, fetch_backup, list_backups
from portal.platform.backups.tasks import rehearse
from portal.platform.errors import ConflictError, RuleError
from tests.hostile.reading import full_disk
from tests.platform.backups.made import back_up, backup_settings, encrypted_settings, names_in


@pytest.fixture(autouse=True)
def context(app):
    """Without a transaction around it: a backup reads what is committed."""
    with app.app_context():
        yield


def rehearsed(settings, identity=None):
    return rehearse(settings, identity, waits=False, report=lambda words: None)


@pytest.mark.slow
def test_an_encrypted_backup_is_copied_and_restored_as_its_manifest_says(tmp_path):
    settings, identity = encrypted_settings(tmp_path)

    run = back_up(settings)

    assert names_in(tmp_path / "here") == names_in(tmp_path / "there") == [
        run.newest.name, run.newest.file_name,
    ]  # fmt: skip
    assert is_encrypted(tmp_path / "there" / run.newest.name)
    assert run.newest.counts["alembic_version"] == 1
    assert not (current_settings().instance / making.WORK).exists()
    rehearsal = rehearsed(settings, identity)
    assert (rehearsal.manifest, rehearsal.place) == (run.newest, str(tmp_path / "there"))
    other = tmp_path / "other"
    encrypted_settings_of_another = tmp_path / "another"
    encrypted_settings_of_another.mkdir()
    _, other = encrypted_settings(encrypted_settings_of_another)
    with pytest.raises(RuleError, match=r"does not open portal-.* it is encrypted to another key"):
        rehearsed(settings, other)


@pytest.mark.slow
def test_a_restored_copy_that_differs_from_its_manifest_is_said(tmp_path):
    settings = backup_settings(tmp_path, COPY_TO="")
    manifest = back_up(settings).newest
    file = tmp_path / "here" / manifest.file_name
    changed = json.loads(file.read_text())
    changed["counts"] |= {"alembic_version": 2, "gone": 5}
    file.write_text(json.dumps(changed | {"newest_stamp": "2030-01-01"}))

    with pytest.raises(RuleError) as refused:
        rehearsed(settings)

    assert "alembic_version has 1 rows, not 2; gone has 0 rows, not 5; the newest stamp is" in str(
        refused.value
    )


def test_a_backup_that_is_not_due_is_not_made_again_and_one_that_is_due_is(tmp_path):
    settings = backup_settings(tmp_path)
    first = back_up(settings, always=False)
    again = back_up(settings, always=False)

    assert (first.is_new, again.is_new) == (True, False)
    assert again.newest == first.newest
    assert again.copied == []


def test_what_a_killed_run_left_is_never_taken_for_a_backup_and_is_removed(tmp_path):
    settings = backup_settings(tmp_path)
    whole = back_up(settings).newest
    left = ("portal-20260101T021500Z.backup", ".portal-20260101T021500Z.backup.age.partial")
    for folder in ("here", "there"):
        for name in left:
            (tmp_path / folder / name).write_bytes(b"half")
    (tmp_path / "here" / "portal-2026-01-01T021500Z.backup").write_bytes(b"of an earlier release's script")
    assert list_backups(FolderStorage(tmp_path / "there")) == [whole]

    back_up(settings, always=False)

    assert names_in(tmp_path / "there") == [whole.name, whole.file_name]
    assert "portal-2026-01-01T021500Z.backup" in names_in(tmp_path / "here")
    assert not set(left) & set(names_in(tmp_path / "here"))


def test_of_two_at_once_the_second_refuses_or_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "SECONDS_BETWEEN", 0.01)
    settings = backup_settings(tmp_path)
    words = []

    def waiting(sentence):
        words.append(sentence)
        released.set()

    released = threading.Event()
    with making.hold_folder(settings, None) as work:
        (work / "of the first").touch()
        with pytest.raises(ConflictError, match="under way"):
            back_up(settings)
        assert (work / "of the first").exists()
        holder = making._open_lock(settings)
        thread = threading.Thread(target=lambda: making._take_lock(holder, waiting))
        thread.start()
        assert released.wait(60)
    thread.join(60)
    assert words[0] == "Another backup or a rehearsal is under way"


def test_a_second_place_that_is_away_is_said_and_gets_its_copy_later(tmp_path):
    settings = backup_settings(tmp_path)
    (tmp_path / "there").rename(tmp_path / "away")

    with pytest.raises(
        RuleError, match=r"stands in .*here, but is not copied: .*there cannot be used: No such"
    ):
        back_up(settings)

    (only,) = list_backups(FolderStorage(tmp_path / "here"))
    (tmp_path / "away").rename(tmp_path / "there")
    run = back_up(settings, always=False)
    assert (run.is_new, run.copied) == (False, [only.name])


def test_what_is_not_encrypted_does_not_leave_once_backups_are(tmp_path):
    back_up(backup_settings(tmp_path, COPY_TO="", AT="00:00"))
    (plain,) = list_backups(FolderStorage(tmp_path / "here"))
    assert not plain.encrypted

    run = back_up(encrypted_settings(tmp_path)[0])

    assert run.copied == [run.newest.name]
    assert names_in(tmp_path / "there") == [run.newest.name, run.newest.file_name]


@pytest.mark.parametrize("encrypted", ["encrypted", "plain"])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, encrypted):
    made = encrypted_settings(tmp_path)[0] if encrypted == "encrypted" else backup_settings(tmp_path)

    with (
        full_disk(),
        pytest.raises(RuleError, match=r"cannot be written|no backup was made|pg_dump failed: .+"),
    ):
        back_up(made)

    assert names_in(tmp_path / "here") == names_in(tmp_path / "there") == []
    assert not (current_settings().instance / making.WORK).exists()
    assert back_up(made).is_new


@pytest.mark.slow
def test_a_rehearsal_on_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    settings = backup_settings(tmp_path, COPY_TO="")
    back_up(settings)
    if not is_sqlite():  # the copy would be on the server's disk
        return

    with full_disk(), pytest.raises(RuleError, match="cannot be written: "):
        rehearsed(settings)

    assert not (current_settings().instance / making.WORK).exists()


def test_old_backups_go_here_and_there(tmp_path):
    settings = backup_settings(tmp_path, KEEP_DAYS="1", KEEP_WEEKS="0", KEEP_MONTHS="0")
    newest = back_up(settings).newest
    old = newest.taken_at - timedelta(days=9)
    name = f"portal-{old:%Y%m%dT%H%M%SZ}.backup"
    for folder in ("here", "there"):
        (tmp_path / folder / newest.name).rename(tmp_path / folder / name)
        text = (tmp_path / folder / newest.file_name).read_text()
        (tmp_path / folder / newest.file_name).unlink()
        text = text.replace(newest.name, name).replace(f"{newest.taken_at:%Y-%m-%dT%H}", f"{old:%Y-%m-%dT%H}")
        (tmp_path / folder / f"{name}.json").write_text(text)

    run = back_up(settings, always=False)

    assert (run.is_new, run.removed, run.kept) == (True, 2, 1)
    assert (
        names_in(tmp_path / "here") == names_in(tmp_path / "there") == [run.newest.name, run.newest.file_name]
    )


def test_a_backup_that_was_damaged_on_its_way_is_refused(tmp_path):
    settings = backup_settings(tmp_path)
    manifest = back_up(settings).newest
    file = tmp_path / "there" / manifest.name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    for act in (
        lambda: fetch_backup(FolderStorage(tmp_path / "there"), "", tmp_path),
        lambda: rehearsed(settings),
        lambda: restore(file, replace=True),
    ):
        with pytest.raises(RuleError, match="is damaged or cut off"):
            act()

    assert not (tmp_path / manifest.name).exists()
    fetched = fetch_backup(FolderStorage(tmp_path / "here"), manifest.name, tmp_path)
    refuse_changed(fetched, manifest)
    assert manifest_beside(fetched) == manifest
