"""Set-ups of backups that are not right, each with the sentence of the doctor that says what to do."""

import dataclasses

import pytest

from portal.platform.backups.copies import make_identity
from portal.platform.backups.set_up import examine_backups
from portal.platform.operations.doctor import State
from tests.platform.backups.made import backup_settings, encrypted_settings

RIGHT = {"MAIL_TO": "operators@west.police.uk"}


@pytest.fixture
def examine(app, monkeypatch):
    """The findings about settings of backups: problems and notes."""

    def list_findings(settings, **more):
        config = app.config["PORTAL"]
        changed = {"smtp_host": "relay.west.police.uk", "smtp_from": "a@west.police.uk"} | more
        monkeypatch.setitem(app.config, "PORTAL", dataclasses.replace(config, backup=settings, **changed))
        findings = examine_backups()
        return [
            [finding.sentence for finding in findings if finding.state == state]
            for state in (State.WRONG, State.NOTE)
        ]

    with app.app_context():
        yield list_findings


def test_a_right_set_up_has_neither_problem_nor_note(examine, tmp_path, monkeypatch):
    monkeypatch.setattr("portal.platform.backups.set_up._is_same_disk", lambda one, other: False)
    settings, identity = encrypted_settings(tmp_path, **RIGHT)

    assert examine(dataclasses.replace(settings, identity_file=str(identity))) == [[], []]


def test_without_a_folder_it_is_noted(examine, tmp_path):
    settings = dataclasses.replace(backup_settings(tmp_path), folder="", copy_to="")

    problems, (note,) = examine(settings)

    assert (problems, note.startswith("BACKUP_DIR is not set")) == ([], True)


def test_what_is_left_out_is_noted(examine, tmp_path):
    problems, notes = examine(backup_settings(tmp_path, COPY_TO="", REHEARSAL_DAYS="0"))

    assert problems == []
    assert [note.split(" ")[0] for note in notes] == [
        "BACKUP_COPY_TO", "BACKUP_PUBLIC_KEYS", "BACKUP_MAIL_TO", "BACKUP_REHEARSAL_DAYS",
    ]  # fmt: skip


def test_encrypted_backups_without_an_identity_are_rehearsed_by_hand(examine, tmp_path):
    settings, _ = encrypted_settings(tmp_path, **RIGHT)
    (tmp_path / "here" / "portal-2026-01-01T021500Z.backup").touch()

    _, (identity, old) = examine(settings)

    assert "run backups rehearse --identity FILE each month" in identity
    assert "1 backup without a manifest, such as portal-2026-01-01T021500Z.backup" in old


def test_everything_wrong_at_once_is_one_sentence_each(examine, tmp_path):
    settings, _ = encrypted_settings(tmp_path, **RIGHT)
    other = tmp_path / "other"
    make_identity(other)
    (tmp_path / "here").chmod(0o755)

    problems, _ = examine(dataclasses.replace(settings, identity_file=str(other)), smtp_host="")

    assert [problem.partition(":")[0] for problem in problems] == [
        f"Others on this machine can open {tmp_path / 'here'}",
        f"{tmp_path / 'there'} is on the same disk as {tmp_path / 'here'}, so one fault takes both",
        "BACKUP_IDENTITY_FILE belongs to none of BACKUP_PUBLIC_KEYS",
        "BACKUP_MAIL_TO is set, but SMTP_HOST is not",
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"folder": "/nowhere"}, "/nowhere is no folder that this user can write", id="folder"),
        pytest.param({"copy_to": "/nowhere"}, "BACKUP_COPY_TO: /nowhere cannot be used: No such", id="copy"),
        pytest.param(
            {"public_keys": ("age1" + "q" * 58,)}, "lists a key that was not copied right", id="key"
        ),
        pytest.param({"identity_file": "/nowhere"}, "/nowhere is no identity file", id="identity"),
    ],
)
def test_what_is_missing_is_named(examine, tmp_path, changes, sentence):
    settings = dataclasses.replace(backup_settings(tmp_path, **RIGHT), **changes)

    problems, _ = examine(settings)

    assert any(sentence in problem for problem in problems), problems
