"""What other systems and operators meet: the API and SCIM, commands with the files they write, and mails."""

import json
from datetime import timedelta
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from threading import Event
from typing import Any, ClassVar
from unittest import mock

import click
import time_machine
from flask import Flask

from benchmarks.browser import ATTRIBUTE, FORM, form_fields
from portal.commands.jobs import make_worker_setup
from portal.platform import clock
from portal.platform.jobs.worker import JobRunner, start_due_jobs
from tests.golden.contents import read_content
from tests.golden.visiting import INSTANT, Visitor, draw_anew, run, signed_in
from tests.golden.writing import Record

ONE = "/api/v1/directives/OIC-2026"
READ = (
    "/api/openapi.json", "/api/v1", "/api/v1/people", "/api/v1/people/D1001", "/api/v1/people/D9999",
    "/api/v1/directives", ONE, f"{ONE}/status", f"{ONE}/status?as_at=2026-04-30", f"{ONE}/completions",
    f"{ONE}/completions?status=late", f"{ONE}/files", f"{ONE}/files/completions.csv", "/api/v1/records",
    "/api/v1/records/{reference}", "/api/v1/people?limit=x",
)  # fmt: skip
SCIM = "/scim/v2"
PROVISION = (
    f"{SCIM}/ServiceProviderConfig", f"{SCIM}/Schemas", f"{SCIM}/ResourceTypes", f"{SCIM}/ResourceTypes/User",
    f"{SCIM}/Users", f"{SCIM}/Users?filter=userName+eq+%22D1001%22", f"{SCIM}/Users?filter=x",
    f"{SCIM}/Groups", f"{SCIM}/Groups/missing", f"{SCIM}/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
)  # fmt: skip
USER = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "N7001", "externalId": "7001",
    "name": {"familyName": "Hale", "givenName": "Robin"}, "active": True,
    "emails": [{"value": "n7001@westshire.example", "primary": True}],
}  # fmt: skip
GROUP = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Learning managers"}
# A command, and the file that it writes beside what it prints.
WRITING = (
    *(
        (("report", "completions", "--directive", "OIC-2026", "--format", kind, "--output"), f"all.{kind}")
        for kind in ("csv", "xlsx", "json")
    ),
    (("report", "pack", "--directive", "OIC-2026", "--output"), "pack.zip"),
    (("report", "pack", "--recommendation", "all", "--output"), "answer.zip"),
    (("modules", "export-items", "protect", "--format", "moodle"), "items.xml"),
    (("modules", "export-items", "protect", "--format", "qti"), "items.zip"),
    (("returns", "export", "--period", "2026-03", "--reason", "Asked again"), "return.json"),
)
PRINTING = (
    ("report", "completions", "--directive", "none", "--format", "csv", "--output", "unwritten.csv"),
    ("modules", "check", "modules"),
    ("exercises", "check", "exercises"),
    ("reminders", "plan", "--dry-run"),
    ("tokens", "list"),
    ("accounts", "invite", "D9999"),
    ("db", "current"),
    ("version",),
)
DAYS = 45  # of mails, after the instant
# What somebody is told of: who sends the last form of which page, the first of all choices taken.
TOLD = (
    ("D2001", "/people/D1001/nudge/OIC-2026"),
    ("D1001", "/events/EV-0002/booking"),
    ("D9001", "/people/D2002/account/close"),
    ("D9001", "/grants/new"),
    ("D5001", "/events/EV-0002/cancel"),
    ("D9001", "/people/D3002/account"),
)


def record_interfaces(record: Record, app: Flask, instance: Path, made: dict[str, str]) -> None:
    """The description of the API, and what it and SCIM answer."""
    visitor = Visitor(app, instance, "another system")
    for scope, paths in {"read": READ, "scim": PROVISION}.items():
        token = run(app, "tokens", "create", f"golden-{scope}", "--scope", scope).split()[-1]

        def ask(method: str, path: str, body: Any = None, token: str = token) -> None:
            response = visitor.open(
                method, path.format_map(made), json.dumps(body) if body else b"", "application/scim+json",
                Authorization=f"Bearer {token}",
            )  # fmt: skip
            title = f"another system: {method} {path}"
            record.write_answer(f"interfaces/{method} {path}", title, response, visitor.statements)

        if scope == "scim":
            ask("POST", f"{SCIM}/Users", USER)
            ask("POST", f"{SCIM}/Groups", GROUP)
        for path in paths:
            ask("GET", path)
    for path in ("/api/v1/people", f"{SCIM}/Users"):
        response = visitor.open("GET", path)
        record.write_answer(
            f"interfaces/without a token {path}", f"without a token: GET {path}", response, visitor.statements
        )


