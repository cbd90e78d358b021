"""Commands: directives."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from flask import Blueprint

from portal.domain.directives import files, services
from portal.domain.directives.changes import AudienceChange, AudienceEffect, propose_version
from portal.domain.directives.queries import describe_people_affected, load_staff_numbers
from portal.domain.directives.services import (
    COLUMNS,
    OPTIONAL,
    Confirmation,
    IssueResult,
    record_exclusions,
    record_proposal,
)
from portal.domain.status.projector import rebuild_status
from portal.domain.status.recording import record_version, stage_version, write_version
from portal.domain.status.tasks import check_counts
from portal.platform import clock
from portal.platform.db import OPEN_END, settle, transaction
from portal.platform.errors import BadInputError, PortalError
from portal.platform.tables.table_files import read_table

bp = Blueprint("directives_commands", __name__, cli_group="directives")

MOST_NAMED = 20  # people of each kind that a dry run names

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@contextmanager
def _exit_on_refusal(source: Path | None = None) -> Iterator[None]:
    """Print the reasons of a refusal to standard error, and exit with code 1."""
    try:
        yield
    except PortalError as error:
        reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
        for reason in reasons:
            click.echo(f"{source.name}: {reason}" if source else reason, err=True)
        sys.exit(1)


@contextmanager
def _run_in_transaction(dry_run: bool) -> Iterator[None]:
    """One transaction, rolled back at its end in a dry run, which says so."""
    with transaction(dry_run=dry_run):
        yield
    if dry_run:
        click.echo("Dry run: nothing was changed.")


@bp.cli.command("issue")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Show who it would affect, and change nothing.")
def issue(file: Path, dry_run: bool) -> None:
    """Issue the directive in FILE, or its next version."""
    with _exit_on_refusal(file):
        propose = partial(propose_version, files.read_directive(file.read_bytes()))
        if not dry_run:
            _print_result(record_version(propose, Confirmation(clock.now())))
            return
        proposal = propose()
        _print_effect(proposal.compute_effect())
        staged = stage_version(proposal)  # before the lock, so that nobody waits for it
        with _run_in_transaction(dry_run):
            result = record_proposal(propose, Confirmation(clock.now()))
            write_version(staged, result)
            settle()
            _print_result(result)


def _print_effect(effect: AudienceEffect) -> None:
    """Say how many people are affected and how, and name the first of them."""
    groups = {"joins": effect.joins, "leaves": effect.leaves, "due_changes": effect.due_changes}
    for kind, changes in groups.items():
        click.echo(f"{describe_people_affected(kind, len(changes))}.")
        staff_numbers = load_staff_numbers([change.person_id for change in changes[:MOST_NAMED]])
        for change in changes[:MOST_NAMED]:
            click.echo(f"  {staff_numbers.get(change.person_id, 'Erased')} {_describe_days(change)}")
        if len(changes) > MOST_NAMED:
            click.echo(f"  and {len(changes) - MOST_NAMED} more")


def _describe_days(change: AudienceChange) -> str:
    last = "" if change.last == OPEN_END else f" to {change.last}"
    was_due = f" (was {change.was_due_on})" if change.was_due_on else ""
    return f"from {change.first}{last}, due {change.due_on}{was_due}"


def _print_result(result: IssueResult) -> None:
    version = f"{result.reference} version {result.number}"
    if result.new:
        people = services.count_people_ever_assigned(result.directive_id)
        click.echo(
            f"{version} takes effect on {result.effective_on}. People it applies to on any day: {people}."
        )
    else:
        click.echo(f"{version} already says this. Nothing to do.")


@bp.cli.command("exclude")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Check every row, and change nothing.")
def exclude(file: Path, dry_run: bool) -> None:
    """Record the exemptions and deferrals in FILE (CSV or XLSX)."""
    with _exit_on_refusal(file), _run_in_transaction(dry_run):
        rows = read_table(file, required=COLUMNS, optional=OPTIONAL)
        counts = record_exclusions(rows, at=clock.now())
        click.echo(
            f"{counts.added} added, {counts.corrected} corrected, {counts.unchanged} already recorded."
        )


@bp.cli.command("reconcile")
@click.option("--dry-run", is_flag=True, help="Report differences, and change nothing.")
@click.option("--rebuild", is_flag=True, help="Also check every status period, by computing it again.")
def reconcile(dry_run: bool, rebuild: bool) -> None:
    """Check assignments and status counts against the facts, and correct what differs."""
    with _exit_on_refusal(), _run_in_transaction(dry_run):
        differences = services.reconcile_all()
        if rebuild:
            settle()
            differences += rebuild_status()
        settle()
        differences += check_counts(write=True)
        for difference in differences:
            click.echo(difference)
        click.echo(f"{len(differences)} differences.")
