"""Restores the newest backup into a scratch database and compares it with what its manifest says."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from portal.platform.backups import schema_comparison
from portal.platform.backups.backup import POSTGRESQL_TABLES, SQLITE_TABLES, count_rows, is_sqlite
from portal.platform.backups.encryption import WrongIdentityError, decrypt_file
from portal.platform.backups.making import Report, hold_folder
from portal.platform.backups.manifest import Manifest, refuse_changed
from portal.platform.backups.restore import check_schema
from portal.platform.backups.settings import BackupSettings
from portal.platform.backups.sqlite_target import SqliteTarget
from portal.platform.backups.storage import (
    FolderStorage,
    Storage,
    fetch_backup,
    list_backups,
    open_copies,
)
from portal.platform.db import db
from portal.platform.errors import RuleError
from portal.platform.operations import readiness
from portal.platform.wording import plural

if TYPE_CHECKING:
    from portal.platform.backups.postgresql_target import PostgresqlTarget

MOST_DIFFERENCES = 10


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What one rehearsal restored."""

    manifest: Manifest
    place: str  # where the backup was taken from
    seconds: float  # from fetching it to the last comparison

    @property
    def sentences(self) -> list[str]:
        """What it did."""
        manifest = self.manifest
        rows = f"{sum(manifest.counts.values()):,} rows of {plural(len(manifest.counts), 'table')}"
        return [
            f"Restored {manifest.name} from {self.place} into a scratch database ({self.seconds:.0f} s).",
            f"All is as its manifest says: {rows}, newest stamp {manifest.newest_stamp or 'none'}.",
        ]


def rehearse(
    settings: BackupSettings, identity_file: Path | None, *, waits: bool, report: Report
) -> Rehearsal:
    """Restore the newest backup, from the second place if there is one, beside the portal that runs.

    Args:
        settings: They name the folder of backups.
        identity_file: Opens encrypted backups.
        waits: Whether to wait while a backup is under way.
        report: Is told what begins.

    Raises:
        ConflictError: A backup is under way.
        RuleError: It cannot be fetched, opened or restored, or is not what its manifest says.
    """
    with hold_folder(settings, report if waits else None) as work:
        begun = monotonic()
        storage = open_copies(settings) or FolderStorage(settings.path)
        manifest = next(iter(list_backups(storage)), None)
        if manifest is None:
            raise RuleError(f"There is no backup in {storage.place}, so none can be rehearsed.")
        report(f"Fetching {manifest.name}")
        file = _fetch_file(storage, manifest, work)
        if manifest.encrypted:
            file = _decrypt_file(file, work, identity_file)
        report(f"Restoring {manifest.name}")
        _restore_scratch(file, manifest, work)
        return Rehearsal(manifest, storage.place, monotonic() - begun)


def _fetch_file(storage: Storage, manifest: Manifest, work: Path) -> Path:
    if not isinstance(storage, FolderStorage):
        return fetch_backup(storage, manifest.name, work)
    file = storage.folder / manifest.name
    refuse_changed(file, manifest)
    return file


def _decrypt_file(file: Path, work: Path, identity_file: Path | None) -> Path:
    if identity_file is None:
        raise WrongIdentityError(
            f"{file.name} is encrypted: name the identity that opens it with --identity FILE."
        )
    plain = work / "plain"
    decrypt_file(file, plain, identity_file)
    return plain


def _restore_scratch(file: Path, manifest: Manifest, work: Path) -> None:
    """Check the copy as a restore does, compare it with the manifest, and upgrade it to this release."""
    kind = "sqlite" if is_sqlite() else "postgresql"
    if manifest.database != kind:
        raise RuleError(f"{manifest.name} is of {manifest.database}, and the portal's database of {kind}.")
    target = _scratch_target(work)
    try:
        with target.copy_of_backup(file) as copy, schema_comparison.open_engine(copy) as engine:
            revision = check_schema(engine, target)
            _refuse_differences(engine, manifest)
            if revision != readiness.head():
                schema_comparison.upgrade_database(engine, readiness.head())
    except (DBAPIError, sqlite3.Error) as error:
        cause = readiness.in_one_line(error)
        raise RuleError(f"{manifest.name} could not be restored ({cause}).") from error


def _scratch_target(work: Path) -> "SqliteTarget | PostgresqlTarget":
    if is_sqlite():
        return SqliteTarget(URL.create("sqlite", database=str(work / "portal.sqlite")))
    from portal.platform.backups.postgresql_target import PostgresqlTarget  # 9 MiB, unused beside SQLite

    target = PostgresqlTarget(db.engine.url, rehearsing=True)
    target.refuse_without_rights()
    return target


def _refuse_differences(engine: Engine, manifest: Manifest) -> None:
    """Refuse a copy that holds another number of rows, or another newest stamp, than the manifest says."""
    is_embedded = engine.dialect.name == "sqlite"
    tables, as_text = (SQLITE_TABLES, "") if is_embedded else (POSTGRESQL_TABLES, "::text")
    with engine.connect() as connection:

        def read(statement: str) -> Any:
            return connection.execute(text(statement)).all()

        counts = count_rows(read, tables)
        newest = read(f"SELECT max(recorded_at){as_text} FROM stamp")[0][0] or ""  # noqa: S608 - of above
    differences = [
        f"{table} has {counts.get(table, 0):,} rows, not {manifest.counts.get(table, 0):,}"
        for table in sorted(counts.keys() | manifest.counts.keys())
        if counts.get(table, 0) != manifest.counts.get(table, 0)
    ]
    if newest != manifest.newest_stamp:
        differences.append(f"the newest stamp is {newest or 'none'}, not {manifest.newest_stamp or 'none'}")
    if differences:
        raise RuleError(
            f"{manifest.name}, restored, is not what its manifest says: "
            f"{'; '.join(differences[:MOST_DIFFERENCES])}."
        )
