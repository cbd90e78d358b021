"""What commands share that write a published folder, try what they would write, or refuse what they get."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from portal.platform.db import transaction
from portal.platform.errors import BadInputError, PortalError


class _DryRunEnds(Exception):
    """Undoes what a dry run wrote."""


@contextmanager
def run_or_try(dry_run: bool) -> Iterator[None]:
    """One transaction; in a dry run it is rolled back at its end."""
    try:
        with transaction():
            yield
            if dry_run:
                raise _DryRunEnds
    except _DryRunEnds:
        pass


def write_folder(files: dict[str, bytes], folder: Path) -> None:
    """Write the folder; a temporary folder beside it keeps it from being half written.

    Raises:
        BadInputError: The folder is not new or empty, or a file would leave it. Nothing is written.
    """
    target = folder.absolute()
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise BadInputError([f"{folder} is not an empty folder. Name a new one; nothing was written."])
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, content in files.items():
            path = staging / name
            if not path.resolve().is_relative_to(staging.resolve()):
                raise BadInputError([f"“{name}” would leave the folder. Nothing was written."])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        staging.chmod(0o755)
        staging.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def exit_refused(error: PortalError) -> NoReturn:
    """Print every reason to standard error, and exit with 1."""
    reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
    for reason in reasons:
        click.echo(reason, err=True)
    click.echo(f"Nothing was changed: {len(reasons)} to put right.", err=True)
    sys.exit(1)
