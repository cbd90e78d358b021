"""Commands: webhooks."""

import click
from flask import Blueprint

from portal.commands.refusals import exit_if_refused
from portal.domain.directives.queries import get_directive
from portal.domain.people.queries import unit_by_path
from portal.features.webhooks import queries, services
from portal.features.webhooks.models import EventType
from portal.features.webhooks.services import WebhookSettings
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.wording import plural

bp = Blueprint("webhooks_commands", __name__, cli_group="webhooks")

EVENTS = [str(event) for event in EventType if event is not EventType.TEST]


@bp.cli.command("list")
def list_webhooks() -> None:
    """List every webhook: name, state, the events it sends, messages waiting and failed."""
    rows = queries.list_webhooks(clock.today())
    for row in rows:
        webhook = row.webhook
        state = "paused" if webhook.paused else "failing" if webhook.flagged_at else "active"
        about = ", ".join(filter(None, [row.unit_path or "the whole force", row.directive]))
        click.echo(f"{webhook.name}: {state}; {' '.join(webhook.events)}; {about}")
        click.echo(f"  {webhook.address}  waiting {row.waiting}, failed {row.failed}")
    click.echo(f"{plural(len(rows), 'webhook')}.")


@bp.cli.command("add")
@click.argument("name")
@click.argument("address")
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice(EVENTS),
    help="Repeat it for several. Without it: every event.",
)
@click.option("--unit", help="Only people in and under this unit, such as 'Westshire Police/Crime'.")
@click.option("--directive", help="Only this directive, such as OIC-2026.")
def add_webhook(
    name: str, address: str, events: tuple[str, ...], unit: str | None, directive: str | None
) -> None:
    """Add a webhook named NAME that sends to ADDRESS what happens from now on; prints its secret once."""
    with exit_if_refused(counted=False):
        settings = WebhookSettings(
            " ".join(name.split()),
            address,
            tuple(map(EventType, events or EVENTS)),
            unit_id=None if unit is None else unit_by_path(unit, clock.today()),
            directive_id=None if directive is None else get_directive(directive).id,
        )
        with transaction():
            _, secret = services.add_webhook(settings, by=None, at=clock.now())
    click.echo(f"Added. Its secret, which is not shown again:\n{secret}")


@bp.cli.command("remove")
@click.argument("name")
def remove_webhook(name: str) -> None:
    """Remove the webhook NAME with all its messages, sent or not."""
    with exit_if_refused(counted=False), transaction():
        services.remove_webhook(queries.get_webhook_named(name), by=None)
    click.echo("Removed.")


@bp.cli.command("resume")
@click.argument("name", default="")
@click.option("--all", "everything", is_flag=True, help="Every webhook that a restore paused.")
@click.option("--from-now", is_flag=True, help="Leave out what happened while it was paused.")
def resume_webhook(name: str, everything: bool, from_now: bool) -> None:
    """Resume the webhook NAME, first with what happened while it was paused."""
    if bool(name) == everything:
        raise click.UsageError("Name one webhook, or say --all.")
    with exit_if_refused(counted=False), transaction():
        chosen = queries.list_restored() if everything else [queries.get_webhook_named(name)]
        for webhook in chosen:
            services.resume_webhook(webhook, by=None, at=clock.now(), from_now=from_now)
    click.echo(f"{plural(len(chosen), 'webhook')} resumed.")


@bp.cli.command("retry")
@click.argument("name")
def retry_messages(name: str) -> None:
    """Send again all messages to the webhook NAME that failed; a worker does so within seconds."""
    with exit_if_refused(counted=False), transaction():
        count = services.send_again(queries.get_webhook_named(name), None, by=None, at=clock.now())
    click.echo(f"{plural(count, 'message')} queued again.")
