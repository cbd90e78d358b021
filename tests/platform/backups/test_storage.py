"""Copies in S3-compatible storage: what is sent, what is refused, and what is said when it is away."""

import dataclasses
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from portal.platform.backups.copies import (
    Manifest,
    hash_file,
    list_incomplete,
    parse_manifest,
    refuse_changed,
)
from portal.platform.backups.storage import (
    FolderStorage,
    S3Storage,
    StorageError,
    fetch_backup,
    list_backups,
    open_copies,
)
from tests.platform.backups.made import backup_settings
from tests.platform.backups.s3_server import KEY_ID, SECRET_KEY, s3_storage

NAME = "portal-20261128T021500Z.backup.age"


@pytest.fixture(scope="module")
def bucket():
    with s3_storage() as running:
        yield running


@pytest.fixture
def settings(bucket, tmp_path):
    """Of a portal that copies to the bucket, which is empty."""
    for kept in (bucket.files, bucket.requests, bucket.without_checksum, bucket.answers):
        kept.clear()
    return backup_settings(
        tmp_path,
        COPY_TO="s3://portal-backups/west",
        S3_ENDPOINT=bucket.address,
        S3_KEY_ID=KEY_ID,
        S3_SECRET_KEY=SECRET_KEY,
    )


def made(folder, size=1000, name=NAME):
    """A file and the manifest of a backup that never was one."""
    file = folder / name
    file.write_bytes(os.urandom(size))
    return file, Manifest(
        name,
        datetime(2026, 11, 28, 2, 15, tzinfo=UTC),
        1.0,
        size,
        hash_file(file),
        "sqlite",
        True,
        "1",
        "",
        {},
    )


def test_a_large_backup_is_sent_in_parts_with_checksums_and_comes_back(settings, bucket, tmp_path):
    file, manifest = made(tmp_path, 12 * 1024 * 1024)
    storage = open_copies(settings)

    storage.add(file, manifest)

    assert list(bucket.files) == [f"west/{NAME}", f"west/{NAME}.json"]  # the manifest last
    assert sum("partNumber" in request for request in bucket.requests) > 1
    assert bucket.without_checksum == []
    assert list_backups(storage) == [manifest]
    (tmp_path / "back").mkdir()
    refuse_changed(fetch_backup(storage, "", tmp_path / "back"), manifest)


def test_all_pages_of_a_listing_are_read_and_removing_what_is_gone_does_nothing(settings, bucket, tmp_path):
    storage = open_copies(settings)
    for day in range(10, 15):
        storage.add(*made(tmp_path, name=f"portal-202611{day}T021500Z.backup"))
    bucket.files["east/portal-20261101T021500Z.backup"] = b"another portal's"

    assert len(list_backups(storage)) == 5
    storage.remove("portal-20261110T021500Z.backup")
    storage.remove("portal-20261110T021500Z.backup")
    assert "portal-20261110T021500Z.backup.json" in storage.names()
    assert len(list_backups(storage)) == 4  # a manifest without its file is no backup
    assert len(bucket.files) == 10


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        pytest.param(
            {"GET": 403}, "it answers 403 Forbidden (SlowDown). Check BACKUP_S3_KEY_ID", id="forbidden"
        ),
        pytest.param({"GET": 404}, "it", id="no bucket"),
    ],
)
def test_a_storage_that_refuses_is_said_in_a_sentence(settings, bucket, answers, sentence):
    bucket.answers |= answers

    with pytest.raises(StorageError) as refused:
        open_copies(settings).names()

    assert str(refused.value).startswith(f"s3://portal-backups/west cannot be used: {sentence}")
    assert "\n" not in str(refused.value)


def test_a_storage_that_is_full_gets_no_manifest(settings, bucket, tmp_path):
    bucket.answers["PUT"] = 507

    with pytest.raises(StorageError, match="it answers 507 Insufficient Storage"):
        open_copies(settings).add(*made(tmp_path))

    assert bucket.files == {}


def test_a_wrong_secret_is_refused(settings):
    wrong = S3Storage(dataclasses.replace(settings, s3_secret_key="another"))

    with pytest.raises(StorageError, match=r"403 Forbidden .SignatureDoesNotMatch.*BACKUP_S3_KEY_ID"):
        wrong.names()


def test_a_storage_that_nobody_answers_for_is_said(settings):
    nobody = S3Storage(dataclasses.replace(settings, s3_endpoint="http://127.0.0.1:9"))

    with pytest.raises(StorageError) as refused:
        nobody.names()

    assert str(refused.value) == "s3://portal-backups/west cannot be used: HTTP error: error sending request."


def test_the_package_is_not_loaded_without_a_bucket():
    program = (
        "import sys; import portal.platform.backups.tasks; "
        "assert 'obstore' not in sys.modules and 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("[1]", id="a list"),
        pytest.param('{"format": 1, "name": "../../etc/passwd"}', id="a path"),
        pytest.param('{"format": 2, "name": "portal-20261128T021500Z.backup"}', id="another format"),
    ],
)
def test_what_is_no_manifest_is_passed_over(text):
    assert parse_manifest(text.encode(), "../../etc/passwd.json") is None
    assert parse_manifest(text.encode(), "portal-20261128T021500Z.backup.json") is None


POISONED = [
    pytest.param(b"\xff\xfe\xff", id="no text"),
    pytest.param(b"[" * 200_000, id="deep"),
    pytest.param(b"{}" + b" " * 2_000_000, id="long"),
    *(
        pytest.param({name: value}, id=f"{name}={str(value)[:30]}")
        for name, value in [
            ("taken_at", "0001-01-01T00:00:00+14:00"),
            ("taken_at", "2026-11-28T02:15:00"),
            ("taken_at", 5),
            ("size", "many"),
            ("size", True),
            ("seconds", "one"),
            ("seconds", float("nan")),
            ("sha256", None),
            ("database", []),
            ("encrypted", "no"),
            ("revision", 60),
            ("newest_stamp", None),
            ("counts", [1]),
            ("counts", {"stamp": "x"}),
            ("name", ["a"]),
            ("more", 1),
        ]
    ),
]


@pytest.mark.parametrize("poison", POISONED)
def test_one_poisoned_manifest_keeps_back_no_other(tmp_path, poison, log):
    place = FolderStorage(tmp_path / "there")
    place.folder.mkdir()
    good, bad = (made(tmp_path, name=f"portal-2026112{day}T021500Z.backup") for day in (7, 8))
    for file, manifest in (good, bad):
        place.add(file, manifest)
    if isinstance(poison, dict):
        poison = json.dumps(json.loads(bad[1].to_json()) | poison).encode()
    (place.folder / bad[1].file_name).write_bytes(poison)

    assert list_backups(place) == [good[1]]

    (line,) = log.lines("backup.manifest_unreadable")
    assert line["backup"] == bad[1].name
    assert list_incomplete(place.names()) == []  # what nobody can judge is not removed either
