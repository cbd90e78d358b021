"""Mails about backups, straight through the relay: a rehearsal's outcome, and what is wrong."""

import uuid
from html import escape

from config import Config
from portal.platform import clock
from portal.platform.mail.smtp import Letter, Recipient, Relay, connect_relay, hand_over

NAME = "Whoever looks after the portal"


def send_report(config: Config, subject: str, sentences: list[str]) -> None:
    """Mail these sentences to each address of ``BACKUP_MAIL_TO``; it is for operators, and names no person.

    Raises:
        RelayError: The relay cannot be used.
        PortalError: It did not take a mail.
    """
    lines = [*sentences, f"See {config.address}/jobs and, in the release, docs/operating/backup.md."]
    relay = _relay_of(config)
    with connect_relay(relay) as connection:
        for email in config.backup.mail_to:
            letter = Letter(
                Recipient(NAME, email),
                f"{config.force_name} learning portal: {subject}",
                "\n\n".join(lines) + "\n",
                "".join(f"<p>{escape(line)}</p>" for line in lines),
            )
            hand_over(
                connection, letter, relay=relay, reference=uuid.uuid4(), host=_host_of(config), at=clock.now()
            )


def can_mail(config: Config) -> bool:
    """Whether there is a relay, and somebody to write to."""
    return bool(config.smtp_host and config.backup.mail_to)


def _host_of(config: Config) -> str:
    return config.address.partition("://")[2].partition("/")[0].partition(":")[0]


def _relay_of(config: Config) -> Relay:
    return Relay(
        config.smtp_host, config.smtp_port, config.smtp_tls, config.smtp_user, config.smtp_password,
        config.smtp_from, config.smtp_seconds, config.smtp_per_minute, config.smtp_authorities,
    )  # fmt: skip
