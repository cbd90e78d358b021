"""Commands: directives."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Blueprint

from portal.domain.directives import checks, services, toml_reader
from portal.domain.directives.exclusions import COLUMNS, OPTIONAL
from portal.domain.directives.proposals import propose
from portal.domain.directives.queries import staff_numbers
from portal.domain.status.count_check import check_counts
from portal.domain.status.projector import rebuild_status
from portal.platform import clock
from portal.platform.db import OPEN_END, settle, transaction
from portal.platform.errors import BadInputError, PortalError
from portal.platform.tables.table_files import read_table

bp = Blueprint("directives_commands", __name__, cli_group="directives")

SHOWN = 20  # people of each kind that a dry run names

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _DryRunEnds(Exception):
    """Rolls back what a dry run did."""


@contextmanager
def _run_in_transaction(dry_run: bool, source: Path | None = None) -> Iterator[None]:
    """One transaction, undone at its end in a dry run; refusals go to standard error with code 1."""
    try:
        with transaction():
            yield
            if dry_run:
                raise _DryRunEnds
    except _DryRunEnds:
        click.echo("Dry run: nothing was changed.")
    except PortalError as error:
        reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
        for reason in reasons:
            click.echo(f"{source.name}: {reason}" if source else reason, err=True)
        sys.exit(1)


@bp.cli.command("issue")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Say whom it would reach and stop.")
def issue(file: Path, dry_run: bool) -> None:
    """Issue the directive in FILE, or its next version; a dry run says who joins, who leaves, what is due."""
    with _run_in_transaction(dry_run, file):
        content = file.read_bytes()
        if dry_run:
            _print_preview(content)
        issued = services.issue(content, at=clock.now())
        settle()
        version = f"{issued.reference} version {issued.number}"
        if issued.new:
            reached = checks.people_reached(issued.directive_id)
            click.echo(f"{version} takes effect on {issued.effective_on}. People asked, ever: {reached}.")
        else:
            click.echo(f"{version} says the same already. Nothing to do.")


def _print_preview(content: bytes) -> None:
    """Say whom it would reach otherwise: the numbers, and the first people of each."""
    effect = propose(toml_reader.read(content)).effect()
    told = {"join": effect.joins, "leave": effect.leaves, "get another due date": effect.due_changes}
    for what, people in told.items():
        click.echo(f"{what}: {len(people)}")
        numbers = staff_numbers([each.person_id for each in people[:SHOWN]])
        for each in people[:SHOWN]:
            days = f"from {each.first}" + ("" if each.last == OPEN_END else f" to {each.last}")
            before = f", before {each.was_due_on}" if each.was_due_on else ""
            click.echo(f"  {numbers.get(each.person_id, 'Erased')} {days}, due {each.due_on}{before}")
        if len(people) > SHOWN:
            click.echo(f"  and {len(people) - SHOWN} more")


@bp.cli.command("exclude")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Check every row and stop.")
def exclude(file: Path, dry_run: bool) -> None:
    """Record the exemptions and deferrals in FILE (CSV or XLSX)."""
    with _run_in_transaction(dry_run, file):
        rows = read_table(file, required=COLUMNS, optional=OPTIONAL)
        done = services.exclude(rows, at=clock.now())
        click.echo(f"{done.added} added, {done.corrected} corrected, {done.unchanged} held already.")


@bp.cli.command("reconcile")
@click.option("--dry-run", is_flag=True, help="Report differences and change nothing.")
@click.option("--rebuild", is_flag=True, help="Also replay every stamp and compare the spans.")
def reconcile(dry_run: bool, rebuild: bool) -> None:
    """Recompute assignments and totals, with --rebuild all spans; say what differs, if anything."""
    with _run_in_transaction(dry_run):
        differences = checks.reconcile_all()
        if rebuild:
            settle()
            differences += rebuild_status()
        settle()
        differences += check_counts(write=True)
        for difference in differences:
            click.echo(difference)
        click.echo(f"{len(differences)} differences.")
