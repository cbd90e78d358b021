"""What commands share that publish files, or write published ones back to disk."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from portal.commands.refusals import exit_if_refused
from portal.platform.errors import BadInputError

FILE_OR_FOLDER = click.argument("place", metavar="FILE|DIR", type=click.Path(exists=True, path_type=Path))
NEW_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be published, and change nothing.")
VERSION = click.option(
    "--version",
    "number",
    type=click.IntRange(1, 1_000_000),
    help="Number of the version; the latest if left out.",
)


def echo_versions(numbers: Mapping[str, int | None], dry_run: bool) -> None:
    """Say which version of each key was published, or would be; none where it was unchanged."""
    done = "would be published" if dry_run else "published"
    for key, number in numbers.items():
        said = "unchanged, nothing to publish" if number is None else f"version {number} {done}"
        click.echo(f"{key}: {said}.")


def write_folder(files: dict[str, bytes], folder: Path) -> None:
    """Write the folder; a temporary folder beside it keeps it from being half written."""
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


def write_new_file(file: Path, content: bytes) -> None:
    """Write a file that must be new; exit with 1 where that is not possible."""
    with exit_if_refused(writing=file), file.open("xb") as target:
        target.write(content)
