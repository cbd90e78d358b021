"""Settings of backups: each wrong one is one sentence that names it and repeats no value."""

import pytest

from portal.platform.backups.settings import Kept, read_backup_settings

KEY = "age1cunj6f7dsgxj37c3ufark5j76yjt3cjspgavgtw74f773fa6j5ask7wjsh"
S3 = {"BACKUP_COPY_TO": "s3://portal/west", "BACKUP_S3_KEY_ID": "id", "BACKUP_S3_SECRET_KEY": "hush-hush"}
FULL = {
    "BACKUP_DIR": "/var/backups/portal",
    "BACKUP_AT": "23:59",
    "BACKUP_KEEP_DAYS": "30",
    "BACKUP_PUBLIC_KEYS": f"{KEY}, {KEY}",
    "BACKUP_MAIL_TO": "ops@west.police.uk it@west.police.uk",
    "BACKUP_S3_ENDPOINT": "https://s3.west.police.uk",
    **S3,
}


def read(values):
    return read_backup_settings(
        lambda name, default: values.get(name, default), lambda name: values.get(name, "")
    )


def test_without_settings_nothing_is_made_and_nothing_is_wrong():
    assert (read({}).folder, list(read({}).list_faults())) == ("", [])


def test_all_settings_are_read_and_no_secret_is_shown():
    settings = read(FULL)

    assert list(settings.list_faults()) == []
    assert (settings.kept, settings.public_keys) == (Kept(30, 8, 6), (KEY, KEY))
    assert settings.mail_to == ("ops@west.police.uk", "it@west.police.uk")
    assert "hush-hush" not in repr(settings)


@pytest.mark.parametrize(
    ("changed", "begins"),
    [
        pytest.param({"BACKUP_DIR": "backups"}, "BACKUP_DIR is the path of a folder", id="relative"),
        pytest.param({"BACKUP_DIR": ""}, "BACKUP_DIR must be set too", id="no folder"),
        pytest.param({"BACKUP_AT": "25:00"}, "BACKUP_AT is a time of day", id="no time"),
        pytest.param({"BACKUP_KEEP_DAYS": "0"}, "BACKUP_KEEP_DAYS is 1 or more", id="no day"),
        pytest.param({"BACKUP_KEEP_MONTHS": "six"}, "BACKUP_KEEP_MONTHS is 0 or more", id="a word"),
        pytest.param({"BACKUP_REHEARSAL_DAYS": "-1"}, "BACKUP_REHEARSAL_DAYS is 0 or more", id="negative"),
        pytest.param(
            {"BACKUP_PUBLIC_KEYS": "AGE-SECRET-KEY-1X"}, "BACKUP_PUBLIC_KEYS lists", id="an identity"
        ),
        pytest.param({"BACKUP_MAIL_TO": "operators"}, "BACKUP_MAIL_TO lists", id="no address"),
        pytest.param({"BACKUP_COPY_TO": "s3://"}, "BACKUP_COPY_TO is s3://", id="no bucket"),
        pytest.param({"BACKUP_COPY_TO": "mnt"}, "BACKUP_COPY_TO is s3:// and", id="a relative copy"),
        pytest.param({"BACKUP_COPY_TO": FULL["BACKUP_DIR"]}, "BACKUP_COPY_TO is s3://", id="the same folder"),
        pytest.param(
            {"BACKUP_S3_SECRET_KEY": ""}, "BACKUP_S3_KEY_ID and BACKUP_S3_SECRET_KEY", id="no secret"
        ),
        pytest.param({"BACKUP_S3_ENDPOINT": "http://s3.west"}, "BACKUP_S3_ENDPOINT is an https", id="no TLS"),
    ],
)
def test_a_wrong_setting_is_one_sentence(changed, begins):
    (sentence,) = read(FULL | changed).list_faults()

    assert sentence.startswith(begins)
    assert "AGE-SECRET" not in sentence
    assert "hush-hush" not in sentence
