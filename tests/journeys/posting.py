"""What a portal is started with so that it sends mail at any hour, to a relay of the tests' own."""

from tests.domain.reminders.post_office import Office


def mail_settings(office: Office) -> dict[str, str]:
    """Settings of a portal that sends as fast as the relay takes it."""
    return {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(office.port),
        "SMTP_TLS": "none",
        "SMTP_FROM": "learning@westshire.example",
        "SMTP_PER_MINUTE": "60000",
        "MAIL_FROM_TIME": "00:00",
        "MAIL_UNTIL_TIME": "23:59:59",
        "MAIL_ON_BANK_HOLIDAYS": "yes",
    }
