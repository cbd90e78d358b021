"""Commands: reminders."""

import sys
from datetime import date
from email import message_from_binary_file
from typing import BinaryIO

import click
from flask import Blueprint

from portal.domain.reminders import invitations, message_texts, services
from portal.domain.reminders.sending import line_managers_see, mail_hours, send_due_messages, sending_settings
from portal.platform import clock, mail
from portal.platform.clock import read_day
from portal.platform.db import transaction
from portal.platform.errors import PortalError

EARLIEST_DAY = date(2000, 1, 1)  # for --day; planning looks back a month from it

bp = Blueprint("reminders_commands", __name__, cli_group="reminders")


@bp.cli.command("plan")
@click.option("--dry-run", is_flag=True, help="Print what would be sent to whom, and why; write nothing.")
@click.option("--day", default="", help="With --dry-run: plan for this day. Default: today.")
def plan_reminders(dry_run: bool, day: str) -> None:
    """Put today's reminders into the outbox; a second time on the same day changes nothing."""
    plan_day = read_day(day) if day else clock.today()
    if plan_day is None or plan_day < EARLIEST_DAY or (day and not dry_run):
        raise click.UsageError("--day is a date such as 2026-04-30, and needs --dry-run.")
    if dry_run:
        plan = message_texts.plan_reminders(plan_day, line_managers=line_managers_see())
        for line in message_texts.dry_run_lines(plan):
            click.echo(line)
    else:
        now = clock.now()
        with transaction():
            plan = services.plan_day(
                clock.london_day(now), at=now, hours=mail_hours(), line_managers=line_managers_see()
            )
    click.echo(
        f"Messages: {len(plan.letters)}\nReasons: {plan.line_count}\nNot reached: {len(plan.unreachable)}"
    )
    click.echo(f"Line managers who cannot open the report, and are not told: {len(plan.untold)}")
    click.echo("Dry run: nothing was written." if dry_run else "Done.")


@bp.cli.command("send")
def send_messages() -> None:
    """Send the messages of the outbox that may be sent now, and links that were asked for at sign-in."""
    try:
        with transaction():
            invitations.queue_reset_mails(clock.now())
        with click.progressbar(length=1, label="Sending", file=sys.stderr) as bar:
            outcome = send_due_messages(sending_settings(), lambda count, _: bar.update(0))
    except PortalError as error:
        click.echo(f"{error}\nThe other messages go on waiting.", err=True)
        sys.exit(1)
    click.echo(f"{outcome.summary_words}.")


@bp.cli.command("bounced")
@click.argument("file", type=click.File("rb"))
def record_bounce(file: BinaryIO) -> None:
    """Record the bounce in FILE: a returned mail as the relay delivers it (- for standard input)."""
    bounce = mail.read_bounce(message_from_binary_file(file))
    if bounce is None:
        click.echo("This is not a bounce of a mail that the portal sent.", err=True)
        sys.exit(1)
    with transaction():
        is_known = services.mark_bounced(bounce.reference, bounce.reason)
    if not is_known:
        click.echo(f"The portal sent no message {bounce.reference}.", err=True)
        sys.exit(1)
    click.echo(f"Noted: {bounce.reason}")
