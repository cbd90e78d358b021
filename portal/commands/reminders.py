"""Commands: reminders."""

import sys
from datetime import date
from email import message_from_binary_file
from typing import BinaryIO

import click
from flask import Blueprint

from portal.domain.reminders import planning, services
from portal.domain.reminders.sending import send_waiting
from portal.domain.reminders.settings import line_managers_see, mail_hours, sending_settings
from portal.platform import clock
from portal.platform.clock import read_day
from portal.platform.db import transaction
from portal.platform.errors import PortalError
from portal.platform.mail import bounces

EARLIEST = date(2000, 1, 1)  # of a day to try; it looks back a month from it

bp = Blueprint("reminders_commands", __name__, cli_group="reminders")


@bp.cli.command("plan")
@click.option("--dry-run", is_flag=True, help="Say what would be sent to whom, and why; write nothing.")
@click.option("--day", default="", help="With --dry-run: as if it were this day. Today where left out.")
def plan(dry_run: bool, day: str) -> None:
    """Put today's reminders into the outbox; twice on a day is once."""
    asked = read_day(day) if day else clock.today()
    if asked is None or asked < EARLIEST or (day and not dry_run):
        raise click.UsageError("--day is a date such as 2026-04-30, and goes with --dry-run.")
    if dry_run:
        made = planning.plan_reminders(asked, line_managers=line_managers_see())
        for line in planning.dry_run_lines(made):
            click.echo(line)
    else:
        now = clock.now()
        with transaction():
            made = services.plan_day(
                clock.london_day(now), at=now, hours=mail_hours(), line_managers=line_managers_see()
            )
    click.echo(
        f"Messages: {len(made.letters)}\nReasons: {made.line_count}\nNot reached: {len(made.unreachable)}"
    )
    click.echo(f"Line managers who cannot open the report, and are not told: {len(made.untold)}")
    click.echo("Dry run: nothing was written." if dry_run else "Done.")


@bp.cli.command("send")
def send() -> None:
    """Send what waits in the outbox and may go now."""
    try:
        with click.progressbar(length=1, label="Sending", file=sys.stderr) as bar:
            done = send_waiting(sending_settings(), lambda count, _: bar.update(0))
    except PortalError as error:
        click.echo(f"{error}\nWhat waits goes on waiting.", err=True)
        sys.exit(1)
    click.echo(f"{done.summary_words}.")


@bp.cli.command("bounced")
@click.argument("file", type=click.File("rb"))
def bounced(file: BinaryIO) -> None:
    """Note the bounce in FILE, a returned mail as the relay hands it over (- for standard input)."""
    found = bounces.read_bounce(message_from_binary_file(file))
    if found is None:
        click.echo("This is no notice of a mail that came back from here.", err=True)
        sys.exit(1)
    with transaction():
        known = services.mark_bounced(found.reference, found.reason)
    if not known:
        click.echo(f"No message {found.reference} was sent from here.", err=True)
        sys.exit(1)
    click.echo(f"Noted: {found.reason}")
