"""Reads webhooks and the messages to them, for pages, commands and workers."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, or_, select

from portal.domain.directives.models import Directive
from portal.domain.people.models import PersonName
from portal.domain.people.queries import live_units
from portal.domain.people.units import read_tree
from portal.features.webhooks.models import (
    UNENDED,
    DeliveryState,
    EventType,
    PauseReason,
    Webhook,
    WebhookDelivery,
)
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError

row = WebhookDelivery


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook for a list."""

    webhook: Webhook
    unit_path: str  # empty: the whole force
    unit_label: str  # as pages write the unit
    directive: str  # reference; empty: all
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A message for a list; its person's staff number is empty if it is about nobody, or they were erased."""

    delivery: WebhookDelivery
    staff_number: str


def has_webhooks() -> bool:
    """Whether there is any."""
    return bool(db.session.scalar(select(exists(select(Webhook.id)))))


def has_active_webhooks() -> bool:
    """Whether a webhook is not paused."""
    return bool(db.session.scalar(select(exists().where(Webhook.paused.is_(None)))))


def list_active_webhook_ids() -> list[int]:
    """The webhooks that are not paused."""
    return list(db.session.scalars(select(Webhook.id).where(Webhook.paused.is_(None)).order_by(Webhook.id)))


def get_webhook(reference: uuid.UUID, *, lock: bool = False) -> Webhook:
    """The webhook."""
    statement = select(Webhook).where(Webhook.reference == reference)
    webhook = db.session.scalar(statement.with_for_update() if lock else statement)
    if webhook is None:
        raise NotFoundError("There is no such webhook.")
    return webhook


def get_webhook_named(name: str) -> Webhook:
    """The webhook with this name, in any capitals."""
    webhook = db.session.scalar(select(Webhook).where(func.lower(Webhook.name) == name.strip().lower()))
    if webhook is None:
        raise NotFoundError(f"There is no webhook named {name}.")
    return webhook


def list_restored() -> list[Webhook]:
    """The webhooks that a restore paused, by name."""
    paused = Webhook.paused == PauseReason.RESTORED
    return list(db.session.scalars(select(Webhook).where(paused).order_by(Webhook.name)))


def list_webhooks(day: date) -> list[WebhookRow]:
    """Every webhook by name."""
    webhooks = db.session.scalars(select(Webhook).order_by(Webhook.name)).all()
    return describe_webhooks(webhooks, day)


def describe_webhooks(webhooks: Collection[Webhook], day: date) -> list[WebhookRow]:
    """These webhooks, with what they hear of as words and how many of their messages wait or failed."""
    counts = count_deliveries([webhook.id for webhook in webhooks])
    tree = read_tree() if any(webhook.unit_id for webhook in webhooks) else None
    directives = {webhook.directive_id for webhook in webhooks if webhook.directive_id}
    named = select(Directive.id, Directive.reference).where(Directive.id.in_(sorted(directives)))
    references = {number: reference for number, reference in db.session.execute(named)} if directives else {}
    rows = []
    for webhook in webhooks:
        path = tree.last_path_on(webhook.unit_id, day) if tree and webhook.unit_id else ""
        label = tree.last_label_on(webhook.unit_id, day) if tree and webhook.unit_id else ""
        states = counts[webhook.id]
        waiting = sum(states[state] for state in UNENDED)
        directive = references.get(webhook.directive_id or 0, "")
        rows.append(WebhookRow(webhook, path, label, directive, waiting, states[DeliveryState.FAILED]))
    return rows


def count_deliveries(webhooks: Collection[int]) -> dict[int, dict[DeliveryState, int]]:
    """How many messages of each webhook are in each state."""
    counts = {number: dict.fromkeys(DeliveryState, 0) for number in webhooks}
    statement = select(row.webhook_id, row.state, func.count()).where(row.webhook_id.in_(sorted(webhooks)))
    for number, state, count in db.session.execute(statement.group_by(row.webhook_id, row.state)):
        counts[number][DeliveryState(state)] = count
    return counts


def list_deliveries(
    webhook_id: int, state: DeliveryState | None, offset: int, limit: int
) -> list[DeliveryRow]:
    """The messages to a webhook, in one state or in any; the newest first."""
    statement = (
        select(row, PersonName.staff_number)
        .outerjoin(PersonName, PersonName.person_id == row.person_id)
        .where(row.webhook_id == webhook_id)
        .order_by(row.id.desc())
        .offset(offset)
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(row.state == state)
    return [DeliveryRow(delivery, number or "") for delivery, number in db.session.execute(statement)]


def last_outcome(webhook_id: int) -> str:
    """How the last try that ended did so; empty if there was none."""
    ended = select(row.outcome).where(row.webhook_id == webhook_id, row.outcome != "")
    return db.session.scalar(ended.order_by(row.id.desc()).limit(1)) or ""


def list_unit_choices() -> list[tuple[int, str]]:
    """Every unit of today, with its label, by path."""
    units = sorted(live_units(clock.today()).items(), key=lambda pair: pair[1].path)
    return [(unit_id, unit.label) for unit_id, unit in units]


def list_directive_choices() -> list[tuple[int, str]]:
    """Every directive, by its reference."""
    statement = select(Directive.id, Directive.reference).order_by(Directive.reference)
    return [(directive_id, reference) for directive_id, reference in db.session.execute(statement)]


def event_types_of(webhook: Webhook) -> frozenset[EventType]:
    """The events that a webhook hears of."""
    return frozenset(map(EventType, webhook.events))


def list_sendable_webhook_ids(now: datetime, busy: Collection[int]) -> list[int]:
    """The webhooks with a message that is due, of those that neither are paused nor rest nor are busy."""
    rested = or_(Webhook.resting_until.is_(None), Webhook.resting_until <= now)
    due = exists().where(row.webhook_id == Webhook.id, row.state == DeliveryState.WAITING, row.due_at <= now)
    statement = select(Webhook.id).where(Webhook.paused.is_(None), rested, due)
    return [number for number in db.session.scalars(statement.order_by(Webhook.id)) if number not in busy]


def read_backlog() -> tuple[int, datetime | None]:
    """How many messages wait for webhooks that are not paused, and since when the oldest does."""
    waits = row.state == DeliveryState.WAITING, Webhook.paused.is_(None)
    statement = select(func.count(), func.min(row.created_at)).join(Webhook, Webhook.id == row.webhook_id)
    count, oldest_at = db.session.execute(statement.where(*waits)).one()
    return count, oldest_at
