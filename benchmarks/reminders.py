"""(r) Reminders over 15,000 people: planning them all, and sending a thousand to a relay on this machine."""

import asyncio
import socket
import tempfile
import time
from collections.abc import Coroutine
from contextlib import suppress
from datetime import time as day_time
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from benchmarks import roster
from benchmarks.figures import Figure
from benchmarks.world import flask
from config import Config
from portal.app import create_app
from portal.domain.directives.applies import RuleHistory
from portal.domain.people.models import PersonName
from portal.domain.reminders import queries, services
from portal.domain.reminders.models import Message
from portal.domain.reminders.rules import LATE, ReminderRules, SendWindow
from portal.domain.reminders.sending import SendingSettings, send_due_messages
from portal.domain.status.projector import load_facts
from portal.domain.status.queries import people_to_remind
from portal.domain.status.rules import compute_status, group_facts_by_position
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.mail import Relay

SENT = 1_000
ALWAYS = SendWindow(first=day_time.min, last=day_time.max)


class _Enough(Exception):
    """So many are sent."""


class _Office:
    """Takes every mail, and keeps whom it was for."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's
        self.taken += envelope.rcpt_tos
        return "250 OK"


class _Relay(Controller):
    """Listens on a port that the machine chooses."""

    def _create_server(self) -> Coroutine[Any, Any, asyncio.AbstractServer]:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        made: Coroutine[Any, Any, asyncio.AbstractServer] = self.loop.create_server(
            self._factory_invoker, sock=listening
        )
        return made


def measure() -> list[Figure]:
    """A day on which everybody is overdue."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance, file = Path(folder) / "instance", Path(folder) / "roster.csv"
        instance.mkdir(mode=0o700)
        roster.write(file)
        flask(instance, "db", "upgrade")
        flask(instance, "people", "import", str(file))
        flask(instance, "modules", "publish", "modules")
        flask(instance, "directives", "issue", str(roster.directive_file(Path(folder))))
        app = create_app(Config(mode="demo", secret_key="x" * 64, instance=instance))
        with app.app_context():
            return _measured()


def _measured() -> list[Figure]:
    now, today = clock.now(), clock.today()
    asked = people_to_remind(today)
    about = queries.directive_named("OIC-2026", today)
    with transaction():  # every day, whoever is overdue; nobody is told of others
        services.save_rules(about, ReminderRules((), 1, 0, ()), by=asked[0].person_id)
    began = time.perf_counter()
    with transaction():
        plan = services.plan_day(today, at=now, hours=ALWAYS)
    planning = time.perf_counter() - began
    office = _Office()
    controller = _Relay(office, hostname="127.0.0.1")
    controller.start()
    try:
        sending = _send(controller.port)
    finally:
        controller.stop()
    wrong = _wrong(office.taken)
    waiting = db.session.scalar(select(func.count()).select_from(Message))
    return [
        Figure("r", f"reminders: planning {len(plan.letters):,} messages", planning, "s"),
        Figure("r", f"reminders: sending {SENT:,} of the {waiting:,} that wait", sending, "s"),
        Figure(
            "r",
            f"reminders: of {len(office.taken):,}, to people who are not late",
            wrong,
            "messages",
            judged=wrong,
            target=0,
            fails_build=True,
        ),
    ]


def _send(port: int) -> float:
    relay = Relay("127.0.0.1", port, "none", sender="learning@westshire.example", per_minute=10_000_000)
    began = time.perf_counter()

    def tell(done: int, said: str) -> None:
        if done >= SENT:
            raise _Enough

    with suppress(_Enough):
        send_due_messages(
            SendingSettings(relay, ALWAYS, "https://learning.westshire.example", "Westshire Police"), tell
        )
    return time.perf_counter() - began


def _wrong(addresses: list[str]) -> int:
    """How many were written to of whom the pure rule over the facts says that they are not late."""
    people = list(db.session.scalars(select(PersonName.person_id).where(PersonName.email.in_(addresses))))
    history = RuleHistory()
    day, known, wrong = clock.today(), clock.now(), 0
    for at in range(0, len(people), 500):
        for facts in load_facts(people[at : at + 500], history).values():
            stood = [
                compute_status(each, day)
                for directive_id in facts.assignments
                for each in group_facts_by_position(facts, directive_id, history, known).values()
            ]
            wrong += not any(one is not None and one.status in LATE for one in stood)
    return wrong
