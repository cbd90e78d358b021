"""Pages of webhooks: the list, one with its messages, and what an administrator does with it."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from wtforms.fields import SelectChoice

from portal.domain.people.visibility import Viewer
from portal.domain.status.rules import Status
from portal.features.webhooks import queries, services
from portal.features.webhooks.feature import ADMINISTER
from portal.features.webhooks.models import DeliveryState, EventType, PauseReason, Webhook, WebhookDelivery
from portal.features.webhooks.sending import NO_SECRET
from portal.features.webhooks.services import WebhookSettings
from portal.features.webhooks.signing import MOST_WEBHOOKS, WebhookError
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, drop_down, text_line
from portal.pages.layout.forms import (
    CheckboxesField,
    ConfirmForm,
    PortalForm,
)
from portal.pages.layout.navigation import Waiting
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError
from portal.platform.outbound import OutboundFault
from portal.platform.wording import plural

# The form of a webhook: where it is, and what it hears of.

EVENT_WORDS = {
    EventType.PASS_RECORDED: "A pass, or another completion, is recorded",
    EventType.STATUS_CHANGED: "Somebody’s status changes",
    EventType.DIRECTIVE_ISSUED: "A version of a directive is issued or withdrawn",
    EventType.PERSON_JOINED: "Somebody joins: they have a post and had none",
    EventType.PERSON_LEFT: "Somebody leaves: they have no post any more",
    EventType.TEST: "Test event",
}
LABEL = "govuk-label--s"


class WebhookForm(PortalForm):
    """A webhook."""

    name = text_line(
        "Name",
        "For your own lists, such as HR system.",
        required="Enter a name",
        most=60,
        width=20,
        bold=True,
    )
    address = text_line(
        "Address of the receiver",
        "It begins with https://. Do not put a password into it: messages are signed.",
        required="Enter the address of the receiver",
        bold=True,
        spellcheck=False,
    )
    events = CheckboxesField("Send a message when")
    unit = drop_down("Only about people in this unit, and units below it", bold=True)
    directive = drop_down("Only about this directive", bold=True)
    send = button("Save")

    @classmethod
    def from_webhook(cls, webhook: Webhook | None) -> "WebhookForm":
        """The form filled with a webhook, or with what was sent; None: a new one, of everything."""
        data: dict[str, Any] = {
            "events": [str(event) for event in EVENT_WORDS if event is not EventType.TEST]
        }
        if webhook is not None:
            data = {"name": webhook.name, "address": webhook.address, "events": webhook.events}
            data |= {"unit": str(webhook.unit_id or ""), "directive": str(webhook.directive_id or "")}
        form = cls(data=data)
        labels = {str(event): words for event, words in EVENT_WORDS.items() if event is not EventType.TEST}
        form.events.choices = [SelectChoice(value=value, label=label) for value, label in labels.items()]
        units, directives = queries.list_unit_choices(), queries.list_directive_choices()
        form.unit.choices = _offer("The whole force", units)
        form.directive.choices = _offer("All directives", directives)
        return form

    @property
    def entered_settings(self) -> WebhookSettings:
        """What was sent; the form must be valid."""
        events = tuple(EventType(value) for value in self.events.chosen_values)
        unit_id, directive_id = (
            int(field.data) if field.data else None for field in (self.unit, self.directive)
        )
        return WebhookSettings(self.name.data or "", self.address.data or "", events, unit_id, directive_id)

    def show_refusal(self, error: WebhookError) -> None:
        """Show beside its field why the settings were refused."""
        self[error.field].errors = [str(error)]


def _offer(all_words: str, choices: list[tuple[int, str]]) -> list[SelectChoice]:
    named = [SelectChoice(value=str(number), label=label) for number, label in choices]
    return [SelectChoice(value="", label=all_words), *named]


bp = Blueprint("webhooks", __name__, template_folder="templates")

STATES = {
    DeliveryState.WAITING: "Waiting",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.FAILED: "Failed",
}
PAUSES = {
    PauseReason.BY_HAND: "Paused by an administrator.",
    PauseReason.GONE: "Paused: the receiver answered 410, which means that it wants no more messages.",
    PauseReason.RESTORED: "Paused: the portal was restored from a backup. "
    "Resume it on the machine that is in use, and on no other.",
}
FAULTS = {
    OutboundFault.ADDRESS: "Not sent: the address is not public, or not allowed",
    OutboundFault.NAME: "Not sent: the name has no address",
    OutboundFault.UNREACHABLE: "The receiver could not be reached",
    OutboundFault.PROXY: "Not sent: the proxy (OUTBOUND_PROXY) did not connect to the receiver",
    OutboundFault.CERTIFICATE: "Not sent: the receiver’s certificate is not valid for its name",
    OutboundFault.TIMEOUT: "No answer within 10 seconds",
    OutboundFault.NO_ANSWER: "The receiver broke off without an answer",
    NO_SECRET: "Not sent: the secret cannot be read. Replace it",
}
UNSIGNED_HINT = (
    "The secret cannot be read: SECRET_KEY was changed since it was made. "
    "Replace the secret, and enter the new one at the receiver."
)
AGAIN = (DeliveryState.DELIVERED, DeliveryState.FAILED)


@bp.get("/webhooks")
@requires(ADMINISTER)
def list_webhooks() -> ResponseReturnValue:
    """Every webhook; there are few."""
    rows = queries.list_webhooks(clock.today())
    restored = sum(row.webhook.paused == PauseReason.RESTORED for row in rows)
    return render_template(
        "webhooks/index.html", rows=rows, most=MOST_WEBHOOKS, pauses=PAUSES, restored=restored
    )


@bp.post("/webhooks/resume")
@requires(ADMINISTER, recent=True)
def resume_restored() -> ResponseReturnValue:
    """Resume every webhook that a restore paused; each sends first what happened meanwhile."""
    with transaction():
        webhooks = queries.list_restored()
        for webhook in webhooks:
            services.resume_webhook(webhook, by=current_user.person_id, at=clock.now())
    flash(f"{plural(len(webhooks), 'webhook')} resumed. What they missed is sent now.", "success")
    return redirect(url_for(".list_webhooks"), 303)


@bp.route("/webhooks/new", methods=["GET", "POST"])
@requires(ADMINISTER, recent=True)
def add_webhook() -> ResponseReturnValue:
    """Make a webhook, and show its secret this once."""
    form = WebhookForm.from_webhook(None)
    if form.validate_on_submit():
        try:
            with transaction():
                reference, secret = services.add_webhook(
                    form.entered_settings, by=current_user.person_id, at=clock.now()
                )
        except WebhookError as error:
            form.show_refusal(error)
        else:
            return _show_secret(queries.get_webhook(reference), secret, is_new=True)
    return render_template("webhooks/form.html", form=form, webhook=None), 400 if form.errors else 200


@bp.get("/webhooks/<uuid:reference>")
@requires(ADMINISTER)
def show_webhook(reference: UUID) -> ResponseReturnValue:
    """One webhook and its messages, the newest first."""
    webhook = queries.get_webhook(reference)
    arguments = QueryArguments(request.args, request.path)
    state = DeliveryState(chosen) if (chosen := arguments.choice("state", DeliveryState)) else None
    counts = queries.count_deliveries([webhook.id])[webhook.id]
    page = arguments.page(counts[state] if state else sum(counts.values()))
    html = render_template(
        "webhooks/webhook.html",
        page=page,
        errors=arguments.errors(),
        webhook=webhook,
        row=queries.describe_webhooks([webhook], clock.today())[0],
        rows=queries.list_deliveries(webhook.id, state, page.offset, page.size),
        counts=counts,
        state=state,
        words=STATES,
        again=AGAIN,
        events=[EVENT_WORDS[EventType(event)] for event in webhook.events],
        event_words={str(event): words for event, words in EVENT_WORDS.items()},
        pause_words=PAUSES.get(PauseReason(webhook.paused)) if webhook.paused else "",
        rests=webhook.resting_until is not None and webhook.resting_until > clock.now(),
        status_words={status.key: status.label for status in Status},
        describe_outcome=_describe_outcome,
        secret_hint=UNSIGNED_HINT if queries.last_outcome(webhook.id) == NO_SECRET else "",
    )
    return html, arguments.status


def _describe_outcome(delivery: WebhookDelivery) -> str:
    """How the last try ended, in words."""
    outcome = delivery.outcome
    if not outcome:
        return ""
    return FAULTS.get(outcome) or f"The receiver answered {outcome}"


@bp.route("/webhooks/<uuid:reference>/edit", methods=["GET", "POST"])
@requires(ADMINISTER, recent=True)
def edit_webhook(reference: UUID) -> ResponseReturnValue:
    """Change a webhook; its secret stays."""
    webhook = queries.get_webhook(reference)
    form = WebhookForm.from_webhook(webhook)
    if form.validate_on_submit():
        try:
            with transaction():
                is_changed = services.change_webhook(
                    services.get_webhook_to_change(reference),
                    form.entered_settings,
                    by=current_user.person_id,
                )
        except WebhookError as error:
            form.show_refusal(error)
        else:
            return _return_to(reference, "Webhook changed." if is_changed else "Nothing was changed.")
    return render_template("webhooks/form.html", form=form, webhook=webhook), 400 if form.errors else 200


@bp.route("/webhooks/<uuid:reference>/secret", methods=["GET", "POST"])
@requires(ADMINISTER, recent=True)
def replace_secret(reference: UUID) -> ResponseReturnValue:
    """Replace the secret, and show the new one this once."""
    form, webhook = ConfirmForm(), queries.get_webhook(reference)
    if not form.validate_on_submit():
        return render_template("webhooks/replace.html", form=form, webhook=webhook)
    with transaction():
        secret = services.replace_secret(
            services.get_webhook_to_change(reference), by=current_user.person_id, at=clock.now()
        )
    return _show_secret(queries.get_webhook(reference), secret, is_new=False)


@bp.route("/webhooks/<uuid:reference>/remove", methods=["GET", "POST"])
@requires(ADMINISTER)
def remove_webhook(reference: UUID) -> ResponseReturnValue:
    """Remove a webhook with its messages."""
    form, webhook = ConfirmForm(), queries.get_webhook(reference)
    if not form.validate_on_submit():
        row = queries.describe_webhooks([webhook], clock.today())[0]
        return render_template("webhooks/remove.html", form=form, webhook=webhook, row=row)
    with transaction():
        services.remove_webhook(services.get_webhook_to_change(reference), by=current_user.person_id)
    flash("Webhook removed.", "success")
    return redirect(url_for(".list_webhooks"), 303)


@bp.post("/webhooks/<uuid:reference>/pause")
@requires(ADMINISTER)
def pause_webhook(reference: UUID) -> ResponseReturnValue:
    """Send nothing until it is resumed."""

    def pause(webhook: Webhook) -> str:
        services.pause_webhook(webhook, PauseReason.BY_HAND, by=current_user.person_id)
        return "Webhook paused. What happens from now on is sent when you resume it."

    return _act_on(reference, pause)


@bp.post("/webhooks/<uuid:reference>/resume")
@requires(ADMINISTER, recent=True)
def resume_webhook(reference: UUID) -> ResponseReturnValue:
    """Send again, with or without what happened meanwhile."""
    from_now = request.form.get("from") == "now"

    def resume(webhook: Webhook) -> str:
        services.resume_webhook(webhook, by=current_user.person_id, at=clock.now(), from_now=from_now)
        return "Webhook resumed from now on." if from_now else "Webhook resumed. What it missed is sent now."

    return _act_on(reference, resume)


@bp.post("/webhooks/<uuid:reference>/test")
@requires(ADMINISTER)
def send_test_event(reference: UUID) -> ResponseReturnValue:
    """Send a message that is about nothing."""

    def send(webhook: Webhook) -> str:
        services.send_test_event(webhook, by=current_user.person_id, at=clock.now())
        return "Test event queued. Load this page again in a few seconds to see its outcome."

    return _act_on(reference, send)


@bp.post("/webhooks/<uuid:reference>/again")
@requires(ADMINISTER)
def send_again(reference: UUID) -> ResponseReturnValue:
    """Send one message again, or all that failed."""
    try:
        message = UUID(text) if (text := request.form.get("message", "")) else None
    except ValueError as error:
        raise BadInputError(["The form is not complete. Go back to the webhook and try again."]) from error

    def send(webhook: Webhook) -> str:
        count = services.send_again(webhook, message, by=current_user.person_id, at=clock.now())
        return f"{plural(count, 'message')} queued again."

    return _act_on(reference, send)


def _act_on(reference: UUID, act: Callable[[Webhook], str]) -> ResponseReturnValue:
    """Do something with a webhook in a transaction, and say what was done on its page."""
    with transaction():
        message = act(services.get_webhook_to_change(reference))
    return _return_to(reference, message)


def _return_to(reference: UUID, message: str) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for(".show_webhook", reference=reference), 303)


def _show_secret(webhook: Webhook, secret: str, *, is_new: bool) -> ResponseReturnValue:
    return render_template("webhooks/secret.html", webhook=webhook, secret=secret, is_new=is_new)


# What the core shows of webhooks: on the desk, and to a monitoring system.


def find_paused(_viewer: Viewer) -> Iterator[Waiting]:
    """The webhooks that a restore paused."""
    if count := len(queries.list_restored()):
        yield Waiting(
            plural(count, "webhook is paused", "webhooks are paused"),
            plural(count, "webhook to resume or remove", "webhooks to resume or remove"),
            url_for("webhooks.list_webhooks"),
            "The database was restored from a backup",
        )


def collect_figures() -> Iterator[Metric]:
    """How many messages wait, and for how long the oldest does."""
    count, oldest_at = queries.read_backlog()
    yield GaugeMetricFamily(
        "portal_webhook_messages_waiting", "Messages to webhooks that are not paused.", value=float(count)
    )
    oldest = (clock.now() - oldest_at).total_seconds() if oldest_at else 0.0
    yield GaugeMetricFamily(
        "portal_webhook_oldest_seconds", "For how long the oldest of them waits.", value=float(oldest)
    )
