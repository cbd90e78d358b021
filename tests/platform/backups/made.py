"""Settings of backups and runs on folders of a test's own."""

from pathlib import Path

from portal.platform.backups.copies import make_identity
from portal.platform.backups.making import BackupRun, run_backup
from portal.platform.backups.settings import BackupSettings, read_backup_settings


def backup_settings(folder: Path, **values: str) -> BackupSettings:
    """Backups in ``folder / "here"`` with copies in ``folder / "there"``, unless the values say otherwise."""
    for name in ("here", "there"):
        (folder / name).mkdir(exist_ok=True, mode=0o700)
    named = {"DIR": str(folder / "here"), "COPY_TO": str(folder / "there")} | values

    def read(name: str, default: str = "") -> str:
        return named.get(name.removeprefix("BACKUP_"), default)

    settings = read_backup_settings(read, read)
    assert list(settings.list_faults()) == []
    return settings


def encrypted_settings(folder: Path, **values: str) -> tuple[BackupSettings, Path]:
    """The same, encrypted to a new key; and the identity that opens them."""
    identity = folder / "identity"
    public_key = make_identity(identity)
    return backup_settings(folder, PUBLIC_KEYS=public_key, **values), identity


def back_up(settings: BackupSettings, *, always: bool = True, waits: bool = False) -> BackupRun:
    """One run, whose words nobody hears."""
    return run_backup(settings, always=always, waits=waits, report=lambda words: None)


def names_in(folder: Path) -> list[str]:
    """What the folder holds, without the lock."""
    return sorted(entry.name for entry in folder.iterdir() if entry.name != ".backup.lock")
