"""How a command ends that refuses what it was given."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from portal.platform.errors import BadInputError, PortalError


@contextmanager
def exit_if_refused(*, counted: bool = True, writing: Path | None = None) -> Iterator[None]:
    """Exit as ``exit_refused`` does where the block refuses.

    Args:
        counted: Whether the reasons are counted.
        writing: What the block writes; that this was not possible is a reason too.
    """
    try:
        yield
    except PortalError as error:
        exit_refused(error, counted=counted)
    except OSError as error:
        if writing is None:
            raise
        exit_refused(BadInputError([f"{writing} cannot be written: {error.strerror}."]), counted=counted)


def exit_refused(error: PortalError, *, counted: bool = True) -> NoReturn:
    """Print every reason to standard error, and how many there are if they are counted; exit with 1."""
    reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
    for reason in reasons:
        click.echo(reason, err=True)
    last = f"Nothing was changed: {len(reasons)} to put right."
    click.echo(last if counted else "Refused: nothing was changed.", err=True)
    sys.exit(1)
