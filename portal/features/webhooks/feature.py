"""The manifest of webhooks."""

from datetime import timedelta

from portal.feature import (
    ActText,
    DeskSource,
    Feature,
    KeptPeriod,
    MenuItem,
    NoticePart,
    PermissionGrant,
    Removal,
    RestoreStep,
    Setting,
)
from portal.platform.permissions import Permission, Role

ADMINISTER = Permission("webhooks:webhook:administer")
DELIVERED_RETENTION = timedelta(days=30)
FAILED_RETENTION = timedelta(days=90)

_TOKENS = "tokens"  # the group of acts on access tokens

FEATURE = Feature(
    name="webhooks",
    title="Webhooks: other systems hear of what happened",
    blueprints=("views:bp", "commands:bp"),
    models="models",
    routines=("sending:ROUTINES",),
    permissions={ADMINISTER: PermissionGrant(frozenset({Role.ADMINISTRATOR}), whole_force=True)},
    navigation=(
        MenuItem(
            "Portal",
            "Access tokens",
            "Webhooks",
            "/webhooks",
            ADMINISTER,
            "Which other systems are told of changes",
        ),
    ),
    desk=(DeskSource("suspended tokens", ADMINISTER, "", "views:find_paused"),),
    acts={
        "webhook.added": ActText(
            _TOKENS,
            "Added the webhook {name}",
            outbox="Webhook added",
            subject="Webhook added: {name}",
            sentence="{by} added the webhook {name}, which tells {host} about people of the force.",
        ),
        "webhook.changed": ActText(
            _TOKENS,
            "Changed the webhook {name}[: {changed}]",
            outbox="Webhook changed",
            subject="Webhook changed: {name}",
            sentence="{by} changed the webhook {name}, which tells {host} about people of the force.",
        ),
        "webhook.secret_replaced": ActText(_TOKENS, "Replaced the secret of the webhook {name}"),
        "webhook.paused": ActText(_TOKENS, "Paused the webhook {name}"),
        "webhook.gone": ActText(
            _TOKENS,
            "Webhook {name} paused: its receiver wants no more messages",
            outbox="Webhook paused by its receiver",
            subject="Webhook {name} is paused",
            sentence="The receiver of the webhook {name} answered that it wants no more messages. "
            "It is paused.",
        ),
        "webhook.failed": ActText(
            _TOKENS,
            "Messages to the webhook {name} failed",
            gives_access=False,
            outbox="Webhook: messages failed",
            subject="Messages to {name} failed",
            sentence="Messages to the webhook {name} could not be delivered for three days, and failed.",
        ),
        "webhook.resumed": ActText(_TOKENS, "Resumed the webhook {name}"),
        "webhook.removed": ActText(_TOKENS, "Removed the webhook {name}"),
        "webhook.tested": ActText(_TOKENS, "Sent a test message to the webhook {name}", gives_access=False),
        "webhook.sent_again": ActText(
            _TOKENS, "Sent messages to the webhook {name} again: {messages}", gives_access=False
        ),
    },
    notices=(
        NoticePart(
            "webhook.",
            "You look after webhooks of the learning portal. This happened:",
            "/webhooks",
            "a webhook",
        ),
    ),
    kept_forms={
        "webhooks.add_webhook": "add a webhook",
        "webhooks.edit_webhook": "change a webhook",
        "webhooks.replace_secret": "replace a webhook’s secret",
        "webhooks.resume_restored": "switch webhooks on again",
        "webhooks.resume_webhook": "switch a webhook on again",
    },
    figures=("views:collect_figures",),
    personal_data="personal_data:TABLES",
    not_personal={"webhook": "addresses of other systems"},
    periods=(
        KeptPeriod(
            "delivered",
            "Messages to connected systems that arrived",
            DELIVERED_RETENTION,
            "after they arrived",
        ),
        KeptPeriod(
            "failed", "Messages to connected systems that failed", FAILED_RETENTION, "after the last try"
        ),
    ),
    removals=(
        Removal(
            "Files made for download",
            "Messages to webhooks",
            f"{DELIVERED_RETENTION.days} days after delivery, {FAILED_RETENTION.days} after a failure",
        ),
    ),
    settings=(
        Setting(
            "LINK_CHECK",
            "WEBHOOK_NETWORKS",
            "networks to which webhooks may send although they are not public ([webhooks](webhooks.md))",
            "none",
            "`10.20.0.0/16`",
        ),
    ),
    # The copy may be on another machine, and two would tell the same systems.
    restore=(
        RestoreStep(
            "webhook",
            "UPDATE webhook SET paused = 'restored' WHERE paused IS NULL",
            "webhook is",
            "webhooks are",
            "paused: resume at /webhooks, on one machine alone",
        ),
    ),
)
