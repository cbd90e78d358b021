"""What this portal's settings say of mail."""

from datetime import date
from functools import cache

from govuk_bank_holidays.bank_holidays import BankHolidays

from config import Config
from portal.domain.reminders.send_window import SendWindow, make_send_window
from portal.domain.reminders.sending import SendingSettings
from portal.platform.errors import RuleError
from portal.platform.mail.smtp import Relay
from portal.platform.settings import current_settings


class NoRelayError(RuleError):
    """No mail relay is set."""

    def __init__(self) -> None:
        super().__init__("No mail relay is set (SMTP_HOST), so mail waits in the outbox.")


@cache
def bank_holidays() -> frozenset[date]:
    """Those of England and Wales, as the library has them; it is asked nothing over the network."""
    known = BankHolidays(use_cached_holidays=True).get_holidays(division=BankHolidays.ENGLAND_AND_WALES)
    return frozenset(one["date"] for one in known)


def _portal_config() -> Config:
    return current_settings()


def mail_hours() -> SendWindow:
    """When mail may go."""
    config = _portal_config()
    off = set(config.days_off)
    if config.mail_bank_holidays == "no":
        off |= bank_holidays()
    return make_send_window(*config.mail_times, off)


def line_managers_see() -> bool:
    """Whether the roster alone gives line managers sight of their direct reports."""
    return _portal_config().line_managers_see


def relay_is_set() -> bool:
    """Whether mail can go at all."""
    return bool(_portal_config().smtp_host)


def sending_settings() -> SendingSettings:
    """How messages are sent.

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
    return SendingSettings(relay, mail_hours(), config.address, config.force_name, config.line_managers_see)
