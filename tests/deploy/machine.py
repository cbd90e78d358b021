"""A machine below a folder, as the install script leaves it: what runs on it runs as another user."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.databases import migrate
from tests.running import ROOT

HOST = "learning.west.police.uk"
NOBODY = 65_534


def install(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a packager does."""
    return subprocess.run(
        [ROOT / "deploy/install.sh", "--root", root, *words], capture_output=True, text=True, timeout=60
    )


def make_machine(root: Path, instance: Path | None = None, *, database_url: str = "") -> Path:
    """Install the portal below the folder, and give it a database, and nobody for the server's user.

    Args:
        root: An empty folder that everybody may enter.
        instance: An instance folder to copy; an empty database otherwise.
        database_url: Of an empty PostgreSQL database; SQLite otherwise.
    """
    root.chmod(0o755)
    done = install(root, HOST)
    assert done.returncode == 0, done.stderr
    begin_services(root, instance, database_url=database_url)
    return root


def begin_services(root: Path, instance: Path | None = None, *, database_url: str = "") -> None:
    """Do what the script does after the files are there, as far as no service is needed."""
    (root / "opt/portal/.venv").symlink_to(Path(sys.executable).parents[1])
    own = root / "var/lib/portal"
    if instance:
        shutil.copytree(instance, own)
    else:
        own.mkdir(parents=True)
        migrate(own, database_url)
    for folder in (own, root / "var/backups/portal"):
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, NOBODY, NOBODY)
        folder.chmod(0o700)
    (root / "etc/portal/database-url").write_text(f"{database_url or f'sqlite:///{own}/portal.sqlite'}\n")
    add_settings(root, BACKUP_DIR=f"{root}/var/backups/portal")


def add_settings(root: Path, **settings: str) -> None:
    """Write settings as an operator does; the last of a name counts."""
    with (root / "etc/portal/portal.conf").open("a") as file:
        file.writelines(f'{name}="{value}"\n' for name, value in settings.items())


def read_settings(root: Path) -> dict[str, str]:
    """What ``portalctl`` hands to a command."""
    plain = 'set -a; . "$1/etc/portal/portal.conf"; env -0'
    said = subprocess.run(
        ["sh", "-c", plain, "sh", root],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    settings = dict(line.split("=", 1) for line in said.split("\0") if line)
    secrets = {
        name: (root / "etc/portal" / file).read_text().strip()
        for name, file in (("SECRET_KEY", "secret-key"), ("DATABASE_URL", "database-url"))
    }
    return settings | secrets | {"INSTANCE_DIR": f"{root}/var/lib/portal", "JOBS": "separate"}
