"""Settings of mail, and a sentence for each that is wrong."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How the force's relay is reached, and when mail may go."""

    host: str  # empty: nothing is sent
    tls: str
    sender: str
    authorities: str  # path of a file of certificates
    from_time: str
    until_time: str
    bank_holidays: str
    off_days: str

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong."""
        if self.tls not in {"starttls", "tls", "none"}:
            yield "SMTP_TLS is 'starttls', 'tls' or 'none'."
        if self.host and not re.fullmatch(r"[A-Za-z0-9.:_-]+", self.host):
            yield "SMTP_HOST is the name of a machine, such as relay.example.police.uk"
        if self.host and "@" not in self.sender:
            yield "Set SMTP_FROM, such as 'Learning portal <learning@example.police.uk>'."
        if self.authorities and not os.access(self.authorities, os.R_OK):
            yield "SMTP_CA_FILE names a file that can be read."
        if self.bank_holidays not in {"yes", "no"}:
            yield "MAIL_ON_BANK_HOLIDAYS is 'yes' or 'no'."
        yield from self._day_faults()

    def _day_faults(self) -> Iterator[str]:
        try:
            first, last = self.times
            if first >= last:
                yield "MAIL_FROM_TIME lies before MAIL_UNTIL_TIME."
        except ValueError:
            yield "MAIL_FROM_TIME and MAIL_UNTIL_TIME are times such as 07:00."
        try:
            self.days_off  # noqa: B018 - read, so that a wrong one stops the start
        except ValueError:
            yield "MAIL_DAYS_OFF are days such as 2026-12-24, one after the other."

    @property
    def times(self) -> tuple[time, time]:
        """From and until when mail may go, in London."""
        return time.fromisoformat(self.from_time), time.fromisoformat(self.until_time)

    @property
    def days_off(self) -> list[date]:
        """Days of the force's own on which no mail goes."""
        return [date.fromisoformat(day) for day in self.off_days.replace(",", " ").split()]
