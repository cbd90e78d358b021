"""The portal's settings of mail."""

from datetime import date
from functools import cache

from govuk_bank_holidays.bank_holidays import BankHolidays

from config import Config, current_settings
from portal.domain.reminders.send_window import SendWindow, make_send_window
from portal.domain.reminders.sending import SendingSettings
from portal.platform.errors import RuleError
from portal.platform.mail.smtp import Relay


class NoRelayError(RuleError):
    """Sending was requested, but no mail relay is set."""

    def __init__(self) -> None:
        super().__init__("Email is not set up (SMTP_HOST), so messages wait in the outbox.")


@cache
def bank_holidays() -> frozenset[date]:
    """Bank holidays of England and Wales from the library's own list, without the network."""
    holidays = BankHolidays(use_cached_holidays=True).get_holidays(division=BankHolidays.ENGLAND_AND_WALES)
    return frozenset(holiday["date"] for holiday in holidays)


def _portal_config() -> Config:
    return current_settings()


def mail_hours() -> SendWindow:
    """The hours in which reminders may be sent."""
    config = _portal_config()
    days_off = set(config.mail.days_off)
    if config.mail_bank_holidays == "no":
        days_off |= bank_holidays()
    return make_send_window(*config.mail.times, days_off)


def line_managers_see() -> bool:
    """Whether the roster alone gives line managers sight of their direct reports."""
    return _portal_config().line_managers_see


def mails_files() -> bool:
    """Whether the rows of a saved report may be attached to its mail."""
    return _portal_config().mails_files


def relay_is_set() -> bool:
    """Whether a mail relay is set, without which nothing can be sent."""
    return bool(_portal_config().smtp_host)


def sending_settings() -> SendingSettings:
    """The settings for sending messages.

    Raises:
        NoRelayError: No relay is set.
    """
    config = _portal_config()
    if not config.smtp_host:
        raise NoRelayError
    relay = Relay(
        config.smtp_host,
        config.smtp_port,
        config.smtp_tls,
        config.smtp_user,
        config.smtp_password,
        config.smtp_from,
        config.smtp_seconds,
        config.smtp_per_minute,
        config.smtp_authorities,
    )
    return SendingSettings(
        relay,
        mail_hours(),
        config.address,
        config.force_name,
        config.line_managers_see,
        config.mails_files,
    )