def record_commands(record: Record, app: Flask, instance: Path, made: dict[str, str]) -> None:
    """The help of every command; then what some of them print, and the files that they write."""

    def walk(command: click.Command, words: tuple[str, ...]) -> None:
        with click.Context(command, info_name=" ".join(words), terminal_width=110) as context:
            name = " ".join(words)
            record.write(f"commands/{name} --help", f"{name} --help", command.get_help(context))
            if isinstance(command, click.Group):
                for below in command.list_commands(context):
                    found = command.get_command(context, below)
                    assert found
                    walk(found, (*words, below))

    walk(app.cli, ("flask",))
    for words in PRINTING:
        record_run(record, app, words)
    for words, name in WRITING:
        file = instance / name
        record_run(record, app, (*words, str(file)))
        if file.exists():
            content = read_content(name.rpartition(".")[2], file.read_bytes())
            record.write(f"commands/{' '.join(words)} {name}", f"flask {' '.join(words)}: {name}", content)


def record_run(record: Record, app: Flask, words: tuple[str, ...]) -> None:
    """What a command prints, and its code."""
    draw_anew(" ".join(words))
    done = app.test_cli_runner().invoke(args=words)
    shown = " ".join(word.rpartition("/")[2] for word in words)
    printed = done.output.replace(str(Path(app.instance_path)), "«instance»")
    record.write(f"commands/{shown} printed", f"flask {shown}", f"ends with {done.exit_code}\n{printed}")


class Relay:
    """A relay that keeps what it is given, whoever opens it."""

    taken: ClassVar[list[EmailMessage]] = []

    def __init__(self, *_: Any, **__: Any) -> None:
        self.sock = None

    def send_message(self, mail: EmailMessage, **_: Any) -> None:
        self.taken.append(mail)

    def quit(self, *_: Any) -> None:
        """Nothing is open."""

    close = noop = rset = quit


def record_mails(record: Record, app: Flask, instance: Path, made: dict[str, str]) -> None:
    """Every mail of some weeks, with what schedules and jobs do meanwhile."""
    runner = JobRunner(make_worker_setup(app), Event())
    for number, path in TOLD:
        send_form(record, signed_in(app, instance, number), path)
    with mock.patch("smtplib.SMTP", Relay):
        for day in range(DAYS):
            at = INSTANT + timedelta(days=day)
            with time_machine.travel(at, tick=False):
                draw_anew(f"day {day}")
                Relay.taken.clear()
                start_due_jobs(clock.now())
                run_jobs(runner)
                run(app, "reminders", "plan")
                run(app, "reminders", "send")
                keep_mails(record, at.date().isoformat())


def send_form(record: Record, visitor: Visitor, path: str) -> None:
    """Send the last form of a page, and keep what became of it."""
    page = visitor.get(path)
    forms = [form for form in FORM.findall(page.text) if "/sign-out" not in form[0]]
    if not forms:
        record.write(f"mails/told {path}", f"{visitor.name}: POST {path}", f"no form: {page.status}")
        return
    head, inside = forms[-1]
    action = unescape(dict(ATTRIBUTE.findall(head)).get("action") or path)
    sent = visitor.post(action, form_fields(inside, "").items())
    record.write(f"mails/told {path}", f"{visitor.name}: POST {action}", f"{sent.status} {sent.location}")


def run_jobs(runner: JobRunner) -> None:
    """Every job that waits, one after the other."""
    for is_low in (False, True):
        while job := runner.claim_next_job(low_priority=is_low):
            runner.run_claimed_job(job)


def keep_mails(record: Record, day: str) -> None:
    """The mails of a day; each person's in the order in which they went."""
    counts: dict[str, int] = {}
    for mail in Relay.taken:
        to = str(mail["To"]).partition("@")[0].rpartition("<")[2]
        counts[to] = counts.get(to, 0) + 1
        parts = []
        for part in mail.walk():
            if not part.is_multipart():
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes)
                head = [part.get_content_type(), part.get_filename() or ""]
                parts.append("\n".join([" ".join(head), read_content(part.get_content_type(), content)]))
        headers = [f"{key}: {value}" for key, value in mail.items() if key not in ("Date", "Content-Type")]
        title = f"mail of {day} to {to}, number {counts[to]}"
        record.write(f"mails/{day} {to} {counts[to]}", title, "\n".join([*headers, *parts]))
