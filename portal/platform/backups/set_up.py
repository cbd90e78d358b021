"""Examines the set-up of backups, for the doctor: what is right, what is wrong, and what to do about it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from config import Config, current_settings
from portal.platform import clock
from portal.platform.backups import copies
from portal.platform.backups.copies import NAME, is_sqlite, tool_version
from portal.platform.backups.making import read_backup_status
from portal.platform.backups.settings import BackupSettings
from portal.platform.backups.storage import open_copies
from portal.platform.db import db
from portal.platform.errors import RuleError
from portal.platform.operations.doctor import SetUpFinding, State
from portal.platform.wording import plural

SUBJECT = "backups"
ROOM = 2  # so many times the newest backup is to be free


def examine_backups() -> list[SetUpFinding]:
    """Every finding about backups; the second place is asked for its list, and nothing is changed."""
    config = current_settings()
    settings = config.backup
    if not settings.folder:
        sentence = (
            "BACKUP_DIR is not set, so the portal makes no backups: set it (docs/operating/backup.md),"
            " unless something else backs up the database each day."
        )
        return [SetUpFinding(State.NOTE, SUBJECT, sentence)]
    wrong = [*_list_wrong(config, settings)]
    findings = [SetUpFinding(State.WRONG, SUBJECT, sentence) for sentence in wrong]
    if not wrong:
        status = read_backup_status(settings, clock.now())
        findings.append(SetUpFinding(State.RIGHT, SUBJECT, " ".join(status.sentences)))
    return findings + [SetUpFinding(State.NOTE, SUBJECT, sentence) for sentence in _list_notes(settings)]


def _list_wrong(config: Config, settings: BackupSettings) -> Iterator[str]:
    yield from _folder_faults(settings)
    if not is_sqlite():
        yield from _postgresql_faults(settings)
    yield from _copy_faults(settings)
    yield from _key_faults(settings)
    if settings.mail_to and not config.smtp_host:
        yield "BACKUP_MAIL_TO is set, but SMTP_HOST is not: nobody hears of a backup that fails."
    yield from (trouble.sentence for trouble in read_backup_status(settings, clock.now()).troubles)


def _folder_faults(settings: BackupSettings) -> Iterator[str]:
    folder = settings.path
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield (
            f"{folder} is no folder that this user can write: make it, for the user who runs the portal"
            " (install -d -o portal -g portal -m 700), and let the worker's unit write there."
        )
        return
    if folder.stat().st_mode & 0o077:
        yield f"Others on this machine can open {folder}: run chmod 700 {folder}"
    newest = read_backup_status(settings, clock.now()).backup
    free, needed = shutil.disk_usage(folder).free, ROOM * newest.size if newest else 0
    if free < needed:
        yield f"{free:,} bytes are free in {folder}, and a backup may need {needed:,}: make room there."


def _postgresql_faults(settings: BackupSettings) -> Iterator[str]:
    from portal.platform.backups.postgresql_target import PostgresqlTarget  # 9 MiB, unused beside SQLite

    server = int(str(db.session.execute(text("SHOW server_version_num")).scalar_one())) // 10_000
    for tool in ("pg_dump", "pg_restore"):
        try:
            version = tool_version(tool)
        except RuleError as error:
            yield str(error)
            continue
        if version < server:
            yield (
                f"{tool} is of PostgreSQL {version}, and the server of {server}:"
                f" install postgresql-client-{server}."
            )
    if settings.rehearsal_days:
        try:
            PostgresqlTarget(db.engine.url, rehearsing=True).refuse_without_rights()
        except RuleError as error:
            yield f"No restore can be rehearsed. {error}"


def _copy_faults(settings: BackupSettings) -> Iterator[str]:
    try:
        if copies := open_copies(settings):
            copies.names()
    except RuleError as error:
        yield f"BACKUP_COPY_TO: {error}"
        return
    is_folder = settings.copy_to and not settings.copies_to_s3 and settings.path.is_dir()
    if is_folder and _is_same_disk(Path(settings.copy_to), settings.path):
        yield (
            f"{settings.copy_to} is on the same disk as {settings.folder}, so one fault takes both:"
            " is the other machine's disk mounted?"
        )


def _is_same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _key_faults(settings: BackupSettings) -> Iterator[str]:
    try:
        copies.refuse_bad_keys(settings.public_keys)
        if settings.identity_file:
            own = {str(one.to_public()) for one in copies.read_identities(Path(settings.identity_file))}
            if settings.public_keys and not own.intersection(settings.public_keys):
                yield "BACKUP_IDENTITY_FILE belongs to none of BACKUP_PUBLIC_KEYS: it opens no backup."
    except RuleError as error:
        yield str(error)


def _list_notes(settings: BackupSettings) -> Iterator[str]:
    if not settings.copy_to:
        yield "BACKUP_COPY_TO is not set: whatever takes this machine takes its backups too."
    if not settings.public_keys:
        yield "BACKUP_PUBLIC_KEYS is not set: whoever reads a backup reads everybody's records."
    if not settings.mail_to:
        yield "BACKUP_MAIL_TO is not set: a backup that fails is said here and at /jobs alone."
    if not settings.rehearsal_days:
        yield "BACKUP_REHEARSAL_DAYS is 0: nobody tries whether a backup can be restored."
    elif not settings.can_open:
        yield (
            "Backups are encrypted and BACKUP_IDENTITY_FILE is not set, so no job can rehearse a restore:"
            " run backups rehearse --identity FILE each month."
        )
    yield from _note_on_old_files(settings.path)


def _note_on_old_files(folder: Path) -> Iterator[str]:
    """Files of the script of earlier releases, which no rotation removes."""
    if not folder.is_dir():
        return
    old = [file.name for file in folder.glob("portal-*.backup") if not NAME.fullmatch(file.name)]
    if old:
        yield (
            f"{folder} holds {plural(len(old), 'backup')} without a manifest, such as {min(old)}, which no"
            " job removes: delete what you no longer need."
        )
